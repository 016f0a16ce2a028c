"""P.4: melodies by stated rules, who writes them, who judges them, and how they sound."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.context import context_forward, context_init, context_next
from companion.context.modules import context_logits, context_net
from companion.core.functions import softmax
from companion.data import store
from companion.data.store import LARGEST_WEIGHTS
from companion.graphical import kgram_logp
from companion.music import (
    GENRES,
    HOLD,
    KINDS,
    LOWEST,
    NAMES,
    REST,
    SYMBOLS,
    TAU,
    Faults,
    Genre,
    context_of,
    copied,
    counted,
    counted_bits,
    counted_melodies,
    distinct,
    draw_melody,
    faults,
    frequency,
    heard,
    heard_as,
    home,
    judge_fit,
    ladder,
    lesson,
    melody_bits,
    melody_logp,
    next_pitch,
    notes,
    of_torch,
    rhythm,
    stored_melody_nets,
    tempered,
    tones,
    written,
)
from companion.studies import music

names = st.sampled_from(NAMES)
seeds = st.integers(0, 10**6)


def drawn(name, seed):
    return draw_melody(GENRES[name], np.random.default_rng(seed))


def net(seed=0, n_h=7):
    p = context_init(len(NAMES), n_h, SYMBOLS, np.random.default_rng(seed))
    return p._replace(b=np.linspace(-0.5, 0.5, n_h), s=np.linspace(0.3, -0.3, n_h))


# ---- the rules ---------------------------------------------------------------------------------------------------


def test_the_names_of_genres_are_in_their_order():
    assert tuple(GENRES) == NAMES


@pytest.mark.parametrize("genre", GENRES.values(), ids=GENRES)
def test_the_tables_of_a_genre_are_probabilities_of_whole_bars_and_of_steps_both_ways(genre):
    assert sum(genre.moves.values()) == pytest.approx(1) and sum(genre.rhythm.values()) == pytest.approx(1)
    assert all(len(bar) == 8 and set(bar) <= set("x-.") and bar.count("x") >= 2 for bar in genre.rhythm)
    assert all(genre.moves[m] == genre.moves[-m] for m in genre.moves)
    assert len(genre.form) == 4 and genre.form[0] == "A"
    assert all(".-" not in bar and not bar.startswith("-") for bar in genre.rhythm), "a rest cannot be held"


@given(names, seeds)
@settings(max_examples=60, deadline=None)
def test_a_melody_that_is_drawn_breaks_no_rule_of_its_genre_and_some_of_each_with_another_scale(name, seed):
    y = drawn(name, seed)
    assert faults(y, name) == Faults(0, 0, 0, 0, 0) and np.isfinite(melody_logp(y, name))
    others = [other for other in NAMES if GENRES[other].scale != GENRES[name].scale]
    assert not np.isfinite([melody_logp(y, other) for other in others]).any()


def test_steps_whose_bars_are_all_alike_may_be_leaps_as_well():
    bar = [LOWEST + k if k else HOLD for k in (12, 0, 16, 0, 12, 0, 14, 0)]  # two steps up the scale, down, one up
    y = np.array(4 * bar)
    y[-2] = LOWEST + 12
    assert np.isfinite([melody_logp(y, name) for name in NAMES]).tolist() == [True, True, False, False, False]


@given(names, seeds)
@settings(max_examples=40, deadline=None)
def test_bars_repeat_as_the_form_says_and_the_end_is_a_nearest_c(name, seed):
    y, form = drawn(name, seed), GENRES[name].form
    sounding = [symbol - LOWEST for symbol in y if symbol >= LOWEST]
    assert sounding[-1] % 12 == 0 and abs(sounding[-1] - sounding[-2]) <= 6
    bars = y.reshape(4, 8).copy()
    last = np.flatnonzero(bars[3] >= LOWEST)[-1]
    for a, b in itertools.combinations(range(4), 2):
        if form[a] == form[b]:
            same = bars[a] == bars[b]
            assert same[np.arange(8) != last].all() and (same.all() or b == 3)


TINY = Genre((0, 7), {-1: 0.3, 1: 0.7}, {"x---x---": 0.25, "xx------": 0.75}, "ABAB")


def test_the_probabilities_of_all_melodies_of_a_small_genre_sum_to_one_and_are_their_shares(monkeypatch):
    monkeypatch.setitem(GENRES, NAMES[0], TINY)
    rng = np.random.default_rng(3)
    n = 6000
    counts = Counter(tuple(draw_melody(TINY, rng).tolist()) for _ in range(n))
    p = {y: np.exp(melody_logp(np.array(y), NAMES[0])) for y in counts}
    assert sum(p.values()) == pytest.approx(1, abs=0.01), "what was never drawn should be rare"
    for y, count in counts.items():
        assert abs(count - n * p[y]) < 5 * np.sqrt(n * p[y]) + 3


def test_the_probability_of_one_melody_by_hand():
    genre = GENRES["whole-tone drift"]  # ladder 0, 2, 4 …; all four bars are new
    bar = [LOWEST + 12, *[HOLD] * 5, LOWEST + 10, HOLD]
    y = np.array([*bar, LOWEST + 12, *bar[1:], *bar, LOWEST + 8, *[HOLD] * 5, LOWEST + 12, HOLD])
    chain = (1 / 6) * 0.3**6  # one step down or up, six times, far from the ends of the range; the last note is certain
    assert genre.form == "ABCD" and len([k for k in ladder(genre) if 6 <= k < 18]) == 6
    assert np.exp(melody_logp(y, "whole-tone drift")) == pytest.approx(0.4**4 * chain)


def test_a_move_at_the_end_of_the_range_has_the_share_of_the_moves_that_stay_within_it():
    genre = GENRES["pentatonic steps"]
    top = ladder(genre)[-1]
    assert next_pitch(genre, top) == pytest.approx({19: 0.04 / 0.56, 21: 0.4 / 0.56, 24: 0.12 / 0.56})
    assert next_pitch(genre, 1) == {}, "from outside the scale nothing follows"
    for k in ladder(genre):
        assert sum(next_pitch(genre, k).values()) == pytest.approx(1)


def test_each_rule_that_is_broken_is_found_and_no_other():
    name = "pentatonic steps"  # AABA
    y = drawn(name, 5)
    onset = np.flatnonzero(y[:8] >= LOWEST)

    def with_bars(change):
        z = y.copy().reshape(4, 8)
        for b in (0, 1, 3):
            change(z[b])
        z = z.ravel()
        sounding = [k for k in z if k >= LOWEST]
        z[np.flatnonzero(z >= LOWEST)[-1]] = LOWEST + home(sounding[-2] - LOWEST)
        return z

    def outside(bar):
        bar[onset[1]] = LOWEST + 1

    def strange(bar):
        bar[:] = [LOWEST + 12, *[REST] * 5, LOWEST + 12, HOLD]

    def leap(bar):
        bar[onset[0]], bar[onset[1]] = LOWEST, LOWEST + 24

    def broken(z):
        return {rule for rule, share in faults(z, name)._asdict().items() if share > 0}

    assert broken(with_bars(outside)) == {"scale"}
    assert broken(with_bars(strange)) == {"rhythm"}
    assert broken(with_bars(leap)) == {"moves"}
    other = y.copy()
    other[:8] = drawn(name, 8)[:8]
    assert broken(other) == {"form"} and faults(other, name).form == 1.0, "bars 2 and 4 should repeat bar 1"
    away = y.copy()
    away[np.flatnonzero(y >= LOWEST)[-1]] = LOWEST + 7
    assert broken(away) == {"home"}
    for z in (with_bars(outside), with_bars(strange), with_bars(leap), other, away):
        assert melody_logp(z, name) == -np.inf


def test_a_melody_of_rests_has_nothing_to_judge_but_its_rhythm_form_and_end():
    silent = np.full(TAU, REST)
    assert faults(silent, "pentatonic steps") == Faults(0, 0, 1, 0, 1)
    assert melody_logp(silent, "pentatonic steps") == -np.inf and notes(silent) == []


def test_a_lesson_has_as_many_melodies_of_each_genre_and_fresh_ones_each_time():
    rng = np.random.default_rng(0)
    (y, genre), (z, _) = lesson(3, rng), lesson(3, rng)
    assert y.shape == (15, TAU) and genre.tolist() == np.repeat(range(5), 3).tolist()
    assert all(np.isfinite(melody_logp(row, NAMES[g])) for row, g in zip(y, genre, strict=True))
    assert copied(z, y) == 0


def test_home_is_the_nearest_c_and_of_two_the_lower():
    assert [home(k) for k in (0, 5, 6, 7, 12, 18, 19, 24)] == [0, 0, 0, 12, 12, 12, 24, 24]


@given(names, seeds)
@settings(max_examples=30, deadline=None)
def test_notes_rests_and_holds_tell_the_symbols_again(name, seed):
    y = drawn(name, seed)
    again = np.full(TAU, REST)
    for first, pitch, steps in notes(y):
        again[first : first + steps] = [LOWEST + pitch, *[HOLD] * (steps - 1)]
    np.testing.assert_array_equal(again, y)


def test_what_is_held_after_a_rest_or_before_any_note_is_silent():
    y = np.full(TAU, HOLD)
    y[4], y[6] = LOWEST + 3, REST
    assert notes(y) == [(4, 3, 2)]
    assert rhythm(y[:8]) == "----x-.-"


# ---- who writes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_bits_side_by_side_are_those_of_the_net_alone(kind):
    p, (y, genre) = net(), lesson(1, np.random.default_rng(1))
    way = "input" if kind == "none" else kind
    for row, g, bits in zip(y, genre, melody_bits(p, y, genre, kind), strict=True):
        x = np.zeros(5) if kind == "none" else np.eye(5)[g]
        run = context_forward(p, x, row, way)
        assert bits == pytest.approx(-np.log2(run.yhat[np.arange(TAU), row]).sum(), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_has_the_probabilities_of_the_net_at_that_temperature(kind):
    p, n, T = net(), 40_000, 0.7
    genre = np.repeat([1, 3], n // 2)
    y = written(p, genre, kind, np.random.default_rng(2), T)
    for g in (1, 3):
        logp = context_next(p, np.zeros(5) if kind == "none" else np.eye(5)[g], "input" if kind == "none" else kind)
        first = np.bincount(y[genre == g, 0], minlength=SYMBOLS)
        second = np.bincount(y[(genre == g) & (y[:, 0] == first.argmax()), 1], minlength=SYMBOLS)
        for counts, prefix in ((first, ()), (second, (int(first.argmax()),))):
            wanted = softmax(logp(prefix) / T)
            off = np.abs(counts / counts.sum() - wanted)
            assert (off < 5 * np.sqrt(wanted / counts.sum()) + 1e-3).all()


def test_a_net_that_is_told_nothing_gives_all_genres_the_same():
    p, (y, _) = net(), lesson(1, np.random.default_rng(1))
    bits = [melody_bits(p, y, np.full(5, g), "none") for g in range(5)]
    assert all((b == bits[0]).all() for b in bits)
    assert not np.allclose(*[melody_bits(p, y, np.full(5, g), "input") for g in (0, 1)])
    np.testing.assert_array_equal(context_of(np.array([2, 0]), "none"), np.zeros((2, 5)))
    np.testing.assert_array_equal(context_of(np.array([2, 0]), "both"), np.eye(5)[[2, 0]])


@pytest.mark.parametrize("kind", KINDS)
def test_the_nets_that_are_trained_are_those_that_write(kind):
    way = "input" if kind == "none" else kind
    torch.manual_seed(4)
    model = context_net(way, 6, n_x=5, n_o=SYMBOLS).double()
    y, genre = lesson(2, np.random.default_rng(0))
    x = context_of(genre, kind)
    logits = context_logits(model, way, torch.tensor(x), torch.tensor(y))
    theirs = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(y).flatten(), reduction="none")
    p = of_torch(kind, {k: v.numpy() for k, v in model.state_dict().items()})
    wanted = theirs.reshape(y.shape).sum(1).detach().numpy() / np.log(2)
    np.testing.assert_allclose(melody_bits(p, y, genre, kind), wanted, rtol=1e-10)


@given(st.floats(0.2, 3), seeds)
@settings(max_examples=30, deadline=None)
def test_a_temperature_raises_probabilities_to_its_inverse(T, seed):
    o = np.random.default_rng(seed).normal(size=(3, 6)) * 2
    p = softmax(o) ** (1 / T)
    np.testing.assert_allclose(tempered(o, T), p / p.sum(axis=1, keepdims=True), rtol=1e-9)


def test_counts_give_each_melody_the_probabilities_that_they_draw_with():
    y, _ = lesson(40, np.random.default_rng(0))
    m = counted(y, 2)
    z = counted_melodies(m, 4000, np.random.default_rng(1))
    assert z.shape == (4000, TAU) and z.max() < SYMBOLS
    first = np.bincount(z[:, 0], minlength=SYMBOLS) / 4000
    grams = np.array([[SYMBOLS, SYMBOLS, symbol] for symbol in range(SYMBOLS)])
    p = np.exp([kgram_logp(m, gram)[0] for gram in grams])
    assert np.abs(first - p / p.sum()).max() < 5 * np.sqrt(0.25 / 4000)
    by_hand = 0.0
    line = [SYMBOLS, SYMBOLS, *y[7]]
    for t in range(TAU):
        p = np.exp([kgram_logp(m, np.array([*line[t : t + 2], symbol]))[0] for symbol in range(SYMBOLS)])
        by_hand -= np.log2(p[y[7, t]] / p.sum())
    assert counted_bits(m, y)[7] == pytest.approx(by_hand)


def test_counts_of_order_one_by_hand():
    y = np.array([[LOWEST, HOLD] * 16, [LOWEST, HOLD] * 16])
    m = counted(y, 1, strength=1e-6)
    np.testing.assert_allclose(counted_bits(m, y), 0, atol=1e-3)
    y[1, 0] = REST
    m = counted(y, 1, strength=1e-6)
    assert counted_bits(m, y)[0] == pytest.approx(1, abs=0.01), "one of two beginnings"


# ---- who judges --------------------------------------------------------------------------------------------------


def test_the_classifier_is_right_on_held_out_melodies_and_its_features_are_shares():
    rng = np.random.default_rng(0)
    (y, genre), (z, held) = lesson(40, rng), lesson(40, rng)
    judge = judge_fit(y, genre)
    assert (heard_as(judge, z) == held).mean() > 0.97
    features = heard(z)
    assert features.shape == (200, 61)
    np.testing.assert_allclose(features[:, :12].sum(1), 1)
    np.testing.assert_allclose(features[:, 12:37].sum(1), 1)
    np.testing.assert_allclose(features[:, 37:].reshape(200, 3, 8).sum(1), 1)


def test_the_classifier_goes_down_the_gradient_of_its_loss():
    y, genre = lesson(4, np.random.default_rng(0))
    rate, decay = 0.3, 0.01
    one, two = (judge_fit(y, genre, steps=k, rate=rate, decay=decay) for k in (1, 2))
    W, b = (torch.tensor(v, requires_grad=True) for v in (one.W, one.b))
    z = torch.tensor((heard(y) - one.mean) / one.scale)
    loss = torch.nn.functional.cross_entropy(z @ W.T + b, torch.tensor(genre)) + decay / 2 * (W**2).sum()
    loss.backward()
    np.testing.assert_allclose(two.W, one.W - rate * W.grad.numpy(), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(two.b, one.b - rate * b.grad.numpy(), rtol=1e-9, atol=1e-14)


def test_the_classifier_hears_a_melody_that_is_moved_in_time_by_its_beats_alone():
    y = drawn("minor runs", 1)
    a, b = heard(np.array([y, y.reshape(4, 8)[[2, 3, 0, 1]].ravel()]))
    np.testing.assert_allclose(a[:12], b[:12])
    np.testing.assert_allclose(a[37:], b[37:])


def test_copies_and_doubles_are_counted_note_for_note():
    y, _ = lesson(2, np.random.default_rng(0))
    near = y[:4].copy()
    near[:2, 31] = REST
    near[:2, 0] = REST
    assert copied(near, y) == 0.5 and distinct(np.vstack([y, y[:5]])) == 10 / 15


# ---- how it sounds -----------------------------------------------------------------------------------------------


def test_frequencies_are_those_of_equal_temperament():
    np.testing.assert_allclose(frequency(np.array([-3, 9, 21])), [220, 440, 880])
    assert float(frequency(0)) == pytest.approx(261.6256, abs=1e-4)
    assert float(frequency(7) / frequency(0)) == pytest.approx(1.5, abs=2e-3), "a fifth is nearly 3 : 2"


def test_each_note_sounds_with_its_frequency_from_its_step_on_and_nothing_else_does():
    y = np.full(TAU, REST)
    y[4:8], y[12:16] = [LOWEST + 9, *[HOLD] * 3], [LOWEST + 16, *[HOLD] * 3]
    sound = tones(y, eighth=0.2, rate=8000)
    assert sound.shape == (51_200,) and np.abs(sound).max() < 1
    for step, pitch in ((4, 9), (12, 16)):
        part = sound[step * 1600 : (step + 4) * 1600]
        peak = np.abs(np.fft.rfft(part, 1 << 17)).argmax() * 8000 / (1 << 17)
        assert peak == pytest.approx(float(frequency(pitch)), rel=2e-3)
        assert part[0] == 0 and abs(part[-1]) < 1e-12, "a note that begins or ends suddenly clicks"
    quiet = np.ones(len(sound), bool)
    for step in (4, 12):
        quiet[step * 1600 : (step + 4) * 1600] = False
    assert not sound[quiet].any()


def test_the_samples_make_an_audio_element_of_a_notebook():
    from IPython.display import Audio

    html = Audio(tones(drawn(NAMES[0], 0)), rate=8000)._repr_html_()
    assert "<audio" in html and "base64" in html


# ---- what is stored ----------------------------------------------------------------------------------------------


def test_stored_nets_need_the_bits_that_their_record_says():
    found = stored_melody_nets()
    chosen = music.SETTINGS
    assert [(n.kind, n.seed) for n in found] == [(k, s) for k in KINDS for s in chosen.seeds]
    rng = np.random.default_rng(chosen.data)
    *_, (y, genre) = [lesson(n, rng) for n in chosen.melodies]
    for n in found:
        (row,) = store.rows("music", kind=n.kind, seed=n.seed)
        assert melody_bits(n.p, y, genre, n.kind).mean() == pytest.approx(row["held_out"], abs=2e-3)
    assert store.find("music.npz").stat().st_size < LARGEST_WEIGHTS


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: melody_logp(np.zeros(8, int), NAMES[0]), "y: want 32 symbols a melody, got 8"),
        (lambda: melody_logp(np.full(TAU, 99), NAMES[0]), "y: want symbols 0 … 26, got 99"),
        (lambda: heard(np.full((2, TAU), 1.5)), "y: want symbols 0 … 26, got 1.5"),
        (lambda: counted(np.full((2, 9), 1), 2), "y: want 32 symbols"),
        (lambda: melody_bits(net(), np.zeros((2, TAU)), np.array([0, 5]), "both"), "genre: want classes in 0"),
        (lambda: melody_bits(net(), np.zeros((2, TAU)), np.array([0]), "both"), "genre: want shape"),
        (lambda: faults(np.zeros(TAU, int), "polka"), "name: want one of"),
        (lambda: tempered(np.zeros(3), 0.0), "temperature: want a number above 0"),
        (lambda: written(net(), np.zeros(2, int), "aloud", np.random.default_rng(0)), "kind: want one of"),
        (lambda: lesson(0, np.random.default_rng(0)), "n: want at least 1"),
        (lambda: tones(np.zeros(5, int)), "y: want 32 symbols"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
