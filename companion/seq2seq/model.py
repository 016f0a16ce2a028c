"""A reader, a context and a writer: the encoder–decoder of Section 10.4, with attention or without.

NumPy float64, one pair, no batch axis. The reader's states are g, the writer's h; rows as in `companion.recurrent`.
"""

from typing import Any, NamedTuple

import numpy as np

from companion.cells.rnn import Layer, gaussian
from companion.core.checks import array, choice, integer, parameters, targets
from companion.core.functions import log_softmax
from companion.core.scan import scan
from companion.seq2seq.lookback import attention

__all__ = [
    "WAYS",
    "Read",
    "Seq2Seq",
    "Written",
    "encode",
    "log_probability",
    "seq2seq_init",
    "start",
    "write_forced",
    "write_step",
]

WAYS = ("state", "input", "both")
"""How the context reaches the writer: as its initial state, as an extra input at each step, or both."""


class Seq2Seq(NamedTuple):
    """Parameters of an encoder–decoder. S, R and A are None where context or attention has no such way in."""

    X: np.ndarray  # (n_words, n_x) one row a source word
    Y: np.ndarray  # (n_o, n_y) one row a target symbol
    reader: Layer
    K: np.ndarray  # (n_C, n_g) last reader state → context
    d: np.ndarray  # (n_C,)
    S: np.ndarray | None  # (n_h, n_C) context → initial state
    s: np.ndarray | None  # (n_h,)
    writer: Layer
    R: np.ndarray | None  # (n_h, n_C) context → every step
    A: np.ndarray | None  # (n_h, n_g) the score of attention
    P: np.ndarray  # (n_m, n_h) writer state → mixed
    Q: np.ndarray | None  # (n_m, n_g) what attention read → mixed
    p: np.ndarray  # (n_m,)
    V: np.ndarray  # (n_o, n_m)
    c: np.ndarray  # (n_o,)


class Read(NamedTuple):
    """What the reader leaves: its states g (tau_x, n_g), one a word, and the context C (n_C,)."""

    g: np.ndarray
    C: np.ndarray


class Written(NamedTuple):
    """One step of the writer: state h (n_h,), logits o (n_o,), attention weights alpha (tau_x,) or None."""

    h: np.ndarray
    o: np.ndarray
    alpha: np.ndarray | None


def seq2seq_init(
    n_words: int, n_o: int, n_h: int, n_C: int, rng: np.random.Generator, attend: bool = True, way: str = "both"
) -> Seq2Seq:
    """Random parameters: Gaussian weights of variance 1/fan-in, zero biases; all widths but n_C are n_h.

    Parameters
    ----------
    n_words, n_o : kinds of source words and target symbols. n_h, n_C : widths of states and context.
    rng : the source of randomness. attend : with attention. way : one of `WAYS`.

    Returns
    -------
    Seq2Seq
    """
    n_words, n_o = integer("n_words", n_words, 1), integer("n_o", n_o, 1)
    n_h, n_C, way = integer("n_h", n_h, 1), integer("n_C", n_C, 1), choice("way", way, WAYS)

    def layer() -> Layer:
        return Layer(gaussian((n_h, n_h), rng), gaussian((n_h, n_h), rng), np.zeros(n_h))

    def some(wanted: bool, *shape: int) -> np.ndarray | None:
        return gaussian(shape, rng) if wanted else None

    state = way != "input"
    return Seq2Seq(
        *(rng.normal(size=(n, n_h)) for n in (n_words, n_o)),
        *(layer(), gaussian((n_C, n_h), rng), np.zeros(n_C)),
        *(some(state, n_h, n_C), np.zeros(n_h) if state else None),
        *(layer(), some(way != "state", n_h, n_C), some(attend, n_h, n_h)),
        *(gaussian((n_h, n_h), rng), some(attend, n_h, n_h), np.zeros(n_h)),
        *(gaussian((n_o, n_h), rng), np.zeros(n_o)),
    )


def checked(p: Any) -> Seq2Seq:
    """The parameters as float64 arrays whose shapes fit together, or a ValueError that says what does not."""
    if not isinstance(p, Seq2Seq):
        raise ValueError(f"p: want the parameters as Seq2Seq, got {type(p).__name__}")
    if (p.S is None) != (p.s is None) or (p.S is None and p.R is None):
        raise ValueError("p.S: want S and s together, or R instead: the context needs a way in")
    if (p.A is None) != (p.Q is None):
        raise ValueError("p.A: want A and Q together, or neither")
    X, Y = array("p.X", p.X, ("n_words", "n_x")), array("p.Y", p.Y, ("n_o", "n_y"))
    reader = parameters("p.reader", p.reader, Layer, n_x=X.shape[1])
    writer = parameters("p.writer", p.writer, Layer, n_x=Y.shape[1])
    n_g, n_h, n_C, n_m = len(reader.b), len(writer.b), len(p.d), len(p.p)
    shapes = {"K": (n_C, n_g), "d": (n_C,), "S": (n_h, n_C), "s": (n_h,), "R": (n_h, n_C), "A": (n_h, n_g)}
    shapes |= {"P": (n_m, n_h), "Q": (n_m, n_g), "p": (n_m,), "V": (len(Y), n_m), "c": (len(Y),)}
    given = {n: array(f"p.{n}", getattr(p, n), s) for n, s in shapes.items() if getattr(p, n) is not None}
    return p._replace(X=X, Y=Y, reader=reader, writer=writer, **given)


