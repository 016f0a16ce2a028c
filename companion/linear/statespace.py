"""Section P.5: diagonal state-space layers: a recurrence, a convolution, and where their eigenvalues begin."""

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from companion.core.checks import Count, Positive, checked
from companion.linear.scans import scan_by_tree

__all__ = ["by_convolution", "by_recurrence", "discretise", "kernel", "memory", "ring", "spread"]


def _complex(name: str, value: Any) -> np.ndarray:
    out = np.asarray(value)
    if out.dtype.kind not in "fciu" or out.ndim != 1 or out.size == 0:
        raise ValueError(f"{name}: want real or complex numbers of shape (n,), got shape {out.shape}")
    if not np.isfinite(out).all():
        raise ValueError(f"{name}: want finite numbers")
    return out.astype(np.complex128)


def _stable(name: str, value: Any) -> np.ndarray:
    out = _complex(name, value)
    if (out.real >= 0).any():
        raise ValueError(f"{name}: want real parts below 0, got {out.real.max():g}")
    return out


Vector = Annotated[Any, _complex]
"""Real or complex numbers of shape (n,)."""

Signal = Annotated[np.ndarray, "tau"]


class Discrete(NamedTuple):
    """A diagonal layer in steps: h⁽ᵗ⁾ = lam ⊙ h⁽ᵗ⁻¹⁾ + B x⁽ᵗ⁾."""

    lam: np.ndarray  # (n,) the eigenvalues of a step
    B: np.ndarray  # (n,)


def _same(lam: np.ndarray, B: np.ndarray, C: np.ndarray) -> None:
    if not lam.shape == B.shape == C.shape:
        raise ValueError(f"B, C: want the shape {lam.shape} of lam, got {B.shape} and {C.shape}")


@checked
def discretise(
    A: Annotated[Any, _stable], B: Vector, dt: Positive, rule: Literal["zoh", "bilinear"] = "zoh"
) -> Discrete:
    """One step of length dt of dh/ds = A ⊙ h + B x(s) (Section P.5).

    Parameters
    ----------
    A : eigenvalues, (n,), real parts below 0. B : how the input enters, (n,).
    rule : "zoh", exact for an input that is held for the step; "bilinear", the trapezoidal rule.

    Reference: gu2022, gupta2022
    """
    if A.shape != B.shape:
        raise ValueError(f"B: want the shape {A.shape} of A, got {B.shape}")
    if rule == "zoh":
        # λ = exp(Δ A),  B̄ = (λ − 1) / A · B
        lam = np.exp(dt * A)
        return Discrete(lam, np.expm1(dt * A) / A * B)
    # λ = (1 + Δ A / 2) / (1 − Δ A / 2),  B̄ = Δ / (1 − Δ A / 2) · B
    return Discrete((1 + dt * A / 2) / (1 - dt * A / 2), dt / (1 - dt * A / 2) * B)


@checked
def kernel(lam: Vector, B: Vector, C: Vector, tau: Count) -> np.ndarray:
    """The response to a single 1: κ_k = Re Σᵢ Cᵢ λᵢᵏ Bᵢ for k = 0 … τ − 1, shape (tau,) (Section P.5)."""
    _same(lam, B, C)
    k = np.arange(tau)[:, None]
    return ((C * B) * lam**k).sum(axis=1).real


@checked
def by_recurrence(lam: Vector, B: Vector, C: Vector, x: Signal) -> np.ndarray:
    """o⁽ᵗ⁾ = Re Σᵢ Cᵢ hᵢ⁽ᵗ⁾ with h⁽ᵗ⁾ = λ ⊙ h⁽ᵗ⁻¹⁾ + B x⁽ᵗ⁾, by the scan, shape (tau,) (Section P.5)."""
    _same(lam, B, C)
    h = scan_by_tree(np.tile(lam, (len(x), 1)), np.outer(x, B))
    return (h[1:] @ C).real


@checked
def by_convolution(kappa: Signal, x: Signal) -> np.ndarray:
    """o⁽ᵗ⁾ = Σ_k κ_k x⁽ᵗ⁻ᵏ⁾ by fast Fourier transforms, shape (tau,) (Section P.5).

    Reference: gu2022
    """
    # 2 τ entries, so that the end of the sequence does not come round to its beginning
    n = 2 * len(x)
    return np.fft.irfft(np.fft.rfft(kappa, n) * np.fft.rfft(x, n), n)[: len(x)]


@checked
def ring(
    n: Count,
    low: Annotated[float, (0, 1)],
    high: Annotated[float, (0, 1)],
    rng: np.random.Generator,
    angle: Annotated[float, (0, 2 * np.pi)] = 2 * np.pi,
) -> np.ndarray:
    """n eigenvalues, uniform over the ring low ≤ |λ| ≤ high, angles between 0 and `angle`; complex (n,) (Section P.5).

    Reference: orvieto2023
    """
    if low > high:
        raise ValueError(f"low: want at most high = {high}, got {low}")
    # areas grow with the square of the radius
    r = np.sqrt(rng.uniform(low**2, high**2, n))
    return r * np.exp(1j * rng.uniform(0, angle, n))


@checked
def spread(n: Count, shortest: Positive, longest: Positive) -> np.ndarray:
    """n real eigenvalues exp(−1/τ) whose time constants are spread evenly in log τ, shape (n,) (Section P.5).

    Parameters
    ----------
    shortest, longest : the first time constant and the last, in steps.
    """
    if shortest > longest:
        raise ValueError(f"shortest: want at most longest = {longest}, got {shortest}")
    return np.exp(-1 / np.geomspace(shortest, longest, n))


def _inside(name: str, value: Any) -> np.ndarray:
    out = _complex(name, value)
    if (np.abs(out) >= 1).any():
        raise ValueError(f"{name}: want |λ| below 1, got {np.abs(out).max():g}")
    return out


@checked
def memory(lam: Annotated[Any, _inside], tau: Count, noise: Positive) -> np.ndarray:
    """The memory curve of Section 10.8 for diagonal units with a noisy read-out, without a simulation (Section P.5).

    MC_k is the share of the variance of x⁽ᵗ⁻ᵏ⁾ that the best linear read-out of the states finds, for independent
    inputs without end. A complex state gives two numbers, its real and its imaginary part.

    Parameters
    ----------
    lam : eigenvalues, (n,), |λ| < 1. tau : delays 0 … τ − 1, so many that λ^τ is negligible.
    noise : variance of the noise on each number that is read, where a state has variance 1.

    Returns
    -------
    MC_k, shape (tau,); their sum stays below the count of numbers that are read.

    Reference: jaeger2002
    """
    # row k of M: what an input k steps ago has left in each state, γ λᵏ with γ² = 1 − |λ|²
    M = np.sqrt(1 - np.abs(lam) ** 2) * lam ** np.arange(tau)[:, None]
    M = np.hstack([M.real, M.imag[:, lam.imag != 0]])
    # MC_k = m_kᵀ (Σ_k m_k m_kᵀ + noise · I)⁻¹ m_k
    return (M * np.linalg.solve(M.T @ M + noise * np.eye(M.shape[1]), M.T).T).sum(axis=1)
