"""Playbacks: scenes are chosen by name, and bad input is named."""

import re

import numpy as np
import pytest

from companion.figures import Panel, Playback, Scene


def example(panels=None, tokens="xyz", **options):
    panels = [Panel("p", np.eye(3), ["a", "b", "c"])] if panels is None else panels
    return Playback("a-playback", panels, list(tokens), title="T", caption="C", **options)


def test_scenes_are_chosen_by_name():
    scenes = {"one": Scene("ab", [Panel("p", np.ones((2, 2)))]), "two": Scene("abc", [Panel("p", np.zeros((2, 3)))])}
    figure = Playback("p", title="", caption="", scenes=scenes)
    figure.scene = "two"
    assert figure.state == {"scene": "two", "t": 1, "row": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"t": 4}, "t: want at most 3"),
        ({"say": ["one"]}, "want 3 sentences"),
        ({"panels": [Panel("p", np.eye(3))], "tokens": "xy"}, "want shape (rows, 2)"),
        ({"panels": []}, "at least one panel"),
        ({"panels": [Panel("p", np.eye(3), ["a"])]}, "want 3 row names"),
        ({"panels": [Panel("p", np.eye(3), low=1)]}, "low below high"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        example(**options)
