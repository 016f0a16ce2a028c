"""10.1 One recurrent unit that reads what you type: every number of it fits on its node.

A net small enough to be seen whole: one input, one state, one output after the last step, four parameters. It is
asked for what came first, and each copy of a parameter has its part in the gradient of the loss.
"""

import re
import unicodedata
from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import RNN, backward, rnn_forward
from companion.core.checks import checked

__all__ = ["LONGEST", "Unit", "UnitRun", "read_sequence", "unit_run"]

LONGEST = 12
"""Steps of a sequence that are read."""

VOWELS = "aeiouy"


class Unit(NamedTuple):
    """Four numbers (or, of a gradient, one part for each step): w carries the state, u reads, b shifts, v answers."""

    w: float | np.ndarray
    u: float | np.ndarray
    b: float | np.ndarray
    v: float | np.ndarray


class UnitRun(NamedTuple):
    """One pass forward and one back."""

    a: np.ndarray  # (tau,)
    h: np.ndarray  # (tau + 1,); h[0] is h⁽⁰⁾ = 0
    o: float
    loss: float
    grad_a: np.ndarray  # (tau,)
    grad_h: np.ndarray  # (tau + 1,)
    parts: Unit  # (tau,) for each parameter: what its copy at step t adds to its gradient


def read_sequence(text: str) -> tuple[list[str], np.ndarray]:
    """Read numbers, or characters: vowels are 1, other letters −1, all else 0.

    Returns
    -------
    What stands under each step (the character; nothing for a number), and x of shape (tau,), tau ≤ 12; numbers beyond
    ±2 are cut to ±2. Nothing typed is a sequence of no steps.
    """
    words = re.split(r"[\s,;]+", text.strip().replace("−", "-"))
    if all(re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+", word) for word in words):
        x = np.clip([float(word) for word in words[:LONGEST]], -2.0, 2.0)
        return [""] * len(x), x
    signs = list(unicodedata.normalize("NFC", text.strip()))[:LONGEST]
    return signs, np.array([_value(sign) for sign in signs])


def _value(sign: str) -> float:
    base = unicodedata.normalize("NFD", sign.lower())[0]
    return 1.0 if base in VOWELS else -1.0 if unicodedata.category(base).startswith("L") else 0.0


@checked
def unit_run(p: Unit, x: Annotated[np.ndarray, "tau"]) -> UnitRun:
    """Run one unit over x, ask it for the first input, and send the gradient back (Sections 10.1, 10.2.2).

    a⁽ᵗ⁾ = b + w h⁽ᵗ⁻¹⁾ + u x⁽ᵗ⁾, h⁽ᵗ⁾ = tanh a⁽ᵗ⁾, o = v h⁽τ⁾, L = ½ (o − x⁽¹⁾)².
    """
    w, u, b, v = (np.atleast_2d(float(number)) for number in p)
    net, x = RNN(u, w, v, b[0], np.zeros(1)), x[:, None]
    run = rnn_forward(net, x)
    grad_o = np.zeros_like(run.o)
    grad_o[-1] = run.o[-1] - x[0]
    nodes = backward(net, run.h, grad_o)
    parts = Unit(w=nodes.a * run.h[:-1], u=nodes.a * x, b=nodes.a, v=grad_o * run.h[1:])
    return UnitRun(
        run.a[:, 0],
        run.h[:, 0],
        float(run.o[-1, 0]),
        float(0.5 * grad_o[-1, 0] ** 2),
        nodes.a[:, 0],
        nodes.h[:, 0],
        Unit(*(part[:, 0] for part in parts)),
    )
