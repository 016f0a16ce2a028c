"""Every page and every figure of the built book, found by looking, moved as a person would.

A page is opened twice and no more: as a file on a wide screen, and over http on a phone that asks for little motion.
"""

from urllib.parse import parse_qsl

import pytest

from ..conftest import HTML
from .figures import Figure, figures_in
from .layout import complaints, lines_too_wide

PAGES = sorted(p.relative_to(HTML).as_posix() for p in HTML.glob("book/**/*.html"))
FIGURES = [(page, name) for page in PAGES for name in figures_in(HTML / page)]
# Pages of exercises and of the reference that have no figure are alike: the first of them always, all in `test-all`.
PLAIN = [page for page in PAGES if page not in {page for page, _ in FIGURES}]
ALIKE = {p for kind in ("exercises/10_", "reference/") for p in [p for p in PLAIN if p.startswith(f"book/{kind}")][1:]}
OPENED = [pytest.param(page, marks=pytest.mark.slow) if page in ALIKE else page for page in PAGES]
WIDE = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "reduced_motion": "reduce"}
TYPESET = "() => document.fonts.ready.then(() => {})"


def test_the_book_has_pages_and_figures(built_book):
    assert len(PAGES) >= 8
    assert len(FIGURES) >= 8


def assert_well(tab, watch) -> None:
    """Nothing went wrong so far, nothing was asked for outside the book, and the mathematics is set."""
    assert tab.locator("article h1").count() == 1
    assert tab.locator(".math").count() == tab.locator(".math > math").count()
    assert watch.complaints == []


def follow_links(tab) -> None:
    """Each link to a figure, in answers too, sets the state that it names."""
    tab.emulate_media(reduced_motion="reduce")  # the page jumps there at once
    tab.evaluate("document.querySelectorAll('article details').forEach(answer => { answer.open = true; })")
    links = tab.locator("a[href^='#'][href*='?']")
    for i in range(links.count()):
        name, _, query = links.nth(i).get_attribute("href")[1:].partition("?")
        figure = Figure(tab, name)
        wanted = dict(parse_qsl(query))
        assert set(wanted) <= set(figure.controls()), f"{name} has no such control: {query}"
        links.nth(i).click()
        state = figure.state()
        for key, value in wanted.items():
            same = str(state[key]).lower() == value.lower()
            assert same or float(state[key]) == pytest.approx(float(value), rel=0.05)


@pytest.mark.parametrize("page", OPENED)
def test_a_page_opened_as_a_file_is_quiet_fits_and_its_figures_move_and_reset_and_obey_links(page, built_book, visit):
    home = built_book.as_uri() + "/"
    tab, watch = visit(home + page, home, **WIDE)
    tab.evaluate(TYPESET)
    assert lines_too_wide(tab) == []
    figures = [Figure(tab, name) for name in figures_in(HTML / page)]
    for figure in figures:
        figure.moves_and_resets()
    assert [wrong for figure in figures for wrong in complaints(figure)] == []
    follow_links(tab)
    assert_well(tab, watch)


@pytest.mark.parametrize("page", OPENED)
def test_a_page_fits_a_phone_where_figures_answer_to_touch_and_keep_still_if_asked(page, http_book, visit):
    tab, watch = visit(http_book + page, http_book, **PHONE)
    tab.evaluate(TYPESET)
    wider = tab.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    assert wider <= 0, f"the page is {wider} pixels wider than the phone"
    figures = [Figure(tab, name) for name in figures_in(HTML / page)]
    first = [figure.look() for figure in figures]
    if figures:
        assert tab.locator("[data-play]").count() == 0
        tab.wait_for_timeout(600)
        assert [figure.look() for figure in figures] == first, "a figure moves by itself"
    for figure, start in zip(figures, first, strict=True):
        figure.by_touch()
        assert figure.look() != start, f"{figure.name} does not answer to touch"
    assert [wrong for figure in figures for wrong in complaints(figure)] == []
    assert_well(tab, watch)


