"""Mathematics that is set beforehand says what LaTeX says, and a page loses nothing that it shows."""

import html
import re
import unicodedata
from functools import cache
from types import SimpleNamespace

import nbformat
import pytest
from docutils import nodes
from docutils.core import publish_doctree
from fontTools.ttLib import TTFont
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from myst_parser.parsers.docutils_ import Parser

from companion.publishing.lean import LONG, mend, prune, words
from companion.publishing.mathematics import ITALIC, characters, to_mathml, visit_display, write_font
from companion.publishing.places import Remember, caption

from .conftest import ROOT

# Signs that two converters choose differently for the same command, and what one of them leaves of alignment.
ALIKE = str.maketrans({"·": "⋅", "^": "ˆ", "*": "∗", "~": "˜", "∎": "■", "&": "", "\\": ""})


@cache
def formulas() -> list[tuple[str, bool]]:
    """Every formula of every page, and whether it stands on lines of its own."""
    reader = MarkdownIt().use(dollarmath_plugin, double_inline=True).use(amsmath_plugin)
    found = []
    for path in sorted((ROOT / "book").rglob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            tokens = reader.parse(cell.source) if cell.cell_type == "markdown" else []
            parts = [part for token in tokens for part in (token, *(token.children or ()))]
            found += [
                (re.sub(r"\n\\tag\{(?:P\.)?[\d.]+\}", "", part.content), "block" in part.type)
                for part in parts
                if "math" in part.type
            ]
    return list(dict.fromkeys(found))


def said(mathml: str) -> str:
    """What is drawn, in order, without what is only layout."""
    text = re.sub(r"[\s\u2061-\u2064]", "", html.unescape(re.sub(r"<[^>]*>", "", mathml)))
    text = unicodedata.normalize("NFKC", text).translate(ALIKE)
    for theirs, ours in {"⋅⋅⋅": "...", "‖": "|", "||": "|", "\u0303": "˜", " ": ""}.items():
        text = text.replace(theirs, ours)
    return text


def test_every_formula_of_the_book_says_what_another_converter_says():
    assert len(formulas()) > 1000
    for latex, display in formulas():
        assert said(to_mathml(latex, display=display)) == said(convert(latex)), latex


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        (r"h^{(t)}", "<msup><mi>h</mi><mrow>"),
        (r"\frac{a}{b}", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"),
        (r"\nabla_W L", "<mi>W</mi></msub>"),
        (r"\hat y", "<mover"),
        (r"\begin{split} a &= b \\ c &= d \end{split}", "<mtable"),
        (r"\bigl(\begin{smallmatrix} 1 & 2 \\ 3 & 4 \end{smallmatrix}\bigr)", "<mtable"),
    ],
)
def test_a_formula_becomes_its_markup(latex, wanted):
    assert wanted in to_mathml(latex, display=True)


def test_a_bracket_of_fixed_height_does_not_stand_alone_under_a_power():
    assert re.search(
        r"<msup><mrow><mo [^>]*minsize[^>]*>\)</mo><mi></mi></mrow><mn>2</mn>",
        to_mathml(r"\bigl(w\bigr)^2", display=False),
    )


def test_the_font_draws_what_the_pages_say_and_nothing_else(tmp_path):
    page = "<p>é" + to_mathml(r"L' = \sum_t \hat h^{(t)} + \alpha \sqrt d", display=False) + "</p>"
    used = characters([page, page])
    assert "é" not in used
    assert {"∑", "′", "𝐿", "α", "𝛼", "ℎ", "√"} <= set(used)  # the sign of a root is drawn and stands in no text
    assert "√" not in characters([to_mathml("d", display=False)])
    write_font(used, tmp_path / "font.woff2")
    with TTFont(tmp_path / "font.woff2") as font:
        assert {chr(code) for code in font.getBestCmap()} == set(used)
        assert font["MATH"].table.MathVariants.VertGlyphCoverage.glyphs, "sums and brackets have no larger sizes"
    assert (tmp_path / "font.woff2").stat().st_size < 30_000


def test_the_italics_are_those_of_unicode():
    for plain, italic in ITALIC.items():
        assert unicodedata.normalize("NFKC", italic) == unicodedata.normalize("NFKC", plain)
        assert any(word in unicodedata.name(italic) for word in ("ITALIC", "PLANCK"))


STYLE = """/* note */ .a{x:1} .b{x:2} .a.b{x:3} .a,.b{x:4} .a:not(.b){x:5} p{x:6}
@media print{.b{x:7}} @media print{.a{x:8}.b{x:9}} @font-face{src:url(y)}"""


def test_rules_go_whose_classes_are_nowhere_and_no_others():
    left = prune(STYLE, {"a"})
    assert re.findall(r"x:(\d)", left) == ["1", "4", "5", "6", "8"]
    assert ".b{" not in left
    assert "@font-face" in left
    assert re.findall(r"x:(\d)", prune(STYLE, {"a", "b"})) == list("123456789")


def test_a_class_is_known_from_a_page_or_from_a_script():
    assert {"sd-card", "k2", "show"} <= words(['<p class="sd-card k2">'], ["e.classList.add('show')"])


