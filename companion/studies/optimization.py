"""Which rule of descent learns the temporal order task? Success against length and threshold (Section 10.11).

    python -m companion.studies.optimization

trains twenty nets at one length with many thresholds, then twenty of each kind at each length, always with several
learning rates, and writes ``data/stored/optimization.json``: the accuracy of every net on fresh sequences, and the
sizes of its gradients. About thirteen minutes on one core; a run that was interrupted goes on with the cell it
stopped at.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from companion.data.store import STORED, write_record
from companion.optimization import Trained, order_accuracy, order_init, order_train

__all__ = ["DATA", "KINDS", "LENGTHS", "NETS", "PATIENCE", "RATES", "THRESHOLDS", "Kind", "cell", "main"]

DATA = STORED / "optimization.json"
PART = Path(tempfile.gettempdir()) / "companion_optimization.part.json"  # cells that are done
COMMAND = "python -m companion.studies.optimization"
NETS, UNITS, SEED = 20, 30, 1011
LENGTHS, RATES = (10, 20, 30, 40), (0.03, 0.1, 0.3)
AT = 20  # the length at which thresholds are compared
THRESHOLDS = {"clip": (0.1, 0.3, 1.0, 3.0, 10.0, 30.0), "random": (0.1, 1.0, 10.0)}
PATIENCE = 6000  # updates of plain descent at the smallest rate, three times as many as elsewhere


class Kind(NamedTuple):
    """One kind of descent: the rule for the step, and the weight of Ω."""

    rule: str
    flow: float = 0.0


KINDS = {
    "plain": Kind("plain"),
    "clip": Kind("clip"),
    "random": Kind("random"),
    "plain + Ω": Kind("plain", 0.5),
    "clip + Ω": Kind("clip", 0.5),
}


def cell(name: str, length: int, lr: float, v: float = 1.0, updates: int = 2000) -> tuple[np.ndarray, Trained]:
    """Train the nets of one kind at one length; their accuracies, shape (NETS,), and what training left.

    All kinds begin from the same nets and see the same sequences.
    """
    rng = np.random.default_rng([SEED, length])
    p = order_init(NETS, UNITS, rng)
    out = order_train(p, length, rng, KINDS[name].rule, v, KINDS[name].flow, updates, lr=lr)
    return order_accuracy(out.p, length, np.random.default_rng([SEED, length, 1])), out


def _measured(name: str, length: int, lr: float, v: float, updates: int) -> dict[str, Any]:
    """One cell's entry in the record."""
    start = time.process_time()
    accuracy, out = cell(name, length, lr, v, updates)
    sizes = out.norms[np.isfinite(out.norms)]
    row = {"accuracy": np.round(accuracy, 3).tolist(), "broken": int(out.broken.sum())}
    row |= {k: float(f"{f(sizes):.3g}") for k, f in (("mean norm", np.mean), ("median norm", np.median))}
    row |= {"largest norm": float(f"{sizes.max():.3g}"), "share above": round(float((sizes > v).mean()), 3)}
    solved = sum(a >= 0.99 for a in row["accuracy"])
    print(f"{name}, length {length}, lr {lr}, v {v}: {solved} of {NETS}; mean norm {row['mean norm']}", flush=True)
    return row | {"seconds": round(time.process_time() - start, 1)}


def _entry(name: str, length: int, lr: float, v: float = 1.0, updates: int = 2000) -> dict[str, Any]:
    """The same, or what an interrupted run left of it."""
    done = json.loads(PART.read_text(encoding="utf-8")) if PART.exists() else {}
    key = f"{name}|{length}|{lr}|{v}|{updates}"
    if key not in done:
        done[key] = _measured(name, length, lr, v, updates)
        PART.write_text(json.dumps(done), encoding="utf-8")
    return done[key]


def main() -> None:
    """Train all cells and store what came out."""
    import torch

    torch.set_num_threads(1)
    patience = _entry("plain", AT, RATES[0], updates=PATIENCE)
    thresholds = {
        rule: {str(lr): {str(v): _entry(rule, AT, lr, v) for v in values} for lr in RATES}
        for rule, values in THRESHOLDS.items()
    }
    kinds = {k: {str(n): {str(lr): _entry(k, n, lr) for lr in RATES} for n in LENGTHS} for k in KINDS}
    done = json.loads(PART.read_text(encoding="utf-8"))
    write_record(
        DATA,
        command=COMMAND,
        seed=SEED,
        seconds=sum(entry["seconds"] for entry in done.values()),
        metrics={"kinds": kinds, "thresholds": thresholds, "patience": patience},
        nets=NETS,
        units=UNITS,
    )
    PART.unlink()


if __name__ == "__main__":
    main()
