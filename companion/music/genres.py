"""Genres made by stated rules: how a melody is drawn, how probable it is, and which rule it breaks (Section P.4).

A melody has four bars of eight eighth notes. At each of the 32 steps stands one symbol: a rest, the note before held
on, or a new note, one of 25 pitches from C4 to C6.
"""

from typing import Annotated, Literal, NamedTuple, get_args

import numpy as np

from companion.core.checks import Classes, Count, checked

__all__ = [
    "BARS",
    "BEATS",
    "GENRES",
    "HOLD",
    "LOWEST",
    "NAMES",
    "PITCHES",
    "REST",
    "SYMBOLS",
    "TAU",
    "Faults",
    "Genre",
    "draw_melody",
    "faults",
    "home",
    "ladder",
    "lesson",
    "melody_logp",
    "next_pitch",
    "notes",
    "pitches",
    "rhythm",
]

BARS, BEATS = 4, 8
TAU = BARS * BEATS
REST, HOLD, LOWEST, PITCHES = 0, 1, 2, 25  # symbol LOWEST + k is a new note, k semitones above C4
SYMBOLS = LOWEST + PITCHES
OCTAVE, MIDDLE = 12, range(6, 18)  # a melody begins in the middle octave


def _whole(name: str, y: np.ndarray) -> np.ndarray:
    if y.shape[-1] != TAU:
        raise ValueError(f"{name}: want {TAU} symbols a melody, got {y.shape[-1]}")
    if (y != (codes := y.astype(int))).any() or (codes < 0).any() or (codes >= SYMBOLS).any():
        raise ValueError(f"{name}: want symbols 0 … {SYMBOLS - 1}, got {y.min():g} … {y.max():g}")
    return codes


Melody = Annotated[np.ndarray, "tau", _whole]
"""The 32 symbols of a melody."""

Melodies = Annotated[np.ndarray, "n", "tau", _whole]
"""The symbols of n melodies, a row each."""


class Genre(NamedTuple):
    """The rules of one genre."""

    scale: tuple[int, ...]  # what may sound, in semitones above C
    moves: dict[int, float]  # steps along the scale from one note to the next → probability
    rhythm: dict[str, float]  # a bar: new note x, held -, rest . → probability
    form: str  # a letter a bar: bars of the same letter are the same


PENTATONIC = (0, 2, 4, 7, 9)
GENRES = {
    "pentatonic steps": Genre(
        PENTATONIC,
        {-2: 0.04, -1: 0.4, 0: 0.12, 1: 0.4, 2: 0.04},
        {"x-x-x-x-": 0.3, "x-x-x---": 0.3, "x-xxx-x-": 0.2, "x---x-x-": 0.2},
        "AABA",
    ),
    "pentatonic leaps": Genre(
        PENTATONIC,
        {-3: 0.2, -2: 0.25, -1: 0.05, 1: 0.05, 2: 0.25, 3: 0.2},
        {"x-x-x-x-": 0.3, "x-x-x---": 0.3, "x--xx--x": 0.2, "x---x--x": 0.2},
        "ABAB",
    ),
    "minor runs": Genre(
        (0, 2, 3, 5, 7, 8, 10),
        {-2: 0.05, -1: 0.45, 1: 0.45, 2: 0.05},
        {"xxxxx-x-": 0.4, "x-xxx-x-": 0.2, "x-xxxxx-": 0.4},
        "ABAC",
    ),
    "blues off the beat": Genre(
        (0, 3, 5, 6, 7, 10),
        {-2: 0.1, -1: 0.35, 0: 0.1, 1: 0.35, 2: 0.1},
        {".x-xx-x-": 0.3, "x--x--x.": 0.3, ".xx.x-x-": 0.2, "x-.x-.x-": 0.2},
        "AAAB",
    ),
    "whole-tone drift": Genre(
        (0, 2, 4, 6, 8, 10),
        {-2: 0.2, -1: 0.3, 1: 0.3, 2: 0.2},
        {"x-----x-": 0.4, "x---x---": 0.4, "x-x-----": 0.2},
        "ABCD",
    ),
}
Name = Literal["pentatonic steps", "pentatonic leaps", "minor runs", "blues off the beat", "whole-tone drift"]
NAMES = get_args(Name)  # in the order of GENRES


def ladder(genre: Genre) -> list[int]:
    """The pitches of a genre from C4 to C6, the lowest first."""
    return [k for k in range(PITCHES) if k % OCTAVE in genre.scale]


def home(before: int) -> int:
    """The C that is nearest to a pitch; of two, the lower."""
    return min(range(0, PITCHES, OCTAVE), key=lambda c: abs(c - before))


def next_pitch(genre: Genre, pitch: int | None) -> dict[int, float]:
    """The pitches that may follow one, with their probabilities; `None`: that a melody may begin with.

    Equation (Section P.4): P(k⁽ⁱ⁾ | k⁽ⁱ⁻¹⁾) ∝ moves(steps along the scale from k⁽ⁱ⁻¹⁾ to k⁽ⁱ⁾), within the range.
    """
    steps = ladder(genre)
    if pitch is None:
        first = [k for k in steps if k in MIDDLE]
        return dict.fromkeys(first, 1 / len(first))
    if pitch not in steps:
        return {}
    i = steps.index(pitch)
    within = {i + m: p for m, p in genre.moves.items() if 0 <= i + m < len(steps)}
    return {steps[j]: p / sum(within.values()) for j, p in within.items()}


def _choose(table: dict, rng: np.random.Generator) -> int | str:
    p = np.array(list(table.values()))
    return list(table)[rng.choice(len(p), p=p)]


