"""A Neural Turing Machine for PyTorch: a controller, a tape, a reading and a writing head (Section 10.13.2).

The head's four steps are those of `companion.memory.addressing`, for a batch; a test holds the two equal. Letters:
memory M (batch, cells, width), weightings w (batch, cells), and what a head emits: key k, strength β, gate g, shift
s, sharpening γ, erase e, add a.
"""

from typing import Annotated, Literal, NamedTuple

import torch
from torch import Tensor, nn

from companion.core.checks import Count, checked

__all__ = ["CONTROLLERS", "Machine", "Orders", "State", "StateOnly", "Tape", "addressed", "orders", "rewritten"]

CONTROLLERS = ("feedforward", "lstm")
BLANK = 1e-6  # what every cell holds before the first step (collier2018)
TINY = 1e-12  # keeps a norm of 0 from dividing


class Orders(NamedTuple):
    """What the heads are told at one step: k (n, heads, width), β g γ (n, heads, 1), s (n, heads, 3)."""

    k: Tensor
    beta: Tensor
    g: Tensor
    s: Tensor
    gamma: Tensor


class State(NamedTuple):
    """What a machine carries on.

    Memory M (n, cells, width), weightings w (n, 2, cells) of the reading and the writing head, the vector read
    r (n, width), and the controller's own state h, c (n, n_h).
    """

    M: Tensor
    w: Tensor
    r: Tensor
    h: Tensor
    c: Tensor


class Tape(NamedTuple):
    """A run, one entry a step: logits o (n, tau, n_o), weightings w (n, tau, 2, cells), M (n, tau, cells, width)."""

    o: Tensor
    w: Tensor
    M: Tensor


def orders(a: Tensor, width: int) -> Orders:
    """Squash width + 6 pre-activations a head, (n, heads, width + 6), into the ranges that addressing wants.

    k by tanh, β ≥ 0 and γ ≥ 1 through softplus, 0 < g < 1 through the sigmoid, s a distribution through softmax.
    """
    k, beta, g, s, gamma = a.split([width, 1, 1, 3, 1], dim=-1)
    softplus = nn.functional.softplus
    return Orders(torch.tanh(k), softplus(beta), torch.sigmoid(g), torch.softmax(s, -1), 1 + softplus(gamma))


def addressed(M: Tensor, p: Orders, w: Tensor) -> Tensor:
    """The four steps from the old weightings to the new ones, (n, heads, cells): content, gate, shift, sharpening."""
    norms = p.k.norm(dim=2, keepdim=True) * M.norm(dim=2)[:, None]
    cosine = (p.k @ M.mT) / norms.clamp(min=TINY)
    w = w.lerp(torch.softmax(p.beta * cosine, dim=2), p.g)
    back, stay, on = p.s.split(1, dim=2)
    w = back * w.roll(-1, 2) + stay * w + on * w.roll(1, 2)
    w = (w / w.amax(2, keepdim=True).detach()) ** p.gamma  # the largest is 1, so the powers cannot all underflow
    return w / w.sum(2, keepdim=True)


def rewritten(M: Tensor, w: Tensor, e: Tensor, a: Tensor) -> Tensor:
    """Erase, then add: M ∘ (1 − w eᵀ) + w aᵀ, for a weighting (n, cells) and vectors (n, width)."""
    w = w[:, :, None]
    return M * (1 - w * e[:, None]) + w * a[:, None]


class Machine(nn.Module):
    """A Neural Turing Machine with one reading and one writing head.

    At step t both heads look at M⁽ᵗ⁻¹⁾; the writing head changes it to M⁽ᵗ⁾; the reading head reads r⁽ᵗ⁾ from M⁽ᵗ⁾.
    The controller sees x⁽ᵗ⁾ and r⁽ᵗ⁻¹⁾. Before step 1 every cell is blank and both heads stand at the first cell.

    Parameters
    ----------
    n_x, n_o : widths of input and output. cells, width : size of the memory.
    n_h : controller units. controller : "feedforward" (one tanh layer, no state of its own) or "lstm".

    References: graves2014, collier2018
    """

    @checked
    def __init__(
        self,
        n_x: Count,
        n_o: Count,
        cells: Annotated[int, (3, None)],
        width: Count,
        n_h: Count = 100,
        controller: Literal[CONTROLLERS] = "feedforward",
    ) -> None:
        super().__init__()
        self.cells, self.width, self.n_h = cells, width, n_h
        self.recurrent = controller == "lstm"
        self.controller = (nn.LSTMCell if self.recurrent else nn.Linear)(n_x + width, n_h)
        self.heads = nn.Linear(n_h, 2 * (width + 6))
        self.change = nn.Linear(n_h, 2 * width)  # erase and add
        self.output = nn.Linear(n_h + width, n_o)

    def start(self, n: int) -> State:
        """The state before the first step of n sequences."""
        like = self.output.weight
        w, zero = like.new_zeros(n, 2, self.cells), like.new_zeros(n, self.n_h)
        w[:, :, 0] = 1
        return State(like.new_full((n, self.cells, self.width), BLANK), w, like.new_zeros(n, self.width), zero, zero)

    def step(self, x: Tensor, old: State) -> tuple[Tensor, State]:
        """One step for inputs (n, n_x): logits (n, n_o) and the new state."""
        seen, c = torch.cat([x, old.r], dim=1), old.c
        if self.recurrent:
            h, c = self.controller(seen, (old.h, c))
        else:
            h = torch.tanh(self.controller(seen))
        w = addressed(old.M, orders(self.heads(h).unflatten(1, (2, -1)), self.width), old.w)
        e, a = self.change(h).chunk(2, dim=1)
        M = rewritten(old.M, w[:, 1], torch.sigmoid(e), torch.tanh(a))
        r = (w[:, :1] @ M)[:, 0]
        return self.output(torch.cat([h, r], dim=1)), State(M, w, r, h, c)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, tau, n_o) for inputs (n, tau, n_x)."""
        state, o = self.start(len(x)), []
        for x_t in x.unbind(1):
            o_t, state = self.step(x_t, state)
            o.append(o_t)
        return torch.stack(o, dim=1)

    def tape(self, x: Tensor) -> Tape:
        """The same run with what the heads and the memory did at every step."""
        state, steps = self.start(len(x)), []
        for x_t in x.unbind(1):
            o_t, state = self.step(x_t, state)
            steps.append((o_t, state.w, state.M))
        return Tape(*(torch.stack(each, dim=1) for each in zip(*steps, strict=True)))


class StateOnly(nn.Module):
    """An LSTM of n_h units with a linear output, which has nothing but its state to hold a sequence: the rival."""

    def __init__(self, n_x: int, n_o: int, n_h: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(n_x, n_h, batch_first=True)
        self.output = nn.Linear(n_h, n_o)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, tau, n_o) for inputs (n, tau, n_x)."""
        return self.output(self.lstm(x)[0])
