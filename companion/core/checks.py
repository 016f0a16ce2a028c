"""Clear errors for bad input, one sentence each: which argument, what came, what was wanted.

Every public function of the companion passes its arguments through these few checks, so that a
wrong shape is reported where it enters and not ten lines later as a broadcasting accident.
"""

from collections.abc import Sequence
from functools import cache
from numbers import Integral, Real
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

__all__ = [
    "array",
    "choice",
    "generator",
    "integer",
    "number",
    "parameters",
    "positive",
    "probability",
    "sequence",
    "targets",
]

Kind = TypeVar("Kind")


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    text = repr(value)
    return f"{text[:60] + '…' if len(text) > 60 else text} ({type(value).__name__})"


def array(name: str, value: Any, shape: Sequence[int | str | None]) -> np.ndarray:
    """Return `value` as a finite float64 array of the given shape.

    Parameters
    ----------
    name : the argument's name, for the message.
    value : anything NumPy can turn into an array.
    shape : one entry an axis: an int is a required length; a name such as ``"tau"`` (or None)
        allows any length of at least 1.

    Raises
    ------
    ValueError
        If it is not numeric, has another shape, is empty, or holds NaN or infinity.
    """
    wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
    try:
        out = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: want numbers of shape {wanted}, got {_describe(value)}") from None
    fits = out.ndim == len(shape) and all(
        n == m if isinstance(m, Integral) else n >= 1 for n, m in zip(out.shape, shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name}: want shape {wanted}, got {out.shape}")
    if not np.isfinite(out).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(out))[0])
        raise ValueError(f"{name}: want finite numbers, got {out[where]} at index {where}")
    return out


def sequence(name: str, value: Any, width: int | None = None) -> np.ndarray:
    """Return `value` as a float64 sequence of shape (tau, width) with tau ≥ 1."""
    if isinstance(value, np.ndarray | Sequence) and getattr(value, "ndim", 1) > 0 and len(value) == 0:
        raise ValueError(f"{name}: want a sequence of at least one step, got an empty one")
    return array(name, value, ("tau", "width" if width is None else width))


def targets(name: str, value: Any, tau: int, classes: int) -> np.ndarray:
    """Return class indices of shape (tau,), each in 0 … classes − 1."""
    y = np.asarray(value)
    if y.shape != (tau,):
        raise ValueError(f"{name}: want shape ({tau},), one class a step, got {_describe(value)}")
    if y.dtype.kind not in "iu":
        raise ValueError(f"{name}: want integer classes, got {_describe(value)}")
    if ((y < 0) | (y >= classes)).any():
        bad = y[(y < 0) | (y >= classes)][0]
        raise ValueError(f"{name}: want classes in 0 … {classes - 1}, got {bad}")
    return y


def integer(name: str, value: Any, minimum: int | None = None, maximum: int | None = None) -> int:
    """Return `value` as an int in [minimum, maximum]."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"{name}: want an integer, got {_describe(value)}")
    return int(_in_range(name, value, minimum, maximum))


def number(name: str, value: Any, minimum: float | None = None, maximum: float | None = None) -> float:
    """Return `value` as a finite float in [minimum, maximum]."""
    if not isinstance(value, Real) or isinstance(value, bool) or not np.isfinite(value):
        raise ValueError(f"{name}: want a finite number, got {_describe(value)}")
    return float(_in_range(name, value, minimum, maximum))


def positive(name: str, value: Any) -> float:
    """Return `value` as a finite float above 0."""
    if (checked := number(name, value, 0)) == 0:
        raise ValueError(f"{name}: want a number above 0, got 0")
    return checked


def _in_range(name: str, value: Any, minimum: float | None, maximum: float | None) -> Any:
    if minimum is not None and value < minimum:
        raise ValueError(f"{name}: want at least {minimum}, got {value}")
    if maximum is not None and value > maximum:
        raise ValueError(f"{name}: want at most {maximum}, got {value}")
    return value


def generator(name: str, value: Any) -> np.random.Generator:
    """Return `value` if it is a NumPy random generator."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(f"{name}: want a numpy.random.Generator, got {type(value).__name__}")
    return value


def probability(name: str, value: Any) -> float:
    """Return `value` as a float in [0, 1]."""
    return number(name, value, 0, 1)


def choice(name: str, value: Any, options: Sequence[Any]) -> Any:
    """Return `value` if it is one of `options`."""
    if not any(value is option or (type(value) is type(option) and value == option) for option in options):
        raise ValueError(f"{name}: want one of {', '.join(map(repr, options))}, got {_describe(value)}")
    return value


@cache
def _declared(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def parameters(name: str, value: Any, kind: type[Kind], lead: Sequence[int | str] = (), **sizes: int) -> Kind:
    """Return parameters as float64 arrays whose shapes are those that their type declares.

    A field of a NamedTuple declares its shape by names, ``Annotated[np.ndarray, "n_h", "n_x"]``: the first array binds
    a name, the others must agree. A tuple among them is a range, ``Annotated[np.ndarray, "n_h", (0, 1)]``; a number has
    a range alone, ``Annotated[float, (0, 1)]``; words are a `Literal`; a field may be another such tuple, or None.

    Parameters
    ----------
    name : the argument's name, for the message; "" where the fields are arguments themselves.
    value : what came.
    kind : the NamedTuple that was wanted.
    lead : axes before the declared ones, such as ``("S",)`` for S networks stacked.
    sizes : lengths that are known beforehand.
    """
    return _fields(name, value, kind, tuple(lead), sizes)


def _fields(name: str, value: Any, kind: type, lead: tuple, sizes: dict[str, int]) -> Any:
    """As `parameters`; what is bound is added to `sizes`, which nested fields share."""
    if not isinstance(value, kind):
        wanted = f"{kind.__name__}({', '.join(kind._fields)})"
        raise ValueError(f"{name}: want the parameters as {wanted}, got {type(value).__name__}")
    within = f"{name}." if name else ""
    return kind(*(_field(f"{within}{k}", getattr(value, k), t, lead, sizes) for k, t in _declared(kind).items()))


def _field(name: str, value: Any, declared: Any, lead: tuple, sizes: dict[str, int]) -> Any:
    if isinstance(declared, UnionType) or (get_origin(declared) is not Annotated and type(None) in get_args(declared)):
        if value is None:
            return None
        declared = next(t for t in get_args(declared) if t is not type(None))
    if get_origin(declared) is Literal:
        return choice(name, value, get_args(declared))
    if get_origin(declared) is tuple:  # a setting, such as periods: its cell's own door looks at it
        return value
    if get_origin(declared) is not Annotated:
        return _fields(name, value, declared, lead, sizes)
    basis, *rest = get_args(declared)
    span = next((r for r in rest if isinstance(r, tuple)), (None, None))
    if basis is not np.ndarray:
        return (integer if basis is int else number)(name, value, *span)
    axes = [*lead, *(r for r in rest if isinstance(r, str))]
    out = array(name, value, [sizes.get(n, n) for n in axes])
    sizes.update(zip(axes, out.shape, strict=True))
    if span != (None, None) and ((out < span[0]) | (out > span[1])).any():
        bad = out[(out < span[0]) | (out > span[1])].flat[0]
        raise ValueError(f"{name}: want numbers in [{span[0]}, {span[1]}], got {bad}")
    return out
