"""Depths (b) and (c): small MLPs inside the three blocks, and a skip connection past the middle one. Section 10.5."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from companion.cells.rnn import gaussian
from companion.core import tree
from companion.core.checks import array, integer, sequence
from companion.core.functions import nll_grad, softmax

__all__ = ["Blocks", "BlocksRun", "Dense", "blocks_bptt", "blocks_forward", "blocks_init"]


class Dense(NamedTuple):
    """One layer of an MLP, v → tanh(b + W v)."""

    W: np.ndarray  # (n_out, n_in)
    b: np.ndarray  # (n_out,)


class Blocks(NamedTuple):
    """Parameters of a recurrent net with an MLP inside each block; S is None without a skip connection."""

    inward: tuple[Dense, ...]  # x⁽ᵗ⁾ → u⁽ᵗ⁾
    across: tuple[Dense, ...]  # h⁽ᵗ⁻¹⁾ → z⁽ᵗ⁾
    outward: tuple[Dense, ...]  # h⁽ᵗ⁾ → v⁽ᵗ⁾
    U: np.ndarray  # (n_h, n_u)
    W: np.ndarray  # (n_h, n_z)
    b: np.ndarray  # (n_h,)
    V: np.ndarray  # (n_o, n_v)
    c: np.ndarray  # (n_o,)
    S: np.ndarray | None = None  # (n_h, n_h)


class BlocksRun(NamedTuple):
    """What one forward pass computed; u, z, v hold the values before and after each layer of their MLP."""

    u: tuple[np.ndarray, ...]  # (tau, …), the first is x
    z: tuple[np.ndarray, ...]  # (tau, …), the first is h⁽ᵗ⁻¹⁾
    h: np.ndarray  # (tau + 1, n_h); h[0] is the initial state
    v: tuple[np.ndarray, ...]  # (tau, …), the first is h⁽ᵗ⁾
    o: np.ndarray  # (tau, n_o) logits
    yhat: np.ndarray  # (tau, n_o) probabilities


def _checked_mlp(name: str, layers: Any, n_in: int | str) -> tuple[tuple[Dense, ...], int | str]:
    """The layers as arrays, and the width of what comes out."""
    if not isinstance(layers, tuple) or not all(isinstance(layer, Dense) for layer in layers):
        raise ValueError(f"{name}: want a tuple of Dense layers, which may be empty, got {layers!r:.60}")
    made = []
    for i, (W, b) in enumerate(layers, start=1):
        W = array(f"{name} {i}, W", W, ("n", n_in))
        n_in = len(W)
        made.append(Dense(W, array(f"{name} {i}, b", b, (n_in,))))
    return tuple(made), n_in


def checked_blocks(p: Any) -> Blocks:
    """The parameters as float64 arrays whose shapes fit together, or a ValueError that says what does not."""
    if not isinstance(p, Blocks):
        raise ValueError(f"p: want the parameters as Blocks(inward, across, …), got {type(p).__name__}")
    n_h = len(array("b", p.b, ("n_h",)))
    inward, n_u = _checked_mlp("inward", p.inward, "n_x")
    across, n_z = _checked_mlp("across", p.across, n_h)
    outward, n_v = _checked_mlp("outward", p.outward, n_h)
    V = array("V", p.V, ("n_o", n_v))
    return Blocks(
        inward,
        across,
        outward,
        U=array("U", p.U, (n_h, "n_x" if n_u == "n_x" else n_u)),
        W=array("W", p.W, (n_h, n_z)),
        b=array("b", p.b, (n_h,)),
        V=V,
        c=array("c", p.c, (len(V),)),
        S=None if p.S is None else array("S", p.S, (n_h, n_h)),
    )


def blocks_init(
    n_x: int,
    n_h: int,
    n_o: int,
    rng: np.random.Generator,
    layers: tuple[int, int, int] = (2, 2, 2),
    skip: bool = False,
    gain: float = 1.0,
) -> Blocks:
    """Random parameters: Gaussian weights of variance gain²/fan-in, zero biases; all inner layers have n_h units.

    Section 10.5 (b), and (c) with `skip`. W and S share the variance, so that a⁽ᵗ⁾ gets no larger by skipping.

    Parameters
    ----------
    n_x, n_h, n_o : sizes of input, state and output.
    rng : the only source of randomness.
    layers : layers from x to h, from h to h and from h to o, each at least 1; (1, 1, 1) is the plain net.
    skip : whether h⁽ᵗ⁻¹⁾ is also connected to h⁽ᵗ⁾ directly.
    gain : factor on the weights from state to state.

    Returns
    -------
    Blocks
    """
    n_x, n_h, n_o = integer("n_x", n_x, 1), integer("n_h", n_h, 1), integer("n_o", n_o, 1)
    if not isinstance(layers, tuple | list) or len(layers) != 3:
        raise ValueError(f"layers: want three numbers, layers from x to h, h to h and h to o, got {layers!r}")
    d_in, d_state, d_out = (integer("layers", n, 1) for n in layers)
    if not isinstance(skip, bool):
        raise ValueError(f"skip: want True or False, got {skip!r}")

    def mlp(n: int, depth: int, factor: float = 1.0) -> tuple[Dense, ...]:
        sizes = [n, *[n_h] * depth]
        return tuple(Dense(factor * gaussian((m, k), rng), np.zeros(m)) for k, m in pairwise(sizes))

    share = gain / np.sqrt(2) if skip else gain
    return Blocks(
        mlp(n_x, d_in - 1),
        mlp(n_h, d_state - 1, gain),
        mlp(n_h, d_out - 1),
        U=gaussian((n_h, n_h if d_in > 1 else n_x), rng),
        W=share * gaussian((n_h, n_h), rng),
        b=np.zeros(n_h),
        V=gaussian((n_o, n_h), rng),
        c=np.zeros(n_o),
        S=share * gaussian((n_h, n_h), rng) if skip else None,
    )


def _mlp(layers: tuple[Dense, ...], v: np.ndarray) -> tuple[np.ndarray, ...]:
    """The values before and after each layer; one row a step."""
    values = [v]
    for W, b in layers:
        values.append(np.tanh(b + values[-1] @ W.T))
    return tuple(values)


def _mlp_backward(
    layers: tuple[Dense, ...], values: tuple[np.ndarray, ...], g: np.ndarray
) -> tuple[np.ndarray, tuple[Dense, ...]]:
    """From the gradient on an MLP's last values that on its first, and that on its weights, summed over rows."""
    grads = []
    for (W, _), v_in, v_out in zip(layers[::-1], values[-2::-1], values[:0:-1], strict=True):
        g = (1.0 - v_out**2) * g
        grads.append(Dense(g.T @ v_in, g.sum(axis=0)))
        g = g @ W
    return g, tuple(grads[::-1])


