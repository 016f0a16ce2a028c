"""Text is folded, coded, cut and drawn from as its functions say."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.data import text

few = settings(max_examples=20)


def test_importing_text_does_not_import_torch():
    code = "import sys, companion.data.text; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_english_is_prose_without_repeats():
    prose = text.english()
    paragraphs = prose.split("\n\n")
    assert len(prose) > 100_000 and len(paragraphs) == len(set(paragraphs))
    assert ">>>" not in prose and "::=" not in prose
    assert text.fold(prose).count(" the ") > 1000


def test_docstrings_are_another_text():
    ours, other = (set(t().split("\n\n")) for t in (text.english, text.docstrings))
    assert len(text.fold(text.docstrings())) > 80_000
    assert not ours & other


def test_english_reads_a_file_of_your_own(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Völlig eigener Text.\n", encoding="utf-8")
    assert text.english(path) == text.english(str(path)) == "Völlig eigener Text.\n"


def test_folding_keeps_the_alphabet_and_turns_the_rest_into_it():
    assert text.fold("Ünder “Naïve” — 12 ﬁne\n\tDays…") == 'under "naive" - fine days '.replace("days ", "days...")
    assert text.fold("Été", " tÉé") == "Été"


@few
@given(st.text(max_size=80))
def test_folding_twice_changes_nothing_and_never_leaves_the_alphabet(any_text):
    folded = text.fold(any_text)
    assert set(folded) <= set(text.ALPHABET) and "  " not in folded
    assert text.fold(folded) == folded


@few
@given(st.text(min_size=1, max_size=80).filter(text.fold))
def test_decoding_undoes_encoding(any_text):
    codes = text.encode(any_text)
    assert codes.dtype == np.int64 and codes.min() >= 0 and codes.max() < len(text.ALPHABET)
    assert text.decode(codes) == text.fold(any_text)


@few
@given(codes=st.text(text.ALPHABET, min_size=1, max_size=40).map(text.encode))
def test_one_hot_has_its_one_at_the_code(codes):
    x = text.one_hot(codes)
    assert x.shape == (len(codes), len(text.ALPHABET))
    assert (x.sum(axis=1) == 1).all() and (x[np.arange(len(codes)), codes] == 1).all()


@few
@given(n=st.integers(20, 5000), tenths=st.lists(st.integers(1, 4), max_size=2))
def test_the_parts_of_a_split_are_the_text_in_order_and_hold_out_their_shares(n, tenths):
    parts = text.split(np.arange(n), *(t / 10 for t in tenths))
    assert len(parts) == 1 + len(tenths) and np.array_equal(np.concatenate(parts), np.arange(n))
    assert [len(part) for part in parts[1:]] == [t * n // 10 for t in tenths]


def test_a_share_is_not_a_character_short_of_itself():
    for hundredths in range(1, 100):
        assert len(text.split(np.arange(100), hundredths / 100)[1]) == hundredths


@few
@given(tau=st.integers(1, 60), n=st.integers(1, 20), data=st.data())
def test_windows_are_stretches_of_the_text_at_the_places_that_the_generator_draws(tau, n, data):
    length, seed = data.draw(st.integers(1, tau)), data.draw(st.integers(0, 2**32 - 1))
    codes = np.random.default_rng(seed + 1).integers(0, 99, tau)
    starts = np.random.default_rng(seed).integers(0, tau - length + 1, n)
    rows = text.windows(codes, length, n, np.random.default_rng(seed))
    assert rows.tolist() == [codes[i : i + length].tolist() for i in starts]


def test_windows_start_everywhere_equally_often_the_last_place_included():
    starts = text.windows(np.arange(10), 4, 7000, np.random.default_rng(0))[:, 0]
    assert (np.abs(np.bincount(starts, minlength=7) - 1000) < 120).all() and starts.max() == 6


@few
@given(tau=st.integers(2, 60), data=st.data())
def test_tiles_predict_each_character_but_the_first_once(tau, data):
    length = data.draw(st.integers(2, tau))
    rows = text.tiles(np.arange(tau), length)
    assert rows.shape == ((tau - 1) // (length - 1), length)
    assert rows[:, 1:].ravel().tolist() == list(range(1, 1 + rows[:, 1:].size))
    assert (rows[1:, 0] == rows[:-1, -1]).all()


rng, codes = np.random.default_rng(0), np.arange(20)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("path", lambda: text.english("no/such/file")),
        ("text", lambda: text.fold(3)),
        ("text", lambda: text.encode("")),
        ("alphabet", lambda: text.encode("a", "abc")),
        ("alphabet", lambda: text.encode("a", " aa")),
        ("codes", lambda: text.decode(np.array([0, 99]))),
        ("codes", lambda: text.decode(np.array([0.5]))),
        ("codes", lambda: text.one_hot(np.array([0, len(text.ALPHABET)]))),
        ("codes", lambda: text.one_hot(np.array([0, np.nan]))),
        ("codes", lambda: text.split(np.zeros(5), 0.1)),
        ("codes", lambda: text.split(np.zeros((5, 2), dtype=int), 0.1)),
        ("codes", lambda: text.tiles([], 2)),
        ("shares", lambda: text.split(codes[:5], 0.1)),
        ("shares", lambda: text.split(codes, 0.5, 0.5)),
        ("shares", lambda: text.split(codes, -0.1)),
        ("shares", lambda: text.split(codes, float("nan"))),
        ("length", lambda: text.windows(codes, 21, 1, rng)),
        ("length", lambda: text.windows(codes, 0, 1, rng)),
        ("n", lambda: text.windows(codes, 3, 0, rng)),
        ("rng", lambda: text.windows(codes, 3, 1, 7)),
        ("length", lambda: text.tiles(codes, 1)),
        ("length", lambda: text.tiles(codes, 21)),
    ],
)
def test_bad_arguments_are_named(name, call):
    with pytest.raises(ValueError, match=f"^{name}: want"):
        call()


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(ValueError, match="^path: want"):
        text.english(tmp_path / "empty.txt")