def draw_melody(genre: Genre, rng: np.random.Generator) -> np.ndarray:
    """Draw a melody by the rules of a genre, (32,) symbols.

    Rules (Section P.4): bar after bar as the form says; a bar of a new letter has a rhythm of its own, and pitches that
    move on from the note before; at last the last note goes to the nearest C.
    """
    bars: dict[str, list[int]] = {}
    y: list[int] = []
    for letter in genre.form:
        if letter not in bars:
            pitch, bar = (pitches(y) or [None])[-1], []
            for beat in _choose(genre.rhythm, rng):
                if beat == "x":
                    pitch = _choose(next_pitch(genre, pitch), rng)
                    bar.append(LOWEST + pitch)
                else:
                    bar.append(HOLD if beat == "-" else REST)
            bars[letter] = bar
        y += bars[letter]
    last = max(t for t, symbol in enumerate(y) if symbol >= LOWEST)
    y[last] = LOWEST + home(pitches(y)[-2])
    return np.array(y)


@checked
def lesson(n: Count, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n melodies of each genre, one genre after the other: (5 n, 32) symbols and (5 n,) places in `NAMES`."""
    y = [draw_melody(genre, rng) for genre in GENRES.values() for _ in range(n)]
    return np.array(y), np.repeat(np.arange(len(GENRES)), n)


def pitches(y: np.ndarray | list[int]) -> list[int]:
    """The pitches of the new notes among some symbols, in semitones above C4."""
    return [int(symbol) - LOWEST for symbol in y if symbol >= LOWEST]


def rhythm(bar: np.ndarray) -> str:
    """The rhythm of a bar: new note x, held -, rest . ."""
    return "".join("x" if symbol >= LOWEST else "-" if symbol == HOLD else "." for symbol in bar)


@checked
def notes(y: Annotated[np.ndarray, "tau", Classes(SYMBOLS)]) -> list[tuple[int, int, int]]:
    """What sounds: for each note (first step, counted from 0; pitch in semitones above C4; steps that it lasts)."""
    found: list[tuple[int, int, int]] = []
    for t, symbol in enumerate(y.tolist()):
        if symbol >= LOWEST:
            found.append((t, symbol - LOWEST, 1))
        elif symbol == HOLD and found and sum(found[-1][::2]) == t:  # nothing is held after a rest
            found[-1] = (*found[-1][:2], found[-1][2] + 1)
    return found


def _log(table: dict, value: int | str) -> float:
    return float(np.log(table[value])) if value in table else -np.inf


@checked
def melody_logp(y: Melody, name: Name) -> float:
    """Log-probability of a melody under the rules of a genre, in nats; −inf if it breaks one.

    Equation (Section P.4): log P(y | g) = Σ over bars b of a new letter of log P(rhythm⁽ᵇ⁾) + Σ over their notes i of
    log P(k⁽ⁱ⁾ | k⁽ⁱ⁻¹⁾); a repeated bar and the last note are certain, and add 0 if they are as they must be.
    """
    genre, sounding = GENRES[name], pitches(y)
    bars: dict[str, np.ndarray] = {}
    before, logp = None, 0.0
    if len(sounding) < 2 or sounding[-1] != home(sounding[-2]):
        return -np.inf
    y = y.copy()
    last = np.flatnonzero(y >= LOWEST)[-1]
    for b, (letter, bar) in enumerate(zip(genre.form, y.reshape(BARS, BEATS), strict=True)):
        here = last - b * BEATS
        if letter in bars:
            if 0 <= here < BEATS and bars[letter][here] >= LOWEST:
                bar[here] = bars[letter][here]  # the last note is judged by itself
            logp += 0.0 if (bar == bars[letter]).all() else -np.inf
        else:
            logp += _log(genre.rhythm, rhythm(bar))
            for t, symbol in enumerate(bar):
                if symbol >= LOWEST and t != here:
                    logp += _log(next_pitch(genre, before), symbol - LOWEST)
                    before = symbol - LOWEST
            bars[letter] = bar
        before = (pitches(bar) or [before])[-1]
    return float(logp)


class Faults(NamedTuple):
    """The share of places at which a melody breaks each rule of a genre; 0 where there is nothing to judge."""

    scale: float  # of notes
    moves: float  # of moves inside a bar, from a note of the scale to another
    rhythm: float  # of bars
    form: float  # of bars that should repeat an earlier one
    home: float  # of last notes


@checked
def faults(y: Melody, name: Name) -> Faults:
    """Where a melody breaks the rules of a genre: for each rule, the share of places that break it (Section P.4)."""
    genre, sounding, bars = GENRES[name], pitches(y), y.reshape(BARS, BEATS)
    outside = [k % OCTAVE not in genre.scale for k in sounding]
    moves = [
        after not in next_pitch(genre, before)
        for bar in bars[:-1]
        for before, after in zip(pitches(bar), pitches(bar)[1:], strict=False)
        if {before % OCTAVE, after % OCTAVE} <= set(genre.scale)
    ]
    repeats = [
        _differ(bars[genre.form.index(letter)], bars[b], last=b == BARS - 1)
        for b, letter in enumerate(genre.form)
        if genre.form.index(letter) < b
    ]
    strange = [rhythm(bar) not in genre.rhythm for bar in bars]
    away = [len(sounding) < 2 or sounding[-1] != home(sounding[-2])]
    return Faults(*(float(np.mean(found)) if found else 0.0 for found in (outside, moves, strange, repeats, away)))


def _differ(first: np.ndarray, again: np.ndarray, last: bool) -> bool:
    """Whether a bar differs from the one that it should repeat; in the last bar the last note may."""
    rest = np.ones(BEATS, bool)
    if last and (again >= LOWEST).any():
        t = np.flatnonzero(again >= LOWEST)[-1]
        rest[t] = first[t] < LOWEST
    return not (first == again)[rest].all()
