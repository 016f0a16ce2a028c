"""Section 10.4: the dates, the encoder–decoder against torch, decoding against enumeration, and what is stored."""

from datetime import date
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import seq2seq as s2s
from companion.data import store
from companion.search import beam, every, greedy
from companion.seq2seq import twin
from companion.studies import seq2seq as study
from companion.studies._identity import seen_by_a_row
from tests.conftest import stored_figure
from tests.gradients import assert_agree, differences, relative_error

quick = settings(max_examples=12)
seeds = st.integers(0, 2**32 - 1)
ways, cells = st.sampled_from(s2s.WAYS), st.sampled_from(("rnn", "gru"))


# the pair of languages


@quick
@given(n=st.integers(1, 6), dates=st.integers(1, 4), seed=seeds, held=st.booleans())
def test_a_drawn_pair_says_and_writes_the_same_dates(n, dates, seed, held):
    x, y = s2s.draw_pairs(n, dates, np.random.default_rng(seed), held)
    for words, symbols in zip(x, y, strict=True):
        days = [date.fromisoformat(text) for text in s2s.write(symbols).split(",")]
        assert len(days) == dates and symbols[-1] == s2s.END
        spoken = " ".join(s2s.WORDS[w] for w in words)
        assert any(s2s.spell(days, list(forms)) == spoken for forms in product(s2s.FORMS, repeat=dates))
        assert np.array_equal(s2s.read(spoken), words)
        ordinals = np.array([(day - date(1600, 1, 1)).days for day in days])
        assert (s2s.held_out(ordinals) == held).all()


def test_every_date_of_four_centuries_is_said_in_its_own_way_and_a_fifth_is_held_out():
    first = date(1600, 1, 1).toordinal()
    said = {s2s.spell([date.fromordinal(first + i)], [s2s.FORMS[0]]) for i in range(146097)}
    assert len(said) == 146097
    assert abs(s2s.held_out(np.arange(146097)).mean() - 0.2) <= 0.002


def test_alignment_names_the_word_that_fixes_each_digit():
    line = s2s.read("march the fourteenth nineteen ninety-seven and the second of may sixteen oh-one")
    words = [s2s.WORDS[line[k]] if k >= 0 else "" for k in s2s.alignment(line)]
    first = ["nineteen"] * 2 + ["ninety-seven"] * 2 + [""] + ["march"] * 2 + [""] + ["fourteenth"] * 2 + [""]
    second = ["sixteen"] * 2 + ["oh-one"] * 2 + [""] + ["may"] * 2 + [""] + ["second"] * 2 + [""]
    assert words == first + second


def test_source_and_target_differ_in_length():
    lengths = {
        (p.x.shape[1], p.y.shape[1]) for i in range(20) for p in [s2s.draw_pairs(1, 2, np.random.default_rng(i))]
    }
    assert all(a != b for a, b in lengths) and len({a for a, _ in lengths}) > 2


# the model


@quick
@given(kind=st.sampled_from(("attention", "context")), size=st.integers(1, 5), way=ways, cell=cells, seed=seeds)
def test_reference_equals_its_torch_twin(kind, size, way, cell, seed):
    torch.manual_seed(seed)
    net = twin.seq2seq_twin(kind, size, way, 6, cell).double()
    p = twin.seq2seq_from_torch({k: v.numpy() for k, v in net.state_dict().items()})
    x, y = s2s.draw_pairs(3, 2, np.random.default_rng(seed))
    theirs = net(torch.tensor(x), torch.tensor(y)).detach().numpy()
    ours = [[step.o for step in s2s.write_forced(p, s2s.encode(p, a), b)] for a, b in zip(x, y, strict=True)]
    assert relative_error(np.array(ours), theirs) <= 1e-12
    written = [greedy(s2s.writer(p, s2s.encode(p, a)), y.shape[1], s2s.END).y for a in x]
    for ours, theirs in zip(written, net.greedy(torch.tensor(x), y.shape[1]).tolist(), strict=True):
        assert list(ours) == theirs[: len(ours)] and (len(ours) == len(theirs) or ours[-1] == s2s.END)


