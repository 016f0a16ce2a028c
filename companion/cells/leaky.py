"""Section 10.9: a recurrent net with leaky units and connections that skip steps, and its gradients by hand."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from companion.cells.rnn import RNNRun, rnn_init
from companion.core import checks as check
from companion.core.functions import nll_grad, softmax, spectral_radius

__all__ = ["Slow", "delay_norms", "delay_radius", "grow_at", "slow_bptt", "slow_forward", "slow_init"]


class Slow(NamedTuple):
    """Parameters of a net with leaky units and one recurrent matrix a delay (or gradients of the same shapes)."""

    U: np.ndarray  # (n_h, n_x) input → hidden
    W: np.ndarray  # (delays, n_h, n_h) hidden → hidden: W[i] reaches back delays[i] steps
    V: np.ndarray  # (n_o, n_h) hidden → output
    b: np.ndarray  # (n_h,)
    c: np.ndarray  # (n_o,)
    alpha: np.ndarray  # (n_h,) what each unit keeps a step, in [0, 1]


def keeps(name: str, alpha: float | np.ndarray, n: int) -> np.ndarray:
    """α as a float64 vector of length n whose entries lie in [0, 1]; a scalar stands for n equal entries."""
    alpha = check.array(name, alpha, ()) * np.ones(n) if np.ndim(alpha) == 0 else check.array(name, alpha, (n,))
    if (alpha < 0).any() or (alpha > 1).any():
        raise ValueError(f"{name}: want numbers in [0, 1], got {alpha[(alpha < 0) | (alpha > 1)][0]}")
    return alpha


def delayed(delays: Sequence[int], count: int | None = None) -> tuple[int, ...]:
    """The delays as different integers ≥ 1, as many as wanted."""
    if isinstance(delays, str) or not np.iterable(delays):
        raise ValueError(f"delays: want integers, got {delays!r}")
    delays = tuple(check.integer("delays", d, 1) for d in delays)
    if not delays or len(set(delays)) < len(delays):
        raise ValueError(f"delays: want one or more different integers, got {delays}")
    if count is not None and len(delays) != count:
        raise ValueError(f"delays: want {count}, one for each matrix, got {len(delays)}")
    return delays


def checked(p: Slow, delays: Sequence[int]) -> tuple[Slow, tuple[int, ...]]:
    """Parameters as float64 arrays whose shapes fit together, and the delays."""
    if not isinstance(p, Slow):
        raise ValueError(f"p: want the parameters as Slow(U, W, V, b, c, alpha), got {type(p).__name__}")
    U = check.array("p.U", p.U, ("n_h", "n_x"))
    n = len(U)
    W, V = check.array("p.W", p.W, ("delays", n, n)), check.array("p.V", p.V, ("n_o", n))
    b, c = check.array("p.b", p.b, (n,)), check.array("p.c", p.c, (len(V),))
    return Slow(U, W, V, b, c, keeps("p.alpha", p.alpha, n)), delayed(delays, len(W))


def slow_init(
    n_x: int, n_h: int, n_o: int, delays: Sequence[int], rng: np.random.Generator, alpha: float | np.ndarray = 0.0
) -> Slow:
    """Random parameters: Gaussian weights of variance 1/fan-in, one recurrent matrix a delay (Section 10.9).

    Parameters
    ----------
    n_x, n_h, n_o : sizes of input, state and output.
    delays : different integers ≥ 1.
    rng : the source of randomness.
    alpha : what the units keep a step, in [0, 1], one number or (n_h,).

    Returns
    -------
    Slow
    """
    draws = [rnn_init(n_x, n_h, n_o, rng) for _ in delayed(delays)]
    p = draws[0]
    return Slow(p.U, np.stack([q.W for q in draws]), p.V, p.b, p.c, keeps("alpha", alpha, n_h))


def slow_forward(p: Slow, x: np.ndarray, delays: Sequence[int], h0: np.ndarray | None = None) -> RNNRun:
    """Run a net with leaks and delays over a sequence, one output at each step.

    Equations (Section 10.9): a⁽ᵗ⁾ = b + Σ_d W_d h⁽ᵗ⁻ᵈ⁾ + U x⁽ᵗ⁾, h⁽ᵗ⁾ = α ⊙ h⁽ᵗ⁻¹⁾ + (1 − α) ⊙ tanh a⁽ᵗ⁾,
    o⁽ᵗ⁾ = c + V h⁽ᵗ⁾; states before h⁽⁰⁾ are zero.

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    delays : how far back each matrix of p.W reaches, integers ≥ 1.
    h0 : initial state, shape (n_h,); zeros if None.

    Returns
    -------
    RNNRun

    Raises
    ------
    ValueError
        If a shape does not fit, a number is not finite, a delay is below 1 or α leaves [0, 1].

    References
    ----------
    lin1996, jaeger2001
    """
    p, delays = checked(p, delays)
    x = check.sequence("x", x, p.U.shape[1])
    a, h = np.zeros((len(x), len(p.b))), np.zeros((len(x) + 1, len(p.b)))
    if h0 is not None:
        h[0] = check.array("h0", h0, (len(p.b),))
    for t in range(1, len(x) + 1):
        a[t - 1] = p.b
        for W, d in zip(p.W, delays, strict=True):
            if t >= d:
                a[t - 1] += W @ h[t - d]
        a[t - 1] += p.U @ x[t - 1]
        h[t] = p.alpha * h[t - 1] + (1 - p.alpha) * np.tanh(a[t - 1])
    o = p.c + h[1:] @ p.V.T
    return RNNRun(a, h, o, softmax(o))


def slow_bptt(p: Slow, x: np.ndarray, y: np.ndarray, delays: Sequence[int], h0: np.ndarray | None = None) -> Slow:
    """Gradient of the total loss by back-propagation through leaks and delays.

    Equations (Section 10.9): ∇_{a⁽ᵗ⁾}L = (1 − α) ⊙ (1 − tanh² a⁽ᵗ⁾) ⊙ ∇_{h⁽ᵗ⁾}L,
    ∇_{h⁽ᵗ⁾}L = Vᵀ ∇_{o⁽ᵗ⁾}L + α ⊙ ∇_{h⁽ᵗ⁺¹⁾}L + Σ_d W_dᵀ ∇_{a⁽ᵗ⁺ᵈ⁾}L, ∇_α L = Σₜ ∇_{h⁽ᵗ⁾}L ⊙ (h⁽ᵗ⁻¹⁾ − tanh a⁽ᵗ⁾).

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    y : target classes, integers of shape (tau,).
    delays : how far back each matrix of p.W reaches.
    h0 : initial state, shape (n_h,); zeros if None.

    Returns
    -------
    Slow of gradients

    Raises
    ------
    ValueError
        If a shape does not fit, a number is not finite, a delay is below 1 or α leaves [0, 1].
    """
    (p, delays), run = checked(p, delays), slow_forward(p, x, delays, h0)
    x, h, v = check.sequence("x", x), run.h, np.tanh(run.a)
    g_o = nll_grad(run.o, check.targets("y", y, len(x), len(p.c)))
    g_h, g_a, g_alpha, g_W = np.zeros_like(h), np.zeros_like(v), np.zeros_like(p.alpha), np.zeros_like(p.W)
    g_h[1:] = g_o @ p.V
    for t in range(len(x), 0, -1):
        g_a[t - 1] = (1 - p.alpha) * (1 - v[t - 1] ** 2) * g_h[t]
        g_alpha += g_h[t] * (h[t - 1] - v[t - 1])
        g_h[t - 1] += p.alpha * g_h[t]
        for i, d in enumerate(delays):
            if t >= d:
                g_h[t - d] += p.W[i].T @ g_a[t - 1]
                g_W[i] += np.outer(g_a[t - 1], h[t - d])
    return Slow(g_a.T @ x, g_W, g_o.T @ h[1:], g_a.sum(0), g_o.sum(0), g_alpha)


def _matrices(W: np.ndarray, delays: Sequence[int]) -> tuple[np.ndarray, tuple[int, ...]]:
    n = np.shape(W)[-1] if np.ndim(W) else "n_h"
    W = check.array("W", W, ("delays", n, n))
    return W, delayed(delays, len(W))


def delay_norms(W: np.ndarray, delays: Sequence[int], steps: int) -> np.ndarray:
    """Gradient norms ‖∂h⁽ᵗ⁾/∂h⁽⁰⁾‖ of a linear net with delays: G⁽ᵗ⁾ = Σ_d W_d G⁽ᵗ⁻ᵈ⁾, G⁽⁰⁾ = I (Section 10.9.1).

    Parameters
    ----------
    W : (delays, n_h, n_h).
    delays : how far back each matrix reaches.
    steps : how many steps, ≥ 1.

    Returns
    -------
    Shape (steps + 1,): spectral norms; 0 where no path leads.

    Raises
    ------
    ValueError
        If shapes do not fit or a delay is below 1.
    """
    (W, delays), steps = _matrices(W, delays), check.integer("steps", steps, 1)
    G = np.zeros((steps + 1, *W.shape[1:]))
    G[0] = np.eye(W.shape[1])
    for t in range(1, steps + 1):
        G[t] = sum(M @ G[t - d] for M, d in zip(W, delays, strict=True) if t >= d)
    return np.linalg.norm(G, 2, axis=(1, 2))


def delay_radius(W: np.ndarray, delays: Sequence[int]) -> float:
    """Growth a step of a linear net with delays: the spectral radius of its block companion matrix (10.9.1).

    The last d states together form one long state that moves on by one matrix; its first row of blocks holds
    the W_d. With one delay d this is ρ(W)^(1/d).

    Parameters
    ----------
    W : (delays, n_h, n_h).
    delays : how far back each matrix reaches.

    Returns
    -------
    The largest modulus of an eigenvalue.

    Raises
    ------
    ValueError
        If shapes do not fit or a delay is below 1.
    """
    W, delays = _matrices(W, delays)
    n, longest = W.shape[1], max(delays)
    C = np.eye(n * longest, k=-n)
    for M, d in zip(W, delays, strict=True):
        C[:n, (d - 1) * n : d * n] = M
    return spectral_radius(C)


def grow_at(W: np.ndarray, delays: Sequence[int], growth: float) -> np.ndarray:
    """Rescale the matrices so that the linear net grows by `growth` a step: W_d ← γᵈ W_d (Section 10.9.3).

    If h⁽ᵗ⁾ solves h⁽ᵗ⁾ = Σ_d W_d h⁽ᵗ⁻ᵈ⁾, then γᵗ h⁽ᵗ⁾ solves the rescaled equation: every rate is multiplied by γ.

    Parameters
    ----------
    W : (delays, n_h, n_h).
    delays : how far back each matrix reaches.
    growth : the wanted `delay_radius`, ≥ 0.

    Returns
    -------
    Matrices of the shape of W.

    Raises
    ------
    ValueError
        If shapes do not fit, a delay is below 1, growth is negative, or the net does not grow or shrink at all
        (radius 0).
    """
    (W, delays), growth = _matrices(W, delays), check.number("growth", growth, 0)
    radius = delay_radius(W, delays)
    if radius == 0:
        raise ValueError("W: want matrices whose net has a rate above 0, got rate 0")
    return W * (growth / radius) ** np.array(delays)[:, None, None]
