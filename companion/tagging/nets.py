"""Nets that say what each word is, or who spoke, with lengths handled right and wrong (Section P.3).

Torch is imported only when needed.
"""

from typing import TYPE_CHECKING, Literal, get_args

from companion.core.checks import Count, checked

if TYPE_CHECKING:
    import torch

__all__ = ["READINGS", "SIDES", "class_logits", "classifier", "tag_logits", "tagger"]

Side = Literal["left", "right", "both"]
SIDES = get_args(Side)
Reading = Literal["last", "mean", "padded end"]
READINGS = get_args(Reading)


@checked
def tagger(side: Side, words: Count, width: Count, units: Count, tags: Count) -> "torch.nn.ModuleDict":
    """A net that reads a line of words and says the tag of each, drawn by torch's generator (Section P.3).

    Parameters
    ----------
    side : from where it reads; "both" is bidirectional. words : of its vocabulary. width : of a word's vector.
    units : of the GRU, in each direction. tags : how many.
    """
    from torch import nn

    two = side == "both"
    return nn.ModuleDict(
        {
            "embed": nn.Embedding(words, width),
            "gru": nn.GRU(width, units, batch_first=True, bidirectional=two),
            "head": nn.Linear((1 + two) * units, tags),
        }
    )


def tag_logits(
    net: "torch.nn.ModuleDict", x: "torch.Tensor", lengths: "torch.Tensor", side: str, packed: bool = True
) -> "torch.Tensor":
    """The logits of a padded batch of lines, (B, tau, tags).

    Parameters
    ----------
    net : from `tagger`. x : places in the vocabulary, (B, tau). lengths : (B,), words of each line.
    side : as the net was made; for "right" each line is turned round within its own length.
    packed : False lets the net read the padding as if it were words, which is wrong.
    """
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    if side == "right":
        x = turned(x, lengths) if packed else x.flip(1)
    v = net["embed"](x)
    if packed:
        run, _ = net["gru"](pack_padded_sequence(v, lengths, batch_first=True, enforce_sorted=False))
        h, _ = pad_packed_sequence(run, batch_first=True, total_length=x.shape[1])
    else:
        h, _ = net["gru"](v)
    if side == "right":
        h = turned(h, lengths) if packed else torch.flip(h, [1])
    return net["head"](h)


def turned(x: "torch.Tensor", lengths: "torch.Tensor") -> "torch.Tensor":
    """Each row of a batch (B, tau, …) turned round within its own length; what comes after stays."""
    import torch

    t = torch.arange(x.shape[1])
    place = torch.where(t < lengths[:, None], lengths[:, None] - 1 - t, t)  # (B, tau)
    return x[torch.arange(len(x))[:, None], place]


@checked
def classifier(cell: Literal["gru", "lstm"], inputs: Count, units: Count, classes: Count) -> "torch.nn.ModuleDict":
    """A net that reads a whole sequence and names its class, drawn by torch's generator (Section P.3)."""
    from torch import nn

    kind = {"gru": nn.GRU, "lstm": nn.LSTM}[cell]
    return nn.ModuleDict({"rnn": kind(inputs, units, batch_first=True), "head": nn.Linear(units, classes)})


def class_logits(
    net: "torch.nn.ModuleDict", x: "torch.Tensor", lengths: "torch.Tensor", reading: str
) -> "torch.Tensor":
    """The logits of a padded batch of sequences, (B, classes).

    A net that reads forward only meets the padding after the sequence, so all that matters is which state is read.

    Parameters
    ----------
    net : from `classifier`. x : (B, tau, n_x). lengths : (B,).
    reading : "last", the state at a sequence's own last step; "mean", the mean over its own steps; or "padded end",
        the state after the padding, which is wrong.
    """
    import torch

    h, _ = net["rnn"](x)
    if reading == "mean":
        mask = (torch.arange(x.shape[1]) < lengths[:, None]).to(h.dtype)
        read = (mask[:, :, None] * h).sum(1) / mask.sum(1, keepdim=True)
    else:
        read = h[torch.arange(len(h)), lengths - 1] if reading == "last" else h[:, -1]
    return net["head"](read)
