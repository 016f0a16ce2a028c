"""Mathematics, set when the book is built: LaTeX becomes MathML, which browsers and screen readers know by themselves.

A page needs no script for it, and one font: of STIX Two Math, the characters that the book uses.
"""

import hashlib
import html
import importlib.metadata
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools import subset
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

FONT = "mathematics.woff2"
SOURCE = "ziamath", "ziamath/fonts/STIXTwoMath-Regular.ttf"  # of the Stix Fund, under the Open Font License
CONVERTER = LatexToMathML(fancy_error=False)
# Letters that a lone <mi> turns into: Latin and Greek in mathematical italics.
ITALIC = {
    **{chr(ord(base) + i): chr(to + i) for base, to in (("A", 0x1D434), ("a", 0x1D44E)) for i in range(26)},
    **{chr(0x3B1 + i): chr(0x1D6FC + i) for i in range(25)},
    "h": "\u210e",
    "\u03f5": "\U0001d716",
    "\u03d5": "\U0001d719",
}
PRIMES = "\u2032\u2033"  # in the shape that stands in a superscript, since they always do
SMALL = {r"\begin{smallmatrix}": r"{\scriptstyle\begin{matrix}", r"\end{smallmatrix}": r"\end{matrix}}"}
SPLIT = re.compile(r"\s*\\begin\{split\}(.*)\\end\{split\}\s*", re.DOTALL)
# The number of a formula, which the page writes beside it.
TAG = re.compile(r"\s*\\tag\{([^}]*)\}")
ROOT, ROOTED = "\u221a", ("<msqrt", "<mroot")  # a sign that stands in no text, and what draws it
# A bracket of fixed height loses it as the base of a script, unless something stands beside it.
BRACKET = re.compile(r"(<m(?:sup|sub|subsup)>)(<mo [^>]*minsize[^>]*>[^<]*</mo>)")


def to_mathml(latex: str, *, display: bool) -> str:
    """MathML for a formula, without its number, which stands beside it.

    The converter knows neither `smallmatrix` nor `split`, in which Sphinx wraps what has more than one line.
    """
    latex = TAG.sub("", latex)
    if wrapped := SPLIT.fullmatch(latex):
        inner = wrapped[1].strip()
        latex = inner if inner.startswith(r"\begin") else rf"\begin{{aligned}}{inner}\end{{aligned}}"
    for theirs, ours in SMALL.items():
        latex = latex.replace(theirs, ours)
    return BRACKET.sub(
        r"\1<mrow>\2<mi></mi></mrow>", CONVERTER.convert_with_local_state(latex.strip(), displaystyle=display)
    )


def characters(pages: Iterable[str]) -> str:
    """Every character that a page's formulas are drawn with, once and in order."""
    formulas = "".join(text for page in pages for text in re.findall(r"<math.*?</math>", page, re.DOTALL))
    used = set(html.unescape(re.sub(r"<[^>]*>", "", formulas))) | {ROOT for sign in ROOTED if sign in formulas}
    return "".join(sorted(c for c in used | {ITALIC[c] for c in used if c in ITALIC} if c.isprintable()))


def write_font(used: str, file: Path) -> None:
    """Write the part of the font that draws these characters, at every size that brackets and sums need."""
    options = subset.Options(flavor="woff2", layout_features=[], notdef_outline=True, hinting=False, glyph_names=False)
    package, path = SOURCE
    with subset.load_font(str(importlib.metadata.distribution(package).locate_file(path)), options) as font:
        primes = {ord(c): f"{font.getBestCmap()[ord(c)]}.ssty" for c in PRIMES}
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap.update(primes)
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=used)
        subsetter.subset(font)
        subset.save_font(font, str(file), options)


def _formula(self: Any, node: nodes.Element, *, display: bool) -> str:
    try:
        return to_mathml(node.astext(), display=display)
    except LatexError as error:
        raise ExtensionError(f"{self.builder.current_docname}: {error} in the formula {node.astext()!r}") from error


def visit_inline(self: Any, node: nodes.Element) -> None:
    """Write a formula in a line."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_formula(self, node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_display(self: Any, node: nodes.Element) -> None:
    """Write a formula on lines of its own, with its number if it has one."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    self.body.append(_formula(self, node, display=True))
    if number := TAG.search(node.astext()):
        self.body.append(f'<span class="eqno">({number[1]})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def finish(app: Sphinx, problem: Exception | None) -> None:
    """Write the font that all pages together need; they load it while they are read."""
    if problem or app.builder.format != "html":
        return
    used = characters(page.read_text("utf-8") for page in Path(app.outdir).rglob("*.html"))
    write_font(used, Path(app.outdir, "_static", FONT))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.connect("build-finished", finish)
    # Sphinx compares the values of a build with those of the last; a change here makes every page anew.
    app.add_config_value(
        "mathematics_fingerprint", hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), "html", [str]
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
