"""What the cliff computes in the page equals the reference.

Near the cliff 50 steps multiply a difference in the last bit of one exponential by up to 1.75⁵⁰, and a descent that
meets the cliff goes one way or the other. So gradients are compared at drawn places, and single steps from all places
that the page itself visited, wherever such roundings stay below 1e-7 (that is in more than nine of ten); and whole
descents from those starts from which the reference, begun 10⁻¹² aside, goes the same way.
"""

import re

import numpy as np
import pytest

from companion.core.functions import sigmoid
from companion.figures import Cliff
from companion.figures.kinds.cliff import CLIPS, RATES, STEPS, THRESHOLDS, B, W
from companion.optimization import cliff_descent, cliff_gradient, cliff_loss
from companion.optimization.cliff import H0
from companion.optimization.cliff import STEPS as TAU

from ..drawn import assert_drawn, axes, curves, dots, number
from ..figures import show

example = Cliff
RNG = np.random.default_rng(1011)


def drawn(n):
    """States of the figure: the fixed ones first, then drawn ones."""
    fixed = [(5.0, -1.5, clip, 1.0, 0.3) for clip in CLIPS] + [
        (6.0, -2.9, "norm", 0.1, 1.0),
        (3.2, -0.8, "none", 1.0, 1.0),
    ]
    for _ in range(n):
        at = float(RNG.uniform(*W)), float(RNG.uniform(*B))
        fixed.append((*at, str(RNG.choice(CLIPS)), float(RNG.choice(THRESHOLDS)), float(RNG.choice(RATES))))
    return fixed


def computed(page, states, steps=STEPS):
    states = [dict(zip(("w", "b", "clip", "v", "lr"), s, strict=True)) for s in states]
    return page.evaluate("([all, n]) => all.map(s => explorables.kinds.cliff.compute(s, n))", [states, steps])


def roundings(w, b):
    """How far off a gradient may be, relatively: 50 roundings, each stretched by all later steps of the map."""
    h, slopes = np.full(np.shape(w), H0), []
    with np.errstate(over="ignore"):
        for _ in range(TAU):
            h = sigmoid(w * h + b)
            slopes.append(np.abs(w) * h * (1 - h))
        worst = np.max([np.prod(slopes[k:], axis=0) for k in range(TAU)], axis=0)
    return 1e-15 * TAU * np.maximum(worst, 1.0)


def test_the_gradient_in_the_page_is_the_references_at_fixed_and_drawn_places(page):
    w = np.concatenate([[5.0, 4.0, 3.0, 4.0, 7.0, 60.0, -8.0], RNG.uniform(*W, 400)])
    b = np.concatenate([[-1.5, -2.0, -1.5, -1.9, -4.0, 3.0, 2.0], RNG.uniform(*B, 400)])
    there = page.evaluate(
        """all => all.map(([w, b]) => { const { loss, g } = explorables.kinds.cliff.gradient(w, b);
        return [loss, ...g]; })""",
        np.stack([w, b], axis=1).tolist(),
    )
    loss, g = cliff_gradient(w, b)
    ours, theirs = np.vstack([loss, g]), np.array(there).T
    fair = roundings(w, b) < 1e-7
    assert fair.mean() > 0.9
    np.testing.assert_allclose(theirs[:, fair], ours[:, fair], rtol=1e-6, atol=1e-12)
    assert np.isfinite(theirs).all()


