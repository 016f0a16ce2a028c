"""Train the encoder–decoders of Section 10.4 on dates in words and in ISO form, over seeds, and store them.

    python -m companion.studies.seq2seq

trains nets that differ in one thing only: attention beside a context of 4 numbers, or none and a context of 4, 16
or 64; and the way in which a context of 64 reaches the writer. It writes ``data/stored/seq2seq.json``, one row a run,
and the weights of four nets: ``seq2seq_attention_0.npz`` to ``_2`` (by seed) and ``seq2seq_context.npz`` (of 64,
seed 0). A run that stands in the record already is not repeated (``--fresh`` starts over).
"""

import argparse
import json
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from companion.cells.rnn import Layer
from companion.core.checks import choice, integer
from companion.data.store import STORED
from companion.seq2seq import END, SYMBOLS, WAYS, WORDS, Seq2Seq, draw_pairs, exact_match, judged, peak_share

if TYPE_CHECKING:
    import torch

__all__ = ["COMMAND", "DATA", "SIZES", "build", "from_torch", "judge", "load", "main", "plan", "run"]

DATA = STORED
COMMAND = "python -m companion.studies.seq2seq"
SEEDS, SIZES, LENGTHS, TRAINED = (0, 1, 2), (4, 16, 64), (1, 2, 3, 4, 5, 6), 4
UNITS, BATCH = 64, 64
STEPS = ((1400, 3e-3), (600, 1e-3), (300, 3e-4))  # gradient steps at a learning rate, one after the other
PATIENT = 2  # how much longer the patient run trains
STORED = {f"attention_{seed}": ("attention", 4, "both", seed, 1) for seed in SEEDS}
STORED |= {"context": ("context", 64, "both", 0, 1)}


