"""The long short-term memory, forward and backward, in the book's letters (Section 10.10.1).

State s, forget gate f, external input gate g, output gate q, candidate z. Each of the four is a small layer
that sees the same two things, the input x⁽ᵗ⁾ and the short-term state h⁽ᵗ⁻¹⁾, through its own U, W and b.
"""

from typing import NamedTuple

import numpy as np

from companion.core.checks import array, choice, integer, number, sequence
from companion.core.functions import sigmoid, sigmoid_prime, tanh_prime

__all__ = [
    "LSTM",
    "Gate",
    "LSTMNodes",
    "LSTMRun",
    "check_gate",
    "gate_init",
    "lstm_bptt",
    "lstm_bptt_nodes",
    "lstm_forward",
    "lstm_init",
    "squash",
    "squash_prime",
]

ACTIVATIONS = ("tanh", "sigmoid")


class Gate(NamedTuple):
    """One layer of a gated cell: U (n_h, n_x), W (n_h, n_h), b (n_h,), and a peephole (n_h,) or None."""

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray
    peephole: np.ndarray | None = None

    def net(self, x: np.ndarray, h: np.ndarray, s: np.ndarray) -> np.ndarray:
        """The pre-activation b + W h + U x, and + peephole ⊙ s where there is one."""
        a = self.b + self.W @ h + self.U @ x
        return a if self.peephole is None else a + self.peephole * s

    def look_back(self, a: np.ndarray) -> np.ndarray | float:
        """What a gradient `a` on the pre-activation sends to the state s through the peephole."""
        return 0.0 if self.peephole is None else a * self.peephole

    def gradient(self, a: np.ndarray, x: np.ndarray, h: np.ndarray, s: np.ndarray) -> "Gate":
        """Sum over time of the outer products of `a` (tau, n_h), the gradient on the pre-activations."""
        return Gate(a.T @ x, a.T @ h, a.sum(0), None if self.peephole is None else (a * s).sum(0))


class LSTM(NamedTuple):
    """Parameters of an LSTM (or a gradient): forget gate f, external input gate g, output gate q, candidate z."""

    f: Gate
    g: Gate
    q: Gate
    z: Gate


class LSTMRun(NamedTuple):
    """Gates and candidate (tau, n_h); states s and h (tau + 1, n_h), whose row 0 is the initial state."""

    f: np.ndarray
    g: np.ndarray
    q: np.ndarray
    z: np.ndarray
    s: np.ndarray
    h: np.ndarray


class LSTMNodes(NamedTuple):
    """Gradients on the pre-activations of f, g, q, z (tau, n_h) and on the states s, h (tau + 1, n_h)."""

    f: np.ndarray
    g: np.ndarray
    q: np.ndarray
    z: np.ndarray
    s: np.ndarray
    h: np.ndarray


def squash(name: str, a: np.ndarray) -> np.ndarray:
    """The candidate's activation: "tanh" (almost everywhere) or "sigmoid" (as the chapter prints it)."""
    return np.tanh(a) if name == "tanh" else sigmoid(a)


def squash_prime(name: str, y: np.ndarray) -> np.ndarray:
    """Derivative of `squash`, in terms of its output y."""
    return tanh_prime(y) if name == "tanh" else sigmoid_prime(y)


def check_gate(name: str, gate: Gate, n_x: int | str, n_h: int | str, peephole: bool = True) -> Gate:
    """Return the gate as float64 arrays of matching shapes, or raise a ValueError that names the field."""
    if not isinstance(gate, Gate):
        raise ValueError(f"{name}: want a Gate, got {type(gate).__name__}")
    if gate.peephole is not None and not peephole:
        raise ValueError(f"{name}.peephole: want None here, got {type(gate.peephole).__name__}")
    b = array(f"{name}.b", gate.b, (n_h,))
    return Gate(
        array(f"{name}.U", gate.U, (len(b), n_x)),
        array(f"{name}.W", gate.W, (len(b), len(b))),
        b,
        None if gate.peephole is None else array(f"{name}.peephole", gate.peephole, (len(b),)),
    )


