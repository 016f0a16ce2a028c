"""Weights of a recurrent network to and from PyTorch (torch is imported only when a function runs).

Section 10.2; the page on PyTorch names lists the differences.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from companion.cells.rnn import RNN, checked

if TYPE_CHECKING:
    import torch

__all__ = ["from_torch", "to_torch"]


def to_torch(p: RNN) -> "tuple[torch.nn.RNN, torch.nn.Linear]":
    """The same network as PyTorch modules in double precision.

    Section 10.2: U, W, b become `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` (PyTorch's second
    bias `bias_hh_l0` is zero); V, c become the weight and bias of a linear layer.

    Parameters
    ----------
    p : parameters.

    Returns
    -------
    rnn : torch.nn.RNN that takes (tau, n_x) or (batch, tau, n_x).
    linear : torch.nn.Linear from state to logits.
    """
    import torch

    p = checked(p)
    (n_h, n_x), n_o = p.U.shape, len(p.c)
    rnn = torch.nn.RNN(n_x, n_h, batch_first=True, dtype=torch.float64)
    linear = torch.nn.Linear(n_h, n_o, dtype=torch.float64)
    pairs = [(rnn.weight_ih_l0, p.U), (rnn.weight_hh_l0, p.W), (rnn.bias_ih_l0, p.b)]
    pairs += [(rnn.bias_hh_l0, np.zeros(n_h)), (linear.weight, p.V), (linear.bias, p.c)]
    with torch.no_grad():
        for parameter, values in pairs:
            parameter.copy_(torch.tensor(values))
    return rnn, linear


def from_torch(rnn: "torch.nn.RNN", linear: "torch.nn.Linear") -> RNN:
    """The parameters of a one-layer PyTorch RNN and its output layer in the book's letters.

    Section 10.2: b is the sum of PyTorch's two biases.

    Parameters
    ----------
    rnn : torch.nn.RNN with one layer, one direction, tanh and biases.
    linear : torch.nn.Linear with a bias, from the state of `rnn`.

    Returns
    -------
    RNN
    """
    import torch

    if not isinstance(rnn, torch.nn.RNN) or rnn.num_layers != 1 or rnn.bidirectional:
        raise ValueError(f"rnn: want a torch.nn.RNN with one layer and one direction, got {rnn!r}")
    if rnn.nonlinearity != "tanh" or not rnn.bias:
        raise ValueError(f"rnn: want tanh units with biases, got {rnn!r}")
    if not isinstance(linear, torch.nn.Linear) or linear.bias is None or linear.in_features != rnn.hidden_size:
        raise ValueError(f"linear: want a torch.nn.Linear with a bias from {rnn.hidden_size} units, got {linear!r}")

    def numbers(tensor: Any) -> np.ndarray:
        return tensor.detach().double().cpu().numpy().copy()

    b = numbers(rnn.bias_ih_l0) + numbers(rnn.bias_hh_l0)
    return checked(
        RNN(numbers(rnn.weight_ih_l0), numbers(rnn.weight_hh_l0), numbers(linear.weight), b, numbers(linear.bias))
    )
