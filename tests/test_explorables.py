"""The Python side of the interactive figures; the browser side is tested in `tests/browser`."""

import gzip
import json
import re

import numpy as np
import pytest
import traitlets
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.figures import (
    Choice,
    Cliff,
    Edge,
    Eigenvalues,
    Explorable,
    Frame,
    Gates,
    Graph,
    Node,
    Panel,
    Playback,
    Range,
    Scene,
    Slider,
    Sweep,
    View,
)
from companion.figures.base import HERE, LIMIT, SCRIPTS, compact

from .conftest import ROOT

X = np.arange(5.0)
WORDS = {"title": "A title", "caption": "A caption", "xlabel": "x", "ylabel": "y"}


def sweep(name="a-sweep", curves=lambda k: {"y": k * X}, x=X, sliders=None, **options):
    return Sweep(name, curves, x, sliders or {"k": Slider([1, 2, 3], start=2)}, **{**WORDS, **options})


def graph(**options):
    view = View(
        [Node("h0", 0, 0, "h⁽⁰⁾"), Node("h1", 1, 0, "h⁽¹⁾")],
        [Edge("h0", "h1", "W", "W")],
        [Frame("Start.", {"h0": "1"}), Frame("Step.", {"h1": "2"}, {"h0>h1": "3"}, ["h1"])],
        {"nodes": 2},
    )
    return Graph("a-graph", {(1,): view, (2,): view}, [Range("tau", 1, 2)], title="T", caption="C", **options)


def playback(**options):
    return Playback(
        "a-playback", [Panel("p", np.eye(3), ["a", "b", "c"])], list("xyz"), title="T", caption="C", **options
    )


EVERY = [sweep, graph, playback, Eigenvalues, Gates, Cliff]


def specification(figure):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure.html()).group(1))


@pytest.mark.parametrize("make", EVERY)
def test_a_cell_output_holds_the_page_the_picture_and_a_text_without_address(make):
    data, _ = make()._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/html"].startswith('<figure class="explorable"')
    assert "0x" not in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize("make", EVERY)
def test_the_page_begins_in_the_state_that_the_figure_had_when_it_was_shown(make):
    figure = make()
    control = specification(figure)["controls"][0]
    other = (control.get("options") or control.get("values") or [control.get("min"), control.get("max")])[-1]
    setattr(figure, control["name"], other)
    spec = specification(figure)
    assert spec["state"][control["name"]] == other
    assert spec["start"][control["name"]] != other
    figure.reset()
    assert specification(figure)["state"] == spec["start"]


def test_markup_in_a_caption_cannot_break_out_of_the_page():
    figure = sweep(caption="</script><b>&", say=lambda k: "<i>")
    assert figure.html().count("</script>") == 1
    assert specification(figure)["caption"] == "</script><b>&"


def test_a_trait_out_of_range_is_refused_and_nothing_changes():
    figure = Eigenvalues(rho=0.9)
    with pytest.raises(traitlets.TraitError, match="rho"):
        figure.rho = 7
    assert figure.rho == 0.9


def test_a_sweep_looks_up_what_python_computed():
    figure = sweep(curves=lambda k, m: {"y": k * X + m}, sliders={"k": [1, 2], "m": [0.0, 0.5, 1.0]})
    rows = figure.spec["data"]["curves"][0]["ys"]
    assert len(rows) == 6
    assert rows[1 * 3 + 2] == [1, 3, 5, 7, 9]


@given(st.floats(-1e6, 1e6))
@settings(max_examples=50, deadline=None)
def test_numbers_in_the_page_are_right_to_four_digits(value):
    assert compact(value) == pytest.approx(value, rel=5e-4)


def test_what_is_not_finite_becomes_a_gap():
    assert compact([np.nan, np.inf, np.float64(1.5), np.int64(3)]) == [None, None, 1.5, 3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sweep(name="No Slug"), "name: want a slug"),
        (lambda: sweep(x=[0.0, np.nan]), "x: want finite"),
        (lambda: sweep(x=[]), "x: want shape"),
        (lambda: sweep(curves=lambda k: {"y": X[:2]}), "want 5 values for 'y'"),
        (lambda: sweep(sliders=dict.fromkeys("abcd", (1, 2))), "number of sliders"),
        (lambda: sweep(roles={"y": "banana"}), "roles: want one of"),
        (lambda: sweep(sliders={"layout": [1, 2]}, curves=lambda layout: {"y": X}), "names of their own"),
        (lambda: sweep(curves=lambda k: {"y": -X}, logy=True), "finite value above 0"),
        (lambda: sweep(x=np.arange(LIMIT), curves=lambda k: {"y": np.arange(LIMIT)}), "at most 100 KB"),
        (lambda: graph(step=9), "step: want at most 2"),
        (
            lambda: Graph("g", {(1,): View([Node("a", 0, 0)], [])}, [Choice("v", [2])], title="", caption=""),
            "view for the start",
        ),
        (
            lambda: Graph("g", {(): View([Node("a", 0, 0)], [Edge("a", "b")])}, title="", caption=""),
            "edges between nodes",
        ),
        (
            lambda: Graph("g", {(): View([Node("a", 0, 0)], [], [Frame("", {"z": "1"})])}, title="", caption=""),
            "frame 0",
        ),
        (
            lambda: Graph("g", {(): View([Node("a", 0, 0, shape="star")], [])}, title="", caption=""),
            "shape: want one of",
        ),
        (lambda: playback(t=4), "t: want at most 3"),
        (lambda: playback(say=["one"]), "want 3 sentences"),
        (lambda: Playback("p", [Panel("p", np.eye(3))], list("xy"), title="", caption=""), "want shape (rows, 2)"),
        (lambda: Playback("p", [], list("xy"), title="", caption=""), "at least one panel"),
        (lambda: Playback("p", [Panel("p", np.eye(2), ["a"])], list("xy"), title="", caption=""), "want 2 row names"),
        (lambda: Playback("p", [Panel("p", np.eye(2), low=1)], list("xy"), title="", caption=""), "low below high"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_scenes_are_chosen_by_name():
    scenes = {"one": Scene("ab", [Panel("p", np.ones((2, 2)))]), "two": Scene("abc", [Panel("p", np.zeros((2, 3)))])}
    figure = Playback("p", title="", caption="", scenes=scenes)
    figure.scene = "two"
    assert figure.state == {"scene": "two", "t": 1, "row": 1}


def test_views_are_keyed_as_the_page_joins_their_values():
    view = View([Node("a", 0, 0)], [], [Frame("One.", {"a": "1"})])
    figure = Graph(
        "g",
        {(w, "x"): view for w in (0.5, 1.0)},
        [Range("w", values=[0.5, 1.0]), Choice("c", ["x"])],
        title="",
        caption="",
    )
    assert list(figure.spec["data"]["views"]) == ["0.5|x", "1|x"]  # JavaScript writes 1.0 as 1
    figure.w = 1.0
    assert figure.png().startswith(b"\x89PNG")


def test_page_and_notebook_run_the_same_text():
    listed = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]["html_js_files"]
    assert [f for f in listed if f != "page.js"] == list(SCRIPTS)
    assert all((HERE / "js" / f).read_text("utf-8") in Explorable._esm for f in SCRIPTS)


def test_all_kinds_together_stay_under_40_kilobytes():
    files = [HERE / "js" / f for f in (*SCRIPTS, "page.js")] + [HERE / "explorables.css"]
    assert len(gzip.compress(b"".join(f.read_bytes() for f in files))) < 40_000
