"""Section 10.9.2: leaky units, their time constants, and learning these from a signal."""

from typing import NamedTuple

import numpy as np

from companion.cells.leaky import keeps
from companion.core import checks as check
from companion.core.functions import sigmoid

__all__ = ["Leaks", "fit_leaks", "impulse_response", "leak_of", "leaky_average", "mixture", "time_constant"]


class Leaks(NamedTuple):
    """A mixture of leaky averages."""

    alpha: np.ndarray  # (n,) what each unit keeps a step, ascending after a fit
    w: np.ndarray  # (n,) its weight in the mixture


def time_constant(alpha: float) -> float:
    """The steps after which a leaky unit keeps the share 1/e of an old value: τ = −1 / ln α (Section 10.9.2).

    Parameters
    ----------
    alpha : what the unit keeps a step, in [0, 1].

    Returns
    -------
    τ in steps; 0 for α = 0 and infinity for α = 1.

    References
    ----------
    mozer1992
    """
    alpha = check.probability("alpha", alpha)
    return {0.0: 0.0, 1.0: np.inf}[alpha] if alpha in (0.0, 1.0) else float(-1 / np.log(alpha))


def leak_of(tau: float) -> float:
    """The α of a unit with a given time constant: α = exp(−1/τ) (Section 10.9.2).

    Parameters
    ----------
    tau : time constant in steps, ≥ 0.

    Returns
    -------
    α in [0, 1).
    """
    tau = check.number("tau", tau, 0)
    return float(np.exp(-1 / tau)) if tau > 0 else 0.0


def leaky_average(alpha: float | np.ndarray, v: np.ndarray, mu0: np.ndarray | None = None) -> np.ndarray:
    """Running averages: μ⁽ᵗ⁾ = α μ⁽ᵗ⁻¹⁾ + (1 − α) v⁽ᵗ⁾ (Section 10.9.2).

    Parameters
    ----------
    alpha : in [0, 1], one number or a vector (n,).
    v : values, shape (tau, n).
    mu0 : where the averages start, shape (n,); zeros if None.

    Returns
    -------
    μ, shape (tau + 1, n); row 0 is the start.

    References
    ----------
    mozer1992
    """
    v = check.sequence("v", v)
    alpha = keeps("alpha", alpha, v.shape[1])
    mu = np.zeros((len(v) + 1, v.shape[1]))
    if mu0 is not None:
        mu[0] = check.array("mu0", mu0, (v.shape[1],))
    for t in range(1, len(v) + 1):
        mu[t] = alpha * mu[t - 1] + (1 - alpha) * v[t - 1]
    return mu


def impulse_response(alpha: float, steps: int) -> np.ndarray:
    """What is left, k steps later, of a single 1 in the input: (1 − α) αᵏ (Section 10.9.2).

    Parameters
    ----------
    alpha : in [0, 1].
    steps : how many steps, ≥ 1.

    Returns
    -------
    Shape (steps,), k = 0 … steps − 1.
    """
    alpha, steps = check.probability("alpha", alpha), check.integer("steps", steps, 1)
    return (1 - alpha) * alpha ** np.arange(steps)


def mixture(p: Leaks, v: np.ndarray) -> np.ndarray:
    """A signal that mixes leaky averages of one input: y⁽ᵗ⁾ = Σᵢ wᵢ μᵢ⁽ᵗ⁾ (Section 10.9.2).

    Parameters
    ----------
    p : Leaks(alpha, w), both of shape (n,).
    v : the input, shape (tau,).

    Returns
    -------
    y, shape (tau,).
    """
    if not isinstance(p, Leaks):
        raise ValueError(f"p: want Leaks(alpha, w), got {type(p).__name__}")
    w = check.array("p.w", p.w, ("n",))
    v = check.array("v", v, ("tau",))
    return leaky_average(keeps("p.alpha", p.alpha, len(w)), np.tile(v[:, None], len(w)))[1:] @ w


def slopes(alpha: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The averages μ and their slopes ∂μ⁽ᵗ⁾/∂α = μ⁽ᵗ⁻¹⁾ − v⁽ᵗ⁾ + α ∂μ⁽ᵗ⁻¹⁾/∂α, both of shape (tau, n)."""
    mu = leaky_average(alpha, np.tile(v[:, None], len(alpha)))
    d = np.zeros_like(mu)
    for t in range(1, len(mu)):
        d[t] = mu[t - 1] - v[t - 1] + alpha * d[t - 1]
    return mu[1:], d[1:]


def fit_leaks(v: np.ndarray, y: np.ndarray, alpha: np.ndarray, updates: int = 40) -> Leaks:
    """Learn α = σ(s) and w from an input and the mixed signal, by damped Gauss–Newton steps (Section 10.9.2).

    Minimises Σₜ (y⁽ᵗ⁾ − Σᵢ wᵢ μᵢ⁽ᵗ⁾)², starting from the best w for the given α. The sigmoid keeps α inside
    (0, 1): ∂α/∂s = α (1 − α).

    Parameters
    ----------
    v, y : input and signal, both of shape (tau,).
    alpha : where to begin, shape (n,), strictly between 0 and 1.
    updates : steps, ≥ 0.

    Returns
    -------
    Leaks, in ascending order of α.
    """
    v, alpha = check.array("v", v, ("tau",)), check.array("alpha", alpha, ("n",))
    y, updates = check.array("y", y, (len(v),)), check.integer("updates", updates, 0)
    if (alpha <= 0).any() or (alpha >= 1).any():
        raise ValueError(f"alpha: want numbers strictly between 0 and 1, got {alpha}")
    n, damping = len(alpha), 1e-2
    w = np.linalg.lstsq(slopes(alpha, v)[0], y, rcond=None)[0]
    z = np.concatenate([np.log(alpha / (1 - alpha)), w])  # (s, w)
    for _ in range(updates):
        alpha, w = sigmoid(z[:n]), z[n:]
        mu, d = slopes(alpha, v)
        error, J = mu @ w - y, np.hstack([d * alpha * (1 - alpha) * w, mu])  # (tau, 2n)
        H = J.T @ J
        step = np.linalg.solve(H + damping * np.diag(np.diag(H) + 1e-12), J.T @ error)
        tried = z - np.concatenate([np.clip(step[:n], -1, 1), step[n:]])
        new = mixture(Leaks(sigmoid(tried[:n]), tried[n:]), v) - y
        better = new @ new < error @ error
        z, damping = (tried, damping / 3) if better else (z, min(damping * 4, 1e12))
    order = np.argsort(z[:n])
    return Leaks(sigmoid(z[:n])[order], z[n:][order])
