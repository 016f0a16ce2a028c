"""Nets that guess a hidden character for Section 10.3: from the left, from the right, from both sides.

The net for both sides has about as many parameters as the wider ones for one side.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.bidirectional.cloze import cloze_bits, cloze_net, cloze_numpy
from companion.data.text import ALPHABET, encode, english, split, windows

SECTION = "10.3"
SHOWS = "What it is worth to read from both sides: bits for a hidden character, at equal numbers of parameters."
MINUTES, WEIGHTS = 4, "bidirectional_{seed}.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    nets: dict[str, tuple[str, int]] = {  # noqa: RUF012  (side, units in each direction)
        "left 64": ("left", 64),
        "right 64": ("right", 64),
        "left 100": ("left", 100),
        "right 100": ("right", 100),
        "both 64+64": ("both", 64),
    }
    seeds: tuple[int, ...] = (0, 1, 2)
    steps: int = 2000  # the last third at a fifth of the rate
    batch: int = 32
    length: int = 64
    rate: float = 4e-3
    held_out: float = 0.1  # share of the text, its end
    judged: int = 10_000  # first characters of it, which are guessed


SETTINGS, UNSEEN = Settings(), ("seeds",)
QUICK = Settings(seeds=(0,), steps=2, batch=2, length=10, judged=100)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every net with every seed."""
    return [{"net": net, "seed": seed} for seed in settings.seeds for net in settings.nets]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net, and judge it by the NumPy reference.

    Returns
    -------
    bits : a hidden character of the text held out. parameters : how many. characters : to learn from.
    weights : rounded to float16.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.training import torch_seed, train

    (side, units), steps, first = settings.nets[key["net"]], settings.steps, settings.steps * 2 // 3
    torch_seed(key["seed"])
    learn, held_out = split(encode(english()), settings.held_out)
    text = learn[::-1] if side == "right" else learn
    eye, net = torch.eye(len(ALPHABET), device=device), cloze_net(side, units).to(device)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        # without the last character, as the stored nets were trained
        drawn = windows(text[:-1], settings.length, settings.batch, np.random.default_rng([key["seed"], step]))
        rows = torch.from_numpy(drawn).to(device)
        return eye[rows], rows[:, 1:-1]

    def loss(net: torch.nn.ModuleDict, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        h = net["rnn"](x)[0]
        z = torch.cat([h[:, :-2, :units], h[:, 2:, units:]], dim=2)  # before and after; one way, the second is empty
        return cross_entropy(net["head"](z).flatten(0, 1), y.flatten())

    train(net, batch, loss, steps=first, lr=settings.rate)
    train(net, lambda step: batch(first + step), loss, steps=steps - first, lr=settings.rate / 5)
    p = cloze_numpy(net)
    return {
        "bits": round(float(cloze_bits(p, held_out[: settings.judged], side).mean()), 4),
        "parameters": sum(w.size for w in p),
        "characters": len(learn),
        "weights": {name: w.cpu().numpy().astype(np.float16) for name, w in net.state_dict().items()},
    }


def keep(settings: Settings, rows: list[dict]) -> list[dict]:
    """The weights of the three nets of equal size, of the first two seeds."""
    nets, seeds = ("left 100", "right 100", "both 64+64"), settings.seeds[:2]
    return [{"net": row["net"], "seed": row["seed"]} for row in rows if row["net"] in nets and row["seed"] in seeds]


def judge(settings: Settings, rows: list[dict]) -> dict[str, float]:
    """Bits a hidden character by net, mean over the seeds."""
    bits = {net: [row["bits"] for row in rows if row["net"] == net] for net in settings.nets}
    return {net: round(float(np.mean(found)), 4) for net, found in bits.items()}
