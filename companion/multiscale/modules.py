"""10.12 Nets of ten kinds for PyTorch, many side by side, to be trained by `companion.training`."""

from typing import Literal

import torch
from torch import Tensor, nn

from companion.cells.clockwork import mask, schedule
from companion.core.checks import Count, checked
from companion.multiscale.waves import LEAKS, TOLD, WAVE_CLOCK, WAVE_KINDS, WAVE_STEPS, WAVE_UNITS

__all__ = ["WaveNets"]


class WaveNets(nn.Module):
    """Nets of one kind, stacked, which share nothing; forward gives their outputs (nets, 128).

    The kinds are `companion.multiscale.waves.WAVE_KINDS`, s is how many nets. None has an input, but those that are
    told about the time.
    """

    @checked
    def __init__(self, kind: Literal[WAVE_KINDS], s: Count) -> None:
        super().__init__()
        self.kind = kind
        n, gates = WAVE_UNITS[kind], 4 if kind == "lstm" else 1
        if kind != "count alone":
            self.W = nn.Parameter(torch.randn(s, n, gates * n) / n**0.5)
        self.b = nn.Parameter(torch.randn(s, 1, gates * n) * 0.1)
        self.V = nn.Parameter(torch.randn(s, n, 1) / n**0.5)
        self.c = nn.Parameter(torch.zeros(s, 1, 1))
        if kind in TOLD:
            told = torch.tensor(TOLD[kind], dtype=torch.float32)
            self.U = nn.Parameter(torch.randn(s, told.shape[1], n) / told.shape[1] ** 0.5)
            self.register_buffer("told", told, persistent=False)
        if kind in LEAKS:
            leak = torch.logit(torch.tensor(1 / LEAKS[kind], dtype=torch.float32), 1e-3).expand(s, 1, n).clone()
            self.leak = nn.Parameter(leak, requires_grad=kind.endswith("learned"))
        self.register_buffer("mask", torch.tensor(mask(WAVE_CLOCK).T, dtype=torch.float32), persistent=False)
        self.register_buffer("on", torch.tensor(schedule(WAVE_CLOCK, WAVE_STEPS)), persistent=False)

    def forward(self) -> Tensor:
        """Outputs of all nets over all steps, from a zero state."""
        driven = self.b + self.told @ self.U if self.kind in TOLD else None  # (nets, 128, n)
        if self.kind == "count alone":
            return torch.baddbmm(self.c, torch.tanh(driven), self.V)[:, :, 0]
        h = cell = torch.zeros(len(self.b), 1, WAVE_UNITS[self.kind], device=self.b.device)
        W = self.W * self.mask if self.kind == "clockwork" else self.W
        rate = torch.sigmoid(self.leak) if self.kind in LEAKS else None
        states = []
        for t in range(WAVE_STEPS):
            a = torch.baddbmm(self.b if driven is None else driven[:, t : t + 1], h, W)
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
