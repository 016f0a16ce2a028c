"""What Section 10.6 tries recursive nets on: expressions and their classes, three trees over each, and the nets stored.

A net takes the tokens of a formula, or of arithmetic modulo 3, and tells the value of the whole.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from companion.core.checks import Count, checked
from companion.data import store
from companion.recursive.expressions import CLASSES, Expression, Kind, draw_expression, symbols
from companion.recursive.nets import Net, RecursiveNet, TensorNet, forward_by_depth, plan_by_depth
from companion.recursive.trees import Tree, balanced, chain

__all__ = ["SHAPES", "draw_classified", "held_out_expressions", "stored_recursive_nets", "tree_accuracy"]

Shape = Literal["parse", "balanced", "chain"]

#: The trees that are put over the tokens of an expression, by name.
SHAPES: dict[str, Callable[[Expression], Tree]] = {
    "parse": lambda e: e.tree,
    "balanced": lambda e: balanced(len(e.tokens)),
    "chain": lambda e: chain(len(e.tokens)),
}


@checked
def draw_classified(
    kind: Kind, lengths: tuple[int, int], n: Count, rng: np.random.Generator
) -> tuple[list[Expression], list[int]]:
    """n random expressions and their classes.

    Parameters
    ----------
    lengths : shortest and longest, in tokens; each length between is equally likely.
    """
    made = [draw_expression(int(rng.integers(lengths[0], lengths[1] + 1)), kind, rng) for _ in range(n)]
    return made, [int(e.values[-1]) % CLASSES[kind] for e in made]


@checked
def held_out_expressions(kind: Kind, tau: Count, n: Count = 200) -> tuple[list[Expression], list[int]]:
    """n test expressions of τ tokens, always the same; only short ones can also occur in training."""
    return draw_classified(kind, (tau, tau), n, np.random.default_rng([99, tau, CLASSES[kind]]))


@checked
def tree_accuracy(p: Net, shape: Shape, kind: Kind, made: Sequence[Expression], y: Sequence[int]) -> float:
    """Share of right classes y of expressions, in double precision, by a net that is given trees of one of `SHAPES`."""
    plan = plan_by_depth([SHAPES[shape](e) for e in made])
    runs = forward_by_depth(p, plan, [symbols(e.tokens, kind) for e in made])
    return float(np.mean([run.o.argmax() == value for run, value in zip(runs, y, strict=True)]))


def stored_recursive_nets() -> dict[tuple[str, str, str, int], RecursiveNet | TensorNet]:
    """The nets that the study `recursive` stored, by (kind, tree, composition, seed)."""
    found: dict[tuple[str, str, str, int], RecursiveNet | TensorNet] = {}
    for key, weights in store.nets("recursive"):
        kind = TensorNet if "T" in weights else RecursiveNet
        found[tuple(key.values())] = kind(**{letter: w.astype(np.float64) for letter, w in weights.items()})
    return found
