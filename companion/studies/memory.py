"""Train machines with a tape, and LSTMs beside them, to copy and to recall (Section 10.13), and store them.

    python -m companion.studies.memory

Three tasks: `small` (copy 1 to 8 vectors of 4 bits on 32 cells of width 16: what the notebook also trains live),
`copy` (the setting of graves2014: 1 to 20 vectors of 8 bits, 128 cells of width 20) and `recall` (2 to 6 items of
three vectors of 6 bits, 64 cells). All nets of a seed get the same minibatches; sequences get longer over the first
steps; the last sixth of `copy` and quarter of `recall` has a tenth of the learning rate. Nets of `copy` and
`recall` are judged with weights rounded to 16 bits, and all machines and the LSTMs of seed 0 are stored so. About
forty minutes on one core; `--only` names tasks.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from companion.core.checks import choice, integer
from companion.data.store import STORED, load_weights, save_weights, write_record
from companion.memory.drills import Drill, copying, recalling
from companion.memory.machine import Machine, StateOnly
from companion.training import torch_seed, train

__all__ = [
    "DATA",
    "KINDS",
    "TASKS",
    "Task",
    "chosen",
    "drill",
    "errors",
    "load",
    "main",
    "make",
    "minibatch",
    "practise",
]

DATA = STORED
COMMAND = "python -m companion.studies.memory"
RIVALS = ("lstm", "patient")
KINDS = ("machine", *RIVALS, "zero")
"""Machine; LSTM; the LSTM with about as much time as the machine; for `small`, the machine shown bits as 0 and 1."""
JUDGED = 200  # fresh sequences of a length


class Task(NamedTuple):
    """A drill and how it is practised; lengths are vectors to copy, or items in the list."""

    draw: Callable[..., Drill]  # (length, n, rng) → a drill
    bits: int
    marks: int
    cells: int
    width: int
    n_h: dict[str, int]  # units of controller and LSTM
    lengths: tuple[int, int]  # of practice, shortest and longest
    tests: tuple[int, ...]
    steps: int
    slow: int  # steps of these at a tenth of the learning rate, the last ones
    lr: float
    growing: int  # steps until the longest are drawn
    seeds: int
    patience: int  # times the batches that the patient LSTM gets
    batch: int = 16
    kinds: tuple[str, ...] = ("machine", *RIVALS)
    stored: bool = True  # whether weights are kept, rounded to 16 bits


TASKS = {
    "small": Task(
        lambda length, n, rng, **way: copying(length, n, 4, rng, **way),
        *(4, 1, 32, 16, {"machine": 64, "lstm": 64}, (1, 8), (2, 4, 8, 11, 14, 17, 20, 24, 28)),
        *(1500, 0, 3e-3, 200, 10, 5),
        kinds=KINDS,
        stored=False,
    ),
    "copy": Task(
        lambda length, n, rng: copying(length, n, 8, rng),
        *(8, 1, 128, 20, {"machine": 100, "lstm": 128}, (1, 20), (10, 20, 30, 40, 50, 70, 90, 120)),
        *(6000, 1000, 1e-3, 2000, 3, 10),
    ),
    "recall": Task(
        lambda length, n, rng: recalling(length, n, 6, rng),
        *(6, 2, 64, 20, {"machine": 100, "lstm": 128}, (2, 6), (2, 4, 6, 8, 10, 12, 15)),
        *(4000, 1000, 1e-3, 1000, 3, 7),
    ),
}


def make(task: str, kind: str) -> nn.Module:
    """A fresh net for a task."""
    t = TASKS[choice("task", task, tuple(TASKS))]
    n_x, n_h = t.bits + t.marks, t.n_h["lstm" if choice("kind", kind, KINDS) in RIVALS else "machine"]
    return StateOnly(n_x, t.bits, n_h) if kind in RIVALS else Machine(n_x, t.bits, t.cells, t.width, n_h)


def drill(task: str, length: int, n: int, rng: np.random.Generator, kind: str = "machine") -> tuple[Tensor, Tensor]:
    """Draw n sequences of a task for a kind of net: inputs (n, tau, n_x) and wanted bits (n, rows, bits), float32."""
    way = {"zero": 0} if choice("kind", kind, KINDS) == "zero" else {}
    x, y = TASKS[choice("task", task, tuple(TASKS))].draw(length, n, rng, **way)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def minibatch(task: str, seed: int, step: int, kind: str = "machine") -> tuple[Tensor, Tensor]:
    """The minibatch of a step, one length for all its sequences; the longest grow over the first steps."""
    t, rng = TASKS[task], np.random.default_rng([seed, step])
    low, high = t.lengths
    early = min(low + 2, high)
    now = min(high, early + step * (high - early) // t.growing)
    return drill(task, int(rng.integers(low, now + 1)), t.batch, rng, kind)


def loss(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of the wanted bits, in nats a bit; only the last steps count."""
    return nn.functional.binary_cross_entropy_with_logits(net(x)[:, -y.shape[1] :], y)


