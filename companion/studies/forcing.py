"""Predictors that learn from the teacher and from themselves (Section 10.2.1), on two series.

Everything was fixed beforehand: nothing is chosen by its result.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.forcing import SERIES, teacher_probability
from companion.forcing.trained import alone, observed, one_by_one

SECTION = "10.2.1"
SHOWS = "What the share of the teacher left at the end of training does to a predictor that is then alone."
MINUTES = 1
WEIGHTS = "forcing.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    floors: tuple[float, ...] = (1.0, 0.75, 0.5, 0.25, 0.0)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 7)  # trained side by side, a row
    units: int = 16
    length: int = 30
    examples: int = 64
    batch: int = 16
    steps: int = 1500
    falling: float = 0.75  # of the steps: ε falls linearly from 1 to the floor, and stays there
    rate: float = 5e-3
    noise: dict[str, float] = {"cycle": 0.2, "chaos": 0.0}  # noqa: RUF012  (of the observations learned from)
    tested: int = 200  # fresh series


SETTINGS, UNSEEN = Settings(), ("floors",)
QUICK = Settings(floors=(1.0, 0.5), seeds=(0, 1), steps=4, tested=3)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Both series with every share of the teacher."""
    return [{"series": series, "floor": floor} for series in SERIES for floor in settings.floors]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train predictors on one series, the teacher's probability falling from 1 to the floor.

    Returns
    -------
    after_1, after_5, after_30 : error of each net, its weights rounded as stored, after so many steps alone.
    """
    import torch

    from companion.forcing.modules import Predictors, mixed
    from companion.training import train

    draw, n = SERIES[key["series"]], len(settings.seeds)
    data = observed(draw, settings.noise[key["series"]], settings.length, settings.examples, settings.seeds)
    Y, which = torch.tensor(data, device=device), torch.arange(n)[:, None]
    nets = Predictors(data.shape[-1], settings.units, settings.seeds).to(device)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([2, step])
        y = Y[which, torch.tensor(rng.integers(settings.examples, size=(n, settings.batch)))]
        epsilon = 1 - (1 - key["floor"]) * (1 - teacher_probability(step, "linear", settings.falling * settings.steps))
        own = torch.tensor(rng.random((n, settings.batch, settings.length - 1)) >= epsilon, device=device)
        return mixed(nets, y, own).flatten(1, 2), y[:, :, 1:].flatten(1, 2)

    def loss(nets: Predictors, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return ((nets(z) - y) ** 2).mean(dim=(1, 2)).sum()  # a sum, so that no seed hears of another

    train(nets, batch, loss, steps=settings.steps, lr=settings.rate, clip=None, every=settings.steps)
    weights = {name: w.detach().cpu().numpy().astype(np.float16) for name, w in nets.named_parameters()}
    error = alone(one_by_one(**weights), draw(31, settings.tested, np.random.default_rng(10)))
    return {f"after_{t}": np.round(error[:, t - 1], 3).tolist() for t in (1, 5, 30)} | {"weights": weights}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, float]]:
    """The median error of the seeds, by setting and steps alone."""
    steps = ("after_1", "after_5", "after_30")
    return {f"{r['series']} {r['floor']:g}": {t: round(float(np.median(r[t])), 4) for t in steps} for r in rows}
