"""Gated recurrent nets (Section 10.10): the LSTM, the GRU, their kin, and their doubles in PyTorch.

`companion.cells.lstm` and `companion.cells.gru` hold the two cells; this module gathers them and adds what both share.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from companion.cells.gru import GRU, GRUNodes, GRURun, gru_bptt, gru_bptt_nodes, gru_forward, gru_init
from companion.cells.lstm import (
    LSTM,
    Gate,
    LSTMNodes,
    LSTMRun,
    check_gate,
    gate_init,
    lstm_bptt,
    lstm_bptt_nodes,
    lstm_forward,
    lstm_init,
)
from companion.core.checks import array, choice, number
from companion.core.functions import sigmoid

if TYPE_CHECKING:
    import torch

__all__ = [
    "GATE_INPUTS",
    "GRU",
    "LSTM",
    "GRUNodes",
    "GRURun",
    "Gate",
    "GateUnit",
    "LSTMNodes",
    "LSTMRun",
    "coupled",
    "from_torch",
    "gate_init",
    "gate_unit",
    "gru_bptt",
    "gru_bptt_nodes",
    "gru_forward",
    "gru_init",
    "half_life",
    "lstm_bptt",
    "lstm_bptt_nodes",
    "lstm_forward",
    "lstm_init",
    "minimal",
    "opposite",
    "to_torch",
]

GATE_INPUTS: dict[str, tuple[float, ...]] = {
    "one pulse": (0.0, 0.0, 1.0) + (0.0,) * 21,
    "two pulses": (0.0, 0.0, 1.0) + (0.0,) * 9 + (-1.0,) + (0.0,) * 11,
    "steps": (0.0,) * 3 + (0.6,) * 6 + (0.0,) * 5 + (-0.6,) * 6 + (0.0,) * 4,
    "noise": (
        *(0.1, -0.4, 0.2, 0.6, -0.3, -0.1, 0.5, -0.7, 0.3, 0.0, -0.2, 0.4),
        *(-0.5, 0.2, 0.7, -0.1, -0.6, 0.3, 0.1, -0.3, 0.5, -0.2, -0.4, 0.6),
    ),
}


class GateUnit(NamedTuple):
    """One LSTM unit over time: gates f, g, q, state s and output h, each (tau,)."""

    f: np.ndarray
    g: np.ndarray
    q: np.ndarray
    s: np.ndarray
    h: np.ndarray


def gate_unit(af: float, ag: float, aq: float, x: Sequence[float], mode: str = "constant") -> GateUnit:
    """Run one LSTM unit whose gates are set by hand.

    s⁽ᵗ⁾ = f s⁽ᵗ⁻¹⁾ + g tanh(2 x⁽ᵗ⁾), h⁽ᵗ⁾ = q tanh(s⁽ᵗ⁾), s⁽⁰⁾ = 0 (Section 10.10.1). In mode "constant" the gates
    are σ(af), σ(ag), σ(aq). In mode "input" an arrival shuts f, σ(af − 4|x|), and opens g, σ(ag + 4|x|).

    Parameters
    ----------
    af, ag, aq : pre-activations of the forget, external input and output gate.
    x : (tau,), the input. mode : "constant" or "input".

    Returns
    -------
    GateUnit
    """
    x = array("x", x, ("tau",))
    arrival = 4 * np.abs(x) if choice("mode", mode, ("constant", "input")) == "input" else np.zeros(len(x))
    f = sigmoid(number("af", af) - arrival)
    g = sigmoid(number("ag", ag) + arrival)
    q = sigmoid(np.full(len(x), number("aq", aq)))
    s = np.zeros(len(x) + 1)
    for t in range(len(x)):
        s[t + 1] = f[t] * s[t] + g[t] * np.tanh(2 * x[t])
    return GateUnit(f, g, q, s[1:], q * np.tanh(s[1:]))


def half_life(f: float) -> float:
    """Steps after which a constant forget gate f has halved the state: −ln 2 / ln f (Section 10.10.1).

    Parameters
    ----------
    f : the forget gate, strictly between 0 and 1 (or α of a leaky unit, or u of a GRU).

    Returns
    -------
    float
    """
    f = number("f", f, 0, 1)
    if f in (0, 1):
        raise ValueError(f"f: want a number strictly between 0 and 1, got {f}")
    return float(-np.log(2) / np.log(f))


def opposite(gate: Gate) -> Gate:
    """The gate that is open where `gate` is shut: σ(−a) = 1 − σ(a) (Section 10.10.2)."""
    gate = check_gate("gate", gate, "n_x", "n_h")
    return Gate(-gate.U, -gate.W, -gate.b, None if gate.peephole is None else -gate.peephole)


def coupled(f: Gate, q: Gate, z: Gate) -> LSTM:
    """The LSTM with coupled gates g = 1 − f: it takes in exactly as much as it forgets (Section 10.10.2).

    Parameters
    ----------
    f, q, z : forget gate, output gate, candidate.

    Returns
    -------
    LSTM

    References
    ----------
    greff2017
    """
    return LSTM(f, opposite(f), q, z)


def minimal(f: Gate, z: Gate) -> GRU:
    """The minimal gated unit: one gate f, a GRU with r = f and u = 1 − f (Section 10.10.2).

    Parameters
    ----------
    f, z : the one gate (open: take in) and the candidate.

    Returns
    -------
    GRU

    References
    ----------
    zhou2016
    """
    return GRU(opposite(f), f, z)


_TORCH_ORDER = {"LSTM": "gfzq", "GRU": "ruz"}  # PyTorch stacks i, f, g, o and r, z, n


def to_torch(p: LSTM | GRU) -> "torch.nn.LSTM | torch.nn.GRU":
    """The same cell as a `torch.nn.LSTM` or `torch.nn.GRU` in float64 (Section 10.10).

    PyTorch's i, f, g, o are our g, f, z, q; its r, z, n are our r, u, z. Its GRU resets after W, so the
    GRU it returns equals `gru_forward(..., reset="after")`. It has two biases where one would do; the second is 0.

    Parameters
    ----------
    p : LSTM without peepholes, or GRU.

    Returns
    -------
    torch.nn.LSTM or torch.nn.GRU
        One layer, one direction.
    """
    if not isinstance(p, LSTM | GRU):
        raise ValueError(f"p: want an LSTM or a GRU, got {type(p).__name__}")
    import torch

    order = _TORCH_ORDER[type(p).__name__]
    n_h, n_x = np.shape(p.z.U)
    gates = [check_gate(f"p.{k}", getattr(p, k), n_x, n_h, peephole=False) for k in order]
    inside = [np.zeros(n_h)] * len(order)
    if isinstance(p, GRU) and p.d is not None:
        inside[-1] = array("p.d", p.d, (n_h,))
    module = getattr(torch.nn, type(p).__name__)(n_x, n_h, dtype=torch.float64)
    stacks = [[k.U for k in gates], [k.W for k in gates], [k.b for k in gates], inside]
    with torch.no_grad():
        for name, rows in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), stacks, strict=True):
            getattr(module, f"{name}_l0").copy_(torch.from_numpy(np.concatenate(rows)))
    return module


def from_torch(module: "torch.nn.LSTM | torch.nn.GRU") -> LSTM | GRU:
    """The parameters of a `torch.nn.LSTM` or `torch.nn.GRU`, by our letters (see `to_torch`).

    The two biases of a gate are added; of the GRU's candidate the second stays apart as d, inside the reset.

    Parameters
    ----------
    module : one layer, one direction, no projection.

    Returns
    -------
    LSTM or GRU
    """
    kind = type(module).__name__
    plain = kind in _TORCH_ORDER and module.num_layers == 1 and not module.bidirectional and not module.proj_size
    if not plain:
        raise ValueError(f"module: want a torch.nn.LSTM or GRU of one layer and one direction, got {module!r}")
    order = _TORCH_ORDER[kind]
    weights = [w.detach().double().cpu().numpy() for w in module.parameters()]
    if not module.bias:
        weights += [np.zeros(len(weights[0]))] * 2
    U, W, b, inside = (np.split(w, len(order)) for w in weights)
    gates = {k: Gate(U[i], W[i], b[i] + inside[i]) for i, k in enumerate(order)}
    if kind == "LSTM":
        return LSTM(*(gates[k] for k in "fgqz"))
    return GRU(gates["u"], gates["r"], Gate(U[2], W[2], b[2]), inside[2])
