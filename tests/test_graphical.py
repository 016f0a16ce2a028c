"""Section 10.2.3: joints, tables, chains, search and endings, held to brute force and closed forms."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.cells.rnn import RNN, rnn_forward, rnn_init
from companion.core import tree
from companion.core.functions import log_softmax, softmax
from companion.data import store
from companion.data.text import encode, english, split
from companion.graphical import (
    SKIP,
    Chain,
    EndSymbol,
    Foretold,
    Halt,
    chain_fit,
    chain_of,
    chain_sample,
    chain_score,
    endings,
    held_out_nats,
    influence,
    joint,
    kgram_fit,
    kgram_logp,
    kgram_sample,
    length_distribution,
    marginals,
    markov_parameters,
    max_product,
    product_of_marginals,
    prose_net,
    rnn_logp,
    rnn_next,
    rnn_parameters,
    sample,
    sequences,
    stored_prose_nets,
    sum_product,
    table_model,
    table_parameters,
    total_correlation,
    write,
)
from tests.gradients import assert_gradient, differences, relative_error

few = settings(max_examples=20)
seeds = st.integers(0, 2**32 - 1)


def net(n_x, n_h, n_o, seed, gain=2.0):
    rng = np.random.default_rng(seed)
    U, W, V = (gain * rng.normal(size=s) / np.sqrt(s[1]) for s in ((n_h, n_x), (n_h, n_h), (n_o, n_h)))
    return RNN(U, W, V, rng.normal(size=n_h), rng.normal(size=n_o))


def drawn_chain(tau, k, seed, size=2.0):
    rng = np.random.default_rng(seed)
    return Chain(size * rng.normal(size=(tau, k)), size * rng.normal(size=(k, k)))


def deviation(counts, p, n):
    """Largest distance of observed counts from n p, in standard deviations of the binomial."""
    return float((np.abs(counts - n * p) / np.sqrt(n * p * (1 - p) + 1)).max())


# -- Joints ------------------------------------------------------------------------------------------------------


@few
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.booleans(), seeds)
def test_the_joint_is_the_product_of_what_the_forward_pass_says(k, tau, n_x, feedback, seed):
    x, p = np.random.default_rng(seed).normal(size=(tau, n_x)), net(n_x + k * feedback, 4, k, seed)
    P = joint(rnn_next(p, x, feedback), tau)
    assert P.shape == (k,) * tau
    assert np.isclose(P.sum(), 1, rtol=1e-12)
    for y in sequences(k, tau):
        before = np.vstack([np.zeros(k), np.eye(k)[y[:-1]]])
        yhat = rnn_forward(p, np.hstack([x, before]) if feedback else x).yhat
        assert np.isclose(P[tuple(y)], yhat[np.arange(tau), y].prod(), rtol=1e-12, atol=0)


@few
@given(st.integers(2, 3), st.integers(2, 5), seeds)
def test_without_feedback_the_joint_factorises(k, tau, seed):
    x = np.random.default_rng(seed).normal(size=(tau, 2))
    P = joint(rnn_next(net(2, 4, k, seed), x, feedback=False), tau)
    assert np.abs(P - product_of_marginals(P)).max() <= 1e-12
    assert abs(total_correlation(P)) <= 1e-12
    assert influence(P).max() <= 1e-12


@pytest.mark.parametrize("seed", range(30))  # fixed nets: a drawn one may be so sure of itself that little depends
def test_with_feedback_the_joint_does_not_factorise(seed):
    k, tau = 2 + seed % 2, 2 + seed % 4
    x = np.random.default_rng(seed).normal(size=(tau, 2))
    P = joint(rnn_next(net(2 + k, 4, k, seed), x), tau)
    assert np.abs(P - product_of_marginals(P)).max() > 1e-6
    assert total_correlation(P) > 1e-8
    assert influence(P)[np.tril_indices(tau, -1)].min() > 1e-9  # every earlier symbol counts: the graph is complete


@few
@given(st.integers(2, 3), st.integers(1, 2), seeds)
def test_influence_sees_exactly_the_edges_of_a_markov_model(k, order, seed):
    table = np.log(np.random.default_rng(seed).dirichlet(np.ones(k), size=(k,) * order) + 1e-3)
    tau = order + 3
    P = joint(lambda prefix: log_softmax(table[prefix[-order:]] if len(prefix) >= order else np.zeros(k)), tau)
    edges = influence(P) > 1e-9
    wanted = [[t >= order and t - order <= i < t for i in range(tau)] for t in range(tau)]
    assert np.array_equal(edges, wanted)


def test_marginals_and_total_correlation_of_a_shared_bit():
    P = np.zeros((2, 2, 2))
    P[0, 0, 0] = P[1, 1, 1] = 0.5
    assert np.array_equal(marginals(P), np.full((3, 2), 0.5))
    assert np.isclose(total_correlation(P), 2 * np.log(2), rtol=1e-12)


def test_samples_come_as_often_as_the_joint_says():
    logp, rng, n = rnn_next(net(3, 4, 3, 5)), np.random.default_rng(0), 4000
    P = joint(logp, 3)
    counts = np.zeros_like(P)
    for _ in range(n):
        counts[tuple(sample(logp, 3, rng))] += 1
    assert deviation(counts, P, n) < 4.5
    assert deviation(counts, np.full_like(P, 1 / P.size), n) > 4.5


@few
@given(seeds)
def test_a_net_goes_on_from_a_given_state_and_symbol(seed):
    p, y = net(3, 4, 3, seed), np.random.default_rng(seed).integers(0, 3, 6)
    run = rnn_forward(p, np.eye(3)[y])
    logp = rnn_next(p, h0=run.h[3], first=y[3])
    assert np.allclose(logp(()), log_softmax(run.o[3]), rtol=1e-12)
    assert np.allclose(logp(tuple(y[4:6])), log_softmax(run.o[5]), rtol=1e-12)
    assert np.allclose(rnn_logp(p, y), [log_softmax(o)[s] for o, s in zip(run.o[:-1], y[1:], strict=True)])


# -- Tables ------------------------------------------------------------------------------------------------------


@few
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 7))
def test_parameter_counts_are_the_sizes_of_the_tables(k, tau, order):
    per_step = [k ** min(t, order) * (k - 1) for t in range(tau)]
    assert markov_parameters(k, tau, order, shared=False) == sum(per_step)
    assert markov_parameters(k, tau, order) == sum(per_step[: order + 1])
    assert table_parameters(k, tau) == sum(k**t * (k - 1) for t in range(tau)) == markov_parameters(k, tau, tau)


@few
@given(st.integers(1, 5), st.integers(1, 5))
def test_parameters_of_a_net_are_the_entries_of_its_arrays(k, n_h):
    assert rnn_parameters(k, n_h) == sum(v.size for v in rnn_init(k, n_h, k, np.random.default_rng(0)))


def slow_kgram(learn, context, symbol, k, order, strength, prior):
    """The formula, with dictionaries and recursion."""
    if order == 0 or prior == "shorter":
        p = slow_kgram(learn, context[1:], symbol, k, order - 1, strength, prior) if order else 1 / k
    else:
        p = 1 / k
    grams = Counter(tuple(learn[i : i + order + 1]) for i in range(len(learn) - order))
    seen = sum(n for gram, n in grams.items() if gram[:-1] == tuple(context))
    return (grams[(*context, symbol)] + strength * p) / (seen + strength)


@few
@given(st.integers(2, 4), st.integers(0, 3), st.sampled_from(["shorter", "uniform"]), st.floats(0.1, 9), seeds)
def test_kgram_tables_equal_the_formula_counted_slowly(k, order, prior, strength, seed):
    rng = np.random.default_rng(seed)
    learn, text = rng.integers(0, k, 40).tolist(), rng.integers(0, k, 9)
    m = kgram_fit(learn, k, order, strength, prior)
    wanted = [
        np.log(slow_kgram(learn, text[t - order : t].tolist(), int(text[t]), k, order, strength, prior))
        for t in range(order, len(text))
    ]
    assert np.allclose(kgram_logp(m, text), wanted, rtol=1e-12)
    context = text[:order]
    every = [kgram_logp(m, np.append(context, symbol))[0] for symbol in range(k)]
    assert np.isclose(np.exp(every).sum(), 1, rtol=1e-12)
    grams = [{tuple(learn[i : i + n + 1]) for i in range(len(learn) - n)} for n in range(order + 1)]
    assert m.entries == sum(map(len, grams if prior == "shorter" else grams[-1:]))


def test_kgram_samples_repeat_a_text_that_has_one_continuation():
    m = kgram_fit([0, 1, 2] * 2000, 3, 1, strength=1e-9)
    assert kgram_sample(m, [0], 7, np.random.default_rng(0)).tolist() == [1, 2, 0, 1, 2, 0, 1]


def test_an_rnn_on_a_text_agrees_with_torch():
    from companion.cells.interop import to_torch

    p, y = net(5, 7, 5, 3), np.random.default_rng(3).integers(0, 5, 30)
    rnn, linear = to_torch(p)
    logits = linear(rnn(torch.eye(5, dtype=torch.float64)[torch.from_numpy(y[:-1])])[0])
    wanted = -torch.nn.functional.cross_entropy(logits, torch.from_numpy(y[1:]), reduction="none")
    assert relative_error(rnn_logp(p, y), wanted.detach().numpy()) <= 1e-10


# -- Chains ------------------------------------------------------------------------------------------------------


@few
@given(st.integers(1, 5), st.integers(1, 4), seeds)
def test_sum_product_and_max_product_equal_brute_force(tau, k, seed):
    chain = drawn_chain(tau, k, seed)
    every = sequences(k, tau)
    scores = np.array([chain_score(chain, y) for y in every])
    by_hand = [sum(chain.unary[t, y[t]] for t in range(tau)) for y in every]
    by_hand = np.add(by_hand, [sum(chain.pair[a, b] for a, b in pairwise(y)) for y in every])
    assert np.allclose(scores, by_hand, rtol=1e-12, atol=1e-12)
    beliefs, P = sum_product(chain), softmax(scores)
    assert abs(beliefs.log_z - np.logaddexp.reduce(scores)) <= 1e-12 * max(1, abs(beliefs.log_z))
    alone = np.array([[P[every[:, t] == j].sum() for j in range(k)] for t in range(tau)])
    assert np.abs(beliefs.marginals - alone).max() <= 1e-12
    for t in range(tau - 1):
        both = [[P[(every[:, t] == i) & (every[:, t + 1] == j)].sum() for j in range(k)] for i in range(k)]
        assert np.abs(beliefs.pairs[t] - both).max() <= 1e-12
    y, score = max_product(chain)
    assert np.isclose(score, scores.max(), rtol=1e-12) and np.isclose(chain_score(chain, y), score, rtol=1e-12)


def log_z_by_torch(chain):
    """log Σ over every sequence, one term each."""
    every = torch.tensor(sequences(chain.unary.shape[1], len(chain.unary)))
    scores = sum(chain.unary[t][every[:, t]] for t in range(len(chain.unary)))
    return torch.logsumexp(scores + chain.pair[every[:, :-1], every[:, 1:]].sum(dim=1), dim=0)


@few
@given(st.integers(1, 4), st.integers(2, 3), seeds)
def test_the_gradient_of_log_z_is_the_marginals(tau, k, seed):
    chain = drawn_chain(tau, k, seed)
    beliefs = sum_product(chain)
    grad = type(chain)(unary=beliefs.marginals, pair=beliefs.pairs.sum(axis=0))
    assert_gradient(sum_product, lambda c: sum_product(c).log_z, chain, grad, log_z_by_torch)


@few
@given(st.integers(1, 30), st.integers(1, 5), seeds)
def test_a_chain_without_pair_potentials_is_a_softmax_at_every_step(tau, k, seed):
    chain = drawn_chain(tau, k, seed)._replace(pair=np.zeros((k, k)))
    assert np.allclose(sum_product(chain).marginals, softmax(chain.unary), rtol=1e-10)
    assert np.array_equal(max_product(chain)[0], chain.unary.argmax(axis=1))


def test_large_potentials_do_not_overflow():
    chain = drawn_chain(50, 3, 0, size=500.0)
    beliefs = sum_product(chain)
    assert np.isfinite(beliefs.log_z) and np.allclose(beliefs.marginals.sum(axis=1), 1)


def test_samples_of_a_chain_come_as_often_as_they_should():
    chain, n = drawn_chain(3, 3, 1, size=1.0), 5000
    every = sequences(3, 3)
    P = softmax(np.array([chain_score(chain, y) for y in every]))
    drawn = chain_sample(chain, n, np.random.default_rng(0)) @ [9, 3, 1]
    assert deviation(np.bincount(drawn, minlength=27), P, n) < 4.5
    assert deviation(np.bincount(drawn, minlength=27), P[::-1], n) > 4.5


@pytest.mark.parametrize("pairs", [True, False])
def test_a_fitted_chain_stands_where_the_penalised_likelihood_has_no_slope(pairs):
    rng = np.random.default_rng(0)
    xs, ys = [rng.normal(size=(4, 2)) for _ in range(12)], [rng.integers(0, 2, 4) for _ in range(12)]
    w = chain_fit(xs, ys, 2, pairs, steps=150, lr=2.0, decay=0.05)

    def objective(v):
        chains = [chain_of(v, x) for x in xs]
        fit = sum(chain_score(c, y) - sum_product(c).log_z for c, y in zip(chains, ys, strict=True)) / 48
        return fit - 0.025 * sum((theta**2).sum() for theta in v)

    slopes = differences(objective, w)
    assert max(np.abs(slope).max() for slope in (slopes if pairs else slopes[:2])) < 1e-6
    assert pairs or (np.abs(slopes.B).max() > 1e-3 and not w.B.any())
    assert max(np.abs(slope).max() for slope in differences(objective, tree.map(lambda v: v + 0.1, w))) > 1e-3


# -- Endings -----------------------------------------------------------------------------------------------------


def drawn_endings(k, n_h, seed):
    rng = np.random.default_rng(seed)
    return {
        "end symbol": EndSymbol(net(k, n_h, k + 1, seed)),
        "halt": Halt(net(k, n_h, k, seed), rng.normal(size=n_h), -0.5),
        "foretold": Foretold(net(k + 1, n_h, k, seed), rng.normal(size=6)),
    }


@pytest.mark.parametrize("kind", ["end symbol", "halt", "foretold"])
def test_lengths_of_samples_follow_the_exact_distribution(kind):
    e, rng, n = drawn_endings(2, 3, 4)[kind], np.random.default_rng(1), 2000
    p = length_distribution(e, 10)
    counts = np.bincount([len(write(e, rng, longest=11)) for _ in range(n)], minlength=11)
    observed, wanted = np.append(counts[:11], counts[11:].sum()), np.append(p, 1 - p.sum())
    assert deviation(observed, wanted.clip(0, 1), n) < 4.5
    assert deviation(observed, np.roll(wanted, 1).clip(0, 1), n) > 4.5


def test_a_net_that_was_told_its_length_hears_how_much_of_the_longest_is_left():
    e, h = drawn_endings(2, 3, 4)["foretold"], np.random.default_rng(5).normal(size=(2, 3))
    for y, left in ((None, 4), (np.array([1, 0]), 5)):
        heard = np.zeros((2, 3)) if y is None else np.eye(3)[y]
        heard[:, 2] = left / 5  # six lengths, 0 to 5, were possible
        wanted = np.tanh(e.p.b + heard @ e.p.U.T + h @ e.p.W.T)
        assert np.allclose(endings._advance(e, h, y, left), wanted, rtol=1e-12)


@few
@given(st.floats(-3, 3), st.integers(1, 3), seeds)
def test_a_halt_that_hears_nothing_gives_the_geometric_distribution(d, k, seed):
    s, n = 1 / (1 + np.exp(-d)), np.arange(8)
    for e in (
        Halt(net(k, 3, k, seed), np.zeros(3), d),
        EndSymbol(net(k, 3, k + 1, seed)._replace(V=np.zeros((k + 1, 3)), c=np.append(np.zeros(k), d + np.log(k)))),
    ):
        assert np.allclose(length_distribution(e, 7), s * (1 - s) ** n, rtol=1e-10)


@few
@given(st.integers(1, 3), st.integers(0, 4), seeds)
def test_lengths_of_an_end_symbol_are_a_sum_over_all_texts(k, n, seed):
    p = net(k, 3, k + 1, seed)
    total = 0.0
    for y in sequences(k, n) if n else np.zeros((1, 0), dtype=int):
        yhat = rnn_forward(p, np.vstack([np.zeros(k), np.eye(k)[y]])).yhat
        total += yhat[np.arange(n), y].prod() * yhat[n, k]
    assert np.isclose(length_distribution(EndSymbol(p), n)[n], total, rtol=1e-12)


@few
@given(st.integers(1, 3), seeds)
def test_a_foretold_length_is_kept(k, seed):
    e = Foretold(net(k + 1, 3, k, seed), np.array([-1e9, -1e9, -1e9, 0.0, -1e9]))
    y = write(e, np.random.default_rng(seed))
    assert len(y) == 3 and set(y) <= set(range(k))
    assert np.array_equal(length_distribution(e, 6), [0, 0, 0, 1, 0, 0, 0])


def test_texts_of_a_foretold_length_come_as_often_as_length_times_text_given_length():
    e, rng, n = Foretold(net(3, 3, 2, 7), np.array([0.3, -0.2, 0.8, 0.1])), np.random.default_rng(2), 1500
    P = {}
    for tau, of_length in enumerate(softmax(e.logits)):
        left = np.arange(tau, 0, -1)[:, None] / 3  # what the net reads: the symbols left, divided by the longest
        for y in sequences(2, tau) if tau else np.zeros((1, 0), dtype=int):
            before = np.vstack([np.zeros(2), np.eye(2)[y]])[:tau]
            yhat = rnn_forward(e.p, np.hstack([before, left])).yhat if tau else np.ones((0, 2))
            P[tuple(y)] = of_length * yhat[np.arange(tau), y].prod()
    assert np.isclose(sum(P.values()), 1, rtol=1e-12)
    seen, wanted = Counter(tuple(write(e, rng)) for _ in range(n)), np.array([*P.values()])
    assert deviation(np.array([seen[y] for y in P]), wanted, n) < 4.5
    assert deviation(np.array([seen[y] for y in P]), wanted[::-1], n) > 4.5


# -- The stored nets ---------------------------------------------------------------------------------------------


def test_the_stored_nets_are_as_good_as_their_record_says():
    """The text differs a little between Python versions, so the metric may too."""
    nets, held_out = stored_prose_nets(), split(encode(english()), 0.1)[1]
    assert list(nets) == [(units, seed) for units in (8, 32, 128) for seed in (0, 1, 2)]
    for row in store.rows("graphical"):
        p = nets[row["units"], row["seed"]]
        assert row["parameters"] == sum(v.size for v in p) == rnn_parameters(36, row["units"])
        if row["seed"] == 0:
            assert held_out_nats(p, held_out) == pytest.approx(row["nats_per_character_held_out"], abs=0.02)


def test_the_first_predictions_are_made_but_not_judged():
    p, codes = net(36, 3, 36, 1), np.random.default_rng(2).integers(0, 36, SKIP + 5)
    yhat = rnn_forward(p, np.eye(36)[codes[:-1]]).yhat
    wanted = -np.log([yhat[t - 1, codes[t]] for t in range(SKIP + 1, SKIP + 5)]).mean()
    assert held_out_nats(p, codes) == pytest.approx(wanted, rel=1e-12)


def test_a_prose_net_has_as_many_free_numbers_as_the_book_s_net():
    drawn = prose_net(5)
    assert sum(w.numel() for w in drawn.parameters() if w.requires_grad) == rnn_parameters(36, 5)
    assert not drawn["rnn"].bias_hh_l0.any()
    assert drawn["rnn"](torch.zeros(2, 7, 36))[1].shape == (1, 2, 5)  # two texts


# -- Bad input ---------------------------------------------------------------------------------------------------

chain = drawn_chain(3, 2, 0)
gram = kgram_fit([0, 1, 0, 1], 2, 1)
language, table = net(2, 3, 2, 0), table_model(2, 3, np.random.default_rng(0))
rng0 = np.random.default_rng(0)
bad = [
    (lambda: sequences(0, 3), "k: want at least 1, got 0"),
    (lambda: sequences(10, 9), "tau: want at most 1000000 sequences"),
    (lambda: rnn_next(language, feedback=False), "x: want inputs"),
    (lambda: rnn_next(language, np.zeros((0, 2)), False), "x: want a sequence of at least one step"),
    (lambda: rnn_next(net(3, 3, 2, 0)), r"p\.U: want 2 columns"),
    (lambda: rnn_next("net"), "p: want the parameters as RNN"),
    (lambda: rnn_next(language)((2,)), "symbol: want at most 1, got 2"),
    (lambda: rnn_next(language, first=-1)(()), "symbol: want at least 0, got -1"),
    (lambda: rnn_next(language, h0=np.zeros(2)), "h0: want shape"),
    (lambda: rnn_next(language, np.zeros((1, 2)), False)((0,)), "prefix: want fewer than 1 symbols"),
    (lambda: joint(table, 0), "tau: want at least 1, got 0"),
    (lambda: joint(lambda y: np.array([np.nan, 0.0]), 2), "logp: want log-probabilities"),
    (lambda: joint(lambda y: np.array([0.5, 0.5]), 2), "logp: want log-probabilities"),
    (lambda: joint(lambda y: np.array([]), 2), "logp: want log-probabilities"),
    (lambda: marginals(np.ones((2, 2))), "P: want probabilities that sum to one"),
    (lambda: marginals(np.array([1.5, -0.5])), "P: want probabilities that sum to one"),
    (lambda: total_correlation(np.full((2, 2), np.nan)), "P: want finite"),
    (lambda: influence(np.eye(2) / 2), "P: want every probability above zero"),
    (lambda: sample(table, 2, 0), "rng: want a numpy.random.Generator"),
    (lambda: sample(table, 0, rng0), "tau: want at least 1"),
    (lambda: table_parameters(2.5, 3), "k: want an integer"),
    (lambda: markov_parameters(2, 3, -1), "order: want at least 0"),
    (lambda: rnn_parameters(3, 0), "n_h: want at least 1"),
    (lambda: prose_net(0), "units: want at least 1"),
    (lambda: held_out_nats(language, np.zeros(SKIP + 1, dtype=int)), r"len\(codes\): want at least 10, got 9"),
    (lambda: kgram_fit([0, 1, 2], 2, 1), "codes: want classes in 0 … 1, got 2"),
    (lambda: kgram_fit([], 2, 0), "codes: want"),
    (lambda: kgram_fit([0, 1], 2, 2), "codes: want at least 3 symbols, got 2"),
    (lambda: kgram_fit([0, 1], 2, 200), "order: want at most"),
    (lambda: kgram_fit([0, 1], 2, 1, strength=0), "strength: want at least"),
    (lambda: kgram_fit([0, 1], 2, 1, prior="backwards"), "prior: want one of 'shorter', 'uniform'"),
    (lambda: kgram_logp(gram, [0]), "codes: want at least 2 symbols, got 1"),
    (lambda: kgram_logp(gram, [0, -1]), "codes: want classes in 0 … 1, got -1"),
    (lambda: kgram_sample(gram, [], 3, rng0), "start: want"),
    (lambda: kgram_sample(gram, [0], 0, rng0), "tau: want at least 1"),
    (lambda: rnn_logp(language, [0]), "codes: want at least 2 symbols, got 1"),
    (lambda: rnn_logp(language, [0, 2]), "codes: want classes in 0 … 1, got 2"),
    (lambda: rnn_logp(net(3, 3, 2, 0), [0, 1]), r"p\.c: want shape \(3,\)"),
    (lambda: chain_score(chain, [0, 1]), r"y: want shape \(3,\)"),
    (lambda: chain_score(chain, [0, 1, 2]), "y: want classes in 0 … 1, got 2"),
    (lambda: sum_product(Chain(np.zeros((0, 2)), np.zeros((2, 2)))), r"chain\.unary: want a sequence"),
    (lambda: sum_product(Chain(np.zeros((3, 2)), np.zeros((2, 3)))), r"chain\.pair: want shape \(2, 2\)"),
    (lambda: max_product(Chain(np.full((3, 2), np.inf), np.zeros((2, 2)))), r"chain\.unary: want finite"),
    (lambda: max_product("chain"), "chain: want the parameters as Chain"),
    (lambda: chain_sample(chain, 0, rng0), "n: want at least 1"),
    (lambda: chain_sample(chain, 1, None), "rng: want a numpy.random.Generator"),
    (lambda: chain_fit([], [], 2), "xs: want at least one sequence"),
    (lambda: chain_fit([np.zeros((0, 2))], [np.zeros(0, int)], 2), r"xs\[0\]: want a sequence"),
    (lambda: chain_fit([np.ones((2, 2))], [np.array([0, 2])], 2), r"ys\[0\]: want classes in 0 … 1, got 2"),
    (lambda: chain_fit([np.ones((2, 2))], [np.array([0, 1])], 2, steps=0), "steps: want at least 1"),
    (lambda: table((3,)), "symbol: want at most 1, got 3"),
    (lambda: table_model(2, 3, rng0, 0), "concentration: want at least"),
    (lambda: table_model(2, 3, "rng"), "rng: want a numpy.random.Generator"),
    (lambda: length_distribution(EndSymbol(net(2, 3, 2, 0)), 3), r"e\.p\.U: want shape \(3, 1\)"),
    (lambda: length_distribution(Halt(language, np.zeros(2), 0.0), 3), r"e\.v: want shape \(3,\)"),
    (lambda: length_distribution(Halt(language, np.zeros(3), np.nan), 3), r"e\.d: want a finite number"),
    (lambda: length_distribution(Foretold(net(3, 3, 2, 0), np.zeros(0)), 3), r"e\.logits: want shape"),
    (lambda: length_distribution(Halt(language, np.zeros(3), 0.0), -1), "longest: want at least 0"),
    (lambda: length_distribution(Halt(language, np.zeros(3), 0.0), 30), "longest: want at most a million"),
    (lambda: write(Halt(language, np.zeros(3), 0.0), None), "rng: want a numpy.random.Generator"),
    (lambda: write(language, rng0), "e: want EndSymbol or Halt or Foretold"),
]


@pytest.mark.parametrize(("call", "message"), bad)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=rf"^{message}"):
        call()


@given(st.sampled_from(["unary", "pair"]), st.integers(1, 4), st.integers(2, 4), seeds)
@few
def test_drawn_bad_chains_are_refused_by_name(field, tau, k, seed):
    good, rng = drawn_chain(tau, k, seed), np.random.default_rng(seed)
    value = getattr(good, field).copy()
    value[tuple(rng.integers(0, n) for n in value.shape)] = rng.choice([np.nan, np.inf, -np.inf])
    for spoiled in (value, getattr(good, field)[:0], getattr(good, field)[..., None], "text"):
        for f in (sum_product, max_product, lambda c: chain_score(c, np.zeros(tau, int))):
            with pytest.raises(ValueError, match=rf"^chain\.{field}: want"):
                f(good._replace(**{field: spoiled}))
