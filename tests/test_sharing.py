"""Section 10.1: what one shared map buys, and what it keeps of the past."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.core import tree
from companion.unfolding.graphs import RECURRENT, evaluate, unfold
from companion.unfolding.sharing import (
    Linear,
    fit_per_length,
    fit_shared,
    linear_final,
    linear_finals,
    one_hot,
    position_sum,
    recall,
    shared_sum,
    states,
)
from tests.gradients import differences

few = settings(max_examples=20)
seeds = st.integers(0, 2**32 - 1)


def spiral(radius=0.9, angle=0.5):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Linear(np.array([[1.0], [0.0]]), radius * turn)


def examples(p, lengths, rng, noise=0.0):
    xs = [rng.normal(size=(tau, p.U.shape[1])) for tau in lengths]
    y = np.stack([linear_final(p, x) for x in xs])
    return xs, y + noise * rng.normal(size=y.shape)


@few
@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 10), seeds)
def test_the_loop_equals_its_unfolded_circuit(n_h, n_x, tau, seed):
    rng = np.random.default_rng(seed)
    U, W, b = rng.normal(size=(n_h, n_x)), rng.normal(size=(n_h, n_h)), rng.normal(size=n_h)
    x, h0 = rng.normal(size=(tau, n_x)), rng.normal(size=n_h)
    h = states(U, W, b, x, h0)
    values = evaluate(unfold(RECURRENT, tau), {"x": x}, {"b": b, "W": W, "U": U}, {"h": h0})
    assert h.shape == (tau + 1, n_h)
    assert all(np.array_equal(h[t], values["h", t]) for t in range(tau + 1))
    assert np.array_equal(states(U, W, b, x), states(U, W, b, x, np.zeros(n_h)))


@few
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 12), seeds)
def test_a_shared_linear_map_is_a_sum_over_powers(n_h, n_x, tau, seed):
    rng = np.random.default_rng(seed)
    p = Linear(rng.normal(size=(n_h, n_x)), rng.normal(size=(n_h, n_h)) / n_h)
    x = rng.normal(size=(tau, n_x))
    want = sum(np.linalg.matrix_power(p.W, tau - k) @ p.U @ x[k - 1] for k in range(1, tau + 1))
    assert np.allclose(linear_final(p, x), want, rtol=1e-9, atol=1e-9)
    others = [rng.normal(size=(k, n_x)) for k in (1, tau + 3, tau)]
    side_by_side = linear_finals(p, [*others, x])
    assert np.allclose(side_by_side, [*(linear_final(p, other) for other in others), want], rtol=1e-9, atol=1e-9)


@few
@given(seeds)
def test_a_shared_fit_on_short_sequences_finds_the_teacher(seed):
    rng = np.random.default_rng(seed)
    teacher = spiral(rng.uniform(0.5, 0.95), rng.uniform(0.2, 1.0))
    xs, y = examples(teacher, [1, 2, 3, 4, 5, 6, 7, 8] * 5, rng)
    found = fit_shared(xs, y)
    assert np.allclose(found.U, teacher.U, atol=1e-6)
    assert np.allclose(found.W, teacher.W, atol=1e-6)


def test_a_shared_fit_stands_at_a_point_where_the_error_has_no_slope():
    rng = np.random.default_rng(0)
    xs, y = examples(spiral(), rng.integers(1, 7, size=30), rng, noise=0.3)

    def loss(p):
        return sum(((linear_final(p, x) - wanted) ** 2).sum() for x, wanted in zip(xs, y, strict=True))

    found = fit_shared(xs, y)
    assert max(np.abs(slope).max() for slope in differences(loss, found)) < 1e-5
    assert max(np.abs(slope).max() for slope in differences(loss, tree.map(lambda v: v + 0.1, found))) > 0.1


@few
@given(st.integers(1, 6), seeds)
def test_a_map_for_each_length_is_right_on_its_length_given_enough_examples(tau, seed):
    rng = np.random.default_rng(seed)
    xs, y = examples(spiral(), [tau] * (3 * tau + 2), rng)
    maps = fit_per_length(xs, y)
    assert list(maps) == [tau]
    assert maps[tau].shape == (2, tau)
    x = rng.normal(size=(tau, 1))
    assert np.allclose(maps[tau] @ x.ravel(), linear_final(spiral(), x), atol=1e-6)


def test_the_shared_map_predicts_length_64_and_needs_fewer_examples():
    rng = np.random.default_rng(1)
    xs, y = examples(spiral(0.95), rng.integers(1, 9, size=48), rng, noise=0.1)
    shared, maps = fit_shared(xs, y), fit_per_length(xs, y)
    short, wanted = examples(spiral(0.95), rng.integers(1, 9, size=200), rng)
    error = np.mean([(linear_final(shared, x) - w) ** 2 for x, w in zip(short, wanted, strict=True)])
    apart = np.mean([(maps[len(x)] @ x.ravel() - w) ** 2 for x, w in zip(short, wanted, strict=True)])
    assert error < apart / 10
    long, wanted = examples(spiral(0.95), [64] * 100, rng)
    error = np.mean([(linear_final(shared, x) - w) ** 2 for x, w in zip(long, wanted, strict=True)])
    last8 = np.mean([(maps[8] @ x[-8:].ravel() - w) ** 2 for x, w in zip(long, wanted, strict=True)])
    assert 64 not in maps
    assert error < 0.1 * (wanted**2).mean()
    assert last8 > 0.3 * (wanted**2).mean()


@few
@given(st.lists(st.sampled_from(["the", "man", "ate", "hot", "dog"]), min_size=1, max_size=8), seeds)
def test_both_sums_over_words_are_their_formulas_added_up_by_hand(words, seed):
    vocabulary, rng = ["the", "man", "ate", "hot", "dog"], np.random.default_rng(seed)
    w, by_place = rng.normal(size=5), rng.normal(size=(len(words), 5))
    x, at = one_hot(words, vocabulary), [vocabulary.index(word) for word in words]
    assert np.isclose(shared_sum(w, x), np.tanh(sum(w[i] for i in at)), rtol=1e-12, atol=1e-14)
    assert np.isclose(position_sum(by_place, x), np.tanh(sum(by_place[t, i] for t, i in enumerate(at))), rtol=1e-12)


@few
@given(st.permutations(["the", "man", "ate", "the", "hot", "dog"]), seeds)
def test_a_shared_sum_is_blind_to_order_exactly(words, seed):
    vocabulary = ["the", "man", "ate", "hot", "dog"]
    w = np.random.default_rng(seed).normal(size=5)
    first = one_hot(["the", "man", "ate", "the", "hot", "dog"], vocabulary)
    assert shared_sum(w, first) == shared_sum(w, one_hot(words, vocabulary))
    assert np.isclose(shared_sum(w, first), position_sum(np.tile(w, (6, 1)), first), rtol=1e-12)


def test_position_weights_tell_all_360_orders_apart():
    vocabulary = ["the", "man", "ate", "hot", "dog"]
    w = np.random.default_rng(0).normal(size=(6, 5)) / 6
    orders = sorted(set(permutations(["the", "man", "ate", "the", "hot", "dog"])))
    values = np.sort([position_sum(w, one_hot(words, vocabulary)) for words in orders])
    assert len(orders) == 360
    assert np.diff(values).min() > 1e-9


@few
@given(st.permutations(["the", "man", "ate", "the", "hot", "dog"]), seeds)
def test_position_weights_are_blind_when_positions_differ_by_the_same_constant_for_every_word(words, seed):
    vocabulary, rng = ["the", "man", "ate", "hot", "dog"], np.random.default_rng(seed)
    first, second = one_hot(["the", "man", "ate", "the", "hot", "dog"], vocabulary), one_hot(words, vocabulary)
    w = 0.1 * (rng.normal(size=5) + rng.normal(size=(6, 1)))
    assert np.isclose(position_sum(w, first), position_sum(w, second), rtol=1e-12, atol=1e-14)
    w[0, 0] += 0.1  # "the" now weighs more in the first place
    assert np.isclose(position_sum(w, first), position_sum(w, second)) == (words[0] == "the")


def test_a_shift_register_recalls_exactly_as_many_steps_as_it_has_units():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(400, 1))
    h = np.stack([np.concatenate([np.zeros(k), x[: 400 - k, 0]]) for k in range(5)], axis=1)  # h_k = x one, two, … ago
    score = recall(h, x, range(10), ridge=0)
    assert np.allclose(score[:5], 1)
    assert (np.abs(score[5:]) < 0.2).all()


def test_recall_falls_with_the_delay_and_rises_with_the_number_of_units():
    rng = np.random.default_rng(0)
    total = []
    for n_h in (4, 32):
        W = rng.normal(size=(n_h, n_h))
        W *= 0.95 / np.abs(np.linalg.eigvals(W)).max()
        x = rng.uniform(-1, 1, size=(2000, 1))
        score = recall(states(0.1 * rng.normal(size=(n_h, 1)), W, np.zeros(n_h), x)[1:], x, range(40))
        assert score[0] > 0.95
        assert score[39] < 0.2
        total.append(score.clip(0).sum())
    assert total[1] > 2 * total[0]


# -- Bad input ---------------------------------------------------------------------------------------------------

good = {
    "states": (states, {"U": np.ones((2, 3)), "W": np.ones((2, 2)), "b": np.ones(2), "x": np.ones((4, 3))}),
    "recall": (recall, {"h": np.ones((40, 2)), "x": np.ones((40, 1)), "delays": [1]}),
    "fit_shared": (fit_shared, {"xs": [np.ones((2, 1))] * 3, "y": np.ones((3, 2))}),
    "fit_per_length": (fit_per_length, {"xs": [np.ones((2, 1))] * 3, "y": np.ones((3, 2))}),
    "shared_sum": (shared_sum, {"w": np.ones(2), "x": np.ones((4, 2))}),
    "position_sum": (position_sum, {"w": np.ones((4, 2)), "x": np.ones((4, 2))}),
}
cases = [(f, name) for f, (_, arguments) in good.items() for name in arguments if name not in ("delays",)]


@pytest.mark.parametrize(("function", "name"), cases)
@pytest.mark.parametrize("fault", ["NaN", "empty", "shape", "text"])
def test_bad_input_is_refused_by_name(function, name, fault):
    f, arguments = good[function]
    value = arguments[name]
    spoiled = {
        "NaN": [np.full((2, 1), np.nan)] * 3 if name == "xs" else np.full_like(value, np.nan),
        "empty": value[:0],
        "shape": np.ones((2, 1)) if name == "xs" else np.ones((2, 2, 2)),
        "text": "hello",
    }[fault]
    # A width that does not fit may be reported at the argument it was compared with.
    with pytest.raises(ValueError, match=rf"^({name}|U|W|h|w)\b.*want|^{name}: want"):
        f(**{**arguments, name: spoiled})


def test_other_bad_input_is_refused_by_name():
    with pytest.raises(ValueError, match=r"^p\.W: want shape \(2, 2\)"):
        linear_final(Linear(np.ones((2, 1)), np.ones((2, 3))), np.ones((4, 1)))
    with pytest.raises(ValueError, match=r"^x: want a sequence"):
        linear_final(spiral(), np.ones((0, 1)))
    with pytest.raises(ValueError, match=r"^delays: want at most 9"):
        recall(np.ones((40, 2)), np.ones((40, 1)), [10])
    with pytest.raises(ValueError, match=r"^ridge: want at least 0"):
        recall(np.ones((40, 2)), np.ones((40, 1)), [1], ridge=-1)
    with pytest.raises(ValueError, match=r"^steps: want at least 1"):
        fit_shared([np.ones((2, 1))], np.ones((1, 2)), steps=0)
    with pytest.raises(ValueError, match=r"^words\[1\]: want one of 'man'"):
        one_hot(["man", "cat"], ["man", "dog"])
    with pytest.raises(ValueError, match=r"^words: want a sequence"):
        one_hot([], ["man"])
    with pytest.raises(ValueError, match=r"^h0: want shape \(2,\)"):
        states(np.ones((2, 1)), np.eye(2), np.zeros(2), np.ones((3, 1)), h0=np.zeros(3))
