"""The page of words that people search for: each leads to a section that uses it, or what it is called there."""

import re

import nbformat
import pytest
from mdit_py_plugins.anchors.index import slugify

from tests.conftest import ROOT

PAGE = ROOT / "book/search_words.md"
ROWS = re.findall(r"^\| (.+?) \| \[.+?\]\(([^#)]+)#?(.*?)\) \| (.+?) \|$", PAGE.read_text(), re.M)


def said(page, place):
    """The prose of a page, or of one section of it with what is below, in small letters without its marks."""
    cells = nbformat.read(ROOT / "book" / page, as_version=4).cells
    text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    if place:
        heads = [(len(h[1]), slugify(h[2]), h.start()) for h in re.finditer(r"^(#+) (.+)$", text, re.M)]
        (here,) = [i for i, (_, slug, _) in enumerate(heads) if slug == place]
        ends = [start for level, _, start in heads[here + 1 :] if level <= heads[here][0]]
        text = text[heads[here][2] : min(ends, default=None)]
    return plain(text)


def plain(text):
    return re.sub(r"[*`]", "", re.sub(r"\s+", " ", text)).lower()


def test_the_page_has_rows_and_no_word_twice():
    words = [w for row in ROWS for w in row[0].split(", ")]
    assert len(ROWS) == PAGE.read_text().count("\n| ") - 1 and len(words) > 130
    assert len(words) == len(set(words))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_row_leads_to_a_section_that_says_all_its_words_or_what_they_are_called_there(row):
    words, page, place, it_is = row
    text = said(page, place)
    unsaid = [w for w in words.split(", ") if plain(w).removesuffix("s") not in text]
    called = re.findall(r"\*\*(.+?)\*\*", it_is)
    assert not unsaid or called, f"{unsaid} not in {page}#{place}, and no word in bold"
    assert [w for w in called if plain(w).removesuffix("s") not in text] == []
