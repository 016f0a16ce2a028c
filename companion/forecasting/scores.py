"""Section P.2: errors against the naive forecast, the shifted copy, and directions with an interval."""

from typing import Annotated

import numpy as np
from scipy.stats import binomtest

from companion.core.checks import Count, array, checked, integer
from companion.forecasting.rolling import Series

__all__ = ["change_correlation", "copy_scores", "direction_interval", "mase", "same_direction", "skill"]


def skill(y: np.ndarray, yhat: np.ndarray, naive: np.ndarray) -> float:
    """1 − (mean absolute error) / (that of the naive forecast): 0 is as good, 1 is perfect (Section P.2).

    Parameters
    ----------
    y, yhat, naive : truth, forecast and naive forecast of the same values, of one shape.
    """
    y = array("y", y, np.shape(y))
    yhat = array("yhat", yhat, np.shape(y))
    naive = array("naive", naive, np.shape(y))
    error, base = np.abs(y - yhat).mean(), np.abs(y - naive).mean()
    if base == 0:
        raise ValueError("naive: want a naive forecast that errs, got one without any error")
    return float(1 - error / base)


@checked
def mase(y: np.ndarray, yhat: np.ndarray, past: Series, m: Count = 1) -> float:
    """Mean absolute scaled error: mean |y − ŷ| / mean |y⁽ᵗ⁾ − y⁽ᵗ⁻ᵐ⁾| over the past (Section P.2).

    Parameters
    ----------
    y, yhat : truth and forecasts, of one shape. past : what was known before. m : the season; 1 for none.

    Reference: hyndman2006
    """
    y = array("y", y, np.shape(y))
    yhat = array("yhat", yhat, np.shape(y))
    if len(past) <= m:
        raise ValueError(f"past: want more than {m} values, got {len(past)}")
    error, base = np.abs(y - yhat).mean(), np.abs(past[m:] - past[:-m]).mean()
    if base == 0:
        raise ValueError("past: want values that vary, got a naive forecast without any error")
    return float(error / base)


@checked
def copy_scores(y: Series, yhat: Series, shifts: Annotated[int, (0, None)] = 3) -> np.ndarray:
    """Mean absolute error of the forecast moved earlier by 0, 1 … `shifts` steps, shape (shifts + 1,) (Section P.2).

    Entry s compares ŷ⁽ᵗ⁾, the forecast made for t, with y⁽ᵗ⁻ˢ⁾. All entries are of the same forecasts. A forecast that
    is a shifted copy has its least error at 1.
    """
    yhat = array("yhat", yhat, y.shape)
    if len(y) <= shifts:
        raise ValueError(f"shifts: want less than the {len(y)} values of y, got {shifts}")
    return np.array([np.abs(yhat[shifts:] - y[shifts - s : len(y) - s]).mean() for s in range(shifts + 1)])


@checked
def change_correlation(y: Series, yhat: Series, last: Series) -> float:
    """Correlation of the forecast change with the true one: corr(ŷ⁽ᵗ⁺¹⁾ − y⁽ᵗ⁾, y⁽ᵗ⁺¹⁾ − y⁽ᵗ⁾) (Section P.2).

    Parameters
    ----------
    last : the value at each origin, y⁽ᵗ⁾. A constant change forecast has no correlation; 0 is returned.
    """
    ahead, came = array("yhat", yhat, y.shape) - array("last", last, y.shape), y - last
    if ahead.std() == 0 or came.std() == 0:
        return 0.0
    return float(np.corrcoef(ahead, came)[0, 1])


@checked
def same_direction(y: Series, yhat: Series, last: Series) -> tuple[int, int]:
    """How often the forecast change has the sign of the true one, and of how many; days without change are left out.

    Parameters
    ----------
    last : the value at each origin, y⁽ᵗ⁾ (Section P.2).
    """
    ahead, came = array("yhat", yhat, y.shape) - array("last", last, y.shape), y - last
    moved = (came != 0) & (ahead != 0)
    return int((np.sign(ahead) == np.sign(came))[moved].sum()), int(moved.sum())


@checked
def direction_interval(hits: Annotated[int, (0, None)], of: Count, level: float = 0.95) -> tuple[float, float]:
    """The exact binomial interval of a share: all chances under which so many hits are no surprise (Section P.2).

    Reference: clopper1934
    """
    integer("hits", hits, 0, of)
    found = binomtest(hits, of).proportion_ci(level, method="exact")
    return float(found.low), float(found.high)
