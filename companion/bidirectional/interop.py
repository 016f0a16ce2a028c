"""Weights of a bidirectional network to and from PyTorch (Section 10.3); torch is imported only when needed."""

from typing import TYPE_CHECKING

import numpy as np

from companion.bidirectional.nets import BiRNN, halves

if TYPE_CHECKING:
    import torch

__all__ = ["birnn_from_torch", "birnn_to_torch"]


def birnn_to_torch(p: BiRNN) -> "tuple[torch.nn.RNN, torch.nn.Linear]":
    """The same network as a bidirectional `torch.nn.RNN` and a `torch.nn.Linear`, in double precision.

    Section 10.3: PyTorch hands [h⁽ᵗ⁾, g⁽ᵗ⁾] to one matrix, which is [V_h, V_g]; names of the backward half end
    in `_reverse`; both directions have the same number of units.

    Returns
    -------
    rnn : torch.nn.RNN that takes (tau, n_x) or (batch, tau, n_x). linear : torch.nn.Linear from both states to logits.
    """
    import torch

    f, r = halves(p)
    if len(f.b) != len(r.b):
        raise ValueError(f"p: want as many units forward as backward for PyTorch, got {len(f.b)} and {len(r.b)}")
    rnn = torch.nn.RNN(f.U.shape[1], len(f.b), batch_first=True, bidirectional=True, dtype=torch.float64)
    linear = torch.nn.Linear(2 * len(f.b), len(f.c), dtype=torch.float64)
    with torch.no_grad():
        for half, end in ((f, ""), (r, "_reverse")):
            for name, values in (("weight_ih", half.U), ("weight_hh", half.W), ("bias_ih", half.b)):
                getattr(rnn, f"{name}_l0{end}").copy_(torch.tensor(values))
            getattr(rnn, f"bias_hh_l0{end}").zero_()
        linear.weight.copy_(torch.tensor(np.hstack([f.V, r.V])))
        linear.bias.copy_(torch.tensor(f.c))
    return rnn, linear


def birnn_from_torch(rnn: "torch.nn.RNN", linear: "torch.nn.Linear") -> BiRNN:
    """The parameters of a one-layer bidirectional PyTorch RNN and its output layer in the book's letters.

    Section 10.3: each b is the sum of PyTorch's two biases.

    Parameters
    ----------
    rnn : torch.nn.RNN with one layer, two directions, tanh and biases.
    linear : torch.nn.Linear with a bias, from both states of `rnn`.
    """
    import torch

    if not isinstance(rnn, torch.nn.RNN) or rnn.num_layers != 1 or not rnn.bidirectional:
        raise ValueError(f"rnn: want a torch.nn.RNN with one layer and two directions, got {rnn!r}")
    n = rnn.hidden_size
    if not isinstance(linear, torch.nn.Linear) or linear.bias is None or linear.in_features != 2 * n:
        raise ValueError(f"linear: want a torch.nn.Linear with a bias from {2 * n} units, got {linear!r}")
    if rnn.nonlinearity != "tanh" or not rnn.bias:
        raise ValueError(f"rnn: want tanh units with biases, got {rnn!r}")
    w = {name: t.detach().double().cpu().numpy().copy() for name, t in rnn.named_parameters()}
    V, c = (t.detach().double().cpu().numpy().copy() for t in linear.parameters())
    h, g = (
        (w[f"weight_ih_l0{end}"], w[f"weight_hh_l0{end}"], w[f"bias_ih_l0{end}"] + w[f"bias_hh_l0{end}"])
        for end in ("", "_reverse")
    )
    return BiRNN(*h, *g, V[:, :n], V[:, n:], c)
