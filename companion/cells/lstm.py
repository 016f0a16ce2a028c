"""The long short-term memory, forward and backward, in the book's letters (Section 10.10.1).

State s, forget gate f, external input gate g, output gate q, candidate z. Each of the four is a small layer
that sees the same two things, the input x⁽ᵗ⁾ and the short-term state h⁽ᵗ⁻¹⁾, through its own U, W and b.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from scipy.special import expit as sigmoid

from companion.cells.gate import SQUASH, Direct, Gate, gate_init
from companion.cells.rnn import Inputs, State
from companion.core.checks import Count, checked
from companion.core.scan import initial, reverse_scan, scan

__all__ = ["LSTM", "LSTMNodes", "PeepholeLSTM", "lstm_bptt", "lstm_bptt_nodes", "lstm_forward", "lstm_init"]


class LSTMNodes(NamedTuple):
    """What one step computes, or a run: gates and candidate (tau, n_h), states s and h (tau + 1, n_h).

    Of gradients: f, g, q, z hold those on the pre-activations.
    """

    f: np.ndarray | None = None
    g: np.ndarray | None = None
    q: np.ndarray | None = None
    z: np.ndarray | None = None
    s: np.ndarray | None = None
    h: np.ndarray | None = None


class LSTM(NamedTuple):
    """Parameters of an LSTM (or a gradient): forget gate f, external input gate g, output gate q, candidate z.

    `activation` is the candidate's: "tanh" (almost everywhere) or "sigmoid" (as the chapter prints it).
    """

    f: Gate
    g: Gate
    q: Gate
    z: Gate
    activation: Literal["tanh", "sigmoid"] = "tanh"

    state = ("h", "s")

    def step(self, x: np.ndarray, h: np.ndarray, s: np.ndarray) -> LSTMNodes:
        """One step of the LSTM (Section 10.10.1)."""
        phi, _ = SQUASH[self.activation]
        # f⁽ᵗ⁾ = σ(b^f + U^f x⁽ᵗ⁾ + W^f h⁽ᵗ⁻¹⁾)
        f = sigmoid(self.f(x, h))
        # g⁽ᵗ⁾ = σ(b^g + U^g x⁽ᵗ⁾ + W^g h⁽ᵗ⁻¹⁾)
        g = sigmoid(self.g(x, h))
        # z⁽ᵗ⁾ = φ(b + U x⁽ᵗ⁾ + W h⁽ᵗ⁻¹⁾), φ = tanh
        z = phi(self.z(x, h))
        # s⁽ᵗ⁾ = f⁽ᵗ⁾ ⊙ s⁽ᵗ⁻¹⁾ + g⁽ᵗ⁾ ⊙ z⁽ᵗ⁾
        s = f * s + g * z
        # q⁽ᵗ⁾ = σ(b^q + U^q x⁽ᵗ⁾ + W^q h⁽ᵗ⁻¹⁾)
        q = sigmoid(self.q(x, h))
        # h⁽ᵗ⁾ = q⁽ᵗ⁾ ⊙ tanh(s⁽ᵗ⁾)
        h = q * np.tanh(s)
        return LSTMNodes(f, g, q, z, s, h)

    def back(self, now: LSTMNodes, before: LSTMNodes, d: LSTMNodes) -> tuple[LSTMNodes, LSTMNodes]:
        """The same step backward; d.h is ∇_{h⁽ᵗ⁾}L, d.s what later steps send to s⁽ᵗ⁾ (Section 10.10.1)."""
        f, g, q, z, s, _ = now
        _, slope = SQUASH[self.activation]
        # ∇_{a^q} = ∇_h ⊙ tanh(s⁽ᵗ⁾) ⊙ q(1 − q)
        a_q = d.h * np.tanh(s) * q * (1.0 - q)
        # ∇_s = f⁽ᵗ⁺¹⁾ ⊙ ∇_{s⁽ᵗ⁺¹⁾} + ∇_h ⊙ q ⊙ (1 − tanh²(s⁽ᵗ⁾))
        d_s = d.s + d.h * q * (1.0 - np.tanh(s) ** 2)
        # ∇_{a^f} = ∇_s ⊙ s⁽ᵗ⁻¹⁾ ⊙ f(1 − f)
        a_f = d_s * before.s * f * (1.0 - f)
        # ∇_{a^g} = ∇_s ⊙ z ⊙ g(1 − g)
        a_g = d_s * z * g * (1.0 - g)
        # ∇_a = ∇_s ⊙ g ⊙ φ'(a)
        a_z = d_s * g * slope(z)
        # to s⁽ᵗ⁻¹⁾: f⁽ᵗ⁾ ⊙ ∇_s
        s_before = f * d_s
        # to h⁽ᵗ⁻¹⁾: W^fᵀ ∇_{a^f} + W^gᵀ ∇_{a^g} + W^qᵀ ∇_{a^q} + Wᵀ ∇_a
        h_before = self.f.W.T @ a_f + self.g.W.T @ a_g + self.q.W.T @ a_q + self.z.W.T @ a_z
        return LSTMNodes(a_f, a_g, a_q, a_z, d_s, d.h), LSTMNodes(s=s_before, h=h_before)


class PeepholeLSTM(LSTM):
    """An LSTM whose three gates also see the state s, through one weight a unit: the `peephole` v of each gate."""

    def step(self, x: np.ndarray, h: np.ndarray, s: np.ndarray) -> LSTMNodes:
        """One step of the LSTM with peepholes (Section 10.10.1)."""
        phi, _ = SQUASH[self.activation]
        # f⁽ᵗ⁾ = σ(b^f + U^f x⁽ᵗ⁾ + W^f h⁽ᵗ⁻¹⁾ + v^f ⊙ s⁽ᵗ⁻¹⁾)
        f = sigmoid(self.f(x, h) + self.f.peephole * s)
        # g⁽ᵗ⁾ = σ(b^g + U^g x⁽ᵗ⁾ + W^g h⁽ᵗ⁻¹⁾ + v^g ⊙ s⁽ᵗ⁻¹⁾)
        g = sigmoid(self.g(x, h) + self.g.peephole * s)
        # z⁽ᵗ⁾ = φ(b + U x⁽ᵗ⁾ + W h⁽ᵗ⁻¹⁾)
        z = phi(self.z(x, h))
        # s⁽ᵗ⁾ = f⁽ᵗ⁾ ⊙ s⁽ᵗ⁻¹⁾ + g⁽ᵗ⁾ ⊙ z⁽ᵗ⁾
        s = f * s + g * z
        # q⁽ᵗ⁾ = σ(b^q + U^q x⁽ᵗ⁾ + W^q h⁽ᵗ⁻¹⁾ + v^q ⊙ s⁽ᵗ⁾)
        q = sigmoid(self.q(x, h) + self.q.peephole * s)
        # h⁽ᵗ⁾ = q⁽ᵗ⁾ ⊙ tanh(s⁽ᵗ⁾)
        h = q * np.tanh(s)
        return LSTMNodes(f, g, q, z, s, h)

    def back(self, now: LSTMNodes, before: LSTMNodes, d: LSTMNodes) -> tuple[LSTMNodes, LSTMNodes]:
        """The same step backward: as without peepholes, and what they send to the state."""
        # to s⁽ᵗ⁾ also v^q ⊙ ∇_{a^q}
        a_q = d.h * np.tanh(now.s) * now.q * (1.0 - now.q)
        a, to = super().back(now, before, d._replace(s=d.s + self.q.peephole * a_q))
        # to s⁽ᵗ⁻¹⁾ also v^f ⊙ ∇_{a^f} + v^g ⊙ ∇_{a^g}
        return a, to._replace(s=to.s + self.f.peephole * a.f + self.g.peephole * a.g)


@checked
def lstm_init(
    n_x: Count, n_h: Count, rng: np.random.Generator, forget_bias: float = 1.0, peepholes: bool = False
) -> LSTM:
    """Draw an LSTM; the forget gate starts with bias 1, so that it starts by remembering (Section 10.10.2).

    With `peepholes`, the three gates also see s.

    Reference: gers2000, jozefowicz2015
    """
    f = gate_init(n_x, n_h, rng, forget_bias, peepholes)
    g, q = (gate_init(n_x, n_h, rng, peephole=peepholes) for _ in range(2))
    return (PeepholeLSTM if peepholes else LSTM)(f, g, q, gate_init(n_x, n_h, rng))


def _peepholes(name: str, p: LSTM) -> LSTM:
    """The three gates of a PeepholeLSTM see the state s, and no other layer does."""
    for k in "fgqz":
        wanted = isinstance(p, PeepholeLSTM) and k != "z"
        if (getattr(p, k).peephole is not None) != wanted:
            kind, what = type(p).__name__, "an array" if wanted else "None"
            raise ValueError(f"{name}.{k}.peephole: want {what} in a cell of type {kind}, got the opposite")
    return p


Cell = Annotated[LSTM | PeepholeLSTM, _peepholes]


@checked
def lstm_forward(p: Cell, x: Inputs, h0: State | None = None, s0: State | None = None) -> LSTMNodes:
    """Run an LSTM over a sequence: `LSTM.step` at every step (Section 10.10.1).

    Reference: hochreiter1997, gers2000
    """
    return scan(p, initial(len(p.z.b), h0=h0, s0=s0), x)


@checked
def lstm_bptt_nodes(p: Cell, x: Inputs, run: LSTMNodes, grad_h: Direct) -> LSTMNodes:
    """Gradients on every node of an LSTM's unfolded graph: `LSTM.back`, last step first (Section 10.10.1).

    Parameters
    ----------
    p, x : as given to `lstm_forward`. run : what it returned.
    grad_h : how the loss depends on each h⁽ᵗ⁾ directly (through the output of that step).
    """
    return reverse_scan(p, run, h=grad_h)


@checked
def lstm_bptt(p: Cell, x: Inputs, grad_h: Direct, h0: State | None = None, s0: State | None = None) -> LSTM:
    """Gradient of a loss with respect to every parameter of an LSTM (back-propagation through time).

    ∇_W = Σ_t ∇_a⁽ᵗ⁾ h⁽ᵗ⁻¹⁾ᵀ, ∇_U = Σ_t ∇_a⁽ᵗ⁾ x⁽ᵗ⁾ᵀ, ∇_b = Σ_t ∇_a⁽ᵗ⁾, for each gate (Section 10.10.1); grad_h says
    how the loss depends on each h⁽ᵗ⁾ directly (through the output of that step).
    """
    run = lstm_forward(p, x, h0, s0)
    a = reverse_scan(p, run, h=grad_h)
    h, s = run.h[:-1], run.s
    return p._replace(
        f=p.f.gradient(a.f, x, h, s[:-1]),
        g=p.g.gradient(a.g, x, h, s[:-1]),
        q=p.q.gradient(a.q, x, h, s[1:]),
        z=p.z.gradient(a.z, x, h, s[:-1]),
    )
