"""What a chapter claims: each item of a Summary has its cell; no cell prints a sentence that was typed to fit.

A claim is stated where a markdown cell says `<a id="claim-NAME"></a>`; the code cell next to it, tagged `claim` and
folded, asserts it, with a message for a reader who changed something. The Summary's items link to it,
`<a href="#claim-NAME">…</a>`. `make test-claims` runs the chapters with other data, weights and noise
(`companion.core.chance`).
"""

import ast
import json
import re

import nbformat
import pytest

from companion.publishing import claims
from companion.sections import INTRODUCTION, SECTIONS
from tests import draws
from tests.conftest import ROOT

BOOK = ROOT / "book"
CHAPTERS = [BOOK / "intro.ipynb", *sorted(BOOK.glob("10_*.ipynb")), *sorted(BOOK.glob("practice/*.ipynb"))]
NAMES = ROOT / "book/pytorch_names.ipynb"
HERE = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
ID, LINK = re.compile(r'<a id="(claim-[\w-]+)"></a>'), re.compile(r'<a href="#(claim-[\w-]+)">')


def cells(path):
    """The cells of a notebook."""
    return nbformat.read(path, as_version=4).cells


def items(path):
    """The items of a chapter's Summary."""
    (text,) = [
        c.source for c in cells(path) if c.cell_type == "markdown" and re.search(r"^## Summary$", c.source, re.M)
    ]
    text = re.split(r"^## ", text.split("## Summary", 1)[1], flags=re.M)[0]
    return [item for item in re.split(r"^- ", text, flags=re.M)[1:] if item.strip()]


def tagged(cell):
    """Is this a cell that tests a claim?"""
    return cell.cell_type == "code" and "claim" in cell.metadata.get("tags", [])


def asserted(path):
    """The claims of a page that stand beside a cell that tests them."""
    page = cells(path)
    beside = [i for i, c in enumerate(page) if any(tagged(near) for near in page[max(i - 1, 0) : i + 2])]
    return {name for i in beside if page[i].cell_type == "markdown" for name in ID.findall(page[i].source)}


@HERE
def test_every_item_of_a_summary_links_to_a_cell_that_tests_it(path):
    without = [item for item in items(path) if not LINK.findall(item)]
    assert not without, f"no link to its claim: {without}"
    dangling = {name for item in items(path) for name in LINK.findall(item)} - asserted(path)
    assert not dangling, f"no claim cell beside: {dangling}"


def test_the_ledger_holds_every_item_of_every_summary_and_its_links_lead_to_where_it_is_tested():
    ledger = claims.written(ROOT / "book")
    lists = dict(re.findall(r"^## .+?\]\(([\w/]+)\.ipynb\)$(.+?)(?=^## |\Z)", ledger, re.M | re.S))
    assert [*lists] == [section.page for section in (INTRODUCTION, *SECTIONS)] and {*lists} == {
        str(path.relative_to(BOOK).with_suffix("")) for path in CHAPTERS
    }
    for page, path in ((str(path.relative_to(BOOK).with_suffix("")), path) for path in CHAPTERS):
        kept = re.split(r"^- ", lists[page], flags=re.M)
        assert re.fullmatch(r"\s*Held in \d+ of \d\d further draws\.\s*", kept[0])
        assert len(kept) - 1 == len(items(path))
        for there, item in zip(kept[1:], items(path), strict=True):
            assert re.findall(rf'href="{page}\.html#(claim-[\w-]+)"', there) == LINK.findall(item)
            assert re.sub(r"<.*?>|\]\(.*?\)|\s", "", there) == re.sub(r"<.*?>|\]\(.*?\)|\s", "", item.split("\n\n")[0])
    assert not re.findall(r'href="#|\]\(#', ledger), "a link that leads nowhere from here"


def test_every_row_of_pytorchs_names_links_to_a_cell_that_tests_it():
    table = cells(NAMES)[0].source.split("| this book | PyTorch | watch out |", 1)[1].split("\n\n")[0]
    rows = table.splitlines()[2:]
    assert len(rows) > 10
    assert [row for row in rows if not LINK.findall(row)] == []
    assert set(LINK.findall(table)) == asserted(NAMES), "each claim of the page is a row, and each row is tested"


@pytest.mark.parametrize("path", sorted((ROOT / "book").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_a_claim_is_folded_and_says_what_was_expected(path):
    for cell in filter(tagged, cells(path)):
        assert "hide-cell" in cell.metadata.tags, cell.source
        tests = [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Assert)]
        assert tests, f"a claim without an assertion:\n{cell.source}"
        assert all(n.msg is not None for n in tests), f"an assertion without a message:\n{cell.source}"


def typed(call: ast.Call) -> bool:
    """Does this `print` print nothing that was computed?"""
    name = getattr(call.func, "id", "")
    return (
        name == "print"
        and bool(call.args)
        and not any(
            isinstance(n, ast.Name | ast.Attribute | ast.Call | ast.Subscript) for a in call.args for n in ast.walk(a)
        )
    )


def sentences(source: str) -> list[str]:
    """Calls of `print` that end a cell's printing with something that no computation can change."""
    calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print"]
    return [ast.unparse(n) for n in sorted(calls, key=lambda n: n.lineno)[-1:] if typed(n)]


@HERE
def test_no_cell_prints_a_sentence_as_its_result(path):
    found = [
        s for c in cells(path) if c.cell_type == "code" and not c.source.startswith("%") for s in sentences(c.source)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('assert x\nprint("nearly all of them do")', True),
        ('print("a   b")\nprint(f"{a} {b}")', False),
        ('print(f"as expected")', True),
        ("print(x)", False),
        ("print()\nx", False),
    ],
)
def test_a_typed_sentence_is_found(source, found):
    assert bool(sentences(source)) is found


def test_the_draws_that_the_book_counts_are_of_the_assertions_as_they_stand():
    for page, record in json.loads(draws.RECORD.read_text()).items():
        now = draws.assertions(ROOT / f"book/{page}.ipynb")
        assert record["assertions"] == now, f"{page}: draw again (README, A claim), or take it out of book/draws.json"
