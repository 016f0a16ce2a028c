"""Two eigenvalues to drag; computed in the page, and a test holds it to `companion.longterm`."""

from typing import Any

import numpy as np

from companion import longterm
from companion.figures.base import Explorable
from companion.figures.controls import Choice, Range

__all__ = ["Eigenvalues"]

STEPS = 40
LONG = 2000
"""The steps over which the slope of the verdict is fitted, the first half left out."""

MAPS = {
    "linear": (lambda a: a, np.ones_like),
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "ReLU": (lambda a: np.maximum(a, 0), lambda h: (h > 0).astype(float)),
}
"""What ends a step, and its slope, told from what comes out."""


class Eigenvalues(Explorable):
    """Two eigenvalues to drag: what W does to a state, to a change of it, and to a gradient (Section 10.7).

    W is `companion.longterm.two_real(lam1, lam2, skew)` or `two_unit(rho, theta, skew)`, as ``spectrum`` says ("real"
    or "complex"); each step ends in ``f`` ("linear", "tanh" or "ReLU"). Further traits: ``t``, the step that all
    pictures show; ``back``, how many steps the gradient has come back from there (all, to h⁽⁰⁾, if it is not given);
    ``h1``, ``h2``, the state h⁽⁰⁾.
    """

    def __init__(
        self,
        name: str = "eigenvalues",
        *,
        spectrum: str = "real",
        lam1: float = 0.9,
        lam2: float = 0.6,
        rho: float = 0.9,
        theta: float = 0.4,
        skew: float = 1.0,
        f: str = "linear",
        t: int = 5,
        back: int | None = None,
        h1: float = 0.4,
        h2: float = 1.2,
        title: str = "Drag the eigenvalues, and the state",
        caption: str = "The state from h⁽⁰⁾ on, and a small disc of changes, which the steps turn into an ellipse; the "
        "eigenvalues, their powers λᵗ (dots) and the circle |λ| = 1; and the longest stretch of a change, on a "
        "logarithmic axis: forward from h⁽⁰⁾, ‖∂h⁽ᵗ⁾/∂h⁽⁰⁾‖ for every t, and back from the chosen t, ‖∂h⁽ᵗ⁾/∂h⁽ᵏ⁾‖ for "
        "every k before it. All the way back, at k = 0, the two are one number.",
    ) -> None:
        controls = [
            Range("t", 0, STEPS, 1, "step t", t, play=250),
            Range("back", 0, STEPS, 1, "steps back", t if back is None else back, play=250),
            Choice("spectrum", ["real", "complex"], "eigenvalues", spectrum),
            Choice("f", list(MAPS), "units", f),
            Range("lam1", -1.5, 1.5, 0.05, "eigenvalue λ₁", lam1),
            Range("lam2", -1.5, 1.5, 0.05, "eigenvalue λ₂", lam2),
            Range("rho", 0, 1.5, 0.05, "size ρ of both", rho),
            Range("theta", 0, 3.1, 0.05, "angle θ (rad)", theta),
            Range("skew", 1, 10, 0.5, "skew κ (1: normal)", skew),
            Range("h1", -1.5, 1.5, 0.05, "h⁽⁰⁾, unit 1", h1),
            Range("h2", -1.5, 1.5, 0.05, "h⁽⁰⁾, unit 2", h2),
        ]
        goals = [
            "with tanh, let 40 steps of gradient come out between 0.5 and 2.",
            "let a change grow fivefold before it vanishes.",
        ]
        super().__init__(name, controls, {"steps": STEPS, "long": LONG}, title=title, caption=caption, goals=goals)

    def matrix(self) -> np.ndarray:
        """W in the present state."""
        if self.spectrum == "real":
            return longterm.two_real(self.lam1, self.lam2, self.skew)
        return longterm.two_unit(self.rho, self.theta, self.skew)

    def run(self) -> tuple[np.ndarray, np.ndarray]:
        """The states h, (STEPS + 1, 2), and the Jacobian of every step, (STEPS, 2, 2), in the present state."""
        W, (value, slope) = self.matrix(), MAPS[self.f]
        h = [np.array([self.h1, self.h2])]
        for _ in range(STEPS):
            h.append(value(W @ h[-1]))
        states = np.array(h)
        return states, slope(states[1:])[:, :, None] * W

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from companion.figures import pictures

        h, J = self.run()
        k = self.t - min(self.back, self.t)
        lam, Q = np.linalg.eig(self.matrix())
        circle = np.exp(1j * np.linspace(0, 2 * np.pi, 100))
        disc = np.array([circle.real, circle.imag])
        figure, (left, plane, right) = pictures.canvas(columns=3, title=self.spec["title"])
        blue, green, purple = (pictures.COLORS[role] for role in ("parameter", "state", "gradient"))
        reach = 1.1 * max(1.4, np.abs(h[: self.t + 1]).max())
        for q, style in zip(Q.T if self.spectrum == "real" else (), ("--", ":"), strict=False):
            left.plot(*np.outer(q.real, [-3 * reach, 3 * reach]), style, color=blue, lw=0.8)
        left.plot(*h[: self.t + 1].T, "o-", color=green, ms=3, lw=0.8)
        for at, M in ((k, np.eye(2)), (self.t, longterm.jacobian_product(J, k, self.t))):
            left.fill(*(h[at][:, None] + 0.15 * reach * M @ disc), color=purple, alpha=0.5)
        left.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="unit 1", ylabel="unit 2")
        left.set(title=f"state, and a disc, to t = {self.t}")
        plane.plot(*disc, color=pictures.COLORS["target"], lw=0.8, ls="--")
        powers = lam[:, None] ** np.arange(1, STEPS + 1)
        plane.plot(powers.real.T, powers.imag.T, "o", color=blue, ms=2)
        plane.plot(lam.real, lam.imag, "o", color=blue)
        plane.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), xlabel="real part", ylabel="imaginary part", title="λ and λᵗ")
        for ax in (plane, left):
            ax.set_aspect("equal")
        t = np.arange(STEPS + 1)
        sizes = [
            [np.linalg.norm(longterm.jacobian_product(J, *way), 2) for way in ways]
            for ways in ([(0, s) for s in t], [(s, self.t) for s in t[k : self.t + 1]])
        ]
        right.semilogy(t, sizes[0], color=green, label="forward from 0")
        right.semilogy(t[k : self.t + 1], sizes[1], "--", color=purple, label=f"back from {self.t}")
        right.set(xlabel="step", title="longest stretch", ylim=np.clip(right.get_ylim(), 1e-16, 1e16))
        right.legend()
        return figure
