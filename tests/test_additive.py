"""Additive connections (Section 10.9.2) held to torch, to differences, to the GRU and to the leaky net."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import timescales as ts
from companion.cells.additive import additive_bptt, additive_forward, additive_init
from companion.cells.gate import Gate
from companion.cells.gru import GRU, gru_bptt, gru_forward
from companion.cells.leaky import leaky_forward, leaky_init
from companion.core import tree
from companion.data import store
from companion.data.tasks import latch
from companion.longterm.stacks import fresh
from companion.studies import additive as study
from companion.timescales.additive import _states
from tests.gradients import assert_agree, assert_gradient, differences

torch.set_num_threads(1)
few = settings(max_examples=20)
seeds = st.integers(0, 2**32 - 1)
connections = st.sampled_from(["residual", "adaptive"])


def case(seed, connection):
    """A drawn cell with random biases, inputs, weights of the loss on each state, and a first state."""
    rng = np.random.default_rng(seed)
    n_x, n_h, tau = (int(v) for v in rng.integers([1, 1, 1], [4, 5, 9]))
    p = additive_init(n_x, n_h, rng, connection)
    p = tree.map(lambda v: rng.standard_normal(v.shape), p)
    return p, rng.standard_normal((tau, n_x)), rng.standard_normal((tau, n_h)), rng.standard_normal(n_h)


def by_torch(p, x, grad_h, h0):
    """The same cell, written again with tensors."""
    h, total = torch.tensor(h0), torch.zeros((), dtype=torch.float64)
    for x_t, weight in zip(torch.tensor(x), torch.tensor(grad_h), strict=True):
        z = torch.tanh(p.z.U @ x_t + p.z.W @ h + p.z.b)
        h = h + z if p.lam is None else torch.lerp(z, h, torch.sigmoid(p.lam.U @ x_t + p.lam.W @ h + p.lam.b))
        total = total + (weight * h).sum()
    return total


@settings(max_examples=10)
@given(seeds, connections)
def test_the_gradient_by_hand_is_torchs_and_that_of_differences(seed, connection):
    p, x, grad_h, h0 = case(seed, connection)
    assert_gradient(
        additive_bptt,
        lambda q: (grad_h * additive_forward(q, x, h0).h[1:]).sum(),
        p,
        additive_bptt(p, x, grad_h, h0),
        lambda q: by_torch(q, x, grad_h, h0),
    )


@few
@given(seeds, connections)
def test_a_step_hands_back_what_the_table_says(seed, connection):
    p, x, _, h0 = case(seed, connection)
    run = additive_forward(p, x[:1], h0)
    (lam,), (z,), eye = run.lam, run.z, np.eye(len(h0))
    D = np.diag(1 - z**2)
    wanted = eye + D @ p.z.W
    if connection == "adaptive":
        wanted = np.diag(lam) + np.diag(1 - lam) @ D @ p.z.W
        wanted += np.diag((h0 - z) * lam * (1 - lam)) @ p.lam.W  # diag(h⁽⁰⁾ − z) ∂λ/∂h⁽⁰⁾
    found = differences(lambda h: additive_forward(p, x[:1], h).h[1], h0).T
    assert_agree(wanted, found, 1e-6, "the Jacobian", "differences", floor=1e-9)


@few
@given(seeds)
def test_the_adaptive_cell_is_a_gru_whose_reset_gate_stays_open(seed):
    p, x, grad_h, h0 = case(seed, "adaptive")
    shut = Gate(np.zeros_like(p.z.U), np.zeros_like(p.z.W), np.full(len(h0), 40.0))
    gru = GRU(u=p.lam, r=shut, z=p.z)
    np.testing.assert_allclose(additive_forward(p, x, h0).h, gru_forward(gru, x, h0).h, rtol=0, atol=1e-13)
    ours, theirs = additive_bptt(p, x, grad_h, h0), gru_bptt(gru, x, grad_h, h0)
    assert_agree(ours.lam, theirs.u, 1e-10, additive_bptt, "the GRU", floor=1e-13)
    assert_agree(ours.z, theirs.z, 1e-10, additive_bptt, "the GRU", floor=1e-13)


@few
@given(seeds, st.floats(0.01, 0.99))
def test_a_gate_that_hears_nothing_is_a_leak(seed, alpha):
    rng = np.random.default_rng(seed)
    leak = leaky_init(2, 4, 3, (1,), rng, alpha)
    p = additive_init(2, 4, rng)._replace(z=Gate(leak.U, leak.W[0], leak.b))
    p = p._replace(lam=Gate(np.zeros((4, 2)), np.zeros((4, 4)), np.full(4, np.log(alpha / (1 - alpha)))))
    x = rng.standard_normal((7, 2))
    np.testing.assert_allclose(additive_forward(p, x).h, leaky_forward(leak, x).h, rtol=0, atol=1e-13)


def test_a_residual_state_without_weights_counts_the_steps():
    zero = Gate(np.zeros((2, 1)), np.zeros((2, 2)), np.array([20.0, -20.0]))  # tanh is 1 and −1
    run = additive_forward(additive_init(1, 2, np.random.default_rng(0), "residual")._replace(z=zero), np.zeros((9, 1)))
    np.testing.assert_allclose(run.h, np.arange(10)[:, None] * [1.0, -1.0], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(run.lam, 1.0)


@pytest.mark.parametrize("connection", ["residual", "adaptive"])
def test_a_stack_runs_as_its_nets_do_one_by_one(connection):
    rng = np.random.default_rng(3)
    p = ts.keeper_init(3, 4, rng, connection, (1.0, 20.0))
    x = rng.standard_normal((3, 2, 9, 1))
    h = torch.stack(_states(tree.map(torch.tensor, p.cell), torch.tensor(x))).numpy()
    for net in range(3):
        for row in range(2):
            one = additive_forward(tree.map(lambda v, k=net: v[k], p.cell), x[net, row])
            np.testing.assert_allclose(h[:, net, row], one.h, rtol=1e-10, atol=1e-12)


def test_a_stack_is_asked_for_the_class_at_each_length():
    p = ts.keeper_init(3, 4, np.random.default_rng(2), "residual")
    x, y = fresh(latch, 3, 9, 20, np.random.default_rng(5), torch.float64)
    found = ts.keeper_accuracies(p, [5, 9], np.random.default_rng(5), 20)
    for row, length in zip(found, (5, 9), strict=True):
        for net in range(3):
            q = tree.map(lambda v, k=net: v[k], p)
            said = [q.c + q.V @ additive_forward(q.cell, s.numpy()).h[-1] for s in x[net, :, :length]]
            assert row[net] == np.mean(np.argmax(said, axis=1) == y[net].numpy())


def test_gates_begin_with_the_time_constants_that_are_asked_for():
    p = ts.keeper_init(200, 8, np.random.default_rng(0), taus=(2.0, 50.0))
    tau = -1 / np.log(1 / (1 + np.exp(-p.cell.lam.b)))
    assert 2 <= tau.min() < 2.1 and 48 < tau.max() <= 50 and 9 < np.median(tau) < 11
    assert ts.keeper_init(2, 3, np.random.default_rng(0), "residual", taus=(2.0, 50.0)).cell.lam is None
    weights = ts.keeper_init(200, 4, np.random.default_rng(0)).cell.lam
    assert all(-0.5 <= v.min() < -0.49 and 0.49 < v.max() <= 0.5 for v in weights[:3])


def test_training_changes_copies_only_and_learns_a_short_latch():
    rng = np.random.default_rng(0)
    for connection in ("residual", "adaptive"):
        p = ts.keeper_init(4, 8, rng, connection, (1.0, 20.0))
        before = tree.map(np.copy, p)
        q = ts.keeper_train(p, 6, rng, updates=150)
        tree.map(np.testing.assert_array_equal, p, before)
        assert (ts.keeper_accuracies(q, [6], rng) > 0.95).all()


def test_the_stored_record_has_every_kind_at_its_best_rate():
    rows, settings = store.rows("additive"), study.SETTINGS
    counted = [row for row in rows if row["draw"] == 1]
    assert [row["kind"] for row in counted] == list(settings.kinds)
    assert all(row["rate"] == study.best(settings, rows, row["kind"]) for row in counted)
    assert all(len(a) == 40 and 0 <= min(a) <= max(a) <= 1 for row in counted for a in row["accuracy"].values())


def test_a_net_holds_only_if_it_is_right_at_every_length_near_its_own():
    rows = [{"kind": "k", "rate": 1, "draw": 1, "accuracy": {"66": [1, 1, 0], "67": [1, 0.9, 1], "131": [1, 1, 1]}}]
    found = study.judge(study.SETTINGS._replace(far=(131,)), rows)["k"]
    assert found == {"rate": 1, "learns": 2, "holds": 1, "far": {"131": 1}}


def test_bad_input_is_named():
    p = additive_init(2, 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"p\.lam\.peephole: want None"):
        additive_forward(p._replace(lam=p.lam._replace(peephole=np.ones(3))), np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"x: want shape"):
        additive_forward(p, np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"connection: want"):
        additive_init(2, 3, np.random.default_rng(0), "gated")
    with pytest.raises(ValueError, match=r"p\.cell\.z\.U: want shape"):
        ts.keeper_accuracies(
            ts.keeper_init(2, 3, np.random.default_rng(0))._replace(cell=p), [5], np.random.default_rng(0)
        )
