"""What a drawn reservoir is worth beside trained nets, and at the size of the literature (Section 10.8).

    python -m companion.studies.reservoir

trains 50-unit nets on NARMA-10 from four starts, five seeds each (weights as PyTorch draws them or as a reservoir's,
read-out as drawn or solved), and on the adding problem from four other starts. Then reservoirs of 1,000 units,
ours and the library's, forecast Mackey–Glass, and liquids of several strengths are asked for a pattern 100 ms ago.
Writes ``data/stored/reservoir.json`` and ``.npz``. The recorded run took 18 minutes of one core of a busy machine.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from companion.core.checks import choice, integer
from companion.data.store import STORED, write_record
from companion.data.tasks import adding
from companion.reservoir import (
    Readout,
    Reservoir,
    esn_init,
    esn_states,
    free_run,
    liquid_accuracy,
    mackey_glass,
    narma10,
    nrmse,
    readout,
    ridge_fit,
)
from companion.training import torch_seed, train

__all__ = [
    "ADDING",
    "DATA",
    "LENGTHS",
    "RATES",
    "SEEDS",
    "STARTS",
    "Net",
    "Series",
    "draw",
    "error_of",
    "forecast",
    "main",
    "start",
]

DATA = STORED
COMMAND = "python -m companion.studies.reservoir"
SEEDS, UNITS, STEPS, RATES = (0, 1, 2, 3, 4), 50, 1000, (0.001, 0.003)
WASHOUT, TRAIN, TEST, WINDOW, BATCH = 200, 1000, 1000, 60, 32
STARTS = {"plain": None, "reservoir": None, "reservoir, solved": 1e-6, "reservoir, solved gently": 1.0}
"""The starts, and the ridge of a read-out that is solved before training begins."""
ADDING = {"plain": None, "plain, louder": None, "reservoir, radius 0.58": 0.58, "reservoir, radius 1.1": 1.1}
"""Starts on the adding problem; 0.58 is about the radius of PyTorch's own start, and louder is U times 3.5."""
LENGTHS, ADDING_STEPS = (20, 40), 1200
STRENGTHS, LIQUIDS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0), 10
SIZE, RIDGES, RUNS = 1000, (1e-9, 1e-11, 1e-13), 3


class Series(NamedTuple):
    """NARMA-10 with input and target standardised by the training steps."""

    x: np.ndarray  # (WASHOUT + TRAIN + TEST, 1)
    y: np.ndarray  # (WASHOUT + TRAIN + TEST, 1)


def draw(seed: int) -> Series:
    """The series of a seed: 200 steps to settle, 1,000 to learn from, 1,000 to be tested on."""
    x, y = narma10(WASHOUT + TRAIN + TEST, np.random.default_rng([108, integer("seed", seed, 0)]))
    return Series(*((v - v[: WASHOUT + TRAIN].mean()) / v[: WASHOUT + TRAIN].std() for v in (x, y)))


