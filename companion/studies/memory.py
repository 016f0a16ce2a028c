"""Which nets learn to copy and to recall, and how far beyond what they practised? Three tasks (Section 10.13.2).

Machines with a tape, and LSTMs beside them, on the three tasks of `companion.memory.drills`. Nets of `copy`
and `recall` are judged with weights rounded to 16 bits, and all machines and the LSTMs of seed 0 are stored so.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.memory.drills import DRILLED, PRACTICES, Practice

SECTION = "10.13.2"
SHOWS = "How far machines with a tape, and LSTMs beside them, copy and recall beyond the lengths of their practice."
MINUTES = 37
WEIGHTS = "memory_{task}_{kind}_{seed}.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    tasks: dict[str, Practice] = PRACTICES
    kinds: dict[str, tuple[str, ...]] = {"small": DRILLED, "copy": DRILLED[:3], "recall": DRILLED[:3]}  # noqa: RUF012
    seeds: dict[str, int] = {"small": 10, "copy": 3, "recall": 3}  # noqa: RUF012
    tests: dict[str, tuple[int, ...]] = {  # noqa: RUF012  (lengths)
        "small": (2, 4, 8, 11, 14, 17, 20, 24, 28),
        "copy": (10, 20, 30, 40, 50, 70, 90, 120),
        "recall": (2, 4, 6, 8, 10, 12, 15),
    }
    judged: int = 200  # fresh sequences of a length
    rounded: tuple[str, ...] = ("copy", "recall")  # tasks whose nets are judged, and some stored, in 16 bits


SETTINGS, UNSEEN = Settings(), ("kinds", "seeds")
QUICK = Settings(
    {name: task._replace(steps=2, slow=min(1, task.slow), patience=2, batch=2) for name, task in PRACTICES.items()},
    seeds=dict.fromkeys(PRACTICES, 1),
    tests=dict.fromkeys(PRACTICES, (2,)),
    judged=2,
)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every task with its kinds and seeds."""
    return [
        {"task": task, "kind": kind, "seed": seed}
        for task in settings.tasks
        for kind in settings.kinds[task]
        for seed in range(settings.seeds[task])
    ]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net on one task from one seed.

    Returns
    -------
    loss : of the last minibatches, in nats a bit. parameters : numbers in the net.
    errors : share of wrong bits by length.
    """
    import torch

    from companion.memory.drill_practice import bit_errors, practise_drill

    task, kind, seed = key["task"], key["kind"], key["seed"]
    practice = settings.tasks[task]
    net, history = practise_drill(practice, kind, seed, device)
    if task in settings.rounded:
        with torch.no_grad():
            for p in net.parameters():
                p.copy_(p.half())  # judged as it would be stored
    net.eval()
    result = {"loss": round(history[-1]["loss"], 5), "parameters": sum(p.numel() for p in net.parameters())}
    tests = settings.tests[task]
    result["errors"] = [round(bit_errors(net, practice, length, settings.judged, kind), 5) for length in tests]
    if task in settings.rounded and (kind == "machine" or seed == 0):
        result["weights"] = {name: value.half().numpy() for name, value in net.state_dict().items()}
    return result


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, list[float]]]:
    """Of each task and kind, the share of wrong bits by length, median over seeds."""

    def median(task: str, kind: str) -> list[float]:
        errors = [row["errors"] for row in rows if (row["task"], row["kind"]) == (task, kind)]
        return np.round(np.median(errors, axis=0), 5).tolist()

    return {task: {kind: median(task, kind) for kind in settings.kinds[task]} for task in settings.tasks}
