"""Section 10.8: a recurrent net that is drawn, not trained. Its states, and when they forget where they began."""

from typing import NamedTuple

import numpy as np

from companion.core import checks as check
from companion.core.functions import spectral_radius

__all__ = [
    "Reservoir",
    "contraction",
    "esn_init",
    "esn_jacobians",
    "esn_states",
    "lyapunov_exponent",
    "sparse_weights",
]


class Reservoir(NamedTuple):
    """The fixed part of an echo state network."""

    U: np.ndarray  # (n_h, n_x) input → hidden
    W: np.ndarray  # (n_h, n_h) hidden → hidden
    b: np.ndarray  # (n_h,)
    alpha: float  # the share of its state that a unit keeps a step, in [0, 1]; 0 is the plain unit


def checked(p: Reservoir) -> Reservoir:
    """The parameters as float64 arrays whose shapes fit together."""
    if not isinstance(p, Reservoir):
        raise ValueError(f"p: want the parameters as Reservoir(U, W, b, alpha), got {type(p).__name__}")
    U = check.array("p.U", p.U, ("n_h", "n_x"))
    n = len(U)
    W, b = check.array("p.W", p.W, (n, n)), check.array("p.b", p.b, (n,))
    return Reservoir(U, W, b, check.probability("p.alpha", p.alpha))


def share(name: str, value: float) -> float:
    """A number in (0, 1]."""
    return check.positive(name, check.probability(name, value))


def sparse_weights(n_h: int, rng: np.random.Generator, radius: float, density: float = 1.0) -> np.ndarray:
    """A recurrent matrix of which a share `density` of the entries is not zero, scaled to ρ(W) = radius (10.8).

    Entries are Gaussian, and each stands with probability `density`, independently.

    Parameters
    ----------
    n_h : units, ≥ 1.
    rng : the source of randomness.
    radius : spectral radius ρ, ≥ 0.
    density : share of connections, in (0, 1].

    Returns
    -------
    W, shape (n_h, n_h).

    Raises
    ------
    ValueError
        If an argument is out of range, or so few connections stand that they form no loop: then ρ = 0 at any scale.

    References
    ----------
    jaeger2001
    """
    n_h, radius = check.integer("n_h", n_h, 1), check.number("radius", radius, 0)
    density, rng = share("density", density), check.generator("rng", rng)
    G = rng.standard_normal((n_h, n_h)) * (rng.random((n_h, n_h)) < density)
    rho = spectral_radius(G)
    if rho < 1e-6:  # a matrix without a loop is nilpotent; rounding leaves eigenvalues far below any real one
        raise ValueError(f"density: want enough connections for a loop, got {density} of {n_h} units squared")
    return G * (radius / rho)


def esn_init(
    n_x: int,
    n_h: int,
    rng: np.random.Generator,
    radius: float = 0.9,
    *,
    scale: float = 1.0,
    bias: float = 0.0,
    alpha: float = 0.0,
    density: float = 1.0,
) -> Reservoir:
    """Draw a reservoir: U and b uniform, W by `sparse_weights` (Section 10.8).

    Parameters
    ----------
    n_x, n_h : inputs and units, ≥ 1.
    rng : the source of randomness.
    radius : spectral radius ρ of W, ≥ 0.
    scale : entries of U are uniform on [−scale, scale], ≥ 0.
    bias : entries of b are uniform on [−bias, bias], ≥ 0.
    alpha : the share of its state that a unit keeps a step, in [0, 1].
    density : share of the recurrent connections that stand, in (0, 1].

    Returns
    -------
    Reservoir

    References
    ----------
    jaeger2001, lukosevicius2012
    """
    n_x, n_h = check.integer("n_x", n_x, 1), check.integer("n_h", n_h, 1)
    scale, bias = check.number("scale", scale, 0), check.number("bias", bias, 0)
    alpha, W = check.probability("alpha", alpha), sparse_weights(n_h, rng, radius, density)
    return Reservoir(scale * rng.uniform(-1, 1, (n_h, n_x)), W, bias * rng.uniform(-1, 1, n_h), alpha)


