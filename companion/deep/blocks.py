"""Depths (b) and (c): small MLPs inside the three blocks, and a skip connection past the middle one. Section 10.5."""

from itertools import pairwise
from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import Inputs, State, Targets, gaussian
from companion.core import tree
from companion.core.checks import Count, array, checked, integer, sequence
from companion.core.functions import nll_grad, softmax
from companion.deep.stacked import chained

__all__ = ["Blocks", "BlocksRun", "Dense", "blocks_bptt", "blocks_forward", "blocks_init"]


class Dense(NamedTuple):
    """One layer of an MLP, v → tanh(b + W v)."""

    W: Annotated[np.ndarray, "n_h", "n_x"]
    b: Annotated[np.ndarray, "n_h"]


class Blocks(NamedTuple):
    """Parameters of a recurrent net with an MLP inside each block; S is None without a skip connection."""

    inward: tuple[Dense, ...]  # x⁽ᵗ⁾ → u⁽ᵗ⁾
    across: tuple[Dense, ...]  # h⁽ᵗ⁻¹⁾ → z⁽ᵗ⁾
    outward: tuple[Dense, ...]  # h⁽ᵗ⁾ → v⁽ᵗ⁾
    U: Annotated[np.ndarray, "n_h", "n_u"]
    W: Annotated[np.ndarray, "n_h", "n_z"]
    b: Annotated[np.ndarray, "n_h"]
    V: Annotated[np.ndarray, "n_o", "n_v"]
    c: Annotated[np.ndarray, "n_o"]
    S: Annotated[np.ndarray, "n_h", "n_h"] | None = None


class BlocksRun(NamedTuple):
    """What one forward pass computed; u, z, v hold the values before and after each layer of their MLP."""

    u: tuple[np.ndarray, ...]  # (tau, …), the first is x
    z: tuple[np.ndarray, ...]  # (tau, …), the first is h⁽ᵗ⁻¹⁾
    h: Annotated[np.ndarray, "times", "n_h"]  # tau + 1 times; h[0] is the initial state
    v: tuple[np.ndarray, ...]  # (tau, …), the first is h⁽ᵗ⁾
    o: np.ndarray  # (tau, n_o) logits
    yhat: np.ndarray  # (tau, n_o) probabilities


def fitting_blocks(name: str, p: Blocks) -> Blocks:
    """The same net, if each MLP starts at what it reads and U, W or V reads what it gives."""
    mlps, n_h = {}, len(p.b)
    for field, n, reader in (("inward", None, "U"), ("across", n_h, "W"), ("outward", n_h, "V")):
        mlps[field], n = chained(f"{name}.{field}", getattr(p, field), Dense, n)
        array(f"{name}.{reader}", getattr(p, reader), (None, n))
    return p._replace(**mlps)


Net = Annotated[Blocks, fitting_blocks]


def _depths(name: str, value: tuple[int, int, int]) -> tuple[int, int, int]:
    if not isinstance(value, tuple | list) or len(value) != 3:
        raise ValueError(f"{name}: want three numbers, layers from x to h, h to h and h to o, got {value!r}")
    return tuple(integer(name, n, 1) for n in value)


Depths = Annotated[tuple[int, int, int], _depths]
"""Layers from x to h, from h to h and from h to o; (1, 1, 1) is the plain net."""


@checked
def blocks_init(
    n_x: Count,
    n_h: Count,
    n_o: Count,
    rng: np.random.Generator,
    layers: Depths = (2, 2, 2),
    skip: bool = False,
    gain: float = 1.0,
) -> Blocks:
    """Random parameters: Gaussian weights of variance gain²/fan-in, zero biases; all inner layers have n_h units.

    Section 10.5 (b), and (c) with `skip`. W and S share the variance, so that a⁽ᵗ⁾ gets no larger by skipping.

    Parameters
    ----------
    layers : from x to h, from h to h and from h to o; (1, 1, 1) is the plain net.
    skip : whether h⁽ᵗ⁻¹⁾ is also connected to h⁽ᵗ⁾ directly. gain : factor on the weights from state to state.
    """
    d_in, d_state, d_out = layers

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


@checked
def blocks_forward(p: Net, x: Inputs, h0: State | None = None) -> BlocksRun:
    """Run a recurrent net with an MLP inside each of its three blocks.

    Equations (Section 10.5): u⁽ᵗ⁾ = MLP_in(x⁽ᵗ⁾), z⁽ᵗ⁾ = MLP_state(h⁽ᵗ⁻¹⁾), a⁽ᵗ⁾ = b + W z⁽ᵗ⁾ + U u⁽ᵗ⁾ (+ S h⁽ᵗ⁻¹⁾ with
    the skip connection), h⁽ᵗ⁾ = tanh a⁽ᵗ⁾, v⁽ᵗ⁾ = MLP_out(h⁽ᵗ⁾), o⁽ᵗ⁾ = c + V v⁽ᵗ⁾, ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾).

    Reference: pascanu2014
    """
    u = _mlp(p.inward, sequence("x", x, (p.inward[0].W if p.inward else p.U).shape[1]))
    h = [np.zeros(len(p.b)) if h0 is None else h0]
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


@checked
def blocks_bptt(p: Net, x: Inputs, y: Targets, h0: State | None = None) -> Blocks:
    """Gradient of the total loss with respect to every parameter, in the parameters' own type.

    Equations (Section 10.5), for t = τ … 1: ∇_{h⁽ᵗ⁾}L is what comes back through MLP_out, plus what comes back
    from step t + 1: (∂z⁽ᵗ⁺¹⁾/∂h⁽ᵗ⁾)ᵀ Wᵀ ∇_{a⁽ᵗ⁺¹⁾}L, plus Sᵀ ∇_{a⁽ᵗ⁺¹⁾}L over the skip connection;
    ∇_{a⁽ᵗ⁾}L = diag(1 − (h⁽ᵗ⁾)²) ∇_{h⁽ᵗ⁾}L.

    Reference: pascanu2014, werbos1990
    """
    run = blocks_forward(p, x, h0)
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
