"""What dragged eigenvalues compute, draw and say in the page is what NumPy says, in fixed and in drawn states."""

import re
from functools import partial

import numpy as np
import pytest

from companion import longterm
from companion.figures import Eigenvalues, assets
from companion.figures.kinds import KINDS
from companion.figures.kinds.eigenvalues import LONG, STEPS

from ..drawn import dots
from ..figures import LOOK, MOUNT, Figure, assert_close

example = Eigenvalues
RNG = np.random.default_rng(20)
GRID = partial(np.round, decimals=2)
FIXED = [
    {},
    {"t": 0},
    {"t": 12, "back": 5},
    {"lam1": 1.2, "t": 9},
    {"lam1": 0.9, "lam2": -1.0, "skew": 3.0},
    {"skew": 6.0, "h1": -0.5, "h2": 0.9, "t": 3},
    {"spectrum": "complex", "skew": 6.0, "t": 4},
    {"spectrum": "complex", "rho": 1.2, "f": "tanh", "t": 30},
    {"lam1": 1.5, "lam2": 0.5, "f": "tanh", "t": 10},
    {"f": "ReLU", "lam1": 1.1, "lam2": -0.5, "t": 12},
    {"f": "ReLU", "lam1": -0.5, "lam2": -0.5},
    {"lam1": 0.0, "lam2": 0.0},
]


def drawn(n):
    """States of the figure, drawn on the steps of its controls."""
    for _ in range(n):
        lam1, lam2, h1, h2 = GRID(0.05 * RNG.integers(-30, 31, 4))
        t = int(RNG.integers(STEPS + 1))
        yield {
            "spectrum": str(RNG.choice(["real", "complex"])),
            "f": str(RNG.choice(["linear", "tanh", "ReLU"])),
            "lam1": float(lam1),
            "lam2": float(lam2),
            "rho": float(GRID(0.05 * RNG.integers(31))),
            "theta": float(GRID(0.05 * RNG.integers(63))),
            "skew": float(0.5 * RNG.integers(2, 21)),
            "t": t,
            "back": int(RNG.integers(t + 1)),
            "h1": float(h1),
            "h2": float(h2),
        }


STATES = [*FIXED, *drawn(14)]


def states(figure, steps=STEPS):
    """h⁽⁰⁾ … h⁽ⁿ⁾ and the Jacobian of each step, by `companion.longterm` where it knows the map."""
    W, h0 = matrix(figure), np.array([figure.h1, figure.h2])
    if figure.f != "ReLU":
        h = longterm.trajectory(W, h0, steps, tanh=figure.f == "tanh")
        return h, longterm.step_jacobians(W, h, tanh=figure.f == "tanh")
    h = [h0]
    for _ in range(steps):
        h.append(np.maximum(W @ h[-1], 0))
    return np.array(h), np.array([np.diag((v > 0) * 1.0) @ W for v in h[1:]])


def matrix(figure):
    if figure.spectrum == "real":
        return longterm.two_real(figure.lam1, figure.lam2, figure.skew)
    return longterm.two_unit(figure.rho, figure.theta, figure.skew)


def stretch(J, k, t):
    return np.linalg.norm(longterm.jacobian_product(J, k, t), 2)


def live(page, figure, width=760):
    """The figure in the page, with its style."""
    page.set_content(f"<body style='margin: 0; font: 16px sans-serif; width:{width}px'>{figure.html()}</body>")
    page.add_style_tag(content=assets.style(KINDS))
    page.evaluate(MOUNT)
    return Figure(page, figure.spec["name"])


def test_the_page_computes_what_the_reference_computes(page):
    figures = [Eigenvalues(**state) for state in STATES]
    found = page.evaluate(
        """([all, n]) => all.map((s) => { const { compute, backward } = explorables.kinds.eigenvalues;
        const out = compute(s, n); return { ...out, B: backward(out.J, s.t) }; })""",
        [[figure.state for figure in figures], STEPS],
    )
    for figure, there in zip(figures, found, strict=True):
        h, J = states(figure)
        assert_close(there["W"], matrix(figure))
        assert_close(there["h"], h)
        assert_close(there["J"], J)
        for t in range(STEPS + 1):
            assert_close(there["M"][t], longterm.jacobian_product(J, 0, t))
            assert there["forward"][t] == pytest.approx(stretch(J, 0, t), rel=1e-6, abs=1e-12)
        for k in range(figure.t + 1):
            assert_close(there["B"][k], longterm.jacobian_product(J, k, figure.t))


