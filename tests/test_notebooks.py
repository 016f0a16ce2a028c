"""The stored notebooks: run, normalised, listed, and held to their outputs by a tool that bites."""

import base64
import copy
import io
import json
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from companion import notebooks
from tests.conftest import ROOT

STORED = sorted((ROOT / "book").rglob("*.ipynb"))

#: Why an output may be left uncompared, and what such a cell has to show.
SIGNS = {
    "takes seconds": re.compile(r"time\.\w+\("),
    # rounding differs between processors, and hundreds of updates make it large
    "trains": re.compile(r"practise_drill\(|study\.run\(|descend\(|\bAdam\(|order_train\(|descent_gradient\("),
    # another Python has other pages of help
    "reads Python's texts": re.compile(r"english\(|held_out|docstrings|texts|learn\b|points|seen\b|bracket"),
    "shows rounding errors": re.compile(r"ridge_fit|cliff_descent|angle"),
}
#: page → a piece of each cell whose output is left uncompared → why.
UNCOMPARED = {
    "10_02_2_gradient": {"def signs_now_and_then": "trains", "parity = (": "trains", "def train_only_w(": "trains"},
    "10_02_3_graphical": {
        "def learn_and_hold": "reads Python's texts",
        "nets, results = stored_prose_nets": "reads Python's texts",
        "models_home = {": "reads Python's texts",
        "def write_on(": "reads Python's texts",
        "def repeats(": "reads Python's texts",
        "found = [beam(": "reads Python's texts",
    },
    "10_06_recursive": {"def speedup(": "takes seconds"},
    "10_08_echo_state": {
        "as_they_stand = ": "shows rounding errors",
        "def knobs(": "shows rounding errors",
        "csr_array": "takes seconds",
        "one solve: ": "takes seconds",
    },
    "10_10_gated": {
        "study.trial(": "trains",
        "chosen = {}": "reads Python's texts",
        'kind, clock = chosen["steps': "reads Python's texts",
        "for (name, span), row in bracket": "reads Python's texts",
    },
    "10_11_optimization": {
        "rates, opening = ": "trains",
        "cliff_descent(": "shows rounding errors",
        "middle = {name: np.median": "shows rounding errors",
        "for rule, by_rate in by_v": "shows rounding errors",
    },
    "10_12_multiple_scales": {"def clockwork_steps": "takes seconds"},
    "10_13_2_tape": {"begun, _ = practise_drill": "trains"},
    "epilogue": {"ratio = {}": "takes seconds"},
    "tagging": {"texts = library_lines(": "reads Python's texts"},
    "speech": {
        "codes = read_prose()": "reads Python's texts",
        "orders = range(8)": "reads Python's texts",
        "def of_kind(": "reads Python's texts",
        "by_net = ": "reads Python's texts",
        "def goes_round(": "reads Python's texts",
        "units = find_units(": "reads Python's texts",
    },
}


