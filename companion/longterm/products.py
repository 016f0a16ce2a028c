"""Section 10.7: the Jacobians along a run, their products, and the slope of the logs of their norms."""

from typing import Annotated

import numpy as np

from companion.cells.rnn import RNN, RNNRun
from companion.core.checks import checked, integer
from companion.longterm.powers import Square, _finite

__all__ = ["fitted_slope", "gradient_norms", "jacobian_product", "jacobians", "log_product_norms", "step_jacobians"]

States = Annotated[np.ndarray, "times", "n_h"]
"""h⁽⁰⁾ … h⁽τ⁾ along a run; inputs and biases act through them alone."""

Jacobians = Annotated[np.ndarray, "tau", "n_h", "n_h"]
"""One a step."""


@checked
def step_jacobians(W: Square, h: States, tanh: bool = True) -> np.ndarray:
    """The Jacobian of every step, J⁽ᵗ⁾ = ∂h⁽ᵗ⁾/∂h⁽ᵗ⁻¹⁾ = diag(1 − h⁽ᵗ⁾²) W, or W without tanh (Section 10.7).

    Parameters
    ----------
    h : the states along a run, h[0] = h⁽⁰⁾; inputs and biases act through them alone.

    Returns
    -------
    J, shape (tau, n_h, n_h): J[t − 1] belongs to step t.
    """
    h = h[1:]
    if not tanh:
        return np.tile(W, (len(h), 1, 1))
    if h.size and np.abs(h).max() > 1:
        raise ValueError(f"h: want states in [-1, 1] after a tanh, got one of {np.abs(h).max():.3g}")
    return (1 - h**2)[:, :, None] * W


@checked
def jacobians(p: RNN, run: RNNRun) -> np.ndarray:
    """The Jacobian of every step of an RNN's run: J⁽ᵗ⁾ = diag(1 − h⁽ᵗ⁾²) W (Section 10.7).

    Of the parameters only W matters here, and of what `rnn_forward` returned only h.

    Returns
    -------
    J, shape (tau, n_h, n_h): J[t − 1] belongs to step t.
    """
    return step_jacobians(p.W, run.h, tanh=True)


@checked
def jacobian_product(J: Jacobians, k: int, t: int) -> np.ndarray:
    """The Jacobian from step k to step t: ∂h⁽ᵗ⁾/∂h⁽ᵏ⁾ = J⁽ᵗ⁾ J⁽ᵗ⁻¹⁾ … J⁽ᵏ⁺¹⁾ (Section 10.7).

    Parameters
    ----------
    J : from `jacobians` or `step_jacobians`. k, t : the two steps, 0 ≤ k ≤ t ≤ tau; for k = t it is the identity.
    """
    t = integer("t", t, 0, len(J))
    M = np.eye(J.shape[1])
    for step in J[integer("k", k, 0, t) : t]:
        M = step @ M
    return M


@checked
def gradient_norms(W: Square, h: States, tanh: bool = True) -> np.ndarray:
    """How strongly the last state depends on the one k steps before it: ‖∂h⁽τ⁾/∂h⁽τ⁻ᵏ⁾‖ (Section 10.7).

    ∂h⁽τ⁾/∂h⁽τ⁻ᵏ⁾ = J⁽τ⁾ J⁽τ⁻¹⁾ … J⁽τ⁻ᵏ⁺¹⁾, with the Jacobians of `step_jacobians`.

    Returns
    -------
    norms, shape (tau + 1,): spectral norms for k = 0 … tau, with norms[0] = 1.
    """
    J = step_jacobians(W, h, tanh)  # (tau, n_h, n_h)
    products = np.empty((len(J) + 1, *W.shape))
    products[0] = np.eye(len(W))
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(1, len(J) + 1):
            products[k] = products[k - 1] @ J[-k]
    return np.linalg.norm(_finite(products), 2, axis=(1, 2))


@checked
def log_product_norms(factors: Jacobians) -> np.ndarray:
    """log ‖F⁽ᵗ⁾ … F⁽¹⁾‖ for t = 0 … n, rescaled at each step so that nothing overflows (Section 10.7).

    With equal factors W these are log ‖Wᵗ‖; with factors J⁽ᵏ⁺¹⁾ … J⁽ᵗ⁾ they are log ‖∂h⁽ᵗ⁾/∂h⁽ᵏ⁾‖.

    Returns
    -------
    logs, shape (n + 1,), with logs[0] = 0; −inf from where a product is zero.
    """
    logs, M = np.full(len(factors) + 1, -np.inf), np.eye(factors.shape[1])
    logs[0] = 0.0
    for t, factor in enumerate(factors, start=1):
        M = factor @ M
        size = np.linalg.norm(M, 2)
        if size == 0:
            break
        logs[t] = logs[t - 1] + np.log(size)
        M = M / size
    return logs


@checked
def fitted_slope(values: Annotated[np.ndarray, "n"], first: int = 0) -> float:
    """Slope of the least-squares line through (t, values[t]) for t ≥ first.

    For log norms of powers it tends to log ρ, ρ the spectral radius (Section 10.7); `first` skips the transient, but
    at least two values must remain.
    """
    if len(values) < 2:
        raise ValueError(f"values: want at least two, got {len(values)}")
    first = integer("first", first, 0, len(values) - 2)
    t = np.arange(first, len(values), dtype=float)
    return float((t - t.mean()) @ values[first:] / ((t - t.mean()) ** 2).sum())
