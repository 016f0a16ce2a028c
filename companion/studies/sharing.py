"""What few sums teach a net that adds with one set of weights, and one with a set for each column, over seeds."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from companion.data.tasks import addition
from companion.training import each_by_norm, train

SECTION = "10"
SHOWS = "How many sums a net with shared weights needs to learn to add eight columns, and one without them."
MINUTES = 1


class Settings(NamedTuple):
    """All constants of the study."""

    sums: tuple[int, ...] = (8, 16, 64)  # to learn from, always the same ones
    rates: tuple[float, ...] = (0.01, 0.03)
    seeds: tuple[int, ...] = tuple(range(10))  # trained side by side
    units: int = 4
    bits: int = 8
    passing: float = 0.75  # of the columns pass a carry on
    steps: int = 800
    tested: int = 500  # fresh sums


SETTINGS, UNSEEN = Settings(), ("sums", "rates")
QUICK = Settings(sums=(2,), rates=(0.03,), seeds=(0, 1), steps=2, tested=5)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """A row for each number of sums, kind of net and rate; all seeds are in it."""
    return [
        {"sums": n, "net": net, "rate": rate}
        for n in settings.sums
        for net in ("shared", "untied")
        for rate in settings.rates
    ]


class Columns(nn.Module):
    """A stack of nets, one a seed: with the same weights in every column, or with a set of its own for each.

    Both start alike: the shared set is drawn as the untied net's first column is.
    """

    def __init__(self, seeds: tuple[int, ...], sets: int, units: int) -> None:
        super().__init__()
        shapes = {"U": (units, 2), "W": (units, units), "V": (2, units), "b": (units,), "c": (2,)}
        draws = [np.random.default_rng([seed, t]) for seed in seeds for t in range(sets)]
        for letter, shape in shapes.items():
            start = np.array([rng.uniform(-1, 1, shape) for rng in draws]) / np.sqrt(units)
            start = torch.tensor(start, dtype=torch.float32).reshape(len(seeds), sets, *shape)
            setattr(self, letter, nn.Parameter(start))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (nets, n, tau, 2) for columns x (nets, n, tau, 2)."""
        sets, h, out = self.U.shape[1], x.new_zeros(*x.shape[:2], self.U.shape[2]), []
        for t in range(x.shape[2]):
            U, W, V, b, c = (w[:, t % sets] for w in (self.U, self.W, self.V, self.b, self.c))
            h = torch.tanh(b[:, None] + h @ W.mT + x[:, :, t] @ U.mT)
            out.append(c[:, None] + h @ V.mT)
        return torch.stack(out, dim=2)


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train a stack of nets, each on its own few sums over and over.

    Returns
    -------
    shares of wrong bits, one a seed: in the sums to learn from, in others to choose the rate by, and in the tests.
    """

    def draw(n: int, part: int) -> tuple[Tensor, Tensor]:
        rngs = (np.random.default_rng([seed, n, part]) for seed in settings.seeds)
        x, y = map(np.stack, zip(*(addition(settings.bits, n, rng, settings.passing) for rng in rngs), strict=True))
        return torch.tensor(x, dtype=torch.float32, device=device), torch.tensor(y, device=device)

    def loss(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:  # the sum of the nets' means
        return len(settings.seeds) * nn.functional.cross_entropy(net(x).flatten(0, 2), y.flatten())

    net = Columns(settings.seeds, 1 if key["net"] == "shared" else settings.bits, settings.units).to(device)
    sums = draw(key["sums"], 0)
    train(net, lambda step: sums, loss, steps=settings.steps, lr=key["rate"], rule=each_by_norm(1.0))
    parts = {"fit": sums, "valid": draw(settings.tested, 1), "wrong": draw(settings.tested, 2)}
    with torch.no_grad():
        shares = {name: (net(x).argmax(-1) != y).float().mean((1, 2)).tolist() for name, (x, y) in parts.items()}
    return {name: [round(share, 4) for share in of] for name, of in shares.items()}


def judge(settings: Settings, rows: list[dict]) -> dict[str, float]:
    """The median share of wrong bits in new sums; the rate is the one with fewer in other sums."""
    metrics = {}
    for n in settings.sums:
        for net in ("shared", "untied"):
            tried = [row for row in rows if row["sums"] == n and row["net"] == net]
            if tried:
                best = min(tried, key=lambda row: sum(row["valid"]))
                metrics[f"{net}, {n} sums"] = round(float(np.median(best["wrong"])), 4)
    return metrics
