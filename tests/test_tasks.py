"""The data are what they say they are: sizes, marks, cues, splits."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.data import tasks

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20)


def test_importing_tasks_does_not_import_torch():
    code = "import sys, companion.data.tasks; assert 'torch' not in sys.modules and 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@few
@given(length=st.integers(2, 60), n=st.integers(1, 30), seed=seeds)
def test_adding_marks_one_number_in_each_half_and_asks_for_their_sum(length, n, seed):
    x, y = tasks.adding(length, n, np.random.default_rng(seed))
    assert x.shape == (n, length, 2) and y.shape == (n, 1)
    assert ((x[:, :, 0] >= 0) & (x[:, :, 0] < 1)).all()
    half = length // 2
    for row, target in zip(x, y, strict=True):
        marked = np.flatnonzero(row[:, 1])
        assert len(marked) == 2 and marked[0] < half <= marked[1] and (row[marked, 1] == 1).all()
        assert target[0] == row[marked[0], 0] + row[marked[1], 0]


def test_always_answering_one_to_the_adding_problem_costs_a_sixth():
    _, y = tasks.adding(20, 40_000, np.random.default_rng(0))
    assert ((y - 1) ** 2).mean() == pytest.approx(1 / 6, abs=0.005)


def test_marks_of_the_adding_problem_reach_every_step():
    x, _ = tasks.adding(9, 2000, np.random.default_rng(0))
    assert (x[:, :, 1].mean(axis=0) > 0.1).all()


@few
@given(length=st.integers(1, 80), data=st.data())
def test_columns_are_the_bits_of_both_numbers_ones_first(length, data):
    a, b = (data.draw(st.integers(0, 2**length - 1)) for _ in range(2))
    x = tasks.columns(a, b, length)
    assert x.shape == (length, 2)
    assert [sum(int(bit) << t for t, bit in enumerate(column)) for column in x.T] == [a, b]


@few
@given(length=st.integers(1, 80), n=st.integers(1, 10), passing=st.floats(0, 1), seed=seeds)
def test_addition_asks_for_the_bits_of_pythons_own_sum(length, n, passing, seed):
    x, y = tasks.addition(length, n, np.random.default_rng(seed), passing)
    assert x.shape == (n, length, 2) and y.shape == (n, length)
    for row, target in zip(x, y, strict=True):
        a, b, total = (sum(int(bit) << t for t, bit in enumerate(bits)) for bits in (row[:, 0], row[:, 1], target))
        assert total == (a + b) % 2**length


@pytest.mark.parametrize("passing", [0, 0.3, 0.9, 1])
def test_that_share_of_columns_passes_a_carry_on(passing):
    x, _ = tasks.addition(100, 200, np.random.default_rng(0), passing)
    assert (x[:, :, 0] != x[:, :, 1]).mean() == pytest.approx(passing, abs=0.015)
    assert x.mean() == pytest.approx(0.5, abs=0.015)


@few
@given(length=st.integers(4, 60), n=st.integers(1, 30), noise=st.floats(0, 1), seed=seeds)
def test_latch_shows_its_class_in_three_steps_and_noise_after(length, n, noise, seed):
    x, y = tasks.latch(length, n, np.random.default_rng(seed), noise)
    assert x.shape == (n, length, 1) and y.shape == (n,) and set(y) <= {0, 1}
    assert (x[:, :3, 0] == np.where(y == 1, 1, -1)[:, None]).all()
    assert (np.abs(x[:, 3:]) <= 7 * noise).all()


@few
@given(length=st.integers(10, 120), n=st.integers(1, 30), seed=seeds)
def test_temporal_order_hides_two_marks_in_their_tenths_and_asks_for_their_order(length, n, seed):
    x, y = tasks.temporal_order(length, n, np.random.default_rng(seed))
    assert x.shape == (n, length, 6) and y.shape == (n,)
    assert ((x == 0) | (x == 1)).all() and (x.sum(axis=2) == 1).all()
    for row, answer in zip(x, y, strict=True):
        first, second = np.flatnonzero(row[:, :2].any(axis=1))  # exactly two steps show A or B
        assert length // 10 <= first < length // 5 and 2 * length // 5 <= second < length // 2
        assert answer == 2 * row[first, 1] + row[second, 1]


def test_all_places_and_classes_of_temporal_order_occur_equally_often():
    x, y = tasks.temporal_order(40, 4000, np.random.default_rng(0))
    assert (np.abs(np.bincount(y, minlength=4) - 1000) < 120).all()
    marked = x[:, :, :2].any(axis=2).mean(axis=0)
    assert marked[[4, 5, 6, 7, 16, 17, 18, 19]] == pytest.approx(np.full(8, 0.25), abs=0.03)


def test_noise_of_the_latch_has_the_stated_deviation_and_says_nothing_of_the_class():
    x, y = tasks.latch(50, 4000, np.random.default_rng(0), 0.3)
    assert x[:, 3:].std() == pytest.approx(0.3, rel=0.02)
    assert abs(x[y == 1, 3:].mean() - x[y == 0, 3:].mean()) < 0.01
    assert 0.45 < y.mean() < 0.55


@pytest.mark.parametrize("task", [tasks.adding, tasks.addition, tasks.latch])
def test_the_same_seed_draws_the_same_data_and_another_seed_does_not(task):
    first, again, other = (task(12, 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != other[0]).any()


def test_digits_are_split_once_shuffled_and_scaled():
    (x, y), (x_test, y_test) = tasks.digits(np.random.default_rng(0))
    assert x.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8) and y.shape == (1437,) and y_test.shape == (360,)
    both = np.concatenate([x, x_test])
    assert both.min() == 0 and both.max() == 1
    from sklearn.datasets import load_digits

    key = lambda images, labels: sorted((im.tobytes(), int(k)) for im, k in zip(images, labels, strict=True))  # noqa: E731
    data = load_digits()
    assert key(both * 16, np.concatenate([y, y_test])) == key(data.images, data.target)
    assert np.bincount(y_test, minlength=10).min() > 20
    assert (tasks.digits(np.random.default_rng(1))[0][1] != y).any()


rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("length", lambda: tasks.adding(1, 3, rng)),
        ("length", lambda: tasks.adding(2.5, 3, rng)),
        ("n", lambda: tasks.adding(5, 0, rng)),
        ("rng", lambda: tasks.adding(5, 3, 0)),
        ("length", lambda: tasks.addition(0, 3, rng)),
        ("n", lambda: tasks.addition(3, 0, rng)),
        ("rng", lambda: tasks.addition(3, 3, 1)),
        ("passing", lambda: tasks.addition(3, 3, rng, 1.5)),
        ("a", lambda: tasks.columns(4, 0, 2)),
        ("b", lambda: tasks.columns(0, -1, 2)),
        ("b", lambda: tasks.columns(0, 0.5, 2)),
        ("length", lambda: tasks.columns(0, 0, 0)),
        ("length", lambda: tasks.latch(3, 3, rng)),
        ("n", lambda: tasks.latch(5, -1, rng)),
        ("noise", lambda: tasks.latch(5, 3, rng, -0.1)),
        ("noise", lambda: tasks.latch(5, 3, rng, float("nan"))),
        ("rng", lambda: tasks.latch(5, 3, None)),
        ("length", lambda: tasks.temporal_order(9, 3, rng)),
        ("n", lambda: tasks.temporal_order(10, 0, rng)),
        ("rng", lambda: tasks.temporal_order(10, 3, 0)),
        ("rng", lambda: tasks.digits(np.random)),
    ],
)
def test_bad_arguments_are_named(name, call):
    with pytest.raises(ValueError, match=f"^{name}: want"):
        call()
