"""Section 10.7: what it costs to hold a bit. One unit in closed form, and many small nets trained at once.

A *stack* of nets is an `RNN` whose fields have one more axis in front: U (nets, n_h, n_x), W (nets, n_h, n_h) …
Each net of a stack has parameters, data and gradients of its own; they only share the clock, which is what
makes forty seeds cost little more than one.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from companion.cells.rnn import RNN
from companion.core import checks as check
from companion.data.tasks import latch
from companion.longterm.powers import draw_weights

if TYPE_CHECKING:
    import torch

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


def _stack(p: RNN) -> RNN:
    """The stack as float64 arrays whose shapes fit together."""
    if not isinstance(p, RNN):
        raise ValueError(f"p: want a stack of nets as RNN(U, W, V, b, c), got {type(p).__name__}")
    nets, n_h, _ = check.array("p.U", p.U, ("nets", "n_h", 1)).shape
    shapes = RNN(U=(nets, n_h, 1), W=(nets, n_h, n_h), V=(nets, 2, n_h), b=(nets, n_h), c=(nets, 2))
    return RNN(*(check.array(f"p.{k}", v, shape) for k, v, shape in zip(p._fields, p, shapes, strict=True)))


def _logits(p: RNN, x: "torch.Tensor") -> "torch.Tensor":
    """The answers (nets, n, 2) of a stack, in torch, to x (nets, n, tau): each net has sequences of its own."""
    U, W, V, b, c = p
    h = x.new_zeros(*x.shape[:2], W.shape[1])
    driven = b[:, None, None] + x.movedim(2, 1)[..., None] * U[:, None, None, :, 0]  # b + U x⁽ᵗ⁾: (nets, tau, n, n_h)
    for now in driven.unbind(1):
        h = now.baddbmm(h, W.mT).tanh()  # a⁽ᵗ⁾ = b + U x⁽ᵗ⁾ + W h⁽ᵗ⁻¹⁾
    return c[:, None] + h @ V.mT


def draw(nets: int, length: int, n: int, rng: np.random.Generator) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Latch sequences (nets, n, length) for a stack of nets, and their classes (nets, n)."""
    import torch

    x, y = latch(length, nets * n, rng)
    return torch.from_numpy(x.reshape(nets, n, length)), torch.from_numpy(y.reshape(nets, n))


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

    from companion.training import train

    q = torch.nn.ParameterList(torch.tensor(v) for v in _stack(p))
    length, batch = check.integer("length", length, 4), check.integer("batch", batch, 1)
    updates, rng = check.integer("updates", updates, 1), check.generator("rng", rng)
    train(
        q,
        lambda step: draw(len(p.b), length, batch, rng),
        lambda q, x, y: summed_loss(_logits(RNN(*q), x), y),
        steps=updates,
        every=updates,
        lr=lr,
        optimizer=optimizer,
        clip=clip,
        each=True,
        desc=f"{len(p.b)} nets, length {length}",
    )
    return RNN(*(v.detach().numpy() for v in q))


def summed_loss(o: "torch.Tensor", y: "torch.Tensor") -> "torch.Tensor":
    """The cross-entropy of a stack's answers o (nets, n, 2) to y (nets, n): a mean over n, summed over the nets."""
    import torch

    return torch.nn.functional.cross_entropy(o.flatten(0, 1), y.flatten(), reduction="sum") / y.shape[1]


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

    q = RNN(*(torch.from_numpy(v) for v in _stack(p)))
    length, n = check.integer("length", length, 4), check.integer("n", n, 1)
    x, y = draw(len(q.b), length, n, check.generator("rng", rng))
    return (_logits(q, x).argmax(-1) == y).double().mean(1).numpy()
