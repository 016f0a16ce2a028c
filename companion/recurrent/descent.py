"""Plain gradient descent for many networks at once, to see how much the start decides.

Section 10.2.2: the equations of `summary_bptt` with two more axes, networks and sequences.
"""

import numpy as np

from companion.cells.rnn import RNN
from companion.core.checks import array, integer, number, targets
from companion.core.functions import log_softmax, softmax

__all__ = ["descend", "descent_gradient", "stack"]


def stack(networks: list[RNN]) -> RNN:
    """Networks of one size, stacked along a new first axis.

    Section 10.2.2.

    Parameters
    ----------
    networks : parameters of S networks of the same sizes.

    Returns
    -------
    RNN whose arrays have a leading axis of length S, e.g. W of shape (S, n_h, n_h).
    """
    if not networks or not all(isinstance(p, RNN) for p in networks):
        raise ValueError(f"networks: want a list of at least one RNN, got {networks!r:.60}")
    shapes = {tuple(np.shape(v) for v in p) for p in networks}
    if len(shapes) > 1:
        raise ValueError(f"networks: want all of one size, got {len(shapes)} different sizes")
    return RNN(*(np.stack(v) for v in zip(*networks, strict=True)))


def _checked_many(p: RNN, x: np.ndarray, y: np.ndarray) -> tuple[RNN, np.ndarray, np.ndarray]:
    if not isinstance(p, RNN):
        raise ValueError(f"p: want stacked parameters as RNN(U, W, V, b, c), got {type(p).__name__}")
    U = array("p.U", p.U, ("S", "n_h", "n_x"))
    S, n_h, n_x = U.shape
    V = array("p.V", p.V, (S, "n_o", n_h))
    n_o = V.shape[1]
    x = array("x", x, ("n", "tau", n_x))
    W, b, c = array("p.W", p.W, (S, n_h, n_h)), array("p.b", p.b, (S, n_h)), array("p.c", p.c, (S, n_o))
    return RNN(U, W, V, b, c), x, targets("y", y, len(x), n_o)


def descent_gradient(p: RNN, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, RNN]:
    """Mean loss over n sequences with one target each, and its gradient, for S networks at once.

    Equations (Section 10.2.2): those of `summary_bptt`, averaged over the sequences. A sequence of
    one step makes it a feed-forward network.

    Parameters
    ----------
    p : stacked parameters, S networks.
    x : inputs, shape (n, tau, n_x).
    y : target classes, integers of shape (n,).

    Returns
    -------
    loss : shape (S,), in nats.
    grad : RNN of the shapes of `p`.
    """
    return _gradient(*_checked_many(p, x, y))


def _gradient(p: RNN, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, RNN]:
    n, tau, _ = x.shape
    U, W, V = (np.swapaxes(m, 1, 2) for m in (p.U, p.W, p.V))
    h = [np.zeros((len(p.b), n, p.b.shape[1]))]
    for t in range(tau):
        h.append(np.tanh(p.b[:, None] + h[t] @ W + x[:, t] @ U))
    o = p.c[:, None] + h[-1] @ V
    loss = -log_softmax(o)[:, np.arange(n), y].mean(axis=1)
    g_o = (softmax(o) - np.eye(o.shape[-1])[y]) / n
    grad_V, g_h = np.swapaxes(g_o, 1, 2) @ h[-1], g_o @ p.V
    grad_U, grad_W, grad_b = np.zeros_like(p.U), np.zeros_like(p.W), np.zeros_like(p.b)
    for t in range(tau, 0, -1):
        g_a = (1.0 - h[t] ** 2) * g_h
        grad_U += np.swapaxes(g_a, 1, 2) @ x[:, t - 1]
        grad_W += np.swapaxes(g_a, 1, 2) @ h[t - 1]
        grad_b += g_a.sum(axis=1)
        g_h = g_a @ p.W
    return loss, RNN(grad_U, grad_W, grad_V, grad_b, g_o.sum(axis=1))


def descend(p: RNN, x: np.ndarray, y: np.ndarray, lr: float, steps: int) -> tuple[RNN, np.ndarray]:
    """Plain gradient descent on all sequences at once, each of S networks on its own.

    Equation (Section 10.2.2): θ ← θ − lr ∇_θ L, `steps` times.

    Parameters
    ----------
    p : stacked parameters of S networks.
    x : inputs, shape (n, tau, n_x).
    y : target classes, integers of shape (n,).
    lr : learning rate.
    steps : number of steps.

    Returns
    -------
    p : stacked parameters at the end.
    losses : shape (steps, S), the mean loss before each step.
    """
    p, x, y = _checked_many(p, x, y)
    lr, steps = number("lr", lr, 0.0), integer("steps", steps, 1)
    losses = np.empty((steps, len(p.b)))
    for i in range(steps):
        losses[i], grad = _gradient(p, x, y)
        p = RNN(*(v - lr * g for v, g in zip(p, grad, strict=True)))
    return p, losses
