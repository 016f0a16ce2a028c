"""Section 10.7: one matrix, again and again. Powers, eigenvalues, trajectories without input.

The state is a column and one step is h⁽ᵗ⁾ = W h⁽ᵗ⁻¹⁾ (or tanh of it), as everywhere in `companion`.
The chapter writes Wᵀ in this section; a matrix and its transpose have the same eigenvalues and norms.
"""

from typing import NamedTuple

import numpy as np

from companion.core import checks as check
from companion.core.functions import spectral_radius

__all__ = [
    "Power",
    "draw_weights",
    "eigen_power",
    "power_method",
    "power_norms",
    "trajectory",
    "two_unit",
]


def _square(name: str, value: np.ndarray) -> np.ndarray:
    W = check.array(name, value, ("n_h", "n_h"))
    return check.array(name, W, (len(W), len(W)))


def _finite(M: np.ndarray) -> np.ndarray:
    if not np.isfinite(M).all():
        raise ValueError(f"W: want products below 1e308, got an overflow after {len(M) - 1} steps or fewer")
    return M


def two_unit(rho: float, theta: float, skew: float = 1.0) -> np.ndarray:
    """A 2×2 matrix with eigenvalues ρ e^{±iθ}, as normal or as skewed as you like.

    W = ρ [[cos θ, −κ sin θ], [sin θ / κ, cos θ]] (Section 10.7), with κ the skew: it is the rotation by θ,
    scaled by ρ, seen in axes of which one is stretched κ-fold; W is normal only for κ = 1.

    Parameters
    ----------
    rho : modulus of both eigenvalues, ≥ 0.
    theta : angle of the first one, in radians.
    skew : κ > 0.

    Returns
    -------
    W, shape (2, 2).
    """
    rho, theta = check.number("rho", rho, 0), check.number("theta", theta)
    skew = check.number("skew", skew, np.finfo(float).tiny)
    c, s = np.cos(theta), np.sin(theta)
    return rho * np.array([[c, -skew * s], [s / skew, c]])


def trajectory(W: np.ndarray, h0: np.ndarray, steps: int, tanh: bool = False) -> np.ndarray:
    """The states of a net without input: h⁽ᵗ⁾ = W h⁽ᵗ⁻¹⁾, or tanh(W h⁽ᵗ⁻¹⁾) (Section 10.7).

    Parameters
    ----------
    W : (n_h, n_h).
    h0 : (n_h,), the state h⁽⁰⁾.
    steps : how many steps to take, ≥ 0.
    tanh : whether each step ends in a tanh.

    Returns
    -------
    h, shape (steps + 1, n_h), with h[0] = h0.

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, steps is negative, or the state passes 1e308.
    """
    W = _square("W", W)
    h0, steps = check.array("h0", h0, (len(W),)), check.integer("steps", steps, 0)
    h = np.empty((steps + 1, len(W)))
    h[0] = h0
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, steps + 1):
            a = W @ h[t - 1]
            h[t] = np.tanh(a) if tanh else a
    return _finite(h)


def power_norms(W: np.ndarray, steps: int) -> np.ndarray:
    """Spectral norms of the powers of W: ‖Wᵗ‖ for t = 0 … steps (Section 10.7).

    ‖Wᵗ‖ is the most that t linear steps can stretch any difference between two states.

    Parameters
    ----------
    W : (n_h, n_h).
    steps : the last power, ≥ 0.

    Returns
    -------
    norms, shape (steps + 1,), with norms[0] = 1.

    Raises
    ------
    ValueError
        If W is not a finite square matrix, steps is negative, or a power passes 1e308.
    """
    W, steps = _square("W", W), check.integer("steps", steps, 0)
    powers = np.empty((steps + 1, *W.shape))
    powers[0] = np.eye(len(W))
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, steps + 1):
            powers[t] = W @ powers[t - 1]
    return np.linalg.norm(_finite(powers), 2, axis=(1, 2))


def draw_weights(n: int, rng: np.random.Generator, radius: float, kind: str = "gaussian") -> np.ndarray:
    """Draw a recurrent matrix of a given spectral radius.

    "gaussian": independent entries, not normal; "symmetric": (G + Gᵀ)/2, real eigenvalues; "orthogonal":
    all eigenvalues on the circle of that radius. Each is scaled to ρ(W) = radius (Section 10.7).

    Parameters
    ----------
    n : number of units, ≥ 1.
    rng : the source of randomness.
    radius : ρ, ≥ 0.
    kind : "gaussian", "symmetric" or "orthogonal".

    Returns
    -------
    W, shape (n, n).
    """
    n, radius = check.integer("n", n, 1), check.number("radius", radius, 0)
    kind = check.choice("kind", kind, ("gaussian", "symmetric", "orthogonal"))
    G = check.generator("rng", rng).standard_normal((n, n))
    if kind == "symmetric":
        G = (G + G.T) / 2
    elif kind == "orthogonal":
        Q, R = np.linalg.qr(G)
        return radius * Q * np.sign(np.diag(R))
    return G * (radius / spectral_radius(G))


def eigen_power(W: np.ndarray, t: int) -> np.ndarray:
    """A power by way of the eigenvalues: Wᵗ = Q Λᵗ Q⁻¹, columns of Q the eigenvectors (Section 10.7).

    Q⁻¹ may be replaced by Qᵀ only where Q is orthogonal, as it can be chosen for a symmetric W.

    Parameters
    ----------
    W : (n_h, n_h), diagonalisable.
    t : the power, ≥ 0.

    Returns
    -------
    Wᵗ, shape (n_h, n_h), real.
    """
    W, t = _square("W", W), check.integer("t", t, 0)
    lam, Q = np.linalg.eig(W)
    if np.linalg.cond(Q) > 1e12:
        raise ValueError("W: want a diagonalisable matrix, got one whose eigenvectors do not span the space")
    return ((Q * lam**t) @ np.linalg.inv(Q)).real


class Power(NamedTuple):
    """What `power_method` returns: directions (steps + 1, n_h), each of length 1, and quotients (steps + 1,)."""

    directions: np.ndarray
    quotients: np.ndarray


def power_method(W: np.ndarray, h0: np.ndarray, steps: int) -> Power:
    """Multiply by W again and again, keeping only the direction: h ← W h / ‖W h‖ (Section 10.7).

    Where one real eigenvalue leads in modulus and h⁽⁰⁾ is not void of its eigenvector, the direction tends to
    that eigenvector (up to sign) and the Rayleigh quotient hᵀ W h to the eigenvalue. A leading complex pair
    makes both turn for ever.

    Parameters
    ----------
    W : (n_h, n_h).
    h0 : (n_h,), not zero.
    steps : ≥ 0.

    Returns
    -------
    Power(directions, quotients).
    """
    W = _square("W", W)
    h, steps = check.array("h0", h0, (len(W),)), check.integer("steps", steps, 0)
    if not h.any():
        raise ValueError("h0: want a direction, got the zero vector")
    directions = np.empty((steps + 1, len(W)))
    directions[0] = h / np.linalg.norm(h)
    for t in range(1, steps + 1):
        h = W @ directions[t - 1]
        if not h.any():
            raise ValueError(f"W: want a matrix that keeps h0 alive, got the zero vector at step {t}")
        directions[t] = h / np.linalg.norm(h)
    return Power(directions, np.einsum("ti,ij,tj->t", directions, W, directions))
