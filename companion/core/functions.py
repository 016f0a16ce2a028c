"""The elementwise functions, the softmax and the negative log-likelihood, each with its derivative.

Section: used by all; introduced with Section 10.2. Derivatives are written in terms of the
*output* of the function, because that is what a forward pass has stored.
"""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np

from companion.core.checks import Classes, array, checked

__all__ = [
    "log_softmax",
    "nll",
    "nll_grad",
    "sigmoid",
    "sigmoid_prime",
    "softmax",
    "spectral_radius",
    "squared_loss",
    "tanh",
    "tanh_prime",
]


def _numbers(name: str, value: Any, minimum_axes: int = 0) -> np.ndarray:
    """Finite numbers of any shape. What loops over time call at every step asks this by hand, which is quicker."""
    try:
        axes = max(np.ndim(value), minimum_axes)
    except ValueError:  # ragged nested lists have no shape; `array` says so in our words
        axes = 1
    return array(name, value, ("any",) * axes)


def _output_of(function: str, low: float, high: float) -> Callable[[str, np.ndarray], np.ndarray]:
    def within(name: str, value: np.ndarray) -> np.ndarray:
        if (outside := (value < low) | (value > high)).any():
            bad = value[outside].flat[0]
            raise ValueError(f"{name}: want an output of {function}, in [{low:g}, {high:g}], got {bad}")
        return value

    return within


Numbers = Annotated[Any, _numbers]
"""Any shape."""

Outputs = Annotated[np.ndarray, "tau", "n_o"]

Targets = Annotated[np.ndarray, "tau", Classes("n_o")]
"""One class a step."""


def sigmoid(a: np.ndarray) -> np.ndarray:
    """Logistic sigmoid, elementwise, without overflow and accurate in both tails.

    Equation (Section 10.10): σ(a) = 1 / (1 + e⁻ᵃ), and e^a / (1 + e^a) for negative a.
    """
    a = _numbers("a", a)
    small = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, small) / (1.0 + small)


@checked
def sigmoid_prime(y: Annotated[Numbers, _output_of("the sigmoid", 0, 1)]) -> np.ndarray:
    """Derivative of the sigmoid in terms of its output y = σ(a), elementwise; in [0, 1/4].

    Equation (Section 10.10): dσ/da = y (1 − y).
    """
    return y * (1.0 - y)


@checked
def tanh(a: Numbers) -> np.ndarray:
    """Hyperbolic tangent, elementwise.

    Equation (Section 10.2): h = tanh(a).
    """
    return np.tanh(a)


@checked
def tanh_prime(y: Annotated[Numbers, _output_of("tanh", -1, 1)]) -> np.ndarray:
    """Derivative of tanh in terms of its output y = tanh(a), elementwise; in [0, 1].

    Equation (Section 10.2.2): dh/da = 1 − h².
    """
    return 1.0 - y**2


def log_softmax(o: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax along the last axis, stable for large logits.

    Equation (Section 10.2): log ŷᵢ = oᵢ − log Σⱼ exp oⱼ.
    """
    o = _numbers("o", o, minimum_axes=1)
    shifted = o - o.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax(o: np.ndarray) -> np.ndarray:
    """Probabilities from logits, along the last axis, where they sum to one.

    Equation (Section 10.2): ŷᵢ = exp oᵢ / Σⱼ exp oⱼ.
    """
    return np.exp(log_softmax(o))


@checked
def nll(o: Outputs, y: Targets) -> np.ndarray:
    """Negative log-likelihood of the targets in nats, one number a step.

    Equation (Section 10.2): L⁽ᵗ⁾ = −log ŷ⁽ᵗ⁾_{y⁽ᵗ⁾} with ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾).
    """
    return -log_softmax(o)[np.arange(len(y)), y]


@checked
def nll_grad(o: Outputs, y: Targets) -> np.ndarray:
    """Gradient of each step's negative log-likelihood with respect to its logits; each row sums to zero.

    Equation (Section 10.2.2): ∇_{o⁽ᵗ⁾} L = ŷ⁽ᵗ⁾ − onehot(y⁽ᵗ⁾).
    """
    grad = softmax(o)
    grad[np.arange(len(y)), y] -= 1.0
    return grad


@checked
def squared_loss(o: Outputs, y: Outputs) -> tuple[float, np.ndarray]:
    """L = ½ Σ_t ‖o⁽ᵗ⁾ − y⁽ᵗ⁾‖² and its gradient on o for real-valued targets (Section 10.12)."""
    return 0.5 * float(((o - y) ** 2).sum()), o - y


@checked
def spectral_radius(W: Annotated[np.ndarray, "n_h", "n_h"]) -> float:
    """The largest modulus of an eigenvalue: ρ(W) = max |λ| (Section 10.7)."""
    return float(np.abs(np.linalg.eigvals(W)).max())
