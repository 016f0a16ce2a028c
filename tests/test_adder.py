"""The stored adder does what the introduction says of it."""

import numpy as np
import pytest
import torch

from companion.cells.rnn import RNN, rnn_forward
from companion.data import store
from companion.data.tasks import addition, columns
from companion.studies import adder

WEIGHTS = store.weights("adder")
SHARED = RNN(*(WEIGHTS[f"shared.{letter}"] for letter in RNN._fields))
UNTIED = RNN(*(WEIGHTS[f"untied.{letter}"] for letter in RNN._fields))  # position by position


def said(p, x):
    return rnn_forward(p, x).yhat.argmax(axis=1)


@pytest.mark.parametrize("passing", [0.5, 0.75, 0.98])
def test_the_stored_net_adds_hundreds_of_bits_without_a_mistake(passing):
    x, y = addition(300, 10, np.random.default_rng(17), passing)
    assert all((said(SHARED, one) == target).all() for one, target in zip(x, y, strict=True))


@pytest.mark.parametrize(("b", "first", "rest"), [(1, 0, 0), (0, 1, 1)])
def test_a_carry_or_its_absence_lasts_for_thousands_of_columns(b, first, rest):
    bits = said(SHARED, columns(2**3000 - 1, b, 3000))
    assert bits[0] == first
    assert (bits[1:] == rest).all()


def test_without_sharing_no_sum_trains_the_columns_beyond_eight():
    x, y = addition(16, 200, np.random.default_rng(18), 0.75)
    h, wrong = np.zeros((200, 4)), []
    for t, p in enumerate(RNN(*w) for w in zip(*UNTIED, strict=True)):
        h = np.tanh(p.b + h @ p.W.T + x[:, t] @ p.U.T)
        wrong.append(((p.c + h @ p.V.T).argmax(axis=1) != y[:, t]).mean())
    (kept,) = [store.flat(row) for row in store.record("adder")["rows"] if "weights" in row]
    assert np.mean(wrong[:8]) == pytest.approx(kept["untied, 8 bits"], abs=0.02)
    assert np.mean(wrong) == pytest.approx(kept["untied, 16 bits"], abs=0.03)
    assert np.mean(wrong[8:]) > 0.3


def test_the_record_says_how_many_seeds_learned_to_add_and_keeps_the_first_of_them():
    solved = [row["seed"] for row in store.rows("adder") if row["shared, 500 bits, long carries"] == 0]
    record = store.record("adder")
    assert record["metrics"] == {"seeds": 10, "seeds that add 500 bits, long carries too": len(solved)}
    assert [row["key"]["seed"] for row in record["rows"] if "weights" in row] == solved[:1]


def test_two_steps_teach_nothing():
    row = adder.run({"seed": 0}, adder.QUICK, "cpu")
    assert row["shared, 8 bits"] > 0.1
    assert row["weights"]["shared.W"].shape == (4, 4)
    assert row["weights"]["untied.W"].shape == (16, 4, 4)


def test_both_nets_are_the_numpy_nets_of_their_letters():
    x, nets = addition(5, 3, np.random.default_rng(19), 0.5)[0], adder.draw_nets(4, 5)
    with torch.no_grad():
        for net in nets:
            for w in net.double().parameters():
                w.copy_((100 * w).round() / 100)  # so that rounding the letters changes nothing
        shared, untied = (adder.logits(net, torch.tensor(x, dtype=torch.float64)).numpy() for net in nets)
    p = RNN(*adder.letters(nets[0], "").values())
    assert np.abs(shared - [rnn_forward(p, one).o for one in x]).max() < 1e-12
    for one, wanted in zip(x, untied, strict=True):
        h = np.zeros(4)
        for U, W, V, b, c, x_t, o in zip(*adder.letters(nets[1], "").values(), one, wanted, strict=True):
            h = np.tanh(b + W @ h + U @ x_t)
            assert np.abs(c + V @ h - o).max() < 1e-12
