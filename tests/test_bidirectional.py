"""Bidirectional nets: forward, gradient, sensitivities and four directions, against independent oracles."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.bidirectional import (
    CORNERS,
    DIRECTIONS,
    BiRNN,
    Grid,
    birnn_bptt,
    birnn_forward,
    birnn_from_torch,
    birnn_init,
    birnn_loss,
    birnn_to_torch,
    cloze_bits,
    cloze_forward,
    cloze_net,
    cloze_numpy,
    context_states,
    counted_bits,
    grid_init,
    grid_states,
    halves,
    input_jacobian,
    join,
    ridge,
    sensitivity,
    stored_cloze_nets,
)
from companion.cells.rnn import rnn_forward, rnn_init
from companion.data import store
from companion.data.text import ALPHABET, decode, encode, english, split
from tests.gradients import assert_agree, assert_gradient, differences, relative_error

quick = settings(max_examples=15)
sizes = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 7))
seeds = st.integers(0, 2**32 - 1)
SETTINGS = store.record("bidirectional")["settings"]


def case(size, seed):
    """A network with non-zero biases, a sequence, targets, and both initial states."""
    n_x, n_h, n_o, tau = size
    rng = np.random.default_rng(seed)
    p = birnn_init(n_x, n_h, n_o, rng)
    p = p._replace(b_h=rng.normal(size=n_h), b_g=rng.normal(size=n_h), c=rng.normal(size=n_o))
    return p, rng.normal(size=(tau, n_x)), rng.integers(0, n_o, tau), rng.normal(size=n_h), rng.normal(size=n_h)


def by_torch(p, x, h0, g_end):
    """PyTorch's states, last states and logits, with gradients recorded."""
    rnn, linear = birnn_to_torch(p)
    states, last = rnn(torch.as_tensor(x), torch.tensor(np.stack([h0, g_end])))
    return rnn, linear, states, last, linear(states)


# ------------------------------------------------------------------ forward and gradient


def test_torchs_net_takes_batches_of_sequences_first():
    p, x, _, _, _ = case((3, 4, 2, 6), 0)
    rnn, linear = birnn_to_torch(p)
    with torch.no_grad():
        together = linear(rnn(torch.as_tensor(np.stack([x, 2 * x[::-1]])))[0])
    for o, own in zip(together, (x, 2 * x[::-1]), strict=True):
        np.testing.assert_allclose(o, birnn_forward(p, own).o, atol=1e-12)


@quick
@given(sizes, seeds)
def test_states_outputs_and_loss_equal_torchs_bidirectional_net(size, seed):
    p, x, y, h0, g_end = case(size, seed)
    run, n = birnn_forward(p, x, h0, g_end), len(h0)
    with torch.no_grad():
        _, _, states, last, o = by_torch(p, x, h0, g_end)
        loss = torch.nn.functional.cross_entropy(o, torch.tensor(y), reduction="sum")
    pairs = {
        "h": (run.h[1:], states[:, :n]),
        "g": (run.g[:-1], states[:, n:]),
        "last h": (run.h[-1], last[0]),
        "last g": (run.g[0], last[1]),
        "o": (run.o, o),
        "yhat": (run.yhat, torch.softmax(o, -1)),
        "loss": (birnn_loss(run, y)[0], loss),
    }
    for name, (ours, theirs) in pairs.items():
        assert relative_error(ours, theirs.numpy()) <= 1e-10, name
    assert np.array_equal(run.h[0], h0)
    assert np.array_equal(run.g[-1], g_end)


@quick
@given(sizes, seeds)
def test_bptt_equals_autograd_to_1e_10(size, seed):
    p, x, y, h0, g_end = case(size, seed)
    rnn, linear, _, _, o = by_torch(p, x, h0, g_end)
    torch.nn.functional.cross_entropy(o, torch.tensor(y), reduction="sum").backward()
    w = {name: t.grad.numpy() for name, t in rnn.named_parameters()}
    assert relative_error(w["bias_ih_l0_reverse"], w["bias_hh_l0_reverse"]) <= 1e-10
    names = [f"{kind}_l0{end}" for end in ("", "_reverse") for kind in ("weight_ih", "weight_hh", "bias_ih")]
    V, n = linear.weight.grad.numpy(), len(h0)
    theirs = BiRNN(*(w[name] for name in names), V[:, :n], V[:, n:], linear.bias.grad.numpy())
    assert_agree(birnn_bptt(p, x, y, h0, g_end), theirs, 1e-10, birnn_bptt)


