"""A memory network for one question, forward and backward by hand (Section 10.13): NumPy float64, N sentences.

A sentence has two vectors: its address says what it is about, its content is what one gets by reading it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from companion.core import tree
from companion.core.checks import array, integer
from companion.core.functions import nll_grad, softmax

__all__ = ["Hop", "HopGrad", "Memory", "Thought", "hard_hop", "memory_grad", "soft_hop", "soft_hop_grad", "think"]


class Memory(NamedTuple):
    """Parameters of K hops over w words.

    A (K, n_u, w) for addresses, B (n_u, w) for the question, C (K, n_u, w) for contents, T (K, ages, n_u) for the age
    of a sentence, V (places, n_u) for the answer.
    """

    A: np.ndarray
    B: np.ndarray
    C: np.ndarray
    T: np.ndarray
    V: np.ndarray


class Hop(NamedTuple):
    """Scores s (N,), weights p (N,), what was read o (n_u,), and the next question u (n_u,)."""

    s: np.ndarray
    p: np.ndarray
    o: np.ndarray
    u: np.ndarray


class HopGrad(NamedTuple):
    """Gradients with respect to scores s (N,), addresses m (N, n_u), contents c (N, n_u) and the question u (n_u,)."""

    s: np.ndarray
    m: np.ndarray
    c: np.ndarray
    u: np.ndarray


class Thought(NamedTuple):
    """The way to an answer: u (K + 1, n_u), the K hops, and the logits V u after each, o (K + 1, places)."""

    u: np.ndarray
    hops: tuple[Hop, ...]
    o: np.ndarray


def _checked(m: np.ndarray, c: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    m = array("m", m, ("N", "n_u"))
    return m, array("c", c, m.shape), array("u", u, (m.shape[1],))


def soft_hop(m: np.ndarray, c: np.ndarray, u: np.ndarray) -> Hop:
    """Read every sentence, each by its weight.

    Equations (Section 10.13): sᵢ = mᵢᵀ u, p = softmax(s), o = Σᵢ pᵢ cᵢ, u' = u + o.

    Parameters
    ----------
    m : addresses, one row a sentence, (N, n_u). c : contents, (N, n_u). u : the question, (n_u,).

    Raises
    ------
    ValueError
        If the memory is empty or a shape does not fit.

    Reference: sukhbaatar2015
    """
    m, c, u = _checked(m, c, u)
    s = m @ u
    p = softmax(s)
    o = p @ c
    return Hop(s, p, o, u + o)


def hard_hop(m: np.ndarray, c: np.ndarray, u: np.ndarray) -> Hop:
    """Read the one sentence with the highest score: p is 1 there and 0 elsewhere.

    Equations (Section 10.13): i = argmaxⱼ mⱼᵀ u, o = cᵢ, u' = u + o. Parameters and errors as in `soft_hop`.

    Reference: weston2015
    """
    m, c, u = _checked(m, c, u)
    s = m @ u
    i = int(s.argmax())
    return Hop(s, np.eye(len(s))[i], c[i], u + c[i])


def soft_hop_grad(m: np.ndarray, c: np.ndarray, u: np.ndarray, g: np.ndarray) -> HopGrad:
    """Gradient of a loss through one soft hop, given g = ∇_{u'} L.

    Equations (Section 10.13): ∇_{cᵢ} = pᵢ g, ∇_{sᵢ} = pᵢ (cᵢ − o)ᵀ g, ∇_{mᵢ} = ∇_{sᵢ} u, ∇_u = g + Σᵢ ∇_{sᵢ} mᵢ.

    Parameters
    ----------
    m, c, u : as in `soft_hop`. g : (n_u,).

    Raises
    ------
    ValueError
        If the memory is empty or a shape does not fit.

    Reference: sukhbaatar2015
    """
    m, c, u = _checked(m, c, u)
    g, hop = array("g", g, u.shape), soft_hop(m, c, u)
    g_s = hop.p * ((c - hop.o) @ g)
    return HopGrad(g_s, np.outer(g_s, u), np.outer(hop.p, g), g + g_s @ m)


def _sentences(
    p: Memory, x: np.ndarray, q: np.ndarray
) -> tuple[Memory, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    B = array("p.B", p.B, ("n_u", "words"))
    A = array("p.A", p.A, ("hops", *B.shape))
    T = array("p.T", p.T, (len(A), "ages", len(B)))
    p = Memory(A, B, array("p.C", p.C, A.shape), T, array("p.V", p.V, ("places", len(B))))
    x, q = array("x", x, ("N", B.shape[1])), array("q", q, (B.shape[1],))
    if len(x) > T.shape[1]:
        raise ValueError(f"x: want at most {T.shape[1]} sentences, one an age, got {len(x)}")
    aged = T[:, : len(x)][:, ::-1]  # the last sentence has age 0
    return p, x, q, x @ A.transpose(0, 2, 1) + aged, x @ p.C.transpose(0, 2, 1)


def think(p: Memory, x: np.ndarray, q: np.ndarray, hop: Callable[..., Hop] = soft_hop) -> Thought:
    """Answer one question by K hops (Section 10.13).

    Equations: u⁽⁰⁾ = B q, mᵢ = A⁽ᵏ⁾ xᵢ + T⁽ᵏ⁾_{age(i)}, cᵢ = C⁽ᵏ⁾ xᵢ, u⁽ᵏ⁾ = hop(m, c, u⁽ᵏ⁻¹⁾), ŷ = softmax(V u⁽ᴷ⁾).

    Parameters
    ----------
    p : parameters. x : counts of the words of each sentence, the newest last, (N, w). q : those of the question, (w,).
    hop : `soft_hop` or `hard_hop`.

    Reference: sukhbaatar2015
    """
    p, x, q, ms, cs = _sentences(p, x, q)
    u, hops = [p.B @ q], []
    for m, c in zip(ms, cs, strict=True):
        hops.append(hop(m, c, u[-1]))
        u.append(hops[-1].u)
    return Thought(np.array(u), tuple(hops), np.array(u) @ p.V.T)


def memory_grad(p: Memory, x: np.ndarray, q: np.ndarray, y: int) -> Memory:
    """Gradient of L = −log ŷ_y with respect to all parameters, soft hops (Section 10.13).

    Parameters
    ----------
    p, x, q : as in `think`. y : the class of the answer.
    """
    run = think(p, x, q)
    p, x, q, ms, cs = _sentences(p, x, q)
    g_o = nll_grad(run.o[-1:], np.array([integer("y", y, 0, len(p.V) - 1)]))[0]
    grad, g = tree.map(np.zeros_like, p), p.V.T @ g_o
    for k in reversed(range(len(ms))):
        back = soft_hop_grad(ms[k], cs[k], run.u[k], g)
        grad.A[k], grad.C[k], grad.T[k, : len(x)] = back.m.T @ x, back.c.T @ x, back.m[::-1]
        g = back.u
    return grad._replace(B=np.outer(g, q), V=np.outer(g_o, run.u[-1]))
