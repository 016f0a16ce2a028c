"""Section 10.11: which rule of descent learns the temporal order task? Many nets trained side by side.

A *stack* of nets is an `RNN` whose fields have one more axis in front; the nets share nothing but the clock.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from companion.cells.rnn import RNN, rnn_init
from companion.core import checks as check
from companion.data.tasks import temporal_order
from companion.recurrent import stack

if TYPE_CHECKING:
    import torch

__all__ = ["RULES", "Trained", "order_accuracy", "order_init", "order_train"]

RULES = ("plain", "clip", "random")


class Trained(NamedTuple):
    """What training left: the nets, each update's gradient norms before the rule, and which nets broke."""

    p: RNN  # a stack
    norms: np.ndarray  # (updates, nets), NaN where a gradient was not finite
    broken: np.ndarray  # (nets,), True where a gradient was not finite at least once


def order_init(nets: int, n_h: int, rng: np.random.Generator, radius: float = 0.95) -> RNN:
    """Draw a stack of nets for the temporal order task: six inputs, n_h tanh units, four classes (Section 10.11).

    Parameters
    ----------
    nets, n_h : how many nets, and units of each, ≥ 1.
    rng : the source of randomness.
    radius : spectral radius of every W, ≥ 0.

    Returns
    -------
    A stack: U (nets, n_h, 6), W (nets, n_h, n_h), V (nets, 4, n_h), b (nets, n_h), c (nets, 4).
    """
    return stack([rnn_init(6, n_h, 4, rng, radius) for _ in range(check.integer("nets", nets, 1))])


def _stack(p: RNN) -> RNN:
    """The stack as float64 arrays whose shapes fit together."""
    if not isinstance(p, RNN):
        raise ValueError(f"p: want a stack of nets as RNN(U, W, V, b, c), got {type(p).__name__}")
    m, n, _ = check.array("p.U", p.U, ("nets", "n_h", 6)).shape
    shapes = ((m, n, 6), (m, n, n), (m, 4, n), (m, n), (m, 4))
    return RNN(*(check.array(f"p.{k}", v, s) for k, v, s in zip(p._fields, p, shapes, strict=True)))


def _states(p: RNN, x: "torch.Tensor") -> list["torch.Tensor"]:
    """h⁽⁰⁾ … h⁽τ⁾ of a stack, each (nets, n, n_h), in torch, for x (nets, n, tau, 6)."""
    m, n, tau, _ = x.shape
    driven = p.b[:, None].baddbmm(x.reshape(m, n * tau, 6), p.U.mT).reshape(m, n, tau, -1)
    h = [x.new_zeros(m, n, p.W.shape[1])]
    for a in driven.unbind(2):
        h.append(a.baddbmm(h[-1], p.W.mT).tanh())
    return h


def _losses(p: RNN, h: "torch.Tensor", y: "torch.Tensor") -> "torch.Tensor":
    """Each net's cross-entropy (nets,) from its last state h (nets, n, n_h) and classes y (nets, n)."""
    import torch

    o = p.c[:, None].baddbmm(h, p.V.mT)
    return torch.nn.functional.cross_entropy(o.flatten(0, 1), y.flatten(), reduction="none").reshape(y.shape).mean(1)


def _flow(W: "torch.Tensor", h: "torch.Tensor", g: "torch.Tensor") -> "torch.Tensor":
    """Each net's Ω (nets,), a mean over its sequences, with states h and vectors g (tau, nets, n, n_h) held fixed."""
    before, after = g.norm(dim=-1), (((1 - h**2) * g) @ W).norm(dim=-1)
    here = before > 0
    return (((after / before.where(here, 1.0) - 1) ** 2) * here).sum(0).mean(1)


def _sizes(g: list["torch.Tensor"]) -> "torch.Tensor":
    """The norm of each net's gradient, (nets,)."""
    return sum((v**2).flatten(1).sum(1) for v in g).sqrt()


def _steps(g: list["torch.Tensor"], rule: str, v: float, draws: "torch.Generator") -> list["torch.Tensor"]:
    """What each net steps along: its gradient after the rule, and nothing where that is not finite."""
    import torch

    norms, each = _sizes(g), lambda factor, like: factor.reshape(-1, *[1] * (like.ndim - 1))
    if rule == "clip":
        g = [each((v / norms).clamp(max=1), u) * u for u in g]
    elif rule == "random":
        drawn = [torch.randn(u.shape, generator=draws, dtype=u.dtype) for u in g]
        scale, large = v / _sizes(drawn), norms > v
        g = [torch.where(each(large, u), each(scale, u) * d, u) for u, d in zip(g, drawn, strict=True)]
    return [torch.where(each(norms.isfinite(), u), u, 0.0) for u in g]


