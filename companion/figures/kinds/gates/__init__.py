"""One gated unit, walked part by part and seen over time; computed in the page, and held to `companion.cells`."""

from typing import Any

from companion import gated
from companion.figures.base import Explorable
from companion.figures.controls import Choice, Range

from .layout import CELLS, sizes
from .picture import picture

__all__ = ["Gates"]

STEPS = len(gated.GATE_INPUTS["one pulse"])


class Gates(Explorable):
    """One LSTM or GRU unit with weights by hand, `companion.gated.hand_cell` (Section 10.10).

    Traits: ``cell``, ``way`` ("forward" or "back"), ``part`` (1 to 6, of one step), ``t`` (the step), ``af``, ``ag``,
    ``aq``, ``w`` and ``mode`` (of `hand_cell`), ``signal`` (a key of `GATE_INPUTS`). The loss is h of the last step.
    """

    def __init__(
        self,
        name: str = "gates",
        *,
        cell: str = "LSTM",
        way: str = "forward",
        part: int = 6,
        t: int = 9,
        af: float = 3.0,
        ag: float = 0.0,
        aq: float = 2.0,
        w: float = 0.0,
        mode: str = "constant gates",
        signal: str = "two pulses",
        title: str = "Walk through a gated cell",
        caption: str = "One unit at one step, and all its steps beside it. A line is as wide as what flows along it; a "
        "circle is filled as far as its gate is open. Back: the gradient of the last step's h.",
    ) -> None:
        controls = [
            Choice("cell", ["LSTM", "GRU"], "cell", cell),
            Choice("way", ["forward", "back"], "direction", way),
            Range("part", 1, 6, 1, "part of the step", part, play=1200),
            Range("t", 1, STEPS, 1, "step t", t, play=500),
            Range("af", -8, 8, 0.5, "forget gate's pre-activation", af),
            Range("ag", -8, 8, 0.5, "input gate's pre-activation", ag),
            Range("aq", -8, 8, 0.5, "output gate's pre-activation", aq),
            Range("w", -2, 2, 0.25, "weight w in the candidate", w),
            Choice("mode", ["constant gates", "gates respond"], "gates", mode),
            Choice("signal", list(gated.GATE_INPUTS), "input", signal),
        ]
        inputs = {k: list(v) for k, v in gated.GATE_INPUTS.items()}
        cells = {
            name: drawing._asdict() | {"lines": [line._asdict() for line in drawing.lines]}
            for name, drawing in CELLS.items()
        }
        goal = "two pulses: make the cell hold each pulse, at 0.5 or more, until the next one replaces it."
        data = {"inputs": inputs, "cells": cells, "sizes": sizes()}
        super().__init__(name, controls, data, goals=[goal], title=title, caption=caption)

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        return picture(self.state, self.spec["title"])
