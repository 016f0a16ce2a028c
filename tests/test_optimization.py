"""Section 10.11 held to torch, to differences, to closed forms and to brute force."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from companion import optimization as opt
from companion.cells.rnn import RNN, rnn_bptt_nodes, rnn_forward, rnn_init
from companion.data import store
from companion.data.tasks import temporal_order
from companion.longterm import draw_weights, jacobians
from companion.longterm.stacks import fresh, stack_states
from companion.optimization.cliff import H0, STEPS, TARGET
from companion.optimization.order import _flow, _rule
from companion.studies import optimization as study
from tests.gradients import assert_agree, assert_gradient, autograd, differences, relative_error

torch.set_num_threads(1)
few = settings(max_examples=20)
seeds = st.integers(0, 2**32 - 1)
thresholds = st.floats(1e-3, 1e3)
RNG = np.random.default_rng(0)


def gradient(seed: int) -> RNN:
    """A drawn gradient of a drawn net, of a drawn size."""
    rng = np.random.default_rng(seed)
    p = rnn_init(*(int(n) for n in rng.integers(1, 5, 3)), rng)
    size = 10 ** rng.uniform(-3, 3)
    return RNN(*(size * rng.standard_normal(v.shape) for v in p))


def in_torch(grads: RNN) -> list[torch.nn.Parameter]:
    """Parameters whose .grad is this gradient."""
    params = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in grads]
    for p, g in zip(params, grads, strict=True):
        p.grad = torch.tensor(g)
    return params


# ---- clipping ----------------------------------------------------------------------------------


@few
@given(seeds, thresholds)
def test_clipping_by_value_is_torchs(seed: int, v: float) -> None:
    g = gradient(seed)
    params = in_torch(g)
    torch.nn.utils.clip_grad_value_(params, v)
    ours = opt.clip_by_value(g, v)
    assert type(ours) is RNN
    for a, p in zip(ours, params, strict=True):
        np.testing.assert_array_equal(a, p.grad.numpy())


@few
@given(seeds, thresholds)
def test_clipping_by_norm_is_torchs_but_for_the_millionth_it_adds_to_the_norm(seed: int, v: float) -> None:
    g = gradient(seed)
    params = in_torch(g)
    norm = torch.nn.utils.clip_grad_norm_(params, v).item()
    assert opt.global_norm(g) == pytest.approx(norm, rel=1e-12)
    ours = opt.clip_by_norm(g, v)
    added = min(1.0, v / (norm + 1e-6)) / min(1.0, v / norm)  # torch divides by ‖g‖ + 1e-6
    for a, p in zip(ours, params, strict=True):
        np.testing.assert_allclose(a * added, p.grad.numpy(), rtol=1e-12)
    assert added == pytest.approx(1, rel=1e-6 / norm + 1e-12)


@few
@given(seeds, thresholds)
def test_clipping_by_norm_keeps_direction_and_never_lengthens(seed: int, v: float) -> None:
    g = gradient(seed)
    clipped = opt.clip_by_norm(g, v)
    assert opt.angle(g, clipped) < 1e-5
    assert opt.global_norm(clipped) == pytest.approx(min(v, opt.global_norm(g)), rel=1e-12)


@few
@given(st.floats(-3, 3), st.floats(0.01, 3), thresholds)
def test_clipping_by_value_turns_a_gradient_towards_the_diagonal(slope: float, size: float, v: float) -> None:
    g = size * np.array([1.0, slope])
    clipped = opt.clip_by_value(g, v)
    turned = np.degrees(np.arctan2(*clipped[::-1])) - np.degrees(np.arctan2(*g[::-1]))
    assert opt.angle(g, clipped) == pytest.approx(abs(turned), abs=1e-5)
    assert (np.sign(clipped) == np.sign(g)).all()
    assert opt.global_norm(clipped) <= np.sqrt(2) * v * (1 + 1e-12)
    if v >= np.abs(g).max():
        np.testing.assert_array_equal(clipped, g)


def test_clipping_by_value_can_turn_a_gradient_by_nearly_half_a_right_angle_in_two_dimensions_and_more_in_many() -> (
    None
):
    assert opt.angle(np.array([1000.0, 1.0]), opt.clip_by_value(np.array([1000.0, 1.0]), 1.0)) == pytest.approx(
        45, abs=0.1
    )
    g = np.ones(10_000)
    g[0] = 1e6
    assert opt.angle(g, opt.clip_by_value(g, 1.0)) > 89


@few
@given(seeds, thresholds)
def test_a_random_step_has_length_v_and_no_preferred_direction(seed: int, v: float) -> None:
    g, rng = gradient(seed), np.random.default_rng(seed)
    steps = [opt.random_step(g, v, rng) for _ in range(200)]
    assert all(opt.global_norm(s) == pytest.approx(v, rel=1e-12) for s in steps)
    flat = np.array([np.concatenate([p.ravel() for p in s]) for s in steps]) / v
    assert np.linalg.norm(flat.mean(axis=0)) < 0.3  # 200 random unit vectors add up to about √200


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("way", ["norm", "value", "random"])
def test_a_gradient_that_is_no_number_becomes_a_random_step_of_length_v(bad: float, way: str) -> None:
    g = gradient(4)
    g.W[0, 0] = bad
    step = opt.tame(g, 0.25, np.random.default_rng(0), way)
    assert type(step) is RNN and all(np.isfinite(s).all() for s in step)
    assert opt.global_norm(step) == pytest.approx(0.25, rel=1e-12)


@few
@given(seeds, thresholds)
def test_taming_a_finite_gradient_is_clipping_or_a_random_step_above_the_threshold(seed: int, v: float) -> None:
    g, rng = gradient(seed), np.random.default_rng(seed)
    for way, f in (("norm", opt.clip_by_norm), ("value", opt.clip_by_value)):
        assert_agree(opt.tame(g, v, rng, way), f(g, v), 0, opt.tame, f.__name__)
    step = opt.tame(g, v, rng, "random")
    if opt.global_norm(g) <= v:
        assert_agree(step, g, 0, opt.tame)
    else:
        assert opt.global_norm(step) == pytest.approx(v, rel=1e-12)
        assert opt.angle(step, g) > 1e-3


def test_norms_of_huge_and_tiny_gradients_do_not_overflow_or_vanish() -> None:
    assert opt.global_norm(np.array([3e200, 4e200])) == pytest.approx(5e200)
    assert opt.global_norm([np.array([3e-200]), np.array([[4e-200]])]) == pytest.approx(5e-200, rel=1e-12, abs=0)
    assert opt.global_norm(np.array([-3e-200, -4e-200])) == pytest.approx(5e-200, rel=1e-12, abs=0)
    np.testing.assert_allclose(opt.clip_by_norm(np.array([3e200, 4e200]), 5.0), [3, 4])
    np.testing.assert_allclose(opt.clip_by_norm(np.full(4, 1.7e308), 1.0), np.full(4, 0.5))
    np.testing.assert_allclose(opt.clip_by_norm(np.full(4, -1.7e308), 1.0), np.full(4, -0.5))
    np.testing.assert_array_equal(opt.clip_by_norm(np.zeros(3), 1.0), np.zeros(3))


def test_a_gradient_within_the_threshold_comes_back_as_a_copy() -> None:
    for cut in (opt.clip_by_norm, opt.clip_by_value, lambda g, v: opt.tame(g, v, RNG, "random")):
        g = gradient(2)
        ours = cut(g, 1e6)
        assert_agree(ours, g, 0, cut)
        assert not any(np.shares_memory(a, b) for a, b in zip(ours, g, strict=True))


@few
@given(seeds)
def test_the_angle_is_the_one_of_the_scalar_product(seed: int) -> None:
    a, b = np.random.default_rng(seed).standard_normal((2, 5))
    assert np.cos(np.radians(opt.angle(a, b))) == pytest.approx(
        a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-12
    )
    assert opt.angle(a, -3 * a) == pytest.approx(180) and opt.angle(a, 2 * a) == pytest.approx(0, abs=1e-12)


# ---- the bias of clipping ----------------------------------------------------------------------


@few
@given(st.floats(-30, 30), st.floats(0, 1), st.integers(1, 6), thresholds)
def test_the_mean_of_two_kinds_of_examples_is_the_one_by_listing_all_minibatches(
    rare: float, share: float, batch: int, v: float
) -> None:
    brute = 0.0
    for kinds in itertools.product((0, 1), repeat=batch):
        weight = np.prod([share if k else 1 - share for k in kinds])
        brute += weight * np.clip(np.mean([rare if k else -1 for k in kinds]), -v, v)
    assert opt.two_point_mean(rare, share, batch, v) == pytest.approx(brute, rel=1e-10, abs=1e-12)


@few
@given(st.floats(-30, 30), st.floats(0, 1), st.integers(1, 50))
def test_without_a_reachable_threshold_the_mean_is_the_true_gradient(rare: float, share: float, batch: int) -> None:
    assert opt.two_point_mean(rare, share, batch, 100.0) == pytest.approx(share * rare - (1 - share), abs=1e-10)


def test_the_mean_clipped_gradient_can_point_the_other_way() -> None:
    true = 0.1 * 20 - 0.9
    assert true > 0 and opt.two_point_mean(20.0, 0.1, 1, 1.0) < -0.75
    assert opt.two_point_mean(20.0, 0.1, 1000, 10.0) == pytest.approx(true, abs=1e-3)


@pytest.mark.parametrize("way", ["norm", "value"])
def test_the_drawn_mean_is_the_exact_one_within_its_noise(way: str) -> None:
    G = np.full((10, 1), -1.0)
    G[0] = 20.0
    for batch in (1, 4, 16):
        drawn = opt.mean_clipped(G, batch, 1.0, np.random.default_rng(batch), way, draws=20_000)
        assert drawn[0] == pytest.approx(opt.two_point_mean(20.0, 0.1, batch, 1.0), abs=0.03)


@few
@given(seeds)
def test_single_examples_far_below_the_threshold_have_an_unbiased_mean(seed: int) -> None:
    G = np.random.default_rng(seed).standard_normal((6, 3))
    drawn = opt.mean_clipped(G, 3, 1e6, np.random.default_rng(seed), draws=4000)
    np.testing.assert_allclose(drawn, G.mean(axis=0), atol=0.15)


@few
@given(seeds)
def test_values_are_clipped_one_by_one_and_norms_whichever_way_the_axes_lie(seed: int) -> None:
    rng = np.random.default_rng(seed)
    G, Q = rng.standard_normal((6, 3)), np.linalg.qr(rng.standard_normal((3, 3)))[0]

    def drawn(G: np.ndarray, way: str) -> np.ndarray:
        return opt.mean_clipped(G, 2, 0.5, np.random.default_rng(seed), way, draws=200)

    each = np.concatenate([drawn(G[:, k : k + 1], "value") for k in range(3)])
    np.testing.assert_allclose(drawn(G, "value"), each, atol=1e-12)
    np.testing.assert_allclose(drawn(G @ Q, "norm"), drawn(G, "norm") @ Q, atol=1e-12)
    assert np.abs(drawn(G, "value") - drawn(G, "norm")).max() > 1e-3


# ---- the cliff ---------------------------------------------------------------------------------


def torch_cliff(at: torch.Tensor) -> torch.Tensor:
    h = torch.tensor(H0, dtype=torch.float64)
    for _ in range(STEPS):
        h = torch.sigmoid(at[0] * h + at[1])
    return (h - TARGET) ** 2


@few
@given(st.floats(0, 8), st.floats(-5, 1))
def test_loss_gradient_and_hessian_of_the_cliff_are_torchs(w: float, b: float) -> None:
    assume(abs(b + w / 2) > 0.02)  # on the wall itself a rounding is multiplied by up to 2^50
    at = torch.tensor([w, b], dtype=torch.float64, requires_grad=True)
    loss = torch_cliff(at)
    (g,) = torch.autograd.grad(loss, at)
    H = torch.autograd.functional.hessian(torch_cliff, at.detach()).numpy()
    ours, ours_g = opt.cliff_gradient(w, b)
    assert float(ours) == pytest.approx(loss.item(), rel=1e-10, abs=1e-15)
    assert float(opt.cliff_loss(w, b)) == float(ours)
    np.testing.assert_allclose(ours_g, g.numpy(), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(opt.cliff_hessian(w, b), H, rtol=1e-7, atol=1e-10)


@few
@given(st.floats(2, 5), st.floats(-4, 0))
def test_gradient_and_hessian_of_the_cliff_are_differences(w: float, b: float) -> None:
    assume(abs(b + w / 2) > 0.2)
    at = np.array([w, b])
    g = differences(lambda z: opt.cliff_loss(*z), at)
    np.testing.assert_allclose(opt.cliff_gradient(w, b)[1], g, rtol=1e-5, atol=1e-6)
    H = differences(lambda z: opt.cliff_gradient(*z)[1], at)
    np.testing.assert_allclose(opt.cliff_hessian(w, b), H, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("w", [5.0, 6.0, 7.0])
def test_the_cliff_stands_at_minus_half_w_and_its_slope_is_a_power_of_fifty(w: float) -> None:
    high, low = opt.cliff_loss(w, -w / 2 - 1e-3), opt.cliff_loss(w, -w / 2 + 1e-3)
    assert high > 0.3 and low < 0.1
    h = opt.cliff_gradient(w, -w / 2)  # h stays at ½ all along, and every step multiplies by w / 4
    closed = 2 * (0.5 - TARGET) * 0.25 * np.sum((w / 4) ** np.arange(STEPS))
    assert h[1][1] == pytest.approx(closed, rel=1e-6)
    assert h[1][0] == pytest.approx(closed / 2, rel=1e-6)


def test_below_a_weight_of_four_there_is_no_cliff() -> None:
    b = np.linspace(-4, 0, 401)
    steepest = [np.abs(opt.cliff_gradient(np.full(401, w), b)[1][1]).max() for w in (3.0, 3.6, 6.0)]
    assert steepest[0] < 1 and steepest[1] < 5 and steepest[2] > 1e3


@few
@given(st.floats(3, 7), st.floats(-4, -1), st.sampled_from(["none", "value", "norm"]), st.floats(0.01, 3))
def test_a_descent_is_its_steps_taken_one_by_one(w: float, b: float, clip: str, v: float) -> None:
    path = opt.cliff_descent(w, b, 0.3, clip, v, steps=6)
    assert all(len(column) == 7 for column in path)
    cut = {"none": lambda g, v: g, "value": opt.clip_by_value, "norm": opt.clip_by_norm}[clip]
    for k in range(6):
        loss, g = opt.cliff_gradient(path.w[k], path.b[k])
        assert loss == path.loss[k] and np.linalg.norm(g) == pytest.approx(path.norm[k], rel=1e-12)
        step = 0.3 * cut(g, v)
        assert path.w[k + 1] == pytest.approx(path.w[k] - step[0], rel=1e-10)
        assert path.b[k + 1] == pytest.approx(path.b[k] - step[1], rel=1e-10)


def test_with_clipping_no_jump_is_longer_than_the_rate_allows_and_without_it_is() -> None:
    w, b = np.random.default_rng(0).uniform([[3], [-4]], [[7], [-1]], (2, 60))
    for clip, longest in (("norm", 0.3), ("value", 0.3 * np.sqrt(2)), ("random", 0.3)):
        path = opt.cliff_descent(w, b, 0.3, clip, 1.0, 80, np.random.default_rng(1))
        assert np.hypot(np.diff(path.w, axis=0), np.diff(path.b, axis=0)).max() <= longest * (1 + 1e-9)
    path = opt.cliff_descent(w, b, 0.3, "none", 1.0, 80)
    assert np.hypot(np.diff(path.w, axis=0), np.diff(path.b, axis=0)).max() > 3


def test_descents_at_several_rates_at_once_are_those_at_each_rate() -> None:
    w, b = np.random.default_rng(0).uniform([[3], [-4]], [[7], [-1]], (2, 8))
    together = opt.cliff_descent(w, b, np.array([[0.1], [1.0]]), "norm", 1.0, 30)
    for row, lr in enumerate((0.1, 1.0)):
        for many, alone in zip(together, opt.cliff_descent(w, b, lr, "norm", 1.0, 30), strict=True):
            np.testing.assert_allclose(many[:, row], alone, rtol=1e-12)


def test_a_descent_whose_gradient_overflows_stands_still() -> None:
    path = opt.cliff_descent(np.array([1e7, 5.0]), np.array([-5e6, -1.5]), 0.1, steps=3)
    assert (path.w[:, 0] == 1e7).all() and not np.isfinite(path.norm[:, 0]).any()
    assert len(set(path.w[:, 1])) == 4


# ---- the information-flow penalty ---------------------------------------------------------------


def flow_case(seed: int) -> tuple[RNN, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n_x, n_h, n_o, tau = (int(v) for v in rng.integers([1, 1, 2, 1], [4, 6, 4, 9]))
    p = rnn_init(n_x, n_h, n_o, rng, radius=rng.uniform(0.5, 1.5))
    p = p._replace(b=0.3 * rng.standard_normal(n_h), c=rng.standard_normal(n_o))
    return p, rng.standard_normal((tau, n_x)), rng.integers(0, n_o, tau)


def torch_omega(p: RNN, x: np.ndarray, y: np.ndarray, vectors: str, states: str) -> torch.Tensor:
    """Ω written with torch alone: Jacobians by autograd, gradients by autograd, detached where asked."""
    h = [torch.zeros(len(p.b), dtype=torch.float64, requires_grad=True)]
    total = torch.zeros((), dtype=torch.float64)
    for t in range(len(x)):
        h.append(torch.tanh(p.W @ h[-1] + p.U @ torch.tensor(x[t]) + p.b))
        total = total + torch.nn.functional.cross_entropy(p.V @ h[-1] + p.c, torch.tensor(y[t]))
    g = torch.autograd.grad(total, h, create_graph=vectors == "moving", retain_graph=True)
    value = torch.zeros((), dtype=torch.float64)
    for t in range(1, len(x) + 1):
        state = h[t].detach() if states == "fixed" else h[t]
        vector = g[t] if vectors == "moving" else g[t].detach()
        J = (1 - state**2)[:, None] * p.W
        value = value + ((vector @ J).norm() / vector.norm() - 1) ** 2
    return value


@few
@given(seeds, st.sampled_from(["fixed", "moving"]))
def test_the_gradient_of_omega_by_hand_is_torchs_with_the_vectors_detached(seed: int, states: str) -> None:
    p, x, y = flow_case(seed)
    run, g_h = rnn_forward(p, x), rnn_bptt_nodes(p, x, y).h
    value, theirs = autograd(lambda q: torch_omega(q, x, y, "fixed", states), p)
    assert opt.omega(p, run, g_h) == pytest.approx(value, rel=1e-10)
    assert_agree(opt.omega_gradient(p, x, run, g_h, states), theirs, 1e-8, opt.omega_gradient)


@settings(max_examples=8)
@given(seeds)
def test_the_gradient_of_omega_is_that_of_differences_at_every_index(seed: int) -> None:
    p, x, y = flow_case(seed)
    run, g_h = rnn_forward(p, x), rnn_bptt_nodes(p, x, y).h
    losses = {"moving": lambda q: opt.omega(q, rnn_forward(q, x), g_h), "fixed": lambda q: opt.omega(q, run, g_h)}
    for states, loss in losses.items():
        assert_gradient(opt.omega_gradient, loss, p, opt.omega_gradient(p, x, run, g_h, states))


def test_the_gradient_through_the_vectors_too_is_another_one() -> None:
    angles = []
    for seed in range(10):
        p, x, y = flow_case(seed)
        if len(x) < 3 or len(p.b) < 2:
            continue
        q = RNN(*(torch.tensor(v, requires_grad=True) for v in p))
        full = torch.autograd.grad(torch_omega(q, x, y, "moving", "moving"), q.W)[0].numpy()
        angles.append(opt.angle(full, opt.omega_gradient(p, x, rnn_forward(p, x), rnn_bptt_nodes(p, x, y).h).W))
    assert len(angles) >= 4 and max(angles) > 5


@few
@given(seeds, st.floats(0.3, 1.5), st.integers(1, 8))
def test_without_tanh_slopes_an_orthogonal_matrix_times_r_has_the_ratio_r_everywhere(
    seed: int, r: float, tau: int
) -> None:
    rng = np.random.default_rng(seed)
    W = draw_weights(4, rng, r, "orthogonal")
    p = RNN(np.zeros((4, 1)), W, np.eye(4), np.zeros(4), np.zeros(4))
    run = rnn_forward(p, np.zeros((tau, 1)))  # rest: every slope is 1
    g_h = rng.standard_normal((tau + 1, 4))
    np.testing.assert_allclose(opt.flow_ratios(p, run, g_h), r, rtol=1e-10)
    assert opt.omega(p, run, g_h) == pytest.approx(tau * (r - 1) ** 2, abs=1e-12)


@few
@given(seeds)
def test_with_one_loss_at_the_end_the_ratios_multiply_to_what_is_left_of_the_gradient(seed: int) -> None:
    p, x, _ = flow_case(seed)
    run = rnn_forward(p, x)
    g_h, J = np.zeros_like(run.h), jacobians(p, run)
    g_h[-1] = np.random.default_rng(seed).standard_normal(len(p.b))
    for t in range(len(x), 0, -1):
        g_h[t - 1] = g_h[t] @ J[t - 1]
    left = np.linalg.norm(g_h[0]) / np.linalg.norm(g_h[-1])
    assert np.prod(opt.flow_ratios(p, run, g_h)) == pytest.approx(left, rel=1e-10)


@few
@given(seeds)
def test_a_small_step_against_its_gradient_lowers_omega(seed: int) -> None:
    p, x, y = flow_case(seed)
    run, g_h = rnn_forward(p, x), rnn_bptt_nodes(p, x, y).h
    g = opt.omega_gradient(p, x, run, g_h)
    assume(opt.global_norm(g) > 1e-6)
    there = p._replace(W=p.W - 1e-5 * g.W / opt.global_norm(g))
    assert opt.omega(there, run, g_h) < opt.omega(p, run, g_h)


def test_where_no_gradient_arrives_omega_asks_for_nothing() -> None:
    p, x, _ = flow_case(2)
    run = rnn_forward(p, x)
    silent = np.zeros_like(run.h)
    assert opt.omega(p, run, silent) == 0
    for states in ("fixed", "moving"):
        assert all((g == 0).all() for g in opt.omega_gradient(p, x, run, silent, states))


# ---- second-order steps ------------------------------------------------------------------------


@few
@given(st.floats(0.5, 1.2), st.integers(2, 60))
def test_the_derivatives_of_a_product_are_torchs(w: float, tau: int) -> None:
    at = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    loss = 0.5 * (at**tau - 1) ** 2
    (g,) = torch.autograd.grad(loss, at, create_graph=True)
    (H,) = torch.autograd.grad(g, at)
    ours = opt.product(w, tau)
    np.testing.assert_allclose(ours[:3], [loss.item(), g.item(), H.item()], rtol=1e-8, atol=1e-12)
    assert ours.gauss_newton == pytest.approx((tau * w ** (tau - 1)) ** 2, rel=1e-10)


@few
@given(st.floats(0.3, 0.8), st.integers(40, 80))
def test_gradient_and_curvature_vanish_together_and_their_ratio_does_not(w: float, tau: int) -> None:
    out = opt.product(w, tau)
    assert abs(out.gradient) < 0.02 and abs(out.curvature) < 1 and out.curvature < 0
    assert out.gradient / out.curvature == pytest.approx(w / (tau - 1), rel=0.01)


@few
@given(seeds, st.integers(1, 6), st.floats(0, 2))
def test_a_newton_step_solves_its_equation_and_a_saddle_free_one_goes_downhill(
    seed: int, n: int, damping: float
) -> None:
    rng = np.random.default_rng(seed)
    A, g = rng.standard_normal((n, n)), rng.standard_normal(n)
    H = A + A.T
    newton = opt.curved_step(g, H, "newton", damping)
    np.testing.assert_allclose((H + damping * np.eye(n)) @ newton, -g, rtol=1e-6, atol=1e-8)
    assert opt.curved_step(g, H, "saddle-free", damping) @ g < 0
    positive = A @ A.T + 0.1 * np.eye(n)
    np.testing.assert_allclose(
        opt.curved_step(g, positive, "newton", damping), opt.curved_step(g, positive, "saddle-free", damping), rtol=1e-6
    )


def test_newton_is_drawn_to_a_saddle_and_saddle_free_newton_is_not() -> None:
    H, x = np.diag([2.0, -2.0]), np.array([0.5, 0.1])  # f = x² − y², the saddle is the origin
    np.testing.assert_allclose(x + opt.curved_step(H @ x, H, "newton"), [0, 0], atol=1e-12)
    np.testing.assert_allclose(x + opt.curved_step(H @ x, H, "saddle-free"), [0, 0.2], atol=1e-12)


@few
@given(st.floats(3, 7), st.floats(-4, -1))
def test_a_damped_descent_on_the_cliff_never_goes_up(w: float, b: float) -> None:
    def f(at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        loss, g = opt.cliff_gradient(*at)
        return float(loss), g, opt.cliff_hessian(*at)

    assume(abs(b + w / 2) > 0.02)
    out = opt.damped_descent(f, np.array([w, b]), 15)
    assert (np.diff(out.loss) < 0).all() and len(out.at) == len(out.loss) <= 16 and out.trials >= len(out.loss)


def test_least_squares_is_solved_by_one_gauss_newton_step_when_hardly_damped() -> None:
    A, y = RNG.standard_normal((8, 3)), RNG.standard_normal(8)

    def f(x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        rest = A @ x - y
        return float(rest @ rest) / 2, A.T @ rest, A.T @ A

    out = opt.damped_descent(f, np.zeros(3), 1, "newton", damping=1e-10)
    np.testing.assert_allclose(out.at[-1], np.linalg.lstsq(A, y, rcond=None)[0], rtol=1e-6)


# ---- the temporal order task -------------------------------------------------------------------


def test_a_stack_answers_and_is_penalised_as_its_nets_are_one_by_one() -> None:
    rng = np.random.default_rng(7)
    p = opt.order_init(3, 5, rng)
    q = RNN(*(torch.tensor(v) for v in p))
    x, g = rng.standard_normal((3, 2, 11, 6)), rng.standard_normal((12, 3, 2, 5))
    h = stack_states(q, torch.tensor(x))
    flow = _flow(q.W, torch.stack(h[1:]), torch.tensor(g[1:])).numpy()
    for net in range(3):
        one, omegas = RNN(*(v[net] for v in p)), []
        for row in range(2):
            run = rnn_forward(one, x[net, row])
            np.testing.assert_allclose([v[net, row].numpy() for v in h], run.h, rtol=1e-10, atol=1e-12)
            omegas.append(opt.omega(one, run, g[:, net, row]))
        assert flow[net] == pytest.approx(np.mean(omegas), rel=1e-10)


def stack_of(grads: list[torch.Tensor]) -> torch.nn.ParameterList:
    """A stack whose gradients are these."""
    stack = torch.nn.ParameterList(torch.zeros_like(g) for g in grads)
    for w, g in zip(stack, grads, strict=True):
        w.grad = g.clone()
    return stack


@few
@given(seeds, st.floats(0.1, 10))
def test_each_net_of_a_stack_steps_by_its_own_norm(seed: int, v: float) -> None:
    grads = [gradient(seed + k)._replace(U=np.zeros((2, 2)), W=np.zeros((2, 2)), V=np.ones((1, 2))) for k in range(3)]
    grads = [RNN(g.U, g.W, g.V * (k + 1), np.full(2, 3.0 * k), np.zeros(1)) for k, g in enumerate(grads)]
    together = [torch.tensor(np.stack(parts)) for parts in zip(*grads, strict=True)]
    draws = torch.Generator().manual_seed(seed % 2**31)
    for rule in ("plain", "clip", "random"):
        stack, norms = stack_of(together), []
        _rule(rule, v, np.ones(3), draws, norms)(stack)
        steps = [w.grad.numpy() for w in stack]
        for net, g in enumerate(grads):
            assert norms[0][net].item() == pytest.approx(opt.global_norm(g), rel=1e-12)
            mine = RNN(*(s[net] for s in steps))
            if rule == "plain" or opt.global_norm(g) <= v:
                assert_agree(mine, g, 1e-12, rule)
            elif rule == "clip":
                assert_agree(mine, opt.clip_by_norm(g, v), 1e-12, rule)
            else:
                assert opt.global_norm(mine) == pytest.approx(v, rel=1e-9) and opt.angle(mine, g) > 0.01


def test_a_net_whose_gradient_is_no_number_stands_still_and_the_others_go_on() -> None:
    g = [torch.tensor([[1.0, 2.0], [np.inf, 0.0], [np.nan, 1.0]])]
    for rule in ("plain", "clip", "random"):
        stack, norms = stack_of(g), []
        assert _rule(rule, 100.0, np.ones(3), torch.Generator(), norms)(stack).item() == pytest.approx(np.sqrt(5))
        np.testing.assert_array_equal(stack[0].grad.numpy(), [[1, 2], [0, 0], [0, 0]])
        np.testing.assert_array_equal(norms[0].isfinite(), [True, False, False])


def test_training_goes_on_past_a_net_that_broke() -> None:
    p = opt.order_init(3, 4, np.random.default_rng(0))
    p = p._replace(V=p.V * np.array([1.0, 1e25, 1.0])[:, None, None])  # its gradient's square is no float32
    out = opt.order_train(p, 12, np.random.default_rng(1), "clip", updates=3)
    assert out.broken.tolist() == [False, True, False]
    assert np.isnan(out.norms[:, 1]).all() and np.isfinite(out.norms[:, ::2]).all()
    moved = np.abs(out.p.U - p.U.astype(np.float32)).max(axis=(1, 2))
    assert moved[1] == 0 < min(moved[0], moved[2])


@pytest.mark.parametrize(
    ("rule", "flow", "lr"),
    [
        *(("plain", 0.0, 0.5), ("clip", 0.0, 0.5), ("random", 0.0, 0.5), ("clip", 0.5, 0.5)),
        *(("clip", (2.0, 0.0), 0.5), ("plain", 0.0, (0.5, 0.1))),
    ],
)
def test_one_update_of_a_stack_is_one_step_along_the_gradient_by_hand(
    rule: str, flow: float | tuple, lr: float | tuple
) -> None:
    from companion.recurrent import summary_bptt

    p, v = opt.order_init(2, 4, np.random.default_rng(1)), 0.02
    rng = np.random.default_rng(2)
    rng.integers(2**31)  # the seed of the random steps comes first
    x, y = (d.numpy() for d in fresh(temporal_order, 2, 12, 3, rng, torch.float32))
    out = opt.order_train(p, 12, np.random.default_rng(2), rule, v, flow, updates=1, batch=3, lr=lr)
    for net, (weight, rate) in enumerate(zip(np.broadcast_to(flow, 2), np.broadcast_to(lr, 2), strict=True)):
        one = RNN(*(w[net] for w in p))
        g = RNN(*map(np.zeros_like, one))
        for row in range(3):
            parts = [summary_bptt(one, x[net, row], int(y[net, row]))]
            if weight:
                run = rnn_forward(one, x[net, row])
                o = run.yhat[-1] - np.eye(4)[y[net, row]]
                g_h, J = np.zeros_like(run.h), jacobians(one, run)
                g_h[-1] = one.V.T @ o
                for t in range(12, 0, -1):
                    g_h[t - 1] = g_h[t] @ J[t - 1]
                parts.append(RNN(*(weight * d for d in opt.omega_gradient(one, x[net, row], run, g_h))))
            g = RNN(*(a + sum(part) / 3 for a, *part in zip(g, *parts, strict=True)))
        assert out.norms[0, net] == pytest.approx(opt.global_norm(g), rel=1e-4)
        assert opt.global_norm(g) > v
        step = RNN(*((a[net] - w[net]) / -rate for a, w in zip(out.p, p, strict=True)))
        if rule == "random":
            assert opt.global_norm(step) == pytest.approx(v, rel=1e-3) and opt.angle(step, g) > 20
        else:
            wanted = opt.clip_by_norm(g, v) if rule == "clip" else g
            assert max(relative_error(a, b) for a, b in zip(step, wanted, strict=True)) < 1e-3


def test_training_changes_copies_only_and_learns_ten_steps() -> None:
    rng = np.random.default_rng(0)
    p = opt.order_init(4, 30, rng)
    before = [v.copy() for v in p]
    out = opt.order_train(p, 10, rng, lr=0.3, updates=400)
    assert all(np.array_equal(a, b) for a, b in zip(p, before, strict=True))
    assert out.norms.shape == (400, 4) and not out.broken.any()
    assert (opt.order_accuracy(out.p, 10, rng) > 0.95).all()


def test_the_stored_record_has_every_setting() -> None:
    rows = store.rows("optimization")
    by_kind = {(r["kind"], r["length"], r["rate"]) for r in rows if r["v"] == 1.0 and r["updates"] == 2000}
    names = ("plain", "clip", "random", "plain + Ω", "clip + Ω")
    assert by_kind == set(itertools.product(names, (10, 20, 30, 40), (0.03, 0.1, 0.3)))
    for rule, values in (("clip", (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)), ("random", (0.1, 1.0, 10.0))):
        by_v = {(r["rate"], r["v"]) for r in rows if r["kind"] == rule and r["length"] == 20}
        assert by_v == set(itertools.product((0.03, 0.1, 0.3), values))
    assert sum(r["updates"] == 6000 for r in rows) == 1 and all(len(r["accuracy"]) == 20 for r in rows)


@pytest.mark.slow
def test_a_stored_row_comes_out_again() -> None:
    (stored,) = store.rows("optimization", kind="clip", length=10, rate=0.3)
    again = study.run(study.descent(study.SETTINGS, "clip", 10, 0.3), study.SETTINGS, "cpu")["accuracy"]
    assert abs(sum(a >= 0.99 for a in again) - sum(a >= 0.99 for a in stored["accuracy"])) <= 1


def test_importing_the_section_does_not_import_torch() -> None:
    code = "import sys, companion.optimization; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- bad input ---------------------------------------------------------------------------------

P, X, Y = flow_case(5)
RUN, G_H = rnn_forward(P, X), rnn_bptt_nodes(P, X, Y).h
STACK = opt.order_init(2, 3, RNG)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("v", lambda: opt.clip_by_norm(np.ones(2), 0)),
        ("v", lambda: opt.clip_by_norm(np.ones(2), -1.0)),
        ("v", lambda: opt.clip_by_value(np.ones(2), np.nan)),
        ("v", lambda: opt.clip_by_value(np.ones(2), "1")),
        ("v", lambda: opt.random_step(np.ones(2), 0.0, RNG)),
        ("v", lambda: opt.tame(np.ones(2), -2, RNG)),
        ("way", lambda: opt.tame(np.ones(2), 1.0, RNG, "both")),
        ("rng", lambda: opt.tame(np.ones(2), 1.0, 3)),
        ("rng", lambda: opt.random_step(np.ones(2), 1.0, None)),
        ("grads", lambda: opt.clip_by_norm(np.array([1.0, np.nan]), 1.0)),
        ("grads[1]", lambda: opt.clip_by_value([np.ones(2), np.array([np.inf])], 1.0)),
        ("grads", lambda: opt.global_norm(np.zeros(0))),
        ("grads", lambda: opt.global_norm([])),
        ("grads", lambda: opt.global_norm("words")),
        ("grads[1]", lambda: opt.global_norm([np.ones(2), np.array(["words"])])),
        ("grads.W", lambda: opt.clip_by_norm(P._replace(W=P.W * np.nan), 1.0)),
        ("other[1]", lambda: opt.angle([np.ones(1), np.ones(1)], [np.ones(1), np.full(1, np.nan)])),
        ("other", lambda: opt.angle(np.ones(2), np.ones(3))),
        ("g, other", lambda: opt.angle(np.ones(2), np.zeros(2))),
        ("share", lambda: opt.two_point_mean(3.0, 1.5, 2, 1.0)),
        ("batch", lambda: opt.two_point_mean(3.0, 0.5, 0, 1.0)),
        ("batch", lambda: opt.two_point_mean(3.0, 0.5, 1001, 1.0)),
        ("rare", lambda: opt.two_point_mean(np.inf, 0.5, 1, 1.0)),
        ("v", lambda: opt.two_point_mean(3.0, 0.5, 1, 0.0)),
        ("G", lambda: opt.mean_clipped(np.ones(3), 2, 1.0, RNG)),
        ("G", lambda: opt.mean_clipped(np.full((2, 2), np.nan), 2, 1.0, RNG)),
        ("way", lambda: opt.mean_clipped(np.ones((3, 2)), 2, 1.0, RNG, "random")),
        ("draws", lambda: opt.mean_clipped(np.ones((3, 2)), 2, 1.0, RNG, draws=0)),
        ("batch", lambda: opt.mean_clipped(np.ones((3, 2)), 1.5, 1.0, RNG)),
        ("w", lambda: opt.cliff_loss(np.nan, 1.0)),
        ("b", lambda: opt.cliff_loss(np.ones(2), np.ones(3))),
        ("w", lambda: opt.cliff_hessian(np.inf, 0.0)),
        ("lr", lambda: opt.cliff_descent(5.0, -2.0, 0)),
        ("lr", lambda: opt.cliff_descent(np.full(2, 5.0), -2.0, np.full(3, 0.1))),
        ("clip", lambda: opt.cliff_descent(5.0, -2.0, 0.1, "both")),
        ("v", lambda: opt.cliff_descent(5.0, -2.0, 0.1, "norm", -1.0)),
        ("steps", lambda: opt.cliff_descent(5.0, -2.0, 0.1, steps=0)),
        ("rng", lambda: opt.cliff_descent(5.0, -2.0, 0.1, "random")),
        ("p", lambda: opt.omega("net", RUN, G_H)),
        ("g_h", lambda: opt.omega(P, RUN, G_H[1:])),
        ("g_h", lambda: opt.flow_ratios(P, RUN, np.full_like(G_H, np.nan))),
        ("x", lambda: opt.omega_gradient(P, X[1:], RUN, G_H)),
        ("states", lambda: opt.omega_gradient(P, X, RUN, G_H, "held")),
        ("w", lambda: opt.product(0.0, 5)),
        ("tau", lambda: opt.product(0.5, 1)),
        ("w", lambda: opt.product(1e308, 10)),
        ("w", lambda: opt.product(1.5e154, 2)),
        ("H", lambda: opt.curved_step(np.ones(2), np.ones((2, 3)))),
        ("H", lambda: opt.curved_step(np.ones(2), np.array([[1.0, 2.0], [0.0, 1.0]]))),
        ("H", lambda: opt.curved_step(np.ones(2), np.zeros((2, 2)))),
        ("kind", lambda: opt.curved_step(np.ones(1), np.eye(1), "gauss")),
        ("damping", lambda: opt.curved_step(np.ones(1), np.eye(1), damping=-1)),
        ("damping", lambda: opt.damped_descent(lambda x: (0.0, x, np.eye(1)), np.ones(1), 1, damping=0)),
        ("steps", lambda: opt.damped_descent(lambda x: (0.0, x, np.eye(1)), np.ones(1), 0)),
        ("nets", lambda: opt.order_init(0, 3, RNG)),
        ("rng", lambda: opt.order_init(1, 3, 0)),
        ("length", lambda: opt.order_train(STACK, 9, RNG)),
        ("rule", lambda: opt.order_train(STACK, 10, RNG, "value")),
        ("v", lambda: opt.order_train(STACK, 10, RNG, v=0)),
        ("flow", lambda: opt.order_train(STACK, 10, RNG, flow=-1)),
        ("flow", lambda: opt.order_train(STACK, 10, RNG, flow=np.ones(len(STACK.b) + 1))),
        ("batch", lambda: opt.order_train(STACK, 10, RNG, batch=0)),
        ("updates", lambda: opt.order_train(STACK, 10, RNG, updates=0)),
        ("lr", lambda: opt.order_train(STACK, 10, RNG, lr=0.0)),
        ("lr", lambda: opt.order_train(STACK, 10, RNG, lr=np.ones(len(STACK.b) + 1))),
        ("rng", lambda: opt.order_train(STACK, 10, 1)),
        ("p", lambda: opt.order_accuracy(None, 10, RNG)),
        ("p.W", lambda: opt.order_accuracy(STACK._replace(W=np.ones((2, 3, 2))), 10, RNG)),
        ("n", lambda: opt.order_accuracy(STACK, 10, RNG, 0)),
    ],
)
def test_bad_arguments_are_named(name: str, call) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(name)}: want"):
        call()
