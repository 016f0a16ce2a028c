"""Section 10.8: the two series on which reservoirs are compared, and a reservoir that listens to itself."""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.echo import Reservoir
from companion.core.checks import Count, Positive, checked
from companion.core.scan import scan
from companion.reservoir.readout import Readout

__all__ = ["FreeRun", "free_run", "free_runs", "mackey_glass", "narma10"]


@checked
def narma10(tau: Count, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the tenth-order nonlinear autoregressive moving average (Section 10.8).

    y⁽ᵗ⁺¹⁾ = 0.3 y⁽ᵗ⁾ + 0.05 y⁽ᵗ⁾ Σ_{i=0}^{9} y⁽ᵗ⁻ⁱ⁾ + 1.5 x⁽ᵗ⁻⁹⁾ x⁽ᵗ⁾ + 0.1, x uniform on [0, 0.5]. It asks for ten
    steps of memory and for products. The first 50 steps are dropped. A rare input makes it blow up; then all is
    drawn again.

    Returns
    -------
    x : shape (tau, 1).
    y : shape (tau, 1); y[t] is what follows x[t], so y[t] depends on x[t], x[t − 9] and the past.

    Reference: atiya2000, jaeger2003
    """
    start = 50
    while True:
        x, y = rng.uniform(0, 0.5, tau + start).tolist(), [0.0] * 10
        for t in range(9, tau + start):
            last = y[-1]
            y.append(0.3 * last + 0.05 * last * sum(y[-10:]) + 1.5 * x[t - 9] * x[t] + 0.1)
            if y[-1] > 1:  # the series lives below 1; above, the square term feeds itself
                break
        else:
            return np.array(x[start:])[:, None], np.array(y[start + 1 :])[:, None]


@checked
def mackey_glass(tau: Count, rng: np.random.Generator, delay: Positive = 17.0, substeps: Count = 10) -> np.ndarray:
    """Simulate the Mackey–Glass equation and sample it once per unit of time (Section 10.8).

    ẏ(s) = 0.2 y(s − D) / (1 + y(s − D)¹⁰) − 0.1 y(s), by Euler steps of 1/substeps, from a constant history drawn
    near 1.2; the first 1,000 samples are dropped. Delay D = 17 is mildly chaotic. With 10 substeps it is the
    discrete system of the reference.

    Returns
    -------
    y, shape (tau, 1).

    Raises
    ------
    ValueError
        If the delay is no whole number of Euler steps.

    Reference: mackey1977, jaeger2001
    """
    lag = delay * substeps
    if lag < 1 or abs(lag - round(lag)) > 1e-9:
        raise ValueError(f"delay: want a whole number of steps of 1/{substeps}, got {delay}")
    lag, step = round(lag), 1 / substeps
    y = [1.2 + 0.2 * (rng.random() - 0.5)] * (lag + 1)
    for _ in range((1000 + tau) * substeps):
        now, then = y[-1], y[-1 - lag]
        y.append(now + step * (0.2 * then / (1 + then**10) - 0.1 * now))
    return np.array(y[-1 : -1 - tau * substeps : -substeps])[::-1, None]


class FreeNodes(NamedTuple):
    """What one step of a free run computes: state h, and output o."""

    h: np.ndarray
    o: np.ndarray


class FreeRun(NamedTuple):
    """The cell of a net that listens to itself: a reservoir and its read-out."""

    p: Reservoir
    r: Readout

    state = ("h", "o")

    def step(self, _: int, h: np.ndarray, o: np.ndarray) -> FreeNodes:
        """One step with the loop closed: the last output is the input (Section 10.8)."""
        # x⁽ᵗ⁾ = o⁽ᵗ⁻¹⁾
        x = o
        h = self.p.step(x, h).h
        # o⁽ᵗ⁾ = c + V h⁽ᵗ⁾
        o = self.r.c + self.r.V @ h
        return FreeNodes(h, o)


@checked
def free_run(
    p: Reservoir, r: Readout, h: Annotated[np.ndarray, "n_h"], x: Annotated[np.ndarray, "n_x"], steps: Count
) -> np.ndarray:
    """Close the loop: `FreeRun.step` again and again (Section 10.8).

    Parameters
    ----------
    r : a read-out trained to say the next input.
    h : the state after the last true input. x : what the read-out said there, the first input of the free run.

    Returns
    -------
    o, shape (steps, n_x); o[0] follows x.

    Reference: jaeger2004
    """
    return free_runs(p, r, h[None], x[None], steps)[0]


@checked
def free_runs(
    p: Reservoir,
    r: Readout,
    h: Annotated[np.ndarray, "runs", "n_h"],
    x: Annotated[np.ndarray, "runs", "n_x"],
    steps: Count,
) -> np.ndarray:
    """As many free runs as h and x have rows, side by side; o has shape (runs, steps, n_x) (Section 10.8)."""
    if len(r.V) != x.shape[1]:
        raise ValueError(f"r.V: want as many outputs as the reservoir has inputs, {x.shape[1]}, got {len(r.V)}")
    # every run is a column, so that W h is a product of two matrices
    columns = FreeRun(p._replace(b=p.b[:, None]), r._replace(c=r.c[:, None]))
    return scan(columns, (h.T, x.T), range(steps)).o[1:].transpose(2, 0, 1)
