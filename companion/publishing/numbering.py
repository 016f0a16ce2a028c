r"""Equations, figures and tables have numbers as in print, (10.7.3) and Figure 10.7.2, and links say these numbers.

The numbers stand in the stored pages, so that every reader of a notebook sees them. An author writes what stays, a
name, and leaves the number to ``python -m companion.notebooks``, which writes it wherever the name is used:

- ``<a id="eq-longterm-power"></a>`` and an empty line above a formula's ``$$`` gives the formula its ``\tag{10.7.1}``;
- ``<a id="fig-longterm-slope"></a>**Figure.** What it shows.`` in the Markdown cell below a picture is its caption;
- ``<a id="tab-forcing-parallel"></a>**Table.** What it says.`` above a table is its caption;
- ``[](#eq-longterm-power)`` on any page becomes a link to it: ``[(10.7.1)](10_07_longterm.ipynb#eq-longterm-power)``;
- ``[](bibliography.md#hochreiter1991)`` becomes ``[Hochreiter (1991)](…)``, and ``[,](…)`` ``[Hochreiter, 1991](…)``.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from companion.sections import SECTIONS

from .cited import Entry, listed

__all__ = ["BIBLIOGRAPHY", "Place", "mend", "numbers"]

BIBLIOGRAPHY = "bibliography.md"
ANCHOR = re.compile(r'<a id="((eq|fig|tab)-[\w-]+)"></a>')
# A name, an empty line, and the lines of a formula with what indents them; its number is on the last but one.
FORMULA = re.compile(
    r'(?P<head><a id="(?P<name>eq-[\w-]+)"></a>\n[ >]*\n(?P<in>[ >]*)\$\$\n)'
    r"(?P<body>(?:(?!\$\$).)*?)(?:\n(?P=in)\\tag\{[^}]*\})?(?P<end>\n(?P=in)\$\$(?=\n|$))",
    re.DOTALL,
)
CAPTION = re.compile(r'(?P<head><a id="(?P<name>(?:fig|tab)-[\w-]+)"></a>)\*\*(?:Figure|Table)[^*]*\*\*')
LINK = re.compile(r"\[[^\]\[]*\]\([^)\s#]*#(?P<name>(?:eq|fig|tab)-[\w-]+)\)")
CITATION = re.compile(r"\[(?P<text>[^\]\[]*)\]\([^)\s#]*bibliography\.md#(?P<key>\w+)\)")
CODE = re.compile(r"(^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)|`+[^`\n]*`+)", re.DOTALL | re.MULTILINE)
WORDS: dict[str, Callable[[str], str]] = {"eq": "({})".format, "fig": "Figure {}".format, "tab": "Table {}".format}
NUMBER_OF = {f"{section.page}.ipynb": f"{section.number}." for section in SECTIONS}


class Place(NamedTuple):
    """Where a name stands, and its number."""

    page: str
    number: str

    def words(self, name: str) -> str:
        """What a link to it says."""
        return WORDS[name.split("-")[0]](self.number)


def numbers(pages: Mapping[str, Iterable[str]]) -> dict[str, Place]:
    """The place of every name, from the Markdown of all pages by their paths in the book's folder.

    Raises
    ------
    ValueError
        If a name stands twice.
    """
    places: dict[str, Place] = {}
    for page, texts in pages.items():
        count: Counter[str] = Counter()
        for name, kind in (found.groups() for text in texts for found in ANCHOR.finditer(_prose(text))):
            if name in places:
                raise ValueError(f"{page}: the name {name} is taken, on {places[name].page}")
            count[kind] += 1
            places[name] = Place(page, f"{NUMBER_OF.get(page, '')}{count[kind]}")
    return places


def mend(pages: Mapping[str, list[str]], entries: Mapping[str, Entry]) -> dict[str, list[str]]:
    """All pages with every number, every link to one, every citation and the list of references as they should read.

    Raises
    ------
    ValueError
        If a name stands twice or marks nothing, or a link leads to no name or no entry.
    """
    places = numbers(pages)
    mended = {page: [_mend(text, page, places, entries) for text in texts] for page, texts in pages.items()}
    if BIBLIOGRAPHY in mended:
        mended[BIBLIOGRAPHY] = [listed("".join(mended[BIBLIOGRAPHY]), entries, _cited(mended))]
    return mended


def _prose(text: str) -> str:
    """A text without what it shows as code."""
    return CODE.sub("", text)


def _cited(pages: Mapping[str, list[str]]) -> dict[str, list[tuple[str, str]]]:
    """For each entry, the pages that cite it: title and path."""
    found: dict[str, list[tuple[str, str]]] = {}
    for page, texts in pages.items():
        prose = "\n".join(map(_prose, texts))
        heading = re.search(r"^# (.+)$", prose, re.MULTILINE)
        if page != BIBLIOGRAPHY:
            for key in dict.fromkeys(match["key"] for match in CITATION.finditer(prose)):
                found.setdefault(key, []).append((heading[1].strip() if heading else page, page))
    return found


def _mend(text: str, page: str, places: Mapping[str, Place], entries: Mapping[str, Entry]) -> str:
    def to(target: str) -> str:
        return "" if target == page else os.path.relpath(target, PurePosixPath(page).parent)

    def formula(match: re.Match) -> str:
        tag = f"\n{match['in']}\\tag{{{places[match['name']].number}}}"
        return match["head"] + match["body"] + tag + match["end"]

    def caption(match: re.Match) -> str:
        return f"{match['head']}**{places[match['name']].words(match['name'])}.**"

    def link(match: re.Match) -> str:
        name = match["name"]
        if name not in places:
            raise ValueError(f"{page}: a link leads to {name}, which is the name of nothing")
        return f"[{places[name].words(name)}]({to(places[name].page)}#{name})"

    def citation(match: re.Match) -> str:
        text, key = match["text"], match["key"]
        if key not in entries:
            raise ValueError(f"{page}: {key} is cited, and references.bib has no such entry")
        said = entries[key].textual if text.endswith(")") or not text else entries[key].bracketed
        return f"[{said}]({to(BIBLIOGRAPHY)}#{key})"

    parts = CODE.split(text)[:: CODE.groups + 1]
    shown = [match[0] for match in CODE.finditer(text)]
    for i, part in enumerate(parts):
        marked = {match["name"] for kind in (FORMULA, CAPTION) for match in kind.finditer(part)}
        if idle := {match[1] for match in ANCHOR.finditer(part)} - marked:
            raise ValueError(f"{page}: {', '.join(sorted(idle))}: neither a formula nor a caption follows this name")
        for pattern, write in ((FORMULA, formula), (CAPTION, caption), (LINK, link), (CITATION, citation)):
            part = pattern.sub(write, part)
        parts[i] = part
    return "".join(piece for pair in zip(parts, [*shown, ""], strict=True) for piece in pair)
