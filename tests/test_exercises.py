"""Exercises: the reference passes, each known wrong answer gets its own word, no learner's notebook has a solution."""

import inspect
import json
import os
import re
import time
from itertools import product

import nbformat
import numpy as np
import pytest

from companion.exercises import GRADING, NotYet, check, course, exercise, exercises, judge, question
from companion.exercises.bank import sections
from companion.exercises.child import Ended, run
from companion.exercises.editions import HEADING, KINDS, SOURCES, dress, leaks, learner, pages, role, secrets, source
from companion.exercises.ladder import Implement
from companion.exercises.questions import FigureGoal, FindBug, MultipleChoice, Numerical, Parsons, variant
from companion.notebooks import normalise
from companion.sections import INTRODUCTION, SECTIONS
from companion.sections import exercises as page_of

from .conftest import ROOT

ALL = [item for section in sections() for item in exercises(section).values()]
WRITTEN = [item for item in ALL if isinstance(item, Implement)]
ASKED = [item for item in ALL if not isinstance(item, Implement)]
HAVE = pages(ROOT / SOURCES)
OF_PAGE = {page_of(section): section for section in (INTRODUCTION, *SECTIONS)}


def _id(item):
    return item.id


# ---- functions to write --------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", WRITTEN, ids=_id)
@pytest.mark.parametrize("code", ["", "a course", "another"])
def test_the_reference_passes_and_each_wrong_solution_gets_its_own_word(item, code):
    assert judge(item.id, item.reference, code).done
    assert len(item.wrong) >= 3 and len({w.says for w in item.wrong}) == len(item.wrong)
    for wrong in item.wrong:
        verdict = judge(item.id, wrong.solution, code)
        assert not verdict.done and verdict.says.endswith(wrong.says), (wrong.name, verdict)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda p, x, y, h0: os._exit(3), "ended the whole process (status 3)"),
        (lambda p, x, y, h0: None, "returns None"),
        (lambda p, x, y: p.b, "takes 3 positional arguments"),
        (lambda p, x, y, h0: np.zeros(10**10)[:5], "more memory than there is"),
        (lambda p, x, y, h0: h0[:3], "has shape (3,), want (5,)"),
        (lambda p, x, y, h0: "no numbers", "want arrays of numbers, got str"),
        (lambda p, x, y, h0: h0 * np.nan, "is nan, want"),
        (lambda p, x, y, h0: 1 / 0, "raised ZeroDivisionError: division by zero in line"),
        (lambda p, x, y, h0: (_ for _ in ()).throw(SystemExit), "raised SystemExit"),
        (3, "want a function, got int"),
    ],
)
def test_whatever_a_function_does_ends_in_a_sentence(answer, word):
    verdict = judge("10.2.2-start", answer)
    assert not verdict.done and word in verdict.says


@pytest.mark.parametrize("fork", [True, False])
def test_an_endless_loop_ends(fork):
    release = []

    def forever():
        while not release:
            time.sleep(0.01)

    start = time.perf_counter()
    ended = run(forever, [()], seconds=0.3, fork=fork)
    release.append(True)
    assert ended.values is None and "within 0.3 seconds" in ended.says and time.perf_counter() - start < 5


def test_a_function_gets_copies_and_may_print(capfd):
    x = np.zeros(3)

    def spoil(v):
        print("hello")
        v += 1
        return v

    assert run(spoil, [(x,)]).values[0].sum() == 3 and x.sum() == 0


def test_check_prints_when_right_and_raises_when_not(capsys):
    item = exercise("10.2.2-squared")
    check(item.id, item.reference)
    assert capsys.readouterr().out.startswith("✓ 10.2.2-squared: runs · shapes · values · gradients; ")
    with pytest.raises(NotYet, match="½ in front of the square") as raised:
        check(item.id, item.wrong[0].solution)
    assert raised.value._render_traceback_() == [f"✗ {raised.value}"]
    with pytest.raises(ValueError, match="id: want one of"):
        check("10.2.2-nothing", item.reference)
    with pytest.raises(ValueError, match="section: want one of"):
        check("9.1-nothing", item.reference)


def test_a_course_varies_the_numbers_and_the_cases():
    try:
        course("a")
        asked = exercise("10.2.2-checkpoints")
        assert asked.asked("a") != asked.asked("b") and variant("") == 0 and variant("a") == 97 % 8
        assert course() == "a" and question(asked.id).spec["course"] == "a"
    finally:
        course("")


