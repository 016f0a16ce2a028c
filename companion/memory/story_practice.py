"""What nets are taught and asked about stories (Section 10.13): minibatches, test stories, and the stored nets."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor, nn

from companion.core.checks import checked, integer
from companion.data import store
from companion.memory.network import Batch, MemoryNet, accuracy, tensors
from companion.memory.stories import Stories, draw_stories

__all__ = ["STORED_NETS", "asked_stories", "load_story_nets", "story_batches", "story_scores"]

SHORT, LONGEST = 4, 10  # sentences at first, and in training
STORED_NETS = ("supervised", "short first", "soft")
"""Kinds of nets of which some are stored: told the facts; from answers alone; and those of these that got stuck."""
Whole = Annotated[int, (0, None)]


@checked
def story_batches(
    seed: Whole, short: Whole = 0, spread: bool = False, stories: int | None = None, needs: tuple[int, ...] = (1, 2)
) -> Callable[[int], tuple[Batch, Tensor]]:
    """Minibatches of 64 by step: one- and two-fact stories in turn, of 2 … 10 sentences, fresh ones at every step.

    Parameters
    ----------
    short : for so many steps, stories have at most 4 sentences.
    spread : give the sentences random falling ages below 64 instead of 0, 1, 2, …
    stories : so many training stories in all, evenly over lengths and sorts; None for fresh ones.
    needs : the sorts of questions, in turn.
    """
    lengths, pool = range(2, LONGEST + 1), {}
    if stories is not None:
        each = integer("stories", stories, len(lengths) * len(needs)) // (len(lengths) * len(needs))
        rng = np.random.default_rng([seed, stories])
        pool = {(m, k): draw_stories(each, m, rng, k) for m in lengths for k in needs}

    def batch(step: int) -> tuple[Batch, Tensor]:
        rng = np.random.default_rng([seed, step])
        m = int(rng.integers(2, (SHORT if step < short else LONGEST) + 1))
        k = needs[step % len(needs)]
        if pool:
            rows = rng.integers(0, len(pool[m, k].answer), 64)
            return tensors(Stories(*(v[rows] for v in pool[m, k])))
        ages = np.sort(rng.choice(64, m, replace=False))[::-1] if spread else None
        return tensors(draw_stories(64, m, rng, k), ages)

    return batch


def asked_stories(sentences: int, needs: int, held: bool = False, n: int = 1000) -> Stories:
    """The n test stories: the same ones for every net, drawn from a seed that no training uses.

    For `sentences`, `needs` and `held` see `companion.memory.draw_stories`.
    """
    return draw_stories(n, sentences, np.random.default_rng([1013, sentences, needs, held]), needs, held)


def story_scores(net: nn.Module, lengths: Sequence[int], read: str = "soft", n: int = 1000) -> dict[str, list[float]]:
    """Accuracies on n one- and n two-fact stories of each length, and ("held") where the answer is a held-out pair.

    For `net` and `read` see `companion.memory.network.accuracy`; `lengths` are numbers of sentences.
    """

    def score(sentences: int, needs: int, held: bool = False) -> float:
        return round(accuracy(net, asked_stories(sentences, needs, held, n), read), 3)

    by_length = {f"{needs}": [score(m, needs) for m in lengths] for needs in (1, 2)}
    return by_length | {"held": [score(LONGEST, needs, True) for needs in (1, 2)]}


@checked
def load_story_nets(kind: Literal[STORED_NETS]) -> list[MemoryNet]:
    """The stored nets of a kind, by seed; those of kind "soft" are all that got stuck."""
    nets = []
    for _, weights in store.nets("stories", kind=kind):
        nets.append(MemoryNet().eval())
        nets[-1].load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    return nets
