"""Melodies written by a net that is told the genre, and by counts of k-grams (Section P.4)."""

from typing import Annotated, Literal, NamedTuple, get_args

import numpy as np

from companion.cells.rnn import many
from companion.context import ContextRNN, given_context
from companion.context.trials import in_letters
from companion.core.checks import Classes, Count, Positive, checked
from companion.core.functions import log_softmax, softmax
from companion.data import store
from companion.graphical import KGram, kgram_fit, kgram_logp
from companion.music.genres import NAMES, SYMBOLS, TAU, Melodies

__all__ = [
    "KINDS",
    "Stored",
    "context_of",
    "counted",
    "counted_bits",
    "counted_melodies",
    "melody_bits",
    "of_torch",
    "stored_melody_nets",
    "tempered",
    "written",
]

Kind = Literal["state", "input", "both", "none"]  # how the genre comes in; "none": the net is never told
KINDS = get_args(Kind)

Genres = Annotated[np.ndarray, "n", Classes(len(NAMES))]
"""Places of genres in `NAMES`."""


@checked
def context_of(genre: Genres, kind: Kind) -> np.ndarray:
    """What a net is told: the genres one-hot, (n, 5), or zeros if it is told nothing."""
    return np.eye(len(NAMES))[genre] * (kind != "none")


def _side_by_side(p: ContextRNN, x: np.ndarray, kind: str) -> tuple:
    """One net for n contexts: a column each of biases and of first states, and the weights of all."""
    way = "input" if kind == "none" else kind
    given = [given_context(p, row, way) for row in np.eye(len(p.R))]
    rest = given_context(p, np.zeros(len(p.R)), way)
    chosen = [given[row.argmax()] if row.any() else rest for row in x]
    net = many(chosen[0][0])._replace(b=np.transpose([net.b for net, _ in chosen]))
    return net, np.transpose([h0 for _, h0 in chosen])


@checked
def tempered(o: np.ndarray, temperature: Positive) -> np.ndarray:
    """Probabilities at a temperature T: softmax(o / T), over the last axis.

    Equation (Section P.4): P_T(y = k) ∝ exp(o_k / T) ∝ P(y = k)^{1/T}; T < 1 sharpens, T > 1 flattens.
    """
    return softmax(np.asarray(o, dtype=np.float64) / temperature)


def _draw(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A symbol from each row of probabilities."""
    return (rng.random((len(p), 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)


@checked
def written(
    p: ContextRNN, genre: Genres, kind: Kind, rng: np.random.Generator, temperature: Positive = 1.0
) -> np.ndarray:
    """Draw a melody for each of n genres, all side by side, (n, 32) symbols (ancestral sampling).

    Equation (Section P.4): y⁽ᵗ⁾ ~ softmax((c + V h⁽ᵗ⁾) / T), then read by h⁽ᵗ⁺¹⁾.
    """
    net, h = _side_by_side(p, context_of(genre, kind), kind)
    symbols, before = np.eye(len(p.c)), np.zeros((len(p.c), len(genre)))
    y = np.empty((len(genre), TAU), dtype=int)
    for t in range(TAU):
        h = net.step(before, h).h
        yhat = tempered((p.c[:, None] + net.V @ h).T, temperature)
        y[:, t] = _draw(yhat, rng)
        before = symbols[:, y[:, t]]
    return y


@checked
def melody_bits(p: ContextRNN, y: Melodies, genre: Genres, kind: Kind) -> np.ndarray:
    """Bits that a net needs for each melody, given its genre: −log₂ P(y | x), shape (n,)."""
    net, h = _side_by_side(p, context_of(genre, kind), kind)
    symbols, before, bits = np.eye(len(p.c)), np.zeros((len(p.c), len(y))), np.zeros(len(y))
    for t in range(TAU):
        h = net.step(before, h).h
        bits -= log_softmax((p.c[:, None] + net.V @ h).T)[np.arange(len(y)), y[:, t]] / np.log(2)
        before = symbols[:, y[:, t]]
    return bits


START = SYMBOLS  # of a k-gram alone: what stands before the first step


@checked
def counted(y: Melodies, order: Count, strength: Positive = 0.5) -> KGram:
    """The k-grams of some melodies, each with its own beginning (`companion.graphical.kgram_fit`)."""
    padded = np.pad(y, ((0, 0), (order, 0)), constant_values=START)
    return kgram_fit(padded.ravel(), SYMBOLS + 1, order, strength)


@checked
def counted_bits(m: KGram, y: Melodies) -> np.ndarray:
    """Bits that the k-grams need for each melody, shape (n,); that a melody goes on is known."""
    grams = np.lib.stride_tricks.sliding_window_view(
        np.pad(y, ((0, 0), (m.order, 0)), constant_values=START), m.order + 1, axis=1
    )
    ended = grams.copy()
    ended[..., -1] = START
    p, no = (np.exp(_each(m, codes)) for codes in (grams, ended))
    return -np.log2(p / (1 - no)).sum(axis=1)


def _each(m: KGram, grams: np.ndarray) -> np.ndarray:
    """Log-probability of the last symbol of each k-gram given the others, (…)."""
    return kgram_logp(m, grams.ravel())[:: m.order + 1].reshape(grams.shape[:-1])


@checked
def counted_melodies(m: KGram, n: Count, rng: np.random.Generator) -> np.ndarray:
    """Draw n melodies from k-grams, (n, 32) symbols."""
    y = np.full((n, m.order + TAU), START)
    for t in range(m.order, m.order + TAU):
        grams = np.empty((n, SYMBOLS, m.order + 1), dtype=int)
        grams[..., :-1], grams[..., -1] = y[:, None, t - m.order : t], np.arange(SYMBOLS)
        p = np.exp(_each(m, grams))
        y[:, t] = _draw(p / p.sum(axis=1, keepdims=True), rng)
    return y[:, m.order :]


class Stored(NamedTuple):
    """A net that the study `music` stored."""

    kind: str
    seed: int
    p: ContextRNN


def stored_melody_nets() -> list[Stored]:
    """The nets that the study `music` stored."""
    return [Stored(key["kind"], key["seed"], of_torch(key["kind"], w)) for key, w in store.nets("music")]


@checked
def of_torch(kind: Kind, weights: dict) -> ContextRNN:
    """The weights of a `companion.context.modules.context_net` in the book's letters."""
    return in_letters("input" if kind == "none" else kind, weights)
