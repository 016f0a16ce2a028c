"""The memory network for PyTorch: many stories at once, to be trained by `companion.training` (Section 10.13).

One net, two ways to train it: told which sentences to look up, or from the answers alone. A recurrent reader of the
same stories stands beside it.
"""

from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from companion.core.checks import Count, checked
from companion.memory.hops import Memory
from companion.memory.stories import PLACES, WORDS, Stories, bags

__all__ = [
    *("READS", "Batch", "MemoryNet", "Reader", "Reply", "accuracy"),
    *("answer_loss", "linear_loss", "supervised_loss", "tensors"),
]

READS = ("soft", "hard", "linear")
"""How a hop turns scores into weights: softmax, 1 at the largest, or not at all."""
Read = Literal[READS]
cross_entropy = nn.functional.cross_entropy


class Batch(NamedTuple):
    """Stories as tensors.

    Counts of words in the sentences x (n, m, w) and the question q (n, w); codes of all words in the order of reading
    (n, 5 m + 4); facts (n, 2); ages (m,), which row of T each sentence gets.
    """

    x: Tensor
    q: Tensor
    codes: Tensor
    facts: Tensor
    ages: Tensor


class Reply(NamedTuple):
    """Logits o (n, places); scores s and weights p of every hop, (n, hops, m), which a recurrent reader lacks."""

    o: Tensor
    s: Tensor | None = None
    p: Tensor | None = None


def tensors(stories: Stories, ages: np.ndarray | None = None) -> tuple[Batch, Tensor]:
    """Stories of m sentences as a batch for the nets below, and the classes of the answers.

    `ages` (m,) are those of the sentences, falling; by default m − 1 … 0.
    """
    n, m, _ = stories.words.shape
    ages = np.arange(m)[::-1] if ages is None else np.asarray(ages)
    if ages.shape != (m,) or ages.dtype.kind not in "iu" or (np.diff(ages) >= 0).any() or ages[-1] < 0:
        raise ValueError(f"ages: want {m} falling integers of at least 0, got {str(ages)[:60]}")
    x, q = (torch.tensor(bags(v), dtype=torch.get_default_dtype()) for v in (stories.words, stories.question))
    codes = torch.tensor(np.concatenate([stories.words.reshape(n, -1), stories.question], axis=1))
    return Batch(x, q, codes, torch.tensor(stories.facts), torch.tensor(ages.copy())), torch.tensor(stories.answer)


class MemoryNet(nn.Module):
    """A memory network with the parameters of `Memory`, under the same names.

    Parameters
    ----------
    n_u : width of the memory. hops : how often it is read. ages : rows of T. time : learn T; otherwise it stays 0.
    """

    @checked
    def __init__(self, n_u: Count = 24, hops: Count = 2, ages: Count = 64, time: bool = True) -> None:
        super().__init__()
        for name, shape in {
            "A": (hops, n_u, len(WORDS)),
            "B": (n_u, len(WORDS)),
            "C": (hops, n_u, len(WORDS)),
            "T": (hops, ages, n_u),
            "V": (len(PLACES), n_u),
        }.items():
            setattr(self, name, nn.Parameter(0.1 * torch.randn(shape)))
        if not time:
            nn.init.zeros_(self.T.requires_grad_(False))

    @checked
    def forward(self, batch: Batch, read: Read = "soft", facts: Tensor | None = None) -> Reply:
        """Answer every question; `facts` (n, hops), if given, decide what each hop reads."""
        if int(batch.ages.max()) >= self.T.shape[1]:
            raise ValueError(f"batch: want ages below {self.T.shape[1]}, got {int(batch.ages.max())}")
        if facts is not None and facts.shape[1:] != self.A.shape[:1]:
            raise ValueError(f"facts: want {len(self.A)} a question, one a hop, got {tuple(facts.shape[1:])}")
        x, u, scores, weights = batch.x.to(self.B), batch.q.to(self.B) @ self.B.T, [], []
        for k, (A, C, T) in enumerate(zip(self.A, self.C, self.T, strict=True)):
            m, c = x @ A.T + T[batch.ages], x @ C.T
            s = (m @ u[:, :, None])[:, :, 0]
            if facts is None and read != "hard":
                p = s.softmax(dim=1) if read == "soft" else s
            else:
                p = nn.functional.one_hot(s.argmax(dim=1) if facts is None else facts[:, k], s.shape[1]).to(s)
            u = u + (p[:, None] @ c)[:, 0]
            scores.append(s)
            weights.append(p)
        return Reply(u @ self.V.T, torch.stack(scores, dim=1), torch.stack(weights, dim=1))

    def numpy(self) -> Memory:
        """The parameters in double precision, for the reference code."""
        return Memory(**{k: v.detach().double().numpy() for k, v in self.state_dict().items()})


class Reader(nn.Module):
    """A recurrent net that reads the story and then the question, word by word, and answers from its last state.

    n_h is the number of units and the width of the word vectors.
    """

    @checked
    def __init__(self, n_h: Count = 20, kind: Literal["LSTM", "GRU"] = "LSTM") -> None:
        super().__init__()
        self.E = nn.Embedding(len(WORDS), n_h)
        self.rnn = getattr(nn, kind)(n_h, n_h, batch_first=True)
        self.V = nn.Linear(n_h, len(PLACES))

    def forward(self, batch: Batch) -> Reply:
        """Answer every question."""
        h, _ = self.rnn(self.E(batch.codes))
        return Reply(self.V(h[:, -1]))


def answer_loss(net: nn.Module, batch: Batch, y: Tensor) -> Tensor:
    """From answers alone: L = −log ŷ_y, mean over the batch (Section 10.13).

    Reference: sukhbaatar2015
    """
    return cross_entropy(net(batch).o, y)


def linear_loss(net: MemoryNet, batch: Batch, y: Tensor) -> Tensor:
    """The same without softmax in the hops, p = s: the cure for bad starts called linear start.

    Reference: sukhbaatar2015
    """
    return cross_entropy(net(batch, read="linear").o, y)


def supervised_loss(net: MemoryNet, batch: Batch, y: Tensor) -> Tensor:
    """Told the facts: each hop reads the right one, and its scores have to prefer it (Section 10.13).

    L = −log ŷ_y − (1/K) Σₖ log softmax(s⁽ᵏ⁾)_{fact k}, mean over the batch. (The paper has a margin loss instead.)

    Reference: weston2015
    """
    reply = net(batch, facts=batch.facts)
    return cross_entropy(reply.o, y) + cross_entropy(reply.s.flatten(0, 1), batch.facts.flatten())


@checked
def accuracy(net: nn.Module, stories: Stories, read: Read = "soft") -> float:
    """Share of questions that a `MemoryNet`, whose hops read as `read` says, or a `Reader` answers rightly."""
    batch, y = tensors(stories)
    with torch.no_grad():
        o = (net(batch, read=read) if isinstance(net, MemoryNet) else net(batch)).o
    return (o.argmax(dim=1) == y).double().mean().item()
