"""The index of terms leads where it says, and the reference of the package leaves nothing out."""

import importlib
import inspect
import re

import nbformat
import pytest
from mdit_py_plugins.anchors.index import slugify

from companion.publishing import reference, terms
from tests.conftest import ROOT

BOOK, PACKAGE = ROOT / "book", ROOT / "companion"
WORKS = reference.cited((BOOK / "bibliography.md").read_text("utf-8"))
INDEX = terms.places(BOOK)
LINK = re.compile(r"\[(.+?)\]\(([^#)]+)#?(.*?)\)")
MODULES = {
    ".".join(("companion", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for group in reference.GROUPS.values()
    for room in group
    for path in reference.files(PACKAGE, room)
}
OWN_BUSINESS = {"classroom", "notebooks", "publishing", "sections", "studies"}  # of those who make the book


def text_of(page):
    path = BOOK / page
    if path.suffix == ".md":
        return path.read_text("utf-8")
    cells = nbformat.read(path, 4).cells
    return "\n".join(c.source for c in cells if c.cell_type == "markdown")


@pytest.mark.parametrize("page", sorted({LINK.match(link)[2] for links in INDEX.values() for link in links}))
def test_every_entry_leads_to_a_heading_of_a_page_that_is_there(page):
    headings = {slugify(h) for h in re.findall(r"^#{2,3} (.+)$", text_of(page), re.M)}
    for term, links in INDEX.items():
        for link in links:
            _, there, place = LINK.match(link).groups()
            assert there != page or place in {"", *headings}, f"{term}: no heading {place} on {page}"


def test_the_index_knows_what_a_reader_looks_for_and_no_stressed_word():
    for term in ("teacher forcing", "LSTM", "beam search", "leaky unit", "echo state property", "clockwork RNN"):
        assert term in INDEX
    assert not {"not", "every", "one", "all", "Guess", "Look"} & INDEX.keys()
    assert len(INDEX) > 250 and len({term.casefold() for term in INDEX}) == len(INDEX)


def test_every_letter_of_the_notation_and_every_word_that_is_searched_for_is_an_entry():
    tables = (BOOK / "notation.md").read_text("utf-8").split("## Letters with a second meaning")[0]
    rows = [row for row in re.findall(r"^\| .+ \|$", tables, re.M) if "$" in row]
    with_letters = [term for term, links in INDEX.items() if any("Notation" in link for link in links)]
    assert len(rows) > 30 and sum("$" in term for term in with_letters) >= len(rows) - 1
    words = (BOOK / "search_words.md").read_text("utf-8")
    for row in re.findall(r"^\| (.+?) \| \[", words, re.M):
        for word in row.split(", "):
            assert word.casefold() in {term.casefold() for term in INDEX}, word


def test_the_written_index_is_in_order_and_has_every_entry_once():
    lines = re.findall(r"^- (.+?): \[", terms.written(BOOK), re.M)
    assert lines == list(INDEX)
    letters = [term.casefold() for term in INDEX if term[0].isalpha()]
    assert letters == sorted(letters)


def test_every_room_stands_on_one_page_of_the_reference():
    rooms = [room for group in reference.GROUPS.values() for room in group]
    there = {path.stem for path in PACKAGE.glob("*") if path.suffix in ("", ".py") and path.stem[0] != "_"}
    assert len(rooms) == len(set(rooms)) and {*rooms} == there - OWN_BUSINESS
    about = (BOOK / "reference/about.md").read_text("utf-8")
    for group, inside in reference.GROUPS.items():
        (row,) = [line for line in about.splitlines() if f"({group}.md)" in line and line.startswith("|")]
        assert re.findall(r"`(\w+)`", row) == inside


@pytest.mark.parametrize("name", MODULES)
def test_an_entry_for_every_name_that_a_module_defines_and_makes_public_called_as_it_is_called(name):
    module = importlib.import_module(name)
    found = {entry.name: entry for entry in reference.entries(MODULES[name].read_text("utf-8"))}
    public = [getattr(module, known) for known in getattr(module, "__all__", [])]
    own = [thing for thing in public if getattr(thing, "__module__", "") == name and hasattr(thing, "__name__")]
    assert {thing.__name__ for thing in own} <= found.keys()
    for thing in own:
        entry = found[thing.__name__]
        if inspect.isfunction(thing) or (inspect.isclass(thing) and "_fields" in vars(thing)):
            arguments = [*inspect.signature(thing).parameters]
            given = re.findall(r"(?<![\w.\"'])\*{0,2}([A-Za-z_]\w*)(?=[,)=])", entry.call.split("(", 1)[1])
            assert [a for a in arguments if a not in given] == [], entry.call
        written = re.sub(r"\\(.)", r"\1", reference.item(entry, WORKS))
        for word in re.findall(r"\w{4,}", (inspect.getdoc(thing) or "").replace("Reference: ", "")):
            assert word in written, f"{entry.name}: {word!r} of its docstring is lost"
