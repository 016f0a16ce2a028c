"""Section 10.9.3: which connections let a small net keep one bit? Many nets trained at once.

A *stack* of nets is a `LeakyRNN` whose arrays have one more axis in front; the nets share nothing but the clock.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from companion.cells.leaky import LeakyRNN, delayed
from companion.core import tree
from companion.core.checks import Count, Positive, checked, parameters
from companion.data.tasks import latch
from companion.longterm.stacks import answers, driven, fresh, share_right, skipping_states, summed_loss

if TYPE_CHECKING:
    import torch

__all__ = ["recall_accuracies", "recall_accuracy", "recall_init", "recall_train"]


def _stack(name: str, p: LeakyRNN) -> LeakyRNN:
    p = parameters(name, p, LeakyRNN, lead=("nets",), n_x=1, n_o=2)
    return p._replace(delays=delayed(f"{name}.delays", p.delays, p.W.shape[1]))


Stack = Annotated[Any, _stack]
"""A stack of nets with one input and two classes, a `LeakyRNN`."""

Length = Annotated[int, (4, None)]
"""Steps a sequence."""


@checked
def recall_init(
    nets: Count,
    n_h: Count,
    delays: Annotated[Sequence[int], delayed],
    rng: np.random.Generator,
    taus: Annotated[np.ndarray, 2, (1e-6, None)] | None = None,
) -> LeakyRNN:
    """Draw a stack of small nets for the latch task: one input, n_h units, two classes (Section 10.9.3).

    Weights are uniform on ±1/√n_h. Time constants are log-uniform between the two `taus`, or 0 (no leak).

    Parameters
    ----------
    delays : different integers ≥ 1, in steps.
    taus : shortest and longest time constant in steps; None for α = 0.

    Returns
    -------
    A stack: U (nets, n_h, 1), W (nets, delays, n_h, n_h), V (nets, 2, n_h), b, alpha (nets, n_h), c (nets, 2).
    """
    alpha = np.zeros((nets, n_h))
    if taus is not None:
        alpha = np.exp(-np.exp(-rng.uniform(np.log(taus.min()), np.log(taus.max()), (nets, n_h))))
    shapes = ((n_h, 1), (len(delays), n_h, n_h), (2, n_h), (n_h,), (2,))
    return LeakyRNN(*(rng.uniform(-(n_h**-0.5), n_h**-0.5, (nets, *shape)) for shape in shapes), alpha, delays)


def _states(p: LeakyRNN, x: "torch.Tensor") -> list["torch.Tensor"]:
    """h⁽⁰⁾ … h⁽τ⁾ (nets, n, n_h) of a stack, in torch, on x (nets, n, tau, 1)."""
    skips = tuple(zip(p.delays, p.W.unbind(1), strict=True))
    return skipping_states(driven(p.U, p.b, x), skips, p.alpha)


def _logits(p: LeakyRNN, x: "torch.Tensor") -> "torch.Tensor":
    """The answers (nets, n, 2) of a stack, in torch, after the last step of x (nets, n, tau, 1)."""
    return answers(p.V, p.c, _states(p, x)[-1])


@checked
def recall_train(
    p: Stack,
    length: Length,
    rng: np.random.Generator,
    updates: Count = 400,
    learn_alpha: bool = False,
    batch: Count = 16,
    lr: Positive = 0.5,
) -> LeakyRNN:
    """Train every net of a stack on the latch task of one length, each on fresh sequences (Section 10.9.3).

    Plain gradient descent on the cross-entropy of the one answer; each net's gradient is clipped to norm 1.
    With `learn_alpha`, α = σ(s) and s is a parameter like the others.

    Parameters
    ----------
    p : a stack, from `recall_init`; it is not changed. updates : gradient steps. batch : sequences a net and update.
    learn_alpha : whether α is learned; it must then lie strictly between 0 and 1. lr : learning rate.

    Returns
    -------
    The trained stack.
    """
    import torch

    if learn_alpha and not ((p.alpha > 0) & (p.alpha < 1)).all():
        raise ValueError("p.alpha: want numbers strictly between 0 and 1 to learn from")
    s = torch.logit(torch.tensor(p.alpha))  # α = σ(s)
    q = torch.nn.ParameterList([*(torch.tensor(v) for v in p[:5]), *([s] if learn_alpha else [])])

    def net() -> LeakyRNN:
        return LeakyRNN(*q[:5], torch.sigmoid(q[5]) if learn_alpha else torch.tensor(p.alpha), p.delays)

    descend(q, lambda x: _logits(net(), x), len(p.b), length, rng, updates, batch, lr)
    return tree.map(lambda v: v.detach().numpy(), net())


def descend(
    q: "torch.nn.Module",
    logits: Callable[["torch.Tensor"], "torch.Tensor"],
    nets: int,
    length: int,
    rng: np.random.Generator,
    updates: int,
    batch: int,
    lr: float,
) -> None:
    """Train the parameters q of a stack in place on the latch task: gradient descent, each net's clipped to norm 1."""
    import torch

    from companion.training import each_by_norm, train

    train(
        q,
        lambda step: fresh(latch, nets, length, batch, rng, torch.float64),
        lambda _, x, y: summed_loss(logits(x), y),
        steps=updates,
        every=updates,
        lr=lr,
        optimizer="sgd",
        rule=each_by_norm(1.0),
        desc=f"{nets} nets, length {length}",
    )


@checked
def recall_accuracy(p: Stack, length: Length, rng: np.random.Generator, n: Count = 300) -> np.ndarray:
    """The share of n fresh latch sequences that each net of a stack answers rightly, shape (nets,) (Section 10.9.3).

    The length need not be that of training.
    """
    return recall_accuracies(p, [length], rng, n)[0]


@checked
def recall_accuracies(
    p: Stack, lengths: Annotated[np.ndarray, "lengths", (4, None)], rng: np.random.Generator, n: Count = 300
) -> np.ndarray:
    """The same at several lengths, each asked on the way through one run of the longest: (lengths, nets) (10.9.3)."""
    import torch

    q = tree.map(torch.tensor, p)
    return asked(lambda x: _states(q, x), q.V, q.c, lengths.astype(int), rng, n)


def asked(
    states: Callable[["torch.Tensor"], list["torch.Tensor"]],
    V: "torch.Tensor",
    c: "torch.Tensor",
    lengths: np.ndarray,
    rng: np.random.Generator,
    n: int,
) -> np.ndarray:
    """The share of n latch sequences that each net of a stack answers rightly at each length: (lengths, nets)."""
    import torch

    x, y = fresh(latch, len(V), int(lengths.max()), n, rng, torch.float64)
    h = states(x)
    return np.array([share_right(answers(V, c, h[m]), y) for m in lengths])
