"""The layer that gated cells are made of (Section 10.10): it sees the input and the state through its own U, W, b."""

from typing import Annotated, NamedTuple

import numpy as np
from scipy.special import expit as sigmoid

from companion.core.checks import Count, checked

__all__ = ["SQUASH", "Direct", "Gate", "gate_init"]

SQUASH = {"tanh": (np.tanh, lambda z: 1.0 - z**2), "sigmoid": (sigmoid, lambda z: z * (1.0 - z))}
"""A candidate's activation φ, and its slope in terms of its output."""

Direct = Annotated[np.ndarray, "tau", "n_h"]
"""How the loss depends on each h⁽ᵗ⁾ directly: through the output of that step."""


class Gate(NamedTuple):
    """One layer of a gated cell; its peephole, if it has one, is for the state s."""

    U: Annotated[np.ndarray, "n_h", "n_x"]
    W: Annotated[np.ndarray, "n_h", "n_h"]
    b: Annotated[np.ndarray, "n_h"]
    peephole: Annotated[np.ndarray, "n_h"] | None = None

    def __call__(self, x: np.ndarray, h: np.ndarray) -> np.ndarray:
        """The layer's pre-activation: a = b + U x + W h."""
        return self.b + self.U @ x + self.W @ h

    def gradient(self, a: np.ndarray, x: np.ndarray, h: np.ndarray, s: np.ndarray | None = None) -> "Gate":
        """Sum over time of the outer products of `a` (tau, n_h), the gradient on the pre-activations."""
        return Gate(a.T @ x, a.T @ h, a.sum(axis=0), None if self.peephole is None else (a * s).sum(axis=0))


@checked
def gate_init(n_x: Count, n_h: Count, rng: np.random.Generator, bias: float = 0.0, peephole: bool = False) -> Gate:
    """Draw a gate: Gaussian weights with variance one over their fan-in, a constant bias, small peepholes if wanted."""
    U = rng.normal(size=(n_h, n_x)) / np.sqrt(n_x)
    W = rng.normal(size=(n_h, n_h)) / np.sqrt(n_h)
    return Gate(U, W, np.full(n_h, bias), 0.1 * rng.normal(size=n_h) if peephole else None)
