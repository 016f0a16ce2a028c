"""The three recurrent patterns: forward, loss and hand-derived gradients, against independent oracles."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.cells.interop import from_torch, to_torch
from companion.cells.output import OutputRNN, output_rnn_bptt, output_rnn_forward, output_rnn_init, output_rnn_loss
from companion.cells.rnn import RNN, RNNRun, rnn_bptt, rnn_bptt_nodes, rnn_forward, rnn_init, rnn_loss
from companion.core.functions import softmax
from companion.deep import stacked_circuit
from companion.recurrent import (
    checkpointed_bptt,
    curvatures,
    descend,
    descent_gradient,
    rnn_copies,
    stack,
    states_held,
    summary_bptt,
    summary_forward,
    summary_loss,
    truncated_bptt,
)
from companion.unfolding.graphs import copies, unfold
from tests.gradients import assert_agree, differences, relative_error

quick = settings(max_examples=20)
sizes = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 7))
seeds = st.integers(0, 2**32 - 1)


def case(size, seed):
    """A network with non-zero biases, a sequence, targets and an initial state."""
    n_x, n_h, n_o, tau = size
    rng = np.random.default_rng(seed)
    p = rnn_init(n_x, n_h, n_o, rng)
    p = p._replace(b=rng.normal(size=n_h), c=rng.normal(size=n_o))
    return p, rng.normal(size=(tau, n_x)), rng.integers(0, n_o, tau), rng.normal(size=n_h)


def output_case(size, seed):
    n_x, n_h, n_o, tau = size
    rng = np.random.default_rng(seed)
    p = output_rnn_init(n_x, n_h, n_o, rng)
    p = p._replace(b=rng.normal(size=n_h), c=rng.normal(size=n_o), W=2 * p.W)
    return p, rng.normal(size=(tau, n_x)), rng.integers(0, n_o, tau)


def torch_gradients(rnn, linear):
    """Autograd's result in the book's type; PyTorch's two biases see the same gradient."""
    assert torch.allclose(rnn.bias_ih_l0.grad, rnn.bias_hh_l0.grad, rtol=1e-10, atol=1e-14)
    tensors = rnn.weight_ih_l0, rnn.weight_hh_l0, linear.weight, rnn.bias_ih_l0, linear.bias
    return RNN(*(t.grad.numpy() for t in tensors))


def assert_same(ours, theirs, tolerance, of):
    """The two agree. Where units saturate, a whole field can shrink to nothing, and 1 − h² then carries rounding
    noise in both: a field below 1/1000 of the whole gradient is measured against that thousandth."""
    whole = max(np.abs(g).max() for g in theirs)
    assert_agree(ours, theirs, tolerance, of, floor=1e-3 * tolerance * whole)


# ------------------------------------------------------------------ hidden to hidden


@quick
@given(sizes, seeds)
def test_forward_and_loss_equal_torchs(size, seed):
    p, x, y, h0 = case(size, seed)
    run = rnn_forward(p, x, h0)
    rnn, linear = to_torch(p)
    with torch.no_grad():
        h, last = rnn(torch.tensor(x), torch.tensor(h0)[None])
        o = linear(h)
        losses = torch.nn.functional.cross_entropy(o, torch.tensor(y), reduction="none")
    assert np.array_equal(run.h[0], h0)
    theirs = {"h": h, "o": o, "yhat": torch.softmax(o, -1)}
    for name, value in theirs.items():
        assert np.abs(getattr(run, name)[-len(x) :] - value.numpy()).max() <= 1e-12, name
    assert np.abs(run.h[-1] - last[0].numpy()).max() <= 1e-12
    loss, loss_t = rnn_loss(run, y)
    assert np.abs(loss_t - losses.numpy()).max() <= 1e-12
    assert loss == loss_t.sum()


