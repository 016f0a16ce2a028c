"""The tasks that the book's nets learn: made to measure, and handwritten digits that are already installed.

Synthetic tasks draw from an explicit generator; the digits come with scikit-learn. Nothing is downloaded and nothing
is copied into the repository. Text has a module of its own, `companion.data.text`.
"""

from typing import Annotated

import numpy as np

from companion.core.checks import Count, Probability, checked, integer

__all__ = [
    "adding",
    "addition",
    "columns",
    "digits",
    "latch",
    "since_reset",
    "temporal_order",
]


@checked
def adding(length: Annotated[int, (2, None)], n: Count, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of `length` steps of the adding problem: add the two marked numbers, ignore the rest.

    Step t shows (value, mark): values are uniform on [0, 1); exactly two marks are 1, one in the first
    half of the sequence and one in the second. The target is the sum of the two marked values. Always
    answering 1 has a mean squared error of 1/6 (Section 10.10).

    Returns
    -------
    x (n, length, 2) and y (n, 1).

    Reference: hochreiter1997, le2015
    """
    rows = np.arange(n)
    first = rng.integers(0, length // 2, n)
    second = rng.integers(length // 2, length, n)
    x = np.zeros((n, length, 2))
    x[:, :, 0] = rng.random((n, length))
    x[rows, first, 1] = x[rows, second, 1] = 1
    return x, (x[:, :, 0] * x[:, :, 1]).sum(axis=1, keepdims=True)


@checked
def columns(a: int, b: int, length: Count) -> np.ndarray:
    """Write two numbers below each other in binary and return the columns, the ones first.

    Parameters
    ----------
    a, b : integers of at least 0. length : columns, enough to hold either number.

    Returns
    -------
    Zeros and ones of shape (length, 2): row t holds the two bits that stand for 2 to the power t − 1.
    """
    integer("a", a, 0, 2**length - 1)
    integer("b", b, 0, 2**length - 1)
    return np.array([[n >> t & 1 for n in (a, b)] for t in range(length)], dtype=np.float64)


@checked
def addition(
    length: Count, n: Count, rng: np.random.Generator, passing: Probability = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Draw n additions of two random binary numbers, one column a step, the ones first.

    The target of a step is that column's bit of the sum, so the one thing to keep from step to step is the
    carry (Section 10).

    Parameters
    ----------
    length : bits of either number. n : additions.
    passing : probability that the two bits of a column differ, so that it passes a carry on to the next; with
        0.5 all bits are independent, near 1 carries travel far.

    Returns
    -------
    x : shape (n, length, 2), zeros and ones.
    y : shape (n, length), integers 0 and 1; the carry out of the last column is dropped.
    """
    a = rng.integers(0, 2, (n, length))
    bits = np.stack([a, a ^ (rng.random((n, length)) < passing)], axis=2)
    y, carry = np.empty((n, length), dtype=np.int64), np.zeros(n, dtype=np.int64)
    for t in range(length):
        total = bits[:, t].sum(axis=1) + carry
        y[:, t], carry = total % 2, total // 2
    return bits.astype(np.float64), y


@checked
def latch(
    length: Annotated[int, (4, None)], n: Count, rng: np.random.Generator, noise: Annotated[float, (0, None)] = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of `length` steps of the latch task: the first three steps name the class, noise follows.

    The cue is +1 for class 1 and −1 for class 0; every later step is Gaussian with mean zero and standard
    deviation `noise`, so only a net that keeps one bit to the end can answer (Section 10.7).

    Returns
    -------
    x (n, length, 1) and y (n,), integers 0 and 1.

    Reference: bengio1994
    """
    y = rng.integers(0, 2, n)
    x = noise * rng.standard_normal((n, length, 1))
    x[:, :3, 0] = (2 * y - 1)[:, None]
    return x, y


@checked
def since_reset(length: Annotated[int, (2, None)], n: Count, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of `length` values to be added up, with marks that say: start again from here (Section 10.10).

    Returns
    -------
    x : shape (n, length, 2), a value in [−1/2, 1/2] and a mark (0 or 1, one step in ten).
    y : shape (n, 1), the sum of the values since the last mark, that step included.
    """
    x = np.stack([rng.uniform(-0.5, 0.5, (n, length)), rng.random((n, length)) < 0.1], axis=2)
    total = np.zeros(n)
    for t in range(length):
        total = x[:, t, 0] + np.where(x[:, t, 1] == 1, 0.0, total)
    return x, total[:, None]


@checked
def temporal_order(
    length: Annotated[int, (10, None)], n: Count, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of `length` steps of the temporal order task: in which order two marks came.

    Six symbols A, B, c, d, e, f, one-hot in this order. One A or B stands in the second tenth of the sequence and
    one in the fifth; all other steps are c, d, e or f at random. The class 0 … 3 says AA, AB, BA or BB
    (Section 10.11).

    Returns
    -------
    x (n, length, 6), one-hot rows, and y (n,), integers 0 … 3.

    Reference: hochreiter1997, pascanu2013
    """
    rows = np.arange(n)
    codes, marks = rng.integers(2, 6, (n, length)), rng.integers(0, 2, (n, 2))
    codes[rows, rng.integers(length // 10, 2 * length // 10, n)] = marks[:, 0]
    codes[rows, rng.integers(4 * length // 10, 5 * length // 10, n)] = marks[:, 1]
    return np.eye(6)[codes], marks @ [2, 1]


@checked
def digits(rng: np.random.Generator) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return scikit-learn's 1,797 handwritten digits as sequences of 8 rows of 8 pixels, shuffled and split.

    Returns
    -------
    (x, y) for training, 1,437 digits, and (x, y) for testing, 360: x has shape (n, 8, 8) and lies in [0, 1],
    y has shape (n,) and holds the classes 0 … 9.
    """
    from sklearn.datasets import load_digits

    order = rng.permutation(1797)
    data = load_digits()
    x, y = data.images[order] / 16.0, data.target[order]
    return (x[360:], y[360:]), (x[:360], y[:360])
