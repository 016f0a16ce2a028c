"""Section 10.8: echo state networks.

- `drawing`: how a reservoir is drawn (the cell itself is `companion.cells.echo`);
- `forgetting`: whether it forgets where it began;
- `readout`: the ridge read-out, its error, and what it can remember;
- `series`: NARMA-10, Mackey–Glass, and a reservoir that feeds itself;
- `liquid`: a liquid state machine in miniature, with spikes;
- `trials`: the series and starts that the study tries (import it by name);
- `modules`: nets of PyTorch that may start as a reservoir (the only file that imports torch; import it by name).
"""

from companion.reservoir.drawing import esn_init, sparse_weights
from companion.reservoir.forgetting import contraction, esn_jacobians, lyapunov_exponent
from companion.reservoir.liquid import Liquid, liquid_accuracy, liquid_init, liquid_spikes, spike_patterns, spike_trace
from companion.reservoir.readout import (
    Readout,
    memory_curve,
    memory_of_linear,
    normal_equations,
    nrmse,
    readout,
    ridge_fit,
)
from companion.reservoir.series import free_run, free_runs, mackey_glass, narma10

__all__ = [
    "Liquid",
    "Readout",
    "contraction",
    "esn_init",
    "esn_jacobians",
    "free_run",
    "free_runs",
    "liquid_accuracy",
    "liquid_init",
    "liquid_spikes",
    "lyapunov_exponent",
    "mackey_glass",
    "memory_curve",
    "memory_of_linear",
    "narma10",
    "normal_equations",
    "nrmse",
    "readout",
    "ridge_fit",
    "sparse_weights",
    "spike_patterns",
    "spike_trace",
]
