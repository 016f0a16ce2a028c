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

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, islice
from numbers import Rational
from typing import NamedTuple

import numpy as np

from companion import validation

__all__ = [
    "BRACKETS",
    "INCREMENT",
    "OPERATIONS",
    "PALINDROMES",
    "STEPS",
    "Machine",
    "Net",
    "Outcome",
    "Rule",
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

STEPS = 3  # net steps for one machine step
END = "$"  # the symbol after the last one of a word
STACKS = "12"
OPERATIONS = {  # q ← slope·q + weight·top + shift
    "keep": (1, 0, 0),
    "push0": (Fraction(1, 4), 0, Fraction(1, 4)),
    "push1": (Fraction(1, 4), 0, Fraction(3, 4)),
    "pop": (4, -2, -1),
}


class Rule(NamedTuple):
    """In `state`, with this `symbol` at the input and these `tops`: go to `then` and do `ops` to the stacks."""

    state: str
    symbol: str  # a letter, "$" after the last letter, "*" for whatever
    tops: tuple[str, str]  # each "0", "1", "e" for an empty stack, "*" for whatever
    then: str
    ops: tuple[str, str]  # each one of OPERATIONS


class Machine(NamedTuple):
    """A deterministic two-stack machine: it starts in the first rule's state and accepts in state "yes"."""

    alphabet: str
    rules: tuple[Rule, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states, in order of appearance."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in (rule.state, rule.then)))


class Net(NamedTuple):
    """A recurrent net h ← σ(W h + U x + b) with start state h0 and a name for each of its n units."""

    W: np.ndarray  # (n, n)
    U: np.ndarray  # (n, n_x): one input a letter, and one for "$"
    b: np.ndarray  # (n,)
    h0: np.ndarray  # (n,)
    units: tuple[str, ...]
    alphabet: str


class Outcome(NamedTuple):
    """What came of a run: accepted (None: stopped by the limit), both stacks from the top down, machine steps."""

    accepted: bool | None
    stacks: tuple[str, str]
    steps: int


def machine(alphabet: str, table: str) -> Machine:
    """Read a machine from a table, one rule a line: `state symbol top1 top2 -> state op1 op2`.

    Parameters
    ----------
    alphabet : the letters a word may use, each once.
    table : the rules; empty lines are skipped. A situation without a rule stops the machine: it rejects.

    Returns
    -------
    The `Machine`.

    Raises
    ------
    ValueError
        If a letter is repeated or reserved, a line cannot be read, two rules apply at once, or none leads to "yes".
    """
    if not isinstance(alphabet, str) or not alphabet or len(set(alphabet)) < len(alphabet) or set(alphabet) & {*"$*"}:
        raise ValueError(f"alphabet: want different letters, none of them '$' or '*', got {alphabet!r}")
    rules = []
    for line in filter(None, map(str.strip, table.splitlines())):
        match line.split():
            case [state, symbol, top1, top2, "->", then, op1, op2]:
                validation.choice("symbol", symbol, [*alphabet, END, "*"])
                for top, op in ((top1, op1), (top2, op2)):
                    validation.choice("top", top, ["0", "1", "e", "*"])
                    validation.choice("operation", op, list(OPERATIONS))
                rules.append(Rule(state, symbol, (top1, top2), then, (op1, op2)))
            case _:
                raise ValueError(f"table: want 'state symbol top1 top2 -> state op1 op2', got {line!r}")
    for one, two in combinations(rules, 2):
        if one.state == two.state and all(
            "*" in pair or pair[0] == pair[1]
            for pair in zip((one.symbol, *one.tops), (two.symbol, *two.tops), strict=True)
        ):
            raise ValueError(f"table: want one rule for each situation, got two: {one} and {two}")
    if not any(rule.then == "yes" for rule in rules):
        raise ValueError(f"table: want at least one rule that leads to the state 'yes', got {table!r}")
    return Machine(alphabet, tuple(rules))


# Push what opens, pop what closes; accept if nothing is left open.
BRACKETS = machine(
    "()[]",
    """
    read  (  *  *  ->  read  push0  keep
    read  [  *  *  ->  read  push1  keep
    read  )  0  *  ->  read  pop    keep
    read  ]  1  *  ->  read  pop    keep
    read  $  e  *  ->  yes   keep   keep
    """,
)

# Push the bits (the lowest ends on top); turn 1s into 0s up to the first 0; move the rest across.
INCREMENT = machine(
    "01",
    """
    read   0  *  *  ->  read   push0  keep
    read   1  *  *  ->  read   push1  keep
    read   $  *  *  ->  carry  keep   keep
    carry  *  1  *  ->  carry  pop    push0
    carry  *  0  *  ->  copy   pop    push1
    carry  *  e  *  ->  yes    keep   push1
    copy   *  0  *  ->  copy   pop    push0
    copy   *  1  *  ->  copy   pop    push1
    copy   *  e  *  ->  yes    keep   keep
    """,
)

# Take the letter at one end, carry it to the other end by moving all letters across, compare; and back.
PALINDROMES = machine(
    "ab",
    """
    read    a  *  *  ->  read    push0  keep
    read    b  *  *  ->  read    push1  keep
    read    $  *  *  ->  right   keep   keep
    right   *  e  *  ->  yes     keep   keep
    right   *  0  *  ->  right-a pop    keep
    right   *  1  *  ->  right-b pop    keep
    right-a *  0  *  ->  right-a pop    push0
    right-a *  1  *  ->  right-a pop    push1
    right-a *  e  0  ->  left    keep   pop
    right-a *  e  e  ->  yes     keep   keep
    right-b *  0  *  ->  right-b pop    push0
    right-b *  1  *  ->  right-b pop    push1
    right-b *  e  1  ->  left    keep   pop
    right-b *  e  e  ->  yes     keep   keep
    left    *  *  e  ->  yes     keep   keep
    left    *  *  0  ->  left-a  keep   pop
    left    *  *  1  ->  left-b  keep   pop
    left-a  *  *  0  ->  left-a  push0  pop
    left-a  *  *  1  ->  left-a  push1  pop
    left-a  *  0  e  ->  right   pop    keep
    left-a  *  e  e  ->  yes     keep   keep
    left-b  *  *  0  ->  left-b  push0  pop
    left-b  *  *  1  ->  left-b  push1  pop
    left-b  *  1  e  ->  right   pop    keep
    left-b  *  e  e  ->  yes     keep   keep
    """,
)


def _check_word(alphabet: str, word: str, name: str = "word") -> str:
    if not isinstance(word, str):
        raise ValueError(f"{name}: want a string over {alphabet!r}, got {word!r}")
    for place, letter in enumerate(word):
        if letter not in alphabet:
            raise ValueError(f"{name}: want letters of {alphabet!r}, got {letter!r} at place {place}")
    return word


def simulate(m: Machine, word: str, limit: int = 10_000) -> Outcome:
    """Run the machine in plain Python, with two lists as stacks (the oracle for the net).

    Parameters
    ----------
    m, word : the machine and a word over its alphabet (it may be empty).
    limit : the largest number of machine steps.

    Returns
    -------
    The `Outcome`; `accepted` is None if the limit was reached first. A machine that rejects leaves its stacks empty.

    Raises
    ------
    ValueError
        If the word holds a letter outside the alphabet, or the limit is not a positive integer.
    """
    symbols = iter(_check_word(m.alphabet, word) + END)
    state, stacks = m.rules[0].state, ([], [])
    for steps in range(validation.integer("limit", limit, minimum=1) + 1):
        contents = tuple("".join(reversed(stack)) for stack in stacks)
        if state is None:
            return Outcome(False, ("", ""), steps)
        if state == "yes":
            return Outcome(True, contents, steps)
        seen = (next(symbols, ""), *(stack[-1] if stack else "e" for stack in stacks))
        fits = (r for r in m.rules if r.state == state and all(map(_matches, (r.symbol, *r.tops), seen)))
        rule = next(fits, None)
        state = rule.then if rule else None
        for stack, op in zip(stacks, rule.ops if rule else ("keep", "keep"), strict=True):
            if op.startswith("push"):
                stack.append(op[-1])
            elif op == "pop" and stack:
                stack.pop()
    return Outcome(None, contents, limit)


def _matches(wanted: str, seen: str) -> bool:
    return wanted in ("*", seen)


def encode_stack(bits: str) -> Fraction:
    """Write a stack as one number in [0, 1): its bits, from the top down, are base-4 digits 1 and 3.

    q = Σₖ (2 bitₖ + 1) / 4ᵏ (Section 10.2); the empty stack is 0.

    Raises
    ------
    ValueError
        If a character is neither "0" nor "1".
    """
    return sum(
        (Fraction(2 * int(bit) + 1, 4**k) for k, bit in enumerate(_check_word("01", bits, "bits"), 1)), Fraction(0)
    )


def decode_stack(q: Rational | float) -> str:
    """Read the bits, from the top down, off a stack's number: top is σ(4q − 2), and 4q − 2 top − 1 is the rest.

    Raises
    ------
    ValueError
        If q is no number that `encode_stack` can give.
    """
    bits, rest = "", q if isinstance(q, Fraction) else Fraction(validation.number("q", q))
    while rest != 0:
        top = int(4 * rest >= 3)
        if not 1 <= 4 * rest - 2 * top < 2 or rest.denominator % 4:
            raise ValueError(f"q: want a stack's number (base-4 digits 1 and 3 only), got {q}")
        bits, rest = bits + str(top), 4 * rest - 2 * top - 1
    return bits


def saturate(a: np.ndarray | Rational) -> np.ndarray | Rational:
    """The activation σ(a) = min(max(a, 0), 1), entry by entry; exact on exact numbers."""
    return np.minimum(np.maximum(a, 0), 1)


Wires = dict[str, dict[str, Rational]]  # unit → {what feeds it: weight}


def _read_layer(m: Machine) -> Wires:
    """Sum what was written to each stack; look at its top: `top` = σ(4q − 2), `some` = σ(4q) (0 if empty)."""
    wires: Wires = {f"read.state {s}": {f"write.state {s}": 1} for s in m.states}
    for k in STACKS:
        written = [f"write.stack{k} {op}" for op in OPERATIONS]
        wires[f"read.stack{k}"] = dict.fromkeys(written, 1)
        wires[f"read.some{k}"] = dict.fromkeys(written, 4)
        wires[f"read.top{k}"] = dict.fromkeys(written, 4) | {"bias": -2}
    return wires


def _rule_layer(m: Machine) -> Wires:
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


def _write_layer(m: Machine) -> Wires:
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


def compile_net(m: Machine) -> Net:
    """Turn the machine's table into the weights of a recurrent net that simulates it, three steps for one.

    h⁽ᵗ⁾ = σ(W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ + b) (Section 10.2); R rules and S states take R + 2 S + 18 units.

    Parameters
    ----------
    m : the machine.

    Returns
    -------
    The `Net`; its arrays hold exact rationals (`int` or `Fraction`). At the start only the unit of the first
    state is 1, and both stacks are 0 (empty).

    Reference: siegelmann1995.
    """
    wires = _read_layer(m) | _rule_layer(m) | _write_layer(m)
    units = tuple(wires)
    sources = [*units, *(f"input {letter}" for letter in m.alphabet + END), "bias"]
    table = np.array([[wires[unit].get(source, 0) for source in sources] for unit in units], dtype=object)
    n = len(units)
    h0 = np.array([int(unit == f"read.state {m.rules[0].state}") for unit in units], dtype=object)
    return Net(W=table[:, :n], U=table[:, n:-1], b=table[:, -1], h0=h0, units=units, alphabet=m.alphabet)


def in_floats(net: Net, dtype: type = np.float64) -> Net:
    """The same net with its exact numbers rounded to floating point."""
    return net._replace(**{name: getattr(net, name).astype(dtype) for name in ("W", "U", "b", "h0")})


def encode_word(net: Net, word: str) -> np.ndarray:
    """The input sequence x, shape (STEPS·(len(word) + 1), n_x): each letter and "$" one-hot, then two rows of 0.

    Raises
    ------
    ValueError
        If the word holds a letter outside the alphabet.
    """
    symbols = net.alphabet + END
    x = np.zeros((STEPS * (len(_check_word(net.alphabet, word)) + 1), len(symbols)), dtype=net.b.dtype)
    for t, letter in enumerate(word + END):
        x[STEPS * t, symbols.index(letter)] = 1
    return x


def net_states(net: Net, word: str) -> Iterator[np.ndarray]:
    """Yield h⁽⁰⁾, h⁽¹⁾, …: the word as input, silence after it, h⁽ᵗ⁾ = σ(W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ + b), without end.

    Raises
    ------
    ValueError
        If the word holds a letter outside the alphabet.
    """
    x = encode_word(net, word)
    h, silence = net.h0, np.zeros_like(x[0])
    t = 0
    while True:
        yield h
        h = saturate(_times(net.W, h) + _times(net.U, x[t] if t < len(x) else silence) + net.b)
        t += 1


def _times(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """`matrix @ vector` without the columns that meet a zero: most units are silent, exact arithmetic is slow."""
    active = np.flatnonzero(vector)
    return matrix[:, active] @ vector[active]


def run_net(net: Net, word: str, limit: int = 10_000) -> Outcome:
    """Run the net on a word until its unit "yes" lights up (accept) or no state unit is lit (reject).

    Parameters
    ----------
    net : from `compile_net` (exact) or `in_floats` (rounded).
    word : a word over the net's alphabet (it may be empty).
    limit : the largest number of machine steps, of STEPS net steps each.

    Returns
    -------
    The `Outcome`; a stack that rounding has spoiled is given as "?".

    Raises
    ------
    ValueError
        If the word holds a letter outside the alphabet, or the limit is not a positive integer.
    """
    yes = net.units.index("read.state yes")
    states = [i for i, name in enumerate(net.units) if name.startswith("read.state ")]
    last = STEPS * validation.integer("limit", limit, minimum=1)
    for steps, h in enumerate(islice(net_states(net, word), 0, last + 1, STEPS)):  # noqa: B007
        if h[yes] or not h[states].any():
            break
    stacks = tuple(_decoded(h[net.units.index(f"read.stack{k}")]) for k in STACKS)
    return Outcome(None if h[states].any() and not h[yes] else bool(h[yes]), stacks, steps)


def _decoded(q: Rational | float) -> str:
    try:
        return decode_stack(q)
    except ValueError:
        return "?"
