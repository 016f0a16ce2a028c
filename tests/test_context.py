"""Section 10.2.4: a vector turned into a sequence, coupled outputs, and the nets stored for the chapter."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.cells.rnn import rnn_loss
from companion.context import (
    END,
    LETTERS,
    LONGEST,
    NAMES,
    WAYS,
    ContextRNN,
    FeedbackRNN,
    context_bptt,
    context_forward,
    context_init,
    context_next,
    feedback_bptt,
    feedback_forward,
    feedback_init,
    feedback_next,
    feedback_sample,
    given_context,
    read,
    shared_bit_share,
    spell,
)
from companion.context.modules import context_logits, context_net
from companion.context.trials import (
    KINDS,
    SPEAKERS,
    SPELLERS,
    consistent,
    dialects,
    digit_pictures,
    spelled,
    stored_context_nets,
    way_of,
)
from companion.data import store
from companion.graphical import joint, product_of_marginals, sequences
from companion.search import greedy
from tests.gradients import assert_gradient, relative_error

few = settings(max_examples=15)
sizes, seeds, ways = st.integers(1, 5), st.integers(0, 2**32 - 1), st.sampled_from(WAYS)


def noisy(p, rng):
    """The same parameters with every entry moved, biases too."""
    return type(p)(*(v + 0.3 * rng.normal(size=v.shape) for v in p))


def drawn_context(n_x, n_h, n_o, tau, seed):
    rng = np.random.default_rng(seed)
    return noisy(context_init(n_x, n_h, n_o, rng), rng), rng.normal(size=n_x), rng.integers(n_o, size=tau)


def drawn_feedback(n_x, n_h, n_o, tau, seed):
    rng = np.random.default_rng(seed)
    p = noisy(feedback_init(n_x, n_h, n_o, rng), rng)
    return p, rng.normal(size=(tau, n_x)), rng.integers(n_o, size=tau)


def torch_loss_of_context(q, x, y, way):
    """The equations once more, in torch, without any of our code."""
    h = torch.tanh(q.s + q.S.T @ x) if way in ("state", "both") else torch.zeros_like(q.b)
    loss = torch.zeros((), dtype=torch.float64)
    for t, symbol in enumerate(y):
        a = q.b + q.W @ h
        if t > 0:
            a = a + q.U[:, y[t - 1]]
        if way in ("input", "both"):
            a = a + q.R.T @ x
        h = torch.tanh(a)
        loss = loss - torch.log_softmax(q.c + q.V @ h, dim=0)[symbol]
    return loss


# a vector in, a sequence out


@few
@given(sizes, sizes, sizes, sizes, seeds, ways)
def test_loss_and_gradient_of_the_vector_net_are_those_of_torch_and_differences(n_x, n_h, n_o, tau, seed, way):
    p, x, y = drawn_context(n_x, n_h, n_o, tau, seed)
    assert_gradient(
        context_bptt,
        lambda q: rnn_loss(context_forward(q, x, y, way), y)[0],
        p,
        context_bptt(p, x, y, way),
        lambda q: torch_loss_of_context(q, torch.tensor(x), y.tolist(), way),
    )


@few
@given(sizes, sizes, sizes, sizes, seeds)
def test_a_way_that_is_not_used_gets_no_gradient_and_changes_nothing(n_x, n_h, n_o, tau, seed):
    p, x, y = drawn_context(n_x, n_h, n_o, tau, seed)
    for way, unused in (("input", ("S", "s")), ("state", ("R",))):
        grad, run = context_bptt(p, x, y, way), context_forward(p, x, y, way)
        other = p._replace(**{name: 1.0 + getattr(p, name) for name in unused})
        assert np.array_equal(context_forward(other, x, y, way).o, run.o)
        assert not any(getattr(grad, name).any() for name in unused)


@few
@given(sizes, sizes, sizes, sizes, seeds)
def test_context_at_every_step_is_nothing_but_a_bias_of_its_own(n_x, n_h, n_o, tau, seed):
    p, x, y = drawn_context(n_x, n_h, n_o, tau, seed)
    biased = p._replace(b=p.b + p.R.T @ x, R=np.zeros_like(p.R))
    assert relative_error(context_forward(biased, x, y, "input").o, context_forward(p, x, y, "input").o) <= 1e-12


@few
@given(sizes, sizes, sizes, sizes, seeds, ways)
def test_asking_step_by_step_is_the_forward_pass(n_x, n_h, n_o, tau, seed, way):
    p, x, y = drawn_context(n_x, n_h, n_o, tau, seed)
    asked = np.array([context_next(p, x, way)(tuple(y[:t])) for t in range(tau)])
    assert relative_error(np.exp(asked), context_forward(p, x, y, way).yhat) <= 1e-12


@settings(max_examples=8)
@given(sizes, sizes, st.integers(1, 3), st.integers(1, 4), seeds, ways)
def test_probabilities_of_all_sequences_about_one_vector_sum_to_one(n_x, n_h, n_o, tau, seed, way):
    p, x, _ = drawn_context(n_x, n_h, n_o, tau, seed)
    losses = [rnn_loss(context_forward(p, x, y, way), y)[0] for y in sequences(n_o, tau)]
    assert abs(np.exp(np.negative(losses)).sum() - 1) <= 1e-12


# a sequence in, a sequence out


@few
@given(sizes, sizes, sizes, sizes, seeds)
def test_loss_and_gradient_of_the_feedback_net_are_those_of_torch_and_differences(n_x, n_h, n_o, tau, seed):
    p, x, y = drawn_feedback(n_x, n_h, n_o, tau, seed)

    def by_torch(q):
        h, loss = torch.zeros_like(q.b), torch.zeros((), dtype=torch.float64)
        for t in range(tau):
            a = q.b + q.W @ h + q.U @ torch.tensor(x[t])
            h = torch.tanh(a + q.F[:, int(y[t - 1])] if t else a)
            loss = loss - torch.log_softmax(q.c + q.V @ h, dim=0)[int(y[t])]
        return loss

    grad = feedback_bptt(p, x, y)
    assert_gradient(feedback_bptt, lambda q: rnn_loss(feedback_forward(q, x, y), y)[0], p, grad, by_torch)


@few
@given(sizes, st.integers(2, 5), st.integers(2, 3), st.integers(2, 4), seeds)
def test_without_feedback_outputs_are_independent_given_the_input(n_x, n_h, n_o, tau, seed):
    p, x, _ = drawn_feedback(n_x, n_h, n_o, tau, seed)
    alone = joint(feedback_next(p._replace(F=np.zeros_like(p.F)), x), tau)
    assert np.abs(alone - product_of_marginals(alone)).max() <= 1e-12
    coupled = joint(
        feedback_next(p._replace(F=10 * np.ones_like(p.F) * np.arange(n_o), V=3 * np.eye(n_o, n_h)), x), tau
    )
    assert abs(coupled.sum() - 1) <= 1e-12
    assert np.abs(coupled - product_of_marginals(coupled)).max() > 1e-6


@settings(max_examples=5)
@given(seeds)
def test_drawn_sequences_come_as_often_as_the_joint_says(seed):
    p, x, _ = drawn_feedback(2, 4, 3, 3, seed)
    p = p._replace(F=3 * p.F)
    P, n = joint(feedback_next(p, x), 3), 20_000
    y = feedback_sample(p, x, n, np.random.default_rng(seed))
    seen = np.zeros_like(P)
    np.add.at(seen, tuple(y.T), 1 / n)
    assert (np.abs(seen - P) <= 5.5 * np.sqrt(P * (1 - P) / n) + 2 / n).all()


@given(st.integers(1, 10), st.floats(0, 1))
def test_share_of_agreement_is_that_of_counting_all_outcomes(tau, q):
    bits = sequences(2, tau)
    chance = np.where(bits == 1, q, 1 - q).prod(axis=1)
    agree = (bits == bits[:, :1]).all(axis=1)
    assert np.isclose(shared_bit_share(tau, q), chance[agree].sum(), rtol=1e-12, atol=1e-14)
    assert shared_bit_share(tau) == 2 * 2.0**-tau


# letters and bad input


def test_spelling_and_reading_undo_each_other():
    assert LETTERS[:END] == "efghinorstuvwxz"
    for name in NAMES:
        assert read(spell(name)) == name
        assert len(spell(name)) == len(name) + 1 <= LONGEST
    assert read([END, 0, 0]) == ""


p, x, y = drawn_context(3, 4, 5, 6, 0)
q, X, Y = drawn_feedback(3, 4, 5, 6, 0)


@pytest.mark.parametrize("call", [context_forward, context_bptt], ids=["forward", "bptt"])
@pytest.mark.parametrize(
    ("args", "named"),
    [
        ((q, x, y, "both"), "p: want"),
        ((p._replace(R=np.zeros((3, 5))), x, y, "both"), "p.R: want"),
        ((p._replace(S=np.zeros((2, 4))), x, y, "both"), "p.S: want"),
        ((p._replace(U=np.zeros((4, 6))), x, y, "both"), r"p\.V: want shape \(6, 4\)"),
        ((p, np.zeros(4), y, "both"), r"x: want shape \(3,\), got \(4,\)"),
        ((p, np.zeros((1, 3)), y, "both"), r"x: want shape \(3,\), got \(1, 3\)"),
        ((p, np.array([0, np.nan, 0]), y, "both"), "x: want finite"),
        ((p, x, y, "neither"), "way: want one of 'input', 'state', 'both', got 'neither'"),
        ((p, x, np.array([], dtype=int), "both"), "y: want a sequence of at least one step"),
        ((p, x, np.array([0, 5]), "both"), "y: want classes in 0 … 4, got 5"),
        ((p, x, np.array([0.5]), "both"), "y: want integer"),
        ((p, x, y[None], "both"), "y: want shape"),
    ],
)
def test_bad_input_to_the_vector_net_is_named(call, args, named):
    with pytest.raises(ValueError, match=named):
        call(*args)


@pytest.mark.parametrize("call", [feedback_forward, feedback_bptt], ids=["forward", "bptt"])
@pytest.mark.parametrize(
    ("args", "named"),
    [
        ((p, X, Y), "p: want"),
        ((q._replace(F=np.zeros((4, 4))), X, Y), "p.F: want"),
        ((q, X[:, :2], Y), "x: want shape"),
        ((q, X[:0], Y[:0]), "x: want a sequence of at least one step"),
        ((q, X, Y[:0]), r"y: want shape \(6,\)"),
        ((q, X, Y[:-1]), r"y: want shape \(6,\), one class a step, got .* \(5,\)"),
        ((q, X, np.full(6, -1)), "y: want classes in 0 … 4, got -1"),
        ((q, X * np.inf, Y), "x: want finite"),
    ],
)
def test_bad_input_to_the_feedback_net_is_named(call, args, named):
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=named):
        call(*args)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (partial(spell, ""), "word: want a word of at least one letter"),
        (partial(spell, 7), "word: want a word"),
        (partial(spell, "alpha"), "word: want letters of .* got 'a' in 'alpha'"),
        (partial(spell, "one."), "word: want letters of"),
        (partial(read, [0, 16]), "y: want at most 15, got 16"),
        (partial(read, "one"), "y: want an integer"),
        (partial(context_init, 0, 1, 1, np.random.default_rng(0)), "n_x: want at least 1"),
        (partial(context_init, 1, 1, 1, 0), "rng: want"),
        (partial(feedback_init, 1, 0, 1, np.random.default_rng(0)), "n_h: want at least 1"),
        (partial(context_next, p, x[:2], "both"), "x: want shape"),
        (partial(context_next, p, x, "none"), "way: want one of"),
        (partial(given_context, p, x, None), "way: want one of"),
        (partial(feedback_next, q, X[:0]), "x: want a sequence of at least one step"),
        (partial(feedback_sample, q, X, 0, np.random.default_rng(0)), "n: want at least 1"),
        (partial(feedback_sample, q, X, 1, 0), "rng: want"),
        (partial(feedback_sample, q, X[:0], 1, np.random.default_rng(0)), "x: want a sequence of at least one step"),
        (partial(shared_bit_share, 0), "tau: want at least 1"),
        (partial(shared_bit_share, 3, 1.5), "q: want at most 1"),
        (partial(dialects, 0, 1, np.random.default_rng(0)), "tau: want at least 1"),
        (partial(context_net, "none", 4), "kind: want one of"),
        (partial(way_of, "alone"), "kind: want one of"),
    ],
)
def test_bad_input_elsewhere_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()


@few
@given(st.lists(st.integers(0, 4), min_size=0, max_size=3), ways)
def test_contexts_of_any_wrong_shape_are_refused(shape, way):
    if shape != [3]:
        with pytest.raises(ValueError, match="x: want shape"):
            context_forward(p, np.zeros(shape), y, way)


def test_the_numpy_part_does_not_import_torch():
    code = "import sys, companion.context; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


# what is stored


@pytest.fixture(scope="module")
def nets():
    return stored_context_nets()


@pytest.fixture(scope="module")
def twins():
    found = {}
    for kind in KINDS:
        for seed in range(5):
            weights = store.weights("context", kind=kind, seed=seed)
            net = context_net(kind, 32 if kind in SPELLERS else 16).double()
            net.load_state_dict({name: torch.tensor(w.astype(np.float64)) for name, w in weights.items()})
            found[kind, seed] = net
    return found


def test_stored_nets_in_numpy_are_those_in_torch(nets, twins):
    rng = np.random.default_rng(0)
    concepts, said = dialects(12, 1, rng)
    picture, name = digit_pictures()[1][0][0], spell("seven")
    for (kind, seed), net in nets.items():
        if kind in SPELLERS:
            ours = context_forward(net, picture, name, way_of(kind)).o
            x, y = torch.tensor(picture[None]), torch.tensor(name[None])
        else:
            ours = feedback_forward(net, concepts[0], said[0]).o
            x, y = torch.tensor(concepts), torch.tensor(said)
        theirs = context_logits(twins[kind, seed], kind, x, y)[0].detach().numpy()
        assert relative_error(ours, theirs) <= 1e-12, (kind, seed)


def test_stored_spellers_earn_their_recorded_accuracy(nets, twins):
    """All nets by torch; one seed of each kind by NumPy, too, and by greedy search, picture by picture."""
    _, (x, digit) = digit_pictures()
    recorded = {(r["kind"], r["seed"]): r.get("accuracy") for r in store.rows("context")}
    for kind in SPELLERS:
        for seed in range(5):
            y = torch.zeros(len(x), LONGEST, dtype=torch.long)
            for t in range(LONGEST):
                with torch.no_grad():
                    y[:, t] = context_logits(twins[kind, seed], kind, torch.tensor(x), y)[:, t].argmax(1)
            words = [read(row) for row in y.tolist()]
            right = np.mean([word == NAMES[d] for word, d in zip(words, digit, strict=True)])
            assert abs(right - recorded[kind, seed]) <= 1 / len(x) + 1e-4
        assert spelled(nets[kind, seed], x, way_of(kind)) == words
        models = [context_next(nets[kind, seed], row, way_of(kind)) for row in x[:20]]
        assert [read(greedy(model, LONGEST, END).y) for model in models] == words[:20]


def test_stored_spellers_are_right_on_nineteen_words_in_twenty():
    rows = [r for r in store.rows("context") if r["kind"] in WAYS]
    assert len(rows) == 15
    assert all(r["accuracy"] >= 0.95 for r in rows)


@pytest.mark.parametrize("tau", [2, 4, 8, 12])
def test_stored_speakers_are_consistent_as_predicted(nets, tau):
    """Only two sequences are consistent, so their probabilities are the share: exactly, without sampling."""
    concepts, _ = dialects(tau, 10, np.random.default_rng(tau))
    for (kind, seed), net in nets.items():
        if kind in SPEAKERS:
            both = [[2 * x.argmax(1) + dialect for dialect in (0, 1)] for x in concepts]
            losses = [
                [rnn_loss(feedback_forward(net, x, y), y)[0] for y in ys] for x, ys in zip(concepts, both, strict=True)
            ]
            share = np.exp(np.negative(losses)).sum(axis=1)
            if kind == "feedback":
                assert share.mean() >= 0.97, (seed, share.mean())
            else:
                assert 0.7 <= share.mean() / shared_bit_share(tau) <= 1.1, (seed, share.mean())
            rng = np.random.default_rng(seed)
            drawn = np.mean([consistent(x, feedback_sample(net, x, 200, rng)) for x in concepts])
            assert abs(drawn - share.mean()) <= 5 * np.sqrt(share.mean() / 2000) + 1e-3


def test_dialects_are_fair_and_told_by_no_input():
    x, y = dialects(5, 4000, np.random.default_rng(0))
    assert consistent(x, y).all()
    assert abs((y % 2).mean() - 0.5) <= 0.04
    assert not consistent(x[0], np.where(np.arange(5) == 2, y[0] ^ 1, y[0]))
    assert not consistent(x[0], (y[0] + 2) % 12)


def test_what_is_not_read_has_no_weights(nets):
    for seed in range(5):
        assert isinstance(nets["both", seed], ContextRNN) and isinstance(nets["alone", seed], FeedbackRNN)
        assert not nets["alone", seed].F.any() and not nets["unread", seed].U.any()
        assert not nets["state", seed].R.any() and nets["state", seed].S.any()
        assert nets["input", seed].R.any() and not nets["input", seed].S.any()
