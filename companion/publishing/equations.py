"""The ledger of equations: every numbered equation, what computes it, and what holds that to an independent oracle.

The equations are gathered from the pages when the book is built; ``book/equations.toml`` says the rest of each by its
name: a function, and tests. Where an equation is computed in a page only, both are a cell of that page.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sphinx.application import Sphinx

from companion.sections import listed

from .filled import below, prose
from .numbering import CODE, FORMULA
from .reference import address

PAGE, ROWS, CONTENTS = "book/equations", "equations.toml", "_toc.yml"
PACKAGE = Path(__file__).parents[1]
TAG = re.compile(r"\\tag\{([^}]*)\}")


class Equation(NamedTuple):
    """A numbered equation of a page, in TeX."""

    name: str
    page: str  # the file, in the folder of the pages
    number: str
    formula: str


class Row(NamedTuple):
    """What computes an equation, and what holds it: names of `companion` and of tests, or cells of pages."""

    function: str
    tests: list[str]


def pages(root: Path) -> list[Path]:
    """The files of all pages, in the order of the book; root : where its list of pages is."""
    names = [name for _, part in listed((root / CONTENTS).read_text("utf-8")) for name in part]
    return [next(root.glob(f"{name}.[im][pd]*")) for name in names]


def equations(text: str, page: str) -> Iterator[Equation]:
    """The numbered equations of a page, in order; what it shows as code is none."""
    for found in FORMULA.finditer(CODE.sub("", text)):
        lines = [line.removeprefix(found["in"]) for line in found["body"].splitlines()]
        yield Equation(found["name"], page, TAG.search(found[0])[1], "\n".join(lines))


def rows(book: Path) -> dict[str, Row]:
    """The rows of the ledger, by the names of the equations."""
    return {name: Row(**row) for name, row in tomllib.loads((book / ROWS).read_text("utf-8")).items()}


def _cell(place: str) -> str:
    """A link to a cell of a page, from its place such as ``10_05_deep.ipynb#claim-stack``."""
    return f"[a cell {'beside this claim' if '#claim-' in place else 'below the equation'}]({place})"


def function(name: str) -> str:
    """What computes an equation, as a link to its entry in the reference."""
    if "#" in name:
        return f"Computed by {_cell(name)}"
    return f"[`{name}`](reference/{address(PACKAGE, name)})"


def test(name: str) -> str:
    """What holds an equation, in words."""
    if "#" in name:
        return f"{_cell(name)}, which asserts it"
    path, called = name.split("::")
    return f"*{called.removeprefix('test_').replace('_', ' ')}* (`{path}`)"


def item(equation: Equation, row: Row | None) -> str:
    """A line of the ledger in Markdown."""
    name, page, number, formula = equation
    if row is None:
        told = f"It has no row in `book/{ROWS}` yet."
    elif row.tests == [row.function]:
        told = f"{function(row.function)}, which asserts it."
    else:
        told = f"{function(row.function)}: {'; '.join(map(test, row.tests)) or 'no test yet'}."
    lines = [f"- [({number})]({page}#{name})", "", "$$", *formula.splitlines(), "$$", "", told]
    return "\n  ".join(lines).replace("\n  \n", "\n\n")


def written(root: Path) -> str:
    """The ledger in Markdown, a list for each page that has numbered equations."""
    known, parts = rows(root / "book"), []
    for path in pages(root):
        text, page = prose(path), path.relative_to(root / "book").as_posix()
        if found := list(equations(text, page)):
            title = re.search(r"^# (.+)$", text, re.MULTILINE)[1]
            parts.append(f"## [{title}]({page})")
            parts.append("{.all-equations}\n" + "\n".join(item(e, known.get(e.name)) for e in found))
    return "\n\n".join(parts) + "\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the page when it is read."""
    root = Path(app.srcdir)
    return below(app, PAGE, lambda: written(root), [Path(__file__), root / "book" / ROWS, *pages(root)])