def listed_pages() -> list[str]:
    """Return every page of the table of contents, in order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())

    def walk(entry):
        if "file" in entry:
            yield entry["file"]
        for key in ("parts", "chapters", "sections", "entries", "subtrees"):
            for below in entry.get(key, []):
                yield from walk(below)

    return [toc["root"], *walk(toc)]


def written(path: Path, *cells: nbformat.NotebookNode) -> Path:
    """Write a notebook of these cells, as an author would hand it in."""
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path


@pytest.fixture(scope="module")
def stored_once(tmp_path_factory):
    """Run and store a small notebook: two numbers, a figure and a widget."""
    figure = "%config InlineBackend.figure_formats = ['png']\nplt.plot([1, 2])\nplt.show()"
    path = written(
        tmp_path_factory.mktemp("stored") / "small.ipynb",
        new_markdown_cell("# A small page"),
        new_code_cell("print(2**10)"),
        new_code_cell("3 * 5"),
        new_code_cell("import matplotlib.pyplot as plt\n" + figure),
        new_code_cell("import ipywidgets\nipywidgets.IntSlider(value=3, description='n')"),
    )
    assert notebooks.main([str(path)]) == 0
    return path


@pytest.fixture
def small(stored_once, tmp_path):
    """Return a fresh copy of the small stored notebook."""
    return Path(shutil.copy(stored_once, tmp_path))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
class TestEachStoredNotebook:
    def test_is_run_up_to_date_and_normalised(self, path):
        assert notebooks.check(path) == []

    def test_counts_its_cells_from_one(self, path):
        counts = [cell.execution_count for cell in notebooks.code_cells(nbformat.read(path, as_version=4))]
        assert counts == list(range(1, len(counts) + 1))

    def test_holds_no_widget_view_and_no_widget_state(self, path):
        text = path.read_text(encoding="utf-8")
        assert notebooks.WIDGET_VIEW not in text
        assert "widget-state+json" not in text
        assert "widgets" not in json.loads(text)["metadata"]

    def test_is_listed_in_the_table_of_contents(self, path):
        here = path.relative_to(ROOT).with_suffix("")
        assert str(here) in [page.removesuffix(".ipynb") for page in listed_pages()]

    def test_leaves_no_output_uncompared_without_an_assertion_in_it_or_after_it(self, path):
        cells = list(notebooks.code_cells(nbformat.read(path, as_version=4)))
        for cell, after in zip(cells, [*cells[1:], None], strict=True):
            if "nbval-ignore-output" in cell.metadata.get("tags", []):
                sources = cell.source + (after.source if after else "")
                assert "assert" in sources, f"no assertion holds the claim:\n{cell.source}"

    def test_says_of_each_uncompared_output_why_it_differs_from_run_to_run(self, path):
        cells = notebooks.code_cells(nbformat.read(path, as_version=4))
        found = [c.source for c in cells if "nbval-ignore-output" in c.metadata.get("tags", [])]
        named = UNCOMPARED.get(path.stem, {})
        for source in found:
            whys = [why for piece, why in named.items() if piece in source]
            assert len(whys) == 1, f"name it in UNCOMPARED, or let nbval compare it:\n{source}"
            assert SIGNS[whys[0]].search(source), f"no sign that it {whys[0]}:\n{source}"
        assert len(found) == len(named), f"compared, and still in UNCOMPARED: {path.stem}"

    def test_skips_no_cell(self, path):
        text = path.read_text(encoding="utf-8")
        assert "nbval-skip" not in text
        assert "NBVAL_SKIP" not in text


def test_there_are_notebooks():
    assert STORED


def test_every_listed_page_exists():
    missing = [page for page in listed_pages() if not list(ROOT.glob(f"{page}*"))]
    assert missing == []


def test_nbval_passes_an_unchanged_notebook(small, run_nbval):
    done = run_nbval(small)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_nbval_fails_on_a_changed_digit(small, run_nbval):
    nb = json.loads(small.read_text())
    for cell in nb["cells"]:
        if cell["cell_type"] == "code":
            outputs = json.dumps(cell["outputs"])
            for true, false in (("1024", "1025"), ('"15"', '"16"'), ("value=3", "value=4")):
                outputs = outputs.replace(true, false)
            cell["outputs"] = json.loads(outputs)
    small.write_text(json.dumps(nb))
    done = run_nbval(small)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "3 failed, 1 passed" in done.stdout


def test_what_was_stored_carries_no_widget_no_version_and_no_timing(small):
    text = small.read_text()
    nb = nbformat.reads(text, as_version=4)
    assert notebooks.WIDGET_VIEW not in text
    assert "IntSlider" in text, "the widget's text stays"
    assert set(nb.metadata) == {"kernelspec", "language_info", "companion"}
    assert "version" not in nb.metadata.language_info
    assert all(set(cell.metadata) <= {"tags", "jupyter"} for cell in nb.cells)
    assert "matplotlib.org" not in text
    assert text.endswith("}\n")


def test_storing_twice_gives_the_same_file(small):
    first = small.read_bytes()
    assert notebooks.main(["--all", str(small)]) == 0
    assert small.read_bytes() == first
    assert notebooks.main(["--check", str(small)]) == 0


def test_only_changed_notebooks_are_run(small, capsys):
    assert notebooks.main([str(small)]) == 0
    assert "unchanged" in capsys.readouterr().out
    nb = nbformat.read(small, as_version=4)
    nb.cells[1].source += "  # changed"
    nbformat.write(nb, small)
    assert notebooks.main(["--check", str(small)]) == 1
    assert notebooks.main([str(small)]) == 0
    assert "ran in" in capsys.readouterr().out


def test_changed_prose_is_stored_without_a_run(small, capsys):
    nb = nbformat.read(small, as_version=4)
    nb.cells[0].source += " with more words"
    nbformat.write(nb, small)
    capsys.readouterr()
    assert notebooks.main([str(small)]) == 0
    assert "unchanged" in capsys.readouterr().out
    assert notebooks.check(small) == []


def test_a_failing_cell_is_named_and_the_stored_file_stays(small, capsys):
    nb = nbformat.read(small, as_version=4)
    nb.cells[2].source = "1 / 0"
    nbformat.write(nb, small)
    before = small.read_bytes()
    assert notebooks.main([str(small)]) == 1
    message = capsys.readouterr().err
    assert "small.ipynb" in message
    assert "code cell 2" in message
    assert "ZeroDivisionError" in message
    assert small.read_bytes() == before


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("object()", "memory address"),
        ("import sys\nprint('careful', file=sys.stderr)", "stderr"),
        ("import companion\nprint(companion.__file__)", "path of this machine"),
    ],
)
def test_an_output_that_no_other_machine_gives_is_refused(tmp_path, capsys, source, complaint):
    path = written(tmp_path / "bad.ipynb", new_code_cell(source))
    before = path.read_bytes()
    assert notebooks.main([str(path)]) == 1
    assert complaint in capsys.readouterr().err
    assert path.read_bytes() == before


def test_ids_depend_on_the_text_alone_and_differ_within_a_notebook():
    cells = [new_markdown_cell("same"), new_markdown_cell("same"), new_markdown_cell("other")]
    first = notebooks.normalise(new_notebook(cells=copy.deepcopy(cells)))
    second = notebooks.normalise(new_notebook(cells=[new_markdown_cell("before"), *copy.deepcopy(cells)]))
    ids = [cell.id for cell in first.cells]
    assert len(set(ids)) == 3
    assert [cell.id for cell in second.cells[1:]] == ids


def test_streams_that_came_in_pieces_are_one():
    pieces = [new_output("stream", name="stdout", text=text) for text in ("a\n", "b\n")]
    nb = notebooks.normalise(new_notebook(cells=[new_code_cell("x", outputs=pieces, execution_count=7)]))
    assert [output.text for output in nb.cells[0].outputs] == ["a\nb\n"]
    assert nb.cells[0].execution_count == 1


def test_a_stored_picture_is_smaller_and_looks_the_same():
    figure = Figure()
    figure.subplots().plot(np.random.default_rng(0).normal(size=(30, 6)))
    buffer = io.BytesIO()
    figure.savefig(buffer)
    before = base64.b64encode(buffer.getvalue()).decode()
    after = notebooks.compact_png(before)
    assert notebooks.compact_png(after) == after, "once is enough"
    assert len(after) < 0.6 * len(before)
    drawn, stored = (Image.open(io.BytesIO(base64.b64decode(text))) for text in (before, after))
    assert "Software" in drawn.info
    assert "Software" not in stored.info
    difference = np.subtract(drawn.convert("RGB"), stored.convert("RGB"), dtype=float)
    assert np.sqrt((difference**2).mean()) < 2, "root mean square, of 255"


def test_the_front_matter_of_a_text_file_does_not_reach_the_reader():
    raw = nbformat.v4.new_raw_cell("---\njupytext:\n  text_representation: {extension: .md}\n---")
    text = nbformat.v4.new_markdown_cell("# A title")
    kept = notebooks.normalise(nbformat.v4.new_notebook(cells=[raw, text])).cells
    assert [cell.source for cell in kept] == ["# A title"]
