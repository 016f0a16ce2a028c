"""Section 10.11.1: the mean of clipped minibatch gradients is not the clipped mean."""

from math import comb

import numpy as np

from companion.core import checks as check

__all__ = ["mean_clipped", "two_point_mean"]


def two_point_mean(rare: float, share: float, batch: int, v: float) -> float:
    """The exact mean of clipped minibatch gradients of one parameter, when examples come in two kinds.

    A share of the examples has the gradient `rare`, all others −1. A minibatch of m examples, drawn independently,
    holds k rare ones with binomial probability, so (Section 10.11.1)
    E[clip(ḡ)] = Σₖ C(m, k) shareᵏ (1 − share)ᵐ⁻ᵏ clip((k · rare − (m − k)) / m).
    For one parameter, clipping by value and by norm are the same.

    Parameters
    ----------
    rare : gradient of the rare kind.
    share : probability of the rare kind, in [0, 1].
    batch : examples a minibatch, 1 ≤ m ≤ 1000.
    v : the threshold, > 0.

    Returns
    -------
    The mean clipped gradient.
    """
    rare, p = check.number("rare", rare), check.probability("share", share)
    m, v = check.integer("batch", batch, 1, 1000), check.positive("v", v)
    k = np.arange(m + 1)
    probability = np.array([comb(m, i) * p**i * (1 - p) ** (m - i) for i in k.tolist()])
    return float(probability @ np.clip((k * rare - (m - k)) / m, -v, v))


def mean_clipped(
    G: np.ndarray, batch: int, v: float, rng: np.random.Generator, way: str = "norm", draws: int = 2000
) -> np.ndarray:
    """The mean of many clipped minibatch gradients, from the gradients of single examples (Section 10.11.1).

    Parameters
    ----------
    G : shape (N, n), the gradient of each of N examples, one row each. Without clipping the mean would be the
        true gradient, G.mean(axis=0).
    batch : examples a minibatch, ≥ 1, drawn with replacement.
    v : the threshold, > 0.
    rng : the source of the minibatches.
    way : "norm" or "value".
    draws : minibatches, ≥ 1.

    Returns
    -------
    The mean, shape (n,).

    References
    ----------
    goodfellow2016
    """
    G, v = check.array("G", G, ("N", "n")), check.positive("v", v)
    batch, draws = check.integer("batch", batch, 1), check.integer("draws", draws, 1)
    way, rng = check.choice("way", way, ("norm", "value")), check.generator("rng", rng)
    counts = rng.multinomial(batch, np.full(len(G), 1 / len(G)), size=draws)  # how often each example was drawn
    g = (counts / batch) @ G  # (draws, n)
    if way == "value":
        return np.clip(g, -v, v).mean(axis=0)
    return (g * (v / np.maximum(np.linalg.norm(g, axis=1), v))[:, None]).mean(axis=0)
