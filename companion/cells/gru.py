"""The gated recurrent unit, forward and backward, in the book's letters (Section 10.10.2).

The update gate u keeps the old state; the reset gate r decides what the candidate z may see of it.
"""

from typing import NamedTuple

import numpy as np

from companion.cells.lstm import ACTIVATIONS, Gate, check_gate, gate_init, squash, squash_prime
from companion.core.checks import array, choice, number, sequence
from companion.core.functions import sigmoid, sigmoid_prime

__all__ = ["GRU", "GRUNodes", "GRURun", "gru_bptt", "gru_bptt_nodes", "gru_forward", "gru_init"]


class GRU(NamedTuple):
    """Parameters of a GRU (or a gradient): update gate u, reset gate r, candidate z.

    d (n_h,) is a second bias of the candidate, inside the reset; only ``reset="after"`` has a place for it.
    """

    u: Gate
    r: Gate
    z: Gate
    d: np.ndarray | None = None


class GRURun(NamedTuple):
    """Gates and candidate (tau, n_h), and the states h (tau + 1, n_h), whose row 0 is the initial state."""

    u: np.ndarray
    r: np.ndarray
    z: np.ndarray
    h: np.ndarray


class GRUNodes(NamedTuple):
    """Gradients on the pre-activations of u, r, z (tau, n_h) and on the states h (tau + 1, n_h)."""

    u: np.ndarray
    r: np.ndarray
    z: np.ndarray
    h: np.ndarray


def gru_init(n_x: int, n_h: int, rng: np.random.Generator, update_bias: float = 0.0) -> GRU:
    """Draw a GRU: Gaussian weights with variance one over their fan-in, biases zero but for u's.

    Parameters
    ----------
    n_x, n_h : widths of input and state. rng : the source of randomness.
    update_bias : every entry of b^u; a positive one starts by remembering.

    Returns
    -------
    GRU
    """
    u = gate_init(n_x, n_h, rng, number("update_bias", update_bias))
    return GRU(u, gate_init(n_x, n_h, rng), gate_init(n_x, n_h, rng))


def _checked(p: GRU, x: np.ndarray, activation: str, reset: str) -> tuple[GRU, np.ndarray]:
    if not isinstance(p, GRU):
        raise ValueError(f"p: want a GRU, got {type(p).__name__}")
    choice("activation", activation, ACTIVATIONS)
    choice("reset", reset, ("before", "after"))
    if reset == "before" and p.d is not None:
        raise ValueError("p.d: want None with reset='before', got a bias that only reset='after' has a place for")
    z = check_gate("p.z", p.z, "n_x", "n_h", peephole=False)
    n_h, n_x = z.U.shape
    u, r = (check_gate(f"p.{k}", getattr(p, k), n_x, n_h, peephole=False) for k in "ur")
    return GRU(u, r, z, None if p.d is None else array("p.d", p.d, (n_h,))), sequence("x", x, n_x)


def _inside_reset(p: GRU, h: np.ndarray) -> np.ndarray:
    """W h + d, what reset="after" lets through in part; h is one state or a row of them."""
    return h @ p.z.W.T + (0.0 if p.d is None else p.d)


def gru_forward(
    p: GRU,
    x: np.ndarray,
    h0: np.ndarray | None = None,
    activation: str = "tanh",
    reset: str = "before",
) -> GRURun:
    """Run a GRU over a sequence.

    h⁽ᵗ⁾ = u ⊙ h⁽ᵗ⁻¹⁾ + (1 − u) ⊙ z, with u = σ(b^u + U^u x⁽ᵗ⁾ + W^u h⁽ᵗ⁻¹⁾), r alike, and
    z = tanh(b + U x⁽ᵗ⁾ + W (r ⊙ h⁽ᵗ⁻¹⁾)) (Section 10.10.2); reset="after" is PyTorch's
    z = tanh(b + U x⁽ᵗ⁾ + r ⊙ (W h⁽ᵗ⁻¹⁾ + d)).

    Parameters
    ----------
    p : GRU. x : (tau, n_x).
    h0 : (n_h,), zeros by default. activation : of the candidate, "tanh" or "sigmoid".
    reset : "before" W as in the chapter, or "after" it as in PyTorch.

    Returns
    -------
    GRURun

    References
    ----------
    cho2014
    """
    p, x = _checked(p, x, activation, reset)
    tau, n_h = len(x), len(p.z.b)
    u, r, z = np.zeros((3, tau, n_h))
    h = np.zeros((tau + 1, n_h))
    h[0] = 0.0 if h0 is None else array("h0", h0, (n_h,))
    for t in range(1, tau + 1):
        u[t - 1] = sigmoid(p.u.b + p.u.U @ x[t - 1] + p.u.W @ h[t - 1])
        r[t - 1] = sigmoid(p.r.b + p.r.U @ x[t - 1] + p.r.W @ h[t - 1])
        memory = p.z.W @ (r[t - 1] * h[t - 1]) if reset == "before" else r[t - 1] * _inside_reset(p, h[t - 1])
        z[t - 1] = squash(activation, p.z.b + p.z.U @ x[t - 1] + memory)
        h[t] = u[t - 1] * h[t - 1] + (1 - u[t - 1]) * z[t - 1]
    return GRURun(u, r, z, h)


