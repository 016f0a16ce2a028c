"""An LSTM that predicts the next character of a text (Section 10.10): in NumPy, its trainable twin, the one stored.

NumPy float64, one text, no batch axis; torch is imported only when a function needs it.
"""

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np

from companion.cells.interop import from_torch
from companion.cells.lstm import LSTM, lstm_forward
from companion.core.checks import Classes, Count, checked
from companion.core.functions import nll
from companion.data import store
from companion.data.text import ALPHABET, one_hot

if TYPE_CHECKING:
    import torch

__all__ = ["CharLSTM", "bits_per_character", "char_logits", "char_lstm", "char_net", "stored_char_lstm"]


def _two_or_more(name: str, codes: np.ndarray) -> np.ndarray:
    if len(codes) < 2:
        raise ValueError(f"{name}: want two characters or more, the first of which is only read, got {len(codes)}")
    return codes


class CharLSTM(NamedTuple):
    """An LSTM cell with an output layer; n_x = n_o = characters of the alphabet."""

    cell: LSTM
    V: Annotated[np.ndarray, "n_o", "n_h"]
    c: Annotated[np.ndarray, "n_o"]


@checked
def char_logits(model: CharLSTM, h: Annotated[np.ndarray, "tau", "n_h"]) -> np.ndarray:
    """What the output layer makes of states: o⁽ᵗ⁾ = c + V h⁽ᵗ⁾ for every row of h, (tau, n_o) (Section 10.2)."""
    return model.c + h @ model.V.T


@checked
def bits_per_character(
    model: CharLSTM, codes: Annotated[np.ndarray, "characters", Classes(len(ALPHABET)), _two_or_more]
) -> float:
    """Mean of −log₂ of the probability that the net gave to each next character, from a zero state (Section 10.10)."""
    h = lstm_forward(model.cell, one_hot(codes[:-1])).h[1:]
    return float(np.mean(nll(char_logits(model, h), codes[1:])) / np.log(2))


@checked
def char_net(units: Count) -> "torch.nn.ModuleDict":
    """The trainable twin, drawn: "lstm", a `torch.nn.LSTM` with forget bias 1, and "head", a `torch.nn.Linear`."""
    import torch

    n = len(ALPHABET)
    net = torch.nn.ModuleDict(
        {"lstm": torch.nn.LSTM(n, units, batch_first=True), "head": torch.nn.Linear(units, n)},
    )
    with torch.no_grad():
        net["lstm"].bias_ih_l0[units : 2 * units] = 1.0
        net["lstm"].bias_hh_l0.zero_()
    return net


def char_lstm(net: "torch.nn.ModuleDict") -> CharLSTM:
    """A net of `char_net` in NumPy."""
    V, c = (w.detach().double().cpu().numpy() for w in net["head"].parameters())
    return CharLSTM(from_torch(net["lstm"]), V, c)


def stored_char_lstm() -> CharLSTM:
    """The net that the study `charlstm` trained on the prose that comes with Python, its weights in float16."""
    import torch

    weights = store.weights("charlstm")
    net = char_net(weights["head.weight"].shape[1])
    net.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    return char_lstm(net)
