"""A class, the careless and the hostile in it: each submission ends in a mark and a sentence, and nothing leaks."""

import csv
import html
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
import zlib
from pathlib import Path

import nbformat
import numpy as np
import pytest

pytest.importorskip("nbgrader")

from nbgrader.api import Gradebook

from companion.classroom.__main__ import main, parser
from companion.classroom.course import open_course, prepared, release
from companion.classroom.doctor import is_open, repair
from companion.classroom.gate import hidden, leaking, strings
from companion.classroom.grading import Limits, find, grade, results
from companion.exercises import exercise, judge
from companion.exercises.editions import BEGIN, END, SOURCES, learner, pages, source
from companion.publishing.opening import is_opening

from .conftest import ROOT

PAGE = "10_02_2"
SOURCE = source(PAGE, ROOT / SOURCES)
NAMES = ("10-2-2-squared-solution-1", "10-2-2-start-solution-1", "10-2-2-sliding-solution-1")
ESSAY = "10-2-2-averaging-essay-1"


def solution(grade_id, nb=SOURCE):
    """A solution of the source, as a learner would write it."""
    text = next(cell.source for cell in nb.cells if cell.metadata.nbgrader.grade_id == grade_id)
    return "\n".join(line for line in text.splitlines() if BEGIN not in line and END not in line)


RIGHT = {name: solution(name) for name in NAMES}
START = "def start_gradient(p, x, y, h0):\n    "
SQUARED = "def bptt_squared(p, x, y):\n    "


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    """A class with one page released."""
    folder = tmp_path_factory.mktemp("class")
    return release(folder, "ml-2026", [PAGE])


def filled(course, answers=RIGHT, essay="One sequence: the same direction. Several: another objective."):
    """The released notebook with answers in their places."""
    nb = course.released(PAGE)
    for cell in nb.cells:
        cell.source = {**answers, ESSAY: essay}.get(cell.metadata.nbgrader.grade_id, cell.source)
    return nb


def at(nb, grade_id):
    return next(i for i, cell in enumerate(nb.cells) if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def doctored(course, nb):
    return repair(json.dumps(nb).encode(), course.released(PAGE), course.code)


def sources(nb):
    return [cell.source for cell in nb.cells]


# ---- the release -----------------------------------------------------------------------------------------------


def test_a_release_asks_everything_names_the_course_and_gives_nothing_away(handed_out):
    given, text = handed_out.released(PAGE), "\n".join(strings(handed_out.released(PAGE)))
    code = [cell for cell in given.cells if cell.cell_type == "code"]
    assert is_opening(code[0]) and code[1].source.endswith('course("ml-2026")')
    assert not any(cell.outputs for cell in code)
    assert len(given.cells) == len(SOURCE.cells) + 1 and "raise NotImplementedError" in text
    assert len(handed_out.hidden(PAGE)) > 40 and not leaking(text, handed_out.hidden(PAGE))
    assert handed_out.seed not in "".join(path.read_text() for path in (handed_out.folder / "release").rglob("*.ipynb"))


def test_a_planted_leak_stops_the_release(handed_out, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "class"
    shutil.copytree(handed_out.folder, folder)

    def careless(nb, code):
        nb = prepared(nb, code)
        nb.metadata["mine"] = {"note": [f"see: {solution(NAMES[0]).splitlines()[1]}"]}
        return nb

    monkeypatch.setattr("companion.classroom.course.prepared", careless)
    assert main(["release", str(folder), "--course", "ml-2026", "--pages", PAGE]) == 2
    assert "it would give away 1 lines" in capsys.readouterr().err
    assert not list((folder / "release").rglob("*.ipynb"))


def test_solutions_essays_references_keys_and_the_seed_are_kept_from_learners(handed_out):
    kept = handed_out.hidden(PAGE)
    for line in (
        "g_o = run.o - y  # this line alone changes",
        "each *sequence* counts the same",
        "total = tree.map(np.add, total, sum_over_copies(backward(p, here, one_loss), x[first:t], here))",
        "A symmetric W hides it from a gradient check.",
        handed_out.seed,
    ):
        assert any(line in secret or secret in line for secret in kept), line


@pytest.mark.parametrize("page", pages(ROOT / SOURCES))
def test_what_is_handed_out_of_a_page_gives_nothing_away_and_a_leak_in_it_is_seen(page):
    nb = source(page, ROOT / SOURCES)
    kept, given = hidden(nb), "\n".join(strings(learner(nb)))
    assert len(kept) > 10 and not leaking(given, kept)
    assert leaking(f"{given}\n<b>{kept[0]}</b>", kept) == [kept[0]]
    assert not leaking(f"{given}\n{kept[0]}", kept, own=kept[0])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--course", "a/b"], "course: want letters"),
        (["--course", "a", "--pages", "10_99"], "pages: want some of"),
    ],
)
def test_a_release_says_what_it_wants(tmp_path, capsys, words, says):
    assert main(["release", str(tmp_path), *words]) == 2
    assert says in capsys.readouterr().err


