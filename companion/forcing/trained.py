"""The stored predictors of Section 10.2.1, and how far they stray when they are alone. NumPy."""

import numpy as np

from companion.core.checks import array
from companion.data import store
from companion.forcing import Predictor, free_error

__all__ = ["alone", "one_by_one", "stored_predictors"]


def one_by_one(W: np.ndarray, V: np.ndarray, b: np.ndarray, c: np.ndarray) -> list[Predictor]:
    """The predictors of a stack, whose weights have one more axis in front and examples as rows, in double precision.

    Parameters
    ----------
    W, V, b, c : shapes (nets, n_y, n_h), (nets, n_h, n_y), (nets, 1, n_h), (nets, 1, n_y).
    """
    W, V, b, c = (np.asarray(v, dtype=np.float64) for v in (W, V, b, c))
    return [Predictor(W[s].T.copy(), V[s].T.copy(), b[s, 0].copy(), c[s, 0].copy()) for s in range(len(W))]


def stored_predictors() -> dict[tuple[str, float], list[Predictor]]:
    """The stored nets: (series, the teacher's share at the end of training) → one predictor a seed."""
    return {(key["series"], key["floor"]): one_by_one(**weights) for key, weights in store.nets("forcing")}


def alone(nets: list[Predictor], y: np.ndarray) -> np.ndarray:
    """Root-mean-square free-running error of each net over n series, at each step alone.

    Parameters
    ----------
    nets : predictors of n_y values.
    y : series, shape (n, tau, n_y), at least two values each.

    Returns
    -------
    Shape (nets, tau − 1).
    """
    y = array("y", y, ("n", "tau", "n_y"))
    return np.sqrt([(free_error(p, y) ** 2).mean(axis=0) for p in nets])
