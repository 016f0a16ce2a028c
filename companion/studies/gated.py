"""What gates buy, over seeds (Section 10.10): four small studies of one kind of row.

Which cell solves the adding problem, and which the latch, at which length; what the forget gate's first bias does;
what each gate is good for.
"""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.gated.trials import ABLATIONS, draw_trials, gated_net

SECTION = "10.10"
SHOWS = "Which cell solves the adding problem and the latch, what the forget bias does, what each gate is good for."
MINUTES = 54


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    lengths: tuple[int, ...] = (10, 20, 40, 80)
    biases: tuple[tuple[str, str, float], ...] = (  # besides 1, which stands with the lengths
        *(("adding", "LSTM", bias) for bias in (0.0, 2.0, 4.0)),
        *(("latch", "LSTM", bias) for bias in (0.5, 2.0, 4.0)),
        ("latch", "GRU", 4.0),
    )
    bias_length: int = 80
    ablation_length: int = 40
    units: dict[str, int] = {"RNN": 64, "LSTM": 32, "GRU": 36}  # noqa: RUF012  (about 4,400 parameters each)
    steps: int = 3000
    every: int = 100  # steps from one test to the next
    batch: int = 50
    rate: float = 3e-3
    tested: int = 1000  # fresh sequences
    solved: dict[str, float] = {"adding": 0.01, "latch": 0.02, "since reset": 0.01}  # noqa: RUF012  (error, at most)


SETTINGS, UNSEEN = Settings(), ("seeds", "lengths", "biases", "bias_length", "ablation_length")
QUICK = Settings(seeds=(0,), lengths=(10,), bias_length=10, ablation_length=10, steps=4, every=2, tested=20)


def trial(
    study: str, task: str, length: int, seed: int, cell: str = "LSTM", bias: float | None = 1.0, ablation: str = "full"
) -> dict[str, Any]:
    """The key of a row; a plain net has no use for the bias, and None is PyTorch's own start."""
    key = {"study": study, "task": task, "length": length, "seed": seed}
    return key | {"cell": cell, "forget_bias": bias, "ablation": ablation}


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every row of the four studies; forget bias 1 stands with the lengths, and so does a GRU as PyTorch starts it."""
    starts = [(cell, 1.0) for cell in settings.units] + [("GRU", None)]
    keys = [
        trial(task, task, length, seed, cell, bias)
        for task, length, seed, (cell, bias) in product(("adding", "latch"), settings.lengths, settings.seeds, starts)
    ]
    for (task, cell, bias), seed in product(settings.biases, settings.seeds):
        keys.append(trial("bias", task, settings.bias_length, seed, cell, bias))
    for seed, task, ablation in product(settings.seeds, ("adding", "since reset"), ABLATIONS["LSTM"]):
        keys.append(trial("ablation", task, settings.ablation_length, seed, ablation=ablation))
    for seed, ablation in product(settings.seeds, ABLATIONS["GRU"]):
        keys.append(trial("ablation", "since reset", settings.ablation_length, seed, "GRU", ablation=ablation))
    return keys


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net until it solves its task or the steps run out.

    Returns
    -------
    error : after every 100 steps, mean squared error, or share of wrong answers (latch), on 1,000 sequences.
    steps : how many it took to solve the task, or None.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

    from companion.training import torch_seed, train

    task, seed, cell = key["task"], key["seed"], key["cell"]
    torch_seed(seed)

    def draw(n: int, *seeds: int) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = draw_trials(task, key["length"], n, np.random.default_rng(seeds))
        return x.to(device), y.to(device)

    test_x, test_y = draw(settings.tested, 10**6)
    net = gated_net(cell, test_x.shape[2], settings.units[cell], key["forget_bias"], key["ablation"]).to(device)

    def error(net: torch.nn.Module) -> dict[str, float]:
        out = net(test_x)
        wrong = ((out > 0) != (test_y > 0.5)) if task == "latch" else (out - test_y) ** 2
        return {"error": wrong.float().mean().item()}

    history = train(
        net,
        lambda step: draw(settings.batch, seed, step),
        lambda net, x, y: (binary_cross_entropy_with_logits if task == "latch" else mse_loss)(net(x), y),
        steps=settings.steps,
        lr=settings.rate,
        evaluate=error,
        every=settings.every,
        stop=lambda history: history[-1]["error"] <= settings.solved[task],
    )
    solved = history[-1]["error"] <= settings.solved[task]
    return {"error": [round(e["error"], 5) for e in history], "steps": history[-1]["step"] if solved else None}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, int]]:
    """How many rows of each study solved their task."""
    studies = dict.fromkeys(row["study"] for row in rows)
    return {
        study: {
            "rows": sum(row["study"] == study for row in rows),
            "solved": sum(row["study"] == study and row["steps"] is not None for row in rows),
        }
        for study in studies
    }
