"""From a cell to a page: what the page on figures tells an author to do does what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from companion import notebooks
from tests.conftest import ROOT, lacking

TOLD = nbformat.read(ROOT / "book/figures.ipynb", as_version=4)
PAGE = "book/my_page"
CODE = [cell for cell in TOLD.cells if cell.cell_type == "code"]
SHOWN = next(k for k, cell in enumerate(CODE) if "data-explorable" in str(cell.outputs))
# What stands in the cells of the page on figures until the first figure is shown: an author's first attempt.
FIGURE = [cell.source for cell in CODE[: SHOWN + 1]]
LISTED = """format: jb-book
root: book/first
parts:
  - caption: Reference
    chapters:
      - file: book/last
"""


def commands():
    """The commands of the block in the section `From this cell to a page`, without what is said of them."""
    (text,) = [c.source for c in TOLD.cells if "## From this cell to a page" in c.source]
    block = re.search(r"```bash\n(.+?)```", text.split("## From this cell to a page")[1], re.DOTALL)[1]
    return [line.split("   #")[0].strip() for line in block.splitlines()]


def run(command, folder):
    """A command in a folder, with this Python's tools and this repository's package."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1"}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, check=False)


def recipe(target):
    """What make would do for a target; nothing is run, and the environment counts as ready."""
    if not shutil.which("make"):
        lacking("no make on this machine")
    done = run(f"make -n --no-print-directory -o .venv/.ready {target}", ROOT)
    assert done.returncode == 0, done.stderr
    return [line.replace(".venv/bin/", "") for line in done.stdout.splitlines()]


def elsewhere(page):
    """The scripts that a page would load from another address."""
    return [source for source in re.findall(r'<script[^>]* src="([^"]+)"', page) if "//" in source]


@pytest.fixture
def book(tmp_path):
    """A small book with a new page that was written and never run."""
    (tmp_path / "book").mkdir()
    for name in ("_config.yml", "book/references.bib", "book/style"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "_toc.yml").write_text(LISTED)
    for name in ("first", "last"):
        (tmp_path / f"book/{name}.md").write_text(f"# The {name}\n\nA page.\n")
    page = new_notebook(cells=[new_markdown_cell("# My page"), *map(new_code_cell, FIGURE)])
    nbformat.write(page, tmp_path / f"{PAGE}.ipynb")
    return tmp_path


def test_four_commands_are_told_and_the_first_opens_the_folder_of_the_pages():
    first, listing, third, fourth = commands()
    assert (first, third, fourth) == ("make lab", "make execute", "make book") and listing.endswith(">> _toc.yml")
    assert recipe("lab")[-1] == "jupyter lab book"


def test_the_second_lists_the_page_at_the_end_of_the_last_part(tmp_path):
    contents = tmp_path / "_toc.yml"
    contents.write_text((ROOT / "_toc.yml").read_text())
    before = yaml.safe_load(contents.read_text())
    assert run(commands()[1], tmp_path).returncode == 0
    before["parts"][-1]["chapters"].append({"file": PAGE})
    assert yaml.safe_load(contents.read_text()) == before


@pytest.mark.slow
def test_the_third_runs_the_page_and_stores_its_outputs_alone(book):
    page = book / f"{PAGE}.ipynb"
    assert notebooks.check(page), "a page that was never run should be found"
    for line in recipe("execute"):
        done = run(line, book)
        assert done.returncode == 0, done.stdout + done.stderr
    assert notebooks.check(page) == []
    assert 'data-explorable="sweep" id="leak"' in page.read_text().replace("\\", "")
    assert notebooks.WIDGET_VIEW not in page.read_text()


@pytest.mark.slow
def test_the_fourth_builds_the_page_with_its_figure_and_stops_at_one_that_was_never_run(book):
    (build,) = [line.split("||")[0] for line in recipe("book") if line.startswith("jupyter-book")]
    run(commands()[1], book)
    unrun = run(build, book)
    assert unrun.returncode and "No source code lexer found" in unrun.stdout + unrun.stderr
    for line in recipe("execute"):
        run(line, book)
    done = run(build, book)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (book / f"_build/html/{PAGE}.html").read_text()
    assert 'data-explorable="sweep" id="leak"' in page
    assert not elsewhere(page), "a page needs no network"