@pytest.mark.parametrize(
    ("kind", "way", "cell"), [*product(("attention", "context"), s2s.WAYS, ("rnn",)), ("context", "both", "gru")]
)
def test_one_gradient_of_log_probability_reaches_reader_context_and_writer(kind, way, cell):
    """Torch's gradient of the twin against central differences of the NumPy reference."""
    torch.manual_seed(0)
    net = twin.seq2seq_twin(kind, 2, way, 3, cell).double()
    x, y = s2s.draw_pairs(1, 1, np.random.default_rng(3))
    (-torch.nn.functional.cross_entropy(net(torch.tensor(x), torch.tensor(y))[0], torch.tensor(y[0]))).backward()
    weights = {k: v.detach().numpy() for k, v in net.state_dict().items()}
    for name, value in net.named_parameters():
        if name in ("X.weight", "Y.weight"):
            used = np.unique(x if name == "X.weight" else [s2s.END, *y[0, :-1]])[:3]
        else:
            used = np.arange(len(value))

        def log_p(rows, name=name, used=used):
            w = dict(weights)
            w[name] = weights[name].copy()
            w[name][used] = rows
            return s2s.log_probability(twin.seq2seq_from_torch(w), x[0], y[0]) / y.shape[1]

        ours = differences(log_p, weights[name][used])
        assert_agree(value.grad.numpy()[used], ours, 1e-6, "the torch twin", "differences of the reference", name)
        assert np.abs(ours).max() > 0, name


@quick
@given(attend=st.booleans(), way=ways, seed=seeds, t=st.integers(1, 11))
def test_the_gradient_of_one_symbol_on_every_state_is_that_of_torch(attend, way, seed, t):
    rng = np.random.default_rng(seed)
    p = s2s.seq2seq_init(len(s2s.WORDS), len(s2s.SYMBOLS), 4, 2, rng, attend=attend, way=way)
    x, y = (v[0] for v in s2s.draw_pairs(1, 1, rng))
    X, Y, K, d, S, s, R, A, P, Q, bias, V, c = (
        v if v is None else torch.tensor(v) for v in (p.X, p.Y, p.K, p.d, p.S, p.s, p.R, p.A, p.P, p.Q, p.p, p.V, p.c)
    )
    reader, writer = ([torch.tensor(v) for v in layer] for layer in (p.reader, p.writer))

    def layer(U, W, b, u, h):
        return torch.tanh(b + W @ h + U @ u)

    g = [torch.zeros(4, dtype=torch.float64, requires_grad=True)]
    for word in x:
        g.append(layer(*reader, X[word], g[-1]))
    C, looked = torch.tanh(d + K @ g[-1]), torch.stack(g[1:])
    h = [torch.zeros(4, dtype=torch.float64, requires_grad=True) if S is None else torch.tanh(s + S @ C)]
    for before in (s2s.END, *y[: t - 1]):
        u = writer[2] if R is None else writer[2] + R @ C
        h.append(layer(writer[0], writer[1], u, Y[before], h[-1]))
    mixed = bias + P @ h[-1]
    if attend:
        mixed = mixed + Q @ (torch.softmax(looked @ (A.T @ h[-1]), 0) @ looked)
    log_p = torch.log_softmax(c + V @ torch.tanh(mixed), 0)[y[t - 1]]
    theirs = torch.autograd.grad(log_p, [*h, C, *g[1:], looked], allow_unused=True, materialize_grads=True)
    ours = s2s.symbol_reach(p, x, y, t)
    for mine, its in zip([*ours.h, ours.C, *ours.g, ours.fetched], theirs, strict=True):
        assert np.abs(mine - its.numpy()).max() <= 1e-12
    assert ours.fetched.any() == attend


@quick
@given(n_h=st.integers(1, 5), n_g=st.integers(1, 5), tau=st.integers(1, 6), seed=seeds)
def test_attention_is_its_formula_and_a_mean_of_the_states(n_h, n_g, tau, seed):
    rng = np.random.default_rng(seed)
    A, h, g = rng.normal(size=(n_h, n_g)), rng.normal(size=n_h), rng.normal(size=(tau, n_g))
    alpha, m = s2s.attention(A, h, g)
    e = [sum(h[i] * A[i, j] * g[k, j] for i in range(n_h) for j in range(n_g)) for k in range(tau)]
    expected = [np.exp(a) / sum(np.exp(e)) for a in e]
    np.testing.assert_allclose(alpha, expected, rtol=1e-12)
    np.testing.assert_allclose(m, [sum(expected[k] * g[k, j] for k in range(tau)) for j in range(n_g)], atol=1e-12)
    order = rng.permutation(tau)  # a set is looked up: shuffled states, shuffled weights, the same mean
    np.testing.assert_allclose(s2s.attention(A, h, g[order])[0], alpha[order], atol=1e-14)
    np.testing.assert_allclose(s2s.attention(A, h, g[order])[1], m, atol=1e-13)


