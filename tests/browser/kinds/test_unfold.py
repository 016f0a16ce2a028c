"""One unit, opened and folded: what is computed and what is drawn is what `companion.unfolding.unit` says."""

import re

import numpy as np
import pytest

from companion.figures import Unfold, assets
from companion.unfolding.graphs import RECURRENT, copies, depth, unfold
from companion.unfolding.unit import Unit, read_sequence, unit_run

from ..figures import assert_close, show

example = Unfold
RNG = np.random.default_rng(101)
START = Unit(0.9, 0.6, 0.0, 1.0)
HALF, PANEL, TOP = 28, 40, 292  # of a tank, and of the panel of parts, in pixels, and where that begins
TYPED = [
    *("unfold", "Ärger", "où est-ce ?", "ΩΨ", "y", "  ", "1 0 0 -1", "−2,.5;3", "1.", "+1 -7", "naïve 2", "1 two"),
    *("abcdefghijklmnopq", " ".join("1" * 20), "été" * 5, "5\t-0.5", "你好", "e\u0301a", "ß-İ", "1 ,"),
    *("1.5 -0.25 2", "13 27.75", "4.8 -6.4"),
]
DRAWN = [
    (Unit(*RNG.uniform([-3, -2, -2, -2], [3, 2, 2, 2]).round(2)), RNG.normal(size=RNG.integers(1, 13)))
    for _ in range(60)
]
STATES = [
    {},
    {"text": "recurrence", "w": -1.35, "u": -0.6, "b": 0.35, "v": 1.5},
    {"text": "1 0.5 0 -1 2", "w": 2.0, "v": -0.7, "light": "u"},
    {"text": "ax", "b": -0.4, "light": "b"},
    {"text": "sky", "light": "v"},
]
FRAME = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
READ = """() => {
    const root = document.querySelector("figure.explorable"), all = (q) => [...root.querySelectorAll(q)];
    const n = (e, ...names) => names.map((k) => +e.getAttribute(k));
    return {
        tanks: all(".un-tank").map((e) => n(e, "x", "y", "height")),
        fills: all(".un-fill").map((e) => n(e, "data-h", "x", "y", "height")),
        zero: all(".un-zero").map((e) => n(e, "x1", "y1")),
        wires: all(".un-wire").map((e) => ({
            name: e.parentNode.dataset.share, d: e.getAttribute("d").match(/-?[0-9.]+/g).map(Number),
            width: +e.getAttribute("stroke-width"), dashed: e.hasAttribute("stroke-dasharray"),
            lit: e.classList.contains("ex-lit"),
        })),
        pills: all("[data-handle]").map((e) => [e.dataset.handle, e.dataset.share, e.classList.contains("ex-lit"),
            e.textContent, ...n(e.querySelector("rect"), "x", "y", "width")]),
        parts: all("[data-part]").map((e) => n(e, "data-part", "x", "y", "width", "height")),
        sum: all(".un-sum").map((e) => n(e, "y", "height")),
        grads: all(".un-grad").map((e) => [+e.getAttribute("x"), e.textContent]),
        texts: all("svg text").map((e) => [e.textContent, ...n(e, "x", "y")]),
        flows: all(".un-back").length, delays: all(".un-delay").map((e) => +e.getAttribute("opacity")),
        say: root.querySelector(".ex-readout").textContent,
    };
}"""


# Of each wire: where its arrow stands, where it ends, and both directions in degrees.
ARROWS = """() => [...document.querySelectorAll(".un-arrow")].map(arrow => {
    const [x, y, turn] = arrow.getAttribute("transform").match(/-?[0-9.]+/g).map(Number);
    const wire = arrow.previousElementSibling, far = wire.getTotalLength();
    const [a, b] = [wire.getPointAtLength(far - 0.5), wire.getPointAtLength(far)];
    return [[x, y], [b.x, b.y], turn, Math.atan2(b.y - a.y, b.x - a.x) * 180 / Math.PI]; })"""


