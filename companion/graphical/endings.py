"""Three ways to say that a sequence is over, and the distribution of lengths that each one gives (Section 10.2.3).

A net that writes has to stop. It can write an end symbol, decide at every step with a Bernoulli unit, or draw the
length first and count down. All three are recurrent nets that read their own last symbol; before each symbol there is
a probability to stop, so the length can be 0.
"""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import RNN, many
from companion.core.checks import Count, array, checked, integer
from companion.core.functions import sigmoid, softmax

__all__ = ["EndSymbol", "Foretold", "Halt", "length_distribution", "write"]


class EndSymbol(NamedTuple):
    """The last of the k + 1 outputs means “the end”; the other k are symbols, and the net reads those."""

    p: RNN  # U (n_h, k), V (k + 1, n_h)


class Halt(NamedTuple):
    """A Bernoulli unit beside the outputs: stop with probability σ(v · h⁽ᵗ⁾ + d), else write a symbol."""

    p: RNN  # U (n_h, k), V (k, n_h)
    v: Annotated[np.ndarray, "n_h"]
    d: float


class Foretold(NamedTuple):
    """The length is drawn first; at each step the net reads how many symbols are left, divided by the longest."""

    p: RNN  # U (n_h, k + 1): the last column reads the count; V (k, n_h)
    logits: Annotated[np.ndarray, "lengths"]  # softmax gives P(τ = 0), …, P(τ = longest)


def _symbols(e: EndSymbol | Halt | Foretold) -> int:
    """k, how many symbols the net can write."""
    return len(e.p.c) - isinstance(e, EndSymbol)


def _reads_what_it_writes(name: str, e: EndSymbol | Halt | Foretold) -> EndSymbol | Halt | Foretold:
    k = integer(f"symbols that {name}.p writes", _symbols(e), 1)
    array(f"{name}.p.U", e.p.U, (len(e.p.b), k + isinstance(e, Foretold)))
    return e


Ending = Annotated[EndSymbol | Halt | Foretold, _reads_what_it_writes]


def _outputs(e: Ending, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For states h (m, n_h): probabilities of the symbols if the net goes on (m, k), and of stopping now (m,)."""
    o = e.p.c + h @ e.p.V.T
    if isinstance(e, EndSymbol):
        return softmax(o[:, :-1]), softmax(o)[:, -1]
    stop = sigmoid(h @ e.v + e.d) if isinstance(e, Halt) else np.zeros(len(h))
    return softmax(o), stop


def _advance(e: Ending, h: np.ndarray, y: np.ndarray | None, left: int | None) -> np.ndarray:
    """h⁽ᵗ⁾ from h⁽ᵗ⁻¹⁾ (m, n_h), the symbols y⁽ᵗ⁻¹⁾ (m,), and, if the length is foretold, the count left."""
    z = np.zeros((e.p.U.shape[1], len(h)))
    if y is not None:
        z[y, np.arange(len(h))] = 1.0
    if isinstance(e, Foretold):
        z[-1] = left / (len(e.logits) - 1)
    return many(e.p).step(z, h.T).h.T


@checked
def length_distribution(e: Ending, longest: Annotated[int, (0, None)]) -> np.ndarray:
    """Exact P(τ = n) for n = 0 … longest, by summing over everything that can be written (Section 10.2.3).

    The sum walks through all prefixes, so the cost grows like k^longest. What is missing to 1 is the probability of
    something longer. A foretold length has its distribution in a table, and nothing needs to be summed.

    Raises
    ------
    ValueError
        If there are more than a million prefixes.
    """
    k = _symbols(e)
    if isinstance(e, Foretold):
        out = np.zeros(longest + 1)
        told = softmax(e.logits)[: longest + 1]
        out[: len(told)] = told
        return out
    if k**longest > 1_000_000:
        raise ValueError(f"longest: want at most a million prefixes, got {k}^{longest}")
    h, y, weight, out = np.zeros((1, len(e.p.b))), None, np.ones(1), []
    for _ in range(longest + 1):
        h = _advance(e, h, y, None)
        symbols, stop = _outputs(e, h)
        out.append(float(weight @ stop))
        weight = ((weight * (1 - stop))[:, None] * symbols).ravel()
        h, y = np.repeat(h, k, axis=0), np.tile(np.arange(k), len(h))
    return np.array(out)


@checked
def write(e: Ending, rng: np.random.Generator, longest: Count = 1000) -> np.ndarray:
    """Let the net write one sequence until it stops, or is cut after `longest` symbols (Section 10.2.3)."""
    left = int(rng.choice(len(e.logits), p=softmax(e.logits))) if isinstance(e, Foretold) else None
    h, y = np.zeros((1, len(e.p.b))), []
    while len(y) < longest and left != len(y):
        h = _advance(e, h, np.array(y[-1:]) if y else None, None if left is None else left - len(y))
        symbols, stop = _outputs(e, h)
        if rng.random() < stop[0]:
            break
        y.append(int(rng.choice(_symbols(e), p=symbols[0])))
    return np.array(y, dtype=np.int64)
