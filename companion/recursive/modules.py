"""10.6 Recursive nets for PyTorch: many trees at once, batched by depth, to be trained by `companion.training`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from companion.recursive.nets import RecursiveNet, TensorNet, net_init, plan_by_depth, stacked
from companion.recursive.trees import Tree

__all__ = ["Forest", "GatedTree", "TreeNet", "forest"]


class Forest(NamedTuple):
    """Many trees as tensors: rows of the leaves, rows (left, right) of each height, and the rows of the roots.

    Rows count the leaves first, then the merges, height by height.
    """

    x: Tensor
    merges: tuple[tuple[Tensor, Tensor], ...]
    roots: Tensor


def forest(trees: Sequence[Tree], xs: Sequence[np.ndarray]) -> Forest:
    """Plan trees for `TreeNet`, one for each sequence: all merges of equal height go together (Section 10.6)."""
    plan = plan_by_depth(trees)
    x = torch.from_numpy(stacked(plan, xs)).to(torch.get_default_dtype())
    ends = np.cumsum([2 * tau - 1 for tau in plan.taus])
    row = np.zeros(ends[-1], dtype=int)
    row[plan.leaves] = np.arange(len(plan.leaves))
    done, merges = len(plan.leaves), []
    for node, left, right in plan.levels:
        row[node] = done + np.arange(len(node))
        merges.append((torch.from_numpy(row[left]), torch.from_numpy(row[right])))
        done += len(node)
    return Forest(x, tuple(merges), torch.from_numpy(row[ends - 1]))


class TreeNet(nn.Module):
    """A recursive net with the parameters of `RecursiveNet` or `TensorNet`, under the same names."""

    def __init__(self, p: RecursiveNet | TensorNet) -> None:
        super().__init__()
        for name, value in p._asdict().items():
            self.register_parameter(name, nn.Parameter(torch.as_tensor(value, dtype=torch.get_default_dtype())))

    @classmethod
    def drawn(cls, n_x: int, n_h: int, n_o: int, seed: int, tensor: bool = False) -> "TreeNet":
        """A net with random parameters (see `net_init`)."""
        return cls(net_init(n_x, n_h, n_o, np.random.default_rng(seed), tensor))

    def forward(self, batch: Forest) -> Tensor:
        """Logits at the roots, shape (trees, n_o)."""
        h = batch.x @ self.U.T
        for left, right in batch.merges:
            z = torch.cat([h[left], h[right]], dim=1)
            a = z @ self.W.T + self.b
            if hasattr(self, "T"):
                a = a + torch.einsum("nj,ijk,nk->ni", z, self.T, z)
            h = torch.cat([h, torch.tanh(a)])
        return self.c + h[batch.roots] @ self.V.T

    def numpy(self) -> RecursiveNet | TensorNet:
        """The parameters in double precision, for the reference code."""
        values = {k: v.detach().double().numpy() for k, v in self.state_dict().items()}
        return (TensorNet if "T" in values else RecursiveNet)(**values)


class GatedTree(nn.Module):
    """A recursive net whose composition is gated; over a chain it is the GRU (Sections 10.6 and 10.10.2).

    With z = [h_left, h_right] and the gates u = σ(b^u + W^u z) and r = σ(b^r + W^r z), a parent's state is
    u ⊙ h_left + (1 − u) ⊙ tanh(b + W [r ⊙ h_left, h_right]). Leaves and output are those of `TreeNet`.
    """

    def __init__(self, n_x: int, n_h: int, n_o: int) -> None:
        super().__init__()
        self.U, self.V = nn.Linear(n_x, n_h, bias=False), nn.Linear(n_h, n_o)
        self.u, self.r, self.z = (nn.Linear(2 * n_h, n_h) for _ in range(3))

    def forward(self, batch: Forest) -> Tensor:
        """Logits at the roots, shape (trees, n_o)."""
        h = self.U(batch.x)
        for i, j in batch.merges:
            left, right = h[i], h[j]
            both = torch.cat([left, right], dim=1)
            u, r = self.u(both).sigmoid(), self.r(both).sigmoid()
            z = self.z(torch.cat([r * left, right], dim=1)).tanh()
            h = torch.cat([h, u * left + (1 - u) * z])
        return self.V(h[batch.roots])
