"""What all kinds share: numbers, scales and their inverse, layers that are painted once, names, heights that stay."""

import numpy as np
import pytest

from companion.figures import Panel, Playback, assets
from companion.figures.numbers import number

from .drawn import Axis
from .drawn import number as read
from .figures import show
from .kinds import EXAMPLES

RNG = np.random.default_rng(7)
VALUES = [0.0, 1.0, -1.0, 2.6e-16, -1e-5, 9.96e-4, 0.001, 0.0123456, 9999.0, 1e4, 12345.0, 9.99e9, -3e300, 0.5, 1 / 3]
VALUES += list(RNG.normal(size=60) * 10.0 ** RNG.integers(-20, 20, 60))
PLOTS = [
    {"xdomain": [0, 10], "ydomain": [-3, 5]},
    {"xdomain": [1, 40], "ydomain": [1e-8, 1e6], "logy": True},
    {"xdomain": [-0.2, 0.2], "ydomain": [0, 12000], "ends": ["one", "another"]},
    {"xdomain": [0, 1], "ydomain": [0, 1], "square": True, "ylabel": "a label that is far too long for its plot " * 3},
]
SCALES = """([options, width, points]) => {
    const { svg, plot } = explorables.kit, g = svg("g", {});
    const p = plot(g, { left: 30, top: 10, width, height: 300 }, options), all = g.children[0].children;
    const marks = (look, at) => all.flatMap((t, i) => (
        `.${t.getAttribute("class")}` === look ? [[t.textContent, +all[i - 1].getAttribute(at)]] : []));
    return { x: marks(".ex-xtick", "x1"), y: marks(".ex-ytick", "y1"), inverse: points.map(([x, y]) => p.invert(x, y)),
        back: points.map(([x, y]) => p.invert(x, y)).map(([u, v]) => [p.x(u), p.y(v)]) }; }"""


def test_a_number_is_written_as_python_writes_it_and_reads_back(page):
    shown = page.evaluate("all => all.map(explorables.kit.number)", VALUES)
    for value, there in zip(VALUES, shown, strict=True):
        assert there == number(value)
        assert "e" not in there and "^" not in there and "-" not in there
        assert read(there) == pytest.approx(value, rel=0.05 if abs(value) < 1e-3 or abs(value) >= 1e4 else 6e-3)
    odd = page.evaluate("[null, NaN, Infinity, -Infinity].map(explorables.kit.number)")
    assert odd == [number(v) for v in (None, np.nan, np.inf, -np.inf)] == ["–", "–", "∞", "−∞"]


@pytest.mark.parametrize(
    ("words", "typeset"),
    [
        ("multiplied by 2.6e-16.", "multiplied by 2.6×10⁻¹⁶."),
        ("from 1e-05 to -1.5e+07", "from 10⁻⁵ to −1.5×10⁷"),
        ("10^-16 and 10^{3}", "10⁻¹⁶ and 10³"),
        ("10^-16.7", "2×10⁻¹⁷"),
        ("“the2e3rd”, a1e5, e5, 0.5", "“the2e3rd”, a1e5, e5, 0.5"),
    ],
)
def test_numbers_in_sentences_are_written_with_powers_of_ten(page, words, typeset):
    assert page.evaluate("words => explorables.kit.typeset(words)", words) == typeset


@pytest.mark.parametrize("width", [320, 700])
@pytest.mark.parametrize("options", PLOTS)
def test_a_point_of_a_plot_has_the_values_that_the_labels_of_its_axes_say(page, options, width):
    points = [[100.0, 90.0], [151.0, 207.0], [260.0, 130.0]]
    there = page.evaluate(SCALES, [options, width, points])
    x, y = Axis.through(there["x"]), Axis.through(there["y"], options.get("logy", False))
    for (px, py), (u, v) in zip(points, there["inverse"], strict=True):
        assert u == pytest.approx(x.value(px), abs=0.01 * abs(x.slope) * width)
        assert v == pytest.approx(y.value(py), rel=0.05, abs=1e-9 if y.log else abs(y.slope) * 3)
    np.testing.assert_allclose(there["back"], points, atol=1e-6)
    assert x.slope > 0 > y.slope


SPOKEN = """root => ({ name: document.getElementById(root.getAttribute("aria-labelledby"))?.textContent,
    live: [...root.querySelectorAll("[role=status], [aria-live]:not([aria-live=off]), output:not([aria-live=off])")]
        .map(e => e.className) })"""
