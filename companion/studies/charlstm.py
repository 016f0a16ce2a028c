"""Train the character LSTM of Section 10.10 once, and store its weights with a record of the run.

    python -m companion.studies.charlstm

reads the English prose that comes with Python (or any text file: ``--text FILE``), trains a one-layer LSTM to
predict the next character, and writes ``data/stored/charlstm.npz`` and ``data/stored/charlstm.json``.
"""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from companion.cells.interop import from_torch
from companion.cells.lstm import LSTM, lstm_forward
from companion.core.checks import choice, integer, sequence
from companion.core.functions import nll
from companion.data.store import STORED
from companion.data.text import ALPHABET, encode, english, one_hot, split, windows

if TYPE_CHECKING:
    import torch

__all__ = ["DATA", "CharLSTM", "bits_per_character", "build", "load", "logits", "main"]

DATA = STORED
COMMAND = "python -m companion.studies.charlstm"
SEED, UNITS, STEPS, BATCH, LENGTH, RATE = 10, 96, 6000, 32, 100, 4e-3
HELD_OUT, JUDGED = 0.1, 4000  # share of the text, its end; the first characters of it are what the metric is taken on


class CharLSTM(NamedTuple):
    """An LSTM cell with an output layer: V (n_o, n_h), c (n_o,); n_x = n_o = characters of the alphabet."""

    cell: LSTM
    V: np.ndarray
    c: np.ndarray


def logits(model: CharLSTM, h: np.ndarray) -> np.ndarray:
    """What the output layer makes of states: o⁽ᵗ⁾ = c + V h⁽ᵗ⁾ for every row of h (Section 10.2).

    Parameters
    ----------
    model : CharLSTM. h : (tau, n_h).

    Returns
    -------
    np.ndarray
        (tau, n_o)
    """
    return model.c + sequence("h", h, model.V.shape[1]) @ model.V.T


def bits_per_character(model: CharLSTM, codes: np.ndarray) -> float:
    """Mean of −log₂ of the probability that the net gave to each next character.

    Parameters
    ----------
    model : CharLSTM. codes : (n,), n ≥ 2; the net starts from a zero state.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two characters or one lies outside the alphabet.
    """
    integer("len(codes)", len(codes), 2)
    h = lstm_forward(model.cell, one_hot(codes[:-1])).h[1:]
    return float(np.mean(nll(logits(model, h), codes[1:])) / np.log(2))


def build(units: int = UNITS, dtype: str = "float32") -> "torch.nn.ModuleDict":
    """The trainable twin: a `torch.nn.LSTM` and a `torch.nn.Linear`, forget bias 1.

    Parameters
    ----------
    units : width of the state. dtype : "float32" to train, "float64" to compare.

    Returns
    -------
    torch.nn.ModuleDict
        with "lstm" (batch first) and "head".
    """
    import torch

    n, units = len(ALPHABET), integer("units", units, 1)
    kind = {"dtype": getattr(torch, choice("dtype", dtype, ("float32", "float64")))}
    model = torch.nn.ModuleDict(
        {"lstm": torch.nn.LSTM(n, units, batch_first=True, **kind), "head": torch.nn.Linear(units, n, **kind)}
    )
    with torch.no_grad():
        model["lstm"].bias_ih_l0[units : 2 * units] = 1.0
        model["lstm"].bias_hh_l0.zero_()
    return model


def as_numpy(model: "torch.nn.ModuleDict") -> CharLSTM:
    """The same net in NumPy, float64."""
    V, c = (w.detach().double().cpu().numpy() for w in model["head"].parameters())
    return CharLSTM(from_torch(model["lstm"]), V, c)


def load(path: str | Path = DATA / "charlstm.npz") -> CharLSTM:
    """Read the stored weights, for NumPy.

    Parameters
    ----------
    path : the .npz file that this module wrote.

    Returns
    -------
    CharLSTM

    Raises
    ------
    ValueError
        If the file is missing or holds other weights.
    """
    from companion.data.store import load_weights

    model = build(dtype="float64")
    load_weights(path, model)
    return as_numpy(model)


def main() -> None:
    """Train, store, judge the stored weights, and write the record."""
    import torch

    from companion.data.store import save_weights, write_record
    from companion.training import torch_seed, train

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", help="a text file to learn from instead")
    parser.add_argument("--out", type=Path, default=DATA, help="folder for charlstm.npz and charlstm.json")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--checkpoint", type=Path, help="file to resume from and to write")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch_seed(SEED)
    learn, held_out = split(encode(english(args.text)), HELD_OUT)
    eye, model = torch.eye(len(ALPHABET)), build()

    def batch(phase: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        # without the last character, as the stored nets were trained
        drawn = windows(learn[:-1], LENGTH + 1, BATCH, np.random.default_rng([SEED, phase, step]))
        rows = torch.from_numpy(drawn)
        return eye[rows[:, :-1]], rows[:, 1:]

    def loss(model: torch.nn.ModuleDict, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(model["head"](model["lstm"](x)[0]).flatten(0, 1), y.flatten())

    def evaluate(model: torch.nn.ModuleDict) -> dict[str, float]:
        return {"bits": bits_per_character(as_numpy(model), held_out[:JUDGED])}

    began = time.perf_counter()
    for phase, (steps, rate) in enumerate(((args.steps * 2 // 3, RATE), (args.steps // 3, RATE / 5)), 1):
        path = args.checkpoint and args.checkpoint.with_suffix(f".{phase}")
        options = {"steps": steps, "lr": rate, "every": 500, "desc": f"phase {phase} of 2", "checkpoint": path}
        train(model, partial(batch, phase), loss, evaluate=evaluate, **options)
    seconds = time.perf_counter() - began
    size = save_weights(args.out / "charlstm.npz", model)
    metrics = {
        "bits_per_character_held_out": round(bits_per_character(load(args.out / "charlstm.npz"), held_out[:JUDGED]), 4)
    }
    sizes = {"units": UNITS, "steps": args.steps, "batch": BATCH, "length": LENGTH, "rate": RATE, "bytes": size}
    text = {"characters": len(learn) + len(held_out), "held_out": len(held_out), "judged": JUDGED, "alphabet": ALPHABET}
    write_record(
        args.out / "charlstm.json", command=COMMAND, seed=SEED, seconds=seconds, metrics=metrics, **sizes, **text
    )
    print(f"{metrics['bits_per_character_held_out']:.3f} bits a character on held-out text, {size} bytes")


if __name__ == "__main__":
    main()
