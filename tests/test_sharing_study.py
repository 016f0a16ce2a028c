"""The stacks of nets that learn to add from few sums."""

import numpy as np
import pytest
import torch

from companion.cells.rnn import RNN
from companion.data import store
from companion.data.tasks import addition
from companion.studies import sharing


@pytest.mark.parametrize("sets", [1, 5])
def test_a_stack_of_nets_is_the_numpy_nets_of_its_letters_column_by_column(sets):
    stack = sharing.Columns((0, 1), sets, 4).double()
    x = np.stack([addition(5, 3, np.random.default_rng(seed), 0.5)[0] for seed in (19, 20)])
    with torch.no_grad():
        found = stack(torch.tensor(x)).numpy()
    weights = {name: w.detach().numpy() for name, w in stack.named_parameters()}
    for net, i in np.ndindex(2, 3):
        h = np.zeros(4)
        for t in range(5):
            p = RNN(*(weights[letter][net, t % sets] for letter in RNN._fields))
            h = np.tanh(p.b + p.W @ h + p.U @ x[net, i, t])
            assert np.abs(p.c + p.V @ h - found[net, i, t]).max() < 1e-12


def test_shared_and_untied_nets_start_alike():
    shared, untied = sharing.Columns((0, 1, 2), 1, 4), sharing.Columns((0, 1, 2), 8, 4)
    for one, many in zip(shared.parameters(), untied.parameters(), strict=True):
        assert torch.equal(one[:, 0], many[:, 0])


def test_the_record_says_what_few_sums_teach():
    rows, metrics = store.rows("sharing"), store.record("sharing")["metrics"]
    for kind in ("shared", "untied"):
        tried = [row for row in rows if row["sums"] == 16 and row["net"] == kind]
        best = min(tried, key=lambda row: sum(row["valid"]))
        assert metrics[f"{kind}, 16 sums"] == pytest.approx(np.median(best["wrong"]), abs=1e-4)
    assert metrics["shared, 16 sums"] < metrics["untied, 16 sums"] / 2


def test_two_steps_teach_nothing():
    row = sharing.run({"sums": 2, "net": "untied", "rate": 0.03}, sharing.QUICK, "cpu")
    assert np.mean(row["wrong"]) > 0.1
