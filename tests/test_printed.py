"""The book as a PDF: printed as it stands, with an outline and numbers, nothing cut, and nothing asked of a network."""

import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from companion.publishing.printed import FIT, WIDTH, find_browser, joined, main
from companion.sections import listed

from .conftest import ROOT, lacking

PAGES = ["book/10_07_longterm", "book/exercises/10_07"]

CUT = """() => [...document.querySelectorAll("article :is(pre, table, img, figure, svg, div.math)")]
    .filter((box) => box.getBoundingClientRect().right > innerWidth + 1 || box.scrollWidth > box.clientWidth + 1)
    .map((box) => box.outerHTML.slice(0, 80))"""


def squeezed(text: str) -> str:
    """A text without blanks, and without what a font makes of letters."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@pytest.fixture(scope="module")
def printed(built_book, tmp_path_factory):
    """A chapter and its exercises as a PDF, and what was asked for to print them."""
    if find_browser() is None:
        lacking("no Chromium or Chrome on this machine, so nobody can print")
    out = tmp_path_factory.mktemp("printed") / "chapter.pdf"
    with ThreadPoolExecutor() as pool:  # where no browser of another test is at work
        asked = pool.submit(main, PAGES, built_book, out).result()
    return PdfReader(out), asked


def titles(outline) -> list[str]:
    return [title for part in outline for title in (titles(part) if isinstance(part, list) else [part.title])]


def places(read: PdfReader, page) -> set[int]:
    """The pages to which the links of a page lead."""
    links = [link.get_object() for link in page.get("/Annots", ())]
    return {read.get_destination_page_number(read.named_destinations[link["/Dest"]]) for link in links}


def test_every_page_of_the_book_is_printed():
    parts = listed((ROOT / "_toc.yml").read_text("utf-8"))
    names = [page for _, pages in parts for page in pages]
    assert names[0] == "book/intro" and names[-1] == "book/bibliography" and len(names) == len({*names}) > 50
    assert all([*ROOT.glob(f"{name}.*")] for name in names)


def test_links_lead_to_places_in_the_one_page_and_answers_wait_at_the_end(built_book):
    text = joined([("", PAGES)], built_book)
    names = re.findall(r' id="([^"]*)"', text)
    assert len(names) == len({*names})
    assert {*re.findall(r'href="#([^"]*)"', text)} <= {*names}
    assert not re.search(r'href="(?!#|https?:|html/_static)', text) and "<details" not in text and "<button" not in text
    assert text.index("Answer 1.</b>") > text.index('id="answers"') > text.index("Exercise 9")


@pytest.mark.slow
def test_a_printed_chapter_is_whole(printed, built_book):
    read, asked = printed
    assert len(read.pages) > 20
    assert all(address.startswith((built_book.parent.as_uri(), "data:")) for address in asked)
    said = titles(read.outline)
    assert said[0] == "10.7 The challenge of long-term dependencies" and "Folded code" in said
    assert {"See it fail", "Exercise 9 · More before less", "Hints, solutions and answers"} <= {*said}
    text = "".join(squeezed(sheet.extract_text()) for sheet in read.pages)
    assert "Figure10.7.2.SizesofpowersofGaussianmatrices" in text and "(10.7.3)" in text
    assert "Thestatefromh(0)on,andasmalldiscofchanges" in text  # below the figure that was alive
    built = [BeautifulSoup((built_book / f"{name}.html").read_text("utf-8"), "html.parser") for name in PAGES]
    code = [pre.get_text() for page in built for pre in page.select("article pre")]
    lines = [line for block in code for line in block.splitlines()]
    assert len(lines) > 500 and [line for line in lines if squeezed(line) not in text] == []


@pytest.mark.slow
def test_nothing_is_wider_than_the_sheet(printed, built_book, browser):
    page = browser.new_page(viewport={"width": WIDTH, "height": 1200})
    page.emulate_media(media="print")
    page.goto((built_book.parent / "chapter.html").as_uri())
    page.evaluate(FIT)
    assert page.locator("figure.ex-live").count() > 1
    assert page.evaluate(CUT) == []
    page.close()


@pytest.mark.slow
def test_the_contents_say_on_which_page_a_chapter_begins(printed):
    read, _ = printed
    contents = read.pages[1]
    numbers = {int(n) - 1 for n in re.findall(r"\d+$", contents.extract_text(), re.M)}
    assert places(read, contents) <= numbers
    assert squeezed(read.pages[max(places(read, contents))].extract_text()).startswith("Foldedcode")
