"""Train the nets that guess a hidden character for Section 10.3, and store weights and a record.

    python -m companion.studies.bidirectional

trains, for each of three seeds, five small recurrent nets on the English prose that comes with Python: from the
left, from the right (64 and 100 units) and from both sides (64 + 64 units, about as many parameters as 100 one way).
It writes ``data/stored/bidirectional.npz`` (the weights of the first seed) and ``data/stored/bidirectional.json``.
"""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from companion.bidirectional import BiRNN, birnn_from_torch, cloze_forward
from companion.cells.interop import from_torch
from companion.cells.rnn import RNN, rnn_forward
from companion.core.checks import choice, integer, targets
from companion.core.functions import nll
from companion.data.store import STORED
from companion.data.text import ALPHABET, encode, english, one_hot, split, windows

if TYPE_CHECKING:
    import torch

__all__ = ["DATA", "NETS", "as_numpy", "bits", "build", "counted_bits", "load", "main"]

DATA = STORED
COMMAND = "python -m companion.studies.bidirectional"
NETS = {
    "left 64": ("left", 64),
    "right 64": ("right", 64),
    "left 100": ("left", 100),
    "right 100": ("right", 100),
    "both 64+64": ("both", 64),
}
SEEDS, STEPS, BATCH, LENGTH, RATE = (0, 1, 2), 2000, 32, 64, 4e-3
HELD_OUT, JUDGED = 0.1, 10_000  # share of the text, its end; the first characters of it are what is guessed


def build(side: str, units: int) -> "torch.nn.ModuleDict":
    """A trainable net: a `torch.nn.RNN` ("rnn"), bidirectional for "both", and a `torch.nn.Linear` ("head").

    Parameters
    ----------
    side : "left", "right" or "both". units : width of the state, in each direction.

    Returns
    -------
    torch.nn.ModuleDict
    """
    import torch

    two, n = choice("side", side, ("left", "right", "both")) == "both", len(ALPHABET)
    rnn = torch.nn.RNN(n, integer("units", units, 1), batch_first=True, bidirectional=two)
    return torch.nn.ModuleDict({"rnn": rnn, "head": torch.nn.Linear((1 + two) * units, n)})


def as_numpy(net: "torch.nn.ModuleDict") -> RNN | BiRNN:
    """The same net in NumPy, float64: an RNN (one direction) or a BiRNN."""
    return (birnn_from_torch if net["rnn"].bidirectional else from_torch)(net["rnn"], net["head"])


def bits(net: RNN | BiRNN, codes: np.ndarray, side: str) -> np.ndarray:
    """−log₂ of the probability that the net gives to each character, with that character hidden from it.

    Parameters
    ----------
    net : an RNN for "left" and "right", a BiRNN for "both". codes : (tau,), tau ≥ 3.
    side : from where it guesses.

    Returns
    -------
    np.ndarray
        (tau − 2,): all characters but the first and the last, which have neighbours on one side only.
    """
    integer("len(codes)", len(codes), 3)
    wanted = BiRNN if choice("side", side, ("left", "right", "both")) == "both" else RNN
    if not isinstance(net, wanted):
        raise ValueError(f"net: want {wanted.__name__} for {side!r}, got {type(net).__name__}")
    x, hidden = one_hot(codes), codes[1:-1]
    if side == "both":
        o = cloze_forward(net, x).o[1:-1]
    elif side == "left":
        o = rnn_forward(net, x).o[:-2]  # o⁽ᵗ⁻¹⁾ has read everything before x⁽ᵗ⁾
    else:
        o = rnn_forward(net, x[::-1]).o[:-2][::-1]
    return nll(o, hidden) / np.log(2)


def counted_bits(learn: np.ndarray, held_out: np.ndarray, smooth: float = 0.05) -> dict[str, float]:
    """Bits a hidden character from counted tables: no neighbour, the one before, the one after, both.

    Parameters
    ----------
    learn, held_out : codes. smooth : what is added to every count.

    Returns
    -------
    dict
        "none", "left 1", "right 1", "both 1" → bits.
    """
    n = len(ALPHABET)
    for name, codes in (("learn", learn), ("held_out", held_out)):
        integer(f"len({name})", len(codes), 3)
        targets(name, codes, len(codes), n)
    zero = np.zeros(len(learn) - 2, dtype=int), np.zeros(len(held_out) - 2, dtype=int)
    before, after = (learn[:-2], held_out[:-2]), (learn[2:], held_out[2:])
    contexts = {"none": zero, "left 1": before, "right 1": after}
    contexts["both 1"] = tuple(n * a + b for a, b in zip(before, after, strict=True))
    out = {}
    for name, (known, asked) in contexts.items():
        counts = np.full((n * n, n), smooth)
        np.add.at(counts, (known, learn[1:-1]), 1)
        p = counts / counts.sum(axis=1, keepdims=True)
        out[name] = float(-np.log2(p[asked, held_out[1:-1]]).mean())
    return out