@settings(max_examples=8)
@given(sizes, seeds)
def test_bptt_equals_central_differences_at_every_index(size, seed):
    p, x, y, h0, g_end = case(size, seed)
    grad = birnn_bptt(p, x, y, h0, g_end)
    assert_gradient(birnn_bptt, lambda q: birnn_loss(birnn_forward(q, x, h0, g_end), y)[0], p, grad)


@quick
@given(sizes, seeds)
def test_torch_weights_come_back_the_same_and_its_two_biases_are_added(size, seed):
    p, x, *_ = case(size, seed)
    rnn, linear = birnn_to_torch(p)
    assert all(np.array_equal(a, b) for a, b in zip(p, birnn_from_torch(rnn, linear), strict=True))
    rnn = torch.nn.RNN(size[0], size[1], bidirectional=True, dtype=torch.float64)
    with torch.no_grad():
        theirs = linear(rnn(torch.tensor(x))[0]).numpy()
    assert relative_error(birnn_forward(birnn_from_torch(rnn, linear), x).o, theirs) <= 1e-10


@quick
@given(sizes, seeds)
def test_time_reversed_with_its_halves_exchanged_the_net_says_the_same_in_reverse(size, seed):
    p, x, *_ = case(size, seed)
    forward, reverse = halves(p)
    turned = join(reverse, forward)
    assert relative_error(birnn_forward(turned, x[::-1]).o, birnn_forward(p, x).o[::-1]) <= 1e-12


@quick
@given(sizes, st.integers(1, 5), seeds)
def test_halves_of_different_widths_work_too(size, n_g, seed):
    n_x, n_h, n_o, tau = size
    rng = np.random.default_rng(seed)
    f, r = rnn_init(n_x, n_h, n_o, rng), rnn_init(n_x, n_g, n_o, rng)
    x = rng.normal(size=(tau, n_x))
    wanted = rnn_forward(f, x).o + rnn_forward(r, x[::-1]).o[::-1]
    assert relative_error(birnn_forward(join(f, r), x).o, wanted) <= 1e-12
    assert [g.shape for g in birnn_bptt(join(f, r), x, np.zeros(tau, dtype=int))] == [v.shape for v in join(f, r)]


@quick
@given(sizes)
def test_it_has_exactly_twice_the_recurrent_parameters_and_twice_the_output_weights(size):
    n_x, n_h, n_o, _ = size
    p, one = birnn_init(n_x, n_h, n_o, np.random.default_rng(0)), rnn_init(n_x, n_h, n_o, np.random.default_rng(0))
    recurrent = sum(v.size for name, v in p._asdict().items() if name[0] in "UWb")
    assert recurrent == 2 * (one.U.size + one.W.size + one.b.size)
    assert p.V_h.size + p.V_g.size == 2 * one.V.size
    assert p.c.size == one.c.size


def test_the_first_output_waits_for_the_last_input():
    p, x, *_ = case((3, 5, 2, 30), 1)
    later = x.copy()
    later[-1] += 1
    moved = np.abs(birnn_forward(p, later).o - birnn_forward(p, x).o).max(axis=1)
    assert (moved > 0).all()
    one = halves(p)[0]
    assert np.array_equal(rnn_forward(one, later).o[:-1], rnn_forward(one, x).o[:-1])


# ------------------------------------------------------------------ sensitivity


@settings(max_examples=10)
@given(sizes, seeds)
def test_input_jacobian_equals_autograd(size, seed):
    p, x, *_ = case(size, seed)
    zero = np.zeros(size[1])
    theirs = torch.autograd.functional.jacobian(lambda x: by_torch(p, x, zero, zero)[-1], torch.tensor(x))
    ours = input_jacobian(p, x)
    assert relative_error(ours, theirs.numpy().transpose(0, 2, 1, 3)) <= 1e-10
    parts = [input_jacobian(p, x, d) for d in DIRECTIONS]
    assert np.array_equal(parts[0] + parts[1], parts[2])
    t, k = np.indices(ours.shape[:2])
    assert not parts[0][k > t].any()
    assert not parts[1][k < t].any()
    assert relative_error(sensitivity(p, x) ** 2, (ours**2).sum(axis=(2, 3))) <= 1e-12


