"""One source, four editions: the page, the learner's notebook, the class release, the instructor's edition.

The source of a section's exercises is ``book/exercises/10_NN.ipynb``, in nbgrader's format, with solutions. Its author
writes cells with tags; `dress` gives them nbgrader's metadata, from the tag and from the exercise's heading

    <a id="10-2-2-squared"></a>
    ## Exercise 1 · Another loss

    ★ · 15 minutes · implement

- no tag: what is given; a learner's notebook has it as it stands;
- ``solution``: code with ``### BEGIN SOLUTION`` … ``### END SOLUTION``, which a learner's notebook has not;
- ``check``: `check(id, …)`, marked by machine, two points for each star;
- ``essay``: Markdown, all of it an answer with its rubric, marked by hand, two points for each star.

What the page makes of it: solutions and essays are folded away, and its download is the learner's notebook.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from companion.publishing.opening import is_opening, opened

SOURCES = Path("book/exercises")
HEADING = re.compile(
    r'<a id="(?P<id>[a-z0-9-]+)"></a>\n## Exercise \d+ · .+\n\n'
    r"(?P<stars>★{1,3}) · (?P<minutes>\d+) minutes · (?P<kind>[a-z ]+)"
)
KINDS = (
    *("predict", "choose", "derive", "order", "complete", "implement", "find the bug", "debug an experiment"),
    *("reach a goal", "experiment and explain"),
)
ROLES = ("solution", "check", "essay")
POINTS = 2  # for each star
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
FOLDED = {"code_prompt_show": "Show a solution", "code_prompt_hide": "Hide the solution"}
YOURS = "*Your answer:*"
YOUR_CODE = {"python": "# your code here\nraise NotImplementedError"}


def role(cell: NotebookNode) -> str:
    """What a cell is to its exercise: one of `ROLES`, or "" for what is given."""
    return next((tag for tag in cell.metadata.get("tags", []) if tag in ROLES), "")


def _each(nb: NotebookNode) -> Iterator[tuple[NotebookNode, str, int]]:
    """Every cell with the slug of its exercise, "" before the first, and its stars."""
    slug, stars = "", 0
    for cell in nb.cells:
        if cell.cell_type == "markdown" and (found := HEADING.match(cell.source)):
            slug, stars = found["id"], len(found["stars"])
        yield cell, slug, stars


def dress(nb: NotebookNode) -> NotebookNode:
    """The same notebook with nbgrader's metadata as tags and headings say.

    Raises
    ------
    ValueError
        If a cell with a role stands before the first heading.
    """
    nb = opened(nb)
    seen: dict[str, int] = {}
    for cell, slug, stars in _each(nb):
        what = role(cell)
        if what and not slug:
            raise ValueError(f"nb: want a heading of an exercise before its {what}, got {cell.source[:60]!r}")
        stem = f"{slug or 'begin'}-{'package' if is_opening(cell) else what or 'given'}"
        seen[stem] = seen.get(stem, 0) + 1
        if what == "solution":
            cell.metadata["mystnb"] = FOLDED
        graded = what in ("check", "essay")
        cell.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": f"{stem}-{seen[stem]}",
            "solution": what in ("solution", "essay"),
            "grade": graded,
            "locked": what in ("", "check"),
            "task": False,
            **({"points": POINTS * stars} if graded else {}),
            **({"cell_type": cell.cell_type} if graded else {}),
        }
    return nb


def learner(nb: NotebookNode) -> NotebookNode:
    """The learner's notebook: no solution, no output, nothing of ours in the metadata but what nbgrader needs."""
    from nbgrader.preprocessors import ClearOutput, ClearSolutions

    nb = dress(nb)
    clear = ClearSolutions(text_stub=YOURS, code_stub=YOUR_CODE)
    nb, _ = clear.preprocess(nb, {})
    nb, _ = ClearOutput().preprocess(nb, {})
    for cell in nb.cells:
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k == "nbgrader"})
        if cell.cell_type == "code":
            cell.execution_count = None
    nb.metadata.pop("companion", None)
    return nb


def secrets(nb: NotebookNode) -> list[str]:
    """The lines that a learner must not find: those of solutions and essays that stand nowhere else in the source."""
    kept, given = [], "\n".join(cell.source for cell in nb.cells if role(cell) not in ("solution", "essay"))
    for cell in nb.cells:
        if role(cell) == "solution":
            inside = False
            for line in cell.source.splitlines():
                inside = (inside or BEGIN in line) and END not in line
                kept += [line.strip()] if inside and BEGIN not in line else []
        elif role(cell) == "essay":
            kept += [line.strip() for line in cell.source.splitlines()]
    return [line for line in dict.fromkeys(kept) if len(line) > 12 and line not in given]


def leaks(text: str, nb: NotebookNode) -> list[str]:
    """Which secrets of a source a text holds."""
    return [line for line in secrets(nb) if line in text]


def source(page: str, folder: Path = SOURCES) -> NotebookNode:
    """The source of one page of exercises, such as ``"10_02_2"``."""
    return nbformat.read(folder / f"{page}.ipynb", as_version=4)


def pages(folder: Path = SOURCES) -> list[str]:
    """All pages of exercises, in order."""
    return sorted(path.stem for path in folder.glob("*.ipynb"))
