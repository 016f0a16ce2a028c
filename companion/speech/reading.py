"""What single units of a net hold: chosen on one text, judged on another (Section P.1). NumPy alone."""

from typing import Annotated, NamedTuple

import numpy as np
from scipy.stats import rankdata

from companion.cells.lstm import lstm_forward
from companion.core.checks import Classes, checked
from companion.data.text import ALPHABET, decode
from companion.gated.characters import CharLSTM

__all__ = ["PROPERTIES", "Found", "auc", "character_scores", "find_units", "properties", "unit_states"]

PROPERTIES = ("inside a bracket", "fifth letter of a word or later", "the next one is a space")
"""What is asked of each character of a text, yes or no."""

Codes = Annotated[np.ndarray, "characters", Classes(len(ALPHABET))]


class Found(NamedTuple):
    """The unit that tells a property best on one text, and how well it tells it on another (AUC)."""

    unit: int
    chosen: float  # AUC on the text that it was chosen on
    judged: float  # on the other one
    character: float  # there, of the best score that looks at the present character alone


@checked
def properties(codes: Codes) -> dict[str, np.ndarray]:
    """For each of `PROPERTIES`, at which characters of a text it holds: booleans (characters,).

    A bracket is inside from "(" on, up to the character before ")"; a new "(" changes nothing.
    """
    inside, letters, found = False, 0, {name: [] for name in PROPERTIES}
    text = decode(codes)
    for c, after in zip(text, text[1:] + " ", strict=True):
        inside = (inside or c == "(") and c != ")"
        letters = letters + 1 if c.isalpha() else 0
        for name, holds in zip(PROPERTIES, (inside, letters >= 5, after == " "), strict=True):
            found[name].append(holds)
    return {name: np.array(holds) for name, holds in found.items()}


@checked
def unit_states(model: CharLSTM, codes: Codes) -> np.ndarray:
    """The cell states s⁽ᵗ⁾ after each character of a text, from a zero state: (characters, n_h)."""
    return lstm_forward(model.cell, np.eye(len(ALPHABET))[codes]).s[1:]


@checked
def auc(values: Annotated[np.ndarray, "tau"], holds: Annotated[np.ndarray, "tau"]) -> float:
    """Probability that a value where something holds exceeds one where it does not; ties count one half.

    Equation: AUC = (Σ ranks where it holds − n₁(n₁ + 1)/2) / (n₁ n₀), n₁ and n₀ the characters where it does, or not.
    """
    yes = holds.astype(bool)
    if yes.all() or not yes.any():
        raise ValueError("holds: want some characters where it holds and some where it does not, got one kind only")
    n = yes.sum()
    return float((rankdata(values)[yes].sum() - n * (n + 1) / 2) / (n * (len(yes) - n)))


@checked
def character_scores(
    learn: Codes,
    holds: Annotated[np.ndarray, "characters"],
    codes: Annotated[np.ndarray, "read", Classes(len(ALPHABET))],
) -> np.ndarray:
    """How often something held at a character of a text, for each character of another: the best without a memory."""
    seen = np.bincount(learn, minlength=len(ALPHABET))
    return (np.bincount(learn, holds, len(ALPHABET)) / np.maximum(seen, 1))[codes]


def find_units(model: CharLSTM, learn: np.ndarray, chosen_on: np.ndarray, judged_on: np.ndarray) -> dict[str, Found]:
    """For each property the unit whose state tells it best on one text, and its AUC on another (both signs count)."""
    states, texts = unit_states(model, chosen_on), [properties(t) for t in (learn, chosen_on, judged_on)]
    later, out = unit_states(model, judged_on), {}
    for name in PROPERTIES:
        first, second, third = (held[name] for held in texts)
        each = np.array([auc(states[:, k], second) for k in range(states.shape[1])])
        unit = int(np.abs(each - 0.5).argmax())
        sign = np.sign(each[unit] - 0.5)
        alone = auc(character_scores(learn, first, judged_on), third)
        out[name] = Found(unit, 0.5 + sign * (each[unit] - 0.5), auc(sign * later[:, unit], third), alone)
    return out