@pytest.mark.parametrize("f", ["linear", "tanh", "ReLU"])
def test_the_derivative_is_what_a_small_change_makes_of_the_last_state(page, f):
    figure, eps = Eigenvalues(f=f, lam1=1.1, lam2=0.7, skew=3.0, h1=0.5, h2=0.7), 1e-6
    runs = "([s, n]) => { const out = explorables.kinds.eigenvalues.compute(s, n); return [out.h[n], out.M[n]] }"
    differences = []
    for name in ("h1", "h2"):
        sides = [{**figure.state, name: figure.state[name] + sign * eps} for sign in (1, -1)]
        ends = [np.array(page.evaluate(runs, [side, 9])[0]) for side in sides]
        differences.append((ends[0] - ends[1]) / (2 * eps))
    np.testing.assert_allclose(page.evaluate(runs, [figure.state, 9])[1], np.array(differences).T, atol=1e-7)


def test_the_rate_of_the_verdict_is_the_fitted_slope_of_the_log_of_the_gradient(page):
    for state in STATES:
        figure = Eigenvalues(**state)
        there = page.evaluate("([s, n]) => explorables.kinds.eigenvalues.longRun(s, n)", [figure.state, LONG])
        W, h, J = matrix(figure), np.array([figure.h1, figure.h2]), []
        for _ in range(LONG):
            h = {"tanh": np.tanh, "ReLU": lambda a: np.maximum(a, 0)}.get(figure.f, lambda a: a)(W @ h)
            slope = 1 - h**2 if figure.f == "tanh" else (h > 0) * 1.0 if figure.f == "ReLU" else np.ones(2)
            J.append(slope[:, None] * W)
            if figure.f != "tanh" and h.any():
                h = h / np.linalg.norm(h)
        logs = longterm.log_product_norms(np.array(J))
        rate = 0.0 if np.isinf(logs[-1]) else np.exp(longterm.fitted_slope(logs, LONG // 2 + 1))
        assert there["rate"] == pytest.approx(rate, rel=1e-6, abs=1e-12), state
        if figure.f == "linear":
            assert there["rate"] == pytest.approx(longterm.spectral_radius(W), abs=2e-3), state


# What is drawn: places are read against the numbers that stand at the axes.


DRAWING = """root => { const all = (q, f) => [...root.querySelectorAll(q)].map(f);
    const at = e => [+e.getAttribute("cx"), +e.getAttribute("cy")];
    const d = e => e.getAttribute("d").slice(1).split(/[ML]/).filter(Boolean).map(p => p.split(" ").map(Number));
    const g = [...root.querySelector("svg").children].map(layer => ({
        texts: [...layer.querySelectorAll("text")].map(
            t => [t.textContent, +t.getAttribute("x"), +t.getAttribute("y"), t.getAttribute("text-anchor")]),
        xs: [...layer.querySelectorAll(".ex-xtick")].map(t => [t.textContent, +t.getAttribute("x")]),
        ys: [...layer.querySelectorAll(".ex-ytick")].map(t => [t.textContent, +t.getAttribute("y")]),
        rim: [...layer.querySelectorAll(".ex-rim")].map(
            r => ["x", "y", "width", "height"].map(n => +r.getAttribute(n)))[0]}));
    const named = (q, name) => Object.fromEntries(all(`[data-${name}]`, e => [e.dataset[q], e.cx ? at(e) : d(e)]));
    return { plane: g[0], state: g[1], sizes: g[2], power: named("power", "power"), axis: named("axis", "axis"),
        part: named("part", "part"), disc: all("[data-disc]", e => [+e.dataset.disc, d(e)]),
        curve: named("curve", "curve"), line: named("powerLine", "power-line"), size: named("size", "size"),
        path: all("[data-path]", d)[0], here: all("[data-state]", at)[0], ray: all("[data-ray]", d)[0],
        cursor: +root.querySelector("[data-cursor]").getAttribute("d").match(/M([\\d.]+)/)[1] } }"""
SUPER = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def square(panel):
    """From a pair of numbers to its place in a square panel, by the two numbers at its lower edge."""
    _, top, width, height = panel["rim"]
    below = [(text, x) for text, x, y, _ in panel["texts"] if y > top + height and re.fullmatch(r"−?\d+", text)]
    marks = {float(text.replace("−", "-")): x for text, x in below}
    high = max(marks)
    unit = (marks[high] - marks[-high]) / (2 * high)
    assert unit > 0 and height == pytest.approx(width)
    middle = np.array([(marks[high] + marks[-high]) / 2, top + height / 2])
    return lambda v: middle + unit * np.asarray(v) * [1, -1], unit


def logplot(panel):
    """From a step and a size to a place in the plot, by the numbers at its axes."""
    xs = {float(text): x for text, x in panel["xs"]}
    ys = {np.log10(numbers(text)[0]): y - 4 for text, y in panel["ys"]}
    (x0, p0), (x1, p1) = min(xs.items()), max(xs.items())
    (y0, q0), (y1, q1) = min(ys.items()), max(ys.items())
    assert p1 > p0 and q1 < q0, "time goes to the right, size goes up"

    def place(t, size):
        log = np.log10(np.maximum(size, 1e-300))
        return np.stack([p0 + (p1 - p0) * (t - x0) / (x1 - x0), q0 + (q1 - q0) * (log - y0) / (y1 - y0)], axis=-1)

    return place, min(q0, q1)


def assert_at(there, wanted, message="", off=0.35):
    """Places agree to the third of a pixel."""
    np.testing.assert_allclose(np.array(there, float), wanted, atol=off, err_msg=message)


def assert_dots(there, wanted, box, message):
    """Each dot stands where one is wanted, and each that is wanted and lies in a box is there."""
    left, top, width, height = box
    wanted = np.asarray(wanted, float).reshape(-1, 2)
    away = np.abs(there[:, None] - wanted).max(axis=2) if len(wanted) else np.full((len(there), 1), np.inf)
    assert (away.min(axis=1) < 0.35).all(), f"{message}: a dot where none is wanted"
    middle, reach = np.array([left + width / 2, top + height / 2]), np.array([width, height]) / 2 - 1
    inside = (np.abs(wanted - middle) < reach).all(axis=1)
    assert (away[:, inside].min(axis=0, initial=np.inf) < 0.35).all(), f"{message}: a dot is missing"


@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("width", [760, 350])
def test_everything_is_drawn_where_the_reference_puts_it(page, state, width):
    figure = Eigenvalues(**state)
    root = live(page, figure, width).root
    seen = root.evaluate(DRAWING)
    t, k = figure.t, figure.t - min(figure.back, figure.t)
    h, J = states(figure)
    lam, _ = np.linalg.eig(matrix(figure))

    place, _ = square(seen["plane"])
    for i, there in seen["power"].items():
        wanted = [figure.lam1, figure.lam2][int(i)] if figure.spectrum == "real" else lam[np.argsort(-lam.imag)[int(i)]]
        z, off = complex(wanted) ** t, (0 if figure.spectrum == "complex" else [-4, 4][int(i)])
        assert_at(there - np.array([0, off]), place([z.real, z.imag]), "λᵗ")
    values = [figure.lam1, figure.lam2] if figure.spectrum == "real" else lam
    powers = [
        (complex(v) ** s, 0 if figure.spectrum == "complex" else [-4, 4][i])
        for i, v in enumerate(values)
        for s in range(1, STEPS + 1)
        if s != t
    ]
    wanted = [np.add(place([z.real, z.imag]), [0, off]) for z, off in powers]
    assert_dots(dots(root, ".ex-parameter"), wanted, seen["plane"]["rim"], "powers")

    place, unit = square(seen["state"])
    near = [v for v in h[: t + 1] if np.abs(place(v)).max() < 4000]
    assert_at(seen["path"][: len(near)], place(near), "the state's path")
    if seen["here"]:
        assert_at(seen["here"], place(h[t]), "h⁽ᵗ⁾")
    for look, run in ((".ex-state:not(.ex-later)", h[:t]), (".ex-state.ex-later", h[t + 1 :])):
        assert_dots(dots(root, look), place(run), seen["state"]["rim"], f"states, {look}")
    for i, there in seen["axis"].items():
        value = (figure.lam1, figure.lam2)[int(i)]
        q = np.diff(there, axis=0)[0] * [1, -1]
        np.testing.assert_allclose(matrix(figure) @ q, value * q, atol=2e-2 * np.linalg.norm(q), err_msg="eigenvector")
    if seen["part"]:
        Q = np.array([(np.diff(seen["axis"][i], axis=0)[0] * [1, -1]) for i in "01"]).T
        c = np.linalg.solve(Q, h[t])
        for i in range(2):
            if np.abs(c[i] * Q[:, i]).max() < 50:
                assert_at(seen["part"][str(i)], place([[0, 0], c[i] * Q[:, i]]), "part", 0.5)
    if seen["ray"]:
        direction = np.diff(seen["ray"], axis=0)[0] * [1, -1]
        cosine = direction @ h[t] / np.linalg.norm(direction) / np.linalg.norm(h[t])
        assert cosine == pytest.approx(1, abs=1e-4)
    discs = {at: np.array(points) for at, points in seen["disc"]}
    if k in discs and t in discs and k < t:
        ring = (discs[k] - place(h[k])) / unit * [1, -1]
        assert_at(discs[t], place(h[t] + ring @ longterm.jacobian_product(J, k, t).T), "the ellipse", 0.5)
        lengths = np.linalg.norm(ring, axis=1)
        assert lengths.min() == pytest.approx(lengths.max(), abs=0.02)

    place, _ = logplot(seen["sizes"])
    assert seen["cursor"] == pytest.approx(place(t, 1.0)[0], abs=0.1)
    sizes = {
        "forward": (np.arange(STEPS + 1), [stretch(J, 0, s) for s in range(STEPS + 1)]),
        "back": (np.arange(k, t + 1), [stretch(J, s, t) for s in range(k, t + 1)]),
    }
    for name, (steps, values) in sizes.items():
        wanted = place(steps, np.array(values))
        for point in seen["curve"][name]:
            nearest = np.abs(wanted - point).max(axis=1).min()
            assert nearest < 0.35, f"{name}: a point of the curve belongs to no step"
        inside = [w for w, v in zip(wanted, values, strict=True) if 1e-15 < v < 1e7]
        if inside and len(seen["curve"][name]) < len(values):
            missing = [w for w in inside if np.abs(np.array(seen["curve"][name]) - w).max(axis=1).min() > 0.35]
            low, high = min(w[1] for w in wanted), max(w[1] for w in wanted)
            assert len(missing) < len(inside) or low == high
    stretches = [place(s, v) for s, v in zip(*sizes["back"], strict=True) if v > 0]
    heights = [place(0, numbers(text)[0])[1] for text, _ in seen["sizes"]["ys"]]
    (left, right), top = (place(s, 1.0)[0] for s in (0, STEPS)), min(heights)
    assert_dots(
        dots(root, ".ex-gradient"), stretches, [left - 2, top, right - left + 4, max(heights) - top], "what comes back"
    )
    for role, (at, value) in {"gradient": (k, stretch(J, k, t)), "state": (t, stretch(J, 0, t))}.items():
        if role in seen["size"]:
            assert_at(seen["size"][role], place(at, value), f"the dot of {role}")
    rates = [abs(figure.lam1), abs(figure.lam2)] if figure.spectrum == "real" else [figure.rho]
    for i, rate in enumerate(rates):
        points = np.array(seen["line"][str(i)])
        steps = np.arange(len(points))
        if rate > 0 and len(points) and points.size > 2:
            assert_at(points, place(steps, rate**steps), "|λ|ᵗ")


def test_in_the_first_view_every_part_of_the_drawing_is_there(page):
    seen = live(page, Eigenvalues(t=12, back=8)).root.evaluate(DRAWING)
    assert set(seen["power"]) == set(seen["axis"]) == set(seen["part"]) == set(seen["line"]) == {"0", "1"}
    assert [at for at, _ in seen["disc"]] == [4, 12] and set(seen["size"]) == {"gradient", "state"}
    assert len(seen["curve"]["forward"]) == STEPS + 1 and len(seen["curve"]["back"]) == 9 and len(seen["path"]) == 13
    assert seen["here"] and seen["ray"]


# What is said


def numbers(text):
    """The numbers in a text, written as a person reads them."""
    found = re.findall(r"(−?\d+(?:\.\d+)?)(?:×10)?([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*)", text)
    parts = [(m.replace("−", "-"), e.translate(SUPER)) for m, e in found]
    return [10.0 ** int(e) if m == "10" and e else float(m) * 10.0 ** int(e or 0) for m, e in parts]


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_read_out_says_the_size_the_rate_and_what_follows(page, state):
    figure = Eigenvalues(**state)
    said = live(page, figure).root.locator(".ex-readout").inner_text()
    h, J = states(figure)
    t, k = figure.t, figure.t - min(figure.back, figure.t)
    name, _, rest = said.partition(" = ")
    assert [int(n) for n in re.findall(r"\d+", name.translate(SUPER))] == [t, k]
    size, rate = numbers(rest)[:2]
    assert size == pytest.approx(stretch(J, k, t), rel=0.06, abs=1e-300)
    if figure.f == "linear":
        assert rate == pytest.approx(longterm.spectral_radius(matrix(figure)), abs=6e-3)
    fate = "it vanishes" if rate < 0.994 else "it explodes" if rate > 1.006 else None
    assert fate is None or fate in said
    peak = max(stretch(J, 0, s) for s in range(STEPS + 1))
    assert ("First it grows" in said) == (peak > 1.2 and "it vanishes" in said)
    if "First it grows" in said:
        value, when = numbers(said[said.index("First it grows") :])[:2]
        assert value == pytest.approx(peak, rel=0.01) and stretch(J, 0, int(when)) == pytest.approx(peak, rel=1e-6)
    if " lies " in said:
        lead = max((figure.lam1, figure.lam2), key=abs)
        values, Q = np.linalg.eig(matrix(figure))
        q = Q[:, np.argmin(np.abs(values - lead))].real
        off = np.degrees(np.arccos(min(1.0, abs(q @ h[t]) / np.linalg.norm(h[t]))))
        assert numbers(said[said.index(" lies ") :])[0] == pytest.approx(off, rel=0.05, abs=1e-4)
        assert f"q{'₁₂'[(figure.lam1, figure.lam2).index(lead)]}, which leads" in said


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ({"lam1": 0.95}, "it vanishes"),
        ({"lam1": 1.05}, "it explodes"),
        ({"lam1": -1.0, "lam2": 0.3}, "it neither vanishes nor explodes"),
        ({"spectrum": "complex", "rho": 1.0, "theta": 0.2, "skew": 6.0}, "it neither vanishes nor explodes"),
        ({"lam1": 1.2, "f": "tanh"}, "it vanishes"),
        ({"spectrum": "complex", "rho": 1.2, "f": "tanh"}, "it neither vanishes nor explodes"),
    ],
)
def test_a_verdict_goes_by_the_slope(page, state, verdict):
    assert verdict in live(page, Eigenvalues(**state)).root.locator(".ex-readout").inner_text()


