"""Section P.2: four series that come with installed packages. Nothing is downloaded."""

from typing import Literal

import numpy as np

from companion.core.checks import checked
from companion.reservoir.series import mackey_glass

__all__ = ["SERIES", "load_series"]

SERIES = ("co2", "sunspots", "stock", "mackey-glass")


def _co2() -> tuple[np.ndarray, np.ndarray]:
    """Monthly means of weekly CO₂ at Mauna Loa, ppm; the few months without a week lie before 1965."""
    from statsmodels.datasets import co2

    months = co2.load_pandas().data["co2"].resample("MS").mean().interpolate()
    return months.index.year + (months.index.month - 1) / 12, months


def _sunspots() -> tuple[np.ndarray, np.ndarray]:
    """Yearly sunspot numbers."""
    from statsmodels.datasets import sunspots

    table = sunspots.load_pandas().data
    return table["YEAR"], table["SUNACTIVITY"]


def _stock() -> tuple[np.ndarray, np.ndarray]:
    """Closing prices of Google's stock on trading days, adjusted, in US dollars."""
    from matplotlib.cbook import get_sample_data

    table = get_sample_data("goog.npz")["price_data"]
    return 1970 + table["date"].astype(int) / 365.25, table["adj_close"]


def _mackey_glass() -> tuple[np.ndarray, np.ndarray]:
    """A simulated trajectory of the Mackey–Glass equation, one value per unit of time."""
    return np.arange(1800), mackey_glass(1800, np.random.default_rng(2))[:, 0]


@checked
def load_series(name: Literal["co2", "sunspots", "stock", "mackey-glass"]) -> tuple[np.ndarray, np.ndarray]:
    """A series from the data of statsmodels or matplotlib, or simulated by `companion.reservoir` (Section P.2).

    Returns
    -------
    when : times, in years, or in units of time for Mackey–Glass, shape (tau,).
    y : CO₂ in ppm by month, sunspot numbers by year, a price in US dollars by trading day, or the trajectory; (tau,).

    Reference: keeling1976, yule1927
    """
    loaders = {"co2": _co2, "sunspots": _sunspots, "stock": _stock, "mackey-glass": _mackey_glass}
    when, y = loaders[name]()
    return np.array(when, dtype=float), np.array(y, dtype=float)
