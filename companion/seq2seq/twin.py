"""The encoder–decoder for PyTorch, whole batches at once, its weights in NumPy, and the stored nets (Section 10.4)."""

from typing import TYPE_CHECKING

import numpy as np

from companion.cells.gate import Gate
from companion.cells.gru import GRU
from companion.cells.rnn import Layer
from companion.core.checks import choice, integer
from companion.data import store
from companion.seq2seq.dates import END, SYMBOLS, WORDS
from companion.seq2seq.model import WAYS, Seq2Seq

if TYPE_CHECKING:
    import torch

__all__ = ["load_seq2seq", "seq2seq_from_torch", "seq2seq_twin"]


def seq2seq_twin(kind: str, size: int, way: str = "both", units: int = 64, cell: str = "rnn") -> "torch.nn.Module":
    """The torch twin of `companion.seq2seq`: net(x, y) → logits, whole batches with the teacher's symbols.

    Parameters
    ----------
    kind : "attention" or "context". size : width of the context. way : one of `WAYS`. units : every other width.
    cell : of reader and writer, "rnn" (tanh) or "gru".
    """
    import torch
    from torch import nn

    attend, way = choice("kind", kind, ("attention", "context")) == "attention", choice("way", way, WAYS)
    size, units = integer("size", size, 1), integer("units", units, 1)
    layer = {"rnn": nn.RNN, "gru": nn.GRU}[choice("cell", cell, ("rnn", "gru"))]

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.X, self.Y = nn.Embedding(len(WORDS), units), nn.Embedding(len(SYMBOLS), units)
            self.reader = layer(units, units, batch_first=True)
            self.K = nn.Linear(units, size)
            self.S = nn.Linear(size, units) if way != "input" else None
            self.writer = layer(units + (size if way != "state" else 0), units, batch_first=True)
            self.A = nn.Linear(units, units, bias=False) if attend else None
            self.P = nn.Linear(units, units)
            self.Q = nn.Linear(units, units, bias=False) if attend else None
            self.V = nn.Linear(units, len(SYMBOLS))

        def read(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
            g, last = self.reader(self.X(x))
            C = torch.tanh(self.K(last[0]))
            return g, C, None if self.S is None else torch.tanh(self.S(C))[None]

        def write(
            self, g: torch.Tensor, C: torch.Tensor, before: torch.Tensor, h: torch.Tensor | None
        ) -> tuple[torch.Tensor, torch.Tensor]:
            u = self.Y(before)
            if way != "state":
                u = torch.cat([u, C[:, None].expand(-1, u.shape[1], -1)], 2)
            hs, h = self.writer(u, h)
            mixed = self.P(hs)
            if attend:
                mixed = mixed + self.Q(torch.softmax(hs @ self.A(g).transpose(1, 2), 2) @ g)
            return self.V(torch.tanh(mixed)), h

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            before = torch.cat([torch.full_like(y[:, :1], END), y[:, :-1]], 1)
            g, C, h = self.read(x)
            return self.write(g, C, before, h)[0]

        def greedy(self, x: torch.Tensor, longest: int) -> torch.Tensor:
            g, C, h = self.read(x)
            symbols = [torch.full_like(x[:, :1], END)]
            for _ in range(longest):
                o, h = self.write(g, C, symbols[-1], h)
                symbols.append(o.argmax(2))
            return torch.cat(symbols[1:], 1)

    return Net()


def seq2seq_from_torch(weights: dict[str, np.ndarray]) -> Seq2Seq:
    """The NumPy parameters from the twin's weights by name; torch's two biases of a layer are added up.

    The weights are name → array, as a state_dict or a stored file has them.
    """
    w = {name: np.asarray(value, dtype=np.float64) for name, value in weights.items()}
    for name in ("X.weight", "Y.weight", "reader.weight_ih_l0", "writer.weight_ih_l0", "K.weight", "V.weight"):
        if name not in w:
            raise ValueError(f"weights: want an entry {name!r}, got {', '.join(w)}")
    n_y = w["Y.weight"].shape[1]
    U, R = np.split(w["writer.weight_ih_l0"], [n_y], axis=1)

    def layer(name: str, U: np.ndarray) -> Layer | GRU:
        W, b, d = (w[f"{name}.{of}_l0"] for of in ("weight_hh", "bias_ih", "bias_hh"))
        if len(W) == W.shape[1]:
            return Layer(U, W, b + d)
        U, W, b, d = (np.split(v, 3) for v in (U, W, b, d))
        r, u = (Gate(U[i], W[i], b[i] + d[i]) for i in (0, 1))
        return GRU(u, r, Gate(U[2], W[2], b[2]), d[2], reset="after")

    return Seq2Seq(
        *(w["X.weight"], w["Y.weight"], layer("reader", w["reader.weight_ih_l0"]), w["K.weight"], w["K.bias"]),
        *(w.get("S.weight"), w.get("S.bias"), layer("writer", U), R if R.shape[1] else None, w.get("A.weight")),
        *(w["P.weight"], w.get("Q.weight"), w["P.bias"], w["V.weight"], w["V.bias"]),
    )


def load_seq2seq(kind: str, seed: int = 0) -> Seq2Seq:
    """A stored net: one with attention, or that with a context of 64 and no attention.

    Parameters
    ----------
    kind : "attention" or "context". seed : 0; 1 and 2 for attention.
    """
    return seq2seq_from_torch(store.weights("seq2seq", kind=kind, seed=seed))
