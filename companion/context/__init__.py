"""Sequences conditioned on context: one vector that turns into a sequence, and sequences with output feedback.

Section 10.2.4. The names of the first three files are imported from here, those of the others by name:

- `vector`: a fixed vector x turned into a sequence y, three ways in (`context_*`);
- `coupled`: a sequence x turned into a sequence y of the same length, each output fed back (`feedback_*`), and
  what independent outputs can reach at best (`shared_bit_share`);
- `letters`: the alphabet in which digits are spelled;
- `trials`: the pictures and dialects that nets are tried on, and the nets that were stored;
- `modules`: the same nets for PyTorch, to train them (the only file that imports torch).

NumPy float64, one sequence, no batch axis, and every net is brought back to the plain one of `companion.recurrent`.
"""

from companion.context.coupled import (
    FeedbackRNN,
    feedback_bptt,
    feedback_forward,
    feedback_init,
    feedback_next,
    feedback_sample,
    shared_bit_share,
)
from companion.context.letters import END, LETTERS, LONGEST, NAMES, read, spell
from companion.context.vector import (
    WAYS,
    ContextRNN,
    context_bptt,
    context_forward,
    context_init,
    context_next,
    given_context,
)

__all__ = [
    "END",
    "LETTERS",
    "LONGEST",
    "NAMES",
    "WAYS",
    "ContextRNN",
    "FeedbackRNN",
    "context_bptt",
    "context_forward",
    "context_init",
    "context_next",
    "feedback_bptt",
    "feedback_forward",
    "feedback_init",
    "feedback_next",
    "feedback_sample",
    "given_context",
    "read",
    "shared_bit_share",
    "spell",
]
