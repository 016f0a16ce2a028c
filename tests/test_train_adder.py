"""The stored adder does what the introduction says of it, and its command runs."""

import json

import numpy as np
import pytest

from companion.cells.rnn import RNN, rnn_forward
from companion.data.store import STORED
from companion.data.tasks import addition, columns

RECORD = json.loads((STORED / "adder.json").read_text(encoding="utf-8"))


def net(weights):
    return RNN(*(np.array(weights[letter]) for letter in RNN._fields))


def said(p, x):
    return rnn_forward(p, x).yhat.argmax(axis=1)


@pytest.mark.parametrize("passing", [0.5, 0.75, 0.98])
def test_the_stored_net_adds_hundreds_of_bits_without_a_mistake(passing):
    x, y = addition(300, 10, np.random.default_rng(17), passing)
    assert all((said(net(RECORD["weights"]["shared"]), one) == target).all() for one, target in zip(x, y, strict=True))


@pytest.mark.parametrize(("b", "first", "rest"), [(1, 0, 0), (0, 1, 1)])
def test_a_carry_or_its_absence_lasts_for_thousands_of_columns(b, first, rest):
    bits = said(net(RECORD["weights"]["shared"]), columns(2**3000 - 1, b, 3000))
    assert bits[0] == first
    assert (bits[1:] == rest).all()


def test_without_sharing_the_columns_beyond_training_are_guessed():
    x, y = addition(16, 200, np.random.default_rng(18), 0.75)
    h, wrong = np.zeros((200, 4)), []
    for t, p in enumerate(net(w) for w in RECORD["weights"]["untied"]):
        h = np.tanh(p.b + h @ p.W.T + x[:, t] @ p.U.T)
        wrong.append(((p.c + h @ p.V.T).argmax(axis=1) != y[:, t]).mean())
    kept = next(r for r in RECORD["metrics"]["share of wrong bits"] if r["seed"] == RECORD["seed"])
    assert np.mean(wrong[:8]) == pytest.approx(kept["untied, 8 bits"], abs=0.02)
    assert np.mean(wrong) == pytest.approx(kept["untied, 16 bits"], abs=0.03)
    assert np.mean(wrong[8:]) > 0.3


def test_the_record_says_how_many_seeds_learned_to_add():
    metrics = RECORD["metrics"]
    results = metrics["share of wrong bits"]
    assert RECORD["command"] == "python -m companion.studies.adder"
    assert metrics["seeds"] == len(results) == 10
    solved = [r["seed"] for r in results if r["shared, 500 bits, long carries"] == 0]
    assert metrics["seeds that add 500 bits, long carries too"] == len(solved)
    assert RECORD["seed"] == RECORD["weights"]["seed"] == solved[0]


def test_the_command_writes_a_record(tmp_path, monkeypatch):
    from companion.studies import adder as train_adder

    monkeypatch.setattr(train_adder, "STEPS", 2)
    train_adder.main(["--seeds", "1", "--out", str(tmp_path / "adder.json")])
    record = json.loads((tmp_path / "adder.json").read_text(encoding="utf-8"))
    assert record["metrics"]["seeds"] == 1
    assert record["metrics"]["share of wrong bits"][0]["shared, 8 bits"] > 0.1  # two steps teach nothing
    assert record["weights"] == {}
