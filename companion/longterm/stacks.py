"""Stacks: many small nets of one size, trained side by side (Sections 10.7, 10.9 and 10.11).

A *stack* is an `RNN` whose fields have one more axis in front: U (nets, n_h, n_x), W (nets, n_h, n_h) … Each net has
parameters, data and gradients of its own; they only share the clock, which is what makes forty seeds cost little more
than one. Everything here but `checked_stack` is torch.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from companion.cells.rnn import RNN
from companion.core import checks as check
from companion.core import tree

if TYPE_CHECKING:
    import torch

__all__ = [
    "Activation",
    "answers",
    "checked_stack",
    "driven",
    "fresh",
    "share_right",
    "skipping_states",
    "stack_accuracy",
    "stack_states",
    "summed_loss",
]

Activation = Literal["tanh", "relu"]
Task = Callable[[int, int, np.random.Generator], tuple[np.ndarray, np.ndarray]]  # (length, n, rng) → x, y


def checked_stack(p: RNN, n_x: int, n_o: int) -> RNN:
    """The stack as float64 arrays whose shapes fit together, of nets with n_x inputs and n_o classes."""
    return check.parameters("p", p, RNN, lead=("nets",), n_x=n_x, n_o=n_o)


def fresh(
    task: Task, nets: int, length: int, n: int, rng: np.random.Generator, dtype: "torch.dtype"
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Sequences of a task for every net of a stack, x (nets, n, length, n_x), and their classes y (nets, n)."""
    import torch

    x, y = task(length, nets * n, rng)
    return torch.tensor(x.reshape(nets, n, length, -1), dtype=dtype), torch.from_numpy(y.reshape(nets, n))


def driven(U: "torch.Tensor", b: "torch.Tensor", x: "torch.Tensor") -> tuple["torch.Tensor", ...]:
    """b + U x⁽ᵗ⁾ for t = 1 … τ, each (nets, n, n_h)."""
    if x.shape[-1] == 1:  # no sum over inputs, so no matrix product
        return (b[:, None, None] + x.movedim(2, 1) * U.mT[:, None]).unbind(1)
    return (x.flatten(1, 2) @ U.mT + b[:, None]).unflatten(1, x.shape[1:3]).unbind(2)


def stack_states(p: RNN, x: "torch.Tensor", f: Activation = "tanh") -> list["torch.Tensor"]:
    """h⁽⁰⁾ … h⁽τ⁾ of a stack of plain nets, each (nets, n, n_h)."""
    return skipping_states(driven(p.U, p.b, x), ((1, p.W),), f=f)


def skipping_states(
    inputs: tuple["torch.Tensor", ...],
    skips: Sequence[tuple[int, "torch.Tensor"]],
    alpha: "torch.Tensor | None" = None,
    f: Activation = "tanh",
) -> list["torch.Tensor"]:
    """h⁽⁰⁾ … h⁽τ⁾ from b + U x⁽ᵗ⁾, with a matrix W_d (nets, n_h, n_h) a delay d; no leak if alpha is None."""
    h = [inputs[0].new_zeros(inputs[0].shape)]
    for t, a in enumerate(inputs, start=1):
        for d, W in skips:
            a = a.baddbmm(h[t - d], W.mT) if t >= d else a  # a⁽ᵗ⁾ = b + Σ_d W_d h⁽ᵗ⁻ᵈ⁾ + U x⁽ᵗ⁾
        v = getattr(a, f)()
        h.append(v if alpha is None else alpha[:, None] * h[-1] + (1 - alpha[:, None]) * v)
    return h


def answers(V: "torch.Tensor", c: "torch.Tensor", h: "torch.Tensor") -> "torch.Tensor":
    """The logits c + V h of a stack, (nets, n, n_o), from its last states h (nets, n, n_h)."""
    return c[:, None] + h @ V.mT


def summed_loss(o: "torch.Tensor", y: "torch.Tensor") -> "torch.Tensor":
    """The cross-entropy of a stack's answers o (nets, n, n_o) to y (nets, n): a mean over n, summed over the nets."""
    import torch

    return torch.nn.functional.cross_entropy(o.flatten(0, 1), y.flatten(), reduction="sum") / y.shape[1]


def share_right(o: "torch.Tensor", y: "torch.Tensor") -> np.ndarray:
    """The share of a stack's answers o (nets, n, n_o) to y (nets, n) that are right, (nets,)."""
    return (o.argmax(-1) == y).double().mean(1).numpy()


def stack_accuracy(
    p: RNN, task: Task, length: int, n: int, rng: np.random.Generator, dtype: "torch.dtype", f: Activation = "tanh"
) -> np.ndarray:
    """The share of n fresh sequences that each net of a checked stack answers rightly, (nets,)."""
    import torch

    q = tree.map(lambda v: torch.tensor(v, dtype=dtype), p)
    x, y = fresh(task, len(q.b), length, n, rng, dtype)
    return share_right(answers(q.V, q.c, stack_states(q, x, f)[-1]), y)