@settings(max_examples=10)
@given(sizes, seeds)
def test_the_hidden_input_reaches_its_own_guess_by_no_path_and_every_other_one_does(size, seed):
    p, x, *_ = case(size, seed)
    for k in range(len(x)):
        other = x.copy()
        other[k] += 0.5
        moved = np.abs(cloze_forward(p, other).o - cloze_forward(p, x).o).max(axis=1)
        assert moved[k] == 0
    first = x.copy()
    first[0] += 0.5
    if len(x) > 1:
        assert np.abs(cloze_forward(p, first).o[1] - cloze_forward(p, x).o[1]).max() > 0


@quick
@given(sizes, seeds)
def test_the_hidden_guess_reads_the_states_on_either_side(size, seed):
    p, x, _, h0, g_end = case(size, seed)
    run = cloze_forward(p, x, h0, g_end)
    full = birnn_forward(p, x, h0, g_end)
    for t in range(1, len(x) + 1):
        wanted = p.c + p.V_h @ full.h[t - 1] + p.V_g @ full.g[t]  # g[t] is g⁽ᵗ⁺¹⁾
        assert relative_error(run.o[t - 1], wanted) <= 1e-12


def test_an_output_is_most_sensitive_around_its_own_step_while_the_radius_is_small():
    rng, nearest = np.random.default_rng(0), []
    for _ in range(10):
        p = birnn_init(4, 16, 4, rng, radius=0.5)
        nearest.append(sensitivity(p, rng.normal(size=(21, 4))).argmax(axis=1) == np.arange(21))
    assert np.mean(nearest) > 0.95


# ------------------------------------------------------------------ pictures

shapes = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 2), st.integers(1, 3))


@quick
@given(shapes, seeds, st.sampled_from(list(CORNERS)))
def test_grid_states_obey_their_equation_in_every_direction(shape, seed, direction):
    rows, columns, n_x, n_h = shape
    rng = np.random.default_rng(seed)
    p, x = grid_init(n_x, n_h, rng), rng.normal(size=(rows, columns, n_x))
    h, (r, c) = grid_states(p, x, direction), CORNERS[direction]

    def at(i, j):
        return h[i, j] if 0 <= i < rows and 0 <= j < columns else np.zeros(n_h)

    for i, j in np.ndindex(rows, columns):
        wanted = np.tanh(p.b + p.W_r @ at(i - r, j) + p.W_c @ at(i, j - c) + p.U @ x[i, j])
        assert np.abs(h[i, j] - wanted).max() <= 1e-12
    both = grid_states(p, np.stack([x, 2 * x]), direction)
    assert np.abs(both[0] - h).max() <= 1e-12


@quick
@given(st.integers(2, 6), st.integers(1, 3), st.integers(1, 4), seeds)
def test_a_picture_of_one_row_is_a_sequence(tau, n_x, n_h, seed):
    rng = np.random.default_rng(seed)
    p, x = grid_init(n_x, n_h, rng), rng.normal(size=(tau, n_x))
    one = rnn_init(n_x, n_h, 1, rng)._replace(U=p.U, W=p.W_c, b=p.b)
    assert relative_error(grid_states(p, x[None])[0], rnn_forward(one, x).h[1:]) <= 1e-12


def reach(nets, directions, x, i, j):
    """Which pixels move the context of pixel (i, j)."""
    base, moved = context_states(nets, x, directions)[i, j], np.zeros(x.shape[:2], dtype=bool)
    for k in np.ndindex(x.shape[:2]):
        other = x.copy()
        other[k] += 0.5
        moved[k] = (context_states(nets, other, directions)[i, j] != base).any()
    return moved


def test_four_contexts_see_every_pixel_but_their_own_and_one_sees_its_quadrant():
    rng = np.random.default_rng(3)
    nets, x = [grid_init(1, 4, rng, 0.9) for _ in CORNERS], rng.random((5, 5, 1))
    for i, j in np.ndindex(5, 5):
        wanted = np.ones((5, 5), dtype=bool)
        wanted[i, j] = False
        assert np.array_equal(reach(nets, list(CORNERS), x, i, j), wanted)
        quadrant = np.zeros((5, 5), dtype=bool)
        quadrant[: i + 1, : j + 1] = True
        assert np.array_equal(reach(nets[:1], ["↘"], x, i, j), quadrant & wanted)


