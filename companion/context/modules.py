"""10.2.4 The same nets for PyTorch, a minibatch at a time, to be trained by `companion.training`."""

import torch
from torch import Tensor, nn

from companion.context.letters import LETTERS
from companion.context.trials import CONCEPTS, SPELLERS, Kind
from companion.core.checks import Count, checked

__all__ = ["context_logits", "context_net"]


@checked
def context_net(kind: Kind, units: Count, n_x: Count | None = None, n_o: Count | None = None) -> nn.ModuleDict:
    """A net of one kind: "rnn" reads [what was written, then the input], "head", and "start" if it has one.

    Parameters
    ----------
    units : width of the state. n_x, n_o : length of the context and number of symbols; None: those of Section 10.2.4.
    """
    symbols, length = (len(LETTERS), 64) if kind in SPELLERS else (2 * len(CONCEPTS), len(CONCEPTS))
    n_o, n_x = n_o or symbols, n_x or length
    rnn = nn.RNN(n_o + (0 if kind == "state" else n_x), units, batch_first=True)
    with torch.no_grad():
        rnn.bias_hh_l0.zero_()
        if kind in ("unread", "alone"):
            rnn.weight_ih_l0[:, :n_o] = 0  # `context_logits` feeds zeros there, so they stay
    rnn.bias_hh_l0.requires_grad_(False)
    parts = {"rnn": rnn, "head": nn.Linear(units, n_o)}
    return nn.ModuleDict(parts | ({"start": nn.Linear(n_x, units)} if kind in ("state", "both") else {}))


def context_logits(model: nn.ModuleDict, kind: Kind, x: Tensor, y: Tensor) -> Tensor:
    """Teacher-forced outputs of a minibatch, (n, tau, n_o), the twin of `context_forward` and `feedback_forward`.

    Parameters
    ----------
    model : what `context_net(kind, …)` made.
    x : contexts (n, n_x), such as pictures, or concepts (n, tau, 6). y : (n, tau) symbols; below 0: nothing.
    """
    z = nn.functional.one_hot(y.clamp(min=0), model["head"].out_features).to(x.dtype)
    z = torch.cat([torch.zeros_like(z[:, :1]), z[:, :-1]], dim=1)
    if kind in ("unread", "alone"):
        z = torch.zeros_like(z)
    if kind != "state":
        steps = x if x.ndim == 3 else x[:, None].expand(-1, y.shape[1], -1)
        z = torch.cat([z, steps], dim=2)
    h0 = torch.tanh(model["start"](x))[None] if "start" in model else None
    return model["head"](model["rnn"](z, h0)[0])
