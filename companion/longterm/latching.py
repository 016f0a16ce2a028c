"""Section 10.7: what it costs to hold a bit. One unit in closed form, and a stack of small nets that learn it."""

from typing import NamedTuple

import numpy as np

from companion.cells.rnn import RNN
from companion.core import checks as check
from companion.data.tasks import latch
from companion.longterm.powers import draw_weights
from companion.longterm.stacks import answers, checked_stack, fresh, stack_accuracy, stack_states, summed_loss

__all__ = ["Latch", "latch_accuracy", "latch_init", "latch_train", "one_unit_memory"]


class Latch(NamedTuple):
    """A one-unit latch: where it rests, the slope of its map there, and the input that it withstands."""

    point: float
    slope: float
    margin: float


def one_unit_memory(w: float) -> Latch:
    """The bit that one unit h⁽ᵗ⁾ = tanh(w h⁽ᵗ⁻¹⁾ + x⁽ᵗ⁾) can hold when w > 1 (Section 10.7).

    Without input it rests at ±h*, h* = tanh(w h*), where the map's slope is w (1 − h*²) < 1. Inputs with
    |x⁽ᵗ⁾| < m = w h_c − artanh h_c, h_c² = 1 − 1/w, can never make it change sign, for however long.

    Parameters
    ----------
    w : the self-weight, 1 < w ≤ 100.

    Returns
    -------
    Latch(point, slope, margin).

    References
    ----------
    bengio1994
    """
    w = check.number("w", w, 1.0, 100.0)
    if w == 1.0:
        raise ValueError("w: want more than 1 (there is no second resting point at 1), got 1.0")
    edge = np.sqrt(1 - 1 / w)  # where the map's slope is 1
    low, high = edge, 1.0  # tanh(w h) − h is positive at the first and not at the second
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.tanh(w * middle) > middle else (low, middle)
    slope = w / np.cosh(w * high) ** 2  # = w (1 − h*²), without the cancellation
    return Latch(float(high), float(slope), float(w * edge - np.arctanh(edge)))


def latch_init(nets: int, n_h: int, rng: np.random.Generator, radius: float | None = None) -> RNN:
    """Draw a stack of small nets for the latch task: one input, n_h tanh units, two classes.

    Every entry is uniform on ±1/√n_h, as `torch.nn.RNN` draws it. With a radius, each W is instead that radius
    times a random orthogonal matrix, so that no direction shrinks faster than another (Section 10.7).

    Parameters
    ----------
    nets : how many, ≥ 1.
    n_h : units each, ≥ 1.
    rng : the source of randomness.
    radius : spectral radius of an orthogonal start, or None for the uniform one.

    Returns
    -------
    A stack: U (nets, n_h, 1), W (nets, n_h, n_h), V (nets, 2, n_h), b (nets, n_h), c (nets, 2).
    """
    nets, n_h = check.integer("nets", nets, 1), check.integer("n_h", n_h, 1)
    bound, rng = 1 / np.sqrt(n_h), check.generator("rng", rng)
    shapes = RNN(U=(n_h, 1), W=(n_h, n_h), V=(2, n_h), b=(n_h,), c=(2,))
    p = RNN(*(rng.uniform(-bound, bound, (nets, *shape)) for shape in shapes))
    if radius is None:
        return p
    return p._replace(W=np.stack([draw_weights(n_h, rng, radius, "orthogonal") for _ in range(nets)]))


def latch_train(
    p: RNN,
    length: int,
    rng: np.random.Generator,
    updates: int = 400,
    batch: int = 32,
    lr: float = 0.5,
    optimizer: str = "sgd",
    clip: float = 1.0,
) -> RNN:
    """Train every net of a stack on the latch task of one length, each on its own fresh sequences (Section 10.7).

    Loss: cross-entropy of the one answer after the last step; each net's gradient is clipped to norm `clip`.

    Parameters
    ----------
    p : a stack, from `latch_init`; it is not changed.
    length : steps a sequence, ≥ 4.
    rng : the source of the sequences.
    updates : gradient steps, ≥ 1.
    batch : sequences a net and update, ≥ 1.
    lr : learning rate, > 0.
    optimizer : "sgd" or "adam".
    clip : largest gradient norm a net, > 0.

    Returns
    -------
    The trained stack.

    References
    ----------
    bengio1994
    """
    import torch

    from companion.training import each_by_norm, train

    q = torch.nn.ParameterList(torch.tensor(v) for v in checked_stack(p, 1, 2))
    length, batch = check.integer("length", length, 4), check.integer("batch", batch, 1)
    updates, rng = check.integer("updates", updates, 1), check.generator("rng", rng)

    def loss(q: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        net = RNN(*q)
        return summed_loss(answers(net.V, net.c, stack_states(net, x)[-1]), y)

    train(
        q,
        lambda step: fresh(latch, len(p.b), length, batch, rng, torch.float64),
        loss,
        steps=updates,
        every=updates,
        lr=lr,
        optimizer=optimizer,
        rule=each_by_norm(check.positive("clip", clip)),
        desc=f"{len(p.b)} nets, length {length}",
    )
    return RNN(*(v.detach().numpy() for v in q))


def latch_accuracy(p: RNN, length: int, rng: np.random.Generator, n: int = 500) -> np.ndarray:
    """The share of fresh latch sequences that each net of a stack answers rightly (Section 10.7).

    Parameters
    ----------
    p : a stack.
    length : steps a sequence, ≥ 4; it need not be the length of training.
    rng : the source of the sequences.
    n : sequences a net, ≥ 1.

    Returns
    -------
    Accuracies, shape (nets,).
    """
    import torch

    q, length = checked_stack(p, 1, 2), check.integer("length", length, 4)
    return stack_accuracy(q, latch, length, check.integer("n", n, 1), check.generator("rng", rng), torch.float64)
