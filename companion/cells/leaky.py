"""The recurrent cell with leaky units and connections that skip steps, forward and backward (Section 10.9)."""

from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.rnn import Inputs, RNNRun, State, Targets, rnn_init
from companion.core.checks import Count, array, checked, integer
from companion.core.functions import nll_grad, softmax
from companion.core.scan import reverse_scan, scan

__all__ = ["LeakyNodes", "LeakyRNN", "leaky_bptt", "leaky_forward", "leaky_init"]


def delayed(name: str, delays: Sequence[int], count: int | None = None) -> tuple[int, ...]:
    """The delays as different integers ≥ 1, as many as wanted."""
    if isinstance(delays, str) or not np.iterable(delays):
        raise ValueError(f"{name}: want integers, got {delays!r}")
    delays = tuple(integer(name, d, 1) for d in delays)
    if not delays or len(set(delays)) < len(delays):
        raise ValueError(f"{name}: want one or more different integers, got {delays}")
    if count is not None and len(delays) != count:
        raise ValueError(f"{name}: want {count}, one for each matrix, got {len(delays)}")
    return delays


class LeakyNodes(NamedTuple):
    """What one step computes (or gradients on it): pre-activation a, state h, and the past that the next step sees."""

    a: np.ndarray | None = None
    h: np.ndarray | None = None
    past: np.ndarray | None = None  # (longest delay, n_h), newest last: for step t, past[−d] is h⁽ᵗ⁻ᵈ⁾


class LeakyRNN(NamedTuple):
    """Parameters of a net with leaky units and one recurrent matrix a delay (or gradients of the same shapes)."""

    U: Annotated[np.ndarray, "n_h", "n_x"]  # input → hidden
    W: Annotated[np.ndarray, "delays", "n_h", "n_h"]  # hidden → hidden: W[i] reaches back delays[i] steps
    V: Annotated[np.ndarray, "n_o", "n_h"]  # hidden → output
    b: Annotated[np.ndarray, "n_h"]
    c: Annotated[np.ndarray, "n_o"]
    alpha: Annotated[np.ndarray, "n_h", (0, 1)]  # what each unit keeps a step
    delays: tuple[int, ...] = (1,)

    state = ("past",)

    def skips(self) -> Iterator[tuple[np.ndarray, int]]:
        """Each recurrent matrix W_d with its delay d."""
        return zip(self.W, self.delays, strict=True)

    def step(self, x: np.ndarray, past: np.ndarray) -> LeakyNodes:
        """One step (Section 10.9.2); past[−d] is h⁽ᵗ⁻ᵈ⁾."""
        # a⁽ᵗ⁾ = b + Σ_d W_d h⁽ᵗ⁻ᵈ⁾ + U x⁽ᵗ⁾
        a = self.b + sum(W_d @ past[-d] for W_d, d in self.skips()) + self.U @ x
        # h⁽ᵗ⁾ = α ⊙ h⁽ᵗ⁻¹⁾ + (1 − α) ⊙ tanh(a⁽ᵗ⁾)
        h = self.alpha * past[-1] + (1.0 - self.alpha) * np.tanh(a)
        # the oldest state leaves, the newest joins
        past = np.array([*past[1:], h])
        return LeakyNodes(a, h, past)

    def back(self, now: LeakyNodes, _: LeakyNodes, g: LeakyNodes) -> tuple[LeakyNodes, LeakyNodes]:
        """The same step backward; g.past[−d] is ∇_{h⁽ᵗ⁺¹⁻ᵈ⁾}L, as far as it is known (Section 10.9.2)."""
        # ∇_{h⁽ᵗ⁾}L, from the output of this step and from all later steps
        h = g.past[-1]
        # ∇_{a⁽ᵗ⁾}L = (1 − α) ⊙ (1 − tanh²(a⁽ᵗ⁾)) ⊙ ∇_{h⁽ᵗ⁾}L
        a = (1.0 - self.alpha) * (1.0 - np.tanh(now.a) ** 2) * h
        # the past of the step before begins one state earlier
        past = np.array([np.zeros_like(h), *g.past[:-1]])
        # to h⁽ᵗ⁻¹⁾: α ⊙ ∇_{h⁽ᵗ⁾}L
        past[-1] += self.alpha * h
        # to each h⁽ᵗ⁻ᵈ⁾: W_dᵀ ∇_{a⁽ᵗ⁾}L
        for W_d, d in self.skips():
            past[-d] += W_d.T @ a
        return LeakyNodes(a, h, g.past), LeakyNodes(past=past)


