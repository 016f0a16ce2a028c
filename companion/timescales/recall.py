"""Section 10.9.3: which connections let a small net keep one bit? Many nets trained at once.

A *stack* of nets is a `LeakyRNN` whose arrays have one more axis in front; the nets share nothing but the clock.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from companion.cells.leaky import LeakyRNN, delayed
from companion.core import checks as check
from companion.core import tree
from companion.data.tasks import latch
from companion.longterm.stacks import answers, driven, fresh, share_right, skipping_states, summed_loss

if TYPE_CHECKING:
    import torch

__all__ = ["recall_accuracy", "recall_init", "recall_train"]


def recall_init(
    nets: int, n_h: int, delays: Sequence[int], rng: np.random.Generator, taus: tuple[float, float] | None = None
) -> LeakyRNN:
    """Draw a stack of small nets for the latch task: one input, n_h units, two classes (Section 10.9.3).

    Weights are uniform on ±1/√n_h. Time constants are log-uniform between the two `taus`, or 0 (no leak).

    Parameters
    ----------
    nets, n_h : how many nets, and units of each, ≥ 1.
    delays : different integers ≥ 1, in steps.
    rng : the generator to draw from.
    taus : shortest and longest time constant in steps, > 0; None for α = 0.

    Returns
    -------
    A stack: U (nets, n_h, 1), W (nets, delays, n_h, n_h), V (nets, 2, n_h), b, alpha (nets, n_h), c (nets, 2).
    """
    nets, n_h, delays = check.integer("nets", nets, 1), check.integer("n_h", n_h, 1), delayed("delays", delays)
    check.generator("rng", rng)
    alpha = np.zeros((nets, n_h))
    if taus is not None:
        low, high = (check.number("taus", v, 1e-6) for v in check.array("taus", taus, (2,)).tolist())
        alpha = np.exp(-np.exp(-rng.uniform(np.log(min(low, high)), np.log(max(low, high)), (nets, n_h))))
    shapes = ((n_h, 1), (len(delays), n_h, n_h), (2, n_h), (n_h,), (2,))
    return LeakyRNN(*(rng.uniform(-(n_h**-0.5), n_h**-0.5, (nets, *shape)) for shape in shapes), alpha, delays)


def _stack(p: LeakyRNN) -> LeakyRNN:
    """The stack as float64 arrays whose shapes fit together, with its delays."""
    p = check.parameters("p", p, LeakyRNN, lead=("nets",), n_x=1, n_o=2)
    return p._replace(delays=delayed("p.delays", p.delays, p.W.shape[1]))


def _logits(p: LeakyRNN, x: "torch.Tensor") -> "torch.Tensor":
    """The answers (nets, n, 2) of a stack, in torch, after the last step of x (nets, n, tau, 1)."""
    skips = tuple(zip(p.delays, p.W.unbind(1), strict=True))
    return answers(p.V, p.c, skipping_states(driven(p.U, p.b, x), skips, p.alpha)[-1])


def recall_train(
    p: LeakyRNN,
    length: int,
    rng: np.random.Generator,
    updates: int = 400,
    learn_alpha: bool = False,
    batch: int = 16,
    lr: float = 0.5,
) -> LeakyRNN:
    """Train every net of a stack on the latch task of one length, each on fresh sequences (Section 10.9.3).

    Plain gradient descent on the cross-entropy of the one answer; each net's gradient is clipped to norm 1.
    With `learn_alpha`, α = σ(s) and s is a parameter like the others.

    Parameters
    ----------
    p : a stack, from `recall_init`; it is not changed.
    length : steps a sequence, ≥ 4.
    rng : the source of the sequences.
    updates : gradient steps, ≥ 0.
    learn_alpha : whether α is learned; it must then lie strictly between 0 and 1.
    batch : sequences a net and update, ≥ 1.
    lr : learning rate, ≥ 0.

    Returns
    -------
    The trained stack.
    """
    import torch

    from companion.training import each_by_norm, train

    p, length = _stack(p), check.integer("length", length, 4)
    updates, batch = check.integer("updates", updates, 1), check.integer("batch", batch, 1)
    rng = check.generator("rng", rng)
    if learn_alpha and not ((p.alpha > 0) & (p.alpha < 1)).all():
        raise ValueError("p.alpha: want numbers strictly between 0 and 1 to learn from")
    s = torch.logit(torch.tensor(p.alpha))  # α = σ(s)
    q = torch.nn.ParameterList([*(torch.tensor(v) for v in p[:5]), *([s] if learn_alpha else [])])

    def net() -> LeakyRNN:
        return LeakyRNN(*q[:5], torch.sigmoid(q[5]) if learn_alpha else torch.tensor(p.alpha), p.delays)

    train(
        q,
        lambda step: fresh(latch, len(p.b), length, batch, rng, torch.float64),
        lambda _, x, y: summed_loss(_logits(net(), x), y),
        steps=updates,
        every=updates,
        lr=lr,
        optimizer="sgd",
        rule=each_by_norm(1.0),
        desc=f"{len(p.b)} nets, length {length}",
    )
    return tree.map(lambda v: v.detach().numpy(), net())


def recall_accuracy(p: LeakyRNN, length: int, rng: np.random.Generator, n: int = 300) -> np.ndarray:
    """The share of fresh latch sequences that each net of a stack answers rightly (Section 10.9.3).

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

    p, length, n = _stack(p), check.integer("length", length, 4), check.integer("n", n, 1)
    x, y = fresh(latch, len(p.b), length, n, rng, torch.float64)
    return share_right(_logits(tree.map(torch.tensor, p), x), y)
