"""The sections of the book, in order: the one list from which every other list of them is written.

``python -m companion.sections``, run at the root of the repository, writes the table in README.md, the one in this
package's docstring, the pages in ``_toc.yml``, the weeks in the guide for teaching, and the order of the rooms in
``pyproject.toml``. A test compares them.
The studies of a section are found by looking: each says its section's number.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

__all__ = ["INTRODUCTION", "PLACES", "SECTIONS", "Section", "exercises", "listed", "main", "order", "written"]


class Section(NamedTuple):
    """One section: its number and title, the modules of `companion` that it is about, and its page in ``book``.

    The sections of the part “Practice”, where nets do what they are for, are numbered P.1, P.2 …
    """

    number: str
    title: str
    modules: tuple[str, ...]
    page: str  # without the ending

    @property
    def part(self) -> str:
        """The part of the book that it belongs to."""
        return "Practice" if self.number.startswith("P.") else "Sequence modeling"


SECTIONS = (
    Section("10.1", "Unfolding computational graphs", ("unfolding",), "10_01_unfolding"),
    Section("10.2", "Recurrent neural networks", ("recurrent", "turing", "cells.rnn"), "10_02_recurrent"),
    Section(
        "10.2.1",
        "Teacher forcing and networks with output recurrence",
        ("forcing", "cells.output"),
        "10_02_1_teacher_forcing",
    ),
    Section("10.2.2", "Computing the gradient in a recurrent network", ("recurrent",), "10_02_2_gradient"),
    Section("10.2.3", "Recurrent networks as directed graphical models", ("graphical",), "10_02_3_graphical"),
    Section("10.2.4", "Sequences conditioned on context", ("context",), "10_02_4_context"),
    Section("10.3", "Bidirectional RNNs", ("bidirectional",), "10_03_bidirectional"),
    Section("10.4", "Encoder–decoder: sequence to sequence", ("seq2seq",), "10_04_seq2seq"),
    Section("10.5", "Deep recurrent networks", ("deep",), "10_05_deep"),
    Section("10.6", "Recursive neural networks", ("recursive",), "10_06_recursive"),
    Section("10.7", "The challenge of long-term dependencies", ("longterm",), "10_07_longterm"),
    Section("10.8", "Echo state networks", ("reservoir", "cells.echo"), "10_08_echo_state"),
    Section(
        "10.9",
        "Leaky units and other strategies for multiple time scales",
        ("timescales", "cells.leaky"),
        "10_09_timescales",
    ),
    Section("10.10", "The LSTM and other gated RNNs", ("gated", "cells.lstm", "cells.gru"), "10_10_gated"),
    Section("10.11", "Optimization for long-term dependencies", ("optimization",), "10_11_optimization"),
    Section(
        "10.12",
        "Organizing the state at multiple time scales",
        ("multiscale", "cells.clockwork"),
        "10_12_multiple_scales",
    ),
    Section("10.13", "Explicit memory", ("memory",), "10_13_explicit_memory"),
    Section("10.13.2", "Machines with a tape", ("memory.addressing", "memory.machine"), "10_13_2_tape"),
    Section("P.1", "A speech generator", ("speech",), "practice/speech"),
    Section("P.2", "Forecasting", ("forecasting",), "practice/forecasting"),
    Section("P.3", "Tagging and classification", ("tagging",), "practice/tagging"),
    Section("P.4", "Music by genre", ("music",), "practice/music"),
    Section("P.5", "Epilogue: where it went", ("linear",), "practice/epilogue"),
)
#: It has exercises as the sections have, and stands before them.
INTRODUCTION = Section("10", "Sequence modeling", (), "intro")


EXERCISES = Path("book/exercises")
#: What a course of a term takes up in each week.
WEEKS = (
    *(("10", "10.1", "10.2"), ("10.2.1",), ("10.2.2",), ("10.2.3",), ("10.2.4", "10.3"), ("10.4",), ("10.5", "10.6")),
    *(("10.7",), ("10.8", "10.9"), ("10.10",), ("10.11",), ("10.12", "10.13"), ("10.13.2",)),
    ("P.1", "P.2", "P.3", "P.4", "P.5"),  # one of them, to choose
)


def order() -> list[str]:
    """The modules that belong to sections, the earliest first; the cells stand in a room of their own."""
    return list(dict.fromkeys(m for section in SECTIONS for m in section.modules if "." not in m))


def _readme() -> str:
    rows = []
    for section in SECTIONS:
        modules = ", ".join(f"`companion.{m}`" for m in section.modules)
        rows.append(f"| {section.number} {section.title} | {modules} | `book/{section.page}.ipynb` |\n")
    return "".join(rows)


def _docstring() -> str:
    return "".join(f"    {s.number:8}{', '.join(s.modules):36}book/{s.page}.ipynb\n" for s in SECTIONS)


def listed(toc: str) -> list[tuple[str, list[str]]]:
    """The parts of the book in ``_toc.yml``, each with its pages."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for key, value in re.findall(r"(root|caption|file): (.+)", toc):
        parts.append((value, [])) if key == "caption" else parts[-1][1].append(value)
    return parts


