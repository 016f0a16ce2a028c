"""The first cell of every page: silent where the book's package is, and a sentence where it is missing or another's."""

import os
import subprocess
import sys
import tomllib

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import companion
from companion.exercises.editions import SOURCES, learner, pages, source
from companion.notebooks import normalise, source_hash
from companion.publishing import opening

from .conftest import ROOT

STORED = sorted((ROOT / "book").rglob("*.ipynb"))


def code(nb):
    """The cells of a notebook that hold code."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_every_page_opens_with_the_same_folded_cell(path):
    first, *rest = code(nbformat.read(path, as_version=4))
    assert first.source == opening.source() and first.outputs == [], f"run python -m companion.notebooks {path}"
    assert "hide-cell" in first.metadata.tags
    assert first.metadata.jupyter == {"source_hidden": True}, "JupyterLab shows what it says"
    assert not any(map(opening.is_opening, rest))


@pytest.mark.parametrize("page", pages(ROOT / SOURCES))
def test_a_learners_notebook_opens_with_it_and_it_is_nobodys_answer(page):
    first, *rest = code(learner(source(page, ROOT / SOURCES)))
    assert first.source == opening.source() and not any(map(opening.is_opening, rest))
    given = first.metadata.nbgrader
    assert given.grade_id == "begin-package-1" and given.locked and not given.solution and not given.grade


def test_it_is_short_and_fits_the_page():
    lines = opening.source().splitlines()
    assert sum(map(bool, lines)) <= 8 and max(map(len, lines)) <= 84


def test_the_name_that_it_asks_for_is_the_name_that_is_installed():
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert about["name"] == companion.DISTRIBUTION


def said(folder, *options):
    """What the cell prints and how it ends, in a Python that finds only what is in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, *options, "-c", opening.source()]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_nothing_happens_where_the_package_is(tmp_path):
    assert said(ROOT) == (0, "", "")


def test_it_says_what_is_missing(tmp_path):
    status, out, error = said(tmp_path, "-S")  # -S: without what is installed
    assert status and not out and "another package" not in error
    assert error.splitlines()[-1] == (
        "ImportError: This page needs the book's companion. "
        "Run %pip install FOLDER_OF_THE_BOOK, then restart the kernel."
    )


@pytest.mark.parametrize("name", ["companion.py", "companion/__init__.py"])
@pytest.mark.parametrize("options", [(), ("-S",)], ids=["in front of the book's", "alone"])
def test_it_names_a_stranger(tmp_path, name, options):
    stranger = tmp_path / name
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_text("__version__ = '0.1.0'\n")
    status, _, error = said(tmp_path, *options)
    assert status and f"ImportError: {stranger} is another package. This page needs" in error


def test_it_gives_the_address_once_there_is_one(tmp_path, monkeypatch):
    text = (ROOT / "_config.yml").read_text()
    monkeypatch.setattr(opening, "CONFIG", tmp_path / "_config.yml")
    assert "FOLDER_OF_THE_BOOK" in opening.source(), "there may be no _config.yml"
    address = "https://example.org/somebody/book"
    opening.CONFIG.write_text(text.replace("# repository_url:", "repository_url:"))
    (given,) = {yaml.safe_load(opening.CONFIG.read_text())["sphinx"]["config"]["html_theme_options"]["repository_url"]}
    assert f"%pip install git+{given}, then" in opening.source()
    opening.CONFIG.write_text(text.replace(f"# repository_url: {given}", f'repository_url: "{address}"'))
    assert f"%pip install git+{address}, then" in opening.source()
    compile(opening.source(), "cell", "exec")


def test_it_is_put_once_before_the_first_code_and_changes_no_fingerprint():
    page = new_notebook(
        cells=[
            new_markdown_cell("# A page"),
            new_code_cell("x = 1", execution_count=4),
            new_code_cell("import companion", execution_count=7),
        ]
    )
    once = normalise(page)
    assert [opening.is_opening(cell) for cell in once.cells] == [False, True, False, False]
    assert [cell.execution_count for cell in code(once)] == [1, 2, 3]
    assert source_hash(once) == source_hash(page) and normalise(once) == once
    moved = nbformat.from_dict(once)
    moved.cells.append(moved.cells.pop(1))
    moved.cells[-1].source += "  # in words of before"
    assert normalise(moved) == once


def test_a_notebook_without_companion_has_none():
    page = normalise(new_notebook(cells=[new_code_cell("x = 1")]))
    assert len(page.cells) == 1
