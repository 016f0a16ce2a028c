"""Melodies as sound: frequencies, and samples of a small synthesiser (Section P.4)."""

import numpy as np

from companion.core.checks import Count, Positive, checked
from companion.music.genres import TAU, Melody, notes

__all__ = ["C4", "frequency", "tones"]

C4 = 60  # the number of C4 in MIDI, in which A4 is 69


@checked
def frequency(pitch: np.ndarray | int) -> np.ndarray:
    """The frequency of a pitch in hertz, equal temperament.

    Equation (Section P.4): f = 440 · 2^((C4 + k − 69)/12), k semitones above C4.
    """
    return 440.0 * 2.0 ** ((C4 + np.asarray(pitch) - 69) / 12)


@checked
def tones(y: Melody, eighth: Positive = 0.2, rate: Count = 8000) -> np.ndarray:
    """A melody as samples in [−1, 1], for `IPython.display.Audio(tones(y), rate=8000)`.

    Each note is a sine that swells for 10 ms and then fades: sin(2π f s) min(s/0.01, 1) e^{−3 s} at s seconds after
    its start, shut within the last 10 ms (Section P.4).

    Parameters
    ----------
    eighth : seconds of a step. rate : samples a second; above twice the highest frequency, 1046.5 Hz.
    """
    out = np.zeros(round(TAU * eighth * rate))
    for step, pitch, steps in notes(y):
        first, end = round(step * eighth * rate), round((step + steps) * eighth * rate)
        s = np.arange(end - first) / rate
        fade = np.minimum(np.minimum(s, s[::-1]) / 0.01, 1) * np.exp(-3 * s)
        out[first:end] = np.sin(2 * np.pi * frequency(pitch) * s) * fade
    return out