def _one_a_delay(name: str, p: LeakyRNN) -> LeakyRNN:
    return p._replace(delays=delayed(f"{name}.delays", p.delays, len(p.W)))


Cell = Annotated[LeakyRNN, _one_a_delay]


def keeps(name: str, alpha: float | np.ndarray, n: int) -> np.ndarray:
    """α as a float64 vector of length n whose entries lie in [0, 1]; a scalar stands for n equal entries."""
    alpha = array(name, alpha, ()) * np.ones(n) if np.ndim(alpha) == 0 else array(name, alpha, (n,))
    if (alpha < 0).any() or (alpha > 1).any():
        raise ValueError(f"{name}: want numbers in [0, 1], got {alpha[(alpha < 0) | (alpha > 1)][0]}")
    return alpha


@checked
def leaky_init(
    n_x: Count,
    n_h: Count,
    n_o: Count,
    delays: Annotated[Sequence[int], delayed],
    rng: np.random.Generator,
    alpha: float | np.ndarray = 0.0,
) -> LeakyRNN:
    """Draw parameters: Gaussian weights of variance 1/fan-in, one recurrent matrix a delay (Section 10.9).

    Parameters
    ----------
    delays : different integers ≥ 1, in steps. alpha : what the units keep a step, in [0, 1], one number or (n_h,).
    """
    draws = [rnn_init(n_x, n_h, n_o, rng) for _ in delays]
    U, _, V, b, c = draws[0]
    return LeakyRNN(U, np.stack([p.W for p in draws]), V, b, c, keeps("alpha", alpha, n_h), delays)


def _run(p: LeakyRNN, x: np.ndarray, h0: np.ndarray | None) -> LeakyNodes:
    """The nodes of all steps; h has tau + 1 rows. States before h⁽⁰⁾ are zero."""
    past = np.zeros((max(p.delays), len(p.b)))
    if h0 is not None:
        past[-1] = h0
    run = scan(p, (past,), x)
    return run._replace(h=run.past[:, -1])


@checked
def leaky_forward(p: Cell, x: Inputs, h0: State | None = None) -> RNNRun:
    """Run a net with leaks and delays over a sequence: `LeakyRNN.step` at every step, and outputs as `rnn_forward`.

    Section 10.9.2. States before h⁽⁰⁾ are zero.

    Reference: lin1996, jaeger2001
    """
    run = _run(p, x, h0)
    o = p.c + run.h[1:] @ p.V.T
    return RNNRun(run.a, run.h, o, softmax(o))


@checked
def leaky_bptt(p: Cell, x: Inputs, y: Targets, h0: State | None = None) -> LeakyRNN:
    """Gradient of the total loss by back-propagation through leaks and delays: `LeakyRNN.back`, last step first.

    Sums over time as in `rnn_bptt`, with ∇_{W_d} L = Σₜ ∇_{a⁽ᵗ⁾}L h⁽ᵗ⁻ᵈ⁾ᵀ and
    ∇_α L = Σₜ ∇_{h⁽ᵗ⁾}L ⊙ (h⁽ᵗ⁻¹⁾ − tanh a⁽ᵗ⁾) (Section 10.9.2).
    """
    run = _run(p, x, h0)
    g_o = nll_grad(p.c + run.h[1:] @ p.V.T, y)
    direct = np.zeros_like(run.past[1:])
    direct[:, -1] = g_o @ p.V
    a, h, _ = reverse_scan(p, run._replace(h=None), past=direct)
    return LeakyRNN(
        U=a.T @ x,
        W=np.stack([a.T @ run.past[:-1, -d] for d in p.delays]),
        V=g_o.T @ run.h[1:],
        b=a.sum(axis=0),
        c=g_o.sum(axis=0),
        alpha=(h * (run.h[:-1] - np.tanh(run.a))).sum(axis=0),
        delays=p.delays,
    )
