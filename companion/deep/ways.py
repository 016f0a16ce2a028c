"""Five ways to spend about as many parameters (Section 10.5): PyTorch nets over letters, their NumPy twins, their bits.

Three have recurrent layers on top of each other, two MLPs inside each block. The stored ones learned English prose.
"""

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from companion.core.checks import Classes, Count, checked, choice, integer
from companion.core.functions import nll
from companion.data import store
from companion.data.text import ALPHABET, tiles
from companion.deep.blocks import Blocks, Dense, blocks_forward
from companion.deep.stacked import Stacked, stacked_forward, stacked_from_torch

if TYPE_CHECKING:
    import torch

__all__ = [
    *("DEEP_WAYS", "HELD_OUT", "ROW", "deep_bits", "deep_net", "deep_parameters", "deep_to_numpy", "deep_units"),
    "load_deep",
]

DEEP_WAYS = ("1 layer", "2 layers", "3 layers", "MLPs", "MLPs + skip")
HELD_OUT = (0.1, 0.1)  # shares of the text for validation and for testing, its end
ROW = 200  # held-out text is judged in rows of this length, each from a zero state

Way = Literal[*DEEP_WAYS]


def _numbers(way: str, n: int) -> int:
    squares = dict(zip(DEEP_WAYS, (1, 3, 5, 4, 5), strict=True))[way]  # matrices n × n
    biases = dict(zip(DEEP_WAYS, (1, 2, 3, 4, 4), strict=True))[way]
    k = len(ALPHABET)
    return squares * n * n + biases * n + 2 * k * n + k


@checked
def deep_parameters(way: Way, n: Count) -> int:
    """Numbers to be learned by a net whose hidden layers all have n units; one bias a layer."""
    return _numbers(way, n)


@checked
def deep_units(way: Way, wanted: int) -> int:
    """The width at which a net has about the wanted number of parameters, which is at least that of one unit."""
    wanted = integer("wanted", wanted, _numbers(way, 1))
    return min(range(1, wanted), key=lambda n: abs(_numbers(way, n) - wanted))


def deep_net(way: str, n: int) -> "torch.nn.Module":
    """The trainable twin, float32: `torch.nn.RNN` and `Linear` for layers, `Linear`s in a loop for MLPs.

    All weights start as PyTorch's own layers do, uniform in ±1/√fan-in.

    Parameters
    ----------
    way : one of `DEEP_WAYS`. n : units of every hidden layer.

    Returns
    -------
    torch.nn.Module that takes (batch, tau, n_x) to logits.
    """
    import torch

    k, n = len(ALPHABET), integer("n", n, 1)
    depth = {"1 layer": 1, "2 layers": 2, "3 layers": 3}.get(choice("way", way, DEEP_WAYS), 0)

    class Layers(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = torch.nn.RNN(k, n, num_layers=depth, batch_first=True)
            self.head = torch.nn.Linear(n, k)
            for l in range(depth):  # PyTorch's second bias would only repeat the first
                getattr(self.rnn, f"bias_hh_l{l}").requires_grad_(False).zero_()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.rnn(x)[0])

    class MLPs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inward, self.across, self.outward = (torch.nn.Linear(m, n) for m in (k, n, n))
            self.U, self.W, self.V = torch.nn.Linear(n, n), torch.nn.Linear(n, n, bias=False), torch.nn.Linear(n, k)
            self.S = torch.nn.Linear(n, n, bias=False) if way == "MLPs + skip" else None

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h, states = x.new_zeros(len(x), n), []
            for from_x in self.U(torch.tanh(self.inward(x))).unbind(1):
                a = from_x + self.W(torch.tanh(self.across(h)))
                h = torch.tanh(a if self.S is None else a + self.S(h))
                states.append(h)
            return self.V(torch.tanh(self.outward(torch.stack(states, 1))))

    return Layers() if depth else MLPs()


def deep_to_numpy(model: "torch.nn.Module") -> Stacked | Blocks:
    """The same net in NumPy, float64."""
    if hasattr(model, "rnn"):
        return stacked_from_torch(model.rnn, model.head)
    w = {name: v.detach().double().cpu().numpy() for name, v in model.named_parameters()}
    mlps = [(Dense(w[f"{name}.weight"], w[f"{name}.bias"]),) for name in ("inward", "across", "outward")]
    return Blocks(*mlps, w["U.weight"], w["W.weight"], w["U.bias"], w["V.weight"], w["V.bias"], S=w.get("S.weight"))


@checked
def deep_bits(p: Stacked | Blocks, codes: Annotated[np.ndarray, "n", Classes(len(ALPHABET))]) -> float:
    """Mean of −log₂ of the probability that the net gave to each next character, in rows of 200 from a zero state."""
    if len(codes) <= ROW:
        raise ValueError(f"codes: want more than {ROW}, one row, got {len(codes)}")
    forward, eye = stacked_forward if isinstance(p, Stacked) else blocks_forward, np.eye(len(ALPHABET))
    return float(np.mean([nll(forward(p, eye[row[:-1]]).o, row[1:]) for row in tiles(codes, ROW + 1)]) / np.log(2))


def load_deep(seed: int = 0) -> dict[str, Stacked | Blocks]:
    """The stored nets of a seed for NumPy, way → net, each trained at the best learning rate of its way.

    All ways are stored of seed 0; of seeds 1 and 2 it is the stack of three layers alone.
    """
    import torch

    nets = {}
    for key, stored in store.nets("deep", seed=seed):
        weights = {name: torch.tensor(value) for name, value in stored.items()}
        model = deep_net(key["way"], len(weights["W.weight" if "W.weight" in weights else "rnn.weight_hh_l0"]))
        model.load_state_dict(weights)
        nets[key["way"]] = deep_to_numpy(model)
    return {way: nets[way] for way in DEEP_WAYS if way in nets}
