"""Faults stand where a hand could make them, the tests of a module are found, and what they notice is counted."""

import json
import os
import subprocess
import sys

import pytest

from . import mutate
from .conftest import ROOT
from .mutants import draw, every, sites

TOY = {
    "companion/__init__.py": "",
    "companion/toy/__init__.py": "from companion.toy.most import most\n",
    "companion/toy/most.py": """
def most(values):
    best = values[0]
    for value in values:
        if value > best:
            best = value
    return 2 * best


def wait(n):
    while n != 7:
        n -= 1
    return n
""",
    "companion/other.py": "LIMIT = 3\n",
    "tests/test_toy.py": """
from companion.toy import most


def test_most():
    assert most([1, 5, 3]) == 10


def test_wait():
    from companion.toy.most import wait

    assert wait(9) == 7
""",
    "pyproject.toml": '[tool.pytest.ini_options]\nmarkers = ["slow: toy"]\n',
}
TRY = """
import json, sys
from pathlib import Path
from tests.mutate import attempt, trials
copy, known = Path("toy"), Path("known")
found = trials(copy.resolve(), known.resolve(), ["companion/toy/most.py"], 99, 0)
for trial in (t for t in found if t.mutant.now in sys.argv[1:]):
    attempt(copy.resolve(), trial)
again = trials(copy.resolve(), known.resolve(), ["companion/toy/most.py"], 99, 0)
tests = {t.mutant.now: list(t.tests) for t in found}
print(json.dumps({t.mutant.now: [t.outcome, tests[t.mutant.now]] for t in again}))
"""


@pytest.fixture
def toy(tmp_path):
    for name, text in TOY.items():
        (tmp_path / "toy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "toy" / name).write_text(text)
    return tmp_path


def tried(folder, *lines):
    """What came out for the faults that make these lines, and which tests could have noticed."""
    command = [sys.executable, "-c", TRY, *lines]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert {p: (folder / "toy" / p).read_text() for p in TOY} == TOY, "a fault was left behind"
    return json.loads(ended.stdout)


def test_a_fault_that_matters_is_noticed_and_one_that_changes_nothing_is_not(toy):
    out = tried(toy, "return 2 / best", "if value >= best:")
    assert out["return 2 / best"] == ["noticed", ["tests/test_toy.py::test_most"]]
    assert out["if value >= best:"][0] == "unnoticed"
    assert out["return 3 * best"][0] is None, "what was not tried is not known"


@pytest.mark.slow
def test_a_fault_that_never_ends_is_stopped(toy):
    assert tried(toy, "n += 1")["n += 1"] == ["endless", ["tests/test_toy.py::test_wait"]]


def test_the_tests_of_a_module_are_those_that_get_its_names_however_they_come(toy):
    assert mutate.tests_of(toy / "toy", "companion/toy/most.py") == ["tests/test_toy.py"]
    assert mutate.tests_of(toy / "toy", "companion/other.py") == []
    using = ("longterm", "optimization", "plotting", "reservoir", "timescales")
    assert mutate.tests_of(ROOT, "companion/longterm/powers.py") == [f"tests/test_{name}.py" for name in using]
    assert "tests/test_graphical.py" in mutate.tests_of(ROOT, "companion/graphical/tables.py")
    assert mutate.tests_of(ROOT, "companion/figures/kinds/gates/gates.js") == [
        "tests/browser/test_kinds.py",
        "tests/browser/kinds/test_gates.py",
    ]
    assert len(mutate.tests_of(ROOT, "companion/figures/kit.js")) > 5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x: dict[str, 3] = a + f(*b)", ["+"]),
        ("def f(a: int = 2, *, b=-1) -> 3:\n    raise ValueError(f'{a + 1}')", ["2", "-", "1"]),
        ("@lru(3)\ndef f(x):\n    'a + 1'\n    return x.T @ np.abs(x)  # * 2", [".T", "abs"]),
        ("if a is not None and b in {1}: zip(a, strict=True)", ["not", "and", "1"]),
        ("if x is y: x.exp(abs(3.5))", ["is", "abs", "3.5"]),
    ],
)
def test_faults_of_python_stand_where_something_is_computed(text, found):
    assert [site.old for site in sites("a.py", text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("const f = (x, y) => `M${p.x(x) - 1},2`; // 3 + 4", ["x", "-", "1"]),
        ('if (!a && b <= 0.5) { Math.abs("1 + 2"); }', ["!", "&&", "<=", "0.5", "abs"]),
        ("a = /[+*]/.test(b) ? c.width : 2 ** i++", ["width", "2", "**", "++"]),
    ],
)
def test_faults_of_javascript_stand_where_something_is_drawn(text, found):
    assert [site.old for site in sites("a.js", text)] == found


def test_a_draw_is_the_same_for_the_same_seed_and_more_add_to_fewer():
    path = "companion/longterm/powers.py"
    source = (ROOT / path).read_text()
    few, more, others = (draw(path, source, *args) for args in [(3, 0), (9, 0), (9, 1)])
    assert draw(path, source, 3, 0) == few and {*few} < {*more} and {*more} != {*others}
    for mutant in more + others:
        lines = source.splitlines()
        lines[mutant.line - 1] = lines[mutant.line - 1].replace(mutant.was, mutant.now)
        assert mutant.text(source).splitlines() == lines and mutant.was != mutant.now


def test_each_explanation_is_of_a_fault_that_can_be_drawn_today():
    for path, now in mutate.explained():
        possible = {mutant.now for mutant in every(path, (ROOT / path).read_text())}
        assert now in possible, f"{path} has no such fault any more; take it out of tests/unnoticed.toml: {now}"


def test_the_counts_that_the_book_shows_add_up():
    for path, row in json.loads(mutate.RECORD.read_text()).items():
        assert (ROOT / path).is_file(), f"{path} is gone: python -m tests.mutate --record"
        assert row["drawn"] == row["noticed"] + len(row["without effect"]) + len(row["unnoticed"]) > 0
