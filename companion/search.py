"""The likeliest sequence under a model that is asked one symbol at a time: greedy, beam, exact (Sections 10.2.3, 10.4).

A model is a `Scorer`, which carries a state of its own from symbol to symbol, or a function from the symbols so far to
the log-probabilities of the next one. Symbols are the integers 0 … k − 1.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Annotated, Any, NamedTuple

import numpy as np

from companion.core.checks import Count, checked

__all__ = ["Beginning", "Found", "LogP", "Scorer", "ask", "beam", "every", "exact", "greedy"]

#: A model of sequences: from the symbols so far to the log-probabilities of the k symbols that may come next.
LogP = Callable[[tuple[int, ...]], np.ndarray]
LARGEST = 100_000  # sequences that are listed at most


class Scorer(NamedTuple):
    """A model of sequences that remembers what it has read in a state."""

    start: Any  # before the first symbol
    step: Callable[[Any, int | None], tuple[np.ndarray, Any]]  # state, last symbol (None at first) → log P (k,), state


class Beginning(NamedTuple):
    """The first symbols of a sequence, ordered by cost, then by symbols: the least of several is the likeliest."""

    cost: float  # −log P(y)
    y: tuple[int, ...]
    state: Any  # of the scorer, behind the step that scored the last symbol

    @property
    def logp(self) -> float:
        """The log-probability of the symbols."""
        return 0.0 - self.cost


class Found(NamedTuple):
    """What a search came back with, and how it went."""

    y: tuple[int, ...]  # the sequence
    logp: float  # its log-probability
    state: Any  # of the scorer, behind the step that scored the last symbol
    asked: int  # how often the model was asked
    trace: tuple[tuple[tuple[int, ...], ...], ...]  # after each step the beginnings kept; for `exact` the one looked at


def ask(logp: LogP, prefix: tuple[int, ...]) -> np.ndarray:
    """What the model says after `prefix`, checked to be log-probabilities."""
    return _said(logp(prefix), prefix)


def _said(logp: Any, prefix: tuple[int, ...]) -> np.ndarray:
    out = np.asarray(logp, dtype=np.float64)
    if out.ndim != 1 or out.size == 0 or np.isnan(out).any() or (out > 1e-9).any():
        raise ValueError(f"logp: want log-probabilities of shape (k,) after {prefix}, got {out!r}")
    return out


def _scorer(name: str, model: Any) -> Scorer:
    """The model as a scorer; a function of the symbols so far has those as its state."""
    if isinstance(model, Scorer):
        return model
    if not callable(model):
        raise ValueError(f"{name}: want a Scorer or a function of the symbols so far, got {type(model).__name__}")

    def step(prefix: tuple[int, ...], y: int | None) -> tuple[np.ndarray, tuple[int, ...]]:
        prefix = prefix if y is None else (*prefix, y)
        return model(prefix), prefix

    return Scorer((), step)


Model = Annotated[Scorer | LogP, _scorer]
End = Annotated[int, (0, None)] | None


class _Search:
    """One search: the model, when a sequence is over, and what is reported."""

    def __init__(self, model: Scorer, tau: int, end: int | None) -> None:
        self.model, self.tau, self.end = model, tau, end
        self.nothing = Beginning(0.0, (), model.start)
        self.asked, self.trace = 0, []

    def over(self, b: Beginning) -> bool:
        return len(b.y) == self.tau or (self.end is not None and b.y[-1:] == (self.end,))

    def grow(self, b: Beginning) -> list[Beginning]:
        """The beginning with each symbol appended."""
        logp, state = self.model.step(b.state, b.y[-1] if b.y else None)
        self.asked += 1
        return [Beginning(b.cost - float(s), (*b.y, i), state) for i, s in enumerate(_said(logp, b.y))]

    def look(self, *kept: Beginning) -> None:
        self.trace.append(tuple(b.y for b in kept))

    def found(self, b: Beginning) -> Found:
        return Found(b.y, b.logp, b.state, self.asked, tuple(self.trace))


@checked
def greedy(model: Model, tau: Count, end: End = None) -> Found:
    """Take the likeliest symbol at each step and feed it back (Sections 10.2.3, 10.4).

    Equation: y⁽ᵗ⁾ = argmax_y P(y | y⁽¹⁾ … y⁽ᵗ⁻¹⁾). This is neither the likeliest symbol of step t (its marginal) nor
    part of the likeliest sequence.

    Parameters
    ----------
    model : a scorer, or a function from a tuple of symbols to log-probabilities of shape (k,).
    tau : length, or with `end` the largest length. end : symbol that ends a sequence, if there is one.
    """
    search = _Search(model, tau, end)
    b = search.nothing
    while not search.over(b):
        b = min(search.grow(b))
        search.look(b)
    return search.found(b)


@checked
def beam(model: Model, tau: Count, width: Count, end: End = None) -> Found:
    """Keep the `width` likeliest beginnings at each step; return the best (Sections 10.2.3, 10.4).

    Parameters
    ----------
    model, tau, end : as for `greedy`; sequences that ended compete with those that go on.
    width : beginnings kept; 1 is greedy, k^(τ − 1) is exact.
    """
    search = _Search(model, tau, end)
    kept = [search.nothing]
    while not all(map(search.over, kept)):
        longer = [[b] if search.over(b) else search.grow(b) for b in kept]
        grown = [new for several in longer for new in several]
        kept = sorted(grown)[:width]  # the likeliest first
        search.look(*kept)
    return search.found(kept[0])


@checked
def exact(model: Model, tau: Count, end: End = None) -> Found:
    """Extend the likeliest beginning of any length until one is complete (Section 10.2.3).

    A beginning is at least as probable as everything that goes on from it, so the first complete sequence that comes
    up is the likeliest of all. The number of beginnings looked at can grow like k^τ. Parameters as for `greedy`.
    """
    search = _Search(model, tau, end)
    heap = [search.nothing]
    while True:
        b = heappop(heap)  # the likeliest
        search.look(b)
        if search.over(b):
            return search.found(b)
        for new in search.grow(b):
            heappush(heap, new)


@checked
def every(model: Model, tau: Count, end: End = None) -> list[Beginning]:
    """Every sequence that the model can write, the likeliest first; their probabilities sum to one.

    Parameters as for `greedy`; tau so small that there are at most 100,000 sequences.
    """
    search = _Search(model, tau, end)
    done, going_on = [], [search.nothing]
    while going_on:
        grown: list[Beginning] = []
        for b in going_on:
            grown += search.grow(b)
            if len(done) + len(grown) > LARGEST:
                raise ValueError(f"tau: want at most {LARGEST} sequences to list, got {tau} symbols, which give more")
        done += filter(search.over, grown)
        going_on = [b for b in grown if not search.over(b)]
    return sorted(done)
