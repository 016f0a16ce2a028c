"""10.1 Sharing: what one map for all positions and lengths buys, and what it keeps of the past.

The experiments of the chapter on unfolding: a shared linear map against a map for each length, sums that see
order and sums that do not, and how much of the past a recurrent state lets you read back.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from companion.cells.rnn import Layer
from companion.core import checks as check
from companion.core.scan import initial, scan

__all__ = [
    "Linear",
    "fit_per_length",
    "fit_shared",
    "linear_final",
    "one_hot",
    "position_sum",
    "recall",
    "shared_sum",
    "states",
]


def states(U: np.ndarray, W: np.ndarray, b: np.ndarray, x: np.ndarray, h0: np.ndarray | None = None) -> np.ndarray:
    """The loop h⁽ᵗ⁾ = tanh(b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾), whose circuit is `unfolding.RECURRENT` (Section 10.1).

    Parameters
    ----------
    U, W, b : shapes (n_h, n_x), (n_h, n_h), (n_h,).
    x : sequence, shape (tau, n_x).
    h0 : h⁽⁰⁾, shape (n_h,); zeros if None.

    Returns
    -------
    h of shape (tau + 1, n_h), h[0] is h⁽⁰⁾.
    """
    layer = check.parameters("", Layer(U, W, b), Layer)
    return scan(layer, initial(len(layer.b), h0=h0), check.sequence("x", x, layer.U.shape[1])).h


def recall(h: np.ndarray, x: np.ndarray, delays: Iterable[int], ridge: float = 1e-6) -> np.ndarray:
    """How well a linear readout of h⁽ᵗ⁾ recovers x⁽ᵗ⁻ᵏ⁾: R² on held-out steps, one for each k (Section 10.1).

    The readout is ridge regression on the first half of the steps; R² is taken on the second half.

    Parameters
    ----------
    h, x : states h⁽¹⁾ … h⁽τ⁾, shape (tau, n_h), and inputs, shape (tau, 1).
    delays : the k ≥ 0 to try, each less than tau / 4.
    ridge : penalty on the readout's weights, relative to the number of steps.

    Returns
    -------
    array of R², at most 1; about 0 (or a little below) when nothing is recovered.

    Raises
    ------
    ValueError
        If shapes do not fit, values are not finite, or a delay is out of range.
    """
    x = check.sequence("x", x, 1)
    tau = len(x)
    h, ridge = check.array("h", h, (tau, "n_h")), check.number("ridge", ridge, 0)
    out = []
    for k in delays:
        k = check.integer("delays", k, 0, (tau - 1) // 4)
        features, target = np.column_stack([h, np.ones(tau)])[k:], x[: tau - k, 0]
        n = len(target) // 2
        gram = features[:n].T @ features[:n] + ridge * n * np.eye(features.shape[1])
        error = target[n:] - features[n:] @ np.linalg.solve(gram, features[:n].T @ target[:n])
        out.append(1 - (error**2).mean() / target[n:].var())
    return np.array(out)


class Linear(NamedTuple):
    """The shared linear map h⁽ᵗ⁾ = W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾, h⁽⁰⁾ = 0."""

    U: np.ndarray  # (n_h, n_x)
    W: np.ndarray  # (n_h, n_h)


def linear_final(p: Linear, x: np.ndarray) -> np.ndarray:
    """The last state h⁽τ⁾ of a shared linear map after the sequence x (tau, n_x): g⁽τ⁾(x) (Section 10.1)."""
    x = check.sequence("x", x)
    U = check.array("U", p.U, ("n_h", x.shape[1]))
    W = check.array("W", p.W, (len(U), len(U)))
    h = np.zeros(len(U))
    for x_t in x:
        h = W @ h + U @ x_t
    return h


def _examples(xs: list[np.ndarray], y: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    if len(xs) == 0:
        raise ValueError("xs: want at least one sequence, got none")
    width = check.sequence("xs[0]", xs[0]).shape[1]
    xs = [check.sequence(f"xs[{i}]", x, width) for i, x in enumerate(xs)]
    return xs, check.array("y", y, (len(xs), "n_h"))


def fit_per_length(xs: list[np.ndarray], y: np.ndarray) -> dict[int, np.ndarray]:
    """Fit to every length a linear map of its own, y = G⁽τ⁾ (x⁽¹⁾, …, x⁽τ⁾), by least squares (Section 10.1).

    Of several best maps the one of least norm is taken.

    Parameters
    ----------
    xs : sequences, each (tau_i, n_x), of any lengths.
    y : the final state wanted for each, shape (n, n_h).

    Returns
    -------
    dict from length τ to G⁽τ⁾, shape (n_h, τ n_x); a length that never occurred has no entry.
    """
    xs, y = _examples(xs, y)
    lengths = np.array([len(x) for x in xs])
    maps = {}
    for tau in np.unique(lengths):
        rows = np.flatnonzero(lengths == tau)
        flat = np.stack([xs[i].ravel() for i in rows])  # (examples, τ n_x)
        maps[int(tau)] = np.linalg.lstsq(flat, y[rows], rcond=None)[0].T
    return maps


def fit_shared(xs: list[np.ndarray], y: np.ndarray, steps: int = 50) -> Linear:
    """Fit one shared linear map to final states of sequences of any lengths (Section 10.1).

    Least squares in U and W together by Levenberg–Marquardt from U = W = 0; the derivatives run along with the
    state: ∂h⁽ᵗ⁾/∂θ = W ∂h⁽ᵗ⁻¹⁾/∂θ + (∂W/∂θ) h⁽ᵗ⁻¹⁾ + (∂U/∂θ) x⁽ᵗ⁾. Only final states are given, none in between.

    Parameters
    ----------
    xs : sequences, each (tau_i, n_x).
    y : the final state wanted for each, shape (n, n_h).
    steps : most steps taken.
    """
    (xs, y), steps = _examples(xs, y), check.integer("steps", steps, 1)
    n_h, n_x, longest = y.shape[1], xs[0].shape[1], max(map(len, xs))
    # Zeros in front change nothing: h⁽⁰⁾ = 0 stays 0 until the sequence starts.
    padded = np.stack([np.pad(x, ((longest - len(x), 0), (0, 0))) for x in xs])
    theta, damping = np.zeros(n_h * (n_x + n_h)), 1e-3
    residual, slope = _residual(theta, padded, y)
    for _ in range(steps):
        gram = slope.T @ slope
        step = np.linalg.solve(gram + damping * len(xs) * np.eye(len(gram)), slope.T @ residual)
        new_residual, new_slope = _residual(theta - step, padded, y)
        if (new_residual**2).sum() < (residual**2).sum():
            theta, residual, slope, damping = theta - step, new_residual, new_slope, damping / 10
        else:
            damping *= 10
    M = theta.reshape(n_h, n_x + n_h)
    return Linear(M[:, :n_x], M[:, n_x:])


def _residual(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors of the final states (n·n_h,) and their derivatives (n·n_h, number of parameters)."""
    (n, tau, n_x), n_h = x.shape, y.shape[1]
    M = theta.reshape(n_h, n_x + n_h)  # [U W]
    h, dh = np.zeros((n, n_h)), np.zeros((n, n_h, theta.size))
    for t in range(tau):
        xh = np.concatenate([x[:, t], h], axis=1)  # (n, n_x + n_h)
        direct = np.einsum("ij,nk->nijk", np.eye(n_h), xh).reshape(n, n_h, theta.size)
        dh = M[:, n_x:] @ dh + direct
        h = xh @ M.T
    return (h - y).ravel(), dh.reshape(n * n_h, theta.size)


def one_hot(words: Iterable[str], vocabulary: Iterable[str]) -> np.ndarray:
    """Words as a sequence of one-hot rows, shape (tau, size of the vocabulary)."""
    words, vocabulary = list(words), list(vocabulary)
    rows = [vocabulary.index(check.choice(f"words[{t}]", word, vocabulary)) for t, word in enumerate(words)]
    return check.sequence("words", np.eye(len(vocabulary))[rows])


def shared_sum(w: np.ndarray, x: np.ndarray) -> float:
    """φ(x) = tanh(Σₜ w · x⁽ᵗ⁾) with one w for all positions: a function of the bag Σₜ x⁽ᵗ⁾ only (Section 10.1)."""
    x = check.sequence("x", x)
    return float(np.tanh(check.array("w", w, (x.shape[1],)) @ x.sum(axis=0)))


def position_sum(w: np.ndarray, x: np.ndarray) -> float:
    """φ(x) = tanh(Σₜ w⁽ᵗ⁾ · x⁽ᵗ⁾) with a w⁽ᵗ⁾ for each position, shape (tau, n_x) (Section 10.1)."""
    x = check.sequence("x", x)
    return float(np.tanh((check.array("w", w, x.shape) * x).sum()))
