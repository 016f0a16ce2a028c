"""The doctor: what came back is put together again from what was handed out, and each change is told in a sentence.

The notebook that is marked is always the released one, cell by cell, with the learner's answers in their places and the
learner's own cells between them. So nothing depends on what an editor left of the metadata.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from .course import COURSE_ID

__all__ = ["Repaired", "is_open", "parsed", "read", "repair"]

HELPERS = {"check", "question", "course"}
ANCHOR = re.compile(r'<a id="([^"]+)"></a>|^check\("([^"]+)"', re.MULTILINE)
CELL = re.compile(r'\{\s*"(?:cell_type|id|metadata|execution_count|attachments|outputs|source)"')
CODE = re.compile(r'course\(\s*["\']([^"\']*)["\']\s*\)')


class Repaired(NamedTuple):
    """A notebook that can be marked, or None if nothing of it belongs here, and what was done to it."""

    notebook: NotebookNode | None
    says: list[str]


# ---- reading ---------------------------------------------------------------------------------------------------


def read(data: bytes) -> tuple[list[NotebookNode], str, list[str]]:
    """The cells of a file, the name of its kernel, and what was wrong with it; no cells if nothing can be read."""
    text = data.decode("utf-8-sig", errors="replace")
    try:
        raw, says = json.loads(text), []
    except ValueError as error:
        raw = {"cells": list(_salvaged(text))}
        says = [f"The file is not valid JSON ({error}); {len(raw['cells'])} of its cells could still be read."]
    if isinstance(raw, dict) and isinstance(raw.get("worksheets"), list):  # before 2015
        raw["cells"] = [cell for sheet in raw["worksheets"] for cell in sheet.get("cells", [])]
        says.append("The notebook has an old format; its cells were carried over.")
    found = raw.get("cells") if isinstance(raw, dict) else None
    cells = [cell for part in found or [] if isinstance(part, dict) for cell in _cell(part)]
    if not cells:
        says.append("The file holds no cells that can be read.")
    elif not says and _invalid(text):
        says.append("The notebook did not fit the format; it was written anew.")
    return cells, _kernel(raw), says


def _invalid(text: str) -> bool:
    try:
        nb = json.loads(text)
        # not `validate`: that warns of cells without an id, and many threads come here, which share the filters
        errors = nbformat.validator.iter_validate(nb, version=nb["nbformat"], version_minor=nb["nbformat_minor"])
        return any(True for _ in errors)
    except Exception:
        return True


def _salvaged(text: str) -> Iterator[dict]:
    """The cells of a file that is cut off or has something foreign in it."""
    end, decoder = 0, json.JSONDecoder()
    for found in CELL.finditer(text):
        if found.start() < end:
            continue
        try:
            part, end = decoder.raw_decode(text, found.start())
        except ValueError:
            continue
        if "cell_type" in part:
            yield part


def _cell(part: dict) -> Iterator[NotebookNode]:
    kind, text = part.get("cell_type"), part.get("source", part.get("input", ""))
    text = "".join(map(str, text)) if isinstance(text, list) else str(text)
    metadata = part.get("metadata") if isinstance(part.get("metadata"), dict) else {}
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}.get(str(kind))
    if make:
        yield make(text, metadata=metadata, id=_id(part.get("id")))


def _id(id: Any) -> str:
    fits = isinstance(id, str) and re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", id)
    return id if fits else nbformat.v4.new_code_cell().id


def _kernel(raw: Any) -> str:
    try:
        return str(raw["metadata"]["kernelspec"]["name"])
    except (KeyError, TypeError):
        return ""


# ---- which cell is which ---------------------------------------------------------------------------------------


def is_open(cell: NotebookNode) -> bool:
    """Whether a released cell is one to be filled in."""
    return bool(cell.metadata.nbgrader.solution)


def _grade_id(cell: NotebookNode) -> str | None:
    found = cell.metadata.get("nbgrader", {})
    return found.get("grade_id") if isinstance(found, dict) else None


def _anchor(cell: NotebookNode) -> str | None:
    found = ANCHOR.search(cell.source)
    return found and (found[1] or found[2])


def parsed(source: str) -> ast.Module | None:
    """The code of a cell, also with IPython's magics; None if it cannot be parsed."""
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError):
        return None


