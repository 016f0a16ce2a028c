"""The sequence pair of Section 10.4: dates in English words and the same dates as ISO 8601 writes them.

"march the fourteenth nineteen ninety-seven" ⇄ "1997-03-14". A line holds one date or several, joined by "and" on
the left and by a comma on the right. The grammar is our own; one date in five never occurs in training.
"""

from datetime import date
from typing import Annotated, NamedTuple

import numpy as np

from companion.core.checks import Count, checked, choice, integer

__all__ = ["END", "FORMS", "SYMBOLS", "WORDS", "Pairs", "alignment", "draw_pairs", "held_out", "read", "spell", "write"]

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
UNITS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
FIRST = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
YEARS = (
    "hundred",
    *(f"oh-{unit}" for unit in UNITS[1:]),
    *TEENS,
    *(f"{ten}-{unit}" if unit else ten for ten in TENS for unit in UNITS),
)
DAYS = (
    *FIRST[1:],
    *("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
    "twentieth",
    *(f"twenty-{day}" for day in FIRST[1:10]),
    *("thirtieth", "thirty-first"),
)
WORDS = ("the", "of", "and", *MONTHS, *DAYS, *YEARS)
"""Every source word; the century is a year word too: nineteen ninety-seven, but also eighteen nineteen."""
SYMBOLS = (*"0123456789-,", "<end>")
"""Every target symbol; the last one ends a line, and is what the decoder reads before its first step."""
END = SYMBOLS.index("<end>")
FORMS = ("the D of M C Y", "M the D C Y", "D M C Y", "M D C Y")
"""How a date may be said: D day, M month, C century, Y year in it."""
FIRST_YEAR, LAST_YEAR, MOST = 1600, 1999, 8  # MOST dates in a line
PLACE = {word: i for i, word in enumerate(WORDS)}
SIGN = {symbol: i for i, symbol in enumerate(SYMBOLS)}


class Pairs(NamedTuple):
    """Pairs of equal lengths: source words x (n, words) and target symbols y (n, symbols) with their end mark."""

    x: np.ndarray
    y: np.ndarray


def held_out(days: np.ndarray) -> np.ndarray:
    """Which days (counted from 1 January 1600, any shape) are kept out of training: a fixed, scattered fifth."""
    days = np.asarray(days)
    if days.dtype.kind not in "iu" or (days < 0).any():
        raise ValueError(f"days: want integers of at least 0, got {str(days)[:60]}")
    return days.astype(np.uint64) * np.uint64(2654435761) % np.uint64(2**32) < 2**32 // 5


@checked
def draw_pairs(n: Count, dates: Annotated[int, (1, MOST)], rng: np.random.Generator, held: bool = False) -> Pairs:
    """Draw n pairs of `dates` dates each; within a draw all pairs are said in the same forms, so lengths agree.

    If `held`, only held-out dates are drawn; otherwise only dates for training.
    """
    days = rng.integers(0, 146097, (n, dates))  # 400 years have 146,097 days
    while (wrong := held_out(days) != held).any():
        days[wrong] = rng.integers(0, 146097, int(wrong.sum()))
    when = np.datetime64("1600-01-01") + days
    month = when.astype("datetime64[M]")
    D, M = (when - month).astype(int), month.astype(int) % 12
    year = when.astype("datetime64[Y]").astype(int) + 1970
    C, Y = year // 100, year % 100
    parts = {"D": 15 + D, "M": 3 + M, "C": len(WORDS) - 100 + C, "Y": len(WORDS) - 100 + Y}
    x, y = [], []
    for i in range(dates):
        form = [*FORMS[rng.integers(len(FORMS))].split(), "and"]
        x += [parts[p][:, i] if p in parts else np.full(n, PLACE[p]) for p in form]
        digits = [v[:, i] // q % 10 for v in (C, Y, M + 1, D + 1) for q in (10, 1)]
        dash = np.full(n, SIGN["-"])
        y += [*digits[:4], dash, *digits[4:6], dash, *digits[6:], np.full(n, SIGN[","])]
    y[-1] = np.full(n, END)
    return Pairs(np.stack(x[:-1], axis=1), np.stack(y, axis=1))


def spell(days: list[date], forms: list[str]) -> str:
    """Say dates in words, each in its form.

    Parameters
    ----------
    days : dates of the years 1600 … 1999, at least one. forms : one of `FORMS` for each.
    """
    if not days or len(days) != len(forms):
        raise ValueError(f"forms: want one form for each of at least one date, got {len(forms)} for {len(days)} dates")
    said = []
    for day, form in zip(days, forms, strict=True):
        C, Y = divmod(integer("year", day.year, FIRST_YEAR, LAST_YEAR), 100)
        word = {"D": DAYS[day.day - 1], "M": MONTHS[day.month - 1], "C": YEARS[C], "Y": YEARS[Y]}
        said.append(" ".join(word.get(part, part) for part in choice("form", form, FORMS).split()))
    return " and ".join(said)


@checked
def read(text: str) -> np.ndarray:
    """The places in `WORDS` of the words of a line, which spaces separate: integers of shape (tau,)."""
    words = text.split()
    if not words:
        raise ValueError(f"text: want a line of at least one word, got {text!r}")
    if unknown := [word for word in words if word not in PLACE]:
        raise ValueError(f"text: want words of the {len(WORDS)} known ones, got {unknown[0]!r}")
    return np.array([PLACE[word] for word in words])


def write(y: np.ndarray) -> str:
    """Target symbols, places in `SYMBOLS` of shape (tau,), as text up to the end mark."""
    text = ""
    for symbol in y:
        if integer("y", symbol, 0, len(SYMBOLS) - 1) == END:
            break
        text += SYMBOLS[symbol]
    return text


def alignment(x: np.ndarray) -> np.ndarray:
    """For each target position, the place of the source word that determines it, or −1 for punctuation.

    Century and year word determine two digits each, then (behind dashes) month and day: known from the grammar. x are
    source words as `read` returns them; what comes back has 11 entries a date, the last one for the end mark.
    """
    said = "".join("toa"[w] if w < 3 else "M" if w < 15 else "D" if w < 46 else "Y" for w in x)
    known = {f.replace("the", "t").replace("of", "o").replace(" ", "").replace("C", "Y") for f in FORMS}
    out, start = [], 0
    for part in said.split("a"):
        if part not in known:
            raise ValueError(f"x: want dates in one of the forms {FORMS}, got {' '.join(WORDS[w] for w in x)!r}")
        C, Y, M, D = (start + k for k in (part.index("Y"), part.index("Y") + 1, part.index("M"), part.index("D")))
        out += [C, C, Y, Y, -1, M, M, -1, D, D, -1]
        start += len(part) + 1
    return np.array(out)
