"""Section 10.8: the part that learns. One linear least-squares problem, solved once, and how well it does."""

from typing import Annotated, NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.linalg.lapack import dtpqrt

from companion.core.checks import Count, Probability, array, checked

__all__ = ["Readout", "memory_curve", "memory_of_linear", "normal_equations", "nrmse", "readout", "ridge_fit"]


class Readout(NamedTuple):
    """The learned part of an echo state network: o⁽ᵗ⁾ = c + V h⁽ᵗ⁾."""

    V: Annotated[np.ndarray, "n_o", "n_h"]
    c: Annotated[np.ndarray, "n_o"]


States = Annotated[np.ndarray, "tau", "n_h"]
"""One row a step, without h⁽⁰⁾."""

Targets = Annotated[np.ndarray, "tau", "n_o"]

Ridge = Annotated[float, (0, None)]
"""λ, what a weight costs."""

REGULAR = 1e-7
"""Smallest over largest entry of a triangular factor, below which the normal equations lose too many digits."""


@checked
def normal_equations(h: States, y: Targets, ridge: Ridge) -> tuple[np.ndarray, np.ndarray]:
    """The normal equations of the ridge read-out: (H̄ᵀH̄ + λI) Vᵀ = H̄ᵀȲ (Section 10.8).

    H̄ and Ȳ are states and targets minus their means over time, so that c = mean(y) − V mean(h) is not penalised.
    What comes back is the matrix (n_h, n_h) and the right side (n_h, n_o).
    """
    return _normal(h - h.mean(0), y - y.mean(0), ridge)


