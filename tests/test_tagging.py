"""Tags against what a reader says of hand-written lines; masks against loops and torch; warping against brute force."""

import itertools
import keyword

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from companion.bidirectional import birnn_forward, birnn_init, birnn_loss, birnn_to_torch
from companion.data import store
from companion.tagging import (
    PARTS,
    READINGS,
    SIDES,
    TAGS,
    UNTAGGED,
    class_logits,
    classifier,
    coded,
    dtw_distances,
    dtw_path,
    folds,
    japanese_vowels,
    last_states,
    library_lines,
    mask_of,
    masked_birnn,
    masked_loss,
    masked_mean,
    most_frequent_tag,
    nearest,
    pad,
    resampled,
    spelling,
    standardised,
    statistics,
    tag_logits,
    tag_source,
    tagger,
    vocabulary,
    window_places,
)
from tests.gradients import relative_error

quick = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**32 - 1)
lengths_of = st.lists(st.integers(1, 7), min_size=1, max_size=5)


def named(source):
    """The names of one line and their tags in words; None where a name has none."""
    (line,) = tag_source(source)
    return [
        (w, None if t == UNTAGGED else TAGS[t])
        for w, t in zip(line.words, line.tags, strict=True)
        if w.isidentifier() and not keyword.iskeyword(w)
    ]


# ------------------------------------------------------------------ tags


@pytest.mark.parametrize(
    ("source", "tags"),
    [
        ("import os.path as p", "os imported, path imported, p imported"),
        ("from a import (b, c as d)", "a imported, b imported, c imported, d imported"),
        ("class A(B, metaclass=M): pass", "A definition, B variable, metaclass argument, M variable"),
        (
            "def f(a, x: int = y, *r, k=None, **q) -> str: pass",
            "f definition, a parameter, x parameter, int variable, y variable, r parameter, k parameter, q parameter, "
            "str variable",
        ),
        ("async def f(): pass", "f definition"),
        (
            "self.x, y = z, g(x, key=h(w).v)",
            "self variable, x assigned, y assigned, z variable, g call, x variable, key argument, h call, w variable, "
            "v attribute",
        ),
        ("a.b.c(d)(e)", "a variable, b attribute, c call, d variable, e variable"),
        ("f(x)[i].g = 3", "f call, x variable, i variable, g assigned"),
        ("for i, (j, k) in d.items(): q[i] = j", None),
        ("n += 1", "n assigned"),
        ("del n", "n assigned"),
        ("lambda u: [u for v in w if (a := v)]", None),
        ("with open(n) as fh: pass", "open call, n variable, fh assigned"),
        ("try: pass\nexcept E as e: pass", None),
        ("s = f'{a.b(c)} {d}' 'é' + e", "s assigned, e variable"),
        ("é = ü(ö=1) + x.ß", "é assigned, ü call, ö argument, x variable, ß attribute"),
        ("global n", "n None"),
    ],
)
def test_each_name_has_the_tag_that_a_reader_gives_it(source, tags):
    if tags is not None:
        assert ", ".join(f"{w} {t}" for w, t in named(source)) == tags


def test_targets_of_loops_comprehensions_and_handlers_are_bound():
    assert named("for i, (j, k) in d.items(): q[i] = j") == [
        ("i", "assigned"),
        ("j", "assigned"),
        ("k", "assigned"),
        ("d", "variable"),
        ("items", "call"),
        ("q", "variable"),
        ("i", "variable"),
        ("j", "variable"),
    ]
    assert [t for _, t in named("lambda u: [u for v in w if (a := v)]")] == [
        *("parameter", "variable", "assigned", "variable", "assigned", "variable")
    ]
    lines = tag_source("try: pass\nexcept E as e: pass\n")
    assert [TAGS[t] for t in lines[1].tags if t != UNTAGGED] == ["variable", "assigned"]


def test_a_logical_line_may_go_over_several_rows_and_a_string_is_one_word():
    lines = tag_source('f(a,\n  # a remark\n  b)\n"""x = 1\ny = 2"""\nz = f"{a}{b!r:>{c}}"\n')
    assert [line.words for line in lines] == [
        ("f", "(", "a", ",", "b", ")"),
        ("<string>",),
        ("z", "=", "<string>"),
    ]
    assert all(len(line.words) == len(line.tags) for line in lines)


