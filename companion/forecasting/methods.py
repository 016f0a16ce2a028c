"""Section P.2: persistence, the last season, linear autoregression, and an echo state network."""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.echo import Reservoir
from companion.core.checks import Count, Positive, checked
from companion.forecasting.rolling import Forecaster, Series
from companion.reservoir.drawing import Size, esn_init
from companion.reservoir.readout import ridge_fit

__all__ = ["Linear", "fit_echo", "fit_linear", "last_season", "persistence"]


def persistence(seen: np.ndarray) -> np.ndarray:
    """Tomorrow is as today: ŷ⁽ᵗ⁺¹⁾ = y⁽ᵗ⁾ (Section P.2)."""
    return seen[:, -1]


@checked
def last_season(m: Count) -> Forecaster:
    """The next value is that of a season ago: ŷ⁽ᵗ⁺¹⁾ = y⁽ᵗ⁺¹⁻ᵐ⁾, the seasonal naive forecast (Section P.2)."""

    def f(seen: np.ndarray) -> np.ndarray:
        return seen[:, -m]

    return f


class Linear(NamedTuple):
    """A linear autoregression of order p, as a forecaster: ŷ⁽ᵗ⁺¹⁾ = c + Σᵢ wᵢ y⁽ᵗ⁺¹⁻ⁱ⁾."""

    w: Annotated[np.ndarray, "p"]  # w[0] belongs to the newest value
    c: float

    def __call__(self, seen: np.ndarray) -> np.ndarray:
        """What comes after each window."""
        # ŷ⁽ᵗ⁺¹⁾ = c + Σᵢ wᵢ y⁽ᵗ⁺¹⁻ⁱ⁾
        return self.c + seen[:, -len(self.w) :] @ self.w[::-1]


@checked
def fit_linear(y: Series, p: Count) -> Linear:
    """Least squares: w and c minimise Σₜ (y⁽ᵗ⁺¹⁾ − c − Σᵢ wᵢ y⁽ᵗ⁺¹⁻ⁱ⁾)², i = 1 … p (Section P.2).

    Raises
    ------
    ValueError
        If there are fewer equations than weights.

    Reference: box1970
    """
    if len(y) < 2 * p + 1:
        raise ValueError(f"p: want at most {(len(y) - 1) // 2} lags for {len(y)} values, got {p}")
    past = np.lib.stride_tricks.sliding_window_view(y[:-1], p)[:, ::-1]  # (tau − p, p), newest first
    target, middle = y[p:], past.mean(0)
    w = np.linalg.lstsq(past - middle, target - target.mean(), rcond=None)[0]
    return Linear(w, float(target.mean() - middle @ w))


def _last_states(net: Reservoir, seen: np.ndarray) -> np.ndarray:
    """The states after each window, from zero, shape (windows, n_h); a window is a column of the product."""
    columns, h = net._replace(b=net.b[:, None]), np.zeros((len(net.b), len(seen)))
    for x in seen.T:
        h = columns.step(x[None], h).h
    return h.T


@checked
def fit_echo(
    y: Series,
    rng: np.random.Generator,
    width: Count,
    ridge: Positive,
    radius: Size = 0.9,
    units: Count = 100,
) -> Forecaster:
    """An echo state network that reads a window from a zero state: ŷ⁽ᵗ⁺¹⁾ = c + V h⁽ᵗ⁾ (Sections 10.8, P.2).

    Reservoir and read-out are those of Section 10.8; the read-out is solved on every window of y.

    Parameters
    ----------
    y : scaled to mean 0 and deviation 1. width : of the windows. ridge : λ of the read-out.

    Reference: jaeger2004
    """
    if len(y) <= width:
        raise ValueError(f"width: want less than the {len(y)} values of y, got {width}")
    net = esn_init(1, units, rng, radius, scale=0.5, bias=0.2)
    past = np.lib.stride_tricks.sliding_window_view(y[:-1], width)
    r = ridge_fit(_last_states(net, past), y[width:, None], ridge)

    def f(seen: np.ndarray) -> np.ndarray:
        return (r.c + _last_states(net, seen) @ r.V.T)[:, 0]

    return f
