"""The pages of exercises: a solution reads as code alone, and what one downloads is the learner's notebook."""

from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx

from .editions import BEGIN, END, SOURCES, learner


def clean(app: Sphinx, page: nodes.document) -> None:
    """Take the marks of nbgrader out of the code that the page shows."""
    if not app.env.docname.startswith(f"{SOURCES.as_posix()}/"):
        return
    for block in page.findall(nodes.literal_block):
        lines = block.astext().splitlines()
        kept = [line for line in lines if BEGIN not in line and END not in line]
        if len(kept) < len(lines):
            block.rawsource = "\n".join(kept)
            block.children = [nodes.Text(block.rawsource)]


def unlaunched(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None) -> None:
    """Take the buttons that open a notebook elsewhere off a page whose notebook has solutions."""
    if page.startswith(f"{SOURCES.as_posix()}/"):
        buttons = context.get("header_buttons", [])
        buttons[:] = [button for button in buttons if button.get("label") != "launch-buttons"]


def downloads(app: Sphinx, error: Exception | None) -> None:
    """Put the learner's notebooks where the pages' downloads lead."""
    if error or app.builder.format != "html":
        return
    for path in Path(app.outdir, "_sources", SOURCES).glob("*.ipynb"):
        nbformat.write(learner(nbformat.read(path, as_version=4)), path)


def setup(app: Sphinx) -> dict[str, Any]:
    """Go over each page when it was read and when it is written, and over the downloads when all is built."""
    app.connect("doctree-read", clean)
    app.connect("html-page-context", unlaunched, priority=900)
    app.connect("build-finished", downloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
