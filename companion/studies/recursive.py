"""Train recursive nets over three trees, with two compositions, on formulas and on arithmetic modulo 3.

``python -m companion.studies.recursive`` trains 60 nets (two kinds of expression, three trees, two compositions, five
seeds; some minutes on one core) and writes ``data/stored/recursive.npz`` (weights, rounded to float16) and
``data/stored/recursive.json`` (command, versions, sizes, and the accuracy of the rounded nets by length).
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from companion.core import checks as check
from companion.data.store import STORED, save_weights, write_record
from companion.recursive import (
    ALPHABETS,
    Expression,
    RecursiveNet,
    TensorNet,
    Tree,
    balanced,
    chain,
    draw_expression,
    forward_by_depth,
    plan_by_depth,
    symbols,
)
from companion.recursive.modules import Forest, TreeNet, forest
from companion.training import torch_seed, train

SHAPES: dict[str, Callable[[Expression], Tree]] = {
    "parse": lambda e: e.tree,
    "balanced": lambda e: balanced(len(e.tokens)),
    "chain": lambda e: chain(len(e.tokens)),
}
CLASSES = {"logic": 2, "arithmetic": 3}
UNITS = {"plain": 25, "tensor": 7}  # about 1,500 parameters each
LONGEST, POOL, STEPS, LR = 12, 5000, 800, 3e-3
LENGTHS, TESTED = (5, 8, 12, 16, 24, 40), 200
SEEDS = 5


def examples(kind: str, lengths: tuple[int, int], n: int, rng: np.random.Generator) -> tuple[list[Expression], list]:
    """n expressions of lengths drawn evenly from [shortest, longest], and their classes."""
    made = [draw_expression(int(rng.integers(lengths[0], lengths[1] + 1)), kind, rng) for _ in range(n)]
    return made, [int(e.values[-1]) % CLASSES[kind] for e in made]


def held_out(kind: str, tau: int, n: int = TESTED) -> tuple[list[Expression], list]:
    """The test expressions of one length, from a seed of their own; only short ones can also occur in training."""
    return examples(kind, (tau, tau), n, np.random.default_rng([99, tau, CLASSES[kind]]))


def accuracy(p: RecursiveNet | TensorNet, shape: str, kind: str, made: Sequence[Expression], y: Sequence[int]) -> float:
    """Share of right classes, computed by the reference code in double precision."""
    tree_of = SHAPES[check.choice("shape", shape, tuple(SHAPES))]
    runs = forward_by_depth(p, plan_by_depth([tree_of(e) for e in made]), [symbols(e.tokens, kind) for e in made])
    return float(np.mean([run.o.argmax() == value for run, value in zip(runs, y, strict=True)]))


def stored_nets(path: str | Path) -> dict[tuple[str, str, str, int], RecursiveNet | TensorNet]:
    """The stored nets, by (kind, tree, composition, seed).

    Raises
    ------
    ValueError
        If there is no such file.
    """
    if not Path(path).is_file():
        raise ValueError(f"path: want a file of weights, got {str(path)!r}, which does not exist")
    parts: dict[tuple, dict[str, np.ndarray]] = {}
    with np.load(path) as file:
        for name in file.files:
            net, _, letter = name.partition(".")
            kind, shape, composition, seed = net.split()
            parts.setdefault((kind, shape, composition, int(seed)), {})[letter] = file[name].astype(np.float64)
    return {key: (TensorNet if "T" in values else RecursiveNet)(**values) for key, values in parts.items()}


def _train(kind: str, shape: str, composition: str, seed: int, data: tuple[list, list]) -> TreeNet:
    trees = [SHAPES[shape](e) for e in data[0]]
    xs = [symbols(e.tokens, kind) for e in data[0]]
    y = torch.tensor(data[1])

    def batch(step: int) -> tuple[Forest, Tensor]:
        rows = np.random.default_rng([seed, step]).integers(len(xs), size=64)
        return forest([trees[i] for i in rows], [xs[i] for i in rows]), y[rows]

    def loss(model: nn.Module, x: Forest, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(model(x), target)

    size = (len(ALPHABETS[kind]), UNITS[composition], CLASSES[kind])
    net = TreeNet.drawn(*size, seed, tensor=composition == "tensor")
    train(net, batch, loss, steps=STEPS, lr=LR, every=STEPS, desc=f"{kind}, {shape}, {composition}, seed {seed}")
    return net


def _results(nets: Mapping[tuple, RecursiveNet | TensorNet]) -> list[dict]:
    tests = {(kind, tau): held_out(kind, tau) for kind in CLASSES for tau in LENGTHS}
    out = []
    for (kind, shape, composition, seed), p in nets.items():
        scores = {str(tau): round(accuracy(p, shape, kind, *tests[kind, tau]), 4) for tau in LENGTHS}
        entry = {"kind": kind, "tree": shape, "composition": composition, "seed": seed}
        out.append({**entry, "parameters": sum(v.size for v in p), "accuracy": scores})
    return out


def main(argv: list[str] | None = None) -> None:
    """Train, store the weights, and evaluate what is stored."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many seeds to train")
    parser.add_argument("--out", type=Path, default=STORED / "recursive.npz")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    start, nets = time.perf_counter(), nn.ModuleDict()
    for seed, kind in product(range(args.seeds), CLASSES):
        torch_seed(seed)
        data = examples(kind, (3, LONGEST), POOL, np.random.default_rng([7, seed, CLASSES[kind]]))
        for shape, composition in product(SHAPES, UNITS):
            nets[f"{kind} {shape} {composition} {seed}"] = _train(kind, shape, composition, seed, data)
    save_weights(args.out, nets, dtype="float16")
    write_record(
        args.out.with_suffix(".json"),
        command="python -m companion.studies.recursive" + (f" --seeds {args.seeds}" if args.seeds != SEEDS else ""),
        seed=0,
        seconds=time.perf_counter() - start,
        metrics={"results": _results(stored_nets(args.out))},
        trained={"lengths": [3, LONGEST], "examples": POOL, "steps": STEPS, "lr": LR, "units": UNITS},
        tested={"lengths": list(LENGTHS), "expressions": TESTED},
    )


if __name__ == "__main__":
    main()
