"""Which way to be deep pays at equal numbers of parameters? Five nets learn English prose (Section 10.5).

Each tries four learning rates with one seed; the rate that does best on validation text goes on to the other seeds,
and test text, which has no part in any choice, gives the numbers.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.data.text import ALPHABET, encode, english, split, tiles, windows
from companion.deep.ways import (
    DEEP_WAYS,
    HELD_OUT,
    ROW,
    deep_bits,
    deep_net,
    deep_parameters,
    deep_to_numpy,
    deep_units,
)

SECTION = "10.5"
SHOWS = "Which of five ways to spend 20,000 parameters on depth predicts English prose best."
MINUTES = 6
WEIGHTS = "deep.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    ways: tuple[str, ...] = DEEP_WAYS
    seeds: tuple[int, ...] = (0, 1, 2, 3)
    rates: tuple[float, ...] = (3e-3, 6e-3, 1.2e-2, 2.4e-2)
    parameters: int = 20_000  # about; the width follows
    held_out: tuple[float, float] = HELD_OUT  # shares of the text for validation and for testing
    steps: int = 1200
    batch: int = 32
    length: int = 64
    characters: int | None = None  # of the text, from its beginning


SETTINGS, UNSEEN = Settings(), ("ways", "seeds", "rates")
QUICK = Settings(DEEP_WAYS[2:4], (0, 1), (6e-3,), parameters=3000, steps=5, batch=2, length=5, characters=5000)


def best(settings: Settings, rows: list[dict]) -> dict[str, dict]:
    """Of each way, the row of the first seed that did best on validation text."""
    first = [row for row in rows if row["seed"] == settings.seeds[0]]
    tried = {way: [row for row in first if row["way"] == way] for way in settings.ways}
    return {way: min(found, key=lambda row: row["validation"][-1]) for way, found in tried.items() if found}


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """The first seed at every rate, then the other seeds at the best."""
    tried = [{"way": way, "seed": settings.seeds[0], "rate": rate} for rate in settings.rates for way in settings.ways]
    if any(not any(key.items() <= row.items() for row in rows) for key in tried):
        return tried
    rates = {way: row["rate"] for way, row in best(settings, rows).items()}
    return tried + [{"way": way, "seed": s, "rate": rates[way]} for s in settings.seeds[1:] for way in settings.ways]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net to predict the next character; a seed draws the same windows of text for every way.

    Returns
    -------
    validation : bits a character on validation text, five times. test : on test text, at the end.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.training import torch_seed, train

    way, seed = key["way"], key["seed"]
    learned, validation, test = split(encode(english())[: settings.characters], *settings.held_out)
    torch_seed(seed)
    model = deep_net(way, deep_units(way, settings.parameters)).to(device)
    eye, held_out = torch.eye(len(ALPHABET), device=device), torch.tensor(tiles(validation, ROW + 1))

    def shown(codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        codes = codes.to(device)
        return eye[codes[:, :-1]], codes[:, 1:]

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        drawn = windows(learned, settings.length + 1, settings.batch, np.random.default_rng([seed, step]))
        return shown(torch.from_numpy(drawn))

    def loss(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(model(x).flatten(0, 1), y.flatten())

    def evaluate(model: torch.nn.Module) -> dict[str, float]:
        return {"bits": loss(model, *shown(held_out)).item() / np.log(2)}

    options = {"steps": settings.steps, "lr": key["rate"], "every": max(1, settings.steps // 5)}
    history = train(model, batch, loss, evaluate=evaluate, **options)
    bits = deep_bits(deep_to_numpy(model.cpu()), test)
    weights = {name: value.half().numpy() for name, value in model.state_dict().items()}
    return {"validation": [round(e["bits"], 4) for e in history], "test": round(bits, 4), "weights": weights}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, float]]:
    """Of each way, its size, the best rate, and the bits on test text at this rate, median over seeds."""
    found = {}
    for way, chosen in best(settings, rows).items():
        n, rate = deep_units(way, settings.parameters), chosen["rate"]
        test = [row["test"] for row in rows if (row["way"], row["rate"]) == (way, rate)]
        size = {"units": n, "parameters": deep_parameters(way, n)}
        found[way] = size | {"rate": rate, "test": round(float(np.median(test)), 4)}
    return found


def keep(settings: Settings, rows: list[dict]) -> list[dict]:
    """Weights are kept at the best rate: of every way for the first seed, of the highest stack for three seeds."""
    chosen = best(settings, rows)
    keys = [(way, settings.seeds[0]) for way in chosen]
    keys += [(way, seed) for way in chosen if way == "3 layers" for seed in settings.seeds[1:3]]
    return [{"way": way, "seed": seed, "rate": chosen[way]["rate"]} for way, seed in keys]
