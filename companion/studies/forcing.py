"""Train the predictors of Section 10.2.1, with the teacher and with scheduled sampling, and store them.

    python -m companion.studies.forcing

trains eight nets (seeds 0 … 7) for each of two series and five mixtures, and writes ``data/stored/forcing.npz`` (the
weights) and ``data/stored/forcing.json`` (the record). Everything was fixed beforehand: nothing is chosen by its
result.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from companion.core.checks import array, choice, integer, probability
from companion.data.store import STORED, load_weights, save_weights, write_record
from companion.forcing import SERIES, Predictor, free_error, teacher_probability
from companion.training import train

__all__ = ["DATA", "FLOORS", "NOISE", "SEEDS", "Predictors", "build", "errors", "load", "main", "mixed", "study"]

DATA = STORED
COMMAND = "python -m companion.studies.forcing"
SEEDS, UNITS, LENGTH, EXAMPLES, BATCH, STEPS, RATE = 8, 16, 30, 64, 16, 1500, 5e-3
NOISE = {"cycle": 0.2, "chaos": 0.0}  # of the observations that the nets learn from
FLOORS = (1.0, 0.75, 0.5, 0.25, 0.0)  # ε falls linearly from 1 to this in the first three quarters of training


class Predictors(nn.Module):
    """`seeds` independent predictors in double precision, side by side: ŷ = c + V tanh(b + W z) for each."""

    def __init__(self, n_y: int, seeds: int = SEEDS) -> None:
        super().__init__()
        draws = [np.random.default_rng([1021, s]) for s in range(integer("seeds", seeds, 1))]
        shapes = {"W": (n_y, UNITS), "V": (UNITS, n_y), "b": (1, UNITS), "c": (1, n_y)}  # transposed: rows are examples
        for name, shape in shapes.items():
            scale = 1 / np.sqrt(shape[0]) if name in "WV" else 0.5
            value = np.stack([scale * rng.normal(size=shape) for rng in draws])
            setattr(self, name, nn.Parameter(torch.tensor(value)))

    def forward(self, z: Tensor) -> Tensor:
        """Predict from z of shape (seeds, n, n_y); the result has the same shape."""
        return torch.tanh(z @ self.W + self.b) @ self.V + self.c

    def numpy(self) -> list[Predictor]:
        """The nets one by one, in the book's letters."""
        W, V, b, c = (v.detach().numpy() for v in (self.W, self.V, self.b, self.c))
        return [Predictor(W[s].T.copy(), V[s].T.copy(), b[s, 0].copy(), c[s, 0].copy()) for s in range(len(W))]


def mixed(model: Predictors, y: Tensor, own: Tensor) -> Tensor:
    """What scheduled sampling feeds, as constants: the net's own value where `own`, else the teacher's.

    Parameters
    ----------
    model : the nets.
    y : series, shape (seeds, n, tau, n_y).
    own : booleans, shape (seeds, n, tau − 1).

    Returns
    -------
    Tensor of shape (seeds, n, tau − 1, n_y), without gradient.
    """
    if not own.any():
        return y[:, :, :-1]  # the teacher alone: nothing to wait for
    with torch.no_grad():
        z = [y[:, :, 0]]
        for t in range(1, y.shape[2] - 1):
            z.append(torch.where(own[:, :, t, None], model(z[-1]), y[:, :, t]))
        return torch.stack(z, dim=2)


def study(series: str, floor: float, steps: int = STEPS, seeds: int = SEEDS) -> Predictors:
    """Train `seeds` predictors on one series, the teacher's probability falling from 1 to `floor`.

    Parameters
    ----------
    series : "cycle" or "chaos".
    floor : the teacher's probability in the last quarter; 1 is teacher forcing.
    steps : steps of Adam.
    seeds : how many nets.

    Returns
    -------
    Predictors
    """
    draw, floor = SERIES[choice("series", series, tuple(SERIES))], probability("floor", floor)
    steps, seeds = integer("steps", steps, 1), integer("seeds", seeds, 1)
    rngs = [np.random.default_rng([1, s]) for s in range(seeds)]
    data = np.stack([draw(LENGTH, EXAMPLES, rng) for rng in rngs])
    data += NOISE[series] * np.stack([rng.normal(size=data.shape[1:]) for rng in rngs])
    Y, model = torch.tensor(data), Predictors(data.shape[-1], seeds)
    which = torch.arange(seeds)[:, None]

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([2, step])
        y = Y[which, torch.tensor(rng.integers(EXAMPLES, size=(seeds, BATCH)))]
        epsilon = 1 - (1 - floor) * (1 - teacher_probability(step, "linear", 0.75 * steps))
        own = torch.tensor(rng.random((seeds, BATCH, LENGTH - 1)) >= epsilon)
        return mixed(model, y, own).flatten(1, 2), y[:, :, 1:].flatten(1, 2)

    def loss(model: Predictors, z: Tensor, y: Tensor) -> Tensor:
        return ((model(z) - y) ** 2).mean(dim=(1, 2)).sum()  # a sum, so that no seed hears of another

    train(model, batch, loss, steps=steps, lr=RATE, clip=None, every=500, desc=f"{series} {floor:g}")
    return model


def _name(series: str, floor: float) -> str:
    return f"{series}_{round(100 * floor)}"


def build() -> nn.ModuleDict:
    """All nets of the study, untrained: the shape of the stored file."""
    width = {"cycle": 2, "chaos": 1}
    return nn.ModuleDict({_name(s, f): Predictors(width[s]) for s in SERIES for f in FLOORS})


def load(path: str | Path = DATA / "forcing.npz") -> dict[tuple[str, float], list[Predictor]]:
    """Read the stored nets, for NumPy: (series, floor) → one predictor a seed.

    Raises
    ------
    ValueError
        If the file is missing or holds something else.
    """
    models = build()
    load_weights(path, models)
    return {(s, f): models[_name(s, f)].numpy() for s in SERIES for f in FLOORS}


def errors(nets: list[Predictor], y: np.ndarray) -> np.ndarray:
    """Root-mean-square free-running error of each net over n series, at each step alone.

    Parameters
    ----------
    nets : predictors of n_y values.
    y : series, shape (n, tau, n_y), at least two values each.

    Returns
    -------
    Shape (nets, tau − 1).
    """
    y = array("y", y, ("n", "tau", "n_y"))
    return np.sqrt([(free_error(p, y) ** 2).mean(axis=0) for p in nets])


def main() -> None:
    """Train all nets and store them with their record."""
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    torch.set_num_threads(1)
    start, models = time.process_time(), nn.ModuleDict()
    for series in SERIES:
        for floor in FLOORS:
            models[_name(series, floor)] = study(series, floor)
    save_weights(DATA / "forcing.npz", models)
    metrics = {}
    for (series, floor), nets in load().items():
        e = errors(nets, SERIES[series](31, 200, np.random.default_rng(10)))
        metrics[_name(series, floor)] = {f"after_{t}": [round(v, 3) for v in e[:, t - 1]] for t in (1, 5, 30)}
    write_record(
        DATA / "forcing.json",
        command=COMMAND,
        seed=0,
        seconds=time.process_time() - start,
        metrics=metrics,
        seeds=list(range(SEEDS)),
        units=UNITS,
        steps=STEPS,
    )


if __name__ == "__main__":
    main()
