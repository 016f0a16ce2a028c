"""10.12 Nets of seven kinds for PyTorch, many side by side, to be trained by `companion.training`."""

from typing import Literal

import torch
from torch import Tensor, nn

from companion.cells.clockwork import mask, schedule
from companion.core.checks import Count, checked
from companion.multiscale.waves import LEAKS, WAVE_CLOCK, WAVE_KINDS, WAVE_STEPS, WAVE_UNITS

__all__ = ["WaveNets"]


class WaveNets(nn.Module):
    """Nets of one kind without input, stacked, which share nothing; forward gives their outputs (nets, 128).

    The kinds are `companion.multiscale.waves.WAVE_KINDS`, s is how many nets.
    """

    @checked
    def __init__(self, kind: Literal[WAVE_KINDS], s: Count) -> None:
        super().__init__()
        self.kind = kind
        n, gates = WAVE_UNITS[kind], 4 if kind == "lstm" else 1
        self.W = nn.Parameter(torch.randn(s, n, gates * n) / n**0.5)
        self.b = nn.Parameter(torch.randn(s, 1, gates * n) * 0.1)
        self.V = nn.Parameter(torch.randn(s, n, 1) / n**0.5)
        self.c = nn.Parameter(torch.zeros(s, 1, 1))
        if kind in LEAKS:
            leak = torch.logit(torch.tensor(1 / LEAKS[kind], dtype=torch.float32), 1e-3).expand(s, 1, n).clone()
            self.leak = nn.Parameter(leak, requires_grad=kind.endswith("learned"))
        self.register_buffer("mask", torch.tensor(mask(WAVE_CLOCK).T, dtype=torch.float32), persistent=False)
        self.register_buffer("on", torch.tensor(schedule(WAVE_CLOCK, WAVE_STEPS)), persistent=False)

    def forward(self) -> Tensor:
        """Outputs of all nets over all steps, from a zero state and without input."""
        h = cell = torch.zeros(len(self.b), 1, WAVE_UNITS[self.kind], device=self.b.device)
        W = self.W * self.mask if self.kind == "clockwork" else self.W
        rate = torch.sigmoid(self.leak) if self.kind in LEAKS else None
        states = []
        for t in range(WAVE_STEPS):
            a = torch.baddbmm(self.b, h, W)
            if self.kind == "lstm":
                i, f, g, o = a.chunk(4, dim=2)
                cell = torch.sigmoid(f + 1) * cell + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(cell)
            elif self.kind == "clockwork":
                h = torch.where(self.on[t], torch.tanh(a), h)
            else:
                h = torch.tanh(a) if rate is None else h + rate * (torch.tanh(a) - h)
            states.append(h)
        return (torch.baddbmm(self.c, torch.cat(states, dim=1), self.V))[:, :, 0]
