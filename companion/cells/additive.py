"""Recurrent cells in which the old state reaches the new one by a sum, past the tanh, forward and backward (10.9.2).

The residual cell adds what is new to all of the old state; the adaptive one (a highway through time) learns how much of
the old state stays.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from scipy.special import expit as sigmoid

from companion.cells.gate import Direct, Gate, gate_init
from companion.cells.rnn import Inputs, State
from companion.core.checks import Count, checked
from companion.core.scan import initial, reverse_scan, scan

__all__ = ["Additive", "AdditiveNodes", "additive_bptt", "additive_forward", "additive_init"]


class AdditiveNodes(NamedTuple):
    """What one step computes, or a run: λ and z (tau, n_h) and the states h (tau + 1, n_h).

    Of gradients: lam and z hold those on the pre-activations.
    """

    lam: np.ndarray | None = None
    z: np.ndarray | None = None
    h: np.ndarray | None = None


class Additive(NamedTuple):
    """Parameters of an additive cell (or a gradient): what is new, z, and the gate λ; a residual cell has no gate."""

    z: Gate
    lam: Gate | None = None

    state = ("h",)

    def step(self, x: np.ndarray, h: np.ndarray) -> AdditiveNodes:
        """One step (Section 10.9.2)."""
        # z⁽ᵗ⁾ = tanh(b + U x⁽ᵗ⁾ + W h⁽ᵗ⁻¹⁾)
        z = np.tanh(self.z(x, h))
        if self.lam is None:
            # h⁽ᵗ⁾ = h⁽ᵗ⁻¹⁾ + z⁽ᵗ⁾
            return AdditiveNodes(np.ones_like(z), z, h + z)
        # λ⁽ᵗ⁾ = σ(b^λ + U^λ x⁽ᵗ⁾ + W^λ h⁽ᵗ⁻¹⁾)
        lam = sigmoid(self.lam(x, h))
        # h⁽ᵗ⁾ = λ⁽ᵗ⁾ ⊙ h⁽ᵗ⁻¹⁾ + (1 − λ⁽ᵗ⁾) ⊙ z⁽ᵗ⁾
        return AdditiveNodes(lam, z, lam * h + (1.0 - lam) * z)

    def back(self, now: AdditiveNodes, before: AdditiveNodes, d: AdditiveNodes) -> tuple[AdditiveNodes, AdditiveNodes]:
        """The same step backward; d.h is ∇_{h⁽ᵗ⁾}L (Section 10.9.2)."""
        lam, z, _ = now
        if self.lam is None:
            # ∇_a = ∇_h ⊙ (1 − z²); to h⁽ᵗ⁻¹⁾: ∇_h + Wᵀ ∇_a
            a_z = d.h * (1.0 - z**2)
            return AdditiveNodes(np.zeros_like(z), a_z, d.h), AdditiveNodes(h=d.h + self.z.W.T @ a_z)
        # ∇_{a^λ} = ∇_h ⊙ (h⁽ᵗ⁻¹⁾ − z) ⊙ λ(1 − λ)
        a_lam = d.h * (before.h - z) * lam * (1.0 - lam)
        # ∇_a = ∇_h ⊙ (1 − λ) ⊙ (1 − z²)
        a_z = d.h * (1.0 - lam) * (1.0 - z**2)
        # to h⁽ᵗ⁻¹⁾: λ ⊙ ∇_h + W^λᵀ ∇_{a^λ} + Wᵀ ∇_a
        h_before = lam * d.h + self.lam.W.T @ a_lam + self.z.W.T @ a_z
        return AdditiveNodes(a_lam, a_z, d.h), AdditiveNodes(h=h_before)


@checked
def additive_init(
    n_x: Count,
    n_h: Count,
    rng: np.random.Generator,
    connection: Literal["residual", "adaptive"] = "adaptive",
    gate_bias: float = 0.0,
) -> Additive:
    """Draw an additive cell: Gaussian weights with variance one over their fan-in, biases zero but for the gate's.

    A positive `gate_bias`, every entry of b^λ, starts by remembering.
    """
    z = gate_init(n_x, n_h, rng)
    return Additive(z, gate_init(n_x, n_h, rng, gate_bias) if connection == "adaptive" else None)


def _without_peepholes(name: str, p: Additive) -> Additive:
    for k, gate in p._asdict().items():
        if gate is not None and gate.peephole is not None:
            raise ValueError(f"{name}.{k}.peephole: want None, an additive cell has no peepholes, got an array")
    return p


Cell = Annotated[Additive, _without_peepholes]


@checked
def additive_forward(p: Cell, x: Inputs, h0: State | None = None) -> AdditiveNodes:
    """Run an additive cell over a sequence: `Additive.step` at every step; of a residual cell, λ is 1 (Section 10.9.2).

    Reference: he2016, srivastava2015
    """
    return scan(p, initial(len(p.z.b), h0=h0), x)


@checked
def additive_bptt(p: Cell, x: Inputs, grad_h: Direct, h0: State | None = None) -> Additive:
    """Gradient of a loss with respect to every parameter of an additive cell (back-propagation through time).

    Parameters
    ----------
    p, x, h0 : as given to `additive_forward`.
    grad_h : how the loss depends on each h⁽ᵗ⁾ directly (through the output of that step).
    """
    run = additive_forward(p, x, h0)
    a = reverse_scan(p, run, h=grad_h)
    h = run.h[:-1]
    return Additive(p.z.gradient(a.z, x, h), None if p.lam is None else p.lam.gradient(a.lam, x, h))
