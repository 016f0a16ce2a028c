"""Section 10.1: circuits, what they unfold into, and how the graph computes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.unfolding.graphs import (
    OPERATIONS,
    RECURRENT,
    Wire,
    circuit,
    copies,
    count_parameters,
    dependence,
    depth,
    evaluate,
    time_delay,
    unfold,
)
from companion.unfolding.unit import LONGEST, Unit, read_sequence, unit_run

few = settings(max_examples=20)
widths, lengths, seeds = st.integers(1, 5), st.integers(1, 12), st.integers(0, 2**32 - 1)


def recurrent_numbers(n_x, n_h, tau, seed):
    rng = np.random.default_rng(seed)
    parameters = {"b": rng.normal(size=n_h), "W": rng.normal(size=(n_h, n_h)), "U": rng.normal(size=(n_h, n_x))}
    return parameters, rng.normal(size=(tau, n_x)), rng.normal(size=n_h)


@few
@given(widths, widths, lengths, seeds)
def test_the_unfolded_graph_equals_the_loop_to_the_last_bit(n_x, n_h, tau, seed):
    p, x, h = recurrent_numbers(n_x, n_h, tau, seed)
    values = evaluate(unfold(RECURRENT, tau), {"x": x}, p, {"h": h})
    for t in range(1, tau + 1):
        a = p["b"] + p["W"] @ h + p["U"] @ x[t - 1]
        h = np.tanh(a)
        assert np.array_equal(values["a", t], a)
        assert np.array_equal(values["h", t], h)


@few
@given(widths, lengths, seeds)
def test_the_unfolded_graph_equals_the_recurrent_layer_of_pytorch(n_h, tau, seed):
    torch = pytest.importorskip("torch")
    p, x, h0 = recurrent_numbers(2, n_h, tau, seed)
    layer = torch.nn.RNN(2, n_h).double()
    with torch.no_grad():
        layer.weight_ih_l0[:], layer.weight_hh_l0[:] = torch.tensor(p["U"]), torch.tensor(p["W"])
        layer.bias_ih_l0[:], layer.bias_hh_l0[:] = torch.tensor(p["b"]), 0
        want = layer(torch.tensor(x), torch.tensor(h0)[None])[0].numpy()
    values = evaluate(unfold(RECURRENT, tau), {"x": x}, p, {"h": h0})
    got = np.stack([values["h", t] for t in range(1, tau + 1)])
    assert np.abs(got - want).max() <= 1e-12


@few
@given(st.integers(1, 6), st.integers(1, 10), seeds)
def test_the_unfolded_time_delay_net_equals_a_convolution(width, tau, seed):
    rng = np.random.default_rng(seed)
    kernel, x, before = rng.normal(size=width), rng.normal(size=tau), rng.normal(size=1)
    c = time_delay(width)
    graph = unfold(c, tau)
    initial = {n.name: before * 0 for n in graph.nodes if n.operation == "initial"}
    parameters = {"b": np.zeros(1)} | {f"K{j}": np.array([[kernel[j]]]) for j in range(width)}
    values = evaluate(graph, {"x": x[:, None]}, parameters, initial)
    got = np.array([values["out", t][0] for t in range(1, tau + 1)])
    assert np.allclose(got, np.tanh(np.convolve(x, kernel)[:tau]), rtol=0, atol=1e-12)


@few
@given(st.lists(st.integers(0, 2), min_size=1, max_size=8), st.integers(1, 6), seeds)
def test_every_copy_stands_after_everything_it_reads(kinds, tau, seed):
    """Random circuits: each node adds earlier nodes at this step and any node one step ago."""
    rng = np.random.default_rng(seed)
    names = [f"n{i}" for i in range(len(kinds))]
    nodes = {}
    for i, name in enumerate(names):
        same = [str(s) for s in rng.permutation(names[:i])[: kinds[i]]]
        nodes[name] = ("add", ["x", *same, Wire(str(rng.choice(names)), delay=1)])
    shuffled = {name: nodes[name] for name in rng.permutation(names).tolist()}
    graph = unfold(circuit(["x"], [], shuffled), tau)
    seen = set()
    for copy in graph.nodes:
        assert set(copy.reads) <= seen
        seen.add((copy.name, copy.t))
    assert len(seen) == len(graph.nodes)
    assert {(n, t) for n in [*names, "x"] for t in range(1, tau + 1)} <= seen


@few
@given(st.integers(1, 30))
def test_nodes_grow_with_the_length_and_parameters_do_not(tau):
    graph = unfold(RECURRENT, tau)
    assert len(graph.nodes) == 3 * tau + 1
    assert [copies(graph, name) for name in "bWU"] == [[("a", t) for t in range(1, tau + 1)]] * 3
    assert depth(graph) == 2 * tau
    assert count_parameters({"b": np.zeros(4), "W": np.zeros((4, 4)), "U": np.zeros((4, 3))}) == 4 + 16 + 12


def test_a_time_delay_net_stays_shallow_however_long_the_sequence():
    assert {depth(unfold(time_delay(3), tau)) for tau in (3, 10, 40)} == {4}


def test_each_operation_computes_what_its_name_says():
    u, v = np.array([1.0, -2.0]), np.array([0.5, 4.0])
    M = np.array([[1.0, 2.0], [3.0, 4.0]])
    wanted = {
        "affine": ((u, M, v), [9.5, 15.5]),
        "matmul": ((M, v), [8.5, 17.5]),
        "add": ((u, v, v), [2.0, 6.0]),
        "multiply": ((u, v), [0.5, -8.0]),
        "tanh": ((np.array([0.5 * np.log(3.0)]),), [0.5]),
        "copy": ((u,), [1.0, -2.0]),
    }
    assert set(wanted) == set(OPERATIONS)
    for name, (arguments, value) in wanted.items():
        assert np.allclose(OPERATIONS[name](*arguments), value, rtol=0, atol=1e-15), name


def test_a_product_of_states_gives_powers_of_two_doubled():
    squaring = circuit([], [], {"s": ("multiply", [Wire("s", delay=1), Wire("s", delay=1)])})
    values = evaluate(unfold(squaring, 5), {}, {}, {"s": np.array([2.0])})
    assert [values["s", t][0] for t in range(6)] == [2.0**2**t for t in range(6)]


@few
@given(st.integers(1, 6), st.integers(1, 6), seeds)
def test_dependence_of_a_linear_map_is_the_size_of_its_blocks(tau, n_x, seed):
    M = np.random.default_rng(seed).normal(size=(tau, 3, tau, n_x))
    got = dependence(lambda x: np.einsum("tikj,kj->ti", M, x), np.ones((tau, n_x)))
    assert np.allclose(got, np.sqrt((M**2).sum(axis=(1, 3))), rtol=1e-8)


def test_a_recurrence_depends_on_all_the_past_and_a_convolution_on_a_band():
    p, x, h0 = recurrent_numbers(2, 3, 8, 0)

    def recurrent(x):
        values = evaluate(unfold(RECURRENT, 8), {"x": x}, p, {"h": h0})
        return np.stack([values["h", t] for t in range(1, 9)])

    def convolution(x):
        graph = unfold(time_delay(3), 8)
        initial = dict.fromkeys(["x", "x1"], np.zeros(2))
        kernel = {"b": np.zeros(2)} | {f"K{j}": np.eye(2) + j for j in range(3)}
        values = evaluate(graph, {"x": x}, kernel, initial)
        return np.stack([values["out", t] for t in range(1, 9)])

    full, t, k = dependence(recurrent, 0.1 * x), *np.indices((8, 8))
    assert np.array_equal(full > 0, k <= t)
    assert np.array_equal(dependence(convolution, 0.1 * x) > 0, (k <= t) & (k > t - 3))


# -- Bad input ---------------------------------------------------------------------------------------------------


def test_a_cycle_without_a_delay_is_refused_by_name():
    nodes = {"a": ("affine", ["b", "W", "h"]), "h": ("tanh", ["a"]), "o": ("copy", ["h"])}
    with pytest.raises(ValueError, match=r"cycle without a delay: (a → h → a|h → a → h)"):
        circuit([], ["b", "W"], nodes)
    with pytest.raises(ValueError, match="cycle without a delay: s → s"):
        circuit([], [], {"s": ("copy", ["s"])})


def test_unfold_finds_a_cycle_in_a_circuit_made_by_hand():
    h = RECURRENT.nodes["a"]._replace(wires=(Wire("b"), Wire("W"), Wire("h", 0), Wire("U"), Wire("x")))
    by_hand = RECURRENT._replace(nodes={**RECURRENT.nodes, "a": h})
    with pytest.raises(ValueError, match="cycle without a delay"):
        unfold(by_hand, 3)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ({}, "no node"),
        ({"x": ("copy", ["x"])}, r"every name once, got \['x', 'x'\]"),
        ({"h": ("relu", ["x"])}, "operation of h: want one of 'affine'"),
        ({"h": ("copy", ["z"])}, "source of h: want one of 'x'"),
        ({"h": ("copy", [Wire("x", delay=2)])}, "delay from x to h: want one of 0, 1, got 2"),
        ({"h": ("copy", [Wire("W", delay=1)])}, "delay from W to h: want one of 0, got 1"),
    ],
)
def test_a_bad_circuit_is_refused(nodes, message):
    with pytest.raises(ValueError, match=message):
        circuit(["x"], ["W"], nodes)


@given(st.one_of(st.integers(-5, 0), st.floats(), st.just("3"), st.booleans()))
@few
def test_a_length_that_is_no_positive_integer_is_refused(tau):
    with pytest.raises(ValueError, match=r"^tau: want"):
        unfold(RECURRENT, tau)
    with pytest.raises(ValueError, match=r"^width: want"):
        time_delay(tau)


@few
@given(
    st.sampled_from(["x", "b", "W", "U", "h"]),
    st.sampled_from(["NaN", "empty", "missing", "shape", "surplus"]),
    lengths,
    seeds,
)
def test_bad_values_are_refused_by_name(name, fault, tau, seed):
    p, x, h0 = recurrent_numbers(3, 4, tau, seed)
    groups = {"inputs": {"x": x}, "parameters": p, "initial": {"h": h0}}
    group = next(g for g in groups.values() if name in g)
    if fault == "NaN":
        group[name] = np.where(np.arange(group[name].size).reshape(group[name].shape) == 0, np.nan, group[name])
    elif fault == "empty":
        group[name] = group[name][:0]
    elif fault == "missing":
        del group[name]
    elif fault == "shape":
        group[name] = np.concatenate([group[name], group[name]])
    else:
        group["other"] = group[name]
    wanted = {"missing": "want values for", "surplus": "want values for", "shape": "want shape|cannot join"}.get(
        fault, rf"^{name}: want"
    )
    with pytest.raises(ValueError, match=wanted):
        evaluate(unfold(RECURRENT, tau), **groups)


def test_shapes_that_an_operation_cannot_join_are_named_with_the_step():
    p, x, h0 = recurrent_numbers(3, 4, 2, 0)
    with pytest.raises(ValueError, match=r"a at step 1: affine cannot join b \(4,\), W \(4, 4\), h \(4,\), U \(4, 2\)"):
        evaluate(unfold(RECURRENT, 2), {"x": x}, p | {"U": p["U"][:, :2]}, {"h": h0})


def test_other_bad_input_is_refused_by_name():
    with pytest.raises(ValueError, match=r"^parameter: want one of 'b', 'W', 'U'"):
        copies(unfold(RECURRENT, 2), "V")
    with pytest.raises(ValueError, match=r"^W: want finite"):
        count_parameters({"W": np.array([np.inf])})
    with pytest.raises(ValueError, match=r"^x: want a sequence"):
        dependence(lambda x: x, np.zeros((0, 2)))
    with pytest.raises(ValueError, match=r"^x: want finite"):
        dependence(lambda x: x, np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match=r"^eps: want"):
        dependence(lambda x: x, np.zeros((2, 2)), eps=0)
    with pytest.raises(ValueError, match=r"^f\(x\): want shape"):
        dependence(lambda x: x[0], np.zeros((2, 2)))


@few
@given(lengths, seeds)
def test_the_parts_of_one_unit_are_the_gradients_of_copies_that_pytorch_holds_apart(tau, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    p, x = Unit(*rng.normal(size=4)), rng.normal(size=tau)
    run = unit_run(p, x)
    w, u, b, v = (torch.full((tau,), number, dtype=torch.float64, requires_grad=True) for number in p)
    h = [torch.zeros((), dtype=torch.float64, requires_grad=True)]
    for t in range(tau):
        h.append(torch.tanh(b[t] + w[t] * h[-1] + u[t] * x[t]))
        h[-1].retain_grad()
    o = v[-1] * h[-1]
    loss = 0.5 * (o - x[0]) ** 2
    loss.backward()
    assert (run.o, run.loss) == (pytest.approx(o.item(), abs=1e-13), pytest.approx(loss.item(), abs=1e-13))
    np.testing.assert_allclose(run.h, [h_t.item() for h_t in h], atol=1e-13)
    np.testing.assert_allclose(run.grad_h, [h_t.grad.item() for h_t in h], atol=1e-12)
    np.testing.assert_allclose(run.grad_a, b.grad.numpy(), atol=1e-12)
    for part, copy in zip(run.parts, (w, u, b, v), strict=True):
        np.testing.assert_allclose(part, copy.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize(
    ("text", "signs", "x"),
    [
        ("Été", ["É", "t", "é"], [1, -1, 1]),
        ("a b-y", ["a", " ", "b", "-", "y"], [1, 0, -1, 0, 1]),
        ("1, −0.5;.25 7 -9", [""] * 5, [1, -0.5, 0.25, 2, -2]),
        ("1 o", ["1", " ", "o"], [0, 0, 1]),
        ("  ", [], []),
    ],
)
def test_a_typed_sequence_is_read_as_numbers_or_as_vowels_and_others(text, signs, x):
    assert read_sequence(text)[0] == signs
    assert read_sequence(text)[1].tolist() == x


def test_of_a_long_sequence_the_first_steps_are_read():
    assert len(read_sequence("abc" * 9)[1]) == len(read_sequence("1 " * 30)[1]) == LONGEST
