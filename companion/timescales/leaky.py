"""Section 10.9.2: leaky units, their time constants, and learning these from a signal."""

from typing import Annotated, NamedTuple

import numpy as np

from companion.cells.leaky import keeps
from companion.core.checks import Count, Probability, checked
from companion.core.functions import sigmoid
from companion.core.scan import initial, scan

__all__ = [
    "Leaks",
    "LeakyUnits",
    "fit_leaks",
    "impulse_response",
    "leak_of",
    "leaky_average",
    "mixture",
    "time_constant",
]


Signal = Annotated[np.ndarray, "tau"]
"""One number a step."""


class Averages(NamedTuple):
    """What leaky units compute: their running averages."""

    mu: np.ndarray


class LeakyUnits(NamedTuple):
    """Linear leaky units, each with its own α: the cell behind `leaky_average`."""

    alpha: np.ndarray  # (n,) what each unit keeps a step, in [0, 1]

    state = ("mu",)

    def step(self, v: np.ndarray, mu: np.ndarray) -> Averages:
        """One step of the running averages (Section 10.9.2)."""
        # μ⁽ᵗ⁾ = α ⊙ μ⁽ᵗ⁻¹⁾ + (1 − α) ⊙ v⁽ᵗ⁾
        mu = self.alpha * mu + (1 - self.alpha) * v
        return Averages(mu)


class Leaks(NamedTuple):
    """A mixture of leaky averages."""

    alpha: Annotated[np.ndarray, "n", (0, 1)]  # what each unit keeps a step, ascending after a fit
    w: Annotated[np.ndarray, "n"]  # its weight in the mixture


@checked
def time_constant(alpha: Probability) -> float:
    """The steps after which a leaky unit keeps the share 1/e of an old value: τ = −1 / ln α (Section 10.9.2).

    It is 0 for α = 0 and infinity for α = 1.

    Reference: mozer1992
    """
    return {0.0: 0.0, 1.0: np.inf}[alpha] if alpha in (0.0, 1.0) else float(-1 / np.log(alpha))


@checked
def leak_of(tau: Annotated[float, (0, None)]) -> float:
    """The α in [0, 1) of a unit with a given time constant in steps: α = exp(−1/τ) (Section 10.9.2)."""
    return float(np.exp(-1 / tau)) if tau > 0 else 0.0


@checked
def leaky_average(
    alpha: float | np.ndarray,
    v: Annotated[np.ndarray, "tau", "n"],
    mu0: Annotated[np.ndarray, "n"] | None = None,
) -> np.ndarray:
    """Running averages: μ⁽ᵗ⁾ = α μ⁽ᵗ⁻¹⁾ + (1 − α) v⁽ᵗ⁾ (Section 10.9.2).

    Parameters
    ----------
    alpha : in [0, 1], one number or a vector (n,). mu0 : where the averages start; at zeros if None.

    Returns
    -------
    μ, shape (tau + 1, n); row 0 is the start.

    Reference: mozer1992
    """
    n = v.shape[1]
    return scan(LeakyUnits(keeps("alpha", alpha, n)), initial(n, mu0=mu0), v).mu


@checked
def impulse_response(alpha: Probability, steps: Count) -> np.ndarray:
    """What is left, k = 0 … steps − 1 steps later, of a single 1 in the input: (1 − α) αᵏ (Section 10.9.2)."""
    return (1 - alpha) * alpha ** np.arange(steps)


def scan_by_doubling(keep: np.ndarray, u: np.ndarray) -> np.ndarray:
    """μ⁽ᵗ⁾ = keep⁽ᵗ⁾ μ⁽ᵗ⁻¹⁾ + u⁽ᵗ⁾ from μ⁽⁰⁾ = 0, in log₂ τ rounds; all of shape (tau, n) (Section 10.9.2)."""
    keep, mu, back = np.array(keep), np.array(u), 1
    while back < len(mu):
        # every step at once takes over what the step `back` before it has gathered
        mu[back:] = mu[back:] + keep[back:] * mu[:-back]
        keep[back:] = keep[back:] * keep[:-back]
        back *= 2
    return mu


