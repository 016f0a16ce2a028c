"""Small tasks for the reader, judged by Python at every place of the controls on which they depend."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from .controls import Choice, Control, Range


@dataclass(frozen=True)
class Goal:
    """A task, and what judges it: a function of choices and ranges of the figure, by name, that returns (done, word).

    The word names the cause, whether done or not; the page shows it when the reader asks. No figure begins at its goal.
    """

    task: str
    judge: Callable[..., tuple[bool, str]]

    def spec(self, controls: Sequence[Control]) -> dict[str, Any]:
        """What the page needs to know of it: the controls' names, the verdicts, and which holds at each place."""
        named = {c.name: c for c in controls if isinstance(c, Choice | Range)}
        axes = list(inspect.signature(self.judge).parameters)
        if not axes or not set(axes) <= set(named):
            raise ValueError(f"goals: want a judge of some of the controls {list(named)}, got one of {axes}")
        verdicts: dict[tuple[bool, str], int] = {}
        table = []
        for at in product(*(named[a].places for a in axes)):
            done, word = self.judge(**dict(zip(axes, at, strict=True)))
            table.append(verdicts.setdefault((bool(done), str(word)), len(verdicts)))
        begin, _ = self.judge(**{a: named[a].first for a in axes})
        if begin or not any(done for done, _ in verdicts):
            raise ValueError(f"goals: want one that can be reached, and not at the start: {self.task}")
        return {"task": self.task, "axes": axes, "verdicts": [list(v) for v in verdicts], "table": table}
