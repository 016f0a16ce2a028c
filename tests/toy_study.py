"""A study in two stages, for the tests of the runner: which of two rates is better, then more seeds at that rate."""

import os
import time
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

SECTION, SHOWS, MINUTES = "0", "Whether the runner does what it says.", 1
WEIGHTS = "toy_study.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2)
    rates: tuple[float, ...] = (0.01, 0.1)
    steps: int = 20


SETTINGS, UNSEEN = Settings(), ("seeds", "rates")
QUICK = Settings(seeds=(0, 1), steps=2)


def best(rows: list[dict]) -> list[dict]:
    """The row of the first seed with the smallest loss, if there is one."""
    return sorted((row for row in rows if row["seed"] == 0), key=lambda row: row["loss"])[:1]


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Seed 0 at all rates, then the other seeds at its best."""
    keys = [{"seed": 0, "rate": rate} for rate in settings.rates]
    if len([row for row in rows if row["seed"] == 0]) < len(settings.rates):
        return keys
    return keys + [{"seed": s, "rate": row["rate"]} for s, row in product(settings.seeds[1:], best(rows))]


def noise(rng: np.random.Generator, n: int) -> np.ndarray:
    """What the targets have beside the truth."""
    return 0.1 * rng.normal(size=n)


def run(key: dict, settings: SimpleNamespace, device: str) -> dict:
    """Fit a line."""
    import torch

    from companion.training import torch_seed, train

    if log := os.environ.get("TOY_LOG"):  # for tests that come in between
        with Path(log).open("a") as file:
            file.write(f"{os.getpid()} {key['seed']} {key['rate']}\n")
    torch_seed(key["seed"])
    net = torch.nn.Linear(3, 1).to(device)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        time.sleep(float(os.environ.get("TOY_PAUSE", "0")))
        rng = np.random.default_rng([key["seed"], step])
        x = rng.normal(size=(256, 3))
        y = x @ [1.0, -2.0, 0.5] + noise(rng, 256)
        return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)[:, None]

    history = train(net, batch, lambda net, x, y: ((net(x) - y) ** 2).mean(), steps=settings.steps, lr=key["rate"])
    return {"loss": history[-1]["loss"], "weights": {"V": net.weight.detach().numpy()}}


def judge(settings: Settings, rows: list[dict]) -> dict:
    """The best rate."""
    return {"rate": best(rows)[0]["rate"]}


def keep(settings: Settings, rows: list[dict]) -> list[dict]:
    """Weights are kept of the best row of the first seed."""
    return [{"seed": row["seed"], "rate": row["rate"]} for row in best(rows)]