@quick
@given(sizes, seeds)
def test_bptt_equals_autograd_to_1e_10(size, seed):
    p, x, y, h0 = case(size, seed)
    rnn, linear = to_torch(p)
    start = torch.tensor(h0[None], requires_grad=True)
    h, _ = rnn(torch.tensor(x), start)
    torch.nn.functional.cross_entropy(linear(h), torch.tensor(y), reduction="sum").backward()
    assert_same(rnn_bptt(p, x, y, h0), torch_gradients(rnn, linear), 1e-10, rnn_bptt)
    theirs = start.grad[0].numpy()
    assert np.abs(rnn_bptt_nodes(p, x, y, h0).h[0] - theirs).max() <= 1e-10 * max(1e-2, np.abs(theirs).max())


@settings(max_examples=8)
@given(sizes, seeds)
def test_bptt_equals_differences_at_every_index_to_1e_6(size, seed):
    p, x, y, h0 = case(size, seed)
    grad = rnn_bptt(p, x, y, h0)
    assert_same(grad, differences(lambda q: rnn_loss(rnn_forward(q, x, h0), y)[0], p), 1e-6, rnn_bptt)
    on_start = differences(lambda h: rnn_loss(rnn_forward(p, x, h), y)[0], h0)
    assert np.abs(rnn_bptt_nodes(p, x, y, h0).h[0] - on_start).max() <= 1e-6 * max(1e-2, np.abs(on_start).max())


@quick
@given(sizes, seeds)
def test_node_gradients_equal_what_autograd_retains_on_every_node(size, seed):
    p, x, y, h0 = case(size, seed)
    U, W, V, b, c, x_, h_ = (torch.tensor(v) for v in (*p, x, h0))
    h, nodes, loss = h_.requires_grad_(), {"a": [], "h": [h_], "o": []}, 0.0
    for t in range(len(x)):
        a = b + W @ h + U @ x_[t]
        h = torch.tanh(a)
        o = c + V @ h
        loss = loss - torch.log_softmax(o, -1)[y[t]]
        for name, node in zip("aho", (a, h, o), strict=True):
            node.retain_grad()
            nodes[name].append(node)
    loss.backward()
    ours = rnn_bptt_nodes(p, x, y, h0)
    for name in "aho":
        theirs = np.array([node.grad.numpy() for node in nodes[name]])
        assert np.abs(getattr(ours, name) - theirs).max() <= 1e-10 * max(np.abs(theirs).max(), 1e-3), name


@quick
@given(sizes, seeds)
def test_gradients_of_the_copies_add_up_to_the_gradient_of_the_shared_weight(size, seed):
    p, x, y, h0 = case(size, seed)
    copies, total = rnn_copies(p, x, y, h0), rnn_bptt(p, x, y, h0)
    for name in RNN._fields:
        copy = getattr(copies, name)
        assert copy.shape == (len(x), *getattr(p, name).shape)
        assert np.abs(copy.sum(axis=0) - getattr(total, name)).max() <= 1e-12


@settings(max_examples=8)
@given(sizes, seeds)
def test_each_copy_of_w_has_the_gradient_of_moving_that_copy_alone(size, seed):
    p, x, y, h0 = case(size, seed)
    copies = rnn_copies(p, x, y, h0)

    def loss_with(W_at, t):
        """Only step t uses W_at; all other steps use p.W."""
        before = rnn_forward(p, x[:t], h0) if t else None
        h = h0 if before is None else before.h[-1]
        here = rnn_forward(p._replace(W=W_at), x[t : t + 1], h)
        loss = rnn_loss(here, y[t : t + 1])[0]
        loss += 0.0 if before is None else rnn_loss(before, y[:t])[0]
        if t + 1 < len(x):
            loss += rnn_loss(rnn_forward(p, x[t + 1 :], here.h[-1]), y[t + 1 :])[0]
        return loss

    for t in range(len(x)):
        theirs = differences(lambda W_at, t=t: loss_with(W_at, t), p.W)
        assert np.abs(copies.W[t] - theirs).max() <= 1e-6 * max(1.0, np.abs(theirs).max())


