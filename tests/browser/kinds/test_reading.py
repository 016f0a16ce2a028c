"""A coloured text: every character has the ground, the bar and the words of its own value."""

import itertools

import numpy as np
import pytest

from companion.figures import Find, Reading, assets
from companion.figures.kinds import KINDS
from companion.figures.kinds.reading import lines

from ..figures import Figure, show

TEXTS = {"a sentence": "the gate (which was shut) opened, and nobody asked why it had.", "few": "rhythm myths fly by"}
UNITS, QUANTITIES = {"spaces": "unit 3", "letters": "unit 8"}, ["state s", "forget gate f"]


def example() -> Reading:
    """Two texts, two units, a state with both signs and a gate."""
    rng = np.random.default_rng(9)
    values = {
        name: np.stack([rng.normal(size=(2, len(text))), rng.uniform(size=(2, len(text)))], axis=1)
        for name, text in TEXTS.items()
    }
    notes = {name: [f"A note on {unit} in {name}." for unit in UNITS.values()] for name in TEXTS}
    after = {name: [f"It expects {k}." for k in range(len(text))] for name, text in TEXTS.items()}
    words = {"title": "Colour a text", "caption": "Two units read two texts."}
    goal = Find("find it.", "few", "letters", "state s", [3, 7], "There it is.", "Look elsewhere.")
    return Reading("coloured", TEXTS, values, UNITS, QUANTITIES, notes, after, t=5, find=goal, **words)


TOUCHED = """root => { const svg = root.querySelector("svg");
    return [svg.querySelector(".ex-touch").getBBox().width, svg.viewBox.baseVal.width]; }"""


def live(page, width=700, **state):
    """The example in a page of that width, in that state."""
    figure = example()
    for name, value in state.items():
        setattr(figure, name, value)
    show(page, figure)
    page.add_style_tag(content=assets.style(KINDS))
    page.evaluate("width => { document.body.style.width = `${width}px`; }", width)
    page.evaluate(
        "state => Object.entries(state).forEach(([k, v]) => [...explorables.mounted].at(-1).set(k, v))", state
    )
    seen = Figure(page, "coloured")
    seen.look()
    return figure, seen


def row(figure):
    """The hundredths that the figure shows, and their scale."""
    u, q = list(UNITS).index(figure.unit), QUANTITIES.index(figure.quantity)
    data = figure.spec["data"]
    return np.array(data["values"][figure.text][u][q]), data["top"][u][q]


STATES = [
    {"text": text, "unit": unit, "quantity": quantity}
    for text, unit, quantity in itertools.product(TEXTS, UNITS, QUANTITIES)
]


@pytest.mark.parametrize("width", [700, 359])
@pytest.mark.parametrize("state", STATES)
def test_grounds_and_bars_show_the_values_of_their_characters(page, state, width):
    figure, seen = live(page, width, **state)
    values, top = row(figure)
    signed = figure.quantity == "state s"
    grounds = seen.root.locator("[data-ground]").evaluate_all(
        "all => all.map(e => [+e.getAttribute('fill-opacity'), e.classList.contains('ex-target'), e.getBBox().y])"
    )
    bars = seen.root.locator("[data-bar]").evaluate_all(
        "all => all.map(e => { const b = e.getBBox(); return [b.y, b.height]; })"
    )
    np.testing.assert_allclose([g[0] for g in grounds], 0.75 * np.abs(values) / top, atol=0.006)
    assert [g[1] for g in grounds] == (values < 0).tolist()
    tall = 10 if signed else 20
    np.testing.assert_allclose([b[1] for b in bars], np.maximum(0.5, np.abs(values) / top * tall), atol=0.01)
    for (*_, y), (low, height), v in zip(grounds, bars, values, strict=True):
        base = y + 22 + tall
        assert (low if v < 0 else low + height) == pytest.approx(base, abs=0.02)


def test_all_of_the_text_can_be_touched_whatever_the_width_becomes(page):
    _, seen = live(page, 700)
    for width in (700, 712, 690, 359):
        page.evaluate("width => { document.body.style.width = `${width}px`; }", width)
        seen.look()
        touched, whole = seen.root.evaluate(TOUCHED)
        assert touched == pytest.approx(whole, abs=0.5)


