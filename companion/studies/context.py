"""Nets that name the digit in a picture, and nets that put concepts into words of one dialect (Section 10.2.4).

The picture is let in in three ways, and one kind does not read the letters that it wrote; the words are said with and
without feedback. The number of steps is fixed beforehand: nothing is chosen on the held-out pictures.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.context import LONGEST, NAMES, ContextRNN, FeedbackRNN, feedback_sample, spell
from companion.context.trials import (
    KINDS,
    SPELLERS,
    consistent,
    dialects,
    digit_pictures,
    in_letters,
    spelled,
    way_of,
)

SECTION = "10.2.4"
SHOWS = "Which way in a context takes best, and what feedback of its own outputs gives to a net."
MINUTES, WEIGHTS = 2, "context.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    units: dict[str, int] = {"speller": 32, "speaker": 16}  # noqa: RUF012
    steps: dict[str, int] = {"speller": 1200, "speaker": 2500}  # noqa: RUF012  (the last quarter at a fifth of the rate)
    batch: int = 64
    rate: float = 4e-3
    concepts: int = 8  # in a sequence
    pictures: int = 360  # held out
    inputs: int = 50  # fresh sequences of concepts
    samples: int = 40  # what a net says to each of them


SETTINGS, UNSEEN = Settings(), ("seeds",)
QUICK = Settings(seeds=(0,), steps={"speller": 4, "speaker": 8}, pictures=10, inputs=2, samples=4)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every kind with every seed."""
    return [{"kind": kind, "seed": seed} for kind in KINDS for seed in settings.seeds]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net in two phases, round its weights to float16, and measure what is left.

    Returns
    -------
    accuracy : of a speller, share of held-out pictures whose word is right. consistent : of a speaker, share of
    sampled sequences that are. weights : float16.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.context.modules import context_logits, context_net
    from companion.training import torch_seed, train

    kind, seed = key["kind"], key["seed"]
    role, draw = ("speller", naming) if kind in SPELLERS else ("speaker", saying)
    steps = settings.steps[role]
    torch_seed(seed)
    net = context_net(kind, settings.units[role]).to(device)

    def loss(net: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(context_logits(net, kind, x, y).flatten(0, 1), y.flatten(), ignore_index=-1)

    for part, (phase, rate) in enumerate(((steps * 3 // 4, settings.rate), (steps // 4, settings.rate / 5))):
        train(net, draw(seed + 100 * part, settings, device), loss, steps=phase, lr=rate, every=phase)
    weights = {name: value.cpu().numpy().astype(np.float16) for name, value in net.state_dict().items()}
    return measured(kind, in_letters(kind, weights), seed, settings) | {"weights": weights}


def naming(seed: int, settings: SimpleNamespace, device: str) -> Callable[[int], tuple[Any, Any]]:
    """Minibatches of pictures and their names, filled up with −1."""
    import torch

    (x, y), _ = digit_pictures()
    names = np.full((10, LONGEST), -1)
    for i, name in enumerate(NAMES):
        names[i, : len(name) + 1] = spell(name)
    x, y = torch.tensor(x, dtype=torch.float32, device=device), torch.tensor(names[y], device=device)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rows = np.random.default_rng([seed, step]).integers(len(x), size=settings.batch)
        return x[rows], y[rows]

    return batch


def saying(seed: int, settings: SimpleNamespace, device: str) -> Callable[[int], tuple[Any, Any]]:
    """Minibatches of concepts and words."""
    import torch

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = dialects(settings.concepts, settings.batch, np.random.default_rng([seed, step]))
        return torch.tensor(x, dtype=torch.float32, device=device), torch.tensor(y, device=device)

    return batch


def measured(kind: str, p: ContextRNN | FeedbackRNN, seed: int, settings: SimpleNamespace) -> dict[str, float]:
    """Whole words right on held-out pictures, or consistent sequences of words."""
    if kind in SPELLERS:
        x, y = (v[: settings.pictures] for v in digit_pictures()[1])
        words = spelled(p, x, way_of(kind))
        return {"accuracy": round(float(np.mean([w == NAMES[d] for w, d in zip(words, y, strict=True)])), 4)}
    rng = np.random.default_rng(seed)
    given = dialects(settings.concepts, settings.inputs, rng)[0]
    said = [consistent(x, feedback_sample(p, x, settings.samples, rng)) for x in given]
    return {"consistent": round(float(np.mean(said)), 4)}


def judge(settings: Settings, rows: list[dict]) -> dict[str, float]:
    """Of each kind, the median over seeds of what it was measured by."""
    shares: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for row in rows:
        shares[row["kind"]].append(row["accuracy" if row["kind"] in SPELLERS else "consistent"])
    return {kind: round(float(np.median(found)), 4) for kind, found in shares.items()}