@pytest.mark.parametrize("width", [760, 350])
def test_no_word_of_the_drawing_covers_another_or_is_cut(page, width):
    boxes = """root => { const svg = root.querySelector("svg").getBoundingClientRect();
        return [...root.querySelectorAll("svg text")].filter(t => t.textContent).map(t => { const b =
        t.getBoundingClientRect(); return [t.textContent, b.left - svg.left, b.top - svg.top, b.right - svg.left,
        b.bottom - svg.top, svg.width, svg.height]; }) }"""
    for state in STATES:
        words = live(page, Eigenvalues(**state), width).root.evaluate(boxes)
        for i, (word, left, top, right, bottom, w, h) in enumerate(words):
            assert left >= -1 and top >= -1 and right <= w + 1 and bottom <= h + 1, (state, word, "is cut")
            for other, left2, top2, right2, bottom2, *_ in words[:i]:
                across = min(right, right2) - max(left, left2)
                down = min(bottom, bottom2) - max(top, top2)
                assert across < 1 or down < 4, (state, word, other)


# Handles


def pull(figure, handle, dx, dy):
    figure.look()  # what was moved before is drawn, so the handle stays where it is
    spot = figure.root.locator(f'[data-handle="{handle}"]')
    spot.scroll_into_view_if_needed()
    box = spot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    figure.page.mouse.move(x, y)
    figure.page.mouse.down()
    figure.page.mouse.move(x + dx, y + dy, steps=3)
    figure.page.mouse.up()
    figure.root.evaluate(LOOK)
    names = ["lam1", "lam2", "rho", "theta", "h1", "h2", "t", "back"]
    return figure.page.evaluate(
        "names => { const [v] = [...explorables.mounted].slice(-1); return names.map(n => v.get(n)) }", names
    ), names