def test_attention_without_a_score_is_the_plain_mean_and_with_a_huge_one_a_pointer():
    g, h = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]), np.array([1.0, 0.0])
    np.testing.assert_allclose(s2s.attention(np.zeros((2, 2)), h, g)[1], g.mean(0))
    np.testing.assert_allclose(s2s.attention(1000 * np.eye(2), h, g)[0], [0, 0, 1], atol=1e-12)


@quick
@given(d=st.integers(1, 6), tau=st.integers(1, 6), seed=seeds)
def test_with_a_scaled_identity_attention_is_torchs_scaled_dot_product(d, tau, seed):
    rng = np.random.default_rng(seed)
    q, g = rng.normal(size=d), rng.normal(size=(tau, d))
    keys = torch.tensor(g)[None]
    theirs = torch.nn.functional.scaled_dot_product_attention(torch.tensor(q)[None, None], keys, keys)[0, 0]
    assert relative_error(s2s.attention(np.eye(d) / np.sqrt(d), q, g)[1], theirs.numpy()) <= 1e-12


@quick
@given(n=st.integers(1, 4), n_h=st.integers(1, 4), n_g=st.integers(1, 4), tau=st.integers(1, 5), seed=seeds)
def test_additive_attention_equals_torch(n, n_h, n_g, tau, seed):
    rng = np.random.default_rng(seed)
    v, A, B = rng.normal(size=n), rng.normal(size=(n, n_h)), rng.normal(size=(n, n_g))
    h, g = rng.normal(size=n_h), rng.normal(size=(tau, n_g))
    alpha, m = s2s.additive_attention(v, A, B, h, g)
    v, A, B, h, g = map(torch.tensor, (v, A, B, h, g))
    theirs = torch.softmax(torch.tanh((A @ h)[:, None] + B @ g.T).T @ v, 0)
    assert relative_error(alpha, theirs.numpy()) <= 1e-12
    assert relative_error(m, (theirs @ g).numpy()) <= 1e-12


@quick
@given(way=ways, attend=st.booleans(), seed=seeds)
def test_only_attention_can_see_more_of_the_source_than_the_context(way, attend, seed):
    """Two sources with the same C: without attention the writer cannot tell them apart, with it it can."""
    rng = np.random.default_rng(seed)
    p = s2s.seq2seq_init(5, 4, 4, 2, rng, attend, way)
    one, other = s2s.encode(p, np.array([0, 1, 2])), s2s.encode(p, np.array([3, 4]))
    other = other._replace(C=one.C)
    y = np.array([0, 2, 3])
    ours, theirs = (np.stack([s.o for s in s2s.write_forced(p, r, y)]) for r in (one, other))
    assert np.array_equal(ours, theirs) is not attend


def test_context_as_input_with_zero_columns_or_as_state_with_zero_rows_is_no_context_there():
    rng = np.random.default_rng(0)
    p = s2s.seq2seq_init(5, 4, 3, 2, rng, attend=False, way="both")
    x, y = np.array([0, 4, 2]), np.array([1, 0, 3])
    silent = p._replace(R=np.zeros_like(p.R))
    assert s2s.log_probability(silent, x, y) == s2s.log_probability(p._replace(R=None), x, y)
    silent = p._replace(S=np.zeros_like(p.S))
    assert s2s.log_probability(silent, x, y) == s2s.log_probability(p._replace(S=None, s=None), x, y)


# decoding


END = 2


def tiny(seed, attend=False, n_o=3):
    rng = np.random.default_rng(seed)
    p = s2s.seq2seq_init(3, n_o, 3, 2, rng, attend)
    p = p._replace(V=2 * p.V)  # sharper choices
    return p, s2s.encode(p, rng.integers(0, 3, 4))


