"""Section 10.7: one matrix, again and again. Powers, eigenvalues, trajectories without input.

The state is a column and one step is h⁽ᵗ⁾ = W h⁽ᵗ⁻¹⁾ (or tanh of it), as everywhere in `companion`.
The chapter writes Wᵀ in this section; a matrix and its transpose have the same eigenvalues and norms.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.core.checks import Count, checked
from companion.core.functions import spectral_radius

__all__ = [
    "Power",
    "draw_weights",
    "eigen_power",
    "power_method",
    "power_norms",
    "trajectory",
    "two_real",
    "two_unit",
]


Square = Annotated[np.ndarray, "n_h", "n_h"]
"""From state to state."""

State = Annotated[np.ndarray, "n_h"]

Steps = Annotated[int, (0, None)]
"""How many steps; none is allowed."""

FIRST = np.pi / 6
"""The direction of the first eigenvector of `two_real`."""


def _finite(M: np.ndarray) -> np.ndarray:
    if not np.isfinite(M).all():
        raise ValueError(f"W: want products below 1e308, got an overflow after {len(M) - 1} steps or fewer")
    return M


@checked
def two_unit(
    rho: Annotated[float, (0, None)], theta: float, skew: Annotated[float, (np.finfo(float).tiny, None)] = 1.0
) -> np.ndarray:
    """A 2×2 matrix with eigenvalues ρ e^{±iθ}, as normal or as skewed as you like.

    W = ρ [[cos θ, −κ sin θ], [sin θ / κ, cos θ]] (Section 10.7), with κ the skew: it is the rotation by θ,
    scaled by ρ, seen in axes of which one is stretched κ-fold; W is normal only for κ = 1.

    Parameters
    ----------
    rho : modulus of both eigenvalues. theta : angle of the first one, in radians. skew : κ > 0.
    """
    c, s = np.cos(theta), np.sin(theta)
    return rho * np.array([[c, -skew * s], [s / skew, c]])


@checked
def two_real(lam1: float, lam2: float, skew: Annotated[float, (np.finfo(float).tiny, None)] = 1.0) -> np.ndarray:
    """A 2×2 matrix with two real eigenvalues, as normal or as skewed as you like.

    W = Q diag(λ₁, λ₂) Q⁻¹ (Section 10.7). The columns of Q are eigenvectors of length 1; they enclose an angle φ with
    tan(φ/2) = 1/κ, a right angle for κ = 1. Then κ is the condition number of Q, and ‖Wᵗ‖ ≤ κ ρᵗ as for `two_unit`.

    Parameters
    ----------
    lam1, lam2 : the eigenvalues. skew : κ > 0.
    """
    angles = FIRST + np.array([0.0, 2 * np.arctan2(1.0, skew)])
    Q = np.array([np.cos(angles), np.sin(angles)])
    return Q * np.array([lam1, lam2]) @ np.linalg.inv(Q)


@checked
def trajectory(W: Square, h0: State, steps: Steps, tanh: bool = False) -> np.ndarray:
    """The states of a net without input: h⁽ᵗ⁾ = W h⁽ᵗ⁻¹⁾, or tanh(W h⁽ᵗ⁻¹⁾) (Section 10.7).

    Returns
    -------
    h, shape (steps + 1, n_h), with h[0] = h0.

    Raises
    ------
    ValueError
        If the state passes 1e308.
    """
    h = np.empty((steps + 1, len(W)))
    h[0] = h0
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, steps + 1):
            a = W @ h[t - 1]
            h[t] = np.tanh(a) if tanh else a
    return _finite(h)


@checked
def power_norms(W: Square, steps: Steps) -> np.ndarray:
    """Spectral norms of the powers of W: ‖Wᵗ‖ for t = 0 … steps (Section 10.7).

    ‖Wᵗ‖ is the most that t linear steps can stretch any difference between two states.

    Returns
    -------
    norms, shape (steps + 1,), with norms[0] = 1.

    Raises
    ------
    ValueError
        If a power passes 1e308.
    """
    powers = np.empty((steps + 1, *W.shape))
    powers[0] = np.eye(len(W))
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, steps + 1):
            powers[t] = W @ powers[t - 1]
    return np.linalg.norm(_finite(powers), 2, axis=(1, 2))


@checked
def draw_weights(
    n: Count,
    rng: np.random.Generator,
    radius: Annotated[float, (0, None)],
    kind: Literal["gaussian", "symmetric", "orthogonal"] = "gaussian",
) -> np.ndarray:
    """Draw a recurrent matrix of n units and a given spectral radius.

    "gaussian": independent entries, not normal; "symmetric": (G + Gᵀ)/2, real eigenvalues; "orthogonal":
    all eigenvalues on the circle of that radius. Each is scaled to ρ(W) = radius (Section 10.7).
    """
    G = rng.standard_normal((n, n))
    if kind == "symmetric":
        G = (G + G.T) / 2
    elif kind == "orthogonal":
        Q, R = np.linalg.qr(G)
        return radius * Q * np.sign(np.diag(R))
    return G * (radius / spectral_radius(G))


@checked
def eigen_power(W: Square, t: Steps) -> np.ndarray:
    """A power by way of the eigenvalues: Wᵗ = Q Λᵗ Q⁻¹, columns of Q the eigenvectors (Section 10.7).

    Q⁻¹ may be replaced by Qᵀ only where Q is orthogonal, as it can be chosen for a symmetric W.

    Raises
    ------
    ValueError
        If W is not diagonalisable.
    """
    lam, Q = np.linalg.eig(W)
    if np.linalg.cond(Q) > 1e12:
        raise ValueError("W: want a diagonalisable matrix, got one whose eigenvectors do not span the space")
    return ((Q * lam**t) @ np.linalg.inv(Q)).real


class Power(NamedTuple):
    """What `power_method` returns: directions (steps + 1, n_h), each of length 1, and quotients (steps + 1,)."""

    directions: np.ndarray
    quotients: np.ndarray


def _direction(name: str, value: np.ndarray) -> np.ndarray:
    if not value.any():
        raise ValueError(f"{name}: want a direction, got the zero vector")
    return value


@checked
def power_method(W: Square, h0: Annotated[State, _direction], steps: Steps) -> Power:
    """Multiply by W again and again, keeping only the direction: h ← W h / ‖W h‖ (Section 10.7).

    Where one real eigenvalue leads in modulus and h⁽⁰⁾ is not void of its eigenvector, the direction tends to
    that eigenvector (up to sign) and the Rayleigh quotient hᵀ W h to the eigenvalue. A leading complex pair
    makes both turn for ever.

    Raises
    ------
    ValueError
        If W takes h⁽⁰⁾ to zero.
    """
    directions = np.empty((steps + 1, len(W)))
    directions[0] = h0 / np.linalg.norm(h0)
    for t in range(1, steps + 1):
        h = W @ directions[t - 1]
        if not h.any():
            raise ValueError(f"W: want a matrix that keeps h0 alive, got the zero vector at step {t}")
        directions[t] = h / np.linalg.norm(h)
    return Power(directions, np.einsum("ti,ij,tj->t", directions, W, directions))
