"""Gated recurrent nets (Section 10.10): gates set by hand, and cells made of fewer gates.

The cells themselves, the LSTM and the GRU, are in `companion.cells`.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.cells.gate import Gate
from companion.cells.gru import GRU
from companion.cells.lstm import LSTM
from companion.core.checks import checked
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


@checked
def gate_unit(
    af: float,
    ag: float,
    aq: float,
    x: Annotated[np.ndarray, "tau"],
    mode: Literal["constant", "input"] = "constant",
) -> GateUnit:
    """Run one LSTM unit whose gates are set by hand.

    s⁽ᵗ⁾ = f s⁽ᵗ⁻¹⁾ + g tanh(2 x⁽ᵗ⁾), h⁽ᵗ⁾ = q tanh(s⁽ᵗ⁾), s⁽⁰⁾ = 0 (Section 10.10.1). In mode "constant" the gates
    are σ(af), σ(ag), σ(aq). In mode "input" an arrival shuts f, σ(af − 4|x|), and opens g, σ(ag + 4|x|).
    """
    arrival = 4 * np.abs(x) if mode == "input" else np.zeros(len(x))
    f = sigmoid(af - arrival)
    g = sigmoid(ag + arrival)
    q = sigmoid(np.full(len(x), aq))
    s = np.zeros(len(x) + 1)
    for t in range(len(x)):
        s[t + 1] = f[t] * s[t] + g[t] * np.tanh(2 * x[t])
    return GateUnit(f, g, q, s[1:], q * np.tanh(s[1:]))


def _inside(name: str, f: float) -> float:
    if f in (0, 1):
        raise ValueError(f"{name}: want a number strictly between 0 and 1, got {f}")
    return f


@checked
def half_life(f: Annotated[float, (0, 1), _inside]) -> float:
    """Steps after which a constant forget gate f has halved the state: −ln 2 / ln f (Section 10.10.1).

    f may as well be α of a leaky unit, or u of a GRU.
    """
    return float(-np.log(2) / np.log(f))


@checked
def opposite(gate: Gate) -> Gate:
    """The gate that is open where `gate` is shut: σ(−a) = 1 − σ(a) (Section 10.10.2)."""
    return Gate(-gate.U, -gate.W, -gate.b, None if gate.peephole is None else -gate.peephole)


def coupled(f: Gate, q: Gate, z: Gate) -> LSTM:
    """The LSTM with forget gate f, output gate q, candidate z and coupled gates g = 1 − f (Section 10.10.2).

    It takes in exactly as much as it forgets.

    Reference: greff2017
    """
    return LSTM(f, opposite(f), q, z)


def minimal(f: Gate, z: Gate) -> GRU:
    """The minimal gated unit: one gate f (open: take in) and a candidate z, a GRU with r = f, u = 1 − f (10.10.2).

    Reference: zhou2016
    """
    return GRU(opposite(f), f, z)
