"""10.8 Nets of PyTorch that may start as a reservoir, to be trained by `companion.training`."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from companion.cells.echo import Reservoir, esn_states
from companion.core.checks import checked
from companion.reservoir.drawing import esn_init
from companion.reservoir.readout import Readout, ridge_fit
from companion.reservoir.trials import ADDING_STARTS, LEARNED, NARMA_STARTS, WASHOUT, NarmaSeries
from companion.training import torch_seed

__all__ = ["TrainedReservoir", "adding_start", "narma_start"]


class TrainedReservoir(nn.Module):
    """A plain tanh net with a linear read-out; forward gives outputs (batch, tau, 1).

    Parameters
    ----------
    n_x, units : width of the input and of the state.
    """

    def __init__(self, n_x: int, units: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(n_x, units, batch_first=True)
        self.out = nn.Linear(units, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs for inputs of shape (batch, tau, n_x)."""
        return self.out(self.rnn(x)[0])

    def reservoir(self) -> tuple[Reservoir, Readout]:
        """Its weights in our letters, as float64."""
        U, W, b, e = (v.detach().cpu().double().numpy() for v in self.rnn.parameters())
        return Reservoir(U, W, b + e, 0.0), Readout(*(v.detach().cpu().double().numpy() for v in self.out.parameters()))

    @torch.no_grad()
    def take(self, p: Reservoir | None = None, r: Readout | None = None) -> None:
        """Replace the recurrent part, the read-out, or both."""
        if p is not None:
            self.rnn.weight_ih_l0.copy_(torch.from_numpy(p.U))
            self.rnn.weight_hh_l0.copy_(torch.from_numpy(p.W))
            self.rnn.bias_ih_l0.copy_(torch.from_numpy(p.b))
            self.rnn.bias_hh_l0.zero_()
        if r is not None:
            self.out.weight.copy_(torch.from_numpy(r.V))
            self.out.bias.copy_(torch.from_numpy(r.c))


@checked
def narma_start(kind: Literal[*NARMA_STARTS], seed: int, data: NarmaSeries, units: int = 50) -> TrainedReservoir:
    """A net before it is trained on NARMA-10; a read-out is solved on `data`."""
    torch_seed(seed)
    net = TrainedReservoir(1, units)
    if kind != "plain":
        net.take(p=esn_init(1, units, np.random.default_rng([8, seed]), 0.95, scale=0.1, bias=0.2))
    if NARMA_STARTS[kind] is not None:
        h, learn = esn_states(net.reservoir()[0], data.x)[1:], slice(WASHOUT, WASHOUT + LEARNED)
        net.take(r=ridge_fit(h[learn], data.y[learn], NARMA_STARTS[kind]))
    return net


@checked
def adding_start(kind: Literal[*ADDING_STARTS], seed: int, units: int = 50) -> TrainedReservoir:
    """A net before it is trained on the adding problem."""
    torch_seed(seed)
    radius = ADDING_STARTS[kind]
    net = TrainedReservoir(2, units)
    if radius is not None:
        net.take(p=esn_init(2, units, np.random.default_rng([8, seed]), radius, scale=0.5, density=0.3))
    elif kind == "plain, louder":  # entries of U within 0.5, as the reservoirs' are
        p = net.reservoir()[0]
        net.take(p=p._replace(U=0.5 * units**0.5 * p.U))
    return net
