"""How much the start decides: plain descents on two tasks, recurrent and feed-forward (Section 10.2.2).

Everything was fixed beforehand: nothing is chosen by its result.
"""

from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.cells.rnn import rnn_init
from companion.core import tree
from companion.recurrent import curvatures, descend, descent_gradient, stack

SECTION = "10.2.2"
SHOWS = "Where plain descents of small recurrent and feed-forward nets end, from many starts, and what is there."
MINUTES = 1
CPU_ONLY = True


class Settings(NamedTuple):
    """All constants of the study."""

    tasks: tuple[str, ...] = ("ends equal", "parity")
    kinds: tuple[str, ...] = ("recurrent", "feed-forward")
    seeds: tuple[int, ...] = (0, 25)  # the first seed of a row
    nets: int = 25  # a row, one for each seed from the first
    tau: int = 5
    units: int = 4
    rate: float = 0.3
    steps: int = 3000
    longer: int = 10_000  # "parity" goes on to here
    nudge: float = 1e-13  # of U at the start, relative; "parity" once more from there


SETTINGS, UNSEEN = Settings(), ("tasks", "kinds", "seeds")
QUICK = Settings(seeds=(0,), nets=2, steps=3, longer=5)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every task for both kinds of net, many starts a row."""
    keys = product(settings.tasks, settings.kinds, settings.seeds)
    return [{"task": task, "kind": kind, "seed": seed} for task, kind, seed in keys]


def data(task: str, kind: str, tau: int) -> tuple[np.ndarray, np.ndarray]:
    """All sequences of signs, read one a step (recurrent) or all at once (feed-forward), and their classes."""
    signs = np.array(list(product([-1.0, 1.0], repeat=tau)))
    true = signs.prod(axis=1) > 0 if task == "parity" else signs[:, 0] == signs[:, -1]
    return signs[:, :, None] if kind == "recurrent" else signs[:, None, :], true.astype(int)


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Descend from every start of a row.

    Returns
    -------
    loss : at the end of `steps`. slope : norm of the gradient there. lowest, highest : extreme eigenvalues of the
        Hessian there.
    longer : for "parity", the same four after `longer` steps.
    nudged : for "parity", the loss after `steps` from starts that differ in the thirteenth digit.
    """
    x, y = data(key["task"], key["kind"], settings.tau)
    seeds = range(key["seed"], key["seed"] + settings.nets)
    start = stack([rnn_init(x.shape[2], settings.units, 2, np.random.default_rng(seed)) for seed in seeds])

    def look(p: Any) -> dict[str, list[float]]:
        loss, gradient = descent_gradient(p, x, y)
        slope = np.sqrt(sum((g**2).reshape(len(g), -1).sum(axis=1) for g in tree.leaves(gradient).values()))
        bend = curvatures(p, x, y)
        found = {"loss": loss, "slope": slope, "lowest": bend[:, 0], "highest": bend[:, -1]}
        return {name: [float(f"{v:.4g}") for v in values] for name, values in found.items()}

    p = descend(start, x, y, settings.rate, settings.steps)[0]
    found: dict[str, Any] = look(p)
    if key["task"] == "parity":
        q = descend(start._replace(U=start.U * (1 + settings.nudge)), x, y, settings.rate, settings.steps)[0]
        found["nudged"] = look(q)["loss"]
        found["longer"] = look(descend(p, x, y, settings.rate, settings.longer - settings.steps)[0])
    return found


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, float]]:
    """By task and kind: how many nets there are, and how many ended below 0.05 and above 0.1."""
    counts: dict[str, dict[str, float]] = {}
    for row in rows:
        loss = np.array(row["loss"])
        now = {"nets": len(loss), "solved": int((loss < 0.05).sum()), "stuck": int((loss > 0.1).sum())}
        before = counts.get(f"{row['task']} {row['kind']}", dict.fromkeys(now, 0))
        counts[f"{row['task']} {row['kind']}"] = {name: before[name] + now[name] for name in now}
    return counts
