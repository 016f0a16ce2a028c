"""No page asks more of a reader's machine than it must, and axe-core finds nothing on any."""

import pytest

from ..audit import VIEWS, findings, open_and_weigh
from ..conftest import HTML

PAGES = sorted(p.relative_to(HTML).as_posix() for p in HTML.glob("book/**/*.html"))
pytestmark = pytest.mark.slow
MOST = 250  # kilobytes, compressed, with typeset mathematics and without pictures


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_light_and_accessible(page, view, browser, built_book):
    context = browser.new_context(**VIEWS[view])
    tab, cost = open_and_weigh(context, (built_book / page).as_uri())
    found = findings(tab)
    context.close()
    assert cost.kilobytes <= MOST, cost
    assert found == {}
