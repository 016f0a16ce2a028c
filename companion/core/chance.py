"""The one place that a notebook's randomness comes from, so that a whole chapter can be drawn a second time.

With `BOOK_SEED` unset or 0, `seeded(k)` is `np.random.default_rng(k)`, and the numbers are those that the book prints.
With `BOOK_SEED=1 jupyter lab`, or `make test-claims SEEDS="1 2 3"`, every cell gets fresh data, fresh weights and fresh
noise, and every assertion must still hold.
"""

import os
from collections.abc import Sequence

import numpy as np

__all__ = ["book_seed", "seeded"]


def _book() -> int:
    text = os.environ.get("BOOK_SEED", "").strip() or "0"
    if not text.isdecimal():
        raise ValueError(f"BOOK_SEED: want an integer of at least 0, got {text!r}")
    return int(text)


def seeded(key: int | Sequence[int] = 0) -> np.random.Generator:
    """A generator for this key: `np.random.default_rng(key)`, or another one where BOOK_SEED is not 0."""
    book = _book()
    if book == 0:
        return np.random.default_rng(key)
    return np.random.default_rng([*np.atleast_1d(key).tolist(), 2**31 + book])


def book_seed(k: int = 0) -> int:
    """A seed for what takes an integer: k, or another one where BOOK_SEED is not 0; different k stay different."""
    return k + 100_000 * _book()
