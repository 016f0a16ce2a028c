"""What a machine with a memory is drilled on: copy a sequence, and recall what followed an item (Section 10.13.2).

A bit is shown as −1 or 1, so that no vector of bits looks like a blank input, which is 0. With `zero=0` a bit of 0 is
shown as 0, as in graves2014.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.core.checks import Count, checked

__all__ = ["DRILLED", "PRACTICES", "Drill", "Practice", "copying", "recalling"]

DRILLED = ("machine", "lstm", "patient", "zero")
"""Machine; LSTM; the LSTM with about as much time as the machine; a machine that is shown bits as 0 and 1."""


class Drill(NamedTuple):
    """n sequences of one length: inputs x (n, tau, n_x), wanted bits y (n, length, bits) of the last steps.

    The answer is wanted over the last `length` steps, where the inputs are 0; what is said before does not count.
    """

    x: np.ndarray
    y: np.ndarray


@checked
def copying(length: Count, n: Count, bits: Count, rng: np.random.Generator, zero: Literal[-1, 0] = -1) -> Drill:
    """Draw n copies: `length` random vectors, a mark, then the same vectors are wanted (Section 10.13.2).

    A bit of 0 is shown as `zero`.

    Returns
    -------
    x (n, 2 length + 1, bits + 1), the last channel holds the mark; y (n, length, bits).

    Reference: graves2014
    """
    y = rng.integers(0, 2, (n, length, bits)).astype(np.float64)
    x = np.zeros((n, 2 * length + 1, bits + 1))
    x[:, :length, :bits] = np.where(y == 1, 1, zero)
    x[:, length, bits] = 1
    return Drill(x, y)


@checked
def recalling(
    items: Annotated[int, (2, None)], n: Count, bits: Count, rng: np.random.Generator, rows: Count = 3
) -> Drill:
    """Draw n recalls: a list of items, then one of them again; the item that followed it is wanted (Section 10.13.2).

    An item is `rows` random vectors with a mark before them; the query has another mark before and after it. The
    query is never the last item.

    Returns
    -------
    x (n, (items + 1)(rows + 1) + 1 + rows, bits + 2), the last two channels hold the marks; y (n, rows, bits).

    Reference: graves2014
    """
    item = rng.integers(0, 2, (n, items, rows, bits)).astype(np.float64)
    asked, each = rng.integers(0, items - 1, n), np.arange(n)
    x = np.zeros((n, (items + 1) * (rows + 1) + 1 + rows, bits + 2))
    shown = np.concatenate([item, item[each, asked][:, None]], axis=1)  # the query comes last
    for i in range(items + 1):
        at = i * (rows + 1)
        x[:, at, bits if i < items else bits + 1] = 1
        x[:, at + 1 : at + 1 + rows, :bits] = 2 * shown[:, i] - 1
    x[:, (items + 1) * (rows + 1), bits + 1] = 1
    return Drill(x, item[each, asked + 1])


class Practice(NamedTuple):
    """A drill, how it is practised, and by nets of what size; lengths are vectors to copy, or items in the list."""

    drill: str  # "copying" or "recalling"
    bits: int
    marks: int
    cells: int
    width: int
    n_h: dict[str, int]  # units of controller and LSTM
    lengths: tuple[int, int]  # of practice, shortest and longest
    steps: int
    slow: int  # steps of these at a tenth of the learning rate, the last ones
    rate: float
    growing: int  # steps until the longest are drawn
    patience: int  # times the batches that the patient LSTM gets
    batch: int = 16


PRACTICES = {
    "small": Practice("copying", 4, 1, 32, 16, {"machine": 64, "lstm": 64}, (1, 8), 1500, 0, 3e-3, 200, 5),
    "copy": Practice("copying", 8, 1, 128, 20, {"machine": 100, "lstm": 128}, (1, 20), 6000, 1000, 1e-3, 2000, 10),
    "recall": Practice("recalling", 6, 2, 64, 20, {"machine": 100, "lstm": 128}, (2, 6), 4000, 1000, 1e-3, 1000, 7),
}
"""Three tasks: `small` (copy 1 to 8 vectors: what the notebook also trains live), `copy` (the setting of graves2014)
and `recall` (2 to 6 items of three vectors). Sequences get longer over the first steps."""
