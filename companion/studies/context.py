"""Train the nets of Section 10.2.4 over seeds, once, and store them with a record.

    python -m companion.studies.context

trains nets that spell the digit in an 8×8 picture, letter by letter, with the picture let in three ways (and, for
comparison, one kind that does not read its own letters); and nets that put concepts into words of one of two
dialects, with and without feedback of what was said. It writes ``data/stored/context.npz`` and
``data/stored/context.json``. The number of steps is fixed beforehand: nothing is chosen on the held-out pictures.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from companion.cells.interop import from_torch
from companion.context import (
    END,
    LETTERS,
    LONGEST,
    NAMES,
    WAYS,
    ContextRNN,
    FeedbackRNN,
    context_next,
    feedback_sample,
    read,
    spell,
)
from companion.core.checks import choice, integer
from companion.data.store import STORED, load_weights, save_weights, write_record
from companion.data.tasks import digits
from companion.search import LogP, greedy
from companion.training import torch_seed, train

__all__ = [
    "CONCEPTS",
    "DATA",
    "KINDS",
    "SEEDS",
    "build",
    "consistent",
    "dialects",
    "load",
    "logits",
    "main",
    "names_logp",
    "pictures",
    "spelled",
    "way_of",
]

DATA = STORED
COMMAND = "python -m companion.studies.context"
SEEDS = (0, 1, 2, 3, 4)
SPELLERS = (*WAYS, "unread")  # "unread": way "input", but the net does not read the letters that it wrote
SPEAKERS = ("feedback", "alone")
KINDS = (*SPELLERS, *SPEAKERS)
CONCEPTS = (
    ("lift", "elevator"),
    ("flat", "apartment"),
    ("autumn", "fall"),
    ("lorry", "truck"),
    ("petrol", "gas"),
    ("biscuit", "cookie"),
)
SPLIT = 2024  # seed of the one split into training and held-out pictures
BATCH, RATE = 64, 4e-3
UNITS, STEPS = {"speller": 32, "speaker": 16}, {"speller": 1200, "speaker": 2500}
SPOKEN = 8  # concepts in a sequence of training


def pictures() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The digits as vectors of 64 pixels: (x, y) to learn from and (x, y) held out, always the same split.

    Returns
    -------
    Two pairs; x has shape (n, 64) and lies in [0, 1], y has shape (n,).
    """
    (x, y), (x_held, y_held) = digits(np.random.default_rng(SPLIT))
    return (x.reshape(-1, 64), y), (x_held.reshape(-1, 64), y_held)


