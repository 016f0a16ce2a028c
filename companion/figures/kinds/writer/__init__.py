"""A small net that writes in the page, character by character; computed there, and held to `companion.speech`."""

import base64
from typing import Any

import numpy as np

from companion.core import checks as check
from companion.data.text import ALPHABET, fold
from companion.figures.base import Explorable
from companion.figures.controls import Range, Text
from companion.figures.kinds.reading import lines
from companion.speech.writer import Packed, unpacked, write

__all__ = ["Writer"]

LENGTH = 200  # characters that it writes
LONGEST = 40  # of the start
GOAL = "make it repeat itself: the text shall end in the same words, three times one after the other."


class Writer(Explorable):
    """A character LSTM that writes on from a start of yours (Section P.1); see `companion.speech.writer.write`.

    Traits: ``start``, ``temperature`` (0 takes the likeliest character each time), ``seed`` (of the random numbers),
    ``t`` (the character looked at, counted from 1).

    Parameters
    ----------
    weights : of the net, as whole numbers with a scale a row.
    """

    def __init__(
        self,
        name: str,
        weights: Packed,
        *,
        start: str = "the ",
        example: str = "if an object ",
        temperature: float = 0.7,
        seed: int = 1,
        t: int = LENGTH,
        title: str,
        caption: str,
    ) -> None:
        for typed in (start, example):
            check.integer("characters of the start", len(fold(typed)), 1, LONGEST)
        controls = [
            Text("start", "begins with", start, example, LONGEST),
            Range("temperature", 0, 1.5, 0.1, "temperature T", temperature),
            Range("seed", 1, 30, 1, "seed of the draws", seed),
            Range("t", 1, LENGTH, 1, "character", t, play=60),
        ]
        data = {
            "alphabet": ALPHABET,
            "cell": _base64(weights.cell),
            "cellScale": weights.cell_scale,
            "head": _base64(weights.head),
            "headScale": weights.head_scale,
            "length": LENGTH,
        }
        super().__init__(name, controls, data, title=title, caption=caption, goals=(GOAL,))
        self._weights = weights

    def picture(self) -> Any:
        """What it wrote in this state, for print."""
        from companion.figures import pictures

        written = write(unpacked(self._weights), self.start, LENGTH, self.temperature, self.seed).text
        rows = [row for _, row in lines(fold(self.start) + written, 64)]
        figure, ax = pictures.canvas(
            title=f"{self.spec['title']}: T = {self.temperature:g}", height=0.8 + 0.3 * len(rows)
        )
        for y, row in enumerate(rows):
            ax.text(0, y, row, family="monospace", fontsize=10, va="center")
        ax.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6))
        ax.axis("off")
        return figure


def _base64(codes: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(codes, dtype=np.int8).tobytes()).decode()
