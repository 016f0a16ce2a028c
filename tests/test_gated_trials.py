"""What Section 10.10 trained beforehand: its tasks, its nets with gates fixed or tied, and the stored results."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.cells.gate import Gate
from companion.cells.gru import gru_forward
from companion.cells.interop import from_torch
from companion.cells.lstm import lstm_forward
from companion.data import store
from companion.data.tasks import since_reset
from companion.data.text import ALPHABET, encode, english, one_hot, split
from companion.gated import coupled
from companion.gated.characters import bits_per_character, char_logits, char_lstm, char_net, stored_char_lstm
from companion.gated.trials import ABLATIONS, draw_trials, gated_net
from companion.studies import gated as study
from tests.gradients import relative_error

ROWS = store.rows("gated")
CHAR_RECORD, MODEL = store.record("charlstm"), stored_char_lstm()
HELD_OUT, JUDGED = (CHAR_RECORD["settings"][name] for name in ("held_out", "judged"))
quick = settings(max_examples=12)


# the character LSTM


def test_stored_character_lstm_still_earns_its_recorded_bits():
    """The text differs a little between Python versions, so the metric may too."""
    _, held_out = split(encode(english()), HELD_OUT)
    bits = bits_per_character(MODEL, held_out[:JUDGED])
    assert abs(bits - CHAR_RECORD["metrics"]["bits_per_character_held_out"]) <= 0.05


def test_stored_character_lstm_beats_counting_pairs_of_characters():
    learn, held_out = split(encode(english()), HELD_OUT)
    held_out = held_out[:JUDGED]
    n = len(ALPHABET)
    pairs = np.ones((n, n))
    np.add.at(pairs, (learn[:-1], learn[1:]), 1)
    p = pairs / pairs.sum(1, keepdims=True)
    by_pairs = -np.log2(p[held_out[:-1], held_out[1:]]).mean()
    assert bits_per_character(MODEL, held_out) < by_pairs - 1


def test_character_lstm_in_numpy_is_the_one_in_torch():
    torch.manual_seed(5)
    twin = char_net(7).double()
    model, x = char_lstm(twin), one_hot(encode("the gate is open"))
    theirs = twin["head"](twin["lstm"](torch.tensor(x)[None])[0])[0].detach()
    assert relative_error(char_logits(model, lstm_forward(model.cell, x).h[1:]), theirs) <= 1e-12


def test_character_lstm_begins_with_forget_bias_one():
    ours = char_lstm(char_net(7)).cell
    assert (ours.f.b == 1).all()
    assert (np.abs(np.concatenate([ours.g.b, ours.q.b, ours.z.b])) < 1).all()


# the studies


@quick
@given(length=st.integers(2, 12), n=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_since_reset_adds_up_from_the_last_mark(length, n, seed):
    x, y = since_reset(length, n, np.random.default_rng(seed))
    assert x.shape == (n, length, 2)
    for values, marks, total in zip(x[:, :, 0], x[:, :, 1], y[:, 0], strict=True):
        start = max((t for t in range(length) if marks[t] == 1), default=0)
        assert abs(values[start:].sum() - total) <= 1e-12
        assert np.abs(values).max() <= 0.5


def by_numpy(net, ablation, x):
    p = from_torch(net.cell)
    name = {"no forget gate": "f", "no input gate": "g", "no output gate": "q"}.get(ablation)
    if ablation == "coupled":
        p = coupled(p.f, p.q, p.z)
    elif name:
        old = getattr(p, name)
        p = p._replace(**{name: Gate(0 * old.U, 0 * old.W, 0 * old.b + 800.0)})
    return lstm_forward(p, x).h[-1]


@pytest.mark.parametrize("ablation", ABLATIONS["LSTM"])
def test_net_with_a_gate_fixed_or_tied_is_the_lstm_whose_gate_is_one_or_the_opposite(ablation):
    torch.manual_seed(1)
    net = gated_net("LSTM", 2, 32, 1.0, ablation)
    x = np.random.default_rng(1).normal(size=(9, 2))
    state = by_numpy(net, ablation, x)
    ours = state @ net.head.weight.detach().double().numpy().T + net.head.bias.detach().double().numpy()
    theirs = net(torch.tensor(x, dtype=torch.float32)[None])[0].detach()
    assert relative_error(ours, theirs) <= 1e-5


def test_a_gru_without_its_reset_gate_is_the_one_whose_reset_gate_is_one():
    torch.manual_seed(1)
    net = gated_net("GRU", 2, 32, 1.0, "no reset gate")
    x, p = np.random.default_rng(1).normal(size=(9, 2)), from_torch(net.cell)
    p = p._replace(r=Gate(0 * p.r.U, 0 * p.r.W, 0 * p.r.b + 800.0))
    state = gru_forward(p, x).h[-1]
    ours = state @ net.head.weight.detach().double().numpy().T + net.head.bias.detach().double().numpy()
    theirs = net(torch.tensor(x, dtype=torch.float32)[None])[0].detach()
    assert relative_error(ours, theirs) <= 1e-5


@pytest.mark.parametrize(("cell", "gate"), [("LSTM", "f"), ("GRU", "u")])
def test_the_forget_bias_is_that_of_the_gate_which_keeps(cell, gate):
    cell = from_torch(gated_net(cell, 2, 5, 3.0).cell)
    assert (getattr(cell, gate).b == 3).all()
    assert np.abs(cell.z.b).max() < 1


def test_without_a_forget_bias_a_net_is_as_torch_draws_it():
    torch.manual_seed(4)
    ours = gated_net("GRU", 2, 5, None).cell.state_dict()
    torch.manual_seed(4)
    theirs = torch.nn.GRU(2, 5, batch_first=True).state_dict()
    assert all((ours[name] == w).all() for name, w in theirs.items())


def test_a_tied_gate_still_learns_and_a_fixed_one_gets_no_gradient():
    x, y = draw_trials("adding", 6, 8, np.random.default_rng(0))
    for ablation, row, moves in (("coupled", 1, True), ("no forget gate", 1, False), ("no output gate", 3, False)):
        net = gated_net("LSTM", 2, 32, 1.0, ablation)
        ((net(x) - y) ** 2).mean().backward()
        assert bool((net.cell.weight_hh_l0.grad.chunk(4)[row] != 0).any()) is moves


@pytest.mark.parametrize(("cell", "units"), study.SETTINGS.units.items())
def test_the_three_cells_have_about_as_many_parameters(cell, units):
    count = sum(w.numel() for w in gated_net(cell, 2, units).parameters())
    assert 4250 <= count <= 4700


def test_the_record_holds_every_cell_at_every_length_and_every_seed_of_the_other_studies():
    assert {(r["study"], r["seed"]) for r in ROWS} == set(product({"adding", "latch", "bias", "ablation"}, range(5)))
    by_length = {(r["length"], r["cell"], r["seed"]) for r in ROWS if r["study"] == "adding" and r["forget_bias"] == 1}
    assert by_length == set(product((10, 20, 40, 80), ("RNN", "LSTM", "GRU"), range(5)))
    assert len(ROWS) == 255


def test_a_row_says_after_how_many_steps_it_was_solved_if_it_was():
    thresholds = {"adding": 0.01, "latch": 0.02, "since reset": 0.01}
    for row in ROWS:
        reached = [step for step, error in enumerate(row["error"], 1) if error <= thresholds[row["task"]]]
        assert row["steps"] == (100 * reached[0] if reached else None)
        assert len(row["error"]) == (reached[0] if reached else 30)


def solved(cell, length):
    rows = [r for r in ROWS if (r["study"], r["cell"], r["length"]) == ("adding", cell, length)]
    return [r["steps"] is not None for r in rows]


def test_in_the_record_gated_cells_solve_the_adding_problem_where_the_plain_one_does_not():
    assert len(solved("RNN", 80)) >= 5
    for length in (40, 80):
        assert not any(solved("RNN", length))
        assert all(solved("GRU", length))
        assert all(solved("LSTM", length))


def test_in_the_record_the_long_latch_needs_a_forget_bias_of_two_or_more():
    for cell, bias in (("LSTM", 0.5), ("LSTM", 1.0), ("LSTM", 2.0), ("LSTM", 4.0), ("GRU", 1.0), ("GRU", 4.0)):
        rows = [r for r in ROWS if (r["task"], r["length"], r["cell"], r["forget_bias"]) == ("latch", 80, cell, bias)]
        assert sorted(r["seed"] for r in rows) == [0, 1, 2, 3, 4]
        assert all((r["steps"] is not None) is (bias >= 2) for r in rows)


def test_in_the_record_a_gru_needs_longer_without_its_reset_gate_at_every_seed():
    rows = [r for r in ROWS if (r["study"], r["cell"]) == ("ablation", "GRU")]
    steps = {(r["ablation"], r["seed"]): r["steps"] for r in rows}
    assert all(steps["full", seed] < steps["no reset gate", seed] for seed in range(5))


def test_a_gru_solves_the_short_adding_problem_again_here():
    row = study.run(study.trial("adding", "adding", 10, 0, "GRU"), study.SETTINGS, "cpu")
    assert row["error"][-1] <= 0.01 < row["error"][0]
    assert row["steps"] == 100 * len(row["error"]) < 3000


# bad input

BAD = {
    "unknown task": ("task", lambda: draw_trials("copy", 5, 1, np.random.default_rng(0))),
    "length one": ("length", lambda: since_reset(1, 1, np.random.default_rng(0))),
    "no sequences": ("n", lambda: since_reset(5, 0, np.random.default_rng(0))),
    "unknown cell": ("cell", lambda: gated_net("CNN", 2, 3)),
    "ablated GRU": ("ablation", lambda: gated_net("GRU", 2, 3, 1.0, "coupled")),
    "infinite bias": ("forget_bias", lambda: gated_net("LSTM", 2, 3, np.inf)),
    "no units": ("units", lambda: gated_net("RNN", 2, 0)),
    "no source of randomness": ("rng", lambda: since_reset(5, 1, None)),
    "one character": ("codes", lambda: bits_per_character(MODEL, np.array([1]))),
    "code outside the alphabet": ("codes", lambda: one_hot(np.array([0, len(ALPHABET)]))),
    "codes with NaN": ("codes", lambda: one_hot(np.array([0, np.nan]))),
    "states of another width": ("h", lambda: char_logits(MODEL, np.ones((2, 3)))),
    "no states": ("h", lambda: char_logits(MODEL, np.ones((0, 3)))),
    "width zero": ("units", lambda: char_net(0)),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_an_error_that_names_the_argument(case):
    name, call = BAD[case]
    with pytest.raises(ValueError, match=rf"^{name}: want "):
        call()
