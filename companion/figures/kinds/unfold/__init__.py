"""A circuit that opens into its graph and folds back; a test holds it to `companion.unfolding.unit`."""

from typing import Any

from companion.core import checks as check
from companion.figures.base import Explorable
from companion.figures.controls import Choice, Range, Text
from companion.unfolding.unit import LONGEST, Unit, read_sequence, unit_run

__all__ = ["Unfold"]

LARGEST = Unit(w=3.0, u=2.0, b=2.0, v=2.0)
WORDS = Unit(w="w, state", u="u, input", b="b, bias", v="v, output")
GOAL = "make the net end on what came first: o within 0.1 of y."


class Unfold(Explorable):
    """A recurrent unit as a circuit and as its unfolded graph (Section 10.1); see `companion.unfolding.unit`.

    Traits: ``opened`` (0: the circuit, 100: the graph), ``text`` (letters or numbers), ``step`` (τ steps forward, the
    loss, τ steps back), ``w``, ``u``, ``b``, ``v``, ``light`` (the parameter whose copies are lit). With `small`, only
    ``opened``, ``text`` and ``w``: the forward pass, without a gradient.
    """

    def __init__(
        self,
        name: str = "unfold",
        *,
        text: str = "unfold",
        opened: int = 100,
        step: int | None = None,
        w: float = 0.9,
        u: float = 0.6,
        b: float = 0.0,
        v: float = 1.0,
        light: str = "w",
        small: bool = False,
        title: str = "Unfold",
        caption: str = "One recurrent unit. Squares: the inputs (of a word: vowels 1, other letters −1); circles: what "
        "the tanh gets; tanks: the states, filled from 0 up to 1 or down to −1. Wires are as thick as their parameter "
        "is large, dashed where it is negative. Pull any copy of a parameter up or down: there is only one. Below: "
        "what each copy adds to the gradient.",
    ) -> None:
        tau = len(read_sequence(text)[1])
        check.integer("steps of the text", tau, 1, LONGEST)
        p = Unit(w, u, b, v)
        sliders = {
            k: Range(k, -most, most, 0.05, words, check.number(k, value, -most, most))
            for k, value, most, words in zip(Unit._fields, p, LARGEST, WORDS, strict=True)
        }
        unfold = Range("opened", 0, 100, 2, "unfold", check.integer("opened", opened, 0, 100), play=40, swing=True)
        typed = Text("text", "sequence", text, "1 0 0 -1 0.5 0", 60)
        begin = tau + 1 if step is None else check.integer("step", step, 0, 2 * tau + 1)
        walk = Range("step", 0, 2 * LONGEST + 1, 1, "step", begin, play=900)
        lit = Choice("light", list(Unit._fields), "light every copy of", check.choice("light", light, Unit._fields))
        held = {"step": None, "light": "w", **{k: getattr(p, k) for k in "ubv"}} if small else {}
        controls = [unfold, typed, sliders["w"]] if small else [unfold, walk, typed, *sliders.values(), lit]
        super().__init__(name, controls, {"held": held}, title=title, caption=caption, goals=() if small else (GOAL,))

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from .picture import draw_unit

        held = self.spec["data"]["held"]
        signs, x = read_sequence(self.text)
        if len(x) == 0:
            signs, x = read_sequence(self.spec["start"]["text"])
        p = Unit(*(held.get(k, getattr(self, k, None)) for k in Unit._fields))
        step = len(x) if held else min(self.step, 2 * len(x) + 1)
        opened = self.opened / 100 * len(x)
        return draw_unit(x, signs, unit_run(p, x), opened, step, None if held else self.light, self.spec["title"])
