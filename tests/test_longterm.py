"""Section 10.7 held to closed forms, to torch, to differences and to brute force."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import longterm as lt
from companion.cells.rnn import RNN, rnn_bptt_nodes, rnn_forward, rnn_init
from companion.core import tree
from companion.data.tasks import latch
from companion.longterm.stacks import stack_states
from companion.recurrent import summary_bptt, summary_forward
from tests.gradients import differences, relative_error

torch.set_num_threads(1)
few = settings(max_examples=20)
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 6)
angles = st.floats(-3.1, 3.1)
radii = st.floats(0.2, 1.3)
skews = st.floats(0.2, 5.0)


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


@few
@given(radii, angles, skews)
def test_every_skew_has_the_same_eigenvalues(rho: float, theta: float, skew: float) -> None:
    W = lt.two_unit(rho, theta, skew)
    wanted = rho * np.exp(1j * np.array([-abs(theta), abs(theta)]))
    got = np.linalg.eigvals(W)
    np.testing.assert_allclose(got[np.argsort(got.imag)], wanted, atol=1e-7)
    assert lt.spectral_radius(W) == pytest.approx(rho, abs=1e-7)


@few
@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(1.0, 10.0), st.integers(0, 30))
def test_two_real_eigenvalues_are_where_they_were_put_and_skew_bounds_the_powers(
    lam1: float, lam2: float, skew: float, steps: int
) -> None:
    W = lt.two_real(lam1, lam2, skew)
    assert np.trace(W) == pytest.approx(lam1 + lam2, abs=1e-9)
    assert np.linalg.det(W) == pytest.approx(lam1 * lam2, abs=1e-9)
    rho = max(abs(lam1), abs(lam2))
    norms = lt.power_norms(W, steps)
    assert (norms <= skew * rho ** np.arange(steps + 1) * (1 + 1e-6) + 1e-9).all()
    if skew == 1.0:
        np.testing.assert_allclose(norms, rho ** np.arange(steps + 1), rtol=1e-9, atol=1e-12)


def test_the_skew_of_two_real_eigenvalues_is_the_condition_number_of_their_eigenvectors() -> None:
    for skew in (1.0, 2.5, 10.0):
        lam, Q = np.linalg.eig(lt.two_real(0.9, -0.4, skew))
        assert np.linalg.cond(Q) == pytest.approx(skew)
        leading = Q[:, np.argmax(np.abs(lam))]
        assert abs(leading @ [np.cos(np.pi / 6), np.sin(np.pi / 6)]) == pytest.approx(1)


@few
@given(radii, angles, st.integers(0, 40))
def test_without_skew_every_power_stretches_all_directions_alike(rho: float, theta: float, steps: int) -> None:
    norms = lt.power_norms(lt.two_unit(rho, theta), steps)
    np.testing.assert_allclose(norms, rho ** np.arange(steps + 1), rtol=1e-12)


@few
@given(radii, angles, skews, st.integers(0, 30))
def test_a_skewed_pair_has_the_closed_form_of_a_rotation_in_stretched_axes(
    rho: float, theta: float, skew: float, steps: int
) -> None:
    S = np.diag([skew, 1.0])
    h0 = np.array([0.3, -0.8])
    h = lt.trajectory(lt.two_unit(rho, theta, skew), h0, steps)
    for t in range(steps + 1):
        c, s = np.cos(t * theta), np.sin(t * theta)
        closed = rho**t * S @ np.array([[c, -s], [s, c]]) @ np.linalg.inv(S) @ h0
        np.testing.assert_allclose(h[t], closed, atol=1e-9 * (1 + rho**t))


@few
@given(radii, angles, st.floats(1.0, 5.0), st.integers(0, 30))
def test_the_skew_of_a_turning_pair_bounds_its_powers(rho: float, theta: float, skew: float, steps: int) -> None:
    W = lt.two_unit(rho, theta, skew)
    c, s = np.cos(theta), np.sin(theta)
    np.testing.assert_allclose(W, rho * np.array([[c, -skew * s], [s / skew, c]]), atol=1e-12)
    norms = [np.linalg.norm(np.linalg.matrix_power(W, t), 2) for t in range(steps + 1)]
    grown = rho ** np.arange(steps + 1)
    assert (norms >= grown * (1 - 1e-9)).all() and (norms <= skew * grown * (1 + 1e-9)).all()


def test_skew_lets_a_decaying_matrix_grow_first() -> None:
    norms = lt.power_norms(lt.two_unit(0.9, 0.4, 5.0), 60)
    assert norms.max() > 2 and norms[-1] < 0.02
    assert (lt.power_norms(lt.two_unit(0.9, 0.4, 1.0), 60)[1:] < 1).all()


@few
@given(seeds, sizes, st.integers(0, 12), st.booleans())
def test_gradient_norms_equal_those_of_torch(seed: int, n: int, steps: int, tanh: bool) -> None:
    W, h0 = drawn(seed, n, n) / np.sqrt(n), drawn(seed + 1, n)
    h = lt.trajectory(W, h0, steps, tanh)
    Wt = torch.tensor(W)

    def last(state: torch.Tensor, k: int) -> torch.Tensor:
        for _ in range(k):
            state = torch.tanh(Wt @ state) if tanh else Wt @ state
        return state

    for k, norm in enumerate(lt.gradient_norms(W, h, tanh)):
        J = torch.autograd.functional.jacobian(lambda s, k=k: last(s, k), torch.tensor(h[steps - k])).numpy()
        assert norm == pytest.approx(np.linalg.norm(J, 2), rel=1e-10, abs=1e-200)


@few
@given(seeds, sizes, st.integers(1, 8))
def test_products_of_jacobians_equal_central_differences_of_a_run(seed: int, n: int, tau: int) -> None:
    rng = np.random.default_rng(seed)
    p = rnn_init(2, n, 3, rng, radius=1.1)
    x, h0 = rng.standard_normal((tau, 2)), rng.uniform(-1, 1, n)
    run = rnn_forward(p, x, h0)
    J = lt.jacobians(p, run)
    k = int(rng.integers(0, tau))
    by_differences = differences(lambda h: rnn_forward(p, x[k:], h).h[-1], run.h[k]).T
    np.testing.assert_allclose(lt.jacobian_product(J, k, tau), by_differences, atol=1e-8)


@few
@given(seeds, sizes, st.integers(1, 8))
def test_the_jacobian_carries_the_gradient_of_bptt_back_in_time(seed: int, n: int, tau: int) -> None:
    rng = np.random.default_rng(seed)
    p, x, y = rnn_init(2, n, 3, rng), rng.standard_normal((tau, 2)), rng.integers(0, 3, tau)
    nodes, J = rnn_bptt_nodes(p, x, y), lt.jacobians(p, rnn_forward(p, x))
    total = sum(lt.jacobian_product(J, 0, t).T @ p.V.T @ nodes.o[t - 1] for t in range(1, tau + 1))
    assert relative_error(total, nodes.h[0]) <= 1e-10


@few
@given(seeds, sizes, st.integers(1, 20))
def test_logs_of_product_norms_agree_with_the_products(seed: int, n: int, steps: int) -> None:
    F = drawn(seed, steps, n, n)
    logs, M = lt.log_product_norms(F), np.eye(n)
    for t in range(steps):
        M = F[t] @ M
        assert logs[t + 1] == pytest.approx(np.log(np.linalg.norm(M, 2)), abs=1e-9)


def test_logs_of_product_norms_go_where_floats_cannot() -> None:
    logs = lt.log_product_norms(np.tile(0.01 * np.eye(3), (500, 1, 1)))
    np.testing.assert_allclose(logs, np.arange(501) * np.log(0.01), rtol=1e-12)
    nilpotent = np.array([[0.0, 1.0], [0.0, 0.0]])
    assert lt.log_product_norms(np.stack([nilpotent, nilpotent])).tolist() == [0.0, 0.0, -np.inf]


@few
@given(
    seeds,
    st.integers(2, 30),
    st.sampled_from((0.7, 0.9, 1.2)),
    st.sampled_from(("gaussian", "symmetric", "orthogonal")),
)
def test_the_fitted_slope_is_the_log_of_the_spectral_radius_within_one_percent(
    seed: int, n: int, radius: float, kind: str
) -> None:
    W = lt.draw_weights(n, np.random.default_rng(seed), radius, kind)
    ten = np.linalg.matrix_power(W, 10)  # ten steps at once: near ties of the two largest moduli take long to part
    logs = lt.log_product_norms(np.tile(ten, (600, 1, 1)))
    assert lt.fitted_slope(logs, 200) / 10 == pytest.approx(np.log(radius), rel=0.01)


@few
@given(st.floats(-2, 2), st.floats(-5, 5), st.integers(3, 30), st.integers(0, 1))
def test_a_straight_line_has_its_own_slope(slope: float, start: float, n: int, first: int) -> None:
    assert lt.fitted_slope(start + slope * np.arange(n), first) == pytest.approx(slope, abs=1e-9)


@few
@given(seeds, sizes, st.floats(0.1, 2))
def test_drawn_weights_are_of_their_kind(seed: int, n: int, radius: float) -> None:
    rng = np.random.default_rng(seed)
    S = lt.draw_weights(n, rng, radius, "symmetric")
    O = lt.draw_weights(n, rng, radius, "orthogonal")
    np.testing.assert_allclose(S, S.T)
    np.testing.assert_allclose(O @ O.T, radius**2 * np.eye(n), atol=1e-10)
    for W in (S, O, lt.draw_weights(n, rng, radius)):
        assert lt.spectral_radius(W) == pytest.approx(radius)


@few
@given(seeds, sizes, st.integers(0, 9))
def test_eigenvalues_to_the_power_give_the_power(seed: int, n: int, t: int) -> None:
    W = lt.draw_weights(n, np.random.default_rng(seed), 1.0)
    np.testing.assert_allclose(lt.eigen_power(W, t), np.linalg.matrix_power(W, t), atol=1e-6)


def test_a_matrix_without_a_basis_of_eigenvectors_is_refused() -> None:
    with pytest.raises(ValueError, match="W: want a diagonalisable"):
        lt.eigen_power(np.array([[0.5, 1.0], [0.0, 0.5]]), 3)


@few
@given(seeds, st.integers(2, 6))
def test_the_power_method_finds_the_leading_eigenvector(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    W = (Q * np.array([-1.0, *np.full(n - 1, 0.5)])) @ Q.T
    start = Q[:, 0] + 0.5 * rng.standard_normal(n)
    if abs(start @ Q[:, 0]) < 0.05:
        start = Q[:, 0] + Q[:, 1]
    found = lt.power_method(W, start, 60)
    assert abs(found.directions[-1] @ Q[:, 0]) == pytest.approx(1, abs=1e-10)
    assert found.quotients[-1] == pytest.approx(-1, abs=1e-10)


def test_a_complex_pair_keeps_the_power_method_turning() -> None:
    directions = lt.power_method(lt.two_unit(0.9, 0.5), np.array([1.0, 0.0]), 50).directions
    turned = (directions[1:] * directions[:-1]).sum(axis=1)
    np.testing.assert_allclose(turned, np.cos(0.5), rtol=1e-12)


@few
@given(st.floats(0.01, 10), st.integers(1, 50))
def test_the_variance_of_the_factors_multiplies_to_the_target(target: float, depth: int) -> None:
    assert lt.factor_variance(target, depth) ** depth == pytest.approx(target)


@pytest.mark.parametrize("width", [1, 3])
def test_the_mean_square_of_a_product_of_different_factors_is_the_power_of_their_variance(width: int) -> None:
    squares = lt.factor_products(width, 3, 0.8, 200_000, np.random.default_rng(1))
    spread = squares.std(axis=0) / np.sqrt(len(squares))  # standard error of each mean
    assert (np.abs(squares.mean(axis=0) - 0.8 ** np.arange(4)) <= 5 * spread + 1e-12).all()


def test_one_shared_factor_does_not_have_the_mean_square_of_different_ones() -> None:
    squares = lt.factor_products(1, 3, 0.8, 200_000, np.random.default_rng(1), shared=True)
    error = squares[:, 3].std() / np.sqrt(len(squares))
    assert abs(squares[:, 3].mean() - 15 * 0.8**3) < 5 * error  # E w⁶ = 15 v³ for a Gaussian
    assert squares[:, 3].mean() > 5 * 0.8**3


@few
@given(seeds, sizes, st.integers(0, 6))
def test_a_cross_section_is_a_trajectory_seen_from_one_side(seed: int, n: int, steps: int) -> None:
    W, d, r = drawn(seed, n, n), drawn(seed + 1, n), drawn(seed + 2, n)
    z = np.linspace(-2, 2, 5)
    cut = lt.cross_section(W, d, r, z, steps)
    for i, at in enumerate(z):
        np.testing.assert_allclose(cut[:, i], lt.trajectory(W, at * d, steps, tanh=True) @ r, atol=1e-12)


@few
@given(st.floats(1.001, 60))
def test_a_stable_resting_point_has_a_slope_below_one(w: float) -> None:
    memory = lt.one_unit_memory(w)
    assert np.tanh(w * memory.point) == pytest.approx(memory.point, abs=1e-12)
    assert 0 < memory.slope < 1 and memory.margin > 0
    assert memory.slope == pytest.approx(w * (1 - memory.point**2), abs=1e-11)


@few
@given(st.floats(1.2, 8), st.floats(0.5, 0.98))
def test_a_latch_withstands_pushes_below_its_margin_and_no_longer_ones(w: float, share: float) -> None:
    memory = lt.one_unit_memory(w)

    def pushed(push: float) -> float:
        h = memory.point
        for _ in range(3000):
            h = np.tanh(w * h - push)
        return h

    assert pushed(share * memory.margin) > 0
    assert pushed(memory.margin / share) < 0


@few
@given(seeds, st.integers(1, 3), st.integers(1, 4), st.integers(4, 7))
def test_one_update_of_a_stack_is_the_step_that_each_net_would_take_alone(
    seed: int, nets: int, n_h: int, length: int
) -> None:
    p, batch, lr = lt.latch_init(nets, n_h, np.random.default_rng(seed)), 2, 0.3
    trained = lt.latch_train(p, length, np.random.default_rng(seed + 1), updates=1, batch=batch, lr=lr, clip=1e9)
    x, y = latch(length, nets * batch, np.random.default_rng(seed + 1))
    for i in range(nets):
        one = RNN(*(v[i] for v in p))
        grads = [summary_bptt(one, x[j], int(y[j])) for j in range(i * batch, (i + 1) * batch)]
        for name in RNN._fields:
            mean = sum(getattr(g, name) for g in grads) / batch
            np.testing.assert_allclose(getattr(trained, name)[i], getattr(one, name) - lr * mean, atol=1e-12)


def test_clipping_keeps_every_net_of_a_stack_within_its_step() -> None:
    p = lt.latch_init(5, 3, np.random.default_rng(0), radius=1.5)
    q = lt.latch_train(p, 6, np.random.default_rng(1), updates=1, lr=1.0, clip=0.01)
    moved = sum(((a - b) ** 2).reshape(5, -1).sum(axis=1) for a, b in zip(p, q, strict=True))
    np.testing.assert_allclose(np.sqrt(moved), 0.01, rtol=1e-9)


def test_accuracy_counts_what_each_net_answers() -> None:
    p = lt.latch_init(3, 4, np.random.default_rng(3))
    x, y = latch(8, 3 * 20, np.random.default_rng(4))
    got = lt.latch_accuracy(p, 8, np.random.default_rng(4), n=20)
    for i in range(3):
        one = RNN(*(v[i] for v in p))
        answers = [summary_forward(one, x[j]).o[0].argmax() for j in range(20 * i, 20 * i + 20)]
        assert got[i] == pytest.approx(np.mean(answers == y[20 * i : 20 * i + 20]))


def test_short_latches_are_learned_by_both_optimizers() -> None:
    for optimizer, lr in (("sgd", 0.5), ("adam", 0.01)):
        rng = np.random.default_rng(5)
        p = lt.latch_train(lt.latch_init(4, 6, rng), 5, rng, updates=200, lr=lr, optimizer=optimizer)
        assert (lt.latch_accuracy(p, 5, rng) > 0.95).all()


def test_an_orthogonal_start_has_the_radius_asked_for() -> None:
    for W in lt.latch_init(3, 5, np.random.default_rng(0), radius=1.1).W:
        np.testing.assert_allclose(W @ W.T, 1.1**2 * np.eye(5), atol=1e-12)


def test_from_the_identity_a_relu_net_adds_up_its_inputs() -> None:
    rng = np.random.default_rng(8)
    p = lt.identity_start(lt.latch_init(3, 5, rng))
    x = rng.random((3, 4, 7, 1))
    h = stack_states(tree.map(torch.tensor, p), torch.tensor(x), "relu")
    sums = x.sum(axis=2) * p.U.mT  # a unit with a positive weight is on all the time, one with a negative weight off
    np.testing.assert_allclose(h[-1], np.maximum(sums, 0), atol=1e-12)


def test_a_stack_of_relu_nets_takes_the_steps_of_its_nets() -> None:
    rng = np.random.default_rng(9)
    p, x = lt.latch_init(3, 5, rng), rng.standard_normal((3, 4, 7, 1))
    got = stack_states(tree.map(torch.tensor, p), torch.tensor(x), "relu")
    for i, one in enumerate(RNN(*(v[i] for v in p)) for i in range(3)):
        for k in range(4):
            h = np.zeros(5)
            for t in range(7):
                h = np.maximum(0, one.b + one.W @ h + one.U @ x[i, k, t])
                np.testing.assert_allclose(got[t + 1][i, k], h, atol=1e-12)


W2, h2, rng0 = np.eye(2) / 2, np.zeros((4, 2)), np.random.default_rng(0)
nan = np.array([[1.0, np.nan], [0.0, 1.0]])
nets0 = lt.latch_init(2, 3, rng0)
run0 = rnn_forward(rnn_init(1, 2, 2, rng0), np.ones((3, 1)))


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: lt.two_unit(-0.1, 0.0), "rho"),
        (lambda: lt.two_unit(0.5, np.nan), "theta"),
        (lambda: lt.two_unit(0.5, 0.1, 0.0), "skew"),
        (lambda: lt.trajectory(W2[:1], np.zeros(2), 3), "W"),
        (lambda: lt.trajectory(W2, np.zeros(3), 3), "h0"),
        (lambda: lt.trajectory(W2, np.zeros(2), -1), "steps"),
        (lambda: lt.trajectory(1e200 * W2, np.ones(2), 9), "W"),
        (lambda: lt.power_norms(nan, 3), "W"),
        (lambda: lt.power_norms(1e200 * W2, 9), "W"),
        (lambda: lt.power_norms(W2, 1.5), "steps"),
        (lambda: lt.gradient_norms(W2, np.empty((0, 2))), "h"),
        (lambda: lt.gradient_norms(W2, h2[:, :1]), "h"),
        (lambda: lt.gradient_norms(np.ones((2, 3)), h2), "W"),
        (lambda: lt.step_jacobians(W2, h2 + 2, tanh=True), "h"),
        (lambda: lt.step_jacobians(nan, h2), "W"),
        (lambda: lt.jacobians(W2, run0), "p"),
        (lambda: lt.jacobian_product(np.zeros((3, 2, 1)), 0, 1), "J"),
        (lambda: lt.jacobian_product(np.zeros((3, 2, 2)), 2, 1), "k"),
        (lambda: lt.jacobian_product(np.zeros((3, 2, 2)), 0, 4), "t"),
        (lambda: lt.log_product_norms(np.zeros((0, 2, 2))), "factors"),
        (lambda: lt.log_product_norms(np.zeros((3, 2, 1))), "factors"),
        (lambda: lt.fitted_slope(np.ones(1)), "values"),
        (lambda: lt.fitted_slope(np.array([1.0, np.nan, 2.0])), "values"),
        (lambda: lt.fitted_slope(np.ones(4), 3), "first"),
        (lambda: lt.spectral_radius(np.ones((2, 3))), "W"),
        (lambda: lt.draw_weights(0, rng0, 1.0), "n"),
        (lambda: lt.draw_weights(2, rng0, -1.0), "radius"),
        (lambda: lt.draw_weights(2, rng0, 1.0, "banana"), "kind"),
        (lambda: lt.draw_weights(2, 7, 1.0), "rng"),
        (lambda: lt.eigen_power(W2, -1), "t"),
        (lambda: lt.power_method(W2, np.zeros(2), 3), "h0"),
        (lambda: lt.power_method(np.zeros((2, 2)), np.ones(2), 3), "W"),
        (lambda: lt.power_method(W2, np.ones(2), -3), "steps"),
        (lambda: lt.factor_variance(-1.0, 3), "target"),
        (lambda: lt.factor_variance(1.0, 0), "depth"),
        (lambda: lt.factor_products(0, 1, 1.0, 1, rng0), "width"),
        (lambda: lt.factor_products(1, -1, 1.0, 1, rng0), "depth"),
        (lambda: lt.factor_products(1, 1, np.nan, 1, rng0), "variance"),
        (lambda: lt.factor_products(1, 1, 1.0, 0, rng0), "count"),
        (lambda: lt.factor_products(1, 1, 1.0, 1, 7), "rng"),
        (lambda: lt.cross_section(W2, np.ones(3), np.ones(2), np.ones(4), 2), "direction"),
        (lambda: lt.cross_section(W2, np.ones(2), np.ones(1), np.ones(4), 2), "readout"),
        (lambda: lt.cross_section(W2, np.ones(2), np.ones(2), np.empty(0), 2), "coordinates"),
        (lambda: lt.latch_init(0, 2, rng0), "nets"),
        (lambda: lt.latch_init(1, 0, rng0), "n_h"),
        (lambda: lt.latch_init(1, 2, rng0, -1.0), "radius"),
        (lambda: lt.latch_train(run0, 5, rng0), "p"),
        (lambda: lt.latch_train(nets0._replace(W=W2), 5, rng0), "p.W"),
        (lambda: lt.latch_train(nets0._replace(b=nets0.b * np.nan), 5, rng0), "p.b"),
        (lambda: lt.latch_train(nets0, 3, rng0), "length"),
        (lambda: lt.latch_train(nets0, 5, rng0, optimizer="hope"), "optimizer"),
        (lambda: lt.latch_train(nets0, 5, rng0, f="sine"), "f"),
        (lambda: lt.latch_train(nets0, 5, rng0, updates=-1), "updates"),
        (lambda: lt.latch_train(nets0, 5, 3, updates=1), "rng"),
        (lambda: lt.latch_accuracy(nets0, 3, rng0), "length"),
        (lambda: lt.latch_accuracy(nets0, 5, rng0, 0), "n"),
        (lambda: lt.one_unit_memory(1.0), "w"),
        (lambda: lt.one_unit_memory(0.5), "w"),
    ],
)
def test_bad_input_is_named(call: object, names: str) -> None:
    with pytest.raises(ValueError, match=rf"^{names}:"):
        call()


@few
@given(st.integers(1, 5), st.integers(1, 5), seeds)
def test_a_matrix_that_is_not_square_is_refused_by_everyone(n: int, more: int, seed: int) -> None:
    W = drawn(seed, n, n + more)
    calls = [
        lambda: lt.trajectory(W, np.zeros(n), 2),
        lambda: lt.power_norms(W, 2),
        lambda: lt.gradient_norms(W, np.zeros((3, n))),
        lambda: lt.step_jacobians(W, np.zeros((3, n))),
        lambda: lt.spectral_radius(W),
        lambda: lt.eigen_power(W, 2),
        lambda: lt.power_method(W, np.ones(n), 2),
        lambda: lt.cross_section(W, np.ones(n), np.ones(n), np.ones(3), 2),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"^W: want shape"):
            call()
