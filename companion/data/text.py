"""Text as the book's nets read it: prose, its alphabet, its codes, parts to learn from and to judge by, windows.

The prose comes with every CPython, so nothing is downloaded and nothing is copied into the repository; `english` reads
a text file of your own as well.
"""

import inspect
import re
import unicodedata
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from companion.core.checks import Count, checked, integer, positive, targets

__all__ = ["ALPHABET", "decode", "docstrings", "encode", "english", "fold", "one_hot", "split", "tiles", "windows"]

ALPHABET = " abcdefghijklmnopqrstuvwxyz.,:;'\"()-"
"""The characters of the book's text experiments; `fold` turns every other one into one of these."""

DOCUMENTED = (
    *("argparse", "asyncio", "collections", "datetime", "decimal", "difflib", "fractions", "functools", "heapq"),
    *("inspect", "json", "logging", "random", "shutil", "socket", "statistics", "string", "subprocess", "tarfile"),
    *("tempfile", "textwrap", "threading", "unittest", "zipfile"),
)
"""Modules of the standard library whose docstrings are read as prose."""


def _alphabet(name: str, alphabet: str) -> str:
    if " " not in alphabet or len(set(alphabet)) < len(alphabet):
        raise ValueError(f"{name}: want a string with a space and no character twice, got {alphabet!r}")
    return alphabet


def _codes(name: str, codes: Any) -> np.ndarray:
    codes = np.asarray(codes)
    if codes.ndim != 1 or codes.dtype.kind not in "iu" or not len(codes):
        raise ValueError(f"{name}: want integers of shape (tau,), got shape {codes.shape} and type {codes.dtype}")
    return codes


Alphabet = Annotated[str, _alphabet]
"""The characters to keep: the space among them, and none twice."""

Codes = Annotated[Any, _codes]
"""A coded text (tau,): places in an alphabet."""


def english(path: str | Path | None = None) -> str:
    """Return real English prose: Python's own language reference, or a text file of yours.

    The reference (`pydoc_data.topics`) comes with every CPython, about 0.2 MB of sentences once code, grammars
    and repeated paragraphs are left out, so that no paragraph stands both in training and in validation text.
    The text differs a little from one Python version to the next.

    Parameters
    ----------
    path : a UTF-8 text file to read instead; it is returned as it stands.

    Returns
    -------
    The text, paragraphs separated by an empty line.

    Raises
    ------
    ValueError
        If the file does not exist or holds nothing but white space.
    """
    if path is not None:
        if not Path(path).is_file():
            raise ValueError(f"path: want a text file, got {str(path)!r}, which is none")
        text = Path(path).read_text(encoding="utf-8")
        if not text.strip():
            raise ValueError(f"path: want a file with text, got {str(path)!r}, which is empty")
        return text
    from pydoc_data.topics import topics

    return _prose(topics[key] for key in sorted(topics))


def docstrings() -> str:
    """Return English prose by other hands: what the standard library's docstrings say of its classes and functions.

    A second text, about 0.1 MB, to judge what was learned or claimed from `english`; prepared in the same way, and
    likewise a little different from one Python version to the next.

    Returns
    -------
    The text, paragraphs separated by an empty line.
    """
    modules = [import_module(name) for name in DOCUMENTED]
    members = [v for module in modules for k, v in sorted(vars(module).items()) if not k.startswith("_")]
    written = [m for m in members if inspect.isclass(m) or inspect.isfunction(m)]
    return _prose(inspect.getdoc(thing) or "" for thing in [*modules, *written])


def _prose(texts: Iterable[str]) -> str:
    paragraphs = (" ".join(p.replace("*", "").split()) for text in texts for p in text.split("\n\n"))
    return "\n\n".join(dict.fromkeys(p for p in paragraphs if _is_prose(p)))


