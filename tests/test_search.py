"""Search is held to brute force: every sequence of a drawn model, listed and added up by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.cells.rnn import rnn_init
from companion.graphical import joint, rnn_next, table_model
from companion.search import Scorer, beam, every, exact, greedy

few = settings(max_examples=20)
ks, taus, seeds, kinds = (
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["net", "table"]),
)


def drawn(k, tau, kind, seed):
    rng = np.random.default_rng(seed)
    return table_model(k, tau, rng, 0.7) if kind == "table" else rnn_next(rnn_init(k, 4, k, rng, 3.0))


def carried(k, n_h, seed):
    """A scorer that carries a state, and the same model as a function of the symbols so far."""
    p = rnn_init(k, n_h, k, np.random.default_rng(seed), 3.0)

    def step(h, y):
        h = np.tanh(p.b + p.W @ h + (0 if y is None else p.U[:, y]))
        o = p.c + p.V @ h
        return o - np.log(np.exp(o).sum()), h

    return Scorer(np.zeros(n_h), step), rnn_next(p)


def by_hand(logp, tau, end=None):
    """Every sequence, cut behind the first end symbol, with its log-probability."""
    out = {}
    for y in product(range(len(logp(()))), repeat=tau):
        y = y[: y.index(end) + 1] if end in y else y
        out[y] = sum(float(logp(y[:t])[y[t]]) for t in range(len(y)))
    return out


@few
@given(k=ks, tau=taus, kind=kinds, seed=seeds, ends=st.booleans())
def test_exact_finds_the_likeliest_of_all_and_so_does_a_beam_that_never_drops_any(k, tau, kind, seed, ends):
    logp, end = drawn(k, tau, kind, seed), k - 1 if ends else None
    listed = by_hand(logp, tau, end)
    best = max(listed, key=listed.get)
    for found in (exact(logp, tau, end), beam(logp, tau, len(listed), end), beam(logp, tau, k ** (tau - 1), end)):
        assert found.y == best and np.isclose(found.logp, listed[best], rtol=1e-12)
    assert exact(logp, tau, end).asked <= sum(k**t for t in range(tau))


@few
@given(k=ks, tau=taus, kind=kinds, seed=seeds, ends=st.booleans())
def test_every_lists_each_sequence_once_with_its_probability_the_likeliest_first(k, tau, kind, seed, ends):
    logp, end = drawn(k, tau, kind, seed), k - 1 if ends else None
    lines, listed = every(logp, tau, end), by_hand(logp, tau, end)
    assert sorted(b.y for b in lines) == sorted(listed)
    assert np.allclose([b.logp for b in lines], [listed[b.y] for b in lines], rtol=1e-12)
    assert (np.diff([b.logp for b in lines]) <= 0).all()
    assert np.isclose(sum(np.exp(b.logp) for b in lines), 1)
    if not ends:
        assert np.isclose(np.exp(lines[0].logp), joint(logp, tau).max(), rtol=1e-12)


@few
@given(k=ks, tau=taus, kind=kinds, seed=seeds, ends=st.booleans())
def test_greedy_takes_the_largest_at_each_step_and_so_does_a_beam_of_one(k, tau, kind, seed, ends):
    logp, end, y = drawn(k, tau, kind, seed), k - 1 if ends else None, ()
    while len(y) < tau and y[-1:] != (end,):
        y += (int(np.argmax(logp(y))),)
    found = greedy(logp, tau, end)
    assert found.y == y and found.asked == len(y)
    assert found.trace == tuple((y[: t + 1],) for t in range(len(y)))
    assert beam(logp, tau, 1, end) == found


@few
@given(k=ks, tau=taus, kind=kinds, seed=seeds, width=st.integers(1, 6), ends=st.booleans())
def test_a_beam_keeps_the_likeliest_of_what_it_could_grow(k, tau, kind, seed, width, ends):
    logp, end = drawn(k, tau, kind, seed), k - 1 if ends else None
    found, kept = beam(logp, tau, width, end), [()]
    for step in found.trace:
        over = [y for y in kept if y and y[-1] == end]
        grown = over + [(*y, i) for y in kept if y not in over for i in range(k)]
        score = {y: sum(float(logp(y[:t])[y[t]]) for t in range(len(y))) for y in grown}
        assert list(step) == sorted(grown, key=lambda y: -score[y])[:width]
        kept = list(step)
    assert found.y == kept[0] and found.logp <= exact(logp, tau, end).logp + 1e-12


@few
@given(k=st.integers(1, 4), n_h=st.integers(1, 4), tau=taus, seed=seeds, width=st.integers(1, 4))
def test_a_scorer_that_carries_its_state_is_searched_as_the_same_function_of_prefixes(k, n_h, tau, seed, width):
    scorer, logp = carried(k, n_h, seed)
    for search in (greedy, exact, lambda *a: beam(*a, width), lambda *a: every(*a)[0]):
        one, other = search(scorer, tau), search(logp, tau)
        assert one.y == other.y and np.isclose(one.logp, other.logp, rtol=1e-12)
        h = np.zeros(n_h)
        for y in (None, *one.y[:-1]):
            h = scorer.step(h, y)[1]
        assert np.array_equal(one.state, h)


def test_the_drawn_tree_of_the_chapter_defeats_greedy_and_a_wider_beam():
    logp = table_model(2, 4, np.random.default_rng(5526))
    p = [np.exp(beam(logp, 4, width).logp) for width in (1, 2, 3, 4)]
    best = np.exp(exact(logp, 4).logp)
    assert p[1] < p[0] < p[2] == p[3] == best
    assert np.isclose(joint(logp, 4).max(), best, rtol=1e-12)


def test_what_has_no_probability_is_never_preferred():
    def logp(y):
        with np.errstate(divide="ignore"):
            return np.log([0.0, 1.0] if y == () else [0.5, 0.5])

    for search in (greedy, exact, lambda *a: beam(*a, 2), lambda *a: every(*a)[0]):
        assert search(logp, 3).y == (1, 0, 0)


table = table_model(2, 3, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: beam(table, 3, 0), "width: want at least 1, got 0"),
        (lambda: beam(table, 3, 1.5), "width: want an integer"),
        (lambda: beam(table, 0, 1), "tau: want at least 1, got 0"),
        (lambda: greedy(table, 0), "tau: want at least 1, got 0"),
        (lambda: greedy(table, 2, -1), "end: want at least 0, got -1"),
        (lambda: exact(table, 4), "length of prefix: want at most 2, got 3"),
        (lambda: exact(None, 3), "model: want a Scorer or a function"),
        (lambda: exact(lambda y: np.ones(2), 3), r"logp: want log-probabilities of shape \(k,\) after \(\)"),
        (lambda: greedy(lambda y: np.full(2, np.nan), 3), "logp: want log-probabilities"),
        (lambda: greedy(lambda y: np.full((2, 2), -1.0), 3), "logp: want log-probabilities"),
        (lambda: greedy(lambda y: np.zeros(0), 3), "logp: want log-probabilities"),
        (lambda: every(lambda y: np.log(np.full(400, 1 / 400)), 2), "tau: want at most 100000 sequences"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