@pytest.mark.parametrize("part", PARTS)
def test_nearly_every_name_of_the_library_has_a_tag(part):
    lines = library_lines(PARTS[part][:6])
    names = [t for x in lines for w, t in zip(x.words, x.tags, strict=True) if w.isidentifier() and w not in KEYWORDS]
    assert len(names) > 1000
    assert np.mean(np.array(names) == UNTAGGED) < 0.01
    others = [t for x in lines for w, t in zip(x.words, x.tags, strict=True) if not w.isidentifier() or w in KEYWORDS]
    assert set(others) == {UNTAGGED}


KEYWORDS = set(keyword.kwlist)


def test_no_module_stands_in_two_parts():
    every = [module for part in PARTS.values() for module in part]
    assert len(every) == len(set(every))


def test_lines_are_cut_by_their_length_and_a_module_that_is_missing_is_left_out():
    lines = library_lines(("sched", "no_such_module_at_all"), 12)
    assert lines and max(len(line.words) for line in lines) <= 12
    assert all(max(line.tags) > UNTAGGED for line in lines)
    assert lines == [line for line in library_lines(("sched",)) if len(line.words) <= 12]


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        *(("x", "<a>"), ("_x", "<_a>"), ("X", "<Aa>"), ("Ab", "<Aa>"), ("AB", "<AA>"), ("_AB", "<_AA>")),
        *(("a_b", "<a_a>"), ("_a_b", "<_a_a>"), ("A_B", "<AA_a>"), ("__init__", "<_a>"), ("x1", "<a>")),
    ],
)
def test_a_name_that_is_not_known_keeps_its_shape(word, shape):
    assert spelling(word) == shape


def test_a_vocabulary_holds_what_is_no_name_all_shapes_and_the_most_frequent_names():
    lines = tag_source("b = a + a\nc = a + b\n")
    known = vocabulary(lines, 2)
    assert known[0] == "<other>" and known[-2:] == ["a", "b"]
    assert {"=", "+", "<a>", "<_AA_a>"} <= set(known) and "c" not in known and len(set(known)) == len(known)
    (codes,) = coded([("a", "c", "Other", "@", "=")], known)
    assert [known[i] for i in codes] == ["a", "<a>", "<Aa>", "<other>", "="]
    assert vocabulary(lines, 0) == known[:-2]


def test_the_most_frequent_tag_of_each_word_and_of_all_for_a_word_never_seen():
    words, tags = np.array([0, 0, 0, 1, 1, 2]), np.array([3, 3, 1, 1, 1, 5])
    assert most_frequent_tag(words, tags, np.array([0, 1, 2, 7])).tolist() == [3, 1, 5, 1]


def test_a_window_is_the_words_around_each_word_and_a_sign_beyond_the_ends():
    lines = [np.array([3, 1, 2]), np.array([0])]
    places = window_places(lines, 1, 2, 4)
    assert (places - 5 * np.arange(4)).tolist() == [[4, 3, 1, 2], [3, 1, 2, 4], [1, 2, 4, 4], [4, 0, 4, 4]]


# ------------------------------------------------------------------ masks


def drawn(lengths, seed, n_x=3):
    rng = np.random.default_rng(seed)
    return rng, [rng.normal(size=(n, n_x)) for n in lengths]


@quick
@given(lengths_of, seeds, st.floats(-3, 3))
def test_a_masked_net_says_of_each_sequence_what_it_says_of_it_alone(lengths, seed, value):
    rng, xs = drawn(lengths, seed)
    p = birnn_init(3, 4, 2, rng)._replace(b_h=rng.normal(size=4), b_g=rng.normal(size=4), c=rng.normal(size=2))
    x, mask = pad(xs, value)
    run = masked_birnn(p, x, mask)
    for i, own in enumerate(xs):
        alone, n = birnn_forward(p, own), len(own)
        np.testing.assert_allclose(run.h[i, : n + 1], alone.h, atol=1e-13)
        np.testing.assert_allclose(run.g[i, : n + 1], alone.g, atol=1e-13)
        np.testing.assert_allclose(run.o[i, :n], alone.o, atol=1e-13)
        np.testing.assert_allclose(run.yhat[i, :n], alone.yhat, atol=1e-13)
        assert (run.g[i, n:] == 0).all() and (run.h[i, n:] == run.h[i, n]).all()