def test_the_jacobian_of_one_step_is_diag_times_w_and_not_w_times_diag():
    p, x, _, h0 = case((2, 4, 3, 1), 1)
    h1 = rnn_forward(p, x, h0).h[1]
    columns = [(rnn_forward(p, x, h0 + e).h[1] - rnn_forward(p, x, h0 - e).h[1]) / 2e-6 for e in 1e-6 * np.eye(len(h0))]
    slope = np.diag(1 - h1**2)
    assert relative_error(slope @ p.W, np.array(columns).T) <= 1e-8
    assert relative_error(p.W @ slope, np.array(columns).T) >= 0.1


@quick
@given(sizes, seeds)
def test_a_run_keeps_as_many_numbers_as_stated_and_its_graph_takes_as_many_products(size, seed):
    n_x, n_h, n_o, tau = size
    p, x, _, h0 = case(size, seed)
    assert sum(v.size for v in rnn_forward(p, x, h0)) == tau * (2 * n_h + 2 * n_o) + n_h
    graph = unfold(stacked_circuit(1), tau)
    matrices = {"U1": p.U, "W1": p.W, "V": p.V}
    products = sum(len(copies(graph, name)) * matrix.size for name, matrix in matrices.items())
    assert products == tau * (n_h * n_x + n_h**2 + n_o * n_h)


# ------------------------------------------------------------------ truncation and checkpoints


@quick
@given(sizes, seeds, st.integers(1, 9))
def test_checkpoints_anywhere_leave_the_gradient_as_it_is(size, seed, every):
    p, x, y, h0 = case(size, seed)
    assert_same(checkpointed_bptt(p, x, y, every, h0), rnn_bptt(p, x, y, h0), 1e-12, checkpointed_bptt)


@quick
@given(sizes, seeds, st.integers(0, 3))
def test_a_window_as_long_as_the_sequence_cuts_nothing(size, seed, more):
    p, x, y, h0 = case(size, seed)
    assert_same(truncated_bptt(p, x, y, len(x) + more, h0), rnn_bptt(p, x, y, h0), 1e-12, truncated_bptt)


@quick
@given(sizes, seeds, st.integers(1, 6))
def test_truncation_equals_torch_with_the_state_detached_between_chunks(size, seed, window):
    p, x, y, h0 = case(size, seed)
    rnn, linear = to_torch(p)
    state = torch.tensor(h0)[None]
    for start in range(0, len(x), window):
        h, state = rnn(torch.tensor(x[start : start + window]), state.detach())
        target = torch.tensor(y[start : start + window])
        torch.nn.functional.cross_entropy(linear(h), target, reduction="sum").backward()
    assert_same(truncated_bptt(p, x, y, window, h0), torch_gradients(rnn, linear), 1e-10, truncated_bptt)


def test_truncation_leaves_v_and_c_exact_and_biases_the_rest():
    p, x, y, h0 = case((2, 4, 3, 12), 5)
    full, cut = rnn_bptt(p, x, y, h0), truncated_bptt(p, x, y, 3, h0)
    for name in ("V", "c"):
        assert relative_error(getattr(cut, name), getattr(full, name)) <= 1e-12
    for name in ("U", "W", "b"):
        assert relative_error(getattr(cut, name), getattr(full, name)) >= 0.01


@given(st.integers(1, 400), st.integers(1, 500))
def test_checkpoints_hold_no_fewer_states_than_two_roots_of_tau(tau, k):
    held = states_held(tau, "checkpointed", k)
    assert held >= 2 * np.sqrt(tau)
    best = states_held(tau, "checkpointed", max(1, round(np.sqrt(tau))))
    assert best <= 2 * np.sqrt(tau) + 1
    assert states_held(tau, "truncated", k) == min(k, tau) + 1
    assert states_held(tau, "full") == tau + 1


