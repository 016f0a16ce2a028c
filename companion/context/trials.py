"""What Section 10.2.4 tries its nets on, pictures to name and concepts to put into words; and the nets stored."""

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from companion.context.coupled import FeedbackRNN
from companion.context.letters import LONGEST, NAMES, read, spell
from companion.context.vector import ContextRNN, Way, given_context
from companion.core.checks import Count, checked
from companion.data import store
from companion.data.tasks import digits
from companion.search import LogP

__all__ = [
    "CONCEPTS",
    "KINDS",
    "SPEAKERS",
    "SPELLERS",
    "consistent",
    "dialects",
    "digit_pictures",
    "in_letters",
    "names_logp",
    "spelled",
    "stored_context_nets",
    "way_of",
]

Speller = Literal[Way, "unread"]  # "unread": way "input", but the net does not read the letters that it wrote
Speaker = Literal["feedback", "alone"]  # "alone": the net does not read the words that it said
Kind = Literal[Speller, Speaker]
SPELLERS, SPEAKERS, KINDS = map(get_args, (Speller, Speaker, Kind))
CONCEPTS = (
    ("lift", "elevator"),
    ("flat", "apartment"),
    ("autumn", "fall"),
    ("lorry", "truck"),
    ("petrol", "gas"),
    ("biscuit", "cookie"),
)
SPLIT = 2024  # seed of the one split into training and held-out pictures


def digit_pictures() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The digits as vectors of 64 pixels: (x, y) to learn from and (x, y) held out, always the same split.

    Returns
    -------
    Two pairs; x has shape (n, 64) and lies in [0, 1], y has shape (n,).
    """
    (x, y), (x_held, y_held) = digits(np.random.default_rng(SPLIT))
    return (x.reshape(-1, 64), y), (x_held.reshape(-1, 64), y_held)


@checked
def dialects(tau: Count, n: Count, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of τ concepts, each put into words by a speaker of one dialect; nothing in x tells which.

    Returns
    -------
    x : (n, tau, 6), one-hot concepts.
    y : (n, tau), words: 2 × concept + dialect, where one fair coin a sequence chooses the dialect, 0 or 1.
    """
    concepts = rng.integers(len(CONCEPTS), size=(n, tau))
    return np.eye(len(CONCEPTS))[concepts], 2 * concepts + rng.integers(2, size=(n, 1))


def consistent(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether a sequence says every concept rightly and all in one dialect: truth values, shape (…).

    Parameters
    ----------
    x : (…, tau, 6), one-hot concepts. y : (…, tau), words.
    """
    dialect = y - 2 * np.argmax(x, axis=-1)
    return (dialect == 0).all(axis=-1) | (dialect == 1).all(axis=-1)


@checked
def way_of(kind: Speller) -> Way:
    """The way in of a kind of speller."""
    return "input" if kind == "unread" else kind


def spelled(p: ContextRNN, x: np.ndarray, way: Way) -> list[str]:
    """What a net writes about n pictures (n, 64), all at once, with the most probable letter at every step."""
    given = [given_context(p, row, way) for row in x]
    # one column a picture: its own bias and its own first state, and the weights of all
    net, h = given[0][0]._replace(b=np.transpose([net.b for net, _ in given])), np.transpose([h0 for _, h0 in given])
    letters, y = np.eye(len(p.c)), []
    before = np.zeros((len(p.c), len(x)))  # nothing has been written yet
    for _ in range(LONGEST):
        h = net.step(before, h).h
        y.append((p.c[:, None] + net.V @ h).argmax(axis=0))
        before = letters[:, y[-1]]
    return [read(word) for word in np.transpose(y).tolist()]


def names_logp(logp: LogP) -> np.ndarray:
    """Log-probabilities of the ten names under a model that is asked letter by letter (`context_next`), shape (10,)."""
    names = [tuple(int(i) for i in spell(name)) for name in NAMES]
    return np.array([sum(logp(y[:t])[y[t]] for t in range(len(y))) for y in names])


@checked
def in_letters(kind: Kind, weights: Mapping[str, np.ndarray]) -> ContextRNN | FeedbackRNN:
    """The weights of a `companion.context.modules.context_net` in the book's letters; what it does not use is zero.

    Parameters
    ----------
    weights : arrays by their names in torch.
    """
    w = {name: np.asarray(value, dtype=np.float64) for name, value in weights.items()}
    V, c, b = w["head.weight"], w["head.bias"], w["rnn.bias_ih_l0"] + w["rnn.bias_hh_l0"]
    n_o, n_h = V.shape
    written, given = np.split(w["rnn.weight_ih_l0"], [n_o], axis=1)
    if kind in SPEAKERS:
        return FeedbackRNN(given, w["rnn.weight_hh_l0"], V, b, c, F=written)
    S, s = w.get("start.weight", np.zeros((n_h, given.shape[1]))).T, w.get("start.bias", np.zeros(n_h))
    R = given.T if kind != "state" else np.zeros_like(S)
    return ContextRNN(written, w["rnn.weight_hh_l0"], V, b, c, R=R, S=S, s=s)


def stored_context_nets() -> dict[tuple[str, int], ContextRNN | FeedbackRNN]:
    """The nets that the study `context` stored, by (kind, seed)."""
    return {(key["kind"], key["seed"]): in_letters(key["kind"], weights) for key, weights in store.nets("context")}
