"""Which rule of descent learns the temporal order task? Success against length and threshold (Section 10.11)."""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.optimization import order_accuracy, order_init, order_train

SECTION = "10.11"
SHOWS = "Which rule of descent learns the temporal order task, at which length, and with which threshold and rate."
MINUTES = 13
CPU_ONLY = True


class Descent(NamedTuple):
    """One kind of descent: the rule for the step, and the weight of Ω."""

    rule: str
    flow: float = 0.0


class Settings(NamedTuple):
    """All constants of the study."""

    lengths: tuple[int, ...] = (10, 20, 30, 40)
    rates: tuple[float, ...] = (0.03, 0.1, 0.3)
    at: int = 20  # the length at which thresholds are compared
    thresholds: dict[str, tuple[float, ...]] = {  # noqa: RUF012
        "clip": (0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
        "random": (0.1, 1.0, 10.0),
    }
    updates: int = 2000
    patience: int = 6000  # updates of plain descent at the smallest rate
    solved: float = 0.99  # accuracy, at least
    nets: int = 20  # trained side by side, a row
    units: int = 30
    seed: int = 1011
    kinds: dict[str, Descent] = {  # noqa: RUF012
        "plain": Descent("plain"),
        "clip": Descent("clip"),
        "random": Descent("random"),
        "plain + Ω": Descent("plain", 0.5),
        "clip + Ω": Descent("clip", 0.5),
    }


SETTINGS, UNSEEN = Settings(), ("lengths", "rates", "at", "thresholds", "updates", "patience", "solved")
QUICK = Settings(
    lengths=(10,), rates=(0.1,), at=10, thresholds={"clip": (0.1, 1.0)}, updates=2, patience=3, nets=2, units=5
)


def descent(settings: Settings, kind: str, length: int, rate: float, v: float = 1.0, updates: int = 0) -> dict:
    """The key of a row."""
    return {"kind": kind, "length": length, "rate": rate, "v": v, "updates": updates or settings.updates}


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Plain descent with patience; every threshold at every rate; every kind at every length and rate."""
    keys = [descent(settings, "plain", settings.at, settings.rates[0], updates=settings.patience)]
    for kind, values in settings.thresholds.items():
        keys += [descent(settings, kind, settings.at, rate, v) for rate, v in product(settings.rates, values)]
    for kind, length, rate in product(settings.kinds, settings.lengths, settings.rates):
        if (key := descent(settings, kind, length, rate)) not in keys:
            keys.append(key)
    return keys


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train the nets of one kind at one length; all kinds begin from the same nets and see the same sequences.

    Returns
    -------
    accuracy : of every net on fresh sequences. broken : nets whose gradient was not finite at least once.
    mean norm, median norm, largest norm, share above : of the gradients before the rule; the last, above v.
    """
    kind, seed = settings.kinds[key["kind"]], [settings.seed, key["length"]]
    rng = np.random.default_rng(seed)
    p = order_init(settings.nets, settings.units, rng)
    out = order_train(p, key["length"], rng, kind.rule, key["v"], kind.flow, key["updates"], lr=key["rate"])
    accuracy = order_accuracy(out.p, key["length"], np.random.default_rng([*seed, 1]))
    sizes = out.norms[np.isfinite(out.norms)]
    row = {"accuracy": np.round(accuracy, 3).tolist(), "broken": int(out.broken.sum())}
    row |= {k: float(f"{f(sizes):.3g}") for k, f in (("mean norm", np.mean), ("median norm", np.median))}
    return row | {
        "largest norm": float(f"{sizes.max():.3g}"),
        "share above": round(float((sizes > key["v"]).mean()), 3),
    }


def judge(settings: Settings, rows: list[dict]) -> dict[str, Any]:
    """How many nets solved the task: by kind, length and rate; by kind, rate and threshold; and with patience."""

    def count(key: dict) -> int:
        (row,) = (row for row in rows if key.items() <= row.items())
        return sum(a >= settings.solved for a in row["accuracy"])

    def by(keys: list[dict], *names: str) -> dict:
        if not names:
            return count(keys[0])
        values = dict.fromkeys(key[names[0]] for key in keys)
        return {value: by([key for key in keys if key[names[0]] == value], *names[1:]) for value in values}

    kinds = product(settings.kinds, settings.lengths, settings.rates)
    thresholds = [
        (k, settings.at, rate, v) for k, vs in settings.thresholds.items() for rate in settings.rates for v in vs
    ]
    return {
        "kinds": by([descent(settings, *key) for key in kinds], "kind", "length", "rate"),
        "thresholds": by([descent(settings, *key) for key in thresholds], "kind", "rate", "v"),
        "patience": count(plan(settings, rows)[0]),
    }
