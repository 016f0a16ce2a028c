"""Two recurrent networks over one sequence, one from each end, and outputs that read both (Section 10.3)."""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import RNN, Inputs, Targets, backward, rnn_init, sum_over_copies
from companion.core.checks import checked, parameters
from companion.core.functions import nll, nll_grad, softmax
from companion.core.scan import initial, scan

__all__ = [
    "BiRNN",
    "BiRun",
    "birnn_bptt",
    "birnn_forward",
    "birnn_init",
    "birnn_loss",
    "cloze_forward",
    "halves",
    "join",
]


class BiRNN(NamedTuple):
    """Parameters of a bidirectional network (or gradients of the same shapes)."""

    U_h: Annotated[np.ndarray, "n_h", "n_x"]  # input → forward state
    W_h: Annotated[np.ndarray, "n_h", "n_h"]  # forward state → the next one
    b_h: Annotated[np.ndarray, "n_h"]
    U_g: Annotated[np.ndarray, "n_g", "n_x"]  # input → backward state
    W_g: Annotated[np.ndarray, "n_g", "n_g"]  # backward state → the one before
    b_g: Annotated[np.ndarray, "n_g"]
    V_h: Annotated[np.ndarray, "n_o", "n_h"]  # forward state → output
    V_g: Annotated[np.ndarray, "n_o", "n_g"]  # backward state → output
    c: Annotated[np.ndarray, "n_o"]


Start = Annotated[np.ndarray, "n_h"]
"""h⁽⁰⁾; None is zero."""

End = Annotated[np.ndarray, "n_g"]
"""g⁽τ⁺¹⁾; None is zero."""


class BiRun(NamedTuple):
    """Everything that one pass in both directions computed."""

    h: np.ndarray  # (tau + 1, n_h): h[t] is h⁽ᵗ⁾, h[0] the state before the first input
    g: np.ndarray  # (tau + 1, n_g): g[t − 1] is g⁽ᵗ⁾, g[tau] the state "after the last input", g⁽τ⁺¹⁾
    o: np.ndarray  # (tau, n_o) logits
    yhat: np.ndarray  # (tau, n_o) probabilities


@checked
def halves(p: BiRNN) -> tuple[RNN, RNN]:
    """The two recurrent networks inside: the forward one, and the one that reads the reversed sequence.

    Section 10.3. The output bias c goes with the forward one, so that o⁽ᵗ⁾ is the sum of both outputs.
    """
    return RNN(p.U_h, p.W_h, p.V_h, p.b_h, p.c), RNN(p.U_g, p.W_g, p.V_g, p.b_g, np.zeros(len(p.c)))


def join(forward: RNN, backward: RNN) -> BiRNN:
    """A bidirectional network out of two recurrent ones (Section 10.3); their output biases are added.

    `forward` reads from the left, `backward` reads the reversed sequence.
    """
    f, r = parameters("forward", forward, RNN), parameters("backward", backward, RNN)
    if f.U.shape[1] != r.U.shape[1] or len(f.c) != len(r.c):
        got = f"(n_x, n_o) = {(f.U.shape[1], len(f.c))} and {(r.U.shape[1], len(r.c))}"
        raise ValueError(f"backward: want the n_x and n_o of forward, got {got}")
    return BiRNN(f.U, f.W, f.b, r.U, r.W, r.b, f.V, r.V, f.c + r.c)


def birnn_init(n_x: int, n_h: int, n_o: int, rng: np.random.Generator, radius: float | None = None) -> BiRNN:
    """Random parameters: two independent draws of `rnn_init`, n_h units in each direction (Section 10.3).

    With `radius`, that is the spectral radius of both recurrent matrices.
    """
    return join(rnn_init(n_x, n_h, n_o, rng, radius), rnn_init(n_x, n_h, n_o, rng, radius))