def test_peak_memory_grows_as_the_count_of_states_says():
    """From tau = 400 to 1600: fourfold when all states are kept, twofold with checkpoints, not at all when cut."""
    p = rnn_init(1, 64, 2, np.random.default_rng(0), 0.9)

    def peak(function, tau):
        x, y = np.zeros((tau, 1)), np.zeros(tau, dtype=int)
        function(p, x, y)
        tracemalloc.start()
        try:
            function(p, x, y)
            return tracemalloc.get_traced_memory()[1] / (8 * 64)  # in vectors of n_h floats
        finally:
            tracemalloc.stop()

    for method, function in {
        "full": rnn_bptt,
        "checkpointed": lambda p, x, y: checkpointed_bptt(p, x, y, round(len(x) ** 0.5)),
        "truncated": lambda p, x, y: truncated_bptt(p, x, y, 20),
    }.items():
        more = peak(function, 1600) - peak(function, 400)
        spacing = {"full": (None, None), "checkpointed": (40, 20), "truncated": (20, 20)}[method]
        states = states_held(1600, method, spacing[0]) - states_held(400, method, spacing[1])
        # states, pre-activations and their two gradients: one to six vectors a state; Python's own come and go
        assert states - 16 <= more <= 6 * states + 16, (method, more, states)


# ------------------------------------------------------------------ many networks at once


@settings(max_examples=10)
@given(sizes, seeds, st.integers(1, 3), st.integers(1, 4))
def test_many_networks_at_once_have_the_mean_loss_and_gradient_of_each_alone(size, seed, S, n):
    n_x, _, n_o, tau = size
    rng = np.random.default_rng(seed)
    networks = [case(size, int(s))[0] for s in rng.integers(0, 2**31, S)]
    x, y = rng.normal(size=(n, tau, n_x)), rng.integers(0, n_o, n)
    loss, grad = descent_gradient(stack(networks), x, y)
    for s, p in enumerate(networks):
        alone = np.mean([summary_loss(summary_forward(p, x[i]), int(y[i])) for i in range(n)])
        assert abs(loss[s] - alone) <= 1e-12
        each = [summary_bptt(p, x[i], int(y[i])) for i in range(n)]
        for name in RNN._fields:
            mean = np.mean([getattr(g, name) for g in each], axis=0)
            assert np.abs(getattr(grad, name)[s] - mean).max() <= 1e-12


def test_descent_steps_against_the_gradient_and_lowers_the_loss():
    p = stack([case((2, 3, 2, 4), s)[0] for s in range(3)])
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 4, 2)), rng.integers(0, 2, 5)
    loss, grad = descent_gradient(p, x, y)
    after, losses = descend(p, x, y, 0.1, 1)
    assert np.array_equal(losses[0], loss)
    assert all(np.allclose(q, v - 0.1 * g, atol=1e-15) for q, v, g in zip(after, p, grad, strict=True))
    assert (descend(p, x, y, 0.05, 50)[1][-1] < loss).all()


@settings(max_examples=10)
@given(sizes, seeds, st.integers(1, 6))
def test_a_window_lets_only_the_last_steps_hear_of_the_loss(size, seed, window):
    _, _, n_o, tau = size
    p, x, _, _ = case(size, seed)
    net, (rnn, linear) = p._replace(b=0 * p.b), to_torch(p._replace(b=0 * p.b))
    first = max(0, tau - window)
    seen = torch.tensor(x)
    state = rnn(seen[:first])[1].detach() if first else torch.zeros(1, len(p.b), dtype=torch.float64)
    o = linear(rnn(seen[first:], state)[1])
    torch.nn.functional.cross_entropy(o, torch.tensor([seed % n_o])).backward()
    _, grad = descent_gradient(stack([net]), x[None], np.array([seed % n_o]), window)
    assert_same(RNN(*(v[0] for v in grad)), torch_gradients(rnn, linear), 1e-10, descent_gradient)


