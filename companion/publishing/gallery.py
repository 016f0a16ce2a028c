"""The page of all figures: each numbered figure and each that moves, gathered from the stored pages at every build.

A figure comes with a small copy of its stored picture, whose description goes along, and a link that lands on it.
"""

import base64
import io
import json
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from PIL import Image, ImageChops
from sphinx.application import Sphinx

from companion.sections import INTRODUCTION, SECTIONS

from .filled import below
from .numbering import CAPTION
from .reference import plain
from .terms import slugify

PAGE = "book/all_figures"
#: The pages whose figures it shows, in the order of the book.
PAGES = (*(section.page for section in (INTRODUCTION, *SECTIONS)), "figures")
BOX, COLORS = (400, 290), 24  # of a small picture: at most so many pixels, so many colours
MOVES = re.compile(r'<figure class="explorable".*?<script type="application/json">(.*?)</script>', re.DOTALL)
FIRST = re.compile(r".*?[.?!](?=\s+[A-ZΑ-Ω\d“]|\s*$)", re.DOTALL)
LINK = re.compile(r"\[([^\]\[]*)\]\([^)\s]*\)")


class Figure(NamedTuple):
    """One figure of a page."""

    name: str
    title: str  # its number, or what stands above it
    said: str  # the first sentence of its caption, where the title is a number
    alt: str
    moves: bool
    png: bytes


def _alt(cell: nbformat.NotebookNode, otherwise: str = "") -> str:
    return cell.metadata.get("mystnb", {}).get("image", {}).get("alt", otherwise)


def _moving(cell: nbformat.NotebookNode) -> Iterator[Figure]:
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        if "image/png" in data and (found := MOVES.search(data.get("text/html", ""))):
            spec = json.loads(found[1])
            png = base64.b64decode(data["image/png"])
            yield Figure(spec["name"], spec["title"], "", _alt(cell, spec["caption"]), True, png)


def _numbered(cell: nbformat.NotebookNode, below: nbformat.NotebookNode) -> Iterator[Figure]:
    found = CAPTION.match(below.source) if below.cell_type == "markdown" else None
    if found and found["name"].startswith("fig-"):
        title = below.source[found.end("head") : found.end()].strip("*.")
        said = FIRST.match(LINK.sub(r"\1", below.source[found.end() :]).strip())[0]
        png = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})][-1]
        yield Figure(found["name"], title, said, _alt(cell), False, base64.b64decode(png))


def figures(cells: list[nbformat.NotebookNode]) -> list[Figure]:
    """The figures of a page that move or have a number, in order."""
    pairs = pairwise([*cells, nbformat.v4.new_markdown_cell()])
    return [figure for cell, below in pairs for figure in (*_moving(cell), *_numbered(cell, below))]


def small(png: bytes) -> bytes:
    """A picture without its white margins as a PNG that fits into `BOX`, in few colours."""
    with Image.open(io.BytesIO(png)) as stored:
        picture = stored.convert("RGB")
    picture = picture.crop(ImageChops.invert(picture).getbbox())
    picture.thumbnail(BOX, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _file(page: str, figure: Figure) -> str:
    """The name of a figure's small picture."""
    return f"{Path(page).name}-{figure.name}.png"


def _item(page: str, figure: Figure, folder: str) -> str:
    """A figure in Markdown; folder : of the small pictures, as seen from the page."""
    alt = " ".join(figure.alt.split())  # as it stands, since MyST drops what is escaped in it
    picture = f"![{alt}]({folder}/{_file(page, figure)})"
    link = f"[{plain(figure.title)}]({page}.ipynb#{figure.name})"
    words = "[moves]{.moves}" if figure.moves else " ".join(figure.said.split())
    return f"- {picture} {link}{' ' if figure.moves else '. '}{words}"


def written(book: Path, folder: Path) -> str:
    """All figures in Markdown, a list for each page; their small pictures are put into a folder."""
    parts, tops = [], []
    folder.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        cells = nbformat.read(book / f"{page}.ipynb", 4).cells
        heading = cells[0].source.splitlines()[0].removeprefix("# ")
        found = figures(cells)
        for figure in found:
            (folder / _file(page, figure)).write_bytes(small(figure.png))
        number = re.match(r"(P\.)?\d\S*", heading)
        tops.append(f"[{number[0] if number else heading}](#{slugify(heading)})")
        items = [_item(page, figure, os.path.relpath(folder, book)) for figure in found]
        parts.append(f"## {heading}\n\n{{.all-figures}}\n" + "\n".join(items))
    return "\n\n".join([" · ".join(tops), *parts]) + "\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the page when it is read."""
    book, folder = Path(app.srcdir, "book"), Path(app.outdir).parent / "thumbnails"
    pages = (book / f"{name}.ipynb" for name in PAGES)
    return below(app, PAGE, lambda: written(book, folder), [Path(__file__), *pages])