def test_grading_draws_other_cases_so_that_a_table_of_the_seen_ones_fails(monkeypatch):
    item = exercise("10.2.2-start")
    seen = {}

    def note(*arguments):
        seen[arguments[1].tobytes()] = item.reference(*arguments)
        return seen[arguments[1].tobytes()]

    def here(function, calls, *_, **__):
        return Ended([function(*call) for call in calls])

    monkeypatch.setattr("companion.exercises.ladder.run", here)
    check(item.id, note)
    check(item.id, lambda p, x, y, h0: seen.get(x.tobytes(), 0 * h0))
    monkeypatch.setenv(GRADING, "a seed")
    with pytest.raises(NotYet):
        check(item.id, lambda p, x, y, h0: seen.get(x.tobytes(), 0 * h0))


@pytest.mark.parametrize("section", sections())
def test_the_longest_answer_is_not_the_right_one_by_habit(section):
    choices = [item for item in exercises(section).values() if isinstance(item, MultipleChoice)]
    given_away = [
        item.id
        for item in choices
        if max(len(o.words) for o in item.options if o.right) > max(len(o.words) for o in item.options if not o.right)
    ]
    assert len(given_away) <= 0.4 * len(choices), f"shorten what is right, or say more of what is wrong: {given_away}"


def states(item):
    """All states of a question's figure, {control: value}."""
    controls = {c["name"]: c.get("values") or c["options"] for c in item.spec()["controls"]}
    return [dict(zip(controls, at, strict=True)) for at in product(*controls.values())]


# ---- questions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ASKED, ids=_id)
def test_a_question_has_one_right_answer_and_a_word_for_each_wrong_one(item):
    assert item.answer and item.title and 1 <= item.stars <= 3 and len(item.hints) <= 3
    if isinstance(item, MultipleChoice):
        said = [item.judge(k) for k in range(1, len(item.options) + 1)]
        assert len(said) >= 3 and sum(v.done for v in said) == 1 and len({v.says for v in said}) == len(said)
    elif isinstance(item, Numerical):
        for asked in item.variants:
            assert item.judge(asked.value, "").done == (asked == item.asked("")) or len(item.variants) > 1
            assert len(asked.betrays) >= 1 and all(asked.betrays.values())
    elif isinstance(item, FindBug):
        lines, reasons = range(1, len(item.code.splitlines()) + 1), range(1, len(item.reasons) + 1)
        assert sum(item.judge((line, reason)).done for line in lines for reason in reasons) == 1
        assert len(item.lines) >= 2 and not item.judge((item.line, 0)).done
    elif isinstance(item, FigureGoal):
        verdicts = [item.judge(state) for state in states(item)]
        assert any(v.done for v in verdicts) and len({v.says for v in verdicts if not v.done}) >= 3
        assert sum(v.done for v in verdicts) <= 0.1 * len(verdicts), "found by moving the sliders blindly"
        assert not item.judge(question(item.id).spec["figure"]["start"]).done
    else:
        assert isinstance(item, Parsons)
        right = list(range(1, len(item.code.splitlines()) + 1))
        assert item.judge(right).done and not item.judge(item.shuffled).done and len(item.rules) >= 3
        for extra in range(len(right) + 1, len(item.lines) + 1):
            assert not item.judge([*right, extra]).done
        for first, then, because in item.rules:
            late = [k for k in right if k != first]
            late.insert(late.index(then) + 1, first)
            assert not item.judge(late).done, because
        for k in right:
            assert "A line is missing" in item.judge([j for j in right if j != k]).says


@pytest.mark.parametrize("item", ASKED, ids=_id)
def test_a_question_reads_as_text_and_stands_in_the_page_without_a_script(item):
    shown = question(item.id)
    assert repr(shown).startswith(item.title) and f'data-question="{item.id}"' in shown.html()
    assert "</script>" not in shown.html().partition("</script>")[0]