def set_state(page, **state):
    page.evaluate(
        "s => { const [v] = explorables.mounted; Object.entries(s).forEach(([k, x]) => v.set(k, x)); }", state
    )
    page.evaluate(FRAME)


def drawn(page, **state):
    set_state(page, **state)
    return page.evaluate(READ)


def shown(page, width=900, **state):
    """Mount a figure in that state; the reference's run of it, and what is drawn."""
    page.evaluate("() => explorables.mounted.clear()")
    page.set_viewport_size({"width": 1280, "height": 900})
    figure = Unfold(**state)
    show(page, figure, width)
    _, x = read_sequence(figure.text)
    p = Unit(**{k: state.get(k, value) for k, value in START._asdict().items()})
    return unit_run(p, x), x, drawn(page)


def short(value):
    """The number as it stands on a node."""
    if value == 0 or abs(value) >= 0.005:
        return f"{value:.2f}".replace("-", "−")
    return None


def test_the_page_reads_what_the_reference_reads(page):
    there = page.evaluate("texts => texts.map(explorables.kinds.unfold.read)", TYPED)
    for text, found in zip(TYPED, there, strict=True):
        signs, x = read_sequence(text)
        assert (found["signs"], found["x"]) == (signs, x.tolist()), text


def test_the_page_computes_what_the_reference_computes(page):
    fixed = [(Unit(*p), np.array(x)) for p in ((0.9, 0.6, 0, 1), (-3, 2, -1, 0)) for x in ([1.0], [0.0, 1, -1, 2])]
    for p, x in [*fixed, *DRAWN]:
        there = page.evaluate("([p, x]) => explorables.kinds.unfold.compute(p, x)", [p._asdict(), x.tolist()])
        here = unit_run(p, x)
        for field in ("a", "h", "o", "loss", "grad_a", "grad_h"):
            assert_close(there[field], getattr(here, field))
        for name in Unit._fields:
            assert_close(there["parts"][name], getattr(here.parts, name))


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_open_graph_draws_every_state_where_it_belongs(page, state):
    run, x, seen = shown(page, **state)
    tau = len(x)
    columns = sorted(tank[0] + 17 for tank in seen["tanks"])
    np.testing.assert_allclose(np.diff(columns), np.diff(columns)[0], atol=0.05)
    assert len(columns) == tau + 1
    for t, left, y, height in seen["fills"]:
        assert left + 16 == pytest.approx(columns[int(t)], abs=0.05)
        middle = next(tank[1] + 1 + HALF for tank in seen["tanks"] if abs(tank[0] + 17 - columns[int(t)]) < 1)
        h = run.h[int(t)]
        assert height == pytest.approx(HALF * abs(h), abs=0.02)
        assert y == pytest.approx(middle - HALF * max(h, 0), abs=0.02), "up is positive"
    assert sorted(fill[0] for fill in seen["fills"]) == list(range(tau + 1))
    for t in range(1, tau + 1):
        at = {said for said, px, _ in seen["texts"] if abs(px - columns[t]) < 0.1}
        wanted = {short(run.h[t]), short(run.a[t - 1])} - {None}
        assert wanted <= at, f"t = {t}: {at}"
    top = {said for said, _, py in seen["texts"] if py < 30}
    assert {f"o {short(run.o)}", f"L {short(run.loss)}"} <= top


@pytest.mark.parametrize("state", STATES, ids=str)
def test_there_is_a_copy_of_each_parameter_wherever_the_graph_reads_it(page, state):
    _, x, seen = shown(page, **state)
    p, graph = Unfold(**state).state, unfold(RECURRENT, len(x))
    columns = sorted(tank[0] + 17 for tank in seen["tanks"])
    for name in ("b", "w", "u"):
        wires = [w for w in seen["wires"] if w["name"] == name]
        pills = [pill for pill in seen["pills"] if pill[1] == name]
        assert len(wires) == len(pills) == len(copies(graph, "W" if name == "w" else "U" if name == "u" else "b"))
        for wire in wires:
            assert wire["width"] == pytest.approx(1.2 + 1.3 * abs(p[name]), abs=0.01)
            assert wire["dashed"] == (p[name] < 0)
            assert wire["lit"] == (p["light"] == name)
        assert all(pill[2] == (p["light"] == name) for pill in pills)
    steps = sorted((w["d"] for w in seen["wires"] if w["name"] == "w"), key=lambda d: d[0])
    for t, d in enumerate(steps, start=1):
        assert columns[t - 1] < d[0] < columns[t - 1] + 20, "it leaves the state before"
        assert columns[t] - 20 < d[-2] < columns[t], "and enters this step"
    assert f"{len(graph.nodes) + 2} nodes, longest path {depth(graph) + 2}" in seen["say"], "o and L are two more"


