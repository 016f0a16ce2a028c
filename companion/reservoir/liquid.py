"""Section 10.8: a liquid state machine in miniature. Units that integrate, leak and fire; only a read-out learns."""

from typing import Annotated, NamedTuple

import numpy as np

from companion.core import checks as check
from companion.reservoir.drawing import share
from companion.reservoir.readout import readout, ridge_fit

__all__ = ["Liquid", "liquid_accuracy", "liquid_init", "liquid_spikes", "spike_patterns", "spike_trace"]


class LiquidNodes(NamedTuple):
    """What one step computes: potentials v, spikes s, and the ms that each unit still has to rest."""

    v: np.ndarray
    s: np.ndarray
    wait: np.ndarray


class Liquid(NamedTuple):
    """A fixed net of threshold units that leak; x, v and s may be rows (trials, …), many sequences at once."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # input spike → potential
    W: Annotated[np.ndarray, "n_h", "n_h"]  # spike → potential, one millisecond later; column j has one sign
    tau: Annotated[float, (0, None)]  # time constant of the potential, in ms
    threshold: Annotated[float, (0, None)]
    rest: Annotated[int, (0, None)]  # steps (ms) after a spike in which a unit stays at 0

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


def liquid_init(
    n_x: int,
    n_h: int,
    rng: np.random.Generator,
    strength: float = 1.0,
    *,
    scale: float = 1.0,
    inhibitory: float = 0.2,
    density: float = 0.1,
    tau: float = 30.0,
    rest: int = 3,
) -> Liquid:
    """Draw a liquid: sparse positive weights, columns of the inhibitory units turned negative (Section 10.8).

    A unit has density · n_h incoming connections in the mean. Excitatory and inhibitory weights are scaled so that
    the two balance in the mean; `strength` multiplies all of W.

    Parameters
    ----------
    n_x, n_h : input lines and units, ≥ 1.
    rng : the generator to draw from.
    strength : size of the recurrent weights, ≥ 0.
    scale : entries of U are uniform on [−scale, scale], ≥ 0.
    inhibitory : share of units whose spikes push down, in [0, 1).
    density : share of recurrent connections that stand, in (0, 1].
    tau : time constant of the potentials in ms, > 0.
    rest : ms after a spike in which a unit stays at 0, ≥ 0.

    Returns
    -------
    Liquid, with threshold 1.

    References
    ----------
    maass2002
    """
    n_x, n_h, density = check.integer("n_x", n_x, 1), check.integer("n_h", n_h, 1), share("density", density)
    strength, scale = check.number("strength", strength, 0), check.number("scale", scale, 0)
    inhibitory, rng = check.number("inhibitory", inhibitory, 0, 0.999), check.generator("rng", rng)
    U = scale * rng.uniform(-1, 1, (n_h, n_x))
    W = rng.exponential(1, (n_h, n_h)) * (rng.random((n_h, n_h)) < density) / np.sqrt(density * n_h)
    down = round(inhibitory * n_h)
    W[:, :down] *= -(n_h - down) / max(down, 1)
    return Liquid(U, strength * W, check.positive("tau", tau), 1.0, check.integer("rest", rest, 0))


def _spikes(name: str, value: np.ndarray, width: int | str) -> np.ndarray:
    """Spike trains as float64 zeros and ones, (tau, width) or (tau, trials, width)."""
    s = check.array(name, value, ("tau", width) if np.ndim(value) == 2 else ("tau", "trials", width))
    if not np.isin(s, (0.0, 1.0)).all():
        raise ValueError(f"{name}: want spikes, zeros and ones, got {s[~np.isin(s, (0.0, 1.0))][0]}")
    return s


def liquid_spikes(p: Liquid, x: np.ndarray) -> np.ndarray:
    """Drive a liquid: `Liquid.step` at every millisecond, from rest (Section 10.8).

    Parameters
    ----------
    p : the liquid.
    x : input spikes, zeros and ones, shape (tau, n_x); or (tau, trials, n_x), many sequences at once.

    Returns
    -------
    s, zeros and ones, shape (tau, n_h) or (tau, trials, n_h).

    References
    ----------
    maass2002
    """
    p = check.parameters("p", p, Liquid)
    check.positive("p.tau", p.tau)
    check.positive("p.threshold", p.threshold)
    x = _spikes("x", x, p.U.shape[1])
    now, s = LiquidNodes(*np.zeros((3, *x.shape[1:-1], len(p.U)))), []
    for x_t in x:
        now = p.step(x_t, *now)
        s.append(now.s)
    return np.array(s)


def spike_trace(s: np.ndarray, tau: float) -> np.ndarray:
    """Filtered spikes at the last step: Σₜ e^{−(T−t)/τ} s⁽ᵗ⁾, what a read-out may see (Section 10.8).

    Parameters
    ----------
    s : spikes, shape (T, …).
    tau : time constant of the filter in ms, > 0.

    Returns
    -------
    The traces, shape (…).
    """
    s = _spikes("s", s, "n")
    return np.tensordot(np.exp(-np.arange(len(s))[::-1] / check.positive("tau", tau)), s, axes=1)


def spike_patterns(
    trials: int, delay: int, rng: np.random.Generator, *, lines: int = 5, length: int = 50, jitter: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw trials of the task: which of two spike patterns came `delay` ms ago (Section 10.8).

    Both patterns have the same number of spikes on each line, at times of their own; in every trial each spike
    is moved by a Gaussian of `jitter` ms (two that meet become one). Then comes a random background at the same
    rate, fresh in each trial.

    Parameters
    ----------
    trials : how many, ≥ 1.
    delay : ms from the end of the pattern to the question, ≥ 0.
    rng : draws the two patterns, then the trials.
    lines : input lines, ≥ 1.
    length : ms a pattern lasts, ≥ 10; each line fires length / 10 times in it.
    jitter : standard deviation in ms, ≥ 0.

    Returns
    -------
    x : spikes, shape (length + delay, trials, lines).
    y : which pattern, 0 or 1, shape (trials,).

    References
    ----------
    maass2002
    """
    trials, delay = check.integer("trials", trials, 1), check.integer("delay", delay, 0)
    lines, length = check.integer("lines", lines, 1), check.integer("length", length, 10)
    jitter, rng = check.number("jitter", jitter, 0), check.generator("rng", rng)
    count = length // 10
    times = np.array([[rng.choice(length, count, replace=False) for _ in range(lines)] for _ in range(2)])
    y = rng.integers(0, 2, trials)
    moved = np.round(times[y] + jitter * rng.standard_normal((trials, lines, count))).astype(int)
    x = (rng.random((length + delay, trials, lines)) < count / length).astype(float)
    x[:length] = 0
    trial, line, _ = np.indices(moved.shape)
    x[np.clip(moved, 0, length - 1), trial, line] = 1
    return x, y


