"""What a context of fixed size carries, by place in the line: sizes, cells, reading order (Section 10.4).

The encoder–decoder of the study `seq2seq`, its data, widths, steps and rates, judged symbol by symbol: GRUs with every
size, and at the largest, tanh layers that read the source from its end.
"""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.seq2seq import Pairs, draw_pairs, judged
from companion.seq2seq.twin import seq2seq_twin

SECTION = "10.4"
SHOWS = "What a context carries with gated cells, and with tanh layers that read backward: symbols right by place."
MINUTES = 17
WEIGHTS = "bottleneck_{cell}_{seed}.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2)
    sizes: tuple[int, ...] = (4, 16, 64)
    lengths: tuple[int, ...] = (1, 2, 3, 4)  # dates in training and in tests
    units: int = 64
    batch: int = 64
    steps: tuple[tuple[int, float], ...] = ((1400, 3e-3), (600, 1e-3), (300, 3e-4))  # at a rate, one after the other
    judged: int = 100  # pairs of a length


SETTINGS, UNSEEN = Settings(), ("seeds", "sizes")
QUICK = Settings(seeds=(0,), sizes=(8,), lengths=(1,), units=8, batch=4, steps=((2, 3e-3),), judged=10)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """GRUs of every size, the largest first, and tanh layers of that size that read backward, each with every seed."""
    sizes = settings.sizes[::-1]
    kinds = [("gru", size, False) for size in sizes] + [("rnn", sizes[0], True)]
    return [
        {"cell": cell, "size": size, "reversed": backward, "seed": seed}
        for (cell, size, backward), seed in product(kinds, settings.seeds)
    ]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net on the average log P of a symbol.

    Returns
    -------
    held, known : share of lines without a mistake, and of right symbols at each place, by length, for dates that were
        held out and for others.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.training import torch_seed, train

    torch_seed(key["seed"])
    net = seq2seq_twin("context", key["size"], "both", settings.units, key["cell"]).to(device)
    way, done = -1 if key["reversed"] else 1, 0

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([key["seed"], done + step])
        pairs = draw_pairs(settings.batch, int(rng.integers(1, settings.lengths[-1] + 1)), rng)
        return torch.tensor(pairs.x[:, ::way].copy(), device=device), torch.tensor(pairs.y, device=device)

    def loss(net: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(net(x, y).flatten(0, 1), y.flatten())

    for n, rate in settings.steps:
        train(net, batch, loss, steps=n, lr=rate, every=200)
        done += n
    net, n = net.cpu(), settings.judged
    return {
        "held": written(net, [judged(dates, n) for dates in settings.lengths], way),
        "known": written(net, [known(dates, n) for dates in settings.lengths], way),
        "weights": {name: value.half().numpy() for name, value in net.state_dict().items()},
    }


def known(dates: int, n: int) -> list[Pairs]:
    """As `judged`, of dates that may stand in training."""
    return [draw_pairs(10, dates, np.random.default_rng([10**6 + 1, dates, i])) for i in range(n // 10)]


def written(net: Any, lengths: list[list[Pairs]], way: int) -> dict[str, list]:
    """Share of lines without a mistake, and of right symbols at each place, by length, greedily."""
    import torch

    exact, places = [], []
    with torch.no_grad():
        for pairs in lengths:
            out = [net.greedy(torch.tensor(q.x[:, ::way].copy()), q.y.shape[1]).numpy() for q in pairs]
            right = np.concatenate([got == q.y for got, q in zip(out, pairs, strict=True)])
            exact.append(round(float(right.all(1).mean()), 4))
            places.append([round(float(share), 4) for share in right.mean(0)])
    return {"exact": exact, "places": places}


def keep(settings: Settings, rows: list[dict]) -> list[dict]:
    """The weights of the first GRU of the largest size."""
    return plan(settings, rows)[:1]


def judge(settings: Settings, rows: list[dict]) -> dict[str, list[float]]:
    """Held-out lines without a mistake by length, median over seeds, of every kind of net."""
    nets: dict[str, list] = {}
    for row in rows:
        order = "reversed" if row["reversed"] else "forward"
        nets.setdefault(f"{row['cell']} {row['size']} {order}", []).append(row["held"]["exact"])
    return {name: np.median(exact, 0).round(4).tolist() for name, exact in nets.items()}
