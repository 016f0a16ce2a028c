"""Nets that write melodies of a genre that they are told, in three ways, and nets that are not told (Section P.4).

Every kind has the same units, steps and minibatches; its rate is chosen on validation melodies with nets of their own.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.music.genres import NAMES, SYMBOLS, lesson
from companion.music.writing import KINDS, context_of, melody_bits, of_torch

SECTION = "P.4"
SHOWS = "Which way of telling a net the genre serves best, at equal budget, when it writes melodies."
MINUTES, WEIGHTS = 5, "music.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2)
    rates: tuple[float, ...] = (4e-3, 1e-2)
    units: int = 64
    steps: int = 2000  # the last quarter at a fifth of the rate
    batch: int = 64
    melodies: tuple[int, int, int] = (600, 100, 100)  # of each genre: to learn from, to choose by, held out
    data: int = 1204  # seed of all melodies


SETTINGS, UNSEEN = Settings(), ("seeds", "rates")
QUICK = Settings(seeds=(0,), rates=(2e-3,), steps=8, melodies=(8, 4, 4))


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every kind at every rate, to choose from (seed −1); then new nets with the kind's best rate."""
    keys = [{"kind": kind, "rate": rate, "seed": -1} for kind in KINDS for rate in settings.rates]
    if sum(row["seed"] < 0 for row in rows) == len(keys):
        keys += [{"kind": k, "rate": best(rows, k), "seed": seed} for k in KINDS for seed in settings.seeds]
    return keys


def best(rows: list[dict], kind: str) -> float:
    """The rate at which a kind needs the fewest bits for the validation melodies."""
    return min((row for row in rows if row["kind"] == kind and row["seed"] < 0), key=lambda r: r["validation"])["rate"]


def keep(settings: Settings, rows: list[dict]) -> list[dict]:
    """The nets that are judged."""
    return [{k: row[k] for k in ("kind", "rate", "seed")} for row in rows if row["seed"] >= 0]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net in two phases and round its weights to float16.

    Returns
    -------
    validation, held_out : bits a melody, mean. weights : float16.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.context.modules import context_logits, context_net
    from companion.training import torch_seed, train

    kind, way = key["kind"], "input" if key["kind"] == "none" else key["kind"]
    rng = np.random.default_rng(settings.data)
    (y, genre), *others = [lesson(n, rng) for n in settings.melodies]
    x = torch.tensor(context_of(genre, kind), dtype=torch.float32, device=device)
    target = torch.tensor(y, device=device)
    torch_seed(key["seed"] + 1)
    net = context_net(way, settings.units, n_x=len(NAMES), n_o=SYMBOLS).to(device)

    def loss(net: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(context_logits(net, way, x, y).flatten(0, 1), y.flatten())

    def batch(part: int) -> Any:
        def drawn(step: int) -> tuple[torch.Tensor, torch.Tensor]:
            rows = np.random.default_rng([key["seed"] + 1, part, step]).integers(len(y), size=settings.batch)
            return x[rows], target[rows]

        return drawn

    steps, rate = settings.steps, key["rate"]
    for part, (phase, lr) in enumerate(((steps * 3 // 4, rate), (steps // 4, rate / 5))):
        train(net, batch(part), loss, steps=phase, lr=lr, every=phase)
    weights = {name: value.cpu().numpy().astype(np.float16) for name, value in net.state_dict().items()}
    p = of_torch(kind, weights)
    bits = [round(float(melody_bits(p, *other, kind).mean()), 3) for other in others]
    return {"validation": bits[0], "held_out": bits[1], "weights": weights}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, float]]:
    """By kind: the rate that was chosen, and the median over seeds of the bits that a held-out melody takes."""
    return {
        kind: {
            "rate": best(rows, kind),
            "held_out": round(
                float(np.median([r["held_out"] for r in rows if r["kind"] == kind and r["seed"] >= 0])), 2
            ),
        }
        for kind in KINDS
    }
