"""Plain gradient descent for many networks at once, to see how much the start decides.

Section 10.2.2: the equations of `summary_bptt` with two more axes, networks and sequences; the same cut short; and
the curvature of the loss where a descent ended.
"""

from typing import Annotated

import numpy as np

from companion.cells.rnn import RNN, RNNNodes, many
from companion.core import tree
from companion.core.checks import Classes, Count, checked
from companion.core.functions import log_softmax, softmax
from companion.core.scan import reverse_scan, scan

__all__ = ["curvatures", "descend", "descent_gradient", "stack"]


def stack(networks: list[RNN]) -> RNN:
    """S networks of one size, stacked along a new first axis: W is (S, n_h, n_h), and so on (Section 10.2.2)."""
    if not networks or not all(isinstance(p, RNN) for p in networks):
        raise ValueError(f"networks: want a list of at least one RNN, got {networks!r:.60}")
    shapes = {tuple(np.shape(v) for v in p) for p in networks}
    if len(shapes) > 1:
        raise ValueError(f"networks: want all of one size, got {len(shapes)} different sizes")
    return RNN(*(np.stack(v) for v in zip(*networks, strict=True)))


Networks = Annotated[RNN, "S"]
"""S networks stacked along a new first axis."""

Sequences = Annotated[np.ndarray, "n", "tau", "n_x"]

Answers = Annotated[np.ndarray, "n", Classes("n_o")]
"""One class for each sequence."""


@checked
def descent_gradient(p: Networks, x: Sequences, y: Answers, window: Count | None = None) -> tuple[np.ndarray, RNN]:
    """Mean loss over n sequences with one target each, and its gradient, for S networks at once.

    Equations (Section 10.2.2): those of `summary_bptt`, averaged over the sequences. A sequence of
    one step makes it a feed-forward network.

    Parameters
    ----------
    window : truncated BPTT: only the last `window` steps hear of the loss; None cuts nothing.

    Returns
    -------
    loss : shape (S,), in nats.
    grad : RNN of the shapes of `p`.
    """
    return _gradient(p, x, y, window)


def _gradient(p: RNN, x: np.ndarray, y: np.ndarray, window: int | None = None) -> tuple[np.ndarray, RNN]:
    """The equations for sequences side by side, one in each column: h⁽ᵗ⁾ is (S, n_h, n)."""
    n, net, x = len(x), many(p), np.moveaxis(x, 0, 2)  # x: (tau, n_x, n)
    h = scan(net, (np.zeros((*p.b.shape, n)),), x).h
    o = np.moveaxis(net.c + p.V @ h[-1], 1, 2)  # (S, n, n_o)
    loss = -log_softmax(o)[:, np.arange(n), y].mean(axis=1)
    g_o = np.moveaxis((softmax(o) - np.eye(o.shape[-1])[y]) / n, 1, 2)
    first = 0 if window is None else max(0, len(x) - window)
    x, h = x[first:], h[first:]
    g_a = reverse_scan(net, RNNNodes(h=h), (p.V.mT @ g_o,)).a
    U, W = ((g_a @ below.mT).sum(axis=0) for below in (x[:, None], h[:-1]))
    return loss, RNN(U, W, g_o @ h[-1].mT, g_a.sum(axis=(0, 3)), g_o.sum(axis=2))


@checked
def descend(
    p: Networks, x: Sequences, y: Answers, lr: Annotated[float, (0, None)], steps: Count
) -> tuple[RNN, np.ndarray]:
    """Plain gradient descent on all sequences at once, each of S networks on its own.

    Equation (Section 10.2.2): θ ← θ − lr ∇_θ L, `steps` times.

    Returns
    -------
    p : stacked parameters at the end.
    losses : shape (steps, S), the mean loss before each step.
    """
    losses = np.empty((steps, len(p.b)))
    for i in range(steps):
        losses[i], grad = _gradient(p, x, y)
        p = tree.map(lambda v, g: v - lr * g, p, grad)
    return p, losses


@checked
def curvatures(p: Networks, x: Sequences, y: Answers) -> np.ndarray:
    """Eigenvalues of each network's Hessian ∂²L/∂θ², smallest first: shape (S, number of parameters).

    Section 10.2.2. Column j of the Hessian is (∇L(θ + εeⱼ) − ∇L(θ − εeⱼ)) / 2ε, from `descent_gradient`.
    """
    here = _flat(p)
    columns = []
    for step in 1e-4 * np.eye(here.shape[1]):
        ahead, behind = (_flat(_gradient(_unflat(v, p), x, y)[1]) for v in (here + step, here - step))
        columns.append((ahead - behind) / 2e-4)
    hessian = np.stack(columns, axis=2)
    return np.linalg.eigvalsh((hessian + hessian.mT) / 2)


def _flat(p: RNN) -> np.ndarray:
    """(S, number of parameters)."""
    return np.concatenate([v.reshape(len(v), -1) for v in p], axis=1)


def _unflat(rows: np.ndarray, like: RNN) -> RNN:
    cuts = np.cumsum([v[0].size for v in like])[:-1]
    return RNN(*(part.reshape(v.shape) for part, v in zip(np.split(rows, cuts, axis=1), like, strict=True)))
