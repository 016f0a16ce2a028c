"""Section 10.7: what it costs to hold a bit. One unit in closed form, and a stack of small nets that learn it."""

from typing import Annotated, Any, NamedTuple

import numpy as np

from companion.cells.rnn import RNN
from companion.core.checks import Count, Positive, checked
from companion.data.tasks import latch
from companion.longterm.powers import draw_weights
from companion.longterm.stacks import (
    Activation,
    answers,
    checked_stack,
    fresh,
    stack_accuracy,
    stack_states,
    summed_loss,
)

__all__ = ["Latch", "identity_start", "latch_accuracy", "latch_init", "latch_train", "one_unit_memory"]

Latches = Annotated[Any, lambda name, p: checked_stack(p, 1, 2)]
"""A stack of nets with one input and two classes, an `RNN`."""

Length = Annotated[int, (4, None)]
"""Steps a sequence."""


class Latch(NamedTuple):
    """A one-unit latch: where it rests, the slope of its map there, and the input that it withstands."""

    point: float
    slope: float
    margin: float


def _two_rests(name: str, value: float) -> float:
    if value == 1:
        raise ValueError(f"{name}: want more than 1 (there is no second resting point at 1), got {value}")
    return value


@checked
def one_unit_memory(w: Annotated[float, (1, 100), _two_rests]) -> Latch:
    """The bit that one unit h⁽ᵗ⁾ = tanh(w h⁽ᵗ⁻¹⁾ + x⁽ᵗ⁾) can hold when its self-weight w > 1 (Section 10.7).

    Without input it rests at ±h*, h* = tanh(w h*), where the map's slope is w (1 − h*²) < 1. Inputs with
    |x⁽ᵗ⁾| < m = w h_c − artanh h_c, h_c² = 1 − 1/w, can never make it change sign, for however long.

    Reference: bengio1994
    """
    edge = np.sqrt(1 - 1 / w)  # where the map's slope is 1
    low, high = edge, 1.0  # tanh(w h) − h is positive at the first and not at the second
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.tanh(w * middle) > middle else (low, middle)
    slope = w / np.cosh(w * high) ** 2  # = w (1 − h*²), without the cancellation
    return Latch(float(high), float(slope), float(w * edge - np.arctanh(edge)))


@checked
def latch_init(
    nets: Count, n_h: Count, rng: np.random.Generator, radius: Annotated[float, (0, None)] | None = None
) -> RNN:
    """Draw a stack of small nets for the latch task: one input, n_h tanh units each, two classes.

    Every entry is uniform on ±1/√n_h, as `torch.nn.RNN` draws it. With a radius, each W is instead that radius
    times a random orthogonal matrix, so that no direction shrinks faster than another (Section 10.7).

    Returns
    -------
    A stack: U (nets, n_h, 1), W (nets, n_h, n_h), V (nets, 2, n_h), b (nets, n_h), c (nets, 2).
    """
    bound = 1 / np.sqrt(n_h)
    shapes = RNN(U=(n_h, 1), W=(n_h, n_h), V=(2, n_h), b=(n_h,), c=(2,))
    p = RNN(*(rng.uniform(-bound, bound, (nets, *shape)) for shape in shapes))
    if radius is None:
        return p
    return p._replace(W=np.stack([draw_weights(n_h, rng, radius, "orthogonal") for _ in range(nets)]))


def identity_start(p: RNN) -> RNN:
    """The stack with the start of Le and others for rectified units: W = I, biases zero (Section 10.7).

    Without input every state then stays as it is, as long as nothing in it is negative.

    Reference: le2015
    """
    return p._replace(W=np.zeros_like(p.W) + np.eye(p.W.shape[-1]), b=np.zeros_like(p.b), c=np.zeros_like(p.c))


@checked
def latch_train(
    p: Latches,
    length: Length,
    rng: np.random.Generator,
    updates: Count = 400,
    batch: Count = 32,
    lr: float = 0.5,
    optimizer: str = "sgd",
    clip: Positive = 1.0,
    f: Activation = "tanh",
) -> RNN:
    """Train every net of a stack on the latch task of one length, each on its own fresh sequences (Section 10.7).

    Loss: cross-entropy of the one answer after the last step; each net's gradient is clipped to norm `clip`.

    Parameters
    ----------
    p : a stack, from `latch_init`; it is not changed. updates : gradient steps. batch : sequences a net and update.
    lr : learning rate, > 0. optimizer : "sgd" or "adam". clip : largest gradient norm a net.
    f : of the units.

    Returns
    -------
    The trained stack.

    Reference: bengio1994
    """
    import torch

    from companion.training import each_by_norm, train

    q = torch.nn.ParameterList(torch.tensor(v) for v in p)

    def loss(q: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        net = RNN(*q)
        return summed_loss(answers(net.V, net.c, stack_states(net, x, f)[-1]), y)

    train(
        q,
        lambda step: fresh(latch, len(p.b), length, batch, rng, torch.float64),
        loss,
        steps=updates,
        every=updates,
        lr=lr,
        optimizer=optimizer,
        rule=each_by_norm(clip),
        desc=f"{len(p.b)} nets, length {length}",
    )
    return RNN(*(v.detach().numpy() for v in q))


@checked
def latch_accuracy(
    p: Latches, length: Length, rng: np.random.Generator, n: Count = 500, f: Activation = "tanh"
) -> np.ndarray:
    """The share of n fresh latch sequences that each net of a stack answers rightly, shape (nets,) (Section 10.7).

    The length need not be that of training; f is the units' activation.
    """
    import torch

    return stack_accuracy(p, latch, length, n, rng, torch.float64, f)
