"""Compare the ways to be deep of Section 10.5 at equal numbers of parameters, and store what came out.

    python -m companion.studies.deep

teaches five recurrent nets of about 20,000 parameters to predict the next character of English prose (that which
comes with Python, or ``--text FILE``): each at three learning rates with one seed, then with the other seeds at the
rate that did best on validation text. It writes ``data/stored/deep.json``, one row a run, and the nets of the first
seed to ``data/stored/deep.npz``. A run that stands in the file is not repeated (``--fresh`` starts over).
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from companion.core.checks import choice, integer, targets
from companion.core.functions import nll
from companion.data.store import STORED
from companion.data.text import ALPHABET, encode, english, split, tiles, windows
from companion.deep import Blocks, Dense, Stacked, blocks_forward, stacked_forward, stacked_from_torch

if TYPE_CHECKING:
    import torch

__all__ = [
    "DATA",
    "RATES",
    "SEEDS",
    "WAYS",
    "as_numpy",
    "bits",
    "build",
    "learn",
    "load",
    "main",
    "parameter_count",
    "units",
]

DATA = STORED / "deep.json"
COMMAND = "python -m companion.studies.deep"
WEIGHTS = DATA.with_suffix(".npz")
WAYS = ("1 layer", "2 layers", "3 layers", "MLPs", "MLPs + skip")
PARAMETERS = 20_000
SEEDS, RATES = tuple(range(4)), (3e-3, 6e-3, 1.2e-2)
STEPS, BATCH, LENGTH = 1200, 32, 64
HELD_OUT = (0.1, 0.1)  # shares of the text for validation and for testing, its end
ROW = 200  # held-out text is judged in rows of this length, each from a zero state


def parameter_count(way: str, n: int) -> int:
    """Numbers to be learned by a net whose hidden layers all have n units; one bias a layer.

    Parameters
    ----------
    way : one of `WAYS`. n : units of every hidden layer.

    Returns
    -------
    int
    """
    squares = dict(zip(WAYS, (1, 3, 5, 4, 5), strict=True))[choice("way", way, WAYS)]  # matrices n × n
    biases = dict(zip(WAYS, (1, 2, 3, 4, 4), strict=True))[way]
    n, k = integer("n", n, 1), len(ALPHABET)
    return squares * n * n + biases * n + 2 * k * n + k


def units(way: str, wanted: int = PARAMETERS) -> int:
    """The width at which a net has about the wanted number of parameters.

    Parameters
    ----------
    way : one of `WAYS`. wanted : number of parameters, at least that of one unit.

    Returns
    -------
    int
    """
    wanted = integer("wanted", wanted, parameter_count(way, 1))
    return min(range(1, wanted), key=lambda n: abs(parameter_count(way, n) - wanted))


def build(way: str, n: int | None = None) -> "torch.nn.Module":
    """The trainable twin, float32: `torch.nn.RNN` and `Linear` for layers, `Linear`s in a loop for MLPs.

    All weights start as PyTorch's own layers do, uniform in ±1/√fan-in.

    Parameters
    ----------
    way : one of `WAYS`. n : units of every hidden layer; None for `units(way)`.

    Returns
    -------
    torch.nn.Module that takes (batch, tau, n_x) to logits.
    """
    import torch

    k, n = len(ALPHABET), units(way) if n is None else integer("n", n, 1)
    depth = {"1 layer": 1, "2 layers": 2, "3 layers": 3}.get(choice("way", way, WAYS), 0)

    class Layers(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = torch.nn.RNN(k, n, num_layers=depth, batch_first=True)
            self.head = torch.nn.Linear(n, k)
            for l in range(depth):  # PyTorch's second bias would only repeat the first
                getattr(self.rnn, f"bias_hh_l{l}").requires_grad_(False).zero_()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.rnn(x)[0])

    class MLPs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inward, self.across, self.outward = (torch.nn.Linear(m, n) for m in (k, n, n))
            self.U, self.W, self.V = torch.nn.Linear(n, n), torch.nn.Linear(n, n, bias=False), torch.nn.Linear(n, k)
            self.S = torch.nn.Linear(n, n, bias=False) if way == "MLPs + skip" else None

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h, states = x.new_zeros(len(x), n), []
            for from_x in self.U(torch.tanh(self.inward(x))).unbind(1):
                a = from_x + self.W(torch.tanh(self.across(h)))
                h = torch.tanh(a if self.S is None else a + self.S(h))
                states.append(h)
            return self.V(torch.tanh(self.outward(torch.stack(states, 1))))

    return Layers() if depth else MLPs()


def as_numpy(model: "torch.nn.Module") -> Stacked | Blocks:
    """The same net in NumPy, float64."""
    if hasattr(model, "rnn"):
        return stacked_from_torch(model.rnn, model.head)
    w = {name: v.detach().double().cpu().numpy() for name, v in model.named_parameters()}
    mlps = [(Dense(w[f"{name}.weight"], w[f"{name}.bias"]),) for name in ("inward", "across", "outward")]
    return Blocks(*mlps, w["U.weight"], w["W.weight"], w["U.bias"], w["V.weight"], w["V.bias"], S=w.get("S.weight"))


def bits(p: Stacked | Blocks, codes: np.ndarray) -> float:
    """Mean of −log₂ of the probability that the net gave to each next character, in rows of 200 from a zero state.

    Parameters
    ----------
    p : the net, in NumPy. codes : (n,) integers, n > 200.

    Returns
    -------
    float
    """
    integer("len(codes)", len(codes), ROW + 1)
    codes = targets("codes", np.asarray(codes), len(codes), len(ALPHABET))
    forward, eye = stacked_forward if isinstance(p, Stacked) else blocks_forward, np.eye(len(ALPHABET))
    return float(np.mean([nll(forward(p, eye[row[:-1]]).o, row[1:]) for row in tiles(codes, ROW + 1)]) / np.log(2))


def load(path: str | Path = WEIGHTS) -> dict[str, Stacked | Blocks]:
    """Read the stored nets of the first seed, for NumPy.

    Parameters
    ----------
    path : the .npz file that this module wrote.

    Returns
    -------
    dict from way to net

    Raises
    ------
    ValueError
        If the file is missing or holds other weights.
    """
    from companion.data.store import load_weights

    models = together({way: build(way) for way in WAYS})
    load_weights(path, models)
    return {way: as_numpy(model) for way, model in zip(WAYS, models, strict=True)}


def together(models: "dict[str, torch.nn.Module]") -> "torch.nn.ModuleList":
    """The nets of all ways in one module, to be stored in one file."""
    import torch

    return torch.nn.ModuleList(models[way] for way in WAYS)


def learn(
    way: str, seed: int, rate: float, text: Sequence[np.ndarray], steps: int = STEPS
) -> "tuple[torch.nn.Module, list[float]]":
    """Train one net by predicting the next character; seeds draw the same windows of text for every way.

    Parameters
    ----------
    way : one of `WAYS`. seed : of weights and windows. rate : learning rate. steps : gradient steps, at least 1.
    text : three parts, what `split(codes, *HELD_OUT)` returned; the first is learned, the second judged five times.

    Returns
    -------
    model : the trained net.
    validation : bits per character on the second part.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.training import torch_seed, train

    torch_seed(seed)
    model, eye = build(way), torch.eye(len(ALPHABET))
    held_out = torch.from_numpy(tiles(text[1], ROW + 1))

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        drawn = torch.from_numpy(windows(text[0], LENGTH + 1, BATCH, np.random.default_rng([seed, step])))
        return eye[drawn[:, :-1]], drawn[:, 1:]

    def loss(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(model(x).flatten(0, 1), y.flatten())

    def evaluate(model: torch.nn.Module) -> dict[str, float]:
        return {"bits": loss(model, eye[held_out[:, :-1]], held_out[:, 1:]).item() / np.log(2)}

    options = {"steps": steps, "lr": rate, "every": max(1, steps // 5), "evaluate": evaluate}
    history = train(model, batch, loss, **options, desc=f"{way}, seed {seed}, rate {rate:g}")
    return model, [round(entry["bits"], 4) for entry in history]


def main() -> None:
    """Make every run that is still missing, storing the record after each."""
    import torch

    from companion.data.store import load_weights, save_weights, write_record

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="start over instead of going on")
    parser.add_argument("--text", help="a text file to learn from instead")
    parser.add_argument("--out", type=Path, default=DATA)
    args = parser.parse_args()
    torch.set_num_threads(1)
    text, weights = split(encode(english(args.text)), *HELD_OUT), args.out.with_suffix(".npz")
    going_on = args.out.exists() and weights.exists() and not args.fresh
    runs = json.loads(args.out.read_text(encoding="utf-8"))["runs"] if going_on else []
    kept = together({way: build(way) for way in WAYS})
    if going_on:
        load_weights(weights, kept)
    kept = dict(zip(WAYS, kept, strict=True))
    sizes = {way: {"units": units(way), "parameters": parameter_count(way, units(way))} for way in WAYS}
    options = {"steps": STEPS, "batch": BATCH, "length": LENGTH, "row": ROW, "rates": RATES, "nets": sizes}
    options["characters"] = dict(zip(("training", "validation", "test"), map(len, text), strict=True))

    def best(way: str) -> dict:
        return min((r for r in runs if (r["way"], r["seed"]) == (way, SEEDS[0])), key=lambda r: r["validation"][-1])

    def make(way: str, seed: int, rate: float) -> None:
        if any((r["way"], r["seed"], r["rate"]) == (way, seed, rate) for r in runs):
            return
        began = time.process_time()
        model, validation = learn(way, seed, rate, text)
        row = {"way": way, "seed": seed, "rate": rate, "validation": validation, "test": bits(as_numpy(model), text[2])}
        runs.append(row | {"test": round(row["test"], 4), "seconds": round(time.process_time() - began, 1)})
        if seed == SEEDS[0] and best(way) is runs[-1]:
            kept[way] = model
            save_weights(weights, together(kept))
        metrics = {"best_rate": {w: best(w)["rate"] for w in WAYS if any(r["way"] == w for r in runs)}}
        seconds = sum(r["seconds"] for r in runs)
        write_record(args.out, command=COMMAND, seed=SEEDS[0], seconds=seconds, metrics=metrics, **options, runs=runs)

    for rate in RATES:
        for way in WAYS:
            make(way, SEEDS[0], rate)
    for seed in SEEDS[1:]:
        for way in WAYS:
            make(way, seed, best(way)["rate"])


if __name__ == "__main__":
    main()
