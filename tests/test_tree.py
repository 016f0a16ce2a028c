"""The one map over parameter trees, against a recursion written out over drawn nested trees."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.core import tree


class Cell(NamedTuple):
    U: object
    b: object
    activation: object = "tanh"


class Net(NamedTuple):
    cells: object
    V: object


settings = st.none() | st.sampled_from(["tanh", ""]) | st.integers(-3, 3) | st.floats(0, 1) | st.booleans()
arrays = st.lists(st.integers(0, 3), max_size=3).map(lambda shape: np.arange(np.prod(shape, dtype=int)).reshape(shape))
trees = st.recursive(
    settings | arrays,
    lambda part: (
        st.lists(part, max_size=3)
        | st.lists(part, max_size=3).map(tuple)
        | st.builds(Cell, part, part, settings)
        | st.builds(Net, part, part)
    ),
    max_leaves=12,
)


def by_hand(node, path):
    """(path, array) of every array, walked in order."""
    if isinstance(node, Cell):
        return by_hand(node.U, path + ".U") + by_hand(node.b, path + ".b") + by_hand(node.activation, "")
    if isinstance(node, Net):
        return by_hand(node.cells, path + ".cells") + by_hand(node.V, path + ".V")
    if isinstance(node, list | tuple):
        return [pair for i in range(len(node)) for pair in by_hand(node[i], f"{path}[{i}]")]
    return [(path, node)] if isinstance(node, np.ndarray) else []


def same(a, b, leaf):
    """Whether two trees have one form and equal settings, and `leaf` holds for each pair of arrays."""
    if isinstance(a, np.ndarray):
        return leaf(a, b)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y, leaf) for x, y in zip(a, b, strict=True))
    return a is b


@given(trees)
def test_leaves_are_all_arrays_by_path_in_order(drawn):
    found, wanted = list(tree.leaves(drawn, "p").items()), by_hand(drawn, "p")
    assert [path for path, _ in found] == [path for path, _ in wanted]
    assert all(a is b for (_, a), (_, b) in zip(found, wanted, strict=True))


@given(trees)
def test_map_changes_every_array_and_nothing_else(drawn):
    shifted = tree.map(lambda v: v + 5, drawn)
    assert same(drawn, shifted, lambda a, b: np.array_equal(a + 5, b))
    mixed = tree.map(lambda a, b, c: a + 2 * b - c, drawn, shifted, drawn)
    assert same(drawn, mixed, lambda a, b: np.array_equal(2 * a + 10, b))


def test_settings_are_those_of_the_first_tree():
    one, two = Cell(np.ones(2), None, "tanh"), Cell(np.ones(2), 3.0, "relu")
    assert tree.map(np.add, one, two)[1:] == (None, "tanh")
    assert tree.map(np.add, two, one)[1:] == (3.0, "relu")


def test_paths_read_as_the_code_that_reaches_the_array():
    net = Net(cells=(Cell(np.zeros((2, 1)), None), Cell(np.ones((2, 2)), np.zeros(2))), V=np.ones(2))
    assert list(tree.leaves(net, "q")) == ["q.cells[0].U", "q.cells[1].U", "q.cells[1].b", "q.V"]
    assert list(tree.leaves(np.zeros(3), "x")) == ["x"]


def test_torchs_tensors_are_leaves():
    net = tree.map(torch.from_numpy, Cell(np.ones((2, 3)), None))
    assert isinstance(net.U, torch.Tensor) and net.b is None


@pytest.mark.parametrize(
    ("path", "others"),
    [
        (r"p\.cells\[1\]\.b", [Net([Cell(np.ones(2), None), Cell(np.ones(2), None)], None)]),
        (r"p\.cells", [Net([Cell(np.ones(2), None)], None)]),
        (r"p", [Cell(np.ones(2), None)]),
        (r"p\.V", [Net([Cell(np.ones(2), None), Cell(np.ones(2), np.ones(1))], np.ones(2))]),
        (r"p\.cells\[0\]", [Net([np.ones(2), Cell(np.ones(2), np.ones(1))], None)]),
    ],
)
def test_trees_of_another_form_are_refused_by_path(path, others):
    net = Net([Cell(np.ones(2), None), Cell(np.ones(2), np.ones(1))], None)
    with pytest.raises(ValueError, match=f"^{path}: want trees of one form"):
        tree.map(np.add, net, *others)


def test_what_is_no_tree_is_refused_by_path():
    with pytest.raises(ValueError, match=r"^g\.cells\[0\]: want an array or a \(named\) tuple of arrays, got set"):
        tree.leaves(Net([{1, 2}], None), "g")
    with pytest.raises(ValueError, match=r"^p\.V: want an array"):
        tree.map(np.add, Net([], "a".join), Net([], None))
