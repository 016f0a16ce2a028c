"""Where a head looks and what it does there: content, gate, shift, sharpening; read, erase, add (Section 10.13).

NumPy float64, one head, one step. Letters, some of which mean something else in an LSTM: memory M, one row a cell;
a weighting w, one share a cell; and what a head is told: key k, strength β, gate g, shift s, sharpening γ, erase e,
add a.
"""

from typing import Any, NamedTuple

import numpy as np

from companion.core.checks import array, integer, number, probability
from companion.core.functions import softmax

__all__ = [
    *("Head", "Weightings", "address", "address_by_content", "cosine", "gate", "memory_read", "memory_write"),
    *("multiplications", "sharpen", "shift"),
]

TINY = 1e-12  # keeps a norm of 0 from dividing
ROUNDING = 1e-6  # what a sum of shares may miss 1 by


class Head(NamedTuple):
    """What the controller tells a head at one step (Section 10.13)."""

    k: np.ndarray  # (width,) key: what to look for
    beta: float  # ≥ 0, strength of the key
    g: float  # in [0, 1], 1: go where the content is; 0: stay where you were
    s: np.ndarray  # (2 m + 1,) shares of the moves −m … m
    gamma: float  # ≥ 1, sharpening


class Weightings(NamedTuple):
    """The four steps of addressing, each a weighting (cells,); the last is the one that is used."""

    content: np.ndarray
    gated: np.ndarray
    shifted: np.ndarray
    sharp: np.ndarray


def _memory(M: Any) -> np.ndarray:
    if np.size(M) == 0:
        raise ValueError(f"M: want at least one cell of at least one number, got an empty memory {np.shape(M)}")
    return array("M", M, ("cells", "width"))


def _shares(name: str, w: Any, n: int | str = "cells") -> np.ndarray:
    w = array(name, w, (n,))
    if (w < 0).any() or abs(w.sum() - 1) > ROUNDING:
        raise ValueError(f"{name}: want shares ≥ 0 that sum to 1, got smallest {w.min():.3g} and sum {w.sum():.6g}")
    return w


def cosine(M: np.ndarray, k: np.ndarray) -> np.ndarray:
    """How alike each cell is to a key, whatever their lengths; 0 if either is all zero.

    Equation (Section 10.13): cos(k, M_i) = k·M_i / (‖k‖ ‖M_i‖).

    Parameters
    ----------
    M : memory (cells, width). k : key (width,).

    Returns
    -------
    (cells,), each in [−1, 1].

    Raises
    ------
    ValueError
        If the memory is empty or the key has another width.
    """
    M = _memory(M)
    k = array("k", k, (M.shape[1],))
    return M @ k / np.maximum(np.linalg.norm(M, axis=1) * np.linalg.norm(k), TINY)


def address_by_content(M: np.ndarray, k: np.ndarray, beta: float) -> np.ndarray:
    """The weighting (cells,) that looks for a key: w = softmax(β cos(k, M)) (Section 10.13).

    Parameters
    ----------
    M : memory (cells, width). k : key (width,). beta : strength ≥ 0; 0 looks everywhere alike.

    Raises
    ------
    ValueError
        If the memory is empty, the key has another width or β < 0.

    Reference: graves2014
    """
    return softmax(number("beta", beta, 0) * cosine(M, k))


def gate(g: float, content: np.ndarray, w_old: np.ndarray) -> np.ndarray:
    """Go by content, or stay: w = g w_content + (1 − g) w⁽ᵗ⁻¹⁾ (Section 10.13).

    Parameters
    ----------
    g : in [0, 1]. content, w_old : weightings (cells,).
    """
    g, content = probability("g", g), _shares("content", content)
    return g * content + (1 - g) * _shares("w_old", w_old, len(content))


def shift(w: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Move a weighting along the circle of cells: w̃_i = Σ_j s_j w_{i−j}, a circular convolution (Section 10.13).

    Parameters
    ----------
    w : weighting (cells,).
    s : shares (2 m + 1,) of the moves −m … m, at most one a cell; a one-hot s moves all of w by one amount.
    """
    w, s = _shares("w", w), _shares("s", s, "moves")
    if len(s) % 2 == 0 or len(s) > len(w):
        raise ValueError(f"s: want an odd number of shares, at most {len(w)}, got {len(s)}")
    m = len(s) // 2
    return sum(s[j + m] * np.roll(w, j) for j in range(-m, m + 1))


def sharpen(w: np.ndarray, gamma: float) -> np.ndarray:
    """Undo a blur: w_i = w_i^γ / Σ_j w_j^γ (Section 10.13).

    Parameters
    ----------
    w : weighting (cells,). gamma : at least 1, which changes nothing.
    """
    w, gamma = _shares("w", w), number("gamma", gamma, 1)
    power = (w / w.max()) ** gamma  # the largest is 1, so the powers cannot all underflow
    return power / power.sum()


def address(M: np.ndarray, head: Head, w_old: np.ndarray) -> Weightings:
    """The four steps in a row: by content, through the gate, shifted, sharpened (Section 10.13).

    Parameters
    ----------
    M : memory (cells, width). head : what the controller says. w_old : the head's last weighting (cells,).

    Reference: graves2014
    """
    content = address_by_content(M, head.k, head.beta)
    gated = gate(head.g, content, w_old)
    shifted = shift(gated, head.s)
    return Weightings(content, gated, shifted, sharpen(shifted, head.gamma))


def memory_read(M: np.ndarray, w: np.ndarray) -> np.ndarray:
    """What a head reads, the mean of the cells under its weighting: r = Mᵀ w, (width,) (Section 10.13).

    Parameters
    ----------
    M : memory (cells, width). w : weighting (cells,).

    Raises
    ------
    ValueError
        If the memory is empty or w is no distribution over its cells.
    """
    M = _memory(M)
    return _shares("w", w, len(M)) @ M


def memory_write(M: np.ndarray, w: np.ndarray, e: np.ndarray, a: np.ndarray) -> np.ndarray:
    """The memory after a head has erased and added: M ∘ (1 − w eᵀ) + w aᵀ (Section 10.13).

    Parameters
    ----------
    M : memory (cells, width). w : weighting (cells,).
    e : (width,) in [0, 1], what share of each number to erase. a : (width,) what to add.

    Raises
    ------
    ValueError
        If the memory is empty, w is no distribution over its cells, or e or a does not fit.
    """
    M = _memory(M)
    w, e, a = _shares("w", w, len(M)), array("e", e, (M.shape[1],)), array("a", a, (M.shape[1],))
    if (e < 0).any() or (e > 1).any():
        raise ValueError(f"e: want shares in [0, 1], got {e.min():.3g} … {e.max():.3g}")
    return M * (1 - np.outer(w, e)) + np.outer(w, a)


def multiplications(cells: int, width: int, moves: int = 3) -> int:
    """Multiplications of one head in one step: compare, gate, shift, read, erase and add (Section 10.13).

    Counted are products that grow with the number of cells: 2 width for cos (with the cell's length), 2 for the
    gate, `moves` for the shift, width to read and 3 width to write. Powers, quotients and sums are left out.
    """
    cells, width, moves = (integer(n, v, 1) for n, v in (("cells", cells), ("width", width), ("moves", moves)))
    return cells * (6 * width + 2 + moves)
