"""One gated unit: what the page computes is what the companion's cells compute, and what it draws is what flows."""

import itertools
import re

import numpy as np
import pytest

from companion import gated
from companion.cells.gate import Gate
from companion.cells.gru import GRU, gru_bptt_nodes, gru_forward
from companion.cells.lstm import LSTM, lstm_bptt_nodes, lstm_forward
from companion.figures import Gates, assets
from companion.figures.kinds import KINDS
from companion.figures.kinds.gates.layout import CELLS
from companion.figures.kinds.gates.picture import compute, flows

from ..figures import Figure, assert_close, show

example = Gates
RNG = np.random.default_rng(21)
DRAWN = [
    {
        "cell": str(RNG.choice(["LSTM", "GRU"])),
        **dict(zip(("af", "ag", "aq"), (RNG.integers(-16, 17, size=3) / 2).tolist(), strict=True)),
        "w": float(RNG.integers(-8, 9) / 4),
        "mode": str(RNG.choice(["constant gates", "gates respond"])),
        "signal": str(RNG.choice(list(gated.GATE_INPUTS))),
    }
    for _ in range(12)
]
FIXED = [{}, {"mode": "gates respond", "ag": -2.0, "w": 0.5}, {"cell": "GRU", "w": 1.0, "signal": "noise"}]
DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
COMPUTE = """([cell, p, x]) => {
    const { run, back } = explorables.kinds.gates;
    const rows = run(cell, p, x);
    return { rows, grads: back(cell, p, rows) };
}"""


def a_figure(page, width=900, **state):
    """The figure in a page of that width, in that state."""
    figure = Gates("gates", **state)
    show(page, figure)
    page.add_style_tag(content=assets.style(KINDS))
    page.evaluate("width => { document.body.style.width = `${width}px`; }", width)
    live = Figure(page, "gates")
    live.look()
    return figure, live


def value(words: str) -> float:
    """The number that a label or read-out shows, such as −0.27, 6.7×10⁻⁴ or 10⁻⁶."""
    plain, power = re.fullmatch(r"(.*?)(?:10([⁻⁰¹²³⁴-⁹]+))?", words).groups()
    size = plain.removesuffix("×").translate(DIGITS) if power else plain.translate(DIGITS)
    return float(size + "1" if size in ("", "-") else size) * 10.0 ** int((power or "0").translate(DIGITS))


def width(v: float) -> float:
    """A line is as wide as what flows along it."""
    return max(1.0, min(11.0, 9 * abs(v)))


def beside(v: float) -> str:
    """The number that stands beside a line: two digits, below 0.1 two decimals, and what is nearly nothing."""
    if 0 < abs(v) < 0.005:
        return "≈ 0"
    return f"{float(f'{v:.2f}' if abs(v) < 0.1 else f'{v:.2g}'):g}".replace("-", "−")


# what is computed


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_any_cell_of_one_unit_computes_forward_and_back_what_the_reference_computes(page, kind, seed):
    rng = np.random.default_rng([seed, 5])
    cell, names = (LSTM, "fgqz") if kind == "LSTM" else (GRU, "urz")
    p = cell(*(Gate(rng.normal(size=(1, 2)), rng.normal(size=(1, 1)), rng.normal(size=1)) for _ in names))
    x = rng.normal(size=(9, 2))
    layers = {k: {"U": getattr(p, k).U[0].tolist(), "W": getattr(p, k).W[0, 0], "b": getattr(p, k).b[0]} for k in names}
    there = page.evaluate(COMPUTE, [kind, layers, x.tolist()])
    at_end = np.zeros((9, 1))
    at_end[-1] = 1.0
    forward, back = (lstm_forward, lstm_bptt_nodes) if kind == "LSTM" else (gru_forward, gru_bptt_nodes)
    run = forward(p, x)
    grads = back(p, x, run, at_end)
    for name, here in run._asdict().items():
        got = [row[name] for row in there["rows"][0 if name in p.state else 1 :]]
        assert_close(got, here[:, 0])
    of = {"h": "dh", "s": "ds"} | {k: f"a{k}" for k in names}
    for name, here in grads._asdict().items():
        got = [row[of[name]] for row in there["grads"][1:]]
        assert_close(got, here[1:, 0] if name in p.state else here[:, 0])
    kept, carried = (run.f, "ds") if kind == "LSTM" else (run.u, "dh")
    alone = [there["grads"][9][carried] * kept[t:, 0].prod() for t in range(1, 10)]
    assert_close([row["alone"] for row in there["grads"][1:]], alone)
    assert_close(there["grads"][1]["dh0"], grads.h[0, 0])


