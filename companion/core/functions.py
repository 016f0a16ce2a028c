"""The elementwise functions, the softmax and the negative log-likelihood, each with its derivative.

Section: used by all; introduced with Section 10.2. Derivatives are written in terms of the
*output* of the function, because that is what a forward pass has stored.
"""

from typing import Any

import numpy as np

from companion.core.checks import array, sequence, targets

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
    """Finite float64 numbers with any number of axes, at least `minimum_axes`."""
    try:
        axes = np.ndim(value)
    except ValueError:  # ragged nested lists have no shape; `array` says so in our words
        axes = 1
    return array(name, value, ("any",) * max(axes, minimum_axes))


def _within(name: str, value: Any, low: float, high: float, made_by: str) -> np.ndarray:
    out = _numbers(name, value)
    if ((out < low) | (out > high)).any():
        bad = out[(out < low) | (out > high)].flat[0]
        raise ValueError(f"{name}: want an output of {made_by}, in [{low:g}, {high:g}], got {bad}")
    return out


def sigmoid(a: np.ndarray) -> np.ndarray:
    """Logistic sigmoid, elementwise, without overflow and accurate in both tails.

    Equation (Section 10.10): σ(a) = 1 / (1 + e⁻ᵃ), and e^a / (1 + e^a) for negative a.

    Parameters
    ----------
    a : pre-activations, any shape.

    Returns
    -------
    Values in [0, 1], the shape of `a`.
    """
    a = _numbers("a", a)
    small = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, small) / (1.0 + small)


def sigmoid_prime(y: np.ndarray) -> np.ndarray:
    """Derivative of the sigmoid in terms of its output y = σ(a).

    Equation (Section 10.10): dσ/da = y (1 − y).

    Parameters
    ----------
    y : outputs of the sigmoid, any shape, in [0, 1].

    Returns
    -------
    Slopes in [0, 1/4], the shape of `y`.
    """
    y = _within("y", y, 0.0, 1.0, "the sigmoid")
    return y * (1.0 - y)


def tanh(a: np.ndarray) -> np.ndarray:
    """Hyperbolic tangent, elementwise.

    Equation (Section 10.2): h = tanh(a).

    Parameters
    ----------
    a : pre-activations, any shape.

    Returns
    -------
    Values in [−1, 1], the shape of `a`.
    """
    return np.tanh(_numbers("a", a))


def tanh_prime(y: np.ndarray) -> np.ndarray:
    """Derivative of tanh in terms of its output y = tanh(a).

    Equation (Section 10.2.2): dh/da = 1 − h².

    Parameters
    ----------
    y : outputs of tanh, any shape, in [−1, 1].

    Returns
    -------
    Slopes in [0, 1], the shape of `y`.
    """
    return 1.0 - _within("y", y, -1.0, 1.0, "tanh") ** 2


def log_softmax(o: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax along the last axis, stable for large logits.

    Equation (Section 10.2): log ŷᵢ = oᵢ − log Σⱼ exp oⱼ.

    Parameters
    ----------
    o : logits, shape (…, n_o).

    Returns
    -------
    Log-probabilities, the shape of `o`.
    """
    o = _numbers("o", o, minimum_axes=1)
    shifted = o - o.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax(o: np.ndarray) -> np.ndarray:
    """Probabilities from logits, along the last axis.

    Equation (Section 10.2): ŷᵢ = exp oᵢ / Σⱼ exp oⱼ.

    Parameters
    ----------
    o : logits, shape (…, n_o).

    Returns
    -------
    Probabilities that sum to one along the last axis, the shape of `o`.
    """
    return np.exp(log_softmax(o))


def nll(o: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Negative log-likelihood of the targets, one number a step.

    Equation (Section 10.2): L⁽ᵗ⁾ = −log ŷ⁽ᵗ⁾_{y⁽ᵗ⁾} with ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾).

    Parameters
    ----------
    o : logits, shape (tau, n_o).
    y : target classes, integers of shape (tau,).

    Returns
    -------
    Losses in nats, shape (tau,).
    """
    o = array("o", o, ("tau", "n_o"))
    y = targets("y", y, *o.shape)
    return -log_softmax(o)[np.arange(len(y)), y]


def nll_grad(o: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient of each step's negative log-likelihood with respect to its logits.

    Equation (Section 10.2.2): ∇_{o⁽ᵗ⁾} L = ŷ⁽ᵗ⁾ − onehot(y⁽ᵗ⁾).

    Parameters
    ----------
    o : logits, shape (tau, n_o).
    y : target classes, integers of shape (tau,).

    Returns
    -------
    Gradients, shape (tau, n_o); each row sums to zero.
    """
    o = array("o", o, ("tau", "n_o"))
    y = targets("y", y, *o.shape)
    grad = softmax(o)
    grad[np.arange(len(y)), y] -= 1.0
    return grad


def squared_loss(o: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """L = ½ Σ_t ‖o⁽ᵗ⁾ − y⁽ᵗ⁾‖² and its gradient on o for real-valued targets (Section 10.12)."""
    o = sequence("o", o)
    y = array("y", y, o.shape)
    return 0.5 * float(((o - y) ** 2).sum()), o - y


def spectral_radius(W: np.ndarray) -> float:
    """The largest modulus of an eigenvalue: ρ(W) = max |λ| (Section 10.7).

    Parameters
    ----------
    W : (n_h, n_h).
    """
    W = array("W", W, ("n_h", "n_h"))
    return float(np.abs(np.linalg.eigvals(array("W", W, (len(W), len(W))))).max())