@torch.no_grad()
def errors(net: nn.Module, task: str, length: int, n: int = JUDGED, kind: str = "machine") -> float:
    """Share of wrong bits over n fresh sequences of a length; guessing has 0.5."""
    rng = np.random.default_rng([2014, integer("length", length, 1)])
    wrong = [0.0, 0]
    for part in range(0, integer("n", n, 1), 50):
        x, y = drill(task, length, min(50, n - part), rng, kind)
        wrong[0] += float(((net(x)[:, -y.shape[1] :] > 0) != (y > 0.5)).sum())
        wrong[1] += y.numel()
    return wrong[0] / wrong[1]


def practise(
    task: str, kind: str, seed: int, steps: int | None = None, desc: str | None = None
) -> tuple[nn.Module, list]:
    """Train one net on one task from one seed; return it and the history."""
    torch_seed(seed)
    net, t = make(task, kind), TASKS[task]
    more = t.patience if kind == "patient" else 1
    steps, slow = (t.steps * more, t.slow * more) if steps is None else (steps, min(t.slow, steps - 1))
    history = []
    for part, lr, begin in ((steps - slow, t.lr, 0), (slow, t.lr / 10, steps - slow)):
        if part:
            history += train(
                net,
                lambda step, begin=begin: minibatch(task, seed, begin + step, kind),
                loss,
                steps=part,
                lr=lr,
                every=min(250, part),
                desc=desc or f"{task}, {kind}, seed {seed}",
            )
    return net, history


def load(task: str, kind: str = "machine", seed: int = 0) -> nn.Module:
    """The stored net of a task and a seed."""
    net = make(task, kind)
    load_weights(DATA / f"memory_{task}_{kind}_{seed}.npz", net)
    return net.eval()


def chosen(task: str, kind: str = "machine") -> int:
    """The seed to show, of those on record: fewest errors at the longest length of practice, then smallest loss."""
    record = json.loads((DATA / f"memory_{choice('task', task, tuple(TASKS))}.json").read_text(encoding="utf-8"))
    known = record["metrics"]["lengths"].index(TASKS[task].lengths[1])
    nets = [row for row in record["metrics"]["nets"] if row["kind"] == kind]
    return min(nets, key=lambda row: (row["errors"][known], row["loss"]))["seed"]


def _run(task: str, kind: str, seed: int, out: Path, steps: int | None) -> dict:
    began = time.process_time()
    net, history = practise(task, kind, seed, steps)
    seconds = time.process_time() - began
    if TASKS[task].stored:
        for p in net.parameters():
            p.data = p.data.half().float()  # judged as it would be stored
        if kind == "machine" or seed == 0:
            save_weights(out / f"memory_{task}_{kind}_{seed}.npz", net)
    net.eval()
    row = {"kind": kind, "seed": seed, "seconds": round(seconds, 1), "loss": round(history[-1]["loss"], 5)}
    row |= {"parameters": sum(p.numel() for p in net.parameters())}
    row["errors"] = [round(errors(net, task, length, kind=kind), 5) for length in TASKS[task].tests]
    print(task, row, flush=True)
    return row


def main(argv: list[str] | None = None) -> None:
    """Train what is asked for and write one record a task, `memory_TASK.json`, with weights beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=TASKS, nargs="*", default=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--out", type=Path, default=DATA)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    for task in args.only:
        began, t = time.process_time(), TASKS[task]
        seeds = range(t.seeds) if args.seeds is None else args.seeds
        rows = [_run(task, kind, seed, args.out, args.steps) for kind in t.kinds for seed in seeds]
        write_record(
            args.out / f"memory_{task}.json",
            command=f"{COMMAND} --only {task}",
            seed=0,
            seconds=time.process_time() - began,
            metrics={"lengths": list(t.tests), "nets": rows},
            steps=args.steps or t.steps,
            judged=JUDGED,
        )


if __name__ == "__main__":
    main()