def test_curvatures_are_those_of_torchs_hessian():
    p, x, _, _ = case((2, 3, 2, 4), 3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 4, 2)), rng.integers(0, 2, 5)
    shapes, sizes_of = [v.shape for v in p], [v.size for v in p]

    def loss(flat):
        U, W, V, b, c = (part.reshape(s) for part, s in zip(torch.split(flat, sizes_of), shapes, strict=True))
        h = torch.zeros(5, len(p.b), dtype=torch.float64)
        for t in range(4):
            h = torch.tanh(b + h @ W.T + torch.tensor(x[:, t]) @ U.T)
        return torch.nn.functional.cross_entropy(c + h @ V.T, torch.tensor(y))

    theirs = torch.linalg.eigvalsh(
        torch.autograd.functional.hessian(loss, torch.tensor(np.concatenate([v.ravel() for v in p])))
    )
    assert np.abs(curvatures(stack([p]), x, y)[0] - theirs.numpy()).max() <= 1e-6


# ------------------------------------------------------------------ one output at the end


@quick
@given(sizes, seeds)
def test_summary_forward_and_gradient_equal_torchs(size, seed):
    p, x, y, h0 = case(size, seed)
    rnn, linear = to_torch(p)
    _, last = rnn(torch.tensor(x), torch.tensor(h0)[None])
    o = linear(last)
    loss = torch.nn.functional.cross_entropy(o, torch.tensor(y[-1:]), reduction="sum")
    loss.backward()
    run = summary_forward(p, x, h0)
    assert np.abs(run.o - o.detach().numpy()).max() <= 1e-12
    assert np.array_equal(run.yhat, softmax(run.o))
    assert abs(summary_loss(run, int(y[-1])) - loss.item()) <= 1e-12
    assert_same(summary_bptt(p, x, int(y[-1]), h0), torch_gradients(rnn, linear), 1e-10, summary_bptt)


@settings(max_examples=8)
@given(sizes, seeds)
def test_summary_gradient_equals_differences_at_every_index(size, seed):
    p, x, y, h0 = case(size, seed)
    target = int(y[-1])
    theirs = differences(lambda q: summary_loss(summary_forward(q, x, h0), target), p)
    assert_same(summary_bptt(p, x, target, h0), theirs, 1e-6, summary_bptt)


# ------------------------------------------------------------------ output to hidden


def output_rnn_in_torch(p, x, y, forced):
    """The equations once more, with autograd, as tensors that remember their gradients."""
    q = OutputRNN(*(torch.tensor(v, requires_grad=True) for v in p))
    z, loss, outputs = torch.zeros(len(p.c), dtype=torch.float64), 0.0, []
    for t in range(len(x)):
        o = q.c + q.V @ torch.tanh(q.b + q.W @ z + q.U @ torch.tensor(x[t]))
        loss = loss - torch.log_softmax(o, -1)[y[t]]
        z = torch.eye(len(p.c), dtype=torch.float64)[y[t]] if forced else torch.softmax(o, -1)
        outputs.append(o.detach().numpy())
    loss.backward()
    grads = (v.grad if v.grad is not None else torch.zeros_like(v) for v in q)
    return np.array(outputs), loss.item(), OutputRNN(*(g.numpy() for g in grads))


@quick
@given(sizes, seeds, st.booleans())
def test_output_recurrence_forward_loss_and_gradient_equal_torchs(size, seed, forced):
    p, x, y = output_case(size, seed)
    o, loss, grad = output_rnn_in_torch(p, x, y, forced)
    run = output_rnn_forward(p, x, y if forced else None)
    assert np.abs(run.o - o).max() <= 1e-12
    assert abs(output_rnn_loss(run, y)[0] - loss) <= 1e-11
    assert_same(output_rnn_bptt(p, x, y, forced), grad, 1e-10, output_rnn_bptt)


@settings(max_examples=8)
@given(sizes, seeds, st.booleans())
def test_output_recurrence_gradient_equals_differences_at_every_index(size, seed, forced):
    p, x, y = output_case(size, seed)

    def loss(q):
        return output_rnn_loss(output_rnn_forward(q, x, y if forced else None), y)[0]

    assert_same(output_rnn_bptt(p, x, y, forced), differences(loss, p), 1e-6, output_rnn_bptt)


