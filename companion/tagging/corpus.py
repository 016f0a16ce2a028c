"""A tagged corpus out of Python's own source files: what every name is, said by a real parser (Section P.3)."""

import ast
import io
import keyword
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from companion.core.checks import integer

__all__ = [
    "PARTS",
    "TAGS",
    "UNTAGGED",
    "Line",
    "coded",
    "library_lines",
    "most_frequent_tag",
    "spelling",
    "tag_source",
    "vocabulary",
    "window_places",
]

TAGS = ("variable", "attribute", "call", "definition", "parameter", "argument", "assigned", "imported")
"""What a name can be: a variable or an attribute that is read, a function or method that is called, a function or
class that is defined, a parameter of a definition, the name of an argument in a call, what is bound, what is imported.
"""

UNTAGGED = -1
"""The tag of what is no name (keywords, operators, numbers, strings) or has none of these tags."""

PARTS = {
    "learn": (
        *("argparse", "ast", "bdb", "calendar", "cgitb", "cmd", "codecs", "configparser", "contextlib", "copy", "csv"),
        *("dataclasses", "datetime", "difflib", "dis", "doctest", "enum", "filecmp", "fractions", "ftplib"),
        *("functools", "getopt", "gettext", "glob", "gzip", "hashlib", "heapq", "imaplib", "inspect", "ipaddress"),
        *("locale", "mailbox", "mimetypes", "netrc", "optparse", "pathlib", "pdb", "pickle", "pickletools", "platform"),
    ),
    "validate": ("plistlib", "poplib", "pprint", "profile", "queue", "random", "reprlib", "sched", "shelve", "shlex"),
    "test": (
        *("shutil", "smtplib", "socketserver", "statistics", "string", "subprocess", "tarfile", "tempfile", "textwrap"),
        *("threading", "timeit", "trace", "traceback", "warnings", "zipapp"),
    ),
}
"""Modules of the standard library: to learn from, to choose by, and to judge at the end. Where a Python has one no
longer, it is left out."""

BRACKETS = {"FSTRING_START": 1, "FSTRING_END": -1, "TSTRING_START": 1, "TSTRING_END": -1}
LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER)


class Line(NamedTuple):
    """One logical line of a program: its words, and a place in `TAGS` (or `UNTAGGED`) for each."""

    words: tuple[str, ...]
    tags: tuple[int, ...]


def tag_source(source: str) -> list[Line]:
    """The logical lines of a program, every name with what Python's parser says that it is (Section P.3).

    A logical line ends where the statement does, or its colon's line; comments are left out, and a string is one word,
    also where it holds names of its own. Numbers and strings become ``<number>`` and ``<string>``.

    Raises
    ------
    ValueError
        If it is no program.
    """
    try:
        roles = dict(_roles(ast.parse(source)))
    except (SyntaxError, TypeError) as error:
        raise ValueError(f"source: want a Python program, got {str(source)[:40]!r}: {error}") from None
    lines: list[Line] = []
    words: list[str] = []
    tags: list[int] = []
    for word, place in _words(source):
        if word == "\n":
            if words:
                lines.append(Line(tuple(words), tuple(tags)))
            words, tags = [], []
        else:
            tags.append(_tag(word, words, roles.get(place)))
            words.append(word)
    return lines


