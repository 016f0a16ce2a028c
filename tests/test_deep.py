"""Section 10.5: three ways to be deep, the paths in their graphs, and what flows back along them."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.cells.rnn import RNN, Layer, rnn_bptt, rnn_forward
from companion.core import tree
from companion.core.functions import nll
from companion.data import store
from companion.data.text import ALPHABET, encode, english, split
from companion.deep import (
    Blocks,
    Dense,
    Stacked,
    blocks_bptt,
    blocks_circuit,
    blocks_forward,
    blocks_init,
    blocks_jacobians,
    jacobian_by_length,
    layers_on,
    parameters,
    path_lengths,
    rebuilt,
    shortest_path,
    stacked_bptt,
    stacked_circuit,
    stacked_forward,
    stacked_from_torch,
    stacked_init,
    stacked_to_torch,
    stated_length,
    ways,
)
from companion.studies import deep as study
from companion.studies._identity import seen_by_a_row
from companion.unfolding.graphs import count_parameters, depth, evaluate, unfold
from tests.gradients import assert_agree, assert_gradient, differences, relative_error

torch = pytest.importorskip("torch")

few = settings(max_examples=15)
sizes, lengths, seeds = st.integers(1, 5), st.integers(1, 7), st.integers(0, 2**32 - 1)
depths = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))


def with_biases(p, rng):
    """The same net with every zero bias drawn instead."""
    return rebuilt(p, {k: rng.normal(0, 0.5, v.shape) if v.ndim == 1 else v for k, v in parameters(p).items()})


def draw_stacked(widths, tau, seed):
    rng = np.random.default_rng(seed)
    p = with_biases(stacked_init(2, widths, 3, rng), rng)
    return p, rng.normal(size=(tau, 2)), rng.integers(0, 3, tau), tuple(rng.uniform(-1, 1, n) for n in widths)


def draw_blocks(layers, skip, n_h, tau, seed):
    rng = np.random.default_rng(seed)
    p = with_biases(blocks_init(2, n_h, 3, rng, layers, skip), rng)
    return p, rng.normal(size=(tau, 2)), rng.integers(0, 3, tau), rng.uniform(-1, 1, n_h)


# (a) stacked layers


@few
@given(st.integers(1, 4), sizes, lengths, seeds)
def test_stacked_states_logits_and_gradients_equal_the_layers_of_pytorch(k, n, tau, seed):
    p, x, y, h0 = draw_stacked((n,) * k, tau, seed)
    run, ours = stacked_forward(p, x, h0), stacked_bptt(p, x, y, h0)
    rnn, linear = stacked_to_torch(p)
    top, last = rnn(torch.tensor(x), torch.tensor(np.stack(h0)))
    torch.nn.functional.cross_entropy(linear(top), torch.tensor(y), reduction="sum").backward()
    assert np.abs(run.o - linear(top).detach().numpy()).max() <= 1e-10
    assert np.abs(np.stack([h[-1] for h in run.h]) - last.detach().numpy()).max() <= 1e-10
    names = [[f"{name}_l{l}" for name in ("weight_ih", "weight_hh", "bias_ih")] for l in range(k)]
    layers = tuple(Layer(*(getattr(rnn, name).grad.numpy() for name in layer)) for layer in names)
    assert_agree(ours, Stacked(layers, linear.weight.grad.numpy(), linear.bias.grad.numpy()), 1e-10, stacked_bptt)


@few
@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(1, 5), seeds)
def test_stacked_gradient_equals_central_differences_at_every_index(widths, tau, seed):
    p, x, y, h0 = draw_stacked(tuple(widths), tau, seed)
    grad = stacked_bptt(p, x, y, h0)
    assert_gradient(stacked_bptt, lambda q: nll(stacked_forward(q, x, h0).o, y).sum(), p, grad)


@few
@given(st.integers(1, 3), sizes, lengths, seeds)
def test_stacked_net_comes_back_from_pytorch_as_it_went_and_with_both_biases(k, n, tau, seed):
    p, x, *_ = draw_stacked((n,) * k, tau, seed)
    modules = stacked_to_torch(p)
    assert_agree(stacked_from_torch(*modules), p, 0.0, stacked_from_torch)
    with torch.no_grad():
        for l in range(k):
            getattr(modules[0], f"bias_hh_l{l}")[:] = 0.25 * (l + 1)
    theirs = modules[1](modules[0](torch.tensor(x))[0]).detach().numpy()
    assert np.abs(stacked_forward(stacked_from_torch(*modules), x).o - theirs).max() <= 1e-10


# (b), (c) MLPs inside the blocks


def logits_by_torch(q, x, h0):
    """(b) and (c) once more in torch, one step after the other."""

    def mlp(layers, v):
        for W, b in layers:
            v = torch.tanh(W @ v + b)
        return v

    h, o = torch.tensor(h0), []
    for x_t in torch.tensor(x):
        a = q.b + q.W @ mlp(q.across, h) + q.U @ mlp(q.inward, x_t)
        h = torch.tanh(a if q.S is None else a + q.S @ h)
        o.append(q.c + q.V @ mlp(q.outward, h))
    return torch.stack(o)


@few
@given(depths, st.booleans(), st.integers(1, 4), st.integers(1, 5), seeds)
def test_blocks_logits_are_torchs_and_the_gradient_is_that_of_autograd_and_differences(layers, skip, n_h, tau, seed):
    p, x, y, h0 = draw_blocks(layers, skip, n_h, tau, seed)
    theirs = logits_by_torch(tree.map(torch.tensor, p), x, h0)
    assert np.abs(blocks_forward(p, x, h0).o - theirs.numpy()).max() <= 1e-10
    assert_gradient(
        blocks_bptt,
        lambda q: nll(blocks_forward(q, x, h0).o, y).sum(),
        p,
        blocks_bptt(p, x, y, h0),
        lambda q: torch.nn.functional.cross_entropy(logits_by_torch(q, x, h0), torch.tensor(y), reduction="sum"),
    )


@few
@given(sizes, lengths, seeds)
def test_one_layer_everywhere_is_the_plain_net(n_h, tau, seed):
    p, x, y, h0 = draw_blocks((1, 1, 1), False, n_h, tau, seed)
    plain = RNN(p.U, p.W, p.V, p.b, p.c)
    stack = Stacked((Layer(p.U, p.W, p.b),), p.V, p.c)
    want = rnn_forward(plain, x, h0).o
    assert np.array_equal(stacked_forward(stack, x, (h0,)).o, want)
    assert np.abs(blocks_forward(p, x, h0).o - want).max() <= 1e-12
    grad = rnn_bptt(plain, x, y, h0)
    ours = blocks_bptt(p, x, y, h0)
    assert_agree(RNN(ours.U, ours.W, ours.V, ours.b, ours.c), grad, 1e-12, blocks_bptt)
    wanted = Stacked((Layer(grad.U, grad.W, grad.b),), grad.V, grad.c)
    assert_agree(stacked_bptt(stack, x, y, (h0,)), wanted, 1e-12, stacked_bptt)


@few
@given(st.integers(2, 3), sizes, lengths, seeds)
def test_a_skip_of_zero_changes_nothing_and_a_skip_alone_is_the_plain_net(m, n_h, tau, seed):
    p, x, _, h0 = draw_blocks((1, m, 1), True, n_h, tau, seed)
    without = blocks_forward(p._replace(S=None), x, h0).o
    assert np.array_equal(blocks_forward(p._replace(S=0 * p.S), x, h0).o, without)
    alone = blocks_forward(p._replace(W=0 * p.W), x, h0).o
    assert np.abs(alone - rnn_forward(RNN(p.U, p.S, p.V, p.b, p.c), x, h0).o).max() <= 1e-12


# graphs and paths


@few
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), lengths, seeds)
def test_the_unfolded_circuit_of_the_stack_computes_the_stack(widths, tau, seed):
    p, x, _, h0 = draw_stacked(tuple(widths), tau, seed)
    start = {f"h{l}": h for l, h in enumerate(h0, 1)}
    values = evaluate(unfold(stacked_circuit(len(widths)), tau), {"x": x}, parameters(p), start)
    got = np.stack([values["o", t] for t in range(1, tau + 1)])
    assert np.abs(got - stacked_forward(p, x, h0).o).max() <= 1e-12


@few
@given(depths, st.booleans(), sizes, lengths, seeds)
def test_the_unfolded_circuit_of_the_blocks_computes_the_blocks(layers, skip, n_h, tau, seed):
    p, x, _, h0 = draw_blocks(layers, skip, n_h, tau, seed)
    values = evaluate(unfold(blocks_circuit(layers, skip), tau), {"x": x}, parameters(p), {"h": h0})
    got = np.stack([values["o", t] for t in range(1, tau + 1)])
    assert np.abs(got - blocks_forward(p, x, h0).o).max() <= 1e-12


@few
@given(st.integers(1, 5), st.integers(0, 8), st.integers(1, 3))
def test_in_a_stack_every_path_has_the_stated_length_and_there_are_binomially_many(k, lag, first):
    graph = unfold(stacked_circuit(k), first + lag)
    source, target = ("h1", first), (f"h{k}", first + lag)
    length = stated_length("a", lag, k)
    assert layers_on(graph, shortest_path(graph, source, target)) == length == lag + k - 1
    assert path_lengths(graph, source, target) == {length: comb(lag + k - 1, lag)}
    assert stated_length("a", lag, k, longest=True) == length
    ends = ("x", first), ("o", first + lag)
    assert layers_on(graph, shortest_path(graph, *ends)) == length + 2


@few
@given(depths, st.integers(0, 7), st.integers(1, 3))
def test_mlps_multiply_the_only_path_and_a_skip_brings_the_shortest_back(layers, lag, first):
    d_in, m, d_out = layers
    states, ends = (("h", first), ("h", first + lag)), (("x", first), ("o", first + lag))
    for way, skip in (("b", False), ("c", True)):
        graph = unfold(blocks_circuit(layers, skip), first + lag)
        shortest, longest = stated_length(way, lag, m), stated_length(way, lag, m, longest=True)
        assert (shortest, longest) == (lag if skip else m * lag, m * lag)
        assert layers_on(graph, shortest_path(graph, *states)) == shortest
        assert layers_on(graph, shortest_path(graph, *ends)) == d_in + shortest + d_out
        found = path_lengths(graph, *states)
        assert (min(found), max(found)) == (shortest, longest)
        wanted = {m * lag: 1}
        if skip:
            wanted = {lag + (m - 1) * j: comb(lag, j) for j in range(lag + 1)} if m > 1 else {lag: 2**lag}
        assert found == wanted


@few
@given(st.integers(1, 4), st.integers(1, 6))
def test_the_longest_path_is_the_depth_of_the_graph(k, tau):
    """From the first input to the last output: each layer is an affine map and a tanh, but the output has no tanh."""
    for circuit in (stacked_circuit(k), blocks_circuit((1, k, 1), True)):
        graph = unfold(circuit, tau)
        assert depth(graph) >= 2 * max(path_lengths(graph, ("x", 1), ("o", tau))) - 1
    assert depth(unfold(stacked_circuit(k), tau)) == 2 * (tau + k) - 1


def test_nothing_flows_backwards_in_time_or_down_the_stack():
    graph = unfold(stacked_circuit(2), 3)
    for source, target in ((("h1", 2), ("h1", 1)), (("h2", 1), ("h1", 3)), (("o", 1), ("h2", 2))):
        assert shortest_path(graph, source, target) == []
        assert path_lengths(graph, source, target) == {}
    assert shortest_path(graph, ("h1", 2), ("h1", 2)) == [("h1", 2)]
    assert path_lengths(graph, ("h1", 2), ("h1", 2)) == {0: 1}


# what flows back


@few
@given(depths, st.booleans(), sizes, lengths, seeds)
def test_jacobians_equal_differences_of_one_step_and_their_parts_add_up(layers, skip, n_h, tau, seed):
    p, x, _, h0 = draw_blocks(layers, skip, n_h, tau, seed)
    run = blocks_forward(p, x, h0)
    J, whole = blocks_jacobians(p, run), np.eye(n_h)
    for t in range(1, tau + 1):
        one_step = differences(lambda h, t=t: blocks_forward(p, x[t - 1 : t], h).h[1], run.h[t - 1])
        assert relative_error(J[t - 1], one_step.T) <= 1e-6
        whole = J[t - 1] @ whole
    by_length = jacobian_by_length(p, run)
    assert np.abs(sum(by_length.values()) - whole).max() <= 1e-12 * max(1, np.abs(whole).max())
    graph = unfold(blocks_circuit(layers, skip), tau)
    assert list(by_length) == list(path_lengths(graph, ("h", 0), ("h", tau)))


def test_the_part_of_the_shortest_path_is_the_product_over_the_skip_alone():
    p, x, _, h0 = draw_blocks((1, 3, 1), True, 4, 5, 0)
    run, M = blocks_forward(p, x, h0), np.eye(4)
    for h in run.h[1:]:
        M = np.diag(1 - h**2) @ p.S @ M
    assert np.abs(jacobian_by_length(p, run)[5] - M).max() <= 1e-14


def test_initial_weights_keep_the_state_equally_large_with_and_without_a_skip():
    def variance(skip):
        p = blocks_init(3, 400, 2, np.random.default_rng(0), (1, 2, 1), skip, gain=0.5)
        past = 0 if p.S is None else (p.S**2).sum(1).mean()
        return (p.W**2).sum(1).mean() + past

    assert variance(False) == pytest.approx(0.25, rel=0.02)
    assert variance(True) == pytest.approx(0.25, rel=0.02)


# the comparison and its record

FOUND = store.record("deep")["metrics"]
TEXT = split(encode(english()), *ways.HELD_OUT)


@pytest.mark.parametrize("way", ways.DEEP_WAYS)
def test_stated_parameters_are_those_that_are_trained_and_nearly_equal(way):
    wanted, entry = study.SETTINGS.parameters, FOUND[way]
    model = ways.deep_net(way, entry["units"])
    trained = sum(w.numel() for w in model.parameters() if w.requires_grad)
    ours = count_parameters(parameters(ways.deep_to_numpy(model)))
    assert entry["units"] == ways.deep_units(way, wanted)
    assert entry["parameters"] == ways.deep_parameters(way, entry["units"]) == trained == ours
    assert abs(entry["parameters"] - wanted) <= 0.01 * wanted


@pytest.mark.parametrize("way", ways.DEEP_WAYS)
def test_numpy_computes_the_logits_of_the_net_that_was_trained(way):
    torch.manual_seed(3)
    model = ways.deep_net(way, 6).double()
    x = np.random.default_rng(3).normal(size=(9, len(ALPHABET)))
    p = ways.deep_to_numpy(model)
    ours = (stacked_forward if isinstance(p, Stacked) else blocks_forward)(p, x).o
    assert np.abs(ours - model(torch.tensor(x)[None])[0].detach().numpy()).max() <= 1e-10


def test_stored_nets_give_the_bits_of_the_record():
    """Half-precision weights and another Python's text may move the third digit."""
    for way, net in ways.load_deep().items():
        tried = store.rows("deep", way=way, seed=0)
        recorded = min(tried, key=lambda r: r["validation"][-1])["test"]
        assert ways.deep_bits(net, TEXT[2]) == pytest.approx(recorded, abs=0.03)


