"""Section P.5: attention without recurrence, what it costs, and linear attention, which is a recurrence again."""

from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.core.checks import Count, checked
from companion.core.functions import softmax

__all__ = ["Cost", "attention", "costs", "features", "linear_attention", "linear_attention_steps", "positions"]

Queries = Annotated[np.ndarray, "tau", "d"]
Values = Annotated[np.ndarray, "tau", "n_v"]


class Attended(NamedTuple):
    """What attention computes."""

    weights: np.ndarray  # (tau, tau), row t: how much position t takes from each position
    o: np.ndarray  # (tau, n_v)


class Cost(NamedTuple):
    """What a layer costs on a sequence."""

    multiplications: int
    path: int  # operations in a row between the first position and the last


@checked
def attention(Q: Queries, K: Queries, V: Values, causal: bool = False) -> Attended:
    """Scaled dot-product attention of a sequence to itself: softmax(Q Kᵀ/√d) V (Section P.5).

    Parameters
    ----------
    Q, K, V : one query, key and value a position. causal : no position sees a later one.

    Reference: vaswani2017
    """
    # e = Q Kᵀ / √d
    e = Q @ K.T / np.sqrt(Q.shape[1])
    if causal:
        # −10³⁰⁰ where the key is later than the query: its weight is exactly 0
        e = np.where(np.tri(len(Q), dtype=bool), e, -1e300)
    # each row of weights sums to 1
    weights = softmax(e)
    return Attended(weights, weights @ V)


@checked
def positions(tau: Count, d: Count) -> np.ndarray:
    """Sines and cosines that tell positions apart, shape (tau, d), wavelengths from 2π to 20,000π (Section P.5).

    Reference: vaswani2017
    """
    t, i = np.arange(tau)[:, None], np.arange(d)[None]
    angle = t / 10000 ** (2 * (i // 2) / d)
    return np.where(i % 2 == 0, np.sin(angle), np.cos(angle))


@checked
def costs(layer: Literal["recurrence", "attention", "diagonal"], tau: Count, d: Count) -> Cost:
    """Multiplications between positions, and the longest path, for tau positions of width d (Section P.5).

    Counted is what carries something from one position to another: W h of a recurrent net; Q Kᵀ and the weighted sum
    of attention; a ⊙ h of a linear recurrence in a loop. Products within a position are left out: all three have them,
    a few d² a position.
    """
    return {
        "recurrence": Cost(tau * d**2, tau - 1),
        "attention": Cost(2 * tau**2 * d, min(tau - 1, 1)),
        "diagonal": Cost(tau * d, tau - 1),
    }[layer]


@checked
def features(x: Annotated[np.ndarray, "tau", "d"]) -> np.ndarray:
    """Positive features for linear attention: φ(x) = elu(x) + 1 (Section P.5).

    Reference: katharopoulos2020
    """
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


@checked
def linear_attention(Q: Queries, K: Queries, V: Values) -> np.ndarray:
    """Causal linear attention as one masked matrix product, shape (tau, n_v) (Section P.5).

    Reference: katharopoulos2020
    """
    # e = φ(Q) φ(K)ᵀ, zero where the key is later than the query
    e = np.tril(features(Q) @ features(K).T)
    return e @ V / e.sum(axis=1, keepdims=True)


@checked
def linear_attention_steps(Q: Queries, K: Queries, V: Values) -> np.ndarray:
    """The same as a recurrence whose state is a matrix, shape (tau, n_v) (Section P.5).

    Reference: katharopoulos2020
    """
    S, n, o = np.zeros((Q.shape[1], V.shape[1])), np.zeros(Q.shape[1]), np.empty(V.shape)
    for t, (q, k, v) in enumerate(zip(features(Q), features(K), V, strict=True)):
        # S⁽ᵗ⁾ = S⁽ᵗ⁻¹⁾ + φ(k⁽ᵗ⁾) v⁽ᵗ⁾ᵀ
        S = S + np.outer(k, v)
        # n⁽ᵗ⁾ = n⁽ᵗ⁻¹⁾ + φ(k⁽ᵗ⁾)
        n = n + k
        # o⁽ᵗ⁾ = S⁽ᵗ⁾ᵀ φ(q⁽ᵗ⁾) / n⁽ᵗ⁾ᵀ φ(q⁽ᵗ⁾)
        o[t] = S.T @ q / (n @ q)
    return o