def _words(source: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """The words of a program, each with its row and its column in bytes, as `ast` counts; a line's end is one too."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        (row, column), kind = token.start, tokenize.tok_name[token.type]
        place = row, len(token.line[:column].encode())
        if kind in BRACKETS:
            depth += BRACKETS[kind]
            if kind.endswith("END") and depth == 0:
                yield "<string>", place
        elif depth == 0 and token.type not in LAYOUT:
            special = {"NUMBER": "<number>", "STRING": "<string>", "NEWLINE": "\n"}
            yield special.get(kind, token.string), place


def _roles(tree: ast.AST) -> Iterator[tuple[tuple[int, int], str]]:
    """Where names stand, and what the tree says of them; what a later one says holds."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if type(node).__name__ in ("JoinedStr", "TemplateStr"):
            continue  # a string is one word
        if isinstance(node, ast.Name):
            yield (node.lineno, node.col_offset), "variable" if isinstance(node.ctx, ast.Load) else "assigned"
        elif isinstance(node, ast.Attribute):
            yield _end(node), "attribute" if isinstance(node.ctx, ast.Load) else "assigned"
        elif isinstance(node, ast.arg):
            yield (node.lineno, node.col_offset), "parameter"
        elif isinstance(node, ast.keyword) and node.arg:
            yield (node.lineno, node.col_offset), "argument"
        todo += ast.iter_child_nodes(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            todo.remove(node.func)
            f = node.func
            if isinstance(f, ast.Attribute):
                todo.append(f.value)
                yield _end(f), "call"
            else:
                yield (f.lineno, f.col_offset), "call"


def _end(node: ast.Attribute) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset - len(node.attr.encode())


def _tag(word: str, before: list[str], role: str | None) -> int:
    """A word's tag, from the tree or, where the tree has no place for a name, from the words before it."""
    if not word.isidentifier() or keyword.iskeyword(word):
        return UNTAGGED
    if before and before[0] in ("import", "from"):
        role = "imported"
    elif before and before[-1] in ("def", "class"):
        role = "definition"
    elif before and before[0] == "except" and before[-1] == "as":
        role = "assigned"
    return UNTAGGED if role is None else TAGS.index(role)


def library_lines(modules: Sequence[str], longest: int = 60) -> list[Line]:
    """The lines of some modules of the standard library that hold a tagged name and at most `longest` words, in order.

    They differ a little from one version of Python to the next; a module that a Python lacks is left out (Section P.3).

    Parameters
    ----------
    modules : such as those of one of `PARTS`. longest : words of a line.
    """
    integer("longest", longest, 1)
    specs = [find_spec(module) for module in modules]
    paths = [Path(s.origin).with_suffix(".py") for s in specs if s is not None and s.origin]
    lines = [line for path in paths if path.is_file() for line in tag_source(path.read_text(encoding="utf-8"))]
    return [line for line in lines if len(line.words) <= longest and max(line.tags) > UNTAGGED]


def spelling(word: str) -> str:
    """What is left of a name that is not in the vocabulary: its shape, such as ``<a_a>``, ``<Aa>``, ``<AA>``, ``<_a>``.

    A leading underscore, letters by their case (a, A or Aa), and an underscore within.
    """
    core = word.strip("_")
    case = "AA" if core.isupper() and len(core) > 1 else "Aa" if core[:1].isupper() else "a"
    return f"<{'_' * word.startswith('_')}{case}{'_a' * ('_' in core)}>"


SHAPES = sorted(
    {spelling(w) for w in ("a", "_a", "A", "_A", "AA", "_AA", "a_b", "_a_b", "A_b", "_A_b", "AA_B", "_AA_B")}
)


def vocabulary(lines: Iterable[Line], names: int) -> list[str]:
    """The words that a net knows: all that are no names, the `names` most frequent names, and the shapes of others."""
    integer("names", names, 0)
    counts = Counter(word for line in lines for word in line.words)
    fixed = sorted(word for word in counts if not word.isidentifier() or keyword.iskeyword(word))
    frequent = [w for w, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if w not in set(fixed)]
    return ["<other>", *SHAPES, *fixed, *frequent[:names]]


def coded(lines: Sequence[Sequence[str]], known: Sequence[str]) -> list[np.ndarray]:
    """The places of each line's words in a vocabulary: a name that is not there becomes its shape, else ``<other>``.

    Parameters
    ----------
    lines : the words of each. known : from `vocabulary`.

    Returns
    -------
    Integers of shape (tau,), one array a line.
    """
    place = {word: i for i, word in enumerate(known)}
    if not lines or not all(lines):
        raise ValueError("lines: want at least one, each with a word, got none")
    return [np.array([place.get(w, place.get(spelling(w), 0) if w.isidentifier() else 0) for w in ws]) for ws in lines]


def most_frequent_tag(words: np.ndarray, tags: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The tag that each word has most often where we learn; for a word never seen there, the most frequent of all.

    Parameters
    ----------
    words : places in a vocabulary, (N,). tags : their tags, (N,), none of them `UNTAGGED`. asked : words, (M,).

    Returns
    -------
    Tags of shape (M,).
    """
    if np.shape(words) != np.shape(tags) or np.size(words) == 0:
        raise ValueError(f"tags: want one for each of the words, got shapes {np.shape(tags)} and {np.shape(words)}")
    counts = np.zeros((max(np.max(words), np.max(asked)) + 1, len(TAGS)))
    np.add.at(counts, (words, tags), 1)
    counts += 1e-6 * counts.sum(0)
    return counts[asked].argmax(1)


def window_places(lines: Sequence[np.ndarray], before: int, after: int, words: int) -> np.ndarray:
    """For each word of each line the words around it, as places of ones in a long vector (Section P.3).

    Parameters
    ----------
    lines : from `coded`. before, after : how many neighbours on each side. words : of the vocabulary.

    Returns
    -------
    Integers (words of all lines, before + 1 + after): place plus (words + 1) times the offset's number; a neighbour
    beyond the line's end is the word number `words`.
    """
    integer("before", before, 0)
    integer("after", after, 0)
    offsets = (words + 1) * np.arange(before + 1 + after)
    around = [np.concatenate([[words] * before, line, [words] * after]).astype(int) for line in lines]
    views = [np.lib.stride_tricks.sliding_window_view(a, before + 1 + after) for a in around]
    return np.concatenate(views) + offsets
