"""What Section 10.8 tries reservoirs on: NARMA-10 for nets of some starts, and forecasts of Mackey–Glass."""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.echo import Reservoir, esn_states
from companion.core.checks import Count, checked
from companion.reservoir.drawing import Size, esn_init
from companion.reservoir.readout import Readout, nrmse, readout, ridge_fit
from companion.reservoir.series import free_runs, mackey_glass, narma10

__all__ = [
    "ADDING_STARTS",
    "LEARNED",
    "NARMA_STARTS",
    "WASHOUT",
    "NarmaSeries",
    "draw_narma",
    "forecast_errors",
    "narma_error",
]

NARMA_STARTS = {"plain": None, "reservoir": None, "reservoir, solved": 1e-6, "reservoir, solved gently": 1.0}
"""The starts, and the ridge of a read-out that is solved before training begins."""
ADDING_STARTS = {"plain": None, "plain, louder": None, "reservoir, radius 0.58": 0.58, "reservoir, radius 1.1": 1.1}
"""Starts on the adding problem; 0.58 is about the radius of PyTorch's own start, and louder is U times 3.5."""
WASHOUT, LEARNED, TESTED = 200, 1000, 1000  # steps


class NarmaSeries(NamedTuple):
    """NARMA-10 with input and target standardised by the steps before the test."""

    x: Annotated[np.ndarray, "tau", 1]
    y: Annotated[np.ndarray, "tau", 1]


Seed = Annotated[int, (0, None)]


@checked
def draw_narma(seed: Seed) -> NarmaSeries:
    """The series of a seed: 200 steps to settle, 1,000 to learn from, 1,000 to be tested on."""
    before = WASHOUT + LEARNED
    x, y = narma10(before + TESTED, np.random.default_rng([108, seed]))
    return NarmaSeries(*((v - v[:before].mean()) / v[:before].std() for v in (x, y)))


@checked
def narma_error(p: Reservoir, r: Readout, data: NarmaSeries) -> float:
    """NRMSE on the test steps, one run through the whole series."""
    return nrmse(data.y[-TESTED:], readout(r, esn_states(p, data.x)[-TESTED:]))


@checked
def forecast_errors(
    units: Count, seed: Seed, ridge: Size, library: bool = False, trials: Count = 30
) -> tuple[float, float]:
    """Forecast Mackey–Glass, and measure one step ahead and 84 steps ahead with the loop closed.

    Setting of jaeger2001: 1,000 steps to settle, 2,000 to learn from, series squashed by tanh(y − 1). After 1,000
    more steps, 30 forecasts start 84 steps apart; errors are in the units of y.

    Parameters
    ----------
    units : size of the reservoir. seed : draws series and reservoir. ridge : of the read-out. trials : forecasts.
    library : whether reservoirpy does it, with its own way of drawing weights, instead of `companion`.

    Returns
    -------
    NRMSE one step ahead, NRMSE 84 steps ahead.
    """
    rng, at = np.random.default_rng([17, seed]), 4000 + 84 * np.arange(trials)  # at: the last true inputs
    y = mackey_glass(4000 + 84 * (trials + 1), rng)
    s = np.tanh(y - 1)
    o, ahead = _by_library(s, at, units, ridge, rng, seed) if library else _by_companion(s, at, units, ridge, rng)
    said = 1 + np.arctanh(np.clip(np.array(ahead), -0.999999, 0.999999))
    return nrmse(s[3001:4001], o[3000:4000]), float(np.sqrt(((said - y[at + 84]) ** 2).mean() / y.var()))


def _by_companion(
    s: np.ndarray, at: np.ndarray, units: int, ridge: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs one step ahead along the series s, and 84 steps ahead from each of the steps `at`."""
    p, learn = esn_init(1, units, rng, 0.95, scale=1.0, bias=0.2, alpha=0.4), slice(1000, 3000)
    h = esn_states(p, s[: at[-1] + 1])[1:]
    r = ridge_fit(h[learn], s[1:][learn], ridge)
    o = readout(r, h)
    return o, free_runs(p, r, h[at], o[at], 83)[:, -1]


def _by_library(
    s: np.ndarray, at: np.ndarray, units: int, ridge: float, rng: np.random.Generator, seed: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The same by reservoirpy."""
    from reservoirpy.nodes import Reservoir as Nodes
    from reservoirpy.nodes import Ridge

    bias, learn = 0.2 * rng.uniform(-1, 1, units), slice(1000, 3000)
    nodes, out = Nodes(units, sr=0.95, lr=0.6, input_connectivity=1.0, bias=bias, seed=seed), Ridge(ridge)
    h = nodes.run(s[:-1])
    o, ahead = out.fit(h[learn], s[1:][learn]).run(h), []
    for t in at:
        nodes.state = {"out": h[t]}
        x = o[t]
        for _ in range(83):
            x = out.step(nodes.step(x))
        ahead.append(x)
    return o, ahead
