"""The index of terms: where each is explained, gathered when the book is built.

Three sources: the tables of the page of notation, the page of words that people search for, and what the sections set
in bold when they name it first. ``python -m companion.publishing.terms``, run at the root of the repository, prints it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sphinx.application import Sphinx

from companion.sections import SECTIONS

from .filled import below, prose

PAGE = "book/index_terms"
NOTATION, WORDS = "notation.md", "search_words.md"
ROW = re.compile(r"^\| (.+?) \| (\[.+?\]\([^)]+\)) \| .+? \|$", re.MULTILINE)
HEADING = re.compile(r"^(#{1,3}) (.+)$")
BOLD = re.compile(r"(?<![*\\])\*\*(?!\s)([^*\n]+?)\*\*")
#: What is set in bold and names nothing: begins like a sentence, ends like one, or holds a formula.
SENTENCE = re.compile(r"[A-Z][a-z]+(?:$| [a-z])|.*[.:?!,;]|.*\$|\d+$")
LONGEST = 4  # words in a term
#: Words in bold that only bear a stress.
STRESSED = re.split(
    r",\s+",
    """after, all, anywhere, are, assumption, away, balanced, biased, both, complete, consistent, content, count,
    count alone, cross, deep, erase, every, every row, every step, explode, explodes, exponentially smaller, fact,
    final, first, followed, forward, four, hard, heads, hold, holds, home, immediate, jointly, keep, keeps, lasts,
    learn, learns, leaky, linear, listens, listens less, local, look for, look up, louder, near, negative, noise,
    not, once, one, one slip, one step, opposite, orthogonal, plain, plain + count, plain + strikes, random,
    residual, right, right after, shallow, short, start, texts, told, total, untrained, uphill, width, write,
    zero, and its input, bias 1 in both, checked here, close the loop, equal numbers of parameters, how many
    factors, in this order, it chooses the bias, second, third hop, two facts, whatever its radius""",
)


class Place(NamedTuple):
    """Where a term is explained: a link in Markdown, relative to the folder of the pages."""

    term: str
    link: str


def slugify(heading: str) -> str:
    """The address of a heading within its page, as MyST writes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace(" ", "-"))


def _headed(text: str, page: str) -> Iterator[tuple[str, str]]:
    """The lines of a page, each with the address of the heading that it stands below."""
    address = page
    for line in text.splitlines():
        if heading := HEADING.match(line):
            if "$" in line:
                continue  # a formula has no name in an address: what stands below is found from the heading before
            address = page if len(heading[1]) == 1 else f"{page}#{slugify(heading[2])}"
        else:
            yield line, address


def _notation(book: Path) -> Iterator[Place]:
    text = (book / NOTATION).read_text("utf-8").split("## Letters with a second meaning")[0]
    columns: list[str] = []
    for line, address in _headed(text, NOTATION):
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if not cells or set(line) <= set("|-"):
            columns = columns if cells else []
        elif not columns:
            columns = cells
        elif {"what", "letter"} <= set(columns):
            row = dict(zip(columns, cells, strict=False))
            what = re.sub(r"\*\*|^(?:an?|the|all) ", "", row["what"])
            yield Place(f"{what}, {row['letter']}", f"[Notation]({address})")


def _searched(book: Path) -> Iterator[Place]:
    for words, link in ROW.findall((book / WORDS).read_text("utf-8")):
        yield from (Place(word, link) for word in words.split(", "))


def _bold(book: Path) -> Iterator[Place]:
    for section in SECTIONS:
        text = prose(book / f"{section.page}.ipynb")
        for line, address in _headed(text.split("\n## Pitfalls")[0], f"{section.page}.ipynb"):
            if line.startswith(("- ", "|")):
                continue
            for term in BOLD.findall(line):
                if not SENTENCE.match(term) and term not in STRESSED and len(term.split()) <= LONGEST:
                    yield Place(term, f"[{section.number}]({address})")


def places(book: Path) -> dict[str, list[str]]:
    """Every term and the links to where it is explained, in alphabetical order.

    Parameters
    ----------
    book : the folder of the pages.
    """
    found: dict[str, list[Place]] = defaultdict(list)
    for place in (*_searched(book), *_bold(book), *_notation(book)):
        found[place.term.casefold()].append(place)
    terms = {}
    for same in found.values():
        links = {re.match(r"\[(.+?)\]", link)[1]: link for _, link in reversed(same)}  # the first of each page
        terms[same[0].term] = [link for link in dict.fromkeys(p.link for p in same) if link in links.values()]
    return dict(sorted(terms.items(), key=lambda item: (not item[0][0].isalpha(), item[0].casefold())))


def written(book: Path) -> str:
    """The index in Markdown, a list for each letter."""
    letters: dict[str, list[str]] = defaultdict(list)
    for term, links in places(book).items():
        first = term[0].upper() if term[0].isalpha() else "Signs"
        letters[first].append(f"- {term}: {', '.join(links)}")
    parts = [" · ".join(f"[{letter}](#{slugify(letter)})" for letter in letters)]
    for letter, lines in letters.items():
        parts += [f"## {letter}", "{.index-of-terms}\n" + "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the page when it is read."""
    book = Path(app.srcdir, "book")
    pages = (NOTATION, WORDS, *(f"{section.page}.ipynb" for section in SECTIONS))
    return below(app, PAGE, lambda: written(book), [Path(__file__), *(book / name for name in pages)])


if __name__ == "__main__":
    print(written(Path("book")))
