"""Section 10.11.1: gradients cut to size, by value and by norm, and what a random step does instead."""

from typing import Annotated, Literal, TypeVar

import numpy as np

from companion.core import tree
from companion.core.checks import Positive, checked

__all__ = ["angle", "clip_by_norm", "clip_by_value", "global_norm", "random_step", "tame"]

Tree = TypeVar("Tree")


def _numbers(name: str, grads: Tree) -> Tree:
    """The gradient in float64 arrays of its own, at least one number in all."""
    parts = tree.leaves(grads, name)
    if not sum(np.size(g) for g in parts.values()):
        raise ValueError(f"{name}: want at least one number, got an empty gradient")
    for path, g in parts.items():
        if np.asarray(g).dtype.kind not in "iuf":
            raise ValueError(f"{path}: want numbers, got an array of type {np.asarray(g).dtype}")
    return tree.map(lambda g: np.array(g, dtype=np.float64), grads)


def _finite(name: str, grads: Tree) -> Tree:
    for path, g in tree.leaves(grads, name).items():
        if not np.isfinite(g).all():
            raise ValueError(f"{path}: want finite numbers, got NaN or infinity (`tame` steps at random then)")
    return grads


Wild = Annotated[Tree, _numbers]
"""A gradient that may hold NaN and infinity: an array, or a parameter tree of arrays (named tuples, tuples, lists)."""

Grads = Annotated[Tree, _numbers, _finite]
"""A gradient of finite numbers: an array, or a parameter tree of arrays."""


def _largest(grads: Tree) -> float:
    """The largest |gᵢ|."""
    return max(float(np.abs(g).max(initial=0.0)) for g in tree.leaves(grads).values())


def _norm(grads: Tree) -> float:
    """Scaled by the largest entry, so that the squares do not overflow."""
    largest = _largest(grads)
    if largest == 0 or not np.isfinite(largest):
        return largest
    with np.errstate(over="ignore"):
        return float(largest * np.sqrt(sum(((g / largest) ** 2).sum() for g in tree.leaves(grads).values())))


@checked
def global_norm(grads: Grads) -> float:
    """The norm of all parameters' gradients taken as one vector: ‖g‖ = √(Σ gᵢ²) (Section 10.11.1).

    It is infinity if it is too large for a float.
    """
    return _norm(grads)


@checked
def clip_by_value(grads: Grads, v: Positive) -> Grads:
    """Cut every entry to [−v, v]: gᵢ ← max(−v, min(v, gᵢ)) (Section 10.11.1).

    Reference: mikolov2012
    """
    return tree.map(lambda g: np.clip(g, -v, v), grads)


@checked
def clip_by_norm(grads: Grads, v: Positive) -> Grads:
    """Shorten the whole gradient to length v, keeping its direction (Equations 10.48 and 10.49).

    If ‖g‖ > v: g ← g v / ‖g‖. One factor for all parameters.

    Reference: pascanu2013
    """
    if _norm(grads) <= v:
        return grads
    largest = _largest(grads)
    grads = tree.map(lambda g: g / largest, grads)  # same direction, and no norm overflows
    factor = v / _norm(grads)
    return tree.map(lambda g: g * factor, grads)


@checked
def random_step(grads: Wild, v: Positive, rng: np.random.Generator) -> Grads:
    """A step of length v in a direction drawn uniformly from the sphere (Section 10.11.1).

    Of the gradient only the shapes matter.
    """
    drawn = tree.map(lambda g: rng.standard_normal(g.shape), grads)
    factor = v / _norm(drawn)
    return tree.map(lambda g: g * factor, drawn)


@checked
def tame(grads: Wild, v: Positive, rng: np.random.Generator, way: Literal["norm", "value", "random"] = "norm") -> Grads:
    """A gradient that is safe to step along, whatever came in (Section 10.11.1).

    If an entry is NaN or infinite: a random step of length v. Else "norm" clips by norm, "value" clips by value,
    and "random" replaces a gradient with ‖g‖ > v by a random step of length v. What comes back is always finite.

    Reference: goodfellow2016
    """
    step = random_step(grads, v, rng)
    if not all(np.isfinite(g).all() for g in tree.leaves(grads).values()):
        return step
    if way == "random":
        return step if _norm(grads) > v else grads
    return clip_by_norm(grads, v) if way == "norm" else clip_by_value(grads, v)


@checked
def angle(g: Grads, other: Grads) -> float:
    """The angle between two gradients other than zero, each taken as one vector (Section 10.11.1).

    Degrees, 0 … 180; exact also for nearly equal directions.
    """
    a, b = (np.concatenate([part.ravel() for part in tree.leaves(grads).values()]) for grads in (g, other))
    if a.shape != b.shape:
        raise ValueError(f"other: want {a.size} numbers, as many as g, got {b.size}")
    sizes = _norm(a), _norm(b)
    if 0 in sizes:
        raise ValueError("g, other: want gradients other than zero, got one that is zero")
    a, b = a / sizes[0], b / sizes[1]
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))))
