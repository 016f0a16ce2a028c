"""One LSTM unit with its gates set by hand; computed in the page, and a test holds it to `companion.gated`."""

from typing import Any

import numpy as np

from companion import gated
from companion.figures.base import Explorable
from companion.figures.controls import Choice, Range

__all__ = ["Gates"]


class Gates(Explorable):
    """One LSTM unit with its gates set by hand (Section 10.10); see `companion.gated.gate_unit`.

    Traits: ``af``, ``ag``, ``aq`` (pre-activations), ``mode`` ("constant" or "input"), ``signal`` (a key of
    `companion.gated.GATE_INPUTS`).
    """

    def __init__(
        self,
        name: str = "gates",
        *,
        af: float = 3.0,
        ag: float = 0.0,
        aq: float = 2.0,
        mode: str = "constant",
        signal: str = "two pulses",
        title: str = "Set the gates of one LSTM unit",
        caption: str = "Above: the input. Middle: forget gate f, input gate g, output gate q. Below: the state s that "
        "the gates keep, and the output h that they let out.",
    ) -> None:
        controls = [
            Range("af", -8, 8, 0.1, "forget gate: a_f", af),
            Range("ag", -8, 8, 0.1, "input gate: a_g", ag),
            Range("aq", -8, 8, 0.1, "output gate: a_q", aq),
            Choice("mode", ["constant", "input"], "gates", mode),
            Choice("signal", list(gated.GATE_INPUTS), "input", signal),
        ]
        data = {"inputs": {k: list(v) for k, v in gated.GATE_INPUTS.items()}}
        super().__init__(name, controls, data, title=title, caption=caption)

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from companion.figures import pictures

        x = np.array(gated.GATE_INPUTS[self.signal])
        run = gated.gate_unit(self.af, self.ag, self.aq, x, self.mode)
        t = np.arange(1, len(x) + 1)
        figure, (top, middle, bottom) = pictures.canvas(rows=3, title=self.spec["title"])
        top.bar(t, x, color=pictures.COLORS["input"])
        top.set(ylabel="input x")
        for gate, style in zip(("f", "g", "q"), ("-", "--", ":"), strict=True):
            middle.plot(t, getattr(run, gate), style, color=pictures.COLORS["parameter"], label=gate)
        middle.set(ylabel="gates", ylim=(0, 1.05))
        middle.legend()
        bottom.plot(t, run.s, color=pictures.COLORS["state"], label="s")
        bottom.plot(t, run.h, "--", color=pictures.COLORS["output"], label="h")
        bottom.set(xlabel="step t", ylabel="s, h")
        bottom.legend()
        return figure
