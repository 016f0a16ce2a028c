"""The recurrent nets that are held against tables on real text (Section 10.2.3); torch is imported only when needed."""

from typing import TYPE_CHECKING

import numpy as np

from companion.cells.rnn import RNN
from companion.core.checks import Count, checked, integer
from companion.data import store
from companion.data.text import ALPHABET
from companion.graphical.tables import rnn_logp

if TYPE_CHECKING:
    import torch

__all__ = ["SKIP", "held_out_nats", "prose_net", "stored_prose_nets"]

SKIP = 8
"""First characters that no model is judged on, so that tables of every order and nets are judged on the same ones."""


@checked
def prose_net(units: Count) -> "torch.nn.ModuleDict":
    """A plain recurrent net over the alphabet, drawn: "rnn", a `torch.nn.RNN`, and "head", a `torch.nn.Linear`.

    The second bias, which the book's net has not, is zero and stays so.
    """
    import torch

    n = len(ALPHABET)
    net = torch.nn.ModuleDict({"rnn": torch.nn.RNN(n, units, batch_first=True), "head": torch.nn.Linear(units, n)})
    with torch.no_grad():
        net["rnn"].bias_hh_l0.zero_()
    net["rnn"].bias_hh_l0.requires_grad_(False)
    return net


def held_out_nats(p: RNN, codes: np.ndarray) -> float:
    """Mean nats a character of `SKIP` + 2 codes or more, from a zero state, without the first `SKIP` predictions."""
    integer("len(codes)", len(codes), SKIP + 2)
    return float(-rnn_logp(p, codes)[SKIP:].mean())


def stored_prose_nets() -> dict[tuple[int, int], RNN]:
    """The nets that the study `graphical` stored, by units and seed; their weights are in float16."""
    return {
        (key["units"], key["seed"]): RNN(**{letter: w.astype(float) for letter, w in weights.items()})
        for key, weights in store.nets("graphical")
    }
