"""The bibliography: what a citation says, and the list of all works with the pages that cite each.

Everything comes from ``references.bib``; ``python -m companion.notebooks`` writes it into the pages.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from string import ascii_lowercase
from typing import Any, NamedTuple

__all__ = ["Entry", "entries", "listed", "place", "short"]

# What stands between words needs no backslash in the middle of a line.
ESCAPED = re.compile(r"\\([.,:;()+!#-])")


class Entry(NamedTuple):
    """A work: who wrote it, the year with a letter where one is needed, and all the rest in Markdown."""

    names: str
    year: str
    full: str

    @property
    def textual(self) -> str:
        """What a sentence says: Hochreiter (1991)."""
        return f"{self.names} ({self.year})"

    @property
    def bracketed(self) -> str:
        """What stands in brackets: Hochreiter, 1991."""
        return f"{self.names}, {self.year}"


def entries(file: Path) -> dict[str, Entry]:
    """The works of a BibTeX file by their keys, in the order in which they are listed."""
    from pybtex.database import parse_file  # what only an author needs
    from pybtex.plugin import find_plugin

    works = parse_file(str(file))
    style, form = find_plugin("pybtex.style.formatting", "plain")(), find_plugin("pybtex.backends", "markdown")()
    full = {
        entry.key: ESCAPED.sub(r"\1", " ".join(entry.text.render(form).split()))
        for entry in style.format_bibliography(works)
    }
    alike = defaultdict(list)
    for key in full:
        alike[_names(works.entries[key]), works.entries[key].fields["year"]].append(key)
    return {
        key: Entry(names, year + (ascii_lowercase[same.index(key)] if len(same) > 1 else ""), full[key])
        for (names, year), same in sorted(alike.items(), key=lambda item: [part.casefold() for part in item[0]])
        for key in same
    }


def _names(work: Any) -> str:
    people = work.persons.get("author") or work.persons["editor"]
    names = [" ".join(map(str, person.rich_prelast_names + person.rich_last_names)) for person in people]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."


def listed(page: str, works: Mapping[str, Entry], cited: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    """The bibliography: its head as it stands, and below it every work with the pages, (title, path), that cite it."""
    head = page.split('- <a id="', 1)[0].rstrip("\n")
    rows = []
    for key, work in works.items():
        pages = sorted(cited.get(key, ()), key=lambda found: place(found[0]))
        # a section's number names it once
        links = [f"[{name}]({next(group)[1]})" for name, group in groupby(pages, key=lambda found: short(found[0]))]
        where = f"<br><small>Cited in {', '.join(links)}</small>" if links else ""
        rows.append(f'- <a id="{key}"></a>**{work.textual}.** {work.full}{where}')
    return "\n".join([head, "", *rows, ""])


def short(title: str) -> str:
    """The number of a section, or the title of a page that has none."""
    number = re.match(r"\d+(?:\.\d+)+", title)
    return number[0] if number else title


def place(title: str) -> tuple[bool, list[int], str]:
    """What sorts sections by their numbers, and other pages after them."""
    numbers = re.findall(r"\d+", short(title)) if short(title) != title else []
    return not numbers, [int(number) for number in numbers], title
