"""No page asks more of a reader's machine than it must, and axe-core finds nothing on any."""

import pytest

from ..audit import COLUMNS, MOST, VIEWS, faults, findings, line, open_and_weigh, shift
from ..conftest import HTML

PAGES = sorted(p.relative_to(HTML).as_posix() for p in HTML.glob("book/**/*.html"))
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_light_and_accessible(page, view, browser, built_book):
    context = browser.new_context(**VIEWS[view])
    tab, cost = open_and_weigh(context, (built_book / page).as_uri())
    shift(tab)  # a long section is laid out when one comes by
    found = findings(tab)
    context.close()
    assert cost.kilobytes <= MOST, cost
    assert found == {}


PALE = """<html lang="en"><title>A page</title><main><h1>Words</h1></main>
<style>@media (prefers-color-scheme: %s) { body { background: #fff; color: #ddd } }</style></html>"""


@pytest.mark.parametrize("pale", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_pale_words_are_found_in_either_scheme(view, pale, browser):
    page = browser.new_page(**VIEWS[view])
    page.set_content(PALE % pale)
    assert findings(page) == {"color-contrast (serious)": 1}
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (view == "phone")
    page.close()


def test_bytes_and_findings_fail_a_page_and_seconds_never_do():
    slow = {"ready": 99.0, "answers": None, "frame": 999.0, "shift": 1.0}
    row = {
        **slow,
        "kilobytes": MOST,
        "requests": 9,
        "elements": 9,
        "wide": [],
        "overlaps": [],
        "axe": {},
        "figures": {},
    }
    assert faults(row) == []
    for worse in ({"kilobytes": MOST + 1}, {"wide": ["a line"]}, {"overlaps": ["a over b"]}, {"axe": {"rule": 3}}):
        assert len(faults({**row, **worse})) == 1
    assert len(line(row).split()) == len(COLUMNS) and "–" in line(row)
