"""Groups of units with clocks of their own: the clockwork network, forward, backward and counted.

Section 10.12. Parameters are those of `companion.recurrent.RNN`; a `Clock` says which units form a
group and how often the group is updated. NumPy float64, one sequence, h has tau + 1 rows.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from companion.core.checks import array, integer, sequence
from companion.recurrent import RNN, rnn_init

__all__ = [
    "Clock",
    "ClockRun",
    "clockwork_bptt",
    "clockwork_forward",
    "clockwork_init",
    "clockwork_reach",
    "make_clock",
    "mask",
    "operations",
    "schedule",
    "squared_loss",
]


class Clock(NamedTuple):
    """Groups from fast to slow: the period of each and its number of units."""

    periods: tuple[int, ...]
    sizes: tuple[int, ...]


class ClockRun(NamedTuple):
    """One run: states h (tau + 1, n_h), outputs o (tau, n_o), and which units moved, on (tau, n_h)."""

    h: np.ndarray
    o: np.ndarray
    on: np.ndarray


def make_clock(periods: Sequence[int], sizes: Sequence[int] | int) -> Clock:
    """A checked clock (Section 10.12): 1 ≤ T_1 ≤ T_2 ≤ …, at least one unit a group.

    Parameters
    ----------
    periods : T_g for each group, ascending (equal neighbours are allowed).
    sizes : units of each group, or one number for all.

    Reference: koutnik2014
    """
    if not isinstance(periods, Sequence | np.ndarray) or len(periods) == 0:
        raise ValueError(f"periods: want at least one integer, got {periods!r}")
    ts = tuple(integer("periods", v, 1) for v in periods)
    if list(ts) != sorted(ts):
        raise ValueError(f"periods: want ascending integers, got {ts}")
    each = sizes if isinstance(sizes, Sequence | np.ndarray) else [sizes] * len(ts)
    ns = tuple(integer("sizes", v, 1) for v in each)
    if len(ns) != len(ts):
        raise ValueError(f"sizes: want {len(ts)} numbers, one a group, got {len(ns)}")
    return Clock(ts, ns)


def _clock(clock: Clock) -> Clock:
    if not isinstance(clock, Clock):
        raise ValueError(f"clock: want a Clock(periods, sizes), got {type(clock).__name__}")
    return make_clock(*clock)


def _unit_periods(clock: Clock) -> np.ndarray:
    return np.repeat(clock.periods, clock.sizes)


def mask(clock: Clock) -> np.ndarray:
    """Which entries of W exist: unit i hears unit j if j's period is at least i's.

    Equation (Section 10.12): M_ij = 1 if T(j) ≥ T(i), else 0. Block upper triangular.

    Reference: koutnik2014
    """
    t = _unit_periods(_clock(clock))
    return (t[None, :] >= t[:, None]).astype(np.float64)


def schedule(clock: Clock, tau: int) -> np.ndarray:
    """Which unit is updated when: row t − 1 is time t, true where t mod T = 0.

    Returns
    -------
    Booleans of shape (tau, n_h).

    Reference: koutnik2014
    """
    t = np.arange(1, integer("tau", tau, 1) + 1)
    return t[:, None] % _unit_periods(_clock(clock))[None, :] == 0


def operations(clock: Clock, tau: int) -> np.ndarray:
    """Multiplications by an entry of W at each of tau steps: row i of W is read only when unit i moves.

    Returns
    -------
    Integers of shape (tau,). A plain net of the same size needs n_h² at every step.
    """
    return (schedule(clock, tau) @ mask(clock).sum(axis=1)).astype(int)


def clockwork_init(clock: Clock, n_x: int, n_o: int, rng: np.random.Generator) -> RNN:
    """Draw parameters as `rnn_init` does and delete the entries of W that do not exist."""
    p = rnn_init(n_x, sum(_clock(clock).sizes), n_o, rng)
    return p._replace(W=p.W * mask(clock))


def _checked(p: RNN, clock: Clock, x: np.ndarray, h0: np.ndarray | None) -> tuple[RNN, np.ndarray, np.ndarray]:
    n = sum(_clock(clock).sizes)
    if not isinstance(p, RNN):
        raise ValueError(f"p: want parameters as RNN(U, W, V, b, c), got {type(p).__name__}")
    U, V = array("p.U", p.U, (n, "n_x")), array("p.V", p.V, ("n_o", n))
    W, b, c = array("p.W", p.W, (n, n)), array("p.b", p.b, (n,)), array("p.c", p.c, (len(V),))
    if (W * (1 - mask(clock))).any():
        raise ValueError("p.W: want zeros where a faster group would speak to a slower one, got other numbers")
    h0 = np.zeros(n) if h0 is None else array("h0", h0, (n,))
    return RNN(U, W, V, b, c), sequence("x", x, U.shape[1]), h0


def clockwork_forward(p: RNN, clock: Clock, x: np.ndarray, h0: np.ndarray | None = None) -> ClockRun:
    """Run the net: a group is updated when its clock strikes, and else keeps its state.

    Equations (Section 10.12): h_i⁽ᵗ⁾ = tanh(b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾)_i if t mod T(i) = 0, else h_i⁽ᵗ⁻¹⁾;
    o⁽ᵗ⁾ = c + V h⁽ᵗ⁾.

    Parameters
    ----------
    p : parameters; W is zero where `mask` is.
    clock : groups and periods.
    x : inputs, shape (tau, n_x).
    h0 : initial state, shape (n_h,); zeros if None.

    Raises
    ------
    ValueError
        If a shape does not fit, a number is not finite, W has an entry that may not exist, or x is empty.

    Reference: koutnik2014
    """
    p, x, h0 = _checked(p, clock, x, h0)
    on, h = schedule(clock, len(x)), [h0]
    for x_t, on_t in zip(x, on, strict=True):
        h.append(np.where(on_t, np.tanh(p.b + p.W @ h[-1] + p.U @ x_t), h[-1]))
    h = np.array(h)
    return ClockRun(h, p.c + h[1:] @ p.V.T, on)


def squared_loss(o: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """L = ½ Σ_t ‖o⁽ᵗ⁾ − y⁽ᵗ⁾‖² and its gradient on o (Section 10.12)."""
    o = sequence("o", o)
    y = array("y", y, o.shape)
    return 0.5 * float(((o - y) ** 2).sum()), o - y


def clockwork_bptt(p: RNN, clock: Clock, x: np.ndarray, g_o: np.ndarray, h0: np.ndarray | None = None) -> RNN:
    """Back-propagation through time: where the clock did not strike, the gradient passes unchanged.

    Equations (Section 10.12), with s⁽ᵗ⁾ = 1 where a unit moved and D = diag(s⁽ᵗ⁾(1 − h⁽ᵗ⁾²)):
    ∇_{h⁽ᵗ⁻¹⁾}L = Vᵀ∇_{o⁽ᵗ⁻¹⁾}L + (I − diag s⁽ᵗ⁾) ∇_{h⁽ᵗ⁾}L + Wᵀ D ∇_{h⁽ᵗ⁾}L.

    Parameters
    ----------
    p, clock, x, h0 : as in `clockwork_forward`.
    g_o : gradient of the loss on the outputs, shape (tau, n_o).

    Returns
    -------
    RNN of gradients; that of W is zero where `mask` is.
    """
    run = clockwork_forward(p, clock, x, h0)
    p, x, _ = _checked(p, clock, x, h0)
    g_o = array("g_o", g_o, run.o.shape)
    g_a, g_h = np.zeros_like(run.h[1:]), np.zeros(len(p.b))
    for t in range(len(x), 0, -1):
        g_h = g_h + p.V.T @ g_o[t - 1]
        g_a[t - 1] = run.on[t - 1] * (1 - run.h[t] ** 2) * g_h
        g_h = np.where(run.on[t - 1], 0.0, g_h) + p.W.T @ g_a[t - 1]
    return RNN(g_a.T @ x, g_a.T @ run.h[:-1] * mask(clock), g_o.T @ run.h[1:], g_a.sum(axis=0), g_o.sum(axis=0))


def clockwork_reach(p: RNN, clock: Clock, x: np.ndarray) -> np.ndarray:
    """How far back each group alone carries a gradient: spectral norms of its own block of ∂h⁽τ⁾/∂h⁽ᵗ⁾.

    Equation (Section 10.12): J⁽ᵗ⁾ = I − diag s⁽ᵗ⁾ + diag(s⁽ᵗ⁾(1 − h⁽ᵗ⁾²)) W; ∂h⁽τ⁾/∂h⁽ᵗ⁾ = J⁽τ⁾ ⋯ J⁽ᵗ⁺¹⁾.
    For distinct periods W is block triangular: a diagonal block of the product is the product of these blocks.

    Returns
    -------
    Norms of shape (tau + 1, groups): row d is d steps back from the end.
    """
    run, clock = clockwork_forward(p, clock, x), _clock(clock)
    product, edges = np.eye(len(p.b)), np.cumsum([0, *clock.sizes])
    blocks = [slice(a, b) for a, b in pairwise(edges)]
    norms = [np.ones(len(blocks))]
    for h_t, on_t in zip(run.h[:0:-1], run.on[::-1], strict=True):
        product = product @ (np.diag(1.0 - on_t) + (on_t * (1 - h_t**2))[:, None] * p.W)
        norms.append(np.array([np.linalg.norm(product[s, s], 2) for s in blocks]))
    return np.array(norms)
