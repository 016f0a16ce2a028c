"""The least of a notebook that its figures need: names, followed from each figure back to where they come from.

A notebook's statements are read in reverse, from the figure on: one that binds or changes a name that is needed is
kept, and what it reads is needed from there on. Names that a kept function reads when it is called are needed at the
figure, wherever they are bound.
"""

import ast
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import nbformat
from nbformat import NotebookNode

from .figures import FIGURE


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement at the top of a cell."""

    cell: int
    node: ast.stmt

    @cached_property
    def table(self) -> symtable.SymbolTable:
        return symtable.symtable(ast.unparse(self.node), "<cell>", "exec")

    @cached_property
    def binds(self) -> set[str]:
        """Names that it gives a value, or changes."""
        return {s.get_name() for s in self.table.get_symbols() if s.is_assigned() or s.is_imported()} | self.changes

    @cached_property
    def changes(self) -> set[str]:
        """Names of what it changes in place, as far as one can see that: `x[0] = 1`, `x.y = 1`, `x.append(1)`."""
        parts = list(_here(self.node))
        places = [n for n in parts if isinstance(n, ast.Attribute | ast.Subscript) and not isinstance(n.ctx, ast.Load)]
        calls = [n.value.func for n in parts if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]
        return {_base(n) for n in (*places, *(c for c in calls if isinstance(c, ast.Attribute)))} - {""}

    @cached_property
    def reads(self) -> set[str]:
        """Names that it needs from what ran before it."""
        match self.node:
            case ast.For(target=target, iter=source, body=body, orelse=rest):
                return _names(source) | (_exposed(body) - _names(target)) | _exposed(rest)
            case ast.If(test=test, body=body, orelse=rest) | ast.While(test=test, body=body, orelse=rest):
                return _names(test) | _exposed(body) | _exposed(rest)
        return {s.get_name() for s in self.table.get_symbols() if s.is_referenced()} | self.later

    @cached_property
    def later(self) -> set[str]:
        """Names that its functions read when they are called."""
        inner = [scope for child in self.table.get_children() for scope in _scopes(child)]
        return {s.get_name() for scope in inner for s in scope.get_symbols() if s.is_global() and s.is_referenced()}

    def before(self, names: set[str]) -> set[str]:
        """What is needed before it if `names` are needed after it."""
        fresh = ast.Assign | ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
        return (names - (self.binds - self.changes) if isinstance(self.node, fresh) else names) | self.reads


def _exposed(body: Sequence[ast.stmt]) -> set[str]:
    names: set[str] = set()
    for node in reversed(body):
        names = Statement(0, node).before(names)
    return names


def _names(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def _here(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, without the insides of functions, which run elsewhere."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _here(child)


def _base(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def needed(statements: Sequence[Statement], figure: Statement) -> set[Statement]:
    """The statements that `figure` needs, with itself."""
    earlier = statements[: statements.index(figure)]
    modules = {name for s in statements if isinstance(s.node, ast.Import | ast.ImportFrom) for name in s.binds}
    late: set[str] = set()
    while True:
        names, kept = figure.reads | late, {figure}
        for statement in reversed(earlier):
            if (statement.binds - (statement.changes & modules)) & names:
                kept.add(statement)
                names = statement.before(names)
        found = set().union(*(statement.later for statement in kept))
        if found <= late:
            return kept
        late |= found


def figures_of(cell: NotebookNode) -> list[tuple[str, str]]:
    """Kind and name of the figures that a cell's stored outputs show."""
    pages = [str(output.get("data", {}).get("text/html", "")) for output in cell.get("outputs", [])]
    return [found.groups() for found in map(FIGURE.match, pages) if found]


def names_of_figures(nb: NotebookNode) -> list[str]:
    """The names of all figures that a stored notebook shows."""
    return [name for cell in nb.cells for _, name in figures_of(cell)]


def kinds_of_figures(nb: NotebookNode) -> set[str]:
    """The kinds of the figures that a stored notebook shows."""
    return {kind for cell in nb.cells for kind, _ in figures_of(cell)}


def figures_alone(nb: NotebookNode) -> NotebookNode:
    """A notebook of the cells that show figures, each with what it needs of the cells before it."""
    cells = {i: cell for i, cell in enumerate(nb.cells) if cell.cell_type == "code"}
    statements = [Statement(i, node) for i, cell in cells.items() for node in ast.parse(cell.source).body]
    kept: set[Statement] = set()
    for i, cell in cells.items():
        if figures_of(cell):
            kept |= needed(statements, [s for s in statements if s.cell == i][-1])
    texts = ["\n".join(ast.unparse(s.node) for s in statements if s.cell == i and s in kept) for i in cells]
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in texts if text], metadata=nb.metadata
    )
