"""The ledger of equations: a row for each, a function that is there, and a test that names what it should hold."""

import ast
import importlib
import re
from functools import cache

import nbformat
import pytest

from companion.publishing import equations as ledger
from companion.publishing import reference
from companion.publishing.filled import prose
from tests.conftest import ROOT

BOOK = ROOT / "book"
ROWS = ledger.rows(BOOK)
#: Equations that no test holds yet.
GAPS: set[str] = set()


@cache
def found():
    """The numbered equations of all pages."""
    return [e for path in ledger.pages(ROOT) for e in ledger.equations(prose(path), path.relative_to(BOOK).as_posix())]


def missing(there, rows):
    """What has no row, has several, or is no equation of the book."""
    names = [e.name for e in there]
    return sorted({name for name in names if names.count(name) > 1} | ({*names} ^ {*rows}))


@cache
def definitions(path):
    """What a file defines at its top, by name."""
    defined = {}
    for node in ast.parse((ROOT / path).read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign):
            defined |= {n.id: node for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return defined


def used(*nodes):
    """The names in a piece of code, and those of the attributes."""
    parts = [n for node in nodes for n in ast.walk(node)]
    return {n.id for n in parts if isinstance(n, ast.Name)} | {n.attr for n in parts if isinstance(n, ast.Attribute)}


def named(path, test):
    """All names that a test uses, also by what its file defines and it uses: helpers, cases, fixtures."""
    defined, open_, names = definitions(path), [test], set()
    while open_:
        node = defined[open_.pop()]
        fixtures = {arg.arg for arg in node.args.args} if isinstance(node, ast.FunctionDef) else set()
        more = (used(node) | fixtures) - names
        names |= more
        open_ += more & defined.keys()
    return names


@cache
def notebook(page):
    """The cells of a notebook."""
    return nbformat.read(BOOK / page, 4).cells


def cells(place):
    """The code cells at a place of a page: the claim beside its name, or what stands below an equation."""
    page, name = place.split("#")
    every = notebook(page)
    (at,) = [
        i for i, cell in enumerate(every) if cell.cell_type == "markdown" and f'<a id="{name}"></a>' in cell.source
    ]
    if name.startswith("claim-"):
        near = [every[i] for i in (at - 1, at + 1)]
        return [ast.parse(cell.source) for cell in near if "claim" in cell.metadata.get("tags", [])]
    assert name.startswith("eq-")
    return [ast.parse(cell.source) for cell in every[at + 1 : at + 2] if cell.cell_type == "code"]


def test_every_numbered_equation_has_one_row_and_every_row_an_equation_in_the_order_of_the_book():
    assert missing(found(), ROWS) == []
    assert [e.name for e in found()] == [*ROWS]
    named_in = {name for path in ledger.pages(ROOT) for name in re.findall(r'<a id="(eq-[^"]+)"', prose(path))}
    assert named_in == {*ROWS} and len(ROWS) > 150


def test_an_equation_without_a_row_and_a_row_without_an_equation_are_found():
    text = '<a id="eq-new-one"></a>\n\n$$\na = b .\n\\tag{10.1.1}\n$$\n'
    (planted,) = ledger.equations(text, "10_01_unfolding.ipynb")
    assert planted == ("eq-new-one", "10_01_unfolding.ipynb", "10.1.1", "a = b .")
    assert missing([*found(), planted], ROWS) == ["eq-new-one"]
    assert missing(found()[1:], ROWS) == [found()[0].name]
    assert missing([*found(), found()[3]], ROWS) == [found()[3].name]
    assert not list(ledger.equations(f"```\n{text}```\n", "how.md"))


@pytest.mark.parametrize("name", ROWS)
def test_what_computes_it_is_there_under_its_own_module_or_in_a_cell(name):
    function = ROWS[name].function
    if "#" in function:
        assert cells(function), function
        return
    module, last = function.rsplit(".", 1)
    there = getattr(importlib.import_module(module), last)
    assert getattr(there, "__module__", module) == module


def test_a_link_leads_to_the_entry_of_a_function_or_to_the_module_of_one_that_is_not_public():
    works = reference.cited((BOOK / "bibliography.md").read_text("utf-8"))
    group = "longterm_to_timescales"
    written = reference.written(ROOT / "companion", group, works)
    places = [reference.address(ROOT / "companion", row.function) for row in ROWS.values() if "#" not in row.function]
    here = [place.split("#")[1] for place in places if place.startswith(f"{group}.md#")]
    entries = [place for place in here if "." in place]
    assert len(entries) > 20 and [place for place in entries if f'\n<a id="{place}"></a>`' not in written] == []
    assert {*here} - {*entries} == {"companiontimescalesleaky"} and "\n### companion.timescales.leaky\n" in written


@pytest.mark.parametrize("name", ROWS)
def test_each_of_its_tests_is_there_and_one_at_least_names_what_computes_it(name):
    function, tests = ROWS[name]
    assert bool(tests) is (name not in GAPS), "a gap is known, and a known gap is one"
    names = set()
    for test in tests:
        if "#" in test:
            asserting = cells(test)
            assert any(isinstance(node, ast.Assert) for cell in asserting for node in ast.walk(cell)), test
            names |= used(*asserting)
        else:
            path, called = test.split("::")
            assert called.startswith("test_") and called in definitions(path), test
            names |= named(path, called)
    assert not tests or function in tests or function.rsplit(".", 1)[1] in names, f"no test of it names {function}"


def test_a_test_that_does_not_name_a_function_is_noticed_and_a_helper_that_does_counts():
    torchs = "test_forward_and_loss_equal_torchs"
    assert {"rnn_forward", "rnn_loss", "rnn_init"} <= named("tests/test_recurrent.py", torchs)  # the last by `case`
    assert "truncated_bptt" not in named("tests/test_recurrent.py", torchs)


def test_the_page_has_a_line_for_each_in_order_with_links_and_words():
    page = ledger.written(ROOT)
    lines = re.findall(r"^- \[\((\S+)\)\]\((\S+?)#(eq-\S+)\)$(.+?)(?=^- |^## |\Z)", page, re.M | re.S)
    assert [line[:3] for line in lines] == [(e.number, e.page, e.name) for e in found()]
    for (*_, name, told), equation in zip(lines, found(), strict=True):
        function, tests = ROWS[name]
        formula, below = told.split("$$")[1:]
        assert formula.split() == equation.formula.split() and "\\tag" not in formula
        assert f"]({function})" in below if "#" in function else f"[`{function}`](reference/" in below
        for test in tests:
            assert (test if "#" in test else test.split("::test_")[1].replace("_", " ")) in below
    assert ledger.item(found()[0], ledger.Row("companion.cells.rnn.RNN", [])).endswith(": no test yet.")
    assert ledger.item(found()[0], None).endswith("no row in `book/equations.toml` yet.")
