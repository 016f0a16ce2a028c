"""Every kind of figure, found by looking, lives on what its widget is sent, as in a notebook."""

import re

import pytest
from matplotlib.colors import to_hex

from companion.figures import assets
from companion.figures.colors import COLORS, DARK
from companion.figures.kinds import KINDS

from .figures import Figure
from .kinds import EXAMPLES
from .layout import HEADER, LOOK, WANTED

# What anywidget does with the text of a widget, and a model that holds its traits.
RENDER = """async ([text, spec, state]) => {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const { default: widget } = await import(url);
    const traits = { spec, ...state };
    const heard = {};
    const model = {
        get: (name) => traits[name],
        set(name, value) { traits[name] = value; (heard[`change:${name}`] ?? []).forEach((f) => f()); },
        save_changes() {},
        on(event, f) { (heard[event] ??= []).push(f); },
        off(event, f) { heard[event] = heard[event].filter((g) => g !== f); },
    };
    const el = document.createElement("div");
    document.body.append(el);
    const leave = widget.render({ model, el });
    (globalThis.leave ??= []).push(() => { leave(); return Object.values(heard).flat().length; });
}"""


def live(page, make) -> Figure:
    """Show a kind's example in a page as a notebook does."""
    figure = make()
    page.add_style_tag(content=str(figure._css))
    page.evaluate(RENDER, [str(figure._esm), figure.spec, figure.state])
    return Figure(page, figure.spec["name"])


@pytest.fixture
def notebook(visit):
    """An empty page, and what went wrong in it."""
    return visit("about:blank", "about:blank")


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_kind_needs_no_script_but_the_one_its_widget_is_sent(kind, notebook):
    page, watch = notebook
    live(page, EXAMPLES[kind]).moves_and_resets()
    assert page.evaluate("leave[0]()") == 0, "a closed figure still listens"
    assert watch.complaints == []


@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.slow), 390])
@pytest.mark.parametrize("kind", EXAMPLES)
def test_no_text_of_a_kind_is_cut_or_covered_wherever_its_controls_stand(kind, width, visit):
    page, _ = visit("about:blank", "about:blank", viewport={"width": width, "height": 900})
    figure = live(page, EXAMPLES[kind])
    assert figure.root.evaluate(LOOK, [HEADER, WANTED])["complaints"] == []


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_kind_whose_column_gets_narrower_is_drawn_as_if_it_had_always_been(kind, visit):
    drawn = []
    for begun in (900, 560):
        page, _ = visit("about:blank", "about:blank")
        page.add_style_tag(content=f"body {{ width: {begun}px; }}")
        figure = live(page, EXAMPLES[kind])
        page.add_style_tag(content="body { width: 560px; }")
        page.evaluate("() => new Promise(next => setTimeout(next, 100))")
        drawn.append(figure.look())
    assert drawn[0] == drawn[1]


def test_kinds_that_were_loaded_one_after_the_other_live_side_by_side(notebook):
    page, watch = notebook
    for figure in [live(page, make) for make in EXAMPLES.values()]:
        start = figure.look()
        figure.by_keyboard(figure.controls()[0])
        assert figure.look() != start and "[object" not in figure.look()
    assert watch.complaints == []


@pytest.mark.parametrize(("theme", "wanted"), [("light", COLORS), ("dark", DARK)])
def test_a_page_draws_each_role_in_the_colour_that_matplotlib_draws_it_in(theme, wanted, notebook):
    page, _ = notebook
    paths = "".join(f"<path class='ex-curve ex-{role}'></path>" for role in wanted)
    page.set_content(f"<html data-theme='{theme}'><figure class='explorable'><svg>{paths}</svg></figure></html>")
    page.add_style_tag(content=assets.style(KINDS))
    for role, color in wanted.items():
        drawn = page.locator(f".ex-{role}").evaluate("path => getComputedStyle(path).stroke")
        assert to_hex([int(v) / 255 for v in re.findall(r"\d+", drawn)]) == color.lower(), role
