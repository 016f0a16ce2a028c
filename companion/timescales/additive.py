"""Section 10.9.2: which additive connection keeps one bit? Many small nets trained at once, as in `recall`.

The cell itself is `companion.cells.additive`; a stack is its parameters with one more axis in front, and a read-out.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np

from companion.cells.additive import Additive
from companion.cells.gate import Gate
from companion.core import tree
from companion.core.checks import Count, Positive, checked, parameters
from companion.longterm.stacks import answers
from companion.timescales.recall import Length, asked, descend

if TYPE_CHECKING:
    import torch

__all__ = ["Keeper", "keeper_accuracies", "keeper_init", "keeper_train"]


class Keeper(NamedTuple):
    """A net for the latch task: an additive cell with one input, and an answer c + V h⁽τ⁾ of two classes."""

    cell: Additive
    V: Annotated[np.ndarray, "n_o", "n_h"]
    c: Annotated[np.ndarray, "n_o"]


def _stack(name: str, p: Keeper) -> Keeper:
    return parameters(name, p, Keeper, lead=("nets",), n_x=1, n_o=2)


Stack = Annotated[Any, _stack]
"""A stack of nets with one input and two classes, a `Keeper`."""


@checked
def keeper_init(
    nets: Count,
    n_h: Count,
    rng: np.random.Generator,
    connection: Literal["residual", "adaptive"] = "adaptive",
    taus: Annotated[np.ndarray, 2, (1e-6, None)] | None = None,
) -> Keeper:
    """Draw a stack of nets for the latch task: every weight uniform on ±1/√n_h (Section 10.9.2).

    Parameters
    ----------
    taus : shortest and longest time constant of the gates, in steps: b^λ is drawn so that λ = exp(−1/τ) where nothing
        else moves the gate, with τ log-uniform between the two. None: b^λ is drawn as every other weight.
    """
    bound = n_h**-0.5

    def draw(*shape: int) -> np.ndarray:
        return rng.uniform(-bound, bound, (nets, *shape))

    z = Gate(draw(n_h, 1), draw(n_h, n_h), draw(n_h))
    lam = Gate(draw(n_h, 1), draw(n_h, n_h), draw(n_h)) if connection == "adaptive" else None
    if taus is not None and lam is not None:
        alpha = np.exp(-np.exp(-rng.uniform(np.log(taus.min()), np.log(taus.max()), (nets, n_h))))
        lam = lam._replace(b=np.log(alpha / (1.0 - alpha)))
    return Keeper(Additive(z, lam), draw(2, n_h), draw(2))


def _layer(gate: Gate, x: "torch.Tensor", h: "torch.Tensor") -> "torch.Tensor":
    """b + U x⁽ᵗ⁾ + W h⁽ᵗ⁻¹⁾ for every net and sequence: (nets, n, n_h)."""
    return gate.b[:, None] + x @ gate.U.mT + h @ gate.W.mT


def _states(p: Additive, x: "torch.Tensor") -> list["torch.Tensor"]:
    """h⁽⁰⁾ … h⁽τ⁾ (nets, n, n_h) of a stack, in torch, on x (nets, n, tau, 1)."""
    h = [x.new_zeros(*x.shape[:2], p.z.b.shape[-1])]
    for x_t in x.unbind(2):
        z = _layer(p.z, x_t, h[-1]).tanh()
        if p.lam is None:
            h.append(h[-1] + z)
        else:
            lam = _layer(p.lam, x_t, h[-1]).sigmoid()
            h.append(lam * h[-1] + (1 - lam) * z)
    return h


@checked
def keeper_train(
    p: Stack, length: Length, rng: np.random.Generator, updates: Count = 400, batch: Count = 16, lr: Positive = 0.5
) -> Keeper:
    """Train every net of a stack on the latch task of one length, exactly as `recall_train` does (Section 10.9.2).

    Parameters
    ----------
    p : a stack, from `keeper_init`; it is not changed. updates : gradient steps. batch : sequences a net and update.
    lr : learning rate.
    """
    import torch

    q = tree.map(lambda v: torch.nn.Parameter(torch.tensor(v)), p)

    def logits(x: torch.Tensor) -> torch.Tensor:
        return answers(q.V, q.c, _states(q.cell, x)[-1])

    descend(torch.nn.ParameterList(tree.leaves(q).values()), logits, len(p.V), length, rng, updates, batch, lr)
    return tree.map(lambda v: v.detach().numpy(), q)


@checked
def keeper_accuracies(
    p: Stack, lengths: Annotated[np.ndarray, "lengths", (4, None)], rng: np.random.Generator, n: Count = 300
) -> np.ndarray:
    """The share of fresh latch sequences answered rightly, as `recall_accuracies` asks: (lengths, nets) (10.9.2)."""
    import torch

    q = tree.map(torch.tensor, p)
    return asked(lambda x: _states(q.cell, x), q.V, q.c, lengths.astype(int), rng, n)
