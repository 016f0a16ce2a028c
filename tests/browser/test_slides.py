"""Slides of a section: they ask for nothing outside the book, figures live in them, and what is folded stays out."""

from importlib.util import find_spec

import pytest

from companion.publishing.slides import deck, main

from ..conftest import lacking
from .figures import Figure

PAGE = "10_07_longterm"
SMALL = """<article><section id="top"><h1>10 Top<a class="headerlink">#</a></h1><p>Begin.</p>
<p>You can</p><ul><li>do</li></ul>
<section id="one"><h2>One</h2><p>First.</p><p>More prose.</p>
<div class="cell tag_hide-cell"><details>secret</details></div>
<div class="cell"><details>code</details>
<div class="cell_output">42 <a href="other.html">x</a><img src="../_images/i.png"></div></div>
<p><a id="claim-so"></a>So it is.</p>
<section id="deep"><h3>Deep</h3><p>Down.</p></section></section>
<section id="self-test"><h2>Self-test</h2><p>Why?</p></section></section></article>"""


@pytest.fixture(scope="module")
def slides(built_book):
    """The folder of the slides of one section."""
    if find_spec("sphinx_revealjs") is None:
        lacking("reveal.js comes with the package sphinx-revealjs: pip install -r requirements.txt")
    out = built_book.parent / "slides"
    main([PAGE], built_book / "book", out)
    return out


def test_a_page_becomes_slides_by_rule():
    text = deck(SMALL)
    assert "<title>10 Top: slides</title>" in text and text.count('<section class="text">') == 3
    assert text.count('<section class="cell">') == text.count('<section class="claim">') == 1
    assert '<aside class="notes"><p>More prose.</p></aside>' in text and "<p>You can</p><ul>" in text
    assert not any(word in text for word in ("secret", "code", "Self-test", "Why?"))
    assert 'href="../html/book/other.html"' in text and 'src="../html/_images/i.png"' in text
    deeper = deck(SMALL, "practice/page")
    assert 'href="../html/book/practice/other.html"' in deeper and 'src="../html/book/_images/i.png"' in deeper


def test_slides_need_no_network_and_their_figures_move(slides, built_book, visit):
    home = built_book.parent.as_uri() + "/"
    page, watch = visit(f"{home}slides/{PAGE}.html", home)
    page.wait_for_function("Reveal.isReady()")
    assert page.evaluate("Reveal.getTotalSlides()") > 30
    page.keyboard.press("Space")
    assert page.evaluate("Reveal.getIndices().h") == 1
    page.evaluate("""() => { const at = Reveal.getIndices(document.querySelector("figure.ex-live").closest("section"));
        Reveal.slide(at.h, at.v); }""")
    at = page.evaluate("Reveal.getIndices()")
    figure = Figure(page, page.locator("section.figure.present figure.ex-live").get_attribute("id"))
    before = figure.look()
    figure.by_keyboard(figure.in_use()[0])
    assert figure.look() != before and page.evaluate("Reveal.getIndices()") == at
    figure.reset()
    link = page.locator(f'section.figure.present a[href^="#{figure.name}?"]').first
    link.click()
    assert figure.look() != before and page.evaluate("Reveal.getIndices()") == at
    assert page.locator(".math").count() == page.locator(".math > math").count() > 5
    assert watch.complaints == []
