"""The reference of the package, from its docstrings: a page for each group of rooms, written when the book is built.

The sources are read, not imported, so that a build waits for no PyTorch.
"""

import ast
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

from sphinx.application import Sphinx

from companion.sections import SECTIONS, order

from .filled import below
from .terms import slugify

FOLDER, BIBLIOGRAPHY = "book/reference/", "book/bibliography.md"


def _between(first: str, last: str) -> list[str]:
    rooms = order()
    return rooms[rooms.index(first) : rooms.index(last) + 1]


#: Which rooms stand on which page.
GROUPS = {
    "foundations": ["core", "cells", "data", "search", "training"],
    "unfolding_to_context": _between("unfolding", "context"),
    "bidirectional_to_recursive": _between("bidirectional", "recursive"),
    "longterm_to_timescales": _between("longterm", "timescales"),
    "gated_to_memory": _between("gated", "memory"),
    "practice": [section.modules[0] for section in SECTIONS if section.part == "Practice"],
    "figures": ["figures", "exercises"],
}
RULED = re.compile(r"^(\w+)\n-{3,}\n", re.MULTILINE)
CITED = re.compile(r"^Reference: (.+)$", re.MULTILINE)
SIGNS = re.compile(r"([\\*_\[\]<>$|~^{}#`])")


class Entry(NamedTuple):
    """A public name: how it is called, what its docstring says, and what is said of its parts."""

    name: str
    call: str
    text: str
    parts: list[tuple[str, str]]


def plain(text: str) -> str:
    """Words of a docstring as Markdown that shows them as they stand; what is between backticks is code."""
    pieces = re.split(r"(``.+?``|`[^`\n]+`)", text)
    return "".join(p if i % 2 else SIGNS.sub(r"\\\1", p) for i, p in enumerate(pieces))


def _text(node: ast.AST) -> str:
    return ast.get_docstring(node) or ""


def _shape(annotation: ast.expr | None, aliases: dict[str, str]) -> str:
    """The shape that an annotation declares, such as ``(tau, n_x)``, or nothing."""
    if isinstance(annotation, ast.BinOp):
        return _shape(annotation.left, aliases)
    if isinstance(annotation, ast.Name):
        return aliases.get(annotation.id, "")
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
        sizes = [e.value for e in getattr(annotation.slice, "elts", [])[1:] if isinstance(e, ast.Constant)]
        if sizes and all(isinstance(size, str | int) for size in sizes):
            return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"
    return ""


def _call(name: str, arguments: ast.arguments) -> str:
    bare = ast.parse(f"def f({ast.unparse(arguments)}): ...").body[0].args
    for arg in ast.walk(bare):
        if isinstance(arg, ast.arg):
            arg.annotation = None
    return f"{name}({re.sub(r'^(self|cls)(, )?', '', ast.unparse(bare))})"


def _function(node: ast.FunctionDef, aliases: dict[str, str]) -> Entry:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    shapes = [(arg.arg, shape) for arg in every if (shape := _shape(arg.annotation, aliases))]
    return Entry(node.name, _call(node.name, node.args), _text(node), shapes)


def _class(node: ast.ClassDef, aliases: dict[str, str]) -> Entry:
    fields = [f for f in node.body if isinstance(f, ast.AnnAssign) and not ast.unparse(f.target).startswith("_")]
    methods = [m for m in node.body if isinstance(m, ast.FunctionDef)]
    made = next((m.args for m in methods if m.name == "__init__"), None)
    call = _call(node.name, made) if made else f"{node.name}({', '.join(ast.unparse(f.target) for f in fields)})"
    parts = [(ast.unparse(f.target), shape) for f in fields if (shape := _shape(f.annotation, aliases))]
    public = [m for m in methods if not m.name.startswith("_")]
    parts += [("." + _call(m.name, m.args), _text(m).split("\n\n")[0]) for m in public]
    return Entry(node.name, call if made or fields else node.name, _text(node), parts)


def entries(source: str) -> list[Entry]:
    """The names that a module makes public and defines itself, in the order in which they are defined.

    Parameters
    ----------
    source : of the module.
    """
    body = ast.parse(source).body
    named, aliases, found = set(), {}, []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name == "__all__":
                named = {c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)}
            aliases[name] = _shape(node.value, aliases)
            said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            text = str(after.value.value) if said else f"`{shorten(ast.unparse(node.value), 80, placeholder='…')}`"
            found.append(Entry(name, name, text, [(name, aliases[name])] if aliases[name] else []))
        elif isinstance(node, ast.FunctionDef):
            found.append(_function(node, aliases))
        elif isinstance(node, ast.ClassDef):
            found.append(_class(node, aliases))
    return [entry for entry in found if entry.name in named]


