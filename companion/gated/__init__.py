"""Gated recurrent nets (Section 10.10): gates set by hand, and cells made of fewer gates.

The cells themselves, the LSTM and the GRU, are in `companion.cells`.
"""

from typing import Annotated, Literal

import numpy as np

from companion.cells.gate import Gate
from companion.cells.gru import GRU
from companion.cells.lstm import LSTM
from companion.core.checks import checked

__all__ = ["GATE_INPUTS", "coupled", "half_life", "hand_cell", "hand_input", "minimal", "opposite"]

GATE_INPUTS: dict[str, tuple[float, ...]] = {
    "one pulse": (0.0, 0.0, 1.0, *(0.0,) * 9),
    "two pulses": (0.0, 0.0, 1.0, *(0.0,) * 5, -1.0, *(0.0,) * 3),
    "steps": (0.0, *(0.6,) * 3, *(0.0,) * 3, *(-0.6,) * 3, 0.0, 0.0),
    "noise": (0.1, -0.4, 0.2, 0.6, -0.3, -0.1, 0.5, -0.7, 0.3, 0.0, -0.2, 0.4),
}


def _layer(x: float = 0.0, size: float = 0.0, h: float = 0.0, b: float = 0.0) -> Gate:
    """A layer of one unit that sees x⁽ᵗ⁾, |x⁽ᵗ⁾| and h⁽ᵗ⁻¹⁾ through these weights."""
    return Gate(np.array([[x, size]]), np.array([[h]]), np.array([b]))


@checked
def hand_cell(
    cell: Literal["LSTM", "GRU"] = "LSTM",
    af: float = 3.0,
    ag: float = 0.0,
    aq: float = 2.0,
    w: float = 0.0,
    mode: Literal["constant gates", "gates respond"] = "constant gates",
) -> LSTM | GRU:
    """One unit with weights by hand that reads `hand_input`; its candidate is tanh(2x⁽ᵗ⁾ + w h⁽ᵗ⁻¹⁾) (Section 10.10).

    LSTM: f = σ(af), g = σ(ag), q = σ(aq); when "gates respond" an arrival shuts f, σ(af − 4|x|), and opens g,
    σ(ag + 4|x|). GRU: u = σ(af), when "gates respond" σ(af − 4|x|); r = σ(ag); nothing is hidden, so aq has no place.
    """
    k = 4.0 if mode == "gates respond" else 0.0
    keep, news = _layer(size=-k, b=af), _layer(x=2.0, h=w)
    if cell == "GRU":
        return GRU(keep, _layer(b=ag), news)
    return LSTM(keep, _layer(size=k, b=ag), _layer(b=aq), news)


@checked
def hand_input(x: Annotated[np.ndarray, "tau"]) -> np.ndarray:
    """What a unit of `hand_cell` sees of a signal: x⁽ᵗ⁾ and |x⁽ᵗ⁾|, (tau, 2)."""
    return np.column_stack([x, np.abs(x)])


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
