"""How an encoder–decoder is judged: lines without a mistake, and attention on the right word (Section 10.4)."""

from typing import Annotated

import numpy as np

from companion.core.checks import checked
from companion.search import greedy
from companion.seq2seq.dates import END, Pairs, alignment, draw_pairs
from companion.seq2seq.model import Seq2Seq, encode
from companion.seq2seq.writing import writer

__all__ = ["exact_match", "judged", "peak_share"]


def _tens(name: str, n: int) -> int:
    if n % 10:
        raise ValueError(f"{name}: want a multiple of 10, got {n}")
    return n


@checked
def judged(dates: int, n: Annotated[int, (10, None), _tens] = 200) -> list[Pairs]:
    """The held-out pairs that every net is judged on: n pairs of so many dates, ten in each draw of forms."""
    return [draw_pairs(10, dates, np.random.default_rng([10**6, dates, i]), held=True) for i in range(n // 10)]


def exact_match(p: Seq2Seq, dates: int, n: int = 200) -> float:
    """Share of held-out pairs that the NumPy reference, decoding greedily, writes without any mistake.

    There are n pairs of so many dates.
    """
    right = [
        greedy(writer(p, encode(p, x)), len(y), END).y == tuple(y)
        for pairs in judged(dates, n)
        for x, y in zip(pairs.x, pairs.y, strict=True)
    ]
    return float(np.mean(right))


def peak_share(p: Seq2Seq, dates: int, n: int = 200) -> float:
    """Share of digits whose attention peaks on the word that determines them, over held-out pairs, greedily written.

    There are n pairs of so many dates, and p has attention.
    """
    if p.A is None:
        raise ValueError("p: want a net with attention, got one without")
    hits = []
    for pairs in judged(dates, n):
        for x, y in zip(pairs.x, pairs.y, strict=True):
            truth = alignment(x)
            peaks = greedy(writer(p, encode(p, x)), len(y), END).state.alpha.argmax(1)
            hits += [k < len(peaks) and peaks[k] == truth[k] for k in np.flatnonzero(truth >= 0)]
    return float(np.mean(hits))
