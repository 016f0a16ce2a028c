"""10.6 Recursive nets: one composition, used at every merge of a tree; its gradient; and batching by depth.

NumPy float64. States are rows of `h`: the 2τ − 1 nodes of a tree in its own order, leaves first, root last.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import gaussian
from companion.core.checks import Count, array, checked, integer
from companion.core.functions import nll, nll_grad, softmax, tanh_prime
from companion.core.tree import map as tree_map
from companion.recursive.trees import Tree, checked_tree, heights

__all__ = [
    "Plan",
    "RecursiveNet",
    "TensorNet",
    "TreeRun",
    "forward",
    "forward_by_depth",
    "loss",
    "net_init",
    "plan_by_depth",
    "structure_backprop",
]


class RecursiveNet(NamedTuple):
    """Plain composition; a pair is the 2n_h numbers of two children."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # input → leaf
    W: Annotated[np.ndarray, "n_h", "pair"]  # children → parent
    V: Annotated[np.ndarray, "n_o", "n_h"]  # root → output
    b: Annotated[np.ndarray, "n_h"]
    c: Annotated[np.ndarray, "n_o"]


class TensorNet(NamedTuple):
    """Tensor composition: as `RecursiveNet`, and one bilinear form a unit."""

    U: Annotated[np.ndarray, "n_h", "n_x"]
    W: Annotated[np.ndarray, "n_h", "pair"]
    T: Annotated[np.ndarray, "n_h", "pair", "pair"]
    V: Annotated[np.ndarray, "n_o", "n_h"]
    b: Annotated[np.ndarray, "n_h"]
    c: Annotated[np.ndarray, "n_o"]


def _pairs(name: str, p: RecursiveNet | TensorNet) -> RecursiveNet | TensorNet:
    n_h = len(p.b)
    array(f"{name}.W", p.W, (n_h, 2 * n_h))
    return p


Net = Annotated[RecursiveNet | TensorNet, _pairs]


class TreeRun(NamedTuple):
    """A forward pass: h (2τ − 1, n_h), logits o (n_o,) and prediction yhat (n_o,) at the root."""

    h: np.ndarray
    o: np.ndarray
    yhat: np.ndarray


@checked
def net_init(n_x: Count, n_h: Count, n_o: Count, rng: np.random.Generator, tensor: bool = False) -> Net:
    """Random parameters, Gaussian with variance 1 / fan-in, biases zero.

    With `tensor` there is the bilinear part T, whose entries have standard deviation 1 / (2n_h).
    """
    U, W, V = gaussian((n_h, n_x), rng), gaussian((n_h, 2 * n_h), rng), gaussian((n_o, n_h), rng)
    b, c = np.zeros(n_h), np.zeros(n_o)
    if not tensor:
        return RecursiveNet(U, W, V, b, c)
    return TensorNet(U, W, rng.normal(size=(n_h, 2 * n_h, 2 * n_h)) / (2 * n_h), V, b, c)


def _compose(p: Net, z: np.ndarray) -> np.ndarray:
    """States of parents from z = [left, right], shape (2n_h,) or (n, 2n_h)."""
    a = z @ p.W.T + p.b
    if isinstance(p, TensorNet):
        a = a + np.einsum("...j,ijk,...k->...i", z, p.T, z)
    return np.tanh(a)


@checked
def forward(p: Net, tree: Tree, x: Annotated[np.ndarray, "tau", "n_x"]) -> TreeRun:
    """Compute a recursive net over a tree, node by node (Section 10.6).

    Leaves: h = U x. Merges: h = tanh(b + W z) with z = [h_left, h_right] or, with a tensor,
    h_i = tanh(b_i + W_i z + zᵀ T_i z). Output: o = c + V h_root.
    """
    tree = checked_tree(tree, len(x))
    h = np.zeros((2 * tree.tau - 1, len(p.b)))
    h[: tree.tau] = x @ p.U.T
    for k, (left, right) in enumerate(tree.merges):
        h[tree.tau + k] = _compose(p, np.concatenate([h[left], h[right]]))
    o = p.c + p.V @ h[-1]
    return TreeRun(h, o, softmax(o))


def loss(run: TreeRun, y: int) -> float:
    """Negative log-likelihood of class y at the root (Section 10.6)."""
    y = integer("y", y, 0, len(run.o) - 1)
    return float(nll(run.o[None], np.array([y]))[0])


