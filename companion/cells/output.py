"""Recurrence from the output only: what step t says is all that step t + 1 hears of the past.

Section 10.2 (the pattern), Section 10.2.1 (teacher forcing) and Section 10.2.2 (gradient).
"""

from typing import Any, NamedTuple

import numpy as np

from companion.cells.rnn import gaussian
from companion.core.checks import array, choice, integer, sequence, targets
from companion.core.functions import nll, nll_grad, softmax

__all__ = [
    "OutputRNN",
    "OutputRun",
    "output_rnn_bptt",
    "output_rnn_forward",
    "output_rnn_init",
    "output_rnn_loss",
]


class OutputRNN(NamedTuple):
    """Parameters of a network whose only recurrence runs from the output to the hidden layer."""

    U: np.ndarray  # (n_h, n_x) input → hidden
    W: np.ndarray  # (n_h, n_o) output of the step before → hidden
    V: np.ndarray  # (n_o, n_h) hidden → output
    b: np.ndarray  # (n_h,)
    c: np.ndarray  # (n_o,)


class OutputRun(NamedTuple):
    """Everything that one forward pass computed; `z[t]` is what step t hands to step t + 1."""

    a: np.ndarray  # (tau, n_h) pre-activations
    h: np.ndarray  # (tau + 1, n_h) hidden layers; h[0] is zero and nothing reads it
    o: np.ndarray  # (tau, n_o) logits
    yhat: np.ndarray  # (tau, n_o) probabilities
    z: np.ndarray  # (tau + 1, n_o) fed back: one-hot target (teacher) or yhat (free); z[0] is zero


def _checked(p: Any) -> OutputRNN:
    if not isinstance(p, OutputRNN):
        raise ValueError(f"p: want the parameters as OutputRNN(U, W, V, b, c), got {type(p).__name__}")
    U = array("p.U", p.U, ("n_h", "n_x"))
    V = array("p.V", p.V, ("n_o", len(U)))
    n_o, n_h = V.shape
    return OutputRNN(U, array("p.W", p.W, (n_h, n_o)), V, array("p.b", p.b, (n_h,)), array("p.c", p.c, (n_o,)))


def output_rnn_init(n_x: int, n_h: int, n_o: int, rng: np.random.Generator) -> OutputRNN:
    """Random parameters: Gaussian weights of variance 1/fan-in, zero biases.

    Section 10.2.

    Parameters
    ----------
    n_x, n_h, n_o : sizes of input, hidden layer and output.
    rng : the only source of randomness.

    Returns
    -------
    OutputRNN
    """
    n_x, n_h, n_o = integer("n_x", n_x, 1), integer("n_h", n_h, 1), integer("n_o", n_o, 1)
    U, W, V = gaussian((n_h, n_x), rng), gaussian((n_h, n_o), rng), gaussian((n_o, n_h), rng)
    return OutputRNN(U, W, V, np.zeros(n_h), np.zeros(n_o))


def output_rnn_forward(p: OutputRNN, x: np.ndarray, y: np.ndarray | None = None) -> OutputRun:
    """Run an output-recurrent network, teacher forced (targets given) or free (None).

    Equations (Section 10.2): a⁽ᵗ⁾ = b + W z⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾, h⁽ᵗ⁾ = tanh a⁽ᵗ⁾, o⁽ᵗ⁾ = c + V h⁽ᵗ⁾,
    ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾), with z⁽⁰⁾ = 0 and z⁽ᵗ⁾ = onehot(y⁽ᵗ⁾) under teacher forcing
    (Section 10.2.1), z⁽ᵗ⁾ = ŷ⁽ᵗ⁾ running free.

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    y : target classes to feed back, integers of shape (tau,), or None to feed back ŷ.

    Returns
    -------
    OutputRun

    Reference: jordan1986, williams1989, goodfellow2016
    """
    p = _checked(p)
    x = sequence("x", x, p.U.shape[1])
    tau, (n_o, n_h) = len(x), p.V.shape
    forced = None if y is None else np.eye(n_o)[targets("y", y, tau, n_o)]
    a, h = np.empty((tau, n_h)), np.zeros((tau + 1, n_h))
    o, yhat, z = np.empty((tau, n_o)), np.empty((tau, n_o)), np.zeros((tau + 1, n_o))
    for t in range(1, tau + 1):
        a[t - 1] = p.b + p.W @ z[t - 1] + p.U @ x[t - 1]
        h[t] = np.tanh(a[t - 1])
        o[t - 1] = p.c + p.V @ h[t]
        yhat[t - 1] = softmax(o[t - 1])
        z[t] = yhat[t - 1] if forced is None else forced[t - 1]
    return OutputRun(a, h, o, yhat, z)


def output_rnn_loss(run: OutputRun, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Total negative log-likelihood of the targets, and each step's share.

    Equation (Section 10.2): L = Σₜ L⁽ᵗ⁾, L⁽ᵗ⁾ = −log ŷ⁽ᵗ⁾_{y⁽ᵗ⁾}.

    Parameters
    ----------
    run : what `output_rnn_forward` returned.
    y : target classes, integers of shape (tau,).

    Returns
    -------
    loss : float, in nats.
    loss_t : shape (tau,).
    """
    if not isinstance(run, OutputRun):
        raise ValueError(f"run: want what output_rnn_forward returned, got {type(run).__name__}")
    loss_t = nll(run.o, y)
    return float(loss_t.sum()), loss_t


def output_rnn_bptt(p: OutputRNN, x: np.ndarray, y: np.ndarray, forced: bool = True) -> OutputRNN:
    """Gradient of the total loss of an output-recurrent network, teacher forced or free.

    Equations (Section 10.2.2): ∇_{o⁽ᵗ⁾}L = ŷ⁽ᵗ⁾ − onehot(y⁽ᵗ⁾), to which a free run adds
    (diag ŷ⁽ᵗ⁾ − ŷ⁽ᵗ⁾ŷ⁽ᵗ⁾ᵀ) Wᵀ ∇_{a⁽ᵗ⁺¹⁾}L; ∇_{a⁽ᵗ⁾}L = diag(1 − (h⁽ᵗ⁾)²) Vᵀ ∇_{o⁽ᵗ⁾}L. Under teacher
    forcing no step hears from a later one (Section 10.2.1).

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    y : target classes, integers of shape (tau,).
    forced : feed back the targets (True) or the network's own ŷ (False).

    Returns
    -------
    OutputRNN of gradients

    Reference: williams1989, goodfellow2016
    """
    p = _checked(p)
    choice("forced", forced, (True, False))
    run = output_rnn_forward(p, x, y if forced else None)
    g_o, g_a = nll_grad(run.o, y), np.empty_like(run.a)
    for t in range(len(g_o), 0, -1):
        if not forced and t < len(g_o):
            g_z = p.W.T @ g_a[t]  # from step t + 1, whose row is t
            g_o[t - 1] += run.yhat[t - 1] * (g_z - run.yhat[t - 1] @ g_z)
        g_a[t - 1] = (1.0 - run.h[t] ** 2) * (p.V.T @ g_o[t - 1])
    return OutputRNN(
        U=g_a.T @ sequence("x", x), W=g_a.T @ run.z[:-1], V=g_o.T @ run.h[1:], b=g_a.sum(axis=0), c=g_o.sum(axis=0)
    )
