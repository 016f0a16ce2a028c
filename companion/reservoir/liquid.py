"""Section 10.8: a liquid state machine in miniature. Units that integrate, leak and fire; only a read-out learns."""

from typing import Annotated, Any, NamedTuple

import numpy as np

from companion.core.checks import Count, Positive, array, checked
from companion.reservoir.drawing import Share, Size
from companion.reservoir.readout import readout, ridge_fit

__all__ = ["Liquid", "liquid_accuracy", "liquid_init", "liquid_spikes", "spike_patterns", "spike_trace"]


def _spikes(name: str, value: Any) -> np.ndarray:
    s = array(name, value, ("tau", "n") if np.ndim(value) == 2 else ("tau", "trials", "n"))
    if not np.isin(s, (0.0, 1.0)).all():
        raise ValueError(f"{name}: want spikes, zeros and ones, got {s[~np.isin(s, (0.0, 1.0))][0]}")
    return s


Spikes = Annotated[Any, _spikes]
"""Zeros and ones, (tau, n) or (tau, trials, n): one sequence or many."""

Milliseconds = Annotated[int, (0, None)]


class LiquidNodes(NamedTuple):
    """What one step computes: potentials v, spikes s, and the ms that each unit still has to rest."""

    v: np.ndarray
    s: np.ndarray
    wait: np.ndarray


class Liquid(NamedTuple):
    """A fixed net of threshold units that leak; x, v and s may be rows (trials, …), many sequences at once."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # input spike → potential
    W: Annotated[np.ndarray, "n_h", "n_h"]  # spike → potential, one millisecond later; column j has one sign
    tau: Positive  # time constant of the potential, in ms
    threshold: Positive
    rest: Milliseconds  # after a spike, in which a unit stays at 0

    state = ("v", "s", "wait")

    def step(self, x: np.ndarray, v: np.ndarray, s: np.ndarray, wait: np.ndarray) -> LiquidNodes:
        """One millisecond (Section 10.8)."""
        # v⁽ᵗ⁾ = e^{−1/τ} v⁽ᵗ⁻¹⁾ + W s⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾, and 0 while a unit rests
        v = (np.exp(-1 / self.tau) * v + s @ self.W.T + x @ self.U.T) * (wait == 0)
        # s⁽ᵗ⁾ = [v⁽ᵗ⁾ ≥ θ]
        s = (v >= self.threshold).astype(float)
        # a unit that has fired goes to 0, and rests
        v, wait = v * (1 - s), np.where(s > 0, self.rest, np.maximum(wait - 1, 0))
        return LiquidNodes(v, s, wait)


@checked
def liquid_init(
    n_x: Count,
    n_h: Count,
    rng: np.random.Generator,
    strength: Size = 1.0,
    *,
    scale: Size = 1.0,
    inhibitory: Annotated[float, (0, 0.999)] = 0.2,
    density: Share = 0.1,
    tau: Positive = 30.0,
    rest: Milliseconds = 3,
) -> Liquid:
    """Draw a liquid: sparse positive weights, columns of the inhibitory units turned negative (Section 10.8).

    A unit has density · n_h incoming connections in the mean. Excitatory and inhibitory weights are scaled so that
    the two balance in the mean; `strength` multiplies all of W. The threshold is 1.

    Parameters
    ----------
    scale : entries of U are uniform on [−scale, scale]. inhibitory : share of units whose spikes push down.
    density : share of recurrent connections that stand. tau, rest : as in `Liquid`.

    Reference: maass2002
    """
    U = scale * rng.uniform(-1, 1, (n_h, n_x))
    W = rng.exponential(1, (n_h, n_h)) * (rng.random((n_h, n_h)) < density) / np.sqrt(density * n_h)
    down = round(inhibitory * n_h)
    W[:, :down] *= -(n_h - down) / max(down, 1)
    return Liquid(U, strength * W, tau, 1.0, rest)


@checked
def liquid_spikes(p: Liquid, x: Spikes) -> np.ndarray:
    """Drive a liquid: `Liquid.step` at every millisecond, from rest (Section 10.8).

    Parameters
    ----------
    x : input spikes, zeros and ones, shape (tau, n_x); or (tau, trials, n_x), many sequences at once.

    Returns
    -------
    s, zeros and ones, shape (tau, n_h) or (tau, trials, n_h).

    Reference: maass2002
    """
    if x.shape[-1] != p.U.shape[1]:
        raise ValueError(f"x: want {p.U.shape[1]} input lines, got {x.shape[-1]}")
    now, s = LiquidNodes(*np.zeros((3, *x.shape[1:-1], len(p.U)))), []
    for x_t in x:
        now = p.step(x_t, *now)
        s.append(now.s)
    return np.array(s)


@checked
def spike_trace(s: Spikes, tau: Positive) -> np.ndarray:
    """Filtered spikes at the last step: Σₜ e^{−(T−t)/τ} s⁽ᵗ⁾, what a read-out may see (Section 10.8).

    From spikes of shape (T, …) and the time constant τ of the filter, in ms, traces of shape (…).
    """
    return np.tensordot(np.exp(-np.arange(len(s))[::-1] / tau), s, axes=1)


@checked
def spike_patterns(
    trials: Count,
    delay: Milliseconds,
    rng: np.random.Generator,
    *,
    lines: Count = 5,
    length: Annotated[int, (10, None)] = 50,
    jitter: Size = 2.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw trials of the task: which of two spike patterns came `delay` ms ago (Section 10.8).

    Both patterns have the same number of spikes on each line, at times of their own; in every trial each spike
    is moved by a Gaussian of `jitter` ms (two that meet become one). Then comes a random background at the same
    rate, fresh in each trial.

    Parameters
    ----------
    delay : ms from the end of the pattern to the question. rng : draws the two patterns, then the trials.
    lines : input lines. length : ms a pattern lasts; each line fires length / 10 times in it.
    jitter : standard deviation in ms.

    Returns
    -------
    x : spikes, shape (length + delay, trials, lines).
    y : which pattern, 0 or 1, shape (trials,).

    Reference: maass2002
    """
    count = length // 10
    times = np.array([[rng.choice(length, count, replace=False) for _ in range(lines)] for _ in range(2)])
    y = rng.integers(0, 2, trials)
    moved = np.round(times[y] + jitter * rng.standard_normal((trials, lines, count))).astype(int)
    x = (rng.random((length + delay, trials, lines)) < count / length).astype(float)
    x[:length] = 0
    trial, line, _ = np.indices(moved.shape)
    x[np.clip(moved, 0, length - 1), trial, line] = 1
    return x, y


