"""The net of the introduction, which adds binary numbers, over seeds.

Its twin without shared weights is trained on eight columns: those beyond keep the weights that they were drawn with.
How the two compare on columns that both were trained on is the study `sharing`.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from companion.data.tasks import addition
from companion.training import torch_seed, train

SECTION = "10"
SHOWS = "Whether a net with shared weights that is trained on eight columns adds numbers of any length."
MINUTES, WEIGHTS = 5, "adder.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    units: int = 4
    bits: int = 8  # of the sums to learn from
    positions: int = 16  # that have weights of their own in the untied net
    passing: float = 0.75  # of the columns pass a carry on, so that long carries are no rarity in eight columns
    steps: int = 3000
    batch: int = 64
    rate: float = 0.03
    tested: int = 500  # fresh sums
    long: int = 500  # bits of the longest ones
    long_passing: float = 0.98


SETTINGS, UNSEEN = Settings(), ("seeds",)
QUICK = Settings(seeds=(0,), steps=2, tested=5)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """One row a seed."""
    return [{"seed": seed} for seed in settings.seeds]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train both nets and test them on sums of several lengths.

    Returns
    -------
    shares of wrong bits. weights : of both, rounded to two decimals so that they can be read; untied ones are stacked.
    """
    torch_seed(key["seed"])

    def draw(length: int, n: int, passing: float, *seeds: int) -> tuple[Tensor, Tensor]:
        x, y = addition(length, n, np.random.default_rng(seeds), passing)
        return torch.tensor(x, dtype=torch.float32, device=device), torch.tensor(y, device=device)

    def wrong(net: nn.ModuleDict, length: int, passing: float = settings.passing) -> float:
        x, y = draw(length, settings.tested, passing, 10_000 + length)
        with torch.no_grad():
            return round((logits(net, x).argmax(-1) != y).float().mean().item(), 4)

    shared, untied = (net.to(device) for net in draw_nets(settings.units, settings.positions))
    for net in (shared, untied):
        train(
            net,
            lambda step: draw(settings.bits, settings.batch, settings.passing, key["seed"], step),
            lambda net, x, y: nn.functional.cross_entropy(logits(net, x).flatten(0, 1), y.flatten()),
            steps=settings.steps,
            lr=settings.rate,
        )
    return {
        f"shared, {settings.bits} bits": wrong(shared, settings.bits),
        f"shared, {settings.long} bits": wrong(shared, settings.long),
        f"shared, {settings.long} bits, long carries": wrong(shared, settings.long, settings.long_passing),
        f"untied, {settings.bits} bits": wrong(untied, settings.bits),
        f"untied, {settings.positions} bits": wrong(untied, settings.positions),
        "weights": letters(shared, "shared") | letters(untied, "untied"),
    }


def draw_nets(units: int, positions: int) -> tuple[nn.ModuleDict, nn.ModuleDict]:
    """A plain recurrent net, and one robbed of sharing: every position has weights of its own."""
    shared = nn.ModuleDict({"cell": nn.RNN(2, units, batch_first=True), "output": nn.Linear(units, 2)})
    cells = nn.ModuleList(nn.RNNCell(2, units) for _ in range(positions))
    outputs = nn.ModuleList(nn.Linear(units, 2) for _ in range(positions))
    return shared, nn.ModuleDict({"cell": cells, "output": outputs})


def logits(net: nn.ModuleDict, x: Tensor) -> Tensor:
    """Logits (batch, tau, 2) of either net for columns x (batch, tau, 2)."""
    cell, output = net["cell"], net["output"]
    if isinstance(cell, nn.RNN):
        return output(cell(x)[0])
    h, out = x.new_zeros(len(x), cell[0].hidden_size), []
    for t in range(x.shape[1]):
        h = cell[t](x[:, t], h)
        out.append(output[t](h))
    return torch.stack(out, dim=1)


def letters(net: nn.ModuleDict, name: str) -> dict[str, np.ndarray]:
    """The weights of either net in the book's letters, rounded; of the untied one position by position."""

    def of(cell: nn.Module, output: nn.Linear) -> list[np.ndarray]:
        U, W, b, second = (w.detach().double().cpu().numpy() for w in cell.parameters())
        V, c = (w.detach().double().cpu().numpy() for w in output.parameters())
        return [U, W, V, b + second, c]

    cell, output = net["cell"], net["output"]
    if isinstance(cell, nn.RNN):
        found = of(cell, output)
    else:
        found = [np.stack(w) for w in zip(*map(of, cell, output), strict=True)]
    return {f"{name}.{letter}": np.round(w, 2) for letter, w in zip("UWVbc", found, strict=True)}


def keep(settings: Settings, rows: list[dict]) -> list[dict]:
    """The weights of the first seed that learned to add."""
    return [{"seed": row["seed"]} for row in rows if row[f"shared, {settings.long} bits, long carries"] == 0][:1]


def judge(settings: Settings, rows: list[dict]) -> dict[str, int]:
    """How many seeds learned to add."""
    adds = [row[f"shared, {settings.long} bits, long carries"] == 0 for row in rows]
    return {"seeds": len(rows), f"seeds that add {settings.long} bits, long carries too": sum(adds)}
