"""The built pages, read without a browser: titles, alt texts, links, and nothing fetched from elsewhere."""

import json
import re
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from companion.figures import assets
from companion.figures.kinds import KINDS
from tests.conftest import HTML, ROOT
from tests.test_notebooks import listed_pages

PAGES = sorted(f"{page}.html" for page in listed_pages())
# Markup that should have become something else by the time it is read.
RAW = re.compile(r"\{(eq|ref|numref|cite|footcite|doc)(:\w+)?\}`|\$\$|:::\{|```\{")
# An address outside the book from which a page would fetch something.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}


@cache
def page(path: Path) -> BeautifulSoup:
    """Return a built page, parsed."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def ids(path: Path) -> set[str]:
    """Return every place in a page that a link can name."""
    return set(re.findall(r'<[^<>]*\sid="([^"]+)"', path.read_text(encoding="utf-8")))


def article(path: Path) -> BeautifulSoup:
    """Return what the page says, without the navigation around it."""
    return page(path).find("article")


@pytest.mark.parametrize("name", PAGES)
class TestEachPage:
    @pytest.fixture
    def path(self, built_book, name):
        path = built_book / name
        assert path.exists(), f"{name} is listed but was not built"
        return path

    def test_has_a_title_a_language_and_one_first_heading(self, path):
        soup = page(path)
        assert soup.title.get_text(strip=True)
        assert soup.html["lang"] == "en"
        assert len(article(path).find_all("h1")) == 1

    def test_skips_no_level_of_heading(self, path):
        levels = [int(tag.name[1]) for tag in article(path).find_all(re.compile("^h[1-6]$"))]
        jumps = [(a, b) for a, b in pairwise(levels) if b > a + 1]
        assert jumps == []

    def test_describes_every_picture(self, path):
        bad = [img["src"] for img in article(path).find_all("img") if len(img.get("alt", "")) < 10]
        bad += [img["src"] for img in article(path).find_all("img") if img.get("alt", "").endswith((".png", ".svg"))]
        assert bad == []

    def test_gives_every_picture_its_size(self, path):
        pictures = [img for img in article(path).find_all("img") if img["src"].endswith(".png")]
        assert [img["src"] for img in pictures if not {"width", "height", "loading"} <= img.attrs.keys()] == []

    def test_fetches_nothing_from_elsewhere(self, path):
        outside = [
            tag[FETCHED[tag.name]]
            for tag in page(path).find_all(list(FETCHED))
            if urlsplit(tag.get(FETCHED[tag.name], "")).netloc
        ]
        assert outside == []
        text = path.read_text(encoding="utf-8")
        for word in ("cdn.jsdelivr", "cdnjs", "unpkg.com", "require.min.js", "widget-view+json", "fonts.googleapis"):
            assert word not in text

    def test_links_to_places_that_exist(self, path):
        broken = []
        for link in article(path).find_all("a", href=True):
            url = urlsplit(link["href"])
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            place = unquote(url.fragment).split("?")[0]  # "#figure?trait=value" sets a figure's state
            if not target.exists() or (place and target.suffix == ".html" and place not in ids(target)):
                broken.append(link["href"])
        assert broken == []

    def test_gives_each_place_one_name(self, path):
        counts = Counter(tag["id"] for tag in page(path).find_all(id=True))
        assert [name for name, count in counts.items() if count > 1 and name != "pst-search-dialog"] == []

    def test_leaves_no_markup_unread(self, path):
        soup = BeautifulSoup(str(article(path)), "html.parser")
        for tag in soup.find_all(["pre", "code", "script", "style"]):
            tag.decompose()
        assert [found.group() for found in RAW.finditer(soup.get_text())] == []

    def test_carries_figures_that_are_small_and_captioned(self, path):
        for figure in article(path).find_all("figure", class_="explorable"):
            assert figure.find("figcaption").get_text(strip=True)
            data = figure.find("script", type="application/json").string
            json.loads(data)
            assert len(data.encode()) <= 100_000, figure["id"]

    def test_writes_every_link_in_words(self, path):
        bad = [str(link) for link in article(path).find_all("a", href=True) if not link.get_text(strip=True)]
        assert bad == []


def test_style_sheets_fetch_nothing_from_elsewhere(built_book):
    for sheet in (built_book / "_static").rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_every_page_loads_all_kinds_of_figures_as_they_stand_now(built_book):
    made = {"explorables.js": assets.page_script(KINDS), "explorables.css": assets.page_style(KINDS)}
    for name, text in made.items():
        assert (built_book / "_static" / name).read_text(encoding="utf-8") == text, f"{name} changed: run `make book`"
    for path in (built_book / name for name in PAGES):
        loaded = [tag.get("src") or tag.get("href") for tag in page(path).find_all(["script", "link"])]
        ours = [Path(urlsplit(address).path).name for address in filter(None, loaded) if "explorables" in address]
        assert sorted(ours) == sorted(made), path.name


def test_every_page_that_was_built_is_listed(built_book):
    built = {str(path.relative_to(built_book)) for path in (built_book / "book").rglob("*.html")}
    assert built == set(PAGES)


def test_the_built_book_is_not_older_than_what_it_was_built_from(built_book):
    assert HTML == ROOT / "_build" / "html"
    sources = [path for page in listed_pages() for path in ROOT.glob(f"{page}.*")]
    for source in sources:
        built = (built_book / source.relative_to(ROOT)).with_suffix(".html")
        assert built.stat().st_mtime >= source.stat().st_mtime, f"{source.name} changed: run `make book`"
