"""Guessing a hidden character from the left, the right or both sides (Section 10.3): nets, tables, what is stored.

A net for "right" is a plain net that reads the text backwards. Torch is imported only when needed.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import numpy as np

from companion.bidirectional.interop import birnn_from_torch
from companion.bidirectional.nets import BiRNN, cloze_forward
from companion.cells.interop import from_torch
from companion.cells.rnn import RNN, rnn_forward
from companion.core.checks import checked, choice, integer, targets
from companion.core.functions import nll
from companion.data import store
from companion.data.text import ALPHABET, one_hot

if TYPE_CHECKING:
    import torch

__all__ = ["SIDES", "cloze_bits", "cloze_net", "cloze_numpy", "counted_bits", "stored_cloze_nets"]

Side = Literal["left", "right", "both"]
SIDES = get_args(Side)


def _codes(name: str, codes: Any) -> np.ndarray:
    tau = np.size(codes)
    integer(f"len({name})", tau, 3)
    return targets(name, codes, tau, len(ALPHABET))


Codes = Annotated[Any, _codes]
"""Places in the alphabet, (tau,), tau ≥ 3."""


def cloze_net(side: str, units: int) -> "torch.nn.ModuleDict":
    """A trainable net, drawn: "rnn", a `torch.nn.RNN`, and "head", a `torch.nn.Linear`.

    Parameters
    ----------
    side : "left", "right" or "both", for which the net is bidirectional.
    units : width of the state, in each direction.
    """
    import torch

    two, n = choice("side", side, SIDES) == "both", len(ALPHABET)
    rnn = torch.nn.RNN(n, integer("units", units, 1), batch_first=True, bidirectional=two)
    return torch.nn.ModuleDict({"rnn": rnn, "head": torch.nn.Linear((1 + two) * units, n)})


def cloze_numpy(net: "torch.nn.ModuleDict") -> RNN | BiRNN:
    """A net of `cloze_net` in NumPy: an RNN (one direction) or a BiRNN."""
    return (birnn_from_torch if net["rnn"].bidirectional else from_torch)(net["rnn"], net["head"])


@checked
def cloze_bits(net: RNN | BiRNN, codes: Codes, side: Side) -> np.ndarray:
    """−log₂ of the probability that the net gives to each character, with that character hidden from it.

    Parameters
    ----------
    net : an RNN for "left" and "right", a BiRNN for "both". side : from where it guesses.

    Returns
    -------
    Shape (tau − 2,): all characters but the first and the last, which have neighbours on one side only.
    """
    wanted = BiRNN if side == "both" else RNN
    if not isinstance(net, wanted):
        raise ValueError(f"net: want {wanted.__name__} for {side!r}, got {type(net).__name__}")
    x, hidden = one_hot(codes), codes[1:-1]
    if side == "both":
        o = cloze_forward(net, x).o[1:-1]
    elif side == "left":
        o = rnn_forward(net, x).o[:-2]  # o⁽ᵗ⁻¹⁾ has read everything before x⁽ᵗ⁾
    else:
        o = rnn_forward(net, x[::-1]).o[:-2][::-1]
    return nll(o, hidden) / np.log(2)


@checked
def counted_bits(learn: Codes, held_out: Codes, smooth: float = 0.05) -> dict[str, float]:
    """Bits a hidden character from counted tables: no neighbour, the one before, the one after, both.

    `smooth` is added to every count. What comes back is "none", "left 1", "right 1", "both 1" → bits.
    """
    n = len(ALPHABET)
    zero = np.zeros(len(learn) - 2, dtype=int), np.zeros(len(held_out) - 2, dtype=int)
    before, after = (learn[:-2], held_out[:-2]), (learn[2:], held_out[2:])
    contexts = {"none": zero, "left 1": before, "right 1": after}
    contexts["both 1"] = tuple(n * a + b for a, b in zip(before, after, strict=True))
    out = {}
    for name, (known, asked) in contexts.items():
        counts = np.full((n * n, n), smooth)
        np.add.at(counts, (known, learn[1:-1]), 1)
        p = counts / counts.sum(axis=1, keepdims=True)
        out[name] = float(-np.log2(p[asked, held_out[1:-1]]).mean())
    return out


@checked
def stored_cloze_nets(seed: Annotated[int, (0, None)] = 0) -> dict[str, RNN | BiRNN]:
    """The nets of equal size that the study `bidirectional` stored, by side; their weights are in float16."""
    import torch

    found = {}
    for key, weights in store.nets("bidirectional", seed=seed):
        side, units = store.record("bidirectional")["settings"]["nets"][key["net"]]
        net = cloze_net(side, units)
        net.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
        found[side] = cloze_numpy(net)
    return found
