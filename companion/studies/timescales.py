"""Which connections let a small net keep one bit, and does it hold at other lengths than its own? (Section 10.9.3)."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.longterm import draw_weights
from companion.timescales import grow_at, recall_accuracy, recall_init, recall_train

SECTION = "10.9"
SHOWS = "Which of ten kinds of net learn to keep one bit, over how many steps, and which hold it at other lengths too."
MINUTES = 5
CPU_ONLY = True


class Kind(NamedTuple):
    """One kind of net: which delays, how many units, which leaks, and how it grows a step before training."""

    delays: tuple[int, ...]
    n_h: int = 8
    taus: tuple[float, float] | None = None
    learn_alpha: bool = False
    growth: float | None = None  # None: as drawn
    orthogonal: bool = False  # a matrix that stretches no direction, times the growth; for delay 1


class Settings(NamedTuple):
    """All constants of the study."""

    lengths: tuple[int, ...] = (67,)  # 3 when divided by 8: steps of 8 from the end meet the cue
    near: int = 4  # nets are also asked at all lengths up to so many steps shorter or longer, and at 2 × length − 3
    tuned_at: tuple[int, ...] = (67,)  # where each kind's rate is chosen, on nets of their own
    rates: tuple[float, ...] = (0.5, 1.5)
    succeeds: float = 0.95  # a net whose accuracy is above this
    nets: tuple[int, int] = (20, 40)  # trained at once, a row: to choose the rate, and to be counted
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
        "plain, orthogonal": Kind((1,), growth=1.0, orthogonal=True),
    }


SETTINGS, UNSEEN = Settings(), ("lengths", "tuned_at", "rates", "succeeds")
QUICK = Settings(lengths=(11,), tuned_at=(11,), rates=(0.5,), nets=(2, 2), updates=3)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every kind at every rate, to choose from (draw 0); then new nets at every length with the kind's best rate."""
    keys = [
        {"kind": kind, "length": length, "rate": rate, "draw": 0}
        for kind in settings.kinds
        for length in settings.tuned_at
        for rate in settings.rates
    ]
    if sum(row["draw"] == 0 for row in rows) == len(keys):
        for kind in settings.kinds:
            rate = best(settings, rows, kind)
            keys += [{"kind": kind, "length": n, "rate": rate, "draw": 1} for n in settings.lengths]
    return keys


def best(settings: Settings, rows: list[dict], kind: str) -> float:
    """The rate at which most nets of a kind learn, over the lengths that are tuned at; of equals, the more accurate."""

    def score(rate: float) -> tuple[float, float]:
        every = [
            a[str(r["length"])]
            for r in rows
            if (r["kind"], r["rate"], r["draw"]) == (kind, rate, 0)
            for a in [r["accuracy"]]
        ]
        return float((np.array(every) > settings.succeeds).sum()), float(np.mean(every))

    return max(settings.rates, key=score)


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train the nets of one kind at one length; measure each on fresh sequences, those that count at more lengths."""
    kind, length, nets = settings.kinds[key["kind"]], key["length"], settings.nets[key["draw"]]
    rng = np.random.default_rng([settings.seed, list(settings.kinds).index(key["kind"]), length, key["draw"]])
    p = recall_init(nets, kind.n_h, kind.delays, rng, kind.taus)
    if kind.orthogonal:
        drawn = [draw_weights(kind.n_h, rng, kind.growth, "orthogonal")[None] for _ in range(nets)]
        p = p._replace(W=np.stack(drawn))
    elif kind.growth is not None:
        p = p._replace(W=np.stack([grow_at(W, kind.delays, kind.growth) for W in p.W]))
    p = recall_train(p, length, rng, settings.updates, kind.learn_alpha, lr=key["rate"])
    asked = [length]
    if key["draw"] > 0:
        asked += [n for n in range(length - settings.near, length + settings.near + 1) if n != length]
        asked += [2 * length - 3]
    return {"accuracy": {str(n): np.round(recall_accuracy(p, n, rng), 3).tolist() for n in asked}}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, Any]]:
    """By kind: its rate, and by length how many nets are right at that length, and at others too.

    Every kind is asked at the same lengths: `learns` at its own; `holds three` at its own and the two before it, where
    also connections of delay 8 alone meet the cue; `holds twice` at these and at 2 × length − 3; `holds` at all lengths
    near its own.
    """
    out: dict[str, dict[str, Any]] = {}
    for row in (row for row in rows if row["draw"] == 1):
        own, near = row["length"], settings.near
        right = {int(n): np.array(a) > settings.succeeds for n, a in row["accuracy"].items()}
        three = np.all([right[n] for n in (own - 2, own - 1, own)], axis=0)
        found = {
            "learns": right[own],
            "holds three": three,
            "holds twice": three & right[2 * own - 3],
            "holds": np.all([right[n] for n in range(own - near, own + near + 1)], axis=0),
        }
        kind = out.setdefault(row["kind"], {"rate": row["rate"], **{name: {} for name in found}})
        for name, nets in found.items():
            kind[name][str(own)] = int(nets.sum())
    return out