@pytest.mark.parametrize("state", [*FIXED, *DRAWN])
def test_what_flows_in_every_step_is_what_the_reference_lets_flow(page, state):
    figure = Gates("gates", **state)
    there = page.evaluate(
        """s => { const { weights, sees, run, back, flows } = explorables.kinds.gates;
            const rows = run(s.cell, weights(s), sees(s.x));
            const grads = back(s.cell, weights(s), rows);
            return s.x.map((v, i) => flows(s.cell, rows, grads, i + 1, v)); }""",
        figure.state | {"x": list(gated.GATE_INPUTS[figure.signal])},
    )
    run = compute(figure.state)
    for t, got in enumerate(there, 1):
        for way, wanted in flows(figure.state, run, t).items():
            for name, v in wanted.items():
                assert_close(got[way][name], v)


# what is drawn


@pytest.mark.parametrize("way", ["forward", "back"])
@pytest.mark.parametrize("state", [*FIXED, *DRAWN[:5]])
def test_every_line_is_as_wide_as_what_flows_and_has_its_number(page, state, way):
    t = int(RNG.integers(1, 13))
    figure, live = a_figure(page, way=way, t=t, **state)
    wanted = flows(figure.state, compute(figure.state), t)[way]
    lines = live.root.locator(".ex-flow").evaluate_all(
        "all => all.map(g => [g.dataset.flow, +g.querySelector('path').getAttribute('stroke-width')])"
    )
    drawn = [getattr(line, way) for line in CELLS[figure.cell].lines]
    assert [name for name, _ in lines] == [flow[0] if flow else "" for flow in drawn]
    for name, got in lines:
        if name:
            assert got == pytest.approx(width(wanted[name]), abs=0.006)
    numbers = live.root.locator("[data-number]").evaluate_all(
        "all => all.map(e => [e.dataset.number, e.lastChild.textContent])"
    )
    assert {name for name, _ in numbers} == {flow[0] for flow in drawn if flow and len(flow) > 2}
    assert numbers == [[name, beside(wanted[name])] for name, _ in numbers]


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
@pytest.mark.parametrize("way", ["forward", "back"])
def test_the_walk_lights_one_part_after_the_other_and_tells_its_numbers(page, cell, way):
    figure, live = a_figure(page, cell=cell, way=way, t=9, w=0.5, part=1)
    wanted = flows(figure.state, compute(figure.state), 9)
    before = set()
    for part in range(1, 7):
        page.evaluate("p => [...explorables.mounted].at(-1).set('part', p)", part)
        live.look()
        lit = [bool(line and line[1] <= part) for line in (getattr(k, way) for k in CELLS[cell].lines)]
        drawn = live.root.locator(".ex-flow").evaluate_all("all => all.map(g => !g.classList.contains('ex-dim'))")
        assert drawn == lit
        said = live.root.locator(".ex-readout").inner_text()
        told = [
            value(w) for w in re.findall(r"−?\d+\.?\d*(?:×10[⁻⁰-⁹¹²³]+|[⁻⁰-⁹¹²³]+)?", re.sub(r"⁽[^⁾]*⁾|²", "", said))
        ]
        new = [
            flow[0]
            for flow in (getattr(k, way) for k in CELLS[cell].lines)
            if flow and flow[1] == part and len(flow) > 2 and flow[0] not in before
        ]
        for name in new:
            v = wanted[way][name]
            assert any(n == pytest.approx(v, rel=0.06, abs=1e-9) for n in told), f"part {part}: {name} = {v} in {said}"
        before |= set(new)
    heads = live.root.locator(".ex-flow .ex-head").count()
    assert heads == sum(getattr(k, way) is not None for k in CELLS[cell].lines)


