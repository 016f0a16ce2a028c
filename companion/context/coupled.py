"""A sequence turned into a sequence of the same length, each output fed back into the next state.

Section 10.2.4. Without the feedback the outputs are independent once x is given, however good the net is.
"""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import RNN, RNNRun, gaussian, many, rnn_bptt, rnn_forward
from companion.context.vector import shifted
from companion.core.checks import generator, integer, parameters, probability, sequence
from companion.core.functions import softmax
from companion.graphical import rnn_next
from companion.search import LogP

__all__ = [
    "FeedbackRNN",
    "feedback_bptt",
    "feedback_forward",
    "feedback_init",
    "feedback_next",
    "feedback_sample",
    "shared_bit_share",
]


class FeedbackRNN(NamedTuple):
    """Parameters of a net that reads its input and what it wrote before (or gradients of the same shapes)."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # input → hidden
    W: Annotated[np.ndarray, "n_h", "n_h"]  # hidden → hidden
    V: Annotated[np.ndarray, "n_o", "n_h"]  # hidden → output
    b: Annotated[np.ndarray, "n_h"]
    c: Annotated[np.ndarray, "n_o"]
    F: Annotated[np.ndarray, "n_h", "n_o"]  # symbol written before → hidden; zeros: no feedback


def as_plain(p: FeedbackRNN) -> tuple[RNN, int]:
    """The same net as a plain one whose input is [x⁽ᵗ⁾, y⁽ᵗ⁻¹⁾], and the length of x⁽ᵗ⁾ (Section 10.2.4).

    U x⁽ᵗ⁾ + F y⁽ᵗ⁻¹⁾ = [U, F] [x⁽ᵗ⁾, y⁽ᵗ⁻¹⁾].
    """
    p = parameters("p", p, FeedbackRNN)
    return RNN(np.hstack([p.U, p.F]), p.W, p.V, p.b, p.c), p.U.shape[1]


def _inputs(x: np.ndarray, y: np.ndarray, n_x: int, n_o: int) -> np.ndarray:
    x, z = sequence("x", x, n_x), shifted(y, n_o)
    if len(x) != len(z):
        raise ValueError(f"y: want one symbol for each of the {len(x)} steps of x, got {len(z)}")
    return np.hstack([x, z])


def feedback_init(n_x: int, n_h: int, n_o: int, rng: np.random.Generator) -> FeedbackRNN:
    """Random parameters: Gaussian weights of variance 1/fan-in, zero biases.

    Section 10.2.4.

    Parameters
    ----------
    n_x, n_h, n_o : sizes of input and state, number of symbols.
    rng : the only source of randomness.

    Returns
    -------
    FeedbackRNN
    """
    n_x, n_h, n_o = integer("n_x", n_x, 1), integer("n_h", n_h, 1), integer("n_o", n_o, 1)
    U, W, V = gaussian((n_h, n_x), rng), gaussian((n_h, n_h), rng), gaussian((n_o, n_h), rng)
    return FeedbackRNN(U, W, V, np.zeros(n_h), np.zeros(n_o), gaussian((n_h, n_o), rng))


def feedback_forward(p: FeedbackRNN, x: np.ndarray, y: np.ndarray) -> RNNRun:
    """Run the net along given inputs and outputs (teacher forcing).

    Equation (Section 10.2.4): a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ + F y⁽ᵗ⁻¹⁾ with y⁽⁰⁾ = 0. The loss is `rnn_loss(run, y)`.

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    y : symbols, integers of shape (tau,).

    Returns
    -------
    RNNRun whose row t of `yhat` is P(y⁽ᵗ⁾ | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x⁽¹⁾ … x⁽ᵗ⁾).

    Reference: goodfellow2016
    """
    net, n_x = as_plain(p)
    return rnn_forward(net, _inputs(x, y, n_x, len(net.c)))


def feedback_bptt(p: FeedbackRNN, x: np.ndarray, y: np.ndarray) -> FeedbackRNN:
    """Gradient of the total loss with respect to every parameter.

    Equation (Section 10.2.4): those of Section 10.2.2, with ∇_F L = Σₜ (∇_{a⁽ᵗ⁾}L) y⁽ᵗ⁻¹⁾ᵀ.

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    y : symbols, integers of shape (tau,).

    Returns
    -------
    FeedbackRNN of gradients

    Reference: goodfellow2016
    """
    net, n_x = as_plain(p)
    grad = rnn_bptt(net, _inputs(x, y, n_x, len(net.c)), y)
    return FeedbackRNN(grad.U[:, :n_x], *grad[1:], F=grad.U[:, n_x:])


def feedback_next(p: FeedbackRNN, x: np.ndarray) -> LogP:
    """The net as a model that is asked one step at a time, to be searched, sampled or enumerated.

    Equation (Section 10.2.4): the prefix y⁽¹⁾ … y⁽ᵗ⁻¹⁾ ↦ log P(y⁽ᵗ⁾ = · | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x).

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).

    Returns
    -------
    function from a tuple of fewer than tau symbols to log-probabilities of shape (n_o,)
    """
    net, n_x = as_plain(p)
    return rnn_next(net, sequence("x", x, n_x))


def feedback_sample(p: FeedbackRNN, x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n output sequences for one input sequence, all n side by side.

    Equation (Section 10.2.4): y⁽ᵗ⁾ ~ softmax(c + V h⁽ᵗ⁾), then fed back into a⁽ᵗ⁺¹⁾.

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    n : sequences to draw, at least 1.
    rng : the only source of randomness.

    Returns
    -------
    Symbols, shape (n, tau)
    """
    (net, n_x), n = as_plain(p), integer("n", n, 1)
    x, net, symbols = sequence("x", x, n_x), many(net), np.eye(len(net.c))
    generator("rng", rng)
    h, fed_back = np.zeros((len(net.b), n)), np.zeros((len(symbols), n))
    y = np.empty((n, len(x)), dtype=int)
    for t, x_t in enumerate(x):
        h = net.step(np.vstack([np.tile(x_t[:, None], n), fed_back]), h).h
        yhat = softmax((net.c + net.V @ h).T)
        below = rng.random((n, 1)) > yhat.cumsum(axis=1)[:, :-1]  # (n, n_o − 1)
        y[:, t] = below.sum(axis=1)
        fed_back = symbols[:, y[:, t]]
    return y


def shared_bit_share(tau: int, q: float = 0.5) -> float:
    """How often τ independent outputs agree when each should show the same hidden bit.

    Equation (Section 10.2.4): q^τ + (1 − q)^τ, which is 2·2^−τ for a fair bit. With feedback it can be 1.

    Parameters
    ----------
    tau : number of outputs, at least 1.
    q : probability that the bit is one.

    Returns
    -------
    A probability.
    """
    tau, q = integer("tau", tau, 1), probability("q", q)
    return q**tau + (1.0 - q) ** tau
