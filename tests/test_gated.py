"""The LSTM and the GRU against PyTorch, against differences at every index, and against their theory."""

import sys
from subprocess import run as run_process

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.cells.gate import Gate, gate_init
from companion.cells.gru import gru_bptt, gru_forward, gru_init
from companion.cells.interop import from_torch, to_torch
from companion.cells.lstm import LSTM, lstm_bptt, lstm_bptt_nodes, lstm_forward, lstm_init
from companion.core import tree
from companion.core.functions import sigmoid
from companion.gated import GATE_INPUTS, coupled, half_life, hand_cell, hand_input, minimal, opposite
from tests.gradients import assert_agree, assert_gradient, differences, relative_error

quick = settings(max_examples=12)
sizes = {
    "n_x": st.integers(1, 3),
    "n_h": st.integers(1, 4),
    "tau": st.integers(1, 7),
    "seed": st.integers(0, 2**32 - 1),
}
few = settings(max_examples=6)
small = sizes | {"n_h": st.integers(1, 3), "tau": st.integers(1, 4)}


def drawn(p, tau, seed):
    """Input, upstream gradient and initial states for the cell p."""
    rng = np.random.default_rng([seed, 1])
    n_h, n_x = p.z.U.shape
    return rng.normal(size=(tau, n_x)), rng.normal(size=(tau, n_h)), rng.normal(size=n_h), rng.normal(size=n_h)


def by_torch(x, grad_h, cell):
    """Σ grad_h · h in torch, as a function of the parameters; `cell` computes one step."""

    def net(k, x, h):
        return k.b + k.U @ x + k.W @ h

    def loss(p):
        h = s = torch.zeros(len(p.z.b), dtype=torch.float64)
        total = 0.0
        for x_t, g_t in zip(torch.tensor(x), torch.tensor(grad_h), strict=True):
            h, s = cell(p, net, x_t, h, s)
            total = total + (g_t * h).sum()
        return total

    return loss


# PyTorch


@quick
@given(**sizes)
def test_lstm_forward_and_gradient_are_those_of_torch(n_x, n_h, tau, seed):
    p = lstm_init(n_x, n_h, np.random.default_rng(seed))
    x, grad_h, h0, s0 = drawn(p, tau, seed)
    module = to_torch(p)
    out, (_, s_end) = module(torch.tensor(x), (torch.tensor(h0)[None], torch.tensor(s0)[None]))
    run = lstm_forward(p, x, h0, s0)
    assert relative_error(run.h[1:], out.detach()) <= 1e-12
    assert relative_error(run.s[-1], s_end[0].detach()) <= 1e-12
    (out * torch.tensor(grad_h)).sum().backward()
    theirs = gradient_of(module)
    assert_agree(lstm_bptt(p, x, grad_h, h0, s0), theirs, 1e-10, lstm_bptt, floor=1e-14)


def gradient_of(module):
    """The gradients in a torch module, put in our type by reading them as if they were its weights.

    Our b stands for the sum of PyTorch's two, so its gradient is that of either: the second is zeroed,
    except for the GRU candidate's, which is our d.
    """
    twin = type(module)(module.input_size, module.hidden_size, dtype=torch.float64)
    with torch.no_grad():
        for name, w in module.named_parameters():
            getattr(twin, name).copy_(w.grad)
        twin.bias_hh_l0[: 2 * module.hidden_size] = 0
        if isinstance(module, torch.nn.LSTM):
            twin.bias_hh_l0[:] = 0
    return from_torch(twin)


@quick
@given(**sizes)
def test_gru_with_reset_after_is_that_of_torch_in_forward_and_gradient(n_x, n_h, tau, seed):
    rng = np.random.default_rng(seed)
    p = gru_init(n_x, n_h, rng)._replace(d=rng.normal(size=n_h), reset="after")
    x, grad_h, h0, _ = drawn(p, tau, seed)
    module = to_torch(p)
    out, _ = module(torch.tensor(x), torch.tensor(h0)[None])
    assert relative_error(gru_forward(p, x, h0).h[1:], out.detach()) <= 1e-12
    (out * torch.tensor(grad_h)).sum().backward()
    assert_agree(gru_bptt(p, x, grad_h, h0), gradient_of(module), 1e-10, gru_bptt, floor=1e-14)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("bias", [True, False])
