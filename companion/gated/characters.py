"""An LSTM that predicts the next character of a text (Section 10.10): in NumPy, its trainable twin, the one stored.

NumPy float64, one text, no batch axis; torch is imported only when a function needs it.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from companion.cells.interop import from_torch
from companion.cells.lstm import LSTM, lstm_forward
from companion.core.checks import integer, sequence
from companion.core.functions import nll
from companion.data import store
from companion.data.text import ALPHABET, one_hot

if TYPE_CHECKING:
    import torch

__all__ = ["CharLSTM", "bits_per_character", "char_logits", "char_lstm", "char_net", "stored_char_lstm"]


class CharLSTM(NamedTuple):
    """An LSTM cell with an output layer: V (n_o, n_h), c (n_o,); n_x = n_o = characters of the alphabet."""

    cell: LSTM
    V: np.ndarray
    c: np.ndarray


def char_logits(model: CharLSTM, h: np.ndarray) -> np.ndarray:
    """What the output layer makes of states: o⁽ᵗ⁾ = c + V h⁽ᵗ⁾ for every row of h (Section 10.2).

    Parameters
    ----------
    model : the net.
    h : states, shape (tau, n_h).

    Returns
    -------
    Shape (tau, n_o).
    """
    return model.c + sequence("h", h, model.V.shape[1]) @ model.V.T


def bits_per_character(model: CharLSTM, codes: np.ndarray) -> float:
    """Mean of −log₂ of the probability that the net gave to each next character, from a zero state (Section 10.10).

    Parameters
    ----------
    model : the net.
    codes : characters of the alphabet, shape (n,), n ≥ 2.
    """
    integer("len(codes)", len(codes), 2)
    h = lstm_forward(model.cell, one_hot(codes[:-1])).h[1:]
    return float(np.mean(nll(char_logits(model, h), codes[1:])) / np.log(2))


def char_net(units: int) -> "torch.nn.ModuleDict":
    """The trainable twin, drawn: "lstm", a `torch.nn.LSTM` with forget bias 1, and "head", a `torch.nn.Linear`.

    Parameters
    ----------
    units : width of the state.
    """
    import torch

    n, units = len(ALPHABET), integer("units", units, 1)
    net = torch.nn.ModuleDict(
        {"lstm": torch.nn.LSTM(n, units, batch_first=True), "head": torch.nn.Linear(units, n)},
    )
    with torch.no_grad():
        net["lstm"].bias_ih_l0[units : 2 * units] = 1.0
        net["lstm"].bias_hh_l0.zero_()
    return net


def char_lstm(net: "torch.nn.ModuleDict") -> CharLSTM:
    """A net of `char_net` in NumPy.

    Parameters
    ----------
    net : the trainable twin.
    """
    V, c = (w.detach().double().cpu().numpy() for w in net["head"].parameters())
    return CharLSTM(from_torch(net["lstm"]), V, c)


def stored_char_lstm() -> CharLSTM:
    """The net that the study `charlstm` trained on the prose that comes with Python, its weights in float16."""
    import torch

    weights = store.weights("charlstm")
    net = char_net(weights["head.weight"].shape[1])
    net.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    return char_lstm(net)
