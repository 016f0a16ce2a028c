"""Small faults in a program's text, such as a hand makes: a sign, a bound, an index, x for y.

`sites` finds every place where a fault can be put, `draw` chooses some of them. One table serves both languages.
Python's own tokens and syntax tree tell the places in Python, Pygments those in JavaScript. Left alone are what cannot
change what is computed or drawn (annotations, words of errors, text, comments), `strict=` and decorators.
"""

import ast
import io
import random
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from pygments.lexers import JavascriptLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, Whitespace

BOTH_WAYS = """+ -, * /, += -=, *= /=, < <=, > >=, == !=, === !==, && ||, and or, True False, true false,
    break continue, min max, minimum maximum, argmin argmax, amin amax, floor ceil, sin cos, any all"""
SIDES = "x y, width height, left right, top bottom, clientX clientY"


def _swaps(pairs: str) -> dict[str, list[str]]:
    found = [pair.split() for pair in pairs.split(",")]
    return {a: [b] for a, b in found} | {b: [a] for a, b in found}


SWAPS = _swaps(BOTH_WAYS) | {"**": ["*"], "//": ["/"], "%": ["*"], "not": [""], "!": [""], "++": ["--"]}
BINARY = {"*", "**", "/", "//", "%"}  # in Python a star may mean something else at the start of an argument
# What is somebody's: p.x, np.abs, Math.abs. The other side, in JavaScript; a function that is not applied.
OWNED = _swaps(SIDES)
UNAPPLIED = {
    "np": {f: ["asarray"] for f in ("abs", "sqrt", "log", "exp", "square", "tanh", "cumsum", "sort", "clip")},
    "Math": {f: ["fround"] for f in ("abs", "sqrt", "log", "exp", "tanh", "round")} | {"hypot": ["max"]},
}


@dataclass(frozen=True)
class Site:
    """A place in a text, and what could stand there instead."""

    start: int
    old: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Mutant:
    """One fault in one file; `was` and `now` are the line without and with it."""

    path: str
    start: int
    old: str
    new: str
    line: int
    was: str
    now: str

    def text(self, source: str) -> str:
        """The program with the fault."""
        assert source[self.start : self.start + len(self.old)] == self.old
        return source[: self.start] + self.new + source[self.start + len(self.old) :]


def sites(path: str, source: str) -> list[Site]:
    """Every place of a file where a fault can be put."""
    tokens = list(_javascript(source) if path.endswith(".js") else _python(source))
    found = []
    for at, (start, kind, text) in enumerate(tokens):
        before, owner = tokens[at - 1][2] if at else "", tokens[at - 2][2] if at > 1 else ""
        after = tokens[at + 1][2] if at + 1 < len(tokens) else ""
        if kind == "number":
            options = _numbers(text)
        elif before == "." and kind == "name":
            options = UNAPPLIED.get(owner, {}).get(text) or SWAPS.get(text) or OWNED.get(text, [])
            if path.endswith(".py") and text in OWNED:
                options = []
            if text == "T":
                start, text, options = start - 1, ".T", [""]
        elif text == "abs" and after == "(":
            options = [""]
        elif path.endswith(".py") and text in BINARY and not re.fullmatch(r"[\w)\]}.]+", before):
            options = []
        elif text == "is" and after != "not":
            options = ["is not"]
        else:
            options = SWAPS.get(text, [])
        if options:
            found.append(Site(start, text, tuple(options)))
    return found


def draw(path: str, source: str, most: int, seed: int) -> list[Mutant]:
    """Some faults of a file, in the order of its lines: the same for the same text and seed, and more add to fewer."""
    chance = random.Random(f"{seed} {path}")
    places = sites(path, source)
    chance.shuffle(places)
    chosen = [(site, chance.choice(site.options)) for site in places][:most]
    return [_mutant(path, source, site, new) for site, new in sorted(chosen, key=lambda pair: pair[0].start)]


def every(path: str, source: str) -> list[Mutant]:
    """All faults of a file."""
    return [_mutant(path, source, site, new) for site in sites(path, source) for new in site.options]


def _mutant(path: str, source: str, site: Site, new: str) -> Mutant:
    head = source.rfind("\n", 0, site.start) + 1
    was, at = source[head:].split("\n", 1)[0], site.start - head
    now = was[:at] + new + was[at + len(site.old) :]
    line = source.count("\n", 0, site.start) + 1
    return Mutant(path, site.start, site.old, new, line, was.strip(), now.strip())


def _numbers(text: str) -> list[str]:
    """The next whole number and the one before; twice and half of a number with a point."""
    if re.fullmatch(r"[\d_]+", text):
        return [str(int(text) + 1), *([str(int(text) - 1)] if int(text) > 0 else [])]
    try:
        value = float(text)
    except ValueError:
        return []
    return [repr(2 * value), repr(value / 2)] if value else ["1.0"]


def _python(source: str) -> Iterator[tuple[int, str, str]]:
    heads = [0, *(m.end() for m in re.finditer("\n", source))]
    aside = list(_aside(ast.parse(source), source, heads))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = {tokenize.NUMBER: "number", tokenize.NAME: "name", tokenize.OP: "operator"}.get(token.type)
        start = heads[token.start[0] - 1] + token.start[1] if kind else 0
        if kind and not any(first <= start < last for first, last in aside):
            yield start, kind, token.string


def _aside(tree: ast.Module, source: str, heads: list[int]) -> Iterator[tuple[int, int]]:
    """Where no fault is put: from and to."""
    lines = source.splitlines()
    for node in ast.walk(tree):
        spans = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, (ast.Raise, ast.JoinedStr)) or getattr(node, "arg", None) == "strict":
            spans.append(node)
        for span in [*spans, *getattr(node, "decorator_list", [])]:
            if span is not None:
                yield tuple(
                    heads[line - 1] + len(lines[line - 1].encode()[:column].decode())
                    for line, column in [(span.lineno, span.col_offset), (span.end_lineno, span.end_col_offset)]
                )


def _javascript(source: str) -> Iterator[tuple[int, str, str]]:
    for start, token, text in JavascriptLexer(ensurenl=False, stripnl=False).get_tokens_unprocessed(source):
        if token in Whitespace or token in Comment or not text.strip():
            continue
        kinds = {Number: "number", Operator: "operator", Punctuation: "operator", Name: "name", Keyword: "name"}
        yield start, next((kind for family, kind in kinds.items() if token in family), "text"), text