@quick
@given(seed=seeds, attend=st.booleans(), longest=st.integers(1, 5))
def test_all_lines_have_probability_one_together_and_that_which_the_teacher_would_give_them(seed, attend, longest):
    p, read = tiny(seed, attend)
    lines = every(s2s.writer(p, read), longest, END)
    assert abs(sum(np.exp(line.logp) for line in lines) - 1) <= 1e-12
    everything = {
        y[: y.index(END) + 1] if END in y else y for y in product(range(3), repeat=longest)
    }  # cut at the first end mark
    assert sorted(line.y for line in lines) == sorted(everything)
    for line in lines:
        o = [step.o for step in s2s.write_forced(p, read, np.array(line.y))]
        by_hand = sum(float(a[k] - np.log(np.exp(a).sum())) for a, k in zip(o, line.y, strict=True))
        assert abs(by_hand - line.logp) <= 1e-12


@quick
@given(seed=seeds, attend=st.booleans())
def test_the_line_that_is_written_greedily_takes_the_largest_logit_at_each_step(seed, attend):
    p, read = tiny(seed, attend)
    y, h = [], s2s.start(p, read.C)
    while len(y) < 5 and END not in y:
        step = s2s.write_step(p, read, y[-1] if y else END, h)
        y, h = [*y, int(step.o.argmax())], step.h
    found = greedy(s2s.writer(p, read), 5, END)
    assert found.y == tuple(y) and np.array_equal(found.state.h, h)


def test_greedy_writes_neither_the_likeliest_line_nor_the_likeliest_symbols():
    line_differs = symbols_differ = 0
    for seed in range(100):
        p, read = tiny(seed)
        lines = every(s2s.writer(p, read), 4, END)
        got = greedy(s2s.writer(p, read), 4, END).y
        line_differs += got != lines[0].y
        marginal = np.zeros((4, 3))
        for line in lines:
            for t, k in enumerate(line.y):
                marginal[t, k] += np.exp(line.logp)
        symbols_differ += any(marginal[t].argmax() != k for t, k in enumerate(got))
    assert line_differs >= 5 and symbols_differ >= 5


def test_every_line_carries_the_attention_that_the_teacher_would_see():
    p, read = tiny(1, attend=True)
    for line in every(s2s.writer(p, read), 4, END):
        forced = [step.alpha for step in s2s.write_forced(p, read, np.array(line.y))]
        np.testing.assert_allclose(line.state.alpha, forced, rtol=1e-12)
    assert beam(s2s.writer(*tiny(1)), 4, 3, END).state.alpha is None


# what is stored


LATER = [pytest.param("attention", seed, marks=pytest.mark.slow) for seed in (1, 2)]


@pytest.mark.parametrize(("kind", "seed"), [("attention", 0), ("context", 0), *LATER])
def test_stored_weights_still_earn_their_recorded_exact_match(kind, seed):
    p = twin.load_seq2seq(kind, seed)
    (row,) = (r for r in store.rows("seq2seq", kind=kind, seed=seed) if "stored" in r)
    for dates, recorded in list(zip(study.SETTINGS.lengths, row["stored"]["exact"], strict=True))[:2]:
        assert abs(s2s.exact_match(p, dates) - recorded) <= 0.011


def test_the_peaks_of_one_date_lie_about_as_often_where_they_should_as_was_recorded():
    row = next(r for r in store.rows("seq2seq", kind="attention", seed=0) if "stored" in r)
    found = s2s.peak_share(twin.load_seq2seq("attention", 0), 1, 20)
    assert abs(found - row["stored"]["peaks"][0]) <= 0.1


def test_the_stored_gru_writes_one_date_and_often_two_with_a_context_of_64():
    p = twin.seq2seq_from_torch(store.weights("bottleneck", cell="gru"))
    assert p.A is None and len(p.d) == 64
    assert s2s.exact_match(p, 1, 30) >= 0.9 and s2s.exact_match(p, 2, 30) >= 0.15


@pytest.mark.slow
def test_with_attention_held_out_lines_are_right_in_99_of_100_and_peaks_lie_as_recorded():
    for row in store.rows("seq2seq", kind="attention"):
        p = twin.load_seq2seq("attention", row["seed"])
        exact = [s2s.exact_match(p, dates, 40) for dates in range(1, 5)]
        assert np.mean(exact) >= 0.99
        assert np.mean(row["stored"]["exact"][:4]) >= 0.99
        assert abs(s2s.peak_share(p, 2, 50) - row["stored"]["peaks"][1]) <= 0.06