def exercises(section: Section) -> str:
    """The page of a section's exercises, without the ending: ``10_02_2`` in ``book/exercises``."""
    if section == INTRODUCTION:
        return "10_00"
    chapter, part, *rest = section.number.split(".")
    return "_".join([chapter, part.zfill(2), *rest])


def _contents() -> str:
    lines, part = [], SECTIONS[0].part
    for section, after in zip(SECTIONS, (*SECTIONS[1:], None), strict=True):
        if section.part != part:
            part = section.part
            lines.append(f"  - caption: {part}\n    chapters:\n")
        inner = section.number.count(".") > 1
        lines.append(f"{' ' * 10 if inner else ' ' * 6}- file: book/{section.page}\n")
        if after and after.number.startswith(f"{section.number}."):
            lines.append(f"{' ' * 8}sections:\n")
    written = [page for page in map(exercises, (INTRODUCTION, *SECTIONS)) if (EXERCISES / f"{page}.ipynb").exists()]
    lines += [
        "  - caption: Exercises\n    chapters:\n",
        *(f"      - file: {EXERCISES / p}\n" for p in ["about", *written, "teaching"]),
    ]
    return "".join(lines)


def _weeks() -> str:
    rows = []
    for week, numbers in enumerate(WEEKS, 1):
        for section in (s for s in (INTRODUCTION, *SECTIONS) if s.number in numbers):
            page, number, minutes = exercises(section), "", ""
            if (EXERCISES / f"{page}.ipynb").exists():
                found = _minutes(EXERCISES / f"{page}.ipynb")
                number, minutes = f"[{len(found)} exercises]({page}.ipynb)", str(sum(found))
            link = f"[{section.number} {section.title}](../{section.page}.ipynb)"
            rows.append(f"| {week} | {link} | {number} | {minutes} |\n")
    return "".join(rows)


def _minutes(path: Path) -> list[int]:
    """The minutes that stand in the headings of a page's exercises."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [int(n) for cell in cells for n in re.findall(r"^★+ · (\d+) minutes", "".join(cell["source"]), re.MULTILINE)]


def _layers() -> str:
    return "".join(f'    "{module}",\n' for module in reversed(order()))


#: Where sections are listed: file → the lines around the list, and the list as it should read.
PLACES: dict[str, tuple[str, str, Callable[[], str]]] = {
    "README.md": ("| section | module | page |\n|---|---|---|\n", "\n", _readme),
    "companion/__init__.py": ("::\n\n", "\n", _docstring),
    "_toc.yml": ("  - caption: Sequence modeling\n    chapters:\n", "  - caption: Reference\n", _contents),
    "book/exercises/teaching.md": (
        "| week | section | exercises | minutes |\n|---|---|---|---|\n",
        "\n",
        _weeks,
    ),
    "pyproject.toml": ("    # a section knows those before it\n", "    # and what every section may know\n", _layers),
}


def written(place: str, text: str) -> str:
    """The text of one of `PLACES` with the list of sections as it should read.

    Parameters
    ----------
    place : the file's name.
    text : what it holds.
    """
    before, after, lines = PLACES[place]
    pattern = re.compile(f"({re.escape(before)})(?:[^\n]+\n)*(?={re.escape(after)})")
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"text: want {before!r} and then {after!r} once in {place}")
    return pattern.sub(lambda found: found[1] + lines(), text)


def main(root: Path = Path()) -> None:
    """Write the lists that differ.

    Parameters
    ----------
    root : the folder of the repository.
    """
    for place in PLACES:
        path = root / place
        text = path.read_text(encoding="utf-8")
        if (new := written(place, text)) != text:
            path.write_text(new, encoding="utf-8")
            print(f"{place}: the sections are written")


if __name__ == "__main__":
    main()