def test_the_other_seeds_follow_at_the_rate_that_was_best_on_validation_text():
    settings = study.SETTINGS._replace(ways=("MLPs",), seeds=(5, 6), rates=(0.1, 0.2))
    tried = [{"way": "MLPs", "seed": 5, "rate": rate} for rate in (0.1, 0.2)]
    assert study.plan(settings, []) == tried
    rows = [key | {"validation": [0.0, bits], "test": -bits} for key, bits in zip(tried, (2.0, 1.0), strict=True)]
    assert study.plan(settings, rows[:1]) == tried
    assert study.plan(settings, rows) == [*tried, {"way": "MLPs", "seed": 6, "rate": 0.2}]
    assert study.keep(settings, rows) == tried[1:]


def test_in_the_record_depth_pays_a_little_and_the_skip_connection_does_not():
    test = {way: [r["test"] for r in store.rows("deep", way=way, rate=FOUND[way]["rate"])] for way in ways.DEEP_WAYS}
    wide, *deep = (np.array(test[way]) for way in ways.DEEP_WAYS)
    assert all((values < wide).sum() >= 3 for values in deep)
    assert all(0.03 < np.median(wide) - np.median(values) < 0.08 for values in deep)
    assert (deep[-1] > deep[-2]).sum() == 3


def test_bits_of_an_indifferent_net_are_the_logarithm_of_the_alphabet():
    n = len(ALPHABET)
    net = Stacked((Layer(np.zeros((1, n)), np.zeros((1, 1)), np.zeros(1)),), np.zeros((n, 1)), np.zeros(n))
    assert ways.deep_bits(net, TEXT[1][:1000]) == pytest.approx(np.log2(n), rel=1e-12)


