"""Section P.5: attention, scans, diagonal state spaces and gated linear recurrences, against independent oracles."""

from collections import deque

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from scipy.signal import cont2discrete

from companion.cells.gate import Gate
from companion.cells.gru import GRU, gru_forward
from companion.linear import (
    KINDS,
    MinGRU,
    Work,
    attention,
    by_convolution,
    by_recurrence,
    combine,
    costs,
    discretise,
    features,
    kernel,
    linear_attention,
    linear_attention_steps,
    linear_net,
    memory,
    min_gru,
    positions,
    recurrence,
    ring,
    scan_back,
    scan_by_tree,
    selective,
    spread,
    sweeps,
    work,
)
from companion.linear import scans as module
from companion.reservoir import memory_of_linear
from companion.studies import epilogue as study
from companion.timescales.leaky import scan_by_doubling

LENGTHS = (1, 2, 3, 5, 8, 13, 64, 100)


def draw(seed, *shape, kind=float):
    """Numbers of a shape; complex ones have both parts."""
    rng = np.random.default_rng([seed, *shape])
    return rng.normal(size=shape) + (1j * rng.normal(size=shape) if kind is complex else 0)


def factors(seed, tau, n, kind=float):
    """Factors that neither explode nor vanish at once."""
    a = draw(seed, tau, n, kind=kind)
    return a / (1 + np.abs(a))


@pytest.mark.parametrize("causal", [False, True])
def test_it_is_torchs(causal):
    Q, K, V = draw(0, 7, 4), draw(1, 7, 4), draw(2, 7, 3)
    q, k, v = (torch.tensor(m)[None] for m in (Q, K, V))
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)[0]
    assert np.allclose(attention(Q, K, V, causal).o, theirs, rtol=0, atol=1e-12)


def test_weights_are_shares_and_a_mask_leaves_exactly_nothing_of_the_future():
    Q, K, V = draw(0, 6, 4), draw(1, 6, 4), draw(2, 6, 3)
    weights = attention(Q, K, V, causal=True).weights
    assert np.allclose(weights.sum(axis=1), 1)
    assert (weights[np.triu_indices(6, 1)] == 0).all() and (weights[np.tril_indices(6)] > 0).all()


def test_it_moves_with_a_permutation_and_positions_break_that():
    x, order = draw(3, 9, 6), np.random.default_rng(0).permutation(9)
    assert np.allclose(attention(x[order], x[order], x[order]).o, attention(x, x, x).o[order])
    placed, moved = x + positions(9, 6), x[order] + positions(9, 6)
    assert not np.allclose(attention(moved, moved, moved).o, attention(placed, placed, placed).o[order], atol=0.01)


def test_a_shift_of_positions_is_a_rotation_of_each_pair():
    p = positions(40, 6)
    for i in range(3):
        w = 10000 ** (-2 * i / 6)
        turn = np.array([[np.cos(5 * w), np.sin(5 * w)], [-np.sin(5 * w), np.cos(5 * w)]])
        assert np.allclose(p[5:, 2 * i : 2 * i + 2], p[:-5, 2 * i : 2 * i + 2] @ turn.T)


@pytest.mark.parametrize("tau", [1, 2, 6])
def test_costs_are_those_of_the_loops_and_of_the_shortest_path(tau):
    d = 3
    counted = {"recurrence": 0, "attention": 0, "diagonal": 0}
    for _ in range(tau):
        counted["recurrence"] += d * d
        counted["diagonal"] += d
        for _ in range(tau):
            counted["attention"] += d + d  # a score, and the weighted sum
    arrows = {
        "recurrence": {t: [t + 1] for t in range(tau)},
        "diagonal": {t: [t + 1] for t in range(tau)},
        "attention": {t: range(tau) for t in range(tau)},
    }
    for layer, multiplications in counted.items():
        steps, todo = {0: 0}, deque([0])
        while todo:
            for to in arrows[layer].get(at := todo.popleft(), []):
                if to not in steps:
                    steps[to] = steps[at] + 1
                    todo.append(to)
        assert costs(layer, tau, d) == (multiplications, steps[tau - 1])


