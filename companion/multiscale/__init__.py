"""What a clockwork network costs, and how far each of its groups carries a gradient (Section 10.12).

Imported by name: `waves`, what nets are to produce without input, and `modules`, these nets for PyTorch.
"""

from itertools import pairwise

import numpy as np

from companion.cells.clockwork import Clock, Clockwork, clockwork_forward, mask, schedule

__all__ = ["clockwork_reach", "operations"]


def operations(clock: Clock, tau: int) -> np.ndarray:
    """Multiplications by an entry of W at each of tau steps: row i of W is read only when unit i moves.

    Returns
    -------
    Integers of shape (tau,). A plain net of the same size needs n_h² at every step.
    """
    return (schedule(clock, tau) @ mask(clock).sum(axis=1)).astype(int)


def clockwork_reach(p: Clockwork, x: np.ndarray) -> np.ndarray:
    """How far back each group alone carries a gradient: spectral norms of its own block of ∂h⁽τ⁾/∂h⁽ᵗ⁾.

    Equation (Section 10.12): J⁽ᵗ⁾ = I − diag s⁽ᵗ⁾ + diag(s⁽ᵗ⁾(1 − h⁽ᵗ⁾²)) W; ∂h⁽τ⁾/∂h⁽ᵗ⁾ = J⁽τ⁾ ⋯ J⁽ᵗ⁺¹⁾.
    For distinct periods W is block triangular: a diagonal block of the product is the product of these blocks.

    Returns
    -------
    Norms of shape (tau + 1, groups): row d is d steps back from the end.
    """
    run = clockwork_forward(p, x)
    product, edges = np.eye(len(p.b)), np.cumsum([0, *p.clock.sizes])
    blocks = [slice(a, b) for a, b in pairwise(edges)]
    norms = [np.ones(len(blocks))]
    for h_t, on_t in zip(run.h[:0:-1], run.on[::-1], strict=True):
        product = product @ (np.diag(1.0 - on_t) + (on_t * (1 - h_t**2))[:, None] * p.W)
        norms.append(np.array([np.linalg.norm(product[s, s], 2) for s in blocks]))
    return np.array(norms)
