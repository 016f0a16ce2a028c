"""Section 10.11.1: one unit run for 50 steps, and the cliff in its loss."""

from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.core.checks import Count, Positive, checked
from companion.core.functions import Numbers, sigmoid

__all__ = ["CLIPS", "H0", "STEPS", "TARGET", "Path", "cliff_descent", "cliff_gradient", "cliff_hessian", "cliff_loss"]

STEPS, H0, TARGET = 50, 0.5, 0.7
CLIPS = ("none", "value", "norm")


class Path(NamedTuple):
    """A descent: row k is what held before step k, so there is one row more than steps."""

    w: np.ndarray
    b: np.ndarray
    loss: np.ndarray
    norm: np.ndarray  # of the gradient, before clipping


def _pair(w: np.ndarray, other: np.ndarray, name: str = "b") -> tuple[np.ndarray, np.ndarray]:
    try:
        return np.broadcast_arrays(w, other)
    except ValueError:
        raise ValueError(f"{name}: want numbers that go with w of shape {w.shape}, got shape {other.shape}") from None


def _above_zero(name: str, value: np.ndarray) -> np.ndarray:
    if not (value > 0).all():
        raise ValueError(f"{name}: want numbers above 0, got {value.min():g}")
    return value


@checked
def cliff_loss(w: Numbers, b: Numbers) -> np.ndarray:
    """Loss of the one-unit net: L = (h⁽⁵⁰⁾ − 0.7)², h⁽ᵗ⁾ = σ(w h⁽ᵗ⁻¹⁾ + b), h⁽⁰⁾ = 0.5 (Section 10.11.1).

    Self-weight w and bias b are numbers or arrays of one shape; L has that shape.

    Reference: pascanu2013
    """
    w, b = _pair(w, b)
    h = np.full(w.shape, H0)
    for _ in range(STEPS):
        h = sigmoid(w * h + b)
    return (h - TARGET) ** 2


@checked
def cliff_gradient(w: Numbers, b: Numbers) -> tuple[np.ndarray, np.ndarray]:
    """The loss of `cliff_loss` and its gradient, carried along forward in time (Section 10.11.1).

    a = w h + b, ∂a/∂w = h + w ∂h/∂w, ∂a/∂b = 1 + w ∂h/∂b, and each step multiplies by σ' = h (1 − h).

    Returns
    -------
    L, of the shape of w and b, and (∂L/∂w, ∂L/∂b), shape (2, …). Where 50 factors overflow it is infinite or NaN.

    Reference: pascanu2013
    """
    w, b = _pair(w, b)
    h, h_w, h_b = np.full(w.shape, H0), np.zeros(w.shape), np.zeros(w.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(STEPS):
            a_w, a_b, h = h + w * h_w, 1 + w * h_b, sigmoid(w * h + b)
            slope = h * (1 - h)
            h_w, h_b = slope * a_w, slope * a_b
        return (h - TARGET) ** 2, 2 * (h - TARGET) * np.stack([h_w, h_b])


@checked
def cliff_hessian(w: float, b: float) -> np.ndarray:
    """The matrix H (2, 2) of second derivatives of `cliff_loss`, carried along forward in time (Section 10.11).

    With a = w h + b and indices for derivatives: h_xy = σ'' a_x a_y + σ' a_xy, where a_ww = 2 h_w + w h_ww,
    a_wb = h_b + w h_wb, a_bb = w h_bb; in the end L_xy = 2 h_x h_y + 2 (h − 0.7) h_xy.
    """
    h, h_w, h_b, h_ww, h_wb, h_bb = H0, 0.0, 0.0, 0.0, 0.0, 0.0
    for _ in range(STEPS):
        a_w, a_b = h + w * h_w, 1 + w * h_b
        a_ww, a_wb, a_bb = 2 * h_w + w * h_ww, h_b + w * h_wb, w * h_bb
        h = float(sigmoid(w * h + b))
        slope, bend = h * (1 - h), h * (1 - h) * (1 - 2 * h)
        h_w, h_b = slope * a_w, slope * a_b
        h_ww, h_wb, h_bb = (
            bend * a_w * a_w + slope * a_ww,
            bend * a_w * a_b + slope * a_wb,
            bend * a_b * a_b + slope * a_bb,
        )
    d, H = np.array([h_w, h_b]), np.array([[h_ww, h_wb], [h_wb, h_bb]])
    return 2 * np.outer(d, d) + 2 * (h - TARGET) * H


@checked
def cliff_descent(
    w: Numbers,
    b: Numbers,
    lr: Annotated[Numbers, _above_zero],
    clip: Literal[(*CLIPS, "random")] = "none",
    v: Positive = 1.0,
    steps: Count = 100,
    rng: np.random.Generator | None = None,
) -> Path:
    """Gradient descent on `cliff_loss` from one start or many, under one rule (Section 10.11.1).

    g ← the gradient as it is ("none"), clipped by value or by norm at v, or ("random") a random vector of length v
    wherever ‖g‖ > v; then (w, b) ← (w, b) − lr g.

    Parameters
    ----------
    w, b : the starts, numbers or arrays of one shape. lr : learning rate, one for all or such an array. v : threshold.
    rng : needed for "random" only.

    Returns
    -------
    Path of arrays (steps + 1, …). A descent whose next place is not finite stands still from then on.

    Reference: pascanu2013
    """
    if clip == "random" and rng is None:
        raise ValueError("rng: want a numpy.random.Generator to draw directions from, got None")
    w, lr = _pair(_pair(w, b)[0], lr, "lr")
    at, rows = np.stack(_pair(w, b)), []
    for _ in range(steps + 1):
        loss, g = cliff_gradient(*at)
        with np.errstate(over="ignore", invalid="ignore"):
            norm = np.hypot(*g)
            if clip == "norm":
                g = g * np.where(norm > v, v / np.maximum(norm, v), 1.0)
            elif clip == "value":
                g = np.clip(g, -v, v)
            elif clip == "random":
                turn = rng.uniform(0, 2 * np.pi, norm.shape)
                g = np.where(norm <= v, g, v * np.stack([np.cos(turn), np.sin(turn)]))
            new = at - lr * g
        rows.append((*at, loss, norm))
        at = np.where(np.isfinite(new).all(axis=0), new, at)
    return Path(*(np.array(column) for column in zip(*rows, strict=True)))
