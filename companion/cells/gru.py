"""The gated recurrent unit, forward and backward, in the book's letters (Section 10.10.2).

The update gate u keeps the old state; the reset gate r decides what the candidate z may see of it.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from scipy.special import expit as sigmoid

from companion.cells.gate import SQUASH, Direct, Gate, gate_init
from companion.cells.rnn import Inputs, State
from companion.core.checks import Count, checked
from companion.core.scan import initial, reverse_scan, scan

__all__ = ["GRU", "GRUNodes", "gru_bptt", "gru_bptt_nodes", "gru_forward", "gru_init"]


class GRUNodes(NamedTuple):
    """What one step computes, or a run: gates and candidate (tau, n_h) and the states h (tau + 1, n_h).

    Of gradients: u, r, z hold those on the pre-activations.
    """

    u: np.ndarray | None = None
    r: np.ndarray | None = None
    z: np.ndarray | None = None
    h: np.ndarray | None = None


class GRU(NamedTuple):
    """Parameters of a GRU (or a gradient): update gate u, reset gate r, candidate z.

    `reset` acts "before" W as in the chapter, or "after" it as in PyTorch; d is a second bias of the candidate,
    inside the reset, for which only "after" has a place. `activation` is the candidate's.
    """

    u: Gate
    r: Gate
    z: Gate
    d: Annotated[np.ndarray, "n_h"] | None = None
    reset: Literal["before", "after"] = "before"
    activation: Literal["tanh", "sigmoid"] = "tanh"

    state = ("h",)

    def step(self, x: np.ndarray, h: np.ndarray) -> GRUNodes:
        """One step of the GRU (Section 10.10.2)."""
        phi, _ = SQUASH[self.activation]
        # u⁽ᵗ⁾ = σ(b^u + U^u x⁽ᵗ⁾ + W^u h⁽ᵗ⁻¹⁾)
        u = sigmoid(self.u(x, h))
        # r⁽ᵗ⁾ = σ(b^r + U^r x⁽ᵗ⁾ + W^r h⁽ᵗ⁻¹⁾)
        r = sigmoid(self.r(x, h))
        if self.reset == "before":
            # a⁽ᵗ⁾ = b + U x⁽ᵗ⁾ + W (r⁽ᵗ⁾ ⊙ h⁽ᵗ⁻¹⁾)
            a = self.z(x, r * h)
        else:
            # PyTorch: a⁽ᵗ⁾ = b + U x⁽ᵗ⁾ + r⁽ᵗ⁾ ⊙ (W h⁽ᵗ⁻¹⁾ + d)
            a = self.z.b + self.z.U @ x + r * self.inside(h)
        # z⁽ᵗ⁾ = φ(a⁽ᵗ⁾), φ = tanh
        z = phi(a)
        # h⁽ᵗ⁾ = u⁽ᵗ⁾ ⊙ h⁽ᵗ⁻¹⁾ + (1 − u⁽ᵗ⁾) ⊙ z⁽ᵗ⁾
        h = u * h + (1.0 - u) * z
        return GRUNodes(u, r, z, h)

    def back(self, now: GRUNodes, before: GRUNodes, d: GRUNodes) -> tuple[GRUNodes, GRUNodes]:
        """The same step backward; d.h is ∇_{h⁽ᵗ⁾}L (Section 10.10.2)."""
        u, r, z, _ = now
        _, slope = SQUASH[self.activation]
        # ∇_{a^u} = ∇_h ⊙ (h⁽ᵗ⁻¹⁾ − z) ⊙ u(1 − u)
        a_u = d.h * (before.h - z) * u * (1.0 - u)
        # ∇_a = ∇_h ⊙ (1 − u) ⊙ φ'(a)
        a_z = d.h * (1.0 - u) * slope(z)
        if self.reset == "before":
            # ∇_{a^r} = Wᵀ ∇_a ⊙ h⁽ᵗ⁻¹⁾ ⊙ r(1 − r); through the candidate, h⁽ᵗ⁻¹⁾ gets r ⊙ Wᵀ ∇_a
            W_a = self.z.W.T @ a_z
            a_r, through = W_a * before.h * r * (1.0 - r), r * W_a
        else:
            # ∇_{a^r} = ∇_a ⊙ (W h⁽ᵗ⁻¹⁾ + d) ⊙ r(1 − r); through the candidate, h⁽ᵗ⁻¹⁾ gets Wᵀ (r ⊙ ∇_a)
            a_r, through = a_z * self.inside(before.h) * r * (1.0 - r), self.z.W.T @ (r * a_z)
        # to h⁽ᵗ⁻¹⁾: u ⊙ ∇_h + W^uᵀ ∇_{a^u} + W^rᵀ ∇_{a^r}, and what came through the candidate
        h_before = u * d.h + self.u.W.T @ a_u + self.r.W.T @ a_r + through
        return GRUNodes(a_u, a_r, a_z, d.h), GRUNodes(h=h_before)

    def inside(self, h: np.ndarray) -> np.ndarray:
        """W h + d, of which reset="after" lets a part through."""
        return self.z.W @ h if self.d is None else self.z.W @ h + self.d


@checked
def gru_init(n_x: Count, n_h: Count, rng: np.random.Generator, update_bias: float = 0.0) -> GRU:
    """Draw a GRU: Gaussian weights with variance one over their fan-in, biases zero but for u's.

    A positive `update_bias`, every entry of b^u, starts by remembering.
    """
    u = gate_init(n_x, n_h, rng, update_bias)
    return GRU(u, gate_init(n_x, n_h, rng), gate_init(n_x, n_h, rng))


def _without_peepholes(name: str, p: GRU) -> GRU:
    """No layer has peepholes, and d is None where it has no place."""
    for k in "urz":
        if getattr(p, k).peephole is not None:
            raise ValueError(f"{name}.{k}.peephole: want None, a GRU has no peepholes, got an array")
    if p.reset == "before" and p.d is not None:
        raise ValueError(f"{name}.d: want None with reset='before', got a bias that only 'after' has a place for")
    return p


Cell = Annotated[GRU, _without_peepholes]


@checked
def gru_forward(p: Cell, x: Inputs, h0: State | None = None) -> GRUNodes:
    """Run a GRU over a sequence: `GRU.step` at every step (Section 10.10.2).

    Reference: cho2014
    """
    return scan(p, initial(len(p.z.b), h0=h0), x)


@checked
def gru_bptt_nodes(p: Cell, x: Inputs, run: GRUNodes, grad_h: Direct) -> GRUNodes:
    """Gradients on every node of a GRU's unfolded graph: `GRU.back`, last step first (Section 10.10.2).

    Parameters
    ----------
    p, x : as given to `gru_forward`. run : what it returned.
    grad_h : how the loss depends on each h⁽ᵗ⁾ directly (through the output of that step).
    """
    return reverse_scan(p, run, h=grad_h)


@checked
def gru_bptt(p: Cell, x: Inputs, grad_h: Direct, h0: State | None = None) -> GRU:
    """Gradient of a loss with respect to every parameter of a GRU (back-propagation through time).

    As `lstm_bptt`, but W of the candidate meets r ⊙ h⁽ᵗ⁻¹⁾, or behind PyTorch's reset h⁽ᵗ⁻¹⁾ (Section 10.10.2).
    """
    run = gru_forward(p, x, h0)
    a = reverse_scan(p, run, h=grad_h)
    h, r = run.h[:-1], run.r
    z = p.z.gradient(a.z, x, r * h)
    if p.reset == "after":
        z = z._replace(W=(r * a.z).T @ h)
    d = None if p.d is None else (r * a.z).sum(axis=0)
    return p._replace(u=p.u.gradient(a.u, x, h), r=p.r.gradient(a.r, x, h), z=z, d=d)
