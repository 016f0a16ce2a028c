"""Section 10.9.1: how fast a linear net with skips grows or fades a step, and how to set that rate."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np

from companion.cells.leaky import delayed
from companion.core.checks import Count, checked
from companion.core.functions import spectral_radius

__all__ = ["delay_norms", "delay_radius", "grow_at"]


Matrices = Annotated[np.ndarray, "delays", "n_h", "n_h"]
"""W_d for each delay d."""

Delays = Annotated[Sequence[int], delayed]
"""How far back each matrix reaches, in steps: different integers ≥ 1."""


def delay_gradients(W: np.ndarray, delays: tuple[int, ...], steps: int) -> list[np.ndarray]:
    """G⁽ᵗ⁾ = ∂h⁽ᵗ⁾/∂h⁽⁰⁾ of a linear net with delays, t = 0 … steps (Section 10.9.1)."""
    # G⁽⁰⁾ = I, and 0 before
    G = [np.zeros_like(W[0])] * max(delays) + [np.eye(len(W[0]))]
    for _ in range(steps):
        # G⁽ᵗ⁾ = Σ_d W_d G⁽ᵗ⁻ᵈ⁾
        G.append(sum(W_d @ G[-d] for W_d, d in zip(W, delays, strict=True)))
    return G[max(delays) :]


@checked
def delay_norms(W: Matrices, delays: Delays, steps: Count) -> np.ndarray:
    """Gradient norms ‖∂h⁽ᵗ⁾/∂h⁽⁰⁾‖ of a linear net with delays, t = 0 … steps (Section 10.9.1).

    Spectral norms, 0 where no path leads. W[i] reaches back delays[i] steps.
    """
    if len(delays) != len(W):
        raise ValueError(f"delays: want {len(W)}, one for each matrix, got {len(delays)}")
    return np.linalg.norm(delay_gradients(W, delays, steps), 2, axis=(1, 2))


@checked
def delay_radius(W: Matrices, delays: Delays) -> float:
    """Growth a step of a linear net with delays: the spectral radius of its block companion matrix (10.9.1).

    The last d states together form one long state that moves on by one matrix; its first row of blocks holds
    the W_d. With one delay d this is ρ(W)^(1/d).
    """
    if len(delays) != len(W):
        raise ValueError(f"delays: want {len(W)}, one for each matrix, got {len(delays)}")
    n, longest = W.shape[1], max(delays)
    C = np.eye(n * longest, k=-n)
    for M, d in zip(W, delays, strict=True):
        C[:n, (d - 1) * n : d * n] = M
    return spectral_radius(C)


@checked
def grow_at(W: Matrices, delays: Delays, growth: Annotated[float, (0, None)]) -> np.ndarray:
    """Rescale the matrices so that `growth` becomes the net's `delay_radius`: W_d ← γᵈ W_d (Section 10.9.3).

    If h⁽ᵗ⁾ solves h⁽ᵗ⁾ = Σ_d W_d h⁽ᵗ⁻ᵈ⁾, then γᵗ h⁽ᵗ⁾ solves the rescaled equation: every rate is multiplied by γ.

    Raises
    ------
    ValueError
        If the net does not grow or shrink at all (radius 0).
    """
    radius = delay_radius(W, delays)
    if radius == 0:
        raise ValueError("W: want matrices whose net has a rate above 0, got rate 0")
    return W * (growth / radius) ** np.array(delays)[:, None, None]