def test_weights_drawn_by_torch_come_over_and_go_back(kind, bias):
    torch.manual_seed(3)
    module = getattr(torch.nn, kind)(2, 3, bias=bias)  # float32, as PyTorch makes them
    p = from_torch(module)
    x = np.random.default_rng(0).normal(size=(5, 2))
    ours = lstm_forward(p, x).h if kind == "LSTM" else gru_forward(p, x).h
    theirs = module(torch.tensor(x, dtype=torch.float32))[0].detach()
    assert relative_error(ours[1:], theirs) <= 1e-5
    assert_agree(from_torch(to_torch(p)), p, 0.0, from_torch)


@quick
@given(**sizes)
def test_one_product_with_all_blocks_side_by_side_gives_the_four_layers(n_x, n_h, tau, seed):
    p = lstm_init(n_x, n_h, np.random.default_rng(seed))
    x, _, h0, s0 = drawn(p, tau, seed)
    run = lstm_forward(p, x, h0, s0)
    block = np.vstack([np.hstack([k.W, k.U, k.b[:, None]]) for k in (p.f, p.g, p.q, p.z)])
    for t in range(tau):
        f, g, q, z = np.split(block @ np.concatenate([run.h[t], x[t], [1.0]]), 4)
        for ours, theirs in zip((run.f, run.g, run.q), (f, g, q), strict=True):
            assert relative_error(ours[t], torch.sigmoid(torch.tensor(theirs)).numpy()) <= 1e-12
        assert relative_error(run.z[t], np.tanh(z)) <= 1e-12


@pytest.mark.parametrize(("n_x", "n_h"), [(1, 1), (3, 2), (10, 32)])
def test_an_lstm_has_four_layers_of_parameters_and_torchs_one_bias_more_in_each(n_x, n_h):
    p = lstm_init(n_x, n_h, np.random.default_rng(0))
    count = sum(v.size for v in tree.leaves(p).values())
    assert count == 4 * (n_h * n_x + n_h**2 + n_h)
    assert count == sum(w.numel() for w in torch.nn.LSTM(n_x, n_h).parameters()) - 4 * n_h


# autograd on the forms that PyTorch's own modules lack


@quick
@given(**sizes, activation=st.sampled_from(["tanh", "sigmoid"]))
def test_lstm_with_peepholes_and_either_activation_agrees_with_autograd(n_x, n_h, tau, seed, activation):
    p = lstm_init(n_x, n_h, np.random.default_rng(seed), peepholes=True)
    x, grad_h, _, _ = drawn(p, tau, seed)

    def cell(w, net, x, h, s):
        f = torch.sigmoid(net(w.f, x, h) + w.f.peephole * s)
        g = torch.sigmoid(net(w.g, x, h) + w.g.peephole * s)
        s = f * s + g * getattr(torch, activation)(net(w.z, x, h))
        return torch.sigmoid(net(w.q, x, h) + w.q.peephole * s) * torch.tanh(s), s

    p = p._replace(activation=activation)

    def loss(p):
        return (grad_h * lstm_forward(p, x).h[1:]).sum()

    assert_gradient(lstm_bptt, loss, p, lstm_bptt(p, x, grad_h), by_torch(x, grad_h, cell))


@quick
@given(**sizes, activation=st.sampled_from(["tanh", "sigmoid"]))
def test_gru_with_the_chapters_reset_agrees_with_autograd(n_x, n_h, tau, seed, activation):
    p = gru_init(n_x, n_h, np.random.default_rng(seed))
    x, grad_h, _, _ = drawn(p, tau, seed)

    def cell(w, net, x, h, s):
        u, r = torch.sigmoid(net(w.u, x, h)), torch.sigmoid(net(w.r, x, h))
        return u * h + (1 - u) * getattr(torch, activation)(net(w.z, x, r * h)), s

    p = p._replace(activation=activation)

    def loss(p):
        return (grad_h * gru_forward(p, x).h[1:]).sum()

    assert_gradient(gru_bptt, loss, p, gru_bptt(p, x, grad_h), by_torch(x, grad_h, cell))


# differences at every index


@few
@given(**small, activation=st.sampled_from(["tanh", "sigmoid"]), peepholes=st.booleans())
def test_lstm_gradient_agrees_with_differences_at_every_index(n_x, n_h, tau, seed, activation, peepholes):
    p = lstm_init(n_x, n_h, np.random.default_rng(seed), peepholes=peepholes)
    x, grad_h, h0, s0 = drawn(p, tau, seed)
    p = p._replace(activation=activation)
    grad = lstm_bptt(p, x, grad_h, h0, s0)
    assert_gradient(lstm_bptt, lambda p: (grad_h * lstm_forward(p, x, h0, s0).h[1:]).sum(), p, grad)


