"""Whose melody is it: a classifier that hears no rules, and what a writer repeats of what it read (Section P.4)."""

from typing import Annotated, NamedTuple

import numpy as np

from companion.core.checks import Classes, Count, checked
from companion.core.functions import softmax
from companion.music.genres import BEATS, HOLD, LOWEST, NAMES, OCTAVE, REST, Melodies, pitches

__all__ = ["Judge", "copied", "distinct", "heard", "heard_as", "judge_fit"]

WIDEST = 12  # moves of more semitones count as so many


class Judge(NamedTuple):
    """A softmax regression on what is heard of a melody."""

    W: Annotated[np.ndarray, "classes", "features"]
    b: Annotated[np.ndarray, "classes"]
    mean: Annotated[np.ndarray, "features"]
    scale: Annotated[np.ndarray, "features"]


@checked
def heard(y: Melodies) -> np.ndarray:
    """What the classifier hears of n melodies, (n, 61): shares of pitch classes, of moves, of what each beat holds.

    It hears neither the order of the notes nor the form: 12 pitch classes, 25 moves in semitones from −12 to 12, and
    at each of the 8 places in a bar the shares of new notes, held ones and rests.
    """
    out = np.zeros((len(y), OCTAVE + 2 * WIDEST + 1 + 3 * BEATS))
    for row, melody in zip(out, y, strict=True):
        sounding = np.array(pitches(melody), dtype=int)
        moves = np.clip(np.diff(sounding), -WIDEST, WIDEST) + WIDEST
        row[:OCTAVE] = np.bincount(sounding % OCTAVE, minlength=OCTAVE) / max(1, len(sounding))
        row[OCTAVE : -3 * BEATS] = np.bincount(moves, minlength=2 * WIDEST + 1) / max(1, len(moves))
        bars = melody.reshape(-1, BEATS)
        row[-3 * BEATS :] = np.concatenate([(bars >= LOWEST).mean(0), (bars == HOLD).mean(0), (bars == REST).mean(0)])
    return out


@checked
def judge_fit(
    y: Melodies,
    genre: Annotated[np.ndarray, "n", Classes(len(NAMES))],
    steps: Count = 300,
    rate: float = 0.5,
    decay: float = 1e-3,
) -> Judge:
    """Fit the classifier to melodies of known genre by gradient descent.

    Equation (Section P.4): ŷ = softmax(b + W z) with z the standardised features; loss −log ŷ at the genre, averaged,
    plus (λ/2) ‖W‖².

    Parameters
    ----------
    y, genre : melodies that no net was trained on, and their places in `NAMES`.
    steps, rate, decay : of the descent; decay is λ.
    """
    x, target = heard(y), np.eye(len(NAMES))[genre]
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-2)
    z = (x - mean) / scale
    W, b = np.zeros((len(NAMES), z.shape[1])), np.zeros(len(NAMES))
    for _ in range(steps):
        error = (softmax(z @ W.T + b) - target) / len(z)  # ∂L/∂o
        W = W - rate * (error.T @ z + decay * W)
        b = b - rate * error.sum(axis=0)
    return Judge(W, b, mean, scale)


@checked
def heard_as(judge: Judge, y: Melodies) -> np.ndarray:
    """The genre that the classifier takes each melody for, as its place in `NAMES`, shape (n,)."""
    return (((heard(y) - judge.mean) / judge.scale) @ judge.W.T + judge.b).argmax(axis=1)


@checked
def copied(y: Melodies, known: Annotated[np.ndarray, "m", "tau"]) -> float:
    """The share of melodies that stand, note for note, among those that are known."""
    seen = {tuple(row) for row in known.tolist()}
    return float(np.mean([tuple(row) in seen for row in y.tolist()]))


@checked
def distinct(y: Melodies) -> float:
    """The share of different melodies among n."""
    return len({tuple(row) for row in y.tolist()}) / len(y)