def load(path: str | Path = DATA / "bidirectional.npz") -> dict[str, RNN | BiRNN]:
    """Read the stored nets of the first seed, for NumPy.

    Parameters
    ----------
    path : the .npz file that this module wrote.

    Returns
    -------
    dict
        name (as in `NETS`) → RNN or BiRNN.

    Raises
    ------
    ValueError
        If the file is missing or holds other weights.
    """
    import torch

    from companion.data.store import load_weights

    nets = torch.nn.ModuleDict({name: build(*make) for name, make in NETS.items()}).double()
    load_weights(path, nets)
    return {name: as_numpy(net) for name, net in nets.items()}


def _train(side: str, units: int, learn: np.ndarray, seed: int, steps: int, desc: str) -> "torch.nn.ModuleDict":
    import torch

    from companion.training import torch_seed, train

    torch_seed(seed)
    net, eye, text = build(side, units), torch.eye(len(ALPHABET)), learn[::-1] if side == "right" else learn

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        # without the last character, as the stored nets were trained
        rows = torch.from_numpy(windows(text[:-1], LENGTH, BATCH, np.random.default_rng([seed, step])))
        return eye[rows], rows[:, 1:-1]

    def loss(net: torch.nn.ModuleDict, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        h = net["rnn"](x)[0]
        z = torch.cat([h[:, :-2, :units], h[:, 2:, units:]], dim=2)  # before and after; one way, the second is empty
        return torch.nn.functional.cross_entropy(net["head"](z).flatten(0, 1), y.flatten())

    first = steps * 2 // 3
    train(net, batch, loss, steps=first, lr=RATE, every=first, desc=desc)
    train(net, lambda s: batch(first + s), loss, steps=steps - first, lr=RATE / 5, every=steps - first, desc=desc)
    return net


def main() -> None:
    """Train, store the first seed, judge all by the NumPy reference on held-out text, write the record."""
    import torch

    from companion.data.store import save_weights, write_record

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", help="a text file to learn from instead")
    parser.add_argument("--out", type=Path, default=DATA, help="folder for bidirectional.npz and bidirectional.json")
    parser.add_argument("--steps", type=int, default=STEPS)
    args = parser.parse_args()

    torch.set_num_threads(1)
    learn, held_out = split(encode(english(args.text)), HELD_OUT)
    held_out = held_out[:JUDGED]
    began, runs, size = time.process_time(), [], 0
    for seed in SEEDS:
        nets = {n: _train(*make, learn, seed, args.steps, f"seed {seed}, {n}") for n, make in NETS.items()}
        if seed == SEEDS[0]:
            size = save_weights(args.out / "bidirectional.npz", torch.nn.ModuleDict(nets))
        judged = {n: float(bits(as_numpy(net), held_out, NETS[n][0]).mean()) for n, net in nets.items()}
        runs.append({"seed": seed, **{n: round(b, 4) for n, b in judged.items()}})
        print(runs[-1])
    counts = {n: round(b, 4) for n, b in counted_bits(learn, held_out).items()}
    stored = {
        n: round(float(bits(p, held_out, NETS[n][0]).mean()), 4)
        for n, p in load(args.out / "bidirectional.npz").items()
    }
    parameters = {n: sum(np.size(v) for v in as_numpy(net)) for n, net in nets.items()}
    write_record(
        args.out / "bidirectional.json",
        command=COMMAND,
        seed=SEEDS[0],
        seconds=time.process_time() - began,
        metrics={"stored": stored, "runs": runs, "tables": counts},
        parameters=parameters,
        steps=args.steps,
        batch=BATCH,
        length=LENGTH,
        rate=RATE,
        bytes=size,
        characters=len(learn),
        judged=len(held_out),
    )


if __name__ == "__main__":
    main()
