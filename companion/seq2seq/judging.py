"""How an encoder–decoder is judged: lines without a mistake, and attention on the right word (Section 10.4)."""

import numpy as np

from companion.core.checks import integer
from companion.search import greedy
from companion.seq2seq.dates import END, Pairs, alignment, draw_pairs
from companion.seq2seq.model import Seq2Seq, encode
from companion.seq2seq.writing import writer

__all__ = ["exact_match", "judged", "peak_share"]


def judged(dates: int, n: int = 200) -> list[Pairs]:
    """The held-out pairs that every net is judged on: n pairs of so many dates, in n / 10 draws of forms.

    Parameters
    ----------
    dates : dates a pair. n : pairs, a multiple of 10.

    Returns
    -------
    list of Pairs, ten pairs each
    """
    if integer("n", n, 10) % 10:
        raise ValueError(f"n: want a multiple of 10, got {n}")
    return [draw_pairs(10, dates, np.random.default_rng([10**6, dates, i]), held=True) for i in range(n // 10)]


def exact_match(p: Seq2Seq, dates: int, n: int = 200) -> float:
    """Share of held-out pairs that the NumPy reference, decoding greedily, writes without any mistake.

    Parameters
    ----------
    p : parameters. dates : dates a pair. n : pairs.

    Returns
    -------
    float
    """
    right = [
        greedy(writer(p, encode(p, x)), len(y), END).y == tuple(y)
        for pairs in judged(dates, n)
        for x, y in zip(pairs.x, pairs.y, strict=True)
    ]
    return float(np.mean(right))


def peak_share(p: Seq2Seq, dates: int, n: int = 200) -> float:
    """Share of digits whose attention peaks on the word that determines them, over held-out pairs, greedily written.

    Parameters
    ----------
    p : parameters with attention. dates : dates a pair. n : pairs.

    Returns
    -------
    float
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
