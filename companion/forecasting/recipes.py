"""Section P.2: what is done to a series before a method sees it, and undone after it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from companion.core.checks import Count, checked
from companion.forecasting.rolling import Forecaster, Series

__all__ = ["Recipe", "differences", "fit_by_recipe"]


@checked
def differences(y: np.ndarray, lag: Count) -> np.ndarray:
    """z⁽ᵗ⁾ = y⁽ᵗ⁾ − y⁽ᵗ⁻ᵈ⁾ along the last axis, which gets shorter by the lag d (Section P.2)."""
    if np.shape(y)[-1] <= lag:
        raise ValueError(f"lag: want less than the {np.shape(y)[-1]} values of y, got {lag}")
    return y[..., lag:] - y[..., :-lag]


class Recipe(NamedTuple):
    """Logarithms or not, then differences at these lags, one after the other; a scale comes last."""

    log: bool = False
    lags: tuple[int, ...] = ()


def _logged(f: Forecaster) -> Forecaster:
    return lambda seen: np.exp(f(np.log(seen)))


def _differenced(f: Forecaster, lag: int) -> Forecaster:
    # ŷ⁽ᵗ⁺¹⁾ = y⁽ᵗ⁺¹⁻ᵈ⁾ + ẑ⁽ᵗ⁺¹⁾
    return lambda seen: seen[:, -lag] + f(differences(seen, lag))


def _scaled(f: Forecaster, mean: float, spread: float) -> Forecaster:
    return lambda seen: mean + spread * f((seen - mean) / spread)


@checked
def fit_by_recipe(y: Series, recipe: Recipe, fit: Callable[[np.ndarray], Forecaster]) -> Forecaster:
    """Fit a method to the transformed past, and give back a forecaster of the series itself (Section P.2).

    Mean and deviation come from y alone, the past at the time of the fit. Windows must be wider than those of the
    method by the sum of the lags.

    Parameters
    ----------
    fit : the transformed past, of mean 0 and deviation 1 → its forecaster.
    """
    if recipe.log and y.min() <= 0:
        raise ValueError(f"y: want values above 0 for a logarithm, got {y.min()}")
    z = np.log(y) if recipe.log else y
    for lag in recipe.lags:
        z = differences(z, lag)
    mean, spread = float(z.mean()), float(z.std())
    if spread == 0:
        raise ValueError("y: want a series that varies after its differences, got a constant")
    f = _scaled(fit((z - mean) / spread), mean, spread)
    for lag in reversed(recipe.lags):
        f = _differenced(f, lag)
    return _logged(f) if recipe.log else f
