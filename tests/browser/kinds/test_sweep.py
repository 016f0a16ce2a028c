"""Sweeps: what Python computed on the grid is what the figure holds and draws, and bad input is named."""

import itertools
import re

import numpy as np
import pytest

from companion.figures import Goal, Slider, Sweep
from companion.figures.base import LIMIT
from companion.figures.colors import COLORS

from ..drawn import assert_drawn, axes, curves
from ..figures import show

X = np.arange(5.0)
WORDS = {"title": "A title", "caption": "A caption", "xlabel": "x", "ylabel": "y", "say": lambda **at: f"At {at}."}


def example(name="a-sweep", curves=lambda k: {"y": k * X}, x=X, sliders=None, **options):
    sliders = sliders or {"k": Slider([1, 2, 3], start=2)}
    return Sweep(name, curves, x, sliders, **{**WORDS, **options})


def test_a_sweep_looks_up_what_python_computed():
    figure = example(curves=lambda k, m: {"y": k * X + m}, sliders={"k": [1, 2], "m": [0.0, 0.5, 1.0]})
    rows = figure.spec["data"]["curves"][0]["ys"]
    assert len(rows) == 6
    assert rows[1 * 3 + 2] == [1, 3, 5, 7, 9]


def test_without_words_a_sweep_names_the_values_of_its_sliders():
    figure = example(
        curves=lambda k, m: {"y": k * X + m}, sliders={"k": [1, 2], "m": Slider([0.5, 1], "shift m")}, say=None
    )
    assert figure.spec["data"]["say"][1] == "k: 1, shift m: 1"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "No Slug"}, "name: want a slug"),
        ({"x": [0.0, np.nan]}, "x: want finite"),
        ({"x": []}, "x: want shape"),
        ({"curves": lambda k: k * X}, "curves: want a dict of curves by name, got ndarray"),
        ({"curves": lambda k: {"y": X[:2]}}, "want 5 values for 'y'"),
        ({"sliders": dict.fromkeys("abcd", (1, 2))}, "number of sliders"),
        ({"roles": {"y": "banana"}}, "roles: want one of"),
        ({"sliders": {"layout": [1, 2]}, "curves": lambda layout: {"y": X}}, "names of their own"),
        ({"curves": lambda k: {"y": -X}, "logy": True}, "finite value above 0"),
        (
            {"goals": [Goal("do", lambda m: (False, ""))]},
            "want a judge of some of the controls ['k'], got one of ['m']",
        ),
        ({"goals": [Goal("do", lambda: (False, ""))]}, "want a judge of some of the controls"),
        ({"goals": [Goal("do it", lambda k: (k == 2, ""))]}, "can be reached, and not at the start: do it"),
        ({"goals": [Goal("do it", lambda k: (k == 4, ""))]}, "can be reached, and not at the start: do it"),
        ({"x": np.arange(LIMIT), "curves": lambda k: {"y": np.arange(LIMIT)}}, "at most 100 KB"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        example(**options)


# Curves of which none is another's at any place of the sliders, in whatever order one turns these.
def bundle(a, b, c):
    line = a * X + 10 * b + 100 * c
    return {"line": line, "square": line + X**2 - 7, "gone": np.where(X < 3, line - 40, np.nan)}


def bundled(**options):
    sliders = {"a": Slider([1, 2], texts=["one", "two"]), "b": [1, 2, 3, 4, 5], "c": Slider([0.0, 0.5, 1.0], start=0.5)}
    roles = {"square": "loss"}
    return example("bundle", bundle, sliders=sliders, roles=roles, say=lambda a, b, c: f"{a:g}/{b:g}/{c:g}", **options)


def places(figure):
    names = [c["name"] for c in figure.spec["controls"]]
    return [
        dict(zip(names, at, strict=True)) for at in itertools.product(*(c["values"] for c in figure.spec["controls"]))
    ]


@pytest.mark.parametrize("width", [900, 360])
def test_at_every_place_of_the_sliders_the_curves_drawn_are_those_of_the_function(page, width):
    made = bundled()
    figure, begin = show(page, made, width), made.state
    span = made.spec["data"]["ydomain"]
    for at in places(made):
        assert figure.put(**at) == "{a:g}/{b:g}/{c:g}".format(**at)
        ((x, y),) = axes(figure.root)
        named, ghosts = curves(figure.root)
        for name, ys in bundle(**at).items():
            assert_drawn(named[name], X, ys, x, y, span)
        former = [] if at == begin else list(bundle(**begin).values())
        assert len(ghosts) == len(former)
        for ghost, ys in zip(ghosts, former, strict=True):
            assert_drawn(ghost, X, ys, x, y, span)
        assert ("as the figure began" in figure.root.locator("svg").text_content()) == bool(former)


def test_on_a_logarithmic_axis_a_curve_is_cut_off_where_it_leaves_the_picture(page):
    decay = np.array([1.0, 1e-2, 1e-4, 1e-9, 0.0])
    made = example(curves=lambda k: {"y": k * decay}, logy=True, ylim=(1e-6, 10.0))
    figure = show(page, made)
    for k in (1, 2, 3):
        figure.put(k=k)
        ((x, y),) = axes(figure.root, log=[True])
        assert_drawn(curves(figure.root)[0]["y"], X, k * decay, x, y, (1e-6, 10))


def test_the_picture_for_print_draws_the_curves_of_every_place_too():
    made = bundled(ylim=(-50, 150))
    for at in places(made):
        for name, value in at.items():
            setattr(made, name, value)
        (ax,) = made.picture().axes
        assert (ax.get_yscale(), ax.get_ylim()) == ("linear", (-50, 150))
        assert ax.get_xlabel() == "x" and ax.get_ylabel() == "y"
        for line, (name, ys) in zip(ax.lines, bundle(**at).items(), strict=True):
            assert line.get_label() == name and line.get_color() == COLORS["loss" if name == "square" else "state"]
            np.testing.assert_allclose(line.get_ydata(), ys, rtol=1e-3)
        assert len({line.get_linestyle() for line in ax.lines}) == 3
    (ax,) = example(curves=lambda k: {"y": k + X}, logy=True).picture().axes
    assert ax.get_yscale() == "log"


def test_a_goal_is_judged_at_every_place_of_the_sliders(page):
    judges = [lambda c, a: (c + a == 2, f"c + a is {c + a:g}."), lambda b: (b > 3, f"b is 1e{b:g}.")]
    made = bundled(goals=[Goal(f"goal {k}.", judge) for k, judge in enumerate(judges)])
    figure = show(page, made)
    assert [f"Goal: goal {k}." in figure.root.inner_text() for k in (0, 1, 2)] == [True, True, False]
    for at in places(made):
        figure.put(**at)
        done, word = judges[0](at["c"], at["a"])
        assert figure.check(0) == (done, f"{'✓ Done.' if done else 'Not yet.'} {word}")
        done, _ = judges[1](at["b"])
        assert figure.check(1) == (done, f"{'✓ Done.' if done else 'Not yet.'} b is 10{'⁰¹²³⁴⁵'[at['b']]}.")
    figure.reset()
    assert figure.root.locator(".ex-verdict").all_inner_texts() == ["", ""]
