"""The ledger of claims: what the chapters say in their Summaries, gathered when the book is built.

Each item keeps its links, which lead to the cells that test it. Beside a chapter's title stands how often its
assertions were drawn again, from ``book/draws.json``.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from sphinx.application import Sphinx

from companion.sections import SECTIONS

PAGE, DRAWS = "book/claims", "draws.json"
PAGES = ("intro", *(section.page for section in SECTIONS))
SUMMARY = re.compile(r"^## Summary$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
HERE = re.compile(r'(?<=\]\()(?=#)|(?<=href=")(?=#)')  # where a link begins that stays on its page


class Chapter(NamedTuple):
    """What one chapter claims."""

    page: str
    title: str
    claims: list[str]  # in Markdown, with links that lead there from another page


def chapters(book: Path) -> Iterator[Chapter]:
    """The claims of every chapter, in the order of the book.

    Parameters
    ----------
    book : the folder of the pages.
    """
    for page in PAGES:
        cells = nbformat.read(book / f"{page}.ipynb", 4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        items = re.split(r"^- ", SUMMARY.search(text)[1].strip(), flags=re.MULTILINE)[1:]
        title = re.search(r"^# (.+)$", text, re.MULTILINE)[1]
        yield Chapter(page, title, [_from_afar(item.split("\n\n")[0].strip(), page) for item in items])


def _from_afar(item: str, page: str) -> str:
    """An item with its links within the page turned into links to that page."""
    return HERE.sub(lambda at: f"{page}.{'ipynb' if item[at.start() - 1] == '(' else 'html'}", item)


def written(book: Path) -> str:
    """The ledger in Markdown, a list for each chapter."""
    draws = json.loads((book / DRAWS).read_text("utf-8"))
    parts = []
    for page, title, claims in chapters(book):
        failed = draws.get(page, {}).get("seeds", {})
        held = sum(not cells for cells in failed.values())
        parts += [
            f"## [{title}]({page}.ipynb)",
            f"Held in {held} of {len(failed)} further draws.",
            "\n".join(f"- {claim}" for claim in claims),
        ]
    return "\n\n".join(parts) + "\n"


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the ledger below what the page says itself."""
    if page != PAGE:
        return
    book = Path(app.srcdir, "book")
    app.env.note_dependency(__file__)
    for name in (DRAWS, *(f"{page}.ipynb" for page in PAGES)):
        app.env.note_dependency(str(book / name))
    source[0] += "\n" + written(book)


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the page when it is read."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
