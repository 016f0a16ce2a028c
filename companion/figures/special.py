"""The kinds that compute in the page, because dragging must be immediate; tests hold them to the reference."""

from typing import Any

import numpy as np

from companion import gated, longterm

from .base import Choice, Explorable, Range, Toggle

H0 = (1.0, 0.5)
STEPS = 40


class Eigenvalues(Explorable):
    """A pair of eigenvalues ρ e^{±iθ} to drag: what W does to a state and to a gradient (Section 10.7).

    W is `companion.longterm.two_unit(rho, theta, skew)`; with `tanh` each step ends in a tanh. Traits: ``rho``,
    ``theta``, ``skew``, ``tanh``.
    """

    def __init__(
        self,
        name: str = "eigenvalues",
        *,
        rho: float = 0.9,
        theta: float = 0.4,
        skew: float = 1.0,
        tanh: bool = False,
        title: str = "Drag an eigenvalue",
        caption: str = "Left: the eigenvalues of W. Middle: the state from h⁽⁰⁾ on, fading with time. Right: how far "
        "W stretches after t steps, and the gradient that comes back through t steps, on a logarithmic axis.",
    ) -> None:
        controls = [
            Range("rho", 0, 1.5, 0.01, "size ρ of the eigenvalues", rho),
            Range("theta", 0, 3.14, 0.01, "angle θ", theta),
            Range("skew", 1, 10, 0.1, "skew κ (1: normal matrix)", skew),
            Toggle("tanh", "tanh after every step", tanh),
        ]
        data = {"h0": list(H0), "steps": STEPS}
        super().__init__("eigenvalues", name, controls, data, title=title, caption=caption)

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from . import pictures

        W = longterm.two_unit(self.rho, self.theta, self.skew)
        h = longterm.trajectory(W, np.array(H0), STEPS, self.tanh)
        figure, (left, right) = pictures.canvas(columns=2, title=self.spec["title"])
        left.plot(*h.T, "o-", color=pictures.COLORS["state"], ms=3, lw=0.8)
        left.set(xlabel="unit 1", ylabel="unit 2", title="state")
        t = np.arange(STEPS + 1)
        right.semilogy(t, longterm.power_norms(W, STEPS), color=pictures.COLORS["parameter"], label="‖Wᵗ‖")
        gradients = longterm.gradient_norms(W, h, self.tanh)
        right.semilogy(t, gradients, "--", color=pictures.COLORS["gradient"], label="gradient")
        right.set(xlabel="steps", ylim=(1e-6, 1e6))
        right.legend()
        return figure


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
        super().__init__("gates", name, controls, data, title=title, caption=caption)

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from . import pictures

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