@checked
def liquid_accuracy(
    seed: Annotated[int, (0, None)], strength: Size, delay: Milliseconds = 100, trials: Annotated[int, (40, None)] = 600
) -> dict[str, float]:
    """How often a linear read-out tells which of two patterns came `delay` ms ago, on held-out trials (10.8).

    Half of the trials are for training, half for the test. Read-outs see filtered spikes (30 ms) of the liquid or of
    the input, or only the input spikes of the very last millisecond.

    Parameters
    ----------
    seed : draws patterns, trials and liquid. strength : of the recurrent weights.
    delay : ms from the end of the pattern to the question. trials : in all.

    Returns
    -------
    Accuracies "liquid", "input, filtered" and "input, now", and the liquid's "rate" in the last 50 ms, spikes a second.
    """
    rng = np.random.default_rng([1000, seed])
    x, y = spike_patterns(trials, delay, rng)
    s = liquid_spikes(liquid_init(x.shape[2], 100, rng, strength, scale=0.8), x)
    seen = {"liquid": spike_trace(s, 30.0), "input, filtered": spike_trace(x, 30.0), "input, now": x[-1]}
    half, said = trials // 2, {}
    for name, f in seen.items():
        f = (f - f[:half].mean(0)) / (f[:half].std(0) + 1e-6)
        r = ridge_fit(f[:half], 2.0 * y[:half, None] - 1, 10.0)
        said[name] = float(((readout(r, f[half:])[:, 0] > 0) == (y[half:] == 1)).mean())
    return said | {"rate": float(1000 * s[-50:].mean())}