@pytest.mark.parametrize("width", [700, 359])
def test_letters_stand_on_their_grounds_in_lines_broken_after_spaces(page, width):
    figure, seen = live(page, width)
    text = TEXTS[figure.text]
    places = seen.root.locator("[data-ground]").evaluate_all(
        "all => all.map(e => [+e.getAttribute('x'), +e.getAttribute('y')])"
    )
    letters = seen.root.locator(".ex-letter").evaluate_all(
        "all => all.map(e => [e.textContent, +e.getAttribute('x') - 5.4, +e.getAttribute('y') - 16])"
    )
    assert [c for c, *_ in letters] == list(text)
    np.testing.assert_allclose([xy for _, *xy in letters], places, atol=0.02)
    across = int((seen.root.evaluate("r => r.querySelector('svg').viewBox.baseVal.width") - 4) // 10.8)
    wanted = [(2 + 10.8 * i, 6 + 50 * y) for y, (_, words) in enumerate(lines(text, across)) for i in range(len(words))]
    np.testing.assert_allclose(places, wanted, atol=0.02)


@pytest.mark.parametrize("t", [1, 20, 60])
@pytest.mark.parametrize("how", ["set", "hover", "press"])
def test_the_chosen_character_is_framed_and_read_out(page, how, t):
    figure, seen = live(page)
    ground = seen.root.locator(f'[data-ground="{t}"]')
    box = ground.bounding_box()
    if how == "set":
        page.evaluate("t => [...explorables.mounted].at(-1).set('t', t)", t)
    else:
        page.mouse.move(box["x"] + 30, box["y"] + 4)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        if how == "press":
            page.mouse.down()
            page.mouse.up()
    seen.look()
    frame = seen.root.locator(".ex-here").bounding_box()
    assert frame["x"] <= box["x"] < box["x"] + box["width"] <= frame["x"] + frame["width"] + 0.1
    assert frame["y"] <= box["y"] < box["y"] + box["height"] <= frame["y"] + frame["height"]
    said = seen.root.locator(".ex-readout").inner_text()
    character = TEXTS[figure.text][t - 1]
    assert said.startswith(f"Character {t}, {'a space' if character == ' ' else f'“{character}”'}. State s of unit 3: ")
    shown = float(said.split("unit 3: ")[1].split(". ")[0].replace("−", "-"))
    assert shown == pytest.approx(row(figure)[0][t - 1] / 100, abs=0.006)
    assert said.endswith(f"A note on unit 3 in a sentence. It expects {t - 1}.")


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ({}, "Not yet. Choose the text “few”."),
        ({"text": "few"}, "Not yet. Choose the unit “letters”."),
        ({"text": "few", "unit": "letters", "quantity": "forget gate f"}, "Not yet. Choose the quantity “state s”."),
        ({"text": "few", "unit": "letters", "t": 4}, "Look elsewhere."),
        ({"text": "few", "unit": "letters", "t": 7}, "✓ Done. At character 7 it is "),
    ],
)
def test_the_goal_is_reached_at_its_characters_alone(page, state, verdict):
    _, seen = live(page, **state)
    seen.root.locator("[data-goal]").click()
    assert verdict in seen.root.locator(".ex-verdict").inner_text()


def test_a_shorter_text_brings_the_cursor_in(page):
    _, seen = live(page, t=60)
    page.evaluate("[...explorables.mounted].at(-1).set('text', 'few')")
    seen.look()
    said = seen.root.locator(".ex-readout").inner_text()
    assert said.startswith(f"Character {len(TEXTS['few'])}, “y”.")


@pytest.mark.parametrize("width", [5, 11, 30, 100])
def test_lines_hold_the_whole_text_and_fit(page, width):
    text = TEXTS["a sentence"]
    rows = lines(text, width)
    assert "".join(words for _, words in rows) == text
    assert all(len(words) <= width and text[start:].startswith(words) for start, words in rows)
    there = page.evaluate("([t, w]) => explorables.kinds.reading.lines(t, w)", [text, width])
    assert [tuple(r) for r in there] == [(start, start + len(words)) for start, words in rows]


def test_values_that_do_not_fit_their_text_are_refused():
    with pytest.raises(ValueError, match=r"^values, notes, after: want sizes \(1, 1, 3\)"):
        Reading(
            "r",
            {"a": "abc"},
            {"a": np.zeros((1, 1, 2))},
            {"u": "unit 1"},
            ["s"],
            {"a": ["n"]},
            {"a": ["x"] * 3},
            title="",
            caption="",
        )