INDEX = "\n".join(
    f'  <script src="{name}.js"></script>'
    for name in ("../_static/searchtools", "../_static/language_data", "searchindex")
)
TABS = '<script data-sd-tabs-storage-prefix="id-" src="../_static/design-tabs.js?v=1"></script>'


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ('<script defer src="../_static/scripts/fontawesome.js?digest=1"></script><b>', "<b>"),
        ('<script src="x.js"></script>', '<script src="x.js"></script>'),
        (
            f'<meta name="docsearch:version" content="" />\n  \n{INDEX}<b>',
            '<meta name="docsearch:version" content="" /><b>',
        ),
        (f"<script></script>{INDEX}<b>", f"<script></script>{INDEX}<b>"),
        (f"{TABS}\n<p>", "\n<p>"),
        (f'{TABS}\n<p class="sd-tab-set">', f'{TABS}\n<p class="sd-tab-set">'),
        (
            '<a href="../_sources/book/a.ipynb" target="_blank" class="b">',
            '<a href="../_sources/book/a.ipynb" download class="b">',
        ),
        ('<th class="head"><p></p></th><th>a</th>', '<td class="head"></td><th>a</th>'),
    ],
)
def test_what_the_theme_writes_is_set_right(theirs, ours):
    assert mend(theirs) == ours
    assert mend(ours) == ours


def test_a_long_section_says_how_much_it_shows_and_no_other_does():
    short, long, within = "<p>few\n words</p>", f"<p>{'a' * (LONG - 4)}</p>", "<section><i>more</i></section>"
    hidden = f"<script>{'x' * LONG}</script>"
    first, second = f'<section id="a">{short}{hidden}</section>', f'<section id="b">\u2028{long}{within}</section>'
    page = f'<article>\n<section id="t"><h1>T</h1>{first}\n{second}</section></article>'
    said = mend(page)
    assert said == page.replace('<section id="b"', f'<section style="--characters: {LONG + 1}" id="b"')
    assert mend(said) == said


def read(text):
    """A page as Sphinx has it when it was read, and the places that links can name in it."""
    page = publish_doctree(text, parser=Parser(), settings_overrides={"myst_enable_extensions": ["dollarmath"]})
    env = SimpleNamespace(metadata={"page": {"myst_slugs": {"head": (1, "head", "Head")}}}, docname="page")
    page.settings.env = env
    Remember(page).apply()
    return page, env.metadata["page"]["myst_slugs"]


def test_a_link_can_name_what_a_page_calls_a_place():
    page, places = read('Before.\n\n<a id="claim-x"></a>All of it, and <b>more</b>.')
    assert places == {"head": (1, "head", "Head"), "claim-x": (None, "claim-x", "claim-x")} == page.myst_slugs


@pytest.mark.parametrize("before", ["Before.\n\n", "Before.\n"])
def test_a_name_above_a_formula_becomes_its_own(before):
    page, places = read(f'{before}<a id="eq-x"></a>\n\n$$\nx = 1\n\\tag{{10.7.3}}\n$$\n\nAfter.')
    above, formula, after = page.children
    assert "eq-x" in places and formula["ids"] == ["eq-x"]
    assert above.astext().strip() == "Before." and not list(above.findall(nodes.raw))
    assert after.astext() == "After."


def test_a_number_stands_beside_its_formula_and_not_in_it():
    assert to_mathml("x = 1\n\\tag{10.7.3}", display=True) == to_mathml("x = 1", display=True)
    written = SimpleNamespace(
        body=[],
        builder=SimpleNamespace(current_docname="page"),
        starttag=lambda node, tag, **_: f'<{tag} id="{node["ids"][0]}">',
        add_permalink_ref=lambda node, title: None,
    )
    with pytest.raises(nodes.SkipNode):
        visit_display(written, nodes.math_block("", "x = 1\n\\tag{10.7.3}", ids=["eq-x"]))
    assert re.fullmatch(
        r'<div id="eq-x"><math.*</math><span class="eqno">\(10\.7\.3\)</span></div>\s*', "".join(written.body), re.S
    )


def test_a_caption_joins_the_picture_above_it():
    page, _ = read('![what is seen](x.png)\n\n<a id="fig-x"></a>**Figure 10.7.2.** Sizes of $x$.\n\nAfter.')
    caption(None, page, "page")
    above, after = page.children
    (figure,) = above.children
    assert figure["ids"] == ["fig-x"] and isinstance(figure[0], nodes.image)
    assert figure[-1].astext() == "Figure 10.7.2. Sizes of x."
    assert isinstance(figure[-1], nodes.caption) and after.astext() == "After."


def test_a_caption_joins_the_table_below_it():
    page, _ = read('Before.\n\n<a id="tab-x"></a>**Table 10.7.1.** Sizes of $x$.\n\n| a | b |\n|---|---|\n| 1 | 2 |')
    caption(None, page, "page")
    before, table = page.children
    assert before.astext() == "Before." and isinstance(table, nodes.table) and table["ids"] == ["tab-x"]
    assert isinstance(table[0], nodes.title) and table[0].astext() == "Table 10.7.1. Sizes of x."
