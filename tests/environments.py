"""Environments other than the pinned one: ``python -m tests.environments run`` tries the chapters in them.

Each is made afresh in a temporary folder: the oldest versions of `BOUNDED` that pyproject.toml allows, the newest that
can be had, and the pinned ones on other Pythons. Last digits may differ there, so outputs are not compared; every
assertion must hold. What cannot be had here is said and left out. A PyTorch that brings CUDA (several GB) is not
fetched without ``--cuda``: the pinned one takes its place.

``python -m tests.environments lock`` writes constraints.txt: what the pins in requirements.txt bring with them, newest.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .draws import ROOT, draw

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEPENDENCIES = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependencies"])}
BOUNDED = ("numpy", "scipy", "matplotlib", "torch")
PYTHONS = ("3.11", "3.12", "3.13")
NAMES = ("oldest", "newest", *PYTHONS)
TOOLS = ("nbval", "pytest", "pytest-xdist", "tqdm")  # to run notebooks with
LOCK = "# What the direct dependencies in requirements.txt bring with them, pinned.\n"
SAYS = "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in " + repr(BOUNDED) + "))"


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    """Run a command that sees neither this repository nor a progress bar; return what it printed."""
    clean = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}} | {"TQDM_DISABLE": "1"}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=clean | env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout


def build_wheel(there: Path) -> Path:
    """Build the package's wheel from a copy of the sources in a folder, without a network."""
    shutil.copy(ROOT / "pyproject.toml", there)
    shutil.copytree(ROOT / "companion", there / "companion", ignore=shutil.ignore_patterns("__pycache__"))
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index")
    run(*pip, "--wheel-dir", there / "dist", ".", cwd=there)
    return next((there / "dist").glob("*.whl"))


def pins(*files: str) -> dict[str, str]:
    """The pinned requirements of some files, by name."""
    lines = [line for file in files for line in (ROOT / file).read_text().splitlines() if re.match(r"[\w.-]+==", line)]
    return {canonicalize_name(line.partition("==")[0]): line for line in lines}


def wanted(name: str) -> list[str]:
    """What is installed in an environment, beside the package: for pip, the four of `BOUNDED` first."""
    pinned = pins("requirements.txt", "constraints.txt")
    tools = [pinned[tool] for tool in TOOLS]
    if name == "oldest":
        return [f"{p}=={next(iter(DEPENDENCIES[p].specifier)).version}" for p in BOUNDED] + tools
    if name == "newest":
        return [str(DEPENDENCIES[package]) for package in BOUNDED] + tools
    return [pinned[package] for package in BOUNDED] + [pinned[p] for p in DEPENDENCIES if p not in BOUNDED] + tools


def find_python(version: str) -> Path | None:
    """A Python of a version such as 3.12 on this machine, also one of pyenv's."""
    there = [Path(sys.executable), *filter(None, [shutil.which(f"python{version}")])]
    for python in [*there, *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]:
        said = subprocess.run([python, "-c", "import venv, sys; print(sys.version)"], capture_output=True, text=True)
        if said.stdout.startswith(f"{version}."):
            return Path(python)
    return None


def resolved(python: Path, *requirements: str) -> list[dict]:
    """What pip knows of each package that it would install."""
    pip = (python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-")
    return [package["metadata"] for package in json.loads(run(*pip, *requirements, cwd=ROOT))["install"]]


def brings_cuda(package: dict) -> bool:
    """Whether a package wants CUDA on this machine."""
    needs = map(Requirement, package.get("requires_dist", ()))
    return any(r.name.startswith(("cuda", "nvidia")) and (not r.marker or r.marker.evaluate()) for r in needs)


def affordable(python: Path, requirements: list[str], cuda: bool) -> list[str]:
    """The same requirements, with the pinned PyTorch where theirs would bring CUDA.

    Raises
    ------
    RuntimeError
        If the pinned one brings CUDA as well.
    """
    torch = next(r for r in requirements if r.startswith("torch"))
    for choice in dict.fromkeys((torch, pins("requirements.txt")["torch"])):
        if cuda or not any(map(brings_cuda, resolved(python, "--no-deps", choice))):
            return [choice if r == torch else r for r in requirements]
        print(f"  {choice} brings several GB of CUDA here; --cuda installs it", flush=True)
    raise RuntimeError("no PyTorch without CUDA can be had for this Python")


def attempt(name: str, pages: list[Path], *, jobs: int, cuda: bool) -> bool | None:
    """Run notebooks in one environment; say what came out, and return it, or None if there is no such environment."""
    print(f"── {name} ──", flush=True)
    version = name if name in PYTHONS else ".".join(map(str, sys.version_info[:2]))
    if (base := find_python(version)) is None:
        print(f"  left out: no Python {version} was found", flush=True)
        return None
    with tempfile.TemporaryDirectory() as folder:
        home, there = Path(folder, "env"), Path(folder, "book")
        python = home / "bin" / "python"
        run(base, "-m", "venv", home, cwd=Path(folder))
        try:
            chosen = affordable(python, wanted(name), cuda)
            Path(folder, "sources").mkdir()
            wheel = build_wheel(Path(folder, "sources"))
            run(python, "-m", "pip", "install", "--quiet", wheel, *chosen, cwd=Path(folder))
        except RuntimeError as error:
            print(f"  left out: {str(error).strip()[-600:]}", flush=True)
            return None
        there.mkdir()
        copies = [Path(shutil.copy(page, there)) for page in pages]
        print(f"  Python {version}, {run(python, '-c', SAYS, cwd=there).strip()}", flush=True)
        failed = {page: cells for page, cells in draw(0, copies, jobs, python, there).items() if cells}
    for page, cells in failed.items():
        print(f"  ✗ {page}: {', '.join(cells)}")
    print(f"  {len(pages) - len(failed)} of {len(pages)} notebooks passed", flush=True)
    return not failed


def locked(direct: dict[str, str], found: list[dict]) -> str:
    """The text of constraints.txt: all packages that were found and are not pinned already."""
    brought = [package for package in found if canonicalize_name(package["name"]) not in direct]
    return LOCK + "".join(sorted(f"{package['name']}=={package['version']}\n" for package in brought))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "lock"))
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="of the environments")
    chapters = sorted([*ROOT.glob("book/*.ipynb"), *ROOT.glob("book/practice/*.ipynb")])
    parser.add_argument("--pages", type=Path, nargs="+", default=chapters)
    parser.add_argument("--jobs", type=int, default=2, help="notebooks side by side")
    parser.add_argument("--cuda", action="store_true", help="take a PyTorch with CUDA if there is no other")
    settings = parser.parse_args(argv)
    if settings.what == "lock":
        direct = pins("requirements.txt")
        (ROOT / "constraints.txt").write_text(locked(direct, resolved(Path(sys.executable), *direct.values())))
        return 0
    came = [attempt(name, settings.pages, jobs=settings.jobs, cuda=settings.cuda) for name in settings.only]
    return int(False in came)


if __name__ == "__main__":
    sys.exit(main())