def gate_init(n_x: int, n_h: int, rng: np.random.Generator, bias: float = 0.0, peephole: bool = False) -> Gate:
    """Draw a gate: Gaussian weights with variance one over their fan-in, a constant bias, small peepholes.

    Parameters
    ----------
    n_x, n_h : widths of input and state. rng : the source of randomness. bias : every entry of b.
    peephole : whether to draw peepholes too.

    Returns
    -------
    Gate
    """
    n_x, n_h = integer("n_x", n_x, 1), integer("n_h", n_h, 1)
    U = rng.normal(size=(n_h, n_x)) / np.sqrt(n_x)
    W = rng.normal(size=(n_h, n_h)) / np.sqrt(n_h)
    return Gate(U, W, np.full(n_h, number("bias", bias)), 0.1 * rng.normal(size=n_h) if peephole else None)


def lstm_init(n_x: int, n_h: int, rng: np.random.Generator, forget_bias: float = 1.0, peepholes: bool = False) -> LSTM:
    """Draw an LSTM; the forget gate starts with bias 1, so that it starts by remembering (Section 10.10.2).

    Parameters
    ----------
    n_x, n_h : widths of input and state. rng : the source of randomness.
    forget_bias : every entry of b^f. peepholes : whether the three gates also see s.

    Returns
    -------
    LSTM

    References
    ----------
    gers2000, jozefowicz2015
    """
    f = gate_init(n_x, n_h, rng, number("forget_bias", forget_bias), peepholes)
    g, q = (gate_init(n_x, n_h, rng, peephole=peepholes) for _ in range(2))
    return LSTM(f, g, q, gate_init(n_x, n_h, rng))


def _checked(p: LSTM, x: np.ndarray, activation: str) -> tuple[LSTM, np.ndarray]:
    if not isinstance(p, LSTM):
        raise ValueError(f"p: want an LSTM, got {type(p).__name__}")
    choice("activation", activation, ACTIVATIONS)
    z = check_gate("p.z", p.z, "n_x", "n_h", peephole=False)
    n_h, n_x = z.U.shape
    return LSTM(*(check_gate(f"p.{k}", getattr(p, k), n_x, n_h) for k in "fgq"), z), sequence("x", x, n_x)


def lstm_forward(
    p: LSTM,
    x: np.ndarray,
    h0: np.ndarray | None = None,
    s0: np.ndarray | None = None,
    activation: str = "tanh",
) -> LSTMRun:
    """Run an LSTM over a sequence.

    f = σ(b^f + U^f x⁽ᵗ⁾ + W^f h⁽ᵗ⁻¹⁾), the same for g and q;
    s⁽ᵗ⁾ = f ⊙ s⁽ᵗ⁻¹⁾ + g ⊙ z, with z = tanh(b + U x⁽ᵗ⁾ + W h⁽ᵗ⁻¹⁾);
    h⁽ᵗ⁾ = q ⊙ tanh(s⁽ᵗ⁾) (Section 10.10.1).
    Where there are peepholes, f and g also see s⁽ᵗ⁻¹⁾, and q sees s⁽ᵗ⁾.

    Parameters
    ----------
    p : LSTM. x : (tau, n_x).
    h0, s0 : (n_h,), zeros by default. activation : of the candidate, "tanh" or "sigmoid".

    Returns
    -------
    LSTMRun

    References
    ----------
    hochreiter1997, gers2000
    """
    p, x = _checked(p, x, activation)
    tau, n_h = len(x), len(p.z.b)
    f, g, q, z = np.zeros((4, tau, n_h))
    s, h = np.zeros((2, tau + 1, n_h))
    s[0] = 0.0 if s0 is None else array("s0", s0, (n_h,))
    h[0] = 0.0 if h0 is None else array("h0", h0, (n_h,))
    for t in range(1, tau + 1):
        f[t - 1] = sigmoid(p.f.net(x[t - 1], h[t - 1], s[t - 1]))
        g[t - 1] = sigmoid(p.g.net(x[t - 1], h[t - 1], s[t - 1]))
        z[t - 1] = squash(activation, p.z.net(x[t - 1], h[t - 1], s[t - 1]))
        s[t] = f[t - 1] * s[t - 1] + g[t - 1] * z[t - 1]
        q[t - 1] = sigmoid(p.q.net(x[t - 1], h[t - 1], s[t]))
        h[t] = q[t - 1] * np.tanh(s[t])
    return LSTMRun(f, g, q, z, s, h)