@quick
@given(sizes, seeds)
def test_teacher_forcing_makes_the_gradient_a_sum_of_steps_taken_apart(size, seed):
    p, x, y = output_case(size, seed)
    n_x, n_h, n_o, _ = size
    # One step alone is a feed-forward net whose input is x and the one-hot target of the step before.
    wide = RNN(np.hstack([p.U, p.W]), np.zeros((n_h, n_h)), p.V, p.b, p.c)
    z = np.vstack([np.zeros(n_o), np.eye(n_o)[y[:-1]]])
    steps = [rnn_bptt(wide, np.append(x[t], z[t])[None], y[t : t + 1]) for t in range(len(x))]
    U = sum(g.U for g in steps)
    apart = OutputRNN(U[:, :n_x], U[:, n_x:], sum(g.V for g in steps), sum(g.b for g in steps), sum(g.c for g in steps))
    together = output_rnn_bptt(p, x, y)
    for name in OutputRNN._fields:
        assert np.abs(getattr(apart, name) - getattr(together, name)).max() <= 1e-12


def test_free_running_feeds_back_its_own_probabilities_and_the_teacher_the_targets():
    p, x, y = output_case((2, 3, 4, 5), 0)
    free, forced = output_rnn_forward(p, x), output_rnn_forward(p, x, y)
    assert np.array_equal(free.z[1:], free.yhat)
    assert np.array_equal(forced.z[1:].argmax(axis=1), y)
    assert np.array_equal(free.o[0], forced.o[0])
    assert relative_error(free.o[1:], forced.o[1:]) > 0.01


# ------------------------------------------------------------------ parameters


@quick
@given(sizes, seeds)
def test_weights_survive_the_way_to_torch_and_back(size, seed):
    p, *_ = case(size, seed)
    for ours, back in zip(p, from_torch(*to_torch(p)), strict=True):
        assert np.array_equal(ours, back)


def test_from_torch_adds_pytorchs_two_biases():
    rnn, linear = torch.nn.RNN(2, 3).double(), torch.nn.Linear(3, 4).double()
    x = torch.randn(5, 2, dtype=torch.float64)
    with torch.no_grad():
        theirs = linear(rnn(x)[0]).numpy()
    assert relative_error(rnn_forward(from_torch(rnn, linear), x.numpy()).o, theirs) <= 1e-12


@quick
@given(sizes, seeds, st.floats(0.1, 3))
def test_init_gives_w_the_spectral_radius_asked_for(size, seed, radius):
    n_x, n_h, n_o, _ = size
    p = rnn_init(n_x, n_h, n_o, np.random.default_rng(seed), radius)
    assert abs(np.abs(np.linalg.eigvals(p.W)).max() - radius) <= 1e-9 * radius
    assert (p.U.shape, p.W.shape, p.V.shape) == ((n_h, n_x), (n_h, n_h), (n_o, n_h))


def test_init_scales_weights_by_one_over_the_root_of_the_fan_in():
    p = rnn_init(50, 200, 40, np.random.default_rng(0))
    for weight in (p.U, p.W, p.V):
        assert abs(weight.std() * np.sqrt(weight.shape[1]) - 1) <= 0.05
    q = output_rnn_init(50, 200, 40, np.random.default_rng(0))
    assert abs(q.W.std() * np.sqrt(40) - 1) <= 0.05


def test_functions_are_pure_and_leave_their_arguments_alone():
    p, x, y, h0 = case((2, 3, 4, 5), 0)
    before = [v.copy() for v in (*p, x, y, h0)]
    for function in (rnn_bptt, rnn_bptt_nodes, rnn_copies):
        first, second = function(p, x, y, h0), function(p, x, y, h0)
        assert all(np.array_equal(u, v) for u, v in zip(first, second, strict=True))
    checkpointed_bptt(p, x, y, 2, h0)
    truncated_bptt(p, x, y, 2, h0)
    assert all(np.array_equal(u, v) for u, v in zip(before, (*p, x, y, h0), strict=True))


