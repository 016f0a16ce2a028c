"""The plain recurrent cell with an output at every step: forward, loss and back-propagation through time.

Section 10.2 (forward and loss) and Section 10.2.2 (gradient). NumPy float64, one sequence, no batch axis. Rows of `h`
are times: `h[0]` is h⁽⁰⁾ and `h[t]` is h⁽ᵗ⁾, so `h` has tau + 1 rows; `x`, `a`, `o`, `yhat`, `y` have tau rows.
"""

from typing import Annotated, NamedTuple

import numpy as np

from companion.core.checks import Count, checked
from companion.core.functions import Targets, nll, nll_grad, softmax, spectral_radius
from companion.core.scan import initial, reverse_scan, scan

__all__ = [
    "RNN",
    "Inputs",
    "Layer",
    "RNNGrads",
    "RNNNodes",
    "RNNRun",
    "State",
    "Targets",
    "backward",
    "gaussian",
    "many",
    "rnn_bptt",
    "rnn_bptt_nodes",
    "rnn_forward",
    "rnn_init",
    "rnn_loss",
    "sum_over_copies",
]


Inputs = Annotated[np.ndarray, "tau", "n_x"]

State = Annotated[np.ndarray, "n_h"]
"""An initial state; None is zero."""


class RNNNodes(NamedTuple):
    """What one step computes (or gradients on it): pre-activation a and state h."""

    a: np.ndarray | None = None
    h: np.ndarray | None = None


class RNN(NamedTuple):
    """Parameters of a network with hidden-to-hidden recurrence (or gradients of the same shapes)."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # input → hidden
    W: Annotated[np.ndarray, "n_h", "n_h"]  # hidden → hidden
    V: Annotated[np.ndarray, "n_o", "n_h"]  # hidden → output
    b: Annotated[np.ndarray, "n_h"]
    c: Annotated[np.ndarray, "n_o"]

    state = ("h",)

    def step(self, x: np.ndarray, h: np.ndarray) -> RNNNodes:
        """One step of the recurrence (Section 10.2)."""
        # a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾
        a = self.b + self.W @ h + self.U @ x
        # h⁽ᵗ⁾ = tanh(a⁽ᵗ⁾)
        h = np.tanh(a)
        return RNNNodes(a, h)

    def back(self, now: RNNNodes, before: RNNNodes, d: RNNNodes) -> tuple[RNNNodes, RNNNodes]:
        """The same step backward; d.h is ∇_{h⁽ᵗ⁾}L (Section 10.2.2)."""
        # ∇_{a⁽ᵗ⁾}L = diag(1 − (h⁽ᵗ⁾)²) ∇_{h⁽ᵗ⁾}L
        a = (1.0 - now.h**2) * d.h
        # what step t adds to ∇_{h⁽ᵗ⁻¹⁾}L: Wᵀ ∇_{a⁽ᵗ⁾}L
        h = self.W.mT @ a
        return RNNNodes(a, d.h), RNNNodes(h=h)


class Layer(NamedTuple):
    """The recurrent layer alone, without an output: h⁽ᵗ⁾ = tanh(b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾)."""

    U: Annotated[np.ndarray, "n_h", "n_x"]
    W: Annotated[np.ndarray, "n_h", "n_h"]
    b: Annotated[np.ndarray, "n_h"]

    state = ("h",)
    step = RNN.step
    back = RNN.back


def many(p: RNN) -> RNN:
    """The same network with biases as columns: its `step` carries many sequences side by side, one in each column."""
    return p._replace(b=p.b[..., None], c=p.c[..., None])


class RNNRun(NamedTuple):
    """Everything that one forward pass computed."""

    a: np.ndarray  # (tau, n_h) pre-activations
    h: np.ndarray  # (tau + 1, n_h) states; h[0] is the initial state
    o: np.ndarray  # (tau, n_o) logits; (1, n_o) where there is one output at the end
    yhat: np.ndarray  # as o: probabilities


class RNNGrads(NamedTuple):
    """Gradients of the total loss on the nodes of the unfolded graph."""

    o: np.ndarray  # (tau, n_o)
    h: np.ndarray  # (tau + 1, n_h); h[0] is the gradient on the initial state
    a: np.ndarray  # (tau, n_h)


@checked
def gaussian(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A matrix of independent normal numbers of variance 1 / (number of columns)."""
    return rng.normal(size=shape) / np.sqrt(shape[1])


@checked
def rnn_init(
    n_x: Count, n_h: Count, n_o: Count, rng: np.random.Generator, radius: Annotated[float, (0, None)] | None = None
) -> RNN:
    """Random parameters: Gaussian weights of variance 1/fan-in, zero biases.

    Section 10.2. With `radius`, W is rescaled so that its largest |eigenvalue| is `radius` (10.7).
    """
    U, W, V = gaussian((n_h, n_x), rng), gaussian((n_h, n_h), rng), gaussian((n_o, n_h), rng)
    if radius is not None:
        W = W * (radius / spectral_radius(W))
    return RNN(U, W, V, np.zeros(n_h), np.zeros(n_o))


