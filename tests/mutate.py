"""How strong the tests are: put one fault at a time into a copy of the project, and see whether a test fails.

`python -m tests.mutate` draws some faults of every module (`SEED` decides which; `--each` how many), runs the tests of
that module, and says which faults no test noticed. Only tests that run the line of the fault are run, the quickest
first; which those are is found by running a module's tests once, without a fault. A fault with which they never end
counts as noticed. What is known is kept in `.mutants`, so that an interrupted run goes on where it stopped.
`tests/unnoticed.toml` explains the faults that change nothing that is promised. `--record` keeps the counts in
`book/mutants.json`, for the table in the book.

Why no library: none puts faults into JavaScript too; mutmut leaves functions with decorators alone, as most of ours
are; of cosmic-ray's faults in our modules a third are bit operators, which fail on any float, and it never touches `@`.
"""

import argparse
import ast
import gc
import hashlib
import importlib
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import coverage
import pytest
from tqdm import tqdm

from .mutants import Mutant, draw

ROOT = Path(__file__).resolve().parents[1]
KNOWN = ROOT / ".mutants"
RECORD = ROOT / "book" / "mutants.json"
EXPLAINED = ROOT / "tests" / "unnoticed.toml"
OUTSIDE = ("companion/exercises", "companion/classroom", "companion/publishing", "companion/studies")
NO_NUMBERS = ("companion/notebooks.py", "companion/sections.py")
IN_BUILT_PAGES = ("companion/figures/page.js", "companion/figures/sphinx.py")  # a copy has none
HEAVY = """numpy torch scipy.stats matplotlib.pyplot sklearn hypothesis playwright.sync_api nbformat
    jsonschema.validators pypdf bs4 fontTools xdist.plugin IPython.display anywidget pydoc_data.topics PIL.Image"""
OPTIONS = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:nbval", "-m", "not slow", "--hypothesis-seed=0"]
OPTIONS += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # plugins that were imported before the fork
START = 3.0  # seconds until the first test runs


# ── which tests are a module's ──


def modules(root: Path) -> list[str]:
    """The files into which faults are put: what computes, and what draws."""
    found = [*root.glob("companion/**/*.py"), *root.glob("companion/**/*.js")]
    paths = sorted(str(path.relative_to(root)) for path in found)
    return [p for p in paths if not p.startswith(OUTSIDE) and p not in NO_NUMBERS + IN_BUILT_PAGES]


