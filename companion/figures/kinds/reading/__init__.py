"""A text coloured by what one unit of a net holds at each of its characters; the numbers come from the caller."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from companion.figures.base import Explorable
from companion.figures.controls import Choice, Range

__all__ = ["Find", "Reading"]


class Find(NamedTuple):
    """A goal: what to find, in which text, by which unit and quantity, at which characters; and what to say then."""

    goal: str
    text: str
    unit: str
    quantity: str
    at: Sequence[int]
    yes: str
    no: str


class Reading(Explorable):
    """Texts, coloured character by character by one unit of a net that reads them (Section 10.10).

    Parameters
    ----------
    name, title, caption : as for every figure.
    texts : the texts, by the name that the reader chooses.
    values : of each text, (units, quantities, characters); hundredths are kept.
    units : what the reader chooses among, and the name of the unit that each stands for.
    quantities : what is read off a unit, such as "state s"; values outside [0, 1] have a sign, and their own scale.
    notes : of each text, one sentence for each unit.
    after : of each text, a sentence for each character.
    text, unit, quantity, t : the state at first; t counts characters from 1.
    find : a goal, reached at certain characters of one text.
    """

    def __init__(
        self,
        name: str,
        texts: Mapping[str, str],
        values: Mapping[str, np.ndarray],
        units: Mapping[str, str],
        quantities: Sequence[str],
        notes: Mapping[str, Sequence[str]],
        after: Mapping[str, Sequence[str]],
        *,
        title: str,
        caption: str,
        text: str | None = None,
        unit: str | None = None,
        quantity: str | None = None,
        t: int = 1,
        find: Find | None = None,
    ) -> None:
        shape = {k: (len(units), len(quantities), len(v)) for k, v in texts.items()}
        for k, wanted in shape.items():
            got = np.shape(values[k]), len(notes[k]), len(after[k])
            if got != (wanted, len(units), wanted[2]):
                raise ValueError(
                    f"values, notes, after: want sizes {wanted}, {wanted[0]}, {wanted[2]} for {k}, got {got}"
                )
        controls = [
            Choice("text", list(texts), "text", text),
            Choice("unit", list(units), "unit chosen for", unit),
            Choice("quantity", list(quantities), "colour by", quantity),
            Range("t", 1, max(map(len, texts.values())), 1, "character", t, play=150),
        ]
        hundredths = {k: np.round(100 * np.asarray(v)).astype(int) for k, v in values.items()}
        top = np.max([np.abs(v).max(axis=2) for v in hundredths.values()], axis=0)
        signed = [any((v[:, i] < 0).any() for v in hundredths.values()) for i in range(len(quantities))]
        data = {
            "texts": dict(texts),
            "values": hundredths,
            "top": [[int(top[u, i]) if signed[i] else 100 for i in range(len(quantities))] for u in range(len(units))],
            "signed": signed,
            "names": list(units.values()),
            "notes": {k: list(v) for k, v in notes.items()},
            "after": {k: list(v) for k, v in after.items()},
        }
        goals = []
        if find is not None:
            goals, data["find"] = [find.goal], {k: v for k, v in find._asdict().items() if k != "goal"}
        super().__init__(name, controls, data, goals=goals, title=title, caption=caption)

    def picture(self) -> Any:
        """The chosen text in its colours, for print."""
        from matplotlib.figure import Figure

        from companion.figures import pictures

        data, controls = self.spec["data"], {c["name"]: c["options"] for c in self.spec["controls"][:3]}
        unit, quantity = (controls[k].index(getattr(self, k)) for k in ("unit", "quantity"))
        rows = lines(data["texts"][self.text], 56)
        signed, top = data["signed"][quantity], data["top"][unit][quantity]
        role = "state" if signed else "parameter"
        figure = Figure(figsize=(7.4, 0.9 + 0.4 * len(rows)), layout="constrained")
        ax = figure.subplots()
        ax.set(xlim=(0, 56), ylim=(len(rows), 0), title=f"{self.quantity} of {data['names'][unit]}")
        colors = pictures.colormap(role, signed)
        for y, (start, row) in enumerate(rows):
            for x, character in enumerate(row):
                v = data["values"][self.text][unit][quantity][start + x] / top
                color = colors((v + 1) / 2 if signed else v)
                ax.add_patch(_ground(x, y, color))
                ax.text(x + 0.5, y + 0.62, character, ha="center", fontsize=10, family="monospace")
        ax.axis("off")
        return figure


def _ground(x: float, y: float, color: Any) -> Any:
    """The ground of one character."""
    from matplotlib.patches import Rectangle

    return Rectangle((x, y + 0.05), 1, 0.9, fc=color, ec="none", alpha=0.75)


def lines(text: str, width: int) -> list[tuple[int, str]]:
    """The text in lines of at most `width` characters, broken after spaces: where each begins, and what it holds."""
    rows, start = [], 0
    while start < len(text):
        end = start + width
        if end < len(text) and " " in text[start:end]:
            end = text.rindex(" ", start, end) + 1
        rows.append((start, text[start:end]))
        start = end
    return rows
