"""A recurrent net as a distribution over whole sequences: asked, enumerated, sampled, measured (Section 10.2.3)."""

from collections.abc import Sequence
from itertools import product
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike

from companion.cells.rnn import RNN
from companion.core.checks import Count, array, checked, integer
from companion.core.functions import log_softmax
from companion.search import LogP, ask

__all__ = [
    "influence",
    "joint",
    "marginals",
    "product_of_marginals",
    "rnn_next",
    "sample",
    "sequences",
    "table_model",
    "total_correlation",
]

LARGEST = 1_000_000  # sequences that are enumerated at most


def _distribution(name: str, value: ArrayLike) -> np.ndarray:
    P = array(name, value, ("k",) * max(np.ndim(value), 1))
    if (P < 0).any() or abs(P.sum() - 1) > 1e-9:
        raise ValueError(f"{name}: want probabilities that sum to one, got a sum of {P.sum()} and a least of {P.min()}")
    return P


Joint = Annotated[ArrayLike, _distribution]
"""P(y⁽¹⁾ … y⁽τ⁾), shape (k, …, k) with τ axes."""


@checked
def sequences(k: Count, tau: Count) -> np.ndarray:
    """All sequences of τ symbols, in the order of counting: shape (k^τ, τ)."""
    if k**tau > LARGEST:
        raise ValueError(f"tau: want at most {LARGEST} sequences to enumerate, got {k}^{tau} = {k**tau}")
    return np.array(list(product(range(k), repeat=tau)))


@checked
def rnn_next(
    p: RNN,
    x: Annotated[np.ndarray, "tau", "inputs"] | None = None,
    feedback: bool = True,
    h0: Annotated[np.ndarray, "n_h"] | None = None,
    first: int | None = None,
) -> LogP:
    """A recurrent net as a model that is asked one step at a time.

    Equation (Section 10.2.3): P(y⁽ᵗ⁾ | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x) = softmax(c + V h⁽ᵗ⁾), h⁽ᵗ⁾ = tanh(b + W h⁽ᵗ⁻¹⁾ + U z⁽ᵗ⁾),
    where z⁽ᵗ⁾ is x⁽ᵗ⁾, then, with feedback, the one-hot y⁽ᵗ⁻¹⁾; y⁽⁰⁾ is all zeros unless `first` is given.

    Parameters
    ----------
    p : parameters; U has a column for each input and, with feedback, for each of the k symbols.
    x : None for a net that reads nothing but its own past.
    feedback : does the net read what was written?
    h0 : initial state; zeros if None. first : symbol read at the first step.

    Returns
    -------
    function from a tuple of symbols to log-probabilities of shape (k,)
    """
    k, inputs = len(p.c), 0 if x is None else x.shape[1]
    if not feedback and x is None:
        raise ValueError("x: want inputs for a net without feedback, got None")
    if p.U.shape[1] != (wanted := inputs + k * feedback):
        raise ValueError(f"p.U: want {wanted} columns, one for each input and symbol read, got {p.U.shape[1]}")
    h0 = np.zeros(len(p.b)) if h0 is None else h0
    known: dict[tuple[int, ...], np.ndarray] = {}

    def state(prefix: tuple[int, ...]) -> np.ndarray:
        if prefix not in known:
            z, last = np.zeros(p.U.shape[1]), prefix[-1] if prefix else first
            if x is not None:
                z[:inputs] = x[len(prefix)]
            if feedback and last is not None:
                z[inputs + integer("symbol", last, 0, k - 1)] = 1.0
            known[prefix] = p.step(z, state(prefix[:-1]) if prefix else h0).h
        return known[prefix]

    def logp(prefix: tuple[int, ...]) -> np.ndarray:
        if x is not None and len(prefix) >= len(x):
            raise ValueError(f"prefix: want fewer than {len(x)} symbols, one step of x for each, got {len(prefix)}")
        return log_softmax(p.c + p.V @ state(tuple(int(i) for i in prefix)))

    return logp


