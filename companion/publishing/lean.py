"""A published page loads what it uses and no more, and says to a screen reader what it says to the eye.

The theme ships for every site that could be made with it. When the pages are written, its style sheets lose the rules
whose classes occur nowhere, its icon fonts the icons, and its pages a script that draws the same icons once more. A
section that is far from what is read is not laid out; it says how long its text is, so that the page keeps its length.
"""

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any

import tinycss2
from fontTools import subset
from PIL import Image
from sphinx.application import Sphinx

LAST = 950
LONG = 2500  # characters; a section with fewer is laid out in no time
WORD = re.compile(r"[\w-]+")
CLASSES = re.compile(r'class="([^"]*)"')
PICTURE = re.compile(r'<img (?![^>]*loading=)([^>]*?)src="([^"]+\.png)"([^>]*?)/?>')
SEARCH = r'(?:\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>)'
MENDS = [
    # a script of half a megabyte that draws the icons which the font draws already
    (re.compile(r"\s*<script[^>]*fontawesome\.js[^>]*></script>"), ""),
    # the index of the whole book, for a search while one types, which is off; the page of the search loads its own
    (re.compile(rf"(<meta name=.docsearch:version[^>]*>){SEARCH}{{3}}"), r"\1"),
    # light or dark from the first line on, not only when the last script has run
    (
        re.compile(r'(localStorage\.getItem\("theme"\) \|\| )"auto"'),
        r'\1(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    ),
    # what turns tabs, where there are none
    (re.compile(r"\s*<script [^>]*design-tabs\.js[^>]*></script>(?!.*class=.sd-tab)", re.DOTALL), ""),
    # a notebook is saved, not shown as text
    (re.compile(r'<a href="([^"]*_sources/[^"]*\.ipynb)" target="_blank"'), r'<a href="\1" download'),
    # what folds out has a name, the side of the page is a landmark, and an empty corner of a table heads nothing
    (re.compile(r"<summary>(?=<span class=.toctree-toggle)"), '<summary aria-label="its sections">'),
    (re.compile(r'<div id="pst-primary-sidebar"'), '<div id="pst-primary-sidebar" role="navigation" aria-label="Book"'),
    (re.compile(r"<th([^>]*)>(?:<p>\s*</p>|\s*)</th>"), r"<td\1></td>"),
]
# The theme measures every block of code as soon as a page is there, which has all of it laid out; page.js does that for
# what wide blocks need, each when it comes into sight.
MEASURES = re.compile(r'"complete"===document\.readyState\?(\w+)\(\):window\.addEventListener\("load",\1\)')
ICON = re.compile("[\ue000-\uf8ff]")  # the part of Unicode that is left to fonts of icons


def words(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """All classes that pages carry, and all words of scripts, which may give more of them."""
    classes = " ".join(found for page in pages for found in CLASSES.findall(page))
    return {*classes.split(), *(word for script in scripts for word in WORD.findall(script))}


def _applies(selector: list, used: set[str]) -> bool:
    """Whether all classes of a selector occur; what stands in brackets, as in `:not(.x)`, may be absent."""
    dots = [i for i, token in enumerate(selector) if token == "."]
    return all(getattr(selector[i + 1], "value", "") in used for i in dots if i + 1 < len(selector))


def _selectors(prelude: list) -> list[list]:
    parts: list[list] = [[]]
    for token in prelude:
        parts.append([]) if token == "," else parts[-1].append(token)
    return parts


def _prune(rules: list, used: set[str]) -> str:
    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            which = [s for s in _selectors(rule.prelude) if _applies(s, used)]
            if which:
                head = ",".join(tinycss2.serialize(s).strip() for s in which)
                kept.append(f"{head}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif rule.type == "at-rule" and rule.at_keyword in ("media", "supports"):
            inside = _prune(tinycss2.parse_rule_list(rule.content, True, True), used)
            head = tinycss2.serialize(rule.prelude).strip()
            kept += [f"@{rule.at_keyword} {head}{{{inside}}}"] if inside else []
        else:
            kept.append(rule.serialize())
    return "".join(kept)


def prune(style: str, used: set[str]) -> str:
    """A style sheet without the rules whose classes are not used, comments and blanks."""
    return _prune(tinycss2.parse_stylesheet(style, True, True), used)


def _icons(font: Path, icons: set[str]) -> None:
    options = subset.Options(flavor="woff2", hinting=False, layout_features=[], ignore_missing_unicodes=True)
    with subset.load_font(str(font), options) as glyphs:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text="".join(icons))
        subsetter.subset(glyphs)
        subset.save_font(glyphs, str(font), options)


def _picture(match: re.Match, folder: Path) -> str:
    before, source, after = match.groups()
    file = folder / source
    size = "" if 'width="' in before + after or not file.exists() else 'width="{}" height="{}" '.format(*_size(file))
    return f'<img {before}src="{source}"{after}{size}loading="lazy" decoding="async">'


def _size(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


class _Sections(HTMLParser):
    """Where the sections of a page's one chapter begin in its text, and how many characters each shows."""

    def __init__(self, page: str):
        super().__init__()
        self.lines = [0, *accumulate(len(line) + 1 for line in page.split("\n"))]
        self.depth, self.silent, self.found = 0, False, []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.silent = tag in ("script", "style")
        self.depth += tag == "section"
        if tag == "section" and self.depth == 2:
            line, column = self.getpos()
            self.found.append([self.lines[line - 1] + column + len("<section"), 0])

    def handle_endtag(self, tag: str) -> None:
        self.silent = False
        self.depth -= tag == "section"

    def handle_data(self, words: str) -> None:
        if self.depth >= 2 and not self.silent:
            self.found[-1][1] += len(words)


def say_length(page: str) -> str:
    """A page whose long sections each say how many characters they show; `book.css` makes a height of it."""
    for at, n in reversed([(at, n) for at, n in _Sections(page).found if n >= LONG]):
        page = f'{page[:at]} style="--characters: {n}"{page[at:]}'
    return page


def mend(page: str) -> str:
    """A page's text with all that is set right in it."""
    for wrong, right in MENDS:
        page = wrong.sub(right, page)
    return page if 'style="--characters' in page else say_length(page)


def finish(app: Sphinx, problem: Exception | None) -> None:
    """Go over what was written."""
    if problem or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = {file: file.read_text("utf-8") for file in out.rglob("*.html") if "_static" not in file.parts}
    for file, page in pages.items():
        light = PICTURE.sub(lambda match, at=file.parent: _picture(match, at), mend(page))
        if light != page:
            file.write_text(light, "utf-8")
    used = words(pages.values(), (file.read_text("utf-8") for file in out.rglob("_static/**/*.js") if _loads(file)))
    styles = [
        *out.glob("_static/styles/*theme.css"),
        *out.glob("_static/sphinx-design*.css"),
        *out.glob("_static/mystnb*.css"),
    ]
    icons: set[str] = set()
    for file in styles:
        light = prune(file.read_text("utf-8"), used)
        icons |= set(ICON.findall(light))
        file.write_text(light, "utf-8")
    for file in out.glob("_static/scripts/pydata-sphinx-theme.js"):
        file.write_text(MEASURES.sub("0", file.read_text("utf-8")), "utf-8")
    for font in out.glob("_static/vendor/fontawesome/webfonts/*.woff2"):
        _icons(font, icons)


def _loads(script: Path) -> bool:
    return "fontawesome" not in script.name


def setup(app: Sphinx) -> dict[str, Any]:
    """Go over the pages when all else is done."""
    app.connect("build-finished", finish, priority=LAST)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
