"""The independent oracles: central differences at every index, and one measure of disagreement."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest disagreement, relative to the larger of the two arrays' largest entries."""
    ours, theirs = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    assert ours.shape == theirs.shape, f"shapes differ: {ours.shape} against {theirs.shape}"
    scale = max(np.abs(ours).max(initial=0.0), np.abs(theirs).max(initial=0.0))
    return float(np.abs(ours - theirs).max(initial=0.0) / scale) if scale > 0 else 0.0


def central_differences(f: Callable[[np.ndarray], float], at: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Gradient of the scalar function f at `at`, by central differences at every index."""
    grad = np.zeros_like(at, dtype=np.float64)
    for index in np.ndindex(at.shape):
        step = np.zeros_like(at, dtype=np.float64)
        step[index] = eps
        grad[index] = (f(at + step) - f(at - step)) / (2 * eps)
    return grad


def assert_gradients_agree(ours: NamedTuple, theirs: NamedTuple, tolerance: float) -> None:
    """Each field of two gradients of the same type agrees; a failure names the field."""
    assert type(ours) is type(theirs)
    for name in ours._fields:
        error = relative_error(getattr(ours, name), getattr(theirs, name))
        assert error <= tolerance, f"gradient of {name}: relative error {error:.1e}, want ≤ {tolerance:.0e}"


def differences_of_parameters(loss: Callable[[NamedTuple], float], p: NamedTuple, eps: float = 1e-5) -> NamedTuple:
    """The gradient of loss(p) with respect to every entry of every field, in the type of p."""
    return type(p)(
        *(
            central_differences(lambda v, name=name: loss(p._replace(**{name: v})), getattr(p, name), eps)
            for name in p._fields
        )
    )
