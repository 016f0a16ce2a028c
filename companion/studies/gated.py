"""Train the small gated nets of Section 10.10 over seeds, and store what came out.

    python -m companion.studies.gated

runs four studies and writes ``data/stored/gated.json``, one row a run: which cell solves the adding problem and the
latch at which length; what the forget gate's first bias does; what each gate is good for. A run that stands
in the file already is not repeated, so an interrupted study goes on where it stopped (``--fresh`` starts over).
"""

import argparse
import json
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from companion.core.checks import choice, integer, number
from companion.data.store import STORED
from companion.data.tasks import adding, latch

if TYPE_CHECKING:
    import torch

__all__ = ["ABLATIONS", "DATA", "SOLVED", "UNITS", "draw", "main", "plan", "run", "since_reset", "steps_to_solve"]

DATA = STORED / "gated.json"
COMMAND = "python -m companion.studies.gated"
SEEDS = tuple(range(5))
LENGTHS = (10, 20, 40, 80)
UNITS = {"RNN": 64, "LSTM": 32, "GRU": 36}  # about 4,400 parameters each
BIASES = (("adding", 0.0), ("adding", 2.0), ("adding", 4.0), ("latch", 4.0))
ABLATIONS = ("full", "no forget gate", "no input gate", "no output gate", "coupled")
STEPS, EVERY, BATCH, RATE = 3000, 100, 50, 3e-3
SOLVED = {"adding": 0.01, "latch": 0.02, "since reset": 0.01}  # error on 1,000 fresh sequences, at most


