"""Clear errors for bad input, one sentence each: which argument, what came, what was wanted.

Every public function of the companion passes its arguments through these few checks, so that a
wrong shape is reported where it enters and not ten lines later as a broadcasting accident. What an
argument must be is declared once, in its annotation, and looked at by `checked` at the function's door:

    @checked
    def f(p: RNN, x: Annotated[np.ndarray, "tau", "n_x"], rho: Positive) -> float:

`p` gets the shapes that the fields of `RNN` declare, `x` as many columns as `p.U` has, and `rho` is a number above 0.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import cache, wraps
from numbers import Integral, Real
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

__all__ = [
    "Classes",
    "Count",
    "Positive",
    "Probability",
    "array",
    "checked",
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
Function = TypeVar("Function", bound=Callable)


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    text = repr(value)
    return f"{text[:60] + '…' if len(text) > 60 else text} ({type(value).__name__})"


def _axes(shape: Sequence[int | str | None]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"


def _fits(shape: tuple[int, ...], wanted: Sequence[int | str | None]) -> bool:
    if len(shape) != len(wanted):
        return False
    return all(n >= 1 if m is None or isinstance(m, str) else n == m for n, m in zip(shape, wanted, strict=True))


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
    try:
        came = np.asarray(value)
        digits = came.dtype == object and any(isinstance(item, str | bytes) for item in came.flat)
        if digits or came.dtype.kind not in "biufO":  # text, dates, complex numbers
            raise TypeError
        out = np.asarray(came, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: want numbers of shape {_axes(shape)}, got {_describe(value)}") from None
    if not _fits(out.shape, shape):
        raise ValueError(f"{name}: want shape {_axes(shape)}, got {out.shape}")
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


Count = Annotated[int, (1, None)]
"""How many: an integer of at least 1."""

Positive = Annotated[float, positive]
"""A finite number above 0."""

Probability = Annotated[float, (0, 1)]
"""A number in [0, 1]."""


class Classes(NamedTuple):
    """Declares class indices, ``y: Annotated[np.ndarray, "tau", Classes("n_o")]``: integers in 0 … n_o − 1."""

    of: str | int


@cache
def _declared(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def parameters(name: str, value: Any, kind: type[Kind], lead: Sequence[int | str] = (), **sizes: int) -> Kind:
    """Return parameters as float64 arrays whose shapes are those that their type declares.

    A field of a NamedTuple declares its shape by names, ``Annotated[np.ndarray, "n_h", "n_x"]``: the first array binds
    a name, the others must agree. Declarations that `checked` understands in a signature are understood here.

    Parameters
    ----------
    name : the argument's name, for the message; "" where the fields are arguments themselves.
    value : what came.
    kind : the NamedTuple that was wanted.
    lead : axes before the declared ones, such as ``("S",)`` for S networks stacked.
    sizes : lengths that are known beforehand.
    """
    return _fields(name, value, kind, tuple(lead), sizes)


def checked(function: Function) -> Function:
    """The same function, whose arguments are first made what their annotations declare, or refused with a clear error.

    - ``Annotated[np.ndarray, "tau", "n_x"]``: float64, finite, of this shape. The first argument that has a name among
      its axes binds it, the others must agree, so the order of the arguments matters; an integer argument binds its own
      name; an axis may be an int.
    - a NamedTuple: each of its fields as it declares; several in a union: that one which came; ``Annotated[RNN, "S"]``:
      S of them stacked, so that each field has this axis in front.
    - ``Annotated[float, (0, 1)]``, ``Annotated[int, (1, None)]``: a finite number, an integer in a range; an array with
      a range as well. `Count`, `Positive`, `Probability` are such.
    - a function among the annotations is asked, ``check(name, value) -> value``: what ranges cannot say.
    - ``Literal["a", "b"]``, ``bool``, ``str``, ``np.random.Generator``, ``Callable``; ``| None`` lets None through.

    Anything else passes unlooked at, and so does what a string annotates: torch's types, where torch may be missing.
    """
    signature = inspect.signature(function)
    read = {name: _reader(parameter.annotation) for name, parameter in signature.parameters.items()}

    @wraps(function)
    def door(*args: Any, **kwargs: Any) -> Any:
        came = signature.bind(*args, **kwargs)
        came.apply_defaults()
        sizes = {}
        for name, value in came.arguments.items():
            value = read[name](name, value, (), sizes)
            came.arguments[name] = value
            if isinstance(value, int):
                sizes.setdefault(name, value)
        return function(*came.args, **came.kwargs)

    return door


Reader = Callable[[str, Any, tuple, dict[str, int]], Any]
"""How an argument, or a field of one, is looked at: name, value, axes in front, sizes so far → what was declared."""


def _fields(name: str, value: Any, kind: type, lead: tuple, sizes: dict[str, int]) -> Any:
    """As `parameters`; what is bound is added to `sizes`, which nested fields share."""
    if not isinstance(value, kind):
        wanted = f"{kind.__name__}({', '.join(kind._fields)})"
        raise ValueError(f"{name}: want the parameters as {wanted}, got {type(value).__name__}")
    within = f"{name}." if name else ""
    fields = zip(_readers(kind), value, strict=True)
    return type(value)(*[read(f"{within}{k}", v, lead, sizes) for (k, read), v in fields])


@cache
def _readers(kind: type) -> list[tuple[str, Reader]]:
    wanted = _declared(kind)
    return [(k, _reader(wanted.get(k))) for k in kind._fields]


SIMPLE = {
    bool: lambda name, value: choice(name, value, (True, False)),
    int: integer,
    float: number,
    str: lambda name, value: _instance(name, value, str, "text"),
    np.random.Generator: generator,
}


def _instance(name: str, value: Any, kind: type | tuple, wanted: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{name}: want {wanted}, got {_describe(value)}")
    return value


@cache
def _reader(declared: Any) -> Reader:
    """What looks at an argument of this annotation; annotations are read once."""
    origin = get_origin(declared)
    if origin in (Union, UnionType):
        return _one_of(get_args(declared))
    if declared in SIMPLE:
        simple = SIMPLE[declared]
        return lambda name, value, lead, sizes: simple(name, value)
    if origin is Annotated:
        return _annotated(*get_args(declared))
    if origin is Literal:
        return lambda name, value, lead, sizes: choice(name, value, get_args(declared))
    if origin is Callable or declared is Callable:
        return lambda name, value, lead, sizes: _instance(name, value, Callable, "a function")
    if isinstance(declared, type) and hasattr(declared, "_fields"):
        return lambda name, value, lead, sizes: _fields(name, value, declared, lead, sizes)
    return _unlooked


def _unlooked(name: str, value: Any, lead: tuple, sizes: dict[str, int]) -> Any:
    return value


def _one_of(options: tuple) -> Reader:
    """What came, as that part of a union which it is; unlooked at if the parts are not all NamedTuples."""
    kinds = [t for t in options if t is not type(None)]
    if len(kinds) == 1:
        some = _reader(kinds[0])
    elif all(hasattr(t, "_fields") for t in kinds):
        wanted = " or ".join(t.__name__ for t in kinds)

        def some(name: str, value: Any, lead: tuple, sizes: dict[str, int]) -> Any:
            return _fields(name, _instance(name, value, tuple(kinds), wanted), type(value), lead, sizes)
    else:
        some = _unlooked
    if len(kinds) == len(options):
        return some
    return lambda name, value, lead, sizes: None if value is None else some(name, value, lead, sizes)


def _annotated(basis: Any, *rest: Any) -> Reader:
    span = next((r for r in rest if type(r) is tuple), (None, None))
    checks = list(filter(inspect.isfunction, rest))
    if basis is np.ndarray:
        axes = [r for r in rest if isinstance(r, str | int)]
        classes = next((r.of for r in rest if isinstance(r, Classes)), None)
        look = _array_of(axes, span) if classes is None else _classes_of(axes, classes)
    elif basis in (int, float):
        bounded = integer if basis is int else number

        def look(name: str, value: Any, lead: tuple, sizes: dict[str, int]) -> Any:
            return bounded(name, value, *span)
    else:
        within, front = _reader(basis), tuple(r for r in rest if isinstance(r, str))

        def look(name: str, value: Any, lead: tuple, sizes: dict[str, int]) -> Any:
            return within(name, value, (*lead, *front), sizes)

    if not checks:
        return look

    def whole(name: str, value: Any, lead: tuple, sizes: dict[str, int]) -> Any:
        out = look(name, value, lead, sizes)
        for check in checks:
            out = check(name, out)
        return out

    return whole


def _array_of(axes: list[int | str], span: tuple) -> Reader:
    def look(name: str, value: Any, lead: tuple, sizes: dict[str, int]) -> np.ndarray:
        out = _shaped(name, value, [*lead, *axes], sizes)
        return out if span == (None, None) else _in_span(name, out, *span)

    return look


def _classes_of(axes: list[int | str], classes: int | str) -> Reader:
    def look(name: str, value: Any, lead: tuple, sizes: dict[str, int]) -> np.ndarray:
        length = [*lead, *axes][0]
        if length not in sizes:
            _some_steps(name, value)
        return targets(name, value, sizes.setdefault(length, np.size(value)), sizes.get(classes, classes))

    return look


def _shaped(name: str, value: Any, axes: list[int | str], sizes: dict[str, int]) -> np.ndarray:
    """An array whose axes have the lengths in `sizes`, to which those that are new are added."""
    if axes[:1] == ["tau"]:
        _some_steps(name, value)
    out = array(name, value, [sizes.get(n, n) for n in axes])
    for n, m in zip(axes, out.shape, strict=True):
        sizes.setdefault(n, m)
    return out if len({*axes}) == len(axes) else array(name, out, [sizes[n] for n in axes])


def _some_steps(name: str, value: Any) -> None:
    if np.size(value) == 0:
        raise ValueError(f"{name}: want a sequence of at least one step, got an empty one")


def _in_span(name: str, out: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    outside = (out < (-np.inf if low is None else low)) | (out > (np.inf if high is None else high))
    if outside.any():
        span = f"in [{low}, {high}]" if high is not None else f"of at least {low}"
        raise ValueError(f"{name}: want numbers {span}, got {out[outside].flat[0]}")
    return out
