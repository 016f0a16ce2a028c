"""What Section 10.12 has nets of seven kinds produce without input: waves; and how many parameters each kind has."""

from typing import Annotated, Literal

import numpy as np

from companion.cells.clockwork import make_clock, mask, schedule
from companion.core.checks import Count, checked

__all__ = [
    "LEAKS",
    "TOLD",
    "WAVE_CLOCK",
    "WAVE_KINDS",
    "WAVE_STEPS",
    "WAVE_UNITS",
    "binary_counter",
    "wave_parameters",
    "waveform",
]

WAVE_STEPS = 128
WAVE_CLOCK = make_clock((1, 2, 4, 8, 16, 32, 64), 6)
SPREAD = np.repeat([1.0, 2, 4, 8, 16, 32, 64, 128], 4)
#: The kinds of leaky nets, and the time scale of each unit before training, in steps.
LEAKS = {"leaky": SPREAD, "learned": SPREAD, "one scale": np.full(32, 4.0), "one scale, learned": np.full(32, 4.0)}


@checked
def binary_counter(digits: Count, tau: Count) -> np.ndarray:
    """The binary digits of t = 1 … tau, the last one first: column g is ⌊t / 2^g⌋ mod 2, of shape (tau, digits)."""
    return np.arange(1, tau + 1)[:, None] // 2 ** np.arange(digits) % 2


#: The kinds of nets that are told something about the time: which clocks strike now, or the count of steps.
TOLD = {
    "plain + strikes": schedule(make_clock(WAVE_CLOCK.periods, 1), WAVE_STEPS).astype(float),
    "plain + count": binary_counter(7, WAVE_STEPS).astype(float),
    "count alone": binary_counter(7, WAVE_STEPS).astype(float),
}
WAVE_KINDS = ("clockwork", "plain", "lstm", *LEAKS, *TOLD)
WAVE_UNITS = {
    "clockwork": sum(WAVE_CLOCK.sizes),
    "plain": 32,
    "lstm": 16,
    **{kind: len(T) for kind, T in LEAKS.items()},
    "plain + strikes": 29,
    "plain + count": 29,
    "count alone": 121,  # tanh units in one layer, without recurrence
}


@checked
def waveform(seed: Annotated[int, (0, None)]) -> np.ndarray:
    """A synthetic target (128,): five sines, periods log-uniform in 6 … 128 steps, random phases, largest value 1."""
    rng = np.random.default_rng(seed)
    period, phase = np.exp(rng.uniform(np.log(6), np.log(128), 5)), rng.uniform(0, 2 * np.pi, 5)
    y = np.sin(2 * np.pi * np.arange(1, WAVE_STEPS + 1)[:, None] / period + phase).sum(axis=1)
    return y / np.abs(y).max()


@checked
def wave_parameters(kind: Literal[WAVE_KINDS]) -> int:
    """How many numbers are learned in one net of a kind."""
    n = WAVE_UNITS[kind]
    square = {"clockwork": int(mask(WAVE_CLOCK).sum()), "lstm": 4 * n * n, "count alone": 0}.get(kind, n * n)
    told = n * TOLD[kind].shape[1] if kind in TOLD else 0
    return square + told + {"lstm": 4 * n}.get(kind, n) + n * kind.endswith("learned") + n + 1
