"""Train the net of the introduction, which adds binary numbers, and its twin without shared weights.

``python -m companion.studies.adder`` trains both over ten seeds (some minutes on one core) and writes
``data/stored/adder.json``: the command, versions and results, and the weights of the first seed that learned to
add, rounded to two decimals, so that whoever reads the page can read the net.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from companion.data.store import STORED, write_record
from companion.data.tasks import addition
from companion.training import torch_seed, train

UNITS, BITS, POSITIONS, STEPS, LR = 4, 8, 16, 3000, 0.03
PASSING = 0.75  # of the columns pass a carry on, so that long carries are no rarity in eight columns


class Untied(nn.Module):
    """A recurrent net robbed of sharing: every position has weights of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.ModuleList(nn.RNNCell(2, UNITS) for _ in range(POSITIONS))
        self.outputs = nn.ModuleList(nn.Linear(UNITS, 2) for _ in range(POSITIONS))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, tau, 2) for columns x (batch, tau, 2), tau ≤ POSITIONS."""
        h, logits = x.new_zeros(len(x), UNITS), []
        for t in range(x.shape[1]):
            h = self.cells[t](x[:, t], h)
            logits.append(self.outputs[t](h))
        return torch.stack(logits, dim=1)


class Shared(nn.Module):
    """A plain recurrent net: the same weights at every position."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.output = nn.RNN(2, UNITS, batch_first=True), nn.Linear(UNITS, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, tau, 2) for columns x (batch, tau, 2)."""
        return self.output(self.rnn(x)[0])


def _batch(seed: int, step: int) -> tuple[Tensor, Tensor]:
    x, y = addition(BITS, 64, np.random.default_rng([seed, step]), PASSING)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


def _loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())


def _wrong(model: nn.Module, length: int, passing: float = PASSING) -> float:
    x, y = addition(length, 500, np.random.default_rng(10_000 + length), passing)
    with torch.no_grad():
        return (model(torch.tensor(x, dtype=torch.float32)).argmax(-1) != torch.tensor(y)).float().mean().item()


def _weights(cell: nn.Module, output: nn.Linear) -> dict[str, list]:
    U, W, b, b2 = (p.detach().double() for p in cell.parameters())
    tensors = {"U": U, "W": W, "V": output.weight.double(), "b": b + b2, "c": output.bias.double()}
    return {k: np.round(v.detach().numpy(), 2).tolist() for k, v in tensors.items()}


def main(argv: list[str] | None = None) -> None:
    """Train, evaluate and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds to train")
    parser.add_argument("--out", type=Path, default=STORED / "adder.json")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    start, results, kept = time.perf_counter(), [], {}
    for seed in range(args.seeds):
        torch_seed(seed)
        shared, untied = Shared(), Untied()
        for name, model in (("shared", shared), ("untied", untied)):
            train(model, lambda step: _batch(seed, step), _loss, steps=STEPS, lr=LR, desc=f"{name}, seed {seed}")  # noqa: B023
        results.append(
            {
                "seed": seed,
                "shared, 8 bits": round(_wrong(shared, BITS), 4),
                "shared, 500 bits": round(_wrong(shared, 500), 4),
                "shared, 500 bits, long carries": round(_wrong(shared, 500, 0.98), 4),
                "untied, 8 bits": round(_wrong(untied, BITS), 4),
                "untied, 16 bits": round(_wrong(untied, POSITIONS), 4),
            }
        )
        if not kept and results[-1]["shared, 500 bits, long carries"] == 0:
            cells = zip(untied.cells, untied.outputs, strict=True)
            kept = {
                "seed": seed,
                "shared": _weights(shared.rnn, shared.output),
                "untied": [_weights(cell, output) for cell, output in cells],
            }
    write_record(
        args.out,
        command="python -m companion.studies.adder" + (f" --seeds {args.seeds}" if args.seeds != 10 else ""),
        seed=kept.get("seed", -1),
        seconds=time.perf_counter() - start,
        metrics={
            "seeds": len(results),
            "seeds that add 500 bits, long carries too": sum(r["shared, 500 bits, long carries"] == 0 for r in results),
            "share of wrong bits": results,
        },
        weights=kept,
    )


if __name__ == "__main__":
    main()
