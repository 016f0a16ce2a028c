"""Where the gradient of a written symbol goes: along the writer, through context and attention (Section 10.4)."""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import Layer, RNNNodes
from companion.core.checks import Count, checked
from companion.core.functions import softmax
from companion.core.scan import reverse_scan
from companion.seq2seq.lookback import attention
from companion.seq2seq.model import Net, Seq2Seq, Symbols, Words, encode, pushed, start, write_forced

__all__ = ["Reach", "symbol_reach"]


class Reach(NamedTuple):
    """Gradients of log P of the symbol of step t: on the writer's states, the context, the reader's states."""

    h: np.ndarray  # (t + 1, n_h); h[0] is that on the initial state
    C: np.ndarray  # (n_C,)
    g: np.ndarray  # (tau_x, n_g), by all ways
    fetched: np.ndarray  # (tau_x, n_g), what of it comes through the attention of step t, in one hop


def _tanh(name: str, p: Seq2Seq) -> Seq2Seq:
    if not (isinstance(p.reader, Layer) and isinstance(p.writer, Layer)):
        raise ValueError(f"{name}: want tanh layers as reader and writer, got another cell")
    return p


@checked
def symbol_reach(p: Annotated[Net, _tanh], x: Words, y: Symbols, t: Count) -> Reach:
    """The gradient of log P(y⁽ᵗ⁾ | y⁽¹⁾ … y⁽ᵗ⁻¹⁾, x) on every state that it passes (Section 10.4).

    Equations: with q = p + P h⁽ᵗ⁾ + Q m, ∇_q = diag(1 − tanh² q) Vᵀ (1_y − ŷ), ∇_m = Qᵀ ∇_q,
    ∇_e = diag(α) (g − 1 mᵀ) ∇_m, ∇_h⁽ᵗ⁾ = Pᵀ ∇_q + A gᵀ ∇_e, and from there back-propagation through time.
    """
    if t > len(y):
        raise ValueError(f"t: want a step of the {len(y)}, got {t}")
    read = encode(p, x)
    steps = write_forced(p, read, y[:t])
    h, o = np.stack([start(p, read.C), *(s.h for s in steps)]), steps[-1].o
    alpha, m = (None, 0.0) if p.A is None else attention(p.A, h[t], read.g)
    mixed = np.tanh(p.p + p.P @ h[t] + (0.0 if p.Q is None else p.Q @ m))
    d_q = (1 - mixed**2) * (p.V.T @ (np.eye(len(o))[y[t - 1]] - softmax(o)))
    d_h, fetched = np.zeros((t, len(h[0]))), np.zeros_like(read.g)
    d_h[-1] = p.P.T @ d_q
    if p.A is not None:
        d_m = p.Q.T @ d_q
        d_e = alpha * ((read.g - m) @ d_m)
        d_h[-1] += p.A @ read.g.T @ d_e
        fetched = np.outer(alpha, d_m) + np.outer(d_e, p.A.T @ h[t])  # as value, and as key
    cell = p.writer if p.R is None else pushed(p.writer, p.R @ read.C)
    back = reverse_scan(cell, RNNNodes(h=h), h=d_h)
    d_C = np.zeros_like(read.C)
    if p.R is not None:
        d_C += p.R.T @ back.a.sum(axis=0)
    if p.S is not None:
        d_C += p.S.T @ ((1 - h[0] ** 2) * back.h[0])
    d_g = fetched.copy()
    d_g[-1] += p.K.T @ ((1 - read.C**2) * d_C)
    g = reverse_scan(p.reader, RNNNodes(h=np.vstack([np.zeros_like(read.g[:1]), read.g])), h=d_g).h
    return Reach(back.h, d_C, g[1:], fetched)
