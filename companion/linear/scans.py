"""Section P.5: a linear recurrence as a loop and as a tree, and its gradient, which is one too.

The leaks of Section 10.9 had a scan by doubling: few rounds, more work than the loop. The tree here needs twice as many
rounds and three times the loop's work where the length is a power of two, up to five times where it is filled up.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from companion.core.checks import Count, checked

__all__ = ["ScanGrads", "Work", "combine", "recurrence", "scan_back", "scan_by_tree", "sweeps", "work"]


def _rows(name: str, value: Any) -> np.ndarray:
    out = np.asarray(value)
    if out.dtype.kind not in "fciu" or out.ndim != 2 or out.size == 0:
        raise ValueError(f"{name}: want real or complex numbers of shape (tau, n), got shape {out.shape}")
    if not np.isfinite(out).all():
        raise ValueError(f"{name}: want finite numbers")
    return out.astype(np.result_type(out, np.float64))


Rows = Annotated[Any, _rows]
"""Real or complex numbers of shape (tau, n): one row a step."""


class ScanGrads(NamedTuple):
    """Gradients of a loss on the parts of a linear recurrence, in their shapes."""

    a: np.ndarray  # (tau, n)
    b: np.ndarray  # (tau, n)


class Work(NamedTuple):
    """What a way to run a linear recurrence costs."""

    operations: int  # pairs combined in all
    depth: int  # rounds that have to wait for each other


def _alike(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        raise ValueError(f"b: want the shape {a.shape} of a, got {b.shape}")


@checked
def recurrence(a: Rows, b: Rows) -> np.ndarray:
    """The states h⁽⁰⁾ … h⁽τ⁾ of h⁽ᵗ⁾ = a⁽ᵗ⁾ ⊙ h⁽ᵗ⁻¹⁾ + b⁽ᵗ⁾ from h⁽⁰⁾ = 0, by a loop: (tau + 1, n) (Section P.5)."""
    _alike(a, b)
    h = np.zeros((len(a) + 1, a.shape[1]), np.result_type(a, b))
    for t in range(1, len(h)):
        # h⁽ᵗ⁾ = a⁽ᵗ⁾ ⊙ h⁽ᵗ⁻¹⁾ + b⁽ᵗ⁾
        h[t] = a[t - 1] * h[t - 1] + b[t - 1]
    return h


Step = tuple[np.ndarray, np.ndarray]
"""A step h → a ⊙ h + b, or several of them in a row, as the pair (a, b)."""


def combine(first: Step, then: Step) -> Step:
    """Two steps in a row are one step of the same form: (a′a, a′b + b′) (Section P.5).

    Reference: blelloch1990, martin2018
    """
    (a, b), (a_, b_) = first, then
    # a′ (a h + b) + b′ = (a′ a) h + (a′ b + b′)
    return a_ * a, a_ * b + b_


def sweeps(n: int) -> Iterator[tuple[str, slice, slice]]:
    """The rounds of the tree over n places, n a power of two: "up" or "down", and which places meet which."""
    strides = [2**k for k in range(n.bit_length() - 1)]
    for way, order in (("up", strides), ("down", strides[::-1])):
        for s in order:
            yield way, slice(s - 1, None, 2 * s), slice(2 * s - 1, None, 2 * s)


def _tree(a: np.ndarray, b: np.ndarray) -> Step:
    """For each place, all steps before it as one step; (n, …), n a power of two."""
    a, b = a.copy(), b.copy()
    for way, left, right in sweeps(len(a)):
        if way == "up":
            # the right place takes in what the left one has gathered
            a[right], b[right] = combine((a[left], b[left]), (a[right], b[right]))
        else:
            if right.step == len(a):  # at the root nothing came before
                a[-1], b[-1] = 1, 0
            # the left place gets what came before both; the right one that, and then the left one's own
            own = a[left].copy(), b[left].copy()
            a[left], b[left] = a[right], b[right]
            a[right], b[right] = combine((a[right], b[right]), own)
    return a, b


@checked
def scan_by_tree(a: Rows, b: Rows) -> np.ndarray:
    """The states of `recurrence` by an up-sweep and a down-sweep of a binary tree (Section P.5).

    Every round is one operation on whole arrays; 2 log₂ τ rounds, and one more, where every step is made at once from
    the state before it.

    Reference: blelloch1990
    """
    _alike(a, b)
    tau, dtype = len(a), np.result_type(a, b)
    if tau == 1:
        return np.concatenate([np.zeros_like(b), b])
    n = 2 ** (tau - 1).bit_length()
    # steps that change nothing, (1, 0), fill up to a power of two
    padded_a, padded_b = np.ones((n, a.shape[1]), dtype), np.zeros((n, a.shape[1]), dtype)
    padded_a[:tau], padded_b[:tau] = a, b
    before = _tree(padded_a, padded_b)[1][:tau]
    return np.concatenate([np.zeros((1, a.shape[1]), dtype), a * before + b])


@checked
def work(way: Literal["loop", "doubling", "tree"], tau: Count) -> Work:
    """Operations and rounds of one channel: the loop, doubling (Section 10.9), the tree (Section P.5).

    The tree's sequence is filled up to a power of two, as in `scan_by_tree`; a pair at its root, whose result nobody
    needs, is counted with the others.
    """
    rounds = (tau - 1).bit_length()
    if way == "loop":
        return Work(tau, tau)
    if way == "doubling":
        return Work(sum(tau - 2**k for k in range(rounds)), rounds)
    n = 2**rounds
    return Work(2 * (n - 1) + tau, 2 * rounds + 1)


@checked
def scan_back(a: Rows, h: Rows, g: Rows) -> ScanGrads:
    """The gradient of a loss through `recurrence`, by the same tree, read from the end (Section P.5).

    Parameters
    ----------
    a : the factors, (tau, n). h : the states, (tau + 1, n). g : ∂L/∂h⁽ᵗ⁾ for t = 1 … τ as far as L reads h⁽ᵗ⁾ itself.

    Reference: martin2018
    """
    _alike(a, g)
    if h.shape != (len(a) + 1, a.shape[1]):
        raise ValueError(f"h: want the states, shape {(len(a) + 1, a.shape[1])}, got {h.shape}")
    # ∇h⁽ᵗ⁾ = a⁽ᵗ⁺¹⁾ ⊙ ∇h⁽ᵗ⁺¹⁾ + g⁽ᵗ⁾; of complex numbers the conjugate
    later = np.concatenate([a[1:], np.zeros_like(a[:1])]).conj()
    d = scan_by_tree(later[::-1], g[::-1])[1:][::-1]
    # ∇a⁽ᵗ⁾ = ∇h⁽ᵗ⁾ ⊙ h⁽ᵗ⁻¹⁾ and ∇b⁽ᵗ⁾ = ∇h⁽ᵗ⁾
    return ScanGrads(d * h[:-1].conj(), d)
