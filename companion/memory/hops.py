"""A memory network for one question, forward and backward by hand (Section 10.13): NumPy float64, N sentences.

A sentence has two vectors: its address says what it is about, its content is what one gets by reading it.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np

from companion.core import tree
from companion.core.checks import checked, integer
from companion.core.functions import nll_grad, softmax

__all__ = ["Hop", "HopGrad", "Memory", "Thought", "hard_hop", "memory_grad", "soft_hop", "soft_hop_grad", "think"]

Vectors = Annotated[np.ndarray, "N", "n_u"]
"""One row a sentence."""

Question = Annotated[np.ndarray, "n_u"]


class Memory(NamedTuple):
    """Parameters of K hops over w words."""

    A: Annotated[np.ndarray, "K", "n_u", "w"]  # addresses
    B: Annotated[np.ndarray, "n_u", "w"]  # the question
    C: Annotated[np.ndarray, "K", "n_u", "w"]  # contents
    T: Annotated[np.ndarray, "K", "ages", "n_u"]  # the age of a sentence
    V: Annotated[np.ndarray, "places", "n_u"]  # the answer


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


@checked
def soft_hop(m: Vectors, c: Vectors, u: Question) -> Hop:
    """Read the contents c of every sentence, each by how well its address m fits the question u.

    Equations (Section 10.13): sᵢ = mᵢᵀ u, p = softmax(s), o = Σᵢ pᵢ cᵢ, u' = u + o.

    Reference: sukhbaatar2015
    """
    s = m @ u
    p = softmax(s)
    o = p @ c
    return Hop(s, p, o, u + o)


@checked
def hard_hop(m: Vectors, c: Vectors, u: Question) -> Hop:
    """Read the one sentence with the highest score: p is 1 there and 0 elsewhere.

    Equations (Section 10.13): i = argmaxⱼ mⱼᵀ u, o = cᵢ, u' = u + o.

    Reference: weston2015
    """
    s = m @ u
    i = int(s.argmax())
    return Hop(s, np.eye(len(s))[i], c[i], u + c[i])


@checked
def soft_hop_grad(m: Vectors, c: Vectors, u: Question, g: Question) -> HopGrad:
    """Gradient of a loss through one soft hop, given g = ∇_{u'} L.

    Equations (Section 10.13): ∇_{cᵢ} = pᵢ g, ∇_{sᵢ} = pᵢ (cᵢ − o)ᵀ g, ∇_{mᵢ} = ∇_{sᵢ} u, ∇_u = g + Σᵢ ∇_{sᵢ} mᵢ.

    Reference: sukhbaatar2015
    """
    hop = soft_hop(m, c, u)
    g_s = hop.p * ((c - hop.o) @ g)
    return HopGrad(g_s, np.outer(g_s, u), np.outer(hop.p, g), g + g_s @ m)


def _sentences(p: Memory, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Addresses m and contents c of every hop, (K, N, n_u): mᵢ = A⁽ᵏ⁾ xᵢ + T⁽ᵏ⁾_{age(i)}, cᵢ = C⁽ᵏ⁾ xᵢ."""
    if len(x) > p.T.shape[1]:
        raise ValueError(f"x: want at most {p.T.shape[1]} sentences, one an age, got {len(x)}")
    aged = p.T[:, : len(x)][:, ::-1]  # the last sentence has age 0
    return x @ p.A.transpose(0, 2, 1) + aged, x @ p.C.transpose(0, 2, 1)


@checked
def think(
    p: Memory,
    x: Annotated[np.ndarray, "N", "w"],
    q: Annotated[np.ndarray, "w"],
    hop: Callable[..., Hop] = soft_hop,
) -> Thought:
    """Answer one question by K hops (Section 10.13).

    Equations: u⁽⁰⁾ = B q, mᵢ = A⁽ᵏ⁾ xᵢ + T⁽ᵏ⁾_{age(i)}, cᵢ = C⁽ᵏ⁾ xᵢ, u⁽ᵏ⁾ = hop(m, c, u⁽ᵏ⁻¹⁾), ŷ = softmax(V u⁽ᴷ⁾).

    Parameters
    ----------
    x : counts of the words of each sentence, the newest last. q : those of the question.
    hop : `soft_hop` or `hard_hop`.

    Reference: sukhbaatar2015
    """
    ms, cs = _sentences(p, x)
    u, hops = [p.B @ q], []
    for m, c in zip(ms, cs, strict=True):
        hops.append(hop(m, c, u[-1]))
        u.append(hops[-1].u)
    return Thought(np.array(u), tuple(hops), np.array(u) @ p.V.T)


@checked
def memory_grad(p: Memory, x: Annotated[np.ndarray, "N", "w"], q: Annotated[np.ndarray, "w"], y: int) -> Memory:
    """∇L of L = −log ŷ_y with respect to all parameters, soft hops; y is the answer's class (Section 10.13)."""
    run, (ms, cs) = think(p, x, q), _sentences(p, x)
    g_o = nll_grad(run.o[-1:], np.array([integer("y", y, 0, len(p.V) - 1)]))[0]
    grad, g = tree.map(np.zeros_like, p), p.V.T @ g_o
    for k in reversed(range(len(ms))):
        back = soft_hop_grad(ms[k], cs[k], run.u[k], g)
        grad.A[k], grad.C[k], grad.T[k, : len(x)] = back.m.T @ x, back.c.T @ x, back.m[::-1]
        g = back.u
    return grad._replace(B=np.outer(g, q), V=np.outer(g_o, run.u[-1]))
