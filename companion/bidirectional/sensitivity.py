"""How strongly each output speaks of each input: exact Jacobians of a bidirectional network (Section 10.3)."""

from typing import Literal, get_args

import numpy as np

from companion.bidirectional.nets import BiRNN, halves
from companion.cells.rnn import RNN, Inputs
from companion.core.checks import checked
from companion.core.scan import scan

__all__ = ["DIRECTIONS", "input_jacobian", "sensitivity"]

Direction = Literal["forward", "backward", "both"]
DIRECTIONS = get_args(Direction)


def _through(p: RNN, x: np.ndarray) -> np.ndarray:
    """∂o⁽ᵗ⁾/∂x⁽ᵏ⁾ through one state: V J⁽ᵗ⁾ … J⁽ᵏ⁺¹⁾ diag(1 − (h⁽ᵏ⁾)²) U for k ≤ t, and 0 for k > t."""
    tau, h = len(x), scan(p, (np.zeros(len(p.b)),), x).h
    out = np.zeros((tau, tau, len(p.c), p.U.shape[1]))
    M = np.zeros((tau, *p.U.shape))  # M[k − 1] is ∂h⁽ᵗ⁾/∂x⁽ᵏ⁾
    for t in range(1, tau + 1):
        slope = (1.0 - h[t] ** 2)[:, None]
        M[: t - 1] = slope * (p.W @ M[: t - 1])
        M[t - 1] = slope * p.U
        out[t - 1, :t] = p.V @ M[:t]
    return out


@checked
def input_jacobian(p: BiRNN, x: Inputs, direction: Direction = "both") -> np.ndarray:
    """Every ∂o⁽ᵗ⁾/∂x⁽ᵏ⁾, exactly, by the product of the Jacobians along the path.

    Equations (Section 10.3): through h, for k ≤ t, V_h [∏ⱼ₌ₖ₊₁…ₜ diag(1 − (h⁽ʲ⁾)²) W_h] diag(1 − (h⁽ᵏ⁾)²) U_h;
    through g, for k ≥ t, the same with g and the steps between t and k; their sum at k = t.

    Both initial states are zero. The direction is "forward" (through h alone), "backward" (through g alone) or "both".

    Returns
    -------
    Jacobians, shape (tau, tau, n_o, n_x): entry [t − 1, k − 1] is ∂o⁽ᵗ⁾/∂x⁽ᵏ⁾.
    """
    forward, reverse = halves(p)
    if direction == "forward":
        return _through(forward, x)
    by_g = _through(reverse, x[::-1])[::-1, ::-1]
    return by_g if direction == "backward" else _through(forward, x) + by_g


def sensitivity(p: BiRNN, x: np.ndarray, direction: Direction = "both") -> np.ndarray:
    """The size of every ∂o⁽ᵗ⁾/∂x⁽ᵏ⁾, as the square root of the sum of squares of its entries (Section 10.3).

    A map of shape (tau, tau): output steps down, input steps across.
    """
    return np.linalg.norm(input_jacobian(p, x, direction), axis=(2, 3))