def esn_states(p: Reservoir, x: np.ndarray, h0: np.ndarray | None = None, tanh: bool = True) -> np.ndarray:
    """Drive a reservoir: h⁽ᵗ⁾ = α h⁽ᵗ⁻¹⁾ + (1 − α) tanh(b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾) (Section 10.8).

    The library's "leaking rate" is 1 − α.

    Parameters
    ----------
    p : the reservoir.
    x : inputs, shape (tau, n_x).
    h0 : initial state, shape (n_h,); zeros if None.
    tanh : whether the units are tanh units, or linear.

    Returns
    -------
    h, shape (tau + 1, n_h); h[0] is h⁽⁰⁾.

    Raises
    ------
    ValueError
        If a shape does not fit, a number is not finite, α leaves [0, 1], or linear states pass 1e308.

    References
    ----------
    jaeger2001
    """
    U, W, b, alpha = checked(p)
    driven = b + check.sequence("x", x, U.shape[1]) @ U.T  # (tau, n_h): b + U x⁽ᵗ⁾
    h = np.zeros((len(driven) + 1, len(b)))
    if h0 is not None:
        h[0] = check.array("h0", h0, (len(b),))
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, len(h)):
            a = driven[t - 1] + W @ h[t - 1]
            h[t] = alpha * h[t - 1] + (1 - alpha) * (np.tanh(a) if tanh else a)
    if not np.isfinite(h[-1]).all():
        raise ValueError("p.W: want linear states below 1e308, got an overflow; take a smaller spectral radius")
    return h


def contraction(p: Reservoir) -> float:
    """A factor by which every step shrinks the distance of any two states, if it is below 1 (Section 10.8).

    ‖h⁽ᵗ⁾ − g⁽ᵗ⁾‖ ≤ (α + (1 − α) σ_max(W)) ‖h⁽ᵗ⁻¹⁾ − g⁽ᵗ⁻¹⁾‖ for any input, because tanh' ≤ 1.

    Parameters
    ----------
    p : the reservoir.

    Returns
    -------
    α + (1 − α) σ_max(W); below 1 it proves the echo state property.

    References
    ----------
    jaeger2001
    """
    p = checked(p)
    return float(p.alpha + (1 - p.alpha) * np.linalg.norm(p.W, 2))


def esn_jacobians(p: Reservoir, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The Jacobian of every step along a run: J⁽ᵗ⁾ = α I + (1 − α) diag(1 − tanh² a⁽ᵗ⁾) W (Section 10.8).

    Parameters
    ----------
    p : the reservoir.
    x : inputs, shape (tau, n_x).
    h : its states on x, from `esn_states`, shape (tau + 1, n_h).

    Returns
    -------
    J, shape (tau, n_h, n_h): J[t − 1] = ∂h⁽ᵗ⁾/∂h⁽ᵗ⁻¹⁾.
    """
    U, W, b, alpha = checked(p)
    x = check.sequence("x", x, U.shape[1])
    h = check.array("h", h, (len(x) + 1, len(b)))
    slope = 1 - np.tanh(b + x @ U.T + h[:-1] @ W.T) ** 2  # (tau, n_h)
    return alpha * np.eye(len(b)) + (1 - alpha) * slope[:, :, None] * W


def lyapunov_exponent(p: Reservoir, x: np.ndarray, rng: np.random.Generator, washout: int = 100) -> float:
    """How fast a small difference of state grows along a driven run, per step: λ = lim (1/t) log ‖J⁽ᵗ⁾ … J⁽¹⁾ d‖.

    Negative: nearby states meet, though the input goes on. Positive: they part. (The "conditional", or largest,
    Lyapunov exponent; Section 10.8.)

    Parameters
    ----------
    p : the reservoir.
    x : inputs, shape (tau, n_x).
    rng : draws the direction d of the difference.
    washout : steps that do not count, fewer than tau.

    Returns
    -------
    λ; −inf where the difference becomes exactly zero.
    """
    h = esn_states(p, x)
    washout = check.integer("washout", washout, 0, len(h) - 2)
    d, total = check.generator("rng", rng).standard_normal(h.shape[1]), 0.0
    for t, J in enumerate(esn_jacobians(p, x, h)):
        d = J @ d
        size = np.linalg.norm(d)
        if size == 0:
            return -np.inf
        d, total = d / size, total + np.log(size) * (t >= washout)
    return float(total / (len(h) - 1 - washout))
