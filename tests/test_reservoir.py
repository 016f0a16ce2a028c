"""Section 10.8: reservoirs against reservoirpy, torch, scipy, closed forms and loops written out."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reservoirpy.nodes import Reservoir as LibraryReservoir
from reservoirpy.nodes import Ridge as LibraryRidge
from scipy.integrate import solve_ivp
from scipy.linalg import solve_discrete_lyapunov

from companion.cells.echo import Reservoir, esn_states, many_states
from companion.cells.rnn import RNN, rnn_forward
from companion.core.scan import reverse_scan, scan
from companion.data import store
from companion.longterm import draw_weights, fitted_slope, log_product_norms, spectral_radius, step_jacobians
from companion.reservoir import (
    Liquid,
    Readout,
    contraction,
    esn_init,
    esn_jacobians,
    free_run,
    liquid_accuracy,
    liquid_init,
    liquid_spikes,
    lyapunov_exponent,
    mackey_glass,
    memory_curve,
    memory_of_linear,
    narma10,
    normal_equations,
    nrmse,
    readout,
    ridge_fit,
    sparse_weights,
    spike_patterns,
    spike_trace,
)
from companion.reservoir.modules import TrainedReservoir, adding_start, narma_start
from companion.reservoir.trials import draw_narma, forecast_errors, narma_error
from tests.gradients import assert_gradient, differences, relative_error

few = settings(max_examples=15)
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 8)


activations = st.sampled_from(["tanh", "linear"])
TORCH = {"tanh": torch.tanh, "linear": lambda a: a}


def drawn(n_x, n_h, tau, seed, radius=0.9, scale=1.0, alpha=0.3, activation="tanh"):
    rng = np.random.default_rng(seed)
    p = esn_init(n_x, n_h, rng, radius, scale=scale, bias=0.5, alpha=alpha, activation=activation)
    return p, rng.uniform(-1, 1, (tau, n_x)), rng


# The states


@few
@given(sizes, sizes, st.integers(1, 40), seeds, st.floats(0, 1), st.floats(0, 3), st.floats(0, 3))
def test_states_are_those_of_reservoirpy_whose_leaking_rate_is_the_share_replaced(
    n_x, n_h, tau, seed, alpha, radius, scale
):
    p, x, _ = drawn(n_x, n_h, tau, seed, radius, scale, alpha)
    library = LibraryReservoir(W=p.W, Win=p.U, bias=p.b, lr=1 - alpha)
    assert np.abs(esn_states(p, x)[1:] - library.run(x)).max() <= 1e-10


@few
@given(sizes, sizes, st.integers(1, 20), seeds)
def test_without_a_leak_the_states_are_those_of_the_plain_net_to_the_last_bit(n_x, n_h, tau, seed):
    p, x, rng = drawn(n_x, n_h, tau, seed, alpha=0.0)
    plain = rnn_forward(RNN(p.U, p.W, np.ones((1, n_h)), p.b, np.zeros(1)), x, h0 := rng.uniform(-1, 1, n_h))
    np.testing.assert_array_equal(esn_states(p, x, h0), plain.h)


@pytest.mark.parametrize("activation", ["tanh", "linear"])
@pytest.mark.parametrize("own", [False, True])
def test_reservoirs_side_by_side_have_the_states_that_each_has_alone(activation: str, own: bool) -> None:
    rng = np.random.default_rng(4)
    nets = [esn_init(2, 7, rng, 0.8, bias=0.3, alpha=alpha, activation=activation) for alpha in (0.0, 0.3, 0.9)]
    x, h0 = rng.standard_normal((3, 40, 2) if own else (40, 2)), rng.uniform(-1, 1, (3, 7))
    alone = [esn_states(p, *row) for p, *row in zip(nets, x if own else [x] * 3, h0, strict=True)]
    np.testing.assert_allclose(many_states(nets, x, h0), alone, rtol=0, atol=1e-13)
    np.testing.assert_allclose(many_states(nets[:1], x[:1] if own else x)[0], esn_states(nets[0], x[0] if own else x))
    with pytest.raises(ValueError, match="nets: want reservoirs of one size"):
        many_states([nets[0], esn_init(2, 6, rng)], x)


@few
@given(sizes, st.integers(1, 20), seeds, st.floats(0, 1))
def test_linear_states_are_sums_over_past_inputs(n_h, tau, seed, alpha):
    p, x, rng = drawn(1, n_h, tau, seed, alpha=alpha, activation="linear")
    h0, M = rng.normal(size=n_h), alpha * np.eye(n_h) + (1 - alpha) * p.W
    push = (1 - alpha) * (x @ p.U.T + p.b)
    closed = np.linalg.matrix_power(M, tau) @ h0
    closed += sum(np.linalg.matrix_power(M, tau - t) @ push[t - 1] for t in range(1, tau + 1))
    assert np.allclose(esn_states(p, x, h0)[-1], closed, rtol=1e-9, atol=1e-12)


@few
@given(sizes, st.integers(1, 6), seeds, st.floats(0, 1), activations)
def test_the_step_backward_is_torchs_and_that_of_differences(n_h, tau, seed, alpha, activation):
    p, x, rng = drawn(2, n_h, tau, seed, alpha=alpha, activation=activation)
    h0, weights = rng.normal(size=n_h), rng.normal(size=(tau, n_h))  # the loss is Σ weights ⊙ h
    run = scan(p, (h0,), x)
    a, h = reverse_scan(p, run, h=weights)
    grad = (p._replace(U=a.T @ x, W=a.T @ run.h[:-1], b=a.sum(axis=0)), h[0])

    def by_torch(q):
        (U, W, b, *_), h = q
        loss = 0.0
        for x_t, w_t in zip(torch.tensor(x), torch.tensor(weights), strict=True):
            h = alpha * h + (1 - alpha) * TORCH[activation](W @ h + U @ x_t + b)
            loss = loss + (w_t * h).sum()
        return loss

    assert_gradient(
        "Reservoir.back", lambda q: (weights * esn_states(q[0], x, q[1])[1:]).sum(), (p, h0), grad, by_torch
    )


@few
@given(st.integers(10, 40), seeds, st.floats(0.01, 4), st.floats(0.4, 1))
def test_drawn_matrices_have_the_radius_and_about_the_density_that_were_asked_for(n_h, seed, radius, density):
    W = sparse_weights(n_h, np.random.default_rng(seed), radius, density)
    assert np.isclose(spectral_radius(W), radius, rtol=1e-9)
    assert abs((W != 0).mean() - density) <= 6 * np.sqrt(density * (1 - density)) / n_h
    assert not sparse_weights(n_h, np.random.default_rng(seed), 0.0, density).any()


@few
@given(sizes, st.integers(1, 6), seeds, st.floats(0, 1), activations)
def test_jacobians_are_those_of_torch_and_of_differences(n_h, tau, seed, alpha, activation):
    p, x, rng = drawn(2, n_h, tau, seed, alpha=alpha, activation=activation)
    phi = TORCH[activation]
    h = esn_states(p, x, rng.uniform(-1, 1, n_h))
    J = esn_jacobians(p, x, h)
    U, W, b = (torch.tensor(v) for v in p[:3])
    for t in range(tau):
        step = lambda g, t=t: alpha * g + (1 - alpha) * phi(b + W @ g + U @ torch.tensor(x[t]))  # noqa: E731
        theirs = torch.autograd.functional.jacobian(step, torch.tensor(h[t])).numpy()
        assert relative_error(J[t], theirs) <= 1e-10 or np.abs(J[t] - theirs).max() < 1e-12
    numeric = differences(lambda g: esn_states(p, x[-1:], g)[1], h[tau - 1]).T
    assert np.abs(J[-1] - numeric).max() <= 1e-6


def test_jacobians_without_a_leak_are_those_of_section_10_7():
    p, x, _ = drawn(1, 6, 12, 3, alpha=0.0)
    h = esn_states(p, x)
    assert np.allclose(esn_jacobians(p, x, h), step_jacobians(p.W, h), rtol=1e-9)


# The echo state property


@few
@given(sizes, st.integers(1, 30), seeds, st.floats(0, 1), st.floats(0, 3), st.floats(0, 10))
def test_no_input_lets_two_states_part_faster_than_the_contraction_factor(n_h, tau, seed, alpha, radius, scale):
    p, x, rng = drawn(1, n_h, tau, seed, radius, scale, alpha)
    one, two = (esn_states(p, x, rng.normal(size=n_h)) for _ in range(2))
    distance = np.linalg.norm(one - two, axis=1)
    assert (distance[1:] <= contraction(p) * distance[:-1] + 1e-12).all()


@few
@given(st.integers(2, 8), seeds, st.sampled_from([0.5, 0.9, 1.1, 1.5]), st.floats(0, 0.8))
def test_linear_reservoirs_forget_exactly_if_the_leaky_matrix_has_radius_below_one(n_h, seed, radius, alpha):
    p, x, rng = drawn(1, n_h, 300, seed, radius, alpha=alpha, activation="linear")
    lead = spectral_radius(alpha * np.eye(n_h) + (1 - alpha) * p.W)
    assume(abs(lead - 1) > 0.05)  # nearer to 1, 300 steps are too few to tell
    one, two = (esn_states(p, x, rng.normal(size=n_h)) for _ in range(2))
    distance = np.linalg.norm(one - two, axis=1)
    assert distance[-1] < 0.1 * distance[0] if lead < 1 else distance[-1] > 10 * distance[0]


def test_a_matrix_of_radius_zero_can_fail_to_forget():
    W = np.array([[2.0, -2.0], [2.0, -2.0]])
    p = Reservoir(np.eye(2), W, np.zeros(2), 0.0)
    assert spectral_radius(W) < 1e-7 and np.array_equal(W @ W, np.zeros((2, 2)))
    x = np.tile([2.0, 10.0], (2000, 1))
    high, low = (esn_states(p, x, np.array([sign, 1.0]))[-1] for sign in (1.0, -1.0))
    assert high[0] > 0.9 and low[0] < -0.9


@few
@given(st.integers(2, 6), seeds, st.floats(0, 0.8), st.floats(0.2, 2))
def test_the_lyapunov_exponent_is_the_slope_of_the_product_of_jacobians(n_h, seed, alpha, radius):
    p, x, rng = drawn(1, n_h, 1500, seed, radius, 0.5, alpha)
    logs = log_product_norms(esn_jacobians(p, x, esn_states(p, x)))
    slope = (logs[-1] - logs[100]) / 1400
    assert abs(lyapunov_exponent(p, x, rng) - slope) < 0.02


def test_the_lyapunov_exponent_of_a_net_at_rest_is_the_log_of_the_radius():
    for radius in (0.5, 0.9, 1.2):
        p = esn_init(1, 30, np.random.default_rng(4), radius)  # zero input: it stays at rest, where tanh' = 1
        exponent = lyapunov_exponent(p, np.zeros((3000, 1)), np.random.default_rng(1))
        assert abs(exponent - np.log(radius)) < 0.01
        linear = p._replace(activation="linear")  # and for linear units with any input
        exponent = lyapunov_exponent(linear, np.ones((3000, 1)), np.random.default_rng(1))
        assert abs(exponent - np.log(radius)) < 0.01
    still = esn_init(1, 5, np.random.default_rng(0), 0.0)
    assert lyapunov_exponent(still, np.zeros((5, 1)), np.random.default_rng(0), 0) == -np.inf


# The read-out


@few
@given(st.integers(1, 8), st.integers(1, 3), st.integers(12, 40), seeds, st.floats(1e-6, 10))
def test_the_ridge_readout_solves_the_normal_equations_and_is_that_of_reservoirpy(n_h, n_o, tau, seed, ridge):
    rng = np.random.default_rng(seed)
    h, y = rng.normal(size=(tau, n_h)), rng.normal(size=(tau, n_o))
    r = ridge_fit(h, y, ridge)
    A, B = normal_equations(h, y, ridge)
    assert relative_error(A @ r.V.T, B) <= 1e-10
    library = LibraryRidge(ridge=ridge).fit(h, y)
    assert relative_error(r.V, library.Wout.T) <= 1e-8
    assert np.allclose(readout(r, h), library.run(h), rtol=1e-8, atol=1e-10)


@few
@given(st.integers(1, 5), st.integers(1, 2), st.integers(8, 20), seeds, st.floats(0, 5))
def test_the_ridge_readout_is_where_the_gradient_of_its_objective_is_zero(n_h, n_o, tau, seed, ridge):
    rng = np.random.default_rng(seed)
    h, y = torch.tensor(rng.normal(size=(tau, n_h))), torch.tensor(rng.normal(size=(tau, n_o)))
    V, c = (torch.tensor(v, requires_grad=True) for v in ridge_fit(h.numpy(), y.numpy(), ridge))
    loss = ((y - c - h @ V.T) ** 2).sum() + ridge * (V**2).sum()
    for g in torch.autograd.grad(loss, [V, c]):
        assert g.abs().max() <= 1e-9 * (1 + loss.item())


@pytest.mark.parametrize(
    ("digits", "allowed", "lost"), [(2, 1e-13, 1e-13), (4, 1e-11, 1e-10), (5, 1e-9, 1e-8), (7, 1e-6, 1e-6)]
)
def test_the_readout_keeps_digits_that_the_normal_equations_lose(digits, allowed, lost):
    rng = np.random.default_rng(0)
    Q, P = (np.linalg.qr(rng.normal(size=(n, 8)))[0] for n in (60, 8))
    Q -= Q.mean(0)
    Q = np.linalg.qr(Q)[0]
    h, truth = Q * np.logspace(0, -digits, 8) @ P.T, rng.normal(size=(1, 8))
    y = h @ truth.T
    ours = np.abs(ridge_fit(h, y, 0.0).V - truth).max()
    normal = np.abs(np.linalg.solve(*normal_equations(h, y, 0.0)).T - truth).max()
    assert ours < allowed and normal > lost, (ours, normal)


def test_nrmse_is_one_for_the_mean_zero_for_the_truth_and_that_of_reservoirpy():
    from reservoirpy.observables import rmse

    rng = np.random.default_rng(2)
    y, o = rng.normal(3, 2, (50, 1)), rng.normal(size=(50, 1))
    assert np.isclose(nrmse(y, np.full_like(y, y.mean())), 1) and nrmse(y, y) == 0
    assert np.isclose(nrmse(y, o), rmse(y, o) / y.std())
    assert np.isclose(nrmse(y[:, 0], o[:, 0]), nrmse(y, o))


# Memory


@few
@given(st.integers(1, 8), seeds, st.floats(0.3, 0.8))
def test_memory_of_linear_units_sums_to_the_rank_of_the_controllability_matrix(n_h, seed, radius):
    p = esn_init(1, n_h, np.random.default_rng(seed), radius)
    curve = memory_of_linear(p.U, p.W, 400)
    C = np.column_stack([np.linalg.matrix_power(p.W, k) @ p.U for k in range(400)])
    assert np.isclose(curve.sum(), np.linalg.matrix_rank(C, tol=1e-12 * np.linalg.norm(C, 2)), atol=1e-6)
    assert curve.sum() <= n_h + 1e-9 and (curve >= 0).all() and (curve <= 1 + 1e-9).all()


@few
@given(st.integers(1, 6), seeds, st.floats(0.5, 0.9))
def test_linear_units_remember_the_present_but_for_the_square_of_the_determinant(n_h, seed, radius):
    p = esn_init(1, n_h, np.random.default_rng(seed), radius)
    C = solve_discrete_lyapunov(p.W, p.U @ p.U.T)
    assume(np.linalg.cond(C) < 1e6)
    curve = memory_of_linear(p.U, p.W, 400)
    assert np.isclose(curve[0], (p.U.T @ np.linalg.solve(C, p.U))[0, 0], atol=1e-8)
    assert np.isclose(curve[1:].sum(), n_h - 1 + np.linalg.det(p.W) ** 2, atol=1e-8)


def test_a_delay_line_remembers_each_of_its_steps_perfectly_and_no_more():
    W, U = np.eye(6, k=-1), np.eye(6, 1)
    curve = memory_of_linear(U, W, 20)
    assert np.allclose(curve, np.arange(20) < 6)
    x = np.random.default_rng(0).uniform(-1, 1, (2000, 1))
    h = esn_states(Reservoir(U, W, np.zeros(6), 0.0, "linear"), x)
    held_out = memory_curve(h, x, 10)
    assert np.allclose(held_out[:6], 1, atol=1e-9) and (held_out[6:] < 0.05).all()


def test_held_out_memory_of_linear_units_is_that_of_the_closed_form():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        p, x = esn_init(1, 5, rng, 0.8, activation="linear"), rng.uniform(-1, 1, (40_000, 1))
        measured = memory_curve(esn_states(p, x), x, 12)
        assert np.abs(measured - memory_of_linear(p.U, p.W, 300)[:13]).max() < 0.03


@pytest.mark.parametrize("activation", ["tanh", "linear"])
@pytest.mark.parametrize("radius", [0.5, 0.9, 0.99])
def test_memory_capacity_stays_below_the_number_of_units(activation, radius):
    for n_h in (5, 20):
        rng = np.random.default_rng([n_h, int(100 * radius)])
        p = esn_init(1, n_h, rng, radius, scale=0.1, activation=activation)
        x = rng.uniform(-1, 1, (3000, 1))
        total = memory_curve(esn_states(p, x), x, 4 * n_h, 1e-10).sum()
        assert 1 < total <= n_h


# The series


@few
@given(st.integers(1, 60), seeds)
def test_narma_follows_its_recursion_and_never_sees_the_future(tau, seed):
    x, y = narma10(tau + 12, np.random.default_rng(seed))
    assert x.shape == y.shape == (tau + 12, 1) and (x >= 0).all() and (x <= 0.5).all()
    for t in range(10, tau + 12):
        past = sum(y[t - 1 - i, 0] for i in range(10))
        want = 0.3 * y[t - 1, 0] + 0.05 * y[t - 1, 0] * past + 1.5 * x[t - 9, 0] * x[t, 0] + 0.1
        assert np.isclose(y[t, 0], want, rtol=1e-12)


def test_mackey_glass_converges_to_the_solution_of_its_equation_at_first_order():
    start = 1.2 + 0.2 * (np.random.default_rng(0).random() - 0.5)
    pieces, ends = [lambda s: start], 60

    def past(s):
        return start if s <= 0 else pieces[int(np.ceil(s / 17 - 1e-12))](s)[0]

    for k in range(4):  # the method of steps: on each stretch of 17, the delayed value is known
        solution = solve_ivp(
            lambda s, y: 0.2 * past(s - 17) / (1 + past(s - 17) ** 10) - 0.1 * y,
            (17 * k, 17 * (k + 1)),
            [start if k == 0 else pieces[-1](17 * k)[0]],
            rtol=1e-10,
            atol=1e-12,
            dense_output=True,
            max_step=0.5,
        )
        pieces.append(solution.sol)
    errors = []
    for substeps in (10, 20, 40):
        step, lag = 1 / substeps, 17 * substeps
        y = [start] * (lag + 1)
        for _ in range(ends * substeps):
            y.append(y[-1] + step * (0.2 * y[-1 - lag] / (1 + y[-1 - lag] ** 10) - 0.1 * y[-1]))
        if substeps == 10:
            sampled = mackey_glass(3, np.random.default_rng(0))  # the same walk, 1,000 samples later
            while len(y) <= lag + 1003 * substeps:
                y.append(y[-1] + step * (0.2 * y[-1 - lag] / (1 + y[-1 - lag] ** 10) - 0.1 * y[-1]))
            assert np.array_equal(sampled[:, 0], [y[lag + (1000 + i) * substeps] for i in (1, 2, 3)])
        errors.append(abs(y[lag + ends * substeps] - past(ends)))
    order = -fitted_slope(np.log2(errors))
    assert 0.8 < order < 1.2


@few
@given(sizes, st.integers(1, 3), seeds, st.integers(1, 10), st.floats(0, 1))
def test_a_free_run_is_a_driven_run_on_its_own_outputs(n_h, n_x, seed, steps, alpha):
    p, x, rng = drawn(n_x, n_h, 10, seed, alpha=alpha)
    r = Readout(rng.normal(size=(n_x, n_h)) / n_h, rng.normal(size=n_x))
    h = esn_states(p, x)[-1]
    first = readout(r, h[None])[0]
    o = free_run(p, r, h, first, steps)
    driven = esn_states(p, np.vstack([first, o[:-1]]), h)[1:]
    assert np.allclose(o, readout(r, driven), rtol=1e-12, atol=1e-12)


def test_the_forecast_of_companion_and_of_the_library_agree_at_equal_weights():
    rng = np.random.default_rng(5)
    s = np.tanh(mackey_glass(700, rng) - 1)
    p = esn_init(1, 40, rng, 0.95, bias=0.2, alpha=0.4)
    nodes, out = LibraryReservoir(W=p.W, Win=p.U, bias=p.b, lr=0.6), LibraryRidge(1e-6)
    h = esn_states(p, s[:-1])[1:]
    theirs = out.fit(nodes.run(s[:-1])[100:], s[101:]).run(h)
    r = ridge_fit(h[100:], s[101:], 1e-6)
    assert np.abs(readout(r, h) - theirs).max() < 1e-7
    x, said = theirs[-1], []
    for _ in range(20):
        x = out.step(nodes.step(x))
        said.append(x)
    assert np.abs(free_run(p, r, h[-1], theirs[-1], 20) - said).max() < 1e-5


# Spikes


@few
@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 25), seeds, st.integers(0, 3))
def test_liquid_spikes_are_those_of_a_loop_over_units(n_x, n_h, tau, seed, rest):
    rng = np.random.default_rng(seed)
    p = liquid_init(n_x, n_h, rng, 1.5, scale=2.0, density=0.5, tau=10.0, rest=rest)
    x = (rng.random((tau, n_x)) < 0.4).astype(float)
    v, since, fired = [0.0] * n_h, [rest + 1] * n_h, [0.0] * n_h
    for t in range(tau):
        new = []
        for i in range(n_h):
            a = v[i] * np.exp(-0.1) + sum(p.W[i, j] * fired[j] for j in range(n_h)) + p.U[i] @ x[t]
            since[i] += 1
            a = 0.0 if since[i] <= rest else a
            new.append(float(a >= 1))
            v[i] = 0.0 if a >= 1 else a
            since[i] = 0 if a >= 1 else since[i]
        fired = new
        assert np.array_equal(liquid_spikes(p, x)[t], fired)


def test_many_trials_at_once_spike_as_one_by_one_and_traces_are_sums():
    rng = np.random.default_rng(0)
    p = liquid_init(4, 12, rng, 1.0)
    x = (rng.random((30, 5, 4)) < 0.3).astype(float)
    together = liquid_spikes(p, x)
    assert together.sum() > 0
    for k in range(5):
        assert np.array_equal(together[:, k], liquid_spikes(p, x[:, k]))
    by_hand = sum(np.exp(-(29 - t) / 7.0) * together[t] for t in range(30))
    assert np.allclose(spike_trace(together, 7.0), by_hand)


def test_inhibitory_units_only_push_down_and_the_two_kinds_balance():
    p = liquid_init(3, 200, np.random.default_rng(1), inhibitory=0.25)
    assert (p.W[:, :50] <= 0).all() and (p.W[:, 50:] >= 0).all()
    assert abs(p.W.sum()) < 0.1 * np.abs(p.W).sum()


def test_patterns_have_equal_counts_and_what_follows_them_says_nothing():
    x, y = spike_patterns(4000, 40, np.random.default_rng(3), jitter=0.0)
    assert x.shape == (90, 4000, 5) and set(np.unique(x)) == {0.0, 1.0}
    for k in (0, 1):
        assert np.array_equal(x[:50, y == k].sum(0), np.full(((y == k).sum(), 5), 5.0))
        assert np.unique(x[:50, y == k], axis=1).shape[1] == 1
    gap = x[50:, y == 1].mean(1) - x[50:, y == 0].mean(1)
    assert np.abs(gap).max() < 5 * np.sqrt(0.09 / 1000)


# What was trained


def test_the_stored_weights_have_the_stored_errors():
    for row in store.rows("reservoir", study="trained"):
        key = {name: row[name] for name in ("study", "kind", "rate", "seed")}
        net = TrainedReservoir(1, 50)
        net.load_state_dict({k: torch.tensor(w) for k, w in store.weights("reservoir", **key).items()})
        again = narma_error(*net.reservoir(), draw_narma(row["seed"]))
        rounding = 0.02 if row["kind"].endswith("solved") else 0.003  # of float16; weights of hundreds
        assert abs(again - row["errors"][-1]) < rounding, key


def test_the_recorded_starts_are_those_that_are_drawn_now():
    for row in store.rows("reservoir", study="trained", rate=0.001):
        data = draw_narma(row["seed"])
        net = narma_start(row["kind"], row["seed"], data)
        assert abs(narma_error(*net.reservoir(), data) - row["errors"][0]) < 0.01


def test_the_recorded_liquids_are_those_that_are_drawn_now():
    for strength in (0.0, 1.0):
        again, (row,) = liquid_accuracy(0, strength), store.rows("reservoir", strength=strength, seed=0)
        assert all(abs(v - row[k]) < 0.03 * max(1, row[k]) for k, v in again.items())


def test_a_net_in_torch_is_its_reservoir_and_readout_in_numpy():
    data = draw_narma(0)
    net = narma_start("reservoir, solved", 0, data)
    p, r = net.reservoir()
    with torch.no_grad():
        theirs = net.double()(torch.tensor(data.x[None]))[0].numpy()
    assert np.allclose(readout(r, esn_states(p, data.x)[1:]), theirs, rtol=1e-9, atol=1e-9)


def test_a_small_forecast_beats_the_mean_by_far_for_both_libraries():
    for library in (False, True):
        one, far = forecast_errors(60, 0, 1e-6, library, trials=3)
        assert one < 0.01 and far < 2, "no forecast is far out of the series' range"


def test_a_delay_of_one_step_is_the_shortest_that_can_be_simulated():
    assert mackey_glass(5, np.random.default_rng(0), 1.0, 1).shape == (5, 1)


def test_a_plain_net_that_begins_louder_has_inputs_like_a_reservoirs():
    U = adding_start("plain, louder", 3).reservoir()[0].U
    assert 0.45 < np.abs(U).max() <= 0.5


def test_unless_told_otherwise_a_liquid_has_weights_of_strength_one():
    p, n = liquid_init(2, 400, np.random.default_rng(5)), 400
    excitatory = p.W[p.W > 0]
    assert excitatory.mean() == pytest.approx(1 / np.sqrt(0.1 * n), rel=0.05)
    assert np.abs(p.U).max() <= 1 and np.abs(p.U).max() > 0.95


def test_importing_reservoirs_imports_neither_torch_nor_reservoirpy():
    code = "import sys, companion.reservoir; print([m for m in ('torch', 'reservoirpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Bad input

P, X, RNG = drawn(1, 4, 30, 0)
H = esn_states(P, X)
R = Readout(np.ones((1, 4)), np.zeros(1))
L = liquid_init(2, 3, RNG)
SPIKES = np.zeros((5, 2))


@pytest.mark.parametrize(
    ("named", "call"),
    [
        ("radius", lambda: sparse_weights(5, RNG, -0.1)),
        ("radius", lambda: esn_init(1, 5, RNG, np.nan)),
        ("density", lambda: sparse_weights(5, RNG, 0.9, 0.0)),
        ("density", lambda: sparse_weights(5, RNG, 0.9, 1.1)),
        ("density", lambda: sparse_weights(4, np.random.default_rng(0), 0.9, 0.01)),
        ("n_h", lambda: sparse_weights(0, RNG, 0.9)),
        ("n_x", lambda: esn_init(0, 3, RNG)),
        ("scale", lambda: esn_init(1, 3, RNG, scale=-1)),
        ("bias", lambda: esn_init(1, 3, RNG, bias=-1)),
        ("alpha", lambda: esn_init(1, 3, RNG, alpha=1.5)),
        ("rng", lambda: esn_init(1, 3, 7)),
        ("activation", lambda: esn_init(1, 3, RNG, activation="relu")),
        ("p.activation", lambda: esn_states(P._replace(activation=True), X)),
        ("p", lambda: esn_states(tuple(P), X)),
        ("p.alpha", lambda: esn_states(P._replace(alpha=-0.1), X)),
        ("p.W", lambda: esn_states(P._replace(W=np.ones((3, 4))), X)),
        ("p.W", lambda: esn_states(P._replace(W=1e9 * np.eye(4), activation="linear"), np.ones((60, 1)))),
        ("p.b", lambda: contraction(P._replace(b=np.full(4, np.inf)))),
        ("x", lambda: esn_states(P, np.zeros((0, 1)))),
        ("x", lambda: esn_states(P, np.zeros((5, 2)))),
        ("h0", lambda: esn_states(P, X, np.zeros(3))),
        ("h", lambda: esn_jacobians(P, X, H[1:])),
        ("washout", lambda: lyapunov_exponent(P, X, RNG, 30)),
        ("rng", lambda: lyapunov_exponent(P, X, 3, 0)),
        ("ridge", lambda: ridge_fit(H[1:], X, -1.0)),
        ("ridge", lambda: ridge_fit(np.hstack([H[1:], H[1:]]), X, 0.0)),
        ("ridge", lambda: ridge_fit(H[1:4], X[:3], 0.0)),
        ("y", lambda: ridge_fit(H, X, 1.0)),
        ("y", lambda: normal_equations(H, X, 1.0)),
        ("r", lambda: readout(tuple(R), H)),
        ("h", lambda: readout(R, H[:, :3])),
        ("r.c", lambda: readout(R._replace(c=np.zeros(2)), H)),
        ("o", lambda: nrmse(X, X[1:])),
        ("y", lambda: nrmse(np.ones(5), np.zeros(5))),
        ("washout", lambda: memory_curve(H, X, 5, washout=30)),
        ("washout", lambda: memory_curve(H, X, 29)),
        ("longest", lambda: memory_curve(H, X, 0)),
        ("train", lambda: memory_curve(H, X, 3, washout=5, train=1.5)),
        ("h", lambda: memory_curve(H[1:], X, 3)),
        ("steps", lambda: memory_of_linear(np.ones((2, 1)), 0.99 * np.eye(2), 5)),
        ("U", lambda: memory_of_linear(np.ones((2, 2)), 0.5 * np.eye(2), 50)),
        ("tau", lambda: narma10(0, RNG)),
        ("rng", lambda: narma10(5, None)),
        ("delay", lambda: mackey_glass(5, RNG, 0.05)),
        ("delay", lambda: mackey_glass(5, RNG, 16.95)),
        ("delay", lambda: mackey_glass(5, RNG, -17)),
        ("substeps", lambda: mackey_glass(5, RNG, 17, 0)),
        ("steps", lambda: free_run(P, R, H[-1], X[-1], 0)),
        ("r", lambda: free_run(P, (R.V, R.c), H[-1], X[-1], 3)),
        ("r.V", lambda: free_run(P, Readout(np.ones((2, 4)), np.zeros(2)), H[-1], X[-1], 3)),
        ("x", lambda: free_run(P, R, H[-1], np.zeros(2), 3)),
        ("strength", lambda: liquid_init(2, 3, RNG, -1.0)),
        ("inhibitory", lambda: liquid_init(2, 3, RNG, inhibitory=1.0)),
        ("density", lambda: liquid_init(2, 3, RNG, density=0)),
        ("tau", lambda: liquid_init(2, 3, RNG, tau=0)),
        ("rest", lambda: liquid_init(2, 3, RNG, rest=-1)),
        ("p", lambda: liquid_spikes(tuple(L), SPIKES)),
        ("p.threshold", lambda: liquid_spikes(L._replace(threshold=0), SPIKES)),
        ("p.W", lambda: liquid_spikes(Liquid(L.U, np.zeros((2, 2)), 30.0, 1.0, 3), SPIKES)),
        ("x", lambda: liquid_spikes(L, SPIKES + 0.5)),
        ("x", lambda: liquid_spikes(L, np.zeros((5, 3)))),
        ("tau", lambda: spike_trace(SPIKES, 0)),
        ("s", lambda: spike_trace(SPIKES + 2, 5)),
        ("trials", lambda: spike_patterns(0, 5, RNG)),
        ("delay", lambda: spike_patterns(3, -5, RNG)),
        ("length", lambda: spike_patterns(3, 5, RNG, length=5)),
        ("jitter", lambda: spike_patterns(3, 5, RNG, jitter=-1)),
        ("seed", lambda: liquid_accuracy(-1, 1.0)),
        ("trials", lambda: liquid_accuracy(0, 1.0, trials=3)),
        ("kind", lambda: narma_start("lstm", 0, draw_narma(0))),
        ("kind", lambda: adding_start("lstm", 0)),
        ("seed", lambda: draw_narma(-1)),
    ],
)
def test_bad_input_is_refused_by_name(named, call):
    with pytest.raises(ValueError, match=f"^{named.replace('.', '[.]')}: want"):
        call()


def test_orthogonal_reservoirs_can_be_driven_too():
    rng = np.random.default_rng(0)
    p = esn_init(1, 10, rng)._replace(W=draw_weights(10, rng, 0.9, "orthogonal"))
    assert np.isclose(contraction(p), 0.9)