def test_in_the_record_every_seed_with_attention_beats_every_context():
    rows = store.rows("seq2seq", times=1)
    attention = [r for r in rows if r["kind"] == "attention"]
    assert len(attention) >= 3
    assert all(np.mean(r["exact"][:4]) >= 0.99 for r in attention)
    assert all(max(r["exact"][1:4]) < 0.5 for r in rows if r["kind"] == "context")


def test_training_repeats_itself_and_soon_writes_better_than_by_chance():
    steps = ((12, 3e-3), (3, 5e-4))
    seen = seen_by_a_row(study, study.SETTINGS._replace(steps=steps, lengths=(1,), judged=20))
    key = {"kind": "attention", "size": 2, "way": "both", "seed": 0, "times": 1}
    one, other = (study.run(key, seen, "cpu") for _ in range(2))
    assert all(one["weights"][k].tobytes() == other["weights"][k].tobytes() for k in one["weights"])
    assert one["digits"] == other["digits"] and one["digits"][0] > 0.15


@pytest.mark.parametrize(("way", "kind", "seed"), [("fixed context", "context", 0), ("attention", "attention", 1)])
def test_the_machines_that_the_page_draws_do_what_the_stored_nets_do(way, kind, seed):
    view = stored_figure("10_04_seq2seq", "machine")["data"]["views"][way]
    p, x, eps = twin.load_seq2seq(kind, seed), s2s.read("third august eighteen ninety"), 1e-5
    seen, frames, n = s2s.encode(p, x), view["frames"], len(x)
    y = np.array(greedy(s2s.writer(p, seen), 14, s2s.END).y)
    steps = s2s.write_forced(p, seen, y)
    assert [f["values"] for f in frames[:n]] == [{f"x{k}": s2s.WORDS[w]} for k, w in enumerate(x, 1)]
    for t, (step, frame) in enumerate(zip(steps, frames[n + 1 :], strict=False), 1):
        assert frame["values"] == {f"o{t}": s2s.SYMBOLS[y[t - 1]].replace("<end>", "·")}
        assert {f"h{t}", f"o{t}"} <= set(frame["hot"])
        if kind == "attention":
            drawn = [frame["flows"][f"g{k}>m{t}"] for k in range(1, n + 1)]
            np.testing.assert_allclose(drawn, step.alpha, atol=6e-4)
            assert drawn == [frame["fills"][f"g{k}"] for k in range(1, n + 1)]
    into = {(e["source"], e["target"]) for e in view["edges"] if e["source"][0] in "gC" and e["target"][0] in "mhC"}
    if kind == "attention":
        assert into == {(f"g{k}", f"m{t}") for k in range(1, n + 1) for t in range(1, len(y) + 1)}
    else:
        assert into == {(f"g{n}", "C"), *(("C", f"h{t}") for t in range(1, len(y) + 1))}

    def log_odds(read, t=10):
        o = s2s.write_forced(p, read, y[:t])[-1].o
        rest = np.delete(o, y[t - 1])
        return o[y[t - 1]] - rest.max() - np.log(np.exp(rest - rest.max()).sum())

    def moved(d):
        return seen._replace(C=seen.C + d) if kind == "context" else seen._replace(g=seen.g + np.eye(n)[:, :1] * d)

    by_differences = [
        (log_odds(moved(eps * e)) - log_odds(moved(-eps * e))) / (2 * eps)
        for e in np.eye(len(seen.C) if kind == "context" else seen.g.shape[1])
    ]
    hop = frames[n + 1 + len(y) + 1]["grads"]["C" if kind == "context" else "g1"]
    assert hop == f"{np.linalg.norm(by_differences):.2f}"


# bad input