def test_importing_the_recurrent_module_does_not_import_torch():
    code = "import sys, companion.recurrent; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ------------------------------------------------------------------ bad input


P, X, Y, H0 = case((2, 3, 4, 5), 0)
Q, _, _ = output_case((2, 3, 4, 5), 0)
WITH_TARGETS = {
    "rnn_bptt": lambda p=P, x=X, y=Y, h0=H0: rnn_bptt(p, x, y, h0),
    "rnn_bptt_nodes": lambda p=P, x=X, y=Y, h0=H0: rnn_bptt_nodes(p, x, y, h0),
    "rnn_copies": lambda p=P, x=X, y=Y, h0=H0: rnn_copies(p, x, y, h0),
    "truncated_bptt": lambda p=P, x=X, y=Y, h0=H0: truncated_bptt(p, x, y, 2, h0),
    "checkpointed_bptt": lambda p=P, x=X, y=Y, h0=H0: checkpointed_bptt(p, x, y, 2, h0),
}
WITH_START = WITH_TARGETS | {
    "rnn_forward": lambda p=P, x=X, h0=H0: rnn_forward(p, x, h0),
    "summary_forward": lambda p=P, x=X, h0=H0: summary_forward(p, x, h0),
    "summary_bptt": lambda p=P, x=X, h0=H0: summary_bptt(p, x, 1, h0),
}
WITH_OUTPUT = {
    "output_rnn_forward": lambda p=Q, x=X, y=Y: output_rnn_forward(p, x, y),
    "output_rnn_bptt": lambda p=Q, x=X, y=Y: output_rnn_bptt(p, x, y),
    "output_rnn_bptt free": lambda p=Q, x=X, y=Y: output_rnn_bptt(p, x, y, forced=False),
}

bad_x = st.sampled_from(
    [np.empty((0, 2)), [], np.zeros((5, 3)), np.zeros(5), np.full((5, 2), np.nan), "letters", None, np.zeros((5, 2, 1))]
)
bad_y = st.sampled_from(
    [Y[:-1], np.append(Y, 0), Y.astype(float), np.full(5, 4), np.full(5, -1), np.eye(4)[Y], None, [], "abcde"]
)
bad_h0 = st.sampled_from([np.zeros(2), np.zeros((3, 1)), np.full(3, np.inf), [], "abc", 0.0])


@given(st.sampled_from(sorted(WITH_START | WITH_OUTPUT)), bad_x)
def test_a_bad_sequence_is_named(name, x):
    with pytest.raises(ValueError, match=r"^x: want "):
        (WITH_START | WITH_OUTPUT)[name](x=x)


@given(st.sampled_from(sorted(WITH_TARGETS)), bad_y)
def test_bad_targets_are_named(name, y):
    with pytest.raises(ValueError, match=r"^y: want "):
        WITH_TARGETS[name](y=y)


@given(st.sampled_from(["output_rnn_bptt", "output_rnn_bptt free"]), bad_y)
def test_bad_targets_of_output_recurrence_are_named(name, y):
    with pytest.raises(ValueError, match=r"^y: want "):
        WITH_OUTPUT[name](y=y)


@given(st.sampled_from(sorted(WITH_START)), bad_h0)
def test_a_bad_initial_state_is_named(name, h0):
    with pytest.raises(ValueError, match=r"^h0: want "):
        WITH_START[name](h0=h0)


@given(
    st.sampled_from(sorted(WITH_START | WITH_OUTPUT)), st.sampled_from(RNN._fields), st.sampled_from(["nan", "shape"])
)
def test_a_bad_parameter_is_named(name, field, how):
    good = Q if name in WITH_OUTPUT else P
    value = getattr(good, field)
    bad = np.full_like(value, np.nan) if how == "nan" else np.zeros((7, 6, 2))
    with pytest.raises(ValueError, match=rf"^p\.{field}: want "):
        (WITH_START | WITH_OUTPUT)[name](p=good._replace(**{field: bad}))


