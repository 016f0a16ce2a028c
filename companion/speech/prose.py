"""The text of the speech generators: read from a file or from Python, cut in three, and the places they are judged at.

Section P.1. NumPy alone.
"""

from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np

from companion.core.checks import Classes, Count, checked, integer
from companion.data.text import ALPHABET, encode, english, split, windows
from companion.graphical.tables import kgram_fit, kgram_logp

__all__ = ["CONTEXT", "SHORTEST", "Parts", "contexts", "kgram_nats", "parts", "places", "read_prose", "recipe_windows"]

CONTEXT = 30
"""Characters that the recipe's net reads before it predicts the next one."""

SHORTEST = 2000
"""Characters, after folding, that a text must have to be learned from: its tenths still hold windows."""

Codes = Annotated[np.ndarray, "characters", Classes(len(ALPHABET))]


class Parts(NamedTuple):
    """A coded text in its order: eight tenths to learn from, a tenth to choose by, a tenth to judge by."""

    learn: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def read_prose(path: str | Path | None = None) -> np.ndarray:
    """Read a text and code its characters: of a file, or of the corpus that comes with Python.

    Parameters
    ----------
    path : a UTF-8 text file; None reads `companion.data.text.english()`.

    Returns
    -------
    Codes (characters,) in the book's alphabet.

    Raises
    ------
    ValueError
        If the file cannot be read, is no text in letters a to z, or has fewer than `SHORTEST` characters.
    """
    try:
        text = english(path)
    except UnicodeDecodeError:
        raise ValueError(f"path: want a text in UTF-8, got other bytes in {str(path)!r}") from None
    except OSError as error:
        raise ValueError(f"path: want a file that can be read, got {str(path)!r}: {error.strerror}") from None
    if "\0" in text:
        raise ValueError(f"path: want a text, got bytes of zero in {str(path)!r}, which looks binary")
    codes = encode(text)
    if len(codes) < 0.5 * len(" ".join(text.split())):  # runs of what is not in the alphabet became one space
        raise ValueError(f"path: want prose in letters a to z, got others in {str(path)!r}")
    if len(codes) < SHORTEST:
        raise ValueError(f"path: want at least {SHORTEST} characters of text, got {len(codes)} in {str(path)!r}")
    return codes


def parts(codes: np.ndarray) -> Parts:
    """Cut a coded text, in its order, into eight tenths to learn from, one for validation and one for the test."""
    return Parts(*split(codes, 0.1, 0.1))


@checked
def recipe_windows(codes: Codes, n: Count, rng: np.random.Generator) -> np.ndarray:
    """Draw n windows of 31 characters, the last of which is to be predicted from the 30 before: (n, 31)."""
    return windows(codes, CONTEXT + 1, n, rng)


@checked
def places(codes: Codes, every: Count) -> np.ndarray:
    """The places t at which models are judged: each `every`-th one that has a whole context before it."""
    integer("len(codes)", len(codes), CONTEXT + 1)
    return np.arange(CONTEXT, len(codes), every)


@checked
def contexts(codes: Codes, every: Count) -> np.ndarray:
    """The windows that end at the judged places: (places, 31)."""
    return codes[places(codes, every)[:, None] + np.arange(-CONTEXT, 1)]


@checked
def kgram_nats(
    learn: Codes,
    judged: Annotated[np.ndarray, "judged", Classes(len(ALPHABET))],
    order: Annotated[int, (0, 10)],
    every: Count = 1,
) -> float:
    """Mean nats a character of a table of contexts (Section 10.2.3), at the judged places of another text.

    Parameters
    ----------
    learn, judged : coded texts, to count and to be judged on. order : characters that the table looks back at.
    """
    logp = kgram_logp(kgram_fit(learn, len(ALPHABET), order), judged)
    return float(-logp[places(judged, every) - order].mean())
