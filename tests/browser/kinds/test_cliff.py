"""What the cliff computes in the page equals the reference.

Near the cliff 50 steps multiply a difference in the last bit of one exponential by up to 1.75⁵⁰, and a descent that
meets the cliff goes one way or the other. So gradients are compared at drawn places, and single steps from all places
that the page itself visited, wherever such roundings stay below 1e-7 (that is in more than nine of ten); and whole
descents from those starts from which the reference, begun 10⁻¹² aside, goes the same way.
"""

import numpy as np
import pytest

from companion.core.functions import sigmoid
from companion.figures import Cliff
from companion.figures.kinds.cliff import CLIPS, RATES, STEPS, THRESHOLDS, B, W
from companion.optimization import cliff_descent, cliff_gradient
from companion.optimization.cliff import H0
from companion.optimization.cliff import STEPS as TAU

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
