"""How the book draws: one style, one meaning a colour, lines that are labelled where they run.

Notebooks begin with `use_style()`. `show_source` puts the reference code itself on the page, so that
what you read is what runs and never a second copy.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import matplotlib.colors
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from companion.core import checks as validation
from companion.core.checks import checked

from .colors import COLORS

__all__ = ["COLORS", "band", "ink", "label_line", "show_source", "use_style"]

# The order in which lines that name no colour take one.
CYCLE = ("state", "output", "input", "loss", "gradient", "parameter", "target")


CHECKED = re.compile(r"_?checked(_\w+)?")
"""Names of a section's own checks, which hand on their first argument."""

WIDTH = 84
"""Characters in a line of code on a page, from which on it would scroll sideways."""


Color = str | tuple[float, ...]
"""A matplotlib colour, or a key of `COLORS`."""


def use_style() -> None:
    """Set matplotlib to the book's style: `book.mplstyle` beside this file, and the book's colours."""
    plt.style.use(Path(__file__).with_name("book.mplstyle"))
    plt.rcParams["axes.prop_cycle"] = plt.cycler(color=[COLORS[role] for role in CYCLE])


def ink(color: str) -> str:
    """Return `color` darkened until it reads as text on white (contrast at least 4.5 to 1)."""
    try:
        rgb = np.array(matplotlib.colors.to_rgb(color))
    except ValueError:
        raise ValueError(f"color: want a matplotlib colour, got {color!r}") from None

    def luminance(c: np.ndarray) -> float:
        return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])

    while 1.05 / (luminance(rgb) + 0.05) < 4.5:
        rgb = rgb * 0.96
    return matplotlib.colors.to_hex(rgb)


@checked
def label_line(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    color: Color,
    *,
    dx: float = 4,
    dy: float = 0,
    ha: str = "left",
    va: str = "center",
) -> Annotation:
    """Write `text` beside the point (x, y) of a line, in the line's colour (darkened to be legible).

    Parameters
    ----------
    x, y : the point, in data units. color : the line's colour, or a key of `COLORS`.
    dx, dy : offset of the label from the point, in points. ha, va : which edge of the label sits there.

    Returns
    -------
    The annotation. It takes part in the layout, so a label to the right of the axes is not cut off.
    """
    return ax.annotate(
        text,
        (x, y),
        xytext=(dx, dy),
        textcoords="offset points",
        color=ink(COLORS.get(color, color)),
        ha=ha,
        va=va,
        annotation_clip=False,
    )


@checked
def band(
    ax: Axes,
    x: Annotated[np.ndarray, "n"],
    ys: Annotated[np.ndarray, "runs", "n"],
    color: Color,
    label: str | None = None,
) -> None:
    """Draw repeated runs: every run (seed) a thin line, their median a thick one, labelled at its end.

    The label says what the lines are; color is the lines', or a key of `COLORS`.
    """
    color = COLORS.get(color, color)
    median = np.median(ys, axis=0)
    ax.plot(x, ys.T, color=color, lw=0.7, alpha=0.45)
    ax.plot(x, median, color=color, lw=2.4)
    if label is not None:
        label_line(ax, x[-1], median[-1], label, color)


def show_source(*objects: Callable | type, docstring: bool = False) -> None:
    """Display the source of functions or classes as highlighted code, one block after the other.

    Lines that only check the arguments are left out: what a reader is shown is the equations.

    Parameters
    ----------
    objects : functions or classes of `companion`.
    docstring : show docstrings whole; by default only their first line, since the text explains the rest.

    Raises
    ------
    ValueError
        If there is nothing to show, or an object has no Python source.
    """
    from IPython.display import Markdown, display

    if not objects:
        raise ValueError("objects: want at least one function or class, got none")
    blocks = [s if docstring else _without_checks(_shorten_docstrings(s)) for s in map(_source, objects)]
    display(Markdown("```python\n" + _narrow("\n\n\n".join(blocks)) + "\n```"))


def _source(item: Callable | type) -> str:
    try:
        return textwrap.dedent(inspect.getsource(item)).rstrip()
    except (TypeError, OSError):
        raise ValueError(f"objects: want functions or classes with Python source, got {item!r}") from None


def _shorten_docstrings(source: str) -> str:
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or ast.get_docstring(node) is None:
            continue
        first, last = node.body[0].lineno - 1, node.body[0].end_lineno - 1
        if last > first:
            lines[first] = lines[first].rstrip() + '"""'
            lines[first + 1 : last + 1] = [None] * (last - first)  # None: dropped below, so line numbers stay true
    return "\n".join(line for line in lines if line is not None)