def lstm_bptt_nodes(p: LSTM, x: np.ndarray, run: LSTMRun, grad_h: np.ndarray, activation: str = "tanh") -> LSTMNodes:
    """Gradients on every node of an LSTM's unfolded graph, last step first.

    ∇_s⁽ᵗ⁾ = f⁽ᵗ⁺¹⁾ ⊙ ∇_s⁽ᵗ⁺¹⁾ + q⁽ᵗ⁾ ⊙ (1 − tanh²(s⁽ᵗ⁾)) ⊙ ∇_h⁽ᵗ⁾ (+ peepholes),
    ∇_h⁽ᵗ⁾ = ∂L/∂h⁽ᵗ⁾ + Σ_gates Wᵀ ∇_a⁽ᵗ⁺¹⁾ (Section 10.10.1 through 10.2.2).

    Parameters
    ----------
    p, x, activation : as given to `lstm_forward`. run : what it returned.
    grad_h : (tau, n_h), how the loss depends on each h⁽ᵗ⁾ directly (through the output of that step).

    Returns
    -------
    LSTMNodes
    """
    p, x = _checked(p, x, activation)
    f, g, q, z, s, _ = run
    grad_h = array("grad_h", grad_h, z.shape)
    af, ag, aq, az = np.zeros((4, *z.shape))
    ds, dh = np.zeros((2, *s.shape))
    for t in reversed(range(1, len(x) + 1)):
        i = t - 1  # row of step t in everything but s and h
        y = np.tanh(s[t])
        dh[t] += grad_h[i]
        aq[i] = dh[t] * y * sigmoid_prime(q[i])
        ds[t] += dh[t] * q[i] * tanh_prime(y) + p.q.look_back(aq[i])
        af[i] = ds[t] * s[t - 1] * sigmoid_prime(f[i])
        ag[i] = ds[t] * z[i] * sigmoid_prime(g[i])
        az[i] = ds[t] * g[i] * squash_prime(activation, z[i])
        ds[t - 1] = ds[t] * f[i] + p.f.look_back(af[i]) + p.g.look_back(ag[i])
        dh[t - 1] = p.f.W.T @ af[i] + p.g.W.T @ ag[i] + p.q.W.T @ aq[i] + p.z.W.T @ az[i]
    return LSTMNodes(af, ag, aq, az, ds, dh)


def lstm_bptt(
    p: LSTM,
    x: np.ndarray,
    grad_h: np.ndarray,
    h0: np.ndarray | None = None,
    s0: np.ndarray | None = None,
    activation: str = "tanh",
) -> LSTM:
    """Gradient of a loss with respect to every parameter of an LSTM (back-propagation through time).

    ∇_W = Σ_t ∇_a⁽ᵗ⁾ h⁽ᵗ⁻¹⁾ᵀ, ∇_U = Σ_t ∇_a⁽ᵗ⁾ x⁽ᵗ⁾ᵀ, ∇_b = Σ_t ∇_a⁽ᵗ⁾, for each gate (Section 10.10.1).

    Parameters
    ----------
    p, x, h0, s0, activation : as in `lstm_forward`.
    grad_h : (tau, n_h), how the loss depends on each h⁽ᵗ⁾ directly (through the output of that step).

    Returns
    -------
    LSTM
        The gradient, in the type of the parameters.
    """
    run = lstm_forward(p, x, h0, s0, activation)
    a = lstm_bptt_nodes(p, x, run, grad_h, activation)
    x, h, s = np.asarray(x, dtype=np.float64), run.h[:-1], run.s
    return LSTM(
        p.f.gradient(a.f, x, h, s[:-1]),
        p.g.gradient(a.g, x, h, s[:-1]),
        p.q.gradient(a.q, x, h, s[1:]),
        p.z.gradient(a.z, x, h, s[:-1]),
    )
