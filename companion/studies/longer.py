"""The chains of the study `chains`, trained five times as long on four times as many expressions (Section 10.6)."""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.studies import chains

SECTION = "10.6"
SHOWS = "How far more training takes a chain within the trained lengths and beyond, with and without gates."
MINUTES = 13


class Settings(NamedTuple):
    """All constants of the study; those that it does not name are as in `chains`."""

    kind: str = "logic"  # of expressions
    units: dict[str, int] = chains.SETTINGS.units
    rate: float = 1e-2  # the one that `chains` chose for both
    seeds: tuple[int, ...] = (0, 1, 2, 3)
    shortest: int = chains.SETTINGS.shortest  # tokens, in training
    longest: int = chains.SETTINGS.longest
    pool: int = 20_000  # expressions to learn from
    steps: int = 4_000
    batch: int = chains.SETTINGS.batch
    lengths: tuple[int, ...] = chains.SETTINGS.lengths
    tested: int = chains.SETTINGS.tested
    chosen_by: int = chains.SETTINGS.chosen_by


SETTINGS, UNSEEN = Settings(), ("seeds",)
QUICK = Settings(seeds=(0,), pool=20, steps=1, lengths=(5,), tested=20, chosen_by=20)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every seed and cell."""
    return [{"cell": cell, "seed": seed} for seed, cell in product(settings.seeds, settings.units)]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net over chains; what is returned is what `chains.run` returns."""
    return chains.run(key | {"kind": settings.kind, "rate": settings.rate}, settings, device)


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, float]]:
    """By cell: the median accuracy at each length."""
    found = {}
    for cell in settings.units:
        each = [row["accuracy"] for row in rows if row["cell"] == cell]
        found[cell] = {tau: round(float(np.median([a[tau] for a in each])), 4) for tau in each[0]}
    return found