@given(st.sampled_from(sorted(WITH_START | WITH_OUTPUT)))
def test_parameters_of_another_kind_are_refused(name):
    other = P if name in WITH_OUTPUT else Q
    with pytest.raises(ValueError, match=r"^p: want "):
        (WITH_START | WITH_OUTPUT)[name](p=other)


@pytest.mark.parametrize("bad", [0, -1, 2.5, None, True])
def test_a_bad_window_spacing_or_size_is_named(bad):
    rng = np.random.default_rng(0)
    for name, call in {
        "window": lambda: truncated_bptt(P, X, Y, bad),
        "every": lambda: checkpointed_bptt(P, X, Y, bad),
        "tau": lambda: states_held(bad, "full"),
        "k": lambda: states_held(9, "truncated", bad),
        "n_x": lambda: rnn_init(bad, 2, 2, rng),
        "n_h": lambda: output_rnn_init(2, bad, 2, rng),
    }.items():
        with pytest.raises(ValueError, match=f"^{name}: want "):
            call()


def test_other_bad_arguments_are_named():
    run, one = rnn_forward(P, X), summary_forward(P, X)
    calls = {
        "run": [
            lambda: rnn_loss(None, Y),
            lambda: rnn_loss(output_rnn_forward(Q, X), Y),
            lambda: output_rnn_loss(run, Y),
            lambda: summary_loss(run, 0),
        ],
        "y": [
            lambda: rnn_loss(run, Y[1:]),
            lambda: output_rnn_loss(output_rnn_forward(Q, X), Y[1:]),
            lambda: summary_loss(one, 4),
            lambda: summary_bptt(P, X, -1),
            lambda: summary_bptt(P, X, 1.0),
            lambda: descent_gradient(stack([P]), X[None], Y),
        ],
        "rng": [lambda: rnn_init(1, 1, 1, 0), lambda: output_rnn_init(1, 1, 1, None)],
        "radius": [lambda: rnn_init(1, 1, 1, np.random.default_rng(0), -1.0)],
        "networks": [lambda: stack([]), lambda: stack([P, Q]), lambda: stack([P, case((1, 3, 4, 5), 0)[0]])],
        "x": [
            lambda: descent_gradient(stack([P]), X, Y[:1]),
            lambda: descend(stack([P]), X[None] * np.nan, Y[:1], 1, 1),
        ],
        "lr": [lambda: descend(stack([P]), X[None], Y[:1], -1, 1)],
        "steps": [lambda: descend(stack([P]), X[None], Y[:1], 1, 0)],
        "method": [lambda: states_held(9, "magic", 3)],
        "forced": [lambda: output_rnn_bptt(Q, X, Y, "maybe")],
        "p": [lambda: to_torch(tuple(P)), lambda: descent_gradient([P], X[None], Y[:1])],
        "module": [
            lambda: from_torch(torch.nn.RNN(2, 3, bidirectional=True), torch.nn.Linear(3, 4)),
            lambda: from_torch(torch.nn.RNN(2, 3, num_layers=2), torch.nn.Linear(3, 4)),
            lambda: from_torch(torch.nn.RNN(2, 3, nonlinearity="relu"), torch.nn.Linear(3, 4)),
        ],
        "linear": [
            lambda: from_torch(torch.nn.RNN(2, 3), torch.nn.Linear(2, 4)),
            lambda: from_torch(torch.nn.RNN(2, 3)),
            lambda: from_torch(torch.nn.LSTM(2, 3), torch.nn.Linear(3, 4)),
        ],
    }
    for name, bad_calls in calls.items():
        for call in bad_calls:
            with pytest.raises(ValueError, match=f"^{name}: want "):
                call()


def test_a_run_is_what_every_pattern_with_hidden_recurrence_returns():
    assert isinstance(rnn_forward(P, X), RNNRun)
    assert isinstance(summary_forward(P, X), RNNRun)
    assert summary_forward(P, X).yhat.shape == (1, 4)
