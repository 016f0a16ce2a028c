"""Groups of units with clocks of their own: the clockwork network, forward and backward (Section 10.12).

A `Clock` says which units form a group and how often the group is updated. What can be counted and measured on such
a network stands in `companion.multiscale`.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import Inputs, State, rnn_init
from companion.core.checks import Count, checked, integer
from companion.core.scan import initial, reverse_scan, scan

__all__ = [
    "Clock",
    "Clockwork",
    "ClockworkNodes",
    "ClockworkRun",
    "clockwork_bptt",
    "clockwork_forward",
    "clockwork_init",
    "make_clock",
    "mask",
    "schedule",
]


class Clock(NamedTuple):
    """Groups from fast to slow: the period of each and its number of units."""

    periods: tuple[int, ...]
    sizes: tuple[int, ...]


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


def _sound(_: str, clock: Clock) -> Clock:
    return make_clock(*clock)


SoundClock = Annotated[Clock, _sound]
"""A clock as `make_clock` makes it."""


def _unit_periods(clock: Clock) -> np.ndarray:
    return np.repeat(clock.periods, clock.sizes)


@checked
def mask(clock: SoundClock) -> np.ndarray:
    """Which entries of W exist: unit i hears unit j if j's period is at least i's.

    Equation (Section 10.12): M_ij = 1 if T(j) ≥ T(i), else 0. Block upper triangular.

    Reference: koutnik2014
    """
    t = _unit_periods(clock)
    return (t[None, :] >= t[:, None]).astype(np.float64)


@checked
def schedule(clock: SoundClock, tau: Count) -> np.ndarray:
    """Which unit is updated when: row t − 1 is time t, true where t mod T = 0.

    Booleans of shape (tau, n_h) (Section 10.12).

    Reference: koutnik2014
    """
    t = np.arange(1, tau + 1)
    return t[:, None] % _unit_periods(clock)[None, :] == 0


class ClockworkNodes(NamedTuple):
    """What one step computes (or gradients on it): pre-activation a and state h."""

    a: np.ndarray | None = None
    h: np.ndarray | None = None
    on: np.ndarray | None = None  # whether each unit was updated


class Clockwork(NamedTuple):
    """Parameters of a clockwork network (or gradients of the same shapes), and its clock."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # input → hidden
    W: Annotated[np.ndarray, "n_h", "n_h"]  # hidden → hidden; zero where `mask` is
    V: Annotated[np.ndarray, "n_o", "n_h"]  # hidden → output
    b: Annotated[np.ndarray, "n_h"]
    c: Annotated[np.ndarray, "n_o"]
    clock: SoundClock

    state = ("h",)

    def step(self, x: np.ndarray, on: np.ndarray, h: np.ndarray) -> ClockworkNodes:
        """One step (Section 10.12); `on` says which units' clocks strike: t mod T = 0."""
        # a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾
        a = self.b + self.W @ h + self.U @ x
        # h_i⁽ᵗ⁾ = tanh(a_i⁽ᵗ⁾) if t mod T(i) = 0, else h_i⁽ᵗ⁻¹⁾
        h = np.where(on, np.tanh(a), h)
        return ClockworkNodes(a, h, on)

    def back(self, now: ClockworkNodes, _: ClockworkNodes, d: ClockworkNodes) -> tuple[ClockworkNodes, ClockworkNodes]:
        """The same step backward: where no clock struck, ∇_{h⁽ᵗ⁾}L passes unchanged (Section 10.12)."""
        # ∇_{a⁽ᵗ⁾}L = (1 − (h⁽ᵗ⁾)²) ⊙ ∇_{h⁽ᵗ⁾}L where a unit was updated, else 0
        a = np.where(now.on, (1.0 - now.h**2) * d.h, 0.0)
        # to h⁽ᵗ⁻¹⁾: Wᵀ ∇_{a⁽ᵗ⁾}L, and ∇_{h⁽ᵗ⁾}L where a unit kept its state
        h = self.W.T @ a + np.where(now.on, 0.0, d.h)
        return ClockworkNodes(a, d.h, now.on), ClockworkNodes(h=h)


class ClockworkRun(NamedTuple):
    """One run: states h (tau + 1, n_h), outputs o (tau, n_o), and which units were updated, on (tau, n_h)."""

    h: np.ndarray
    o: np.ndarray
    on: np.ndarray


def _masked(name: str, p: Clockwork) -> Clockwork:
    allowed = mask(p.clock)
    if len(allowed) != len(p.b):
        raise ValueError(f"{name}.clock: want {len(p.b)} units, got {len(allowed)}")
    if (p.W * (1 - allowed)).any():
        raise ValueError(f"{name}.W: want zeros where a faster group would speak to a slower one, got other numbers")
    return p


Masked = Annotated[Clockwork, _masked]
"""Parameters whose W is zero where `mask` is."""


@checked
def clockwork_init(clock: SoundClock, n_x: Count, n_o: Count, rng: np.random.Generator) -> Clockwork:
    """Draw parameters as `rnn_init` does and delete the entries of W that do not exist."""
    p = rnn_init(n_x, sum(clock.sizes), n_o, rng)
    return Clockwork(p.U, p.W * mask(clock), p.V, p.b, p.c, clock)


@checked
def clockwork_forward(p: Masked, x: Inputs, h0: State | None = None) -> ClockworkRun:
    """Run the net: `Clockwork.step` at every step, and outputs o⁽ᵗ⁾ = c + V h⁽ᵗ⁾ (Section 10.12).

    Reference: koutnik2014
    """
    run = scan(p, initial(len(p.b), h0=h0), x, schedule(p.clock, len(x)))
    return ClockworkRun(run.h, p.c + run.h[1:] @ p.V.T, run.on)


@checked
def clockwork_bptt(
    p: Masked, x: Inputs, g_o: Annotated[np.ndarray, "tau", "n_o"], h0: State | None = None
) -> Clockwork:
    """Back-propagation through time: `Clockwork.back`, last step first (Section 10.12).

    g_o is the gradient of the loss on the outputs; that of W is zero where `mask` is.
    """
    run = clockwork_forward(p, x, h0)
    a = reverse_scan(p, ClockworkNodes(h=run.h, on=run.on), h=g_o @ p.V).a
    W = a.T @ run.h[:-1] * mask(p.clock)
    return Clockwork(a.T @ x, W, g_o.T @ run.h[1:], a.sum(axis=0), g_o.sum(axis=0), p.clock)
