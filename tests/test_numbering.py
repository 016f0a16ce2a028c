"""Equations, figures, tables and citations read as in print wherever a notebook is opened, and say what is true."""

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from companion import notebooks
from companion.publishing.cited import Entry, entries, listed, place, short
from companion.publishing.numbering import mend
from companion.sections import SECTIONS
from tests.conftest import ROOT

BOOK = ROOT / "book"
PRACTICE = {f"{s.page}.ipynb": f"{s.number}." for s in SECTIONS if s.part == "Practice"}
ROLE = re.compile(r"\{(?:eq|numref|ref|(?:foot)?cite(?::\w+)?)\}`|\{(?:foot)?bibliography\}|\$\$ *\(")
WORKS = {"a1990": Entry("A", "1990", "A. *T*, 1990."), "b2000": Entry("B et al.", "2000b", "B. U, 2000.")}


def cells(path):
    """The cells of a page; a page in Markdown has one."""
    if path.suffix == ".md":
        return [nbformat.v4.new_markdown_cell(path.read_text("utf-8"))]
    return nbformat.read(path, as_version=4).cells


@pytest.fixture(scope="module")
def book():
    """Every page's Markdown by its path in the book's folder."""
    paths = sorted([*BOOK.rglob("*.ipynb"), *BOOK.rglob("*.md")])
    return {
        str(path.relative_to(BOOK)): "\n\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")
        for path in paths
        if ".ipynb_checkpoints" not in path.parts
    }


def section(page):
    """The number of a page's section as its heading has it, with a dot, or nothing."""
    if page in PRACTICE:
        return PRACTICE[page]
    found = re.match(r"10_(\d+)_(?:(\d+)_)?", page)
    return "" if not found else ".".join(str(int(n)) for n in ("10", *found.groups()) if n) + "."


def wrong(book):
    """Every number of the book, and every link to one, that is not as it should be: read without the tool's help."""
    found, says = [], {}
    for page, text in book.items():
        wanted = section(page)
        tags = re.findall(r"\\tag\{(.*?)\}", text)
        names = re.findall(r'<a id="(eq-[\w-]+)"></a>', text)
        captions = re.findall(r'<a id="(fig-[\w-]+)"></a>\*\*(.*?)\*\*', text)
        if tags != [f"{wanted}{i}" for i in range(1, len(names) + 1)]:
            found.append(f"{page}: the formulas are numbered {tags}")
        if [words for _, words in captions] != [f"Figure {wanted}{i}." for i in range(1, len(captions) + 1)]:
            found.append(f"{page}: the figures are numbered {captions}")
        tables = re.findall(r'<a id="(tab-[\w-]+)"></a>\*\*(.*?)\*\*[^\n]*\n\n\|', text)
        if [words for _, words in tables] != [f"Table {wanted}{i}." for i in range(1, text.count('id="tab-') + 1)]:
            found.append(f"{page}: the tables are numbered {tables}")
        says |= {(page, name): words.rstrip(".") for name, words in tables}
        says |= {(page, name): f"({tag})" for name, tag in zip(names, tags, strict=False)}
        says |= {(page, name): words.rstrip(".") for name, words in captions}
    for page, text in book.items():
        for words, to, name in re.findall(r"\[([^\]]*)\]\(([^)\s#]*)#((?:eq|fig|tab)-[\w-]+)\)", text):
            target = str((Path("/") / page).parent.joinpath(to).resolve().relative_to("/")) if to else page
            if says.get((target, name)) != words:
                found.append(f"{page}: [{words}] leads to {target}#{name}, which is {says.get((target, name))}")
    return found


def test_numbers_run_from_one_on_each_page_and_every_link_says_its_targets_number(book):
    assert wrong(book) == []
    assert sum(text.count("\\tag{") for text in book.values()) > 150
    assert sum(text.count("**Figure 10.") for text in book.values()) > 70
    assert sum(len(re.findall(r"#(?:eq|fig)-", text)) for text in book.values()) > 100


def test_every_table_of_a_chapter_has_a_caption(book):
    row = re.compile(r"^\|[-: |]+\|$", re.M)
    chapters = {page: text for page, text in book.items() if section(page) or page == "intro.ipynb"}
    assert sum(len(row.findall(text)) for text in chapters.values()) > 10
    for page, text in chapters.items():
        assert len(row.findall(text)) == text.count('<a id="tab-'), page


