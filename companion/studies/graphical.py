"""Train the recurrent nets that Section 10.2.3 holds against tables, once, and store them with a record.

    python -m companion.studies.graphical

reads the English prose that comes with Python (or any text file: ``--text FILE``), trains plain recurrent nets of
three widths from three seeds to predict the next character, and writes ``data/stored/graphical.npz`` and
``data/stored/graphical.json``. The number of steps is fixed beforehand: nothing is chosen on the held-out text.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from companion.cells.interop import from_torch
from companion.cells.rnn import RNN
from companion.core.checks import integer
from companion.data.store import STORED, load_weights, save_weights, write_record
from companion.data.text import ALPHABET, encode, english, split, windows
from companion.graphical import rnn_logp, rnn_parameters
from companion.training import torch_seed, train

__all__ = ["DATA", "SEEDS", "SKIP", "WIDTHS", "build", "held_out_nats", "load", "main"]

DATA = STORED
COMMAND = "python -m companion.studies.graphical"
WIDTHS, SEEDS, STEPS, BATCH, LENGTH, RATE = (8, 32, 128), (0, 1, 2), 5000, 32, 64, 4e-3
HELD_OUT = 0.1  # share of the text, its end
SKIP = 8  # first characters that no model is judged on, so that all are judged on the same ones


def build(units: int) -> nn.ModuleDict:
    """A plain recurrent net over the alphabet with an output layer, in torch; its second bias stays zero.

    Parameters
    ----------
    units : width of the state, at least 1.

    Returns
    -------
    torch.nn.ModuleDict
        with "rnn" (batch first) and "head".
    """
    n, units = len(ALPHABET), integer("units", units, 1)
    model = nn.ModuleDict({"rnn": nn.RNN(n, units, batch_first=True), "head": nn.Linear(units, n)})
    with torch.no_grad():
        model["rnn"].bias_hh_l0.zero_()
    model["rnn"].bias_hh_l0.requires_grad_(False)
    return model


def held_out_nats(p: RNN, codes: np.ndarray) -> float:
    """Mean nats a character on `codes`, from a zero state, without its first `SKIP` characters.

    Parameters
    ----------
    p : the net. codes : (n,) places in the alphabet, n > SKIP.

    Returns
    -------
    float
    """
    integer("len(codes)", len(codes), SKIP + 1)
    return float(-rnn_logp(p, codes)[SKIP:].mean())


def load(path: str | Path = DATA / "graphical.npz") -> dict[tuple[int, int], RNN]:
    """Read the stored nets, for NumPy.

    Parameters
    ----------
    path : the .npz file that this module wrote.

    Returns
    -------
    dict
        (units, seed) → RNN

    Raises
    ------
    ValueError
        If the file is missing or holds other weights.
    """
    models = nn.ModuleDict({f"{units}-{seed}": build(units) for units in WIDTHS for seed in SEEDS}).double()
    load_weights(path, models)
    return {(u, s): from_torch(models[f"{u}-{s}"]["rnn"], models[f"{u}-{s}"]["head"]) for u in WIDTHS for s in SEEDS}


def _loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return nn.functional.cross_entropy(model["head"](model["rnn"](x)[0]).flatten(0, 1), y.flatten())


def _batch(learn: np.ndarray, seed: int, phase: int, step: int) -> tuple[Tensor, Tensor]:
    # without the last character, as the stored nets were trained
    drawn = windows(learn[:-1], LENGTH + 1, BATCH, np.random.default_rng([seed, phase, step]))
    rows = torch.from_numpy(drawn)
    return nn.functional.one_hot(rows[:, :-1], len(ALPHABET)).float(), rows[:, 1:]


def main(argv: list[str] | None = None) -> None:
    """Train, store, judge the stored weights, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", help="a text file to learn from instead")
    parser.add_argument("--out", type=Path, default=DATA, help="folder for graphical.npz and graphical.json")
    parser.add_argument("--steps", type=int, default=STEPS, help="gradient steps a net, at least 3")
    args = parser.parse_args(argv)

    torch.set_num_threads(1)
    learn, held_out = split(encode(english(args.text)), HELD_OUT)
    models, began = nn.ModuleDict(), time.perf_counter()
    for units in WIDTHS:
        for seed in SEEDS:
            torch_seed(seed)
            models[f"{units}-{seed}"] = model = build(units)
            for phase, (steps, rate) in enumerate(((args.steps * 2 // 3, RATE), (args.steps // 3, RATE / 5)), 1):
                desc = f"{units} units, seed {seed}, phase {phase} of 2"
                train(model, partial(_batch, learn, seed, phase), _loss, steps=steps, lr=rate, every=500, desc=desc)
    seconds = time.perf_counter() - began
    size = save_weights(args.out / "graphical.npz", models)
    nets = [
        {
            "units": units,
            "seed": seed,
            "parameters": rnn_parameters(len(ALPHABET), units),
            "nats_per_character_held_out": round(held_out_nats(p, held_out), 4),
        }
        for (units, seed), p in load(args.out / "graphical.npz").items()
    ]
    write_record(
        args.out / "graphical.json",
        command=COMMAND,
        seed=SEEDS[0],
        seconds=seconds,
        metrics={"nets": nets},
        steps=args.steps,
        batch=BATCH,
        length=LENGTH,
        rate=RATE,
        bytes=size,
        characters=len(learn) + len(held_out),
        held_out=len(held_out),
        alphabet=ALPHABET,
    )
    for net in nets:
        print(f"{net['units']:4} units, seed {net['seed']}: {net['nats_per_character_held_out']:.3f} nats a character")


if __name__ == "__main__":
    main()
