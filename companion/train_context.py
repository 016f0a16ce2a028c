"""Train the nets of Section 10.2.4 over seeds, once, and store them with a record.

    python -m companion.train_context

trains nets that spell the digit in an 8×8 picture, letter by letter, with the picture let in three ways (and, for
comparison, one kind that does not read its own letters); and nets that translate concepts into words of one of two
dialects, with and without feedback of what was said. It writes ``book/data/context.npz`` and
``book/data/context.json``. The number of steps is fixed beforehand: nothing is chosen on the held-out pictures.
"""

import argparse
import time
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from companion.context import (
    LETTERS,
    LONGEST,
    NAMES,
    WAYS,
    ContextRNN,
    FeedbackRNN,
    context_next,
    feedback_forward,
    feedback_sample,
    read,
    spell,
)
from companion.graphical import LogP, greedy
from companion.recurrent import from_torch, rnn_loss
from companion.tasks import digits
from companion.training import load_weights, save_weights, torch_seed, train, write_record
from companion.validation import choice, integer

__all__ = [
    "CONCEPTS",
    "DATA",
    "KINDS",
    "SEEDS",
    "Concepts",
    "build",
    "consistent",
    "dialects",
    "load",
    "logits",
    "main",
    "names_logp",
    "pictures",
    "words",
]

DATA = Path(__file__).parents[1] / "book" / "data"
COMMAND = "python -m companion.train_context"
SEEDS = tuple(range(5))
SILENT = "input, letters not read"
KINDS = (*WAYS, SILENT)
UNITS, STEPS, BATCH, RATE = 32, 800, 128, 5e-3
CONCEPTS = (
    ("lift", "elevator"),
    ("flat", "apartment"),
    ("autumn", "fall"),
    ("lorry", "truck"),
    ("petrol", "gas"),
    ("biscuit", "cookie"),
)
Concepts = "talk"  # see `build`
TALK_UNITS, TALK_STEPS, TALK_LENGTH = 16, 1000, 8
SPLIT = 2024  # seed of the split into training and held-out pictures, the same for all nets


def pictures() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The digits as vectors of 64 pixels: (x, y) to learn from and (x, y) held out, split once and for all.

    Returns
    -------
    Two pairs; x has shape (n, 64) and lies in [0, 1], y has shape (n,).
    """
    (x, y), (x_held, y_held) = digits(np.random.default_rng(SPLIT))
    return (x.reshape(-1, 64), y), (x_held.reshape(-1, 64), y_held)


def dialects(tau: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of concepts, each translated by a speaker of one dialect, which nothing in x tells.

    Parameters
    ----------
    tau : concepts a sequence, at least 1.
    n : sequences, at least 1.
    rng : the source of randomness.

    Returns
    -------
    x : (n, tau, 6), one-hot concepts.
    y : (n, tau), words: 2 × concept + dialect, where one fair coin a sequence chooses the dialect, 0 or 1.

    Raises
    ------
    ValueError
        If tau or n is below 1.
    """
    tau, n = integer("tau", tau, 1), integer("n", n, 1)
    concepts = rng.integers(len(CONCEPTS), size=(n, tau))
    return np.eye(len(CONCEPTS))[concepts], 2 * concepts + rng.integers(2, size=(n, 1))


def consistent(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which translations say every concept rightly, and all in one dialect?

    Parameters
    ----------
    x : (…, tau, 6), one-hot concepts.
    y : (…, tau), words.

    Returns
    -------
    Truth values, shape (…).
    """
    dialect = y - 2 * np.argmax(x, axis=-1)
    return (dialect == 0).all(axis=-1) | (dialect == 1).all(axis=-1)
