"""Teacher forcing: steps taken apart against BPTT and PyTorch, the closed loop, scheduled sampling's optimum."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import forcing
from companion.cells.output import OutputRNN, output_rnn_bptt, output_rnn_forward, output_rnn_init, output_rnn_loss
from companion.cells.rnn import rnn_init
from companion.data import store
from companion.forcing import (
    SERIES,
    Predictor,
    chaos,
    cycle,
    drive,
    free_error,
    hold,
    predict,
    scheduled_optimum,
    steps_gradient,
    teacher_inputs,
    teacher_probability,
)
from companion.forcing.modules import Predictors, mixed, several_ahead
from companion.forcing.trained import alone, one_by_one, stored_predictors
from companion.studies import forcing as study
from tests.gradients import assert_agree, assert_gradient

quick = settings(max_examples=15)
sizes = {
    "n_x": st.integers(1, 3),
    "n_h": st.integers(1, 5),
    "n_o": st.integers(2, 4),
    "tau": st.integers(1, 12),
    "seed": st.integers(0, 2**32 - 1),
}


def drawn(n_x, n_h, n_o, tau, seed):
    rng = np.random.default_rng(seed)
    p = output_rnn_init(n_x, n_h, n_o, rng)
    p = p._replace(b=rng.normal(size=n_h), c=rng.normal(size=n_o))
    return p, rng.normal(size=(tau, n_x)), rng.integers(n_o, size=tau), rng


def predictor(n_y, n_h, rng):
    return Predictor(
        rng.normal(size=(n_h, n_y)), rng.normal(size=(n_y, n_h)), rng.normal(size=n_h), rng.normal(size=n_y)
    )


# steps apart


@quick
@given(**sizes)
def test_gradients_of_single_steps_in_any_order_sum_to_the_teacher_forced_gradient(n_x, n_h, n_o, tau, seed):
    p, x, y, rng = drawn(n_x, n_h, n_o, tau, seed)
    z, total = teacher_inputs(y, n_o), [np.zeros_like(v) for v in p]
    for t in rng.permutation(tau):
        _, apart = steps_gradient(p, x[[t]], z[[t]], y[[t]])
        total = [a + b for a, b in zip(total, apart, strict=True)]
    assert_agree(OutputRNN(*total), output_rnn_bptt(p, x, y), 1e-10, steps_gradient, "the loop")


@quick
@given(**sizes)
def test_all_steps_at_once_agree_with_the_loop(n_x, n_h, n_o, tau, seed):
    p, x, y, _ = drawn(n_x, n_h, n_o, tau, seed)
    loss, grad = steps_gradient(p, x, teacher_inputs(y, n_o), y)
    assert np.allclose(loss, output_rnn_loss(output_rnn_forward(p, x, y), y)[1], rtol=1e-12, atol=1e-13)
    assert_agree(grad, output_rnn_bptt(p, x, y), 1e-10, steps_gradient, "the loop")


@quick
@given(**sizes, forced=st.booleans())
def test_the_gradient_of_all_steps_at_once_is_that_of_torch_and_differences(n_x, n_h, n_o, tau, seed, forced):
    p, x, y, rng = drawn(n_x, n_h, n_o, tau, seed)
    z = teacher_inputs(y, n_o) if forced else rng.random((tau, n_o))  # whatever is fed, not only one-hot rows

    def by_torch(q):
        o = q.c + torch.tanh(q.b + torch.tensor(z) @ q.W.T + torch.tensor(x) @ q.U.T) @ q.V.T
        return torch.nn.functional.cross_entropy(o, torch.tensor(y), reduction="sum")

    grad = steps_gradient(p, x, z, y)[1]
    assert_gradient(steps_gradient, lambda q: steps_gradient(q, x, z, y)[0].sum(), p, grad, by_torch)


def test_steps_computed_apart_miss_part_of_the_gradient_of_a_free_run():
    p, x, y, _ = drawn(2, 5, 3, 8, 0)
    run = output_rnn_forward(p, x)
    _, apart = steps_gradient(p, x, run.z[:-1], y)
    assert np.abs(apart.W - output_rnn_bptt(p, x, y, forced=False).W).max() > 1e-3


@pytest.mark.parametrize("horizon", [1, 2, 3, 9])
def test_several_steps_ahead_the_net_hears_itself_between_true_values(horizon):
    model, y = Predictors(2, 5, [0, 1]), torch.randn(2, 3, 8, 2, dtype=torch.float64)
    said = several_ahead(model, y, horizon)
    assert said.shape == (2, 3, 7, 2) and said.requires_grad
    for seed, net in enumerate(model.numpy()):
        for n in range(3):
            for t in range(7):
                value = y[seed, n, t - t % horizon].numpy()
                for _ in range(t % horizon + 1):
                    value = predict(net, value[None])[0]
                np.testing.assert_allclose(said[seed, n, t].detach(), value, atol=1e-12)


@quick
@given(n_o=st.integers(2, 3), tau=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_teacher_forced_likelihoods_are_a_distribution_over_sequences(n_o, tau, seed):
    p, x, _, _ = drawn(2, 4, n_o, tau, seed)
    every = [np.array(y) for y in product(range(n_o), repeat=tau)]
    P = [np.exp(-steps_gradient(p, x, teacher_inputs(y, n_o), y)[0].sum()) for y in every]
    assert abs(sum(P) - 1) < 1e-12


@quick
@given(length=st.integers(3, 12), n_h=st.integers(1, 8), seed=st.integers(0, 2**32 - 1))
def test_no_weights_let_a_teacher_forced_output_net_hold_a_bit(length, n_h, seed):
    rng = np.random.default_rng(seed)
    p, (x, y) = output_rnn_init(2, n_h, 3, rng), hold(length)
    last = [output_rnn_forward(p, x[i], y[i]) for i in (0, 1)]
    assert np.array_equal(last[0].o[1:], last[1].o[1:])
    assert sum(output_rnn_loss(r, y[i])[1][-1] for i, r in enumerate(last)) / 2 >= np.log(2) - 1e-12


def test_holding_task_shows_the_bit_once_and_asks_for_it_at_the_end():
    x, y = hold(5)
    assert np.array_equal(x[:, :, 0], [[-1, 0, 0, 0, 0], [1, 0, 0, 0, 0]])
    assert np.array_equal(y, [[2, 2, 2, 2, 0], [2, 2, 2, 2, 1]])
    assert np.array_equal(x[0, 1:], x[1, 1:])


# the closed loop


@quick
@given(n_y=st.integers(1, 3), n_h=st.integers(1, 5), tau=st.integers(2, 9), seed=st.integers(0, 2**32 - 1))
def test_driving_with_the_teacher_is_predicting_every_row(n_y, n_h, tau, seed):
    rng = np.random.default_rng(seed)
    p, y = predictor(n_y, n_h, rng), rng.normal(size=(tau, n_y))
    z, yhat = drive(p, y, np.zeros(tau - 1, dtype=bool))
    assert np.array_equal(z, y[:-1])
    assert np.allclose(yhat, predict(p, y[:-1]), rtol=1e-12, atol=1e-14)
    by_hand = [p.c + p.V @ np.tanh(p.b + p.W @ row) for row in y[:-1]]
    assert np.allclose(yhat, by_hand, rtol=1e-12, atol=1e-13)


@quick
@given(n_y=st.integers(1, 3), tau=st.integers(2, 9), seed=st.integers(0, 2**32 - 1))
def test_driving_alone_needs_only_the_first_value_and_gives_the_free_error(n_y, tau, seed):
    rng = np.random.default_rng(seed)
    p, y = predictor(n_y, 4, rng), rng.normal(size=(tau, n_y))
    own = np.arange(tau - 1) > 0
    yhat = drive(p, y, own)[1]
    assert np.array_equal(yhat, drive(p, np.vstack([y[:1], rng.normal(size=(tau - 1, n_y))]), own)[1])
    assert np.allclose(free_error(p, y[None])[0], np.linalg.norm(yhat - y[1:], axis=1), rtol=1e-12, atol=1e-13)


@quick
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
def test_torch_feeds_what_the_reference_feeds(seed, share):
    rng = np.random.default_rng(seed)
    model = Predictors(2, 16, range(3))
    y = rng.normal(size=(3, 4, 6, 2))
    own = rng.random((3, 4, 5)) < share
    own[:, :, 0] = False
    fed = mixed(model, torch.tensor(y), torch.tensor(own))
    assert not fed.requires_grad
    for s, p in enumerate(model.numpy()):
        for i in range(4):
            assert np.allclose(fed[s, i].numpy(), drive(p, y[s, i], own[s, i])[0], rtol=1e-12, atol=1e-13)


def test_cycle_solves_its_equation_and_settles_on_one_curve():
    from scipy.integrate import solve_ivp

    y = cycle(40, 3, np.random.default_rng(0))
    for path in y:
        right = solve_ivp(
            lambda _, s: [s[1], (1 - s[0] ** 2) * s[1] - s[0]], (0, 0.3 * 39), path[0], rtol=1e-10, atol=1e-12
        )
        assert np.abs(right.y[:, -1] - path[-1]).max() < 1e-4
    assert np.all(np.abs(np.abs(y[:, :, 0]).max(axis=1) - 2.0) < 0.05)  # its amplitude is 2.009


def test_small_differences_double_along_chaos():
    y = chaos(2, 200_000, np.random.default_rng(0))[:, :, 0]
    slope = np.abs(4 * y[:, 0])
    assert abs(np.log(slope).mean() - np.log(2)) < 0.01  # the exponent, exactly log 2
    assert abs(np.sqrt((slope**2).mean()) - np.sqrt(8)) < 0.01
    assert np.allclose(y[:, 1], 1 - 2 * y[:, 0] ** 2)
    u = (1 + y) / 2
    assert np.allclose(u[:, 1], 4 * u[:, 0] * (1 - u[:, 0]), atol=1e-12)  # the logistic map


# scheduled sampling


@quick
@given(k=st.integers(2, 4), teacher=st.floats(0, 1), seed=st.integers(0, 2**32 - 1))
def test_scheduled_optimum_beats_every_other_second_step(k, teacher, seed):
    """The expected loss by enumeration over data, coin and the model's own first symbol."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(k * k)).reshape(k, k)
    first = P.sum(axis=1)

    def expected(Q):
        total = 0.0
        for y1, y2, own in product(range(k), repeat=3):
            total -= P[y1, y2] * (1 - teacher) * first[own] * np.log(Q[own, y2])
        return total - teacher * (P * np.log(Q)).sum()

    best = scheduled_optimum(P, teacher)
    assert np.allclose(best.sum(axis=1), 1)
    for _ in range(5):
        other = 0.9 * best + 0.1 * rng.dirichlet(np.ones(k), size=k)
        assert expected(best) <= expected(other) + 1e-12