def blocks_forward(p: Blocks, x: np.ndarray, h0: np.ndarray | None = None) -> BlocksRun:
    """Run a recurrent net with an MLP inside each of its three blocks.

    Equations (Section 10.5): u⁽ᵗ⁾ = MLP_in(x⁽ᵗ⁾), z⁽ᵗ⁾ = MLP_state(h⁽ᵗ⁻¹⁾), a⁽ᵗ⁾ = b + W z⁽ᵗ⁾ + U u⁽ᵗ⁾ (+ S h⁽ᵗ⁻¹⁾ with
    the skip connection), h⁽ᵗ⁾ = tanh a⁽ᵗ⁾, v⁽ᵗ⁾ = MLP_out(h⁽ᵗ⁾), o⁽ᵗ⁾ = c + V v⁽ᵗ⁾, ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾).

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    h0 : initial state, shape (n_h,); zeros if None.

    Returns
    -------
    BlocksRun

    Reference: pascanu2014
    """
    p = checked_blocks(p)
    u = _mlp(p.inward, sequence("x", x, (p.inward[0].W if p.inward else p.U).shape[1]))
    h = [np.zeros(len(p.b)) if h0 is None else array("h0", h0, (len(p.b),))]
    z = []
    for u_t in u[-1]:
        z.append(_mlp(p.across, h[-1]))
        a = p.b + p.W @ z[-1][-1] + p.U @ u_t
        if p.S is not None:
            a = a + p.S @ h[-1]
        h.append(np.tanh(a))
    h = np.array(h)
    v = _mlp(p.outward, h[1:])
    o = p.c + v[-1] @ p.V.T
    return BlocksRun(u, tuple(map(np.array, zip(*z, strict=True))), h, v, o, softmax(o))


def blocks_bptt(p: Blocks, x: np.ndarray, y: np.ndarray, h0: np.ndarray | None = None) -> Blocks:
    """Gradient of the total loss with respect to every parameter, in the parameters' own type.

    Equations (Section 10.5), for t = τ … 1: ∇_{h⁽ᵗ⁾}L is what comes back through MLP_out, plus what comes back
    from step t + 1: (∂z⁽ᵗ⁺¹⁾/∂h⁽ᵗ⁾)ᵀ Wᵀ ∇_{a⁽ᵗ⁺¹⁾}L, plus Sᵀ ∇_{a⁽ᵗ⁺¹⁾}L over the skip connection;
    ∇_{a⁽ᵗ⁾}L = diag(1 − (h⁽ᵗ⁾)²) ∇_{h⁽ᵗ⁾}L.

    Parameters
    ----------
    p : parameters.
    x : inputs, shape (tau, n_x).
    y : target classes, integers of shape (tau,).
    h0 : initial state, shape (n_h,); zeros if None.

    Returns
    -------
    Blocks of gradients

    Reference: pascanu2014, werbos1990
    """
    p, run = checked_blocks(p), blocks_forward(p, x, h0)
    g_o = nll_grad(run.o, y)
    g_h, outward = _mlp_backward(p.outward, run.v, g_o @ p.V)
    g_a, later = np.empty_like(g_h), 0.0
    across = tree.map(np.zeros_like, p.across)
    for t in range(len(g_h), 0, -1):
        g_a[t - 1] = (1.0 - run.h[t] ** 2) * (g_h[t - 1] + later)
        row = [values[t - 1 : t] for values in run.z]  # one row each
        later, grads = _mlp_backward(p.across, row, (g_a[t - 1] @ p.W)[None])
        later = later[0] + (0.0 if p.S is None else p.S.T @ g_a[t - 1])
        across = tree.map(np.add, across, grads)
    inward = _mlp_backward(p.inward, run.u, g_a @ p.U)[1]
    S = None if p.S is None else g_a.T @ run.h[:-1]
    W, b, V, c = g_a.T @ run.z[-1], g_a.sum(axis=0), g_o.T @ run.v[-1], g_o.sum(axis=0)
    return Blocks(inward, across, outward, g_a.T @ run.u[-1], W, b, V, c, S)