@pytest.mark.parametrize("state", STATES, ids=str)
def test_arrows_stand_at_the_ends_of_their_wires_and_point_along_them(page, state):
    shown(page, **state)
    arrows = page.evaluate(ARROWS)
    assert len(arrows) > 5
    for tip, end, turn, along in arrows:
        np.testing.assert_allclose(tip, end, atol=0.1)
        assert abs((turn - along + 180) % 360 - 180) < 15, "it points elsewhere"


@pytest.mark.parametrize("opened", [0, 34, 50, 76, 100])
def test_opening_takes_one_copy_after_the_other_out_of_the_loop(page, opened):
    _, x, seen = shown(page, opened=opened, step=13)
    tau, q = len(x), opened / 100 * 6
    where = [1 + min(max(q - 1, 0), t - 1) for t in range(1, tau + 1)]
    columns = sorted({round(tank[0] + 17, 1) for tank in seen["tanks"] if tank[2] > 50})
    born = [0.0] if q >= 1 else []
    wanted = sorted({*born, *where})
    assert len(columns) == len(wanted)
    if len(columns) > 1:
        gap = (columns[-1] - columns[0]) / (wanted[-1] - wanted[0])
        np.testing.assert_allclose(columns, columns[0] + gap * np.array(wanted), atol=0.3)
    loops = [w["d"] for w in seen["wires"] if w["name"] == "w" and w["d"][-2] > columns[-1]]
    assert (len(loops) > 0) == (opened < 100), "a loop is left as long as steps are in it"
    assert (max(seen["delays"], default=0) == 1) == (q <= tau - 1), "and a delay stands on it"
    first = max(1, int(np.ceil(q - 1e-9)))
    drawn_steps = [t for t, *_ in seen["fills"]]
    assert [t for t in drawn_steps if t] == [*range(1, first), max(first, 1)], "the machine stands at the present step"


def test_opening_is_one_continuous_movement(page):
    shown(page, text="unfolded", step=9)
    before = None
    for opened in range(0, 101, 2):
        seen = drawn(page, opened=opened)
        spots = sorted(tank[0] for tank in seen["tanks"] if tank[2] > 50)
        if before:
            for spot in before:
                assert min(abs(spot - now) for now in spots) < 30, f"a state jumps at {opened} %"
        before = spots


@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("opened", [0, 60, 100])
def test_the_parts_of_the_gradient_add_up_to_it_and_folded_lie_on_one_another(page, state, opened):
    run, x, _ = shown(page, **{**state, "opened": opened})
    tau, light = len(x), state.get("light", "w")
    part = getattr(run.parts, light)
    reached = [part[t:].sum() for t in range(tau + 1)]  # reached[t − 1]: the parts of t … τ
    low, high = min(0, *reached), max(0, *reached)
    px = PANEL / (high - low)
    for step in range(tau + 1, 2 * tau + 2):
        seen, back = drawn(page, step=step), 2 * tau + 2 - step
        assert sorted(p[0] for p in seen["parts"]) == list(range(back, tau + 1))
        for t, _, y, _, height in seen["parts"]:
            a, b = sorted((reached[int(t)], reached[int(t) - 1]))
            assert height == pytest.approx(max(1, px * (b - a)), abs=0.02)
            assert y - TOP == pytest.approx(px * (high - b), abs=0.02)
        if back <= tau:
            total, (top, height) = reached[back - 1], seen["sum"][0]
            assert height == pytest.approx(max(1, px * abs(total)), abs=0.02)
            assert top - TOP == pytest.approx(px * (high - max(0, total)), abs=0.02)
            if short(total):
                assert any(f"∂L/∂{light} = {short(total)}" in said for said, *_ in seen["texts"])
                assert short(total) in seen["say"]
        if opened == 100:
            assert seen["flows"] == (0 if back > tau else 1 + 2 * (tau - back + 1))
            columns = sorted(tank[0] + 17 for tank in seen["tanks"])
            wanted = [*range(back, tau + 1)] + ([0] if back == 1 else [])
            for t in wanted:
                label = next(said for at, said in seen["grads"] if abs(at - columns[t]) < 0.1)
                if short(run.grad_h[t]):
                    assert label.removeprefix("∇ ") == short(run.grad_h[t])
            assert len(seen["grads"]) == (len(wanted) if back <= tau else 0)
        if opened == 0:
            assert len({p[1] for p in seen["parts"]}) <= 1, "folded, all parts stand in one column"