def _normal(H: np.ndarray, Y: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    return H.T @ H + ridge * np.eye(H.shape[1]), H.T @ Y


def _solve_normal(H: np.ndarray, Y: np.ndarray, ridge: float) -> np.ndarray | None:
    """Vᵀ from the normal equations, corrected by what it misses of the unsquared problem; None if that cannot do."""
    A, B = _normal(H, Y, ridge)
    try:
        factor = cho_factor(A, overwrite_a=True, check_finite=False)
    except LinAlgError:
        return None
    pivots = np.diag(factor[0])
    if pivots.min() < REGULAR * pivots.max():
        return None
    V = cho_solve(factor, B)
    for _ in range(4):
        # what is left of −½ times the gradient: H̄ᵀ(Ȳ − H̄ Vᵀ) − λ Vᵀ
        missing = cho_solve(factor, H.T @ (Y - H @ V) - ridge * V)
        V += missing
        if np.linalg.norm(missing) <= 1e-9 * np.linalg.norm(V):
            return V
    return None


def _solve_stacked(H: np.ndarray, Y: np.ndarray, ridge: float) -> np.ndarray:
    """Vᵀ from [H̄ Ȳ; √λ I 0] = Q [R S; 0 …], without forming Q: R Vᵀ = S."""
    n, m = H.shape[1], H.shape[1] + Y.shape[1]
    triangle = np.diag(np.sqrt(ridge) * (np.arange(m) < n))
    R = dtpqrt(0, min(32, m), triangle, np.hstack([H, Y]))[0]  # made for rows that join a triangle; 32 is its block
    R, S = R[:n, :n], R[:n, n:]
    if np.abs(np.diag(R)).min() <= sum(H.shape) * np.finfo(float).eps * np.linalg.norm(R):
        raise ValueError(
            f"ridge: want enough to make the problem regular, got {ridge:g}: the states are linearly dependent"
        )
    return solve_triangular(R, S)


@checked
def ridge_fit(h: States, y: Targets, ridge: Ridge) -> Readout:
    """The read-out that minimises Σₜ ‖y⁽ᵗ⁾ − c − V h⁽ᵗ⁾‖² + λ ‖V‖² (Section 10.8).

    Solved by the normal equations with corrections, which give back the digits that squaring the condition number
    costs; where they cannot, by a QR factorisation of the stacked problem.

    Raises
    ------
    ValueError
        If the problem is singular.

    References
    ----------
    lukosevicius2012
    """
    H, Y = h - h.mean(0), y - y.mean(0)
    # (H̄ᵀH̄ + λI) Vᵀ = H̄ᵀȲ
    V = _solve_normal(H, Y, ridge)
    if V is None:
        # min ‖[H̄; √λ I] Vᵀ − [Ȳ; 0]‖²
        V = _solve_stacked(H, Y, ridge)
    # c = mean(y) − V mean(h)
    return Readout(V.T, y.mean(0) - V.T @ h.mean(0))


@checked
def readout(r: Readout, h: States) -> np.ndarray:
    """The outputs: o⁽ᵗ⁾ = c + V h⁽ᵗ⁾, shape (tau, n_o) (Section 10.8)."""
    return r.c + h @ r.V.T


def nrmse(y: np.ndarray, o: np.ndarray) -> float:
    """Normalised root mean squared error: √(mean (y − o)² / var y); 1 is as good as always answering the mean.

    Its square is the NMSE that some papers give.

    Parameters
    ----------
    y, o : targets and outputs, shape (tau,) or (tau, n_o).
    """
    y = array("y", y, ("tau",) if np.ndim(y) == 1 else ("tau", "n_o"))
    o, spread = array("o", o, y.shape), ((y - y.mean(0)) ** 2).mean()
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


@checked
def memory_curve(
    h: np.ndarray,
    x: np.ndarray,
    longest: Count,
    ridge: Ridge = 0.0,
    washout: Annotated[int, (0, None)] = 100,
    train: Probability = 0.5,
) -> np.ndarray:
    """How much of the input k steps ago a linear read-out finds in the state, on held-out steps (Section 10.8).

    MC_k = 1 − (mean squared error)/(variance) of the read-out for the target x⁽ᵗ⁻ᵏ⁾, and 0 where that is negative.
    For independent inputs the best possible values sum to at most n_h. jaeger2002 leaves out k = 0.

    Parameters
    ----------
    h : states from `esn_states`, shape (tau + 1, n_h).
    x : the one input that drove them, shape (tau,) or (tau, 1), drawn independently at each step.
    longest : the largest delay k.
    ridge : λ of the read-out.
    washout : steps left out at the start; `longest` is left out if it is more.
    train : share of the remaining steps that the read-out is fitted to.

    Returns
    -------
    MC_k for k = 0 … longest, shape (longest + 1,).

    References
    ----------
    jaeger2002
    """
    x = array("x", np.reshape(x, -1), ("tau",))
    h, first = array("h", h, (len(x) + 1, "n_h"))[1:], max(washout, longest)
    split = first + int(train * (len(x) - first))
    if split - first < 2 or len(x) - split < 2:
        raise ValueError(f"washout: want it to leave steps for training and for testing, got {first} of {len(x)}")
    past = np.stack([x[first - k : len(x) - k] for k in range(longest + 1)], axis=1)  # (steps, longest + 1)
    learn, test = slice(first, split), slice(split, None)
    return remembered(h[learn], past[: split - first], h[test], past[split - first :], ridge)


@checked
def memory_of_linear(
    U: Annotated[np.ndarray, "n_h", 1], W: Annotated[np.ndarray, "n_h", "n_h"], steps: Count
) -> np.ndarray:
    """The memory curve of linear units for endless independent inputs, without a simulation (Section 10.8).

    With m_k = Wᵏ U and the covariance C = Σ_k m_k m_kᵀ, MC_k = m_kᵀ C⁻¹ m_k: the leverage of column k in the matrix
    M = [m₀, m₁, …]. All of them sum to the rank of M, so to at most n_h.

    Parameters
    ----------
    W : of spectral radius below 1.
    steps : columns of M; must reach so far that Wᵏ U is negligible.

    Returns
    -------
    MC_k for k = 0 … steps − 1. Singular values below 1e-12 of the largest count as zero.

    References
    ----------
    jaeger2002, ballarin2024
    """
    M, m = np.empty((len(U), steps)), U[:, 0]
    for k in range(steps):
        M[:, k], m = m, W @ m
    if np.linalg.norm(m) > 1e-6 * np.linalg.norm(M[:, 0]):
        raise ValueError(f"steps: want enough for the memory to fade, got {steps}")
    _, s, Q = np.linalg.svd(M, full_matrices=False)
    return (Q[s > 1e-12 * s[0]] ** 2).sum(0)
