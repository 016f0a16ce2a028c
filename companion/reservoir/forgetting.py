"""Section 10.8: when a reservoir forgets where it began: proved for all inputs, or measured along a run."""

from typing import Annotated

import numpy as np

from companion.cells.echo import UNITS, Reservoir, esn_states
from companion.cells.rnn import Inputs
from companion.core.checks import checked, integer

__all__ = ["contraction", "esn_jacobians", "lyapunov_exponent"]


@checked
def contraction(p: Reservoir) -> float:
    """A factor by which every step shrinks the distance of any two states, if it is below 1 (Section 10.8).

    It is α + (1 − α) σ_max(W); below 1 it proves the echo state property:
    ‖h⁽ᵗ⁾ − g⁽ᵗ⁾‖ ≤ (α + (1 − α) σ_max(W)) ‖h⁽ᵗ⁻¹⁾ − g⁽ᵗ⁻¹⁾‖ for any input, because |φ'| ≤ 1.

    Reference: jaeger2001
    """
    return float(p.alpha + (1 - p.alpha) * np.linalg.norm(p.W, 2))


@checked
def esn_jacobians(p: Reservoir, x: Inputs, h: Annotated[np.ndarray, "times", "n_h"]) -> np.ndarray:
    """The Jacobian of every step along a run: J⁽ᵗ⁾ = α I + (1 − α) diag(φ'(a⁽ᵗ⁾)) W (Section 10.8).

    Parameters
    ----------
    h : the states on x, from `esn_states`, shape (tau + 1, n_h).

    Returns
    -------
    J, shape (tau, n_h, n_h): J[t − 1] = ∂h⁽ᵗ⁾/∂h⁽ᵗ⁻¹⁾.
    """
    if len(h) != len(x) + 1:
        raise ValueError(f"h: want the {len(x) + 1} states on x, h⁽⁰⁾ first, got {len(h)}")
    phi, slope = UNITS[p.activation]
    a = np.array([p.step(x_t, before).a for x_t, before in zip(x, h[:-1], strict=True)])
    return p.alpha * np.eye(len(p.b)) + (1 - p.alpha) * slope(phi(a))[:, :, None] * p.W


def log_growth(J: np.ndarray, d: np.ndarray) -> np.ndarray:
    """By how much each Jacobian in turn stretches a difference d whose length is reset to 1: logs."""
    logs = []
    for J_t in J:
        # J⁽ᵗ⁾ ⋯ J⁽¹⁾ d
        d = J_t @ d
        size = np.linalg.norm(d)
        logs.append(np.log(size) if size > 0 else -np.inf)
        d = d / size if size > 0 else d
    return np.array(logs)


@checked
def lyapunov_exponent(p: Reservoir, x: Inputs, rng: np.random.Generator, washout: int = 100) -> float:
    """How fast a small difference of state grows along a driven run, per step: λ = lim (1/t) log ‖J⁽ᵗ⁾ … J⁽¹⁾ d‖.

    Negative: nearby states meet, though the input goes on. Positive: they part. (The "conditional", or largest,
    Lyapunov exponent; Section 10.8.)

    Parameters
    ----------
    rng : draws the direction d of the difference. washout : steps that do not count, fewer than tau.

    Returns
    -------
    λ; −inf where the difference becomes exactly zero.
    """
    h = esn_states(p, x)
    washout = integer("washout", washout, 0, len(h) - 2)
    d = rng.standard_normal(h.shape[1])
    return float(log_growth(esn_jacobians(p, x, h), d)[washout:].mean())