@pytest.mark.parametrize("state", [*FIXED, *DRAWN[:5]])
def test_a_circle_is_filled_from_below_as_far_as_its_gate_is_open(page, state):
    figure, live = a_figure(page, **state)
    wanted = flows(figure.state, compute(figure.state), figure.t)["forward"]
    levels = live.root.locator(".ex-open").evaluate_all("""all => all.map(e => {
        const [r, c] = [e.getBBox(), e.previousSibling.getBBox()];
        return [e.dataset.open, (c.y + c.height - r.y) / c.height, r.y + r.height - c.y - c.height]; })""")
    assert {name for name, *_ in levels} == {gate for *_, gate in CELLS[figure.cell].circles if gate}
    for name, level, gap in levels:
        assert level == pytest.approx(wanted[name], abs=0.01), name
        assert abs(gap) < 0.1, name


@pytest.mark.parametrize("way", ["forward", "back"])
def test_arrows_point_the_way_that_things_flow(page, way):
    _, live = a_figure(page, way=way)
    tips = live.root.locator(".ex-flow:has(.ex-head)").evaluate_all("""all => all.map(g => {
        const d = g.querySelector("path").getAttribute("d").slice(1).split("L").map(q => q.split(",").map(Number));
        const { e, f } = g.querySelector(".ex-head").transform.baseVal[0].matrix;
        return [d[0], d.at(-1), [e, f]]; })""")
    for first, last, tip in tips:
        assert tip == pytest.approx(first if way == "back" else last, abs=0.02)


ROWS = """root => ({
    bars: [...root.querySelectorAll("rect[data-row]")].map(r => [r.dataset.row, +r.getAttribute("y"),
        +r.getAttribute("y") + +r.getAttribute("height")]),
    dots: [...root.querySelectorAll("circle[data-row]")].map(c => +c.getAttribute("cy")),
    rules: [...root.querySelectorAll(".ex-rule")].map(r => +r.getAttribute("d").match(/ ([0-9.]+)h/)[1]),
})"""


@pytest.mark.parametrize("way", ["forward", "back"])
@pytest.mark.parametrize("state", [*FIXED, *DRAWN[:6]])
def test_the_bars_of_the_sequence_reach_from_their_line_to_their_values(page, state, way):
    figure, live = a_figure(page, way=way, **state)
    run = compute(figure.state)
    drawn = live.root.evaluate(ROWS)
    kept = run.p.state[-1]
    values = getattr(run.grads if way == "back" else run.nodes, kept)[1:, 0]
    gates = [k for k in run.nodes._fields if k not in (*run.p.state, "z")]
    keep = getattr(run.nodes, gates[0])[:, 0]
    alone = np.array([values[-1] * keep[t:].prod() for t in range(1, len(values) + 1)])
    dots = alone if way == "back" else run.nodes.h[1:, 0] if kept == "s" else np.array([])
    largest = max(0.2, *np.abs(values), *np.abs(dots))
    wanted = {"x": (np.array(gated.GATE_INPUTS[figure.signal]), 0, 17)}
    wanted |= {k: (getattr(run.nodes, k)[:, 0], 1 + 2 * i, 23) for i, k in enumerate(gates)}
    tall = {"LSTM": 37, "GRU": 52}[figure.cell]
    wanted[{"s": "ds", "h": "dh"}[kept] if way == "back" else kept] = (values, -1, tall / largest)
    assert {name for name, *_ in drawn["bars"]} == set(wanted)
    for name, (row, rule, scale) in wanted.items():
        base = drawn["rules"][rule]
        low, high = np.array([ends for of, *ends in drawn["bars"] if of == name]).T
        ends = np.sort([np.full(len(row), base), base - row * scale], axis=0)
        np.testing.assert_allclose(low, ends[0], atol=0.51 if (np.abs(row * scale) < 0.5).any() else 0.03)
        np.testing.assert_allclose(high, ends[1], atol=0.51 if (np.abs(row * scale) < 0.5).any() else 0.03)
    np.testing.assert_allclose(drawn["dots"], drawn["rules"][-1] - dots * tall / largest, atol=0.03)


