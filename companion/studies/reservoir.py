"""What a drawn reservoir is worth beside trained nets, and at the size of the literature (Section 10.8).

Four small studies: nets of four starts learn NARMA-10 (weights as PyTorch draws them or as a reservoir's, read-out as
drawn or solved); nets of four other starts learn the adding problem; large reservoirs, ours and the library's,
forecast Mackey–Glass; liquids of several strengths are asked for a pattern 100 ms ago.
"""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.data.tasks import adding
from companion.reservoir import liquid_accuracy
from companion.reservoir.trials import (
    ADDING_STARTS,
    LEARNED,
    NARMA_STARTS,
    WASHOUT,
    draw_narma,
    forecast_errors,
    narma_error,
)

SECTION = "10.8"
SHOWS = "What a drawn reservoir is worth beside trained nets and as their start, and at the size of the literature."
MINUTES, WEIGHTS = 18, "reservoir.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    rates: tuple[float, ...] = (0.001, 0.003)
    units: int = 50
    batch: int = 32
    steps: int = 1000  # on NARMA-10
    every: int = 50  # steps from one test to the next
    settling: int = 20  # the first steps of a window, which the loss leaves out
    window: int = 60
    lengths: tuple[int, ...] = (20, 40)  # of the adding problem
    adding_steps: int = 1200
    tested: int = 2000  # fresh sequences of the adding problem
    size: int = 1000  # units of a reservoir that forecasts
    forecasters: tuple[tuple[str, float], ...] = (  # and the ridge
        ("companion", 1e-9),
        ("companion", 1e-11),
        ("companion", 1e-13),
        ("reservoirpy", 1e-9),
    )
    runs: int = 3  # seeds of a forecaster
    forecasts: int = 30  # of each of them
    strengths: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
    liquids: int = 10  # seeds of a strength
    trials: int = 600  # of each liquid


SETTINGS, UNSEEN = Settings(), ("seeds", "rates", "lengths", "forecasters", "runs", "strengths", "liquids")
QUICK = Settings(
    seeds=(0,),
    rates=(0.003,),
    batch=4,
    steps=2,
    lengths=(5,),
    adding_steps=2,
    size=20,
    forecasters=(("companion", 1e-9), ("reservoirpy", 1e-9)),
    runs=1,
    forecasts=2,
    strengths=(1.0,),
    liquids=1,
    trials=40,
)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every row of the four studies, which have keys of their own."""
    seeds, rates = settings.seeds, settings.rates
    trained = [
        {"study": "trained", "kind": kind, "rate": rate, "seed": seed}
        for kind, rate, seed in product(NARMA_STARTS, rates, seeds)
    ]
    sums = [
        {"study": "adding", "kind": kind, "length": length, "rate": rate, "seed": seed}
        for kind, length, rate, seed in product(ADDING_STARTS, settings.lengths, rates, seeds)
    ]
    forecasts = [
        {"study": "forecast", "by": by, "ridge": ridge, "seed": seed}
        for (by, ridge), seed in product(settings.forecasters, range(settings.runs))
    ]
    liquids = [
        {"study": "liquid", "strength": strength, "seed": seed}
        for strength, seed in product(settings.strengths, range(settings.liquids))
    ]
    return trained + sums + forecasts + liquids


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Make one row of one of the four studies.

    Returns
    -------
    errors : (trained) NRMSE before training and then every 50 steps, and weights as float16.
    error : (adding) mean squared error on fresh sequences; that of always answering 1 is 1/6.
    near, far : (forecast) NRMSE one step ahead, and 84 steps ahead.
    liquid, … : (liquid) what `liquid_accuracy` returns.
    """
    if key["study"] == "trained":
        return learn_narma(key["kind"], key["rate"], key["seed"], settings, device)
    if key["study"] == "adding":
        return learn_adding(key, settings, device)
    if key["study"] == "forecast":
        errors = forecast_errors(
            settings.size, key["seed"], key["ridge"], key["by"] == "reservoirpy", settings.forecasts
        )
        return {name: float(f"{error:.3g}") for name, error in zip(("near", "far"), errors, strict=True)}
    return liquid_accuracy(key["seed"], key["strength"], trials=settings.trials)


def learn_narma(kind: str, rate: float, seed: int, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net on windows of the series."""
    import torch

    from companion.reservoir.modules import TrainedReservoir, narma_start
    from companion.training import train

    data, known = draw_narma(seed), WASHOUT + LEARNED
    net = narma_start(kind, seed, data, settings.units).to(device)
    x, y = (torch.tensor(v[:known], dtype=torch.float32, device=device) for v in data)
    rng = np.random.default_rng([seed, 1])
    firsts = rng.integers(0, known - settings.window, (settings.steps, settings.batch))
    rows = torch.arange(settings.window)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        at = torch.from_numpy(firsts[step])[:, None] + rows
        return x[at], y[at]

    def loss(net: TrainedReservoir, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return ((net(x) - y)[:, settings.settling :] ** 2).mean()

    def error(net: TrainedReservoir) -> dict[str, float]:
        return {"error": narma_error(*net.reservoir(), data)}

    errors = [error(net)]
    errors += train(net, batch, loss, steps=settings.steps, lr=rate, every=settings.every, evaluate=error)
    weights = {name: value.cpu().numpy().astype(np.float16) for name, value in net.state_dict().items()}
    return {"errors": [round(e["error"], 4) for e in errors], "weights": weights}


def learn_adding(key: dict, settings: SimpleNamespace, device: str) -> dict[str, float]:
    """Train one net, read out after the last step."""
    import torch

    from companion.reservoir.modules import TrainedReservoir, adding_start
    from companion.training import train

    net = adding_start(key["kind"], key["seed"], settings.units).to(device)

    def batch(step: int, n: int = settings.batch) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = adding(key["length"], n, np.random.default_rng([key["seed"], step]))
        return tuple(torch.tensor(v, dtype=torch.float32, device=device) for v in (x, y))

    def loss(net: TrainedReservoir, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return ((net(x)[:, -1] - y) ** 2).mean()

    steps = settings.adding_steps
    train(net, batch, loss, steps=steps, lr=key["rate"], every=steps)
    with torch.no_grad():
        return {"error": round(loss(net, *batch(steps, settings.tested)).item(), 4)}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, float]]:
    """Of each setting, the median over seeds: last error, error, error 84 steps ahead, accuracy."""
    found: dict[str, dict[str, list[float]]] = {"trained": {}, "adding": {}, "forecast": {}, "liquid": {}}
    for row in rows:
        name, value = {
            "trained": lambda r: (f"{r['kind']}, rate {r['rate']:g}", r["errors"][-1]),
            "adding": lambda r: (f"{r['kind']}, length {r['length']}, rate {r['rate']:g}", r["error"]),
            "forecast": lambda r: (f"{r['by']}, ridge {r['ridge']:g}", r["far"]),
            "liquid": lambda r: (f"strength {r['strength']:g}", r["liquid"]),
        }[row["study"]](row)
        found[row["study"]].setdefault(name, []).append(value)
    return {study: {name: float(np.median(v)) for name, v in values.items()} for study, values in found.items()}
