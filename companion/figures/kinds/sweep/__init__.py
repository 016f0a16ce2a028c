"""Curves over one to three sliders, computed in Python on the grid of the sliders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from companion.core import checks as check
from companion.figures.base import Explorable, compact, role
from companion.figures.controls import Range
from companion.figures.goals import Goal
from companion.figures.numbers import number

__all__ = ["Slider", "Sweep"]


@dataclass(frozen=True)
class Slider:
    """A slider of a `Sweep`: the values it steps through, its label, where it starts, and texts for the values."""

    values: Sequence[float]
    label: str = ""
    start: float | None = None
    texts: Sequence[str] | None = None


class Sweep(Explorable):
    """Curves that follow sliders.

    Parameters
    ----------
    name : slug of the figure.
    curves : function of the sliders' values, by name, that returns ``{label: y}`` with y of the shape of x.
    x : (n,), the horizontal axis, ascending.
    sliders : one to three: name → `Slider`, or just the values.
    title, caption, xlabel, ylabel : words; axes with their unit.
    logy : logarithmic vertical axis.
    ylim : (low, high) of the vertical axis; by default what all curves span together.
    say : function of the sliders' values that returns the read-out, one sentence; by default it names the values.
    roles : label → role (input, state, output, target, loss, gradient, parameter), which decides the colour.
    goals : small tasks, judged by the sliders' values.

    Raises
    ------
    ValueError
        If there are no sliders or more than three, curves have no names, one has another shape than x, or the data
        exceed 100 KB.
    """

    def __init__(
        self,
        name: str,
        curves: Callable[..., Mapping[str, np.ndarray]],
        x: np.ndarray,
        sliders: Mapping[str, Slider | Sequence[float]],
        *,
        title: str,
        caption: str,
        xlabel: str,
        ylabel: str,
        logy: bool = False,
        ylim: tuple[float, float] | None = None,
        say: Callable[..., str] | None = None,
        roles: Mapping[str, str] | None = None,
        goals: Sequence[Goal] = (),
    ) -> None:
        x = check.array("x", x, ("n",))
        check.integer("number of sliders", len(sliders), 1, 3)
        sliders = {k: s if isinstance(s, Slider) else Slider(s) for k, s in sliders.items()}
        controls = [
            Range(k, values=compact([float(v) for v in s.values]), label=s.label, start=s.start, texts=s.texts)
            for k, s in sliders.items()
        ]
        grid = [dict(zip(sliders, point, strict=True)) for point in product(*(c.values for c in controls))]
        table = [curves(**point) for point in grid]
        if not isinstance(table[0], Mapping) or not table[0]:
            raise ValueError(f"curves: want a dict of curves by name, got {type(table[0]).__name__}")
        labels = list(table[0])
        ys = {label: [np.asarray(row[label], dtype=float).reshape(-1) for row in table] for label in labels}
        for label, rows in ys.items():
            if any(len(y) != len(x) for y in rows):
                raise ValueError(f"curves: want {len(x)} values for {label!r}, as many as x, got {len(rows[0])}")
        begin = grid.index({c.name: c.first for c in controls})
        super().__init__(
            name,
            controls,
            {
                "x": x,
                "xlabel": xlabel,
                "ylabel": ylabel,
                "logy": logy,
                "ydomain": list(ylim or _span(ys, logy)),
                "begin": begin,
                "curves": [
                    {"label": k, "role": role("roles", (roles or {}).get(k, "state")), "ys": rows}
                    for k, rows in ys.items()
                ],
                "say": [say(**point) if say else _values(controls, point) for point in grid],
            },
            title=title,
            caption=caption,
            goals=goals,
        )

    def _index(self) -> int:
        index = 0
        for c in self.spec["controls"]:
            nearest = int(np.argmin(np.abs(np.array(c["values"], float) - getattr(self, c["name"]))))
            index = index * len(c["values"]) + nearest
        return index

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from companion.figures import pictures

        d, index = self.spec["data"], self._index()
        figure, ax = pictures.canvas(title=self.spec["title"])
        for k, c in enumerate(d["curves"]):
            y = np.array(c["ys"][index], dtype=float)
            ax.plot(d["x"], y, color=pictures.COLORS[c["role"]], ls=["-", "--", ":", "-."][k % 4], label=c["label"])
        ax.set(xlabel=d["xlabel"], ylabel=d["ylabel"], ylim=d["ydomain"], yscale="log" if d["logy"] else "linear")
        ax.legend()
        return figure


def _values(controls: Sequence[Range], point: Mapping[str, float]) -> str:
    return ", ".join(f"{c.label or c.name}: {number(point[c.name])}" for c in controls)


def _span(ys: Mapping[str, Sequence[np.ndarray]], logy: bool) -> tuple[float, float]:
    every = np.concatenate([y for rows in ys.values() for y in rows])
    every = every[np.isfinite(every) & ((every > 0) | (not logy))]
    if every.size == 0:
        raise ValueError("curves: want at least one finite value" + (" above 0" if logy else ""))
    low, high = float(every.min()), float(every.max())
    return (low, high) if logy else (low - 0.04 * (high - low), high + 0.04 * (high - low))