def _defines(cell: NotebookNode) -> str | None:
    """The name of the last function that a cell defines, read from the text so that an error does not hide it."""
    names = re.findall(r"^(?:def|class) +(\w+)", cell.source, re.MULTILINE) if cell.cell_type == "code" else []
    return names[-1] if names else None


KEYS: tuple[Callable[[NotebookNode], Any], ...] = (
    _grade_id,
    lambda cell: cell.id,
    lambda cell: cell.source.strip() or None,
    _anchor,
    _defines,
)


def _pairs(ours: Sequence[NotebookNode], theirs: Sequence[NotebookNode]) -> dict[int, list[int]]:
    """For each released cell the submitted ones that are it, by one key after the other, then by their places."""
    pairs: dict[int, list[int]] = {i: [] for i in range(len(ours))}
    free = list(range(len(theirs)))
    for key in KEYS:
        names = [(cell.cell_type, key(cell)) for cell in ours]
        known = {name: i for i, name in enumerate(names) if name[1] is not None and names.count(name) == 1}
        for j in list(free):
            i = known.get((theirs[j].cell_type, key(theirs[j])))
            if i is None or (key is _defines and any(theirs[k].source != ours[i].source for k in pairs[i])):
                continue
            pairs[i].append(j)
            free.remove(j)
    for j in free:
        before, after = _neighbours(pairs, j, len(ours))
        if before < 0 or _general(ours[before]):
            continue
        for i in range(before + 1, after):
            if not pairs[i] and is_open(ours[i]) and ours[i].cell_type == theirs[j].cell_type:
                pairs[i].append(j)
                break
    return pairs


def _neighbours(pairs: dict[int, list[int]], j: int, n: int) -> tuple[int, int]:
    """The released cells around the place of a submitted one."""
    place = {k: i for i, js in pairs.items() for k in js}
    before = next((place[k] for k in range(j - 1, -1, -1) if k in place), -1)
    after = next((place[k] for k in range(j + 1, max(place, default=-1) + 1) if k in place), n)
    return before, after


# ---- putting together ------------------------------------------------------------------------------------------


def repair(data: bytes, released: NotebookNode, code: str) -> Repaired:
    """The released notebook with the answers of a submission, and a sentence on each thing that was put right.

    Parameters
    ----------
    data : the file that came back.
    released : the notebook that was handed out.
    code : of the course.
    """
    theirs, kernel, says = read(data)
    if not theirs:
        return Repaired(None, says)
    ours = released.cells
    pairs = _pairs(ours, theirs)
    known = [i for i, js in pairs.items() if js and not _general(ours[i])]
    if not known:
        return Repaired(None, [*says, "None of its cells belongs to this page of exercises."])
    says += [*_metadata(theirs, pairs), *_order(ours, pairs), *_kernel_says(kernel), *_course_says(theirs, code)]
    answers = {i: _chosen(ours[i], [theirs[j] for j in js]) for i, js in pairs.items() if js}
    own = _own(theirs, pairs)
    cells, texts = [], []
    for i in range(-1, len(ours)):
        after = [theirs[j] for j in own.get(i, [])]
        if i >= 0:
            cell = nbformat.from_dict(ours[i])
            if i in answers and is_open(cell):
                cell.source = answers[i].source
                if cell.source == ours[i].source and cell.cell_type == "markdown":
                    after, cell.source = _beneath(after, cell.source)
            elif i in answers and answers[i].source.strip() != cell.source.strip():
                kept = _added(cell, answers[i])
                texts.append((_name(cell), bool(kept)))
                after = [*kept, *after]
            cells.append(cell)
        cells += [_extra(cell) for cell in after]
    says += [
        f"The given cell `{name}` was changed; it is as it was handed out"
        + (", and the lines that were added follow it." if kept else ".")
        for name, kept in texts
    ]
    says += _overrides(cells)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=released.metadata)
    return Repaired(notebook, says)


def _name(cell: NotebookNode) -> str:
    return cell.metadata.nbgrader.grade_id


def _general(cell: NotebookNode) -> bool:
    """Whether a cell might stand in any page: the course, the imports."""
    return _name(cell) == COURSE_ID or _name(cell).startswith("begin-")


def _chosen(cell: NotebookNode, candidates: Sequence[NotebookNode]) -> NotebookNode:
    """Of several copies of one cell the last that was worked on."""
    worked = [candidate for candidate in candidates if _bare(candidate) != _bare(cell)]
    return (worked or list(candidates))[-1]


