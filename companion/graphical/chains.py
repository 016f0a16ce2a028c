"""The time-series model with potentials: exact sums, exact maximum, samples, learning (Section 10.2.3).

P(y | x) = exp(score(y)) / Z with score(y) = Σₜ θ⁽ᵗ⁾(y⁽ᵗ⁾) + Σₜ θ(y⁽ᵗ⁻¹⁾, y⁽ᵗ⁾). Its graph is a chain, so every sum over
the k^τ sequences takes τ k² steps.
"""

from typing import Annotated, NamedTuple

import numpy as np

from companion.core import tree
from companion.core.checks import Classes, Count, checked, sequence, targets
from companion.core.functions import softmax

__all__ = [
    "Beliefs",
    "Chain",
    "ChainWeights",
    "chain_fit",
    "chain_of",
    "chain_sample",
    "chain_score",
    "max_product",
    "sum_product",
]


class Chain(NamedTuple):
    """Potentials of a linear chain, in nats: any finite numbers."""

    unary: Annotated[np.ndarray, "tau", "k"]  # θ⁽ᵗ⁾(y⁽ᵗ⁾)
    pair: Annotated[np.ndarray, "k", "k"]  # θ(y⁽ᵗ⁻¹⁾, y⁽ᵗ⁾), row = the label before


class Beliefs(NamedTuple):
    """What sum-product computes."""

    log_z: float  # log of the sum over all sequences
    marginals: np.ndarray  # (tau, k): P(y⁽ᵗ⁾)
    pairs: np.ndarray  # (tau − 1, k, k): P(y⁽ᵗ⁾, y⁽ᵗ⁺¹⁾)


class ChainWeights(NamedTuple):
    """Weights that make a chain of a sequence of observations: unary = x Aᵀ + a, pair = B."""

    A: Annotated[np.ndarray, "k", "n_x"]
    a: Annotated[np.ndarray, "k"]
    B: Annotated[np.ndarray, "k", "k"]


def _logsumexp(a: np.ndarray, axis: int) -> np.ndarray:
    top = a.max(axis=axis, keepdims=True)
    return np.squeeze(top, axis) + np.log(np.exp(a - top).sum(axis=axis))


@checked
def chain_score(chain: Chain, y: Annotated[np.ndarray, "tau", Classes("k")]) -> float:
    """Unnormalised log-probability of a sequence: Σₜ θ⁽ᵗ⁾(y⁽ᵗ⁾) + Σₜ θ(y⁽ᵗ⁻¹⁾, y⁽ᵗ⁾) (Section 10.2.3)."""
    return float(chain.unary[np.arange(len(y)), y].sum() + chain.pair[y[:-1], y[1:]].sum())


