"""The echo state cell: leaky units whose weights are drawn and never learned, forward and backward (Section 10.8)."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.cells.gate import SQUASH
from companion.core.checks import array, parameters, sequence
from companion.core.scan import initial, scan

__all__ = ["Reservoir", "ReservoirNodes", "esn_states", "many_states"]

UNITS = {"tanh": SQUASH["tanh"], "linear": (lambda a: a, np.ones_like)}
"""An activation φ, and its slope in terms of its output."""


class ReservoirNodes(NamedTuple):
    """What one step computes (or gradients on it): pre-activation a and state h."""

    a: np.ndarray | None = None
    h: np.ndarray | None = None


class Reservoir(NamedTuple):
    """The fixed part of an echo state network."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # input → hidden
    W: Annotated[np.ndarray, "n_h", "n_h"]  # hidden → hidden
    b: Annotated[np.ndarray, "n_h"]
    alpha: Annotated[float, (0, 1)]  # the share of its state that a unit keeps a step; 0 is the plain unit
    activation: Literal["tanh", "linear"] = "tanh"

    state = ("h",)

    def step(self, x: np.ndarray, h: np.ndarray) -> ReservoirNodes:
        """One step of a reservoir (Section 10.8)."""
        phi, _ = UNITS[self.activation]
        # a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾
        a = self.b + self.W @ h + self.U @ x
        # h⁽ᵗ⁾ = α h⁽ᵗ⁻¹⁾ + (1 − α) φ(a⁽ᵗ⁾), φ = tanh
        h = self.alpha * h + (1.0 - self.alpha) * phi(a)
        return ReservoirNodes(a, h)

    def back(
        self,
        now: ReservoirNodes,
        _: ReservoirNodes,
        d: ReservoirNodes,
    ) -> tuple[ReservoirNodes, ReservoirNodes]:
        """The same step backward; d.h is ∇_{h⁽ᵗ⁾}L (Section 10.8)."""
        phi, slope = UNITS[self.activation]
        # ∇_{a⁽ᵗ⁾}L = (1 − α) φ'(a⁽ᵗ⁾) ⊙ ∇_{h⁽ᵗ⁾}L
        a = (1.0 - self.alpha) * slope(phi(now.a)) * d.h
        # to h⁽ᵗ⁻¹⁾: α ∇_{h⁽ᵗ⁾}L + Wᵀ ∇_{a⁽ᵗ⁾}L
        h = self.alpha * d.h + self.W.T @ a
        return ReservoirNodes(a, d.h), ReservoirNodes(h=h)


def esn_states(p: Reservoir, x: np.ndarray, h0: np.ndarray | None = None) -> np.ndarray:
    """Drive a reservoir: `Reservoir.step` at every step (Section 10.8).

    Libraries call 1 − α the "leaking rate".

    Parameters
    ----------
    p : the reservoir.
    x : inputs, shape (tau, n_x).
    h0 : initial state, shape (n_h,); zeros if None.

    Returns
    -------
    h, shape (tau + 1, n_h); h[0] is h⁽⁰⁾.

    Raises
    ------
    ValueError
        If linear states pass 1e308.

    References
    ----------
    jaeger2001
    """
    p = parameters("p", p, Reservoir)
    x = sequence("x", x, p.U.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        h = scan(p, initial(len(p.b), h0=h0), x).h
    if not np.isfinite(h[-1]).all():
        raise ValueError("p.W: want linear states below 1e308, got an overflow; take a smaller spectral radius")
    return h


def many_states(nets: Sequence[Reservoir], x: np.ndarray, h0: np.ndarray | None = None) -> np.ndarray:
    """Drive many reservoirs side by side: the same `Reservoir.step` on a stack of them (Section 10.8).

    Parameters
    ----------
    nets : reservoirs of one size and one activation.
    x : inputs, shape (tau, n_x) for all of them, or (nets, tau, n_x).
    h0 : initial states, shape (nets, n_h); zeros if None.

    Returns
    -------
    h, shape (nets, tau + 1, n_h), each as from `esn_states`.
    """
    nets = [parameters(f"nets[{i}]", p, Reservoir) for i, p in enumerate(nets)]
    if not nets or len({(p.U.shape, p.activation) for p in nets}) > 1:
        raise ValueError("nets: want reservoirs of one size and one activation, at least one")
    (n_h, n_x), x = nets[0].U.shape, np.asarray(x)
    x = array("x", x, ("tau", n_x) if x.ndim == 2 else (len(nets), "tau", n_x))
    start = np.zeros((len(nets), n_h)) if h0 is None else array("h0", h0, (len(nets), n_h))
    # every vector is a column, so that W h is a product of matrices for each net
    U, W, b = (np.stack(field) for field in list(zip(*nets, strict=True))[:3])
    stack = Reservoir(U, W, b[:, :, None], np.array([p.alpha for p in nets])[:, None, None], nets[0].activation)
    rows = x.reshape(-1, *x.shape[-2:]).swapaxes(0, 1)[..., None]
    return scan(stack, (start[..., None],), rows).h[..., 0].swapaxes(0, 1)
