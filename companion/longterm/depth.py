"""Section 10.7: many maps in a row. Different random factors against a shared one, and repeated tanh maps."""

import numpy as np

from companion.core import checks as check
from companion.longterm.powers import _square

__all__ = ["cross_section", "factor_products", "factor_variance"]


def factor_variance(target: float, depth: int) -> float:
    """The variance of each of n independent factors whose product shall have variance v*: v = (v*)^{1/n}.

    For independent zero-mean factors Var(w⁽¹⁾ … w⁽ⁿ⁾) = vⁿ (Section 10.7).

    Parameters
    ----------
    target : v*, ≥ 0.
    depth : n, ≥ 1.
    """
    return check.number("target", target, 0) ** (1 / check.integer("depth", depth, 1))


def factor_products(
    width: int, depth: int, variance: float, count: int, rng: np.random.Generator, shared: bool = False
) -> np.ndarray:
    """Squared lengths ‖W⁽ⁿ⁾ … W⁽¹⁾ u‖² of a unit vector pushed through random layers (Section 10.7).

    Entries are drawn from N(0, variance / width), so that a layer multiplies the expected squared length by
    `variance`: E‖·‖² = varianceⁿ for independent layers. Width 1 is the chapter's scalar product.

    Parameters
    ----------
    width : units a layer, ≥ 1.
    depth : layers n, ≥ 0.
    variance : v, ≥ 0.
    count : independent repetitions, ≥ 1.
    rng : the source of randomness.
    shared : use the first layer's matrix in every layer, as a recurrent net does.

    Returns
    -------
    Squared lengths, shape (count, depth + 1), the first of them 1.
    """
    width, depth, count = (
        check.integer(name, value, least)
        for name, value, least in (("width", width, 1), ("depth", depth, 0), ("count", count, 1))
    )
    scale, rng = np.sqrt(check.number("variance", variance, 0) / width), check.generator("rng", rng)
    u, out = np.zeros((count, width)), np.ones((count, depth + 1))
    u[:, 0] = 1.0
    for layer in range(1, depth + 1):
        if layer == 1 or not shared:
            W = scale * rng.standard_normal((count, width, width))
        u = np.einsum("cij,cj->ci", W, u)
        out[:, layer] = (u**2).sum(axis=1)
    return out


def cross_section(
    W: np.ndarray, direction: np.ndarray, readout: np.ndarray, coordinates: np.ndarray, steps: int
) -> np.ndarray:
    """Cut through repeated tanh maps: a line of initial states goes in, one number of each state comes out.

    h⁽⁰⁾ = z d for each coordinate z; h⁽ᵗ⁾ = tanh(W h⁽ᵗ⁻¹⁾); shown is rᵀ h⁽ᵗ⁾ (Section 10.7).

    Parameters
    ----------
    W : (n_h, n_h).
    direction : d, (n_h,).
    readout : r, (n_h,).
    coordinates : z, (n,), the places along d.
    steps : ≥ 0.

    Returns
    -------
    rᵀ h⁽ᵗ⁾, shape (steps + 1, n).
    """
    W = _square("W", W)
    d, r = (check.array(n, v, (len(W),)) for n, v in (("direction", direction), ("readout", readout)))
    z, steps = check.array("coordinates", coordinates, ("n",)), check.integer("steps", steps, 0)
    h = d[:, None] * z  # (n_h, n)
    out = np.empty((steps + 1, len(z)))
    out[0] = r @ h
    for t in range(1, steps + 1):
        h = np.tanh(W @ h)
        out[t] = r @ h
    return out
