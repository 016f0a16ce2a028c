"""Code in pages has the colours that Pygments gives it, and few elements."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup, NavigableString
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import BashLexer, PythonConsoleLexer, PythonLexer
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES

from companion.publishing.code import LOOKS, Formatter

from .conftest import ROOT

TYPES = {short: kind for kind, short in STANDARD_TYPES.items()}
CELLS = [
    cell.source
    for name in ("10_08_echo_state", "10_10_gated", "intro")
    for cell in nbformat.read(ROOT / f"book/{name}.ipynb", 4).cells
    if cell.cell_type == "code"
]


def seen(code, lexer, formatter):
    """Every character that is not blank, with what it looks like in light and in dark."""
    soup = BeautifulSoup(highlight(code, lexer, formatter), "html.parser").pre
    for text in soup.find_all(string=True):
        assert isinstance(text, NavigableString)
        short = text.parent["class"][0] if text.parent.name == "span" else ""
        look = [get_style_by_name(style).style_for_token(TYPES[short]) for style in LOOKS]
        yield from ((character, look) for character in text if not character.isspace())


@pytest.mark.parametrize("source", [*CELLS[::6], "a = 'open\n", "x = 1\n\n\n# end", ""])
def test_no_character_changes_its_look(source):
    assert [*seen(source, PythonLexer(), Formatter())] == [*seen(source, PythonLexer(), HtmlFormatter())]


@pytest.mark.parametrize(("lexer", "code"), [(BashLexer, "make test  # all\n"), (PythonConsoleLexer, ">>> 1 + 1\n2\n")])
def test_other_languages_keep_theirs(lexer, code):
    assert [*seen(code, lexer(), Formatter())] == [*seen(code, lexer(), HtmlFormatter())]


def test_the_text_stays_blank_for_blank_and_most_elements_go():
    spans = {Formatter: 0, HtmlFormatter: 0}
    for source in CELLS:
        texts = []
        for formatter in spans:
            page = BeautifulSoup(highlight(source, PythonLexer(), formatter()), "html.parser")
            spans[formatter] += len(page.find_all("span"))
            texts.append(page.pre.get_text())
        assert texts[0] == texts[1]
    assert spans[Formatter] < 0.45 * spans[HtmlFormatter]


def test_the_theme_has_these_two_styles(built_book):
    css = (built_book / "_static/pygments.css").read_text("utf-8")
    for theme, style in zip(("light", "dark"), LOOKS, strict=True):
        colours = dict(re.findall(rf'html\[data-theme="{theme}"\] \.highlight \.(\w+) {{ color: #(\w+)', css))
        assert len(colours) > 40
        known = get_style_by_name(style)
        assert {k: c.lower() for k, c in colours.items()} == {
            k: known.style_for_token(TYPES[k])["color"].lower() for k in colours
        }


def test_no_page_marks_what_is_plain(built_book):
    page = (built_book / "book/10_08_echo_state.html").read_text("utf-8")
    assert '<span class="n">' not in page and '<span class="p">' not in page and '<span class="k">' in page
