"""Recurrent networks: the three patterns, run forward and differentiated by hand.

Section 10.2 (forward and loss), 10.2.1 (teacher forcing) and 10.2.2 (gradients). All names are
imported from here; they live in small files:

- `hidden`: recurrence from state to state, an output at every step (`rnn_*`);
- `summary`: the same network with one output, after the last step (`summary_*`);
- `output`: recurrence from the output only, teacher forced or running free (`output_rnn_*`);
- `bptt`: the backward pass taken apart (one gradient a copy of each weight), cut short
  (truncated) or made to need less memory (checkpointed);
- `descent`: plain gradient descent for many networks at once;
- `interop`: weights to and from PyTorch.

NumPy float64, one sequence, no batch axis. Rows of `h` are times: `h[0]` is h⁽⁰⁾ and `h[t]` is
h⁽ᵗ⁾, so `h` has tau + 1 rows; `x`, `a`, `o`, `yhat`, `y` have tau rows, and row t − 1 is time t.
"""

from companion.cells.interop import from_torch, to_torch
from companion.cells.output import (
    OutputRNN,
    OutputRun,
    output_rnn_bptt,
    output_rnn_forward,
    output_rnn_init,
    output_rnn_loss,
)
from companion.cells.rnn import (
    RNN,
    Nodes,
    Run,
    rnn_bptt,
    rnn_bptt_nodes,
    rnn_forward,
    rnn_init,
    rnn_loss,
)
from companion.recurrent.bptt import checkpointed_bptt, rnn_copies, states_held, truncated_bptt
from companion.recurrent.descent import descend, descent_gradient, stack
from companion.recurrent.summary import summary_bptt, summary_forward, summary_loss

__all__ = [
    "RNN",
    "Nodes",
    "OutputRNN",
    "OutputRun",
    "Run",
    "checkpointed_bptt",
    "descend",
    "descent_gradient",
    "from_torch",
    "output_rnn_bptt",
    "output_rnn_forward",
    "output_rnn_init",
    "output_rnn_loss",
    "rnn_bptt",
    "rnn_bptt_nodes",
    "rnn_copies",
    "rnn_forward",
    "rnn_init",
    "rnn_loss",
    "stack",
    "states_held",
    "summary_bptt",
    "summary_forward",
    "summary_loss",
    "to_torch",
    "truncated_bptt",
]
