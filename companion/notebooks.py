"""Run the book's notebooks and store them so that a rerun on another machine gives the same file.

``python -m companion.notebooks`` runs what changed since it was last stored; ``--all`` runs everything, ``--check``
only says what is stale, ``--dry-run`` runs and times without storing. Stored notebooks are *normalised*: execution
counts 1…n, ids that depend on the text alone, one kernelspec, and neither timings, nor versions, nor widget state;
a page that imports `companion` opens with the cell that says how to get it (`companion.publishing.opening`).
Before that, the numbers of equations and figures, the links to them and all citations are written, on every page of
the book (`companion.publishing.numbering`).
"""

import argparse
import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from PIL import Image
from tqdm import tqdm

from companion.publishing import cited, numbering, opening

__all__ = ["execute", "is_stale", "main", "misnumbered", "normalise", "problems", "source_hash"]

BOOK = Path("book")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
# What tools leave behind in the metadata; it changes from run to run or from editor to editor.
NOTEBOOK_DEBRIS = {"colab", "jupytext", "toc", "vscode", "widgets"}
CELL_DEBRIS = {
    *("ExecuteTime", "colab", "collapsed", "execution", "id", "is_executing", "lines_to_end_of_cell_marker"),
    *("lines_to_next_cell", "outputId", "pycharm", "scrolled", "trusted", "vscode"),
}
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


def code_cells(nb: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the code cells that hold code."""
    return (cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip())


def source_hash(nb: NotebookNode) -> str:
    """Return a fingerprint of what makes the outputs: the code cells, in order, without the opening one."""
    sources = (cell.source for cell in code_cells(nb) if not opening.is_opening(cell))
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]


def is_stale(nb: NotebookNode) -> bool:
    """Return whether the code differs from the code that made the stored outputs."""
    return nb.metadata.get("companion", {}).get("source") != source_hash(nb)


def compact_png(text: str) -> str:
    """Return a base64 PNG on white, in 256 colours and without the text that names the version which drew it."""
    data = base64.b64decode(text)
    image = Image.open(io.BytesIO(data))
    if image.mode != "P":  # a palette is the mark of a picture that was compacted before
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        buffer = io.BytesIO()
        image.quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        data = buffer.getvalue()
    return base64.b64encode(data).decode()


def _clean_outputs(outputs: Iterable[NotebookNode], count: int) -> list[NotebookNode]:
    """Return the outputs without widget views, with equal streams merged and pictures compacted."""
    clean: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and clean and clean[-1].get("name") == output.name:
            clean[-1].text += output.text
            continue
        if "data" in output:
            output.data.pop(WIDGET_VIEW, None)
            if not output.data:
                continue
            if "image/png" in output.data:
                output.data["image/png"] = compact_png(output.data["image/png"])
        if output.output_type == "execute_result":
            output.execution_count = count
        clean.append(output)
    return clean


def normalise(nb: NotebookNode) -> NotebookNode:
    """Return a copy of `nb` that holds its opening, what the author wrote and what the code printed, and no more."""
    nb = opening.opened(nb)
    kept = {key: value for key, value in nb.metadata.items() if key not in NOTEBOOK_DEBRIS}
    nb.metadata = NotebookNode({**kept, "kernelspec": KERNEL, "language_info": LANGUAGE})
    nb.nbformat, nb.nbformat_minor = 4, 5
    # a text file's front matter is about the text file, not about the notebook made of it
    nb.cells = [cell for cell in nb.cells if not (cell.cell_type == "raw" and cell.source.startswith("---\njupytext:"))]
    seen: dict[str, int] = {}
    count = 0
    for cell in nb.cells:
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k not in CELL_DEBRIS})
        digest = hashlib.sha256(f"{cell.cell_type}\0{cell.source}".encode()).hexdigest()[:10]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        if cell.cell_type != "code":
            continue
        _fold(cell)
        if cell.execution_count is not None:
            count += 1
            cell.execution_count = count
        cell.outputs = _clean_outputs(cell.outputs, count)
    return nb


def _fold(cell: NotebookNode) -> None:
    """Fold in JupyterLab what the page folds."""
    tags = cell.metadata.get("tags", [])
    silent = "hide-cell" in tags and not opening.is_opening(cell)  # what the opening says is for everyone
    folds = {"source_hidden": bool({"hide-input", "hide-cell"} & {*tags}), "outputs_hidden": silent}
    cell.metadata.pop("jupyter", None)
    if any(folds.values()):
        cell.metadata["jupyter"] = {k: True for k, v in folds.items() if v}


def _texts(output: NotebookNode) -> Iterator[str]:
    yield output.get("text", "")
    yield from (value for key, value in output.get("data", {}).items() if isinstance(value, str) and "image" not in key)


def problems(nb: NotebookNode) -> list[str]:
    """Return a sentence for each output that could not be the same on another machine."""
    found = []
    home = str(Path(__file__).resolve().parents[1])
    for number, cell in enumerate(code_cells(nb), start=1):
        ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
        for output in cell.outputs:
            if output.get("name") == "stderr" and not ignored:
                found.append(f"code cell {number} writes to stderr: {output.text.strip()[:200]!r}")
            for text in _texts(output):
                if address := ADDRESS.search(text):
                    found.append(f"code cell {number} prints a memory address, {address.group()}")
                if home in text:
                    found.append(f"code cell {number} prints a path of this machine, {home}")
    return found


def execute(nb: NotebookNode, folder: Path, timeout: int = 600) -> NotebookNode:
    """Run a copy of `nb` in a fresh kernel started in `folder`, with a progress bar over its cells; return the copy.

    Raises
    ------
    RuntimeError
        If a cell fails, takes longer than `timeout` seconds, or ends its kernel; it names the cell and says why.
    """
    nb = nbformat.from_dict(nb)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    options: dict[str, Any] = {"record_timing": False, "store_widget_state": False, "kernel_name": "python3"}
    with tqdm(total=sum(1 for _ in code_cells(nb)), unit="cell", leave=False, disable=None) as bar:
        client = NotebookClient(
            nb,
            timeout=timeout,
            resources={"metadata": {"path": str(folder)}},
            on_cell_execute=lambda **_: bar.update(),
            **options,
        )
        try:
            client.execute(env={**os.environ, "TQDM_DISABLE": "1"}, stderr=subprocess.DEVNULL)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            run = sum(cell.execution_count is not None for cell in code_cells(nb))
            raise RuntimeError(f"code cell {run} failed\n{error}") from error
    return nb


def store(nb: NotebookNode, path: Path) -> None:
    """Write `nb` to `path`, byte for byte the same for the same notebook."""
    nbformat.validate(nb)
    path.write_text(nbformat.writes(nb).rstrip("\n") + "\n", encoding="utf-8")


def prose(path: Path) -> list[str]:
    """Return the Markdown of a page: the cells of a notebook, or all of a Markdown file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return [text]
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]


