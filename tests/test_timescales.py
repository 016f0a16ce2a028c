"""Section 10.9 held to closed forms, to torch, to differences and to the plain net."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import timescales as ts
from companion.cells.leaky import LeakyRNN, leaky_bptt, leaky_forward, leaky_init
from companion.cells.rnn import RNN, rnn_bptt, rnn_forward, rnn_loss
from companion.core import tree
from companion.data import store
from companion.data.tasks import latch
from companion.longterm import draw_weights, fitted_slope
from companion.longterm.stacks import fresh
from companion.studies import timescales as study
from companion.timescales.leaky import averages, scan_by_doubling, slopes
from tests.gradients import assert_agree, assert_gradient, differences

torch.set_num_threads(1)
few = settings(max_examples=20)
seeds = st.integers(0, 2**32 - 1)
delay_sets = st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True).map(tuple)
keeps = st.floats(0.01, 0.99)


def case(seed: int, delays: tuple[int, ...], leaky: bool = True) -> tuple[LeakyRNN, np.ndarray, np.ndarray, np.ndarray]:
    """A drawn net with random biases, inputs, targets and a first state."""
    rng = np.random.default_rng(seed)
    n_x, n_h, n_o, tau = (int(v) for v in rng.integers([1, 1, 2, 1], [4, 5, 4, 9]))
    p = leaky_init(n_x, n_h, n_o, delays, rng, rng.uniform(0.05, 0.95, n_h) if leaky else 0.0)
    p = p._replace(b=rng.standard_normal(n_h), c=rng.standard_normal(n_o))
    return p, rng.standard_normal((tau, n_x)), rng.integers(0, n_o, tau), rng.standard_normal(n_h)


def torch_loss(p: LeakyRNN, x: np.ndarray, y: np.ndarray, h0: np.ndarray) -> torch.Tensor:
    """The same net, written again with tensors and a dictionary of states."""
    h = {0: torch.tensor(h0)}
    total = torch.zeros((), dtype=torch.float64)
    for t in range(1, len(x) + 1):
        back = sum(W @ h[t - d] for W, d in zip(p.W, p.delays, strict=True) if t - d in h)
        v = torch.tanh(p.U @ torch.tensor(x[t - 1]) + p.b + back)
        h[t] = v + p.alpha * (h[t - 1] - v)
        total = total + torch.nn.functional.cross_entropy(p.V @ h[t] + p.c, torch.tensor(y[t - 1]))
    return total


@settings(max_examples=10)
@given(seeds, delay_sets)
def test_the_gradient_by_hand_is_torchs_and_that_of_differences(seed: int, delays: tuple[int, ...]) -> None:
    p, x, y, h0 = case(seed, delays)
    grad = leaky_bptt(p, x, y, h0)
    assert grad.delays == delays
    assert_gradient(
        leaky_bptt, lambda q: rnn_loss(leaky_forward(q, x, h0), y)[0], p, grad, lambda q: torch_loss(q, x, y, h0)
    )


@few
@given(seeds)
def test_without_leak_and_skips_it_is_the_plain_net_to_the_last_bit(seed: int) -> None:
    p, x, y, h0 = case(seed, (1,), leaky=False)
    plain = RNN(p.U, p.W[0], p.V, p.b, p.c)
    ours, theirs = leaky_forward(p, x, h0), rnn_forward(plain, x, h0)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
    g, wanted = leaky_bptt(p, x, y, h0), rnn_bptt(plain, x, y, h0)
    for name in RNN._fields:
        np.testing.assert_array_equal(g.W[0] if name == "W" else getattr(g, name), getattr(wanted, name))


@few
@given(seeds)
def test_a_unit_that_keeps_everything_never_moves(seed: int) -> None:
    p, x, _, h0 = case(seed, (1, 3))
    run = leaky_forward(p._replace(alpha=np.ones(len(p.b))), x, h0)
    np.testing.assert_array_equal(run.h, np.tile(h0, (len(x) + 1, 1)))


@few
@given(keeps, st.integers(1, 60))
def test_an_impulse_decays_as_the_closed_form_says(alpha: float, steps: int) -> None:
    v = np.zeros((steps, 1))
    v[0] = 1
    np.testing.assert_allclose(ts.leaky_average(alpha, v)[1:, 0], ts.impulse_response(alpha, steps), rtol=1e-12)


@few
@given(keeps)
def test_the_time_constant_is_minus_one_over_ln_alpha(alpha: float) -> None:
    tau = ts.time_constant(alpha)
    assert alpha**tau == pytest.approx(np.exp(-1), rel=1e-12)
    assert ts.leak_of(tau) == pytest.approx(alpha, rel=1e-12)
    line = np.log(ts.impulse_response(alpha, 50))
    assert -1 / fitted_slope(line) == pytest.approx(tau, rel=1e-9)


def test_the_two_ends_have_no_memory_and_no_forgetting() -> None:
    assert ts.time_constant(0.0) == 0 and ts.time_constant(1.0) == np.inf and ts.leak_of(0.0) == 0
    np.testing.assert_array_equal(ts.impulse_response(0.0, 3), [1, 0, 0])
    v = np.array([[3.0], [5.0]])
    np.testing.assert_array_equal(ts.leaky_average(0.0, v)[1:], v)
    np.testing.assert_array_equal(ts.leaky_average(1.0, v, np.array([2.0])), [[2], [2], [2]])


@few
@given(seeds, keeps)
def test_a_leaky_average_is_the_sum_of_what_each_value_left(seed: int, alpha: float) -> None:
    v, mu0 = np.random.default_rng(seed).standard_normal((2, 12))
    mu = ts.leaky_average(alpha, v[:, None], mu0[:1])
    for t in range(13):
        brute = alpha**t * mu0[0] + sum((1 - alpha) * alpha ** (t - k) * v[k - 1] for k in range(1, t + 1))
        assert mu[t, 0] == pytest.approx(brute, rel=1e-10, abs=1e-12)


@few
@given(seeds, st.integers(1, 20))
def test_the_slopes_of_an_average_are_those_of_differences(seed: int, tau: int) -> None:
    rng = np.random.default_rng(seed)
    alpha, v = rng.uniform(0.05, 0.95, 3), rng.standard_normal(tau)
    mu, d = slopes(alpha, v)
    np.testing.assert_allclose(mu, ts.leaky_average(alpha, np.tile(v[:, None], 3))[1:], rtol=0, atol=1e-13)
    by_unit = differences(lambda a: ts.leaky_average(a, np.tile(v[:, None], 3))[1:], alpha)  # (3, tau, 3)
    assert_agree(d, np.einsum("iti->ti", by_unit), 1e-6, slopes, "central differences", "alpha", floor=1e-9)


@settings(max_examples=5)
@given(seeds)
def test_learned_leaks_recover_the_time_constants_of_a_mixture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    taus = np.array([2.0, 10.0, 50.0])
    truth = ts.Leaks(np.exp(-1 / taus), np.array([1.0, 2.0, 5.0]))
    v = rng.standard_normal(300)
    start = np.exp(-1 / (np.array([1.0, 6.0, 30.0]) * rng.uniform(0.8, 1.25, 3)))
    got = ts.fit_leaks(v, ts.mixture(truth, v), start)
    np.testing.assert_allclose([ts.time_constant(a) for a in got.alpha], taus, rtol=1e-3)


def test_no_update_of_a_fit_raises_its_error() -> None:
    taus, w = np.array([2.0, 10.0, 50.0]), np.array([1.0, -1.0, 1.5])  # quiet parts: some full steps overshoot
    for seed in range(8):
        rng = np.random.default_rng(seed)
        v = rng.standard_normal(300)
        y = ts.mixture(ts.Leaks(np.exp(-1 / taus), w), v)
        y = y + 0.05 * y.std() * rng.standard_normal(300)
        fits = [ts.fit_leaks(v, y, np.array([0.3, 0.8, 0.97]), n) for n in range(12)]
        errors = np.array([((ts.mixture(p, v) - y) ** 2).sum() for p in fits])
        assert (np.diff(errors) <= 1e-9 * errors[:-1]).all(), seed


@few
@given(seeds, st.floats(0.7, 1.1), st.integers(1, 8), st.integers(2, 6))
def test_through_skips_of_d_steps_the_gradient_has_slope_log_rho_over_d(seed: int, rho: float, d: int, n: int) -> None:
    W = draw_weights(n, np.random.default_rng(seed), rho, "symmetric")[None]
    norms = ts.delay_norms(W, (d,), 60 * d)
    logs = np.log(norms[::d])
    np.testing.assert_allclose(logs, np.arange(61) * np.log(rho), atol=1e-9)
    assert fitted_slope(logs) / d == pytest.approx(np.log(rho) / d, rel=0.02, abs=1e-9)
    assert ts.delay_radius(W, (d,)) == pytest.approx(rho ** (1 / d), rel=1e-5)
    if d > 1:
        assert (np.delete(norms, np.arange(0, 60 * d + 1, d)) == 0).all()


@few
@given(seeds, st.integers(2, 5))
def test_with_both_kinds_of_connection_the_slope_is_that_of_the_companion_matrix(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    W = np.abs(rng.standard_normal((2, 3, 3)))  # positive: one real eigenvalue leads
    W *= 0.4 / np.linalg.norm(W, 2, axis=(1, 2))[:, None, None]
    late = fitted_slope(np.log(ts.delay_norms(W, (1, d), 200)), 80)
    assert late == pytest.approx(np.log(ts.delay_radius(W, (1, d))), rel=0.02)


@few
@given(seeds, delay_sets, st.floats(0.3, 1.5))
def test_rescaled_matrices_multiply_every_rate_and_every_gradient(seed: int, delays: tuple, growth: float) -> None:
    W = np.random.default_rng(seed).standard_normal((len(delays), 4, 4)) / 4
    scaled = ts.grow_at(W, delays, growth)
    assert ts.delay_radius(scaled, delays) == pytest.approx(growth, rel=1e-6)
    gamma = growth / ts.delay_radius(W, delays)
    norms = ts.delay_norms(W, delays, 12)
    np.testing.assert_allclose(ts.delay_norms(scaled, delays, 12), gamma ** np.arange(13) * norms, rtol=1e-9)


def test_a_stack_is_drawn_over_the_whole_of_the_ranges_that_it_names() -> None:
    p = ts.recall_init(5, 64, (1, 2), np.random.default_rng(3), (2.0, 50.0))
    for name in ("U", "W", "V", "b"):
        drawn = 8 * getattr(p, name)  # ±1/√64
        assert -1 <= drawn.min() < -0.97 and 0.97 < drawn.max() <= 1, name
        assert abs(drawn.mean()) < 4 / np.sqrt(3 * drawn.size), name
    order = np.log(-1 / np.log(p.alpha)) / np.log(5)  # of the time constants: 2 = 5^0.43, 50 = 5^2.43
    np.testing.assert_allclose([order.min(), order.max()], np.log([2, 50]) / np.log(5), atol=0.05)
    assert abs(order.mean() - np.log(10) / np.log(5)) < 4 * 2 / np.sqrt(12 * order.size)
    assert not ts.recall_init(1, 3, (1,), np.random.default_rng(3)).alpha.any()


@settings(max_examples=8)
@given(seeds, delay_sets)
def test_a_stack_answers_as_its_nets_do_one_by_one(seed: int, delays: tuple[int, ...]) -> None:
    from companion.timescales.recall import _logits

    rng = np.random.default_rng(seed)
    p = ts.recall_init(3, 4, delays, rng, (1.0, 20.0))
    x = rng.standard_normal((3, 2, 9, 1))
    o = _logits(tree.map(torch.tensor, p), torch.tensor(x)).numpy()
    for net in range(3):
        for row in range(2):
            one = leaky_forward(tree.map(lambda v, k=net: v[k], p), x[net, row])
            np.testing.assert_allclose(o[net, row], one.o[-1], rtol=1e-10, atol=1e-12)


def test_asking_on_the_way_is_asking_sequences_of_each_length() -> None:
    rng = np.random.default_rng(2)
    p = ts.recall_init(3, 4, (1, 3), rng, (1.0, 20.0))
    x, y = fresh(latch, 3, 9, 20, np.random.default_rng(5), torch.float64)
    found = ts.recall_accuracies(p, [5, 9], np.random.default_rng(5), 20)
    for row, length in zip(found, (5, 9), strict=True):
        for net in range(3):
            said = [leaky_forward(tree.map(lambda v, k=net: v[k], p), s.numpy()).o[-1] for s in x[net, :, :length]]
            assert row[net] == np.mean(np.argmax(said, axis=1) == y[net].numpy())


@few
@given(seeds, st.integers(1, 70))
def test_doubling_gives_what_the_loop_gives(seed: int, tau: int) -> None:
    rng = np.random.default_rng(seed)
    keep, u, loop = rng.uniform(0, 1, (tau, 2)), rng.standard_normal((tau, 2)), [np.zeros(2)]
    for k, v in zip(keep, u, strict=True):
        loop.append(k * loop[-1] + v)
    np.testing.assert_allclose(scan_by_doubling(keep, u), loop[1:], rtol=0, atol=1e-12)
    alpha = rng.uniform(0, 1, 3)
    v = np.tile(u[:, :1], 3)
    np.testing.assert_allclose(averages(alpha, u[:, 0]), ts.leaky_average(alpha, v)[1:], rtol=0, atol=1e-12)


def test_training_changes_copies_only_and_learns_a_short_latch() -> None:
    rng = np.random.default_rng(0)
    p = ts.recall_init(4, 8, (1,), rng, (1.0, 20.0))
    before = tree.map(np.copy, p)
    q = ts.recall_train(p, 6, rng, updates=150, learn_alpha=True)
    assert all(np.array_equal(a, b) for a, b in zip(p, before, strict=True))
    assert ((q.alpha > 0) & (q.alpha < 1)).all() and not np.array_equal(q.alpha, p.alpha)
    assert (ts.recall_accuracy(q, 6, rng) > 0.95).all()


def test_a_net_with_only_long_connections_is_blind_between_its_steps() -> None:
    rng = np.random.default_rng(1)
    p = tree.map(lambda v: v[0], ts.recall_init(1, 8, (8,), rng))
    x = rng.standard_normal((16, 1))
    moved = x.copy()
    moved[:7] += 1.0  # of the first eight steps, only step 8 lies a multiple of eight before step 16
    np.testing.assert_array_equal(leaky_forward(p, x).h[-1], leaky_forward(p, moved).h[-1])
    moved[7] += 1.0
    assert np.abs(leaky_forward(p, x).h[-1] - leaky_forward(p, moved).h[-1]).max() > 1e-6


def test_the_stored_record_has_every_kind() -> None:
    rows, settings = store.rows("timescales"), study.SETTINGS
    counted = [row for row in rows if row["draw"] == 1]
    assert [row["kind"] for row in counted] == list(settings.kinds)
    assert all(len(a) == 40 and 0 <= min(a) <= max(a) <= 1 for row in counted for a in row["accuracy"].values())
    assert all(row["rate"] == study.best(settings, rows, row["kind"]) for row in counted)


@pytest.mark.slow
def test_a_stored_row_comes_out_again() -> None:
    settings = study.SETTINGS
    key = {"kind": "removed", "length": 67, "rate": 0.5, "draw": 0}
    (stored,) = store.rows("timescales", **key)
    again = study.run(key, settings, "cpu")["accuracy"]
    solved = [sum(a > 0.95 for a in accuracy["67"]) for accuracy in (stored["accuracy"], again)]
    assert abs(solved[0] - solved[1]) <= 3


def test_every_kind_is_judged_at_the_same_lengths() -> None:
    lengths = [67, 63, 64, 65, 66, 68, 69, 70, 71, 131]
    right = [lengths, [67], [65, 66, 67], [65, 66, 67, 131], lengths[:-1], [63, *range(68, 72)]]  # net by net
    accuracy = {str(m): [float(m in net) for net in right] for m in lengths}
    rows = [{"kind": kind, "length": 67, "rate": 0.5, "draw": 1, "accuracy": accuracy} for kind in ("plain", "removed")]
    found = study.judge(study.SETTINGS, rows)
    counts = {"learns": 5, "holds three": 4, "holds twice": 2, "holds": 2}
    assert found["plain"] == found["removed"] == {"rate": 0.5} | {name: {"67": n} for name, n in counts.items()}


@pytest.mark.parametrize("delays", [(-1,), (0,), (1, 1), (), (1.5,), 3, "12", (1, 2)])
def test_bad_delays_are_named(delays: object) -> None:
    p, x, y, _ = case(3, (1,))
    q, rng = p._replace(delays=delays), np.random.default_rng(0)
    for call in (lambda: leaky_forward(q, x), lambda: leaky_bptt(q, x, y)):
        with pytest.raises(ValueError, match=r"p\.delays"):
            call()
    stack = ts.recall_init(2, 3, (1,), rng)._replace(delays=delays)
    with pytest.raises(ValueError, match=r"p\.delays"):
        ts.recall_accuracy(stack, 6, rng)
    for call in (lambda: ts.delay_norms(p.W, delays, 5), lambda: ts.delay_radius(p.W, delays)):
        with pytest.raises(ValueError, match="delays"):
            call()


@pytest.mark.parametrize("alpha", [-0.1, 1.1, np.nan, "a", np.zeros(9), None])
def test_a_leak_outside_its_range_is_named(alpha: object) -> None:
    p, x, _, _ = case(4, (1,))
    rng = np.random.default_rng(0)
    calls = [
        lambda: leaky_forward(p._replace(alpha=alpha), x),
        lambda: leaky_init(1, 4, 2, (1,), rng, alpha),
        lambda: ts.leaky_average(alpha, np.zeros((3, 2))),
        lambda: ts.time_constant(alpha),
        lambda: ts.impulse_response(alpha, 3),
        lambda: ts.mixture(ts.Leaks(alpha, np.ones(2)), np.zeros(4)),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"alpha|p\.w: want shape \(9,\), got \(2,\)"):
            call()


@few
@given(seeds, st.sampled_from(["U", "W", "V", "b", "c", "alpha"]), st.booleans())
def test_a_bad_parameter_is_named(seed: int, field: str, nan: bool) -> None:
    p, x, y, _ = case(seed, (1, 2))
    bad = getattr(p, field).copy()
    bad = bad * np.nan if nan else bad[None]
    with pytest.raises(ValueError, match=f"p.{field}"):
        leaky_bptt(p._replace(**{field: bad}), x, y)
    stack = ts.recall_init(2, 3, (1, 2), np.random.default_rng(seed))
    bad = getattr(stack, field) * np.nan if nan else getattr(stack, field)[:, :1][None]
    with pytest.raises(ValueError, match=f"p.{field}"):
        ts.recall_accuracy(stack._replace(**{field: bad}), 6, np.random.default_rng(0))


def test_other_bad_input_is_named() -> None:
    p, x, y, _ = case(5, (1,))
    rng = np.random.default_rng(0)
    stack = ts.recall_init(2, 3, (1,), rng)
    calls = {
        "x": lambda: leaky_forward(p, x[:0]),
        "y": lambda: leaky_bptt(p, x, y + 99),
        "h0": lambda: leaky_forward(p, x, np.zeros(99)),
        "p: want": lambda: leaky_forward(None, x),
        "v": lambda: ts.leaky_average(0.5, np.zeros((0, 2))),
        "mu0": lambda: ts.leaky_average(0.5, np.zeros((3, 2)), np.zeros(3)),
        "tau": lambda: ts.leak_of(-1.0),
        "steps": lambda: ts.impulse_response(0.5, 0),
        "W": lambda: ts.delay_norms(np.zeros((1, 2, 3)), (1,), 4),
        "W: want matrices": lambda: ts.grow_at(np.zeros((1, 2, 2)), (1,), 0.9),
        "growth": lambda: ts.grow_at(np.eye(2)[None], (1,), -0.1),
        "y: want": lambda: ts.fit_leaks(np.ones(5), np.ones(4), np.array([0.5])),
        "alpha": lambda: ts.fit_leaks(np.ones(5), np.ones(5), np.array([1.0])),
        "p.alpha": lambda: ts.recall_train(stack, 6, rng, 1, learn_alpha=True),
        "length": lambda: ts.recall_train(stack, 3, rng, 1),
        "taus": lambda: ts.recall_init(2, 3, (1,), rng, (0.0, 1.0)),
        "rng": lambda: ts.recall_init(2, 3, (1,), None),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=name):
            call()
    with pytest.raises(ValueError, match=r"p\.alpha"):
        ts.recall_accuracy(stack._replace(alpha=stack.alpha - 0.1), 6, rng)