def since_reset(length: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of values to be added up, with marks that say: start again from here.

    Parameters
    ----------
    length : steps a sequence, at least 2. n : sequences. rng : the source of randomness.

    Returns
    -------
    x : (n, length, 2), a value in [−1/2, 1/2] and a mark (0 or 1, one step in ten).
    y : (n, 1), the sum of the values since the last mark, that step included.
    """
    length, n = integer("length", length, 2), integer("n", n, 1)
    x = np.stack([rng.uniform(-0.5, 0.5, (n, length)), rng.random((n, length)) < 0.1], axis=2)
    total = np.zeros(n)
    for t in range(length):
        total = x[:, t, 0] + np.where(x[:, t, 1] == 1, 0.0, total)
    return x, total[:, None]


def draw(task: str, length: int, n: int, rng: np.random.Generator) -> "tuple[torch.Tensor, torch.Tensor]":
    """Draw n sequences of a task as float32 tensors, targets of shape (n, 1).

    Parameters
    ----------
    task : "adding", "latch" or "since reset". length : steps. n : sequences. rng : the source of randomness.

    Returns
    -------
    tuple of two tensors
    """
    import torch

    make = {"adding": adding, "latch": latch, "since reset": since_reset}[choice("task", task, tuple(SOLVED))]
    x, y = make(length, n, rng)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y.reshape(n, 1), dtype=torch.float32)


def build(cell: str, n_x: int, forget_bias: float = 1.0, ablation: str = "full") -> "torch.nn.Module":
    """A recurrent net with one output at its last step; an LSTM may have gates fixed or tied.

    Parameters
    ----------
    cell : "RNN", "LSTM" or "GRU". n_x : width of the input. forget_bias : first bias of an LSTM's forget gate.
    ablation : "full", "no forget gate" (f = 1), "no input gate" (g = 1), "no output gate" (q = 1) or
        "coupled" (g = 1 − f).

    Returns
    -------
    torch.nn.Module
    """
    import torch

    choice("cell", cell, tuple(UNITS))
    choice("ablation", ablation, ABLATIONS if cell == "LSTM" else ABLATIONS[:1])
    fixed = {"no forget gate": 1, "no input gate": 0, "no output gate": 3}.get(ablation)  # torch: i, f, g, o

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = getattr(torch.nn, cell)(n_x, UNITS[cell], batch_first=True)
            self.head = torch.nn.Linear(UNITS[cell], 1)
            if cell == "LSTM":
                with torch.no_grad():
                    self.cell.bias_ih_l0[UNITS[cell] : 2 * UNITS[cell]] = forget_bias
                    self.cell.bias_hh_l0.zero_()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if ablation == "full":
                return self.head(self.cell(x)[0][:, -1])
            weights = {name: tie(w) for name, w in self.cell.named_parameters()}
            return self.head(torch.func.functional_call(self.cell, weights, (x,))[0][:, -1])

    def tie(w: torch.Tensor) -> torch.Tensor:
        rows = list(w.chunk(4))
        if ablation == "coupled":
            rows[0] = -rows[1]  # σ(−a) = 1 − σ(a)
        else:
            rows[fixed] = torch.full_like(rows[fixed], 20.0 if w.ndim == 1 else 0.0)  # two biases: σ(40) = 1
        return torch.cat(rows)

    return Net()


def run(
    task: str, length: int, seed: int, cell: str = "LSTM", forget_bias: float = 1.0, ablation: str = "full"
) -> list[float]:
    """Train one net until it solves its task or the steps run out; return its test error every 100 steps.

    Parameters
    ----------
    task, length : see `draw`. seed : of weights and data. cell, forget_bias, ablation : see `build`.

    Returns
    -------
    list of float
        Mean squared error (adding, since reset) or share of wrong answers (latch) on 1,000 sequences.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

    from companion.training import torch_seed, train

    torch_seed(seed)
    number("forget_bias", forget_bias)
    test_x, test_y = draw(task, length, 1000, np.random.default_rng(10**6))
    net = build(cell, test_x.shape[2], forget_bias, ablation)

    def error(net: torch.nn.Module) -> dict[str, float]:
        out = net(test_x)
        wrong = ((out > 0) != (test_y > 0.5)) if task == "latch" else (out - test_y) ** 2
        return {"error": wrong.float().mean().item()}

    history = train(
        net,
        lambda step: draw(task, length, BATCH, np.random.default_rng([seed, step])),
        lambda net, x, y: (binary_cross_entropy_with_logits if task == "latch" else mse_loss)(net(x), y),
        steps=STEPS,
        lr=RATE,
        evaluate=error,
        every=EVERY,
        stop=lambda history: history[-1]["error"] <= SOLVED[task],
        desc=f"{task} {length}, {cell}, {ablation}, bias {forget_bias:g}, seed {seed}",
    )
    return [round(entry["error"], 5) for entry in history]


def steps_to_solve(row: dict) -> int | None:
    """How many steps a stored run needed, or None if it did not solve its task.

    Parameters
    ----------
    row : one entry of the record's runs.

    Returns
    -------
    int or None
    """
    choice("task", row["task"], tuple(SOLVED))
    return EVERY * len(row["error"]) if row["error"][-1] <= SOLVED[row["task"]] else None


def plan() -> Iterator[dict]:
    """Every run of the studies, in the order in which they are made; forget bias 1 stands with the lengths."""
    for seed, length, cell in product(SEEDS, LENGTHS, UNITS):
        yield {"study": "adding", "task": "adding", "length": length, "seed": seed, "cell": cell}
    for seed, (task, bias) in product(SEEDS, BIASES):
        yield {"study": "bias", "task": task, "length": 80, "seed": seed, "forget_bias": bias}
    for seed, task, ablation in product(SEEDS, ("adding", "since reset"), ABLATIONS):
        yield {"study": "ablation", "task": task, "length": 40, "seed": seed, "ablation": ablation}
    for seed, length, cell in product(SEEDS, LENGTHS, UNITS):
        yield {"study": "latch", "task": "latch", "length": length, "seed": seed, "cell": cell}


def main() -> None:
    """Make every run that is still missing, storing the record after each."""
    import torch

    from companion.data.store import write_record

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="start over instead of going on")
    parser.add_argument("--out", type=Path, default=DATA)
    args = parser.parse_args()
    torch.set_num_threads(1)
    going_on = args.out.exists() and not args.fresh
    runs = json.loads(args.out.read_text(encoding="utf-8"))["runs"] if going_on else []
    options = {"units": UNITS, "steps": STEPS, "batch": BATCH, "rate": RATE, "solved": SOLVED}
    for wanted in plan():
        if any(wanted.items() <= row.items() for row in runs):
            continue
        began = time.perf_counter()
        error = run(**{k: v for k, v in wanted.items() if k != "study"})
        runs.append(wanted | {"error": error, "seconds": round(time.perf_counter() - began, 1)})
        solved = sum(steps_to_solve(row) is not None for row in runs)
        seconds = sum(row["seconds"] for row in runs)
        metrics = {"runs": len(runs), "solved": solved}
        write_record(args.out, command=COMMAND, seed=0, seconds=seconds, metrics=metrics, **options, runs=runs)


if __name__ == "__main__":
    main()
