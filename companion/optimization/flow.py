"""Section 10.11.2: a penalty that asks each step back to keep the gradient's size, and its gradient by hand."""

from typing import Annotated, Literal

import numpy as np

from companion.cells.rnn import RNN, RNNRun, backward, sum_over_copies
from companion.core import tree
from companion.core.checks import checked
from companion.longterm import jacobians

__all__ = ["flow_ratios", "omega", "omega_gradient"]


StateGrads = Annotated[np.ndarray, "times", "n_h"]
"""∇_{h⁽ᵗ⁾}L in row t, t = 0 … τ, as `rnn_bptt_nodes(p, x, y).h` has it."""


def _kept(g: np.ndarray, v: np.ndarray) -> np.ndarray:
    """‖v⁽ᵗ⁾‖ / ‖g⁽ᵗ⁾‖, and 1 where g⁽ᵗ⁾ is zero."""
    before, after = np.linalg.norm(g, axis=1), np.linalg.norm(v, axis=1)
    return np.divide(after, before, out=np.ones_like(after), where=before > 0)


def _pulled(p: RNN, run: RNNRun, g_h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g⁽ᵗ⁾ for t = 1 … τ, and v⁽ᵗ⁾ = Wᵀ diag(1 − h⁽ᵗ⁾²) g⁽ᵗ⁾, the same one step back."""
    J = jacobians(p, run)  # (tau, n_h, n_h)
    if g_h.shape != run.h.shape:
        raise ValueError(f"g_h: want shape {run.h.shape}, one row a state, got {g_h.shape}")
    return g_h[1:], np.einsum("ti,tij->tj", g_h[1:], J)


@checked
def flow_ratios(p: RNN, run: RNNRun, g_h: StateGrads) -> np.ndarray:
    """How each step back changes the gradient's size: r⁽ᵗ⁾ = ‖∇_{h⁽ᵗ⁾}L ∂h⁽ᵗ⁾/∂h⁽ᵗ⁻¹⁾‖ / ‖∇_{h⁽ᵗ⁾}L‖ (Section 10.11.2).

    Parameters
    ----------
    run : what a forward pass returned, of which the states matter.
    g_h : ∇_{h⁽ᵗ⁾}L in row t, t = 0 … τ, as `rnn_bptt_nodes(p, x, y).h` has it.

    Returns
    -------
    r, shape (tau,), r[t − 1] for step t; 1 where ∇_{h⁽ᵗ⁾}L is zero, since nothing flows there to be kept.

    Reference: pascanu2013
    """
    return _kept(*_pulled(p, run, g_h))


def omega(p: RNN, run: RNNRun, g_h: StateGrads) -> float:
    """The information-flow penalty Ω = Σₜ (r⁽ᵗ⁾ − 1)² with the ratios of `flow_ratios` (Equation 10.52).

    It is 0 exactly if every step back keeps the gradient's size.

    Reference: pascanu2013
    """
    return float(((flow_ratios(p, run, g_h) - 1) ** 2).sum())


@checked
def omega_gradient(
    p: RNN,
    x: Annotated[np.ndarray, "tau", "n_x"],
    run: RNNRun,
    g_h: StateGrads,
    states: Literal["fixed", "moving"] = "fixed",
) -> RNN:
    """Gradient of Ω with the vectors g⁽ᵗ⁾ = ∇_{h⁽ᵗ⁾}L taken as constants (Section 10.11.2).

    With s⁽ᵗ⁾ = (1 − h⁽ᵗ⁾²) ⊙ g⁽ᵗ⁾, v⁽ᵗ⁾ = Wᵀ s⁽ᵗ⁾ and k⁽ᵗ⁾ = 2 (r⁽ᵗ⁾ − 1) / (‖g⁽ᵗ⁾‖ ‖v⁽ᵗ⁾‖):
    immediate part ∇_W Ω = Σₜ k⁽ᵗ⁾ s⁽ᵗ⁾ v⁽ᵗ⁾ᵀ, which is all there is with "fixed" states. With "moving" states, also
    ∇_{h⁽ᵗ⁾} Ω = −2 k⁽ᵗ⁾ h⁽ᵗ⁾ ⊙ g⁽ᵗ⁾ ⊙ (W v⁽ᵗ⁾), sent back through time as a loss's gradient is. The paper has fixed
    states. x are the inputs, run and g_h those of `flow_ratios`; the gradients of V and c are zero.

    Reference: pascanu2013
    """
    g, v = _pulled(p, run, g_h)
    if len(x) != len(g):
        raise ValueError(f"x: want {len(g)} steps, as many as the run has, got {len(x)}")
    h, sizes = run.h, np.linalg.norm(g, axis=1) * np.linalg.norm(v, axis=1)
    k = np.divide(2 * (_kept(g, v) - 1), sizes, out=np.zeros(len(g)), where=sizes > 0)[:, None]
    s = (1 - h[1:] ** 2) * g
    total = tree.map(np.zeros_like, p)._replace(W=s.T @ (k * v))
    if states == "moving":
        g_states = -2 * k * h[1:] * g * (v @ p.W.T)
        nodes = backward(p._replace(V=np.eye(len(p.b))), h, g_states)  # V = I: the loss sits on the states themselves
        through = sum_over_copies(nodes, x, h)
        total = total._replace(U=through.U, W=total.W + through.W, b=through.b)
    return total
