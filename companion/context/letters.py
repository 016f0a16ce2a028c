"""The ten digits as words, and words as symbols with an end mark (Section 10.2.4)."""

from collections.abc import Iterable

import numpy as np

from companion.core.checks import integer

__all__ = ["END", "LETTERS", "LONGEST", "NAMES", "read", "spell"]

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LETTERS = "".join(sorted(set("".join(NAMES)))) + "."  # the 15 letters in use; the full stop ends a word
END = len(LETTERS) - 1
LONGEST = 1 + max(map(len, NAMES))  # steps that the longest name takes, its end mark included


def spell(word: str) -> np.ndarray:
    """A word, of one letter or more of `LETTERS`, as symbols; the last is `END`."""
    if not isinstance(word, str) or not word:
        raise ValueError(f"word: want a word of at least one letter, got {word!r}")
    if unknown := set(word) - set(LETTERS[:END]):
        raise ValueError(f"word: want letters of {LETTERS[:END]!r}, got {min(unknown)!r} in {word!r}")
    return np.array([LETTERS.index(letter) for letter in word] + [END])


def read(y: Iterable[int]) -> str:
    """The symbols as text, up to the first end mark and without it: empty if the end comes at once."""
    text = "".join(LETTERS[integer("y", symbol, 0, END)] for symbol in y)
    return text.partition(LETTERS[END])[0]