@few
@given(**small, activation=st.sampled_from(["tanh", "sigmoid"]), reset=st.sampled_from(["before", "after"]))
def test_gru_gradient_agrees_with_differences_at_every_index(n_x, n_h, tau, seed, activation, reset):
    rng = np.random.default_rng(seed)
    p = gru_init(n_x, n_h, rng)._replace(reset=reset, activation=activation)
    if reset == "after":
        p = p._replace(d=rng.normal(size=n_h))
    x, grad_h, h0, _ = drawn(p, tau, seed)
    grad = gru_bptt(p, x, grad_h, h0)
    assert_gradient(gru_bptt, lambda p: (grad_h * gru_forward(p, x, h0).h[1:]).sum(), p, grad)


@few
@given(**small)
def test_gradient_on_the_initial_states_agrees_with_differences(n_x, n_h, tau, seed):
    p = lstm_init(n_x, n_h, np.random.default_rng(seed), peepholes=True)
    x, grad_h, h0, s0 = drawn(p, tau, seed)
    nodes = lstm_bptt_nodes(p, x, lstm_forward(p, x, h0, s0), grad_h)
    by_s = differences(lambda s: (grad_h * lstm_forward(p, x, h0, s).h[1:]).sum(), s0)
    by_h = differences(lambda h: (grad_h * lstm_forward(p, x, h, s0).h[1:]).sum(), h0)
    assert relative_error(nodes.s[0], by_s) <= 1e-6
    assert relative_error(nodes.h[0], by_h) <= 1e-6


# theory


def constant(gate, a):
    """The gate with its weights off and pre-activation a."""
    return Gate(np.zeros_like(gate.U), np.zeros_like(gate.W), np.full_like(gate.b, a))


@quick
@given(**sizes)
def test_lstm_with_forget_gate_one_and_input_gate_zero_keeps_its_state(n_x, n_h, tau, seed):
    p = lstm_init(n_x, n_h, np.random.default_rng(seed))
    x, _, h0, s0 = drawn(p, tau, seed)
    p = p._replace(f=constant(p.f, 800.0), g=constant(p.g, -800.0))
    run = lstm_forward(p, x, h0, s0)
    assert (run.s == s0).all()


@quick
@given(**sizes)
def test_along_the_cell_path_the_derivative_is_the_forget_gate(n_x, n_h, tau, seed):
    """With the way through h cut (W = 0, no peepholes), ∂s⁽ᵗ⁾/∂s⁽⁰⁾ is the product of the forget gates."""
    p = lstm_init(n_x, n_h, np.random.default_rng(seed))
    p = LSTM(*(k._replace(W=np.zeros_like(k.W)) for k in p[:4]))
    x, _, _, s0 = drawn(p, tau, seed)
    run = lstm_forward(p, x, s0=s0)
    jacobian = differences(lambda s: lstm_forward(p, x, s0=s).s[-1], s0).T
    assert relative_error(jacobian, np.diag(run.f.prod(0))) <= 1e-6


@quick
@given(**sizes, alpha=st.floats(0.05, 0.95))
def test_leaky_units_are_a_gru_without_reset_whose_update_gate_is_constant(n_x, n_h, tau, seed, alpha):
    p = gru_init(n_x, n_h, np.random.default_rng(seed))
    x, _, h0, _ = drawn(p, tau, seed)
    p = p._replace(u=constant(p.u, np.log(alpha / (1 - alpha))), r=constant(p.r, 800.0))
    mu = h0
    for x_t, h_t in zip(x, gru_forward(p, x, h0).h[1:], strict=True):
        mu = alpha * mu + (1 - alpha) * np.tanh(p.z.b + p.z.U @ x_t + p.z.W @ mu)
        assert relative_error(h_t, mu) <= 1e-12


@quick
@given(**sizes)
def test_the_two_resets_agree_when_the_reset_gate_is_open_and_differ_otherwise(n_x, n_h, tau, seed):
    p = gru_init(n_x, n_h, np.random.default_rng(seed))
    x, _, h0, _ = drawn(p, tau, seed)
    opened = p._replace(r=constant(p.r, 800.0))
    before, after = (gru_forward(opened._replace(reset=k), x, h0).h for k in ("before", "after"))
    assert relative_error(before, after) <= 1e-12
    if n_h > 1:
        before, after = (gru_forward(p._replace(reset=k), x, h0).h for k in ("before", "after"))
        assert relative_error(before, after) > 1e-9


