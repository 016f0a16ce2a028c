"""What flows back along the paths: Jacobians of (b) and (c), step by step and sorted by path length. Section 10.5."""

import numpy as np

from companion.core.checks import checked
from companion.deep.blocks import Blocks, BlocksRun, Net

__all__ = ["blocks_jacobians", "jacobian_by_length"]


def _pieces(p: Blocks, run: BlocksRun) -> tuple[np.ndarray, np.ndarray | None]:
    """For every step diag(1 − h²) W ∂z/∂h, the way through the MLP, and diag(1 − h²) S, the way past it (or None)."""
    if [v.shape[1] for v in run.z] != [len(p.b), *(len(layer.b) for layer in p.across)]:
        raise ValueError(f"run: want a run of these parameters, got one with {len(run.z) - 1} layers across")
    h = run.h[1:]
    through = np.broadcast_to(np.eye(len(p.b)), (len(h), len(p.b), len(p.b)))
    for (W, _), z in zip(p.across, run.z[1:], strict=True):
        through = (1.0 - z**2)[:, :, None] * (W @ through)
    squash = (1.0 - h**2)[:, :, None]
    return squash * (p.W @ through), None if p.S is None else squash * p.S


@checked
def blocks_jacobians(p: Net, run: BlocksRun) -> np.ndarray:
    """The Jacobian of every step, J⁽ᵗ⁾ = ∂h⁽ᵗ⁾/∂h⁽ᵗ⁻¹⁾ = diag(1 − (h⁽ᵗ⁾)²) (W ∂z⁽ᵗ⁾/∂h⁽ᵗ⁻¹⁾ + S).

    Section 10.5: without S it is a product of as many factors as the block has layers; S adds a product of one.

    Returns
    -------
    J, shape (tau, n_h, n_h): J[t − 1] belongs to step t.
    """
    through, past = _pieces(p, run)
    return through if past is None else through + past


@checked
def jacobian_by_length(p: Net, run: BlocksRun) -> dict[int, np.ndarray]:
    """The Jacobian ∂h⁽τ⁾/∂h⁽⁰⁾ sorted by the length of the paths that carry it; the parts add up to the whole.

    Section 10.5 (c): in J⁽τ⁾ … J⁽¹⁾ every factor is a sum of a way through the MLP, m layers long, and one past it, one
    layer long. The part with j ways through collects the C(τ, j) paths of τ + (m − 1) j layers.

    Returns
    -------
    dict from length in layers to an (n_h, n_h) matrix, shortest first; one entry without a skip connection.
    """
    through, past = _pieces(p, run)
    m, parts = len(p.across) + 1, {0: np.eye(len(p.b))}
    for t in range(len(through)):
        longer = {length + m: through[t] @ M for length, M in parts.items()}
        if past is not None:
            for length, M in parts.items():
                longer[length + 1] = longer.get(length + 1, 0.0) + past[t] @ M
        parts = longer
    return dict(sorted(parts.items()))
