"""A notebook's randomness comes from one place, and BOOK_SEED draws all of it again."""

import ast

import nbformat
import numpy as np
import pytest

from companion.core.chance import book_seed, seeded
from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "book").rglob("*.ipynb"))
SOURCES = {"default_rng", "RandomState", "manual_seed", "seed", "torch_seed"}


@pytest.mark.parametrize("value", [None, "", "0"])
def test_unset_or_zero_is_numpys_own_generator(monkeypatch, value):
    monkeypatch.delenv("BOOK_SEED", raising=False) if value is None else monkeypatch.setenv("BOOK_SEED", value)
    for key in (0, 7, [3, 4]):
        assert np.array_equal(seeded(key).normal(size=5), np.random.default_rng(key).normal(size=5))
    assert book_seed(3) == 3


def test_another_seed_draws_everything_again_and_the_same_way_each_time(monkeypatch):
    drawn = {}
    for book in range(4):
        monkeypatch.setenv("BOOK_SEED", str(book))
        for key in (0, 1, 2, (0, 1), (2, 3)):
            drawn[book, key] = tuple(seeded(key).normal(size=3))
            assert drawn[book, key] == tuple(seeded(key).normal(size=3))
    assert len(set(drawn.values())) == len(drawn)


def test_no_key_of_the_book_is_another_draw_of_a_shorter_one(monkeypatch):
    printed = {np.random.default_rng([3, k]).integers(2**62) for k in range(3000)}
    for book in range(1, 4):
        monkeypatch.setenv("BOOK_SEED", str(book))
        assert seeded(3).integers(2**62) not in printed


def test_different_integer_seeds_stay_different_and_seeds_they_stay(monkeypatch):
    seen = set()
    for book in range(3):
        monkeypatch.setenv("BOOK_SEED", str(book))
        seen |= {book_seed(k) for k in range(1000)}
    assert len(seen) == 3000 and min(seen) == 0  # NumPy refuses what is negative


@pytest.mark.parametrize("value", ["-1", "two", "1.5"])
def test_a_seed_that_is_no_number_is_refused(monkeypatch, value):
    monkeypatch.setenv("BOOK_SEED", value)
    with pytest.raises(ValueError, match="^BOOK_SEED: want an integer of at least 0"):
        seeded(0)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_draws_from_anywhere_else_but_to_redo_what_is_stored(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        lines = ["", *cell.source.splitlines(), ""]
        for call in (n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            own = any(getattr(getattr(n, "func", None), "id", "") == "book_seed" for n in ast.walk(call))
            said = any("stored" in line.partition("#")[2] for line in lines[call.lineno - 1 : call.lineno + 2])
            assert name not in SOURCES or own or said, f"want seeded(…) or book_seed(…):\n{cell.source}"
