"""What a marking kernel holds on to before the learner's first line: the check, the course, the hidden cases.

It keeps honest notebooks honest: `check = print`, a `del check` or another course's code change nothing here. It is no
wall against who sets out to cheat; a person still looks at the code.
"""

import os
import sys

import companion.exercises as exercises
from companion.exercises import GRADING

__all__ = ["check", "hold"]

_check = exercises.check
_seed = os.environ.pop(GRADING, "")
_code = ""


def hold(code: str, sections: list[str]) -> None:
    """Set the course, import the exercises of some sections, and let `exit()` end a cell instead of the kernel."""
    global _code
    _code = exercises.course(code)
    for section in sections:
        exercises.exercises(section)
    from IPython import get_ipython

    get_ipython().user_ns.update(exit=sys.exit, quit=sys.exit)


def check(id: str, answer: object) -> None:
    """`companion.exercises.check` with the cases that no learner has seen."""
    exercises.course(_code)
    os.environ[GRADING] = _seed
    try:
        _check(id, answer)
    finally:
        del os.environ[GRADING]
