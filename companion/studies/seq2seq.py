"""Does a context of fixed size stop an encoder–decoder? Dates in words and in ISO form, over seeds (Section 10.4).

Nets that differ in one thing only: attention beside a context of 4 numbers, or none and a context of 4, 16 or 64; and
the way in which a context of 64 reaches the writer. One context of 64 trains twice as long.
"""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.seq2seq import draw_pairs, exact_match, judged, peak_share
from companion.seq2seq.twin import seq2seq_from_torch, seq2seq_twin

SECTION = "10.4"
SHOWS = "What the size of the context, the way in which it reaches the writer, and attention do for dates in words."
MINUTES = 6
WEIGHTS = "seq2seq_{kind}_{seed}.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2)
    sizes: tuple[int, ...] = (4, 16, 64)
    lengths: tuple[int, ...] = (1, 2, 3, 4, 5, 6)  # dates in tests
    trained: int = 4  # dates in training, at most
    units: int = 64
    batch: int = 64
    steps: tuple[tuple[int, float], ...] = ((1400, 3e-3), (600, 1e-3), (300, 3e-4))  # at a rate, one after the other
    patient: int = 2  # how much longer the patient net trains
    judged: int = 200  # pairs of a length
    stored: tuple[int, str, int, int] = (64, "both", 0, 1)  # size, way, seed and times of the context that is stored


SETTINGS, UNSEEN = Settings(), ("seeds", "sizes", "patient")
QUICK = Settings(seeds=(0,), sizes=(64,), lengths=(1,), units=8, batch=4, steps=((2, 3e-3), (1, 1e-3)), judged=10)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Attention and every size, over all seeds; two more ways in, over two; and the patient one."""
    seeds, large = settings.seeds, settings.sizes[-1]
    nets = [("attention", settings.sizes[0], "both", seed, 1) for seed in seeds]
    nets += [("context", size, "both", seed, 1) for seed, size in product(seeds, settings.sizes)]
    nets += [("context", large, way, seed, 1) for seed, way in product(seeds[:2], ("state", "input"))]
    nets += [("context", large, "both", seeds[0], settings.patient)]
    return [dict(zip(("kind", "size", "way", "seed", "times"), net, strict=True)) for net in nets]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net on the average log P of the pairs.

    Returns
    -------
    exact, digits : share of lines, and of digits, that it writes rightly, by length. stored, if its weights are stored:
        `exact` once more, and `peaks` of attention, as the NumPy code measures them with weights of 16 bits.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.training import torch_seed, train

    torch_seed(key["seed"])
    net, done = seq2seq_twin(key["kind"], key["size"], key["way"], settings.units).to(device), 0

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([key["seed"], done + step])
        pairs = draw_pairs(settings.batch, int(rng.integers(1, settings.trained + 1)), rng)
        return torch.tensor(pairs.x, device=device), torch.tensor(pairs.y, device=device)

    def loss(net: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(net(x, y).flatten(0, 1), y.flatten())

    for n, rate in settings.steps:
        train(net, batch, loss, steps=n * key["times"], lr=rate, every=200)
        done += n * key["times"]
    result: dict[str, Any] = written(net.cpu(), settings)
    if key["kind"] == "attention" or (key["size"], key["way"], key["seed"], key["times"]) == settings.stored:
        result["weights"] = {name: value.half().numpy() for name, value in net.state_dict().items()}
        p = seq2seq_from_torch(result["weights"])
        measures = {"exact": exact_match} if p.A is None else {"exact": exact_match, "peaks": peak_share}
        result["stored"] = {
            name: [round(measure(p, dates, settings.judged), 4) for dates in settings.lengths]
            for name, measure in measures.items()
        }
    return result


def written(net: Any, settings: SimpleNamespace) -> dict[str, list[float]]:
    """Share of lines and of digits that a net writes rightly, by length, greedily."""
    import torch

    exact, digits = [], []
    with torch.no_grad():
        for dates in settings.lengths:
            pairs = judged(dates, settings.judged)
            out = np.stack([net.greedy(torch.tensor(q.x), q.y.shape[1]).numpy() for q in pairs])
            y = np.stack([q.y for q in pairs])
            exact.append(round(float((out == y).all(2).mean()), 4))
            digits.append(round(float((out == y)[y < 10].mean()), 4))
    return {"exact": exact, "digits": digits}


def judge(settings: Settings, rows: list[dict]) -> dict[str, list[float]]:
    """Digits right by length, median over seeds, of attention and of every size of the context."""
    usual = [row for row in rows if (row["way"], row["times"]) == ("both", 1)]
    nets = dict.fromkeys((row["kind"], row["size"]) for row in usual)
    return {
        f"{kind} {size}": np.median([r["digits"] for r in usual if (r["kind"], r["size"]) == (kind, size)], 0).tolist()
        for kind, size in nets
    }