def test_teacher_forcing_aims_at_the_conditional_and_sampling_alone_at_the_marginal():
    P = np.array([[0.4, 0.1], [0.2, 0.3]])
    assert np.allclose(scheduled_optimum(P, 1.0), [[0.8, 0.2], [0.4, 0.6]])
    assert np.allclose(scheduled_optimum(P, 0.0), [[0.6, 0.4], [0.6, 0.4]])


@quick
@given(
    i=st.integers(0, 5000), k=st.floats(1, 500), base=st.floats(0, 1), floor=st.floats(0, 1), later=st.integers(1, 99)
)
def test_the_teacher_only_ever_fades(i, k, base, floor, later):
    for decay, pace in (("linear", k), ("exponential", base), ("inverse sigmoid", k)):
        now, then = (teacher_probability(j, decay, pace, floor) for j in (i, i + later))
        assert floor <= then <= now <= 1


def test_fading_follows_the_three_formulas():
    assert teacher_probability(25, "linear", 100) == 0.75
    assert np.isclose(teacher_probability(3, "exponential", 0.9), 0.729)
    assert np.isclose(teacher_probability(30, "inverse sigmoid", 10), 10 / (10 + np.exp(3)))
    assert teacher_probability(10**6, "inverse sigmoid", 2.0) == 0.0


