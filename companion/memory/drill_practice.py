"""How machines with a tape, and LSTMs beside them, are drilled and judged; and the stored ones (Section 10.13.2)."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from companion.core.checks import Count, checked
from companion.data import store
from companion.memory.drills import DRILLED, PRACTICES, Practice, copying, recalling
from companion.memory.machine import Machine, StateOnly
from companion.training import torch_seed, train

__all__ = [
    *("bit_errors", "chosen_seed", "drawn_drill", "drill_batch", "drill_net", "load_drill_net", "practise_drill"),
]

RIVALS = ("lstm", "patient")
DRILLS = {"copying": copying, "recalling": recalling}
Kind = Literal[DRILLED]


@checked
def drill_net(practice: Practice, kind: Kind) -> nn.Module:
    """A fresh net for a practice, such as ``PRACTICES["copy"]``."""
    n_x = practice.bits + practice.marks
    if kind in RIVALS:
        return StateOnly(n_x, practice.bits, practice.n_h["lstm"])
    return Machine(n_x, practice.bits, practice.cells, practice.width, practice.n_h["machine"])


@checked
def drawn_drill(
    practice: Practice, length: Count, n: Count, rng: np.random.Generator, kind: Kind = "machine"
) -> tuple[Tensor, Tensor]:
    """Draw n sequences of a task for a kind of net: inputs (n, tau, n_x) and wanted bits (n, rows, bits), float32."""
    way = {"zero": 0} if kind == "zero" else {}
    x, y = DRILLS[practice.drill](length, n, practice.bits, rng, **way)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def drill_batch(practice: Practice, seed: int, step: int, kind: Kind = "machine") -> tuple[Tensor, Tensor]:
    """The minibatch of a step, one length for all its sequences; the longest grow over the first steps."""
    rng = np.random.default_rng([seed, step])
    low, high = practice.lengths
    early = min(low + 2, high)
    now = min(high, early + step * (high - early) // practice.growing)
    return drawn_drill(practice, int(rng.integers(low, now + 1)), practice.batch, rng, kind)


def loss(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of the wanted bits, in nats a bit; only the last steps count."""
    return nn.functional.binary_cross_entropy_with_logits(net(x)[:, -y.shape[1] :], y)


@checked
@torch.no_grad()
def bit_errors(net: nn.Module, practice: Practice, length: Count, n: Count = 200, kind: Kind = "machine") -> float:
    """Share of wrong bits over n fresh sequences of a length; guessing has 0.5."""
    rng = np.random.default_rng([2014, length])
    wrong = [0.0, 0]
    for part in range(0, n, 50):
        x, y = drawn_drill(practice, length, min(50, n - part), rng, kind)
        wrong[0] += float(((net(x)[:, -y.shape[1] :] > 0) != (y > 0.5)).sum())
        wrong[1] += y.numel()
    return wrong[0] / wrong[1]


@checked
def practise_drill(practice: Practice, kind: Kind, seed: int, device: str = "cpu") -> tuple[nn.Module, list[dict]]:
    """Train one net on one task, from one seed of weights and data; the net, on the CPU, and the history."""
    torch_seed(seed)
    net, times = drill_net(practice, kind).to(device), practice.patience if kind == "patient" else 1
    steps, slow = practice.steps * times, practice.slow * times
    history = []
    for part, rate, begin in ((steps - slow, practice.rate, 0), (slow, practice.rate / 10, steps - slow)):

        def batch(step: int, begin: int = begin) -> tuple[Tensor, ...]:
            return tuple(v.to(device) for v in drill_batch(practice, seed, begin + step, kind))

        if part:
            what = f"{practice.drill}, {kind}, seed {seed}"
            history += train(net, batch, loss, steps=part, lr=rate, every=min(250, part), desc=what)
    return net.cpu(), history


@checked
def load_drill_net(task: Literal["copy", "recall"], kind: Literal[DRILLED[:3]] = "machine", seed: int = 0) -> nn.Module:
    """The stored net of a task and a seed; only machines have seeds above 0, which are 1 and 2."""
    net = drill_net(PRACTICES[task], kind)
    weights = store.weights("memory", task=task, kind=kind, seed=seed)
    net.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    return net.eval()


@checked
def chosen_seed(task: Literal[tuple(PRACTICES)], kind: Kind = "machine") -> int:
    """The seed to show, of those on record: fewest errors at the longest length of practice, then smallest loss."""
    longest = PRACTICES[task].lengths[1]
    known = store.record("memory")["settings"]["tests"][task].index(longest)
    nets = store.rows("memory", task=task, kind=kind)
    return min(nets, key=lambda row: (row["errors"][known], row["loss"]))["seed"]
