"""10.6 Formulas and arithmetic: Python's own parser gives the tree, and the sequence stays what you typed.

The leaves of every tree are the tokens of the text, brackets included, so that a parse tree, a balanced tree and a
chain read the same sequence and only the order of composition differs.
"""

import ast
import operator
import re
import warnings
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from companion.core.checks import checked, choice, integer
from companion.recursive.trees import Tree, spans, tree_of

__all__ = ["ALPHABETS", "CLASSES", "Expression", "draw_expression", "label", "parse", "pending", "symbols"]

Kind = Literal["logic", "arithmetic"]

#: What the formulas and the arithmetic modulo 3 of the experiments are made of; the classes are the values.
ALPHABETS = {
    "logic": ("True", "False", "and", "or", "not", "(", ")"),
    "arithmetic": ("0", "1", "2", "+", "-", "*", "(", ")"),
}
#: How many values the expressions of a kind may have (arithmetic modulo 3).
CLASSES = {"logic": 2, "arithmetic": 3}
WORDS = {"True", "False", "and", "or", "not"}
TOKEN = re.compile(r"[A-Za-z_][A-Za-z_0-9]*|[0-9]+(?:\.[0-9]+)?(?![A-Za-z_0-9.])|[-+*/()]")
NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
OPERATORS = {
    ast.And: ("logic", lambda a, b: a and b),
    ast.Or: ("logic", lambda a, b: a or b),
    ast.Not: ("logic", operator.not_),
    ast.Add: ("arithmetic", operator.add),
    ast.Sub: ("arithmetic", operator.sub),
    ast.Mult: ("arithmetic", operator.mul),
    ast.Div: ("arithmetic", operator.truediv),
    ast.USub: ("arithmetic", operator.neg),
    ast.UAdd: ("arithmetic", operator.pos),
}


class Expression(NamedTuple):
    """A parsed text: its tokens and where they begin, its kind, its tree, and each node's value (None: no value)."""

    tokens: tuple[str, ...]
    at: tuple[int, ...]
    kind: str
    tree: Tree
    values: tuple[bool | int | float | None, ...]


def _refuse(position: int, problem: str) -> ValueError:
    return ValueError(f"text: at position {position}: {problem}")


def _tokens(text: str) -> list[tuple[str, int]]:
    found, position = [], 0
    while position < len(text):
        if text[position] == " ":
            position += 1
            continue
        match = TOKEN.match(text, position)
        word = match and match.group()
        if not word or (word[0].isalpha() and word not in WORDS) or (word[0].isdigit() and not NUMBER.fullmatch(word)):
            unknown = word or text[position]
            raise _refuse(position, f"unknown symbol {unknown!r}; want True, False, and, or, not, numbers, + - * / ( )")
        found.append((word, position))
        position = match.end()
    return found


