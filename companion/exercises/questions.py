"""Questions that the page itself judges: one of several, a number, a bug, lines to put in order, a figure's goal.

Each is data with a `judge`, which the page's script follows to the letter (a test asks both), and each answers with the
reason, also where the attempt is right. They are for practice: who reads a page's source reads their answers.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .verdict import Verdict

if TYPE_CHECKING:
    from companion.figures import Explorable

__all__ = ["Asked", "FigureGoal", "FindBug", "MultipleChoice", "Numerical", "Option", "Parsons", "Rule", "variant"]

VARIANTS = 8  # of a question whose numbers a course varies


def variant(course: str) -> int:
    """Which of the variants a course gets: 0 without a course; the page counts in the same way."""
    h = 0
    for character in course:
        h = (h * 31 + ord(character)) % 2**32
    return h % VARIANTS


class Option(NamedTuple):
    """One possible answer, what is said to who chooses it, and whether it is right."""

    words: str
    says: str
    right: bool = False


@dataclass(frozen=True, kw_only=True)
class Question:
    """What all have: an id such as ``"10.2.2-first-copy"``, a title, hints one by one, and the answer in words."""

    id: str
    title: str
    stars: int = 1
    minutes: int = 2
    hints: Sequence[str] = ()
    answer: str

    def spec(self) -> dict[str, Any]:
        """What the page needs to know."""
        return {
            "id": self.id,
            "type": type(self).__name__,
            "title": self.title,
            "stars": self.stars,
            "minutes": self.minutes,
            "hints": list(self.hints),
            "answer": self.answer,
        }


def _mixed(id: str, options: Sequence[Option]) -> list[Option]:
    """The options in the order in which they are shown, which the id fixes; authors may write the right one first."""
    rng = np.random.default_rng(zlib.crc32(id.encode()))
    return [options[i] for i in rng.permutation(len(options))]


def _one_is_right(name: str, options: Sequence[Option]) -> None:
    if len(options) < 2 or sum(option.right for option in options) != 1:
        raise ValueError(
            f"{name}: want at least two, and one of them right, got {[o.words for o in options if o.right]}"
        )


def _nth(options: Sequence[Option], number: int) -> Option:
    if not 1 <= number <= len(options):
        raise ValueError(f"answer: want a number from 1 to {len(options)}, got {number}")
    return options[number - 1]


@dataclass(frozen=True, kw_only=True)
class MultipleChoice(Question):
    """One of several answers is right, and each says why."""

    ask: str
    options: Sequence[Option]

    def __post_init__(self) -> None:
        _one_is_right("options", self.options)
        object.__setattr__(self, "options", _mixed(self.id, self.options))

    def judge(self, answer: int) -> Verdict:
        """The verdict on the option with this number, from 1 on."""
        option = _nth(self.options, answer)
        return Verdict(option.right, option.says)

    def spec(self) -> dict[str, Any]:
        """What the page needs to know."""
        return {**super().spec(), "ask": self.ask, "options": [list(option) for option in self.options]}


class Asked(NamedTuple):
    """A question with its numbers: the words, the value, what is said to it, and to values that betray something."""

    words: str
    value: float
    says: str
    betrays: Mapping[float, str]


@dataclass(frozen=True, kw_only=True)
class Numerical(Question):
    """A number is asked, within a relative tolerance; known wrong values are answered by what they betray."""

    ask: Callable[[np.random.Generator], Asked]
    tolerance: float = 0.01
    variants: tuple[Asked, ...] = field(init=False)

    def __post_init__(self) -> None:
        drawn = [self.ask(np.random.default_rng(k)) for k in range(VARIANTS)]
        same = all(asked == drawn[0] for asked in drawn)
        object.__setattr__(self, "variants", tuple(drawn[:1] if same else drawn))
        for asked in self.variants:
            if clash := [v for v in asked.betrays if self._close(v, asked.value)]:
                raise ValueError(f"ask: want betraying values away from {asked.value}, got {clash}")

    def _close(self, got: float, want: float) -> bool:
        return abs(got - want) <= self.tolerance * max(abs(want), 1e-9)

    def asked(self, course: str = "") -> Asked:
        """The question as this course gets it."""
        return self.variants[variant(course) % len(self.variants)]

    def judge(self, answer: float, course: str = "") -> Verdict:
        """The verdict on a number."""
        asked = self.asked(course)
        if self._close(answer, asked.value):
            return Verdict(True, asked.says)
        for value, says in asked.betrays.items():
            if self._close(answer, value):
                return Verdict(False, says)
        way = "too large" if answer > asked.value else "too small"
        return Verdict(False, f"That is {way}.")

    def spec(self) -> dict[str, Any]:
        """What the page needs to know."""
        variants = [[a.words, a.value, a.says, [list(pair) for pair in a.betrays.items()]] for a in self.variants]
        return {**super().spec(), "tolerance": self.tolerance, "variants": variants}


@dataclass(frozen=True, kw_only=True)
class FindBug(Question):
    """One line of some code is wrong: choose it, then the reason.

    Parameters
    ----------
    ask : what the code should do.
    code : its lines.
    line : the wrong one, counted from 1.
    lines : what is said to who chooses another line, by its number; `otherwise` for those that are not named.
    reasons : why that line is wrong; one is right.
    """

    ask: str
    code: str
    line: int
    lines: Mapping[int, str]
    reasons: Sequence[Option]
    otherwise: str = "This line does what it should."

    def __post_init__(self) -> None:
        _one_is_right("reasons", self.reasons)
        object.__setattr__(self, "reasons", _mixed(self.id, self.reasons))
        if not 1 <= self.line <= len(self.code.splitlines()) or self.line in self.lines:
            raise ValueError(f"line: want the number of one line that `lines` does not excuse, got {self.line}")

    def judge(self, answer: tuple[int, int]) -> Verdict:
        """The verdict on a line and a reason, by their numbers from 1 on; 0 is no reason yet."""
        line, reason = answer
        if line != self.line:
            return Verdict(False, self.lines.get(line, self.otherwise))
        if reason == 0:
            return Verdict(False, "That is the line. Now choose the reason.")
        chosen = _nth(self.reasons, reason)
        return Verdict(chosen.right, chosen.says)

    def spec(self) -> dict[str, Any]:
        """What the page needs to know."""
        code = self.code.splitlines()
        says = [self.lines.get(n, self.otherwise) for n in range(1, len(code) + 1)]
        reasons = [list(reason) for reason in self.reasons]
        return {**super().spec(), "ask": self.ask, "code": code, "line": self.line, "says": says, "reasons": reasons}


class Rule(NamedTuple):
    """Line `first` stands before line `then` (numbers in the right order, from 1 on), because."""

    first: int
    then: int
    because: str


@dataclass(frozen=True, kw_only=True)
class Parsons(Question):
    """Lines of a program to put in order; some may have to be left out.

    Parameters
    ----------
    ask : what the program should do.
    code : its lines in a right order.
    rules : which must stand before which; an order that breaks none of them is right.
    extra : lines that do not belong, and what is said to who uses them.
    """

    ask: str
    code: str
    rules: Sequence[Rule]
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """All lines, those that do not belong at the end."""
        return [*self.code.splitlines(), *self.extra]

    @property
    def shuffled(self) -> list[int]:
        """The order in which the lines are first shown, numbers from 1 on: never a right one."""
        rng = np.random.default_rng(len(self.code))
        while True:
            order = [int(i) + 1 for i in rng.permutation(len(self.lines))]
            if self.extra or not self.judge(order).done:
                return order

    def judge(self, answer: Sequence[int]) -> Verdict:
        """The verdict on some lines in order, by their numbers."""
        n = len(self.code.splitlines())
        for line in answer:
            if line > n:
                return Verdict(False, list(self.extra.values())[line - n - 1])
        if missing := [i for i in range(1, n + 1) if i not in answer]:
            return Verdict(False, f"A line is missing that the program needs: `{self.lines[missing[0] - 1].strip()}`.")
        for first, then, because in self.rules:
            if answer.index(first) > answer.index(then):
                return Verdict(False, because)
        return Verdict(True, self.answer)

    def spec(self) -> dict[str, Any]:
        """What the page needs to know."""
        return {
            **super().spec(),
            "ask": self.ask,
            "code": self.code.splitlines(),
            "extra": [list(pair) for pair in self.extra.items()],
            "rules": [list(rule) for rule in self.rules],
            "shuffled": self.shuffled,
        }


@dataclass(frozen=True, kw_only=True)
class FigureGoal(Question):
    """A figure to bring to its goal: the figure's own `Goal` judges the state that it is in, and names the cause.

    Parameters
    ----------
    figure : makes the figure, with one goal that depends on sliders with values, or on choices.
    """

    figure: "Callable[[], Explorable]"

    @cached_property
    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The figure's specification without its goal, and the goal's."""
        spec = dict(self.figure().spec)
        (goal,) = spec.pop("goals")
        return spec, goal

    def judge(self, answer: Mapping[str, Any]) -> Verdict:
        """The verdict on the figure in a state, {control: value}."""
        figure, goal = self._parts
        controls = {c["name"]: c.get("values") or c["options"] for c in figure["controls"]}
        place = 0
        for name in goal["axes"]:
            place = place * len(controls[name]) + controls[name].index(answer[name])
        return Verdict(*goal["verdicts"][goal["table"][place]])

    def spec(self) -> dict[str, Any]:
        """What the page needs to know."""
        figure, goal = self._parts
        return {**super().spec(), "goal": goal, "controls": figure["controls"], "figure": figure}
