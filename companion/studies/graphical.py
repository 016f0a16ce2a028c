"""The recurrent nets that Section 10.2.3 holds against tables: three widths, on the prose that comes with Python.

The number of steps is fixed beforehand: nothing is chosen on the held-out text.
"""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.cells.interop import from_torch
from companion.cells.rnn import RNN
from companion.data.text import ALPHABET, encode, english, split, windows
from companion.graphical import held_out_nats, prose_net

SECTION = "10.2.3"
SHOWS = "How well plain recurrent nets of three widths predict the next character, beside tables of the same size."
MINUTES, WEIGHTS = 14, "graphical.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    widths: tuple[int, ...] = (8, 32, 128)
    seeds: tuple[int, ...] = (0, 1, 2)
    steps: int = 5000  # the last third at a fifth of the rate
    batch: int = 32
    length: int = 64
    rate: float = 4e-3
    held_out: float = 0.1  # share of the text, its end


SETTINGS, UNSEEN = Settings(), ("widths", "seeds")
QUICK = Settings(widths=(2,), seeds=(0,), steps=3, batch=2, length=10, held_out=0.01)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every width with every seed."""
    return [{"units": units, "seed": seed} for units, seed in product(settings.widths, settings.seeds)]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net, round its weights to float16, and judge what is left by the NumPy reference.

    Returns
    -------
    parameters : how many. nats_per_character_held_out : on the text held out.
    characters, held_out : of the text, all and the part held out. weights : float16.
    """
    import torch
    from torch.nn.functional import cross_entropy, one_hot

    from companion.training import torch_seed, train

    learn, held_out = split(encode(english()), settings.held_out)
    torch_seed(key["seed"])
    net = prose_net(key["units"]).to(device)

    def batch(phase: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([key["seed"], phase, step])
        # without the last character, as the stored nets were trained
        rows = torch.from_numpy(windows(learn[:-1], settings.length + 1, settings.batch, rng)).to(device)
        return one_hot(rows[:, :-1], len(ALPHABET)).float(), rows[:, 1:]

    def loss(net: torch.nn.ModuleDict, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(net["head"](net["rnn"](x)[0]).flatten(0, 1), y.flatten())

    train(net, lambda step: batch(1, step), loss, steps=settings.steps * 2 // 3, lr=settings.rate)
    train(net, lambda step: batch(2, step), loss, steps=settings.steps // 3, lr=settings.rate / 5)
    weights = {letter: w.astype(np.float16) for letter, w in from_torch(net["rnn"], net["head"])._asdict().items()}
    p = RNN(**{letter: w.astype(float) for letter, w in weights.items()})
    return {
        "parameters": sum(w.size for w in p),
        "nats_per_character_held_out": round(held_out_nats(p, held_out), 4),
        "characters": len(learn) + len(held_out),
        "held_out": len(held_out),
        "weights": weights,
    }


def judge(settings: Settings, rows: list[dict]) -> dict[str, float]:
    """Nats a character on held-out text by width, mean over the seeds."""
    nats = {u: [row["nats_per_character_held_out"] for row in rows if row["units"] == u] for u in settings.widths}
    return {f"{units} units": round(float(np.mean(found)), 4) for units, found in nats.items()}