@pytest.mark.parametrize(
    ("page", "right", "planted"),
    [
        ("10_07_longterm.ipynb", r"\tag{10.7.3}", r"\tag{10.7.4}"),
        ("10_07_longterm.ipynb", "**Figure 10.7.2.**", "**Figure 10.7.3.**"),
        ("10_07_longterm.ipynb", "[(10.7.6)]", "[(10.7.5)]"),
        ("10_09_timescales.ipynb", "**Table 10.9.2.**", "**Table 10.9.3.**"),
    ],
)
def test_a_wrong_number_is_found(book, page, right, planted):
    assert right in book[page]
    assert len(wrong(book | {page: book[page].replace(right, planted, 1)})) > 0


def test_the_tool_finds_nothing_to_write():
    assert notebooks.misnumbered(BOOK) == {}


def test_no_page_holds_what_only_the_built_page_resolves(book):
    assert {page: ROLE.findall(text) for page, text in book.items() if ROLE.search(text)} == {}


def test_every_citation_leads_to_the_bibliography_and_says_what_stands_there(book):
    known = dict(re.findall(r'^- <a id="(\w+)"></a>\*\*(.+?)\.\*\* ', book["bibliography.md"], re.M))
    cited = [
        (page, words, key)
        for page, text in book.items()
        for words, to, key in re.findall(r"\[([^\]]*)\]\(([^)#]*bibliography\.md)#(\w+)\)", text)
        if to == "../" * page.count("/") + "bibliography.md"
    ]
    bad = [c for c in cited if c[1] not in (known.get(c[2]), re.sub(r" \((\w+)\)$", r", \1", known.get(c[2], "")))]
    assert bad == [] and len(cited) > 180


def test_a_caption_stands_below_a_picture():
    for path in BOOK.rglob("*.ipynb"):
        for above, below in pairwise(cells(path)):
            if below.source.startswith('<a id="fig-'):
                assert any("image/png" in output.get("data", {}) for output in above.get("outputs", ())), below.source
            else:
                assert '<a id="fig-' not in below.source, f"{path.name}: a caption has a cell of its own"


A, B = "10_07_longterm.ipynb", "exercises/10_07.ipynb"
PAGES = {
    A: [
        '# 10.7 Far\n\n<a id="eq-a"></a>\n\n$$\nx\n$$\n\nSee [](#eq-b), [](#fig-f), [](bibliography.md#a1990).',
        '> <a id="eq-b"></a>\n>\n> $$\n> \\begin{aligned}\n> y\n> \\end{aligned}\n> $$',
        '<a id="fig-f"></a>**Figure.** All of it.\n\n$$\nno name\n$$\n\n`[](#eq-a)`',
    ],
    B: ["# Exercises\n\nBy [](#eq-b) ([,](bibliography.md#b2000))."],
    "bibliography.md": ["# Works\n\nHere.\n"],
}


def test_names_become_numbers_and_links_say_them():
    mended = mend(PAGES, WORKS)
    assert mended[A] == [
        '# 10.7 Far\n\n<a id="eq-a"></a>\n\n$$\nx\n\\tag{10.7.1}\n$$\n\n'
        "See [(10.7.2)](#eq-b), [Figure 10.7.1](#fig-f), [A (1990)](bibliography.md#a1990).",
        '> <a id="eq-b"></a>\n>\n> $$\n> \\begin{aligned}\n> y\n> \\end{aligned}\n> \\tag{10.7.2}\n> $$',
        '<a id="fig-f"></a>**Figure 10.7.1.** All of it.\n\n$$\nno name\n$$\n\n`[](#eq-a)`',
    ]
    assert mended[B] == [
        "# Exercises\n\nBy [(10.7.2)](../10_07_longterm.ipynb#eq-b) ([B et al., 2000b](../bibliography.md#b2000))."
    ]
    assert mended["bibliography.md"] == [
        "# Works\n\nHere.\n\n"
        '- <a id="a1990"></a>**A (1990).** A. *T*, 1990.<br><small>Cited in [10.7](10_07_longterm.ipynb)</small>\n'
        '- <a id="b2000"></a>**B et al. (2000b).** B. U, 2000.'
        "<br><small>Cited in [Exercises](exercises/10_07.ipynb)</small>\n"
    ]
    assert mend(mended, WORKS) == mended


