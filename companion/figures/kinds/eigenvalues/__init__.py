"""A pair of eigenvalues to drag; computed in the page, and a test holds it to `companion.longterm`."""

from typing import Any

import numpy as np

from companion import longterm
from companion.figures.base import Explorable
from companion.figures.controls import Range, Toggle

__all__ = ["Eigenvalues"]

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
        super().__init__(name, controls, data, title=title, caption=caption)

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from companion.figures import pictures

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
