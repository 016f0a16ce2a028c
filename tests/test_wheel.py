"""The package works anywhere: built as a wheel, installed beside strangers, its chapters run in an empty folder."""

import ast
import re
import shutil
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.environments import DEPENDENCIES, PROJECT, build_wheel, pins, run

# where the import is named otherwise
DISTRIBUTION = {"IPython": "ipython", "PIL": "pillow", "bs4": "beautifulsoup4", "sklearn": "scikit-learn"}
CHAPTERS = ("10_02_2_gradient", "10_10_gated", "10_13_explicit_memory")  # without records, with weights, with both


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy of the sources, without a network."""
    return build_wheel(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """A fresh environment with the wheel, which borrows this one's other packages; return its Python."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet")
    run(*pip, wheel, cwd=home)
    # a folder named in a .pth file is searched, but the .pth files in it (an editable install is one) are not read
    site = Path(sysconfig.get_path("purelib", vars={"base": home}))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def imported(source: str) -> set[str]:
    """The top-level names of the packages from elsewhere that these lines import."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"companion", "sphinx"}  # Sphinx loads its extension itself


def test_everything_that_the_package_and_the_chapters_import_is_a_dependency():
    sources = {path: path.read_text() for path in (ROOT / "companion").rglob("*.py")}
    for path in (ROOT / "book").rglob("*.ipynb"):
        cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        sources[path] = "\n".join(re.sub("^[%!].*", "", cell, flags=re.MULTILINE) for cell in cells)
    extras = [r for extra in PROJECT.get("optional-dependencies", {}).values() for r in extra]
    declared = DEPENDENCIES.keys() | {canonicalize_name(Requirement(r).name) for r in extras}
    lacking = {
        (str(path.relative_to(ROOT)), name)
        for path, source in sources.items()
        for name in imported(source)
        if canonicalize_name(DISTRIBUTION.get(name, name)) not in declared
    }
    assert not lacking


def test_every_dependency_has_a_lower_bound_and_a_pin_that_keeps_to_it():
    pinned = pins("requirements.txt")
    for name, wanted in DEPENDENCIES.items():
        assert [s.operator for s in wanted.specifier] == [">="], name
        (pin,) = Requirement(pinned[name]).specifier
        assert pin.version in wanted.specifier, name


def test_the_wheel_holds_every_file_of_the_package_under_a_name_of_its_own(wheel):
    here = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "companion").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    there = {name for name in ZipFile(wheel).namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert there == here
    assert wheel.name.split("-")[0] == PROJECT["name"].replace("-", "_") != "companion"


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_downloaded_chapter_runs_in_an_empty_folder_away_from_the_repository(chapter, elsewhere, tmp_path):
    where = run(elsewhere, "-c", "import companion; print(companion.__file__)", cwd=tmp_path).strip()
    assert Path(where).is_relative_to(elsewhere.parents[1]), where
    shutil.copy(ROOT / "book" / f"{chapter}.ipynb", tmp_path)
    pytest_ = (elsewhere, "-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-cell-timeout", "300")
    said = run(*pytest_, "-p", "no:cacheprovider", "-q", "--rootdir", tmp_path, f"{chapter}.ipynb", cwd=tmp_path)
    assert re.search(r"\b[1-9]\d* passed", said), said
