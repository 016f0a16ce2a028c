"""Section 10.11.1: gradients cut to size, by value and by norm, and what a random step does instead."""

from typing import TypeVar

import numpy as np

from companion.core import checks as check
from companion.core import tree

__all__ = ["angle", "clip_by_norm", "clip_by_value", "global_norm", "random_step", "tame"]

Grads = TypeVar("Grads")  # an array, or a parameter tree of arrays: named tuples, tuples and lists


def _checked(grads: Grads, finite: bool = True, name: str = "grads") -> Grads:
    """The gradient in float64 arrays of its own, at least one number in all."""
    parts = tree.leaves(grads, name)
    if not sum(np.size(g) for g in parts.values()):
        raise ValueError(f"{name}: want at least one number, got an empty gradient")
    for path, g in parts.items():
        if np.asarray(g).dtype.kind not in "iuf":
            raise ValueError(f"{path}: want numbers, got an array of type {np.asarray(g).dtype}")
        if finite and not np.isfinite(g).all():
            raise ValueError(f"{path}: want finite numbers, got NaN or infinity (`tame` steps at random then)")
    return tree.map(lambda g: np.array(g, dtype=np.float64), grads)


def _largest(grads: Grads) -> float:
    """The largest |gᵢ|."""
    return max(float(np.abs(g).max(initial=0.0)) for g in tree.leaves(grads).values())


def _norm(grads: Grads) -> float:
    """Scaled by the largest entry, so that the squares do not overflow."""
    largest = _largest(grads)
    if largest == 0 or not np.isfinite(largest):
        return largest
    with np.errstate(over="ignore"):
        return float(largest * np.sqrt(sum(((g / largest) ** 2).sum() for g in tree.leaves(grads).values())))


def global_norm(grads: Grads) -> float:
    """The norm of all parameters' gradients taken as one vector: ‖g‖ = √(Σ gᵢ²) (Section 10.11.1).

    Parameters
    ----------
    grads : an array, or a parameter tree of arrays.

    Returns
    -------
    ‖g‖; infinity if it is too large for a float.
    """
    return _norm(_checked(grads))


def clip_by_value(grads: Grads, v: float) -> Grads:
    """Cut every entry to [−v, v]: gᵢ ← max(−v, min(v, gᵢ)) (Section 10.11.1).

    Parameters
    ----------
    grads : an array, or a parameter tree of arrays.
    v : the threshold, > 0.

    Returns
    -------
    The same type as `grads`.

    References
    ----------
    mikolov2012
    """
    v = check.positive("v", v)
    return tree.map(lambda g: np.clip(g, -v, v), _checked(grads))


def clip_by_norm(grads: Grads, v: float) -> Grads:
    """Shorten the whole gradient to length v, keeping its direction (Equations 10.48 and 10.49).

    If ‖g‖ > v: g ← g v / ‖g‖. One factor for all parameters.

    Parameters
    ----------
    grads : an array, or a parameter tree of arrays.
    v : the threshold, > 0.

    Returns
    -------
    The same type as `grads`.

    References
    ----------
    pascanu2013
    """
    v, grads = check.positive("v", v), _checked(grads)
    if _norm(grads) <= v:
        return grads
    largest = _largest(grads)
    grads = tree.map(lambda g: g / largest, grads)  # same direction, and no norm overflows
    factor = v / _norm(grads)
    return tree.map(lambda g: g * factor, grads)


def random_step(grads: Grads, v: float, rng: np.random.Generator) -> Grads:
    """A step of length v in a direction drawn uniformly from the sphere (Section 10.11.1).

    Parameters
    ----------
    grads : a gradient whose shapes are taken and whose values are ignored.
    v : its length, > 0.
    rng : the source of randomness.

    Returns
    -------
    The same type as `grads`.
    """
    v, rng = check.positive("v", v), check.generator("rng", rng)
    drawn = tree.map(lambda g: rng.standard_normal(g.shape), _checked(grads, finite=False))
    factor = v / _norm(drawn)
    return tree.map(lambda g: g * factor, drawn)


def tame(grads: Grads, v: float, rng: np.random.Generator, way: str = "norm") -> Grads:
    """A gradient that is safe to step along, whatever came in (Section 10.11.1).

    If an entry is NaN or infinite: a random step of length v. Else "norm" clips by norm, "value" clips by value,
    and "random" replaces a gradient with ‖g‖ > v by a random step of length v.

    Parameters
    ----------
    grads : an array, or a parameter tree of arrays; NaN and infinity are allowed here.
    v : the threshold, > 0.
    rng : the source of randomness.
    way : "norm", "value" or "random".

    Returns
    -------
    The same type as `grads`, always finite.

    References
    ----------
    goodfellow2016
    """
    way, grads = check.choice("way", way, ("norm", "value", "random")), _checked(grads, finite=False)
    step = random_step(grads, v, rng)
    if not all(np.isfinite(g).all() for g in tree.leaves(grads).values()):
        return step
    if way == "random":
        return step if _norm(grads) > v else grads
    return clip_by_norm(grads, v) if way == "norm" else clip_by_value(grads, v)


def angle(g: Grads, other: Grads) -> float:
    """The angle between two gradients, each taken as one vector (Section 10.11.1).

    Parameters
    ----------
    g, other : gradients of the same shapes, neither of them zero.

    Returns
    -------
    Degrees, 0 … 180; exact also for nearly equal directions.
    """
    a, b = (
        np.concatenate([part.ravel() for part in tree.leaves(_checked(grads, name=name)).values()])
        for name, grads in (("g", g), ("other", other))
    )
    if a.shape != b.shape:
        raise ValueError(f"other: want {a.size} numbers, as many as g, got {b.size}")
    sizes = _norm(a), _norm(b)
    if 0 in sizes:
        raise ValueError("g, other: want gradients other than zero, got one that is zero")
    a, b = a / sizes[0], b / sizes[1]
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))))
