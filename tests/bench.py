"""Speed of the reference implementations: `make bench`, or ``python -m tests.bench``. About a minute on an idle core.

Cells: forward and back-propagation through time against torch's own modules, in float64. Echo state network: fit and
run against reservoirpy with the same weights. Full, truncated and checkpointed gradients: how time and memory grow
with the length τ. One thread; medians of runs that take turns, so that a slower moment of the machine strikes both.
"""

import time
import tracemalloc
import warnings
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from reservoirpy.nodes import Reservoir as LibraryReservoir
from reservoirpy.nodes import Ridge as LibraryRidge
from threadpoolctl import threadpool_limits

from companion.cells.echo import esn_states
from companion.cells.gru import gru_bptt, gru_init
from companion.cells.interop import to_torch
from companion.cells.lstm import lstm_bptt, lstm_init
from companion.cells.rnn import RNN, rnn_bptt, rnn_init
from companion.recurrent import checkpointed_bptt, truncated_bptt
from companion.reservoir import esn_init, readout, ridge_fit

TAU, N_X, N_O = 100, 8, 5
LENGTHS = (800, 1600, 3200, 6400, 12800)


def in_turns(*functions: Callable[[], object], runs: int = 15) -> list[float]:
    """Median milliseconds of each function, all run in turns after one that does not count."""
    times: list[list[float]] = [[] for _ in functions]
    for run in range(runs + 1):
        for f, ms in zip(functions, times, strict=True):
            start = time.perf_counter()
            f()
            if run:
                ms.append(1e3 * (time.perf_counter() - start))
    return [median(ms) for ms in times]


def line(name: str, ours: float, theirs: float, whose: str) -> None:
    """One comparison as a row of the table."""
    print(f"{name:32} {ours:8.2f} ms   {whose:12} {theirs:8.2f} ms   ratio {ours / theirs:5.2f}", flush=True)


def cells() -> None:
    """RNN, LSTM and GRU against torch.nn's."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(TAU, N_X)), rng.integers(0, N_O, TAU)
    X, Y = torch.tensor(x), torch.tensor(y)
    for n_h in (32, 64):
        grad_h = rng.normal(size=(TAU, n_h))
        G = torch.tensor(grad_h)
        rnn, lstm, gru = rnn_init(N_X, n_h, N_O, rng), lstm_init(N_X, n_h, rng), gru_init(N_X, n_h, rng)
        (hidden, linear), gru = to_torch(rnn), gru._replace(reset="after")
        theirs = {"LSTM": to_torch(lstm), "GRU": to_torch(gru)}

        def plain(hidden=hidden, linear=linear) -> None:
            torch.nn.functional.cross_entropy(linear(hidden(X)[0]), Y, reduction="sum").backward()

        def gated(kind: str, theirs=theirs, G=G) -> None:
            (theirs[kind](X)[0] * G).sum().backward()

        pairs = {
            "RNN": (lambda p=rnn: rnn_bptt(p, x, y), plain),
            "LSTM": (lambda p=lstm, g=grad_h: lstm_bptt(p, x, g), lambda gated=gated: gated("LSTM")),
            "GRU": (lambda p=gru, g=grad_h: gru_bptt(p, x, g), lambda gated=gated: gated("GRU")),
        }
        for kind, pair in pairs.items():
            line(f"{kind}, n_h {n_h}, τ {TAU}", *in_turns(*pair), "torch")


def echo_state() -> None:
    """A reservoir of 500 units with a ridge read-out, fitted on 1,000 steps and run on 1,000 more."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (2000, 1)), rng.normal(size=(2000, 1))
    p = esn_init(1, 500, rng, 0.9, bias=0.2, alpha=0.3)

    def ours() -> np.ndarray:
        h = esn_states(p, x[:1000])
        r = ridge_fit(h[1:], y[:1000], 1e-6)
        return readout(r, esn_states(p, x[1000:], h[-1])[1:])

    def library() -> np.ndarray:
        model = LibraryReservoir(W=p.W, Win=p.U, bias=p.b, lr=1 - p.alpha) >> LibraryRidge(1e-6)
        model.fit(x[:1000], y[:1000])
        return model.run(x[1000:])

    line("ESN, n_h 500, fit and run", *in_turns(ours, library, runs=5), "reservoirpy")


def peak(f: Callable[[], object]) -> int:
    """The most memory that was held at once, in bytes."""
    tracemalloc.start()
    try:
        f()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def growth() -> None:
    """Slopes of log time and log memory against log τ, for three ways to take the gradient."""
    p = rnn_init(1, 64, 2, np.random.default_rng(0), 0.9)
    ways: dict[str, Callable[[RNN, np.ndarray, np.ndarray], RNN]] = {
        "full": rnn_bptt,
        "truncated, window 20": lambda p, x, y: truncated_bptt(p, x, y, 20),
        "checkpointed, every √τ": lambda p, x, y: checkpointed_bptt(p, x, y, round(len(x) ** 0.5)),
    }
    inputs = [(np.zeros((tau, 1)), np.zeros(tau, dtype=int)) for tau in LENGTHS]
    for name, way in ways.items():
        ms = in_turns(*(lambda x=x, y=y, way=way: way(p, x, y) for x, y in inputs), runs=5)
        held = peak(lambda way=way: way(p, np.zeros((1, 1)), np.zeros(1, dtype=int)))  # what any length takes
        memory = [peak(lambda x=x, y=y, way=way: way(p, x, y)) - held for x, y in inputs]
        if min(memory) <= 0 or max(memory) < 2 * min(memory):
            spread = f"memory the same from τ {LENGTHS[0]} to {LENGTHS[-1]}, within {np.ptp(memory) / 1e3:.0f} KB"
        else:
            spread = f"memory slope {slope(memory):.2f}"
        print(f"{name:32} time slope {slope(ms):.2f}   {spread}", flush=True)


def slope(values: list[float]) -> float:
    """The exponent of growth: the fitted slope of log values against log τ."""
    return float(np.polyfit(np.log(LENGTHS), np.log(values), 1)[0])


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # the library's own
    with threadpool_limits(1):
        cells()
        echo_state()
        growth()


if __name__ == "__main__":
    main()
