"""Parameter trees: arrays in named tuples, tuples and lists, nested as a net needs it.

None, strings and Python's numbers in a tree are settings (no bias here, the activation's name), not parameters:
`leaves` leaves them out, `map` hands them on. NumPy's scalars are arrays without axes, as NumPy has it; the arrays may
be torch's. Imported as a module and called as `tree.map`.
"""

from collections.abc import Callable
from numbers import Number
from typing import Any

__all__ = ["leaves", "map"]


def leaves(tree: Any, name: str = "p") -> dict[str, Any]:
    """Every array of a tree by its path, such as ``p.f.U`` or ``p.layers[0].W``, in the order of the fields.

    Parameters
    ----------
    tree : an array, or a (named) tuple or list of trees. name : what each path starts with.

    Returns
    -------
    dict from path to array
    """
    parts = _parts(tree, name)
    if parts is None:
        return {name: tree}
    return {path: leaf for place, part in parts.items() for path, leaf in leaves(part, place).items()}


def map(f: Callable[..., Any], *trees: Any, name: str = "p") -> Any:  # noqa: A001
    """The tree of f(leaf, …) for the leaves of trees of one form; its settings are those of the first tree.

    Parameters
    ----------
    f : a function of as many arrays as there are trees. trees : at least one. name : of the tree, for messages.

    Returns
    -------
    A tree of the first one's type.
    """
    first, parts = trees[0], [_parts(tree, name) for tree in trees]
    if any((part is None) != (parts[0] is None) or list(part or ()) != list(parts[0] or ()) for part in parts):
        raise ValueError(f"{name}: want trees of one form, got {' and '.join(f'{tree!r:.60}' for tree in trees)}")
    if parts[0] is None:
        return f(*trees)
    if _setting(first):
        return first
    made = [map(f, *(part[path] for part in parts), name=path) for path in parts[0]]
    return type(first)(*made) if hasattr(first, "_fields") else type(first)(made)


def _setting(tree: Any) -> bool:
    return tree is None or (isinstance(tree, str | Number) and not hasattr(tree, "shape"))


def _parts(tree: Any, path: str) -> dict[str, Any] | None:
    """The parts of a node by their paths, none for a setting; None for an array."""
    if _setting(tree):
        return {}
    if hasattr(tree, "_fields"):
        return {f"{path}.{field}": part for field, part in zip(tree._fields, tree, strict=True)}
    if isinstance(tree, tuple | list):
        return {f"{path}[{i}]": part for i, part in enumerate(tree)}
    if not hasattr(tree, "shape"):
        raise ValueError(f"{path}: want an array or a (named) tuple of arrays, got {type(tree).__name__}")
    return None
