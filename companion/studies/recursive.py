"""Recursive nets over three trees, with two compositions, on formulas and on arithmetic modulo 3 (Section 10.6)."""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.core import tree
from companion.recursive import ALPHABETS, CLASSES, RecursiveNet, TensorNet, symbols
from companion.recursive.trials import SHAPES, draw_classified, held_out_expressions, tree_accuracy

SECTION = "10.6"
SHOWS = "What the parse tree is worth beside a balanced tree and a chain, with a plain and with a tensor composition."
MINUTES, WEIGHTS = 10, "recursive.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    units: dict[str, int] = {"plain": 25, "tensor": 7}  # noqa: RUF012  (about 1,500 parameters each)
    shortest: int = 3  # tokens, in training
    longest: int = 12
    pool: int = 5000  # expressions to learn from
    steps: int = 800
    batch: int = 64
    rate: float = 3e-3
    lengths: tuple[int, ...] = (5, 8, 12, 16, 24, 40)  # of the held-out expressions
    tested: int = 200  # of each length


SETTINGS, UNSEEN = Settings(), ("seeds",)
QUICK = Settings(seeds=(0,), pool=20, steps=1, lengths=(5,), tested=20)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every kind, tree and composition, seed by seed."""
    names = ("kind", "tree", "composition")
    each = [dict(zip(names, key, strict=True)) for key in product(CLASSES, SHAPES, settings.units)]
    return [key | {"seed": seed} for seed in settings.seeds for key in each]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net, round its weights to float16, and measure what is left.

    Returns
    -------
    parameters : how many. accuracy : share of right classes by length. weights : float16.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.recursive.modules import Forest, TreeNet, forest
    from companion.training import torch_seed, train

    kind, shape, seed = key["kind"], key["tree"], key["seed"]
    torch_seed(seed)
    rng, lengths = np.random.default_rng([7, seed, CLASSES[kind]]), (settings.shortest, settings.longest)
    made, y = draw_classified(kind, lengths, settings.pool, rng)
    trees, xs = [SHAPES[shape](e) for e in made], [symbols(e.tokens, kind) for e in made]
    y = torch.tensor(y)

    def batch(step: int) -> tuple[Forest, torch.Tensor]:
        rows = np.random.default_rng([seed, step]).integers(len(xs), size=settings.batch)
        data = forest([trees[i] for i in rows], [xs[i] for i in rows]), y[rows]
        return tree.map(lambda part: part.to(device), data)

    composition = key["composition"]
    size = (len(ALPHABETS[kind]), settings.units[composition], CLASSES[kind])
    net = TreeNet.drawn(*size, seed, tensor=composition == "tensor").to(device)
    train(
        net,
        batch,
        lambda net, x, target: cross_entropy(net(x), target),
        steps=settings.steps,
        lr=settings.rate,
        every=settings.steps,
    )
    weights = {name: value.astype(np.float16) for name, value in net.cpu().numpy()._asdict().items()}
    p = (TensorNet if "T" in weights else RecursiveNet)(**{k: v.astype(float) for k, v in weights.items()})
    tests = {str(tau): held_out_expressions(kind, tau, settings.tested) for tau in settings.lengths}
    accuracy = {tau: round(tree_accuracy(p, shape, kind, *test), 4) for tau, test in tests.items()}
    return {"parameters": sum(v.size for v in p), "accuracy": accuracy, "weights": weights}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, list[float]]]:
    """Median accuracy over the seeds at each length, by kind and composition, then by tree."""
    found: dict[str, dict[str, list[float]]] = {}
    for kind, composition, shape in product(CLASSES, settings.units, SHAPES):
        want = {"kind": kind, "composition": composition, "tree": shape}
        curves = [list(row["accuracy"].values()) for row in rows if want.items() <= row.items()]
        medians = np.median(curves, axis=0).round(4).tolist()
        found.setdefault(f"{kind}, {composition}", {})[shape] = medians
    return found