LAND = """async ([hash, far]) => {
    if (hash) location.hash = hash;
    const place = document.getElementById(location.hash.slice(1));
    const frame = () => new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)));
    for (let k = 0; k < 5; k++) await frame();
    const { top, bottom } = place.getBoundingClientRect(), page = document.scrollingElement;
    const end = page.scrollTop + innerHeight >= page.scrollHeight - 2;
    const seen = place.checkVisibility({ contentVisibilityAuto: true });
    return seen && (end ? bottom > 0 : Math.abs(top) <= far) ? "" : top;
}"""
LAID_OUT = """() => [...document.querySelectorAll("article > section > section")]
    .map(section => section.firstElementChild.checkVisibility({ contentVisibilityAuto: true }))"""


@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("page", [file for file in PAGES if file.startswith("book/10_")][::4])
def test_what_is_far_is_not_laid_out_and_links_land_all_the_same(page, screen, built_book, visit):
    home = built_book.as_uri() + "/"
    tab, _ = visit(home + page, home, **screen)
    tab.wait_for_function("document.querySelectorAll('figure.explorable:not(.ex-live)').length === 0")
    assert not all(tab.evaluate(LAID_OUT))
    assert tab.locator("pre[tabindex='-1']").count() == 0  # as the theme's script leaves what it has measured
    links = tab.locator("a[href^='#']").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    places = [link for link in dict.fromkeys(links) if len(link) > 1 and "?" not in link]
    figures = {f"#{name}" for name in figures_in(HTML / page)}
    assert len(places) > 4
    for place in places[:: max(1, len(places) // 15)]:
        if place not in figures:  # which stop wherever all of them is seen
            assert tab.evaluate(LAND, [place, 120]) == "", place
    fresh, _ = visit(home + page + places[len(places) // 2], home, **screen)
    assert fresh.evaluate(LAND, ["", 120]) == "", places[len(places) // 2]


def test_a_copied_link_opens_the_figure_in_that_state(http_book, visit):
    page, name = FIGURES[0]
    tab, _ = visit(http_book + page, http_book)
    figure = Figure(tab, name)
    figure.by_mouse(figure.controls()[0])
    moved = figure.look()
    figure.root.locator("[data-share-link]").click()
    tab.wait_for_function("location.hash.includes('?')")
    again, _ = visit(tab.url, http_book)
    assert Figure(again, name).look() == moved


def test_figures_live_before_late_scripts_and_fonts_have_come_and_the_address_still_leads_to_them(http_book, visit):
    page, name = FIGURES[-1]
    tab, _ = visit("about:blank", "about:blank", reduced_motion="reduce")
    held, released = [], []

    def hold(route):
        late = any(word in route.request.url for word in ("bootstrap.js", "pydata-sphinx-theme.js", ".woff"))
        held.append(route) if late and not released else route.continue_()

    tab.route("**/*", hold)
    tab.goto(f"{http_book}{page}#{name}?", wait_until="commit")
    figure = Figure(tab, name, scroll=False)
    assert held and tab.evaluate("document.readyState") == "interactive"
    released.append(True)
    for route in held:
        route.continue_()
    tab.wait_for_load_state("load")
    tab.evaluate(TYPESET)
    tab.wait_for_timeout(500)
    top = figure.root.locator(".ex-stage").bounding_box()["y"]
    assert 0 <= top < 700, "the page has moved away from the figure that its address names"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_light_or_dark_and_its_logo_has_its_place_before_scripts_and_pictures_have_come(
    scheme, http_book, browser
):
    page = browser.new_page(color_scheme=scheme)
    page.route("**/*", lambda route: route.abort() if route.request.url.endswith(".svg") else route.continue_())
    page.route("**/*.js*", lambda route: route.abort())
    page.goto(f"{http_book}book/notation.html")
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    boxes = [logo.bounding_box() for logo in page.locator(".navbar-brand img").all() if logo.is_visible()]
    assert [round(box["height"]) for box in boxes] == [72]
    page.close()
