"""Section 10.11.1: the mean of clipped minibatch gradients is not the clipped mean."""

from math import comb
from typing import Annotated, Literal

import numpy as np

from companion.core.checks import Count, Positive, Probability, checked

__all__ = ["mean_clipped", "two_point_mean"]


@checked
def two_point_mean(rare: float, share: Probability, batch: Annotated[int, (1, 1000)], v: Positive) -> float:
    """The exact mean of clipped minibatch gradients of one parameter, when examples come in two kinds.

    A share of the examples has the gradient `rare`, all others −1; v is the threshold. A minibatch of m examples,
    drawn independently, holds k rare ones with binomial probability, so (Section 10.11.1)
    E[clip(ḡ)] = Σₖ C(m, k) shareᵏ (1 − share)ᵐ⁻ᵏ clip((k · rare − (m − k)) / m).
    For one parameter, clipping by value and by norm are the same.
    """
    k, m = np.arange(batch + 1), batch
    probability = np.array([comb(m, i) * share**i * (1 - share) ** (m - i) for i in k.tolist()])
    return float(probability @ np.clip((k * rare - (m - k)) / m, -v, v))


@checked
def mean_clipped(
    G: Annotated[np.ndarray, "N", "n"],
    batch: Count,
    v: Positive,
    rng: np.random.Generator,
    way: Literal["norm", "value"] = "norm",
    draws: Count = 2000,
) -> np.ndarray:
    """The mean of many clipped minibatch gradients, from the gradients of single examples (Section 10.11.1).

    Parameters
    ----------
    G : the gradients, one row an example. Without clipping the mean would be the true gradient, G.mean(axis=0).
    batch : examples a minibatch, drawn with replacement. v : the threshold. draws : minibatches.

    Reference: goodfellow2016
    """
    counts = rng.multinomial(batch, np.full(len(G), 1 / len(G)), size=draws)  # how often each example was drawn
    g = (counts / batch) @ G  # (draws, n)
    if way == "value":
        return np.clip(g, -v, v).mean(axis=0)
    return (g * (v / np.maximum(np.linalg.norm(g, axis=1), v))[:, None]).mean(axis=0)