def averages(alpha: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The averages μ⁽¹⁾ … μ⁽τ⁾ of one signal v by units of several α, shape (tau, n)."""
    # μ⁽ᵗ⁾ = α ⊙ μ⁽ᵗ⁻¹⁾ + (1 − α) ⊙ v⁽ᵗ⁾
    return scan_by_doubling(np.tile(alpha, (len(v), 1)), (1 - alpha) * v[:, None])


@checked
def mixture(p: Leaks, v: Signal) -> np.ndarray:
    """A signal that mixes leaky averages of one input: y⁽ᵗ⁾ = Σᵢ wᵢ μᵢ⁽ᵗ⁾, shape (tau,) (Section 10.9.2)."""
    return averages(p.alpha, v) @ p.w


def slopes(alpha: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The averages μ and their slopes ∂μ⁽ᵗ⁾/∂α = μ⁽ᵗ⁻¹⁾ − v⁽ᵗ⁾ + α ∂μ⁽ᵗ⁻¹⁾/∂α, both of shape (tau, n)."""
    mu = averages(alpha, v)
    before = np.vstack([np.zeros_like(alpha), mu[:-1]])
    return mu, scan_by_doubling(np.tile(alpha, (len(v), 1)), before - v[:, None])


def gauss_newton(z: np.ndarray, v: np.ndarray, y: np.ndarray, damping: float) -> np.ndarray:
    """One damped Gauss–Newton step on z = (s, w), where α = σ(s) (Section 10.9.2).

    v and y are the input and the signal; `damping` joins the diagonal of JᵀJ, in shares of it (marquardt1963).
    """
    s, w = np.split(z, 2)
    alpha = sigmoid(s)
    mu, slope = slopes(alpha, v)
    # the error at each step, and its derivatives by s (∂α/∂s = α (1 − α)) and by w
    error, J = mu @ w - y, np.hstack([slope * alpha * (1 - alpha) * w, mu])
    # (JᵀJ + damping · diag(JᵀJ)) step = Jᵀ error
    H = J.T @ J
    step = np.linalg.solve(H + damping * np.diag(np.diag(H) + 1e-12), J.T @ error)
    # no s moves by more than 1
    return z - np.concatenate([np.clip(step[: len(s)], -1, 1), step[len(s) :]])


def _inside(name: str, alpha: np.ndarray) -> np.ndarray:
    if (alpha <= 0).any() or (alpha >= 1).any():
        raise ValueError(f"{name}: want numbers strictly between 0 and 1, got {alpha}")
    return alpha


@checked
def fit_leaks(
    v: Signal,
    y: Signal,
    alpha: Annotated[np.ndarray, "n", _inside],
    updates: Annotated[int, (0, None)] = 40,
) -> Leaks:
    """Learn α = σ(s) and w from an input and the mixed signal, by damped Gauss–Newton steps (Section 10.9.2).

    Minimises Σₜ (y⁽ᵗ⁾ − Σᵢ wᵢ μᵢ⁽ᵗ⁾)², starting from the best w for the given α. The sigmoid keeps α inside (0, 1).
    A step that does not lower the error is not taken, and the next is damped more.

    Parameters
    ----------
    v, y : input and signal. alpha : where to begin, strictly between 0 and 1. updates : steps.

    Returns
    -------
    Leaks, in ascending order of α.
    """

    def mixed(z: np.ndarray) -> Leaks:
        return Leaks(sigmoid(z[: len(alpha)]), z[len(alpha) :])

    def cost(z: np.ndarray) -> float:
        error = mixture(mixed(z), v) - y
        return error @ error

    w = np.linalg.lstsq(slopes(alpha, v)[0], y, rcond=None)[0]
    z, damping = np.concatenate([np.log(alpha / (1 - alpha)), w]), 1e-2
    for _ in range(updates):
        tried = gauss_newton(z, v, y, damping)
        z, damping = (tried, damping / 3) if cost(tried) < cost(z) else (z, min(damping * 4, 1e12))
    p, order = mixed(z), np.argsort(z[: len(alpha)])
    return Leaks(p.alpha[order], p.w[order])
