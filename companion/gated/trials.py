"""What Section 10.10 tries gated nets on: three tasks as tensors, and nets whose gates may be fixed or tied."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from companion.core.checks import Count, checked, choice
from companion.data.tasks import adding, latch, since_reset

if TYPE_CHECKING:
    import torch

__all__ = ["ABLATIONS", "CELLS", "TASKS", "draw_trials", "gated_net"]

TASKS = {"adding": adding, "latch": latch, "since reset": since_reset}
CELLS = ("RNN", "LSTM", "GRU")
ABLATIONS = {
    "LSTM": ("full", "no forget gate", "no input gate", "no output gate", "coupled"),
    "GRU": ("full", "no reset gate"),
}


@checked
def draw_trials(
    task: Literal[tuple(TASKS)], length: Count, n: Count, rng: np.random.Generator
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Draw n sequences of a task ("adding", "latch", "since reset") as float32 tensors, targets of shape (n, 1)."""
    import torch

    x, y = TASKS[task](length, n, rng)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y.reshape(n, 1), dtype=torch.float32)


@checked
def gated_net(
    cell: Literal[CELLS],
    n_x: Count,
    units: Count,
    forget_bias: float | None = 1.0,
    ablation: str = "full",
) -> "torch.nn.Module":
    """A recurrent net with one output at its last step; gated cells may have gates fixed or tied.

    Parameters
    ----------
    forget_bias : first bias of the gate that keeps, an LSTM's f or a GRU's u; None leaves it as PyTorch draws it.
    ablation : "full"; of an LSTM "no forget gate" (f = 1), "no input gate" (g = 1), "no output gate" (q = 1) or
        "coupled" (g = 1 − f); of a GRU "no reset gate" (r = 1).
    """
    import torch

    choice("ablation", ablation, ABLATIONS.get(cell, ("full",)))
    rows = {"LSTM": 4, "GRU": 3}.get(cell)  # torch: i, f, g, o and r, z, n; its z is our u
    fixed = {"no forget gate": 1, "no input gate": 0, "no output gate": 3, "no reset gate": 0}.get(ablation)

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = getattr(torch.nn, cell)(n_x, units, batch_first=True)
            self.head = torch.nn.Linear(units, 1)
            if rows and forget_bias is not None:
                with torch.no_grad():
                    self.cell.bias_ih_l0[units : 2 * units] = forget_bias
                    self.cell.bias_hh_l0.zero_()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if ablation == "full":
                return self.head(self.cell(x)[0][:, -1])
            weights = {name: tie(w) for name, w in self.cell.named_parameters()}
            return self.head(torch.func.functional_call(self.cell, weights, (x,))[0][:, -1])

    def tie(w: torch.Tensor) -> torch.Tensor:
        parts = list(w.chunk(rows))
        if ablation == "coupled":
            parts[0] = -parts[1]  # σ(−a) = 1 − σ(a)
        else:
            parts[fixed] = torch.full_like(parts[fixed], 20.0 if w.ndim == 1 else 0.0)  # two biases: σ(40) = 1
        return torch.cat(parts)

    return Net()