@quick
@given(lengths_of, seeds)
def test_masked_states_last_states_outputs_and_loss_equal_torchs_packed_net(lengths, seed):
    rng, xs = drawn(lengths, seed)
    p = birnn_init(3, 4, 5, rng)
    x, mask = pad(xs)
    rnn, linear = birnn_to_torch(p)
    y = rng.integers(0, 5, mask.shape)
    with torch.no_grad():
        packed = pack_padded_sequence(torch.tensor(x), torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        states, last = rnn(packed)
        states, _ = pad_packed_sequence(states, batch_first=True)
        o = linear(states)
        told = torch.tensor(np.where(mask == 1, y, -100))
        loss = torch.nn.functional.cross_entropy(o.flatten(0, 1), told.flatten())
    run, real = masked_birnn(p, x, mask), mask == 1
    assert relative_error(run.h[:, 1:][real], states[..., :4].numpy()[real]) <= 1e-10
    assert relative_error(run.g[:, :-1][real], states[..., 4:].numpy()[real]) <= 1e-10
    assert relative_error(run.o[real], o.numpy()[real]) <= 1e-10
    assert relative_error(last_states(run.h[:, 1:], mask), last[0].numpy()) <= 1e-10
    assert relative_error(run.g[:, 0], last[1].numpy()) <= 1e-10
    assert relative_error(masked_loss(run.o, y, mask), loss.item()) <= 1e-10


@quick
@given(lengths_of, seeds)
def test_the_masked_loss_and_mean_are_those_of_a_loop_over_the_sequences(lengths, seed):
    rng, xs = drawn(lengths, seed)
    p = birnn_init(3, 4, 5, rng)
    x, mask = pad(xs)
    y = rng.integers(0, 5, mask.shape)
    run = masked_birnn(p, x, mask)
    total = sum(birnn_loss(birnn_forward(p, own), y[i, : len(own)])[0] for i, own in enumerate(xs))
    assert relative_error(masked_loss(run.o, y, mask), total / sum(lengths)) <= 1e-12
    means = [birnn_forward(p, own).h[1:].mean(0) for own in xs]
    assert relative_error(masked_mean(run.h[:, 1:], mask), np.array(means)) <= 1e-12
    y[mask == 0] = -7  # what stands at padded steps is not looked at
    assert relative_error(masked_loss(run.o, y, mask), total / sum(lengths)) <= 1e-12


def test_padding_puts_sequences_side_by_side():
    x, mask = pad([np.ones((2, 1)), 2 * np.ones((3, 1))], -1)
    assert x[..., 0].tolist() == [[1, 1, -1], [2, 2, 2]] and mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert mask_of([1, 3], 4).tolist() == [[1, 0, 0, 0], [1, 1, 1, 0]]


# ------------------------------------------------------------------ nets


@pytest.mark.parametrize("side", SIDES)
def test_a_tagger_says_of_a_line_the_same_in_every_batch_and_only_one_that_reads_padding_does_not(side):
    torch.manual_seed(0)
    net = tagger(side, 9, 4, 5, 3)
    x, lengths = torch.tensor([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]]), torch.tensor([3, 5])
    with torch.no_grad():
        together = tag_logits(net, x, lengths, side)
        alone = tag_logits(net, x[:1, :3], lengths[:1], side)
        wrong = tag_logits(net, x, lengths, side, packed=False)
    np.testing.assert_allclose(together[0, :3], alone[0], atol=1e-6)
    np.testing.assert_allclose(together[1], wrong[1], atol=1e-6)
    off = (wrong[0, :3] - alone[0]).abs().max()
    assert off < 1e-6 if side == "left" else off > 1e-3


def test_a_tagger_from_the_right_does_not_see_the_left_and_the_other_way_round():
    x, y = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[5, 2, 3, 6]])
    torch.manual_seed(0)
    for side, same in (("left", slice(0, 1)), ("right", slice(3, 4))):
        net = tagger(side, 9, 4, 5, 3)
        z = y.clone()
        z[:, same] = x[:, same]
        with torch.no_grad():
            a, b = (tag_logits(net, v, torch.tensor([4]), side) for v in (x, z))
        np.testing.assert_allclose(a[:, same], b[:, same], atol=1e-7)
        assert (a - b).abs().max() > 1e-3


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_classifier_reads_the_last_real_state_the_mean_of_real_states_or_wrongly_the_padded_end(cell):
    torch.manual_seed(0)
    net = classifier(cell, 2, 3, 4)
    x, lengths = torch.randn(2, 5, 2), torch.tensor([3, 5])
    with torch.no_grad():
        h = net["rnn"](x[:1, :3])[0][0]
        wanted = {"last": h[-1], "mean": h.mean(0)}
        for reading in READINGS:
            got = class_logits(net, x, lengths, reading)[0]
            want = net["head"](wanted.get(reading, h[-1]))
            assert torch.allclose(got, want, atol=1e-6) is (reading != "padded end")