WATCH = """root => { const canvas = root.querySelector("svg");
    globalThis.changed = 0;
    new MutationObserver(all => { changed += all.length; }).observe(canvas, { childList: true });
    globalThis.kept = [...canvas.querySelectorAll(".ex-cell, .ex-tick, .ex-xtick, .ex-bar.ex-loss, .ex-node")]; }"""


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_figure_is_named_by_its_title_and_nothing_is_spoken_but_its_readout_and_verdicts_on_goals(page, kind):
    made = EXAMPLES[kind]()
    spoken = show(page, made).root.evaluate(SPOKEN)
    assert spoken["name"] == made.spec["title"]
    assert spoken["live"] == ["ex-readout"] + ["ex-verdict"] * len(made.spec.get("goals", ()))


@pytest.mark.parametrize(("kind", "control"), [("sweep", "k"), ("playback", "t"), ("graph", "step"), ("cliff", "v")])
def test_what_did_not_change_is_not_drawn_again(page, kind, control):
    figure = show(page, EXAMPLES[kind]())
    figure.by_keyboard(control)
    figure.reset()
    figure.root.evaluate(WATCH)
    before = figure.look()
    figure.by_keyboard(control)
    assert figure.look() != before
    assert page.evaluate("[changed, kept.length > 0, kept.every(node => node.isConnected)]") == [0, True, True]


AGAIN = """(root, state) => {
    const { spec } = [...explorables.mounted].find(view => view.root === root);
    const figure = document.createElement("figure");
    root.replaceWith(figure);
    explorables.mount(figure, spec, explorables.localStore(state));
    const drawn = (place) => [...place.querySelectorAll("svg > g")];
    const [had, wanted] = [drawn(root), drawn(figure)];
    return [had.length - wanted.length, ...had.flatMap((g, i) => (
        g.isEqualNode(wanted[i]) ? [] : [[g.outerHTML, wanted[i]?.outerHTML]]))]; }"""
COUNT = """root => { const canvas = root.querySelector("svg");
    globalThis.made = 0;
    globalThis.before = canvas.querySelectorAll("*").length;
    const watch = new MutationObserver(all => all.forEach(one => { made += one.addedNodes.length; }));
    watch.observe(canvas, { childList: true, subtree: true }); }"""


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_figure_that_was_moved_is_drawn_like_one_that_begins_there(page, kind):
    page.evaluate("() => explorables.mounted.clear()")
    figure = show(page, EXAMPLES[kind]())
    for control in figure.in_use():
        if control in figure.in_use():
            figure.by_keyboard(control)
    figure.look()
    assert figure.root.evaluate(AGAIN, figure.state()) == [0]


@pytest.mark.parametrize(
    ("kind", "control"), [("gates", "af"), ("eigenvalues", "lam1"), ("unfold", "w"), ("cliff", "w")]
)
def test_a_drawing_moves_its_nodes_and_makes_few_new_ones(page, kind, control):
    figure = show(page, EXAMPLES[kind]())
    figure.by_keyboard(control)
    before = figure.look()  # the first move is drawn, and is not counted
    figure.root.evaluate(COUNT)
    figure.by_keyboard(control)
    assert figure.look() != before
    made, there = page.evaluate("[made, before]")
    assert made < 0.1 * there and there > 50


POINTED = """root => { const all = [...root.querySelectorAll("[data-share]")];
    const of = (list) => list.map((e) => e.dataset.share);
    const marked = all.filter((e) => e.classList.contains("ex-hover"));
    return [of(all), of(marked)]; }"""


@pytest.mark.parametrize(("kind", "control"), [("graph", "step"), ("unfold", "b")])
def test_pointing_at_a_copy_marks_all_of_them_also_when_they_are_drawn_again(page, kind, control):
    figure = show(page, EXAMPLES[kind]())
    shared = figure.root.locator("[data-share]").first
    name = shared.get_attribute("data-share")
    for move in (lambda: shared.dispatch_event("pointerover"), lambda: figure.by_keyboard(control)):
        move()
        figure.look()
        there, marked = figure.root.evaluate(POINTED)
        assert marked == [name] * there.count(name) and marked
    figure.root.locator("svg").first.dispatch_event("pointerleave")
    assert figure.root.evaluate(POINTED)[1] == []


def test_names_of_rows_stay_in_sight_while_a_long_playback_scrolls(page):
    values = np.eye(4, 80)
    long = Playback(
        "long", [Panel("p", values, ["first", "second", "third", "last"])], "x" * 80, title="T", caption="C"
    )
    figure = show(page, long, 360)
    page.add_style_tag(content=assets.style(["playback"]))
    figure.put(t=80)
    stage = figure.root.locator(".ex-stage")
    assert stage.evaluate("s => s.scrollLeft") > 100 and stage.get_attribute("tabindex") == "0"
    box = stage.bounding_box()
    for words in ("first", "last"):
        label = figure.root.locator(".ex-beside text", has_text=words).first.bounding_box()
        assert box["x"] - 1 <= label["x"] and label["x"] + label["width"] < box["x"] + 120
