"""Section P.5: linear recurrences whose decay depends on the input."""

from typing import Annotated, NamedTuple

import numpy as np

from companion.core.checks import checked
from companion.core.functions import sigmoid
from companion.linear.scans import scan_by_tree

__all__ = ["MinGRU", "min_gru", "selective"]

Inputs = Annotated[np.ndarray, "tau", "n_x"]


class MinGRU(NamedTuple):
    """A GRU whose gate and candidate read the input alone; u is the share that is kept."""

    U_u: Annotated[np.ndarray, "n_h", "n_x"]
    b_u: Annotated[np.ndarray, "n_h"]
    U: Annotated[np.ndarray, "n_h", "n_x"]
    b: Annotated[np.ndarray, "n_h"]


@checked
def min_gru(p: MinGRU, x: Inputs) -> np.ndarray:
    """h⁽ᵗ⁾ = u⁽ᵗ⁾ ⊙ h⁽ᵗ⁻¹⁾ + (1 − u⁽ᵗ⁾) ⊙ z⁽ᵗ⁾ by the scan: states (tau + 1, n_h) (Section P.5).

    Reference: feng2024
    """
    # u⁽ᵗ⁾ = σ(bᵘ + Uᵘ x⁽ᵗ⁾),  z⁽ᵗ⁾ = b + U x⁽ᵗ⁾
    u = sigmoid(p.b_u + x @ p.U_u.T)
    z = p.b + x @ p.U.T
    return scan_by_tree(u, (1 - u) * z)


@checked
def selective(
    dt: Annotated[np.ndarray, "tau", (0, None)],
    B: Annotated[np.ndarray, "tau", "n"],
    C: Annotated[np.ndarray, "tau", "n"],
    A: Annotated[np.ndarray, "n", (None, 0)],
    x: Annotated[np.ndarray, "tau"],
) -> np.ndarray:
    """One channel of a selective state space: the step length and B, C come with the input; o, (tau,) (Section P.5).

    Parameters
    ----------
    dt : Δ⁽ᵗ⁾, how far each step goes. B, C : B⁽ᵗ⁾ and C⁽ᵗ⁾. A : real decays, at most 0. x : the channel's input.

    Reference: gu2023
    """
    # h⁽ᵗ⁾ = exp(Δ⁽ᵗ⁾ A) ⊙ h⁽ᵗ⁻¹⁾ + Δ⁽ᵗ⁾ B⁽ᵗ⁾ x⁽ᵗ⁾,  o⁽ᵗ⁾ = C⁽ᵗ⁾ᵀ h⁽ᵗ⁾
    h = scan_by_tree(np.exp(dt[:, None] * A), dt[:, None] * B * x[:, None])
    return (C * h[1:]).sum(axis=1)