@cache
def _imported(root: Path, path: str) -> frozenset[str]:
    """The files whose names a file imports; what a package passes on comes from the file that defines it."""
    found = set()
    for node in ast.walk(ast.parse((root / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                found |= _whole(root, name.name)
        elif isinstance(node, ast.ImportFrom):
            above = Path(path).parts[: -node.level] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            for name in node.names:
                found |= _whole(root, f"{module}.{name.name}") or _origin(root, module, name.name)
    return frozenset(found)


def _file(root: Path, module: str) -> str | None:
    place = Path(*module.split("."))
    options = (str(place.with_suffix(".py")), str(place / "__init__.py"))
    return next((p for p in options if (root / p).is_file()), None)


def _whole(root: Path, module: str) -> frozenset[str]:
    """The files that one gets with a module: its own, and if it is a package those of which it passes names on."""
    if (file := _file(root, module)) is None:
        return frozenset()
    folder = str(Path(file).parent) + os.sep
    passed_on = _imported(root, file) if file.endswith("__init__.py") else ()
    return frozenset({file, *(f for f in passed_on if f.startswith(folder))})


def _origin(root: Path, module: str, name: str) -> frozenset[str]:
    """The file in which a name that is imported from a module is defined."""
    if (file := _file(root, module)) is None:
        return frozenset()
    for node in ast.parse((root / file).read_text("utf-8")).body if file.endswith("__init__.py") else ():
        if isinstance(node, ast.ImportFrom) and name in [a.asname or a.name for a in node.names]:
            above = [module] if node.level == 1 else []
            return _origin(root, ".".join(filter(None, [*above, node.module])), name)
    return frozenset({file})


def tests_of(root: Path, path: str) -> list[str]:
    """The test files of a module.

    Those of a figure bear its name, in `tests/browser`, and there are those of all kinds (what the kinds share has the
    tests of each). Of another module they are those that import from it, or from what imports from it; without a
    browser, if there are such.
    """
    if path.endswith(".js") or "kinds" in Path(path).parts:
        names = {Path(path).stem, Path(path).parent.name} | {p.name for p in (root / path).parent.glob("kinds/*")}
        own = [str(p.relative_to(root)) for name in names for p in root.glob(f"tests/browser/**/test_{name}.py")]
        every = "tests/browser/test_kinds.py"
        return sorted({*own, *([every] if (root / every).exists() else [])}, key=lambda test: ("kinds/" in test, test))
    tests = sorted(str(p.relative_to(root)) for p in root.glob("tests/**/test_*.py"))
    wanted, seen = {path}, set()
    while wanted - seen:
        seen |= wanted
        if found := [t for t in tests if _imported(root, t) & wanted]:
            return [t for t in found if not t.startswith("tests/browser")] or found
        code = [str(p.relative_to(root)) for p in sorted(root.glob("companion/**/*.py"))]
        wanted |= {c for c in code if not c.startswith(OUTSIDE) and _imported(root, c) & wanted}
    return []


# ── running tests on a copy ──


def copied(root: Path, folder: Path) -> Path:
    """A copy of what git would keep of a project."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=root, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, folder / name)
    return folder


def _inside(copy: Path, arguments: list[str], plugins: list, seconds: float) -> None:
    """Run pytest in a copy, as if this process had started there; give up after some seconds of work."""
    os.setsid()
    os.chdir(copy)
    with (copy / "tests.log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    for name in [n for n in sys.modules if n.split(".")[0] in ("tests", "companion")]:
        del sys.modules[name]
    sys.path[:] = [str(copy), *(p for p in sys.path if p and Path(p).resolve() != ROOT)]
    os.environ |= {"PYTHONPATH": str(copy), "MPLBACKEND": "agg", "CI": ""}
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 5))
    os._exit(int(pytest.main([*OPTIONS, "--rootdir", str(copy), *arguments], plugins)))


def run(copy: Path, arguments: list[str], plugins: Iterable = (), seconds: float = 3600) -> int | None:
    """What pytest answers in a copy; None if it did not come to an end."""
    shutil.rmtree(copy / ".hypothesis", ignore_errors=True)
    context = multiprocessing.get_context("fork")  # what takes long to import is imported already
    child = context.Process(target=_inside, args=(copy, arguments, list(plugins), seconds))
    child.start()
    child.join(4 * seconds + 60)
    ended = child.exitcode
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)  # and the browsers that it may have left
    child.join()
    return ended if ended is not None and ended >= 0 else None


@dataclass
class Only:
    """Some of the tests, in the order that is asked for."""

    tests: list[str]

    def pytest_collection_modifyitems(self, items):
        place = {test: i for i, test in enumerate(self.tests)}
        items[:] = sorted((item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid])


@dataclass
class Watch:
    """What each test of a file runs, line by line, and how long it takes."""

    folder: Path
    answer: Path
    seconds: dict[str, float] = field(default_factory=dict)

    def pytest_configure(self):
        self.cover = coverage.Coverage(data_file=None, source=[str(self.folder / "companion")], config_file=False)
        self.cover.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        self.cover.switch_context(item.nodeid)
        begun = time.perf_counter()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.perf_counter() - begun
            self.cover.switch_context("")

    def pytest_sessionfinish(self, exitstatus):
        self.cover.stop()
        data = self.cover.get_data()
        lines = {
            str(Path(f).relative_to(self.folder.resolve())): data.contexts_by_lineno(f) for f in data.measured_files()
        }
        self.answer.write_text(json.dumps({"seconds": self.seconds, "lines": lines}))


def _text_of(root: Path, paths: Iterable[str]) -> str:
    """A fingerprint of some files."""
    return hashlib.sha256("\0".join(f"{p}\0{(root / p).read_text('utf-8')}" for p in paths).encode()).hexdigest()[:16]


def watched(copy: Path, known: Path, test: str) -> dict:
    """A test file's tests, their seconds, and the lines that each runs; they must pass while there is no fault."""
    code = sorted(str(p.relative_to(copy)) for p in copy.glob("companion/**/*.[pj][ys]"))
    answer = known / f"{Path(test).stem}-{_text_of(copy, [*code, test])}.json"
    if not answer.exists():
        fresh = known / f"fresh-{os.getpid()}.json"
        if (ended := run(copy, [test], [Watch(copy, fresh)])) != 0:
            raise RuntimeError(f"{test} fails without a fault ({ended}):\n{(copy / 'tests.log').read_text()[-3000:]}")
        fresh.replace(answer)
    return json.loads(answer.read_text())


def _statement(source: str, line: int) -> range:
    """The lines of the smallest statement around a line; of a compound one, its head."""
    best, size = range(line, line + 1), None
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno:
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno
            if line <= max(last, node.lineno) and (size is None or last - node.lineno < size):
                size, best = last - node.lineno, range(node.lineno, max(last, node.lineno) + 1)
    return best


def _concerns(test: str, folder: Path) -> bool:
    """Whether a test, of one kind of figures by its parameter, is one of those that a folder's script draws."""
    kind = re.search(r"test_kinds\.py::.*\[(?:.*-)?([a-z]+)(?:-.*)?\]", test)
    return kind is None or folder.parent.name != "kinds" or kind[1] == folder.name


def chosen(source: str, mutant: Mutant, seen: list[dict]) -> dict[str, float]:
    """The tests that could notice a fault, the quickest first, and their seconds."""
    found = {}
    for file in seen:
        if mutant.path.endswith(".js"):
            found |= {test: s for test, s in file["seconds"].items() if _concerns(test, Path(mutant.path).parent)}
            continue
        lines = file["lines"].get(mutant.path, {})
        who = {test for line in _statement(source, mutant.line) for test in lines.get(str(line), [])}
        run_by_all = "" in who  # when it is imported, or in what several tests share
        found |= {test: s for test, s in file["seconds"].items() if run_by_all or test in who}
    return dict(sorted(found.items(), key=lambda item: item[1]))


# ── the trial ──


@dataclass
class Trial:
    """A fault, the test files of its module, those tests that could notice it (with their seconds), what came out."""

    mutant: Mutant
    files: list[str]
    key: Path
    tests: dict[str, float] = field(default_factory=dict)

    @property
    def outcome(self) -> str | None:
        """noticed, endless (which counts as noticed), unnoticed, or None as long as it is not known."""
        return self.key.read_text() if self.key.exists() else None

    @property
    def cost(self) -> float:
        return START + sum(self.tests.values())


def trials(copy: Path, known: Path, paths: Iterable[str], each: int, seed: int) -> list[Trial]:
    """The faults of some modules, each with what is known of it, or with the tests that could notice it."""
    known.mkdir(parents=True, exist_ok=True)
    found = []
    for path in paths:
        source, own = (copy / path).read_text("utf-8"), tests_of(copy, path)
        for mutant in draw(path, source, each, seed):
            name = hashlib.sha256(f"{mutant}{_text_of(copy, [path, *own])}".encode()).hexdigest()[:20]
            found.append(Trial(mutant, own, known / f"{name}.txt"))
    todo = [trial for trial in found if trial.outcome is None]
    files = sorted({test for trial in todo for test in trial.files})
    seen = {t: watched(copy, known, t) for t in tqdm(files, desc="tests without a fault", unit="file")}
    for trial in todo:
        source = (copy / trial.mutant.path).read_text("utf-8")
        trial.tests = chosen(source, trial.mutant, [seen[t] for t in trial.files])
    return found


def _put(place: Path, text: str) -> None:
    """Write a file with a date of its own, since bytecode is taken for a file's if size and second agree."""
    latest = int(place.stat().st_mtime)
    place.write_text(text, "utf-8")
    os.utime(place, (latest + 2, latest + 2))


def attempt(copy: Path, trial: Trial) -> None:
    """Run a trial and keep what came out."""
    path = trial.mutant.path
    source = (copy / path).read_text("utf-8")
    _put(copy / path, trial.mutant.text(source))
    try:
        files = sorted({test.split("::")[0] for test in trial.tests})
        ended = run(copy, files, [Only(list(trial.tests))], seconds=3 * trial.cost + 20) if files else 0
    finally:
        _put(copy / path, source)
    trial.key.write_text({None: "endless", 0: "unnoticed"}.get(ended, "noticed"))


def explained() -> dict[tuple[str, str], str]:
    """Why a fault need not be noticed, by its file and the line with it."""
    entries = tomllib.loads(EXPLAINED.read_text("utf-8"))["fault"] if EXPLAINED.exists() else []
    return {(e["path"], e["now"]): e["why"] for e in entries}


def summary(done: list[Trial], why: dict[tuple[str, str], str]) -> dict[str, dict]:
    """The counts of each module, and the faults that stayed unnoticed."""
    found: dict[str, dict] = defaultdict(lambda: {"drawn": 0, "noticed": 0, "without effect": [], "unnoticed": []})
    for trial in done:
        m, row = trial.mutant, found[trial.mutant.path]
        row["drawn"] += 1
        if trial.outcome != "unnoticed":
            row["noticed"] += 1
        elif (m.path, m.now) in why:
            row["without effect"].append({"was": m.was, "now": m.now, "why": why[m.path, m.now]})
        else:
            row["unnoticed"].append({"line": m.line, "was": m.was, "now": m.now})
    return dict(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="modules, such as companion/longterm/powers.py; without any, all")
    parser.add_argument("--each", type=int, help="faults in each module (4, and 6 in each script)")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 0), help="another draws other faults")
    parser.add_argument("--record", action="store_true", help=f"keep the counts in {RECORD.relative_to(ROOT)}")
    settings = parser.parse_args()
    paths = [p for p in modules(ROOT) if not settings.paths or p.startswith(tuple(settings.paths))]
    tqdm.monitor_interval = 0  # no thread beside the one that forks
    for name in HEAVY.split():
        importlib.import_module(name)
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(ROOT, Path(folder).resolve())
        found = []
        for group, each in ((".py", settings.each or 4), (".js", settings.each or 6)):
            found += trials(copy, KNOWN, [p for p in paths if p.endswith(group)], each, settings.seed)
        todo = [t for t in found if t.outcome is None]
        minutes = sum(t.cost for t in todo) / 60
        print(f"{len(found)} faults, {len(todo)} to try: at most {minutes:.0f} minutes, were all to stay unnoticed")
        for trial in tqdm(todo, desc="faults", unit="fault"):
            attempt(copy, trial)
    result = summary(found, explained())
    for path, row in result.items():
        equal = len(row["without effect"])
        print(f"{path:48} {row['noticed']} of {row['drawn'] - equal}" + (f" ({equal} without effect)" if equal else ""))
        for fault in row["unnoticed"]:
            print(f"    {path}:{fault['line']}\n      {fault['was']}\n    → {fault['now']}")
    if settings.record:
        kept = json.loads(RECORD.read_text()) if RECORD.exists() and settings.paths else {}
        kept |= {path: {"seed": settings.seed, **row} for path, row in result.items()}
        RECORD.write_text(json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