@pytest.mark.parametrize(("text", "step", "wanted"), [("unfold", 3, "a⁽³⁾"), ("1 -0.5 2", 2, "a⁽²⁾")])
def test_the_readout_of_a_step_is_the_equation_with_its_numbers(page, text, step, wanted):
    run, x, seen = shown(page, text=text, step=step, b=0.25)
    say = seen["say"].replace("−", "-")
    b, w, h, u, x_t = map(
        float, re.search(r"= ([-.\d]+) \+ ([-.\d]+)·\(?([-.\d]+)\)? \+ ([-.\d]+)·\(?([-.\d]+)", say).groups()
    )
    assert wanted in say
    assert (b, w, u, x_t) == (0.25, 0.9, 0.6, x[step - 1])
    assert h == pytest.approx(run.h[step - 1], abs=0.005)
    assert b + w * h + u * x_t == pytest.approx(run.a[step - 1], abs=0.01)
    assert f"{run.a[step - 1]:.2f}, h" in say and f"= {run.h[step]:.2f}." in say


@pytest.mark.parametrize(("name", "index"), [("w", 3), ("u", 5), ("b", 1), ("v", "")])
def test_one_copy_that_is_pulled_moves_all_copies_and_all_states(page, name, index):
    _, x, before = shown(page)
    box = page.locator(f'[data-handle="{name}{index}"] rect').bounding_box()
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(at[0] + 5, at[1] - 10, steps=2)
    page.mouse.move(at[0], at[1] - 20, steps=2)  # 20 pixels up are half a unit
    page.mouse.up()
    after = drawn(page)
    p = START._replace(**{name: getattr(START, name) + 0.5})
    run = unit_run(p, x)
    value = page.evaluate("n => explorables.mounted.values().next().value.get(n)", name)
    assert value == pytest.approx(getattr(p, name))
    wires = [w for w in after["wires"] if w["name"] == name]
    assert {w["width"] for w in wires} == {round(1.2 + 1.3 * abs(value), 2)}
    assert all(w["lit"] for w in wires), "what is pulled is lit"
    for t, _, _, height in after["fills"]:
        assert height == pytest.approx(HALF * abs(run.h[int(t)]), abs=0.02)
    if name != "v":
        changed = [a[3] != b[3] for a, b in zip(sorted(before["fills"]), sorted(after["fills"]), strict=True)]
        assert all(changed[2 if name == "w" else 1 :]), "every state moves that has a state before it"


def test_pointing_at_a_copy_or_its_slider_lights_all_copies(page):
    shown(page)
    page.locator('[data-handle="u2"]').hover()
    hovered = page.locator(".un-pill.ex-hover").evaluate_all("all => all.map(e => e.dataset.share)")
    assert hovered == ["u"] * 6
    drawn(page, step=3)
    marked = page.locator(".ex-hover").evaluate_all("all => all.map(e => [e.dataset.share, e.children.length])")
    assert marked.count(["u", 2]) == 12 == len(marked), "six wires and six copies, drawn again too"
    page.locator('[data-control="b"]').focus()
    assert [pill[2] for pill in drawn(page)["pills"] if pill[1] == "b"] == [True] * 6


