"""A piano roll that can be heard: stored melodies, one at a time, played by the page after a press."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.core import checks as check
from companion.figures.base import Explorable, key
from companion.figures.controls import Choice, Range
from companion.figures.goals import Goal

__all__ = ["Melody", "Tune"]


@dataclass(frozen=True)
class Tune:
    """What is played: notes (first step, pitch, steps), a sentence on the whole, and the places of notes to outline."""

    notes: Sequence[tuple[int, int, int]]
    say: str = ""
    odd: Sequence[int] = ()


class Melody(Explorable):
    """Melodies as a piano roll, played with the oscillators of Web Audio; nothing sounds before a press.

    Parameters
    ----------
    name, title, caption : as for every figure.
    controls : choices and ranges that select the melody.
    tunes : tuple of the controls' values → `Tune`. Steps count from 0, pitches are semitones above C4, from 0 to 24.
    steps, bar : steps of a melody, and of a bar. eighth : seconds of a step.
    t : the step at which the cursor starts, counted from 1; what is played begins there.
    odd : what an outlined note means, in a few words.
    goals : small tasks, judged by the values of `controls` and ``t``.

    Raises
    ------
    ValueError
        If the start has no melody, a note lies outside the roll, notes overlap, or the data exceed 100 KB.
    """

    def __init__(
        self,
        name: str,
        controls: Sequence[Choice | Range],
        tunes: Mapping[tuple, Tune],
        *,
        title: str,
        caption: str,
        steps: int = 32,
        bar: int = 8,
        eighth: float = 0.2,
        t: int = 1,
        odd: str = "",
        goals: Sequence[Goal] = (),
    ) -> None:
        begin = tuple(c.first for c in controls)
        if begin not in tunes:
            raise ValueError(f"tunes: want a melody for the start {begin}, got melodies for {list(tunes)[:6]}")
        data = {
            "axes": [c.name for c in controls],
            "steps": check.integer("steps", steps, 1),
            "bar": check.integer("bar", bar, 1),
            "eighth": check.positive("eighth", eighth),
            "odd": odd,
            "tunes": {key(at): _spec(key(at), tune, steps) for at, tune in tunes.items()},
        }
        moved = Range("t", 1, steps, 1, "step t", check.integer("t", t, 1, steps))
        super().__init__(name, [*controls, moved], data, title=title, caption=caption, goals=goals)

    @property
    def tune(self) -> list[list[int]]:
        """The notes of the melody that is shown: (first step, pitch, steps), counted from 0."""
        data = self.spec["data"]
        return data["tunes"][key([getattr(self, a) for a in data["axes"]])]["notes"]

    def picture(self) -> Any:
        """The piano roll of the current melody, for print."""
        from companion.figures import pictures
        from companion.figures.colors import COLORS

        data = self.spec["data"]
        tune = data["tunes"][key([getattr(self, a) for a in data["axes"]])]
        figure, ax = pictures.canvas(title=self.spec["title"], height=3.2)
        for i, (first, pitch, steps) in enumerate(tune["notes"]):
            edge = "black" if i in tune["odd"] else "white"
            ax.barh(pitch, steps, left=first, height=0.9, color=COLORS["output"], edgecolor=edge)
        for line in range(0, data["steps"] + 1, data["bar"]):
            ax.axvline(line, color="black", alpha=0.3)
        ax.axvline(self.t - 1, color="black")
        ax.set(xlim=(0, data["steps"]), ylim=(-1, 25), xlabel="step (eighth notes)", ylabel="pitch")
        ax.set_yticks([0, 12, 24], ["C4", "C5", "C6"])
        return figure


def _spec(name: str, tune: Tune, steps: int) -> dict[str, Any]:
    found = np.array(tune.notes, dtype=int).reshape(-1, 3)
    first, pitch, length = found.T
    if (first < 0).any() or (length < 1).any() or (first + length > steps).any() or ((pitch < 0) | (pitch > 24)).any():
        raise ValueError(f"{name}: want notes within {steps} steps and pitches 0 … 24, got {found.tolist()}")
    if (first[1:] < (first + length)[:-1]).any():
        raise ValueError(f"{name}: want one note at a time, got {found.tolist()}")
    return {"notes": found, "say": tune.say, "odd": [check.integer("odd", i, 0, len(found) - 1) for i in tune.odd]}