@checked
def table_model(
    k: Count, tau: Count, rng: np.random.Generator, concentration: Annotated[float, (1e-6, None)] = 1.0
) -> LogP:
    """Draw a model without any structure: after every prefix a distribution of its own, from a Dirichlet.

    Parameters
    ----------
    k : symbols. tau : longest sequence.
    concentration : of the Dirichlet: small gives confident steps, large gives even ones.

    Returns
    -------
    function from a tuple of fewer than τ symbols to log-probabilities of shape (k,)
    """
    drawn = [rng.dirichlet(np.full(k, concentration), size=(k,) * t) for t in range(tau)]
    tables = [np.log(np.maximum(table, 1e-300)) for table in drawn]

    def logp(prefix: tuple[int, ...]) -> np.ndarray:
        integer("length of prefix", len(prefix), 0, tau - 1)
        return tables[len(prefix)][tuple(integer("symbol", i, 0, k - 1) for i in prefix)]

    return logp


@checked
def joint(logp: LogP, tau: Count) -> np.ndarray:
    """Probability of every sequence of τ symbols, by the chain rule.

    Equation (Section 10.2.3): P(y⁽¹⁾ … y⁽τ⁾) = ∏ₜ P(y⁽ᵗ⁾ | y⁽¹⁾ … y⁽ᵗ⁻¹⁾); shape (k, …, k) with τ axes.
    """
    k = len(ask(logp, ()))
    total = np.zeros(())
    for t in range(tau):
        prefixes = sequences(k, t) if t else [()]
        step = [ask(logp, tuple(map(int, prefix))) for prefix in prefixes]
        total = total[..., None] + np.array(step).reshape((k,) * (t + 1))
    return np.exp(total)


@checked
def marginals(P: Joint) -> np.ndarray:
    """The distribution of each variable alone, (tau, k): sums over all the others."""
    return np.array([P.sum(axis=tuple(i for i in range(P.ndim) if i != t)) for t in range(P.ndim)])


def product_of_marginals(P: Joint) -> np.ndarray:
    """The joint that has the same marginals and no dependence: ∏ₜ P(y⁽ᵗ⁾)."""
    out = np.ones(())
    for one in marginals(P):
        out = out[..., None] * one
    return out


@checked
def total_correlation(P: Joint) -> float:
    """How far the variables are from independent, in nats: KL(P ‖ ∏ₜ P(y⁽ᵗ⁾)); zero if and only if P factorises."""
    Q, some = product_of_marginals(P), P > 0
    return float((P[some] * np.log(P[some] / Q[some])).sum())


@checked
def influence(P: Joint) -> np.ndarray:
    """How much y⁽ⁱ⁾ alone can change the conditional of y⁽ᵗ⁾: the edges i → t of the directed graph, (tau, tau).

    Entry (t, i) is the largest total variation between P(y⁽ᵗ⁾ | past) and the same with another y⁽ⁱ⁾, over all pasts.
    It is zero if and only if the graph needs no edge from i to t (Section 10.2.3), so on and above the diagonal. Every
    sequence must have a probability above zero.
    """
    if (P == 0).any():
        raise ValueError("P: want every probability above zero, so that all conditionals exist, got a zero")
    tau = P.ndim
    out = np.zeros((tau, tau))
    for t in range(tau):
        so_far = P.sum(axis=tuple(range(t + 1, tau)))
        cond = so_far / so_far.sum(axis=-1, keepdims=True)
        for i in range(t):
            values = np.moveaxis(cond, i, 0)
            gaps = np.abs(values[:, None] - values[None]).sum(axis=-1) / 2
            out[t, i] = gaps.max()
    return out


@checked
def sample(logp: LogP, tau: Count, rng: np.random.Generator, start: Sequence[int] = ()) -> np.ndarray:
    """Draw τ symbols after those of `start`, each given those before it (ancestral sampling, Section 10.2.3)."""
    y = tuple(int(i) for i in start)
    for _ in range(tau):
        p = np.exp(ask(logp, y))
        y += (int(rng.choice(len(p), p=p / p.sum())),)
    return np.array(y[len(start) :])