@pytest.mark.parametrize(
    ("state", "done", "cause"),
    [
        ({}, False, "Lost at t = 2"),
        ({"u": -0.6}, False, "wrong sign"),
        ({"text": "a e", "w": 0.3, "u": 0.4}, False, "fades"),
        ({"w": 3.0, "u": 0.8, "v": 0.5}, False, "choose v"),
        ({"w": 3.0, "u": 0.8, "v": 0.7}, False, "choose v"),
        ({"w": 3.0, "u": 0.8}, True, "No later input"),
        ({"text": "tea", "w": 3.0, "u": 0.8}, True, "No later input"),
        ({"text": "0 1"}, False, "The first input is 0"),
    ],
)
def test_the_goal_is_judged_by_its_cause(page, state, done, cause):
    run, x, _ = shown(page, **state)
    page.locator("[data-goal]").click()
    said = page.locator(".ex-verdict").inner_text()
    assert said.startswith("✓" if done else "Not yet")
    assert cause in said
    assert done == (abs(run.o - x[0]) < 0.1 and x[0] != 0)
    if done:
        push = np.prod([state["w"] * (1 - h**2) for h in run.h[2:]])
        assert short(push) is None or short(push) in said


OVERLAPS = """() => {
    const svg = document.querySelector("figure.explorable svg"), s = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].filter((t) => t.textContent).map((t) => {
        const b = t.getBoundingClientRect();
        return [t.textContent, b.left - s.left + 1, b.right - s.left - 1, b.top - s.top + 2, b.bottom - s.top - 3];
    });
    const bad = boxes.filter(([, l, r, t, b]) => l < -1 || r > s.width + 1 || t < -2 || b > s.height + 1);
    boxes.forEach((a, i) => boxes.slice(0, i).forEach((b) => {
        if (a[1] < b[2] && b[1] < a[2] && a[3] < b[4] && b[3] < a[4]) bad.push([a[0], b[0]]);
    }));
    return bad;
}"""


@pytest.mark.parametrize("width", [340, 900])
@pytest.mark.parametrize(
    "state", [{"text": "recurrence", "w": -1.35, "light": "u", "u": -1.55}, {"small": True}], ids=str
)
def test_no_words_of_the_picture_cover_each_other_however_far_it_is_open(page, width, state):
    shown(page, width, **state)
    page.add_style_tag(content=assets.style(["unfold"]))
    last = 1 if "small" in state else 21
    for opened in range(0, 101, 10):
        for step in (0, 5, last):
            set_state(page, opened=opened, **({} if "small" in state else {"step": step}))
            assert page.evaluate(OVERLAPS) == [], f"{opened} % open, step {step}"


def test_a_small_one_has_no_loss_and_counts_as_the_chapter_counts(page):
    _, x, seen = shown(page, small=True)
    graph = unfold(RECURRENT, len(x))
    assert f"{len(graph.nodes)} nodes, longest path {depth(graph)}; 3 parameters" in seen["say"]
    assert not [w for w in seen["wires"] if w["name"] in ("v", "end")]


def test_nothing_typed_leaves_the_sequence_that_the_figure_began_with(page):
    _, _, start = shown(page)
    assert drawn(page, text="  ") == start
    figure = Unfold()
    figure.text = ""
    assert len(figure.png()) > 1000


@pytest.mark.parametrize("options", [{"text": ""}, {"w": 4}, {"light": "c"}, {"opened": 101}, {"step": 20}])
def test_a_figure_that_could_not_be_drawn_is_refused(options):
    with pytest.raises(ValueError, match=r"text|w:|light|opened|step"):
        Unfold(**options)


def test_the_picture_follows_the_state():
    figure = Unfold()
    pictures = {figure.png()}
    for trait, value in {"opened": 0, "text": "1 2 0", "step": 2, "w": -1.0, "light": "b"}.items():
        setattr(figure, trait, value)
        pictures.add(figure.png())
    assert len(pictures) == 6