def encode(p: Seq2Seq, x: np.ndarray) -> Read:
    """Read a sequence and emit the context.

    Equations (Section 10.4): g⁽ᵏ⁾ = tanh(b + W g⁽ᵏ⁻¹⁾ + U X[x⁽ᵏ⁾]), g⁽⁰⁾ = 0, C = tanh(d + K g⁽ᵗ⁾) for the last step t.

    Parameters
    ----------
    p : parameters. x : source words, integers of shape (tau_x,).

    Returns
    -------
    Read
    """
    p = checked(p)
    x = _places("x", x, len(p.X))
    g = scan(p.reader, (np.zeros(len(p.reader.b)),), p.X[x]).h
    return Read(g[1:], np.tanh(p.d + p.K @ g[-1]))


def _places(name: str, value: Any, classes: int) -> np.ndarray:
    if np.size(value) == 0:
        raise ValueError(f"{name}: want a sequence of at least one step, got an empty one")
    return targets(name, value, np.size(value), classes)


def start(p: Seq2Seq, C: np.ndarray) -> np.ndarray:
    """The writer's initial state: h⁽⁰⁾ = tanh(s + S C), or zeros if the context comes in as input only (10.4).

    Parameters
    ----------
    p : parameters. C : context, shape (n_C,).

    Returns
    -------
    h⁽⁰⁾, shape (n_h,).
    """
    C = array("C", C, (len(p.d),))
    return np.zeros(len(p.writer.b)) if p.S is None else np.tanh(p.s + p.S @ C)


def write_step(p: Seq2Seq, read: Read, y: int, h: np.ndarray) -> Written:
    """One step of the writer: from the symbol before and the state before to logits for the next symbol.

    Equations (Section 10.4): h⁽ᵗ⁾ = tanh(b + W h⁽ᵗ⁻¹⁾ + U Y[y⁽ᵗ⁻¹⁾] + R C), (α, m) = attention(A, h⁽ᵗ⁾, g),
    o⁽ᵗ⁾ = c + V tanh(p + P h⁽ᵗ⁾ + Q m). Terms whose matrix is None are left out.

    Parameters
    ----------
    p : parameters. read : what `encode` returned. y : the symbol before. h : the state before, (n_h,).

    Returns
    -------
    Written
    """
    C, h = array("C", read.C, (len(p.d),)), array("h", h, (len(p.writer.b),))
    b = p.writer.b if p.R is None else p.writer.b + p.R @ C
    h = p.writer._replace(b=b).step(p.Y[integer("y", y, 0, len(p.Y) - 1)], h).h
    mixed, alpha = p.p + p.P @ h, None
    if p.A is not None:
        alpha, m = attention(p.A, h, read.g)
        mixed = mixed + p.Q @ m
    return Written(h, p.c + p.V @ np.tanh(mixed), alpha)


def write_forced(p: Seq2Seq, read: Read, y: np.ndarray) -> list[Written]:
    """The writer's steps with the targets as its inputs (teacher forcing); it begins from the end mark, n_o − 1.

    Parameters
    ----------
    p : parameters. read : what `encode` returned. y : target symbols with the end mark, shape (tau_y,).

    Returns
    -------
    One `Written` a step; step t has seen y⁽¹⁾ … y⁽ᵗ⁻¹⁾.
    """
    p = checked(p)
    y = _places("y", y, len(p.Y))
    steps, h = [], start(p, read.C)
    for before in (len(p.Y) - 1, *y[:-1]):
        steps.append(write_step(p, read, int(before), h))
        h = steps[-1].h
    return steps


def log_probability(p: Seq2Seq, x: np.ndarray, y: np.ndarray) -> float:
    """What training raises, for one pair: log P(y | x) = Σₜ log P(y⁽ᵗ⁾ | y⁽¹⁾, …, y⁽ᵗ⁻¹⁾, x) (Section 10.4).

    Parameters
    ----------
    p : parameters. x : source words, (tau_x,). y : target symbols with the end mark, (tau_y,).

    Returns
    -------
    float, in nats
    """
    o = np.stack([step.o for step in write_forced(p, encode(p, x), y)])
    return float(log_softmax(o)[np.arange(len(o)), np.asarray(y)].sum())
