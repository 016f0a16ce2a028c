"""Section P.2: windows of the past, the closed loop, and forecasts from a rolling origin."""

from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np

from companion.core.checks import Count, checked, integer

__all__ = ["Forecaster", "closed_loop", "rolling_forecasts", "truth", "windows"]

Forecaster = Callable[[np.ndarray], np.ndarray]
"""f: windows of the past, shape (n, width), the newest value last → what comes next after each, shape (n,)."""

Series = Annotated[np.ndarray, "tau"]


def _origins(origins: Sequence[int], first: int, last: int) -> np.ndarray:
    origins = np.array([integer("origins", int(t)) for t in origins])
    if len(origins) == 0 or origins.min() < first or origins.max() > last:
        raise ValueError(f"origins: want some of {first} … {last}, got {origins.tolist()[:6]}")
    return origins


@checked
def windows(y: Series, origins: Sequence[int], width: Count) -> np.ndarray:
    """What is seen at each origin t: y⁽ᵗ⁻ʷ⁺¹⁾ … y⁽ᵗ⁾, the last `width` values, shape (origins, width) (Section P.2).

    An origin counts the values that are known: y[:t] is the past, y[t] the first that is not known.
    """
    return np.stack([y[t - width : t] for t in _origins(origins, width, len(y))])


@checked
def truth(y: Series, origins: Sequence[int], horizon: Count) -> np.ndarray:
    """What came after each origin, shape (origins, horizon); only scores may look at it (Section P.2)."""
    return np.stack([y[t : t + horizon] for t in _origins(origins, 0, len(y) - horizon)])


@checked
def closed_loop(f: Forecaster, seen: Annotated[np.ndarray, "origins", "width"], horizon: Count) -> np.ndarray:
    """Feed each forecast back as if it had been observed: ŷ⁽ᵗ⁺ᵏ⁾ = f(…, ŷ⁽ᵗ⁺ᵏ⁻²⁾, ŷ⁽ᵗ⁺ᵏ⁻¹⁾) (Section P.2).

    Returns
    -------
    ŷ, shape (origins, horizon); column 0 is one step ahead.
    """
    width = seen.shape[1]
    for _ in range(horizon):
        # ŷ⁽ᵗ⁺ᵏ⁾ = f(the last values, seen or forecast)
        yhat = f(seen[:, -width:])
        seen = np.column_stack([seen, yhat])
    return seen[:, width:]


@checked
def rolling_forecasts(
    fit: Callable[[np.ndarray], Forecaster],
    y: Series,
    origins: Sequence[int],
    horizon: Count,
    width: Count,
    refits: Sequence[int],
) -> np.ndarray:
    """Forecasts from each origin by a method that is fitted again as time goes on (Section P.2).

    At each of `refits` the method is fitted to y[:refit], and to nothing that comes later. It serves the origins from
    there to the next.

    Parameters
    ----------
    fit : the past, shape (refit,) → a forecaster.
    origins : where forecasts begin, ascending. horizon : steps ahead. width : of the windows.
    refits : ascending; the first is no later than the first origin.

    Returns
    -------
    ŷ, shape (origins, horizon).

    Reference: tashman2000
    """
    origins, refits = _origins(origins, width, len(y)), _origins(refits, 1, len(y))
    if refits[0] > origins[0]:
        raise ValueError(f"refits: want the first by the first origin, {origins[0]}, got {refits[0]}")
    out = np.empty((len(origins), horizon))
    for start, end in zip(refits, [*refits[1:], len(y) + 1], strict=True):
        if (now := (start <= origins) & (origins < end)).any():
            f = fit(y[:start])
            out[now] = closed_loop(f, windows(y, origins[now], width), horizon)
    return out
