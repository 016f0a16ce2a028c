"""Section 10.11.1: gradients cut to size, by value and by norm, and what a random step does instead."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from companion.core import checks as check

__all__ = ["angle", "clip_by_norm", "clip_by_value", "global_norm", "random_step", "tame"]

Grads = TypeVar("Grads", np.ndarray, Sequence[np.ndarray])  # one array, or a named tuple, tuple or list of them


def _arrays(grads: Grads, finite: bool = True) -> list[np.ndarray]:
    """The arrays of a gradient as float64, at least one number in all."""
    parts = [grads] if isinstance(grads, np.ndarray) else grads
    if not isinstance(parts, list | tuple):
        raise ValueError(f"grads: want an array or a (named) tuple or list of arrays, got {type(grads).__name__}")
    try:
        parts = [np.asarray(g, dtype=np.float64) for g in parts]
    except (TypeError, ValueError):
        raise ValueError("grads: want arrays of numbers, got something else") from None
    if not sum(g.size for g in parts):
        raise ValueError("grads: want at least one number, got an empty gradient")
    if finite and not all(np.isfinite(g).all() for g in parts):
        raise ValueError("grads: want finite numbers, got NaN or infinity (`tame` steps at random then)")
    return parts


def _like(grads: Grads, parts: list[np.ndarray]) -> Grads:
    """The parts in the type that the gradient came in."""
    if isinstance(grads, np.ndarray):
        return parts[0]
    return type(grads)(*parts) if hasattr(grads, "_fields") else type(grads)(parts)


def _norm(parts: list[np.ndarray]) -> float:
    """Scaled by the largest entry, so that the squares do not overflow."""
    largest = max(np.abs(g).max(initial=0.0) for g in parts)
    if largest == 0 or not np.isfinite(largest):
        return float(largest)
    with np.errstate(over="ignore"):
        return float(largest * np.sqrt(sum(((g / largest) ** 2).sum() for g in parts)))


def global_norm(grads: Grads) -> float:
    """The norm of all parameters' gradients taken as one vector: ‖g‖ = √(Σ gᵢ²) (Section 10.11.1).

    Parameters
    ----------
    grads : an array, or a (named) tuple or list of arrays.

    Returns
    -------
    ‖g‖; infinity if it is too large for a float.
    """
    return _norm(_arrays(grads))


def clip_by_value(grads: Grads, v: float) -> Grads:
    """Cut every entry to [−v, v]: gᵢ ← max(−v, min(v, gᵢ)) (Section 10.11.1).

    Parameters
    ----------
    grads : an array, or a (named) tuple or list of arrays.
    v : the threshold, > 0.

    Returns
    -------
    The same type as `grads`.

    References
    ----------
    mikolov2012
    """
    v = check.positive("v", v)
    return _like(grads, [np.clip(g, -v, v) for g in _arrays(grads)])


def clip_by_norm(grads: Grads, v: float) -> Grads:
    """Shorten the whole gradient to length v, keeping its direction (Equations 10.48 and 10.49).

    If ‖g‖ > v: g ← g v / ‖g‖. One factor for all parameters.

    Parameters
    ----------
    grads : an array, or a (named) tuple or list of arrays.
    v : the threshold, > 0.

    Returns
    -------
    The same type as `grads`.

    References
    ----------
    pascanu2013
    """
    v, parts = check.positive("v", v), _arrays(grads)
    if _norm(parts) <= v:
        return _like(grads, parts)
    largest = max(np.abs(g).max(initial=0.0) for g in parts)
    parts = [g / largest for g in parts]  # same direction, and no norm overflows
    return _like(grads, [g * (v / _norm(parts)) for g in parts])


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
    rng = check.generator("rng", rng)
    drawn = [rng.standard_normal(g.shape) for g in _arrays(grads, finite=False)]
    return _like(grads, [g * (check.positive("v", v) / _norm(drawn)) for g in drawn])


def tame(grads: Grads, v: float, rng: np.random.Generator, way: str = "norm") -> Grads:
    """A gradient that is safe to step along, whatever came in (Section 10.11.1).

    If an entry is NaN or infinite: a random step of length v. Else "norm" clips by norm, "value" clips by value,
    and "random" replaces a gradient with ‖g‖ > v by a random step of length v.

    Parameters
    ----------
    grads : an array, or a (named) tuple or list of arrays; NaN and infinity are allowed here.
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
    way, parts = check.choice("way", way, ("norm", "value", "random")), _arrays(grads, finite=False)
    step = random_step(grads, v, rng)
    if not all(np.isfinite(g).all() for g in parts):
        return step
    if way == "random":
        return step if _norm(parts) > v else _like(grads, parts)
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
    a, b = (np.concatenate([p.ravel() for p in _arrays(part)]) for part in (g, other))
    if a.shape != b.shape:
        raise ValueError(f"other: want {a.size} numbers, as many as g, got {b.size}")
    sizes = _norm([a]), _norm([b])
    if 0 in sizes:
        raise ValueError("g, other: want gradients other than zero, got one that is zero")
    a, b = a / sizes[0], b / sizes[1]
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))))