@pytest.mark.parametrize("tau", [1, 2, 17])
def test_the_recurrence_is_the_masked_matrix(tau):
    Q, K, V = draw(0, tau, 4), draw(1, tau, 4), draw(2, tau, 3)
    assert np.allclose(linear_attention_steps(Q, K, V), linear_attention(Q, K, V), rtol=0, atol=1e-12)


def test_it_is_its_sum_written_out():
    Q, K, V = draw(0, 6, 4), draw(1, 6, 4), draw(2, 6, 3)
    for t in range(6):
        weights = [features(Q)[t] @ features(K)[s] for s in range(t + 1)]
        o = sum(w * V[s] for s, w in enumerate(weights)) / sum(weights)
        assert np.allclose(linear_attention(Q, K, V)[t], o)


def test_features_are_torchs_elu_and_positive():
    x = 5 * draw(0, 20, 3)
    assert np.allclose(features(x), torch.nn.functional.elu(torch.tensor(x)) + 1)
    assert (features(100 * x) >= 0).all() and np.isfinite(features(1e4 * np.abs(x))).all()


@pytest.mark.parametrize("tau", LENGTHS)
@pytest.mark.parametrize("kind", [float, complex])
def test_the_tree_is_the_loop(tau, kind):
    a, b = factors(0, tau, 3, kind), draw(1, tau, 3, kind=kind)
    loop = recurrence(a, b)
    assert loop.shape == (tau + 1, 3) and (loop[0] == 0).all()
    assert np.allclose(scan_by_tree(a, b), loop, rtol=0, atol=1e-12)


def test_the_loop_is_its_sum_written_out_and_doubling_agrees():
    a, b = factors(0, 12, 2), draw(1, 12, 2)
    for t in range(1, 13):
        total = sum(np.prod(a[s:t], axis=0) * b[s - 1] for s in range(1, t + 1))
        assert np.allclose(recurrence(a, b)[t], total)
    assert np.allclose(scan_by_doubling(a, b), scan_by_tree(a, b)[1:])


def test_combining_is_associative_and_is_two_steps():
    one, two, three = ((draw(k, 4), draw(k + 10, 4)) for k in range(3))
    left, right = combine(combine(one, two), three), combine(one, combine(two, three))
    assert np.allclose(left[0], right[0]) and np.allclose(left[1], right[1])
    h, (a, b) = draw(9, 4), combine(one, two)
    assert np.allclose(a * h + b, two[0] * (one[0] * h + one[1]) + two[1])
    assert not np.allclose(combine(one, two)[1], combine(two, one)[1])


@pytest.mark.parametrize("tau", LENGTHS)
def test_work_and_depth_are_what_the_ways_do(tau, monkeypatch):
    done, rounds = [], []

    def counting(first, then):
        done.append(len(then[0]))
        rounds.append(1)
        return combine(first, then)

    monkeypatch.setattr(module, "combine", counting)
    scan_by_tree(factors(0, tau, 1), draw(1, tau, 1))
    assert work("tree", tau) == Work(sum(done) + tau, len(rounds) + 1)
    back, pairs, turns = 1, 0, 0
    while back < tau:
        pairs, turns, back = pairs + tau - back, turns + 1, 2 * back
    assert work("doubling", tau) == Work(pairs, turns)
    assert work("loop", tau) == Work(tau, tau)


def test_each_place_meets_another_once_a_round():
    for _, left, right in sweeps(16):
        pairs = [*range(16)[left]], [*range(16)[right]]
        assert len(pairs[0]) == len(pairs[1]) == len({*pairs[0], *pairs[1]}) // 2


@pytest.mark.parametrize("tau", LENGTHS)
@pytest.mark.parametrize("kind", [float, complex])
def test_the_gradient_is_torchs(tau, kind):
    a, b, g = factors(0, tau, 3, kind), draw(1, tau, 3, kind=kind), draw(2, tau, 3, kind=kind)
    ta, tb = (torch.tensor(v, requires_grad=True) for v in (a, b))
    h, loss = torch.zeros(3, dtype=ta.dtype), 0
    for t in range(tau):
        h = ta[t] * h + tb[t]
        loss = loss + (torch.tensor(g[t]).conj() * h).real.sum()
    loss.backward()
    ours = scan_back(a, recurrence(a, b), g)
    assert np.allclose(ours.a, ta.grad, rtol=0, atol=1e-11) and np.allclose(ours.b, tb.grad, rtol=0, atol=1e-11)


