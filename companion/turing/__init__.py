"""10.2 A recurrent net as a computer: exact rational nets that simulate two-stack machines.

A machine with a finite control and two stacks can do whatever a Turing machine can: the two stacks
are the tape to the left and to the right of the head. Here such a machine is written as a table of
rules, run once in plain Python (`simulate`) and once as a recurrent net (`run_net`)

    h⁽ᵗ⁾ = σ(W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ + b),    σ(a) = min(max(a, 0), 1),

whose weights `compile_net` reads off the table. All numbers are exact rationals (`int` where whole,
else `fractions.Fraction`). One step of the machine takes three steps of the net (`STEPS`): the layers
*rule* (which rule applies?), *write* (what do the stacks become?) and *read* (what lies on top?) take
turns, and a single pulse of activity goes round. Reference: siegelmann1995.
"""

from companion.turing.machines import (
    BRACKETS,
    INCREMENT,
    PALINDROMES,
    Outcome,
    Rule,
    StackMachine,
    machine,
    simulate,
)
from companion.turing.net import (
    OPERATIONS,
    STEPS,
    SaturatedNet,
    compile_net,
    decode_stack,
    encode_stack,
    encode_word,
    in_floats,
    net_states,
    run_net,
    saturate,
)

__all__ = [
    "BRACKETS",
    "INCREMENT",
    "OPERATIONS",
    "PALINDROMES",
    "STEPS",
    "Outcome",
    "Rule",
    "SaturatedNet",
    "StackMachine",
    "compile_net",
    "decode_stack",
    "encode_stack",
    "encode_word",
    "in_floats",
    "machine",
    "net_states",
    "run_net",
    "saturate",
    "simulate",
]