def _without_checks(source: str) -> str:
    """The source without the checks of arguments, which hand on what came: `x = sequence("x", x)` goes.

    What a signature declares goes as well, with `@checked`, which looks at it: `def f(x):` is left.
    """
    lines = source.split("\n")
    for function in [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]:
        _strip_header(lines, function)
        for statement in [n for n in ast.walk(function) if isinstance(n, ast.stmt) and n is not function]:
            if (bare := _unchecked(statement)) is not None:
                first, last = statement.lineno - 1, statement.end_lineno
                bare = textwrap.indent(bare, " " * statement.col_offset) if bare else None
                lines[first:last] = [bare, *[None] * (last - first - 1)]
    return "\n".join(line for line in lines if line is not None)


def _narrow(source: str) -> str:
    """Docstrings and comments wrapped to the page's column; a comment beside a long line goes above it."""
    lines: list[str] = []
    for line in source.split("\n"):
        indent, text = line[: len(line) - len(line.lstrip())], line.lstrip()
        code, mark, comment = text.partition("  # ")
        if len(line) <= WIDTH:
            lines.append(line)
        elif text.startswith(('"""', "# ")):
            later = indent + ("# " if text.startswith("#") else "")
            lines += textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=later)
        elif mark:
            lines += [
                *textwrap.wrap(f"# {comment}", WIDTH, initial_indent=indent, subsequent_indent=f"{indent}# "),
                indent + code,
            ]
        else:
            lines.append(line)
    return "\n".join(lines)


def _strip_header(lines: list[str | None], function: ast.FunctionDef) -> None:
    """Leave `def` and the names of the arguments, without what they declare; the lines keep their numbers."""
    inner = ast.parse(ast.unparse(function)).body[0]
    inner.decorator_list = [d for d in inner.decorator_list if ast.unparse(d) != "checked"]
    inner.returns, inner.body = None, [ast.Pass()]
    for argument in [n for n in ast.walk(inner.args) if isinstance(n, ast.arg)]:
        argument.annotation = None
    text = _text(inner, False).removesuffix("\n    pass")
    if len(text) + function.col_offset > WIDTH:
        text = text.replace("(", "(\n    ", 1).removesuffix("):") + "\n):"
    first = min(n.lineno for n in [function, *function.decorator_list]) - 1
    last = next(i for i in range(function.lineno - 1, len(lines)) if lines[i].split("#")[0].rstrip().endswith(":"))
    lines[first : last + 1] = [textwrap.indent(text, " " * function.col_offset), *[None] * (last - first)]


def _unchecked(statement: ast.stmt) -> str | None:
    """A statement without its checks, empty if it is nothing else; None if it holds none, or others inside it."""
    match statement:
        case ast.If(body=[ast.Raise()], orelse=[]):
            return ""
        case ast.Expr(value=ast.Call() as call) if _checked_by(call) is not None:
            return ""
        case ast.Assign(targets=[target], value=value) if any(_checked_by(n) is not None for n in ast.walk(value)):
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = value.elts if isinstance(value, ast.Tuple) else [value]
            if len(names) != len(values):  # p, x = checked(p, x)
                passed = values[0].args if len(values) == 1 and _checked_by(values[0]) is not None else []
                return "" if {ast.unparse(n) for n in names} <= {ast.unparse(a) for a in passed} else None
            pairs = [(n, _Bare().visit(v)) for n, v in zip(names, values, strict=True)]
            pairs = [(n, v) for n, v in pairs if ast.unparse(n) != ast.unparse(v)]
            return " = ".join(", ".join(_text(v, len(pairs) == 1) for v in side) for side in zip(*pairs, strict=True))
        case ast.Return(value=value) if value and any(_checked_by(n) is not None for n in ast.walk(value)):
            return f"return {_text(_Bare().visit(value), True)}"
    return None


def _text(node: ast.AST, alone: bool) -> str:
    """The code of a node, in this book's quotes; a tuple that stands alone needs no brackets."""
    text = ast.unparse(node)
    text = text if '"' in text else text.replace("'", '"')
    return text[1:-1] if alone and isinstance(node, ast.Tuple) else text


class _Bare(ast.NodeTransformer):
    """Puts the argument in the place of a check of it."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The argument itself, where the call checks it."""
        inner = _checked_by(node)
        return self.generic_visit(node) if inner is None else self.visit(inner)


def _checked_by(node: ast.AST) -> ast.expr | None:
    """The argument that a call checks and hands on; None for anything else."""
    if not isinstance(node, ast.Call) or not node.args:
        return None
    name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
    room = getattr(getattr(node.func, "value", None), "id", "")
    if (name in validation.__all__ and room in ("", "check", "checks", "validation")) and len(node.args) > 1:
        return node.args[1]
    return node.args[0] if CHECKED.fullmatch(name) else None
