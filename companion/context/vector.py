"""A fixed vector turned into a sequence: the context comes in as a bias, as the first state, or as both.

Section 10.2.4. Given x, the net is a plain recurrent one (`companion.recurrent`) whose bias and first state x has
set; so forward pass, loss and back-propagation are those of Section 10.2, plus one step that leads back to x.
"""

from typing import Annotated, Literal, NamedTuple, get_args

import numpy as np

from companion.cells.rnn import RNN, RNNRun, backward, gaussian, rnn_forward, sum_over_copies
from companion.core.checks import Classes, Count, checked
from companion.core.functions import nll_grad
from companion.graphical import rnn_next
from companion.search import LogP

__all__ = ["WAYS", "ContextRNN", "context_bptt", "context_forward", "context_init", "context_next", "given_context"]

Way = Literal["input", "state", "both"]
WAYS = get_args(Way)


Vector = Annotated[np.ndarray, "n_x"]
"""The context."""

Symbols = Annotated[np.ndarray, "tau", Classes("n_o")]
"""A sequence that is written."""


class ContextRNN(NamedTuple):
    """Parameters of a net that writes a sequence about a vector (or gradients of the same shapes)."""

    U: Annotated[np.ndarray, "n_h", "n_o"]  # symbol written before → hidden
    W: Annotated[np.ndarray, "n_h", "n_h"]  # hidden → hidden
    V: Annotated[np.ndarray, "n_o", "n_h"]  # hidden → output
    b: Annotated[np.ndarray, "n_h"]
    c: Annotated[np.ndarray, "n_o"]
    R: Annotated[np.ndarray, "n_x", "n_h"]  # context → hidden at every step (ways "input" and "both")
    S: Annotated[np.ndarray, "n_x", "n_h"]  # context → first state (ways "state" and "both")
    s: Annotated[np.ndarray, "n_h"]  # bias of the first state


@checked
def context_init(n_x: Count, n_h: Count, n_o: Count, rng: np.random.Generator) -> ContextRNN:
    """Random parameters: Gaussian weights of variance 1/fan-in, zero biases (Section 10.2.4).

    Parameters
    ----------
    n_x, n_h, n_o : length of the context, width of the state, number of symbols.
    """
    U, W, V = gaussian((n_h, n_o), rng), gaussian((n_h, n_h), rng), gaussian((n_o, n_h), rng)
    R, S = gaussian((n_h, n_x), rng).T, gaussian((n_h, n_x), rng).T
    return ContextRNN(U, W, V, np.zeros(n_h), np.zeros(n_o), R, S, np.zeros(n_h))


@checked
def given_context(p: ContextRNN, x: Vector, way: Way) -> tuple[RNN, np.ndarray]:
    """The plain recurrent net that the context makes of p, and its first state.

    Equations (Section 10.2.4): bias b + Rᵀx at every step (ways "input" and "both", b otherwise),
    h⁽⁰⁾ = tanh(s + Sᵀx) (ways "state" and "both", 0 otherwise). The net's input is the symbol written before, one-hot.

    Reference: goodfellow2016
    """
    bias = p.b + x @ p.R if way != "state" else p.b
    h0 = np.tanh(p.s + x @ p.S) if way != "input" else np.zeros(len(p.b))
    return RNN(p.U, p.W, p.V, bias, p.c), h0


def shifted(y: np.ndarray, n_o: int) -> np.ndarray:
    """What the net reads while it writes y: nothing (zeros), then y⁽¹⁾ … y⁽τ⁻¹⁾, one-hot."""
    return np.vstack([np.zeros(n_o), np.eye(n_o)[y[:-1]]])


@checked
def context_forward(p: ContextRNN, x: Vector, y: Symbols, way: Way) -> RNNRun:
    """Run the net along a given sequence (teacher forcing).

    Equations (Section 10.2.4): a⁽ᵗ⁾ = b + Rᵀx + W h⁽ᵗ⁻¹⁾ + U y⁽ᵗ⁻¹⁾ with h⁽⁰⁾ = tanh(s + Sᵀx) and y⁽⁰⁾ = 0;
    each of the two terms in x stands or falls with the way in. The loss is `rnn_loss(run, y)`.

    Returns
    -------
    RNNRun whose row t of `yhat` is P(y⁽ᵗ⁾ | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x).

    Reference: goodfellow2016
    """
    net, h0 = given_context(p, x, way)
    return rnn_forward(net, shifted(y, len(net.c)), h0)


@checked
def context_bptt(p: ContextRNN, x: Vector, y: Symbols, way: Way) -> ContextRNN:
    """Gradient of the total loss with respect to every parameter.

    Equations (Section 10.2.4): those of Section 10.2.2, then ∇_R L = x (∇_b L)ᵀ, and with
    g = diag(1 − (h⁽⁰⁾)²) ∇_{h⁽⁰⁾}L, ∇_s L = g and ∇_S L = x gᵀ. What a way does not use gets zeros.

    Reference: goodfellow2016
    """
    net, h0 = given_context(p, x, way)
    z = shifted(y, len(net.c))
    run = rnn_forward(net, z, h0)
    nodes = backward(net, run.h, nll_grad(run.o, y))
    grad = sum_over_copies(nodes, z, run.h)
    g_b = grad.b if way != "state" else np.zeros_like(h0)
    g_s = (1.0 - h0**2) * nodes.h[0] if way != "input" else np.zeros_like(h0)
    return ContextRNN(*grad, R=np.outer(x, g_b), S=np.outer(x, g_s), s=g_s)


@checked
def context_next(p: ContextRNN, x: Vector, way: Way) -> LogP:
    """The net as a model that is asked one step at a time, to be searched, sampled or enumerated.

    Equation (Section 10.2.4): the prefix y⁽¹⁾ … y⁽ᵗ⁻¹⁾ ↦ log P(y⁽ᵗ⁾ = · | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x), shape (n_o,).
    """
    net, h0 = given_context(p, x, way)
    return rnn_next(net, h0=h0)