@checked
def parse(text: str) -> Expression:
    """Parse a propositional formula or an arithmetic expression with Python's `ast` (Section 10.6).

    A binary operator first joins its right side, then its left one: ``a and b`` is (a (and b)). Brackets are leaves:
    ``( e )`` is (( (e )). Operators of equal rank join from the left, as Python computes them.

    Parameters
    ----------
    text : True, False, and, or, not; or numbers such as 7 and 2.5 with + - * /; brackets and spaces.

    Returns
    -------
    Expression, whose `values` belong to the nodes of its tree; a node such as (and b) has no value of its own.
    """
    tokens = _tokens(text)
    if not tokens:
        raise _refuse(0, "the expression is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            root = ast.parse(text.strip(" "), mode="eval").body
    except SyntaxError as error:
        skipped = len(text) - len(text.lstrip(" "))
        # Python counts from 1, and says 0 where the text ends too early.
        position = skipped + error.offset - 1 if error.offset else len(text)
        raise _refuse(min(position, len(text)), f"{error.msg}") from None
    except (RecursionError, MemoryError):
        raise _refuse(0, "nested too deeply") from None
    return _Builder(text, tokens).expression(root)


class _Builder:
    """Turns Python's syntax tree into a binary tree over the tokens, with values."""

    def __init__(self, text: str, tokens: list[tuple[str, int]]) -> None:
        self.tokens, self.skipped = tokens, len(text) - len(text.lstrip(" "))
        self.kind: str | None = None
        self.value_of: dict[tuple[int, int], Any] = {}  # span of tokens → value

    def expression(self, root: ast.expr) -> Expression:
        try:
            nested = self.build(root, 0, len(self.tokens))[0]
        except RecursionError:
            raise _refuse(0, "nested too deeply") from None
        tree = tree_of(len(self.tokens), nested)
        values = tuple(self.value_of.get(span) for span in spans(tree))
        return Expression(*zip(*self.tokens, strict=True), self.kind, tree, values)

    def start(self, node: ast.expr) -> int:
        return node.col_offset + self.skipped

    def belongs(self, kind: str, position: int) -> None:
        if self.kind not in (None, kind):
            raise _refuse(position, f"{kind} in a text that began as {self.kind}; want one of them, not both")
        self.kind = kind

    def build(self, node: ast.expr, i: int, j: int) -> tuple[Any, Any]:
        """The nested pairs of tokens i … j − 1, which spell `node`, and its value."""
        if self.tokens[i][1] < self.start(node):  # a bracket around it
            inner, value = self.build(node, i + 1, j - 1)
            nested = (i, (inner, j - 1))
        elif isinstance(node, ast.Constant):
            self.belongs("logic" if isinstance(node.value, bool) else "arithmetic", self.start(node))
            nested, value = i, node.value
        elif isinstance(node, ast.UnaryOp):
            operand, v = self.build(node.operand, i + 1, j)
            nested, value = (i, operand), self.apply(node.op, i, v)
        elif isinstance(node, ast.BoolOp | ast.BinOp):
            return self.join(node, i, j)
        else:
            raise _refuse(self.start(node), f"{type(node).__name__.lower()} is not part of these expressions")
        self.value_of[i, j] = value
        return nested, value

    def join(self, node: ast.BoolOp | ast.BinOp, i: int, j: int) -> tuple[Any, Any]:
        operands = node.values if isinstance(node, ast.BoolOp) else [node.left, node.right]
        # An operator is the first token after its left operand that closes no bracket.
        signs = []
        for left in operands[:-1]:
            k = next(k for k in range(i, j) if self.tokens[k][1] >= left.end_col_offset + self.skipped)
            while self.tokens[k][0] == ")":
                k += 1
            signs.append(k)
        ends = [*signs, j]
        nested, value = self.build(operands[0], i, signs[0])
        for right, sign, end in zip(operands[1:], signs, ends[1:], strict=True):
            other, v = self.build(right, sign + 1, end)
            nested, value = (nested, (sign, other)), self.apply(node.op, sign, value, v)
            self.value_of[i, end] = value
        return nested, value

    def apply(self, op: ast.AST, sign: int, *values: Any) -> Any:
        token, position = self.tokens[sign]
        if type(op) not in OPERATORS:
            raise _refuse(position, f"operator {type(op).__name__.lower()} is not part of these expressions")
        kind, function = OPERATORS[type(op)]
        self.belongs(kind, position)
        try:
            return function(*values)
        except ZeroDivisionError:
            raise _refuse(position, "division by zero") from None
        except OverflowError:
            raise _refuse(position, f"the result of {token} is too large") from None


def label(value: bool | int | float) -> str:
    """A value as figures show it: T and F for truth, whole numbers below a million in full, else four digits."""
    if isinstance(value, bool | np.bool_):
        return "T" if value else "F"
    whole = abs(value) < 1e6 and float(value).is_integer()
    return (str(int(value)) if whole else f"{value:.4g}").replace("-", "−")


def pending(e: Expression, i: int, j: int) -> tuple[str, ...]:
    """What tokens i … j − 1 come down to once every expression among them is replaced by its value (Section 10.6).

    One way to carry them, not always the shortest: a value is one symbol, ``and False`` two.
    """
    i = integer("i", i, 0, len(e.tokens) - 1)
    j = integer("j", j, i + 1, len(e.tokens))
    whole = {span: v for span, v in zip(spans(e.tree), e.values, strict=True) if v is not None}
    out, k = [], i
    while k < j:
        end = max((end for start, end in whole if start == k and end <= j), default=0)
        out.append(label(whole[k, end]) if end else e.tokens[k])
        k = max(end, k + 1)
    return tuple(out)


@checked
def symbols(tokens: tuple[str, ...], kind: Kind) -> np.ndarray:
    """Tokens as one-hot rows, shape (τ, number of symbols)."""
    alphabet = ALPHABETS[kind]
    if len(tokens) == 0:
        raise ValueError("tokens: want at least one, got none")
    for k, token in enumerate(tokens):
        choice(f"token {k}", token, alphabet)
    return np.eye(len(alphabet))[[alphabet.index(token) for token in tokens]]


@checked
def draw_expression(tau: Annotated[int, (3, None)], kind: Kind, rng: np.random.Generator) -> Expression:
    """A random expression of exactly τ tokens, from the alphabet of its kind; a fair coin chooses its class.

    Each rule of the grammar (constant, sign or not, brackets, two sides) that fits the length is drawn, and Python
    decides how the resulting text binds. Texts are drawn until one has the class that the coin (or, for arithmetic
    modulo 3, the die) asked for.
    """
    wanted = int(rng.integers(CLASSES[kind]))
    while True:
        made = parse(" ".join(_draw(tau, kind, rng)))
        if int(made.values[-1]) % CLASSES[kind] == wanted:
            return made


def _draw(n: int, kind: str, rng: np.random.Generator) -> list[str]:
    """n tokens of a random expression."""
    logic = kind == "logic"
    constants, unary, binary = (
        (("True", "False"), "not", ("and", "or")) if logic else (("0", "1", "2"), "-", ("+", "-", "*"))
    )
    rules = ["constant"] if n == 1 else ["unary"] if n == 2 else ["unary", "binary", "binary"]
    if n >= 4:
        rules += ["brackets", "brackets"]
    rule = rules[rng.integers(len(rules))]
    if rule == "constant":
        return [constants[rng.integers(len(constants))]]
    if rule == "unary":
        return [unary, *_draw(n - 1, kind, rng)]
    if rule == "brackets":
        return ["(", *_draw(n - 2, kind, rng), ")"]
    left = int(rng.integers(1, n - 1))
    sign = binary[rng.integers(len(binary))]
    return [*_draw(left, kind, rng), sign, *_draw(n - 1 - left, kind, rng)]
