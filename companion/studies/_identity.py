"""What a row is: its settings and key as plain values, the code that makes it, and a hash of all three."""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["code_of", "digest", "plain", "row_hash", "seen_by_a_row"]

NO_BEHAVIOUR = {"annotation", "returns", "type_comment", "type_ignores", "type_params", "ctx", "kind"}


def plain(value: Any) -> Any:
    """A value as JSON gives it back: named tuples and keys of any type become dicts with strings, tuples lists."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def digest(value: Any) -> str:
    """Sixteen hexadecimal digits that change with a plain value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def seen_by_a_row(study: ModuleType, settings: Any) -> SimpleNamespace:
    """The settings that `run` is given: all but those that say only which rows there are or how they are judged."""
    unseen, fields = getattr(study, "UNSEEN", ()), settings._asdict()
    if unknown := set(unseen) - fields.keys():
        raise ValueError(f"UNSEEN: want names of settings ({', '.join(fields)}), got {', '.join(sorted(unknown))}")
    return SimpleNamespace(**{k: v for k, v in fields.items() if k not in unseen})


def row_hash(study: ModuleType, settings: Any, key: dict[str, Any]) -> str:
    """The hash of everything that the study decides for a row: its key, the settings it sees, the code that makes it.

    Parameters
    ----------
    study : its module. settings : all of them, or those that a row sees. key : of the row.
    """
    seen = settings if isinstance(settings, SimpleNamespace) else seen_by_a_row(study, settings)
    return digest([plain(key), plain(vars(seen)), code_of(study.__file__)])


@cache
def code_of(path: str) -> str:
    """The hash of the code that `run` reaches within a module, without comments, docstrings and annotations.

    Other functions, such as `plan` and `judge`, may change without making a row stale.
    """
    bound: dict[str, list] = {}
    for statement in ast.parse(Path(path).read_text(encoding="utf-8")).body:
        for name, node in _bindings(statement):
            bound.setdefault(name, []).append(node)
    reached: dict[str, list] = {}
    todo = ["run"]
    while todo:
        if (name := todo.pop()) in bound and name not in reached:
            reached[name] = [_behaviour(node) for node in bound[name]]
            todo += sorted({n.id for node in bound[name] for n in _walk(node) if isinstance(n, ast.Name)})
    return digest(reached)


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, Any]]:
    """The names that a statement at the top of a module binds, with what binds them."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:  # one by one, so that an import of something else changes nothing
            yield alias.asname or alias.name.partition(".")[0], [getattr(statement, "module", None), alias.name]
    elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name, statement
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, statement


def _parts(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """The fields of a node that change what it does."""
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            value = [v for v in value if not (isinstance(v, ast.Expr) and isinstance(v.value, ast.Constant))]
        if name not in NO_BEHAVIOUR and value is not None and value != []:
            yield name, value


def _behaviour(node: Any) -> Any:
    """A tree of plain lists that is the same for the same code, in every version of Python."""
    if isinstance(node, ast.AST):
        return [type(node).__name__, *([name, _behaviour(value)] for name, value in _parts(node))]
    return [_behaviour(v) for v in node] if isinstance(node, list) else repr(node)


def _walk(node: Any) -> Iterator[ast.AST]:
    """All nodes that change what a node does, itself included."""
    if isinstance(node, ast.AST):
        yield node
        for _, value in _parts(node):
            for part in value if isinstance(value, list) else [value]:
                yield from _walk(part)
