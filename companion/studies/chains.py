"""A gated chain beside the plain chain of the study `recursive`, each at the best of three rates (Section 10.6).

Both are trained as the nets of that study are, on the same expressions in the same batches; the rate is chosen on
other nets, by how they do on expressions that neither training nor test has seen.
"""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.core import tree
from companion.recursive import ALPHABETS, CLASSES, chain, symbols
from companion.recursive.trials import draw_classified, held_out_expressions

SECTION = "10.6"
SHOWS = "How far a chain with gates comes beside a plain chain of as many parameters, each at the best of three rates."
MINUTES = 4


class Settings(NamedTuple):
    """All constants of the study."""

    kinds: tuple[str, ...] = ("logic",)  # of expressions
    units: dict[str, int] = {"plain": 25, "GRU": 15}  # noqa: RUF012  (about 1,500 parameters each)
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    choosing: tuple[int, ...] = (100, 101)  # seeds of the nets by which a rate is chosen
    seeds: tuple[int, ...] = (0, 1)
    shortest: int = 3  # tokens, in training
    longest: int = 12
    pool: int = 5000  # expressions to learn from
    steps: int = 800
    batch: int = 64
    lengths: tuple[int, ...] = (5, 8, 12, 16, 24, 40)  # of the held-out expressions
    tested: int = 200  # of each length
    chosen_by: int = 500  # fresh expressions


SETTINGS, UNSEEN = Settings(), ("kinds", "rates", "choosing", "seeds")
QUICK = Settings(
    rates=(3e-3, 1e-2), choosing=(100,), seeds=(0,), pool=20, steps=1, lengths=(5,), tested=20, chosen_by=20
)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every task and cell at every rate, for the choice; then at the rate chosen."""
    each = [{"kind": kind, "cell": cell} for kind, cell in product(settings.kinds, settings.units)]
    keys = [k | {"rate": rate, "seed": seed} for k, rate, seed in product(each, settings.rates, settings.choosing)]
    if len([row for row in rows if row["seed"] in settings.choosing]) == len(keys):
        keys += [k | {"rate": chosen(settings, rows, **k), "seed": seed} for k, seed in product(each, settings.seeds)]
    return keys


def chosen(settings: Settings, rows: list[dict], kind: str, cell: str) -> float:
    """The rate at which the nets of the choice were right most often."""
    found = [row for row in rows if (row["kind"], row["cell"]) == (kind, cell) and row["seed"] in settings.choosing]
    return max(settings.rates, key=lambda rate: np.mean([row["validation"] for row in found if row["rate"] == rate]))


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net over chains.

    Returns
    -------
    parameters : how many. validation : share of right classes of fresh expressions as long as in training.
    accuracy : the same by length, of the expressions on which the study `recursive` tests.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.recursive.modules import Forest, GatedTree, TreeNet, forest
    from companion.training import torch_seed, train

    kind, seed = key["kind"], key["seed"]
    torch_seed(seed)
    lengths = settings.shortest, settings.longest
    made, y = draw_classified(kind, lengths, settings.pool, np.random.default_rng([7, seed, CLASSES[kind]]))
    xs, y = [symbols(e.tokens, kind) for e in made], torch.tensor(y)

    def batch(step: int) -> tuple[Forest, torch.Tensor]:
        rows = np.random.default_rng([seed, step]).integers(len(xs), size=settings.batch)
        data = forest([chain(len(xs[i])) for i in rows], [xs[i] for i in rows]), y[rows]
        return tree.map(lambda part: part.to(device), data)

    size = len(ALPHABETS[kind]), settings.units[key["cell"]], CLASSES[kind]
    net = (GatedTree(*size) if key["cell"] == "GRU" else TreeNet.drawn(*size, seed)).to(device)
    train(
        net,
        batch,
        lambda net, x, target: cross_entropy(net(x), target),
        steps=settings.steps,
        lr=key["rate"],
        every=settings.steps,
    )

    def right(made: list, y: list[int]) -> float:
        data = forest([chain(len(e.tokens)) for e in made], [symbols(e.tokens, kind) for e in made])
        with torch.no_grad():
            answers = net(tree.map(lambda part: part.to(device), data)).argmax(1)
        return round(float((answers.cpu() == torch.tensor(y)).double().mean()), 4)

    fresh = draw_classified(kind, lengths, settings.chosen_by, np.random.default_rng([8, seed, CLASSES[kind]]))
    tests = {str(tau): held_out_expressions(kind, tau, settings.tested) for tau in settings.lengths}
    return {
        "parameters": sum(v.numel() for v in net.parameters()),
        "validation": right(*fresh),
        "accuracy": {tau: right(*test) for tau, test in tests.items()},
    }


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, Any]]:
    """By task and cell: the rate chosen, and the median accuracy at each length over all nets of that rate."""
    found = {}
    for kind, cell in product(settings.kinds, settings.units):
        curves = [
            list(row["accuracy"].values())
            for row in rows
            if (row["kind"], row["cell"], row["rate"]) == (kind, cell, chosen(settings, rows, kind, cell))
        ]
        median = np.median(curves, axis=0).round(4).tolist()
        found[f"{kind}, {cell}"] = {"rate": chosen(settings, rows, kind, cell), "accuracy": median}
    return found