def test_the_gradient_is_that_of_differences_at_every_index():
    a, b, g, e = factors(0, 6, 2), draw(1, 6, 2), draw(2, 6, 2), 1e-6
    ours = scan_back(a, scan_by_tree(a, b), g)
    for name, at in ((name, at) for name in ("a", "b") for at in np.ndindex(6, 2)):
        ends = []
        for sign in (1, -1):
            moved = {"a": a.copy(), "b": b.copy()}
            moved[name][at] += sign * e
            ends.append((g * recurrence(**moved)[1:]).sum())
        assert getattr(ours, name)[at] == pytest.approx((ends[0] - ends[1]) / (2 * e), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("rule", ["zoh", "bilinear"])
def test_discretisation_is_scipys_on_the_real_form(rule):
    A, B = np.array([-0.3 + 2j]), np.array([0.7 - 0.2j])
    turn = np.array([[A[0].real, -A[0].imag], [A[0].imag, A[0].real]])
    enter = np.array([[B[0].real], [B[0].imag]])
    step, gain, *_ = cont2discrete((turn, enter, np.eye(2), np.zeros((2, 1))), 0.25, rule)
    ours = discretise(A, B, 0.25, rule)
    assert np.allclose([ours.lam[0].real, ours.lam[0].imag], step[:, 0])
    assert np.allclose([ours.B[0].real, ours.B[0].imag], gain[:, 0])


def test_a_held_input_is_followed_exactly():
    A, B, x = np.array([-0.5 + 3j, -2.0]), np.array([1.0, 2j]), draw(0, 6)
    lam, Bd = discretise(A, B, 0.3)
    for i in range(2):
        M = np.array([[A[i], B[i]], [0, 0]])
        h = 0
        for value in x:
            h = (expm(0.3 * M) @ [h, value])[0]
        states = recurrence(np.tile(lam[i], (6, 1)), (Bd[i] * x)[:, None])
        assert np.isclose(states[-1, 0], h)


def test_the_bilinear_rule_is_closer_the_shorter_the_step_and_keeps_stability():
    A, B = np.array([-0.5 + 3j]), np.array([1.0])
    off = [abs(discretise(A, B, dt, "bilinear").lam - np.exp(dt * A))[0] for dt in (0.2, 0.1)]
    assert off[0] / off[1] == pytest.approx(8, rel=0.1)
    assert abs(discretise(A, B, 1e3, "bilinear").lam[0]) < 1


@pytest.mark.parametrize("tau", [1, 2, 7, 64])
def test_convolution_and_recurrence_are_one(tau):
    lam, B, C = ring(5, 0.5, 0.99, np.random.default_rng(0)), draw(1, 5, kind=complex), draw(2, 5, kind=complex)
    x, kappa = draw(3, tau), kernel(lam, B, C, tau)
    o = by_recurrence(lam, B, C, x)
    assert np.allclose(by_convolution(kappa, x), o, rtol=0, atol=1e-10)
    assert np.allclose(np.convolve(kappa, x)[:tau], o, rtol=0, atol=1e-10)


def test_the_kernel_is_the_response_to_a_single_one():
    lam, B, C = ring(4, 0.5, 0.99, np.random.default_rng(0)), draw(1, 4, kind=complex), draw(2, 4, kind=complex)
    assert np.allclose(kernel(lam, B, C, 9), by_recurrence(lam, B, C, np.eye(9)[0]))
    h, o = np.zeros(4, complex), []
    for x in np.eye(9)[0]:
        h = lam * h + B * x
        o.append((C * h).sum().real)
    assert np.allclose(kernel(lam, B, C, 9), o)


def test_a_ring_is_evenly_filled_and_a_spread_even_in_its_logarithm():
    lam = ring(20000, 0.6, 0.9, np.random.default_rng(0), angle=1.0)
    assert np.abs(lam).min() >= 0.6 and np.abs(lam).max() <= 0.9
    assert np.angle(lam).min() >= 0 and np.angle(lam).max() <= 1
    middle = np.sqrt((0.6**2 + 0.9**2) / 2)  # half of the area lies within
    assert np.mean(np.abs(lam) < middle) == pytest.approx(0.5, abs=0.02)
    assert np.mean(np.angle(lam)) == pytest.approx(0.5, abs=0.02)
    taus = -1 / np.log(spread(5, 1, 10000))
    assert np.allclose(taus, [1, 10, 100, 1000, 10000])


def test_the_memory_curve_is_that_of_linear_reservoirs_where_there_is_no_noise():
    lam = np.append(ring(2, 0.3, 0.8, np.random.default_rng(0)), 0.5)
    W, U = np.diag([0.0] * 5), np.ones((5, 1))
    for i, value in enumerate(lam):
        if i < 2:
            at = slice(2 * i, 2 * i + 2)
            W[at, at] = [[value.real, -value.imag], [value.imag, value.real]]
            U[2 * i + 1] = 0
        else:
            W[4, 4] = value.real
    curve = memory(lam, 200, 1e-14)
    assert np.allclose(curve, memory_of_linear(U, W, 200), atol=1e-5)
    assert curve.sum() == pytest.approx(5, abs=1e-4)


def test_the_memory_curve_is_what_a_noisy_regression_finds():
    rng, tau = np.random.default_rng(1), 40000
    lam, x = ring(3, 0.5, 0.9, rng), rng.normal(size=tau)
    h = np.sqrt(1 - np.abs(lam) ** 2) * recurrence(np.tile(lam, (tau, 1)), np.outer(x, np.ones(3)))[1:]
    H = np.hstack([h.real, h.imag]) + 0.2 * rng.normal(size=(tau, 6))
    curve = memory(lam, 100, 0.04)
    for k in (0, 2, 5, 9):
        y, seen = x[: tau - k], H[k:]
        o = seen @ np.linalg.lstsq(seen, y, rcond=None)[0]
        assert 1 - np.mean((o - y) ** 2) / np.mean(y**2) == pytest.approx(curve[k], abs=0.02)


def test_min_gru_is_a_gru_whose_gates_do_not_hear_the_state():
    p = MinGRU(draw(0, 3, 2), draw(1, 3), draw(2, 3, 2), draw(3, 3))
    x, zero = 0.01 * draw(4, 9, 2), np.zeros((3, 3))
    p = p._replace(b=0.01 * p.b, U=0.01 * p.U)  # so small that tanh is the identity, to 1e-8
    gru = GRU(u=Gate(p.U_u, zero, p.b_u), r=Gate(0 * p.U, zero, 0 * p.b), z=Gate(p.U, zero, p.b))
    assert np.allclose(min_gru(p, x), gru_forward(gru, x).h, rtol=0, atol=1e-5)


def test_min_gru_is_its_loop():
    p, x = MinGRU(draw(0, 3, 2), draw(1, 3), draw(2, 3, 2), draw(3, 3)), draw(4, 9, 2)
    h = np.zeros(3)
    for t in range(9):
        u = 1 / (1 + np.exp(-(p.b_u + p.U_u @ x[t])))
        h = u * h + (1 - u) * (p.b + p.U @ x[t])
        assert np.allclose(min_gru(p, x)[t + 1], h)


def test_a_selective_state_space_is_its_loop_and_stands_still_where_the_step_is_zero():
    dt, B, C, x = np.abs(draw(0, 8)), draw(1, 8, 3), draw(2, 8, 3), draw(3, 8)
    A, h = -np.array([0.1, 1.0, 3.0]), np.zeros(3)
    dt[4] = 0
    for t in range(8):
        before, h = h, np.exp(dt[t] * A) * h + dt[t] * B[t] * x[t]
        assert np.isclose(selective(dt, B, C, A, x)[t], C[t] @ h)
        assert t != 4 or np.array_equal(before, h)


def test_the_gated_net_is_the_scan_of_its_own_decays():
    torch.manual_seed(0)
    net, x = linear_net("minGRU", 2, 5, np.random.default_rng(0)).double(), torch.tensor(draw(0, 1, 9, 2))
    e = torch.relu(net.enter(x[0]))
    p = MinGRU(*(v.detach().numpy() for v in (*net.gate.parameters(), *net.candidate.parameters())))
    h = min_gru(p, e.detach().numpy())[-1]
    assert np.allclose(net.state(x)[0].detach(), h, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["ring", "disc"])
def test_the_diagonal_net_is_the_recurrence_of_its_own_eigenvalues(kind):
    torch.manual_seed(0)
    net, x = linear_net(kind, 2, 5, np.random.default_rng(0)).double(), torch.tensor(draw(0, 1, 9, 2))
    nu, angle, gamma = (v.detach().numpy() for v in (net.nu, net.angle, net.log_gamma.exp()))
    lam, B = np.exp(-np.exp(nu) + 1j * angle), net.B[0].detach().numpy() + 1j * net.B[1].detach().numpy()
    e = torch.relu(net.enter(x[0])).detach().numpy()
    h = recurrence(np.tile(lam, (9, 1)), gamma * (e @ B.T))[-1]
    assert np.allclose(net.state(x)[0].detach(), h, rtol=0, atol=1e-12)
    assert np.allclose(gamma, np.sqrt(1 - np.abs(lam) ** 2), atol=1e-6)
    low, high = KINDS[kind]
    assert ((np.abs(lam) > low - 1e-6) & (np.abs(lam) < high + 1e-6)).all()


def test_all_nets_of_the_study_have_as_many_parameters_to_three_per_cent():
    sizes = [
        sum(p.numel() for p in linear_net(kind, 2, units, np.random.default_rng(0)).parameters())
        for kind, units in study.SETTINGS.units.items()
    ]
    assert max(sizes) / min(sizes) < 1.03


def test_a_rate_is_the_one_with_the_least_error_on_nets_that_do_not_count():
    rows = [
        {"kind": "ring", "length": 50, "rate": rate, "seed": seed, "error": error}
        for rate, seed, error in [
            *[(3e-2, s, [0.2, 0.1]) for s in (100, 101)],
            *[(3e-3, s, [0.2, 0.1, 0.005]) for s in (100, 101)],
            *[(1e-2, s, [0.2, 0.008]) for s in (100, 101)],
            (3e-2, 0, [0.001]),
        ]
    ]
    assert study.best(study.SETTINGS, rows, "ring", 50) == 1e-2


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: attention(draw(0, 4, 2), draw(0, 5, 2), draw(0, 4, 2)), "K"),
        (lambda: recurrence(draw(0, 4, 2), draw(0, 4, 3)), "b"),
        (lambda: recurrence(draw(0, 4), draw(0, 4)), "a"),
        (lambda: recurrence(np.full((4, 1), np.nan), draw(0, 4, 1)), "a"),
        (lambda: scan_by_tree(draw(0, 0, 2), draw(0, 0, 2)), "a"),
        (lambda: scan_by_tree(draw(0, 4, 2), draw(0, 3, 2)), "b"),
        (lambda: scan_back(draw(0, 4, 2), draw(0, 4, 2), draw(0, 4, 2)), "h"),
        (lambda: discretise([0.1], [1.0], 0.1), "A"),
        (lambda: discretise([-0.1], [1.0, 2.0], 0.1), "B"),
        (lambda: discretise(["x"], [1.0], 0.1), "A"),
        (lambda: kernel([0.5], [1.0, 1.0], [1.0], 3), "B, C"),
        (lambda: kernel([np.inf], [1.0], [1.0], 3), "lam"),
        (lambda: by_convolution(draw(0, 3), draw(0, 4)), "x"),
        (lambda: ring(3, 0.9, 0.5, np.random.default_rng(0)), "low"),
        (lambda: spread(3, 9, 5), "shortest"),
        (lambda: memory([1.0], 9, 0.1), "lam"),
        (lambda: selective([-1.0], [[1.0]], [[1.0]], [-1.0], [1.0]), "dt"),
        (lambda: selective([1.0], [[1.0]], [[1.0]], [1.0], [1.0]), "A"),
        (lambda: linear_net("LRU", 2, 3, np.random.default_rng(0)), "kind"),
    ],
)
def test_bad_input_is_named(call, word):
    with pytest.raises(ValueError, match=f"^{word}: want"):
        call()