def _bare(cell: NotebookNode) -> str:
    """The code of a cell without comments, or its text."""
    tree = parsed(cell.source) if cell.cell_type == "code" else None
    return ast.unparse(tree) if tree else cell.source.strip()


def _own(theirs: Sequence[NotebookNode], pairs: dict[int, list[int]]) -> dict[int, list[int]]:
    """The learner's own cells by the released cell that they follow; -1 at the beginning."""
    place = {k: i for i, js in pairs.items() for k in js}
    own: dict[int, list[int]] = {}
    last = -1
    for j, cell in enumerate(theirs):
        if j in place:
            last = place[j]
        elif cell.source.strip():
            own.setdefault(last, []).append(j)
    return own


def _beneath(after: Sequence[NotebookNode], stub: str) -> tuple[list[NotebookNode], str]:
    """An essay that was written into new cells beneath the place for it."""
    texts = [cell.source for cell in after if cell.cell_type == "markdown"]
    rest = [cell for cell in after if cell.cell_type != "markdown"]
    return rest, "\n\n".join(texts) if texts else stub


def _added(given: NotebookNode, changed: NotebookNode) -> list[NotebookNode]:
    """What a learner has added to a given cell of code, such as an import; calls of helpers are not carried over."""
    theirs, ours = parsed(changed.source), parsed(given.source)
    if given.cell_type != "code" or theirs is None or ours is None:
        return []
    have = {ast.unparse(statement) for statement in ours.body}
    new = [ast.unparse(s) for s in theirs.body if ast.unparse(s) not in have and not _calls_helper(s)]
    return [nbformat.v4.new_code_cell("\n".join(new))] if new else []


def _calls_helper(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in HELPERS


def _extra(cell: NotebookNode) -> NotebookNode:
    make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
    return make(cell.source)


# ---- what is said ----------------------------------------------------------------------------------------------


def _metadata(theirs: Sequence[NotebookNode], pairs: dict[int, list[int]]) -> list[str]:
    lost = sum(_grade_id(theirs[j]) is None for js in pairs.values() for j in js)
    if not lost:
        return []
    return [f"{lost} cells had lost nbgrader's metadata (Colab and VS Code drop it); they were known by their text."]


def _order(ours: Sequence[NotebookNode], pairs: dict[int, list[int]]) -> list[str]:
    twice = [_name(ours[i]) for i, js in pairs.items() if len(js) > 1]
    missing = [_name(ours[i]) for i, js in pairs.items() if not js]
    places = [js[0] for js in pairs.values() if len(js) == 1]
    says = [f"The cell `{name}` was there more than once; the last that was worked on counts." for name in twice]
    if missing:
        says.append(f"Missing cells were put back: {', '.join(f'`{name}`' for name in missing)}.")
    if places != sorted(places):
        says.append("The cells were in another order; they are in that of the page again.")
    return says


def _kernel_says(kernel: str) -> list[str]:
    return (
        [] if kernel in ("", "python3") else [f"The notebook asked for the kernel `{kernel}`; it is run with python3."]
    )


def _course_says(theirs: Sequence[NotebookNode], code: str) -> list[str]:
    named = {found for cell in theirs if cell.cell_type == "code" for found in CODE.findall(cell.source)} - {code}
    return [f"It is a notebook of the course `{other}`; it is marked as one of `{code}`." for other in sorted(named)]


def _overrides(cells: Sequence[NotebookNode]) -> list[str]:
    names = sorted({name for cell in cells if cell.cell_type == "code" for name in _bound(cell)})
    return [f"`{name}` was given another meaning; marking uses its own." for name in names]


def _bound(cell: NotebookNode) -> Iterator[str]:
    """The helpers that a cell binds, deletes or reaches into, outside functions."""
    tree = parsed(cell.source)
    theirs = "nbgrader" not in cell.metadata or is_open(cell)
    for node in _outside(tree) if tree and theirs else []:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in HELPERS:
            yield node.name
        elif isinstance(node, ast.Name) and node.id in HELPERS and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and node.attr in HELPERS and not isinstance(node.ctx, ast.Load):
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.module != "companion.exercises":
            yield from (name for a in node.names if (name := a.asname or a.name) in HELPERS)


def _outside(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a program without the insides of its functions."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _outside(node)
