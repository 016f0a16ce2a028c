"""Which additive connections let a small net keep one bit, and does it hold at other lengths? (Section 10.9.2)."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.timescales import keeper_accuracies, keeper_init, keeper_train

SECTION = "10.9"
SHOWS = "Whether residual and adaptive nets learn to keep one bit, and at which lengths they then hold it."
MINUTES = 2
CPU_ONLY = True


class Kind(NamedTuple):
    """One kind of net: its connection, its units, and the time constants that its gates begin with."""

    connection: str
    n_h: int = 8
    taus: tuple[float, float] | None = None


class Settings(NamedTuple):
    """All constants of the study; task, updates, nets and rates are those of the study `timescales`."""

    length: int = 67
    near: int = 4  # nets are also asked at all lengths up to so many steps shorter or longer
    far: tuple[int, ...] = (131, 259)  # and at these
    rates: tuple[float, ...] = (0.5, 1.5)
    succeeds: float = 0.95  # a net whose accuracy is above this
    nets: tuple[int, int] = (20, 40)  # trained at once, a row: to choose the rate, and to be counted
    updates: int = 400
    seed: int = 1092
    kinds: dict[str, Kind] = {  # noqa: RUF012
        "residual": Kind("residual"),
        "adaptive": Kind("adaptive"),
        "adaptive, slow": Kind("adaptive", taus=(1.0, 64.0)),
        "adaptive, slow, small": Kind("adaptive", n_h=5, taus=(1.0, 64.0)),  # as many parameters as the residual net
    }


SETTINGS, UNSEEN = Settings(), ("rates", "succeeds")
QUICK = Settings(length=11, near=1, far=(19,), rates=(0.5,), nets=(2, 2), updates=3)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every kind at every rate, to choose from (draw 0); then new nets with the kind's best rate (draw 1)."""
    keys = [{"kind": kind, "rate": rate, "draw": 0} for kind in settings.kinds for rate in settings.rates]
    if sum(row["draw"] == 0 for row in rows) == len(keys):
        keys += [{"kind": kind, "rate": best(settings, rows, kind), "draw": 1} for kind in settings.kinds]
    return keys


def best(settings: Settings, rows: list[dict], kind: str) -> float:
    """The rate at which most nets of a kind learn; of equals, the one at which they are more accurate."""
    tried = [row for row in rows if (row["kind"], row["draw"]) == (kind, 0)]
    own = {row["rate"]: np.array(row["accuracy"][str(settings.length)]) for row in tried}
    return max(settings.rates, key=lambda rate: (int((own[rate] > settings.succeeds).sum()), float(own[rate].mean())))


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train the nets of one kind; measure each on fresh sequences, those that count at more lengths."""
    kind, length, nets = settings.kinds[key["kind"]], settings.length, settings.nets[key["draw"]]
    rng = np.random.default_rng([settings.seed, list(settings.kinds).index(key["kind"]), key["draw"]])
    p = keeper_init(nets, kind.n_h, rng, kind.connection, kind.taus)
    p = keeper_train(p, length, rng, settings.updates, lr=key["rate"])
    near = range(length - settings.near, length + settings.near + 1)
    asked = [length] if key["draw"] == 0 else [*near, *settings.far]
    accuracy = keeper_accuracies(p, asked, rng)
    return {"accuracy": {str(n): np.round(a, 3).tolist() for n, a in zip(asked, accuracy, strict=True)}}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, Any]]:
    """By kind: its rate, and how many nets learn at their own length, hold at all near it, and hold at far ones too."""
    out: dict[str, dict[str, Any]] = {}
    for row in (row for row in rows if row["draw"] == 1):
        right = {int(n): np.array(a) > settings.succeeds for n, a in row["accuracy"].items()}
        near = np.all([nets for n, nets in right.items() if n not in settings.far], axis=0)
        out[row["kind"]] = {
            "rate": row["rate"],
            "learns": int(right[settings.length].sum()),
            "holds": int(near.sum()),
            "far": {str(n): int((near & right[n]).sum()) for n in settings.far},
        }
    return out
