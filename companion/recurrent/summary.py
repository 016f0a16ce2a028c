"""Hidden-to-hidden recurrence with one output after the last step: a sequence becomes one answer.

Section 10.2: many inputs, one output; the last state is a summary of fixed size.
"""

import numpy as np

from companion.cells.rnn import RNN, Inputs, RNNRun, State, backward, sum_over_copies
from companion.core.checks import checked, integer
from companion.core.functions import nll, nll_grad, softmax
from companion.core.scan import initial, scan

__all__ = ["summary_bptt", "summary_forward", "summary_loss"]


@checked
def summary_forward(p: RNN, x: Inputs, h0: State | None = None) -> RNNRun:
    """Read a whole sequence, then answer once.

    Equations (Section 10.2): a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾, h⁽ᵗ⁾ = tanh a⁽ᵗ⁾ for t = 1 … τ,
    then o = c + V h⁽τ⁾ and ŷ = softmax(o).

    Returns
    -------
    RNNRun whose `o` and `yhat` have shape (1, n_o).

    Reference: goodfellow2016
    """
    a, h = scan(p, initial(len(p.b), h0=h0), x)
    o = (p.c + p.V @ h[-1])[None]
    return RNNRun(a, h, o, softmax(o))


@checked
def summary_loss(run: RNNRun, y: int) -> float:
    """Negative log-likelihood of the one target y, in nats.

    Equation (Section 10.2): L = −log ŷ_y.
    """
    if len(run.o) != 1:
        raise ValueError("run: want what summary_forward returned, with exactly one output")
    return float(nll(run.o, np.array([integer("y", y, 0, run.o.shape[1] - 1)]))[0])


@checked
def summary_bptt(p: RNN, x: Inputs, y: int, h0: State | None = None) -> RNN:
    """Gradient of the loss of the one target y with respect to every parameter.

    Equations (Section 10.2.2): as `rnn_bptt` with ∇_{o⁽ᵗ⁾}L = 0 for t < τ, so that
    ∇_{h⁽τ⁾}L = Vᵀ ∇_o L and ∇_{h⁽ᵗ⁾}L = Wᵀ diag(1 − (h⁽ᵗ⁺¹⁾)²) ∇_{h⁽ᵗ⁺¹⁾}L before it.

    Reference: werbos1990, goodfellow2016
    """
    run = summary_forward(p, x, h0)
    y = integer("y", y, 0, len(p.c) - 1)
    g_o = np.zeros((len(run.a), len(p.c)))
    g_o[-1] = nll_grad(run.o, np.array([y]))[0]
    return sum_over_copies(backward(p, run.h, g_o), x, run.h)