# what is stored


def test_stored_nets_give_the_recorded_errors():
    nets = stored_predictors()
    assert set(nets) == set(product(SERIES, (1.0, 0.75, 0.5, 0.25, 0.0)))
    for row in store.rows("forcing"):
        e = alone(nets[row["series"], row["floor"]], SERIES[row["series"]](31, 200, np.random.default_rng(10)))
        assert e.shape == (8, 30)
        assert np.allclose(e[:, 0], row["after_1"], atol=2e-3)


def test_training_lowers_the_error_and_seeds_do_not_hear_of_each_other():
    y = cycle(2, 100, np.random.default_rng(3))
    few = study.SETTINGS._replace(steps=60, seeds=(0, 1, 2))
    three = one_by_one(**study.run({"series": "cycle", "floor": 0.5}, few, "cpu")["weights"])
    before = alone(Predictors(2, 16, range(3)).numpy(), y)
    assert (alone(three, y) < 0.7 * before).all()
    other = Predictors(2, 16, range(3))
    z = torch.tensor(np.random.default_rng(0).normal(size=(3, 5, 2)))
    other(z)[0].square().sum().backward()
    assert not other.W.grad[1:].any()
    assert other.W.grad[0].any()


# bad input

P_GOOD = output_rnn_init(2, 3, 4, np.random.default_rng(0))
X, Z, Y = np.zeros((5, 2)), np.zeros((5, 4)), np.zeros(5, dtype=int)
NET = predictor(2, 3, np.random.default_rng(0))
SERIE = np.zeros((4, 2))
NONE = np.zeros(3, dtype=bool)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: teacher_inputs(np.array([], dtype=int), 3), "len(y)"),
        (lambda: teacher_inputs(np.array([0, 3]), 3), "y"),
        (lambda: teacher_inputs(np.array([0, 1]), 0), "n_o"),
        (lambda: steps_gradient(rnn_init(2, 3, 4, np.random.default_rng(0)), X, Z, Y), "p"),
        (lambda: steps_gradient(P_GOOD._replace(W=np.zeros((3, 3))), X, Z, Y), "p.V"),
        (lambda: steps_gradient(P_GOOD, X[:0], Z[:0], Y[:0]), "x"),
        (lambda: steps_gradient(P_GOOD, X[:, :1], Z, Y), "x"),
        (lambda: steps_gradient(P_GOOD, X * np.nan, Z, Y), "x"),
        (lambda: steps_gradient(P_GOOD, X, Z[:4], Y), "z"),
        (lambda: steps_gradient(P_GOOD, X, Z, Y + 4), "y"),
        (lambda: hold(2), "length"),
        (lambda: predict(P_GOOD, SERIE), "p"),
        (lambda: predict(NET, SERIE[:, :1]), "z"),
        (lambda: drive(NET, SERIE, NONE[:2]), "own"),
        (lambda: drive(NET, SERIE, np.zeros(3)), "own"),
        (lambda: drive(NET, SERIE, ~NONE), "own"),
        (lambda: drive(NET, SERIE[:1], NONE[:0]), "len(y)"),
        (lambda: drive(NET, SERIE[:0], NONE), "y"),
        (lambda: free_error(NET, np.zeros((2, 1, 2))), "tau"),
        (lambda: free_error(NET, np.zeros((2, 3, 1))), "y"),
        (lambda: cycle(0, 1, np.random.default_rng(0)), "tau"),
        (lambda: cycle(3, 0, np.random.default_rng(0)), "n"),
        (lambda: chaos(3, 2, 7), "rng"),
        (lambda: cycle(3, 2, None), "rng"),
        (lambda: teacher_probability(-1, "linear", 10), "i"),
        (lambda: teacher_probability(1, "quadratic", 10), "decay"),
        (lambda: teacher_probability(1, "linear", 0), "k"),
        (lambda: teacher_probability(1, "exponential", 1.5), "k"),
        (lambda: teacher_probability(1, "inverse sigmoid", 0.5), "k"),
        (lambda: teacher_probability(1, "linear", 10, 1.2), "floor"),
        (lambda: scheduled_optimum(np.full((2, 2), 0.25), -0.1), "teacher"),
        (lambda: scheduled_optimum(np.full((2, 2), 0.3), 0.5), "P"),
        (lambda: scheduled_optimum(np.full((2, 3), 1 / 6), 0.5), "P"),
        (lambda: scheduled_optimum(np.array([[0.5, 0.5], [0.0, 0.0]]), 0.5), "P"),
        (lambda: Predictors(2, 3, []), "seeds"),
        (lambda: Predictors(2, 3, [-1]), "seeds"),
        (lambda: alone([NET], np.zeros((2, 1, 2))), "tau"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value).startswith(f"{named}: want")


def test_names_are_all_exported():
    assert all(hasattr(forcing, name) for name in forcing.__all__)
