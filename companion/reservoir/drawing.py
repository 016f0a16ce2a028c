"""Section 10.8: how a reservoir is drawn."""

from typing import Annotated, Literal

import numpy as np

from companion.cells.echo import Reservoir
from companion.core.checks import Count, Probability, checked, positive
from companion.core.functions import spectral_radius

__all__ = ["esn_init", "sparse_weights"]

Size = Annotated[float, (0, None)]

Share = Annotated[float, (0, 1), positive]
"""A number in (0, 1]."""


@checked
def sparse_weights(n_h: Count, rng: np.random.Generator, radius: Size, density: Share = 1.0) -> np.ndarray:
    """A recurrent matrix of which a share `density` of the entries is not zero, scaled to ρ(W) = radius (10.8).

    Entries are Gaussian, and each stands with probability `density`, independently.

    Raises
    ------
    ValueError
        If so few connections stand that they form no loop: then ρ = 0 at any scale.

    Reference: jaeger2001
    """
    G = rng.standard_normal((n_h, n_h)) * (rng.random((n_h, n_h)) < density)
    rho = spectral_radius(G)
    if rho < 1e-6:  # a matrix without a loop is nilpotent; rounding leaves eigenvalues far below any real one
        raise ValueError(f"density: want enough connections for a loop, got {density} of {n_h} units squared")
    return G * (radius / rho)


@checked
def esn_init(
    n_x: Count,
    n_h: Count,
    rng: np.random.Generator,
    radius: Size = 0.9,
    *,
    scale: Size = 1.0,
    bias: Size = 0.0,
    alpha: Probability = 0.0,
    density: Share = 1.0,
    activation: Literal["tanh", "linear"] = "tanh",
) -> Reservoir:
    """Draw a reservoir: U and b uniform, W by `sparse_weights` (Section 10.8).

    Parameters
    ----------
    radius : spectral radius ρ of W. density : share of the recurrent connections that stand.
    scale, bias : entries of U are uniform on [−scale, scale], those of b on [−bias, bias].
    alpha : the share of its state that a unit keeps a step.

    Reference: jaeger2001, lukosevicius2012
    """
    W = sparse_weights(n_h, rng, radius, density)
    return Reservoir(scale * rng.uniform(-1, 1, (n_h, n_x)), W, bias * rng.uniform(-1, 1, n_h), alpha, activation)
