"""The first cell of a page: it does nothing where the book's package is installed, and says what to do elsewhere.

`companion.notebooks` writes it into every notebook that imports `companion`, before the first cell of code. The page
folds it, and so does JupyterLab; what it says when something is missing is never folded.
"""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

__all__ = ["is_opening", "opened", "source"]

CONFIG = Path(__file__).resolve().parents[2] / "_config.yml"
ADDRESS = re.compile(r"^ *repository_url: *[\"']?([^\s\"'#]+)", re.MULTILINE)
IMPORTS = re.compile(r"^\s*(?:from|import) companion\b", re.MULTILINE)
FIRST = "from importlib.metadata import version  # does this page run here?"
CODE = f"""\
{FIRST}

try:  # nothing happens where the book's own package is installed
    from companion import DISTRIBUTION

    version(DISTRIBUTION)
except ImportError as no:
    why = f"{{no.path}} is another package. " if no.path else ""
    how = "Run %pip install WHERE, then restart the kernel."
    raise ImportError(f"{{why}}This page needs the book's companion. {{how}}") from None"""
PROMPTS = {"code_prompt_show": "Does this page run here?", "code_prompt_hide": "Hide the check"}


def source() -> str:
    """The code of the cell, with the repository's address if ``_config.yml`` has one."""
    found = ADDRESS.search(CONFIG.read_text("utf-8")) if CONFIG.exists() else None
    where = f"git+{found[1]}" if found else "FOLDER_OF_THE_BOOK"
    return CODE.replace("WHERE", where)


def is_opening(cell: NotebookNode) -> bool:
    """Whether a cell is the one that opens a page, in its words of now or of before."""
    return cell.cell_type == "code" and cell.source.startswith(FIRST)


def opened(nb: NotebookNode) -> NotebookNode:
    """The same notebook with its opening cell in its place, if it imports `companion`."""
    nb = nbformat.from_dict(nb)
    before = [cell for cell in nb.cells if is_opening(cell)]
    nb.cells = [cell for cell in nb.cells if not is_opening(cell)]
    code = [cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip()]
    if not any(IMPORTS.search(cell.source) for cell in code):
        return nb
    cell = before[0] if before else nbformat.v4.new_code_cell()
    cell.source, cell.outputs, cell.execution_count = source(), [], code[0].execution_count and 1
    cell.metadata.update(tags=["hide-cell"], mystnb=PROMPTS)
    nb.cells.insert(nb.cells.index(code[0]), cell)
    return nb
