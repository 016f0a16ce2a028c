"""``python -m companion.publishing.slides`` makes slides of the built pages, which need no network: ``_build/slides``.

A page becomes slides by rule, so nobody marks cells: a heading starts one, with the first paragraph, the equations, the
lists and the tables under it; every cell that the page shows has a slide of its own, the figures in it alive; so has
every claim. Links that set a figure stay beneath it. All other prose goes into the notes of the speaker (press S);
folded cells, questions and references stay out. Slides are made of the pages, and not of the notebooks, since in pages
mathematics is set and every reference resolved. reveal.js, which turns them, comes with the package sphinx-revealjs.
"""

import html
import posixpath
import shutil
import sys
from importlib import resources
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from companion.sections import INTRODUCTION, SECTIONS

BUILT, SLIDES = Path("_build/html/book"), Path("_build/slides")
REVEAL = ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js", "LICENSE")
LEFT_OUT = ("self-test", "exercises", "references", "what-comes-next")
HEADINGS, LISTS = ("h1", "h2", "h3", "h4"), ("ul", "ol", "table", "blockquote")
FOLDED = ("tag_hide-cell", "tag_remove-cell", "tag_claim")
SETS_A_FIGURE = 'a[href^="#"][href*="?"]'
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<link rel="stylesheet" href="reveal/reset.css">
<link rel="stylesheet" href="reveal/reveal.css">
<link rel="stylesheet" href="../html/_static/pygments.css">
<link rel="stylesheet" href="../html/_static/book.css">
<link rel="stylesheet" href="../html/_static/explorables.css">
<style>{style}</style>
<script src="../html/_static/explorables.js"></script>
</head>
<body>
<main class="reveal"><div class="slides bd-article">
{slides}
</div></main>
<script src="reveal/reveal.js"></script>
<script src="reveal/notes.js"></script>
<script>
  const whole = {{ width: "100%", height: "100%", margin: 0, minScale: 1, maxScale: 1, center: false }};
  const look = {{ transition: "none", slideNumber: "c/t", scrollActivationWidth: null }};
  Reveal.initialize({{ ...whole, ...look, hash: true, plugins: [RevealNotes] }});
</script>
</body>
</html>
"""


class Slide:
    """What stands on a slide, and what is said to it."""

    def __init__(self, kind: str = "") -> None:
        self.kind, self.shown, self.said = kind, [], []

    def html(self) -> str:
        """The slide as reveal.js wants it."""
        notes = f'<aside class="notes">{"".join(map(str, self.said))}</aside>' if self.said else ""
        return f'<section class="{self.kind}">{"".join(map(str, self.shown))}{notes}</section>'


def _cell(cell: Tag) -> Slide | None:
    """The slide of a cell: what the page shows of it."""
    if set(cell["class"]) & {*FOLDED} or cell.select_one(".question"):
        return None
    for hidden in cell.select("details, script:not([type='application/json'])"):
        hidden.decompose()
    for figure in cell.select("figure.explorable"):
        figure["data-prevent-swipe"] = ""
        for code in cell.select(".cell_input"):
            code.decompose()
    if not cell.get_text(strip=True) and not cell.select_one("img"):
        return None
    slide = Slide("figure" if cell.select_one("figure.explorable") else "cell")
    slide.shown.append(cell)
    return slide


def _slides(section: Tag) -> list[Slide]:
    """The slides of a section of a page, with those of the sections in it."""
    made = [Slide("text")]
    for block in section.find_all(recursive=False):
        now = made[-1]
        if block.name == "section":
            made += _slides(block)
        elif "cell" in block.get("class", ()):
            made += [slide] if (slide := _cell(block)) else []
        elif block.select_one("[id^=claim-]") and block.name == "p":
            made.append(Slide("claim"))
            made[-1].shown.append(block)
        elif now.kind == "figure" and (_sets(block) or (_listed(after := block.find_next_sibling()) and _sets(after))):
            now.shown.append(block)
        elif _listed(block) or (block.name == "p" and (_first(now) or _listed(block.find_next_sibling()))):
            if now.kind != "text":
                made.append(Slide("text"))
            made[-1].shown.append(block)
        elif block.name in HEADINGS:
            now.shown.append(block)
        else:
            now.said.append(block)
    return made


def _sets(block: Tag) -> bool:
    """Whether it has a link that sets a figure."""
    return block.select_one(SETS_A_FIGURE) is not None


def _first(slide: Slide) -> bool:
    """Whether nothing but a heading stands on it yet."""
    return slide.kind == "text" and all(block.name in HEADINGS for block in slide.shown)


def _listed(block: Tag | None) -> bool:
    """Whether it is an equation, a list, or a table."""
    return block is not None and (
        block.name in LISTS or bool({"math", "pst-scrollable-table-container"} & {*block.get("class", ())})
    )


def deck(text: str, page: str = "page") -> str:
    """The slides of a built page, as the text of a page of their own.

    Parameters
    ----------
    text : the built page. page : where it stands in the book's folder, such as ``10_07_longterm``.
    """
    top = BeautifulSoup(text, "html.parser").select_one("article > section")
    columns = [part.extract() for part in top.find_all("section", recursive=False) if part.get("id") not in LEFT_OUT]
    for part in top.find_all("section", recursive=False):
        part.decompose()
    title = top.h1.get_text().rstrip("#")
    stacks = ["\n".join(slide.html() for slide in _slides(column)) for column in (top, *columns)]
    slides = BeautifulSoup("\n".join(f"<section>\n{stack}\n</section>" for stack in stacks), "html.parser")
    for name in ("src", "href"):
        for link in slides.find_all(attrs={name: True}):
            link[name] = _from_here(link[name], page)
    return PAGE.format(
        title=html.escape(title), style=resources.files(__package__).joinpath("slides.css").read_text(), slides=slides
    )


def _from_here(address: str, page: str) -> str:
    """An address in a built page, as it reads beside the slides."""
    if address.startswith("#") or ":" in address:
        return address
    return posixpath.normpath(posixpath.join("../html/book", posixpath.dirname(page), address))


def main(pages: list[str], built: Path = BUILT, out: Path = SLIDES) -> None:
    """Write the slides of some pages, such as ``10_07_longterm``, by default of all sections."""
    package = resources.files("sphinx_revealjs").joinpath("_static/revealjs")
    (out / "reveal").mkdir(parents=True, exist_ok=True)
    for name in REVEAL:
        with resources.as_file(package.joinpath(name)) as path:
            shutil.copy(path, out / "reveal" / path.name)
    for page in pages or [section.page for section in (INTRODUCTION, *SECTIONS)]:
        text = deck((built / f"{page}.html").read_text("utf-8"), page)
        path = out / f"{Path(page).name}.html"
        path.write_text(text, "utf-8")
        print(f"✓ {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
