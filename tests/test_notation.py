"""The page of notation names the letters that the pages use."""

import re
from collections import Counter

import nbformat
import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from companion.exercises.bank import exercises, sections
from companion.sections import INTRODUCTION, SECTIONS
from companion.sections import exercises as exercises_of
from tests.conftest import ROOT

TABLES, AGAIN = (ROOT / "book/notation.md").read_text().split("## Letters with a second meaning")
AGAIN = AGAIN.split("## Where books disagree")[0]
ROWS = dict(re.findall(r"^\| \[.+?\]\((\S+?)\) \| (.+) \|$", AGAIN, re.M))
COUNTERS = set("ijklmnt")
NO_LETTERS = re.compile(r"\\(?:text|mathrm|mathtt|operatorname|begin|end)\*?\s*\{[^}]*\}|\\\W")
GREEK = set(
    re.findall(r"\w+", "alpha beta gamma delta epsilon varepsilon theta kappa lambda mu rho sigma tau varphi Lambda")
)
READER = MarkdownIt().use(dollarmath_plugin, double_inline=True).use(amsmath_plugin)


def formulas(text):
    """The formulas of a text."""
    parts = [part for token in READER.parse(text) for part in (token, *(token.children or ()))]
    return [part.content for part in parts if "math" in part.type]


def letters(formula):
    """Its letters, the Greek ones by their names."""
    formula = NO_LETTERS.sub(" ", formula)
    commands = re.findall(r"\\([A-Za-z]+)", formula)
    return set(re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", formula))) | (GREEK & set(commands))


def named(text):
    """All letters of a text's formulas."""
    return set().union(*map(letters, formulas(text)))


def asked(number):
    """The single letters in each question of a section, which are written without TeX; A, a and I are words there."""
    questions = exercises(number).values() if number in sections() else ()
    texts = [str(item.spec()) for item in questions if hasattr(item, "spec")]
    return [set(re.findall(r"(?<![A-Za-z])[B-HJ-Zb-z](?![A-Za-z])", text)) for text in texts]


def used(page):
    """How many formulas of a page, and of its section's exercises, use each letter."""
    paths, questions = [ROOT / "book" / page], []
    for section in (INTRODUCTION, *SECTIONS):
        own = ROOT / f"book/exercises/{exercises_of(section)}.ipynb"
        if page == f"{section.page}.ipynb" and own.exists():
            paths, questions = [*paths, own], asked(section.number)
    cells = [cell for path in paths for cell in nbformat.read(path, as_version=4).cells]
    found = [letters(f) for c in cells if c.cell_type == "markdown" for f in formulas(c.source)]
    return Counter(letter for some in [*found, *questions] for letter in some)


@pytest.mark.parametrize("page", ROWS)
def test_each_letter_that_a_page_uses_often_is_in_the_tables_or_in_its_row(page):
    general = COUNTERS | named(TABLES) | named(AGAIN.split("\n| page |")[0])
    often = {letter for letter, count in used(page).items() if count >= 3}
    assert often - general - named(ROWS[page]) == set()


@pytest.mark.parametrize("page", ROWS)
def test_each_letter_of_a_row_is_used_on_its_page(page):
    assert named(ROWS[page]) - set(used(page)) == set()


def test_letters_are_read_from_formulas():
    assert letters(r"\operatorname{softmax}(\alpha^{(t)} / T) + \text{so}") == {"alpha", "t", "T"}
    assert used("10_02_recurrent.ipynb")["W"] > 5 and len(ROWS) > 15