def build(kind: str, size: int, way: str = "both", units: int = UNITS) -> "torch.nn.Module":
    """The torch twin of `companion.seq2seq`: net(x, y) → logits, whole batches with the teacher's symbols.

    Parameters
    ----------
    kind : "attention" or "context". size : width of the context. way : one of `WAYS`. units : every other width.

    Returns
    -------
    torch.nn.Module
    """
    import torch
    from torch import nn

    attend, way = choice("kind", kind, ("attention", "context")) == "attention", choice("way", way, WAYS)
    size, units = integer("size", size, 1), integer("units", units, 1)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.X, self.Y = nn.Embedding(len(WORDS), units), nn.Embedding(len(SYMBOLS), units)
            self.reader = nn.RNN(units, units, batch_first=True)
            self.K = nn.Linear(units, size)
            self.S = nn.Linear(size, units) if way != "input" else None
            self.writer = nn.RNN(units + (size if way != "state" else 0), units, batch_first=True)
            self.A = nn.Linear(units, units, bias=False) if attend else None
            self.P = nn.Linear(units, units)
            self.Q = nn.Linear(units, units, bias=False) if attend else None
            self.V = nn.Linear(units, len(SYMBOLS))

        def read(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
            g, last = self.reader(self.X(x))
            C = torch.tanh(self.K(last[0]))
            return g, C, None if self.S is None else torch.tanh(self.S(C))[None]

        def write(
            self, g: torch.Tensor, C: torch.Tensor, before: torch.Tensor, h: torch.Tensor | None
        ) -> tuple[torch.Tensor, torch.Tensor]:
            u = self.Y(before)
            if way != "state":
                u = torch.cat([u, C[:, None].expand(-1, u.shape[1], -1)], 2)
            hs, h = self.writer(u, h)
            mixed = self.P(hs)
            if attend:
                mixed = mixed + self.Q(torch.softmax(hs @ self.A(g).transpose(1, 2), 2) @ g)
            return self.V(torch.tanh(mixed)), h

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            before = torch.cat([torch.full_like(y[:, :1], END), y[:, :-1]], 1)
            g, C, h = self.read(x)
            return self.write(g, C, before, h)[0]

        def greedy(self, x: torch.Tensor, longest: int) -> torch.Tensor:
            g, C, h = self.read(x)
            symbols = [torch.full_like(x[:, :1], END)]
            for _ in range(longest):
                o, h = self.write(g, C, symbols[-1], h)
                symbols.append(o.argmax(2))
            return torch.cat(symbols[1:], 1)

    return Net()


def from_torch(weights: dict[str, np.ndarray]) -> Seq2Seq:
    """The NumPy parameters from the twin's weights by name; torch's two biases of a layer are added up.

    Parameters
    ----------
    weights : name → array, as a state_dict or a stored file has them.

    Returns
    -------
    Seq2Seq
    """
    w = {name: np.asarray(value, dtype=np.float64) for name, value in weights.items()}
    for name in ("X.weight", "Y.weight", "reader.weight_ih_l0", "writer.weight_ih_l0", "K.weight", "V.weight"):
        if name not in w:
            raise ValueError(f"weights: want an entry {name!r}, got {', '.join(w)}")
    n_y = w["Y.weight"].shape[1]
    U, R = np.split(w["writer.weight_ih_l0"], [n_y], axis=1)

    def layer(name: str, U: np.ndarray) -> Layer:
        return Layer(U, w[f"{name}.weight_hh_l0"], w[f"{name}.bias_ih_l0"] + w[f"{name}.bias_hh_l0"])

    return Seq2Seq(
        *(w["X.weight"], w["Y.weight"], layer("reader", w["reader.weight_ih_l0"]), w["K.weight"], w["K.bias"]),
        *(w.get("S.weight"), w.get("S.bias"), layer("writer", U), R if R.shape[1] else None, w.get("A.weight")),
        *(w["P.weight"], w.get("Q.weight"), w["P.bias"], w["V.weight"], w["V.bias"]),
    )


def load(name: str, folder: str | Path = DATA) -> Seq2Seq:
    """One of the stored nets: "attention_0", "attention_1", "attention_2" (by seed) or "context".

    Parameters
    ----------
    name : which. folder : where it lies.

    Returns
    -------
    Seq2Seq
    """
    with np.load(Path(folder) / f"seq2seq_{choice('name', name, tuple(STORED))}.npz") as file:
        return from_torch({key: file[key] for key in file.files})


def judge(p: Seq2Seq) -> dict[str, list[float]]:
    """What the record says of a stored net, measured with the NumPy reference: one figure a length.

    Parameters
    ----------
    p : parameters.

    Returns
    -------
    dict
        "exact", and "peaks" if the net has attention.
    """
    exact = {"exact": [round(exact_match(p, dates), 4) for dates in LENGTHS]}
    return exact if p.A is None else exact | {"peaks": [round(peak_share(p, dates), 4) for dates in LENGTHS]}


def plan() -> Iterator[tuple[str, int, str, int, int]]:
    """Every run: kind, size of the context, way in, seed, and how many times the usual number of steps."""
    for seed in SEEDS:
        yield "attention", 4, "both", seed, 1
    for seed, size in product(SEEDS, SIZES):
        yield "context", size, "both", seed, 1
    for seed, way in product(SEEDS[:2], ("state", "input")):
        yield "context", 64, way, seed, 1
    yield "context", 64, "both", 0, PATIENT


def run(kind: str, size: int, way: str, seed: int, times: int = 1) -> "tuple[torch.nn.Module, dict]":
    """Train one net on the average log P of the pairs; return it with its row of the record.

    Parameters
    ----------
    kind, size, way : see `build`. seed : of weights and data. times : multiple of the usual steps.

    Returns
    -------
    the net and a dict
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.training import torch_seed, train

    torch_seed(seed)
    net, done, began = build(kind, size, way), 0, time.process_time()

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([seed, done + step])
        pairs = draw_pairs(BATCH, int(rng.integers(1, TRAINED + 1)), rng)
        return torch.tensor(pairs.x), torch.tensor(pairs.y)

    def loss(net: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(net(x, y).flatten(0, 1), y.flatten())

    for n, lr in STEPS:
        n *= integer("times", times, 1)
        what = f"{kind} {size}, {way}, seed {seed}, lr {lr:g}"
        train(net, batch, loss, steps=n, lr=lr, every=200, desc=what)
        done += n
    row = {"kind": kind, "size": size, "way": way, "seed": seed, "times": times}
    exact, digits = [], []
    with torch.no_grad():
        for dates in LENGTHS:
            pairs = judged(dates)
            out = np.stack([net.greedy(torch.tensor(q.x), q.y.shape[1]).numpy() for q in pairs])
            y = np.stack([q.y for q in pairs])
            exact.append(round(float((out == y).all(2).mean()), 4))
            digits.append(round(float((out == y)[y < 10].mean()), 4))
    return net, row | {"exact": exact, "digits": digits, "seconds": round(time.process_time() - began, 1)}


def main() -> None:
    """Make every run that is still missing; store the weights of some and, after each run, the record."""
    import torch

    from companion.data.store import save_weights, write_record

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="start over instead of going on")
    parser.add_argument("--out", type=Path, default=DATA, help="folder to write to")
    args = parser.parse_args()
    torch.set_num_threads(1)
    path, names = args.out / "seq2seq.json", {spec: name for name, spec in STORED.items()}
    rows = [] if args.fresh or not path.exists() else json.loads(path.read_text(encoding="utf-8"))["runs"]
    sizes = {"units": UNITS, "batch": BATCH, "steps": STEPS, "lengths": LENGTHS, "trained": TRAINED}
    metrics: dict = {}
    for spec in plan():
        if not any(tuple(row[k] for k in ("kind", "size", "way", "seed", "times")) == spec for row in rows):
            net, row = run(*spec)
            rows.append(row)
            if spec in names:
                save_weights(args.out / f"seq2seq_{names[spec]}.npz", net)
        if spec in names:
            metrics[names[spec]] = judge(load(names[spec], args.out))
        seconds = sum(row["seconds"] for row in rows)
        write_record(path, command=COMMAND, seed=0, seconds=seconds, metrics=metrics, **sizes, runs=rows)


if __name__ == "__main__":
    main()
