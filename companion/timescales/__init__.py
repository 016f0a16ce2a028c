"""Section 10.9: several time scales in one net. The cell itself is `companion.cells.leaky`.

- `leaky`: running averages, their time constants, and learning these from a signal;
- `skips`: how fast a linear net with skips grows or fades;
- `recall`: many leaky nets with skips trained at once to keep one bit;
- `additive`: the same with residual and adaptive connections, whose cell is `companion.cells.additive`.
"""

from companion.timescales.additive import Keeper, keeper_accuracies, keeper_init, keeper_train
from companion.timescales.leaky import (
    Leaks,
    LeakyUnits,
    fit_leaks,
    impulse_response,
    leak_of,
    leaky_average,
    mixture,
    time_constant,
)
from companion.timescales.recall import recall_accuracies, recall_accuracy, recall_init, recall_train
from companion.timescales.skips import delay_norms, delay_radius, grow_at

__all__ = [
    "Keeper",
    "Leaks",
    "LeakyUnits",
    "delay_norms",
    "delay_radius",
    "fit_leaks",
    "grow_at",
    "impulse_response",
    "keeper_accuracies",
    "keeper_init",
    "keeper_train",
    "leak_of",
    "leaky_average",
    "mixture",
    "recall_accuracies",
    "recall_accuracy",
    "recall_init",
    "recall_train",
    "time_constant",
]
