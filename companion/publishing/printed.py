"""``python -m companion.publishing.printed`` prints the built pages as one PDF: ``_build/book.pdf``.

All pages are put into one, in the order of ``_toc.yml``: its links lead from page to page inside it, nothing in it is
folded, and what a figure shows is its first view. Hints, solutions and answers wait at the end, and after them the code
that the pages fold away, each with a number that stands at its place. Chromium prints it, with numbered pages, an
outline and tags for a screen reader; pypdf lays the numbers on the contents.
"""

import argparse
import html
import json
import logging
import re
import shutil
import time
from collections import Counter
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject

from companion.sections import listed

BUILT, PRINTED = Path("_build/html"), Path("_build/book.pdf")
TITLE, EDITION = "Sequence Modeling: Recurrent and Recursive Nets", "An executable edition"
ANSWERS, FOLDED = "Hints, solutions and answers", "Folded code"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
SCALE = 0.8  # of print to screen
WIDTH = round((210 - 2 * 18) / 25.4 * 96 / SCALE)  # what is between the margins of an A4 sheet, in pixels
SHORT = 18  # lines of code that stay on one sheet
LASTS = "three or four minutes"
SHEET = {
    "format": "A4",
    "scale": SCALE,
    "margin": {"top": "16mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
    "print_background": True,
}
FOOT = '<div style="width: 100%; text-align: center; font: 9px sans-serif"><span class="pageNumber"></span></div>'
NOT_PRINTED = "a.headerlink, button, [data-progress], .toctree-wrapper, script:not([type='application/json'])"
HEADINGS = ("h1", "h2", "h3", "h4")
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="html/_static/pygments.css">
<link rel="stylesheet" href="html/_static/book.css">
<link rel="stylesheet" href="html/_static/explorables.css">
<style>{style}</style>
<script src="html/_static/explorables.js"></script>
</head>
<body class="bd-article">
{front}
{pages}
</body>
</html>
"""
# The numbers of the contents by themselves, each where it belongs.
NUMBERS = """(numbers) => {
    document.querySelectorAll("article").forEach((article) => article.remove());
    for (const place of document.querySelectorAll("[data-to]")) place.textContent = numbers[place.dataset.to];
    document.body.classList.add("p-numbers");
}"""
# What is wider than the sheet shrinks until it fits.
FIT = """() => { for (const box of document.querySelectorAll("div.math, table, pre, .ex-stage")) {
    const zoom = box.clientWidth / box.scrollWidth;
    if (zoom < 1) box.style.zoom = Math.max(zoom - 0.01, 0.5);
} }"""


class Appendix:
    """What stands at the end, each under its page and its heading, with a number that its place has too."""

    def __init__(self, title: str) -> None:
        self.title, self.id = title, title.split()[-1]
        self.parts: list[str] = []
        self.page = self.heading = None
        self.numbers: dict[str, int] = {}

    def take(self, place: Tag, page: Tag, kind: str, body: str) -> str:
        """Keep a body for the end, once; return the link that stands in its place."""
        if number := self.numbers.get(body):
            return f'<a class="p-to" href="#{self.id}-{number}">{kind} {number}</a>'
        number = self.numbers[body] = len(self.numbers) + 1
        if page is not self.page:
            self.page, self.heading = page, None
            self.parts.append(f"<h2>{_said(page.h1)}</h2>")
        if (above := place.find_previous(HEADINGS)) is not self.heading and above is not page.h1:
            self.heading = above
            self.parts.append(f'<h3><a href="#{above.find_parent("section")["id"]}">{_said(above)}</a></h3>')
        name = f"{self.id}-{number}"
        self.parts.append(
            f'<div class="p-answer" id="{name}"><p><a href="#to-{name}"><b>{kind} {number}.</b></a></p>{body}</div>'
        )
        return f'<a class="p-to" id="to-{name}" href="#{name}">{kind} {number}</a>'

    def html(self) -> str:
        """The appendix as a page."""
        return f'<article id="{self.id}"><h1>{self.title}</h1>{"".join(self.parts)}</article>'


def joined(parts: list[tuple[str, list[str]]], built: Path = BUILT) -> str:
    """All pages in one, to be printed."""
    names = [page for _, pages in parts for page in pages]
    tops = {name: _article(built / f"{name}.html") for name in names}
    _link(tops)
    answers, code = Appendix(ANSWERS), Appendix(FOLDED)
    for top in tops.values():
        _hold(top)
        _unfold(top, answers, code)
    ends = [end for end in (answers, code) if end.parts]
    rows = []
    for caption, pages in parts:
        entries = "".join(_entry(tops[page]["id"], _said(tops[page].h1)) for page in pages)
        rows.append(f"<p>{html.escape(caption)}</p><ul>{entries}</ul>")
    rows.append(f"<p>At the end</p><ul>{''.join(_entry(end.id, end.title) for end in ends)}</ul>")
    front = (
        f'<header><p class="p-title">{TITLE}</p><p>{EDITION}</p></header><nav class="p-contents">{"".join(rows)}</nav>'
    )
    style = resources.files(__package__).joinpath("printed.css").read_text("utf-8")
    printed = "\n".join([*(f"<article>{top}</article>" for top in tops.values()), *(end.html() for end in ends)])
    return PAGE.format(title=TITLE, style=style, front=front, pages=printed)


def _entry(place: str, title: str) -> str:
    """A line of the contents, whose number is filled in when all is printed."""
    return f'<li><a href="#{place}">{title}</a><span data-to="{place}"></span></li>'


def _article(file: Path) -> Tag:
    """What a built page says, without what is there to be pressed."""
    top = BeautifulSoup(file.read_text("utf-8"), "html.parser").select_one("article > section")
    for part in top.select(NOT_PRINTED):
        part.decompose()
    for picture in top.select("img"):
        picture.attrs.pop("loading", None)
    return top


def _link(tops: dict[str, Tag]) -> None:
    """Let every link lead to its place in the one page; a name that several pages use gets its page's name as well."""
    places = {name: [part["id"] for part in top.select("[id]")] + [top["id"]] for name, top in tops.items()}
    often = Counter(place for known in places.values() for place in {*known})

    def place(page: str, name: str) -> str:
        return f"{page.replace('/', '-')}--{name}" if often[name] > 1 else name

    for page, top in tops.items():
        folder = Path(page).parent
        for link in top.select("a[href]"):
            file, _, name = link["href"].partition("#")
            if ":" in file:
                continue
            other = _normal(folder / file.removesuffix(".html")) if file else page
            if other in tops and (name := name.partition("?")[0] or tops[other]["id"]) in places[other]:
                link["href"] = f"#{place(other, name)}"
            else:
                link.unwrap()
        for picture in top.select("[src]"):
            if ":" not in picture["src"]:
                picture["src"] = f"html/{_normal(folder / picture['src'])}"
    for page, top in tops.items():
        for part in (top, *top.select("[id]")):
            part["id"] = place(page, part["id"])


def _normal(path: Path) -> str:
    """A path without its steps up."""
    kept: list[str] = []
    for step in path.parts:
        kept.pop() if step == ".." and kept else kept.append(step)
    return "/".join(kept)


def _unfold(top: Tag, answers: Appendix, code: Appendix) -> None:
    """Open what is folded, at the end: what gives an answer away, and code."""
    for part in top.select("details, form.question, div.tag_solution"):
        if not any(above is top for above in part.parents):
            continue  # it went with what it stands in
        if part.name == "form":
            _question(part, top, answers)
        elif part.name == "div":
            for details in part.select("details"):
                details.summary.decompose()
                details.name = "div"
            part.replace_with(*_aside(answers.take(part, top, "Solution", str(part))))
        elif {"answer", "hint"} & {*part["class"]}:
            summary, kind = part.summary.extract(), "Hint" if "hint" in part["class"] else "Answer"
            asked = f"<p>{summary.decode_contents()}</p>" if "?" in summary.get_text() else ""
            to = answers.take(part, top, kind, part.decode_contents())
            part.replace_with(*_made(asked), *_aside(to))
        else:
            part.summary.decompose()
            part.replace_with(*_aside(code.take(part, top, "Code", part.decode_contents())))


def _aside(links: str) -> list:
    return _made(f'<p class="p-aside">{links}</p>')


def _question(form: Tag, top: Tag, answers: Appendix) -> None:
    """A question as one answers it on paper, with its figure if it has one; hints and the answer go to the end."""
    spec = json.loads(form.script.string)
    figure = form.select_one("figure.explorable")
    asked, right = _asked(spec)
    to = [answers.take(form, top, "Hint", f"<p>{_rich(hint)}</p>") for hint in spec["hints"]]
    to.append(answers.take(form, top, "Answer", f"<p>{right} {_rich(spec['answer'])}</p>"))
    headed = top.find(id=spec["id"].replace(".", "-"))
    title = "" if headed else f"<p><b>{_rich(spec['title'])}</b></p>"
    made = f'<div class="p-question" id="{form["id"]}">{title}{asked}{figure or ""}<p>{" ".join(to)}</p></div>'
    form.replace_with(*_made(made))


def _asked(spec: dict[str, Any]) -> tuple[str, str]:
    """What a question asks, with numbers at what one may choose, and which is right."""
    kind = spec["type"]
    if kind == "Numerical":
        words, value, *_ = spec["variants"][0]
        return f"<p>{_rich(words)}</p>", f"{value:.4g}."
    if kind == "FigureGoal":
        return f"<p><b>Goal:</b> {_rich(spec['goal']['task'])}</p>", ""
    ask = f"<p>{_rich(spec['ask'])}</p>"
    if kind == "MultipleChoice":
        return ask + _rows([_rich(words) for words, *_ in spec["options"]]), f"{_right(spec['options'])}."
    if kind == "FindBug":
        lines, reasons = _code(spec["code"]), [_rich(words) for words, *_ in spec["reasons"]]
        asked = f"{ask}{lines}<p>What is wrong with it?</p>{_rows(reasons)}"
        return asked, f"Line {spec['line']}, reason {_right(spec['reasons'])}."
    texts = [*spec["code"], *(line for line, _ in spec["extra"])]
    order = ", ".join(str(spec["shuffled"].index(i + 1) + 1) for i in range(len(spec["code"])))
    return ask + _code([texts[i - 1] for i in spec["shuffled"]]), f"Lines {order}."


def _right(options: list[list]) -> int:
    """The number of the right option."""
    return next(i for i, (_, _, right) in enumerate(options, 1) if right)


def _rows(rows: list[str]) -> str:
    return f"<ol>{''.join(f'<li>{row}</li>' for row in rows)}</ol>"


def _code(lines: list[str]) -> str:
    return _rows([f"<code>{html.escape(line)}</code>" for line in lines]).replace("<ol>", '<ol class="p-code">')


def _rich(words: str) -> str:
    """Words with `code` in them."""
    return "".join(
        f"<code>{html.escape(part)}</code>" if i % 2 else html.escape(part) for i, part in enumerate(words.split("`"))
    )


def _hold(top: Tag) -> None:
    """Mark what stays on one sheet: short code, and what belongs to what follows."""
    for block in top.select("pre"):
        if block.get_text().count("\n") <= SHORT:
            block["class"] = "p-short"
    for effort in top.find_all("p", string=re.compile("^★")):
        effort["class"] = "p-captioned"
    for caption in top.select("p:has([id^=fig-])"):
        if above := caption.find_previous_sibling():
            above["class"] = [*above.get("class", ()), "p-captioned"]


def _said(heading: Tag) -> str:
    return html.escape(" ".join(heading.get_text().split()))


def _made(text: str) -> list:
    return [part.extract() for part in [*BeautifulSoup(text, "html.parser").children]]


def find_browser() -> str | None:
    """Return the path of the system's Chromium or Chrome."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


def pdf(source: Path, out: Path) -> list[str]:
    """Print a page; return the addresses that it asked for."""
    from playwright.sync_api import sync_playwright

    if (path := find_browser()) is None:
        raise SystemExit("no Chromium or Chrome on this machine to print with (Debian: apt-get install chromium)")
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": 1200}, color_scheme="light")
        page.set_default_timeout(0)
        page.on("request", lambda request: asked.append(request.url))
        page.emulate_media(media="print")
        page.goto(source.resolve().as_uri())
        page.evaluate("document.fonts.ready")
        page.evaluate(FIT)
        titles = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => h.textContent)")
        foot = {"display_header_footer": True, "header_template": " ", "footer_template": FOOT}
        book = page.pdf(**SHEET, **foot, outline=True, tagged=True)
        read = PdfReader(BytesIO(book))
        found = read.named_destinations
        numbers = {name.removeprefix("/"): read.get_destination_page_number(to) + 1 for name, to in found.items()}
        page.evaluate(NUMBERS, numbers)
        contents = page.pdf(**SHEET | {"print_background": False})
        browser.close()
    _finish(book, contents, titles, out)
    return asked


def _finish(book: bytes, contents: bytes, titles: list[str], out: Path) -> None:
    """Lay the numbers on the contents, and set the outline's titles right, which lose a space where a line ends."""
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # that Chromium counts its objects otherwise is no news
    whole = PdfWriter(clone_from=BytesIO(book))
    for under, over in zip(whole.pages, PdfReader(BytesIO(contents)).pages, strict=False):
        under.merge_page(over)
    said = {"".join(title.split()): " ".join(title.split()) for title in titles}
    waiting = [whole.get_outline_root()]
    while waiting:
        entry = waiting.pop().get_object()
        if title := said.get("".join(entry.get("/Title", "").split())):
            entry[NameObject("/Title")] = TextStringObject(title)
        waiting += [entry[key] for key in ("/First", "/Next") if key in entry]
    whole.add_metadata({"/Title": TITLE})
    whole.write(out)


def main(pages: list[str], built: Path = BUILT, out: Path = PRINTED, toc: Path = Path("_toc.yml")) -> list[str]:
    """Print some pages, such as ``book/10_07_longterm``, by default all; return the addresses that were asked for."""
    start = time.perf_counter()
    parts = [("", pages)] if pages else listed(toc.read_text("utf-8"))
    source = built.parent / f"{out.stem}.html"
    source.write_text(joined(parts, built), "utf-8")
    print(f"printing {sum(len(pages) for _, pages in parts)} of the book's pages; all take {LASTS}", flush=True)
    asked = pdf(source, out)
    print(f"✓ {out}: {out.stat().st_size / 1e6:.1f} MB in {time.perf_counter() - start:.0f} s")
    return asked


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print the built pages as one PDF.")
    parser.add_argument("pages", nargs="*", help="such as book/10_07_longterm; by default the whole book")
    main(parser.parse_args().pages)
