"""Which connections let a small net keep one bit? Success against lag for ten kinds of net (Section 10.9.3).

    python -m companion.studies.timescales

trains twenty nets of each kind at each length of the latch task and writes ``data/stored/timescales.json``: the
accuracy of every net on fresh sequences. About three and a half minutes on one core.
"""

import time
from typing import Any, NamedTuple

import numpy as np

from companion.data.store import STORED, write_record
from companion.timescales import grow_at, recall_accuracy, recall_init, recall_train

__all__ = ["DATA", "KINDS", "LENGTHS", "NETS", "Kind", "cell", "main"]

DATA = STORED / "timescales.json"
COMMAND = "python -m companion.studies.timescales"
NETS, SEED = 20, 109
LENGTHS = (11, 19, 35, 67, 131)  # each leaves 3 when divided by 8, so steps of 8 back from the end meet the cue


class Kind(NamedTuple):
    """One kind of net: which delays, how many units, which leaks, and how it grows a step before training."""

    delays: tuple[int, ...]
    n_h: int = 8
    taus: tuple[float, float] | None = None
    learn_alpha: bool = False
    growth: float | None = None  # None: as drawn


KINDS = {
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


def cell(name: str, length: int) -> np.ndarray:
    """Train the nets of one kind at one length and return their accuracies, shape (NETS,)."""
    kind = KINDS[name]
    rng = np.random.default_rng([SEED, list(KINDS).index(name), length])
    p = recall_init(NETS, kind.n_h, kind.delays, rng, kind.taus)
    if kind.growth is not None:
        p = p._replace(W=np.stack([grow_at(W, kind.delays, kind.growth) for W in p.W]))
    p = recall_train(p, kind.delays, length, rng, learn_alpha=kind.learn_alpha)
    return recall_accuracy(p, kind.delays, length, rng)


def main() -> None:
    """Train all cells and store what came out."""
    import torch

    torch.set_num_threads(1)
    start = time.perf_counter()
    metrics: dict[str, Any] = {}
    for name in KINDS:
        metrics[name] = {str(length): np.round(cell(name, length), 4).tolist() for length in LENGTHS}
        print(name, {k: sum(a > 0.95 for a in v) for k, v in metrics[name].items()}, flush=True)
    write_record(DATA, command=COMMAND, seed=SEED, seconds=time.perf_counter() - start, metrics=metrics, nets=NETS)


if __name__ == "__main__":
    main()
