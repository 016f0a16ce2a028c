"""The writer without a teacher: a model that is asked one symbol at a time, for `companion.search` (Section 10.4)."""

from typing import NamedTuple

import numpy as np

from companion.core.checks import checked
from companion.core.functions import log_softmax
from companion.search import Scorer
from companion.seq2seq.model import Net, Read, start, write_step

__all__ = ["Writing", "writer"]


class Writing(NamedTuple):
    """What the writer carries on: its state h (n_h,) and the attention so far, (tau_y, tau_x), or None."""

    h: np.ndarray
    alpha: np.ndarray | None


@checked
def writer(p: Net, read: Read) -> Scorer:
    """The writer, asked one symbol at a time: log P(y⁽ᵗ⁾ = · | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x) (10.4).

    The last symbol of p is the end mark, `read` what `encode` returned; the scorer's state is a `Writing`.
    """
    end = len(p.Y) - 1

    def step(state: Writing, y: int | None) -> tuple[np.ndarray, Writing]:
        new = write_step(p, read, end if y is None else y, state.h)
        alpha = None if new.alpha is None else np.vstack([state.alpha, new.alpha])
        return log_softmax(new.o), Writing(new.h, alpha)

    return Scorer(Writing(start(p, read.C), np.zeros((0, len(read.g)))), step)
