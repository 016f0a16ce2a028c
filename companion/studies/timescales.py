"""Which connections let a small net keep one bit? Success against lag for ten kinds of net (Section 10.9.3)."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.timescales import grow_at, recall_accuracy, recall_init, recall_train

SECTION = "10.9"
SHOWS = "Which of ten kinds of connection let a small net keep one bit, and over how many steps."
MINUTES = 3
CPU_ONLY = True


class Kind(NamedTuple):
    """One kind of net: which delays, how many units, which leaks, and how it grows a step before training."""

    delays: tuple[int, ...]
    n_h: int = 8
    taus: tuple[float, float] | None = None
    learn_alpha: bool = False
    growth: float | None = None  # None: as drawn


class Settings(NamedTuple):
    """All constants of the study."""

    lengths: tuple[int, ...] = (11, 19, 35, 67, 131)  # 3 when divided by 8: steps of 8 from the end meet the cue
    succeeds: float = 0.95  # a net whose accuracy is above this
    nets: int = 20  # trained at once, a row
    updates: int = 400
    seed: int = 109
    kinds: dict[str, Kind] = {  # noqa: RUF012
        "plain": Kind((1,)),
        "plain, wider": Kind((1,), n_h=11),
        "added": Kind((1, 8)),
        "removed": Kind((8,)),
        "leaky, fixed": Kind((1,), taus=(1.0, 64.0)),
        "leaky, learned": Kind((1,), taus=(1.0, 64.0), learn_alpha=True),
        "plain, at 1": Kind((1,), growth=1.0),
        "added, at 1": Kind((1, 8), growth=1.0),
        "removed, at 1": Kind((8,), growth=1.0),
        "added, at 0.93": Kind((1, 8), growth=0.93),
    }


SETTINGS, UNSEEN = Settings(), ("lengths", "succeeds")
QUICK = Settings(lengths=(11,), nets=2, updates=3)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every kind at every length."""
    return [{"kind": kind, "length": length} for kind in settings.kinds for length in settings.lengths]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train the nets of one kind at one length, and measure each on fresh sequences."""
    kind = settings.kinds[key["kind"]]
    rng = np.random.default_rng([settings.seed, list(settings.kinds).index(key["kind"]), key["length"]])
    p = recall_init(settings.nets, kind.n_h, kind.delays, rng, kind.taus)
    if kind.growth is not None:
        p = p._replace(W=np.stack([grow_at(W, kind.delays, kind.growth) for W in p.W]))
    p = recall_train(p, key["length"], rng, settings.updates, kind.learn_alpha)
    return {"accuracy": np.round(recall_accuracy(p, key["length"], rng), 4).tolist()}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, int]]:
    """How many nets succeed, by kind and length."""
    counts: dict[str, dict[str, int]] = {kind: {} for kind in settings.kinds}
    for row in rows:
        counts[row["kind"]][str(row["length"])] = sum(a > settings.succeeds for a in row["accuracy"])
    return counts
