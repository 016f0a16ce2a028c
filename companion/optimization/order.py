"""Section 10.11: which rule of descent learns the temporal order task? Many nets trained side by side.

A *stack* of nets is an `RNN` whose fields have one more axis in front; the nets share nothing but the clock.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np

from companion.cells.rnn import RNN, rnn_init
from companion.core.checks import Count, Positive, checked
from companion.core.functions import Numbers
from companion.data.tasks import temporal_order
from companion.longterm.stacks import answers, checked_stack, fresh, stack_accuracy, stack_states, summed_loss
from companion.recurrent import stack

if TYPE_CHECKING:
    import torch

    from companion.training import Rule

__all__ = ["RULES", "Trained", "order_accuracy", "order_init", "order_train"]

RULES = ("plain", "clip", "random")

Stack = Annotated[Any, lambda name, p: checked_stack(p, 6, 4)]
"""A stack of nets with six inputs and four classes, an `RNN`."""

Length = Annotated[int, (10, None)]
"""Steps a sequence."""


def _weights_of_flow(name: str, value: np.ndarray) -> np.ndarray:
    if (value < 0).any():
        raise ValueError(f"{name}: want at least 0, got {value.min():g}")
    return value


def _rates(name: str, value: np.ndarray) -> np.ndarray:
    if not (value > 0).all():
        raise ValueError(f"{name}: want numbers above 0, got {value.min():g}")
    return value


class Trained(NamedTuple):
    """What training left: the nets, each update's gradient norms before the rule, and which nets broke."""

    p: RNN  # a stack
    norms: np.ndarray  # (updates, nets), NaN where a gradient was not finite
    broken: np.ndarray  # (nets,), True where a gradient was not finite at least once


@checked
def order_init(nets: Count, n_h: Count, rng: np.random.Generator, radius: Annotated[float, (0, None)] = 0.95) -> RNN:
    """Draw a stack of nets for the temporal order task: six inputs, n_h tanh units, four classes (Section 10.11).

    Every W has the spectral radius `radius`.

    Returns
    -------
    A stack: U (nets, n_h, 6), W (nets, n_h, n_h), V (nets, 4, n_h), b (nets, n_h), c (nets, 4).
    """
    return stack([rnn_init(6, n_h, 4, rng, radius) for _ in range(nets)])


def _flow(W: "torch.Tensor", h: "torch.Tensor", g: "torch.Tensor") -> "torch.Tensor":
    """Each net's Ω (nets,), a mean over its sequences, with states h and vectors g (tau, nets, n, n_h) held fixed."""
    before, after = g.norm(dim=-1), (((1 - h**2) * g) @ W).norm(dim=-1)
    here = before > 0
    return (((after / before.where(here, 1.0) - 1) ** 2) * here).sum(0).mean(1)


def _each(factor: "torch.Tensor", like: "torch.Tensor") -> "torch.Tensor":
    """One number a net, with as many axes as a parameter of the stack has."""
    return factor.reshape(-1, *[1] * (like.ndim - 1))


def _each_at_random(v: float, draws: "torch.Generator") -> Callable[["torch.nn.Module"], None]:
    """The rule that replaces the gradient of each net with ‖g‖ > v by a random step of length v."""
    import torch

    from companion.training import net_norms

    def rule(q: torch.nn.Module) -> None:
        large = net_norms(q) > v
        drawn = [torch.randn(w.shape, generator=draws, dtype=w.dtype) for w in q]
        scale = v / sum((d**2).flatten(1).sum(1) for d in drawn).sqrt()
        for w, d in zip(q, drawn, strict=True):
            w.grad = torch.where(_each(large, w), _each(scale, w) * d, w.grad)

    return rule


def _rule(way: str, v: float, share: np.ndarray, draws: "torch.Generator", norms: list) -> "Rule":
    """The rule of `order_train` for a stack, net by net times `share`; norms before it are added to `norms`."""
    import torch

    from companion.training import each_by_norm, net_norms

    share = torch.tensor(share, dtype=torch.float32)
    change = {"plain": lambda q: None, "clip": each_by_norm(v), "random": _each_at_random(v, draws)}[way]

    def rule(q: torch.nn.Module) -> torch.Tensor:
        norms.append(net_norms(q))
        finite = norms[-1].isfinite()
        change(q)
        for w in q:  # a net whose gradient is not finite stands still
            w.grad = torch.where(_each(finite, w), _each(share, w) * w.grad, 0.0)
        return norms[-1].where(finite, 0.0).max()

    return rule


@checked
def order_train(
    p: Stack,
    length: Length,
    rng: np.random.Generator,
    rule: Literal[RULES] = "clip",
    v: Positive = 1.0,
    flow: Annotated[Numbers, _weights_of_flow] = 0.0,
    updates: Count = 2000,
    batch: Count = 20,
    lr: Annotated[Numbers, _rates] = 0.1,
) -> Trained:
    """Train every net of a stack on the temporal order task by descent under one rule (Section 10.11).

    The gradient g of cross-entropy + `flow` · Ω (Ω with fixed states and vectors, as in `omega_gradient`) moves the
    weights by −lr g: "plain" as it is; "clip" with ‖g‖ cut to v; "random" with a random step of length v wherever
    ‖g‖ > v. A net whose gradient is not finite skips the update and counts as broken.

    Parameters
    ----------
    p : a stack, from `order_init`; it is not changed. Training runs in float32.
    v : threshold; "plain" ignores it. flow : weight of Ω, one for all nets or one for each. updates : gradient steps.
    batch : sequences a net and step. lr : learning rate, one for all nets or one for each.

    Reference: pascanu2013
    """
    import torch

    from companion.training import train

    nets, norms = len(p.b), []
    for name, each in (("flow", flow), ("lr", lr)):
        if each.shape not in ((), (nets,)):
            raise ValueError(f"{name}: want one number or {nets}, as many as there are nets, got shape {each.shape}")
    largest = float(lr.max())
    weight = torch.tensor(flow, dtype=torch.float32)
    q = torch.nn.ParameterList(torch.tensor(w, dtype=torch.float32) for w in p)
    draws = torch.Generator().manual_seed(int(rng.integers(2**31)))

    def loss(q: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        net = RNN(*q)
        h = stack_states(net, x)
        whole = summed_loss(answers(net.V, net.c, h[-1]), y)
        if flow.any():
            g_h = torch.autograd.grad(whole, h[1:], retain_graph=True)
            penalties = _flow(net.W, torch.stack(h[1:]).detach(), torch.stack(g_h))
            whole = whole + (weight * penalties.where(penalties.isfinite(), 0.0)).sum()
        return whole

    train(
        q,
        lambda step: fresh(temporal_order, nets, length, batch, rng, torch.float32),
        loss,
        steps=updates,
        every=updates,
        lr=largest,
        rule=_rule(rule, v, np.broadcast_to(lr / largest, nets), draws, norms),
        optimizer="sgd",
        desc=f"{nets} nets, length {length}, {rule}",
    )
    sizes = torch.stack(norms).double().numpy()
    finite = np.isfinite(sizes)
    return Trained(RNN(*(w.detach().double().numpy() for w in q)), np.where(finite, sizes, np.nan), ~finite.all(axis=0))


@checked
def order_accuracy(p: Stack, length: Length, rng: np.random.Generator, n: Count = 500) -> np.ndarray:
    """The share of n fresh sequences of the temporal order task that each net of a stack answers rightly, (nets,).

    The length need not be that of training (Section 10.11).
    """
    import torch

    return stack_accuracy(p, temporal_order, length, n, rng, torch.float32)
