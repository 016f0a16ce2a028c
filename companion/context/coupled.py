"""A sequence turned into a sequence of the same length, each output fed back into the next state.

Section 10.2.4. Without the feedback the outputs are independent once x is given, however good the net is.
"""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import RNN, RNNRun, gaussian, many, rnn_bptt, rnn_forward
from companion.context.vector import Symbols, shifted
from companion.core.checks import Count, Probability, checked
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


Inputs = Annotated[np.ndarray, "tau", "n_x"]


def as_plain(p: FeedbackRNN) -> RNN:
    """The same net as a plain one whose input is [x⁽ᵗ⁾, y⁽ᵗ⁻¹⁾]: U x⁽ᵗ⁾ + F y⁽ᵗ⁻¹⁾ = [U, F] [x⁽ᵗ⁾, y⁽ᵗ⁻¹⁾]."""
    return RNN(np.hstack([p.U, p.F]), p.W, p.V, p.b, p.c)


@checked
def feedback_init(n_x: Count, n_h: Count, n_o: Count, rng: np.random.Generator) -> FeedbackRNN:
    """Random parameters for n_o symbols: Gaussian weights of variance 1/fan-in, zero biases (Section 10.2.4)."""
    U, W, V = gaussian((n_h, n_x), rng), gaussian((n_h, n_h), rng), gaussian((n_o, n_h), rng)
    return FeedbackRNN(U, W, V, np.zeros(n_h), np.zeros(n_o), gaussian((n_h, n_o), rng))


@checked
def feedback_forward(p: FeedbackRNN, x: Inputs, y: Symbols) -> RNNRun:
    """Run the net along given inputs and outputs (teacher forcing).

    Equation (Section 10.2.4): a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ + F y⁽ᵗ⁻¹⁾ with y⁽⁰⁾ = 0. The loss is `rnn_loss(run, y)`.

    Returns
    -------
    RNNRun whose row t of `yhat` is P(y⁽ᵗ⁾ | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x⁽¹⁾ … x⁽ᵗ⁾).

    Reference: goodfellow2016
    """
    return rnn_forward(as_plain(p), np.hstack([x, shifted(y, len(p.c))]))


@checked
def feedback_bptt(p: FeedbackRNN, x: Inputs, y: Symbols) -> FeedbackRNN:
    """Gradient of the total loss with respect to every parameter.

    Equation (Section 10.2.4): those of Section 10.2.2, with ∇_F L = Σₜ (∇_{a⁽ᵗ⁾}L) y⁽ᵗ⁻¹⁾ᵀ.

    Reference: goodfellow2016
    """
    n_x = x.shape[1]
    grad = rnn_bptt(as_plain(p), np.hstack([x, shifted(y, len(p.c))]), y)
    return FeedbackRNN(grad.U[:, :n_x], *grad[1:], F=grad.U[:, n_x:])


@checked
def feedback_next(p: FeedbackRNN, x: Inputs) -> LogP:
    """The net as a model that is asked one step at a time, to be searched, sampled or enumerated.

    Equation (Section 10.2.4): the prefix y⁽¹⁾ … y⁽ᵗ⁻¹⁾ ↦ log P(y⁽ᵗ⁾ = · | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x), shape (n_o,), for t ≤ τ.
    """
    return rnn_next(as_plain(p), x)


@checked
def feedback_sample(p: FeedbackRNN, x: Inputs, n: Count, rng: np.random.Generator) -> np.ndarray:
    """Draw n output sequences (n, tau) for one input sequence, all n side by side.

    Equation (Section 10.2.4): y⁽ᵗ⁾ ~ softmax(c + V h⁽ᵗ⁾), then fed back into a⁽ᵗ⁺¹⁾.
    """
    net, symbols = many(as_plain(p)), np.eye(len(p.c))
    h, fed_back = np.zeros((len(net.b), n)), np.zeros((len(symbols), n))
    y = np.empty((n, len(x)), dtype=int)
    for t, x_t in enumerate(x):
        h = net.step(np.vstack([np.tile(x_t[:, None], n), fed_back]), h).h
        yhat = softmax((net.c + net.V @ h).T)
        below = rng.random((n, 1)) > yhat.cumsum(axis=1)[:, :-1]  # (n, n_o − 1)
        y[:, t] = below.sum(axis=1)
        fed_back = symbols[:, y[:, t]]
    return y


@checked
def shared_bit_share(tau: Count, q: Probability = 0.5) -> float:
    """How often τ independent outputs agree when each should show the same hidden bit, which is one with probability q.

    Equation (Section 10.2.4): q^τ + (1 − q)^τ, which is 2·2^−τ for a fair bit. With feedback it can be 1.
    """
    return q**tau + (1.0 - q) ** tau