def _forward(unary: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """log α⁽ᵗ⁾(j) = θ⁽ᵗ⁾(j) + log Σᵢ exp(log α⁽ᵗ⁻¹⁾(i) + θ(i, j)): all ways to arrive at j; unary is (…, tau, k)."""
    alpha = unary.copy()
    for t in range(1, alpha.shape[-2]):
        alpha[..., t, :] += _logsumexp(alpha[..., t - 1, :, None] + pair, axis=-2)
    return alpha


def _backward(unary: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """log β⁽ᵗ⁾(i) = log Σⱼ exp(θ(i, j) + θ⁽ᵗ⁺¹⁾(j) + log β⁽ᵗ⁺¹⁾(j)): all ways to go on from i; unary is (…, tau, k)."""
    beta = np.zeros_like(unary)
    for t in range(unary.shape[-2] - 2, -1, -1):
        onward = unary[..., t + 1, :] + beta[..., t + 1, :]
        beta[..., t, :] = _logsumexp(pair + onward[..., None, :], axis=-1)
    return beta


def _beliefs(unary: np.ndarray, pair: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The equations of `sum_product` for chains of one length, unary (…, tau, k): log Z (…), marginals, pairs."""
    alpha, beta = _forward(unary, pair), _backward(unary, pair)
    log_z = _logsumexp(alpha[..., -1, :], axis=-1)
    both = alpha[..., :-1, :, None] + pair + (unary + beta)[..., 1:, None, :]
    marginals = np.exp(alpha + beta - log_z[..., None, None])
    return log_z, marginals, np.exp(both - log_z[..., None, None, None])


@checked
def sum_product(chain: Chain) -> Beliefs:
    """Exact log Z and marginals of a chain, by one message forward and one backward at each step.

    Equations (Section 10.2.3): log Z = log Σⱼ α⁽τ⁾(j), P(y⁽ᵗ⁾ = j) = α⁽ᵗ⁾(j) β⁽ᵗ⁾(j) / Z,
    P(y⁽ᵗ⁾ = i, y⁽ᵗ⁺¹⁾ = j) = α⁽ᵗ⁾(i) exp(θ(i, j) + θ⁽ᵗ⁺¹⁾(j)) β⁽ᵗ⁺¹⁾(j) / Z.

    Reference: rabiner1989
    """
    log_z, marginals, pairs = _beliefs(*chain)
    return Beliefs(float(log_z), marginals, pairs)


@checked
def max_product(chain: Chain) -> tuple[np.ndarray, float]:
    """The most probable sequence and its score: the same messages with a maximum instead of a sum (Viterbi).

    Reference: viterbi1967
    """
    best, back = chain.unary[0], []
    for unary in chain.unary[1:]:
        arrive = best[:, None] + chain.pair
        back.append(arrive.argmax(axis=0))
        best = arrive.max(axis=0) + unary
    y = [int(best.argmax())]
    for came_from in reversed(back):
        y.append(int(came_from[y[-1]]))
    return np.array(y[::-1]), float(best.max())


@checked
def chain_sample(chain: Chain, n: Count, rng: np.random.Generator) -> np.ndarray:
    """Draw n sequences exactly, (n, tau): the last label from α⁽τ⁾, then each one before it given the one after."""
    alpha = _forward(*chain)
    y = np.empty((n, len(alpha)), dtype=np.int64)
    logits = np.tile(alpha[-1], (n, 1))
    for t in range(len(alpha) - 1, -1, -1):
        below = softmax(logits).cumsum(axis=1)[:, :-1]
        y[:, t] = (rng.random(n)[:, None] > below).sum(axis=1)
        if t:
            logits = alpha[t - 1] + chain.pair[:, y[:, t]].T
    return y


@checked
def chain_of(w: ChainWeights, x: Annotated[np.ndarray, "tau", "n_x"]) -> Chain:
    """The chain of one sequence of observations: unary = x Aᵀ + a, pair = B."""
    return Chain(x @ w.A.T + w.a, w.B)


def _observed(xs: list[np.ndarray], ys: list[np.ndarray], k: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    if len(xs) == 0 or len(xs) != len(ys):
        raise ValueError(f"xs: want at least one sequence and labels for each, got {len(xs)} and {len(ys)}")
    xs = [sequence(f"xs[{i}]", x) for i, x in enumerate(xs)]
    ys = [targets(f"ys[{i}]", y, len(x), k) for i, (x, y) in enumerate(zip(xs, ys, strict=True))]
    return xs, ys


def _of_one_length(xs: list[np.ndarray], ys: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The sequences of each length stacked: x (n, tau, n_x) and y (n, tau)."""
    groups: dict[int, list] = {}
    for x, y in zip(xs, ys, strict=True):
        groups.setdefault(len(y), []).append((x, y))
    return [tuple(map(np.stack, zip(*group, strict=True))) for group in groups.values()]


@checked
def chain_fit(
    xs: list[np.ndarray],
    ys: list[np.ndarray],
    k: Count,
    pairs: bool = True,
    steps: Count = 100,
    lr: Annotated[float, (0, None)] = 1.0,
    decay: Annotated[float, (0, None)] = 1e-3,
) -> ChainWeights:
    """Maximum likelihood by gradient ascent: what was seen minus what the chain expects (Section 10.2.3).

    Equations: ∂ log P(y)/∂θ⁽ᵗ⁾(j) = [y⁽ᵗ⁾ = j] − P(y⁽ᵗ⁾ = j), and for θ(i, j) the same with pairs, summed over t.

    Parameters
    ----------
    xs : observations, each of shape (tau, n_x). ys : labels, each of shape (tau,). k : labels in all.
    pairs : learn θ(i, j); if False they stay 0, and the labels are independent softmaxes.
    lr : step size, per label. decay : pull of every weight towards zero.

    Reference: lafferty2001
    """
    xs, ys = _observed(xs, ys, k)
    w = ChainWeights(np.zeros((k, xs[0].shape[1])), np.zeros(k), np.zeros((k, k)))
    n = sum(map(len, ys))
    if not pairs:  # no message to send, so all steps of all sequences at once
        xs, ys = [np.concatenate(xs)], [np.concatenate(ys)]
    together = _of_one_length(xs, ys)
    for _ in range(steps):
        g = tree.map(lambda v: -decay * n * v, w)
        for x, y in together:
            unary = x @ w.A.T + w.a
            marginals = softmax(unary)
            if pairs:
                _, marginals, both = _beliefs(unary, w.B)
                np.add.at(g.B, (y[:, :-1], y[:, 1:]), 1.0)
                g.B[...] -= both.sum(axis=(0, 1))
            surplus = np.eye(k)[y] - marginals  # (n, tau, k)
            g.A[...] += np.tensordot(surplus, x, axes=[(0, 1), (0, 1)])
            g.a[...] += surplus.sum(axis=(0, 1))
        w = tree.map(lambda v, d: v + lr * d / n, w, g)
    return w
