"""The page of words that people search for: each leads to a page that uses it, or to what it is called there."""

import re

import nbformat
import pytest

from tests.conftest import ROOT

PAGE = ROOT / "book/search_words.md"
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| \[(.+?)\]\((\S+?)\) \|$", PAGE.read_text(), re.M)


def said(page):
    """All prose of a page, in small letters."""
    return "\n".join(c.source for c in nbformat.read(page, as_version=4).cells if c.cell_type == "markdown").lower()


def test_the_page_has_rows_and_no_word_twice():
    words = [w for row in ROWS for w in row[0].split(", ")]
    assert len(ROWS) == PAGE.read_text().count("\n| ") - 1 and len(words) > 100
    assert len(words) == len(set(words))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_row_leads_to_a_page_that_says_at_least_one_of_its_words(row):
    words, _, _, link = row
    text = said(ROOT / "book" / link)
    stems = [w.lower().removesuffix("s") for w in words.split(", ")]
    assert any(stem in text for stem in stems), f"none of {stems} in {link}"
