"""Sweeps: what Python computed on the grid is what the figure holds, and bad input is named."""

import re

import numpy as np
import pytest

from companion.figures import Slider, Sweep
from companion.figures.base import LIMIT

X = np.arange(5.0)
WORDS = {"title": "A title", "caption": "A caption", "xlabel": "x", "ylabel": "y", "say": lambda **at: f"At {at}."}


def example(name="a-sweep", curves=lambda k: {"y": k * X}, x=X, sliders=None, **options):
    sliders = sliders or {"k": Slider([1, 2, 3], start=2)}
    return Sweep(name, curves, x, sliders, **{**WORDS, **options})


def test_a_sweep_looks_up_what_python_computed():
    figure = example(curves=lambda k, m: {"y": k * X + m}, sliders={"k": [1, 2], "m": [0.0, 0.5, 1.0]})
    rows = figure.spec["data"]["curves"][0]["ys"]
    assert len(rows) == 6
    assert rows[1 * 3 + 2] == [1, 3, 5, 7, 9]


def test_without_words_a_sweep_names_the_values_of_its_sliders():
    figure = example(
        curves=lambda k, m: {"y": k * X + m}, sliders={"k": [1, 2], "m": Slider([0.5, 1], "shift m")}, say=None
    )
    assert figure.spec["data"]["say"][1] == "k: 1, shift m: 1"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "No Slug"}, "name: want a slug"),
        ({"x": [0.0, np.nan]}, "x: want finite"),
        ({"x": []}, "x: want shape"),
        ({"curves": lambda k: k * X}, "curves: want a dict of curves by name, got ndarray"),
        ({"curves": lambda k: {"y": X[:2]}}, "want 5 values for 'y'"),
        ({"sliders": dict.fromkeys("abcd", (1, 2))}, "number of sliders"),
        ({"roles": {"y": "banana"}}, "roles: want one of"),
        ({"sliders": {"layout": [1, 2]}, "curves": lambda layout: {"y": X}}, "names of their own"),
        ({"curves": lambda k: {"y": -X}, "logy": True}, "finite value above 0"),
        ({"x": np.arange(LIMIT), "curves": lambda k: {"y": np.arange(LIMIT)}}, "at most 100 KB"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        example(**options)
