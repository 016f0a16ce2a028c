"""Section 10.11: second-order steps in miniature, where gradient and curvature vanish together."""

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.core.checks import Count, Positive, checked

__all__ = ["Descent", "Product", "curved_step", "damped_descent", "product"]


class Product(NamedTuple):
    """The loss of a product of τ equal weights, and its derivatives."""

    loss: float
    gradient: float
    curvature: float  # the second derivative
    gauss_newton: float  # its part without ∂²w^τ/∂w²


class Descent(NamedTuple):
    """Where a damped descent went: one row more than steps."""

    at: np.ndarray  # (steps + 1, n)
    loss: np.ndarray  # (steps + 1,)
    trials: int  # how often loss, gradient and curvature were computed


def _symmetric(name: str, H: np.ndarray) -> np.ndarray:
    if not np.allclose(H, H.T, rtol=1e-8, atol=0):
        raise ValueError(f"{name}: want a symmetric matrix, got one that differs from its transpose")
    return H


Vector = Annotated[np.ndarray, "n"]
Kind = Literal["newton", "saddle-free"]


@checked
def product(w: Positive, tau: Annotated[int, (2, None)]) -> Product:
    """A linear unit that must bring a 1 through τ steps: L = ½ (w^τ − 1)² (Section 10.11).

    L' = τ w^{τ−1} (w^τ − 1) and L'' = τ (τ − 1) w^{τ−2} (w^τ − 1) + (τ w^{τ−1})²; the last term is Gauss–Newton's.
    For w < 1 both vanish like w^τ, and L'/|L''| → w / (τ − 1).
    """
    if 2 * (np.log(tau) + tau * np.log(w)) > np.log(np.finfo(float).max):
        raise ValueError(f"w: want a number whose power {2 * tau} is not too large for a float, got {w}")
    rest, slope = w**tau - 1, tau * w ** (tau - 1)
    return Product(rest**2 / 2, slope * rest, tau * (tau - 1) * w ** (tau - 2) * rest + slope**2, slope**2)


@checked
def curved_step(
    g: Vector,
    H: Annotated[np.ndarray, "n", "n", _symmetric],
    kind: Kind = "newton",
    damping: Annotated[float, (0, None)] = 0.0,
) -> np.ndarray:
    """The step that a gradient g and a curvature matrix H propose with damping λ: −(B + λI)⁻¹ g (Section 10.11).

    "newton": B = H. "saddle-free": B = |H|, H with the absolute values of its eigenvalues, so that a direction of
    negative curvature is followed downhill. For Gauss–Newton, pass its matrix as H.

    Raises
    ------
    ValueError
        If B + λI is singular.

    Reference: dauphin2014
    """
    lam, Q = np.linalg.eigh((H + H.T) / 2)
    lam = (lam if kind == "newton" else np.abs(lam)) + damping
    smallest = 0.0 if damping else np.finfo(float).eps * np.abs(lam).max()
    if (np.abs(lam) <= smallest).any():
        raise ValueError("H: want a matrix that is invertible after damping, got a singular one")
    return -Q @ ((Q.T @ g) / lam)


@checked
def damped_descent(
    f: Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]],
    start: Vector,
    steps: Count,
    kind: Kind = "saddle-free",
    damping: Positive = 1.0,
) -> Descent:
    """Second-order descent that takes a step only if the loss falls, else damps more (Section 10.11).

    λ is divided by 3 after every success and multiplied by 3 after every failure: Levenberg's and Marquardt's rule.

    Parameters
    ----------
    f : parameters (n,) → loss, gradient (n,), symmetric curvature (n, n).
    steps : successful ones. kind : as for `curved_step`. damping : λ at the start.

    Returns
    -------
    Descent. It ends early when no step of the last thirty trials lowered the loss.

    Reference: marquardt1963
    """
    x, (loss, g, H), trials = start, f(start), 1
    at, losses, failures = [x], [float(loss)], 0
    while len(losses) <= steps and failures < 30:
        new = x + curved_step(g, H, kind, damping)
        (new_loss, new_g, new_H), trials = f(new), trials + 1
        if new_loss < loss:
            x, loss, g, H, damping, failures = new, new_loss, new_g, new_H, damping / 3, 0
            at.append(x)
            losses.append(float(loss))
        else:
            damping, failures = damping * 3, failures + 1
    return Descent(np.array(at), np.array(losses), trials)