def both_ways(
    forward: RNN, reverse: RNN, x: np.ndarray, h0: np.ndarray | None, g_end: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The states h, first step first, and g, last step first; g[t − 1] is g⁽ᵗ⁾ (Section 10.3)."""
    # h⁽ᵗ⁾ = tanh(b_h + W_h h⁽ᵗ⁻¹⁾ + U_h x⁽ᵗ⁾), t = 1 … τ
    h = scan(forward, initial(len(forward.b), h0=h0), x).h
    # g⁽ᵗ⁾ = tanh(b_g + W_g g⁽ᵗ⁺¹⁾ + U_g x⁽ᵗ⁾), t = τ … 1
    g = scan(reverse, initial(len(reverse.b), g_end=g_end), x[::-1]).h[::-1]
    return h, g


@checked
def birnn_forward(p: BiRNN, x: Inputs, h0: Start | None = None, g_end: End | None = None) -> BiRun:
    """Run both directions over a whole sequence, then every output from both states.

    Equations (Section 10.3): h⁽ᵗ⁾ = tanh(b_h + W_h h⁽ᵗ⁻¹⁾ + U_h x⁽ᵗ⁾) for t = 1 … τ,
    g⁽ᵗ⁾ = tanh(b_g + W_g g⁽ᵗ⁺¹⁾ + U_g x⁽ᵗ⁾) for t = τ … 1, o⁽ᵗ⁾ = c + V_h h⁽ᵗ⁾ + V_g g⁽ᵗ⁾.

    Reference: schuster1997, goodfellow2016
    """
    forward, reverse = halves(p)
    h, g = both_ways(forward, reverse, x, h0, g_end)
    o = forward.c + h[1:] @ forward.V.T + g[:-1] @ reverse.V.T
    return BiRun(h, g, o, softmax(o))


@checked
def cloze_forward(p: BiRNN, x: Inputs, h0: Start | None = None, g_end: End | None = None) -> BiRun:
    """Outputs about x⁽ᵗ⁾ that do not see x⁽ᵗ⁾: from the state before it and the state after it.

    Equation (Section 10.3): o⁽ᵗ⁾ = c + V_h h⁽ᵗ⁻¹⁾ + V_g g⁽ᵗ⁺¹⁾, with h and g as in `birnn_forward`.
    """
    forward, reverse = halves(p)
    h, g = both_ways(forward, reverse, x, h0, g_end)
    o = forward.c + h[:-1] @ forward.V.T + g[1:] @ reverse.V.T
    return BiRun(h, g, o, softmax(o))


@checked
def birnn_loss(run: BiRun, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Total negative log-likelihood of the targets y, in nats, and each step's share, (tau,).

    Equation (Section 10.3): L = −Σₜ log P(y⁽ᵗ⁾ | x⁽¹⁾, …, x⁽τ⁾).
    """
    loss_t = nll(run.o, y)
    return float(loss_t.sum()), loss_t


@checked
def birnn_bptt(p: BiRNN, x: Inputs, y: Targets, h0: Start | None = None, g_end: End | None = None) -> BiRNN:
    """Gradient of the total loss: back through time for h, forward through time for g.

    Equations (Section 10.3): ∇_{h⁽ᵗ⁾}L = V_hᵀ ∇_{o⁽ᵗ⁾}L + W_hᵀ diag(1 − (h⁽ᵗ⁺¹⁾)²) ∇_{h⁽ᵗ⁺¹⁾}L, t = τ … 1;
    ∇_{g⁽ᵗ⁾}L = V_gᵀ ∇_{o⁽ᵗ⁾}L + W_gᵀ diag(1 − (g⁽ᵗ⁻¹⁾)²) ∇_{g⁽ᵗ⁻¹⁾}L, t = 1 … τ. The two never meet.

    Reference: schuster1997, werbos1990
    """
    forward, reverse = halves(p)
    h, g = both_ways(forward, reverse, x, h0, g_end)
    g_o = nll_grad(forward.c + h[1:] @ forward.V.T + g[:-1] @ reverse.V.T, y)
    of_h = sum_over_copies(backward(forward, h, g_o), x, h)
    x, g, g_o = x[::-1], g[::-1], g_o[::-1]  # the other network reads everything from the end
    of_g = sum_over_copies(backward(reverse, g, g_o), x, g)
    h, g = (of_h.U, of_h.W, of_h.b), (of_g.U, of_g.W, of_g.b)
    return BiRNN(*h, *g, of_h.V, of_g.V, of_h.c)
