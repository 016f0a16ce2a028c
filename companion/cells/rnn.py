"""Hidden-to-hidden recurrence with an output at every step: forward, loss and BPTT.

Section 10.2 (forward and loss) and Section 10.2.2 (gradient).
"""

from typing import Any, NamedTuple

import numpy as np

from companion.core.checks import array, generator, integer, number, sequence
from companion.core.functions import nll, nll_grad, softmax

__all__ = ["RNN", "Nodes", "Run", "rnn_bptt", "rnn_bptt_nodes", "rnn_forward", "rnn_init", "rnn_loss"]


class RNN(NamedTuple):
    """Parameters of a network with hidden-to-hidden recurrence (or gradients of the same shapes)."""

    U: np.ndarray  # (n_h, n_x) input → hidden
    W: np.ndarray  # (n_h, n_h) hidden → hidden
    V: np.ndarray  # (n_o, n_h) hidden → output
    b: np.ndarray  # (n_h,)
    c: np.ndarray  # (n_o,)


class Run(NamedTuple):
    """Everything that one forward pass computed."""

    a: np.ndarray  # (tau, n_h) pre-activations
    h: np.ndarray  # (tau + 1, n_h) states; h[0] is the initial state
    o: np.ndarray  # (tau, n_o) logits; (1, n_o) where there is one output at the end
    yhat: np.ndarray  # as o: probabilities


class Nodes(NamedTuple):
    """Gradients of the total loss on the nodes of the unfolded graph."""

    o: np.ndarray  # (tau, n_o)
    h: np.ndarray  # (tau + 1, n_h); h[0] is the gradient on the initial state
    a: np.ndarray  # (tau, n_h)


def checked(p: Any) -> RNN:
    """The parameters as float64 arrays whose shapes fit together, or a ValueError that says what does not."""
    if not isinstance(p, RNN):
        raise ValueError(f"p: want the parameters as RNN(U, W, V, b, c), got {type(p).__name__}")
    U = array("p.U", p.U, ("n_h", "n_x"))
    n_h = len(U)
    V = array("p.V", p.V, ("n_o", n_h))
    return RNN(U, array("p.W", p.W, (n_h, n_h)), V, array("p.b", p.b, (n_h,)), array("p.c", p.c, (len(V),)))