def test_a_new_formula_moves_the_numbers_after_it_and_a_formula_that_moves_takes_its_links_along():
    first, *rest = mend(PAGES, WORKS)[A]
    longer = mend({**mend(PAGES, WORKS), A: ['<a id="eq-new"></a>\n\n$$\nz\n$$\n', first, *rest]}, WORKS)
    assert "[(10.7.3)](../10_07_longterm.ipynb#eq-b)" in longer[B][0]
    assert "\\tag{10.7.2}" in longer[A][1] and "[(10.7.3)](#eq-b)" in longer[A][1]
    moved = mend({**longer, A: longer[A][:2], "10_08_echo_state.ipynb": longer[A][2:]}, WORKS)
    assert "[(10.8.1)](../10_08_echo_state.ipynb#eq-b)" in moved[B][0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[](#eq-none)", "eq-none, which is the name of nothing"),
        ("[](bibliography.md#none)", "none is cited"),
        ('<a id="eq-x"></a>\nx', "neither a formula nor a caption"),
        ('<a id="fig-x"></a>Sizes.', "neither a formula nor a caption"),
        ('<a id="fig-x"></a>**Figure.**\n\n<a id="fig-x"></a>**Figure.**', "is taken"),
    ],
)
def test_what_leads_nowhere_is_refused(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        mend({A: [text]}, WORKS)


def test_storing_a_notebook_of_the_book_writes_the_numbers_of_every_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book/exercises").mkdir(parents=True)
    (tmp_path / "book/references.bib").write_text("@misc{a1990, author={Ann A}, title={T}, year={1990}}\n")
    for page, said in {A: ['<a id="eq-b"></a>\n\n$$\nx\n$$'], B: ["[](#eq-b), [](bibliography.md#a1990)"]}.items():
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in said])
        nbformat.write(nb, tmp_path / "book" / page)
    (tmp_path / "book/bibliography.md").write_text("# Works\n")
    assert notebooks.main(["--check", f"book/{A}"]) == 1
    assert f"book/{B}: has numbers" in capsys.readouterr().out
    assert notebooks.main([f"book/{A}"]) == 0
    assert cells(tmp_path / "book" / B)[0].source == (
        "[(10.7.1)](../10_07_longterm.ipynb#eq-b), [A (1990)](../bibliography.md#a1990)"
    )
    assert "**A (1990).** Ann A." in (tmp_path / "book/bibliography.md").read_text()
    assert notebooks.misnumbered(Path("book")) == {}


BIB = """
@article{one, author = {van der Berg, Jan and Bel{\\\\'o}, Ana}, title = {On {LSTM}s}, journal = {J}, year = {2001}}
@misc{two, author = {Zed, A. and Y, B. and X, C.}, title = {Second}, year = {1999}}
@misc{three, author = {Zed, A. and Y, B. and W, C.}, title = {First_one}, year = {1999}, doi = {10.1/a_b}}
"""


def test_a_work_is_called_by_its_authors_and_its_year(tmp_path):
    (tmp_path / "x.bib").write_text(BIB.replace("\\\\", "\\"))
    works = entries(tmp_path / "x.bib")
    assert {key: work.textual for key, work in works.items()} == {
        "one": "van der Berg and Beló (2001)",
        "three": "Zed et al. (1999a)",
        "two": "Zed et al. (1999b)",
    }
    assert works["one"].bracketed == "van der Berg and Beló, 2001"
    assert works["three"].full.endswith("1999. [doi:10.1/a\\_b](https://doi.org/10.1/a_b).")


def test_the_bibliography_names_each_citing_page_once_and_sections_first():
    cited = defaultdict(list, {"a1990": [("Other page", "o.ipynb"), ("10.10 G", "g.ipynb"), ("10.9 T", "t.ipynb")]})
    assert listed('# Works\n- <a id="old"></a>gone\n', WORKS, cited).splitlines()[:3] == [
        "# Works",
        "",
        '- <a id="a1990"></a>**A (1990).** A. *T*, 1990.<br><small>Cited in [10.9](t.ipynb), [10.10](g.ipynb), '
        "[Other page](o.ipynb)</small>",
    ]


def test_a_section_is_named_by_its_number_and_another_page_by_its_title():
    assert short("10.13.2 Machines with a tape") == "10.13.2"
    assert short("Sources, checked") == "Sources, checked"


def test_sections_stand_in_their_order_and_before_other_pages():
    titles = ["10.2 Recurrent", "10.2.1 Teacher forcing", "10.10 Gates", "10.13.2 Machines", "Introduction"]
    assert sorted(sorted(titles), key=place) == titles
