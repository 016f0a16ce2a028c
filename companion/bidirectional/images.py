"""Recurrence over pictures: a network that starts in a corner, and four of them (Section 10.3)."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.cells.rnn import gaussian
from companion.core.checks import Count, array, checked, choice, parameters

__all__ = [
    "CORNERS",
    "Grid",
    "context_states",
    "grid_init",
    "grid_states",
    "ridge",
]

Corner = Literal["↘", "↖", "↙", "↗"]

CORNERS = {"↘": (1, 1), "↖": (-1, -1), "↙": (1, -1), "↗": (-1, 1)}
"""The four directions: the way in which rows (first) and columns (second) are walked."""


class Grid(NamedTuple):
    """Parameters of one network that walks over a picture."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # pixel → state
    W_r: Annotated[np.ndarray, "n_h", "n_h"]  # state of the pixel before it in its column (previous row) → state
    W_c: Annotated[np.ndarray, "n_h", "n_h"]  # state of the pixel before it in its row (previous column) → state
    b: Annotated[np.ndarray, "n_h"]


def _checked_pictures(x: np.ndarray, p: Grid) -> np.ndarray:
    """One picture (rows, columns, n_x) or several (n, rows, columns, n_x)."""
    axes = ("rows", "columns", p.U.shape[1])
    return array("x", x, axes if np.ndim(x) == 3 else ("n", *axes))


@checked
def grid_init(n_x: Count, n_h: Count, rng: np.random.Generator, scale: Annotated[float, (0, None)] = 0.6) -> Grid:
    """Random parameters: Gaussian, both recurrent matrices rescaled to the spectral norm `scale`; small biases.

    Section 10.3. Two paths enter each state, so `scale` ≤ 1/2 makes the network forget for certain.
    """
    U, W_r, W_c = (gaussian(shape, rng) for shape in ((n_h, n_x), (n_h, n_h), (n_h, n_h)))
    W_r, W_c = (scale * W / np.linalg.norm(W, 2) for W in (W_r, W_c))
    return Grid(U, W_r, W_c, 0.1 * rng.normal(size=n_h))


def _walk(p: Grid, x: np.ndarray) -> np.ndarray:
    """Down and to the right; row 0 and column 0 of the result are the zero states outside the picture."""
    *lead, rows, columns, _ = x.shape
    h = np.zeros((*lead, rows + 1, columns + 1, len(p.b)))
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            above, left = h[..., i - 1, j, :], h[..., i, j - 1, :]
            pixel = x[..., i - 1, j - 1, :]
            a = p.b + above @ p.W_r.T + left @ p.W_c.T + pixel @ p.U.T
            h[..., i, j, :] = np.tanh(a)
    return h


@checked
def grid_states(p: Grid, x: np.ndarray, direction: Corner = "↘") -> np.ndarray:
    """The state at every pixel, for a network that starts in one corner and walks to the opposite one.

    Equation (Section 10.3), for ↘: h⁽ⁱʲ⁾ = tanh(b + W_r h⁽ⁱ⁻¹,ʲ⁾ + W_c h⁽ⁱ,ʲ⁻¹⁾ + U x⁽ⁱʲ⁾), zero outside.
    The other directions turn i − 1 into i + 1, j − 1 into j + 1, or both.

    Parameters
    ----------
    x : one picture, shape (rows, columns, n_x), or several, (n, rows, columns, n_x).

    Returns
    -------
    States of the shape of x, with n_h in the place of n_x.

    Reference: graves2007
    """
    x = _checked_pictures(x, p)
    r, c = CORNERS[direction]
    return _walk(p, x[..., ::r, ::c, :])[..., 1:, 1:, :][..., ::r, ::c, :]


def context_states(nets: Sequence[Grid], x: np.ndarray, directions: Sequence[str]) -> np.ndarray:
    """What the networks know about each pixel without having seen it: the states of its predecessors.

    Section 10.3: for ↘ the pair h⁽ⁱ⁻¹,ʲ⁾, h⁽ⁱ,ʲ⁻¹⁾; side by side for all directions. No entry depends on x⁽ⁱʲ⁾.

    Parameters
    ----------
    nets : one Grid a direction. x : pictures, as for `grid_states`. directions : some of `CORNERS`, as many as nets.

    Returns
    -------
    Shape of x with Σ 2 n_h in the place of n_x.
    """
    if len(nets) == 0 or len(nets) != len(directions):
        raise ValueError(f"directions: want one for each net, at least one, got {len(directions)} for {len(nets)}")
    parts = []
    for p, direction in zip(nets, directions, strict=True):
        p = parameters("p", p, Grid)
        r, c = CORNERS[choice("directions", direction, tuple(CORNERS))]
        h = _walk(p, _checked_pictures(x, p)[..., ::r, ::c, :])
        parts += [k[..., ::r, ::c, :] for k in (h[..., :-1, 1:, :], h[..., 1:, :-1, :])]
    return np.concatenate(parts, axis=-1)


@checked
def ridge(
    features: Annotated[np.ndarray, "n", "m"], y: Annotated[np.ndarray, "n"], penalty: Annotated[float, (0, None)]
) -> np.ndarray:
    """The weights and bias that minimise Σ (y − w·z − c)² + penalty ‖w‖², z the features: w, then c (Section 10.3)."""
    mean, centre = features.mean(axis=0), y.mean()
    z = features - mean
    w = np.linalg.solve(z.T @ z + penalty * np.eye(z.shape[1]), z.T @ (y - centre))
    return np.append(w, centre - mean @ w)
