"""Two ways to train a net that writes: the recipe of a lecture, and streams with carried state (Section P.1). PyTorch.

Both train the same class of net with `companion.training.train`, so both can be interrupted and resumed.
"""

import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, layer_norm

from companion.cells.interop import from_torch
from companion.core.checks import Count, checked
from companion.data.text import ALPHABET
from companion.gated.characters import CharLSTM
from companion.speech.prose import CONTEXT

__all__ = [
    "NormedLSTM",
    "SpeechNet",
    "Stopwatch",
    "carried_nats",
    "context_nats",
    "every_loss",
    "last_loss",
    "recipe_batches",
    "stream_batches",
    "stream_net",
    "to_numpy",
]

State = tuple[Tensor, Tensor]  # h and s, (layers, streams, units) each


class NormedLSTM(nn.Module):
    """One LSTM layer with layer normalisation (Ba et al., 2016): of each of its two products, and of the state s.

    Equation: a⁽ᵗ⁾ = LN(U x⁽ᵗ⁾; γ₁) + LN(W h⁽ᵗ⁻¹⁾; γ₂) + b, then the gates, and h⁽ᵗ⁾ = q⁽ᵗ⁾ ⊙ tanh(LN(s⁽ᵗ⁾; γ₃, β)).
    Gates stand in PyTorch's order: g, f, z, q.
    """

    @checked
    def __init__(self, n: Count, units: Count) -> None:
        super().__init__()
        self.U = nn.Linear(n, 4 * units, bias=False)
        self.W = nn.Linear(units, 4 * units, bias=False)
        self.b = nn.Parameter(torch.zeros(4 * units))
        self.gains = nn.ParameterList([torch.ones(4 * units), torch.ones(4 * units), torch.ones(units)])
        self.shift = nn.Parameter(torch.zeros(units))
        with torch.no_grad():
            self.b[units : 2 * units] = 1.0

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Read x (streams, tau, n) from a state; return h of every step and the last state, as `nn.LSTM` does."""
        h, s = state[0][0], state[1][0]
        read, out = layer_norm(self.U(x), self.gains[0].shape, self.gains[0]) + self.b, []
        for t in range(x.shape[1]):
            a = read[:, t] + layer_norm(self.W(h), self.gains[1].shape, self.gains[1])
            g, f, z, q = a.chunk(4, dim=1)
            s = torch.sigmoid(f) * s + torch.sigmoid(g) * torch.tanh(z)
            h = torch.sigmoid(q) * torch.tanh(layer_norm(s, self.shift.shape, self.gains[2], self.shift))
            out.append(h)
        return torch.stack(out, 1), (h[None], s[None])


class SpeechNet(nn.Module):
    """An LSTM that reads one-hot characters and gives scores to the next one.

    The state that one stretch of its streams leaves for the next is kept with the weights, so a checkpoint holds it.

    Parameters
    ----------
    units, layers : of the LSTM. dropout : share of h that is set to zero while training, above each layer but the
        last, as `nn.LSTM` does, or with one layer, below the output. norm : whether the layer is a `NormedLSTM`.
    streams : how many stretches of text are read side by side with a state carried from step to step.
    text : a fingerprint of the text that it learns, which a checkpoint keeps and a resumed training must share.
    """

    @checked
    def __init__(
        self,
        units: Count,
        layers: Count = 1,
        *,
        dropout: float = 0.0,
        norm: bool = False,
        streams: Count = 1,
        text: str = "",
    ) -> None:
        super().__init__()
        self.made = {"units": units, "layers": layers, "streams": streams, "text": text}
        n = len(ALPHABET)
        between = dropout if layers > 1 else 0.0
        self.lstm = NormedLSTM(n, units) if norm else nn.LSTM(n, units, layers, batch_first=True, dropout=between)
        self.drop = nn.Dropout(dropout if layers == 1 else 0.0)
        self.head = nn.Linear(units, n)
        self.register_buffer("eye", torch.eye(n), persistent=False)
        self.register_buffer("h", torch.zeros(layers, streams, units))
        self.register_buffer("s", torch.zeros(layers, streams, units))

    def get_extra_state(self) -> dict[str, Any]:
        """What a checkpoint keeps besides the weights: how the net was made."""
        return self.made

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Refuse the checkpoint of a net that was made in another way."""
        if changed := [f"{k} {v!r}" for k, v in state.items() if self.made[k] != v]:
            raise ValueError(f"it has {', '.join(changed)}; name another file, or ask for the same")

    def zero(self, n: int) -> State:
        """A state of zeros for n texts."""
        zeros = self.h.new_zeros(self.h.shape[0], n, self.h.shape[2])
        return zeros, zeros

    def forward(self, codes: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Scores of the next character after every character of codes (n, tau): (n, tau, characters), and the state."""
        h, state = self.lstm(self.eye[codes], self.zero(len(codes)) if state is None else state)
        return self.head(self.drop(h)), state


@checked
def stream_net(units: Count, layers: Count = 1, **options: Any) -> SpeechNet:
    """A `SpeechNet` whose forget gates begin with bias 1 (Section 10.10.2); `options` are those of `SpeechNet`."""
    net = SpeechNet(units, layers, **options)
    if isinstance(net.lstm, nn.LSTM):
        with torch.no_grad():
            for k in range(layers):
                getattr(net.lstm, f"bias_ih_l{k}")[units : 2 * units] = 1.0
                getattr(net.lstm, f"bias_hh_l{k}").zero_()
    return net


def last_loss(net: SpeechNet, x: Tensor, y: Tensor) -> Tensor:
    """The recipe's loss: cross-entropy of the one character after each window, from a zero state."""
    h, _ = net.lstm(net.eye[x], net.zero(len(x)))
    return cross_entropy(net.head(net.drop(h[:, -1])), y)


def every_loss(net: SpeechNet, x: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy at every position, from the state that the stretch before left; this one leaves its own.

    The carried state is a constant: gradients end where a stretch begins (truncated BPTT, Section 10.2.2).
    """
    o, (h, s) = net(x, (net.h, net.s))
    net.h, net.s = h.detach(), s.detach()
    return cross_entropy(o.flatten(0, 1), y.flatten())


def to_numpy(net: SpeechNet) -> CharLSTM:
    """A net of one plain layer in NumPy, float64, in the book's letters."""
    V, c = (w.detach().double().cpu().numpy() for w in net.head.parameters())
    return CharLSTM(from_torch(net.lstm), V, c)


Batches = Callable[[int], tuple[Tensor, Tensor]]


@checked
def recipe_batches(drawn: np.ndarray, size: Count, seed: int, device: str = "cpu") -> Batches:
    """Minibatches of fixed windows, in a new order in every pass over them: step → (x (size, 30), y (size,)).

    Parameters
    ----------
    drawn : windows (n, 31), n a multiple of `size`. size : windows a step. seed : of orders and dropout.
    """
    if len(drawn) % size:
        raise ValueError(f"size: want a divisor of {len(drawn)} windows, got {size}")
    data = torch.from_numpy(drawn).to(device)
    steps = len(drawn) // size

    def batch(step: int) -> tuple[Tensor, Tensor]:
        torch.manual_seed(1_000_003 * (seed + 1) + step)  # dropout, so that a resumed run is the uninterrupted one
        order = np.random.default_rng([seed, step // steps]).permutation(len(drawn))
        rows = data[order[step % steps * size :][:size]]
        return rows[:, :-1], rows[:, -1]

    return batch


@checked
def stream_batches(codes: np.ndarray, streams: Count, length: Count, seed: int, device: str = "cpu") -> Batches:
    """Stretches of parallel streams: step → (x, y), (streams, length) each, y one character on.

    The streams begin at equal distances in the text, which they read as a ring; step k + 1 begins where step k ends.

    Parameters
    ----------
    codes : the coded text. streams : read side by side. length : characters of a stretch. seed : of dropout.
    """
    ring, starts = torch.from_numpy(codes).to(device), torch.arange(streams) * (len(codes) // streams)
    offsets = starts[:, None] + torch.arange(length + 1)

    def batch(step: int) -> tuple[Tensor, Tensor]:
        torch.manual_seed(1_000_003 * (seed + 1) + step)
        rows = ring[((offsets + step * length) % len(codes)).to(device)]
        return rows[:, :-1], rows[:, 1:]

    return batch


def context_nats(net: SpeechNet, judged: np.ndarray, size: int = 500) -> float:
    """Mean nats of the last character of windows (n, 31), given the 30 before it, from a zero state."""
    device = net.h.device
    with torch.no_grad():
        losses = [
            cross_entropy(net(rows[:, :CONTEXT])[0][:, -1], rows[:, CONTEXT], reduction="sum").item()
            for rows in torch.from_numpy(judged).to(device).split(size)
        ]
    return sum(losses) / len(judged)


def carried_nats(net: SpeechNet, codes: np.ndarray, places: np.ndarray) -> float:
    """Mean nats of the characters at these places, the state carried from the text's first character on."""
    row = torch.from_numpy(codes).to(net.h.device)[None]
    with torch.no_grad():
        nats = cross_entropy(net(row[:, :-1])[0][0], row[0, 1:], reduction="none")
    return nats.cpu().numpy()[places - 1].astype(float).mean().item()


class Stopwatch:
    """Processor seconds of this thread, without what passes inside `with watch:`."""

    def __init__(self) -> None:
        self.began = time.thread_time()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.thread_time() - self.began

    def __enter__(self) -> "Stopwatch":
        self.stopped = time.thread_time()
        return self

    def __exit__(self, *_: object) -> Literal[False]:
        self.began += time.thread_time() - self.stopped
        return False
