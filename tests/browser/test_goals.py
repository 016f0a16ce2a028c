"""The goals that chapters set: where they are reached, and the cause that is named where they are not."""

import nbformat
import pytest

from companion.sections import SECTIONS

from ..conftest import ROOT, stored_figure, stored_html
from .figures import MOUNT, Figure, names_of_figures

CASES = [
    ("10_02_recurrent", "wiring", {"pattern": "state to state", "step": 8}, False, "its own loss, the first too"),
    ("10_02_recurrent", "wiring", {"pattern": "one output", "step": 7}, False, "let its gradient come back"),
    ("10_02_recurrent", "wiring", {"pattern": "one output", "step": 8}, True, "through W three times"),
    ("10_04_seq2seq", "machine", {"way": "fixed context", "step": 20}, False, "through C alone"),
    ("10_04_seq2seq", "machine", {"way": "attention", "step": 17}, False, "no gradient has come to a word"),
    ("10_04_seq2seq", "machine", {"way": "attention", "step": 18}, True, "no step of time"),
    ("10_09_timescales", "leak-and-skip", {"alpha": 0, "d": 8}, False, "nothing arrives at all"),
    ("10_09_timescales", "leak-and-skip", {"alpha": 0.95, "d": 1}, False, "it listens slowly"),
    ("10_09_timescales", "leak-and-skip", {"alpha": 0.85, "d": 1}, False, "each of them keeps 98.5 %"),
    ("10_09_timescales", "leak-and-skip", {"alpha": 0.9, "d": 8}, False, "the leak alone must carry it"),
    ("10_09_timescales", "leak-and-skip", {"alpha": 0.9, "d": 1}, True, "each step keeps 99.0 %"),
    ("10_12_multiple_scales", "clockwork", {"periods": "1, 2, 4, 8", "step": 6}, False, "all faster ones move, too"),
    ("10_12_multiple_scales", "clockwork", {"periods": "1, 1, 1, 1", "step": 3}, False, "no group ever rests"),
    ("10_12_multiple_scales", "clockwork", {"periods": "1, 2, 3, 4", "step": 6}, False, "a multiple of the slower one"),
    ("10_12_multiple_scales", "clockwork", {"periods": "1, 2, 3, 4", "step": 12}, False, "a step from 1 to 8"),
    ("10_12_multiple_scales", "clockwork", {"periods": "1, 2, 3, 4", "step": 3}, True, "2 does not divide 3"),
    ("10_12_multiple_scales", "clockwork", {"periods": "1, 2, 3, 4", "step": 4}, True, "3 does not divide 4"),
    ("practice/epilogue", "kernel", {"r": 0.9, "period": 20}, False, "the magnitude decides how long"),
    ("practice/epilogue", "kernel", {"r": 0.99, "period": 40}, False, "the angle puts its turns elsewhere"),
    ("practice/epilogue", "kernel", {"r": 1, "period": 20}, False, "nothing is ever forgotten"),
    ("practice/epilogue", "kernel", {"r": 0.99, "period": 20}, True, "3 whole turns in 60 steps"),
    ("practice/music", "listen", {}, False, "a net that was told"),
    ("practice/music", "listen", {"writer": "the rules"}, False, "a net that was told"),
    ("practice/music", "listen", {"writer": "net: both"}, False, "Which genre has no such bars?"),
    (
        "practice/music",
        "listen",
        {"genre": "whole-tone drift", "writer": "net: both"},
        True,
        "no bar has to come again",
    ),
    ("practice/forecasting", "shifted-copy", {"series": 2, "shift": 0}, False, "it is no copy"),
    ("practice/forecasting", "shifted-copy", {"series": 1, "shift": 0}, False, "every turn comes one step late"),
    ("practice/forecasting", "shifted-copy", {"series": 1, "shift": 2}, False, "every turn comes too early"),
    ("practice/forecasting", "shifted-copy", {"series": 1, "shift": 1}, True, "is today's value"),
    ("practice/tagging", "three-taggers", {"scene": "call", "t": 2}, False, "This word is no name"),
    ("practice/tagging", "three-taggers", {"scene": "call", "t": 3}, False, "Each side alone gives it away"),
    ("practice/tagging", "three-taggers", {"scene": "call", "t": 5}, False, "What stands before the name is enough"),
    ("practice/tagging", "three-taggers", {"scene": "call", "t": 9}, False, "What comes after the name is enough"),
    ("practice/tagging", "three-taggers", {"scene": "condition", "t": 4}, True, "part of what says so stands before"),
    ("practice/tagging", "three-taggers", {"scene": "assignment", "t": 11}, True, "It is attribute"),
    ("practice/speech", "writer", {"temperature": 0.9}, False, "Leave less to chance"),
    ("practice/speech", "writer", {"temperature": 0}, True, "It goes round in"),
]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.number)
def test_each_chapter_sets_a_goal(section):
    stored = nbformat.read(ROOT / "book" / f"{section.page}.ipynb", as_version=4)
    assert any(stored_figure(section.page, name).get("goals") for name in names_of_figures(stored))


@pytest.mark.parametrize(("chapter", "name", "state", "done", "cause"), CASES)
def test_a_goal_is_reached_where_it_should_be_and_names_the_cause(page, chapter, name, state, done, cause):
    page.set_content(f"<body style='width:900px'>{stored_html(chapter, name)}</body>")
    page.evaluate(MOUNT)
    figure = Figure(page, name)
    figure.put(**state)
    reached, said = figure.check()
    assert reached == done and cause in said
