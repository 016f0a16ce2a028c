"""What an attempt comes to."""

from typing import NamedTuple


class Verdict(NamedTuple):
    """Whether it is right, a sentence on why, and on which rung of the ladder it stands."""

    done: bool
    says: str
    rung: str = ""