@quick
@given(st.integers(2, 20), st.integers(1, 4), seeds)
def test_ridge_solves_its_normal_equations(n, m, seed):
    rng = np.random.default_rng(seed)
    z, y, penalty = rng.normal(size=(n, m)), rng.normal(size=n), 0.3

    def cost(w):
        return ((y - z @ w[:-1] - w[-1]) ** 2).sum() + penalty * (w[:-1] ** 2).sum()

    assert np.abs(differences(cost, ridge(z, y, penalty))).max() <= 1e-5


# ------------------------------------------------------------------ what was trained beforehand


def test_stored_nets_still_earn_their_recorded_bits():
    """The text differs a little between Python versions, and the weights are rounded, so the metric may too."""
    held_out = split(encode(english()), 0.1)[1][: SETTINGS["judged"]]
    for side, net in stored_cloze_nets().items():
        name = {"left": "left 100", "right": "right 100", "both": "both 64+64"}[side]
        bits = cloze_bits(net, held_out, side).mean()
        (row,) = store.rows("bidirectional", net=name, seed=0)
        assert abs(bits - row["bits"]) <= 0.05, name
        assert row["parameters"] == sum(np.size(w) for w in net)


def test_in_the_record_both_sides_beat_one_on_every_seed_at_equal_parameters():
    for seed in SETTINGS["seeds"]:
        bits, sizes = (
            {row["net"]: row[what] for row in store.rows("bidirectional", seed=seed)} for what in ("bits", "parameters")
        )
        assert bits["both 64+64"] < min(bits["left 100"], bits["right 100"]) - 0.7
        assert abs(sizes["both 64+64"] / sizes["left 100"] - 1) < 0.02


def test_nearly_half_of_the_held_out_stretches_of_ten_characters_stand_in_the_training_text():
    learn, held_out = (decode(codes) for codes in split(encode(english()), 0.1))
    held_out = held_out[: SETTINGS["judged"]]
    share = np.mean([held_out[i : i + 10] in learn for i in range(0, len(held_out) - 10, 50)])
    assert 0.35 < share < 0.55


def test_bits_from_the_left_are_those_of_the_net_read_step_by_step():
    rng, codes = np.random.default_rng(0), encode("the other way round")
    n = len(ALPHABET)
    p = rnn_init(n, 5, n, rng)
    h, wanted = np.zeros(5), []
    for t, code in enumerate(codes):
        if 0 < t < len(codes) - 1:
            o = p.c + p.V @ h
            wanted.append(-np.log2(np.exp(o[code]) / np.exp(o).sum()))
        h = np.tanh(p.b + p.W @ h + p.U[:, code])
    assert relative_error(cloze_bits(p, codes, "left"), wanted) <= 1e-10
    assert relative_error(cloze_bits(p, codes[::-1], "right")[::-1], wanted) <= 1e-10


def test_the_trainable_net_for_both_sides_is_the_one_in_numpy():
    torch.manual_seed(2)
    drawn, codes = cloze_net("both", 4).double(), encode("both ways")
    with torch.no_grad():
        states = drawn["rnn"](torch.eye(len(ALPHABET), dtype=torch.float64)[codes][None])[0][0]
        o = drawn["head"](torch.cat([states[:-2, :4], states[2:, 4:]], dim=1))
    wanted = torch.nn.functional.cross_entropy(o, torch.tensor(codes[1:-1]), reduction="none") / np.log(2)
    assert relative_error(cloze_bits(cloze_numpy(drawn), codes, "both"), wanted) <= 1e-10


def test_counted_tables_guess_a_text_that_repeats():
    codes = encode("abc" * 200)
    bits = counted_bits(codes, codes[:60])
    assert bits["none"] > 1.5
    assert max(bits["left 1"], bits["right 1"], bits["both 1"]) < 0.05


def test_numpy_parts_do_not_import_torch():
    code = "import companion.bidirectional, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ------------------------------------------------------------------ bad input

