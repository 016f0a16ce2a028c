"""Exercises that answer back: questions that a page judges by itself, and functions that `check` puts to the test.

    from companion.exercises import check, question

    question("10.2.2-window")             # choose, type a number, find the bug, put lines in order; hints after a try
    check("10.2.2-squared", my_function)  # runs → shapes → values → gradients; raises `NotYet` with the reason

The exercises of a section stand in a module of `companion.exercises.bank`: what is asked, what is right, and each known
way of being wrong with what to say to it. Their pages are notebooks in ``book/exercises``. `course` sets the code of a
course, which varies the numbers and the cases. Where ``COMPANION_GRADING`` in the environment holds a seed, `check`
draws other cases than the learner has seen.
"""

import os
import zlib
from typing import Any

import numpy as np

from .bank import exercise, exercises
from .ladder import Implement
from .questions import Numerical
from .verdict import Verdict

__all__ = ["NotYet", "check", "course", "exercise", "exercises", "question"]

_COURSE = "COMPANION_COURSE"
GRADING = "COMPANION_GRADING"


class NotYet(AssertionError):
    """An attempt that is not right yet; a notebook shows the reason alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"✗ {self}"]


def course(code: str | None = None) -> str:
    """The code of the course, after setting it to `code` if that is given; "" without a course."""
    if code is not None:
        os.environ[_COURSE] = str(code)
    return os.environ.get(_COURSE, "")


def check(id: str, answer: Any) -> None:
    """Judge an answer, say how it stands, and raise `NotYet` with the reason if it is not right.

    Parameters
    ----------
    id : the exercise, such as ``"10.2.2-squared"``.
    answer : a function where one is to be written; the number of an option from 1 on, a number, (line, reason), or the
        lines in order, or the state of a figure, where a question is asked.

    Raises
    ------
    NotYet
        If the answer is not right yet.
    ValueError
        If there is no such exercise.
    """
    verdict = judge(id, answer, course(), os.environ.get(GRADING, ""))
    if not verdict.done:
        raise NotYet(f"{id}: {verdict.says}")
    item = exercise(id)
    head = " · ".join(item.rungs) + "; " if isinstance(item, Implement) else ""
    print(f"✓ {id}: {head}{verdict.says}")


def judge(id: str, answer: Any, code: str = "", hidden: str = "") -> Verdict:
    """The verdict on an answer, with the numbers and the cases of a course, or with hidden cases from a seed."""
    item = exercise(id)
    if isinstance(item, Implement):
        words = [id, code, hidden] if hidden else [id, code]
        return item.judge(answer, np.random.default_rng([zlib.crc32(word.encode()) for word in words]))
    if isinstance(item, Numerical):
        return item.judge(_number(answer), code)
    try:
        return item.judge(answer)
    except (TypeError, LookupError, ValueError):
        return Verdict(False, f"{answer!r} is no answer to this question; see how `question({id!r})` asks it.")


def _number(answer: Any) -> float:
    try:
        return float(answer)
    except (TypeError, ValueError):
        return float("nan")


def question(id: str) -> Any:
    """The question as a figure: live in a notebook, and alive in the page.

    Parameters
    ----------
    id : the exercise, such as ``"10.2.2-window"``.
    """
    from companion.figures.questions import Question

    item = exercise(id)
    if isinstance(item, Implement):
        raise ValueError(f"id: want a question, got {id!r}, which asks for a function: check({id!r}, your_function)")
    return Question(item.spec(), course())
