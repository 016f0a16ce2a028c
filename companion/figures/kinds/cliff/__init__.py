"""Descent on a loss with a cliff, computed in the page; a test holds it to `companion.optimization`."""

from typing import Any

import numpy as np

from companion import optimization
from companion.core import checks as check
from companion.figures.base import Explorable
from companion.figures.controls import Choice, Range
from companion.optimization.cliff import CLIPS

__all__ = ["Cliff"]

W, B = (3.2, 6.2), (-3.2, -0.8)  # the picture
THRESHOLDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
RATES = (0.03, 0.1, 0.2, 0.3, 0.5, 1.0)
STEPS = 100


class Cliff(Explorable):
    """Gradient descent on the loss of one unit over 50 steps (Section 10.11.1); see `optimization.cliff_descent`.

    Traits: ``w``, ``b`` (the start), ``clip`` ("none", "value" or "norm"), ``v`` (threshold), ``lr`` (learning rate).
    """

    def __init__(
        self,
        name: str = "cliff",
        *,
        w: float = 5.0,
        b: float = -1.5,
        clip: str = "norm",
        v: float = 1.0,
        lr: float = 0.3,
        title: str = "Descend beside a cliff",
        caption: str = "Left: the loss over the two parameters, redder where larger, and 100 steps of gradient descent "
        "from the round handle; grey and dashed, the same without clipping. Right: loss and size of the gradient "
        "before clipping, on a logarithmic axis; what is below 10⁻⁸ or above 10⁶ is drawn there.",
    ) -> None:
        controls = [
            Range("w", *W, 0.02, "start: w", check.number("w", w, *W)),
            Range("b", *B, 0.02, "start: b", check.number("b", b, *B)),
            Choice("clip", list(CLIPS), "clip by", check.choice("clip", clip, CLIPS)),
            Range("v", values=THRESHOLDS, label="threshold v", start=check.choice("v", float(v), THRESHOLDS)),
            Range("lr", values=RATES, label="learning rate", start=check.choice("lr", float(lr), RATES)),
        ]
        super().__init__(name, controls, {"steps": STEPS}, title=title, caption=caption)

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from companion.figures import pictures

        w, b = np.linspace(*W, 120), np.linspace(*B, 120)
        path = optimization.cliff_descent(self.w, self.b, self.lr, self.clip, self.v, STEPS)
        figure, (left, right) = pictures.canvas(columns=2, title=self.spec["title"])
        loss = optimization.cliff_loss(*np.meshgrid(w, b))
        left.pcolormesh(w, b, np.sqrt(loss), cmap=pictures.colormap("loss", False), rasterized=True)
        left.plot(path.w, path.b, "o-", color=pictures.COLORS["parameter"], ms=2.5, lw=1)
        left.plot(path.w[0], path.b[0], "o", color=pictures.INK)
        left.set(xlabel="self-weight w", ylabel="bias b", xlim=W, ylim=B)
        right.semilogy(np.maximum(path.loss, 1e-8), color=pictures.COLORS["loss"], label="loss")
        right.semilogy(np.maximum(path.norm, 1e-8), color=pictures.COLORS["gradient"], lw=1, label="gradient norm")
        right.axhline(self.v, color=pictures.COLORS["gradient"], ls=":", label="threshold")
        right.set(xlabel="step of descent", ylim=(1e-8, 1e6))
        right.legend()
        return figure