def test_a_folder_belongs_to_one_course(handed_out, tmp_path):
    with pytest.raises(ValueError, match="is the class of 'ml-2026'"):
        release(handed_out.folder, "another")
    assert open_course(handed_out.folder / "handed-in") == handed_out
    with pytest.raises(ValueError, match="want one inside the folder of a class"):
        open_course(tmp_path)


def test_submissions_are_found_in_folders_in_flat_names_and_as_canvas_and_moodle_give_them(tmp_path):
    names = [
        *("ada/10_02_2.ipynb", "bob_10_02_2.ipynb", "cem@uni.edu_10_03.ipynb", "x/.ipynb_checkpoints/10_02_2.ipynb"),
        *("lovelaceada_LATE_4711_98765_10_02_2-1.ipynb", "Grace Hopper_1234_assignsubmission_file_/10_03.ipynb"),
        "dan.ipynb",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("{}")
    found, says = find(tmp_path, ["10_02_2", "10_03"])
    assert [(one.student, one.page) for one in found] == [
        *(("1234", "10_03"), ("4711", "10_02_2"), ("ada", "10_02_2"), ("bob", "10_02_2"), ("cem@uni.edu", "10_03")),
    ]
    assert len(says) == 1 and "dan.ipynb" in says[0]
    assert find(tmp_path, ["10_02_2"])[0][-1].student == "dan"


# ---- the doctor ------------------------------------------------------------------------------------------------


def test_a_notebook_as_it_should_be_stays_as_it_is(handed_out):
    nb = filled(handed_out)
    fixed, says = doctored(handed_out, nb)
    assert not says and sources(fixed) == sources(nb)


def stripped(nb):
    for cell in nb.cells:
        cell.metadata = nbformat.NotebookNode()
        cell.id = nbformat.v4.new_code_cell().id
    return nb


def reordered(nb):
    i = at(nb, "10-2-2-squared-check-1")
    nb.cells.insert(0, nb.cells.pop(i))
    return nb


def duplicated(nb):
    i = at(nb, NAMES[0])
    stub = nbformat.from_dict(nb.cells[i])
    stub.source, stub.id = SQUARED + "raise NotImplementedError", "a-copy"
    nb.cells[i + 1 : i + 1] = [stub, nbformat.from_dict(nb.cells[i + 1])]
    return nb


def deleted(nb):
    nb.cells = [cell for cell in nb.cells if "check" not in cell.metadata.nbgrader.grade_id]
    return nb


def foreign_kernel(nb):
    nb.metadata.kernelspec = {"name": "conda-env-x", "display_name": "x", "language": "python"}
    return nb


def foreign_course(nb):
    nb.cells[2].source = nb.cells[2].source.replace("ml-2026", "ml-2025")
    return nb


REPAIRS = {
    stripped: "had lost nbgrader's metadata",
    reordered: "in another order",
    duplicated: "more than once",
    deleted: "Missing cells were put back: `10-2-2-squared-check-1`",
    foreign_kernel: "the kernel `conda-env-x`",
    foreign_course: "of the course `ml-2025`",
}


@pytest.mark.parametrize(("spoil", "word"), REPAIRS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_the_doctor_finds_every_answer_again_and_says_what_it_did(handed_out, spoil, word):
    whole = filled(handed_out)
    fixed, says = doctored(handed_out, spoil(filled(handed_out)))
    assert sources(fixed) == sources(whole) and any(word in sentence for sentence in says), says
    assert fixed.metadata.kernelspec.name == "python3"
    assert [cell.metadata for cell in fixed.cells] == [cell.metadata for cell in handed_out.released(PAGE).cells]


def test_the_learners_own_cells_keep_their_places_and_what_was_added_to_given_ones_is_kept(handed_out):
    nb = filled(handed_out)
    nb.cells.insert(at(nb, NAMES[0]), nbformat.v4.new_code_cell("def helper(v):\n    return 2 * v"))
    i = at(nb, "begin-given-2")
    nb.cells[i].source += "\nimport itertools"
    fixed, says = doctored(handed_out, nb)
    texts = sources(fixed)
    assert texts[i] == filled(handed_out).cells[i].source and texts[i + 1] == "import itertools"
    assert texts.index("def helper(v):\n    return 2 * v") == texts.index(RIGHT[NAMES[0]]) - 1
    assert len(says) == 1 and "`begin-given-2` was changed" in says[0] and "follow it" in says[0]


def test_an_answer_in_a_cell_of_its_own_counts(handed_out):
    nb = filled(handed_out, {}, "*Your answer:*")
    i = at(nb, "10-2-2-start-check-1")
    nb.cells.insert(i + 1, nbformat.v4.new_code_cell(RIGHT[NAMES[1]]))  # after the check, the stub untouched
    nb.cells.insert(at(nb, ESSAY) + 1, nbformat.v4.new_markdown_cell("Another objective."))
    fixed, _ = doctored(handed_out, nb)
    assert fixed.cells[at(fixed, NAMES[1])].source == RIGHT[NAMES[1]]
    assert fixed.cells[at(fixed, ESSAY)].source == "Another objective."


@pytest.mark.parametrize(
    "line", ["check = print", "def check(*_): pass", "del check", "from mine import check", "companion.check = 3"]
)
def test_an_overridden_helper_is_named(handed_out, line):
    nb = filled(handed_out)
    nb.cells.insert(3, nbformat.v4.new_code_cell(line))
    _, says = doctored(handed_out, nb)
    assert len(says) == 1 and "check` was given another meaning" in says[0]


def test_files_that_are_broken_are_read_as_far_as_they_go(handed_out):
    nb = filled(handed_out)
    text = nbformat.writes(nb)
    released = handed_out.released(PAGE)
    cut = text[: text.index('"10-2-2-sliding-given-1"')]
    fixed, says = repair(cut.encode(), released, "ml-2026")
    assert fixed.cells[at(fixed, NAMES[1])].source == RIGHT[NAMES[1]] and "not valid JSON" in says[0]
    marked = text.replace('"cells": [', '"cells": [\n<<<<<<< HEAD\n', 1)
    assert sources(repair(marked.encode(), released, "ml-2026").notebook) == sources(nb)
    raw = json.loads(text)
    for cell in raw["cells"]:
        cell.pop("outputs", None)
        cell.pop("id", None)
    fixed, says = repair(json.dumps(raw).encode(), released, "ml-2026")
    assert sources(fixed) == sources(nb) and says == ["The notebook did not fit the format; it was written anew."]
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)")])
    for data, word in ((b"", "no cells"), (b"\x89PNG", "no cells"), (nbformat.writes(other).encode(), "belongs")):
        fixed, says = repair(data, released, "ml-2026")
        assert fixed is None and word in says[-1]


def test_submissions_are_repaired_side_by_side_so_none_touches_the_filters_of_warnings(handed_out, monkeypatch):
    text, touched, real = nbformat.writes(filled(handed_out)), [], warnings.catch_warnings
    with monkeypatch.context() as watched:  # one that puts the filters back undoes what another thread has set
        watched.setattr(warnings, "catch_warnings", lambda **how: touched.append(how) or real(**how))
        for submitted in (text, text.replace('"nbformat_minor": 5', '"nbformat_minor": 4')):
            assert repair(submitted.encode(), handed_out.released(PAGE), "ml-2026").notebook
    assert not touched


def test_every_open_cell_of_a_release_is_known(handed_out):
    assert sum(is_open(cell) for cell in handed_out.released(PAGE).cells) == 6


# ---- the class -------------------------------------------------------------------------------------------------


def hand_in(course, students):
    for name, nb in students.items():
        path = course.folder / "handed-in" / name / f"{PAGE}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nb if isinstance(nb, str) else json.dumps(nb), "utf-8")


def small(course):
    """A right answer, a misconception in a notebook without metadata, and a file that is none."""
    half = SQUARED + "run = rnn_forward(p, x)\n    g_o = 2 * (run.o - y)\n"
    half += "    return sum_over_copies(backward(p, run.h, g_o), x, run.h)"
    bob = stripped(filled(course, {**RIGHT, NAMES[0]: half}))
    hand_in(course, {"ada": filled(course), "bob": bob, "cem": "{"})


def table_of(course, name):
    with (course.folder / "report" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_small_class_is_graded_and_reported_and_a_planted_leak_is_withheld(handed_out, capsys):
    small(handed_out)
    assert main(["grade", str(handed_out.folder / "handed-in")]) == 0
    assert "ada/10_02_2: 12 of 22 points; 4 points wait for a person." in capsys.readouterr().out
    got = results(handed_out)
    assert [result["score"] for result in got.values()] == [12, 10, 0]
    assert "had lost nbgrader's metadata" in got["bob/10_02_2"]["doctor"][0]
    assert got["bob/10_02_2"]["parts"][0]["wrong"] == "the half forgotten"
    assert "no cells that can be read" in got["cem/10_02_2"]["doctor"][-1]
    path = handed_out.path("autograded", PAGE, "bob")
    assert handed_out.seed not in path.read_text() and "data-question" not in path.read_text()
    marked = nbformat.read(path, 4)
    line = solution(NAMES[0]).splitlines()[2]
    check = marked.cells[at(marked, "10-2-2-squared-check-1")]
    check.outputs.append(nbformat.v4.new_output("stream", text=f"want {line}"))
    path.chmod(0o644)
    nbformat.write(marked, path)
    assert main(["report", str(handed_out.folder)]) == 1
    assert "bob/10_02_2/10_02_2.html is withheld: it would give away 'g_o = run.o - y" in capsys.readouterr().err
    assert [path.parts[-3] for path in sorted(handed_out.folder.glob("feedback/*/*/*.html"))] == ["ada", "cem"]
    assert [(row["student"], row["score"], row["waits"]) for row in table_of(handed_out, "marks")] == [
        *(("ada", "12.0", "yes"), ("bob", "10.0", "yes"), ("cem", "0.0", "")),
    ]
    assert table_of(handed_out, "exercises")[0] == {
        "exercise": "10.2.2-squared",
        "handed in": "3",
        "tried": "2",
        "right": "1",
        "mean": "0.50",
        "misconceptions": "the half forgotten: 1",
    }
    assert [row["Exercises 10.2.2"] for row in table_of(handed_out, "canvas")] == ["22.0", "12.0", "10.0", "0.0"]
    assert table_of(handed_out, "moodle")[1]["Exercises 10.2.2 (feedback)"].count("½ in front of the square") == 1
    pairs = {(row["cell"], row["one"], row["other"]) for row in table_of(handed_out, "similar")}
    assert (NAMES[2], "ada", "bob") in pairs and (NAMES[0], "(the book)", "ada") in pairs


def test_what_does_not_stop_is_stopped_and_says_so(handed_out, tmp_path, monkeypatch):
    shutil.copytree(handed_out.folder, tmp_path / "class", ignore=shutil.ignore_patterns("handed-in", "results.json"))
    course = open_course(tmp_path / "class")
    hand_in(course, {"eve": filled(course)})
    monkeypatch.setattr("companion.classroom.grading.GRACE", 1 - Limits().total)
    result = grade(course.folder / "handed-in")["eve/10_02_2"]
    assert result["score"] == 0 and result["doctor"][0] == "It was stopped after 1 seconds."
    assert "a person has to look at it" in result["doctor"][1] and result["waits"] == 4


def test_a_report_wants_marks(handed_out, tmp_path, capsys):
    shutil.copytree(handed_out.folder, tmp_path / "class", ignore=shutil.ignore_patterns("results.json"))
    assert main(["report", str(tmp_path / "class")]) == 2
    assert "report: want submissions that were marked" in capsys.readouterr().err


def cell_of(name, text):
    """A whole solution in which one cell says something else."""
    return {**RIGHT, name: text}


def wrong(k):
    """The k-th wrong solution that each exercise ships, or the right one where it has fewer."""
    answers = dict(RIGHT)
    for name, function in zip(NAMES, ("bptt_squared", "start_gradient", "sliding_bptt"), strict=True):
        item = exercise("10.2.2-" + name.split("-")[3])
        if k < len(item.wrong):
            answers[name] = (
                f"from companion.exercises import exercise\n\n{function} = exercise({item.id!r}).wrong[{k}].solution"
            )
    return answers


def table(code):
    """A function that knows the cases which its learner has seen, and nothing else."""
    item = exercise("10.2.2-start")
    rng = np.random.default_rng([zlib.crc32(item.id.encode()), zlib.crc32(code.encode())])
    seen = {arguments[1].tobytes(): item.reference(*arguments).tolist() for arguments in item.cases(rng)}
    assert judge(item.id, lambda p, x, y, h0: np.array(seen[x.tobytes()]), code).done
    return f"TABLE = {seen!r}\n\n{START}return np.array(TABLE[x.tobytes()])"


def with_cell(nb, name, text):
    """A cell of the learner's own before an answer."""
    nb.cells.insert(at(nb, name), nbformat.v4.new_code_cell(text))
    return nb


def the_class(course):
    """Twenty-four submissions: the notebook, the points by machine of 12, and a word of the sentence that must come."""
    right = lambda: filled(course)  # noqa: E731
    some = {
        name: (spoil(right()), 12, word)
        for name, (spoil, word) in {f.__name__: (f, w) for f, w in REPAIRS.items()}.items()
    }
    return {
        **some,
        "right": (right(), 12, "✓ runs"),
        "wrong-0": (filled(course, wrong(0)), 0, "the ½ in front of the square"),
        "wrong-1": (filled(course, wrong(1)), 0, "∇h⁽¹⁾ L was taken for ∇a⁽¹⁾ L"),
        "wrong-2": (filled(course, wrong(2)), 0, "the forward pass must be the whole one"),
        "wrong-3": (filled(course, wrong(3)), 2, "the full gradient: nothing is cut"),
        "syntax": (filled(course, cell_of(NAMES[0], SQUARED + "return (")), 10, "the cell above it fails: SyntaxError"),
        "raises": (filled(course, cell_of(NAMES[0], SQUARED + "return 1 / 0")), 10, "ZeroDivisionError"),
        "exits": (
            filled(course, cell_of(NAMES[0], "import os\n\n" + RIGHT[NAMES[0]] + "\n\nos._exit(1)")),
            12,
            "ended the kernel",
        ),
        "leaves": (with_cell(right(), NAMES[1], "exit()"), 12, "✓ runs"),
        "loops": (with_cell(right(), NAMES[1], "while True:\n    pass"), 12, "did not end within"),
        "function-loops": (
            filled(course, cell_of(NAMES[0], SQUARED + "while True:\n        pass")),
            10,
            "a loop that never ends",
        ),
        "memory": (with_cell(right(), NAMES[1], "big = np.ones(10 * 2**30 // 8)"), 12, "✓ runs"),
        "function-memory": (
            filled(course, cell_of(NAMES[1], START + "return np.ones(10 * 2**30 // 8)")),
            8,
            "more memory than there is",
        ),
        "overrides": (
            with_cell(filled(course, cell_of(NAMES[0], SQUARED + "return p")), NAMES[0], "check = print"),
            10,
            "`check` was given another meaning",
        ),
        "table": (filled(course, cell_of(NAMES[1], table(course.code))), 8, "KeyError"),
        "warns": (
            filled(
                course,
                cell_of(
                    NAMES[1],
                    START + "np.log(np.zeros(1))\n    return p.W.T @ rnn_bptt_nodes(p, x, y, h0).a[0]",
                ),
            ),
            12,
            "✓ runs",
        ),
        "floods": (with_cell(right(), NAMES[1], "while True:\n    print('x' * 1000)"), 12, "did not end within"),
        "empty": (filled(course, {}, "*Your answer:*"), 0, "nothing was written"),
        "unreadable": ("{", 0, "no cells that can be read"),
    }


GUIDE = (ROOT / "book" / "exercises" / "teaching.md").read_text("utf-8").split("## A class on a JupyterHub")[0]
COMMANDS = [line for block in re.findall(r"```bash\n(.+?)```", GUIDE, re.DOTALL) for line in block.splitlines()]
OURS = "python -m companion.classroom "


def test_the_guides_commands_are_ours_or_known():
    assert [c.split()[3] for c in COMMANDS if c.startswith(OURS)] == ["release", "doctor", "grade", "report"]
    others = [c for c in COMMANDS if not c.startswith(OURS)]
    assert [c.split()[0] for c in others] == ["unshare", "docker", "docker", "cd"]
    run = shlex.split(others[2])
    assert parser().parse_args(run[run.index("marking") + 1 :]).what == "grade"
    assert 'pip install -e ".[classroom]"' in GUIDE and "classroom = [" in (ROOT / "pyproject.toml").read_text()
    for option in re.findall(r"`(--\w+)`", GUIDE):
        assert any(option in sub.format_help() for sub in parser()._subparsers._group_actions[0].choices.values()), (
            option
        )


@pytest.mark.slow
def test_a_whole_class_goes_through_the_guides_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for command in (c for c in COMMANDS if c.startswith(OURS)):
        assert main(shlex.split(command)[3:]) == 0, command
        if " release " in command:
            course = open_course(tmp_path / "ml-2026")
            everyone = the_class(course)
            hand_in(course, {name: nb for name, (nb, *_) in everyone.items()})
    got = results(course)
    marks = {name: got[f"{name}/{PAGE}"]["score"] for name in everyone}
    assert marks == {name: points for name, (_, points, _) in everyone.items()}
    for name, (*_, word) in everyone.items():
        page = course.path("feedback", PAGE, name).with_suffix(".html").read_text("utf-8")
        shown = html.unescape(re.sub("<[^>]+>", "", page))
        assert word.replace("`", "") in shown, name
        says = " ".join([*got[f"{name}/{PAGE}"]["doctor"], *(part["says"] for part in got[f"{name}/{PAGE}"]["parts"])])
        assert word in says, name
        for exercise_name in NAMES:
            shipped = exercise("10.2.2-" + exercise_name.split("-")[3]).wrong
            k = int(name[-1]) if name.startswith("wrong-") else len(shipped)
            assert k >= len(shipped) or shipped[k].says in shown, (name, shipped[k].name)


@pytest.mark.slow
def test_on_every_page_the_books_solutions_get_all_points_that_a_machine_gives(tmp_path):
    course = release(tmp_path / "all", "everything")
    assert course.pages == pages(ROOT / SOURCES)
    for page in course.pages:
        nb, given = source(page, ROOT / SOURCES), course.released(page)
        for cell in given.cells:
            about = cell.metadata.nbgrader
            if about.solution and cell.cell_type == "code":
                cell.source = solution(about.grade_id, nb)
        path = course.folder / "handed-in" / "ada" / f"{page}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(given), "utf-8")
    assert main(["grade", str(course.folder / "handed-in")]) == 0
    for name, result in results(course).items():
        assert not result["doctor"], name
        assert all(part["score"] == part["points"] for part in result["parts"] if "essay" not in part["id"]), result
    assert main(["report", str(course.folder)]) == 0


@pytest.mark.slow
def test_marks_by_hand_stay_and_the_formgrader_opens_the_class_also_without_a_network(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    course = release(tmp_path / "ml-2026", "ml-2026", [PAGE])
    small(course)
    assert main(["grade", "ml-2026/handed-in"]) == 0
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}", course.code) as book:
        essay = book.find_grade(ESSAY, PAGE, PAGE, "ada")
        essay.manual_score, essay.needs_manual_grade = 3, False
        book.db.commit()
    command = next(c for c in COMMANDS if c.startswith("unshare"))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if not subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        done = subprocess.run(shlex.split(command), env=env, capture_output=True, text=True)
        assert "ada/10_02_2: 12 of 22 points" in done.stdout, done.stderr
    assert main(["report", "ml-2026"]) == 0
    assert [row["score"] for row in table_of(course, "marks")] == ["15.0", "10.0", "0.0"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = (
        next(c for c in COMMANDS if c.startswith("cd "))
        + f" --no-browser --allow-root --port {port} --IdentityProvider.token=t"
    )
    lab = subprocess.Popen(["bash", "-c", start], env=env, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        [one] = [s for s in asked(port, f"api/submissions/{PAGE}") if s["student"] == "ada"]
        assert one["score"] == 15 and one["autograded"]
    finally:
        os.killpg(lab.pid, signal.SIGKILL)
        lab.wait()


def asked(port, what):
    """What the formgrader's own interface answers, once it is there."""
    for _ in range(120):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/formgrader/{what}?token=t", timeout=30) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(1)
    raise AssertionError("the formgrader does not answer")
