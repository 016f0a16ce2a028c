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
        caption: str = "First picture: the eigenvalues of W. Second: the state from h⁽⁰⁾ on, fading with time. Third: "
        "how far W stretches in t steps, and the gradient of the last state that comes back through k steps, on a "
        "logarithmic axis.",
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
        figure, (plane, left, right) = pictures.canvas(columns=3, title=self.spec["title"])
        lam = self.rho * np.exp(1j * np.array([self.theta, -self.theta]))
        circle = np.exp(1j * np.linspace(0, 2 * np.pi, 100))
        plane.plot(circle.real, circle.imag, color=pictures.COLORS["target"], lw=0.8)
        plane.plot(lam.real, lam.imag, "o", color=pictures.COLORS["parameter"])
        plane.set(xlabel="real part", ylabel="imaginary part", title="eigenvalues", aspect="equal")
        left.plot(*h.T, "o-", color=pictures.COLORS["state"], ms=3, lw=0.8)
        left.set(xlabel="unit 1", ylabel="unit 2", title="state")
        t = np.arange(STEPS + 1)
        right.semilogy(t, longterm.power_norms(W, STEPS), color=pictures.COLORS["parameter"], label="‖Wᵗ‖")
        gradients = longterm.gradient_norms(W, h, self.tanh)
        right.semilogy(t, gradients, "--", color=pictures.COLORS["gradient"], label="‖∂h⁽⁴⁰⁾/∂h⁽⁴⁰⁻ᵏ⁾‖")
        right.set(xlabel="steps t, or k back", ylim=(1e-6, 1e6), title="size")
        right.legend()
        return figure