def liquid_accuracy(seed: int, strength: float, delay: int = 100, trials: int = 600) -> dict[str, float]:
    """How often a linear read-out tells which of two patterns came `delay` ms ago, on held-out trials (10.8).

    Half of the trials are for training, half for the test. Read-outs see filtered spikes (30 ms) of the liquid or of
    the input, or only the input spikes of the very last millisecond.

    Parameters
    ----------
    seed : draws patterns, trials and liquid, ≥ 0.
    strength : of the recurrent weights, ≥ 0.
    delay : ms from the end of the pattern to the question, ≥ 0.
    trials : in all, ≥ 40.

    Returns
    -------
    Accuracies "liquid", "input, filtered" and "input, now", and the liquid's "rate" in the last 50 ms, spikes a second.
    """
    rng, trials = np.random.default_rng([1000, check.integer("seed", seed, 0)]), check.integer("trials", trials, 40)
    x, y = spike_patterns(trials, delay, rng)
    s = liquid_spikes(liquid_init(x.shape[2], 100, rng, strength, scale=0.8), x)
    seen = {"liquid": spike_trace(s, 30.0), "input, filtered": spike_trace(x, 30.0), "input, now": x[-1]}
    half, said = trials // 2, {}
    for name, f in seen.items():
        f = (f - f[:half].mean(0)) / (f[:half].std(0) + 1e-6)
        r = ridge_fit(f[:half], 2.0 * y[:half, None] - 1, 10.0)
        said[name] = float(((readout(r, f[half:])[:, 0] > 0) == (y[half:] == 1)).mean())
    return said | {"rate": float(1000 * s[-50:].mean())}
