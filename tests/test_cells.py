"""What holds for every cell: its step back is the derivative of its step, and a scan is its steps one after another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.cells.additive import additive_init
from companion.cells.clockwork import clockwork_init, make_clock, schedule
from companion.cells.echo import Reservoir
from companion.cells.gate import gate_init
from companion.cells.gru import gru_init
from companion.cells.leaky import leaky_init
from companion.cells.lstm import lstm_init
from companion.cells.output import output_rnn_init
from companion.cells.rnn import Layer, many, rnn_init
from companion.core.scan import last, reverse_scan, scan
from tests.gradients import assert_agree, differences

N_X, N_H = 2, 3


def clockwork(rng):
    return clockwork_init(make_clock((1, 2), (1, 2)), N_X, 2, rng)


CELLS = {
    "plain": lambda rng: rnn_init(N_X, N_H, 2, rng),
    "layer": lambda rng: Layer(*(rng.normal(size=s) for s in ((N_H, N_X), (N_H, N_H), (N_H,)))),
    "LSTM": lambda rng: lstm_init(N_X, N_H, rng),
    "LSTM with peepholes": lambda rng: lstm_init(N_X, N_H, rng, peepholes=True),
    "LSTM with a sigmoid candidate": lambda rng: lstm_init(N_X, N_H, rng)._replace(activation="sigmoid"),
    "GRU": lambda rng: gru_init(N_X, N_H, rng),
    "GRU, reset after": lambda rng: gru_init(N_X, N_H, rng)._replace(reset="after", d=rng.normal(size=N_H)),
    "output-recurrent": lambda rng: output_rnn_init(N_X, N_H, N_H, rng),
    "clockwork": clockwork,
    "residual": lambda rng: additive_init(N_X, N_H, rng, "residual"),
    "adaptive": lambda rng: additive_init(N_X, N_H, rng),
    "leaky with skips": lambda rng: leaky_init(N_X, N_H, 2, (1, 3), rng, 0.6),
    "echo state": lambda rng: Reservoir(*(rng.normal(size=s) for s in ((N_H, N_X), (N_H, N_H), (N_H,))), 0.3),
    "linear echo state": lambda rng: Reservoir(np.eye(N_H, N_X), 0.5 * np.eye(N_H), np.ones(N_H), 0.0, "linear"),
}


def case(name, tau, seed):
    """A cell, initial states, and its inputs for tau steps."""
    rng = np.random.default_rng(seed)
    p = CELLS[name](rng)
    shape = (max(p.delays), N_H) if hasattr(p, "delays") else (N_H,)
    start = tuple(rng.uniform(-1, 1, shape) for _ in p.state)
    inputs = [rng.normal(size=(tau, N_X))]
    if name == "clockwork":
        inputs.append(schedule(p.clock, tau))
    if name == "output-recurrent":
        inputs.append([None] * tau)
    return p, start, inputs, rng


@pytest.mark.parametrize("name", CELLS)
@given(tau=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_gradients_on_the_initial_states_are_those_of_differences(name, tau, seed):
    p, start, inputs, rng = case(name, tau, seed)
    run = scan(p, start, *inputs)
    weights = {k: rng.normal(size=getattr(run, k)[-1].shape) for k in p.state}
    outputs = {"o": rng.normal(size=run.o.shape)} if hasattr(run, "o") else {}

    def loss(start):
        again = scan(p, start, *inputs)
        at_end = sum((weights[k] * getattr(again, k)[-1]).sum() for k in p.state)
        return at_end + sum((w * getattr(again, k)).sum() for k, w in outputs.items())

    grads = reverse_scan(p, run, tuple(weights[k] for k in p.state), **outputs)
    ours = tuple(getattr(grads, k)[0] for k in p.state)
    theirs = differences(loss, start, 1e-6)  # wide weights bend the loss: a third derivative in the thousands
    assert_agree(ours, theirs, 1e-6, f"{name}: reverse_scan", "central differences", floor=1e-9)


@pytest.mark.parametrize("name", CELLS)
@given(tau=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_a_scan_is_the_steps_one_after_another_and_its_end_is_where_running_on_ends(name, tau, seed):
    p, start, inputs, _ = case(name, tau, seed)
    run, state = scan(p, start, *inputs), start
    for t, row in enumerate(zip(*inputs, strict=True)):
        nodes = p.step(*row, *state)
        state = tuple(getattr(nodes, k) for k in p.state)
        for k in nodes._fields:
            assert np.array_equal(getattr(run, k)[t + (k in p.state)], getattr(nodes, k))
    for k, before, after, on in zip(p.state, start, state, last(p, start, *inputs), strict=True):
        assert np.array_equal(getattr(run, k)[0], before)
        assert np.array_equal(getattr(run, k)[-1], after)
        assert np.array_equal(on, after)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 4))
def test_many_sequences_side_by_side_are_each_one_alone(seed, n):
    rng = np.random.default_rng(seed)
    p, x, h = rnn_init(N_X, N_H, 2, rng), rng.normal(size=(N_X, n)), rng.normal(size=(N_H, n))
    together = many(p).step(x, h).h
    for i in range(n):
        assert np.allclose(together[:, i], p.step(x[:, i], h[:, i]).h, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("n_x", "n_h"), [(400, 90), (50, 500)])
def test_a_gate_is_drawn_so_that_inputs_and_states_of_size_one_move_it_by_one_each(n_x, n_h):
    gate = gate_init(n_x, n_h, np.random.default_rng(0), bias=0.5, peephole=True)
    for w, inputs in ((gate.U, n_x), (gate.W, n_h)):
        assert w.std() * np.sqrt(inputs) == pytest.approx(1, abs=0.05)
        assert abs(w.mean()) * np.sqrt(w.size * inputs) < 4
    assert (gate.b == 0.5).all() and gate.peephole.std() == pytest.approx(0.1, rel=0.3)
