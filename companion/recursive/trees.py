"""10.6 Binary trees over a sequence: chains, balanced trees, drawn trees, and what their shape costs.

A tree over τ leaves is the list of its τ − 1 merges. Nodes 0 … τ − 1 are the leaves, from left to right; merge k
makes node τ + k from two nodes that stand side by side; the last merge makes the root. No recursion is needed to
walk such a list, so a chain of ten thousand leaves is as welcome as a bush.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np

from companion.core.checks import Count, checked, integer

__all__ = ["Tree", "balanced", "chain", "checked_tree", "depth", "drawn", "heights", "spans", "tree_of"]


class Tree(NamedTuple):
    """A binary tree over tau leaves: merges[k] = (left, right) makes node tau + k."""

    tau: Count
    merges: tuple[tuple[int, int], ...]


def _walk(name: str, tree: Tree) -> list[tuple[int, int]]:
    """Spans [i, j) of all nodes, in order; raises on the first merge that does not fit."""
    tau, merges = tree
    if len(merges) != tau - 1:
        raise ValueError(f"{name}: want {tau - 1} merges for {tau} leaves, got {len(merges)}")
    at, taken = [(i, i + 1) for i in range(tau)], set()
    for k, pair in enumerate(merges):
        where = f"{name}: merge {k}"
        if len(pair) != 2:
            raise ValueError(f"{where}: want a pair (left, right), got {pair!r}")
        for node in pair:
            integer(where, node, 0, len(at) - 1)
            if node in taken:
                raise ValueError(f"{where}: node {node} was merged before")
            taken.add(node)
        (i, m), (n, j) = at[pair[0]], at[pair[1]]
        if m != n:
            raise ValueError(f"{where}: want neighbours, got leaves {i}…{m - 1} and {n}…{j - 1}")
        at.append((i, j))
    return at


def _one_tree(name: str, tree: Tree) -> Tree:
    _walk(name, tree)
    return tree


Whole = Annotated[Tree, _one_tree]
"""A tree whose merges put every leaf under one root, in order."""


@checked
def checked_tree(tree: Whole, tau: int | None = None) -> Tree:
    """Return the tree if its merges put every leaf under one root, in order, and it has τ leaves (Section 10.6)."""
    if tau not in (None, tree.tau):
        raise ValueError(f"tree: want {tau} leaves, one a step of the sequence, got {tree.tau}")
    return tree


@checked
def spans(tree: Tree) -> list[tuple[int, int]]:
    """Which leaves each node covers: [i, j) for all 2τ − 1 nodes, leaves first (Section 10.6)."""
    return _walk("tree", tree)


@checked
def heights(tree: Whole) -> np.ndarray:
    """Compositions on the longest path from a leaf up to each of 2τ − 1 nodes: 0 at leaves, 1 + the larger child's."""
    height = [0] * tree.tau
    for left, right in tree.merges:
        height.append(1 + max(height[left], height[right]))
    return np.array(height)


def depth(tree: Tree) -> int:
    """Compositions on the longest path from a leaf to the root (Section 10.6).

    ⌈log₂ τ⌉ for a balanced tree, which is the least possible, and τ − 1 for a chain, which is the most.
    """
    return int(heights(tree)[-1])


@checked
def chain(tau: Count) -> Tree:
    """The tree of a recurrent net: every leaf joins what stands to its left (Section 10.6)."""
    return Tree(tau, tuple((tau + k - 1 if k else 0, k + 1) for k in range(tau - 1)))


@checked
def balanced(tau: Count) -> Tree:
    """The tree that joins neighbours in rounds, like a knockout tournament (Section 10.6).

    A round turns n nodes into ⌈n/2⌉ (an odd one out waits), so ⌈log₂ τ⌉ rounds reach the root.
    """
    merges: list[tuple[int, int]] = []
    alive = list(range(tau))
    while len(alive) > 1:
        pairs = list(zip(alive[::2], alive[1::2], strict=False))
        winners = list(range(tau + len(merges), tau + len(merges) + len(pairs)))
        merges += pairs
        alive = winners + alive[2 * len(pairs) :]
    return Tree(tau, tuple(merges))


@checked
def drawn(tau: Count, rng: np.random.Generator) -> Tree:
    """A random tree: merge two neighbours, drawn evenly from all pairs, until one node is left."""
    alive, merges = list(range(tau)), []
    for k in range(tau - 1):
        at = int(rng.integers(len(alive) - 1))
        merges.append((alive[at], alive[at + 1]))
        alive[at : at + 2] = [tau + k]
    return Tree(tau, tuple(merges))


@checked
def tree_of(tau: Count, nested: Any) -> Tree:
    """The tree that nested pairs of leaf numbers spell, such as ``(0, (1, 2))``; merges in order of height."""
    post: list[tuple[Any, Any]] = []  # pairs, children before parents
    stack = [nested]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple) and len(node) == 2:
            post.append(node)
            stack += node
        elif isinstance(node, tuple | list | str | float | None):
            raise ValueError(f"nested: want leaf numbers and pairs of them, got {node!r:.60}")
    number: dict[int, int] = {}
    merges: list[tuple[int, int]] = []
    for pair in reversed(post):
        left, right = (number[id(n)] if isinstance(n, tuple) else n for n in pair)
        number[id(pair)] = tau + len(merges)
        merges.append((left, right))
    return checked_tree(Tree(tau, tuple(merges)))
