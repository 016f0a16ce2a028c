"""Recurrent nets of saturated-linear units, compiled from the tables of `machines` (Section 10.2)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from numbers import Rational
from typing import NamedTuple

import numpy as np

from companion.core.checks import Count, array, checked, choice, number
from companion.turing.machines import END, Outcome, StackMachine, check_word

__all__ = [
    "OPERATIONS",
    "STEPS",
    "SaturatedNet",
    "compile_net",
    "decode_stack",
    "encode_stack",
    "encode_word",
    "in_floats",
    "net_states",
    "run_net",
    "saturate",
]

STEPS = 3  # net steps for one machine step
STACKS = "12"
OPERATIONS = {  # q ← slope·q + weight·top + shift
    "keep": (1, 0, 0),
    "push0": (Fraction(1, 4), 0, Fraction(1, 4)),
    "push1": (Fraction(1, 4), 0, Fraction(3, 4)),
    "pop": (4, -2, -1),
}


class SaturatedNet(NamedTuple):
    """A recurrent net h ← σ(W h + U x + b) with start state h0 and a name for each of its n units."""

    W: np.ndarray  # (n, n)
    U: np.ndarray  # (n, n_x): one input a letter, and one for "$"
    b: np.ndarray  # (n,)
    h0: np.ndarray  # (n,)
    units: tuple[str, ...]
    alphabet: str


@checked
def encode_stack(bits: str) -> Fraction:
    """Write a stack as one number in [0, 1): its bits, from the top down, are base-4 digits 1 and 3.

    q = Σₖ (2 bitₖ + 1) / 4ᵏ (Section 10.2); the empty stack is 0.
    """
    check_word("01", bits, "bits")
    return sum((Fraction(2 * int(bit) + 1, 4**k) for k, bit in enumerate(bits, 1)), Fraction(0))


def decode_stack(q: Rational | float) -> str:
    """Read the bits, from the top down, off a stack's number: top is σ(4q − 2), and 4q − 2 top − 1 is the rest."""
    bits, rest = "", q if isinstance(q, Fraction) else Fraction(number("q", q))
    while rest != 0:
        top = int(4 * rest >= 3)
        if not 1 <= 4 * rest - 2 * top < 2 or rest.denominator % 4:
            raise ValueError(f"q: want a stack's number (base-4 digits 1 and 3 only), got {q}")
        bits, rest = bits + str(top), 4 * rest - 2 * top - 1
    return bits


def saturate(a: np.ndarray | Rational) -> np.ndarray | Rational:
    """The activation σ(a) = min(max(a, 0), 1), entry by entry; exact on exact numbers (Section 10.2)."""
    array("a", a, np.shape(a))
    return _clamp(a)


def _clamp(a: np.ndarray | Rational) -> np.ndarray | Rational:
    return np.minimum(np.maximum(a, 0), 1)


Wires = dict[str, dict[str, Rational]]  # unit → {what feeds it: weight}


def _read_layer(m: StackMachine) -> Wires:
    """Sum what was written to each stack; look at its top: `top` = σ(4q − 2), `some` = σ(4q) (0 if empty)."""
    wires: Wires = {f"read.state {s}": {f"write.state {s}": 1} for s in m.states}
    for k in STACKS:
        written = [f"write.stack{k} {op}" for op in OPERATIONS]
        wires[f"read.stack{k}"] = dict.fromkeys(written, 1)
        wires[f"read.some{k}"] = dict.fromkeys(written, 4)
        wires[f"read.top{k}"] = dict.fromkeys(written, 4) | {"bias": -2}
    return wires


def _rule_layer(m: StackMachine) -> Wires:
    """One unit a rule, an AND of its conditions: σ(sum of what must be 1 − sum of what must be 0 − (count − 1))."""
    wires: Wires = {}
    for i, rule in enumerate(m.rules):
        on = [f"read.state {rule.state}"] + ([f"input {rule.symbol}"] if rule.symbol != "*" else [])
        off = []
        for k, top in zip(STACKS, rule.tops, strict=True):
            on += {"1": [f"read.top{k}"], "0": [f"read.some{k}"]}.get(top, [])
            off += {"0": [f"read.top{k}"], "e": [f"read.some{k}"]}.get(top, [])
        wires[f"rule.{i}"] = dict.fromkeys(on, 1) | dict.fromkeys(off, -1) | {"bias": 1 - len(on)}
    copied = [f"{what}{k}" for what in ("stack", "top") for k in STACKS]
    return wires | {f"rule.{name}": {f"read.{name}": 1} for name in copied}


