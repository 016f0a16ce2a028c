"""The tasks of Section P.2, the settings that each method may try, and the choice among them (imports torch)."""

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.core.checks import checked
from companion.forecasting.methods import fit_echo, fit_linear, last_season, persistence
from companion.forecasting.modules import fit_net
from companion.forecasting.recipes import Recipe, fit_by_recipe
from companion.forecasting.rolling import Forecaster, Series, closed_loop, rolling_forecasts, truth, windows

__all__ = ["METHODS", "TASKS", "Task", "choice_error", "fitter", "forecasts", "settings_of", "width_of"]

METHODS = ("persistence", "last season", "linear", "echo", "rnn", "lstm")

#: Radius of the reservoir and ridge of its read-out; units and rate of a net: as many settings as `Task.orders`.
ECHO = ((0.5, 1.0), (0.95, 1.0), (0.95, 1e-3), (0.95, 1e-6))
NETS = ((8, 0.003), (8, 0.01), (32, 0.003), (32, 0.01))


class Task(NamedTuple):
    """A series, what is done to it beforehand, and where forecasts begin."""

    series: str
    recipe: Recipe
    width: int  # of the windows that a method reads
    horizon: int
    refits: tuple[int, ...]  # where methods are fitted again; the first is the first origin of all
    last: int  # no origin after it
    stride: int  # from one origin to the next
    held: int  # values before the first origin on which settings are chosen
    season: int
    orders: tuple[int, ...]  # of the linear autoregression

    @property
    def origins(self) -> range:
        """Where forecasts begin."""
        return range(self.refits[0], self.last + 1, self.stride)


_CO2 = Task("co2", Recipe(), 48, 24, (346, 406, 466), 502, 3, 60, 12, (2, 13, 25, 37))
TASKS = {
    "co2": _CO2,
    "co2, yearly differences": _CO2._replace(recipe=Recipe(lags=(12,))),
    "co2, both differences": _CO2._replace(recipe=Recipe(lags=(12, 1))),
    "sunspots": Task("sunspots", Recipe(), 33, 11, (200, 235, 270), 298, 2, 50, 11, (1, 2, 9, 20)),
    "price": Task("stock", Recipe(), 30, 5, (627, 767, 907), 1042, 1, 120, 1, (1, 2, 5, 10)),
    "returns": Task("stock", Recipe(True, (1,)), 30, 5, (627, 767, 907), 1042, 1, 120, 1, (1, 2, 5, 10)),
    "mackey-glass": Task("mackey-glass", Recipe(), 60, 84, (1200,), 1700, 20, 200, 1, (2, 6, 18, 36)),
}

Method = Literal[METHODS]
Draw = Annotated[int, (0, None)]


def width_of(task: Task) -> int:
    """How much of the series itself a forecast is given: the method's window and the lags of the differences."""
    return task.width + sum(task.recipe.lags)


def settings_of(task: Task, method: str) -> tuple:
    """The settings that a method may try on a task: four for each that learns, one for each that does not."""
    return {"linear": task.orders, "echo": ECHO, "rnn": NETS, "lstm": NETS}.get(method, (None,))


def fitter(task: Task, method: Method, setting: int, draw: Draw, updates: int) -> Callable[[np.ndarray], Forecaster]:
    """The method at one of its settings, as a function from the past to a forecaster (Section P.2).

    Parameters
    ----------
    setting : its place among `settings_of`. draw : seed of what is drawn. updates : of a net.
    """
    chosen, width = settings_of(task, method)[setting], task.width
    if method == "persistence":
        return lambda _: persistence
    if method == "last season":
        return lambda _: last_season(task.season)
    learn = {
        "linear": lambda z: fit_linear(z, chosen),
        "echo": lambda z: fit_echo(z, np.random.default_rng([202, draw]), width, chosen[1], chosen[0]),
        "rnn": lambda z: fit_net(z, "rnn", chosen[0], draw, width, updates, chosen[1]),
        "lstm": lambda z: fit_net(z, "lstm", chosen[0], draw, width, updates, chosen[1]),
    }[method]
    return lambda past: fit_by_recipe(past, task.recipe, learn)


@checked
def choice_error(y: Series, task: Task, method: Method, setting: int, draw: Draw, updates: int = 400) -> float:
    """Mean absolute error over the horizon, on the last values before the first origin (Section P.2).

    The method is fitted to what lies before these; nothing after the first origin is looked at.
    """
    first = task.refits[0]
    begin = first - task.held
    f = fitter(task, method, setting, draw, updates)(y[:begin])
    origins = range(begin, first - task.horizon + 1, task.stride)
    past = y[:first]
    ahead = closed_loop(f, windows(past, origins, width_of(task)), task.horizon)
    return float(np.abs(ahead - truth(past, origins, task.horizon)).mean())


@checked
def forecasts(y: Series, task: Task, method: Method, setting: int, draw: Draw, updates: int = 400) -> np.ndarray:
    """Forecasts from every origin of a task, shape (origins, horizon) (Section P.2)."""
    fit = fitter(task, method, setting, draw, updates)
    return rolling_forecasts(fit, y, task.origins, task.horizon, width_of(task), task.refits)
