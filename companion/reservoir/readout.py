"""Section 10.8: the part that learns. One linear least-squares problem, solved once, and how well it does."""

from typing import Annotated, NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dtpqrt

from companion.core import checks as check

__all__ = ["Readout", "memory_curve", "memory_of_linear", "normal_equations", "nrmse", "readout", "ridge_fit"]


class Readout(NamedTuple):
    """The learned part of an echo state network: o⁽ᵗ⁾ = c + V h⁽ᵗ⁾."""

    V: Annotated[np.ndarray, "n_o", "n_h"]
    c: Annotated[np.ndarray, "n_o"]


def _pairs(h: np.ndarray, y: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray, float]:
    h = check.array("h", h, ("tau", "n_h"))
    return h, check.array("y", y, (len(h), "n_o")), check.number("ridge", ridge, 0)


def normal_equations(h: np.ndarray, y: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """The normal equations of the ridge read-out: (H̄ᵀH̄ + λI) Vᵀ = H̄ᵀȲ (Section 10.8).

    H̄ and Ȳ are states and targets minus their means over time, so that c = mean(y) − V mean(h) is not penalised.

    Parameters
    ----------
    h : states, shape (tau, n_h), one row a step; without h⁽⁰⁾.
    y : targets, shape (tau, n_o).
    ridge : λ ≥ 0.

    Returns
    -------
    The matrix (n_h, n_h) and the right side (n_h, n_o).
    """
    h, y, ridge = _pairs(h, y, ridge)
    H = h - h.mean(0)
    return H.T @ H + ridge * np.eye(H.shape[1]), H.T @ (y - y.mean(0))


def _factors(H: np.ndarray, Y: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """R and S of the QR factorisation [H Y; √λ I 0] = Q [R S; 0 …], without forming Q."""
    n, m = H.shape[1], H.shape[1] + Y.shape[1]
    triangle = np.diag(np.sqrt(ridge) * (np.arange(m) < n))
    R = dtpqrt(0, min(32, m), triangle, np.hstack([H, Y]))[0]  # made for rows that join a triangle; 32 is its block
    return R[:n, :n], R[:n, n:]


def ridge_fit(h: np.ndarray, y: np.ndarray, ridge: float) -> Readout:
    """The read-out that minimises Σₜ ‖y⁽ᵗ⁾ − c − V h⁽ᵗ⁾‖² + λ ‖V‖² (Section 10.8).

    Solved as the stacked least-squares problem [H̄; √λ I] Vᵀ = [Ȳ; 0] by a QR factorisation: the same V as from
    the normal equations, without squaring the condition number.

    Parameters
    ----------
    h : states, shape (tau, n_h), one row a step; without h⁽⁰⁾.
    y : targets, shape (tau, n_o).
    ridge : λ ≥ 0.

    Raises
    ------
    ValueError
        If the problem is singular.

    References
    ----------
    lukosevicius2012
    """
    h, y, ridge = _pairs(h, y, ridge)
    # [H̄ Ȳ; √λ I 0] = Q [R S; 0 …]
    R, S = _factors(h - h.mean(0), y - y.mean(0), ridge)
    if np.abs(np.diag(R)).min() <= sum(h.shape) * np.finfo(float).eps * np.linalg.norm(R):
        raise ValueError(
            f"ridge: want enough to make the problem regular, got {ridge:g}: the states are linearly dependent"
        )
    # R Vᵀ = S
    V = solve_triangular(R, S).T
    # c = mean(y) − V mean(h)
    return Readout(V, y.mean(0) - V @ h.mean(0))


def readout(r: Readout, h: np.ndarray) -> np.ndarray:
    """The outputs: o⁽ᵗ⁾ = c + V h⁽ᵗ⁾ (Section 10.8).

    Parameters
    ----------
    r : the read-out.
    h : states, shape (tau, n_h).

    Returns
    -------
    o, shape (tau, n_o).
    """
    r = check.parameters("r", r, Readout)
    return r.c + check.array("h", h, ("tau", r.V.shape[1])) @ r.V.T


def nrmse(y: np.ndarray, o: np.ndarray) -> float:
    """Normalised root mean squared error: √(mean (y − o)² / var y); 1 is as good as always answering the mean.

    Its square is the NMSE that some papers give.

    Parameters
    ----------
    y, o : targets and outputs, shape (tau,) or (tau, n_o).
    """
    y = check.array("y", y, ("tau",) if np.ndim(y) == 1 else ("tau", "n_o"))
    o, spread = check.array("o", o, y.shape), ((y - y.mean(0)) ** 2).mean()
    if spread == 0:
        raise ValueError("y: want targets that vary, got a constant")
    return float(np.sqrt(((y - o) ** 2).mean() / spread))


def remembered(
    h: np.ndarray,
    past: np.ndarray,
    h_test: np.ndarray,
    past_test: np.ndarray,
    ridge: float,
) -> np.ndarray:
    """MC_k: the share of each past input that a read-out, fitted to h, finds in h_test (Section 10.8)."""
    r = ridge_fit(h, past, ridge)
    # MC_k = 1 − (mean squared error) / variance, and at least 0
    error = ((readout(r, h_test) - past_test) ** 2).mean(0)
    return np.maximum(0, 1 - error / past_test.var(0))


def memory_curve(
    h: np.ndarray, x: np.ndarray, longest: int, ridge: float = 0.0, washout: int = 100, train: float = 0.5
) -> np.ndarray:
    """How much of the input k steps ago a linear read-out finds in the state, on held-out steps (Section 10.8).

    MC_k = 1 − (mean squared error)/(variance) of the read-out for the target x⁽ᵗ⁻ᵏ⁾, and 0 where that is negative.
    For independent inputs the best possible values sum to at most n_h.

    Parameters
    ----------
    h : states from `esn_states`, shape (tau + 1, n_h).
    x : the one input that drove them, shape (tau,) or (tau, 1), drawn independently at each step.
    longest : the largest delay k, ≥ 1.
    ridge : λ of the read-out, ≥ 0.
    washout : steps left out at the start; `longest` is left out if it is more.
    train : share of the remaining steps that the read-out is fitted to, in (0, 1).

    Returns
    -------
    MC_k for k = 1 … longest, shape (longest,).

    Raises
    ------
    ValueError
        If washout leaves fewer than two steps to train or to test on.

    References
    ----------
    jaeger2002
    """
    x = check.array("x", np.reshape(x, -1), ("tau",))
    h, longest = check.array("h", h, (len(x) + 1, "n_h"))[1:], check.integer("longest", longest, 1)
    first = max(check.integer("washout", washout, 0), longest)
    split = first + int(check.probability("train", train) * (len(x) - first))
    if split - first < 2 or len(x) - split < 2:
        raise ValueError(f"washout: want it to leave steps for training and for testing, got {first} of {len(x)}")
    past = np.stack([x[first - k : len(x) - k] for k in range(1, longest + 1)], axis=1)  # (steps, longest)
    learn, test = slice(first, split), slice(split, None)
    return remembered(h[learn], past[: split - first], h[test], past[split - first :], ridge)


def memory_of_linear(U: np.ndarray, W: np.ndarray, steps: int) -> np.ndarray:
    """The memory curve of linear units for endless independent inputs, without a simulation (Section 10.8).

    With m_k = Wᵏ U and the covariance C = Σ_k m_k m_kᵀ, MC_k = m_kᵀ C⁻¹ m_k: the leverage of column k in the matrix
    M = [m₀, m₁, …]. All of them sum to the rank of M, so to at most n_h.

    Parameters
    ----------
    U : (n_h, 1).
    W : (n_h, n_h), of spectral radius below 1.
    steps : columns of M; must reach so far that Wᵏ U is negligible.

    Returns
    -------
    MC_k for k = 0 … steps − 1. Singular values below 1e-12 of the largest count as zero.

    References
    ----------
    jaeger2002, ballarin2024
    """
    U = check.array("U", U, ("n_h", 1))
    W, steps = check.array("W", W, (len(U), len(U))), check.integer("steps", steps, 1)
    M, m = np.empty((len(U), steps)), U[:, 0]
    for k in range(steps):
        M[:, k], m = m, W @ m
    if np.linalg.norm(m) > 1e-6 * np.linalg.norm(M[:, 0]):
        raise ValueError(f"steps: want enough for the memory to fade, got {steps}")
    _, s, Q = np.linalg.svd(M, full_matrices=False)
    return (Q[s > 1e-12 * s[0]] ** 2).sum(0)
