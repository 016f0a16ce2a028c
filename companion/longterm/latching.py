"""Section 10.7: what it costs to hold a bit."""

from typing import NamedTuple

import numpy as np

from companion import validation as check

__all__ = ["Memory", "one_unit_memory"]


class Memory(NamedTuple):
    """A one-unit latch: where it rests, the slope of its map there, and the input that it withstands."""

    point: float
    slope: float
    margin: float


def one_unit_memory(w: float) -> Memory:
    """The bit that one unit h⁽ᵗ⁾ = tanh(w h⁽ᵗ⁻¹⁾ + x⁽ᵗ⁾) can hold when w > 1 (Section 10.7).

    Without input it rests at ±h*, h* = tanh(w h*), where the map's slope is w (1 − h*²) < 1. Inputs with
    |x⁽ᵗ⁾| < m = w h_c − artanh h_c, h_c² = 1 − 1/w, can never make it change sign, for however long.

    Parameters
    ----------
    w : the self-weight, 1 < w ≤ 100.

    Returns
    -------
    Memory(point, slope, margin).

    Raises
    ------
    ValueError
        If w does not lie in that range.

    References
    ----------
    bengio1994
    """
    w = check.number("w", w, 1.0, 100.0)
    if w == 1.0:
        raise ValueError("w: want more than 1 (there is no second resting point at 1), got 1.0")
    edge = np.sqrt(1 - 1 / w)  # where the map's slope is 1
    low, high = edge, 1.0  # tanh(w h) − h is positive at the first and not at the second
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.tanh(w * middle) > middle else (low, middle)
    slope = w / np.cosh(w * high) ** 2  # = w (1 − h*²), without the cancellation
    return Memory(float(high), float(slope), float(w * edge - np.arctanh(edge)))