def after(figure, handle, dx, dy):
    values, names = pull(figure, handle, dx, dy)
    return dict(zip(names, values, strict=True))


def test_a_handle_takes_the_value_of_the_place_that_it_is_pulled_to(page):
    figure = live(page, Eigenvalues())
    seen = figure.root.evaluate(DRAWING)
    _, unit = square(seen["state"])
    now = after(figure, "start", -0.8 * unit, 0.5 * unit)
    assert (now["h1"], now["h2"]) == pytest.approx((-0.4, 0.7), abs=0.051)
    _, unit = square(seen["plane"])
    now = after(figure, "lam1", -0.4 * unit, 9)
    assert (now["lam1"], now["lam2"]) == pytest.approx((0.5, 0.6), abs=0.051)
    now = after(figure, "lam2", -1.3 * unit, -9)
    assert (now["lam1"], now["lam2"]) == pytest.approx((0.5, -0.7), abs=0.051)
    figure = live(page, Eigenvalues(spectrum="complex", rho=1.0, theta=0.5))
    _, unit = square(figure.root.evaluate(DRAWING)["plane"])
    end = 0.8 * np.exp(2.0j)
    way = (end - np.exp(0.5j)) * unit
    now = after(figure, "lambda", way.real, -way.imag)
    assert (now["rho"], now["theta"]) == pytest.approx((0.8, 2.0), abs=0.06)