def dialects(tau: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n sequences of concepts, each put into words by a speaker of one dialect; nothing in x tells which.

    Parameters
    ----------
    tau : concepts a sequence, at least 1.
    n : sequences, at least 1.
    rng : the source of randomness.

    Returns
    -------
    x : (n, tau, 6), one-hot concepts.
    y : (n, tau), words: 2 × concept + dialect, where one fair coin a sequence chooses the dialect, 0 or 1.
    """
    tau, n = integer("tau", tau, 1), integer("n", n, 1)
    concepts = rng.integers(len(CONCEPTS), size=(n, tau))
    return np.eye(len(CONCEPTS))[concepts], 2 * concepts + rng.integers(2, size=(n, 1))


def consistent(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether a sequence says every concept rightly and all in one dialect.

    Parameters
    ----------
    x : (…, tau, 6), one-hot concepts.
    y : (…, tau), words.

    Returns
    -------
    Truth values, shape (…).
    """
    dialect = y - 2 * np.argmax(x, axis=-1)
    return (dialect == 0).all(axis=-1) | (dialect == 1).all(axis=-1)


def way_of(kind: str) -> str:
    """The way in of a kind of speller."""
    return "input" if choice("kind", kind, SPELLERS) == "unread" else kind


def build(kind: str) -> nn.ModuleDict:
    """A net of one kind in torch: "rnn" reads [what was written, then the input], "head", and "start" if it has one.

    Parameters
    ----------
    kind : one of `KINDS`.

    Returns
    -------
    torch.nn.ModuleDict
    """
    speller = choice("kind", kind, KINDS) in SPELLERS
    n_o, n_x = (len(LETTERS), 64) if speller else (2 * len(CONCEPTS), len(CONCEPTS))
    units = UNITS["speller" if speller else "speaker"]
    rnn = nn.RNN(n_o + (0 if kind == "state" else n_x), units, batch_first=True)
    with torch.no_grad():
        rnn.bias_hh_l0.zero_()
        if kind in ("unread", "alone"):
            rnn.weight_ih_l0[:, :n_o] = 0  # `logits` feeds zeros there, so they stay
    rnn.bias_hh_l0.requires_grad_(False)
    parts = {"rnn": rnn, "head": nn.Linear(units, n_o)}
    return nn.ModuleDict(parts | ({"start": nn.Linear(n_x, units)} if kind in ("state", "both") else {}))


def logits(model: nn.ModuleDict, kind: str, x: Tensor, y: Tensor) -> Tensor:
    """Teacher-forced outputs of a minibatch, the twin of `context_forward` and `feedback_forward`.

    Parameters
    ----------
    model : what `build(kind)` made.
    kind : one of `KINDS`.
    x : pictures (n, 64) or concepts (n, tau, 6).
    y : (n, tau) symbols; negative ones stand for nothing.

    Returns
    -------
    (n, tau, n_o)
    """
    z = nn.functional.one_hot(y.clamp(min=0), model["head"].out_features).to(x.dtype)
    z = torch.cat([torch.zeros_like(z[:, :1]), z[:, :-1]], dim=1)
    if kind in ("unread", "alone"):
        z = torch.zeros_like(z)
    if kind != "state":
        steps = x if x.ndim == 3 else x[:, None].expand(-1, y.shape[1], -1)
        z = torch.cat([z, steps], dim=2)
    h0 = torch.tanh(model["start"](x))[None] if "start" in model else None
    return model["head"](model["rnn"](z, h0)[0])


def _numpy(model: nn.ModuleDict, kind: str) -> ContextRNN | FeedbackRNN:
    """The weights in the book's letters; what a way in does not use is zero."""
    p = from_torch(model["rnn"], model["head"])
    n_o, n_h = p.V.shape
    written, given = p.U[:, :n_o], p.U[:, n_o:]
    if kind in SPEAKERS:
        return FeedbackRNN(given, *p[1:], F=written)
    R, S, s = np.zeros((64, n_h)), np.zeros((64, n_h)), np.zeros(n_h)
    if kind != "state":
        R = given.T
    if "start" in model:
        S, s = (v.detach().double().numpy().copy() for v in (model["start"].weight.T, model["start"].bias))
    return ContextRNN(written, *p[1:], R=R, S=S, s=s)


def load(path: str | Path = DATA / "context.npz") -> dict[tuple[str, int], ContextRNN | FeedbackRNN]:
    """Read the stored nets, for NumPy.

    Parameters
    ----------
    path : the .npz file that this module wrote.

    Returns
    -------
    dict
        (kind, seed) → parameters

    Raises
    ------
    ValueError
        If the file is missing or holds other weights.
    """
    models = nn.ModuleDict({f"{kind}-{seed}": build(kind) for kind in KINDS for seed in SEEDS}).double()
    load_weights(path, models)
    return {(kind, seed): _numpy(models[f"{kind}-{seed}"], kind) for kind in KINDS for seed in SEEDS}


def spelled(p: ContextRNN, x: np.ndarray, way: str) -> list[str]:
    """What a net writes about each picture when it takes the most probable letter at every step.

    Parameters
    ----------
    p : parameters. x : pictures, shape (n, 64). way : the way in.

    Returns
    -------
    n words
    """
    return [read(greedy(context_next(p, row, way), LONGEST, END).y) for row in x]


def names_logp(logp: LogP) -> np.ndarray:
    """Log-probabilities of the ten names under a model that is asked letter by letter, shape (10,).

    Parameters
    ----------
    logp : what `context_next` returned.

    Returns
    -------
    numpy.ndarray
    """
    names = [tuple(int(i) for i in spell(name)) for name in NAMES]
    return np.array([sum(logp(y[:t])[y[t]] for t in range(len(y))) for y in names])


def _loss(kind: str, model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits(model, kind, x, y).flatten(0, 1), y.flatten(), ignore_index=-1)


def _spelling(seed: int) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Minibatches of pictures and their names, filled up with −1."""
    (x, y), _ = pictures()
    names = np.full((10, LONGEST), -1)
    for i, name in enumerate(NAMES):
        names[i, : len(name) + 1] = spell(name)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(names[y])

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rows = np.random.default_rng([seed, step]).integers(len(x), size=BATCH)
        return x[rows], y[rows]

    return batch


def _speaking(seed: int) -> Callable[[int], tuple[Tensor, Tensor]]:
    def batch(step: int) -> tuple[Tensor, Tensor]:
        x, y = dialects(SPOKEN, BATCH, np.random.default_rng([seed, step]))
        return torch.tensor(x, dtype=torch.float32), torch.tensor(y)

    return batch


def _judge(nets: dict[tuple[str, int], ContextRNN | FeedbackRNN]) -> list[dict]:
    """Whole words right on the held-out pictures; consistent sequences of eight words."""
    _, (x, y) = pictures()
    rows = []
    for (kind, seed), p in nets.items():
        if kind in SPELLERS:
            words = spelled(p, x, way_of(kind))
            right = np.mean([word == NAMES[digit] for word, digit in zip(words, y, strict=True)])
            rows.append({"kind": kind, "seed": seed, "accuracy": round(float(right), 4)})
        else:
            rng = np.random.default_rng(seed)
            spoken = dialects(SPOKEN, 50, rng)[0]
            share = np.mean([consistent(s, feedback_sample(p, s, 40, rng)) for s in spoken])
            rows.append({"kind": kind, "seed": seed, "consistent": round(float(share), 4)})
    return rows


def main(argv: list[str] | None = None) -> None:
    """Train, store, judge the stored weights, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DATA, help="folder for context.npz and context.json")
    parser.add_argument("--steps", type=float, default=1.0, help="share of the usual gradient steps, at most 1")
    args = parser.parse_args(argv)

    torch.set_num_threads(1)
    models, began = nn.ModuleDict(), time.process_time()
    for kind in KINDS:
        role, draw = ("speller", _spelling) if kind in SPELLERS else ("speaker", _speaking)
        steps = max(1, round(args.steps * STEPS[role]))
        for seed in SEEDS:
            torch_seed(seed)
            models[f"{kind}-{seed}"] = model = build(kind)
            for part, (phase, rate) in enumerate(((max(1, steps * 3 // 4), RATE), (max(1, steps // 4), RATE / 5))):
                desc = f"{kind}, seed {seed}, phase {part + 1} of 2"
                batch = draw(seed + 100 * part)
                train(model, batch, partial(_loss, kind), steps=phase, lr=rate, every=phase, desc=desc)
    seconds = time.process_time() - began
    size = save_weights(args.out / "context.npz", models)
    rows = _judge(load(args.out / "context.npz"))
    write_record(
        args.out / "context.json",
        command=COMMAND,
        seed=SEEDS[0],
        seconds=seconds,
        metrics={"nets": rows},
        seeds=SEEDS,
        steps=STEPS,
        units=UNITS,
        batch=BATCH,
        rate=RATE,
        split=SPLIT,
        bytes=size,
    )
    for row in rows:
        print(*row.values())


if __name__ == "__main__":
    main()
