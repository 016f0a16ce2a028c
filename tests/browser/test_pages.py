"""Every page and every figure of the built book, found by looking, moved as a person would."""

from urllib.parse import parse_qsl

import pytest

from ..conftest import HTML
from .figures import Figure, figures_in

PAGES = sorted(p.relative_to(HTML).as_posix() for p in HTML.glob("book/**/*.html"))
TYPESET = "async () => { await window.MathJax?.startup?.promise; await new Promise(r => setTimeout(r, 300)); }"
FIGURES = [(page, name) for page in PAGES for name in figures_in(HTML / page)]


def test_the_book_has_pages_and_figures(built_book):
    assert len(PAGES) >= 8
    assert len(FIGURES) >= 8


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_quiet_and_asks_for_nothing_outside_the_book(page, home, visit):
    tab, watch = visit(home + page, home)
    tab.evaluate(TYPESET)
    assert tab.locator(".math").count() == 0 or tab.locator("mjx-container").count() > 0
    assert watch.complaints == []
    assert tab.locator("article h1").count() == 1


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_a_phone(page, http_book, visit):
    tab, _ = visit(http_book + page, http_book, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab.evaluate(TYPESET)
    wider = tab.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    assert wider <= 0, f"the page is {wider} pixels wider than the phone"


@pytest.mark.parametrize(("page", "name"), FIGURES)
def test_a_figure_moves_by_keyboard_and_mouse_and_resets(page, name, home, visit):
    tab, watch = visit(home + page, home)
    Figure(tab, name).moves_and_resets()
    assert watch.complaints == []


@pytest.mark.parametrize("page", [p for p in PAGES if figures_in(HTML / p)])
def test_links_in_the_prose_set_the_state_of_a_figure(page, http_book, visit):
    tab, watch = visit(http_book + page, http_book)
    links = tab.locator("a[href^='#'][href*='?']")
    for i in range(links.count()):
        name, _, query = links.nth(i).get_attribute("href")[1:].partition("?")
        figure = Figure(tab, name)
        wanted = dict(parse_qsl(query))
        assert set(wanted) <= set(figure.controls()), f"{name} has no such control: {query}"
        links.nth(i).click()
        figure.settle()
        state = tab.evaluate(
            "name => { const v = [...explorables.mounted].find(v => v.spec.name === name);"
            " return Object.fromEntries(v.spec.controls.map(c => [c.name, v.get(c.name)])) }",
            name,
        )
        for key, value in wanted.items():
            assert str(state[key]).lower() == value.lower() or float(state[key]) == pytest.approx(
                float(value), rel=0.05
            )
    assert watch.complaints == []


@pytest.mark.parametrize("page", [p for p in PAGES if figures_in(HTML / p)][:1])
def test_a_copied_link_opens_the_figure_in_that_state(page, http_book, visit):
    tab, _ = visit(http_book + page, http_book)
    figure = Figure(tab, figures_in(HTML / page)[0])
    figure.by_mouse(figure.controls()[0])
    moved = figure.look()
    figure.root.locator("[data-share-link]").click()
    tab.wait_for_function("location.hash.includes('?')")
    again, _ = visit(tab.url, http_book)
    assert Figure(again, figure.name).look() == moved


@pytest.mark.parametrize("page", [p for p in PAGES if figures_in(HTML / p)])
def test_nothing_moves_by_itself_under_reduced_motion(page, http_book, visit):
    tab, _ = visit(http_book + page, http_book, reduced_motion="reduce")
    before = [Figure(tab, name).look() for name in figures_in(HTML / page)]
    assert tab.locator("[data-play]").count() == 0
    tab.wait_for_timeout(600)
    assert [Figure(tab, name).look() for name in figures_in(HTML / page)] == before


@pytest.mark.parametrize("page", [p for p in PAGES if figures_in(HTML / p)])
def test_figures_answer_to_touch_on_a_phone(page, http_book, visit):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    tab, watch = visit(http_book + page, http_book, **phone)
    for name in figures_in(HTML / page):
        figure = Figure(tab, name)
        start = figure.look()
        slider = figure.root.locator("input[type=range]").first
        box = slider.bounding_box()
        low = slider.evaluate("e => +e.value > (+e.min + +e.max) / 2")
        slider.tap(position={"x": box["width"] * (0.15 if low else 0.85), "y": box["height"] / 2})
        assert figure.look() != start
    assert watch.complaints == []
