"""Weights to and from PyTorch (torch is imported only when a function runs).

Sections 10.2 and 10.10; the page on PyTorch names lists the differences. PyTorch's i, f, g, o are our g, f, z, q; its
r, z, n are our r, u, z. It has two biases where one would do; of ours, the second is zero.
"""

from typing import TYPE_CHECKING

import numpy as np

from companion.cells.gate import Gate
from companion.cells.gru import GRU
from companion.cells.lstm import LSTM
from companion.cells.rnn import RNN
from companion.core.checks import parameters

if TYPE_CHECKING:
    import torch

__all__ = ["from_torch", "to_torch"]

ORDER = {"LSTM": "gfzq", "GRU": "ruz"}  # PyTorch stacks i, f, g, o and r, z, n


def to_torch(p: RNN | LSTM | GRU) -> "tuple[torch.nn.RNN, torch.nn.Linear] | torch.nn.LSTM | torch.nn.GRU":
    """The same net as PyTorch modules in float64 (Sections 10.2 and 10.10).

    Parameters
    ----------
    p : an RNN, an LSTM without peepholes, or a GRU whose reset acts "after" W; candidates with tanh. PyTorch has no
        others.

    Returns
    -------
    Of an RNN: torch.nn.RNN, and torch.nn.Linear from state to logits; else torch.nn.LSTM or torch.nn.GRU. One layer,
    one direction, sequences of shape (tau, n_x) or (batch, tau, n_x).
    """
    if isinstance(p, RNN):
        p = parameters("p", p, RNN)
        return _module("RNN", [Gate(p.U, p.W, p.b)]), _linear(p.V, p.c)
    if not isinstance(p, LSTM | GRU):
        raise ValueError(f"p: want an RNN, an LSTM or a GRU, got {type(p).__name__}")
    kind = "LSTM" if isinstance(p, LSTM) else "GRU"
    p = parameters("p", p, type(p))
    for name in ORDER[kind]:
        if getattr(p, name).peephole is not None:
            raise ValueError(f"p.{name}.peephole: want None, PyTorch has no peepholes, got an array")
    if p.activation != "tanh":
        raise ValueError(f"p.activation: want 'tanh', the only one that PyTorch's {kind} has, got {p.activation!r}")
    if kind == "GRU" and p.reset != "after":
        raise ValueError(f"p.reset: want 'after', where PyTorch's GRU resets, got {p.reset!r}")
    return _module(kind, [getattr(p, k) for k in ORDER[kind]], p.d if kind == "GRU" else None)


def _module(kind: str, gates: list[Gate], inside: np.ndarray | None = None) -> "torch.nn.RNNBase":
    """A module whose weights are those of the gates; `inside` is the second bias of the last one."""
    import torch

    n_h, n_x = gates[0].U.shape
    second = [np.zeros(n_h)] * (len(gates) - 1) + [np.zeros(n_h) if inside is None else inside]
    module = getattr(torch.nn, kind)(n_x, n_h, batch_first=True, dtype=torch.float64)
    stacks = [[k.U for k in gates], [k.W for k in gates], [k.b for k in gates], second]
    with torch.no_grad():
        for name, rows in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), stacks, strict=True):
            getattr(module, f"{name}_l0").copy_(torch.from_numpy(np.concatenate(rows)))
    return module


def _linear(V: np.ndarray, c: np.ndarray) -> "torch.nn.Linear":
    import torch

    linear = torch.nn.Linear(V.shape[1], V.shape[0], dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(V))
        linear.bias.copy_(torch.from_numpy(c))
    return linear


def from_torch(module: "torch.nn.RNNBase", linear: "torch.nn.Linear | None" = None) -> RNN | LSTM | GRU:
    """The parameters of a PyTorch module in the book's letters (see `to_torch`).

    The two biases of a gate are added; of the GRU's candidate the second stays apart as d, inside the reset.

    Parameters
    ----------
    module : torch.nn.RNN with tanh, torch.nn.LSTM or torch.nn.GRU: one layer, one direction, no projection.
    linear : with an RNN, torch.nn.Linear with a bias, from its state.
    """
    kind = type(module).__name__
    plain = kind in {"RNN", *ORDER} and module.num_layers == 1 and not module.bidirectional and not module.proj_size
    if not plain or getattr(module, "nonlinearity", "tanh") != "tanh":
        wanted = "a torch.nn.RNN with tanh, LSTM or GRU of one layer and one direction"
        raise ValueError(f"module: want {wanted}, got {module!r}")
    if (kind == "RNN") != (linear is not None):
        raise ValueError(f"linear: want the output layer of an RNN, and of nothing else, got {linear!r} with {kind}")
    order = ORDER.get(kind, "h")
    weights = [_numbers(w) for w in module.parameters()]
    if not module.bias:
        weights += [np.zeros(len(weights[0]))] * 2
    U, W, b, inside = (np.split(w, len(order)) for w in weights)
    gates = {k: Gate(U[i], W[i], b[i] + inside[i]) for i, k in enumerate(order)}
    if kind == "RNN":
        V, c = _output(linear, module.hidden_size)
        return RNN(*gates["h"][:2], V, gates["h"].b, c)
    if kind == "LSTM":
        return LSTM(*(gates[k] for k in "fgqz"))
    return GRU(gates["u"], gates["r"], Gate(U[2], W[2], b[2]), inside[2], reset="after")


def _output(linear: "torch.nn.Linear | None", n_h: int) -> tuple[np.ndarray, np.ndarray]:
    import torch

    if not isinstance(linear, torch.nn.Linear) or linear.bias is None or linear.in_features != n_h:
        raise ValueError(f"linear: want a torch.nn.Linear with a bias from {n_h} units, got {linear!r}")
    return _numbers(linear.weight), _numbers(linear.bias)


def _numbers(tensor: "torch.Tensor") -> np.ndarray:
    return tensor.detach().double().cpu().numpy().copy()
