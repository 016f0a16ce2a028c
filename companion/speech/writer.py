"""A net that writes, small enough for a page: weights in whole numbers, a generator of two lines, a temperature.

Section P.1. NumPy float64, and the reference of the figure `Writer`, which computes the same in the page.
"""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.gate import Gate
from companion.cells.lstm import LSTM, lstm_forward
from companion.core.checks import Classes, Count, Positive, checked
from companion.core.functions import nll, softmax
from companion.data import store
from companion.data.text import ALPHABET, decode, encode
from companion.gated.characters import CharLSTM, char_logits

__all__ = [
    "Packed",
    "Written",
    "draws",
    "model_logp",
    "model_nats",
    "packed",
    "stored_writer",
    "tempered",
    "unpacked",
    "write",
]

GATES = ("f", "g", "q", "z")


class Packed(NamedTuple):
    """The weights of a `CharLSTM` as whole numbers: each row has a scale by which its entries are multiplied.

    Rows of `cell` are the units of gate f, then g, q and the candidate z; its columns U, W and the bias. Rows of
    `head` are characters, columns V and c.
    """

    cell: np.ndarray  # (4 n_h, n_x + n_h + 1), int8
    cell_scale: np.ndarray  # (4 n_h,)
    head: np.ndarray  # (n_o, n_h + 1), int8
    head_scale: np.ndarray  # (n_o,)


class Written(NamedTuple):
    """What a net wrote, and the probabilities (tau, characters) that each character was drawn from."""

    text: str
    yhat: np.ndarray


def _rounded(rows: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray]:
    scale = np.array([float(f"{top / levels:.4g}") for top in np.abs(rows).max(1)])  # as a figure's JSON keeps it
    return np.clip(np.rint(rows / scale[:, None]), -levels, levels).astype(np.int8), scale


@checked
def packed(model: CharLSTM, levels: Annotated[int, (1, 127)] = 127) -> Packed:
    """Round the weights of a net to 2 `levels` + 1 values a row, evenly spaced between its largest and its negative."""
    gates = [getattr(model.cell, name) for name in GATES]
    cell = np.concatenate([np.column_stack([gate.U, gate.W, gate.b]) for gate in gates])
    return Packed(*_rounded(cell, levels), *_rounded(np.column_stack([model.V, model.c]), levels))


def unpacked(weights: Packed) -> CharLSTM:
    """The net that packed weights stand for."""
    cell, head = weights.cell * weights.cell_scale[:, None], weights.head * weights.head_scale[:, None]
    n = head.shape[1] - 1
    rows = [Gate(U=r[:, : -n - 1], W=r[:, -n - 1 : -1], b=r[:, -1]) for r in np.split(cell, 4)]
    return CharLSTM(LSTM(**dict(zip(GATES, rows, strict=True))), head[:, :-1], head[:, -1])


def stored_writer() -> Packed:
    """The packed net that the study `speech` trained on the corpus of Python."""
    return Packed(**store.weights("speech", kind="page"))


@checked
def model_logp(model: CharLSTM, codes: Annotated[np.ndarray, "characters", Classes(len(ALPHABET))]) -> np.ndarray:
    """Log-probability of each character of a text from the second on, the state carried: (characters − 1,)."""
    h = lstm_forward(model.cell, np.eye(len(ALPHABET))[codes[:-1]]).h[1:]
    return -nll(char_logits(model, h), codes[1:])


def model_nats(model: CharLSTM, codes: np.ndarray, at: np.ndarray) -> float:
    """Mean nats of the characters at some places of a text, the state carried from its first character on."""
    return float(-model_logp(model, codes)[at - 1].mean())


@checked
def draws(seed: Annotated[int, (0, 2**32 - 1)], n: Count) -> np.ndarray:
    """n numbers in [0, 1) by a generator that a page can run to the same bits: xorshift (Marsaglia, 2003).

    Equation: r ← r ⊕ (r ≪ 13), r ← r ⊕ (r ≫ 17), r ← r ⊕ (r ≪ 5), in 32 bits; the number is r / 2³². The seed is
    mixed by an odd multiplier first, so that neighbours begin apart, and 0 is no start.
    """
    r, out = (seed + 1) * 2654435761 % 2**32 or 1, []
    for _ in range(n):
        r ^= r << 13 & 0xFFFFFFFF
        r ^= r >> 17
        r ^= r << 5 & 0xFFFFFFFF
        out.append(r / 2**32)
    return np.array(out)


@checked
def tempered(o: Annotated[np.ndarray, "n_o"], temperature: Positive) -> np.ndarray:
    """Probabilities ŷ = softmax(o / T): T below 1 sharpens them, above 1 flattens them (Section P.1)."""
    return softmax(o / temperature)


@checked
def write(
    model: CharLSTM,
    start: str,
    n: Count,
    temperature: Annotated[float, (0, None)],
    seed: Annotated[int, (0, 2**32 - 1)] = 0,
) -> Written:
    """Write n more characters: read the start, draw a character, read it, and so on (ancestral sampling).

    Parameters
    ----------
    model : the net. start : a text to go on from; it is folded, and does not come back.
    temperature : T of `tempered`; 0 takes the likeliest character every time.
    seed : of `draws`, one of whose numbers each character takes.
    """
    h, s = np.zeros((2, model.V.shape[1]))
    eye, text, yhat = np.eye(len(model.c)), [], []
    for code in encode(start):
        step = model.cell.step(eye[code], h, s)
        h, s = step.h, step.s
    for u in draws(seed, n):
        o = model.c + model.V @ h
        p = tempered(o, temperature) if temperature else eye[o.argmax()]
        code = min(int(np.searchsorted(np.cumsum(p), u, side="right")), len(p) - 1)
        text.append(code)
        yhat.append(p)
        step = model.cell.step(eye[code], h, s)
        h, s = step.h, step.s
    return Written(decode(np.array(text)), np.array(yhat))
