"""Gated recurrent nets (Section 10.10): gates set by hand, and cells made of fewer gates.

The cells themselves, the LSTM and the GRU, are in `companion.cells`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from companion.cells.gate import Gate
from companion.cells.gru import GRU
from companion.cells.lstm import LSTM
from companion.core.checks import array, choice, number, parameters
from companion.core.functions import sigmoid

__all__ = ["GATE_INPUTS", "GateUnit", "coupled", "gate_unit", "half_life", "minimal", "opposite"]

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
    gate = parameters("gate", gate, Gate)
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
