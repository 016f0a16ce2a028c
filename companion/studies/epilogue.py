"""Nets that are linear from state to state, beside an LSTM, on the adding problem (Section P.5)."""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.gated.trials import draw_trials
from companion.linear.trials import linear_net

SECTION = "P.5"
SHOWS = "Which of three nets with linear recurrences solve the adding problem, beside an LSTM with as many parameters."
MINUTES = 10
CPU_ONLY = True


class Settings(NamedTuple):
    """All constants of the study."""

    lengths: tuple[int, ...] = (50, 200)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    tuning: tuple[int, ...] = (100, 101)  # seeds of the nets on which rates are chosen
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    units: dict[str, int] = {"LSTM": 32, "minGRU": 46, "ring": 46, "disc": 46}  # noqa: RUF012  (about 4,600 parameters)
    steps: int = 4000
    every: int = 100  # steps from one look at the error to the next
    batch: int = 32
    asked: int = 500  # fresh sequences
    solved: float = 0.01  # mean squared error, at most


SETTINGS, UNSEEN = Settings(), ("lengths", "seeds", "tuning", "rates")
QUICK = Settings(lengths=(12,), seeds=(0,), tuning=(100,), rates=(1e-2,), steps=4, every=2, asked=20)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every kind at every rate and length, to choose from; then new nets of each kind at the rate chosen there."""
    keys = [
        {"kind": kind, "length": length, "rate": rate, "seed": seed}
        for kind, length, rate, seed in product(settings.units, settings.lengths, settings.rates, settings.tuning)
    ]
    if sum(row["seed"] in settings.tuning for row in rows) == len(keys):
        for kind, length in product(settings.units, settings.lengths):
            rate = best(settings, rows, kind, length)
            keys += [{"kind": kind, "length": length, "rate": rate, "seed": seed} for seed in settings.seeds]
    return keys


def best(settings: Settings, rows: list[dict], kind: str, length: int) -> float:
    """The rate at which the nets for tuning ended with the least error in the mean; of solved ones, the soonest."""

    def score(rate: float) -> tuple[float, float]:
        found = [
            r
            for r in rows
            if (r["kind"], r["length"], r["rate"]) == (kind, length, rate) and r["seed"] in settings.tuning
        ]
        last = np.mean([max(r["error"][-1], settings.solved) for r in found])
        return float(last), float(np.mean([len(r["error"]) for r in found]))

    return min(settings.rates, key=score)


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net until it solves its task or the steps run out.

    Returns
    -------
    parameters : how many numbers are trained. error : mean squared error after every 100 steps, on sequences that
        decide when to stop. steps : how many it took, or None. held_out : the error on other sequences of its length,
        and longer : on sequences twice as long, at the end.
    """
    import torch
    from torch.nn.functional import mse_loss

    from companion.training import torch_seed, train

    length, seed = key["length"], key["seed"]
    torch_seed(seed)
    net = linear_net(key["kind"], 2, settings.units[key["kind"]], np.random.default_rng([seed, 10**6]))

    def error(net: torch.nn.Module, steps: int, *seeds: int) -> float:
        x, y = draw_trials("adding", steps, settings.asked, np.random.default_rng(seeds))
        with torch.no_grad():
            return mse_loss(net(x), y).item()

    history = train(
        net,
        lambda step: draw_trials("adding", length, settings.batch, np.random.default_rng([seed, step])),
        lambda net, x, y: mse_loss(net(x), y),
        steps=settings.steps,
        lr=key["rate"],
        evaluate=lambda net: {"error": error(net, length, 10**6, 1)},
        every=settings.every,
        stop=lambda history: history[-1]["error"] <= settings.solved,
    )
    solved = history[-1]["error"] <= settings.solved
    return {
        "parameters": sum(p.numel() for p in net.parameters()),
        "error": [round(e["error"], 5) for e in history],
        "steps": history[-1]["step"] if solved else None,
        "held_out": round(error(net, length, 10**6, 2), 5),
        "longer": round(error(net, 2 * length, 10**6, 3), 5),
    }


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, Any]]:
    """By kind and length: the rate, and of the nets that count how many solve it, their steps, errors and seconds."""
    out: dict[str, dict[str, Any]] = {}
    for kind, length in product(settings.units, settings.lengths):
        mine = [r for r in rows if (r["kind"], r["length"]) == (kind, length) and r["seed"] in settings.seeds]
        if mine:
            out.setdefault(kind, {})[str(length)] = {
                "rate": mine[0]["rate"],
                "solved": sum(r["steps"] is not None for r in mine),
                "nets": len(mine),
                "steps": [r["steps"] for r in mine],
                "held_out": [r["held_out"] for r in mine],
                "longer": [r["longer"] for r in mine],
                "seconds": [r["seconds"] for r in mine],
            }
    return out
