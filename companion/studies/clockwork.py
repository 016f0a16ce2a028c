"""Train the nets of Section 10.12 on waveforms, twenty seeds at once, and store them with a record.

    python -m companion.studies.clockwork

Each seed draws one waveform of 128 steps and one net of each kind; the net gets no input and has to produce the
waveform from its biases alone. The nets of a kind are trained side by side (their gradients do not mix). Every
kind is given the same steps and the same two learning rates; the one with the lower median error is kept. The
weights of the first five seeds are stored. About one and a half minutes on one core.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from companion.cells.clockwork import make_clock, mask, schedule
from companion.core.checks import choice, integer
from companion.data.store import STORED, write_record
from companion.training import torch_seed, train

__all__ = ["CLOCK", "DATA", "KEPT", "KINDS", "SEEDS", "TAU", "Nets", "main", "parameters", "waveform"]

DATA = STORED
COMMAND = "python -m companion.studies.clockwork"
SEEDS, TAU, STEPS, RATES = tuple(range(20)), 128, 600, (0.003, 0.01)
KEPT = 5  # seeds whose weights are stored
CLOCK = make_clock((1, 2, 4, 8, 16, 32, 64), 6)
SPREAD = np.repeat([1.0, 2, 4, 8, 16, 32, 64, 128], 4)  # steps, one a unit
LEAKS = {"leaky": SPREAD, "learned": SPREAD, "one scale": np.full(32, 4.0), "one scale, learned": np.full(32, 4.0)}
KINDS = ("clockwork", "plain", "lstm", *LEAKS)
UNITS = {"clockwork": sum(CLOCK.sizes), "plain": 32, "lstm": 16} | {kind: len(T) for kind, T in LEAKS.items()}


def waveform(seed: int) -> np.ndarray:
    """A synthetic target: five sines, periods log-uniform in 6 … 128 steps, random phases, largest value 1.

    Returns
    -------
    Shape (128,).
    """
    rng = np.random.default_rng(integer("seed", seed, 0))
    period, phase = np.exp(rng.uniform(np.log(6), np.log(128), 5)), rng.uniform(0, 2 * np.pi, 5)
    y = np.sin(2 * np.pi * np.arange(1, TAU + 1)[:, None] / period + phase).sum(axis=1)
    return y / np.abs(y).max()


def parameters(kind: str) -> int:
    """Numbers that are learned in one net of a kind."""
    n = UNITS[choice("kind", kind, KINDS)]
    square = {"clockwork": int(mask(CLOCK).sum()), "lstm": 4 * n * n}.get(kind, n * n)
    return square + {"lstm": 4 * n}.get(kind, n) + n * kind.endswith("learned") + n + 1


class Nets(nn.Module):
    """Nets of one kind, one a seed, stacked; forward gives the outputs (seeds, 128)."""

    def __init__(self, kind: str, s: int = len(SEEDS)) -> None:
        super().__init__()
        self.kind = choice("kind", kind, KINDS)
        n, gates = UNITS[kind], 4 if kind == "lstm" else 1
        self.W = nn.Parameter(torch.randn(s, n, gates * n) / n**0.5)
        self.b = nn.Parameter(torch.randn(s, 1, gates * n) * 0.1)
        self.V = nn.Parameter(torch.randn(s, n, 1) / n**0.5)
        self.c = nn.Parameter(torch.zeros(s, 1, 1))
        if kind in LEAKS:
            leak = torch.logit(torch.tensor(1 / LEAKS[kind], dtype=torch.float32), 1e-3).expand(s, 1, n).clone()
            self.leak = nn.Parameter(leak, requires_grad=kind.endswith("learned"))
        self.register_buffer("mask", torch.tensor(mask(CLOCK).T, dtype=torch.float32), persistent=False)
        self.register_buffer("on", torch.tensor(schedule(CLOCK, TAU)), persistent=False)

    def forward(self) -> Tensor:
        """Outputs of all nets over all steps, from a zero state and without input."""
        h = cell = torch.zeros(len(self.b), 1, UNITS[self.kind])
        W = self.W * self.mask if self.kind == "clockwork" else self.W
        rate = torch.sigmoid(self.leak) if self.kind in LEAKS else None
        states = []
        for t in range(TAU):
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


def _errors(nets: Nets, y: Tensor) -> np.ndarray:
    with torch.no_grad():
        return (((nets() - y) ** 2).mean(1) / y.var(1, unbiased=False)).numpy().astype(float)


def main(argv: list[str] | None = None) -> None:
    """Train all kinds and write `clockwork.npz` and `clockwork.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DATA)
    parser.add_argument("--steps", type=int, default=STEPS)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    began, kept, rows = time.process_time(), {}, []
    y = torch.tensor(np.array([waveform(s) for s in SEEDS]), dtype=torch.float32)
    for kind in KINDS:
        tried = []
        for rate in RATES:
            torch_seed(2014)
            nets = Nets(kind)
            train(
                nets,
                lambda step: (y, y),
                lambda m, x, y: ((m() - y) ** 2).mean(1).sum(),
                steps=args.steps,
                lr=rate,
                clip=None,
                every=args.steps,
                desc=f"{kind}, {rate}",
            )
            tried.append((_errors(nets, y).round(5), rate, nets))
        errors, rate, nets = min(tried, key=lambda item: float(np.median(item[0])))
        row = {"kind": kind, "units": UNITS[kind], "parameters": parameters(kind), "rate": rate}
        rows.append(row | {"errors": errors.tolist(), "by_rate": {str(r): e.tolist() for e, r, _ in tried}})
        print(kind, {r: np.quantile(e, [0, 0.5, 1]).round(4) for e, r, _ in tried}, flush=True)
        with torch.no_grad():
            values = dict(nets.named_parameters()) | {"output": nets()}
        kept |= {f"{kind}_{k}": v[:KEPT].detach().numpy().astype(np.float32) for k, v in values.items()}
    args.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out / "clockwork.npz", **kept)
    write_record(
        args.out / "clockwork.json",
        command=COMMAND,
        seed=2014,
        seconds=time.process_time() - began,
        metrics={"nets": rows},
        seeds=SEEDS,
        steps=args.steps,
        rates=RATES,
    )


if __name__ == "__main__":
    main()
