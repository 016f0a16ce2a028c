"""What a table costs, and the tables of contexts (k-grams) that are counted from text (Section 10.2.3)."""

from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.cells.rnn import RNN, rnn_forward
from companion.core.checks import Count, array, checked, integer, targets
from companion.core.functions import log_softmax

__all__ = [
    "KGram",
    "kgram_fit",
    "kgram_logp",
    "kgram_sample",
    "markov_parameters",
    "rnn_logp",
    "rnn_parameters",
    "table_parameters",
]


Order = Annotated[int, (0, None)]
"""How many symbols a step looks back."""

Prior = Literal["shorter", "uniform"]


@checked
def table_parameters(k: Count, tau: Count) -> int:
    """Free numbers of one table over all sequences of τ variables with k values each: k^τ − 1 (Section 10.2.3).

    The complete directed graph with a table a node needs the same: Σₜ kᵗ⁻¹(k − 1) = k^τ − 1.
    """
    return k**tau - 1


@checked
def markov_parameters(k: Count, tau: Count, order: Order, shared: bool = True) -> int:
    """Free numbers of tables that look `order` symbols back (Section 10.2.3).

    The first `order` steps have shorter contexts: together k^order − 1 numbers. Each later step has a table of
    k^order (k − 1) numbers; if the model is stationary (`shared`), they all use the same one.
    """
    later = tau - order
    if later <= 0:
        return table_parameters(k, tau)
    return k**order - 1 + k**order * (k - 1) * (1 if shared else later)


@checked
def rnn_parameters(k: Count, n_h: Count) -> int:
    """Numbers of a recurrent net that reads and writes k symbols, whatever the length: U, W, V, b, c.

    Equation (Section 10.2.3): n_h k + n_h² + k n_h + n_h + k.
    """
    return n_h * (2 * k + n_h + 1) + k


class KGram(NamedTuple):
    """Counts of contexts of 0 … `order` symbols in a text; entry n of the tuples is for contexts of n symbols."""

    k: int
    order: int
    strength: float  # how many imagined symbols the prior is worth
    prior: Prior  # "shorter": the table of the context one shorter; "uniform": 1/k
    contexts: tuple[np.ndarray, ...]  # sorted codes of the contexts seen
    totals: tuple[np.ndarray, ...]  # how often each was seen
    grams: tuple[np.ndarray, ...]  # sorted codes of (context, symbol) seen
    counts: tuple[np.ndarray, ...]

    @property
    def entries(self) -> int:
        """How many counts the tables hold that are not zero: the numbers to store."""
        return sum(len(c) for c in (self.counts if self.prior == "shorter" else self.counts[-1:]))


def _coded(codes: np.ndarray, k: int, n: int) -> np.ndarray:
    """For every place t ≥ n the n symbols before it, read as a number in base k."""
    out = np.zeros(len(codes) - n, dtype=np.int64)
    for i in range(n):
        out = out * k + codes[i : len(codes) - n + i]
    return out


@checked
def kgram_fit(
    codes: np.ndarray,
    k: Annotated[int, (2, None)],
    order: Order,
    strength: Annotated[float, (1e-9, None)] = 5.0,
    prior: Prior = "shorter",
) -> KGram:
    """Count a text: for each context of up to `order` symbols, what followed it how often (Section 10.2.3).

    Parameters
    ----------
    codes : (n,) symbols 0 … k − 1, n > order.
    order : symbols that a context holds; k^(order + 1) has to fit into 63 bits.
    strength, prior : the β and the prior of `kgram_logp`.
    """
    integer("order", order, 0, int(62 / np.log2(k)) - 1)
    codes = _text("codes", codes, k, order + 1)
    tables = ([], [], [], [])
    for n in range(order + 1):
        before = _coded(codes, k, n)
        for i, values in enumerate((before, before * k + codes[n:])):
            seen, times = np.unique(values, return_counts=True)
            tables[2 * i].append(seen)
            tables[2 * i + 1].append(times)
    return KGram(k, order, strength, prior, *map(tuple, tables))


def _text(name: str, codes: np.ndarray, k: int, least: int) -> np.ndarray:
    codes = targets(name, codes, np.size(codes), k)
    if len(codes) < least:
        raise ValueError(f"{name}: want at least {least} symbols, got {len(codes)}")
    return codes.astype(np.int64)


def _lookup(seen: np.ndarray, times: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    at = np.minimum(np.searchsorted(seen, wanted), len(seen) - 1)
    return np.where(seen[at] == wanted, times[at], 0)


@checked
def kgram_logp(m: KGram, codes: np.ndarray) -> np.ndarray:
    """Log-probability of each symbol of a text given the `order` symbols before it.

    Equation (Section 10.2.3), from n = 0 (prior 1/k) up to n = order:
    P_n(y | c) = (count(c, y) + β P_prior(y)) / (count(c) + β), where the prior is P_{n−1} of the context without
    its oldest symbol, or, for "uniform", 1/k.

    Parameters
    ----------
    codes : (n,) symbols 0 … k − 1, n > order; what comes back has n − order entries, from place `order` on.
    """
    codes = _text("codes", codes, m.k, m.order + 1)
    p = np.full(len(codes) - m.order, 1.0 / m.k)
    for n in range(m.order + 1) if m.prior == "shorter" else (m.order,):
        part = codes[m.order - n :]
        before = _coded(part, m.k, n)
        seen = _lookup(m.grams[n], m.counts[n], before * m.k + part[n:])
        p = (seen + m.strength * p) / (_lookup(m.contexts[n], m.totals[n], before) + m.strength)
    return np.log(p)


@checked
def kgram_sample(m: KGram, start: np.ndarray, tau: Count, rng: np.random.Generator) -> np.ndarray:
    """Draw τ more symbols, each given the `order` symbols before it (ancestral sampling, Section 10.2.3).

    Parameters
    ----------
    start : at least `order` symbols to go on from; they do not come back.
    """
    y = list(_text("start", start, m.k, m.order))
    for _ in range(tau):
        last = y[len(y) - m.order :]
        p = np.exp([kgram_logp(m, np.array([*last, symbol]))[0] for symbol in range(m.k)])
        y.append(rng.choice(m.k, p=p / p.sum()))
    return np.array(y[-tau:])


@checked
def rnn_logp(p: RNN, codes: np.ndarray, h0: Annotated[np.ndarray, "n_h"] | None = None) -> np.ndarray:
    """Log-probability that a recurrent net gives to each symbol of a text, from the second on (Section 10.2.3).

    The net reads the symbols as one-hot inputs: log P(y⁽ᵗ⁾ | y⁽¹⁾ … y⁽ᵗ⁻¹⁾) = log softmax(o⁽ᵗ⁻¹⁾) at y⁽ᵗ⁾.

    Parameters
    ----------
    p : a net that reads and writes k symbols. codes : (n,) symbols 0 … k − 1, n ≥ 2.
    h0 : initial state; zeros if None.

    Returns
    -------
    array of shape (n − 1,)
    """
    k = p.U.shape[1]
    array("p.c", p.c, (k,))
    codes = _text("codes", codes, k, 2)
    o = rnn_forward(p, np.eye(k)[codes[:-1]], h0).o
    return log_softmax(o)[np.arange(len(o)), codes[1:]]
