"""Writing without a teacher: greedy, beam and, for tiny models, every sequence there is (Section 10.4)."""

from typing import NamedTuple

import numpy as np

from companion.core.checks import array, integer
from companion.core.functions import log_softmax
from companion.seq2seq.model import Read, Seq2Seq, checked, start, write_step

__all__ = ["Line", "beam", "every_line", "greedy"]


class Line(NamedTuple):
    """A written line: its symbols (the end mark with them if it ended), log P, and attention (tau_y, tau_x) or None."""

    y: tuple[int, ...]
    logp: float
    alpha: np.ndarray | None


class _Open(NamedTuple):
    """A line that is being written, with the writer's state behind it."""

    line: Line
    h: np.ndarray


def _grow(p: Seq2Seq, read: Read, begun: _Open) -> list[_Open]:
    """The line with each symbol appended, in the order of the symbols."""
    line = begun.line
    step = write_step(p, read, line.y[-1] if line.y else len(p.Y) - 1, begun.h)
    alpha = line.alpha
    if step.alpha is not None:
        alpha = step.alpha[None] if alpha is None else np.vstack([alpha, step.alpha])
    return [
        _Open(Line((*line.y, i), line.logp + float(logp), alpha), step.h) for i, logp in enumerate(log_softmax(step.o))
    ]


def greedy(p: Seq2Seq, read: Read, longest: int) -> Line:
    """Take the likeliest symbol at each step and feed it back, until the end mark or `longest` symbols.

    Equation (Section 10.4): y⁽ᵗ⁾ = argmax_y P(y | y⁽¹⁾, …, y⁽ᵗ⁻¹⁾, x). This is neither the likeliest symbol of
    step t (its marginal) nor the likeliest line.

    Parameters
    ----------
    p : parameters. read : what `encode` returned. longest : symbols at most, at least 1.

    Returns
    -------
    Line
    """
    return beam(p, read, longest, 1)[0]


def beam(p: Seq2Seq, read: Read, longest: int, width: int) -> list[Line]:
    """Keep the `width` likeliest beginnings at each step; lines that ended compete with them.

    Parameters
    ----------
    p : parameters. read : what `encode` returned. longest : symbols at most. width : beginnings kept, at least 1.

    Returns
    -------
    Up to `width` lines, the likeliest first (ties: the smaller symbols first).
    """
    p, longest, width = checked(p), integer("longest", longest, 1), integer("width", width, 1)
    array("g", read.g, ("tau_x", len(p.reader.b)))
    end = len(p.Y) - 1
    kept = [_Open(Line((), 0.0, None), start(p, read.C))]
    for _ in range(longest):
        ended = [o for o in kept if o.line.y and o.line.y[-1] == end]
        grown = [new for o in kept if not (o.line.y and o.line.y[-1] == end) for new in _grow(p, read, o)]
        if not grown:
            break
        kept = sorted(ended + grown, key=lambda o: (-o.line.logp, o.line.y))[:width]
    return [o.line for o in kept]


def every_line(p: Seq2Seq, read: Read, longest: int) -> list[Line]:
    """Every line of at most `longest` symbols with its probability, the likeliest first: the exact answer.

    Lines end with the end mark or are cut after `longest` symbols, so their probabilities sum to one. There are
    about (n_o − 1) to the power `longest` of them: for tiny models only.

    Parameters
    ----------
    p : parameters. read : what `encode` returned. longest : symbols at most.

    Returns
    -------
    list of Line
    """
    n, longest = len(p.Y) - 1, integer("longest", longest, 1)
    count = sum(n**t for t in range(longest)) + n**longest
    if count > 100_000:
        raise ValueError(f"longest: want at most 100000 lines in all, got {longest} symbols, {count} lines")
    return beam(p, read, longest, count)
