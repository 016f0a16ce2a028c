"""A character LSTM for Section 10.10, trained once on the English prose that comes with Python."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.data.text import ALPHABET, encode, english, split, windows
from companion.gated.characters import bits_per_character, char_lstm, char_net

SECTION = "10.10"
SHOWS = "How well an LSTM predicts the next character of English prose; its gates are read in the chapter."
MINUTES, WEIGHTS = 2, "charlstm.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (10,)
    units: int = 96
    steps: int = 6000  # the last third at a fifth of the rate
    batch: int = 32
    length: int = 100
    rate: float = 4e-3
    held_out: float = 0.1  # share of the text, its end
    judged: int = 4000  # first characters of it, which the metric is taken on


SETTINGS, UNSEEN = Settings(), ("seeds",)
QUICK = Settings(units=4, steps=3, batch=2, length=10, judged=100)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """One row a seed."""
    return [{"seed": seed} for seed in settings.seeds]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train the net, round its weights to float16, and judge what is left by the NumPy reference.

    Returns
    -------
    bits_per_character_held_out : on the first characters of the text held out.
    characters, held_out : of the text, all and the part held out. weights : float16.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.training import torch_seed, train

    torch_seed(key["seed"])
    learn, held_out = split(encode(english()), settings.held_out)
    eye, net = torch.eye(len(ALPHABET), device=device), char_net(settings.units).to(device)

    def batch(phase: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([key["seed"], phase, step])
        # without the last character, as the stored net was trained
        rows = torch.from_numpy(windows(learn[:-1], settings.length + 1, settings.batch, rng)).to(device)
        return eye[rows[:, :-1]], rows[:, 1:]

    def loss(net: torch.nn.ModuleDict, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(net["head"](net["lstm"](x)[0]).flatten(0, 1), y.flatten())

    train(net, lambda step: batch(1, step), loss, steps=settings.steps * 2 // 3, lr=settings.rate)
    train(net, lambda step: batch(2, step), loss, steps=settings.steps // 3, lr=settings.rate / 5)
    weights = {name: w.cpu().numpy().astype(np.float16) for name, w in net.state_dict().items()}
    net.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    bits = bits_per_character(char_lstm(net), held_out[: settings.judged])
    sizes = {"characters": len(learn) + len(held_out), "held_out": len(held_out)}
    return {"bits_per_character_held_out": round(bits, 4), **sizes, "weights": weights}


def judge(settings: Settings, rows: list[dict]) -> dict[str, float]:
    """Bits a character on text that the nets never saw, mean over the seeds."""
    return {
        "bits_per_character_held_out": round(float(np.mean([row["bits_per_character_held_out"] for row in rows])), 4)
    }