def gru_bptt_nodes(
    p: GRU,
    x: np.ndarray,
    run: GRURun,
    grad_h: np.ndarray,
    activation: str = "tanh",
    reset: str = "before",
) -> GRUNodes:
    """Gradients on every node of a GRU's unfolded graph, last step first.

    ∇_h⁽ᵗ⁻¹⁾ = u ⊙ ∇_h⁽ᵗ⁾ + r ⊙ (Wᵀ ∇_az) + W^uᵀ ∇_au + W^rᵀ ∇_ar + ∂L/∂h⁽ᵗ⁻¹⁾, gates and ∇_a of
    step t (Section 10.10.2 through 10.2.2).

    Parameters
    ----------
    p, x, activation, reset : as given to `gru_forward`. run : what it returned.
    grad_h : (tau, n_h), how the loss depends on each h⁽ᵗ⁾ directly (through the output of that step).

    Returns
    -------
    GRUNodes
    """
    p, x = _checked(p, x, activation, reset)
    u, r, z, h = run
    grad_h = array("grad_h", grad_h, z.shape)
    au, ar, az = np.zeros((3, *z.shape))
    dh = np.zeros(h.shape)
    for t in reversed(range(1, len(x) + 1)):
        i = t - 1  # row of step t in everything but h
        dh[t] += grad_h[i]
        au[i] = dh[t] * (h[t - 1] - z[i]) * sigmoid_prime(u[i])
        az[i] = dh[t] * (1 - u[i]) * squash_prime(activation, z[i])
        if reset == "before":
            back = p.z.W.T @ az[i]
            ar[i] = back * h[t - 1] * sigmoid_prime(r[i])
            dh[t - 1] = r[i] * back
        else:
            ar[i] = az[i] * _inside_reset(p, h[t - 1]) * sigmoid_prime(r[i])
            dh[t - 1] = p.z.W.T @ (r[i] * az[i])
        dh[t - 1] += u[i] * dh[t] + p.u.W.T @ au[i] + p.r.W.T @ ar[i]
    return GRUNodes(au, ar, az, dh)


def gru_bptt(
    p: GRU,
    x: np.ndarray,
    grad_h: np.ndarray,
    h0: np.ndarray | None = None,
    activation: str = "tanh",
    reset: str = "before",
) -> GRU:
    """Gradient of a loss with respect to every parameter of a GRU (back-propagation through time).

    As `lstm_bptt`, but W of the candidate meets r ⊙ h⁽ᵗ⁻¹⁾, or behind PyTorch's reset h⁽ᵗ⁻¹⁾ (Section 10.10.2).

    Parameters
    ----------
    p, x, h0, activation, reset : as in `gru_forward`.
    grad_h : (tau, n_h), how the loss depends on each h⁽ᵗ⁾ directly (through the output of that step).

    Returns
    -------
    GRU
        The gradient, in the type of the parameters.
    """
    run = gru_forward(p, x, h0, activation, reset)
    a = gru_bptt_nodes(p, x, run, grad_h, activation, reset)
    x, h = np.asarray(x, dtype=np.float64), run.h[:-1]
    through = run.r * a.z  # what the candidate's gradient sends through the reset
    return GRU(
        p.u.gradient(a.u, x, h, h),
        p.r.gradient(a.r, x, h, h),
        Gate(a.z.T @ x, a.z.T @ (run.r * h) if reset == "before" else through.T @ h, a.z.sum(0)),
        None if p.d is None else through.sum(0),
    )
