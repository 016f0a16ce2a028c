"""Section 10.7: many maps in a row. Different random factors against a shared one, and repeated tanh maps."""

from typing import Annotated

import numpy as np

from companion.core.checks import Count, checked
from companion.longterm.powers import Square, State, Steps

__all__ = ["cross_section", "factor_products", "factor_variance"]

Variance = Annotated[float, (0, None)]


@checked
def factor_variance(target: Variance, depth: Count) -> float:
    """The variance of each of n independent factors whose product shall have variance v*: v = (v*)^{1/n}.

    For independent zero-mean factors Var(w⁽¹⁾ … w⁽ⁿ⁾) = vⁿ (Section 10.7).
    """
    return target ** (1 / depth)


@checked
def factor_products(
    width: Count, depth: Steps, variance: Variance, count: Count, rng: np.random.Generator, shared: bool = False
) -> np.ndarray:
    """Squared lengths ‖W⁽ⁿ⁾ … W⁽¹⁾ u‖² of a unit vector pushed through random layers (Section 10.7).

    Entries are drawn from N(0, variance / width), so that a layer multiplies the expected squared length by
    `variance`: E‖·‖² = varianceⁿ for independent layers. Width 1 is the chapter's scalar product.

    Parameters
    ----------
    width : units a layer. depth : layers n. count : independent repetitions.
    shared : use the first layer's matrix in every layer, as a recurrent net does.

    Returns
    -------
    Squared lengths, shape (count, depth + 1), the first of them 1.
    """
    scale, u, out = np.sqrt(variance / width), np.zeros((count, width)), np.ones((count, depth + 1))
    u[:, 0] = 1.0
    for layer in range(1, depth + 1):
        if layer == 1 or not shared:
            W = scale * rng.standard_normal((count, width, width))
        u = np.einsum("cij,cj->ci", W, u)
        out[:, layer] = (u**2).sum(axis=1)
    return out


@checked
def cross_section(
    W: Square, direction: State, readout: State, coordinates: Annotated[np.ndarray, "n"], steps: Steps
) -> np.ndarray:
    """Cut through repeated tanh maps: a line of initial states goes in, one number of each state comes out.

    h⁽⁰⁾ = z d for each coordinate z along the direction d; h⁽ᵗ⁾ = tanh(W h⁽ᵗ⁻¹⁾); shown is the read-out rᵀ h⁽ᵗ⁾
    (Section 10.7).

    Returns
    -------
    rᵀ h⁽ᵗ⁾, shape (steps + 1, n).
    """
    h = direction[:, None] * coordinates  # (n_h, n)
    out = np.empty((steps + 1, len(coordinates)))
    out[0] = readout @ h
    for t in range(1, steps + 1):
        h = np.tanh(W @ h)
        out[t] = readout @ h
    return out
