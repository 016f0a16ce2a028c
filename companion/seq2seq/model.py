"""A reader, a context and a writer: the encoder–decoder of Section 10.4, with attention or without.

NumPy float64, one pair, no batch axis. The reader's states are g, the writer's h; rows as in `companion.recurrent`.
"""

from inspect import unwrap
from typing import Annotated, Any, Literal, NamedTuple, get_args

import numpy as np

from companion.cells.gru import GRU
from companion.cells.rnn import Layer, gaussian
from companion.core.checks import Classes, Count, array, checked, integer, parameters
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

Way = Literal["state", "input", "both"]
WAYS = get_args(Way)
"""How the context reaches the writer: as its initial state, as an extra input at each step, or both."""


class Seq2Seq(NamedTuple):
    """Parameters of an encoder–decoder. S, R and A are None where context or attention has no such way in."""

    X: Annotated[np.ndarray, "n_words", "n_x"]  # one row a source word
    Y: Annotated[np.ndarray, "n_o", "n_y"]  # one row a target symbol
    reader: Any  # a Layer or a GRU of n_g units that reads rows of X
    K: Annotated[np.ndarray, "n_C", "n_g"]  # last reader state → context
    d: Annotated[np.ndarray, "n_C"]
    S: Annotated[np.ndarray, "n_h", "n_C"] | None  # context → initial state
    s: Annotated[np.ndarray, "n_h"] | None
    writer: Any  # a Layer or a GRU of n_h units that reads rows of Y
    R: Annotated[np.ndarray, "n_a", "n_C"] | None  # context → every step: n_a = n_h, or 3 n_h for r, u and z of a GRU
    A: Annotated[np.ndarray, "n_h", "n_g"] | None  # the score of attention
    P: Annotated[np.ndarray, "n_m", "n_h"]  # writer state → mixed
    Q: Annotated[np.ndarray, "n_m", "n_g"] | None  # what attention read → mixed
    p: Annotated[np.ndarray, "n_m"]
    V: Annotated[np.ndarray, "n_o", "n_m"]
    c: Annotated[np.ndarray, "n_o"]


class Read(NamedTuple):
    """What the reader leaves: its states, one a word, and the context."""

    g: Annotated[np.ndarray, "tau_x", "n_g"]
    C: Annotated[np.ndarray, "n_C"]


class Written(NamedTuple):
    """One step of the writer: state h (n_h,), logits o (n_o,), attention weights alpha (tau_x,) or None."""

    h: np.ndarray
    o: np.ndarray
    alpha: np.ndarray | None


def _fitting(name: str, p: Seq2Seq) -> Seq2Seq:
    """The layers fit what they read, and what is left out is left out as a whole."""
    if (p.S is None) != (p.s is None) or (p.S is None and p.R is None):
        raise ValueError(f"{name}.S: want S and s together, or R instead: the context needs a way in")
    if (p.A is None) != (p.Q is None):
        raise ValueError(f"{name}.A: want A and Q together, or neither")
    reader = _cell(f"{name}.reader", p.reader, p.K.shape[1], p.X.shape[1])
    writer = _cell(f"{name}.writer", p.writer, p.P.shape[1], p.Y.shape[1])
    if p.R is not None:
        rows = len(p.P[0]) * (3 if isinstance(writer, GRU) else 1)
        array(f"{name}.R", p.R, (rows, len(p.d)))
    return p._replace(reader=reader, writer=writer)


def _cell(name: str, cell: Any, n_h: int, n_x: int) -> Layer | GRU:
    return parameters(name, cell, GRU if isinstance(cell, GRU) else Layer, n_h=n_h, n_x=n_x)


Net = Annotated[Seq2Seq, _fitting]

Words = Annotated[np.ndarray, "tau_x", Classes("n_words")]

Symbols = Annotated[np.ndarray, "tau_y", Classes("n_o")]
"""Target symbols, with their end mark."""


