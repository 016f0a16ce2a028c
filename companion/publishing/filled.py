"""Pages that are filled when the book is built: what is gathered elsewhere stands below what the page says itself."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat
from sphinx.application import Sphinx


def prose(path: Path) -> str:
    """The Markdown of a page, of a notebook without its code."""
    if path.suffix == ".md":
        return path.read_text("utf-8")
    cells = nbformat.read(path, 4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def below(app: Sphinx, page: str, written: Callable[[], str], sources: Iterable[Path]) -> dict[str, Any]:
    """Fill a page whenever it is read, and read it again when a source of it has changed; what `setup` returns.

    Parameters
    ----------
    page : without its ending, from the root of the book. written : gives the Markdown to stand there.
    sources : the files that it is gathered from, and the one that gathers it.
    """

    def fill(app: Sphinx, name: str, source: list[str]) -> None:
        if name == page:
            for path in sources:
                app.env.note_dependency(str(path))
            source[0] += "\n" + written()

    sources = [Path(__file__), *sources]
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
