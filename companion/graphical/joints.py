"""A recurrent net as a distribution over whole sequences: asked, enumerated, sampled, measured (Section 10.2.3)."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from companion.cells.rnn import RNN
from companion.core.checks import array, choice, generator, integer, number, parameters, sequence
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


def sequences(k: int, tau: int) -> np.ndarray:
    """All sequences of τ symbols, in the order of counting: shape (k^τ, τ).

    Parameters
    ----------
    k : symbols, at least 1.
    tau : length, at least 1.
    """
    k, tau = integer("k", k, 1), integer("tau", tau, 1)
    if k**tau > LARGEST:
        raise ValueError(f"tau: want at most {LARGEST} sequences to enumerate, got {k}^{tau} = {k**tau}")
    return np.array(list(product(range(k), repeat=tau)))


def rnn_next(
    p: RNN,
    x: np.ndarray | None = None,
    feedback: bool = True,
    h0: np.ndarray | None = None,
    first: int | None = None,
) -> LogP:
    """A recurrent net as a model that is asked one step at a time.

    Equation (Section 10.2.3): P(y⁽ᵗ⁾ | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x) = softmax(c + V h⁽ᵗ⁾), h⁽ᵗ⁾ = tanh(b + W h⁽ᵗ⁻¹⁾ + U z⁽ᵗ⁾),
    where z⁽ᵗ⁾ is x⁽ᵗ⁾, then, with feedback, the one-hot y⁽ᵗ⁻¹⁾; y⁽⁰⁾ is all zeros unless `first` is given.

    Parameters
    ----------
    p : parameters; U has a column for each input and, with feedback, for each of the k symbols.
    x : inputs, shape (tau, n_x); None for a net that reads nothing but its own past.
    feedback : does the net read what was written?
    h0 : initial state, shape (n_h,); zeros if None.
    first : symbol read at the first step.

    Returns
    -------
    function from a tuple of symbols to log-probabilities of shape (k,)
    """
    p, k = parameters("p", p, RNN), len(p.c)
    if not choice("feedback", feedback, (True, False)) and x is None:
        raise ValueError("x: want inputs for a net without feedback, got None")
    inputs = p.U.shape[1] - (k if feedback else 0)
    if x is not None:
        x = sequence("x", x, inputs)
    elif inputs != 0:
        raise ValueError(f"p.U: want {k} columns, one for each symbol, for a net without x, got {p.U.shape[1]}")
    h0 = np.zeros(len(p.b)) if h0 is None else array("h0", h0, (len(p.b),))
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


def joint(logp: LogP, tau: int) -> np.ndarray:
    """Probability of every sequence of τ symbols, by the chain rule.

    Equation (Section 10.2.3): P(y⁽¹⁾ … y⁽τ⁾) = ∏ₜ P(y⁽ᵗ⁾ | y⁽¹⁾ … y⁽ᵗ⁻¹⁾).

    Parameters
    ----------
    logp : the model.
    tau : length, at least 1.

    Returns
    -------
    array of shape (k, …, k), τ axes, summing to one
    """
    tau = integer("tau", tau, 1)
    k = len(ask(logp, ()))
    total = np.zeros(())
    for t in range(tau):
        step = [ask(logp, tuple(map(int, prefix))) for prefix in (sequences(k, t) if t else [()])]
        total = total[..., None] + np.array(step).reshape((k,) * (t + 1))
    return np.exp(total)


def _distribution(P: np.ndarray) -> np.ndarray:
    P = array("P", P, ("k",) * max(np.ndim(P), 1))
    if (P < 0).any() or abs(P.sum() - 1) > 1e-9:
        raise ValueError(f"P: want probabilities that sum to one, got a sum of {P.sum()} and a least of {P.min()}")
    return P


def marginals(P: np.ndarray) -> np.ndarray:
    """The distribution of each variable alone: sums over all the others.

    Parameters
    ----------
    P : joint, shape (k, …, k) with τ axes.

    Returns
    -------
    array of shape (tau, k)
    """
    P = _distribution(P)
    return np.array([P.sum(axis=tuple(i for i in range(P.ndim) if i != t)) for t in range(P.ndim)])


def product_of_marginals(P: np.ndarray) -> np.ndarray:
    """The joint that has the same marginals and no dependence: ∏ₜ P(y⁽ᵗ⁾).

    Parameters
    ----------
    P : joint, shape (k, …, k) with τ axes.

    Returns
    -------
    array of the shape of P
    """
    out = np.ones(())
    for one in marginals(P):
        out = out[..., None] * one
    return out


def total_correlation(P: np.ndarray) -> float:
    """How far the variables are from independent, in nats: KL(P ‖ ∏ₜ P(y⁽ᵗ⁾)); zero if and only if P factorises.

    Parameters
    ----------
    P : joint, shape (k, …, k) with τ axes.
    """
    P, Q = _distribution(P), product_of_marginals(P)
    some = P > 0
    return float((P[some] * np.log(P[some] / Q[some])).sum())


def influence(P: np.ndarray) -> np.ndarray:
    """How much y⁽ⁱ⁾ alone can change the conditional of y⁽ᵗ⁾: the edges i → t of the directed graph.

    Entry (t, i) is the largest total variation between P(y⁽ᵗ⁾ | past) and the same with another y⁽ⁱ⁾, over all pasts.
    It is zero if and only if the graph needs no edge from i to t (Section 10.2.3).

    Parameters
    ----------
    P : joint, shape (k, …, k) with τ axes, every sequence with a probability above zero.

    Returns
    -------
    array of shape (tau, tau), zero on and above the diagonal
    """
    P = _distribution(P)
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


def sample(logp: LogP, tau: int, rng: np.random.Generator, start: Sequence[int] = ()) -> np.ndarray:
    """Draw a sequence by drawing each symbol given those before it (ancestral sampling, Section 10.2.3).

    Parameters
    ----------
    logp : the model.
    tau : how many symbols to draw, at least 1.
    rng : the generator to draw from.
    start : symbols that stand already.

    Returns
    -------
    (tau,) symbols, without the start
    """
    generator("rng", rng)
    y = tuple(int(i) for i in start)
    for _ in range(integer("tau", tau, 1)):
        p = np.exp(ask(logp, y))
        y += (int(rng.choice(len(p), p=p / p.sum())),)
    return np.array(y[len(start) :])