P, X, Y, H0, G_END = case((2, 3, 4, 5), 0)
GRID, PICTURE = grid_init(1, 2, np.random.default_rng(0)), np.zeros((3, 3, 1))
NAN = np.where(np.indices(X.shape)[0] == 2, np.nan, X)
BAD = {
    "empty sequence": ("x", lambda: birnn_forward(P, np.zeros((0, 2)))),
    "NaN input": ("x", lambda: birnn_forward(P, NAN)),
    "input of another width": ("x", lambda: cloze_forward(P, np.zeros((5, 3)))),
    "no parameters": ("p", lambda: birnn_forward((1, 2), X)),
    "W_g of another size": ("p.W_g", lambda: birnn_forward(P._replace(W_g=np.eye(2)), X)),
    "U_g of another width": ("p.U_g", lambda: halves(P._replace(U_g=np.ones((3, 3))))),
    "NaN in V_h": ("p.V_h", lambda: birnn_bptt(P._replace(V_h=P.V_h * np.nan), X, Y)),
    "wrong initial state": ("h0", lambda: birnn_forward(P, X, np.zeros(2))),
    "wrong state at the end": ("g_end", lambda: birnn_forward(P, X, None, np.zeros(2))),
    "too few targets": ("y", lambda: birnn_bptt(P, X, Y[:-1])),
    "target outside": ("y", lambda: birnn_loss(birnn_forward(P, X), Y + 4)),
    "loss of no run": ("run", lambda: birnn_loss(X, Y)),
    "unknown direction": ("direction", lambda: sensitivity(P, X, "sideways")),
    "Jacobian of nothing": ("x", lambda: input_jacobian(P, [])),
    "no units": ("n_h", lambda: birnn_init(2, 0, 2, np.random.default_rng(0))),
    "no generator": ("rng", lambda: birnn_init(2, 2, 2, 7)),
    "halves that differ": ("backward", lambda: join(halves(P)[0], rnn_init(3, 3, 4, np.random.default_rng(0)))),
    "one-way PyTorch net": ("rnn", lambda: birnn_from_torch(torch.nn.RNN(2, 3), torch.nn.Linear(6, 4))),
    "relu PyTorch net": (
        "rnn",
        lambda: birnn_from_torch(torch.nn.RNN(2, 3, nonlinearity="relu", bidirectional=True), torch.nn.Linear(6, 4)),
    ),
    "narrow PyTorch head": (
        "linear",
        lambda: birnn_from_torch(torch.nn.RNN(2, 3, bidirectional=True), torch.nn.Linear(3, 4)),
    ),
    "halves of two widths to PyTorch": (
        "p",
        lambda: birnn_to_torch(join(halves(P)[0], rnn_init(2, 5, 4, np.random.default_rng(0)))),
    ),
    "unknown corner": ("direction", lambda: grid_states(GRID, PICTURE, "north")),
    "flat picture": ("x", lambda: grid_states(GRID, PICTURE[:, :, 0])),
    "empty picture": ("x", lambda: grid_states(GRID, PICTURE[:0])),
    "picture with NaN": ("x", lambda: context_states([GRID], PICTURE * np.nan, ["↘"])),
    "no directions": ("directions", lambda: context_states([], PICTURE, [])),
    "net without direction": ("directions", lambda: context_states([GRID], PICTURE, ["↘", "↖"])),
    "no grid": ("p", lambda: grid_states(P, PICTURE)),
    "grid with a wrong W_r": ("p.W_r", lambda: grid_states(GRID._replace(W_r=np.eye(3)), PICTURE)),
    "negative scale": ("scale", lambda: grid_init(1, 2, np.random.default_rng(0), -1)),
    "negative penalty": ("penalty", lambda: ridge(X, X[:, 0], -1)),
    "ridge targets that differ": ("y", lambda: ridge(X, X[:-1, 0], 1)),
    "unknown side": ("side", lambda: cloze_net("top", 3)),
    "net for the other side": ("net", lambda: cloze_bits(P, np.arange(5), "left")),
    "two characters": (r"len\(codes\)", lambda: cloze_bits(P, np.arange(2), "both")),
    "empty text to count": (r"len\(learn\)", lambda: counted_bits(np.arange(0), np.arange(5))),
    "no units, both sides": ("units", lambda: cloze_net("both", 0)),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_an_error_that_names_the_argument(case):
    name, call = BAD[case]
    with pytest.raises(ValueError, match=rf"^{name}: want "):
        call()


def test_gradients_and_parameters_are_one_type():
    assert isinstance(birnn_bptt(P, X, Y), BiRNN)
    assert isinstance(GRID, Grid)
