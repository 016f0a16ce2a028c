"""Exercises whose answer is a function: it runs, its shapes, its values, its gradients, each rung named when it breaks.

An answer that fails is compared with the wrong ones that the exercise ships: if it gives what one of them gives, the
reader is told which misconception it looks like.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.core import tree

from .child import run
from .verdict import Verdict

CALM = 1e-12  # rounding differs between machines below it: what is printed says no more


@dataclass(frozen=True)
class Wrong:
    """A known wrong solution: a name for it, the function itself, and what to say to an answer that gives the same."""

    name: str
    solution: Callable[..., Any]
    says: str


@dataclass(frozen=True)
class Implement:
    """A function to write, or to repair.

    Parameters
    ----------
    id : section and slug, such as ``"10.2.2-squared"``.
    reference : a function that is right.
    cases : draws, from a generator, the arguments of each call.
    wrong : at least three wrong solutions, each with what to say.
    gradients : the parts of what is returned that are gradients, by their paths' beginnings; they are looked at last.
    tolerance : largest error at any index, relative to the largest entry of its array.
    seconds : for all calls together.
    """

    id: str
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], Sequence[tuple]]
    wrong: Sequence[Wrong]
    gradients: Sequence[str] = ()
    tolerance: float = 1e-6
    seconds: float = 10.0

    def judge(self, answer: Any, rng: np.random.Generator) -> Verdict:
        """Climb the ladder with the reader's function, on cases drawn with `rng`."""
        if not callable(answer):
            return Verdict(False, f"want a function, got {type(answer).__name__}.")
        calls = self.cases(rng)
        ended = run(answer, calls, self.seconds)
        if ended.values is None:
            return Verdict(False, f"{_name(answer)} does not run: {ended.says}", "runs")
        if any(value is None for value in ended.values):
            return Verdict(False, f"{_name(answer)} returns None. Does it end in a `return`?", "runs")
        wanted = [self.reference(*arguments) for arguments in calls]
        worst = 0.0
        for rung, compare in (("shapes", self._shapes), ("values", self._values), ("gradients", self._values)):
            for got, want in zip(ended.values, wanted, strict=True):
                error, says = compare(got, want, rung)
                if says:
                    return Verdict(False, f"{says}{self._looks_like(ended.values, calls)}", rung)
                worst = max(worst, error)
        return Verdict(True, f"largest relative error {_decade(worst)}, at most {self.tolerance:g} is asked", "all")

    @property
    def rungs(self) -> list[str]:
        """What the ladder looks at, in order."""
        return ["runs", "shapes", "values", *(["gradients"] if self.gradients else [])]

    def _shapes(self, got: Any, want: Any, _rung: str) -> tuple[float, str]:
        ours, theirs = _leaves(got), _leaves(want)
        if isinstance(ours, str):
            return 0, ours
        if len(ours) != len(theirs):
            return 0, f"{_count(len(theirs))} wanted, got {_count(len(ours))}."
        for (path, g), w in zip(ours.items(), theirs.values(), strict=True):
            if g.shape != w.shape:
                turned = " That is the transposed shape." if g.shape == w.shape[::-1] else ""
                return 0, f"{path} has shape {g.shape}, want {w.shape}.{turned}"
        return 0, ""

    def _values(self, got: Any, want: Any, rung: str) -> tuple[float, str]:
        worst = 0.0
        for path, g, w in zip(_leaves(want), _leaves(got).values(), _leaves(want).values(), strict=True):
            last = any(path.removeprefix("result.").startswith(name) for name in self.gradients)
            if last != (rung == "gradients") or not w.size:
                continue
            error, index = relative(g, w)
            if not error <= self.tolerance:
                place = f"{path}[{', '.join(map(str, index))}]" if index else path
                return 0, (
                    f"{place} is {g[index]:.6g}, want {w[index]:.6g}: relative error {error:.1e}, "
                    f"at most {self.tolerance:g} is asked."
                )
            worst = max(worst, error)
        return worst, ""

    def _looks_like(self, values: list[Any], calls: Sequence[tuple]) -> str:
        for wrong in self.wrong:
            theirs = run(wrong.solution, calls, self.seconds, fork=False).values
            if theirs is not None and all(_same(g, w, self.tolerance) for g, w in zip(values, theirs, strict=True)):
                return f" {wrong.says}"
        return ""


def relative(g: np.ndarray, w: np.ndarray) -> tuple[float, tuple[int, ...]]:
    """The largest error relative to the largest entry that is wanted, and where it stands; infinite for NaN."""
    error = np.nan_to_num(np.abs(g - w), nan=np.inf)
    index = tuple(int(i) for i in np.unravel_index(error.argmax(), error.shape))
    scale = float(np.abs(w).max()) or 1.0
    return float(error[index]) / scale, index


def _same(got: Any, want: Any, tolerance: float) -> bool:
    ours, theirs = _leaves(got), _leaves(want)
    if isinstance(ours, str) or isinstance(theirs, str) or len(ours) != len(theirs):
        return False
    pairs = list(zip(ours.values(), theirs.values(), strict=True))
    return all(g.shape == w.shape and (not w.size or relative(g, w)[0] <= tolerance) for g, w in pairs)


def _leaves(value: Any) -> dict[str, np.ndarray] | str:
    """The arrays of what a function returned, by their paths; or a sentence on what cannot be read as numbers."""
    if isinstance(value, dict):
        value = tuple(value.values())
    try:
        parts = tree.leaves(_arrays(value), "result")
        if parts:
            return {path: np.asarray(part, dtype=np.float64) for path, part in parts.items()}
    except (TypeError, ValueError):
        pass
    return f"want arrays of numbers, got {type(value).__name__}."


def _arrays(value: Any) -> Any:
    """Numbers, and lists of them, as arrays; tuples stay what they are."""
    if hasattr(value, "_fields"):
        return type(value)(*map(_arrays, value))
    if isinstance(value, tuple):
        return tuple(map(_arrays, value))
    return value if hasattr(value, "shape") or value is None or isinstance(value, str) else np.asarray(value, float)


def _count(n: int) -> str:
    return f"{n} arrays" if n > 1 else "one array"


def _decade(error: float) -> str:
    return f"under {10.0 ** (math.floor(math.log10(max(error, CALM / 10))) + 1):.0e}"


def _name(answer: Callable) -> str:
    return getattr(answer, "__name__", "your function")
