"""Section P.5: what came after: attention without recurrence, and recurrences that are linear from step to step.

- `attention`: every position looks at every other; linear attention, which is a recurrence again; what each costs;
- `scans`: a linear recurrence by a loop or by a tree, forward and backward;
- `statespace`: diagonal state-space layers as a recurrence and as a convolution, and where their eigenvalues begin;
- `gates`: decays that depend on the input;
- `trials`: the nets that the page trains beside an LSTM.
"""

from companion.linear.attention import (
    Cost,
    attention,
    costs,
    features,
    linear_attention,
    linear_attention_steps,
    positions,
)
from companion.linear.gates import MinGRU, min_gru, selective
from companion.linear.scans import ScanGrads, Work, combine, recurrence, scan_back, scan_by_tree, sweeps, work
from companion.linear.statespace import (
    by_convolution,
    by_recurrence,
    discretise,
    kernel,
    memory,
    ring,
    spread,
)
from companion.linear.trials import KINDS, linear_net

__all__ = [
    "KINDS",
    "Cost",
    "MinGRU",
    "ScanGrads",
    "Work",
    "attention",
    "by_convolution",
    "by_recurrence",
    "combine",
    "costs",
    "discretise",
    "features",
    "kernel",
    "linear_attention",
    "linear_attention_steps",
    "linear_net",
    "memory",
    "min_gru",
    "positions",
    "recurrence",
    "ring",
    "scan_back",
    "scan_by_tree",
    "selective",
    "spread",
    "sweeps",
    "work",
]
