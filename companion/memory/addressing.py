"""Where a head looks and what it does there: content, gate, shift, sharpening; read, erase, add (Section 10.13.2).

NumPy float64, one head, one step. Letters, some of which mean something else in an LSTM: memory M, one row a cell;
a weighting w, one share a cell; and what a head is told: key k, strength β, gate g, shift s, sharpening γ, erase e,
add a.
"""

from typing import Annotated, NamedTuple

import numpy as np

from companion.core.checks import Count, Probability, checked
from companion.core.functions import softmax

__all__ = [
    *("Head", "Weightings", "address", "address_by_content", "cosine", "gate", "memory_read", "memory_write"),
    *("multiplications", "sharpen", "shift"),
]

TINY = 1e-12  # keeps a norm of 0 from dividing
ROUNDING = 1e-6  # what a sum of shares may miss 1 by


def _shares(name: str, w: np.ndarray) -> np.ndarray:
    if (w < 0).any() or abs(w.sum() - 1) > ROUNDING:
        raise ValueError(f"{name}: want shares ≥ 0 that sum to 1, got smallest {w.min():.3g} and sum {w.sum():.6g}")
    return w


Memory = Annotated[np.ndarray, "cells", "width"]
"""One row a cell."""

Vector = Annotated[np.ndarray, "width"]
"""What a cell holds."""

Weighting = Annotated[np.ndarray, "cells", _shares]
"""One share a cell."""

Moves = Annotated[np.ndarray, "moves", _shares]
"""Shares (2 m + 1,) of the moves −m … m."""

Strength = Annotated[float, (0, None)]
"""How sharply a head looks for its key; 0: everywhere alike."""

Sharpness = Annotated[float, (1, None)]
"""The exponent that undoes a blur; 1 changes nothing."""


class Head(NamedTuple):
    """What the controller tells a head at one step (Section 10.13.2)."""

    k: Vector  # key: what to look for
    beta: Strength
    g: Probability  # 1: go where the content is; 0: stay where you were
    s: Moves
    gamma: Sharpness


class Weightings(NamedTuple):
    """The four steps of addressing, each a weighting (cells,); the last is the one that is used."""

    content: np.ndarray
    gated: np.ndarray
    shifted: np.ndarray
    sharp: np.ndarray


@checked
def cosine(M: Memory, k: Vector) -> np.ndarray:
    """How alike each cell is to a key, whatever their lengths, in [−1, 1]; 0 if either is all zero.

    Equation (Section 10.13.2): cos(k, M_i) = k·M_i / (‖k‖ ‖M_i‖).
    """
    return M @ k / np.maximum(np.linalg.norm(M, axis=1) * np.linalg.norm(k), TINY)


@checked
def address_by_content(M: Memory, k: Vector, beta: Strength) -> np.ndarray:
    """The weighting (cells,) that looks for a key: w = softmax(β cos(k, M)) (Section 10.13.2).

    Reference: graves2014
    """
    return softmax(beta * cosine(M, k))


@checked
def gate(g: Probability, content: Weighting, w_old: Weighting) -> np.ndarray:
    """Go by content, or stay: w = g w_content + (1 − g) w⁽ᵗ⁻¹⁾ (Section 10.13.2)."""
    return g * content + (1 - g) * w_old


@checked
def shift(w: Weighting, s: Moves) -> np.ndarray:
    """Move a weighting along the circle of cells: w̃_i = Σ_j s_j w_{i−j}, a circular convolution (Section 10.13.2).

    There is at most one move a cell; a one-hot s moves all of w by one amount.
    """
    if len(s) % 2 == 0 or len(s) > len(w):
        raise ValueError(f"s: want an odd number of shares, at most {len(w)}, got {len(s)}")
    m = len(s) // 2
    return sum(s[j + m] * np.roll(w, j) for j in range(-m, m + 1))


@checked
def sharpen(w: Weighting, gamma: Sharpness) -> np.ndarray:
    """Undo a blur: w_i = w_i^γ / Σ_j w_j^γ (Section 10.13.2)."""
    power = (w / w.max()) ** gamma  # the largest is 1, so the powers cannot all underflow
    return power / power.sum()


@checked
def address(M: Memory, head: Head, w_old: Weighting) -> Weightings:
    """The four steps in a row: by content, through the gate, shifted, sharpened (Section 10.13.2).

    Reference: graves2014
    """
    content = address_by_content(M, head.k, head.beta)
    gated = gate(head.g, content, w_old)
    shifted = shift(gated, head.s)
    return Weightings(content, gated, shifted, sharpen(shifted, head.gamma))


@checked
def memory_read(M: Memory, w: Weighting) -> np.ndarray:
    """What a head reads, the mean of the cells under its weighting: r = Mᵀ w, (width,) (Section 10.13.2)."""
    return w @ M


@checked
def memory_write(M: Memory, w: Weighting, e: Annotated[np.ndarray, "width", (0, 1)], a: Vector) -> np.ndarray:
    """The memory after a head has erased and added: M ∘ (1 − w eᵀ) + w aᵀ (Section 10.13.2).

    e says what share of each number to erase, a what to add.
    """
    return M * (1 - np.outer(w, e)) + np.outer(w, a)


@checked
def multiplications(cells: Count, width: Count, moves: Count = 3) -> int:
    """Multiplications of one head in one step: compare, gate, shift, read, erase and add (Section 10.13.2).

    Counted are products that grow with the number of cells: 2 width for cos (with the cell's length), 2 for the
    gate, `moves` for the shift, width to read and 3 width to write. Powers, quotients and sums are left out.
    """
    return cells * (6 * width + 2 + moves)