def test_time_is_set_by_a_touch_of_the_plot_and_the_gradient_goes_back_all_the_way_unless_told_else(page):
    figure = live(page, Eigenvalues())
    now = after(figure, "time", 0, 0)
    assert (now["t"], now["back"]) == (20, 20)
    width = figure.root.locator('[data-handle="time"]').bounding_box()["width"]
    now = after(figure, "time", -0.25 * width, 0)
    assert (now["t"], now["back"]) == (10, 10)
    figure.root.locator('[data-control="back"]').press("ArrowLeft")
    now = after(figure, "time", 0.25 * width, 0)
    assert (now["t"], now["back"]) == (30, 9)


@pytest.mark.parametrize(
    ("goal", "state", "done", "word"),
    [
        (0, {}, False, "no tanh"),
        (0, {"f": "tanh"}, False, "below 1"),
        (0, {"f": "tanh", "lam1": 1.5}, False, "rests where tanh is flat"),
        (0, {"f": "tanh", "lam1": 1.0}, False, "Even at"),
        (0, {"f": "tanh", "spectrum": "complex", "rho": 1.2}, True, "turns for ever"),
        (0, {"f": "tanh", "lam1": 1.0, "h1": 0.05, "h2": 0.05}, True, "nearly a straight line"),
        (1, {}, False, "more than κ = 1"),
        (1, {"lam1": 1.1}, False, "does not vanish"),
        (1, {"skew": 6.0}, False, "Lean more"),
        (1, {"spectrum": "complex", "rho": 0.95, "skew": 8.0}, True, "come to light"),
    ],
)
def test_a_goal_is_judged_and_the_cause_is_named(page, goal, state, done, word):
    figure = live(page, Eigenvalues(**state))
    figure.root.locator("[data-goal]").nth(goal).click()
    said = figure.root.locator(".ex-verdict").nth(goal).inner_text()
    assert said.startswith("✓ Done." if done else "Not yet.") and word in said
    sizes = [stretch(states(Eigenvalues(**state))[1], 0, t) for t in range(STEPS + 1)]
    if state and goal == 0:
        assert (0.5 <= sizes[-1] <= 2) == done
    if goal == 1 and word != "does not vanish":
        assert (max(sizes) >= 5) == done


def test_the_controls_that_mean_nothing_stand_aside(page):
    figure = live(page, Eigenvalues())
    assert {"lam1", "lam2"} <= set(figure.in_use()) and not {"rho", "theta"} & set(figure.in_use())
    figure.by_mouse("spectrum")
    figure.look()
    assert {"rho", "theta"} <= set(figure.in_use()) and not {"lam1", "lam2"} & set(figure.in_use())


def test_the_picture_follows_the_state():
    figure = Eigenvalues()
    pictures = [figure.png()]
    for name, value in {"t": 20, "back": 3, "f": "tanh", "spectrum": "complex", "skew": 5.0}.items():
        setattr(figure, name, value)
        pictures.append(figure.png())
    assert len(set(pictures)) == len(pictures)