def gaussian(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A matrix of independent normal numbers of variance 1 / (number of columns)."""
    generator("rng", rng)
    return rng.normal(size=shape) / np.sqrt(shape[1])


def initial(p: RNN, h0: np.ndarray | None) -> np.ndarray:
    """The initial state: zeros unless one is given."""
    return np.zeros(len(p.b)) if h0 is None else array("h0", h0, (len(p.b),))


def rnn_init(n_x: int, n_h: int, n_o: int, rng: np.random.Generator, radius: float | None = None) -> RNN:
    """Random parameters: Gaussian weights of variance 1/fan-in, zero biases.

    Section 10.2. With `radius`, W is rescaled so that its largest |eigenvalue| is `radius` (10.7).

    Parameters
    ----------
    n_x, n_h, n_o : sizes of input, state and output.
    rng : the only source of randomness.
    radius : spectral radius of W, or None to leave W as drawn.

    Returns
    -------
    RNN
    """
    n_x, n_h, n_o = integer("n_x", n_x, 1), integer("n_h", n_h, 1), integer("n_o", n_o, 1)
    U, W, V = gaussian((n_h, n_x), rng), gaussian((n_h, n_h), rng), gaussian((n_o, n_h), rng)
    if radius is not None:
        W = W * (number("radius", radius, 0.0) / np.abs(np.linalg.eigvals(W)).max())
    return RNN(U, W, V, np.zeros(n_h), np.zeros(n_o))


def states(p: RNN, x: np.ndarray, h0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ and h⁽ᵗ⁾ = tanh a⁽ᵗ⁾ for every t."""
    tau = len(x)
    a = np.empty((tau, len(p.b)))
    h = np.empty((tau + 1, len(p.b)))
    h[0] = h0
    for t in range(1, tau + 1):
        a[t - 1] = p.b + p.W @ h[t - 1] + p.U @ x[t - 1]
        h[t] = np.tanh(a[t - 1])
    return a, h


def rnn_forward(p: RNN, x: np.ndarray, h0: np.ndarray | None = None) -> Run:
    """Run a recurrent network over a sequence, one output at each step.

    Equations (Section 10.2): a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾, h⁽ᵗ⁾ = tanh a⁽ᵗ⁾,
    o⁽ᵗ⁾ = c + V h⁽ᵗ⁾, ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾).

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    h0 : initial state, shape (n_h,); zeros if None.

    Returns
    -------
    Run

    Reference: goodfellow2016
    """
    p = checked(p)
    x = sequence("x", x, p.U.shape[1])
    a, h = states(p, x, initial(p, h0))
    o = p.c + h[1:] @ p.V.T
    return Run(a, h, o, softmax(o))


def rnn_loss(run: Run, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Total negative log-likelihood of the targets, and each step's share.

    Equation (Section 10.2): L = Σₜ L⁽ᵗ⁾, L⁽ᵗ⁾ = −log ŷ⁽ᵗ⁾_{y⁽ᵗ⁾}.

    Parameters
    ----------
    run : what `rnn_forward` returned.
    y : target classes, integers of shape (tau,).

    Returns
    -------
    loss : float, in nats.
    loss_t : shape (tau,).
    """
    if not isinstance(run, Run):
        raise ValueError(f"run: want what rnn_forward returned, got {type(run).__name__}")
    loss_t = nll(run.o, y)
    return float(loss_t.sum()), loss_t


def backward(p: RNN, h: np.ndarray, g_o: np.ndarray, g_end: np.ndarray | float = 0.0) -> Nodes:
    """From ∇_o at every step, and what reaches h⁽τ⁾ from later steps, the gradient on every node."""
    tau = len(g_o)
    g_h, g_a = np.empty_like(h), np.empty_like(h[1:])
    from_later = g_end
    for t in range(tau, 0, -1):
        g_h[t] = from_later + p.V.T @ g_o[t - 1]
        g_a[t - 1] = (1.0 - h[t] ** 2) * g_h[t]
        from_later = p.W.T @ g_a[t - 1]
    g_h[0] = from_later
    return Nodes(g_o, g_h, g_a)


def sum_over_copies(nodes: Nodes, x: np.ndarray, h: np.ndarray) -> RNN:
    """Each sum over t of an outer product, written as one matrix product."""
    return RNN(
        U=nodes.a.T @ x,
        W=nodes.a.T @ h[:-1],
        V=nodes.o.T @ h[1:],
        b=nodes.a.sum(axis=0),
        c=nodes.o.sum(axis=0),
    )


def rnn_bptt_nodes(p: RNN, x: np.ndarray, y: np.ndarray, h0: np.ndarray | None = None) -> Nodes:
    """Back-propagation through time: the gradient of L on every node of the unfolded graph.

    Equations (Section 10.2.2), for t = τ … 1:
    ∇_{o⁽ᵗ⁾}L = ŷ⁽ᵗ⁾ − onehot(y⁽ᵗ⁾),
    ∇_{h⁽ᵗ⁾}L = Vᵀ ∇_{o⁽ᵗ⁾}L + Wᵀ diag(1 − (h⁽ᵗ⁺¹⁾)²) ∇_{h⁽ᵗ⁺¹⁾}L (first term alone at t = τ),
    ∇_{a⁽ᵗ⁾}L = diag(1 − (h⁽ᵗ⁾)²) ∇_{h⁽ᵗ⁾}L.

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    y : target classes, integers of shape (tau,).
    h0 : initial state, shape (n_h,); zeros if None.

    Returns
    -------
    Nodes

    Reference: werbos1990, goodfellow2016
    """
    run = rnn_forward(p, x, h0)
    return backward(checked(p), run.h, nll_grad(run.o, y))


def rnn_bptt(p: RNN, x: np.ndarray, y: np.ndarray, h0: np.ndarray | None = None) -> RNN:
    """Gradient of the total loss with respect to every parameter, in the parameters' own type.

    Equations (Section 10.2.2): ∇_c L = Σₜ ∇_{o⁽ᵗ⁾}L, ∇_b L = Σₜ ∇_{a⁽ᵗ⁾}L,
    ∇_V L = Σₜ (∇_{o⁽ᵗ⁾}L) h⁽ᵗ⁾ᵀ, ∇_W L = Σₜ (∇_{a⁽ᵗ⁾}L) h⁽ᵗ⁻¹⁾ᵀ,
    ∇_U L = Σₜ (∇_{a⁽ᵗ⁾}L) x⁽ᵗ⁾ᵀ.

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    y : target classes, integers of shape (tau,).
    h0 : initial state, shape (n_h,); zeros if None.

    Returns
    -------
    RNN of gradients

    Reference: werbos1990, goodfellow2016
    """
    p = checked(p)
    run = rnn_forward(p, x, h0)
    nodes = backward(p, run.h, nll_grad(run.o, y))
    return sum_over_copies(nodes, sequence("x", x), run.h)
