"""Two-stack machines as tables of rules, run in plain Python: the oracle for the nets (Section 10.2)."""

from itertools import combinations
from typing import NamedTuple

from companion.core.checks import Count, checked, choice

__all__ = ["BRACKETS", "INCREMENT", "PALINDROMES", "Outcome", "Rule", "StackMachine", "machine", "simulate"]

END = "$"  # the symbol after the last one of a word
ACTIONS = ("keep", "push0", "push1", "pop")


class Rule(NamedTuple):
    """In `state`, with this `symbol` at the input and these `tops`: go to `then` and do `ops` to the stacks."""

    state: str
    symbol: str  # a letter, "$" after the last letter, "*" for whatever
    tops: tuple[str, str]  # each "0", "1", "e" for an empty stack, "*" for whatever
    then: str
    ops: tuple[str, str]  # each "keep", "push0", "push1" or "pop"


class StackMachine(NamedTuple):
    """A deterministic two-stack machine: it starts in the first rule's state and accepts in state "yes"."""

    alphabet: str
    rules: tuple[Rule, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states, in order of appearance."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in (rule.state, rule.then)))


class Outcome(NamedTuple):
    """What came of a run: accepted (None: stopped by the limit), both stacks from the top down, machine steps."""

    accepted: bool | None
    stacks: tuple[str, str]
    steps: int


@checked
def machine(alphabet: str, table: str) -> StackMachine:
    """Read a machine from a table, one rule a line: `state symbol top1 top2 -> state op1 op2`.

    The alphabet is the letters a word may use, each once. Empty lines of the table are skipped. A situation without a
    rule stops the machine: it rejects.

    Raises
    ------
    ValueError
        If a letter is repeated or reserved, a line cannot be read, two rules apply at once, or none leads to "yes".
    """
    if not alphabet or len(set(alphabet)) < len(alphabet) or set(alphabet) & {*"$*"}:
        raise ValueError(f"alphabet: want different letters, none of them '$' or '*', got {alphabet!r}")
    rules = []
    for line in filter(None, map(str.strip, table.splitlines())):
        match line.split():
            case [state, symbol, top1, top2, "->", then, op1, op2]:
                choice("symbol", symbol, [*alphabet, END, "*"])
                for top, op in ((top1, op1), (top2, op2)):
                    choice("top", top, ["0", "1", "e", "*"])
                    choice("operation", op, ACTIONS)
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
    return StackMachine(alphabet, tuple(rules))


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


def check_word(alphabet: str, word: str, name: str = "word") -> str:
    """The word, or a ValueError that names its first foreign letter."""
    for place, letter in enumerate(word):
        if letter not in alphabet:
            raise ValueError(f"{name}: want letters of {alphabet!r}, got {letter!r} at place {place}")
    return word


@checked
def simulate(m: StackMachine, word: str, limit: Count = 10_000) -> Outcome:
    """Run the machine on a word (it may be empty) in plain Python, with two lists as stacks: the oracle for the net.

    `accepted` is None if `limit` machine steps were not enough. A machine that rejects leaves its stacks empty.
    """
    symbols = iter(check_word(m.alphabet, word) + END)
    state, stacks = m.rules[0].state, ([], [])
    for steps in range(limit + 1):
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
