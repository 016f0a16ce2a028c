"""10.1 Sharing: what one map for all positions and lengths buys, and what it keeps of the past.

The experiments of the chapter on unfolding: a shared linear map against a map for each length, sums that see
order and sums that do not, and how much of the past a recurrent state lets you read back.
"""

from collections.abc import Iterable
from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import Inputs, Layer, State
from companion.core.checks import Count, checked, choice, integer, sequence
from companion.core.scan import initial, scan

__all__ = [
    "Linear",
    "fit_per_length",
    "fit_shared",
    "linear_final",
    "linear_finals",
    "one_hot",
    "position_sum",
    "recall",
    "shared_sum",
    "states",
]


@checked
def states(
    U: Annotated[np.ndarray, "n_h", "n_x"],
    W: Annotated[np.ndarray, "n_h", "n_h"],
    b: Annotated[np.ndarray, "n_h"],
    x: Inputs,
    h0: State | None = None,
) -> np.ndarray:
    """The loop h⁽ᵗ⁾ = tanh(b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾), whose circuit is `unfolding.RECURRENT` (Section 10.1).

    Returns
    -------
    h of shape (tau + 1, n_h), h[0] is h⁽⁰⁾.
    """
    return scan(Layer(U, W, b), initial(len(b), h0=h0), x).h


@checked
def recall(
    h: Annotated[np.ndarray, "tau", "n_h"],
    x: Annotated[np.ndarray, "tau", 1],
    delays: Iterable[int],
    ridge: Annotated[float, (0, None)] = 1e-6,
) -> np.ndarray:
    """How well a linear readout of h⁽ᵗ⁾ recovers x⁽ᵗ⁻ᵏ⁾: R² on held-out steps, one for each k (Section 10.1).

    The readout is ridge regression on the first half of the steps; R² is taken on the second half.

    Parameters
    ----------
    h, x : states h⁽¹⁾ … h⁽τ⁾, and inputs.
    delays : the k ≥ 0 to try, each less than tau / 4.
    ridge : penalty on the readout's weights, relative to the number of steps.

    Returns
    -------
    array of R², at most 1; about 0 (or a little below) when nothing is recovered.
    """
    tau, out = len(x), []
    for k in delays:
        k = integer("delays", k, 0, (tau - 1) // 4)
        features, target = np.column_stack([h, np.ones(tau)])[k:], x[: tau - k, 0]
        n = len(target) // 2
        gram = features[:n].T @ features[:n] + ridge * n * np.eye(features.shape[1])
        error = target[n:] - features[n:] @ np.linalg.solve(gram, features[:n].T @ target[:n])
        out.append(1 - (error**2).mean() / target[n:].var())
    return np.array(out)


class Linear(NamedTuple):
    """The shared linear map h⁽ᵗ⁾ = W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾, h⁽⁰⁾ = 0."""

    U: Annotated[np.ndarray, "n_h", "n_x"]
    W: Annotated[np.ndarray, "n_h", "n_h"]


@checked
def linear_final(p: Linear, x: Inputs) -> np.ndarray:
    """The last state h⁽τ⁾ of a shared linear map after the sequence x: g⁽τ⁾(x) (Section 10.1)."""
    return linear_finals(p, [x])[0]


def _sequences(name: str, xs: list[np.ndarray]) -> list[np.ndarray]:
    if len(xs) == 0:
        raise ValueError(f"{name}: want at least one sequence, got none")
    width = sequence(f"{name}[0]", xs[0]).shape[1]
    return [sequence(f"{name}[{i}]", x, width) for i, x in enumerate(xs)]


Sequences = Annotated[list[np.ndarray], _sequences]
"""Of any lengths, each (tau_i, n_x)."""


@checked
def linear_finals(p: Linear, xs: Sequences) -> np.ndarray:
    """The last states of a shared linear map after sequences of any lengths, (n, n_h), all run side by side."""
    h = np.zeros((len(xs), len(p.U)))
    for x_t in _padded(xs).swapaxes(0, 1):
        h = h @ p.W.T + x_t @ p.U.T
    return h


def _padded(xs: list[np.ndarray]) -> np.ndarray:
    """Zeros in front make all as long as the longest, (n, longest, n_x); h⁽⁰⁾ = 0 stays 0 until a sequence starts."""
    padded = np.zeros((len(xs), max(map(len, xs)), xs[0].shape[1]))
    for row, x in zip(padded, xs, strict=True):
        row[-len(x) :] = x
    return padded


Finals = Annotated[np.ndarray, "n", "n_h"]
"""The final state wanted for each sequence."""


@checked
def fit_per_length(xs: Sequences, y: Finals) -> dict[int, np.ndarray]:
    """Fit to every length a linear map of its own, y = G⁽τ⁾ (x⁽¹⁾, …, x⁽τ⁾), by least squares (Section 10.1).

    Sequences xs may have any lengths; y are the final states wanted. Of several best maps that of least norm is taken.

    Returns
    -------
    dict from length τ to G⁽τ⁾, shape (n_h, τ n_x); a length that never occurred has no entry.
    """
    if len(y) != len(xs):
        raise ValueError(f"y: want a final state for each of {len(xs)} sequences, got {len(y)}")
    lengths = np.array([len(x) for x in xs])
    maps = {}
    for tau in np.unique(lengths):
        rows = np.flatnonzero(lengths == tau)
        flat = np.stack([xs[i].ravel() for i in rows])  # (examples, τ n_x)
        maps[int(tau)] = np.linalg.lstsq(flat, y[rows], rcond=None)[0].T
    return maps


@checked
def fit_shared(xs: Sequences, y: Finals, steps: Count = 50) -> Linear:
    """Fit one shared linear map to final states y of sequences xs of any lengths, in at most `steps` (Section 10.1).

    Least squares in U and W together by Levenberg–Marquardt from U = W = 0; the derivatives run along with the
    state: ∂h⁽ᵗ⁾/∂θ = W ∂h⁽ᵗ⁻¹⁾/∂θ + (∂W/∂θ) h⁽ᵗ⁻¹⁾ + (∂U/∂θ) x⁽ᵗ⁾. Only final states are given, none in between.
    """
    if len(y) != len(xs):
        raise ValueError(f"y: want a final state for each of {len(xs)} sequences, got {len(y)}")
    n_h, n_x, padded = y.shape[1], xs[0].shape[1], _padded(xs)
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
        if np.abs(step).max() < 1e-9:
            break
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
    rows = [vocabulary.index(choice(f"words[{t}]", word, vocabulary)) for t, word in enumerate(words)]
    return sequence("words", np.eye(len(vocabulary))[rows])


@checked
def shared_sum(w: Annotated[np.ndarray, "n_x"], x: Inputs) -> float:
    """φ(x) = tanh(Σₜ w · x⁽ᵗ⁾) with one w for all positions: a function of the bag Σₜ x⁽ᵗ⁾ only (Section 10.1)."""
    return float(np.tanh(w @ x.sum(axis=0)))


@checked
def position_sum(w: Inputs, x: Inputs) -> float:
    """φ(x) = tanh(Σₜ w⁽ᵗ⁾ · x⁽ᵗ⁾) with a w⁽ᵗ⁾ for each position (Section 10.1)."""
    return float(np.tanh((w * x).sum()))
