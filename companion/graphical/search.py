"""The best sequence under a model that is asked one step at a time: greedy, beam, exact (Section 10.2.3)."""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from companion.core.checks import generator, integer, number
from companion.graphical.joints import LogP, ask

__all__ = ["Found", "beam", "exact", "greedy", "table_model"]

Scored = tuple[tuple[int, ...], float]


class Found(NamedTuple):
    """What a search came back with, and how it went."""

    y: tuple[int, ...]  # the sequence
    logp: float  # its log-probability
    asked: int  # how many prefixes the model was asked about
    trace: tuple[tuple[Scored, ...], ...]  # after each step the prefixes kept; for `exact` the prefix looked at


def _done(prefix: tuple[int, ...], end: int | None) -> bool:
    return end is not None and bool(prefix) and prefix[-1] == end


def greedy(logp: LogP, tau: int, end: int | None = None) -> Found:
    """Take the most probable symbol at every step (Section 10.2.3).

    Parameters
    ----------
    logp : the model.
    tau : length, or with `end` the largest length, at least 1.
    end : symbol that ends a sequence, if there is one.

    Returns
    -------
    Found
    """
    y, total, asked, trace = (), 0.0, 0, []
    for _ in range(integer("tau", tau, 1)):
        if _done(y, end):
            break
        steps = ask(logp, y)
        best = int(steps.argmax())
        y, total, asked = (*y, best), total + float(steps[best]), asked + 1
        trace.append(((y, total),))
    return Found(y, total, asked, tuple(trace))


def beam(logp: LogP, tau: int, width: int, end: int | None = None) -> Found:
    """Keep the `width` most probable prefixes of every length; return the best that is left (Section 10.2.3).

    Parameters
    ----------
    logp : the model.
    tau : length, or with `end` the largest length, at least 1.
    width : prefixes kept, at least 1; 1 is greedy, k^(τ − 1) is exact.
    end : symbol that ends a sequence; ended ones keep their place in the beam.

    Returns
    -------
    Found
    """
    tau, width = integer("tau", tau, 1), integer("width", width, 1)
    kept: list[Scored] = [((), 0.0)]
    asked, trace = 0, []
    for _ in range(tau):
        open_ones = [(y, total) for y, total in kept if not _done(y, end)]
        if not open_ones:
            break
        longer = [((*y, i), total + float(s)) for y, total in open_ones for i, s in enumerate(ask(logp, y))]
        ended = [(y, total) for y, total in kept if _done(y, end)]
        kept = sorted(ended + longer, key=lambda c: (-c[1], c[0]))[:width]
        asked += len(open_ones)
        trace.append(tuple(kept))
    return Found(*kept[0], asked, tuple(trace))


def exact(logp: LogP, tau: int, end: int | None = None) -> Found:
    """The most probable sequence: look at prefixes in the order of their probability until one is complete.

    A prefix is at least as probable as everything that begins with it, so the first complete sequence that comes up
    cannot be beaten (Section 10.2.3). The number of prefixes looked at can grow like k^τ.

    Parameters
    ----------
    logp : the model.
    tau : length, or with `end` the largest length, at least 1.
    end : symbol that ends a sequence, if there is one.

    Returns
    -------
    Found
    """
    tau = integer("tau", tau, 1)
    heap: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    asked, trace = 0, []
    while True:
        cost, y = heappop(heap)
        trace.append(((y, -cost),))
        if len(y) == tau or _done(y, end):
            return Found(y, -cost, asked, tuple(trace))
        asked += 1
        for i, s in enumerate(ask(logp, y)):
            heappush(heap, (cost - float(s), (*y, i)))


def table_model(k: int, tau: int, rng: np.random.Generator, concentration: float = 1.0) -> LogP:
    """Draw a model without any structure: after every prefix a distribution of its own, from a Dirichlet.

    Parameters
    ----------
    k : symbols, at least 1.
    tau : longest sequence, at least 1.
    rng : the generator to draw from.
    concentration : of the Dirichlet, above 0: small gives confident steps, large gives even ones.

    Returns
    -------
    function from a tuple of fewer than τ symbols to log-probabilities of shape (k,)
    """
    k, tau = integer("k", k, 1), integer("tau", tau, 1)
    concentration = number("concentration", concentration, 1e-6)
    generator("rng", rng)
    drawn = [rng.dirichlet(np.full(k, concentration), size=(k,) * t) for t in range(tau)]
    tables = [np.log(np.maximum(table, 1e-300)) for table in drawn]

    def logp(prefix: tuple[int, ...]) -> np.ndarray:
        integer("length of prefix", len(prefix), 0, tau - 1)
        return tables[len(prefix)][tuple(integer("symbol", i, 0, k - 1) for i in prefix)]

    return logp
