"""Pages that tell what went wrong while they were open."""

import pytest

from companion.figures import assets
from companion.figures.kinds import KINDS


class Watch:
    """Errors on the console and requests that left the book, collected from one page."""

    def __init__(self, page, home: str):
        self.complaints: list[str] = []
        page.on("console", lambda m: self.complaints.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda e: self.complaints.append(f"error: {e}"))
        page.on("requestfailed", lambda r: self.complaints.append(f"failed: {r.url}"))
        page.on("request", lambda r: None if self._inside(r.url, home) else self.complaints.append(f"outside: {r.url}"))

    @staticmethod
    def _inside(url: str, home: str) -> bool:
        return url.startswith((home, "data:", "blob:"))


@pytest.fixture
def visit(browser):
    """Return a function that opens a page and returns it with its `Watch`."""
    contexts = []

    def open_page(url: str, home: str, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        watch = Watch(page, home)
        page.goto(url)
        return page, watch

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def page(browser):
    """Return an empty page in which all kinds of figures are defined."""
    context = browser.new_context()
    page = context.new_page()
    page.add_script_tag(content=assets.script(KINDS))
    yield page
    context.close()