def _write_layer(m: StackMachine) -> Wires:
    """One unit for each stack and operation: σ(operation(q) + [a rule wants it] − 1), so 0 unless wanted."""
    wires: Wires = {}
    for s in m.states:
        wires[f"write.state {s}"] = {f"rule.{i}": 1 for i, rule in enumerate(m.rules) if rule.then == s}
    for place, k in enumerate(STACKS):
        for op, (slope, weight, shift) in OPERATIONS.items():
            wanted = {f"rule.{i}": 1 for i, rule in enumerate(m.rules) if rule.ops[place] == op}
            affine = {f"rule.stack{k}": slope, f"rule.top{k}": weight, "bias": shift - 1}
            wires[f"write.stack{k} {op}"] = wanted | affine
    return wires


@checked
def compile_net(m: StackMachine) -> SaturatedNet:
    """Turn the machine's table into the weights of a recurrent net that simulates it, three steps for one.

    h⁽ᵗ⁾ = σ(W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ + b) (Section 10.2); R rules and S states take R + 2 S + 18 units. The arrays hold exact
    rationals (`int` or `Fraction`). At the start only the unit of the first state is 1, and both stacks are 0 (empty).

    Reference: siegelmann1995.
    """
    wires = _read_layer(m) | _rule_layer(m) | _write_layer(m)
    units = tuple(wires)
    sources = [*units, *(f"input {letter}" for letter in m.alphabet + END), "bias"]
    table = np.array([[wires[unit].get(source, 0) for source in sources] for unit in units], dtype=object)
    n = len(units)
    h0 = np.array([int(unit == f"read.state {m.rules[0].state}") for unit in units], dtype=object)
    return SaturatedNet(W=table[:, :n], U=table[:, n:-1], b=table[:, -1], h0=h0, units=units, alphabet=m.alphabet)


@checked
def in_floats(net: SaturatedNet, dtype: type = np.float64) -> SaturatedNet:
    """The same net with its exact numbers rounded to floating point: NumPy's float16, float32 or float64."""
    choice("dtype", dtype, [np.float16, np.float32, np.float64])
    return net._replace(**{name: getattr(net, name).astype(dtype) for name in ("W", "U", "b", "h0")})


@checked
def encode_word(net: SaturatedNet, word: str) -> np.ndarray:
    """The input sequence x, shape (STEPS·(len(word) + 1), n_x): each letter and "$" one-hot, then two rows of 0."""
    symbols = net.alphabet + END
    x = np.zeros((STEPS * (len(check_word(net.alphabet, word)) + 1), len(symbols)), dtype=net.b.dtype)
    for t, letter in enumerate(word + END):
        x[STEPS * t, symbols.index(letter)] = 1
    return x


def net_states(net: SaturatedNet, word: str) -> Iterator[np.ndarray]:
    """Yield h⁽⁰⁾, h⁽¹⁾, …: the word as input, silence after it, h⁽ᵗ⁾ = σ(W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ + b), without end."""
    x = encode_word(net, word)
    h, silence = net.h0, np.zeros_like(x[0])
    t = 0
    while True:
        yield h
        h = _clamp(_times(net.W, h) + _times(net.U, x[t] if t < len(x) else silence) + net.b)
        t += 1


def _times(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """`matrix @ vector` without what meets a zero: units are silent, wires few, and exact arithmetic is slow."""
    out = np.zeros(len(matrix), dtype=matrix.dtype)
    for k in np.flatnonzero(vector):
        wired = np.flatnonzero(matrix[:, k])
        out[wired] += matrix[wired, k] * vector[k]
    return out


@checked
def run_net(net: SaturatedNet, word: str, limit: Count = 10_000) -> Outcome:
    """Run the net on a word until its unit "yes" lights up (accept) or no state unit is lit (reject).

    Parameters
    ----------
    net : from `compile_net` (exact) or `in_floats` (rounded). word : may be empty.
    limit : the largest number of machine steps, of STEPS net steps each.

    Returns
    -------
    The `Outcome`; a stack that rounding has spoiled is given as "?".
    """
    yes = net.units.index("read.state yes")
    states = [i for i, name in enumerate(net.units) if name.startswith("read.state ")]
    for steps, h in enumerate(islice(net_states(net, word), 0, STEPS * limit + 1, STEPS)):  # noqa: B007
        if h[yes] or not h[states].any():
            break
    stacks = tuple(_decoded(h[net.units.index(f"read.stack{k}")]) for k in STACKS)
    return Outcome(None if h[states].any() and not h[yes] else bool(h[yes]), stacks, steps)


def _decoded(q: Rational | float) -> str:
    try:
        return decode_stack(q)
    except ValueError:
        return "?"
