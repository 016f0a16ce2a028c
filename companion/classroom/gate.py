"""The gate: nothing that leaves for learners holds a solution, a key, or the seed of the hidden cases."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

from nbformat import NotebookNode

from companion.exercises import exercise
from companion.exercises.editions import role, secrets
from companion.exercises.ladder import Implement

__all__ = ["Leak", "hidden", "items", "leaking", "strings"]

ASKED = re.compile(r'(?:check|question)\("([^"]+)"')
SHORT = 12  # letters and figures: shorter lines say nothing


class Leak(ValueError):
    """What was about to be handed out holds what a learner must not find."""


def items(nb: NotebookNode) -> dict[str, Any]:
    """The exercises of the bank that a notebook asks, by their ids."""
    return {id: exercise(id) for cell in nb.cells if cell.cell_type == "code" for id in ASKED.findall(cell.source)}


def hidden(source: NotebookNode, seed: str = "") -> list[str]:
    """All that a learner must not find: solutions, essays, references, the answers of questions, the seed."""
    given = plain("\n".join(cell.source for cell in source.cells if role(cell) not in ("solution", "essay")))
    kept = secrets(source)
    for item in items(source).values():
        if not isinstance(item, Implement):
            kept.append(item.answer)
        elif item.reference.__module__.startswith("companion.exercises.bank"):
            kept += [line.strip() for line in inspect.getsource(item.reference).splitlines()]
    lines = [line for line in dict.fromkeys(kept) if len(plain(line)) > SHORT and plain(line) not in given]
    return [*lines, *([seed] if seed else [])]


def strings(value: Any) -> Iterator[str]:
    """Every string in nested data: sources, outputs, metadata."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def plain(text: str) -> str:
    """Letters and figures alone: what is left of a line in every setting, also as HTML."""
    return re.sub(r"\W+", "", text)


def leaking(text: str, kept: Iterable[str], own: str = "") -> list[str]:
    """Which of the kept lines a text holds, apart from those that the learner has written."""
    text, own = plain(text), plain(own)
    return [line for line in kept if plain(line) in text and plain(line) not in own]
