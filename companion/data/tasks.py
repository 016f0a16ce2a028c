"""The data that the book's nets learn from: made to measure, or real and already installed.

Nothing is downloaded and nothing is copied into the repository. Synthetic tasks draw from an explicit
generator; the real ones come with Python (English prose) and with scikit-learn (handwritten digits).
"""

import re
import unicodedata
from pathlib import Path

import numpy as np

from companion.core import checks as validation

__all__ = [
    "ALPHABET",
    "adding",
    "addition",
    "columns",
    "decode",
    "digits",
    "encode",
    "english",
    "fold",
    "latch",
    "one_hot",
    "temporal_order",
]

ALPHABET = " abcdefghijklmnopqrstuvwxyz.,:;'\"()-"
"""The characters of the book's text experiments; `fold` turns every other one into one of these."""


def adding(length: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of the adding problem: add the two marked numbers, ignore the rest.

    Step t shows (value, mark): values are uniform on [0, 1); exactly two marks are 1, one in the first
    half of the sequence and one in the second. The target is the sum of the two marked values. Always
    answering 1 has a mean squared error of 1/6 (Section 10.10).

    Parameters
    ----------
    length : steps a sequence, at least 2.
    n : sequences, at least 1.
    rng : the generator to draw from.

    Returns
    -------
    x : shape (n, length, 2).
    y : shape (n, 1).

    References
    ----------
    hochreiter1997, le2015
    """
    length, n = validation.integer("length", length, 2), validation.integer("n", n, 1)
    rng, rows = validation.generator("rng", rng), np.arange(n)
    first = rng.integers(0, length // 2, n)
    second = rng.integers(length // 2, length, n)
    x = np.zeros((n, length, 2))
    x[:, :, 0] = rng.random((n, length))
    x[rows, first, 1] = x[rows, second, 1] = 1
    return x, (x[:, :, 0] * x[:, :, 1]).sum(axis=1, keepdims=True)


def columns(a: int, b: int, length: int) -> np.ndarray:
    """Write two numbers below each other in binary and return the columns, the ones first.

    Parameters
    ----------
    a, b : integers of at least 0.
    length : columns, enough to hold either number.

    Returns
    -------
    Zeros and ones of shape (length, 2): row t holds the two bits that stand for 2 to the power t − 1.
    """
    length = validation.integer("length", length, 1)
    numbers = [validation.integer(name, n, 0, 2**length - 1) for name, n in (("a", a), ("b", b))]
    return np.array([[n >> t & 1 for n in numbers] for t in range(length)], dtype=np.float64)


def addition(length: int, n: int, rng: np.random.Generator, passing: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Draw n additions of two random binary numbers, one column a step, the ones first.

    The target of a step is that column's bit of the sum, so the one thing to keep from step to step is the
    carry (Section 10).

    Parameters
    ----------
    length : bits of either number, at least 1.
    n : additions, at least 1.
    rng : the generator to draw from.
    passing : probability that the two bits of a column differ, so that it passes a carry on to the next; with
        0.5 all bits are independent, near 1 carries travel far.

    Returns
    -------
    x : shape (n, length, 2), zeros and ones.
    y : shape (n, length), integers 0 and 1; the carry out of the last column is dropped.
    """
    length, n = validation.integer("length", length, 1), validation.integer("n", n, 1)
    passing, rng = validation.probability("passing", passing), validation.generator("rng", rng)
    a = rng.integers(0, 2, (n, length))
    bits = np.stack([a, a ^ (rng.random((n, length)) < passing)], axis=2)
    y, carry = np.empty((n, length), dtype=np.int64), np.zeros(n, dtype=np.int64)
    for t in range(length):
        total = bits[:, t].sum(axis=1) + carry
        y[:, t], carry = total % 2, total // 2
    return bits.astype(np.float64), y


def latch(length: int, n: int, rng: np.random.Generator, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of the latch task: the first three steps name the class, noise follows.

    The cue is +1 for class 1 and −1 for class 0; every later step is Gaussian with mean zero, so only a net
    that keeps one bit to the end can answer (Section 10.7).

    Parameters
    ----------
    length : steps a sequence, at least 4.
    n : sequences, at least 1.
    rng : the generator to draw from.
    noise : standard deviation of the steps after the cue.

    Returns
    -------
    x : shape (n, length, 1).
    y : shape (n,), integers 0 and 1.

    References
    ----------
    bengio1994
    """
    length, n = validation.integer("length", length, 4), validation.integer("n", n, 1)
    noise, rng = validation.number("noise", noise, 0), validation.generator("rng", rng)
    y = rng.integers(0, 2, n)
    x = noise * rng.standard_normal((n, length, 1))
    x[:, :3, 0] = (2 * y - 1)[:, None]
    return x, y


def temporal_order(length: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of the temporal order task: in which order two marks came.

    Six symbols A, B, c, d, e, f, one-hot in this order. One A or B stands in the second tenth of the sequence and
    one in the fifth; all other steps are c, d, e or f at random. The class 0 … 3 says AA, AB, BA or BB
    (Section 10.11).

    Parameters
    ----------
    length : steps a sequence, at least 10.
    n : sequences, at least 1.
    rng : the generator to draw from.

    Returns
    -------
    x : shape (n, length, 6), one-hot rows.
    y : shape (n,), integers 0 … 3.

    References
    ----------
    hochreiter1997, pascanu2013
    """
    length, n = validation.integer("length", length, 10), validation.integer("n", n, 1)
    rng, rows = validation.generator("rng", rng), np.arange(n)
    codes, marks = rng.integers(2, 6, (n, length)), rng.integers(0, 2, (n, 2))
    codes[rows, rng.integers(length // 10, 2 * length // 10, n)] = marks[:, 0]
    codes[rows, rng.integers(4 * length // 10, 5 * length // 10, n)] = marks[:, 1]
    return np.eye(6)[codes], marks @ [2, 1]


def digits(rng: np.random.Generator) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return scikit-learn's 1,797 handwritten digits as sequences of 8 rows of 8 pixels, shuffled and split.

    Parameters
    ----------
    rng : the generator that shuffles.

    Returns
    -------
    (x, y) for training, 1,437 digits, and (x, y) for testing, 360: x has shape (n, 8, 8) and lies in [0, 1],
    y has shape (n,) and holds the classes 0 … 9.
    """
    from sklearn.datasets import load_digits

    order = validation.generator("rng", rng).permutation(1797)
    data = load_digits()
    x, y = data.images[order] / 16.0, data.target[order]
    return (x[360:], y[360:]), (x[:360], y[:360])


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

    paragraphs = (" ".join(p.replace("*", "").split()) for key in sorted(topics) for p in topics[key].split("\n\n"))
    return "\n\n".join(dict.fromkeys(p for p in paragraphs if _is_prose(p)))


def _is_prose(paragraph: str) -> bool:
    """True for sentences; False for headings, grammars, sessions and tables."""
    letters = sum(c.isalpha() or c in " .,'" for c in paragraph)
    return len(paragraph) >= 60 and paragraph[-1] in ".:" and letters >= 0.93 * len(paragraph)


def fold(text: str, alphabet: str = ALPHABET) -> str:
    """Return `text` written in `alphabet`: lower case, accents dropped, every other character a space.

    Typographic quotes and dashes become plain ones first, and runs of white space become one space.

    Parameters
    ----------
    text : any string.
    alphabet : the characters to keep; it must hold the space, and no character twice.
    """
    if not isinstance(text, str):
        raise ValueError(f"text: want a string, got {type(text).__name__}")
    _check_alphabet(alphabet)
    plain = text.translate(str.maketrans("‘’“”–—‐", "''\"\"---"))
    return re.sub(" +", " ", "".join(_fold_character(c, alphabet) for c in plain))


def _fold_character(c: str, alphabet: str) -> str:
    if c in alphabet or c.lower() in alphabet:
        return c if c in alphabet else c.lower()
    parts = [d for d in unicodedata.normalize("NFKD", c) if not unicodedata.combining(d)]
    return "".join(d if d in alphabet else d.lower() if d.lower() in alphabet else " " for d in parts)


def encode(text: str, alphabet: str = ALPHABET) -> np.ndarray:
    """Return the places in `alphabet` of the characters of `fold(text, alphabet)`.

    Parameters
    ----------
    text : any string that is not empty.
    alphabet : as for `fold`.

    Returns
    -------
    Integers of shape (tau,), each in 0 … len(alphabet) − 1.
    """
    folded = fold(text, alphabet)
    if not folded:
        raise ValueError("text: want at least one character, got an empty string")
    place = {c: i for i, c in enumerate(alphabet)}
    return np.array([place[c] for c in folded], dtype=np.int64)


def decode(codes: np.ndarray, alphabet: str = ALPHABET) -> str:
    """Return the text that `encode` turned into `codes`.

    Parameters
    ----------
    codes : integers of shape (tau,), each in 0 … len(alphabet) − 1.
    alphabet : as for `fold`.
    """
    _check_alphabet(alphabet)
    codes = np.asarray(codes)
    return "".join(alphabet[i] for i in validation.targets("codes", codes, codes.size, len(alphabet)))


def one_hot(codes: np.ndarray, alphabet: str = ALPHABET) -> np.ndarray:
    """Turn character codes (tau,) into inputs (tau, characters of the alphabet), one row a character.

    Parameters
    ----------
    codes : integers of shape (tau,), each in 0 … len(alphabet) − 1.
    alphabet : as for `fold`.
    """
    _check_alphabet(alphabet)
    codes = np.asarray(codes)
    return np.eye(len(alphabet))[validation.targets("codes", codes, codes.size, len(alphabet))]


def _check_alphabet(alphabet: str) -> None:
    if not isinstance(alphabet, str) or " " not in alphabet or len(set(alphabet)) < len(alphabet):
        raise ValueError(f"alphabet: want a string with a space and no character twice, got {alphabet!r}")