def test_the_cursor_stands_on_its_step_and_the_sequence_answers_to_a_drag(page):
    _, live = a_figure(page)
    for t in (1, 6, 12):
        bar = live.root.locator('rect[data-row="x"]').nth(t - 1).bounding_box()
        page.mouse.move(bar["x"] + bar["width"] / 2, live.root.locator('[data-handle="step"]').bounding_box()["y"] + 40)
        page.mouse.down()
        page.mouse.up()
        live.look()
        now = live.root.locator(".ex-now").bounding_box()
        assert now["x"] <= bar["x"] <= bar["x"] + bar["width"] <= now["x"] + now["width"]
        assert page.evaluate("[...explorables.mounted].at(-1).get('t')") == t


TEXTS = """root => [...root.querySelectorAll("svg text")].filter(e => e.textContent.trim()).map(e => {
    const b = e.getBBox(); return [e.textContent, b.x, b.y + 2, b.x + b.width, b.y + b.height - 2]; })"""


@pytest.mark.parametrize("across", [900, 690, 359])
@pytest.mark.parametrize("way", ["forward", "back"])
@pytest.mark.parametrize("state", [*FIXED, {"af": 8.0, "ag": 8.0, "w": 2.0, "signal": "steps"}, DRAWN[0], DRAWN[1]])
def test_no_text_covers_another_and_none_is_cut(page, state, way, across):
    _, live = a_figure(page, width=across, way=way, **state)
    texts = live.root.evaluate(TEXTS)
    wide = live.root.evaluate("root => root.querySelector('svg').viewBox.baseVal.width")
    for words, left, _, right, _ in texts:
        assert left >= -1, f"{words} is cut on the left"
        assert right <= wide + 1, f"{words} is cut on the right"
    for (a, al, at, ar, ab), (b, bl, bt, br, bb) in itertools.combinations(texts, 2):
        apart = ar <= bl + 1 or br <= al + 1 or ab <= bt or bb <= at
        assert apart, f"“{a}” and “{b}” overlap"


# the goal

VERDICTS = [
    ({"signal": "noise"}, False, "two pulses"),
    ({}, False, "Too little is written"),
    ({"ag": 4.0, "af": 1.0}, False, "fades"),
    ({"ag": 8.0, "af": 8.0}, False, "not replaced: the forget gate f is still 1"),
    ({"ag": -2.0, "mode": "gates respond"}, True, "the forget gate f falls to 0.27"),
    ({"cell": "GRU", "mode": "gates respond", "af": 2.5, "w": 1.0}, True, "update gate u falls to 0.18"),
    ({"af": -8.0, "ag": 2.0, "aq": 8.0, "w": 2.0}, True, "h feeds itself through w"),
]


@pytest.mark.parametrize(("state", "done", "cause"), VERDICTS)
def test_the_goal_is_judged_and_its_cause_named(page, state, done, cause):
    _, live = a_figure(page, **state)
    live.root.locator("[data-goal]").click()
    said = live.root.locator(".ex-verdict").inner_text()
    assert said.startswith("✓" if done else "Not yet")
    assert cause in said
