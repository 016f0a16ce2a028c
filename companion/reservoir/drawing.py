"""Section 10.8: how a reservoir is drawn."""

import numpy as np

from companion.cells.echo import UNITS, Reservoir
from companion.core import checks as check
from companion.core.functions import spectral_radius

__all__ = ["esn_init", "sparse_weights"]


def share(name: str, value: float) -> float:
    """A number in (0, 1]."""
    return check.positive(name, check.probability(name, value))


def sparse_weights(n_h: int, rng: np.random.Generator, radius: float, density: float = 1.0) -> np.ndarray:
    """A recurrent matrix of which a share `density` of the entries is not zero, scaled to ρ(W) = radius (10.8).

    Entries are Gaussian, and each stands with probability `density`, independently.

    Parameters
    ----------
    n_h : units, ≥ 1.
    rng : the generator to draw from.
    radius : spectral radius ρ, ≥ 0.
    density : share of connections, in (0, 1].

    Returns
    -------
    W, shape (n_h, n_h).

    Raises
    ------
    ValueError
        If so few connections stand that they form no loop: then ρ = 0 at any scale.

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
    activation: str = "tanh",
) -> Reservoir:
    """Draw a reservoir: U and b uniform, W by `sparse_weights` (Section 10.8).

    Parameters
    ----------
    n_x, n_h : inputs and units, ≥ 1.
    rng : the generator to draw from.
    radius : spectral radius ρ of W, ≥ 0.
    scale : entries of U are uniform on [−scale, scale], ≥ 0.
    bias : entries of b are uniform on [−bias, bias], ≥ 0.
    alpha : the share of its state that a unit keeps a step, in [0, 1].
    density : share of the recurrent connections that stand, in (0, 1].
    activation : "tanh" or "linear".

    References
    ----------
    jaeger2001, lukosevicius2012
    """
    n_x, n_h = check.integer("n_x", n_x, 1), check.integer("n_h", n_h, 1)
    scale, bias = check.number("scale", scale, 0), check.number("bias", bias, 0)
    alpha, activation = check.probability("alpha", alpha), check.choice("activation", activation, tuple(UNITS))
    W = sparse_weights(n_h, rng, radius, density)
    return Reservoir(scale * rng.uniform(-1, 1, (n_h, n_x)), W, bias * rng.uniform(-1, 1, n_h), alpha, activation)