@checked
def rnn_forward(p: RNN, x: Inputs, h0: State | None = None) -> RNNRun:
    """Run a recurrent network over a sequence, one output at each step.

    Equations (Section 10.2): a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾, h⁽ᵗ⁾ = tanh a⁽ᵗ⁾,
    o⁽ᵗ⁾ = c + V h⁽ᵗ⁾, ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾).

    Reference: goodfellow2016
    """
    a, h = scan(p, initial(len(p.b), h0=h0), x)
    o = p.c + h[1:] @ p.V.T
    return RNNRun(a, h, o, softmax(o))


@checked
def rnn_loss(run: RNNRun, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Total negative log-likelihood of the targets y, in nats, and each step's share, (tau,).

    Equation (Section 10.2): L = Σₜ L⁽ᵗ⁾, L⁽ᵗ⁾ = −log ŷ⁽ᵗ⁾_{y⁽ᵗ⁾}.
    """
    loss_t = nll(run.o, y)
    return float(loss_t.sum()), loss_t


def backward(p: RNN, h: np.ndarray, g_o: np.ndarray, g_end: np.ndarray | None = None) -> RNNGrads:
    """From ∇_o at every step, and what reaches h⁽τ⁾ from later steps, the gradient on every node."""
    # what each output sends to its state: Vᵀ ∇_{o⁽ᵗ⁾}L
    g_h = g_o @ p.V
    nodes = reverse_scan(p, RNNNodes(h=h), None if g_end is None else (g_end,), h=g_h)
    return RNNGrads(g_o, nodes.h, nodes.a)


def sum_over_copies(nodes: RNNGrads, x: np.ndarray, h: np.ndarray) -> RNN:
    """Each sum over t of an outer product, written as one matrix product."""
    return RNN(
        U=nodes.a.T @ x,  # Σₜ (∇_{a⁽ᵗ⁾}L) x⁽ᵗ⁾ᵀ
        W=nodes.a.T @ h[:-1],  # Σₜ (∇_{a⁽ᵗ⁾}L) h⁽ᵗ⁻¹⁾ᵀ
        V=nodes.o.T @ h[1:],  # Σₜ (∇_{o⁽ᵗ⁾}L) h⁽ᵗ⁾ᵀ
        b=nodes.a.sum(axis=0),  # Σₜ ∇_{a⁽ᵗ⁾}L
        c=nodes.o.sum(axis=0),  # Σₜ ∇_{o⁽ᵗ⁾}L
    )


@checked
def rnn_bptt_nodes(p: RNN, x: Inputs, y: Targets, h0: State | None = None) -> RNNGrads:
    """Back-propagation through time: the gradient of L on every node of the unfolded graph.

    Equations (Section 10.2.2), for t = τ … 1:
    ∇_{o⁽ᵗ⁾}L = ŷ⁽ᵗ⁾ − onehot(y⁽ᵗ⁾),
    ∇_{h⁽ᵗ⁾}L = Vᵀ ∇_{o⁽ᵗ⁾}L + Wᵀ diag(1 − (h⁽ᵗ⁺¹⁾)²) ∇_{h⁽ᵗ⁺¹⁾}L (first term alone at t = τ),
    ∇_{a⁽ᵗ⁾}L = diag(1 − (h⁽ᵗ⁾)²) ∇_{h⁽ᵗ⁾}L.

    Reference: werbos1990, goodfellow2016
    """
    run = rnn_forward(p, x, h0)
    return backward(p, run.h, nll_grad(run.o, y))


@checked
def rnn_bptt(p: RNN, x: Inputs, y: Targets, h0: State | None = None) -> RNN:
    """Gradient of the total loss with respect to every parameter, in the parameters' own type.

    Equations (Section 10.2.2): ∇_c L = Σₜ ∇_{o⁽ᵗ⁾}L, ∇_b L = Σₜ ∇_{a⁽ᵗ⁾}L,
    ∇_V L = Σₜ (∇_{o⁽ᵗ⁾}L) h⁽ᵗ⁾ᵀ, ∇_W L = Σₜ (∇_{a⁽ᵗ⁾}L) h⁽ᵗ⁻¹⁾ᵀ,
    ∇_U L = Σₜ (∇_{a⁽ᵗ⁾}L) x⁽ᵗ⁾ᵀ.

    Reference: werbos1990, goodfellow2016
    """
    run = rnn_forward(p, x, h0)
    nodes = backward(p, run.h, nll_grad(run.o, y))
    return sum_over_copies(nodes, x, run.h)
