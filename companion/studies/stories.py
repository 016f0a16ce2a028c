"""Which nets learn to answer questions about stories? Seeds, stories and facts counted (Section 10.13).

    python -m companion.studies.stories

trains memory networks (told the facts; from answers alone; with three kinds of help; without time; with random ages;
on few stories) and recurrent readers, 182 small nets in all, and writes `data/stored/stories.json` and, of three nets,
the weights to `data/stored/stories.npz`. About a quarter of an hour on one core. Training stories have 2 to 10
sentences and never hold a pair of a person and a place that is held out.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from companion.core.checks import choice, integer
from companion.data.store import STORED, load_weights, save_weights, write_record
from companion.memory.network import (
    Batch,
    MemoryNet,
    Reader,
    accuracy,
    answer_loss,
    linear_loss,
    supervised_loss,
    tensors,
)
from companion.memory.stories import Stories, draw_stories
from companion.training import torch_seed, train

__all__ = ["DATA", "KINDS", "LENGTHS", "SIZES", "Kind", "batches", "judge", "judged", "load", "main", "trained"]

DATA = STORED
COMMAND = "python -m companion.studies.stories"
SHORT, LONGEST, JUDGED = 4, 10, 1000  # sentences at first and in training; test stories of a kind
LENGTHS = (2, 4, 6, 8, 10, 20, 40)  # sentences in tests
AT, STUCK = LENGTHS.index(LONGEST), 0.6  # stuck: two-fact questions about stories of the longest length below this
STORED = {"supervised": "supervised", "short first": "soft"}  # kinds whose first net is stored, and its name there
HARD = ("supervised", "soft", "short first")  # kinds also judged with hard reading
SIZES = (180, 540, 1800, 5400, 18000)  # training stories, where they are few


class Kind(NamedTuple):
    """One kind of run: its loss, how many seeds, steps, learning rate, the net, and what it is shown.

    The first `linear` steps are without softmax; the first `short` steps have stories of at most 4 sentences; `spread`
    draws ages at random; `stories` limits how many there are; `needs` are the sorts of questions.
    """

    loss: Callable
    seeds: int = 20
    steps: int = 1500
    lr: float = 0.005
    net: Callable[[], nn.Module] = MemoryNet
    linear: int = 0
    short: int = 0
    spread: bool = False
    stories: int | None = None
    needs: tuple[int, ...] = (1, 2)


def _reader(kind: str, n_h: int) -> Callable[[], Reader]:
    return lambda: Reader(n_h, kind)


KINDS = {
    "supervised": Kind(supervised_loss),
    "soft": Kind(answer_loss),
    "linear start": Kind(answer_loss, linear=300),
    "short first": Kind(answer_loss, short=500),
    "three hops": Kind(answer_loss, 10, net=lambda: MemoryNet(hops=3)),
    "one hop": Kind(answer_loss, 5, net=lambda: MemoryNet(hops=1)),
    "two-fact questions only": Kind(answer_loss, 5, needs=(2,)),
    "supervised, no time": Kind(supervised_loss, 5, net=lambda: MemoryNet(time=False)),
    "soft, no time": Kind(answer_loss, 5, net=lambda: MemoryNet(time=False), short=500),
    "supervised, random ages": Kind(supervised_loss, 3, 4000, spread=True),
    "soft, random ages": Kind(answer_loss, 3, 4000, short=500, spread=True),
    **{f"LSTM, {lr}": Kind(answer_loss, 3, lr=lr, net=_reader("LSTM", 20), short=500) for lr in (0.003, 0.01)},
    **{f"GRU, {lr}": Kind(answer_loss, 3, lr=lr, net=_reader("GRU", 23), short=500) for lr in (0.003, 0.01)},
    "large LSTM": Kind(answer_loss, 3, 4500, 0.003, net=_reader("LSTM", 64), short=500),
    "large LSTM, long": Kind(answer_loss, 1, 20000, 0.003, net=_reader("LSTM", 64), short=500),
    **{f"supervised, {n} stories": Kind(supervised_loss, 5, short=500, stories=n) for n in SIZES},
    **{f"soft, {n} stories": Kind(answer_loss, 5, short=500, stories=n) for n in SIZES},
}


def batches(
    seed: int, short: int = 0, spread: bool = False, stories: int | None = None, needs: tuple[int, ...] = (1, 2)
) -> Callable[[int], tuple[Batch, torch.Tensor]]:
    """Minibatches of 64 by step: one- and two-fact stories in turn, of 2 … 10 sentences, fresh ones at every step.

    Parameters
    ----------
    seed : at least 0.
    short : for so many steps, stories have at most 4 sentences.
    spread : give the sentences random falling ages below 64 instead of 0, 1, 2, …
    stories : so many training stories in all, evenly over lengths and sorts; None for fresh ones.
    needs : the sorts of questions, in turn.
    """
    seed, short = integer("seed", seed, 0), integer("short", short, 0)
    lengths, pool = range(2, LONGEST + 1), {}
    if stories is not None:
        each = integer("stories", stories, len(lengths) * len(needs)) // (len(lengths) * len(needs))
        rng = np.random.default_rng([seed, stories])
        pool = {(m, k): draw_stories(each, m, rng, k) for m in lengths for k in needs}

    def batch(step: int) -> tuple[Batch, torch.Tensor]:
        rng = np.random.default_rng([seed, step])
        m = int(rng.integers(2, (SHORT if step < short else LONGEST) + 1))
        k = needs[step % len(needs)]
        if pool:
            rows = rng.integers(0, len(pool[m, k].answer), 64)
            return tensors(Stories(*(v[rows] for v in pool[m, k])))
        ages = np.sort(rng.choice(64, m, replace=False))[::-1] if spread else None
        return tensors(draw_stories(64, m, rng, k), ages)

    return batch


def trained(name: str, seed: int) -> nn.Module:
    """Train one net of a kind from one seed."""
    kind = KINDS[choice("name", name, tuple(KINDS))]
    torch_seed(seed)
    net, batch = kind.net(), batches(seed, kind.short, kind.spread, kind.stories, kind.needs)
    shared = {"lr": kind.lr, "clip": 10, "every": kind.steps, "desc": f"{name}, seed {seed}"}
    if kind.linear:
        train(net, batch, linear_loss, steps=kind.linear, **shared)
    rest = kind.steps - kind.linear
    train(net, lambda step: batch(step + kind.linear), kind.loss, steps=rest, **shared)
    return net


def judged(sentences: int, needs: int, held: bool = False) -> Stories:
    """The test stories: the same thousand for every net, drawn from a seed that no training uses."""
    return draw_stories(JUDGED, sentences, np.random.default_rng([1013, sentences, needs, held]), needs, held)


def judge(net: nn.Module, read: str = "soft") -> dict[str, list[float]]:
    """Accuracies on one- and two-fact test stories by length, and ("held") where the answer is a held-out pair."""
    by_length = {f"{needs}": [round(accuracy(net, judged(m, needs), read), 3) for m in LENGTHS] for needs in (1, 2)}
    return by_length | {"held": [round(accuracy(net, judged(LONGEST, needs, True), read), 3) for needs in (1, 2)]}


def load() -> nn.ModuleDict:
    """The three stored nets: "supervised", "soft" (short stories first), and "stuck", the first "soft" that failed.

    Raises
    ------
    ValueError
        If the file is missing.
    """
    nets = nn.ModuleDict({name: MemoryNet() for name in ("supervised", "soft", "stuck")})
    load_weights(DATA / "stories.npz", nets)
    return nets.eval()


def main(argv: list[str] | None = None) -> None:
    """Train all kinds and write `stories.json` and `stories.npz`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=None, help="fewer seeds a kind, to try it out")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    began, metrics, kept = time.process_time(), {}, {}
    print(
        f"training {sum(k.seeds for k in KINDS.values())} small nets takes about a quarter of an hour on one core",
        flush=True,
    )
    for name, kind in KINDS.items():
        rows = []
        for seed in range(min(kind.seeds, args.seeds or kind.seeds)):
            started, net = time.process_time(), trained(name, seed)
            row = {"seconds": round(time.process_time() - started, 1), "soft": judge(net)}
            if name in HARD:
                row["hard"] = judge(net, "hard")
            rows.append(row)
            if name in STORED:
                kept.setdefault(STORED[name], net)
            elif name == "soft" and row["soft"]["2"][AT] < STUCK:
                kept.setdefault("stuck", net)
        metrics[name] = {"parameters": sum(v.numel() for v in net.parameters()), "runs": rows}
        print(name, [row["soft"]["2"][AT] for row in rows], f"{time.process_time() - began:.0f} s", flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    save_weights(args.out / "stories.npz", nn.ModuleDict(kept), "float32")
    write_record(
        args.out / "stories.json",
        command=COMMAND,
        seed=0,
        seconds=time.process_time() - began,
        metrics=metrics,
        lengths=LENGTHS,
        sizes=SIZES,
        judged=JUDGED,
    )


if __name__ == "__main__":
    main()