# ------------------------------------------------------------------ voices


def cheapest(x, z):
    """The cost of the cheapest alignment, all of them tried."""
    n, m = len(x), len(z)
    best = np.inf

    def go(i, j, cost):
        nonlocal best
        cost += ((x[i] - z[j]) ** 2).sum()
        if (i, j) == (n - 1, m - 1):
            best = min(best, cost)
        for a, b in ((i + 1, j), (i, j + 1), (i + 1, j + 1)):
            if a < n and b < m:
                go(a, b, cost)

    go(0, 0, 0.0)
    return np.sqrt(best)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.lists(st.integers(1, 4), min_size=1, max_size=3), seeds)
def test_warping_finds_the_cheapest_of_all_alignments(n, others, seed):
    rng = np.random.default_rng(seed)
    x, zs = rng.normal(size=(n, 2)), [rng.normal(size=(m, 2)) for m in others]
    got = dtw_distances(x, zs)
    np.testing.assert_allclose(got, [cheapest(x, z) for z in zs], rtol=1e-12)
    for z, distance in zip(zs, got, strict=True):
        path = dtw_path(x, z)
        assert tuple(path[0]) == (0, 0) and tuple(path[-1]) == (n - 1, len(z) - 1)
        assert set(map(tuple, np.diff(path, axis=0))) <= {(1, 0), (0, 1), (1, 1)}
        assert np.isclose(np.sqrt(((x[path[:, 0]] - z[path[:, 1]]) ** 2).sum()), distance)


def test_warping_forgives_a_pause_and_a_stretched_copy_is_at_distance_zero():
    x = np.random.default_rng(0).normal(size=(6, 3))
    assert dtw_distances(x, [np.repeat(x, [1, 3, 1, 2, 1, 1], axis=0)])[0] == 0
    assert dtw_distances(x, [x + 1])[0] > 0


def test_resampling_keeps_both_ends_and_a_straight_line_straight():
    x = np.linspace([0.0, 1.0], [6.0, -2.0], 4)
    np.testing.assert_allclose(resampled(x, 7), np.linspace([0.0, 1.0], [6.0, -2.0], 7))
    np.testing.assert_allclose(resampled(x, 4), x)


def test_statistics_forget_the_order_and_standardising_uses_only_what_is_learned_from():
    x = np.random.default_rng(1).normal(size=(9, 2))
    np.testing.assert_allclose(statistics(x), [*x.mean(0), *x.std(0)])
    np.testing.assert_allclose(statistics(x[::-1]), statistics(x))
    (learned,), (other,) = standardised([x], [x * 3 + 1])
    np.testing.assert_allclose([learned.mean(0), learned.std(0)], [[0, 0], [1, 1]], atol=1e-12)
    np.testing.assert_allclose(other, (x * 3 + 1 - x.mean(0)) / x.std(0))


def test_folds_share_each_class_out_and_ask_each_utterance_once():
    y = np.repeat(np.arange(3), [4, 6, 8])
    parts = folds(y, 2)
    assert sorted(itertools.chain(*(b.tolist() for _, b in parts))) == list(range(18))
    for a, b in parts:
        assert not set(a) & set(b) and len(a) + len(b) == 18
        assert np.bincount(y[b]).tolist() == [2, 3, 4]


def test_the_nearest_has_the_word():
    assert nearest([[3, 1, 2], [0, 5, 5]], np.array([7, 8, 9])).tolist() == [8, 7]


def test_the_vowels_are_those_of_the_literature():
    train, test = japanese_vowels("train"), japanese_vowels("test")
    assert np.bincount(train.y).tolist() == [30] * 9
    assert np.bincount(test.y).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    lengths = [len(x) for x in [*train.x, *test.x]]
    assert (min(lengths), max(lengths)) == (7, 29) and {x.shape[1] for x in train.x} == {12}
    assert train.x[0][0, :2].tolist() == [1.860936, -0.207383]


# ------------------------------------------------------------------ what is stored