def order_train(
    p: RNN,
    length: int,
    rng: np.random.Generator,
    rule: str = "clip",
    v: float = 1.0,
    flow: float = 0.0,
    updates: int = 2000,
    batch: int = 20,
    lr: float = 0.1,
) -> Trained:
    """Train every net of a stack on the temporal order task by descent under one rule (Section 10.11).

    The gradient g of cross-entropy + `flow` · Ω (Ω with fixed states and vectors, as in `omega_gradient`) moves the
    weights by −lr g: "plain" as it is; "clip" with ‖g‖ cut to v; "random" with a random step of length v wherever
    ‖g‖ > v. A net whose gradient is not finite skips the update and counts as broken.

    Parameters
    ----------
    p : a stack, from `order_init`; it is not changed. Training runs in float32.
    length : steps a sequence, ≥ 10.
    rng : the source of the sequences and random steps.
    rule : "plain", "clip" or "random".
    v : threshold, > 0; "plain" ignores it.
    flow : weight of Ω, ≥ 0.
    updates, batch : gradient steps, and sequences a net and step, ≥ 1.
    lr : learning rate, > 0.

    Returns
    -------
    Trained(p, norms, broken).

    References
    ----------
    pascanu2013
    """
    import torch

    from companion.training import train

    p, length, rule = _stack(p), check.integer("length", length, 10), check.choice("rule", rule, RULES)
    v, flow, batch = check.positive("v", v), check.number("flow", flow, 0), check.integer("batch", batch, 1)
    rng, nets, norms = check.generator("rng", rng), len(p.b), []
    q = torch.nn.ParameterList(torch.tensor(w, dtype=torch.float32) for w in p)
    draws = torch.Generator().manual_seed(int(rng.integers(2**31)))

    def surrogate(q: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """A number that is the nets' loss and whose gradient is the step that the rule allows."""
        net = RNN(*q)
        h = _states(net, x)
        losses = _losses(net, h[-1], y)
        whole = losses.sum()
        if flow:
            g_h = torch.autograd.grad(whole, h[1:], retain_graph=True)
            whole = whole + flow * _flow(net.W, torch.stack(h[1:]).detach(), torch.stack(g_h)).sum()
        g = torch.autograd.grad(whole, list(q))
        norms.append(_sizes(g).numpy())
        steps = _steps(list(g), rule, v, draws)
        return losses.detach().nan_to_num().sum() + sum(
            (s * (w - w.detach())).sum() for s, w in zip(steps, q, strict=True)
        )

    def data(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        return _draw(nets, length, batch, rng)

    train(
        q,
        data,
        surrogate,
        steps=check.integer("updates", updates, 1),
        every=updates,
        lr=lr,
        clip=None,
        each=True,
        optimizer="sgd",
        desc=f"{nets} nets, length {length}, {rule}",
    )
    sizes = np.array(norms, dtype=np.float64)
    finite = np.isfinite(sizes)
    return Trained(RNN(*(w.detach().double().numpy() for w in q)), np.where(finite, sizes, np.nan), ~finite.all(axis=0))


def _draw(nets: int, length: int, n: int, rng: np.random.Generator) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Sequences (nets, n, length, 6) for a stack of nets, and their classes (nets, n)."""
    import torch

    x, y = temporal_order(length, nets * n, rng)
    return torch.tensor(x.reshape(nets, n, length, 6), dtype=torch.float32), torch.from_numpy(y.reshape(nets, n))


def order_accuracy(p: RNN, length: int, rng: np.random.Generator, n: int = 500) -> np.ndarray:
    """The share of fresh temporal order sequences that each net of a stack answers rightly (Section 10.11).

    Parameters
    ----------
    p : a stack.
    length : steps a sequence, ≥ 10; it need not be the length of training.
    rng : the source of the sequences.
    n : sequences a net, ≥ 1.

    Returns
    -------
    Accuracies, shape (nets,).
    """
    import torch

    q = RNN(*(torch.tensor(w, dtype=torch.float32) for w in _stack(p)))
    x, y = _draw(len(q.b), check.integer("length", length, 10), check.integer("n", n, 1), check.generator("rng", rng))
    o = q.c[:, None].baddbmm(_states(q, x)[-1], q.V.mT)
    return (o.argmax(-1) == y).double().mean(1).numpy()
