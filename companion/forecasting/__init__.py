"""Section P.2: what comes next in a series, by methods that see a window of the past and nothing else.

- `series`: Mauna Loa CO₂, sunspots, a stock and Mackey–Glass, all from installed packages;
- `rolling`: windows of the past, the closed loop, and forecasts from a rolling origin;
- `methods`: persistence, the last season, linear autoregression and an echo state network;
- `recipes`: logarithms, differences and a scale, applied before a method and undone after it;
- `scores`: errors against the naive forecast, the shifted copy, and directions with an interval;
- `trials`: the tasks of the page and how settings are chosen (import it by name);
- `modules`: recurrent nets of PyTorch (the only file that imports torch; import it by name).
"""

from companion.forecasting.methods import Linear, fit_echo, fit_linear, last_season, persistence
from companion.forecasting.recipes import Recipe, differences, fit_by_recipe
from companion.forecasting.rolling import Forecaster, closed_loop, rolling_forecasts, truth, windows
from companion.forecasting.scores import (
    change_correlation,
    copy_scores,
    direction_interval,
    mase,
    same_direction,
    skill,
)
from companion.forecasting.series import SERIES, load_series

__all__ = [
    "SERIES",
    "Forecaster",
    "Linear",
    "Recipe",
    "change_correlation",
    "closed_loop",
    "copy_scores",
    "differences",
    "direction_interval",
    "fit_by_recipe",
    "fit_echo",
    "fit_linear",
    "last_season",
    "load_series",
    "mase",
    "persistence",
    "rolling_forecasts",
    "same_direction",
    "skill",
    "truth",
    "windows",
]