def cited(bibliography: str) -> dict[str, str]:
    """The names and the year of each work, by its key, as the page of the bibliography has them."""
    return dict(re.findall(r'<a id="(\w+)"></a>\*\*(.+?)\.\*\*', bibliography))


def _paragraphs(text: str, works: dict[str, str]) -> Iterator[str]:
    """A docstring as Markdown: what is ruled off gets a bold word, citations become links."""
    first, *ruled = RULED.split(text)
    for head, body in (("", first), *zip(ruled[::2], ruled[1::2], strict=True)):
        keys = re.findall(r"\w+", " ".join(CITED.findall(body)))
        told = [re.sub(r"\s*\n\s*", " ", block).strip() for block in CITED.sub("", body).strip().split("\n\n")]
        if head in ("Parameters", "Returns", "Raises"):
            told = [" ".join(re.sub(r"\n\s+", " ", body_line) for body_line in _lines(CITED.sub("", body)))]
        lead = f"*{head}.* " if head else ""
        yield from (f"{lead if i == 0 else ''}{plain(block)}" for i, block in enumerate(told) if block)
        if keys:
            yield "; ".join(f"[{works[key]}](../bibliography.md#{key})" for key in keys)


def _lines(body: str) -> list[str]:
    """The lines of a part that is ruled off, each with what is indented below it."""
    lines: list[str] = []
    for line in body.strip().splitlines():
        if line.startswith(" ") and lines:
            lines[-1] += " " + line.strip()
        elif line.strip():
            lines.append(line.strip())
    return lines


def item(entry: Entry, works: dict[str, str]) -> str:
    """An entry in Markdown; works : how each is named that may be cited."""
    told = list(_paragraphs(entry.text, works))
    if shapes := [f"`{name} {shape}`" for name, shape in entry.parts if not name.startswith(".")]:
        told.append("*Shapes.* " + ", ".join(shapes))
    told += [f"`{name}` {plain(' '.join(text.split()))}" for name, text in entry.parts if name.startswith(".")]
    return f"`{entry.call}`\n: " + "\n\n  ".join(told)


def files(package: Path, room: str) -> list[Path]:
    """The modules of a room that are not its own business, the room itself first."""
    if (package / f"{room}.py").exists():
        return [package / f"{room}.py"]
    return sorted(path for path in (package / room).rglob("*.py") if path.stem == "__init__" or path.stem[0] != "_")


def written(package: Path, group: str, works: dict[str, str]) -> str:
    """One page in Markdown.

    Parameters
    ----------
    package : the folder of the package. group : one of `GROUPS`. works : how each is named that may be cited.
    """
    parts = []
    for room in GROUPS[group]:
        pages = [f"[{s.number}](../{s.page}.ipynb)" for s in SECTIONS if room in (m.split(".")[0] for m in s.modules)]
        parts.append(f"## {room}\n")
        if room != "cells" and pages:
            parts.append(f"Section {', '.join(pages)}.\n")
        for path in files(package, room):
            source = path.read_text("utf-8")
            dotted = ".".join(("companion", *path.relative_to(package).with_suffix("").parts)).removesuffix(".__init__")
            if found := entries(source):
                about = plain(_text(ast.parse(source)).split("\n\n")[0].replace("\n", " "))
                parts += [
                    f"### {dotted}\n",
                    f"{about}\n",
                    *(f'<a id="{dotted}.{entry.name}"></a>{item(entry, works)}\n' for entry in found),
                ]
    return "\n".join(parts)


def address(package: Path, name: str) -> str:
    """Where the reference tells of a name such as ``companion.longterm.powers.trajectory``: the page, and the place.

    A name that its module does not make public has no entry; of it, the place is that of the module.
    """
    module, last = name.rsplit(".", 1)
    room, *within = module.split(".")[1:]
    (group,) = [group for group, rooms in GROUPS.items() if room in rooms]
    path = package.joinpath(room, *within)
    source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8")
    known = last in {entry.name for entry in entries(source)}
    return f"{group}.md#{name if known else slugify(module)}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages when they are read."""
    package, bibliography = Path(__file__).parents[1], Path(app.srcdir, BIBLIOGRAPHY)

    def page(group: str) -> str:
        return written(package, group, cited(bibliography.read_text("utf-8")))

    for group, rooms in GROUPS.items():
        sources = [Path(__file__), bibliography, *(path for room in rooms for path in files(package, room))]
        told = below(app, FOLDER + group, partial(page, group), sources)
    return told