@pytest.mark.parametrize("path", sorted((ROOT / "book").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_a_stored_question_asks_what_the_bank_asks(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for name in re.findall(r'^question\("([^"]+)"\)$', cell.source, re.MULTILINE):
            (html,) = (output["data"]["text/html"] for output in cell.outputs)
            assert html == question(name).html(), f"run python -m companion.notebooks --all {path}"


def test_a_figure_is_judged_in_the_state_that_is_handed_in():
    item = exercise("10.8-both")
    right = next(state for state in states(item) if item.judge(state).done)
    check(item.id, right)
    with pytest.raises(NotYet, match="without a bias"):
        check(item.id, {**right, "bias": 0})
    with pytest.raises(NotYet, match="is no answer"):
        check(item.id, {"rho": 0.9})


# ---- sources and editions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", HAVE)
def test_a_page_of_exercises_is_mixed_dressed_and_known_to_the_bank(page):
    nb = source(page, ROOT / SOURCES)
    assert normalise(dress(nb)).cells == nb.cells, "run python -m companion.exercises dress"
    found = [m for cell in nb.cells if (m := HEADING.match(cell.source))]
    assert len(found) == sum(cell.source.count("## Exercise") for cell in nb.cells)
    assert 5 <= len(found) <= 9 and len({m["kind"].strip() for m in found}) >= 4
    assert {m["kind"].strip() for m in found} <= {*KINDS}
    section = OF_PAGE[page]
    used = {name for cell in nb.cells for name in re.findall(r'(?:check|question)\("([^"]+)"', cell.source)}
    text = (ROOT / "book" / f"{section.page}.ipynb").read_text("utf-8")
    used |= {*re.findall(r'question\(\\"([^"]+)\\"', text)}
    assert used == {*exercises(section.number)}


@pytest.mark.parametrize("page", HAVE)
def test_the_learners_notebook_has_no_solution_no_key_and_no_output(page):
    nb = source(page, ROOT / SOURCES)
    given = learner(nb)
    text = "\n".join(cell.source for cell in given.cells)
    assert secrets(nb) and not leaks(text, nb)
    assert not any(cell.get("outputs") for cell in given.cells)
    for cell, mine in zip(nb.cells, given.cells, strict=True):
        assert role(cell) in ("solution", "essay") or cell.source == mine.source
    nbformat.validate(given)


def test_a_planted_leak_is_found():
    nb = source("10_02_2", ROOT / SOURCES)
    line = secrets(nb)[0]
    assert leaks(f"something\n    {line}\n", nb) == [line]


# ---- what the built pages offer for download --------------------------------------------------------------------


def _texts(value):
    """All strings in what a notebook's file holds: sources, outputs and metadata alike."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in parts for text in _texts(part)]


def spilled(download, page):
    """What a download gives away: lines of solutions and essays, of reference functions, and answers of questions."""
    nb = source(page, ROOT / SOURCES)
    given = "\n".join(cell.source for cell in nb.cells if role(cell) not in ("solution", "essay"))
    bank = exercises(OF_PAGE[page].number).values()
    keys = [item.answer for item in bank if not isinstance(item, Implement)]
    for item in bank:
        if isinstance(item, Implement):
            keys += [line.strip() for line in inspect.getsource(item.reference).splitlines()]
        if isinstance(item, MultipleChoice):
            keys += [option.says for option in item.options]
    text = "\n".join(_texts(json.loads(download)))
    return leaks(text, nb) + [key for key in keys if len(key) > 12 and key not in given and key in text]


@pytest.mark.parametrize("page", HAVE)
def test_a_built_pages_download_gives_nothing_away(page, built_book):
    path = built_book / "_sources" / SOURCES / f"{page}.ipynb"
    download = path.read_text("utf-8")
    assert spilled(download, page) == []
    given = json.loads(download)
    assert not any(cell.get("outputs") for cell in given["cells"]) and "widgets" not in given["metadata"]
    assert f"_sources/{SOURCES.as_posix()}/{page}.ipynb" in (built_book / SOURCES / f"{page}.html").read_text("utf-8")


def _a_line_of_a_solution(nb, whole):
    nb.cells[-1].source += f"\n{secrets(whole)[0]}"


def _the_outputs(nb, whole):
    for cell, old in zip(nb.cells, whole.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = old.outputs


def _a_key_in_metadata(nb, whole):
    nb.cells[3].metadata["key"] = exercise("10.2.2-transposed").answer


def _a_reference(nb, whole):
    nb.cells[3].source = inspect.getsource(exercise("10.2.2-squared").reference)


@pytest.mark.parametrize("plant", [_a_line_of_a_solution, _the_outputs, _a_key_in_metadata, _a_reference])
def test_a_leak_planted_in_a_download_is_found(plant, built_book):
    download = (built_book / "_sources" / SOURCES / "10_02_2.ipynb").read_text("utf-8")
    nb = nbformat.reads(download, as_version=4)
    plant(nb, source("10_02_2", ROOT / SOURCES))
    assert spilled(nbformat.writes(nb), "10_02_2") != []


def test_what_stands_before_the_first_heading_has_no_role():
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["solution"]})])
    with pytest.raises(ValueError, match="heading of an exercise before its solution"):
        dress(nb)