@checked
def structure_backprop(p: Net, tree: Tree, x: Annotated[np.ndarray, "tau", "n_x"], y: int) -> Net:
    """Gradient of the loss, from the root down: backpropagation through structure (Section 10.6).

    With g = ∇_h of a parent and δ = (1 − h²) g, its two children receive the halves of Wᵀδ + Σᵢ δᵢ (Tᵢ + Tᵢᵀ) z; each
    merge adds δ zᵀ to ∇_W, δᵢ z zᵀ to ∇_Tᵢ and δ to ∇_b, because one composition is shared by all. y is the class at
    the root.
    """
    y = integer("y", y, 0, len(p.c) - 1)
    run = forward(p, tree, x)
    do = nll_grad(run.o[None], np.array([y]))[0]
    g = np.zeros_like(run.h)
    g[-1] = p.V.T @ do
    grad = tree_map(np.zeros_like, p)
    for k, (left, right) in reversed(list(enumerate(tree.merges))):
        z = np.concatenate([run.h[left], run.h[right]])
        delta = tanh_prime(run.h[tree.tau + k]) * g[tree.tau + k]
        dz = p.W.T @ delta
        grad.W[...] += np.outer(delta, z)
        grad.b[...] += delta
        if isinstance(p, TensorNet):
            dz = dz + np.einsum("i,ijk,k->j", delta, p.T + p.T.transpose(0, 2, 1), z)
            grad.T[...] += np.einsum("i,j,k->ijk", delta, z, z)
        g[left], g[right] = np.split(dz, 2)
    return grad._replace(U=g[: tree.tau].T @ x, V=np.outer(do, run.h[-1]), c=do)


class Plan(NamedTuple):
    """Many trees, ready to be computed: lengths, rows of the leaves, and rows (node, left, right) of each height."""

    taus: tuple[int, ...]
    leaves: np.ndarray
    levels: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]


def plan_by_depth(trees: Sequence[Tree]) -> Plan:
    """Sort the merges of many trees by height, the trees' nodes standing one tree after another (Section 10.6).

    The plan has one level for each height from 1 to the largest depth; it can be used again and again.
    """
    integer("number of trees", len(trees), 1)
    leaves, rows, offset = [], [], 0
    for tree in trees:
        height, tau = heights(tree), tree.tau
        leaves.append(offset + np.arange(tau))
        merges = offset + np.array(tree.merges, dtype=int).reshape(-1, 2)
        rows.append(np.column_stack([height[tau:], offset + np.arange(tau, 2 * tau - 1), merges]))
        offset += 2 * tau - 1
    table = np.concatenate(rows)
    table = table[np.argsort(table[:, 0], kind="stable")]
    cuts = np.flatnonzero(np.diff(table[:, 0])) + 1
    levels = tuple(tuple(part[:, 1:].T) for part in np.split(table, cuts) if len(part))
    return Plan(tuple(tree.tau for tree in trees), np.concatenate(leaves), levels)


@checked
def forward_by_depth(p: Net, plan: Plan, xs: Sequence[np.ndarray]) -> list[TreeRun]:
    """The same runs as `forward` for many trees, all merges of equal height in one product (Section 10.6).

    There is one sequence a tree; the number of products is the largest depth, not the number of merges.
    """
    x = stacked(plan, xs, p.U.shape[1])
    h = np.zeros((2 * len(plan.leaves) - len(plan.taus), len(p.b)))
    h[plan.leaves] = x @ p.U.T
    for node, left, right in plan.levels:
        h[node] = _compose(p, np.concatenate([h[left], h[right]], axis=1))
    ends = np.cumsum([2 * tau - 1 for tau in plan.taus])
    o = p.c + h[ends - 1] @ p.V.T
    return [TreeRun(*parts) for parts in zip(np.split(h, ends[:-1]), o, softmax(o), strict=True)]


def stacked(plan: Plan, xs: Sequence[np.ndarray], width: int | None = None) -> np.ndarray:
    """The sequences of a plan's trees, checked against it, one after another."""
    if len(xs) != len(plan.taus):
        raise ValueError(f"xs: want {len(plan.taus)} sequences, one a tree, got {len(xs)}")
    return np.concatenate(
        [array(f"xs[{i}]", x, (tau, width)) for i, (x, tau) in enumerate(zip(xs, plan.taus, strict=True))]
    )