P = s2s.seq2seq_init(5, 4, 3, 2, np.random.default_rng(0))
READ = s2s.encode(P, np.array([0, 1]))
X = np.array([0, 1, 2])
GATED = twin.seq2seq_from_torch(
    {k: v.detach().numpy() for k, v in twin.seq2seq_twin("context", 2, "both", 3, "gru").state_dict().items()}
)
BAD = {
    "empty source": ("x", lambda: s2s.encode(P, np.array([], dtype=int))),
    "unknown word number": ("x", lambda: s2s.encode(P, np.array([0, 5]))),
    "words as floats": ("x", lambda: s2s.encode(P, np.array([0.0, np.nan]))),
    "unknown word": ("text", lambda: s2s.read("march the umpteenth nineteen ten")),
    "empty line": ("text", lambda: s2s.read("  ")),
    "unknown symbol": ("y", lambda: s2s.write_forced(P, READ, np.array([0, 4]))),
    "empty target": ("y", lambda: s2s.log_probability(P, X, np.array([], dtype=int))),
    "step beyond the end": ("t", lambda: s2s.symbol_reach(P, X, X, 5)),
    "gradient through another cell": ("p", lambda: s2s.symbol_reach(GATED, X, X, 1)),
    "unknown symbol to write": ("y", lambda: s2s.write([13])),
    "unknown symbol before": ("y", lambda: s2s.write_step(P, READ, 4, np.zeros(3))),
    "context of the wrong size": (r"read\.C", lambda: s2s.write_forced(P, READ._replace(C=np.zeros(3)), X)),
    "context of the wrong size for the writer": (r"read\.C", lambda: s2s.writer(P, READ._replace(C=np.zeros(1)))),
    "context with NaN": ("C", lambda: s2s.start(P, np.array([0.0, np.nan]))),
    "no states to look at": (r"read\.g", lambda: s2s.writer(P, READ._replace(g=np.zeros((0, 3))))),
    "writer of no parameters": ("p", lambda: s2s.writer((1, 2), READ)),
    "state of the wrong size": ("h", lambda: s2s.write_step(P, READ, 0, np.zeros(2))),
    "attention of other widths": ("h", lambda: s2s.attention(np.ones((2, 3)), np.ones(3), np.ones((4, 3)))),
    "attention over nothing": ("g", lambda: s2s.attention(np.ones((2, 3)), np.ones(2), np.ones((0, 3)))),
    "additive attention of two heights": (
        "B",
        lambda: s2s.additive_attention(np.ones(2), np.ones((2, 1)), np.ones((3, 1)), np.ones(1), np.ones((1, 1))),
    ),
    "unknown way": ("way", lambda: s2s.seq2seq_init(5, 4, 3, 2, np.random.default_rng(0), True, "door")),
    "context of width 0": ("n_C", lambda: s2s.seq2seq_init(5, 4, 3, 0, np.random.default_rng(0))),
    "no way in": ("p.S", lambda: s2s.encode(P._replace(S=None, s=None, R=None), X)),
    "score without a reading": ("p.A", lambda: s2s.encode(P._replace(Q=None), X)),
    "other parameters": ("p", lambda: s2s.encode((1, 2), X)),
    "reader that is no layer": ("p.reader", lambda: s2s.encode(P._replace(reader=None), X)),
    "K of another width": ("p.A", lambda: s2s.encode(P._replace(K=np.ones((2, 9))), X)),
    "weights with NaN": ("p.V", lambda: s2s.encode(P._replace(V=np.full((4, 3), np.nan)), X)),
    "no pairs": ("n", lambda: s2s.draw_pairs(0, 1, np.random.default_rng(0))),
    "no dates": ("dates", lambda: s2s.draw_pairs(1, 0, np.random.default_rng(0))),
    "no generator": ("rng", lambda: s2s.draw_pairs(1, 1, 0)),
    "negative days": ("days", lambda: s2s.held_out(np.array([-1]))),
    "year outside": ("year", lambda: s2s.spell([date(2024, 1, 1)], [s2s.FORMS[0]])),
    "unknown form": ("form", lambda: s2s.spell([date(1999, 1, 1)], ["Y"])),
    "no form": ("forms", lambda: s2s.spell([date(1999, 1, 1)], [])),
    "no date in the line": ("x", lambda: s2s.alignment(s2s.read("the of march"))),
    "five pairs to judge": ("n", lambda: s2s.judged(1, 5)),
    "peaks without attention": ("p", lambda: s2s.peak_share(P._replace(A=None, Q=None), 1, 10)),
    "unknown kind": ("kind", lambda: twin.seq2seq_twin("magic", 4)),
    "unknown cell": ("cell", lambda: twin.seq2seq_twin("context", 4, cell="elman")),
    "size 0": ("size", lambda: twin.seq2seq_twin("context", 0)),
    "unknown stored net": ("wanted", lambda: twin.load_seq2seq("best")),
    "missing weight": ("weights", lambda: twin.seq2seq_from_torch({"X.weight": np.ones((2, 2))})),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_an_error_that_names_the_argument(case):
    name, call = BAD[case]
    with pytest.raises(ValueError, match=rf"^{name}: want "):
        call()