def test_every_step_in_the_page_is_the_references_step_from_the_same_place(page):
    states, steps, fair_steps = drawn(40), 0, 0
    for (_, _, clip, v, lr), there in zip(states, computed(page, states), strict=True):
        w, b = np.array(there["w"]), np.array(there["b"])
        one = cliff_descent(w[:-1], b[:-1], lr, clip, v, steps=1)
        fair = roundings(w[:-1], b[:-1]) < 1e-7
        steps, fair_steps = steps + len(fair), fair_steps + fair.sum()
        np.testing.assert_allclose(w[1:][fair], one.w[1][fair], rtol=1e-6)
        np.testing.assert_allclose(b[1:][fair], one.b[1][fair], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(np.array(there["norm"])[:-1][fair], one.norm[0][fair], rtol=1e-6, atol=1e-12)
    assert fair_steps > 0.9 * steps


def test_whole_descents_in_the_page_are_the_references_wherever_a_start_decides_the_end(page):
    states, compared = drawn(60), 0
    for state, there in zip(states, computed(page, states), strict=True):
        w, b, clip, v, lr = state
        path = cliff_descent(np.array([w, w + 1e-12]), np.array([b, b - 1e-12]), lr, clip, v, STEPS)
        if any(np.abs(column[:, 0] - column[:, 1]).max() > 1e-9 for column in path[:3]):
            continue  # the reference itself cannot tell where this one ends
        compared += 1
        for name in ("w", "b", "loss"):
            np.testing.assert_allclose(there[name], getattr(path, name)[:, 0], rtol=1e-6, atol=1e-9, err_msg=str(state))
    assert compared > 0.6 * len(states)


def test_a_descent_that_overflows_stands_still_and_leaves_no_nan_in_the_drawing(page):
    there = computed(page, [(1e7, -5e6, "none", 1.0, 1.0)], steps=5)[0]
    assert set(there["w"]) == {1e7} and set(there["b"]) == {-5e6}
    assert (cliff_descent(1e7, -5e6, 1.0, "none", 1.0, 5).w == 1e7).all()
    for clip in CLIPS:
        figure = Cliff(w=6.18, b=-3.08, clip=clip, lr=1.0)
        show(page, figure)
        drawing = page.locator("svg").inner_html() + page.locator(".ex-readout").inner_text()
        assert "NaN" not in drawing and "Infinity" not in drawing and "undefined" not in drawing


@pytest.mark.parametrize("options", [{"w": 9.0}, {"b": 0.5}, {"clip": "both"}, {"v": 2.0}, {"lr": 0.0}])
def test_a_figure_that_could_not_be_drawn_is_refused(options):
    with pytest.raises(ValueError, match=f"^{next(iter(options))}: want"):
        Cliff(**options)


def test_the_picture_follows_the_state():
    figure = Cliff()
    first = figure.png()
    figure.clip = "none"
    assert figure.png() != first


BANDS = [0.0005, 0.004, 0.02, 0.05, 0.08, 0.15, 0.25, 0.35, 0.42]
FILLED = """(root, points) => { const bands = [...root.querySelectorAll("path.ex-bar")];
    return points.map(([x, y]) => bands.findIndex(b => b.isPointInFill(new DOMPoint(x, y)))); }"""


def both_axes(figure):
    """The axes of the map, and those of the curves beside it."""
    (x, y), (step, size) = axes(figure.root, log=[False, True])
    return x, y, step, size


@pytest.mark.parametrize("width", [900, 360])
def test_the_map_is_redder_where_the_loss_is_larger(page, width):
    figure = show(page, Cliff(), width)
    x, y, _, _ = both_axes(figure)
    w, b = RNG.uniform(*W, 300), RNG.uniform(*B, 300)
    near = [cliff_loss(w + dw, b + db) for dw in (-0.05, 0, 0.05) for db in (-0.05, 0, 0.05)]
    bands = np.array([np.searchsorted(BANDS, loss, side="right") - 1 for loss in near])
    plain = (bands == bands[0]).all(axis=0)  # not at the border of two bands
    assert plain.sum() > 100 and len({*bands[0][plain]}) > 4
    drawn = np.array(figure.root.evaluate(FILLED, np.stack([x.pixel(w), y.pixel(b)], axis=1).tolist()))
    np.testing.assert_array_equal(drawn[plain], bands[0][plain])
    opacity = figure.root.locator("path.ex-bar").evaluate_all("all => all.map(p => +p.style.fillOpacity)")
    assert opacity == sorted(opacity) and opacity[-1] > 5 * opacity[0]


@pytest.mark.parametrize("clip", CLIPS)
def test_the_paths_and_curves_drawn_are_those_of_the_reference(page, clip):
    w, b, v, lr = 5.4, -2.3, 0.3, 0.2  # a start at which roundings do not decide
    figure = show(page, Cliff(w=w, b=b, clip=clip, v=v, lr=lr))
    x, y, step, size = both_axes(figure)
    named, _ = curves(figure.root)
    roles = {"parameter": clip} | ({} if clip == "none" else {"target": "none"})
    for role, how in roles.items():
        path = cliff_descent(w, b, lr, how, v, STEPS)
        inside = (path.w >= W[0]) & (path.w <= W[1]) & (path.b >= B[0]) & (path.b <= B[1])
        wanted = np.stack([x.pixel(path.w[inside]), y.pixel(path.b[inside])], axis=1)
        np.testing.assert_allclose(dots(figure.root, f".ex-{role}"), wanted, atol=1)
    path, k = cliff_descent(w, b, lr, clip, v, STEPS), np.arange(STEPS + 1)
    lines = {"loss": path.loss, "gradient norm": path.norm, "threshold v": np.full(STEPS + 1, v)}
    if clip != "none":
        lines["loss without clipping"] = cliff_descent(w, b, lr, "none", v, STEPS).loss
    assert set(named) == set(lines)
    for name, ys in lines.items():
        assert_drawn(named[name], k, np.clip(ys, 1.01e-8, 1e6), step, size, (1e-8, 1e6))


def test_the_start_dragged_to_a_point_of_the_map_is_that_point(page):
    figure = show(page, Cliff())
    x, y, _, _ = both_axes(figure)
    for w, b in ((3.6, -2.8), (5.8, -1.1), (4.5, -2.0)):
        figure.pull("start", float(x.pixel(w)), float(y.pixel(b)))
        state = figure.state()
        assert state["w"] == pytest.approx(w, abs=0.021) and state["b"] == pytest.approx(b, abs=0.021)
        spot = figure.root.locator("[data-handle=start]")
        at = [float(spot.get_attribute(name)) for name in ("cx", "cy")]
        np.testing.assert_allclose([x.value(at[0]), y.value(at[1])], [state["w"], state["b"]], atol=0.01)
    figure.pull("start", float(x.pixel(3.3)), float(y.pixel(0.0)))
    assert figure.state()["b"] == B[1]


@pytest.mark.parametrize("clip", CLIPS)
def test_the_readout_counts_the_gradients_that_were_clipped_and_tells_where_the_descent_ends(page, clip):
    figure = show(page, Cliff(w=5.4, b=-2.3, lr=0.2, clip=clip))
    for v in THRESHOLDS:
        said = figure.put(v=v)
        path = cliff_descent(5.4, -2.3, 0.2, clip, v, STEPS)
        count = int((path.norm > v).sum())
        told = re.search(r"Longer than v: (\d+) gradient", said)
        assert int(told.group(1) if told else 0) == (0 if clip == "none" else count)
        loss, largest = re.search(r"steps loss ([^ ,]+?)[.,]? .*Largest gradient ([^ ,]+),", said).groups()
        assert number(loss) == pytest.approx(path.loss[-1], rel=0.06)
        assert number(largest) == pytest.approx(path.norm.max(), rel=0.06)