# bad input


def learn(way, rate, **changes):
    """A row that asks for the impossible."""
    return study.run(
        {"way": way, "seed": 0, "rate": rate}, seen_by_a_row(study, study.QUICK._replace(**changes)), "cpu"
    )


STACK, X, Y, _ = draw_stacked((3, 2), 4, 0)
BLOCKS = draw_blocks((2, 2, 2), True, 3, 4, 0)[0]
RUN = blocks_forward(BLOCKS, X)
GRAPH = unfold(stacked_circuit(2), 3)
RNG = np.random.default_rng(0)
BAD = {
    "x of another width": ("x", lambda: stacked_forward(STACK, np.ones((4, 3)))),
    "an empty x": ("x", lambda: blocks_forward(BLOCKS, np.ones((0, 2)))),
    "NaN in x": ("x", lambda: stacked_bptt(STACK, np.full((4, 2), np.nan), Y)),
    "targets of another length": ("y", lambda: stacked_bptt(STACK, X, Y[:2])),
    "a target outside the classes": ("y", lambda: blocks_bptt(BLOCKS, X, np.array([0, 1, 2, 3]))),
    "a start for one layer of two": ("h0", lambda: stacked_forward(STACK, X, (np.zeros(3),))),
    "a start of another width": ("h0", lambda: blocks_forward(BLOCKS, X, np.zeros(2))),
    "no layers": ("p", lambda: stacked_forward(STACK._replace(layers=()), X)),
    "another kind of net": ("p", lambda: blocks_forward(STACK, X)),
    "a layer that does not fit the one below": (
        r"p\.layers\[1\]\.U",
        lambda: stacked_forward(STACK._replace(layers=STACK.layers[:1] * 2), X),
    ),
    "NaN in the skip": (r"p\.S", lambda: blocks_forward(BLOCKS._replace(S=np.full((3, 3), np.nan)), X)),
    "a skip of another width": (r"p\.S", lambda: blocks_forward(BLOCKS._replace(S=np.eye(2)), X)),
    "a list for an MLP": (r"p\.across", lambda: blocks_forward(BLOCKS._replace(across=[]), X)),
    "an inner layer of another width": (
        r"p\.outward\[0\]\.W",
        lambda: blocks_forward(BLOCKS._replace(outward=(Dense(np.eye(2), np.zeros(2)),)), X),
    ),
    "W of another width": (r"p\.W", lambda: blocks_forward(BLOCKS._replace(W=np.eye(2)), X)),
    "no widths": ("widths", lambda: stacked_init(2, (), 3, RNG)),
    "a width of zero": ("widths", lambda: stacked_init(2, (3, 0), 3, RNG)),
    "no generator": ("rng", lambda: stacked_init(2, (3,), 3, 7)),
    "two numbers of layers": ("layers", lambda: blocks_init(2, 3, 3, RNG, (2, 2))),
    "no layer across": ("layers", lambda: blocks_circuit((1, 0, 1))),
    "layers as a number": ("layers", lambda: blocks_circuit(2)),
    "a skip that is no bool": ("skip", lambda: blocks_init(2, 3, 3, RNG, (1, 1, 1), "yes")),
    "a circuit of no layers": ("k", lambda: stacked_circuit(0)),
    "a source that is not there": ("source", lambda: shortest_path(GRAPH, ("h3", 1), ("h2", 2))),
    "a target after the end": ("target", lambda: path_lengths(GRAPH, ("h1", 1), ("h2", 4))),
    "an empty path": ("path", lambda: layers_on(GRAPH, [])),
    "a path with a gap": ("path", lambda: layers_on(GRAPH, [("h1", 1), ("h1", 2)])),
    "a way that is none": ("way", lambda: stated_length("d", 1, 1)),
    "a negative lag": ("lag", lambda: stated_length("a", -1, 1)),
    "no layers in a formula": ("layers", lambda: stated_length("b", 1, 0)),
    "layers of two widths for PyTorch": ("p", lambda: stacked_to_torch(STACK)),
    "a cell of another kind": ("rnn", lambda: stacked_from_torch(torch.nn.GRU(2, 3), torch.nn.Linear(3, 2))),
    "a head that does not fit": ("linear", lambda: stacked_from_torch(torch.nn.RNN(2, 3), torch.nn.Linear(4, 2))),
    "names that differ": ("named", lambda: rebuilt(STACK, {"V": STACK.V})),
    "a run of another kind": ("run", lambda: blocks_jacobians(BLOCKS, stacked_forward(STACK, X))),
    "a run of another net": ("run", lambda: jacobian_by_length(BLOCKS._replace(across=()), RUN)),
    "an unknown way to train": ("way", lambda: ways.deep_net("4 layers", 3)),
    "an unknown way to count": ("way", lambda: ways.deep_parameters("LSTM", 3)),
    "too few parameters": ("wanted", lambda: ways.deep_units("MLPs", 3)),
    "no units": ("n", lambda: ways.deep_net("MLPs", 0)),
    "less than a row": ("codes", lambda: ways.deep_bits(STACK, np.zeros(50, dtype=int))),
    "a way to learn that is none": ("way", lambda: learn("LSTM", 1e-3)),
    "no steps": ("steps", lambda: learn("MLPs", 1e-3, steps=0)),
    "a negative rate": ("lr", lambda: learn("MLPs", -1.0)),
    "a code outside the alphabet": ("codes", lambda: ways.deep_bits(STACK, np.full(300, 99))),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_an_error_that_names_the_argument(case):
    name, call = BAD[case]
    with pytest.raises(ValueError, match=rf"^{name}: want "):
        call()


def test_parameters_want_one_of_the_two_kinds():
    assert isinstance(BLOCKS, Blocks)
    with pytest.raises(ValueError, match="^p: want"):
        parameters(RNN(*(np.eye(2) for _ in range(5))))
