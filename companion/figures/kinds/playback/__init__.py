"""Heat maps over time with one cursor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.core import checks as check
from companion.figures.base import Explorable, key, role
from companion.figures.controls import Choice, Range
from companion.figures.goals import Goal

__all__ = ["Panel", "Playback", "Scene"]


@dataclass(frozen=True)
class Panel:
    """One heat map: values (n, steps), the names of its n rows, the range that maps to colour, and its role."""

    label: str
    values: np.ndarray
    rows: Sequence[str] = ()
    low: float = 0
    high: float = 1
    role: str = "parameter"


@dataclass(frozen=True)
class Scene:
    """What is played: one token a step, panels over the same steps, and (if given) one sentence a step."""

    tokens: Sequence[str]
    panels: Sequence[Panel]
    say: Sequence[str] | None = None


class Playback(Explorable):
    """Heat maps to scrub through.

    Parameters
    ----------
    name : slug of the figure.
    panels, tokens, say : of the one `Scene`; or
    scenes : name → `Scene`, which adds the trait ``scene``; or, with `controls`, tuple of their values → `Scene`.
    controls : choices and ranges that select the scene, as in `Graph`.
    title, caption : words.
    t : the step at which the cursor starts, counted from 1.
    row : the row that starts as the traced one, counted from 1. Figures with more than one row trace one as a line, in
        each panel whose rows have the names that those of the longest have.
    context : show the tokens around the cursor in the read-out; `glue` joins them ("" for characters).
    goals : small tasks, judged by the values of `controls` (or ``scene``), ``t`` and ``row``.

    Traits: ``t``, and ``row`` or ``scene`` where there is more than one.

    Raises
    ------
    ValueError
        If a panel's steps differ from the tokens, or its rows from their names, or the data exceed 100 KB.
    """

    def __init__(
        self,
        name: str,
        panels: Sequence[Panel] = (),
        tokens: Sequence[str] = (),
        *,
        title: str,
        caption: str,
        say: Sequence[str] | None = None,
        scenes: Mapping[Any, Scene] | None = None,
        controls: Sequence[Choice | Range] = (),
        t: int | None = None,
        row: int = 1,
        row_label: str = "row traced below",
        context: bool = False,
        glue: str = "",
        goals: Sequence[Goal] = (),
    ) -> None:
        if scenes is None:
            scenes = {(): Scene(tokens, panels, say)}
        elif not controls:
            scenes = {(name,): scene for name, scene in scenes.items()}
            controls = [Choice("scene", [name for (name,) in scenes], "what is played")]
        begin = tuple(c.first for c in controls)
        if begin not in scenes:
            raise ValueError(f"scenes: want a scene for the start {begin}, got scenes for {list(scenes)[:6]}")
        made = {key(at): _spec(key(at), s) for at, s in scenes.items()}
        steps = max(len(s["tokens"]) for s in made.values())
        rows = max(len(p["rows"]) for s in made.values() for p in s["panels"])
        first = len(scenes[begin].tokens)
        axes = [c.name for c in controls]
        start = check.integer("t", (first + 1) // 2 if t is None else t, 1, first)
        controls = [*controls, Range("t", 1, steps, 1, "step t", start, play=350)]
        if rows > 1:
            controls += [Range("row", 1, rows, 1, row_label, check.integer("row", row, 1, rows))]
        super().__init__(
            name,
            controls,
            {"axes": axes, "scenes": made, "rows": rows, "context": context, "glue": glue},
            title=title,
            caption=caption,
            goals=goals,
        )

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from companion.figures import pictures

        data = self.spec["data"]
        scene = data["scenes"][key([getattr(self, a) for a in data["axes"]])]
        figure, axes = pictures.canvas(rows=len(scene["panels"]), title=self.spec["title"])
        for ax, p in zip(np.atleast_1d(axes), scene["panels"], strict=True):
            bound = max(abs(p["low"]), abs(p["high"]))
            low = -bound if p["low"] < 0 else p["low"]
            ax.imshow(
                np.array(p["values"], float),
                aspect="auto",
                cmap=pictures.colormap(p["role"], p["low"] < 0),
                vmin=low,
                vmax=p["high"],
            )
            ax.axvline(self.t - 1, color="black")
            ax.set(title=p["label"], yticks=range(len(p["rows"])), yticklabels=p["rows"])
            ax.set_xticks(range(len(scene["tokens"])), scene["tokens"])
        return figure


def _spec(name: str, scene: Scene) -> dict[str, Any]:
    steps = len(scene.tokens)
    panels = []
    for p in scene.panels:
        values = check.array(f"{name}, {p.label}: values", p.values, ("rows", steps))
        names = list(p.rows) or [str(i + 1) for i in range(len(values))]
        if len(names) != len(values):
            raise ValueError(f"{name}, {p.label}: want {len(values)} row names, got {len(names)}")
        if p.low >= p.high:
            raise ValueError(f"{name}, {p.label}: want low below high, got {p.low} and {p.high}")
        entry = {"label": p.label, "role": role("role", p.role), "rows": names, "low": p.low, "high": p.high}
        panels.append({**entry, "values": np.round(values, 3)})
    if not panels:
        raise ValueError(f"{name}: want at least one panel, got none")
    if scene.say is not None and len(scene.say) != steps:
        raise ValueError(f"{name}: want {steps} sentences, one a step, got {len(scene.say)}")
    say = list(scene.say) if scene.say is not None else None
    return {"tokens": list(scene.tokens), "panels": panels, "say": say}
