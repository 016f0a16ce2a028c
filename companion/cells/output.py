"""Recurrence from the output only: what step t says is all that step t + 1 hears of the past.

Section 10.2 (the pattern), Section 10.2.1 (teacher forcing) and Section 10.2.2 (gradient).
"""

from typing import Annotated, NamedTuple

import numpy as np
from scipy.special import softmax

from companion.cells.rnn import Inputs, Targets, gaussian
from companion.core.checks import Count, checked
from companion.core.functions import nll, nll_grad
from companion.core.scan import reverse_scan, scan

__all__ = [
    "OutputNodes",
    "OutputRNN",
    "output_rnn_bptt",
    "output_rnn_forward",
    "output_rnn_init",
    "output_rnn_loss",
]


class OutputNodes(NamedTuple):
    """What one step computes, a run (or gradients on it); `z[t]` is what step t hands to step t + 1."""

    a: np.ndarray | None = None  # (tau, n_h) pre-activations
    h: np.ndarray | None = None  # (tau + 1, n_h) hidden layers; h[0] is zero and nothing reads it
    o: np.ndarray | None = None  # (tau, n_o) logits
    yhat: np.ndarray | None = None  # (tau, n_o) probabilities
    z: np.ndarray | None = None  # (tau + 1, n_o) fed back: one-hot target (teacher) or yhat (free); z[0] is zero


class OutputRNN(NamedTuple):
    """Parameters of a network whose only recurrence runs from the output to the hidden layer."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # input → hidden
    W: Annotated[np.ndarray, "n_h", "n_o"]  # output of the step before → hidden
    V: Annotated[np.ndarray, "n_o", "n_h"]  # hidden → output
    b: Annotated[np.ndarray, "n_h"]
    c: Annotated[np.ndarray, "n_o"]

    state = ("z",)

    def step(self, x: np.ndarray, y: np.ndarray | None, z: np.ndarray) -> OutputNodes:
        """One step of output recurrence (Section 10.2); y is the teacher's one-hot target, or None."""
        # a⁽ᵗ⁾ = b + W z⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾
        a = self.b + self.W @ z + self.U @ x
        # h⁽ᵗ⁾ = tanh(a⁽ᵗ⁾)
        h = np.tanh(a)
        # o⁽ᵗ⁾ = c + V h⁽ᵗ⁾
        o = self.c + self.V @ h
        # ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾)
        yhat = softmax(o)
        # z⁽ᵗ⁾ = y⁽ᵗ⁾ with a teacher, ŷ⁽ᵗ⁾ without
        z = yhat if y is None else y
        return OutputNodes(a, h, o, yhat, z)

    def back(self, now: OutputNodes, _: OutputNodes, d: OutputNodes) -> tuple[OutputNodes, OutputNodes]:
        """The same step backward, running free; d.o is ŷ⁽ᵗ⁾ − y⁽ᵗ⁾, d.z what step t + 1 sends (Section 10.2.2)."""
        # ∇_{o⁽ᵗ⁾}L = ŷ⁽ᵗ⁾ − y⁽ᵗ⁾ + (diag ŷ⁽ᵗ⁾ − ŷ⁽ᵗ⁾ŷ⁽ᵗ⁾ᵀ) ∇_{z⁽ᵗ⁾}L
        o = d.o + now.yhat * (d.z - now.yhat @ d.z)
        # ∇_{h⁽ᵗ⁾}L = Vᵀ ∇_{o⁽ᵗ⁾}L
        h = self.V.T @ o
        # ∇_{a⁽ᵗ⁾}L = diag(1 − (h⁽ᵗ⁾)²) ∇_{h⁽ᵗ⁾}L
        a = (1.0 - now.h**2) * h
        # to z⁽ᵗ⁻¹⁾: Wᵀ ∇_{a⁽ᵗ⁾}L
        z = self.W.T @ a
        return OutputNodes(a, h, o, d.z, d.z), OutputNodes(z=z)


@checked
def output_rnn_init(n_x: Count, n_h: Count, n_o: Count, rng: np.random.Generator) -> OutputRNN:
    """Random parameters: Gaussian weights of variance 1/fan-in, zero biases (Section 10.2)."""
    U, W, V = gaussian((n_h, n_x), rng), gaussian((n_h, n_o), rng), gaussian((n_o, n_h), rng)
    return OutputRNN(U, W, V, np.zeros(n_h), np.zeros(n_o))


@checked
def output_rnn_forward(p: OutputRNN, x: Inputs, y: Targets | None = None) -> OutputNodes:
    """Run an output-recurrent network, teacher forced (targets given) or free (None).

    Equations (Section 10.2): a⁽ᵗ⁾ = b + W z⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾, h⁽ᵗ⁾ = tanh a⁽ᵗ⁾, o⁽ᵗ⁾ = c + V h⁽ᵗ⁾,
    ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾), with z⁽⁰⁾ = 0 and z⁽ᵗ⁾ = onehot(y⁽ᵗ⁾) under teacher forcing
    (Section 10.2.1), z⁽ᵗ⁾ = ŷ⁽ᵗ⁾ running free.

    Reference: jordan1986, williams1989, goodfellow2016
    """
    teacher = [None] * len(x) if y is None else np.eye(len(p.c))[y]
    run = scan(p, (np.zeros(len(p.c)),), x, teacher)
    return run._replace(h=np.vstack([np.zeros(len(p.b)), run.h]))


@checked
def output_rnn_loss(run: OutputNodes, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Total negative log-likelihood of the targets y, in nats, and each step's share, (tau,).

    Equation (Section 10.2): L = Σₜ L⁽ᵗ⁾, L⁽ᵗ⁾ = −log ŷ⁽ᵗ⁾_{y⁽ᵗ⁾}.
    """
    loss_t = nll(run.o, y)
    return float(loss_t.sum()), loss_t


@checked
def output_rnn_bptt(p: OutputRNN, x: Inputs, y: Targets, forced: bool = True) -> OutputRNN:
    """Gradient of the total loss of a network that is fed the targets (`forced`) or its own ŷ.

    Equations (Section 10.2.2): ∇_{o⁽ᵗ⁾}L = ŷ⁽ᵗ⁾ − onehot(y⁽ᵗ⁾), to which a free run adds
    (diag ŷ⁽ᵗ⁾ − ŷ⁽ᵗ⁾ŷ⁽ᵗ⁾ᵀ) Wᵀ ∇_{a⁽ᵗ⁺¹⁾}L; ∇_{a⁽ᵗ⁾}L = diag(1 − (h⁽ᵗ⁾)²) Vᵀ ∇_{o⁽ᵗ⁾}L. Under teacher
    forcing no step hears from a later one (Section 10.2.1).

    Reference: williams1989, goodfellow2016
    """
    run = output_rnn_forward(p, x, y if forced else None)
    g_o = nll_grad(run.o, y)
    if forced:  # a target does not depend on what was said, so nothing travels from step to step
        g_a = (1.0 - run.h[1:] ** 2) * (g_o @ p.V)
    else:
        nodes = reverse_scan(p, run._replace(h=run.h[1:]), o=g_o)
        g_o, g_a = nodes.o, nodes.a
    return OutputRNN(U=g_a.T @ x, W=g_a.T @ run.z[:-1], V=g_o.T @ run.h[1:], b=g_a.sum(axis=0), c=g_o.sum(axis=0))
