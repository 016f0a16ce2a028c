"""Section 10.7: the Jacobians along a run, their products, and the slope of the logs of their norms."""

import numpy as np

from companion.cells.rnn import RNN, RNNRun
from companion.core import checks as check
from companion.longterm.powers import _finite, _square

__all__ = ["fitted_slope", "gradient_norms", "jacobian_product", "jacobians", "log_product_norms", "step_jacobians"]


def step_jacobians(W: np.ndarray, h: np.ndarray, tanh: bool = True) -> np.ndarray:
    """The Jacobian of every step, J⁽ᵗ⁾ = ∂h⁽ᵗ⁾/∂h⁽ᵗ⁻¹⁾ = diag(1 − h⁽ᵗ⁾²) W, or W without tanh (Section 10.7).

    Parameters
    ----------
    W : (n_h, n_h).
    h : (tau + 1, n_h), the states along a run, h[0] = h⁽⁰⁾. Inputs and biases act through h alone.
    tanh : whether each step ended in a tanh.

    Returns
    -------
    J, shape (tau, n_h, n_h): J[t − 1] belongs to step t.
    """
    W = _square("W", W)
    h = check.sequence("h", h, len(W))[1:]
    if not tanh:
        return np.tile(W, (len(h), 1, 1))
    if h.size and np.abs(h).max() > 1:
        raise ValueError(f"h: want states in [-1, 1] after a tanh, got one of {np.abs(h).max():.3g}")
    return (1 - h**2)[:, :, None] * W


def jacobians(p: RNN, run: RNNRun) -> np.ndarray:
    """The Jacobian of every step of an RNN's run: J⁽ᵗ⁾ = diag(1 − h⁽ᵗ⁾²) W (Section 10.7).

    Parameters
    ----------
    p : RNN parameters of Section 10.2, of which W matters here.
    run : what `rnn_forward` returned, of which h matters here.

    Returns
    -------
    J, shape (tau, n_h, n_h): J[t − 1] belongs to step t.
    """
    if not isinstance(p, RNN) or not isinstance(run, RNNRun):
        raise ValueError(f"p, run: want an RNN and its RNNRun, got {type(p).__name__} and {type(run).__name__}")
    return step_jacobians(p.W, run.h, tanh=True)


def jacobian_product(J: np.ndarray, k: int, t: int) -> np.ndarray:
    """The Jacobian from step k to step t: ∂h⁽ᵗ⁾/∂h⁽ᵏ⁾ = J⁽ᵗ⁾ J⁽ᵗ⁻¹⁾ … J⁽ᵏ⁺¹⁾ (Section 10.7).

    Parameters
    ----------
    J : (tau, n_h, n_h), from `jacobians` or `step_jacobians`.
    k, t : the two steps, 0 ≤ k ≤ t ≤ tau.

    Returns
    -------
    The product, shape (n_h, n_h); the identity for k = t.
    """
    J = check.array("J", J, ("tau", "n_h", "n_h"))
    J = check.array("J", J, (len(J), J.shape[1], J.shape[1]))
    t = check.integer("t", t, 0, len(J))
    k = check.integer("k", k, 0, t)
    M = np.eye(J.shape[1])
    for step in J[k:t]:
        M = step @ M
    return M


def gradient_norms(W: np.ndarray, h: np.ndarray, tanh: bool = True) -> np.ndarray:
    """How strongly the last state depends on the one k steps before it: ‖∂h⁽τ⁾/∂h⁽τ⁻ᵏ⁾‖ (Section 10.7).

    ∂h⁽τ⁾/∂h⁽τ⁻ᵏ⁾ = J⁽τ⁾ J⁽τ⁻¹⁾ … J⁽τ⁻ᵏ⁺¹⁾, with the Jacobians of `step_jacobians`.

    Parameters
    ----------
    W : (n_h, n_h).
    h : (tau + 1, n_h), the states along a run, h[0] = h⁽⁰⁾.
    tanh : whether each step ended in a tanh.

    Returns
    -------
    norms, shape (tau + 1,): spectral norms for k = 0 … tau, with norms[0] = 1.
    """
    W = _square("W", W)
    J = step_jacobians(W, h, tanh)  # (tau, n_h, n_h)
    products = np.empty((len(J) + 1, *W.shape))
    products[0] = np.eye(len(W))
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(1, len(J) + 1):
            products[k] = products[k - 1] @ J[-k]
    return np.linalg.norm(_finite(products), 2, axis=(1, 2))


def log_product_norms(factors: np.ndarray) -> np.ndarray:
    """log ‖F⁽ᵗ⁾ … F⁽¹⁾‖ for t = 0 … n, rescaled at each step so that nothing overflows (Section 10.7).

    With equal factors W these are log ‖Wᵗ‖; with factors J⁽ᵏ⁺¹⁾ … J⁽ᵗ⁾ they are log ‖∂h⁽ᵗ⁾/∂h⁽ᵏ⁾‖.

    Parameters
    ----------
    factors : (n, n_h, n_h), the first one applied first.

    Returns
    -------
    logs, shape (n + 1,), with logs[0] = 0; −inf from where a product is zero.
    """
    F = check.array("factors", factors, ("n", "n_h", "n_h"))
    F = check.array("factors", F, (len(F), F.shape[1], F.shape[1]))
    logs, M = np.full(len(F) + 1, -np.inf), np.eye(F.shape[1])
    logs[0] = 0.0
    for t, factor in enumerate(F, start=1):
        M = factor @ M
        size = np.linalg.norm(M, 2)
        if size == 0:
            break
        logs[t] = logs[t - 1] + np.log(size)
        M = M / size
    return logs


def fitted_slope(values: np.ndarray, first: int = 0) -> float:
    """Slope of the least-squares line through (t, values[t]) for t ≥ first.

    For log norms of powers it tends to log ρ, ρ the spectral radius (Section 10.7); `first` skips the transient.

    Parameters
    ----------
    values : (n,), n ≥ 2, one a step.
    first : the first step that counts; at least two must remain.

    Returns
    -------
    The slope, per step.

    Raises
    ------
    ValueError
        If values are not finite or fewer than two remain.
    """
    values = check.array("values", values, ("n",))
    if len(values) < 2:
        raise ValueError(f"values: want at least two, got {len(values)}")
    first = check.integer("first", first, 0, len(values) - 2)
    t = np.arange(first, len(values), dtype=float)
    return float((t - t.mean()) @ values[first:] / ((t - t.mean()) ** 2).sum())
