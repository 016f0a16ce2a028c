"""P.2 Recurrent nets of PyTorch that read a window and say what comes next, trained by `companion.training`."""

from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor, nn

from companion.core.checks import Count, Positive, checked
from companion.forecasting.rolling import Forecaster, Series
from companion.training import torch_seed, train

__all__ = ["NextValue", "fit_net"]

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM}


class NextValue(nn.Module):
    """A recurrent net with a linear read-out: (batch, width) → forecasts after each step, (batch, width).

    Parameters
    ----------
    kind : "rnn" (tanh) or "lstm". units : width of the state.
    """

    @checked
    def __init__(self, kind: Literal["rnn", "lstm"], units: Count) -> None:
        super().__init__()
        self.cell = CELLS[kind](1, units, batch_first=True)
        self.out = nn.Linear(units, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The forecast after each step of the windows."""
        return self.out(self.cell(x[..., None])[0])[..., 0]


@checked
def fit_net(
    y: Series,
    kind: Literal["rnn", "lstm"],
    units: Count,
    seed: Annotated[int, (0, None)],
    width: Count,
    updates: Count = 400,
    lr: Positive = 0.01,
    batch: Count = 32,
) -> Forecaster:
    """Train a net on windows of y, one step ahead (Section P.2).

    The error counts at every step of the second half of a window, where the state has heard enough.

    Parameters
    ----------
    y : scaled to mean 0 and deviation 1. seed : of the first weights and the batches.
    width : of the windows. updates : steps of Adam, each on `batch` windows.
    """
    if len(y) <= width:
        raise ValueError(f"width: want less than the {len(y)} values of y, got {width}")
    generator, series = torch_seed(seed), torch.tensor(y, dtype=torch.float32)
    net, pieces = NextValue(kind, units), series.unfold(0, width + 1, 1)  # (windows, width + 1)

    def draw(_: int) -> tuple[Tensor, Tensor]:
        some = pieces[torch.randint(len(pieces), (batch,), generator=generator)]
        return some[:, :-1], some[:, 1:]

    def squares(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return ((net(x) - y)[:, width // 2 :] ** 2).mean()

    train(net, draw, squares, steps=updates, lr=lr)

    def f(seen: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return net(torch.tensor(seen[:, -width:], dtype=torch.float32))[:, -1].double().numpy()

    return f
