"""The page of all figures has each figure once, with its picture, what describes it, and a link that lands on it."""

import base64
import io
import json
import re
from functools import cache

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from companion.publishing import gallery

from .conftest import ROOT
from .test_notebooks import listed_pages

NAMED = re.compile(r'<a id="(fig-[\w-]+)"></a>\*\*(.+?)\.\*\*')
MOST = 1_500_000  # bytes of the page with all its pictures


@cache
def stored():
    """All figures that notebooks show outside of questions, by address: title, description and picture."""
    found = {}
    for page in (path.split("book/")[1] for path in listed_pages() if list(ROOT.glob(f"{path}.ipynb"))):
        cells = json.loads((ROOT / "book" / f"{page}.ipynb").read_text())["cells"]
        for i, cell in enumerate(cells):
            alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt")
            for output in cell.get("outputs", ()):
                html = "".join(output.get("data", {}).get("text/html", ""))
                if html.startswith('<figure class="explorable"'):
                    spec = json.loads(re.search(r"json\">(.*?)</script>", html)[1])
                    found[f"{page}.html#{spec['name']}"] = spec["title"], alt or spec["caption"], output
            if named := NAMED.match("".join(cell["source"])) if cell["cell_type"] == "markdown" else None:
                above = cells[i - 1]
                output = [o for o in above["outputs"] if "image/png" in o.get("data", {})][-1]
                found[f"{page}.html#{named[1]}"] = named[2], above["metadata"]["mystnb"]["image"]["alt"], output
    return found


@pytest.fixture(scope="module")
def cards(built_book):
    """What the page shows, card by card."""
    soup = BeautifulSoup((built_book / f"{gallery.PAGE}.html").read_text("utf-8"), "html.parser")
    return soup.select("ul.all-figures > li")


def bare(words):
    """Words without what typesetting makes of blanks and quotation marks."""
    return re.sub(r"[\s'\"‘’“”…]|\.\.\.", "", words)


def test_every_figure_is_there_once_under_its_title_and_says_whether_it_moves(cards):
    assert [card.a["href"] for card in cards] == list(stored()) and len(cards) > 120
    for card in cards:
        title = stored()[card.a["href"]][0]
        assert bare(card.a.get_text()) == bare(title)
        assert bool(card.select(".moves")) != bool(re.fullmatch(r"Figure [P\d.]+", title))
        assert card.select(".moves") or len(card.get_text()) > len(title) + 15, "no word of its caption"


def test_every_link_lands_on_its_figure(cards, built_book):
    pages = {
        path: (built_book / "book" / path).read_text("utf-8") for path in {c.a["href"].split("#")[0] for c in cards}
    }
    for card in cards:
        path, name = card.a["href"].split("#")
        (kind,) = re.findall(rf'<figure class="([\w -]+)"(?: [\w-]+="[^"]*")*? id="{name}"', pages[path])
        assert ("explorable" in kind) == bool(card.select(".moves"))


def test_every_picture_is_its_figures_small_light_late_and_described(cards, built_book):
    page = built_book / f"{gallery.PAGE}.html"
    files = [(page.parent / card.img["src"]).resolve() for card in cards]
    assert len({*files}) == len(files)
    assert page.stat().st_size + sum(file.stat().st_size for file in files) < MOST
    for card, file in zip(cards, files, strict=True):
        _, alt, output = stored()[card.a["href"]]
        assert bare(card.img["alt"]) == bare(alt)
        with Image.open(file) as small:
            assert small.size == (int(card.img["width"]), int(card.img["height"])) and card.img["loading"] == "lazy"
            assert 100 < small.width <= gallery.BOX[0] and 60 < small.height <= gallery.BOX[1]
        png = base64.b64decode("".join(output["data"]["image/png"]))
        assert gallery.small(png) == file.read_bytes(), card.a["href"]


def test_a_small_picture_is_the_picture_without_its_margins():
    pixels = np.full((600, 900, 3), 255, np.uint8)
    pixels[100:500, 100:700] = (200, 30, 30)
    pixels[100:500, 400:700] = (20, 60, 200)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    small = np.asarray(Image.open(io.BytesIO(gallery.small(buffer.getvalue()))).convert("RGB")).astype(int)
    assert small.shape == (267, 400, 3)
    assert np.abs(small[:, :190] - (200, 30, 30)).max() <= 4 and np.abs(small[:, 210:] - (20, 60, 200)).max() <= 4


def shown(*outputs, alt="What one sees."):
    cell = nbformat.v4.new_code_cell("draw()", metadata={"mystnb": {"image": {"alt": alt}}})
    cell.outputs = [nbformat.v4.new_output("display_data", data) for data in outputs]
    return cell


def png(data):
    return {"image/png": base64.b64encode(data).decode()}


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        ("One net. Two nets.", "One net."),
        ("Share of 0.5, of $x_1$ ([10.1](a.ipynb#b)): both.", "Share of 0.5, of $x_1$ (10.1): both."),
        ("Which? “None”.", "Which?"),
    ],
)
def test_a_figure_is_what_moves_or_has_a_number_with_the_first_sentence_of_its_caption(caption, said):
    spec = json.dumps({"name": "leak", "title": "A leak", "caption": "A share survives."})
    page = f'<figure class="explorable" id="leak"><script type="application/json">{spec}</script></figure>'
    numbered = nbformat.v4.new_markdown_cell(f'<a id="fig-a-b"></a>**Figure 10.1.1.** {caption}')
    table = nbformat.v4.new_markdown_cell('<a id="tab-a-b"></a>**Table 10.1.1.** Sizes.\n\n| a |\n|---|\n| 1 |')
    cells = [
        shown(png(b"1")),
        table,
        shown(png(b"2"), png(b"3")),
        numbered,
        shown(png(b"4") | {"text/html": page}, alt=""),
    ]
    del cells[-1].metadata["mystnb"]
    assert gallery.figures(cells) == [
        gallery.Figure("fig-a-b", "Figure 10.1.1", said, "What one sees.", False, b"3"),
        gallery.Figure("leak", "A leak", "", "A share survives.", True, b"4"),
    ]
