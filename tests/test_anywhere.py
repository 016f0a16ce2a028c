"""What runs and publishes the book elsewhere: files that other programs read, and buttons once there is an address."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from packaging.specifiers import SpecifierSet

from .conftest import ROOT

BINDER, CONTAINER = ROOT / ".binder", ROOT / ".devcontainer/devcontainer.json"
WORKFLOW = ROOT / ".github/workflows/book.yml"
ALLOWED = SpecifierSet(re.search(r'requires-python = "(.+)"', (ROOT / "pyproject.toml").read_text())[1])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text()


def steps():
    """All steps of the workflow, in order."""
    return [step for job in yaml.safe_load(WORKFLOW.read_text())["jobs"].values() for step in job["steps"]]


def made(*commands):
    """The targets of all commands that call make."""
    return [target for command in commands for target in re.findall(r"\bmake ([\w-]+)", command)]


def test_the_workflow_runs_the_readmes_two_commands_and_publishes_what_they_made():
    two = made(README.split("Each command does all its set-up")[1].split("```")[1])
    assert len(two) == 2 and made(*(step.get("run", "") for step in steps())) == two and {*two} <= TARGETS
    (uploaded,) = [step["with"]["path"] for step in steps() if "upload-pages" in step.get("uses", "")]
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    assert f"PAGE := {uploaded}/index.html" in (ROOT / "Makefile").read_text()
    assert jobs["publish"]["needs"] == "test" and "main" in jobs["publish"]["if"]


def test_the_readme_says_how_to_publish_by_hand():
    *commands, copied = README.split("- **Publish**")[1].split("```")[1].strip().removeprefix("bash").split("\n")[1:]
    assert {*made(*commands)} <= TARGETS and "_build/html/" in copied


def test_binder_installs_what_the_book_installs():
    (line,) = (BINDER / "requirements.txt").read_text().splitlines()
    assert (BINDER / line.removeprefix("-r ")).resolve() == ROOT / "requirements.txt"
    assert (ROOT / "requirements.txt").read_text().splitlines()[1] == "-e ."


def test_the_dev_container_makes_the_book():
    container = json.loads(CONTAINER.read_text())
    assert made(container["postCreateCommand"]) == ["book"] and "chromium" in container["onCreateCommand"]


def test_every_python_is_one_that_the_package_allows():
    image = json.loads(CONTAINER.read_text())["image"]
    versions = [step["with"]["python-version"] for step in steps() if "setup-python" in step.get("uses", "")]
    versions += [re.fullmatch(r"python-([\d.]+)\n", (BINDER / "runtime.txt").read_text())[1]]
    versions += [re.fullmatch(r"python:([\d.]+)-\w+", image)[1]]
    assert len(versions) == 3 and all(map(ALLOWED.contains, versions))


@pytest.mark.parametrize("path", [*BINDER.iterdir(), CONTAINER, WORKFLOW], ids=lambda path: path.name)
def test_no_file_names_a_registry(path):
    assert not re.search(r"pypi|pythonhosted|conda|ghcr|docker\.io|mcr\.|quay|--(extra-)?index-url", path.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("address", [None, "https://github.com/somebody/book"])
def test_pages_have_launch_buttons_once_there_is_an_address(tmp_path, address):
    text = (ROOT / "_config.yml").read_text()
    if address:
        text = text.replace("      launch_buttons: {}\n", "").replace("# launch_buttons:", "launch_buttons:")
        text = re.sub(r"# repository_url: \S+", f"repository_url: {address}", text)
    (tmp_path / "_config.yml").write_text(text)
    pages = {"chapter": "book/10_05_deep", "exercises": "book/exercises/10_05"}
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: first\nchapters:\n" + "".join(f"  - file: {page}\n" for page in pages.values())
    )
    (tmp_path / "first.md").write_text("# A book\n\nOf two pages.\n")
    shutil.copytree(ROOT / "book", tmp_path / "book")
    done = subprocess.run([BIN / "jupyter-book", "build", ".", "-q"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    launched = {}
    for name, page in pages.items():
        soup = BeautifulSoup((tmp_path / f"_build/html/{page}.html").read_text(), "html.parser")
        launched[name] = [a["href"] for a in soup.select(".dropdown-launch-buttons a[href]")]
    wanted = f"{pages['chapter']}.ipynb"
    assert [wanted in link and "somebody/book" in link for link in launched["chapter"]] == [True] * (2 * bool(address))
    assert launched["exercises"] == [], "the notebook that it would open has the solutions"


def built(folder, command, **environment):
    """The pages that a command makes of the book's sources in a folder of their own: what each file holds."""
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "book", folder / "book")
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"} | environment
    done = subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    pages = folder / "_build/html"
    return {str(path.relative_to(pages)): path.read_bytes() for path in pages.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """The pages, built here and now."""
    files = built(tmp_path_factory.mktemp("here"), "jupyter-book build . -W -n -q", TZ="UTC", PYTHONHASHSEED="1")
    assert len(files) > 100
    return files


def differing(one, other):
    """The files that are not the same in two builds."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


@pytest.mark.slow
def test_two_builds_of_one_commit_are_equal_to_the_byte(once, tmp_path):
    """In another folder, zone of time and order of sets; nothing is normalised, and only the files' times differ."""
    again = built(tmp_path, "jupyter-book build . -W -n -q", TZ="Pacific/Auckland", PYTHONHASHSEED="2")
    assert differing(once, again) == []


@pytest.mark.slow
def test_sphinx_without_jupyter_book_makes_the_same_pages(once, tmp_path):
    commands = README.split("## What breaks first")[1].split("```bash\n")[1].split("```")[0]
    assert differing(once, built(tmp_path, commands)) == [".buildinfo"], "a fingerprint of the settings"
