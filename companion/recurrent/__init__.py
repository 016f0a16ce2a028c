"""What is done with recurrent networks in Sections 10.2 and 10.2.2 beyond one pass forward and one back.

The cells themselves stand in `companion.cells` (`rnn`, `output`). Here:

- `summary`: one output, after the last step (`summary_*`);
- `bptt`: the backward pass taken apart (one gradient a copy of each weight), cut short (truncated) or made to need
  less memory (checkpointed);
- `descent`: plain gradient descent for many networks at once, and the curvature where it ended.

NumPy float64, one sequence, no batch axis.
"""

from companion.recurrent.bptt import checkpointed_bptt, rnn_copies, states_held, truncated_bptt
from companion.recurrent.descent import curvatures, descend, descent_gradient, stack
from companion.recurrent.summary import summary_bptt, summary_forward, summary_loss

__all__ = [
    "checkpointed_bptt",
    "curvatures",
    "descend",
    "descent_gradient",
    "rnn_copies",
    "stack",
    "states_held",
    "summary_bptt",
    "summary_forward",
    "summary_loss",
    "truncated_bptt",
]
