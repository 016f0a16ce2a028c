"""What Section P.5 trains on the adding problem: three nets that are linear from state to state, and an LSTM."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from companion.core.checks import Count, checked
from companion.gated.trials import gated_net
from companion.linear.statespace import ring

if TYPE_CHECKING:
    import torch

__all__ = ["KINDS", "linear_net"]

#: The rings from which a diagonal net draws its eigenvalues; the gated net and the LSTM have none.
KINDS: dict[str, tuple[float, float] | None] = {
    "LSTM": None,
    "minGRU": None,
    "ring": (0.9, 0.999),
    "disc": (0.0, 0.99),
}


@checked
def linear_net(kind: Literal[tuple(KINDS)], n_x: Count, units: Count, rng: np.random.Generator) -> "torch.nn.Module":
    """A net with one output at its last step, all of whose states can be computed at once (Section P.5).

    Each input goes through a layer of rectified units; the state is linear in what they give. "minGRU": the decay
    is a gate that reads the input. "ring" and "disc": fixed complex decays λ, learned, that start on a ring near
    |λ| = 1 or all over the disc. "LSTM": that of Section 10.10, for comparison.

    Reference: feng2024, orvieto2023
    """
    if kind == "LSTM":
        return gated_net("LSTM", n_x, units)
    return _gated(n_x, units) if KINDS[kind] is None else _diagonal(ring(units, *KINDS[kind], rng), n_x)


def _gated(n_x: int, units: int) -> "torch.nn.Module":
    import torch
    from torch.nn.functional import logsigmoid, relu

    class Gated(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.enter, self.gate = torch.nn.Linear(n_x, units), torch.nn.Linear(units, units)
            self.candidate, self.head = torch.nn.Linear(units, units), torch.nn.Linear(units, 1)

        def state(self, x: torch.Tensor) -> torch.Tensor:
            """h⁽τ⁾ for x (n, tau, n_x): shape (n, units)."""
            e = relu(self.enter(x))
            a = self.gate(e)
            # b⁽ᵗ⁾ = (1 − u⁽ᵗ⁾) ⊙ z⁽ᵗ⁾ with u = σ(a), and log u
            b, log_u = torch.sigmoid(-a) * self.candidate(e), logsigmoid(a)
            # h⁽τ⁾ = Σₜ (u⁽ᵗ⁺¹⁾ ⋯ u⁽τ⁾) b⁽ᵗ⁾
            after = log_u.sum(dim=1, keepdim=True) - log_u.cumsum(dim=1)
            return (after.exp() * b).sum(dim=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.state(x))

    return Gated()


def _diagonal(lam: np.ndarray, n_x: int) -> "torch.nn.Module":
    import torch

    n = len(lam)

    class Diagonal(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.enter, self.head = torch.nn.Linear(n_x, n), torch.nn.Linear(2 * n, 1)
            self.B = torch.nn.Parameter(torch.randn(2, n, n) / n**0.5)  # real and imaginary part
            # |λ| = exp(−exp ν) stays below 1; the factor γ = √(1 − |λ|²) keeps every state at one size
            r = torch.tensor(np.abs(lam), dtype=torch.float32)
            self.nu = torch.nn.Parameter(torch.log(-torch.log(r)))
            self.angle = torch.nn.Parameter(torch.tensor(np.angle(lam), dtype=torch.float32))
            self.log_gamma = torch.nn.Parameter(torch.log(1 - r**2) / 2)

        def state(self, x: torch.Tensor) -> torch.Tensor:
            """h⁽τ⁾ for x (n, tau, n_x): shape (n, units), complex."""
            e = torch.relu(self.enter(x))
            # h⁽τ⁾ = γ ⊙ Σₜ λ^(τ−t) ⊙ B e⁽ᵗ⁾
            k = torch.arange(x.shape[1] - 1, -1, -1)[:, None]
            powers = torch.exp(k * torch.complex(-self.nu.exp(), self.angle) + self.log_gamma)
            real, imag = torch.einsum("tnc,btm->cbnm", torch.view_as_real(powers), e)
            return (torch.complex(real, imag) * torch.complex(*self.B)).sum(dim=2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(torch.view_as_real(self.state(x)).flatten(1))

    return Diagonal()
