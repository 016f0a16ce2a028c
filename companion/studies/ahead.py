"""Predictors that are trained on what they say several steps ahead (Section 10.2.1), on the series of `forcing`.

Data, nets, updates and rate are those of `forcing`; what differs is what is fed, and that the gradient goes through it.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.forcing import SERIES
from companion.forcing.trained import alone, observed

SECTION = "10.2.1"
SHOWS = "What a loss on several steps of a net's own predictions does to a predictor that is then alone."
MINUTES = 2


class Settings(NamedTuple):
    """All constants of the study."""

    horizons: tuple[int, ...] = (1, 2, 5, 10, 30)  # a true value is heard at every so-many-th step
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 7)  # trained side by side, a row
    units: int = 16
    length: int = 30
    examples: int = 64
    batch: int = 16
    steps: int = 1500
    rate: float = 5e-3
    clip: float = 1.0  # of each net's gradient, which goes through a chain and can explode
    noise: dict[str, float] = {"cycle": 0.2, "chaos": 0.0}  # noqa: RUF012  (of the observations learned from)
    tested: int = 200  # fresh series


SETTINGS, UNSEEN = Settings(), ("horizons",)
QUICK = Settings(horizons=(1, 3), seeds=(0, 1), steps=4, tested=3)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Both series with every horizon."""
    return [{"series": series, "horizon": horizon} for series in SERIES for horizon in settings.horizons]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train predictors on one series, with a loss at every step of their own predictions.

    Returns
    -------
    after_1, after_5, after_30 : error of each net after so many steps alone.
    """
    import torch

    from companion.forcing.modules import Predictors, several_ahead
    from companion.training import each_by_norm, train

    draw, n = SERIES[key["series"]], len(settings.seeds)
    data = observed(draw, settings.noise[key["series"]], settings.length, settings.examples, settings.seeds)
    Y, which = torch.tensor(data, device=device), torch.arange(n)[:, None]
    nets = Predictors(data.shape[-1], settings.units, settings.seeds).to(device)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([2, step])
        y = Y[which, torch.tensor(rng.integers(settings.examples, size=(n, settings.batch)))]
        return y, y[:, :, 1:]

    def loss(nets: Predictors, y: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        # a sum, so that no seed hears of another
        return ((several_ahead(nets, y, key["horizon"]) - wanted) ** 2).mean(dim=(1, 2, 3)).sum()

    train(
        nets,
        batch,
        loss,
        steps=settings.steps,
        lr=settings.rate,
        clip=None,
        rule=each_by_norm(settings.clip),
        every=settings.steps,
    )
    error = alone(nets.cpu().numpy(), draw(31, settings.tested, np.random.default_rng(10)))
    return {f"after_{t}": np.round(error[:, t - 1], 3).tolist() for t in (1, 5, 30)}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, float]]:
    """The median error of the seeds, by setting and steps alone."""
    steps = ("after_1", "after_5", "after_30")
    return {f"{r['series']} {r['horizon']}": {t: round(float(np.median(r[t])), 4) for t in steps} for r in rows}
