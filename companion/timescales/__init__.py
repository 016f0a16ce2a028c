"""Section 10.9: several time scales in one net.

- `leaky`: running averages, their time constants, and learning these from a signal;
- `slow`: a recurrent net with leaky units and connections of any delays, forward and by hand backward;
- `recall`: many such nets trained at once to keep one bit.
"""

from companion.cells.leaky import Slow, delay_norms, delay_radius, grow_at, slow_bptt, slow_forward, slow_init
from companion.timescales.leaky import (
    Leaks,
    fit_leaks,
    impulse_response,
    leak_of,
    leaky_average,
    mixture,
    time_constant,
)
from companion.timescales.recall import recall_accuracy, recall_init, recall_train

__all__ = [
    "Leaks",
    "Slow",
    "delay_norms",
    "delay_radius",
    "fit_leaks",
    "grow_at",
    "impulse_response",
    "leak_of",
    "leaky_average",
    "mixture",
    "recall_accuracy",
    "recall_init",
    "recall_train",
    "slow_bptt",
    "slow_forward",
    "slow_init",
    "time_constant",
]