@quick
@given(n_h=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_opposite_gates_sum_to_one_so_the_coupled_cell_takes_in_what_it_forgets(n_h, seed):
    rng = np.random.default_rng(seed)
    p = coupled(*(gate_init(2, n_h, rng) for _ in range(3)))
    run = lstm_forward(p, rng.normal(size=(5, 2)))
    assert np.allclose(run.f + run.g, 1, rtol=0, atol=1e-15)
    assert np.abs(run.s).max() < 1  # a weighted mean of candidates, all below one


@quick
@given(n_h=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_minimal_unit_has_one_gate_for_both_jobs(n_h, seed):
    rng = np.random.default_rng(seed)
    f, z = gate_init(2, n_h, rng), gate_init(2, n_h, rng)
    x, h = rng.normal(size=(4, 2)), np.zeros(n_h)
    for x_t, h_t in zip(x, gru_forward(minimal(f, z), x).h[1:], strict=True):
        gate = 1 / (1 + np.exp(-(f.b + f.U @ x_t + f.W @ h)))
        h = (1 - gate) * h + gate * np.tanh(z.b + z.U @ x_t + z.W @ (gate * h))
        assert relative_error(h_t, h) <= 1e-12


@given(f=st.floats(0.01, 0.999))
def test_half_the_state_is_left_after_the_half_life(f):
    assert abs(f ** half_life(f) - 0.5) <= 1e-12


def test_forget_bias_one_starts_by_remembering():
    p = lstm_init(2, 3, np.random.default_rng(0))
    assert (p.f.b == 1).all()
    assert all((k.b == 0).all() for k in (p.g, p.q, p.z))


# one unit by hand


@quick
@given(
    a=st.tuples(*[st.floats(-8, 8)] * 3),
    w=st.floats(-2, 2),
    x=st.lists(st.floats(-1, 1), min_size=1, max_size=8),
    responds=st.booleans(),
)
def test_units_by_hand_are_their_equations(a, w, x, responds):
    mode = "gates respond" if responds else "constant gates"
    af, ag, aq = a
    lstm = lstm_forward(hand_cell("LSTM", *a, w, mode), hand_input(np.array(x)))
    gru = gru_forward(hand_cell("GRU", *a, w, mode), hand_input(np.array(x)))
    s = h = state = 0.0
    for t, v in enumerate(x):
        k = 4 * abs(v) if responds else 0.0
        s = sigmoid(af - k) * s + sigmoid(ag + k) * np.tanh(2 * v + w * h)
        h = sigmoid(aq) * np.tanh(s)
        u, r = sigmoid(af - k), sigmoid(ag)
        state = u * state + (1 - u) * np.tanh(2 * v + w * r * state)
        assert np.allclose((lstm.s[t + 1, 0], lstm.h[t + 1, 0], gru.h[t + 1, 0]), (s, h, state), rtol=0, atol=1e-12)


def test_gate_inputs_are_12_steps_of_one_decimal_with_the_pulses_in_their_places():
    assert set(GATE_INPUTS) == {"one pulse", "two pulses", "steps", "noise"}
    for x in GATE_INPUTS.values():
        assert len(x) == 12
        assert all(round(v, 1) == v and abs(v) <= 1 for v in x)
    assert {t: v for t, v in enumerate(GATE_INPUTS["one pulse"], 1) if v} == {3: 1.0}
    assert {t: v for t, v in enumerate(GATE_INPUTS["two pulses"], 1) if v} == {3: 1.0, 9: -1.0}


# bad input


LSTM_23, GRU_23 = lstm_init(2, 3, np.random.default_rng(0)), gru_init(2, 3, np.random.default_rng(0))
X = np.ones((4, 2))
BAD = {
    "x of another width": ("x", lambda: lstm_forward(LSTM_23, np.ones((4, 3)))),
    "empty x": ("x", lambda: gru_forward(GRU_23, np.ones((0, 2)))),
    "NaN in x": ("x", lambda: lstm_bptt(LSTM_23, X * np.nan, np.ones((4, 3)))),
    "grad_h too short": ("grad_h", lambda: gru_bptt(GRU_23, X, np.ones((3, 3)))),
    "h0 too long": ("h0", lambda: lstm_forward(LSTM_23, X, np.ones(4))),
    "s0 too long": ("s0", lambda: lstm_forward(LSTM_23, X, s0=np.ones(4))),
    "unknown activation": ("p.activation", lambda: lstm_forward(LSTM_23._replace(activation="relu"), X)),
    "unknown reset": ("p.reset", lambda: gru_forward(GRU_23._replace(reset="never"), X)),
    "a GRU where an LSTM is wanted": ("p", lambda: lstm_forward(GRU_23, X)),
    "an LSTM where a GRU is wanted": ("p", lambda: gru_forward(LSTM_23, X)),
    "d without reset after": ("p.d", lambda: gru_forward(GRU_23._replace(d=np.ones(3)), X)),
    "no gate": ("p.f", lambda: lstm_forward(LSTM_23._replace(f=np.ones(3)), X)),
    "gate of another width": (
        "p.z.U",
        lambda: lstm_forward(LSTM_23._replace(z=gate_init(3, 3, np.random.default_rng(0))), X),
    ),
    "peephole in a GRU": (
        "p.u.peephole",
        lambda: gru_forward(GRU_23._replace(u=GRU_23.u._replace(peephole=np.ones(3))), X),
    ),
    "peepholes to torch": ("p.g.peephole", lambda: to_torch(lstm_init(2, 3, np.random.default_rng(0), peepholes=True))),
    "a sigmoid candidate to torch": ("p.activation", lambda: to_torch(LSTM_23._replace(activation="sigmoid"))),
    "the chapter's reset to torch": ("p.reset", lambda: to_torch(GRU_23)),
    "a ReLU from torch": ("module", lambda: from_torch(torch.nn.RNN(2, 3, nonlinearity="relu"), torch.nn.Linear(3, 1))),
    "two layers from torch": ("module", lambda: from_torch(torch.nn.LSTM(2, 3, num_layers=2))),
    "two directions from torch": ("module", lambda: from_torch(torch.nn.GRU(2, 3, bidirectional=True))),
    "an array to torch": ("p", lambda: to_torch(np.ones(3))),
    "width zero": ("n_h", lambda: gru_init(2, 0, np.random.default_rng(0))),
    "infinite forget bias": ("forget_bias", lambda: lstm_init(2, 3, np.random.default_rng(0), np.inf)),
    "infinite update bias": ("update_bias", lambda: gru_init(2, 3, np.random.default_rng(0), np.inf)),
    "half-life of one": ("f", lambda: half_life(1.0)),
    "half-life above one": ("f", lambda: half_life(1.2)),
    "opposite of an array": ("gate", lambda: opposite(np.ones(3))),
    "no signal": ("x", lambda: hand_input([])),
    "a unit with NaN": ("af", lambda: hand_cell("LSTM", np.nan)),
    "a unit in an unknown mode": ("mode", lambda: hand_cell(mode="random")),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_an_error_that_names_the_argument(case):
    name, call = BAD[case]
    with pytest.raises(ValueError, match=rf"^{name}: want "):
        call()


@quick
@given(shape=st.lists(st.integers(0, 4), min_size=1, max_size=3).map(tuple), cell=st.sampled_from([LSTM_23, GRU_23]))
def test_only_sequences_of_the_right_width_are_taken(shape, cell):
    forward = lstm_forward if isinstance(cell, LSTM) else gru_forward
    if len(shape) == 2 and shape[0] > 0 and shape[1] == 2:
        assert forward(cell, np.zeros(shape)).h.shape == (shape[0] + 1, 3)
    else:
        with pytest.raises(ValueError, match=r"^x: want "):
            forward(cell, np.zeros(shape))


@quick
@given(where=st.sampled_from(sorted(tree.leaves(LSTM_23))), bad=st.sampled_from([np.nan, np.inf]))
def test_a_number_that_is_not_finite_is_found_in_every_parameter(where, bad):
    broken = tree.map(np.copy, LSTM_23)
    tree.leaves(broken)[where].flat[-1] = bad
    with pytest.raises(ValueError, match=rf"^{where}: want finite"):
        lstm_forward(broken, X)


def test_importing_the_numpy_part_does_not_import_torch():
    code = "import sys, companion.gated; sys.exit('torch' in sys.modules)"
    assert run_process([sys.executable, "-c", code], check=False).returncode == 0
