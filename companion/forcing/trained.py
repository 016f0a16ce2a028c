"""The stored predictors of Section 10.2.1, and how far they stray when they are alone. NumPy."""

from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np

from companion.core.checks import checked
from companion.data import store
from companion.forcing import Predictor, free_error

__all__ = ["alone", "observed", "one_by_one", "stored_predictors"]


@checked
def one_by_one(
    W: Annotated[np.ndarray, "nets", "n_y", "n_h"],
    V: Annotated[np.ndarray, "nets", "n_h", "n_y"],
    b: Annotated[np.ndarray, "nets", 1, "n_h"],
    c: Annotated[np.ndarray, "nets", 1, "n_y"],
) -> list[Predictor]:
    """The predictors of a stack, whose weights have one more axis in front and examples as rows."""
    return [Predictor(W[s].T.copy(), V[s].T.copy(), b[s, 0].copy(), c[s, 0].copy()) for s in range(len(W))]


def stored_predictors() -> dict[tuple[str, float], list[Predictor]]:
    """The stored nets: (series, the teacher's share at the end of training) → one predictor a seed."""
    return {(key["series"], key["floor"]): one_by_one(**weights) for key, weights in store.nets("forcing")}


def observed(draw: Callable, noise: float, length: int, examples: int, seeds: Sequence[int]) -> np.ndarray:
    """What each net learns from: series of its own with noise of its own, (nets, examples, length + 1, n_y)."""
    rngs = [np.random.default_rng([1, seed]) for seed in seeds]
    data = np.stack([draw(length, examples, rng) for rng in rngs])
    return data + noise * np.stack([rng.normal(size=data.shape[1:]) for rng in rngs])


@checked
def alone(nets: list[Predictor], y: Annotated[np.ndarray, "n", "tau", "n_y"]) -> np.ndarray:
    """Root-mean-square free-running error of each net over n series, at each step alone: shape (nets, tau − 1)."""
    return np.sqrt([(free_error(p, y) ** 2).mean(axis=0) for p in nets])