class Net(nn.Module):
    """A plain tanh net with a linear read-out; forward gives outputs (batch, tau, 1)."""

    def __init__(self, n_x: int = 1) -> None:
        super().__init__()
        self.rnn = nn.RNN(n_x, UNITS, batch_first=True)
        self.out = nn.Linear(UNITS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs for inputs of shape (batch, tau, n_x)."""
        return self.out(self.rnn(x)[0])

    def reservoir(self) -> tuple[Reservoir, Readout]:
        """Its weights in our letters, as float64."""
        r = self.rnn
        U, W, b, e = (v.detach().double().numpy() for v in (r.weight_ih_l0, r.weight_hh_l0, r.bias_ih_l0, r.bias_hh_l0))
        return Reservoir(U, W, b + e, 0.0), Readout(*(v.detach().double().numpy() for v in self.out.parameters()))

    @torch.no_grad()
    def take(self, p: Reservoir | None = None, r: Readout | None = None) -> None:
        """Replace the recurrent part, the read-out, or both."""
        if p is not None:
            self.rnn.weight_ih_l0.copy_(torch.from_numpy(p.U))
            self.rnn.weight_hh_l0.copy_(torch.from_numpy(p.W))
            self.rnn.bias_ih_l0.copy_(torch.from_numpy(p.b))
            self.rnn.bias_hh_l0.zero_()
        if r is not None:
            self.out.weight.copy_(torch.from_numpy(r.V))
            self.out.bias.copy_(torch.from_numpy(r.c))


def start(kind: str, seed: int, data: Series) -> Net:
    """A net before training, in one of the four starts."""
    kind, _ = choice("kind", kind, tuple(STARTS)), torch_seed(seed)
    net = Net()
    if kind != "plain":
        net.take(p=esn_init(1, UNITS, np.random.default_rng([8, seed]), 0.95, scale=0.1, bias=0.2))
    if STARTS[kind] is not None:
        h = esn_states(net.reservoir()[0], data.x)[1:]
        learn = slice(WASHOUT, WASHOUT + TRAIN)
        net.take(r=ridge_fit(h[learn], data.y[learn], STARTS[kind]))
    return net


def error_of(p: Reservoir, r: Readout, data: Series) -> float:
    """NRMSE on the test steps, one run through the whole series."""
    return nrmse(data.y[-TEST:], readout(r, esn_states(p, data.x)[-TEST:]))


def cell(kind: str, seed: int, rate: float, steps: int) -> tuple[Net, list[float]]:
    """Train one net; return it and its test errors, the first before training and then every 50 steps."""
    data = draw(seed)
    net = start(kind, seed, data)
    x, y = (torch.tensor(v[: WASHOUT + TRAIN], dtype=torch.float32) for v in data)
    rng = np.random.default_rng([seed, 1])
    firsts = rng.integers(0, WASHOUT + TRAIN - WINDOW, (steps, BATCH))
    rows = torch.arange(WINDOW)

    def batch(step: int) -> tuple[Tensor, Tensor]:
        at = torch.from_numpy(firsts[step])[:, None] + rows
        return x[at], y[at]

    def loss(net: Net, x: Tensor, y: Tensor) -> Tensor:
        return ((net(x) - y)[:, 20:] ** 2).mean()  # 20 steps to settle

    errors = [error_of(*net.reservoir(), data)]
    history = train(
        net,
        batch,
        loss,
        steps=steps,
        lr=rate,
        every=50,
        evaluate=lambda net: {"error": error_of(*net.reservoir(), data)},
        desc=f"{kind}, seed {seed}, {rate}",
    )
    return net, errors + [row["error"] for row in history]


def add(kind: str, seed: int, length: int, rate: float) -> float:
    """Train one net on the adding problem, read out after the last step; its mean squared error on fresh sequences.

    Always answering 1 has an error of 1/6.
    """
    radius, _ = ADDING[choice("kind", kind, tuple(ADDING))], torch_seed(seed)
    net = Net(2)
    if radius is not None:
        net.take(p=esn_init(2, UNITS, np.random.default_rng([8, seed]), radius, scale=0.5, density=0.3))
    elif kind == "plain, louder":  # entries of U within 0.5, as the reservoirs' are
        p = net.reservoir()[0]
        net.take(p=p._replace(U=0.5 * UNITS**0.5 * p.U))

    def batch(step: int, n: int = BATCH) -> tuple[Tensor, Tensor]:
        x, y = adding(length, n, np.random.default_rng([seed, step]))
        return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)

    def loss(net: Net, x: Tensor, y: Tensor) -> Tensor:
        return ((net(x)[:, -1] - y) ** 2).mean()

    steps = ADDING_STEPS
    train(net, batch, loss, steps=steps, lr=rate, every=steps, desc=f"adding {length}, {kind}, seed {seed}")
    with torch.no_grad():
        return loss(net, *batch(steps, 2000)).item()


def forecast(units: int, seed: int, ridge: float, library: bool = False, trials: int = 30) -> tuple[float, float]:
    """Forecast Mackey–Glass, and measure one step ahead and 84 steps ahead with the loop closed.

    Setting of jaeger2001: 1,000 steps to settle, 2,000 to learn from, series squashed by tanh(y − 1). After 1,000
    more steps, 30 forecasts start 84 steps apart; errors are in the units of y.

    Parameters
    ----------
    units : size of the reservoir.
    seed : draws series and reservoir.
    ridge : of the read-out.
    library : whether reservoirpy does it, with its own way of drawing weights, instead of `companion`.
    trials : forecasts.

    Returns
    -------
    NRMSE one step ahead, NRMSE 84 steps ahead.
    """
    rng, learn = np.random.default_rng([17, seed]), slice(1000, 3000)
    y = mackey_glass(4000 + 84 * (trials + 1), rng)
    s, at = np.tanh(y - 1), 4000 + 84 * np.arange(trials)  # the last true inputs
    if library:
        from reservoirpy.nodes import Reservoir as Nodes
        from reservoirpy.nodes import Ridge

        bias = 0.2 * rng.uniform(-1, 1, units)
        nodes, out = Nodes(units, sr=0.95, lr=0.6, input_connectivity=1.0, bias=bias, seed=seed), Ridge(ridge)
        h = nodes.run(s[:-1])
        o, ahead = out.fit(h[learn], s[1:][learn]).run(h), []
        for t in at:
            nodes.state = {"out": h[t]}
            x = o[t]
            for _ in range(83):
                x = out.step(nodes.step(x))
            ahead.append(x)
    else:
        p = esn_init(1, units, rng, 0.95, scale=1.0, bias=0.2, alpha=0.4)
        h = esn_states(p, s[:-1])[1:]
        r = ridge_fit(h[learn], s[1:][learn], ridge)
        o = readout(r, h)
        ahead = [free_run(p, r, h[t], o[t], 83)[-1] for t in at]
    said = 1 + np.arctanh(np.clip(np.array(ahead), -0.999999, 0.999999))
    return nrmse(s[3001:4001], o[3000:4000]), float(np.sqrt(((said - y[at + 84]) ** 2).mean() / y.var()))


def main(argv: list[str] | None = None) -> None:
    """Train all nets, run the forecasts, and store what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DATA)
    parser.add_argument("--steps", type=int, default=STEPS)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    began, metrics, kept = time.perf_counter(), {}, {}
    for kind in STARTS:
        for rate in RATES:
            curves, spent = [], time.perf_counter()
            for seed in SEEDS:
                net, errors = cell(kind, seed, rate, args.steps)
                curves.append([round(e, 4) for e in errors])
                kept |= {f"{kind}/{rate}/{seed}/{k}": v.numpy().astype(np.float16) for k, v in net.state_dict().items()}
            seconds = (time.perf_counter() - spent) / len(SEEDS)
            metrics[f"{kind}/{rate}"] = {"errors": curves, "seconds": round(seconds, 1)}
            print(kind, rate, [c[0] for c in curves], [c[-1] for c in curves], round(seconds, 1), flush=True)
    sums = {
        f"{kind}/{length}/{rate}": [round(add(kind, seed, length, rate), 4) for seed in SEEDS]
        for kind in ADDING
        for length in LENGTHS
        for rate in RATES
    }
    print(sums, flush=True)
    forecasts = {
        f"{name}, ridge {ridge:g}": [
            [float(f"{v:.3g}") for v in forecast(SIZE, seed, ridge, lib)] for seed in range(RUNS)
        ]
        for name, lib, ridge in (*(("companion", False, v) for v in RIDGES), ("reservoirpy", True, RIDGES[0]))
    }
    print(forecasts, flush=True)
    liquids = {str(v): [liquid_accuracy(seed, v) for seed in range(LIQUIDS)] for v in STRENGTHS}
    for v, rows in liquids.items():
        print(v, [row["liquid"] for row in rows], np.median([row["rate"] for row in rows]), flush=True)
    np.savez_compressed(args.out / "reservoir.npz", **kept)
    write_record(
        args.out / "reservoir.json",
        command=COMMAND,
        seed=108,
        seconds=time.perf_counter() - began,
        metrics={"trained": metrics, "adding": sums, "forecasts": forecasts, "liquids": liquids},
        steps=args.steps,
    )


if __name__ == "__main__":
    main()
