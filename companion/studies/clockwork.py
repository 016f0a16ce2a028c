"""Nets of ten kinds that have to produce a waveform, twenty seeds at once (Section 10.12).

Each seed draws one waveform of 128 steps and one net of each kind. The nets of a row are trained side by side; their
gradients do not mix. Every kind is given the same steps and the same two learning rates.
"""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.multiscale.waves import WAVE_KINDS, WAVE_UNITS, wave_parameters, waveform

SECTION = "10.12"
SHOWS = "How well clockwork, plain, LSTM and leaky nets of equal size produce a waveform, and plain ones told the time."
MINUTES, WEIGHTS = 2, "clockwork.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seed: int = 2014
    waves: int = 20  # seeds 0, 1, … of a wave and a net each
    steps: int = 600
    rates: tuple[float, ...] = (0.003, 0.01)
    kept: int = 5  # waves whose nets are stored


SETTINGS, UNSEEN = Settings(), ("rates",)
QUICK = Settings(waves=2, steps=2, kept=1)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every kind at every rate."""
    return [{"kind": kind, "rate": rate} for kind, rate in product(WAVE_KINDS, settings.rates)]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train the nets of one kind at one rate.

    Returns
    -------
    units, parameters : of one net. errors : mean squared error over the wave's variance, a net. weights : of the first
    nets, and their output.
    """
    import torch

    from companion.multiscale.modules import WaveNets
    from companion.training import torch_seed, train

    waves = np.array([waveform(seed) for seed in range(settings.waves)])
    y = torch.tensor(waves, dtype=torch.float32, device=device)
    torch_seed(settings.seed)
    nets = WaveNets(key["kind"], settings.waves).to(device)
    train(
        nets,
        lambda step: (y, y),
        lambda nets, x, y: ((nets() - y) ** 2).mean(1).sum(),
        steps=settings.steps,
        lr=key["rate"],
        clip=None,
        every=settings.steps,
    )
    with torch.no_grad():
        output = nets()
        errors = (((output - y) ** 2).mean(1) / y.var(1, unbiased=False)).cpu().numpy().astype(float)
    stored = {name: v.detach() for name, v in nets.named_parameters()} | {"output": output}
    return {
        "units": WAVE_UNITS[key["kind"]],
        "parameters": wave_parameters(key["kind"]),
        "errors": errors.round(5).tolist(),
        "weights": {name: v[: settings.kept].cpu().numpy().astype(np.float32) for name, v in stored.items()},
    }


def best(rows: list[dict]) -> dict[str, dict]:
    """Of each kind, the row whose rate has the lowest median error."""
    found: dict[str, dict] = {}
    for row in rows:
        other = found.setdefault(row["kind"], row)
        if np.median(row["errors"]) < np.median(other["errors"]):
            found[row["kind"]] = row
    return found


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, float]]:
    """Of each kind, its better rate, and the median error there."""
    found = best(rows)
    medians = {kind: round(float(np.median(found[kind]["errors"])), 5) for kind in WAVE_KINDS}
    return {kind: {"rate": found[kind]["rate"], "error": medians[kind]} for kind in WAVE_KINDS}


def keep(settings: Settings, rows: list[dict]) -> list[dict]:
    """Weights are kept of the better rate."""
    return [{"kind": row["kind"], "rate": row["rate"]} for row in best(rows).values()]
