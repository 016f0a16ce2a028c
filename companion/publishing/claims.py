"""The ledger of claims: what the chapters say in their Summaries, gathered when the book is built.

Each item keeps its links, which lead to the cells that test it. Beside a chapter's title stands how often its
assertions were drawn again, from ``book/draws.json``.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sphinx.application import Sphinx

from companion.sections import INTRODUCTION, SECTIONS

from .filled import below, prose

PAGE, DRAWS = "book/claims", "draws.json"
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
    for page in (section.page for section in (INTRODUCTION, *SECTIONS)):
        text = prose(book / f"{page}.ipynb")
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


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the page when it is read."""
    book = Path(app.srcdir, "book")
    pages = (f"{section.page}.ipynb" for section in (INTRODUCTION, *SECTIONS))
    return below(app, PAGE, lambda: written(book), [Path(__file__), *(book / name for name in (DRAWS, *pages))])
