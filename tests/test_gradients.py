"""The check of gradients itself: it passes what is right, and names what is wrong by one entry."""

import re
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.core import tree
from tests.gradients import assert_agree, assert_gradient, autograd, differences


class Gate(NamedTuple):
    U: np.ndarray
    b: np.ndarray
    peephole: np.ndarray | None = None


class Net(NamedTuple):
    f: Gate
    layers: tuple[Gate, ...]
    c: np.ndarray
    activation: str = "tanh"


def drawn(seed: int, size: float = 1.0) -> Net:
    rng = np.random.default_rng(seed)
    gates = [Gate(size * rng.normal(size=(3, 2)), size * rng.normal(size=3)) for _ in range(3)]
    return Net(gates[0], tuple(gates[1:]), size * rng.normal(size=2))


def cubes(p: Net) -> float:
    """Σ v³ / 3 over every array, whose gradient is v²."""
    return sum((v**3).sum() / 3 for v in tree.leaves(p).values())


def squares(p: Net) -> Net:
    return tree.map(np.square, p)


paths = st.sampled_from(list(tree.leaves(drawn(0))))
seeds = st.integers(0, 2**32 - 1)
oracles = st.sampled_from(["torch", "central differences"])


@given(seeds, st.floats(0.1, 10))
def test_a_right_gradient_passes_both_oracles(seed, size):
    p = drawn(seed, size)
    assert_gradient(squares, cubes, p, squares(p), cubes)


@given(seeds, paths, st.sampled_from([1e-4, -1e-4, np.nan]), oracles, st.data())
def test_one_index_off_by_a_ten_thousandth_fails_and_is_named(seed, path, error, oracle, data):
    p = drawn(seed)
    grad = squares(p)
    g = tree.leaves(grad)[path]
    index = tuple(data.draw(st.integers(0, n - 1)) for n in g.shape)
    right = g[index]
    g[index] += error
    place = f"{path}[{', '.join(map(str, index))}]"
    checks = {
        "torch": lambda: assert_agree(grad, autograd(cubes, p)[1], 1e-10, squares),
        "central differences": lambda: assert_gradient(squares, cubes, p, grad, cubes),
    }
    with pytest.raises(AssertionError, match=re.escape(f"squares: {place} is {g[index]:.12g}, by {oracle} ")) as failed:
        checks[oracle]()
    told = float(re.search(rf"by {oracle} (\S+):", str(failed.value)).group(1))
    assert told == pytest.approx(right, abs=1e-8)


@given(seeds, paths)
def test_against_torch_an_error_that_differences_cannot_see_fails(seed, path):
    p = drawn(seed)
    grad = squares(p)
    g = tree.leaves(grad)[path]
    g.flat[-1] += 1e-8 * g.max()
    with pytest.raises(AssertionError, match=rf"squares: {re.escape(path)}\[.*by torch"):
        assert_gradient(squares, cubes, p, grad, cubes)


def test_a_loss_that_torch_computes_otherwise_fails():
    p = drawn(1)
    with pytest.raises(AssertionError, match="^loss is .*, by torch"):
        assert_gradient(squares, cubes, p, squares(p), lambda q: cubes(q) + 1)


def test_another_type_form_or_shape_fails():
    p = drawn(2)
    g = squares(p)
    for wrong, message in [
        (tuple(g), "p is a tuple, by"),
        (g._replace(f=None), "has "),
        (g._replace(c=np.ones(3)), r"p\.c has shape \(3,\)"),
    ]:
        with pytest.raises(AssertionError, match=f"squares: {message}"):
            assert_gradient(squares, cubes, p, wrong)


def test_an_array_by_a_name_of_its_own():
    h0 = np.array([1.0, 2.0])
    assert_gradient("step", lambda h: (h**2).sum(), h0, 2 * h0, lambda h: (h**2).sum(), name="h0")
    with pytest.raises(AssertionError, match=r"^step: h0\[1\] is 5, by central differences 4"):
        assert_gradient("step", lambda h: (h**2).sum(), h0, np.array([2.0, 5.0]), name="h0")


def test_differences_of_a_vector_are_its_jacobian_transposed_and_leave_p_as_it_was():
    A, x = np.arange(6.0).reshape(2, 3), np.ones(3)
    np.testing.assert_allclose(differences(lambda v: A @ v, x), A.T, atol=1e-9)
    np.testing.assert_array_equal(x, np.ones(3))


def test_what_plays_no_part_gets_zeros_from_torch():
    value, grad = autograd(lambda q: (q.c**2).sum(), drawn(3))
    assert value > 0 and not grad.f.U.any() and grad.c.any() and grad.f.peephole is None and grad.activation == "tanh"
    assert torch.get_default_dtype() is torch.float32
