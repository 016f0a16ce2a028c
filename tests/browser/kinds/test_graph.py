"""Graphs: views are looked up by the controls' values, and bad input is named."""

import re

import pytest

from companion.figures import Choice, Edge, Frame, Graph, Node, Range, View

A = Node("a", 0, 0)


def example(**options):
    view = View(
        [Node("h0", 0, 0, "h⁽⁰⁾"), Node("h1", 1, 0, "h⁽¹⁾")],
        [Edge("h0", "h1", "W", "W")],
        [Frame("Start.", {"h0": "1"}), Frame("Step.", {"h1": "2"}, {"h0>h1": "3"}, ["h1"])],
        {"nodes": 2},
    )
    views = {(1,): View([A], [], [Frame("Alone.", {"a": "7"})]), (2,): view}
    controls = [Range("tau", 1, 2, start=2)]
    return Graph("a-graph", views, controls, title="T", caption="C", **options)


def small(view, controls=(), at=()):
    return Graph("g", {at: view}, controls, title="", caption="")


def test_views_are_keyed_as_the_page_joins_their_values():
    view = View([A], [], [Frame("One.", {"a": "1"})])
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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: example(step=9), "step: want at most 2"),
        (lambda: small(View([A], []), [Choice("v", [2])], (1,)), "view for the start"),
        (lambda: small(View([A], [Edge("a", "b")])), "edges between nodes"),
        (lambda: small(View([A], [], [Frame("", {"z": "1"})])), "frame 0"),
        (lambda: small(View([Node("a", 0, 0, shape="star")], [])), "shape: want one of"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()