def _is_prose(paragraph: str) -> bool:
    """True for sentences; False for headings, grammars, sessions and tables."""
    letters = sum(c.isalpha() or c in " .,'" for c in paragraph)
    return len(paragraph) >= 60 and paragraph[-1] in ".:" and letters >= 0.93 * len(paragraph)


@checked
def fold(text: str, alphabet: Alphabet = ALPHABET) -> str:
    """Return `text` written in `alphabet`: lower case, accents dropped, every other character a space.

    Typographic quotes and dashes become plain ones first, and runs of white space become one space. The alphabet must
    hold the space, and no character twice.
    """
    plain = text.translate(str.maketrans("‘’“”–—‐", "''\"\"---"))
    return re.sub(" +", " ", "".join(_fold_character(c, alphabet) for c in plain))


def _fold_character(c: str, alphabet: str) -> str:
    if c in alphabet or c.lower() in alphabet:
        return c if c in alphabet else c.lower()
    parts = [d for d in unicodedata.normalize("NFKD", c) if not unicodedata.combining(d)]
    return "".join(d if d in alphabet else d.lower() if d.lower() in alphabet else " " for d in parts)


def encode(text: str, alphabet: str = ALPHABET) -> np.ndarray:
    """Return the places in `alphabet` of the characters of `fold(text, alphabet)`: (tau,), in 0 … len(alphabet) − 1."""
    folded = fold(text, alphabet)
    if not folded:
        raise ValueError("text: want at least one character, got an empty string")
    place = {c: i for i, c in enumerate(alphabet)}
    return np.array([place[c] for c in folded], dtype=np.int64)


@checked
def decode(codes: np.ndarray, alphabet: Alphabet = ALPHABET) -> str:
    """Return the text that `encode` turned into `codes`."""
    return "".join(alphabet[i] for i in targets("codes", codes, np.size(codes), len(alphabet)))


@checked
def one_hot(codes: np.ndarray, alphabet: Alphabet = ALPHABET) -> np.ndarray:
    """Turn character codes (tau,) into inputs (tau, characters of the alphabet), one row a character."""
    return np.eye(len(alphabet))[targets("codes", codes, np.size(codes), len(alphabet))]


def split(codes: np.ndarray, *shares: float) -> list[np.ndarray]:
    """Cut a coded text, in order, into a part to learn from and the parts that are held out.

    Parameters
    ----------
    codes : a coded text (tau,), long enough that no part is empty.
    shares : of the text, one for each part held out, above 0: ``0.1`` holds out the last tenth, ``0.1, 0.1`` a tenth
        for validation and the last one for testing. Each part is rounded down to whole characters.

    Returns
    -------
    The part to learn from, which is what the others leave, then those in their order.
    """
    codes = _codes("codes", codes)
    held = [int(len(codes) * positive("shares", share) + 1e-9) for share in shares]  # 0.29 · 100 is 28.99…
    first = len(codes) - sum(held)
    if first < 1 or 0 in held:
        raise ValueError(f"shares: want parts of at least one character, got {shares} of {len(codes)}")
    return np.split(codes, np.cumsum([first, *held[:-1]]) if held else [])


@checked
def windows(codes: Codes, length: Count, n: Count, rng: np.random.Generator) -> np.ndarray:
    """Draw n stretches of `length` characters from a coded text, every place as likely as any other: (n, length)."""
    integer("length", length, maximum=len(codes))
    starts = rng.integers(0, len(codes) - length + 1, n)
    return codes[starts[:, None] + np.arange(length)]


@checked
def tiles(codes: Codes, length: Annotated[int, (2, None)]) -> np.ndarray:
    """Cut a coded text into rows that overlap by one character, so that each one but the first is predicted once.

    Returns
    -------
    Integers of shape (rows, length); a row's last character is the next row's first. What fills no row at the end is
    left out.
    """
    integer("length", length, maximum=len(codes))
    return np.lib.stride_tricks.sliding_window_view(codes, length)[:: length - 1].copy()
