"""What Section 10.6 tries recursive nets on: expressions and their classes, three trees over each, and the nets stored.

A net takes the tokens of a formula, or of arithmetic modulo 3, and tells the value of the whole.
"""

from collections.abc import Callable, Sequence

import numpy as np

from companion.core.checks import choice, integer
from companion.data import store
from companion.recursive.expressions import CLASSES, Expression, draw_expression, symbols
from companion.recursive.nets import RecursiveNet, TensorNet, forward_by_depth, plan_by_depth
from companion.recursive.trees import Tree, balanced, chain

__all__ = ["SHAPES", "draw_classified", "held_out_expressions", "stored_recursive_nets", "tree_accuracy"]

#: The trees that are put over the tokens of an expression, by name.
SHAPES: dict[str, Callable[[Expression], Tree]] = {
    "parse": lambda e: e.tree,
    "balanced": lambda e: balanced(len(e.tokens)),
    "chain": lambda e: chain(len(e.tokens)),
}


def draw_classified(
    kind: str, lengths: tuple[int, int], n: int, rng: np.random.Generator
) -> tuple[list[Expression], list[int]]:
    """n random expressions and their classes.

    Parameters
    ----------
    kind : one of `CLASSES`. lengths : shortest and longest, in tokens; each length between is equally likely.
    n : how many. rng : the source of randomness.
    """
    classes, n = CLASSES[choice("kind", kind, tuple(CLASSES))], integer("n", n, 1)
    made = [draw_expression(int(rng.integers(lengths[0], lengths[1] + 1)), kind, rng) for _ in range(n)]
    return made, [int(e.values[-1]) % classes for e in made]


def held_out_expressions(kind: str, tau: int, n: int = 200) -> tuple[list[Expression], list[int]]:
    """The test expressions of one length, always the same; only short ones can also occur in training.

    Parameters
    ----------
    kind : one of `CLASSES`. tau : tokens. n : how many.
    """
    classes = CLASSES[choice("kind", kind, tuple(CLASSES))]
    return draw_classified(kind, (tau, tau), n, np.random.default_rng([99, tau, classes]))


def tree_accuracy(
    p: RecursiveNet | TensorNet, shape: str, kind: str, made: Sequence[Expression], y: Sequence[int]
) -> float:
    """Share of right classes, in double precision.

    Parameters
    ----------
    p : the net. shape : the tree that it is given, one of `SHAPES`. kind : of the expressions.
    made, y : expressions and their classes.
    """
    tree_of = SHAPES[choice("shape", shape, tuple(SHAPES))]
    runs = forward_by_depth(p, plan_by_depth([tree_of(e) for e in made]), [symbols(e.tokens, kind) for e in made])
    return float(np.mean([run.o.argmax() == value for run, value in zip(runs, y, strict=True)]))


def stored_recursive_nets() -> dict[tuple[str, str, str, int], RecursiveNet | TensorNet]:
    """The nets that the study `recursive` stored, by (kind, tree, composition, seed)."""
    found: dict[tuple[str, str, str, int], RecursiveNet | TensorNet] = {}
    for key, weights in store.nets("recursive"):
        kind = TensorNet if "T" in weights else RecursiveNet
        found[tuple(key.values())] = kind(**{letter: w.astype(np.float64) for letter, w in weights.items()})
    return found
