"""Playbacks: each step shows its column, scenes are chosen by name, and bad input is named."""

import itertools
import re
from typing import NamedTuple

import numpy as np
import pytest

from companion.figures import Goal, Panel, Playback, Scene

from ..drawn import Axis, curves, number
from ..figures import show


def example(panels=None, tokens="xyz", **options):
    panels = [Panel("p", np.eye(3), ["a", "b", "c"])] if panels is None else panels
    return Playback("a-playback", panels, list(tokens), title="T", caption="C", **options)


def test_scenes_are_chosen_by_name():
    scenes = {"one": Scene("ab", [Panel("p", np.ones((2, 2)))]), "two": Scene("abc", [Panel("p", np.zeros((2, 3)))])}
    figure = Playback("p", title="", caption="", scenes=scenes)
    figure.scene = "two"
    assert figure.state == {"scene": "two", "t": 1, "row": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"t": 4}, "t: want at most 3"),
        ({"say": ["one"]}, "want 3 sentences"),
        ({"panels": [Panel("p", np.eye(3))], "tokens": "xy"}, "want shape (rows, 2)"),
        ({"panels": []}, "at least one panel"),
        ({"panels": [Panel("p", np.eye(3), ["a"])]}, "want 3 row names"),
        ({"panels": [Panel("p", np.eye(3), low=1)]}, "low below high"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        example(**options)


RNG = np.random.default_rng(13)
NAMES = ["first", "second", "third"]
ONE = [
    Panel("share", RNG.uniform(0, 1, (3, 7)).round(3), NAMES),
    Panel("state", RNG.uniform(-2, 2, (3, 7)).round(3), NAMES, low=-2, high=2, role="state"),
    Panel("input", RNG.uniform(-9, 9, (2, 7)).round(3), ["up", "down"], low=-9, high=9, role="input"),
]
TWO = [Panel("bits", RNG.uniform(0, 8, (4, 5)).round(3), list("pqrs"), high=8, role="loss")]
CELLS = """root => [...root.querySelectorAll(".ex-frame")].map(frame => {
    const r = frame.getBBox();
    const look = c => [c.getBBox(), +c.getAttribute("fill-opacity"), c.classList[1]];
    return [...root.querySelectorAll(".ex-cell")].map(look)
        .filter(([b]) => b.y >= r.y - 1 && b.y < r.y + r.height - 1)
        .map(([b, strength, role]) => [b.x, b.y, b.width, b.height, strength, role]);
})"""
CURSOR = """root => { const b = root.querySelector(".ex-cursor").getBBox();
    return [b.x, b.x + b.width, b.y, b.y + b.height]; }"""
DOTS = "root => [...root.querySelectorAll('.ex-dot')].map(c => [+c.getAttribute('cx'), +c.getAttribute('cy')])"
WRITTEN = """root => [...root.querySelectorAll(".ex-beside text")].map(t => [t.textContent, +t.getAttribute("y")])"""
LIMITS = """root => [...root.querySelectorAll(".ex-beside text")].slice(-5)
    .map(t => [t.textContent, +t.getAttribute("y") - 4])"""


def played(**options):
    scenes = {
        "one": Scene("abcdefg", ONE, say=[f"Letter {k}." for k in range(1, 8)]),
        "two": Scene("vwxyz", TWO),
    }
    return Playback("played", title="T", caption="C", scenes=scenes, **options)


class Cell(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    strength: float
    role: str


def grids(figure, panels):
    """The drawn cells of each panel in the order of its values."""
    drawn = [sorted(map(Cell._make, cells), key=lambda c: (c.y, c.x)) for cells in figure.root.evaluate(CELLS)]
    assert [len(cells) for cells in drawn] == [panel.values.size for panel in panels]
    steps = panels[0].values.shape[1]
    return [[cells[i : i + steps] for i in range(0, len(cells), steps)] for cells in drawn]


@pytest.mark.parametrize("width", [900, 360])
@pytest.mark.parametrize(("scene", "panels"), [("one", ONE), ("two", TWO)])
def test_every_cell_has_the_strength_of_its_value_and_the_colour_of_its_sign(page, scene, panels, width):
    figure = show(page, played(), width)
    figure.put(scene=scene)
    for panel, rows in zip(panels, grids(figure, panels), strict=True):
        top = max(abs(panel.low), panel.high) if panel.low < 0 else panel.high
        for values, cells in zip(panel.values, rows, strict=True):
            np.testing.assert_allclose([c.strength for c in cells], np.abs(values) / top, atol=0.006)
            assert [c.role for c in cells] == [f"ex-{panel.role if v >= 0 else 'target'}" for v in values]
            assert all(b.x > a.x for a, b in itertools.pairwise(cells))


@pytest.mark.parametrize(("scene", "panels"), [("one", ONE), ("two", TWO)])
def test_each_row_has_its_whole_name_beside_it(page, scene, panels):
    figure = show(page, played())
    figure.put(scene=scene)
    rows = [cells[0] for panel in grids(figure, panels) for cells in panel]
    names = [name for panel in panels for name in panel.rows]
    written = figure.root.evaluate(WRITTEN)
    for name, cell in zip(names, rows, strict=True):
        beside = [y for words, y in written if words == name and 0 < y - (cell.y + cell.height / 2) < 8]
        assert len(beside) == 1, f"{name} is not written beside its row: {written}"


@pytest.mark.parametrize(("scene", "panels"), [("one", ONE), ("two", TWO)])
def test_at_every_step_the_cursor_frames_its_column_and_the_readout_tells_its_numbers(page, scene, panels):
    figure = show(page, played())
    figure.put(scene=scene)
    rows = grids(figure, panels)
    for t in range(1, panels[0].values.shape[1] + 1):
        said = figure.put(t=t, row=2)
        left, right, top, bottom = figure.root.evaluate(CURSOR)
        for panel in rows:
            cell = panel[0][t - 1]
            assert abs(left - cell.x) < 0.1 and abs(right - cell.x - cell.width) < 1.1
            assert top < cell.y < bottom
        wanted = [f"Letter {t}."] if scene == "one" else [f"Step {t} of 5."]
        wanted += [f"{p.label} {p.values[1, t - 1]:.3g}".replace("-", "−") for p in panels if p.label != "input"]
        assert all(words in said for words in wanted), f"{said!r} lacks one of {wanted}"
        assert f"{panels[0].rows[1]}:" in said and f"{panels[0].rows[0]}:" not in said
        assert "input" not in said, "the third panel has other rows, and none of them is meant"
        assert f"{t} / {panels[0].values.shape[1]}" in figure.root.locator(".ex-row output").first.inner_text()


def test_the_traced_row_is_a_line_in_every_panel_that_has_it_with_a_dot_at_the_step(page):
    figure, having = show(page, played()), ONE[:2]
    for row in (1, 2, 3):
        figure.put(t=4, row=row)
        (high, low) = sorted(
            ((number(text), y) for text, y in figure.root.evaluate(LIMITS) if text.strip("−").isdigit()), reverse=True
        )
        y = Axis.through([(str(v), pixel) for v, pixel in (high, low)])
        assert y.slope < 0, "the larger is not above the smaller"
        named, _ = curves(figure.root)
        assert list(named) == [panel.label for panel in having], "rows of the same number are not the same row"
        cells = grids(figure, ONE)
        columns = [c.x + c.width / 2 for c in cells[0][0]]
        lowest = cells[-1][-1][0].y + cells[-1][-1][0].height
        for panel, dot in zip(having, figure.root.evaluate(DOTS), strict=True):
            values = panel.values[row - 1]
            line = named[panel.label].points
            np.testing.assert_allclose(line[:, 0], columns, atol=0.5)
            assert line[:, 1].min() > lowest, "the line runs over the cells"
            np.testing.assert_allclose(y.value(line[:, 1]), values, atol=0.02)
            np.testing.assert_allclose(dot, line[3], atol=0.1)


@pytest.mark.parametrize("width", [900, 360])
def test_pressing_a_column_or_dragging_to_it_takes_the_cursor_there(page, width):
    figure = show(page, played(t=1), width)
    for t, cell in enumerate(grids(figure, ONE)[1][0], 1):
        figure.press(cell.x + cell.width / 2, cell.y + 3)
        assert figure.state()["t"] == t
    first, last = (grids(figure, ONE)[0][0][k] for k in (0, -1))
    figure.pull("t", first.x + 2, first.y + 3)
    assert figure.state()["t"] == 1
    figure.pull("t", last.x + 90, last.y + 3)
    assert figure.state()["t"] == 7


def test_the_picture_for_print_has_the_cursor_and_the_values_of_the_scene():
    figure = played()
    for scene, panels in (("one", ONE), ("two", TWO)):
        figure.scene = scene
        for t in (1, 5):
            figure.t = t
            for ax, panel in zip(figure.picture().axes, panels, strict=True):
                np.testing.assert_allclose(ax.images[0].get_array(), panel.values, atol=1e-3)
                assert ax.get_ylim()[0] > ax.get_ylim()[1] and list(ax.lines[0].get_xdata()) == [t - 1, t - 1]
                assert [label.get_text() for label in ax.get_yticklabels()] == list(panel.rows)


def test_a_goal_is_judged_by_scene_step_and_row(page):
    def judge(row, scene, t):
        return (scene, t, row) == ("two", 4, 3), f"{scene}, {t}, {row}."

    figure = show(page, played(goals=[Goal("find it.", judge)]))
    for scene, t, row in itertools.product(("one", "two"), (1, 3, 4, 5), (1, 3)):
        figure.put(scene=scene, t=t, row=row)
        done, word = judge(row, scene, t)
        assert figure.check() == (done, f"{'✓ Done.' if done else 'Not yet.'} {word}")
