"""Predictors in PyTorch (Section 10.2.1): many nets side by side, and what scheduled sampling feeds them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from companion.core.checks import Count, checked, integer
from companion.forcing import Predictor
from companion.forcing.trained import one_by_one

__all__ = ["Predictors", "mixed", "several_ahead"]


class Predictors(nn.Module):
    """Independent predictors in double precision, side by side: ŷ = c + V tanh(b + W z) for each.

    Parameters
    ----------
    n_y, units : values a step, and hidden units.
    seeds : one a net.
    """

    def __init__(self, n_y: int, units: int, seeds: Sequence[int]) -> None:
        super().__init__()
        draws = [np.random.default_rng([1021, integer("seeds", s, 0)]) for s in seeds]
        if not draws:
            raise ValueError("seeds: want at least one, got none")
        shapes = {"W": (n_y, units), "V": (units, n_y), "b": (1, units), "c": (1, n_y)}  # transposed: rows are examples
        for name, shape in shapes.items():
            scale = 1 / np.sqrt(shape[0]) if name in "WV" else 0.5
            value = np.stack([scale * rng.normal(size=shape) for rng in draws])
            setattr(self, name, nn.Parameter(torch.tensor(value)))

    def forward(self, z: Tensor) -> Tensor:
        """Predict from z of shape (seeds, n, n_y); the result has the same shape."""
        return torch.tanh(z @ self.W + self.b) @ self.V + self.c

    def numpy(self) -> list[Predictor]:
        """The nets one by one, in the book's letters."""
        return one_by_one(*(v.detach().cpu().numpy() for v in (self.W, self.V, self.b, self.c)))


def mixed(model: Predictors, y: Tensor, own: Tensor) -> Tensor:
    """What scheduled sampling feeds, as constants: the net's own value where `own`, else the teacher's.

    Series y (seeds, n, tau, n_y) and booleans own (seeds, n, tau − 1) give (seeds, n, tau − 1, n_y), without gradient.
    """
    if not own.any():
        return y[:, :, :-1]  # the teacher alone: nothing to wait for
    with torch.no_grad():
        z = [y[:, :, 0]]
        for t in range(1, y.shape[2] - 1):
            z.append(torch.where(own[:, :, t, None], model(z[-1]), y[:, :, t]))
        return torch.stack(z, dim=2)


@checked
def several_ahead(model: Predictors, y: Tensor, horizon: Count) -> Tensor:
    """Predictions that hear a true value at every `horizon`-th step alone, and their own in between, with gradient.

    Series y (seeds, n, tau, n_y) give (seeds, n, tau − 1, n_y). With horizon 1 it is the teacher at every step.
    """
    said = []
    for t in range(y.shape[2] - 1):
        said.append(model(y[:, :, t] if t % horizon == 0 else said[-1]))
    return torch.stack(said, dim=2)