@checked
def seq2seq_init(
    n_words: Count,
    n_o: Count,
    n_h: Count,
    n_C: Count,
    rng: np.random.Generator,
    attend: bool = True,
    way: Way = "both",
) -> Seq2Seq:
    """Random parameters: Gaussian weights of variance 1/fan-in, zero biases; all widths but n_C are n_h.

    There are n_words kinds of source words and n_o of target symbols; `attend` is with attention.
    """

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


def pushed(cell: Layer | GRU, a: np.ndarray) -> Layer | GRU:
    """The cell with a added to its bias, or to the three biases of a GRU: r, u and z one below the other."""
    if isinstance(cell, Layer):
        return cell._replace(b=cell.b + a)
    gates = zip("ruz", np.split(a, 3), strict=True)
    return cell._replace(**{k: (gate := getattr(cell, k))._replace(b=gate.b + part) for k, part in gates})


@checked
def encode(p: Net, x: Words) -> Read:
    """Read a sequence and emit the context.

    Equations (Section 10.4): g⁽ᵏ⁾ = tanh(b + W g⁽ᵏ⁻¹⁾ + U X[x⁽ᵏ⁾]), g⁽⁰⁾ = 0, C = tanh(d + K g⁽ᵗ⁾) for the last step t.
    """
    g = scan(p.reader, (np.zeros(p.K.shape[1]),), p.X[x]).h
    return Read(g[1:], np.tanh(p.d + p.K @ g[-1]))


def start(p: Seq2Seq, C: np.ndarray) -> np.ndarray:
    """The writer's initial state: h⁽⁰⁾ = tanh(s + S C), or zeros if the context comes in as input only (10.4)."""
    C = array("C", C, (len(p.d),))
    return np.zeros(p.P.shape[1]) if p.S is None else np.tanh(p.s + p.S @ C)


def write_step(p: Seq2Seq, read: Read, y: int, h: np.ndarray) -> Written:
    """One step of the writer: from the symbol before and the state before to logits for the next symbol.

    Equations (Section 10.4): h⁽ᵗ⁾ = tanh(b + W h⁽ᵗ⁻¹⁾ + U Y[y⁽ᵗ⁻¹⁾] + R C), (α, m) = attention(A, h⁽ᵗ⁾, g),
    o⁽ᵗ⁾ = c + V tanh(p + P h⁽ᵗ⁾ + Q m). Terms whose matrix is None are left out.

    Parameters
    ----------
    p : parameters that `encode` accepts. read : what it returned. y : the symbol before. h : the state before, (n_h,).
    """
    C, h = array("C", read.C, (len(p.d),)), array("h", h, (p.P.shape[1],))
    cell = p.writer if p.R is None else pushed(p.writer, p.R @ C)
    h = cell.step(p.Y[integer("y", y, 0, len(p.Y) - 1)], h).h
    mixed, alpha = p.p + p.P @ h, None
    if p.A is not None:
        alpha, m = unwrap(attention)(p.A, h, read.g)  # without its checks: p and read are those of `encode`
        mixed = mixed + p.Q @ m
    return Written(h, p.c + p.V @ np.tanh(mixed), alpha)


@checked
def write_forced(p: Net, read: Read, y: Symbols) -> list[Written]:
    """The writer's steps with the targets as its inputs (teacher forcing); it begins from the end mark, n_o − 1.

    Step t has seen y⁽¹⁾ … y⁽ᵗ⁻¹⁾ and what `encode` returned.
    """
    steps, h = [], start(p, read.C)
    for before in (len(p.Y) - 1, *y[:-1]):
        steps.append(write_step(p, read, int(before), h))
        h = steps[-1].h
    return steps


def log_probability(p: Seq2Seq, x: np.ndarray, y: np.ndarray) -> float:
    """What training raises, for one pair: log P(y | x) = Σₜ log P(y⁽ᵗ⁾ | y⁽¹⁾, …, y⁽ᵗ⁻¹⁾, x) (Section 10.4).

    In nats; x are source words, (tau_x,), and y target symbols with the end mark, (tau_y,).
    """
    o = np.stack([step.o for step in write_forced(p, encode(p, x), y)])
    return float(log_softmax(o)[np.arange(len(o)), np.asarray(y)].sum())
