"""No page asks more of a reader's machine than it must, and axe-core finds nothing on any."""

import pytest

from ..audit import COLUMNS, MOST, VIEWS, faults, findings, line, open_and_weigh
from ..conftest import HTML

PAGES = sorted(p.relative_to(HTML).as_posix() for p in HTML.glob("book/**/*.html"))
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_light_and_accessible(page, view, browser, built_book):
    context = browser.new_context(**VIEWS[view])
    tab, cost = open_and_weigh(context, (built_book / page).as_uri())
    found = findings(tab)
    context.close()
    assert cost.kilobytes <= MOST, cost
    assert found == {}


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
