"""What Section 10.10 tries gated nets on: three tasks as tensors, and nets whose gates may be fixed or tied."""

from typing import TYPE_CHECKING

import numpy as np

from companion.core.checks import choice, integer, number
from companion.data.tasks import adding, latch, since_reset

if TYPE_CHECKING:
    import torch

__all__ = ["ABLATIONS", "CELLS", "TASKS", "draw_trials", "gated_net"]

TASKS = {"adding": adding, "latch": latch, "since reset": since_reset}
CELLS = ("RNN", "LSTM", "GRU")
ABLATIONS = ("full", "no forget gate", "no input gate", "no output gate", "coupled")


def draw_trials(task: str, length: int, n: int, rng: np.random.Generator) -> "tuple[torch.Tensor, torch.Tensor]":
    """Draw n sequences of a task as float32 tensors, targets of shape (n, 1).

    Parameters
    ----------
    task : "adding", "latch" or "since reset". length : steps. n : sequences. rng : the source of randomness.

    Returns
    -------
    tuple of two tensors
    """
    import torch

    x, y = TASKS[choice("task", task, tuple(TASKS))](length, n, rng)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y.reshape(n, 1), dtype=torch.float32)


def gated_net(cell: str, n_x: int, units: int, forget_bias: float = 1.0, ablation: str = "full") -> "torch.nn.Module":
    """A recurrent net with one output at its last step; an LSTM may have gates fixed or tied.

    Parameters
    ----------
    cell : "RNN", "LSTM" or "GRU".
    n_x, units : width of the input and of the state.
    forget_bias : first bias of an LSTM's forget gate.
    ablation : "full", "no forget gate" (f = 1), "no input gate" (g = 1), "no output gate" (q = 1) or
        "coupled" (g = 1 − f).

    Returns
    -------
    torch.nn.Module
    """
    import torch

    choice("cell", cell, CELLS)
    units, forget_bias = integer("units", units, 1), number("forget_bias", forget_bias)
    choice("ablation", ablation, ABLATIONS if cell == "LSTM" else ABLATIONS[:1])
    fixed = {"no forget gate": 1, "no input gate": 0, "no output gate": 3}.get(ablation)  # torch: i, f, g, o

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = getattr(torch.nn, cell)(n_x, units, batch_first=True)
            self.head = torch.nn.Linear(units, 1)
            if cell == "LSTM":
                with torch.no_grad():
                    self.cell.bias_ih_l0[units : 2 * units] = forget_bias
                    self.cell.bias_hh_l0.zero_()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if ablation == "full":
                return self.head(self.cell(x)[0][:, -1])
            weights = {name: tie(w) for name, w in self.cell.named_parameters()}
            return self.head(torch.func.functional_call(self.cell, weights, (x,))[0][:, -1])

    def tie(w: torch.Tensor) -> torch.Tensor:
        rows = list(w.chunk(4))
        if ablation == "coupled":
            rows[0] = -rows[1]  # σ(−a) = 1 − σ(a)
        else:
            rows[fixed] = torch.full_like(rows[fixed], 20.0 if w.ndim == 1 else 0.0)  # two biases: σ(40) = 1
        return torch.cat(rows)

    return Net()
