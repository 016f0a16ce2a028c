"""Other environments hold what pyproject.toml allows, what cannot be had is left out, and the lock is whole."""

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests import environments
from tests.environments import BOUNDED, LOCK, NAMES, PROJECT, PYTHONS, affordable, attempt, brings_cuda, locked, pins

from .conftest import ROOT

HERE = "{}.{}".format(*sys.version_info)
LOWER = dict(re.findall(r'^    "([\w-]+)>=([\d.]+)",$', (ROOT / "pyproject.toml").read_text(), re.M))
CUDA = {"name": "torch", "version": "9", "requires_dist": ["jinja2", "nvidia-nccl==1; python_version > '3'"]}
LIGHT = {"name": "torch", "version": "8", "requires_dist": ["jinja2", "nvidia-nccl; python_version < '3'"]}


def test_the_oldest_environment_has_the_lower_bounds_and_the_newest_has_no_other():
    oldest, newest = environments.wanted("oldest"), environments.wanted("newest")
    assert oldest[: len(BOUNDED)] == [f"{package}=={LOWER[package]}" for package in BOUNDED]
    assert newest[: len(BOUNDED)] == [f"{package}>={LOWER[package]}" for package in BOUNDED]
    assert oldest[len(BOUNDED) :] == newest[len(BOUNDED) :] == [pins("requirements.txt")[t] for t in environments.TOOLS]


@pytest.mark.parametrize("version", PYTHONS)
def test_another_python_has_the_pins_and_is_one_that_is_allowed(version):
    assert version in SpecifierSet(PROJECT["requires-python"])
    wanted = {Requirement(line).name: line for line in environments.wanted(version)}
    assert LOWER.keys() <= {canonicalize_name(name) for name in wanted}
    assert all("==" in line for line in wanted.values())


def test_a_python_is_found_where_there_is_one():
    assert environments.find_python(HERE) == Path(sys.executable)
    assert environments.find_python("3.99") is None


def test_a_build_of_torch_with_cuda_gives_way_to_the_pinned_one(monkeypatch, capsys):
    assert brings_cuda(CUDA) and not brings_cuda(LIGHT) and not brings_cuda({"name": "torch"})
    pinned = pins("requirements.txt")["torch"]
    monkeypatch.setattr(environments, "resolved", lambda python, _, torch: [LIGHT if torch == pinned else CUDA])
    assert affordable(Path("python"), ["numpy==2.0", "torch==2.6"], False) == ["numpy==2.0", pinned]
    assert "torch==2.6 brings several GB" in capsys.readouterr().out
    assert affordable(Path("python"), ["torch==2.6"], True) == ["torch==2.6"]
    monkeypatch.setattr(environments, "resolved", lambda *_: [CUDA])
    with pytest.raises(RuntimeError, match="no PyTorch without CUDA"):
        affordable(Path("python"), ["torch==2.6"], False)


@pytest.mark.parametrize(("cells", "well"), [([], True), (["Cell 3"], False)])
def test_what_came_out_is_said(cells, well, monkeypatch, capsys, tmp_path):
    seen = []

    def draw(seed, pages, jobs, python, cwd):
        seen.extend([seed, *(page.read_text() for page in pages), python.name, cwd == pages[0].parent])
        return {page.stem: cells for page in pages}

    monkeypatch.setattr(environments, "draw", draw)
    monkeypatch.setattr(environments, "run", lambda *_, **__: "numpy 2.0.0")
    monkeypatch.setattr(environments, "build_wheel", lambda there: there / "wheel")
    monkeypatch.setattr(environments, "affordable", lambda python, requirements, cuda: requirements)
    (tmp_path / "a.ipynb").write_text("a notebook")
    assert attempt("oldest", [tmp_path / "a.ipynb"], jobs=1, cuda=False) is well
    said = capsys.readouterr().out
    assert seen == [0, "a notebook", "python", True]
    assert f"Python {HERE}, numpy 2.0.0" in said and ("✗ a: Cell 3" in said) != well
    assert f"{int(well)} of 1 notebooks passed" in said


def test_what_cannot_be_had_is_left_out_and_no_failure(monkeypatch, capsys):
    monkeypatch.setattr(environments, "find_python", lambda _: None)
    assert environments.main(["run"]) == 0
    said = capsys.readouterr().out
    assert all(f"── {name} ──\n  left out: no Python" in said for name in NAMES)


def test_the_lock_is_what_was_found_less_what_is_pinned():
    found = [CUDA, {"name": "B_b", "version": "2"}, {"name": "a", "version": "1"}]
    assert locked({"torch": "torch==9"}, found) == LOCK + "B_b==2\na==1\n"


def reached(names, extra=""):
    """All packages that these want here, and what those want."""
    found, waiting = set(), [(name, extra) for name in names]
    while waiting:
        name, extra = waiting.pop()
        for need in map(Requirement, importlib.metadata.requires(name) or ()):
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                new = {(canonicalize_name(need.name), one) for one in ("", *need.extras)} - found
                found |= new
                waiting += new
    return {name for name, _ in found}


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is written on Linux")
def test_the_stored_lock_pins_all_that_is_installed_here_for_the_pins():
    direct, brought = pins("requirements.txt"), pins("constraints.txt")
    assert (ROOT / "constraints.txt").read_text() == LOCK + "".join(f"{line}\n" for line in brought.values())
    versions = {name: importlib.metadata.version(name) for name in brought}
    assert versions == {name: line.partition("==")[2] for name, line in brought.items()}
    assert len(reached(direct)) > 150 and reached(direct) <= direct.keys() | brought.keys()