def test_the_stored_classifier_has_the_accuracy_that_its_record_says():
    (row,) = store.rows("tagging", task="vowels", kind="gru, last", seed=0)
    weights = store.weights("tagging", task="vowels", kind="gru, last", seed=0)
    net = classifier("gru", 12, store.record("tagging")["settings"]["vowel_units"], 9)
    net.load_state_dict({name: torch.tensor(w, dtype=torch.float32) for name, w in weights.items()})
    train, test = japanese_vowels("train"), japanese_vowels("test")
    _, asked = standardised(train.x, test.x)
    x, mask = pad(asked)
    x, lengths = torch.tensor(x, dtype=torch.float32), torch.tensor(mask.sum(1).astype(int))
    for reading, said in (("last", row["accuracy"]), ("padded end", row["padded end"])):
        with torch.no_grad():
            found = class_logits(net, x, lengths, reading).argmax(1).numpy()
        assert abs((found == test.y).mean() - said) < 0.01


@pytest.mark.parametrize("side", SIDES)
def test_the_stored_taggers_have_the_accuracies_that_their_record_says(side):
    settings, (corpus,) = store.record("tagging")["settings"], store.rows("tagging", task="corpus")
    (row,) = store.rows("tagging", task="tags", kind=side, seed=0)
    net = tagger(side, len(corpus["known"]), settings["width"], settings["units"][side], len(TAGS))
    weights = store.weights("tagging", task="tags", kind=side, seed=0)
    net.load_state_dict({name: torch.tensor(w, dtype=torch.float32) for name, w in weights.items()})
    lines = library_lines(settings["parts"]["test"][:4])
    right, names = 0, 0
    for line, codes in zip(lines[:600], coded([x.words for x in lines[:600]], corpus["known"]), strict=True):
        with torch.no_grad():
            said = tag_logits(net, torch.tensor(codes[None]), torch.tensor([len(codes)]), side)[0].argmax(1).numpy()
        tags = np.array(line.tags)
        right, names = right + (said == tags)[tags >= 0].sum(), names + (tags >= 0).sum()
    assert abs(right / names - row["accuracy"]) < (0.01 if side == "both" else 0.06)


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tag_source("def f(:"), "source: want a Python program"),
        (lambda: library_lines(("sched",), 0), "longest: want at least 1"),
        (lambda: vocabulary([], -1), "names: want at least 0"),
        (lambda: coded([], ["a"]), "lines: want at least one"),
        (lambda: coded([[]], ["a"]), "lines: want at least one"),
        (lambda: most_frequent_tag(np.array([1]), np.array([1, 2]), np.array([1])), "tags: want one for each"),
        (lambda: window_places([np.array([0])], -1, 0, 3), "before: want at least 0"),
        (lambda: pad([]), "sequences: want at least one"),
        (lambda: pad([np.ones((2, 3)), np.ones((2, 4))]), r"sequences\[1\]: want shape"),
        (lambda: mask_of([0, 2], 3), "lengths: want integers of at least 1"),
        (lambda: mask_of([4], 3), "lengths: want at most tau = 3"),
        (lambda: masked_mean(np.ones((1, 2, 3)), np.array([[0.0, 1.0]])), "mask: want rows of ones"),
        (lambda: masked_mean(np.ones((1, 2, 3)), np.array([[1.0, 0.5]])), "mask: want rows of ones"),
        (lambda: masked_loss(np.ones((1, 2, 3)), np.zeros((1, 2), int), np.zeros((1, 2))), "mask: want zeros and ones"),
        (lambda: masked_loss(np.ones((1, 2, 3)), np.zeros(2, int), np.ones((1, 2))), r"y: want shape \(1, 2\)"),
        (lambda: tagger("middle", 3, 2, 2, 2), "side: want one of"),
        (lambda: classifier("rnn", 3, 2, 2), "cell: want one of"),
        (lambda: japanese_vowels("all"), "part: want 'train' or 'test'"),
        (lambda: dtw_distances(np.ones((2, 2)), []), "others: want at least one"),
        (lambda: dtw_distances(np.ones((2, 2)), [np.ones((2, 3))]), r"others\[0\]: want shape"),
        (lambda: nearest(np.ones((2, 3)), np.array([1, 2])), r"y: want shape \(3,\)"),
        (lambda: folds(np.array([0, 1]), 1), "n: want at least 2"),
        (lambda: resampled(np.ones((2, 2)), 0), "steps: want at least 1"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
