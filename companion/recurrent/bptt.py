"""The backward pass taken apart, cut short, and made to need less memory.

Section 10.2.2: one gradient for each copy of a shared weight; truncated back-propagation through
time; back-propagation with checkpoints, which recomputes states instead of storing them.
"""

from math import ceil
from typing import Literal

import numpy as np

from companion.cells.rnn import (
    RNN,
    Inputs,
    State,
    Targets,
    backward,
    rnn_bptt_nodes,
    rnn_forward,
    sum_over_copies,
)
from companion.core import tree
from companion.core.checks import Count, checked, integer
from companion.core.functions import nll_grad
from companion.core.scan import initial, last, scan

__all__ = ["checkpointed_bptt", "rnn_copies", "states_held", "truncated_bptt"]


@checked
def rnn_copies(p: RNN, x: Inputs, y: Targets, h0: State | None = None) -> RNN:
    """Gradient with respect to each step's own copy of every parameter.

    Equations (Section 10.2.2): ∇_{W⁽ᵗ⁾}L = (∇_{a⁽ᵗ⁾}L) h⁽ᵗ⁻¹⁾ᵀ, ∇_{U⁽ᵗ⁾}L = (∇_{a⁽ᵗ⁾}L) x⁽ᵗ⁾ᵀ,
    ∇_{V⁽ᵗ⁾}L = (∇_{o⁽ᵗ⁾}L) h⁽ᵗ⁾ᵀ, ∇_{b⁽ᵗ⁾}L = ∇_{a⁽ᵗ⁾}L, ∇_{c⁽ᵗ⁾}L = ∇_{o⁽ᵗ⁾}L. The gradient of the
    shared parameter is the sum over t.

    Returns
    -------
    RNN whose arrays have a leading axis of length tau, e.g. W of shape (tau, n_h, n_h).

    Reference: goodfellow2016
    """
    nodes, h = rnn_bptt_nodes(p, x, y, h0), rnn_forward(p, x, h0).h
    return RNN(
        U=nodes.a[:, :, None] * x[:, None, :],
        W=nodes.a[:, :, None] * h[:-1, None, :],
        V=nodes.o[:, :, None] * h[1:, None, :],
        b=nodes.a,
        c=nodes.o,
    )


def chunk_gradient(
    p: RNN,
    x: np.ndarray,
    y: np.ndarray,
    h0: np.ndarray,
    g_end: np.ndarray | None = None,
) -> tuple[RNN, np.ndarray, np.ndarray]:
    """Over one chunk: its gradients, ∇ on its first state, and its last state.

    `g_end` is ∇ on its last state from later chunks; None cuts it off.
    """
    h = scan(p, (h0,), x).h
    nodes = backward(p, h, nll_grad(p.c + h[1:] @ p.V.T, y), g_end)
    return sum_over_copies(nodes, x, h), nodes.h[0], h[-1]


@checked
def truncated_bptt(p: RNN, x: Inputs, y: Targets, window: Count, h0: State | None = None) -> RNN:
    """Gradient by truncated back-propagation through time: states carried on, gradients cut.

    Section 10.2.2. The sequence is cut into chunks of `window` steps (the last may be shorter).
    Each chunk starts from the true last state of the chunk before it, but ∇_{h⁽ᵗ⁾}L is set to zero
    where it would cross into an earlier chunk. `window` ≥ tau gives the full gradient,
    a smaller one a biased gradient.

    Reference: williams1990
    """
    return cut_gradient(p, x, y, initial(len(p.b), h0=h0)[0], window)


def cut_gradient(
    p: RNN,
    x: np.ndarray,
    y: np.ndarray,
    h: np.ndarray,
    window: int,
) -> RNN:
    """Chunk after chunk: the state goes on, no gradient comes back (Section 10.2.2)."""
    total = tree.map(np.zeros_like, p)
    for start in range(0, len(x), window):
        part = slice(start, start + window)
        # the state goes on: h⁽ᵗ⁾ here is h⁽⁰⁾ of the next chunk;
        # the gradient does not: ∇_{h⁽ᵗ⁾}L = Vᵀ ∇_{o⁽ᵗ⁾}L
        grad, _, h = chunk_gradient(p, x[part], y[part], h, g_end=None)
        total = tree.map(np.add, total, grad)
    return total


@checked
def checkpointed_bptt(p: RNN, x: Inputs, y: Targets, every: Count, h0: State | None = None) -> RNN:
    """The full gradient with few stored states: keep every k-th, recompute the rest.

    Section 10.2.2. Forward, only h⁽⁰⁾, h⁽ᵏ⁾, h⁽²ᵏ⁾ … are kept (k = `every`). Backward, from the last
    chunk to the first, the states between two checkpoints are computed again, and the gradient on
    a chunk's first state is handed to the chunk before it. Nothing is cut, so the result is exact.
    k ≈ √tau needs the least memory.

    Reference: chen2016
    """
    return checkpoint_gradient(p, x, y, initial(len(p.b), h0=h0)[0], every)


def checkpoint_gradient(
    p: RNN,
    x: np.ndarray,
    y: np.ndarray,
    h: np.ndarray,
    every: int,
) -> RNN:
    """Forward, one state is kept a chunk; backward, the others are made again (10.2.2)."""
    chunks = [slice(start, start + every) for start in range(0, len(x), every)]
    kept = [h]
    for part in chunks[:-1]:
        # run on, keeping nothing but the last state
        kept += last(p, kept[-1:], x[part])
    total, g_end = tree.map(np.zeros_like, p), None
    for part in reversed(chunks):
        # the states of this chunk once more, from its checkpoint;
        # ∇ on its first state goes to the chunk before
        h = kept.pop()
        grad, g_end, _ = chunk_gradient(p, x[part], y[part], h, g_end)
        total = tree.map(np.add, total, grad)
    return total


@checked
def states_held(tau: Count, method: Literal["full", "truncated", "checkpointed"], k: int | None = None) -> int:
    """How many state vectors must be in memory at once to take the gradient.

    Section 10.2.2. ``"full"``: all tau + 1. ``"truncated"``: the k + 1 of one chunk.
    ``"checkpointed"``: the ⌈tau/k⌉ checkpoints plus the k further states of the chunk that is being
    recomputed; smallest, about 2√tau, at k ≈ √tau.

    k is the window or the spacing of the checkpoints; ``"full"`` does not use it.

    Reference: chen2016
    """
    if method == "full":
        return tau + 1
    k = min(integer("k", k, 1), tau)
    return k + 1 if method == "truncated" else ceil(tau / k) + k