def misnumbered(book: Path) -> dict[Path, list[str]]:
    """Return the pages whose numbers, links to them or citations are not as they should be, with the right Markdown."""
    paths = {path.relative_to(book).as_posix(): path for kind in ("*.ipynb", "*.md") for path in book.rglob(kind)}
    pages = {name: prose(path) for name, path in sorted(paths.items()) if "/." not in f"/{name}"}
    mended = numbering.mend(pages, cited.entries(book / "references.bib"))
    return {paths[name]: mended[name] for name in pages if mended[name] != pages[name]}


def number(book: Path) -> None:
    """Write the numbers, the links to them and the citations of a book where they are not as they should be."""
    for path, texts in misnumbered(book).items():
        if path.suffix == ".md":
            path.write_text(texts[0], encoding="utf-8")
        else:
            nb = nbformat.read(path, as_version=4)
            for cell, text in zip((c for c in nb.cells if c.cell_type == "markdown"), texts, strict=True):
                cell.source = text
            store(normalise(nb), path)
        print(f"✓ {path}: numbered", flush=True)


def check(path: Path) -> list[str]:
    """Return a sentence for each way in which a stored notebook is not fit to publish."""
    nb = nbformat.read(path, as_version=4)
    found = problems(nb)
    if any(cell.execution_count is None for cell in code_cells(nb)):
        found.append("has code cells that were never run")
    if is_stale(nb):
        found.append("has code that changed since its outputs were stored")
    if nbformat.writes(normalise(nb)).rstrip("\n") + "\n" != path.read_text(encoding="utf-8"):
        found.append("is not normalised")
    return found


def refresh(path: Path, *, force: bool, dry_run: bool) -> bool:
    """Run one notebook if needed, normalise and store it; say what happened and return whether all went well."""
    stored = nbformat.read(path, as_version=4)
    run = force or is_stale(stored) or any(cell.execution_count is None for cell in code_cells(stored))
    nb, start = stored, time.perf_counter()
    if run:
        try:
            nb = execute(stored, path.parent)
        except RuntimeError as error:
            print(f"✗ {path}: the stored file stays as it was, for {error}", file=sys.stderr)
            return False
    nb = normalise(nb)
    nb.metadata["companion"] = {"source": source_hash(nb)}
    if found := problems(nb):
        print(f"✗ {path}: not stored.", *found, sep="\n    ", file=sys.stderr)
        return False
    if not dry_run:
        store(nb, path)
    print(f"✓ {path}: " + (f"ran in {time.perf_counter() - start:.1f} s" if run else "unchanged"), flush=True)
    return True


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m companion.notebooks", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (all of book/ if none is named)")
    parser.add_argument("--all", action="store_true", help="run unchanged notebooks too")
    parser.add_argument("--check", action="store_true", help="say what is stale or not normalised; run nothing")
    parser.add_argument("--dry-run", action="store_true", help="run everything and time it; store nothing")
    args = parser.parse_args(argv)
    paths = args.paths or sorted(BOOK.rglob("*.ipynb"))
    ours = any(path.resolve().is_relative_to(BOOK.resolve()) for path in paths)
    if args.check:
        found = [f"✗ {path}: {sentence}" for path in paths for sentence in check(path)]
        found += [
            f"✗ {path}: has numbers or citations that are not written" for path in (misnumbered(BOOK) if ours else ())
        ]
        print(*found or [f"{len(paths)} notebooks are run, up to date and normalised"], sep="\n")
        return int(bool(found))
    if ours and not args.dry_run:
        try:
            number(BOOK)
        except ValueError as error:
            print(f"✗ {error}", file=sys.stderr)
            return 1
    force = args.all or args.dry_run
    went_well = [refresh(path, force=force, dry_run=args.dry_run) for path in paths]
    return int(not all(went_well))


if __name__ == "__main__":
    sys.exit(main())
