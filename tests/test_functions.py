"""The elementwise functions and the loss, against torch float64, differences and closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from companion.core.functions import log_softmax, nll, nll_grad, sigmoid, sigmoid_prime, softmax, tanh, tanh_prime
from tests.gradients import assert_gradient, differences, relative_error

quick = settings(max_examples=25)
finite = st.floats(-30, 30)
any_shape = arrays(np.float64, array_shapes(max_dims=3, max_side=4), elements=finite)
logits = arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.floats(-5, 5))


@quick
@given(any_shape)
def test_sigmoid_tanh_and_softmax_equal_torchs(a):
    theirs = torch.tensor(a)
    assert relative_error(sigmoid(a), torch.sigmoid(theirs).numpy()) <= 1e-13
    assert relative_error(tanh(a), torch.tanh(theirs).numpy()) <= 1e-13
    assert relative_error(softmax(a), torch.softmax(theirs, -1).numpy()) <= 1e-13
    assert np.abs(log_softmax(a) - torch.log_softmax(theirs, -1).numpy()).max() <= 1e-12


@quick
@given(arrays(np.float64, array_shapes(max_dims=2, max_side=4), elements=st.floats(-6, 6)))
def test_slopes_in_terms_of_the_output_equal_differences_at_every_index(a):
    for function, prime in [(sigmoid, sigmoid_prime), (tanh, tanh_prime)]:
        slope = differences(lambda v, f=function: f(v).sum(), a)
        assert np.abs(prime(function(a)) - slope).max() <= 1e-9


@quick
@given(any_shape)
def test_probabilities_sum_to_one_and_do_not_feel_a_constant_added_to_all_logits(a):
    assert np.allclose(softmax(a).sum(axis=-1), 1.0, rtol=0, atol=1e-12)
    assert np.abs(softmax(a + 7.0) - softmax(a)).max() <= 1e-12


@quick
@given(logits, st.floats(0.3, 5))
def test_a_temperature_takes_a_root_of_every_probability(o, T):
    root = softmax(o) ** (1 / T)
    assert relative_error(softmax(o / T), root / root.sum(axis=1, keepdims=True)) <= 1e-12
    gap = np.diff(np.sort(o, axis=1)[:, -2:])
    if o.shape[1] > 1 and gap.min() > 1e-3:
        assert np.allclose(softmax(o / (gap.min() / 40)), np.eye(o.shape[1])[o.argmax(axis=1)], rtol=0, atol=1e-12)


def test_closed_forms_at_hand():
    assert sigmoid(0.0) == 0.5
    assert sigmoid_prime(0.5) == 0.25
    assert tanh_prime(0.0) == 1.0
    assert np.allclose(softmax(np.log([1.0, 2.0, 5.0])), [0.125, 0.25, 0.625])
    assert np.allclose(nll(np.zeros((2, 4)), np.array([0, 3])), np.log(4))


def test_the_sigmoids_left_tail_is_accurate_to_the_last_digits():
    assert relative_error(sigmoid(np.array([-40.0])), np.array([np.exp(-40.0)])) <= 1e-15
    assert sigmoid(-700.0) > 0


def test_huge_numbers_neither_overflow_nor_lose_the_answer():
    assert np.array_equal(sigmoid(np.array([-1e4, 1e4])), [0.0, 1.0])
    assert np.array_equal(softmax(np.array([1e4, 0.0])), [1.0, 0.0])
    assert np.array_equal(log_softmax(np.array([1e4, 0.0])), [0.0, -1e4])


@quick
@given(logits, st.integers(0, 2**32 - 1))
def test_nll_and_its_gradient_equal_torchs_and_differences(o, seed):
    rng = np.random.default_rng(seed)
    y, weight = rng.integers(0, o.shape[1], len(o)), rng.normal(size=len(o))
    t = torch.tensor(o, requires_grad=True)
    each = torch.nn.functional.cross_entropy(t, torch.tensor(y), reduction="none")
    (each * torch.tensor(weight)).sum().backward()
    assert np.abs(nll(o, y) - each.detach().numpy()).max() <= 1e-12
    assert np.abs(weight[:, None] * nll_grad(o, y) - t.grad.numpy()).max() <= 1e-12
    assert_gradient(nll_grad, lambda v: nll(v, y).sum(), o, nll_grad(o, y), name="o")
    assert np.abs(nll_grad(o, y).sum(axis=1)).max() <= 1e-12


@pytest.mark.parametrize("function", [sigmoid, sigmoid_prime, tanh, tanh_prime, softmax, log_softmax])
@pytest.mark.parametrize("bad", [np.nan, [0.5, np.inf], [], [[0.1], [0.2, 0.3]], "words", None])
def test_bad_input_of_an_elementwise_function_is_named(function, bad):
    with pytest.raises(ValueError, match=r"^[aoy]: want "):
        function(bad)


@quick
@given(st.floats(1.0, 1e6, exclude_min=True), st.sampled_from([-1.0, 1.0]))
def test_a_pre_activation_passed_as_an_output_is_refused(size, sign):
    with pytest.raises(ValueError, match=r"^y: want an output of tanh"):
        tanh_prime(sign * size)
    with pytest.raises(ValueError, match=r"^y: want an output of the sigmoid"):
        sigmoid_prime(sign * size)


@pytest.mark.parametrize("function", [nll, nll_grad])
@pytest.mark.parametrize(
    ("o", "y", "name"),
    [
        (np.zeros(3), np.array([0]), "o"),
        (np.zeros((0, 3)), np.array([], dtype=int), "o"),
        (np.full((1, 3), np.nan), np.array([0]), "o"),
        (np.zeros((2, 3)), np.array([0]), "y"),
        (np.zeros((2, 3)), np.array([0, 3]), "y"),
        (np.zeros((2, 3)), np.array([0, -1]), "y"),
        (np.zeros((2, 3)), np.array([0.0, 1.0]), "y"),
    ],
)
def test_bad_logits_or_targets_are_named(function, o, y, name):
    with pytest.raises(ValueError, match=f"^{name}: want "):
        function(o, y)


def test_one_number_has_no_softmax():
    with pytest.raises(ValueError, match=r"^o: want "):
        softmax(1.0)
