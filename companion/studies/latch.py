"""How far back a small net learns to hear one bit: five recipes at several rates, two lengths (Section 10.7)."""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.longterm import identity_start, latch_accuracy, latch_init, latch_train

SECTION = "10.7"
SHOWS = "How many small nets learn to keep one bit over 10 and over 30 steps, by their start, units and optimiser."
MINUTES = 2
CPU_ONLY = True
WEIGHTS = "latch.npz"


class Recipe(NamedTuple):
    """How nets start (the radius of an orthogonal W, or None), their optimiser, the learning rates tried, their units.

    With `identity` they start at W = I with biases zero instead.
    """

    radius: float | None
    optimizer: str
    rates: tuple[float, ...]
    f: str = "tanh"
    identity: bool = False


class Settings(NamedTuple):
    """All constants of the study."""

    recipes: dict[str, Recipe] = {  # noqa: RUF012
        "plain": Recipe(None, "sgd", (0.5, 1.5)),
        "Adam": Recipe(None, "adam", (0.01, 0.03)),
        "orthogonal": Recipe(1.0, "sgd", (0.5, 1.5)),
        "ReLU": Recipe(None, "sgd", (0.05, 0.15, 0.5), "relu"),
        "identity, ReLU": Recipe(None, "sgd", (0.05, 0.15, 0.5), "relu", identity=True),
    }
    lengths: tuple[int, ...] = (10, 30)
    seeds: tuple[int, ...] = (0, 1)
    nets: int = 20  # a row, trained side by side
    n_h: int = 8
    updates: int = 400
    solves: float = 0.95  # a net whose accuracy is above this
    kept: tuple[str, ...] = ("plain", "orthogonal")  # recipes whose nets are stored, at the first rate and length


SETTINGS, UNSEEN = Settings(), ("lengths", "seeds", "solves", "kept")
QUICK = Settings(lengths=(5,), seeds=(0,), nets=2, updates=3)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every recipe at each of its rates, for every length and seed."""
    keys = product(settings.recipes.items(), settings.lengths, settings.seeds)
    return [
        {"recipe": name, "rate": rate, "length": length, "seed": seed}
        for (name, recipe), length, seed in keys
        for rate in recipe.rates
    ]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train the nets of one row; each is measured on 500 fresh sequences of its own length."""
    recipe, length = settings.recipes[key["recipe"]], key["length"]
    rng = np.random.default_rng([107, key["seed"], list(settings.recipes).index(key["recipe"]), length])
    p = latch_init(settings.nets, settings.n_h, rng, recipe.radius)
    p = identity_start(p) if recipe.identity else p
    p = latch_train(p, length, rng, settings.updates, lr=key["rate"], optimizer=recipe.optimizer, f=recipe.f)
    return {"accuracy": np.round(latch_accuracy(p, length, rng, f=recipe.f), 3).tolist(), "weights": p._asdict()}


def keep(settings: Settings, rows: list[dict]) -> list[dict]:
    """Nets of the shortest length, at the first rate of their recipe."""
    return [
        {name: row[name] for name in ("recipe", "rate", "length", "seed")}
        for row in rows
        if row["recipe"] in settings.kept
        and row["length"] == min(settings.lengths)
        and row["rate"] == settings.recipes[row["recipe"]].rates[0]
    ]


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, int]]:
    """By recipe, rate and length: how many nets there are and how many solve it."""
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        right = np.array(row["accuracy"]) > settings.solves
        here = counts.setdefault(f"{row['recipe']} {row['rate']:g} {row['length']}", {"nets": 0, "solve": 0})
        here["nets"] += len(right)
        here["solve"] += int(right.sum())
    return counts
