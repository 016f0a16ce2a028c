"""Graphs: each step shows what its frames say, views are looked up by the controls, and bad input is named."""

import re
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex

from companion.figures import Choice, Edge, Frame, Goal, Graph, Node, Range, Trace, View, assets
from companion.figures.colors import COLORS
from companion.figures.kinds.graph import walk

from ..drawn import Curve, assert_drawn, axes, points
from ..figures import show

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
        (lambda: small(View([A], [], [Frame("", flows={"a>b": 1})])), "frame 0"),
        (lambda: small(View([A], [], [Frame("")], trace=Trace("", [1, 2, 3]))), "trace: want 2 numbers, got 3"),
        (lambda: small(View([A], [Edge("a", "a", role="banana")])), "role: want one of"),
        (lambda: small(View([Node("a", 0, 0, shape="star")], [])), "shape: want one of"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


# A view of three nodes in two rows with a copy of W twice, and one of one node; two ranges, to be told apart.
STEPS = [
    Frame("First.", {"x": "1.5"}),
    Frame("Then.", {"h": "−0.2", "x>h": "0.7"}, hot=["h"]),
    Frame("Back.", {}, {"h": "3e-7", "h>o": "0.25"}, ["h>o"]),
    Frame("Last.", {"o": "9"}, {"x": "2"}, ["o", "x"]),
]
TREE = View(
    [Node("x", 0, 0, "x", "input"), Node("h", 1, 0, "h"), Node("o", 1, 2, "o", "output", share="b")],
    [Edge("x", "h", "W", "W"), Edge("h", "o", "W", "W"), Edge("x", "o", "skip", curve=0.4)],
    STEPS,
    {"depth": 3},
)
NODES = """root => Object.fromEntries([...root.querySelectorAll("[data-node]")].map(g => {
    const [shape, name, value, grad] = g.children;
    return [g.dataset.node, { x: +shape.getAttribute("cx"), y: +shape.getAttribute("cy"), look: [...shape.classList],
        name: name.textContent, value: value.textContent, grad: grad.textContent }]; }))"""
EDGES = """root => Object.fromEntries([...root.querySelectorAll("[data-edge]")].map(g => {
    const path = g.querySelector("path.ex-reach"), far = path.getTotalLength();
    const [from, to] = [path.getPointAtLength(0), path.getPointAtLength(far)];
    const tip = g.querySelector(".ex-arrow").getCTM();
    return [g.dataset.edge, { from: [from.x, from.y], to: [to.x, to.y], tip: [tip.e, tip.f], look: [...g.classList],
        label: g.querySelector(".ex-weight").textContent, grad: g.querySelector(".ex-grad").textContent }]; }))"""
LOOP = """root => { const { x, y, width, height } = root.querySelector("[data-edge='a>a'] path").getBBox();
    return [x, y, width, height]; }"""
CIRCLES = "root => [...root.querySelectorAll('circle.ex-node')].map(c => [c.cx, c.r].map(v => v.baseVal.value))"


def stepped(**options):
    views = {(1, "deep"): TREE, (1, "flat"): View([A], []), (2, "deep"): View([A], [], [Frame("Alone.", {"a": "7"})])}
    views[(2, "flat")] = View([A], [], [Frame("Flat.", {"a": "8"})])
    controls = [Range("k", values=[1, 2]), Choice("way", ["deep", "flat"])]
    return Graph("stepped", views, controls, title="T", caption="C", **options)


@pytest.mark.parametrize("width", [900, 360])
def test_nodes_stand_in_their_places_and_arrows_lead_from_source_to_target(page, width):
    figure = show(page, stepped(), width)
    nodes, edges = figure.root.evaluate(NODES), figure.root.evaluate(EDGES)
    x, h, o = (nodes[name] for name in "xho")
    assert x["x"] < h["x"] == o["x"] and x["y"] == h["y"] > o["y"] + 100
    for e in TREE.edges:
        drawn = edges[f"{e.source}>{e.target}"]
        ends = [np.array([nodes[name]["x"], nodes[name]["y"]]) for name in (e.source, e.target)]
        assert np.linalg.norm(ends[0] - drawn["from"]) < 30 and np.linalg.norm(ends[1] - drawn["to"]) < 30
        assert np.linalg.norm(ends[1] - drawn["tip"]) < 30


def test_arrows_end_at_the_border_of_a_box_however_wide_it_is(page):
    at = {"left": (0, 0), "over": (2, 4), "aslant": (0, 2)}
    nodes = [Node("box", 2, 0, "a long label", shape="box"), *(Node(name, *spot) for name, spot in at.items())]
    figure = show(page, small(View(nodes, [Edge(name, "box") for name in at])))
    box = figure.root.evaluate(
        "r => { const b = r.querySelector('rect').getBBox(); return [b.x, b.y, b.x + b.width]; }"
    )
    tips = {name.split(">")[0]: edge["to"] for name, edge in figure.root.evaluate(EDGES).items()}
    assert box[2] - box[0] > 100
    assert tips["left"][0] == pytest.approx(box[0] - 5, abs=1) and tips["over"][1] == pytest.approx(box[1] - 5, abs=1)
    x, y = tips["aslant"]
    assert x < box[0] - 1 or y < box[1] - 1


def test_a_loop_leaves_its_node_above_and_comes_back_to_it_from_below(page):
    figure = show(page, small(View([A, Node("b", 1, 0)], [Edge("a", "a", "w"), Edge("a", "b")])))
    a, loop = figure.root.evaluate(NODES)["a"], figure.root.evaluate(EDGES)["a>a"]
    left, top, width, height = figure.root.evaluate(LOOP)
    assert top < a["y"] - 15 and top + height > a["y"] + 15 and left > a["x"] and left + width > a["x"] + 30
    assert loop["from"][1] < a["y"] < loop["to"][1]


@pytest.mark.parametrize("width", [900, 360])
def test_nodes_side_by_side_leave_room_for_an_arrow_between_them(page, width):
    nodes = [Node(f"h{t}", t, 0, share="h") for t in range(16)]
    figure = show(page, small(View(nodes, [Edge("h0", "h1")])), width)
    at = figure.root.evaluate(CIRCLES)
    assert len(at) == 16
    for (x, r), (after, _) in pairwise(sorted(at)):
        assert after - x > 2 * r + 14


def test_at_every_step_the_graph_shows_what_its_frames_have_put_there_and_lights_what_is_at_work(page):
    figure = show(page, stepped(light="W"))
    for step in range(len(STEPS) + 1):
        said = figure.put(step=step, light="none")
        values, grads, hot = {}, {}, set()
        for frame in STEPS[:step]:
            values, grads, hot = values | frame.values, grads | frame.grads, set(frame.hot)
        grads = {name: f"∇ {text}".replace("3e-7", "3×10⁻⁷") for name, text in grads.items()}
        assert said.startswith(STEPS[step - 1].say if step else "Nothing computed yet") and "depth: 3" in said
        drawn = {**figure.root.evaluate(NODES), **figure.root.evaluate(EDGES)}
        for name, look in drawn.items():
            node = "label" not in look
            assert ("ex-hot" in look["look"]) == (name in hot), f"step {step}, {name}"
            assert look["grad"] == grads.get(name, "")
            reached = name if node else name.split(">")[0]
            assert ("ex-off" in look["look"]) == (reached not in values and reached not in grads)
            if node:
                assert (look["value"], look["name"]) == (values.get(name, ""), name)
            else:
                label = {"x>h": "W", "h>o": "W", "x>o": "skip"}[name]
                assert look["label"] == " ".join(filter(None, [label, values.get(name, "")]))


def test_a_lit_parameter_lights_each_of_its_copies_and_nothing_else(page):
    figure = show(page, stepped())
    for light, copies in (("none", set()), ("W", {"x>h", "h>o"}), ("b", {"o"})):
        said = figure.put(light=light)
        drawn = {**figure.root.evaluate(NODES), **figure.root.evaluate(EDGES)}
        assert {name for name, look in drawn.items() if "ex-lit" in look["look"]} == copies
        assert ("used 2 times" in said, "stands here once" in said) == (light == "W", light == "b")


def test_each_place_of_the_controls_shows_its_own_view(page):
    figure = show(page, stepped())
    for k, way, said in ((1, "deep", "Last."), (2, "deep", "Alone."), (2, "flat", "Flat."), (1, "flat", "")):
        assert figure.put(k=k, way=way, step=4).startswith(said)
        assert set(figure.root.evaluate(NODES)) == ({*"xho"} if (k, way) == (1, "deep") else {"a"})


def test_a_goal_is_judged_by_view_step_and_light(page):
    def judge(way, light, step):
        return (way, light, step) == ("deep", "W", 2), f"{way}, {light}, {step}."

    figure = show(page, stepped(goals=[Goal("find it.", judge)]))
    for way, light, step in (("deep", "W", 2), ("deep", "W", 3), ("deep", "b", 2), ("flat", "W", 0)):
        figure.put(way=way, light=light, step=step)
        done, word = judge(way, light, step)
        assert figure.check() == (done, f"{'✓ Done.' if done else 'Not yet.'} {word}")


# Two nodes that fill and empty, two edges that carry more and less, and a number for each step.
FLOWS = [
    Frame("One.", {"a": ""}, fills={"a": 0.5, "b": -1}, flows={"a>b": 1.0, "b>a": -0.25}),
    Frame("Two.", fills={"a": 0.0}, flows={"a>b": 0.0}),
    Frame("Three.", flows={"b>a": 0.5}),
]
FLOWING = """root => {
    const edge = id => {
        const g = root.querySelector(`[data-edge="${id}"]`), style = getComputedStyle(g.querySelector(".ex-line"));
        return { ink: style.stroke, wide: parseFloat(style.strokeWidth), dashed: style.strokeDasharray !== "none",
            seen: +getComputedStyle(g).opacity, reach: getComputedStyle(g.querySelector(".ex-reach")).stroke };
    };
    const node = id => {
        const shape = root.querySelector(`[data-node="${id}"] circle`), looks = shape.classList;
        return [...["ex-full", "ex-below"].map(look => looks.contains(look)),
            parseFloat(shape.style.getPropertyValue("--full"))];
    };
    return { edges: { "a>b": edge("a>b"), "b>a": edge("b>a") }, nodes: { a: node("a"), b: node("b") } };
}"""


def flowing(values=(1.0, 10.0, 0.01, 3.0), logy=True):
    edges = [Edge("a", "b", curve=0.3, role="parameter"), Edge("b", "a", curve=0.3)]
    views = {
        (k,): View(
            [Node("a", 0, 0), Node("b", 2, 0)], edges, FLOWS, trace=Trace("size", k * np.array(values), logy=logy)
        )
        for k in (1, 10)
    }
    return Graph("flowing", views, [Range("k", values=[1, 10])], title="T", caption="C", step=0)


def test_nodes_are_as_full_and_edges_as_wide_as_the_frames_so_far_say(page):
    figure = show(page, flowing())
    page.add_style_tag(content=assets.style(["graph"]))
    plain = figure.root.evaluate(FLOWING)["edges"]
    assert plain["a>b"]["wide"] == plain["b>a"]["wide"] and plain["a>b"]["ink"] != plain["b>a"]["ink"]
    assert {edge["reach"] for edge in plain.values()} == {"rgba(0, 0, 0, 0)"}  # felt, not seen
    fills, flows = {}, {}
    for step, frame in enumerate(FLOWS, 1):
        figure.put(step=step)
        fills, flows = fills | frame.fills, flows | frame.flows
        seen = figure.root.evaluate(FLOWING)
        for name, full in fills.items():
            assert seen["nodes"][name] == [True, full < 0, pytest.approx(70 * abs(full), abs=0.5)]
        for name, flow in flows.items():
            drawn = seen["edges"][name]
            assert drawn["wide"] == pytest.approx(0.5 + 6 * abs(flow), abs=0.01) and drawn["dashed"] == (flow < 0)
            assert drawn["seen"] == pytest.approx(min(1, 0.25 + 1.5 * abs(flow)), abs=0.01)


@pytest.mark.parametrize(("logy", "width"), [(True, 900), (False, 360)])
def test_the_trace_beside_or_under_a_graph_is_the_curve_of_its_numbers_on_one_scale_with_a_dot_at_the_step(
    page, logy, width
):
    made = flowing(logy=logy)
    figure = show(page, made, width)
    for k in (1, 10):
        values = k * np.array([1.0, 10.0, 0.01, 3.0])
        for step in range(4):
            figure.put(k=k, step=step)
            ((x, y),) = axes(figure.root, log=[logy])
            drawn = figure.root.evaluate("r => r.querySelector('path.ex-curve').getAttribute('d')")
            assert_drawn(Curve(points(drawn), frozenset(), None), np.arange(4), values, x, y, (0.01, 100))
            dot = figure.root.evaluate("r => ['cx', 'cy'].map(a => +r.querySelector('.ex-dot').getAttribute(a))")
            np.testing.assert_allclose(dot, [x.pixel(step), y.pixel(values[step])], atol=0.8)


def test_the_picture_for_print_has_the_fills_the_flows_and_the_trace_of_the_step():
    made = flowing()
    made.step, made.k = 1, 10
    graph, below = made.picture().axes
    line = below.lines[0]
    np.testing.assert_allclose(line.get_ydata(), [10, 100, 0.1, 30])
    assert (below.get_yscale(), below.lines[1].get_xdata()[0], below.lines[1].get_ydata()[0]) == ("log", 1, 100)
    ahead, back = (text.arrow_patch for text in graph.texts if hasattr(text, "arrow_patch"))
    assert ahead.get_linewidth() > 3 > back.get_linewidth() and back.get_linestyle() == "--"
    assert to_hex(ahead.get_edgecolor()).upper() == COLORS["parameter"]
    grounds = [to_hex(text.get_bbox_patch().get_facecolor()) for text in graph.texts if text.get_bbox_patch()]
    assert len(set(grounds)) == 2


MARKS = """root => Object.fromEntries([...root.querySelectorAll("[data-node], [data-edge]")].flatMap(g => {
    const line = g.dataset.node ? g.querySelector(".ex-node") : g.querySelector("path:not(.ex-arrow)");
    const marked = g.dataset.node ? line : g;
    if (!marked.classList.contains("ex-mark")) return [];
    return [[g.dataset.node ?? g.dataset.edge, getComputedStyle(line).stroke]]; }))"""


def rgb(color):
    return f"rgb({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_what_a_frame_marks_keeps_the_colour_of_its_role_until_the_frame_is_taken_back(page):
    way = [Frame("a", {"x": "1"}), Frame("b", marks={"x>h": "loss", "h": "loss"}), Frame("c", marks={"h": "gradient"})]
    view = View([Node("x", 0, 0, "x", "input"), Node("h", 1, 0, "h")], [Edge("x", "h")], way)
    figure = show(page, small(view))
    page.add_style_tag(content=assets.style(["graph"]))
    loss, gradient = rgb(COLORS["loss"]), rgb(COLORS["gradient"])
    for step, marks in enumerate(({}, {}, {"x>h": loss, "h": loss}, {"x>h": loss, "h": gradient})):
        figure.put(step=step)
        assert figure.root.evaluate(MARKS) == marks
    with pytest.raises(ValueError, match="marks: want one of"):
        small(View([A], [], [Frame("", marks={"a": "banana"})]))


def test_a_small_picture_shows_its_grey_values_and_pressing_it_sets_controls(page):
    pictures = [[[0, 1], [0.5, 0]], [[1, 1], [1, 0.25]]]
    nodes = [Node(f"p{i}", i, 0, image=v, press={"which": i}) for i, v in enumerate(pictures)]
    views = {(i,): View(nodes, [], [Frame(f"This is {i}.", {f"p{i}": "x"})]) for i in (0, 1)}
    figure = show(page, Graph("g", views, [Choice("which", [0, 1])], title="", caption=""))
    assert figure.state()["which"] == 0
    for i, dots in ((1, 4), (0, 2)):
        node = page.locator(f'[data-node="p{i}"]')
        box = node.locator(".ex-node").bounding_box()
        seen = node.locator(".ex-pixel").evaluate_all(
            "all => all.map(e => [e.getBoundingClientRect(), +e.getAttribute('fill-opacity')])"
        )
        assert len(seen) == dots
        for pixel, grey in seen:
            column, row = (
                round((pixel[side] - box[side]) / (box[size] / 2)) for side, size in (("x", "width"), ("y", "height"))
            )
            assert abs(pictures[i][row][column] - grey) < 0.06
        node.click()
        assert figure.look().endswith(f"This is {i}.") and figure.state()["which"] == i


def test_views_with_the_same_lists_of_nodes_and_edges_are_stored_as_one_drawing(page):
    nodes, edges = TREE.nodes, TREE.edges
    views = {(k,): View(nodes, edges, [Frame(f"Say {k}.", {"x": str(k)})], {"k": k}) for k in (1, 2, 3)}
    made = Graph("g", views, [Range("k", values=[1, 2, 3])], title="", caption="")
    stored = made.spec["data"]["views"]
    assert [("nodes" in v, v.get("like")) for v in stored.values()] == [(True, None), (False, "1"), (False, "1")]
    figure = show(page, made)
    for k in (3, 1, 2):
        assert figure.put(k=k).startswith(f"Say {k}.")
        assert figure.root.evaluate(NODES)["x"]["value"] == str(k)
    made.k = 3
    assert made.png().startswith(b"\x89PNG")


LADDER = View(
    [Node(f"{row}{t}", t, "ab".index(row), f"{row}{t}") for t in range(4) for row in "ab"],
    [
        *(Edge(f"{row}{t}", f"{row}{t + 1}") for t in range(3) for row in "ab"),
        *(Edge(f"a{t}", f"b{t}") for t in range(4)),
        Edge("a0", "b3", curve=0.3, id="jump"),
    ],
)


def all_paths(edges, source, target):
    """Every path between two nodes, written out."""
    if source == target:
        return [[]]
    return [[e, *rest] for e in edges if e.source == source for rest in all_paths(edges, e.target, target)]


def test_between_any_two_nodes_the_shortest_path_is_walked_and_all_paths_are_counted(page):
    made = Graph("walk", {(): LADDER}, title="", caption="", between=("a0", "b3"))
    figure, names = show(page, made), [n.id for n in LADDER.nodes]
    assert figure.state() == {"source": "a0", "target": "b3", "step": 2} and made.step == 2
    for source in names:
        for target in names:
            paths = sorted(all_paths(LADDER.edges, source, target), key=len)
            said = figure.put(source=source, target=target, step=len(names))
            drawn, values = figure.root.evaluate(MARKS), figure.root.evaluate(NODES)
            lit = {name for name in drawn if name not in names}
            frames = walk(LADDER, source, target)
            if not paths:
                assert said == f"No path leads from {source} to {target}." and not drawn and not frames
                continue
            least, most = len(paths[0]), len(paths[-1])
            assert f"shortest path: {least} · longest: {most} · paths: {len(paths)}" in said
            steps = [{e.id or f"{e.source}>{e.target}" for e in path} for path in paths if len(path) == least]
            assert lit in steps and len(frames) == least + 1
            along = {name: int(look["value"]) for name, look in values.items() if look["value"]}
            assert sorted(along.values()) == list(range(least + 1)) and (along[source], along[target]) == (0, least)
            assert set(drawn) - lit == set(along)
            assert figure.put(step=1).startswith(f"Start at {source}.")
    made.source, made.target = "a1", "b2"
    assert made.png().startswith(b"\x89PNG")


def test_pressing_two_nodes_picks_where_to_walk(page):
    views = {("up",): LADDER, ("flat",): View(*(LADDER.nodes[::2], LADDER.edges[:3:2]))}
    figure = show(page, Graph("walk", views, [Choice("k", ["up", "flat"])], title="", caption="", between=("a0", "b3")))
    for source, target in (("a1", "b2"), ("a0", "b1")):
        for name in (source, target):
            at = figure.root.evaluate(NODES)[name]
            figure.press(at["x"], at["y"])
        assert (figure.state()["source"], figure.state()["target"]) == (source, target)
        assert figure.put(step=9).startswith(f"Arrow {figure.state()['step'] - 1} leads to {target}.")
    assert "This graph has no b1" in figure.put(k="flat")


def test_the_value_of_a_node_without_a_label_stands_inside_it_and_takes_no_room_below(page):
    def figure(label):
        nodes = [Node("low", 0, 0, label), Node("high", 0, 1, label)]
        return small(View(nodes, [], [Frame("One.", {"high": "7"}), Frame("Both.", {"low": "8"})]))

    inside = show(page, figure(""))
    for step, written in ((0, ("", "")), (1, ("", "7")), (2, ("8", "7"))):
        inside.put(step=step)
        nodes = inside.root.evaluate(NODES)
        assert tuple(nodes[k]["name"] for k in ("low", "high")) == written
        assert [node["value"] for node in nodes.values()] == ["", ""]
    near = nodes["low"]["y"] - nodes["high"]["y"]
    nodes = show(page, figure("h")).root.evaluate(NODES)
    assert [(nodes[k]["name"], nodes[k]["value"]) for k in ("low", "high")] == [("h", "8"), ("h", "7")]
    assert nodes["low"]["y"] - nodes["high"]["y"] > near + 40


def test_on_a_narrow_screen_what_happens_is_kept_in_sight(page):
    nodes = [Node(f"h{t}", t, 0, f"h{t}") for t in range(12)]
    frames = [Frame(f"Step {t}.", {f"h{t}": str(t)}, hot=[f"h{t}"]) for t in range(12)]
    figure = show(page, small(View(nodes, [], frames)), 360)
    page.add_style_tag(content=assets.style(["graph"]))  # the stage scrolls
    stage = figure.root.locator(".ex-stage")
    for step in (12, 1, 7, 2):
        figure.put(step=step)
        left, width = stage.evaluate("e => [e.scrollLeft, e.clientWidth]")
        at = figure.root.evaluate(NODES)[f"h{step - 1}"]["x"]
        assert left + 20 <= at <= left + width - 20, f"step {step}"


def test_a_step_looks_the_same_whichever_way_it_is_reached(page):
    way = [
        Frame("a", {"x": "1"}, fills={"x": 0.5}, flows={"x>h": 0.4}),
        Frame("b", {"h": "2"}, marks={"x>h": "loss"}, flows={"x>h": -0.2}),
        Frame("c", marks={"h": "gradient", "x>h": "gradient"}, fills={"h": -1}),
    ]
    view = View([Node("x", 0, 0, "x", "input"), Node("h", 1, 0, "h")], [Edge("x", "h", role="input")], way)
    figure, seen = show(page, small(view)), {}
    for step in (3, 0, 1, 2, 3, 1, 0, 2):
        figure.put(step=step)
        assert seen.setdefault(step, figure.look()) == figure.look()
    assert len(set(seen.values())) == 4
