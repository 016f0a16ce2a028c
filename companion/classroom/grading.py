"""Marking a folder of submissions: each in a process and a course folder of its own, then gathered in the gradebook."""

import contextlib
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from companion.exercises import GRADING
from companion.exercises.editions import HEADING

from .course import Course, convert, open_course, run
from .doctor import Repaired, is_open, repair
from .gate import items
from .running import STOPPED, WON, failed, is_check

__all__ = ["Limits", "Submission", "examine", "find", "grade", "results"]

RESULTS = "results.json"
STAMP, SECRET = "timestamp.txt", "submission_secret.txt"  # by which nbgrader's exchange brings feedback back
SUMMARY = "summary"  # marks, in its metadata, the cell that tells a learner how it went
GRACE = 60  # seconds for starting and writing, beyond the learner's
ERROR = re.compile(r"^\s*([\w.]+(?:Error|Exception): .+)$", re.MULTILINE)
MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_file.*")
CANVAS = r"(?P<name>[^_]+)(?:_LATE)?_(?P<id>\d+)_\d+_.*{page}.*"


class Limits(NamedTuple):
    """What one submission may take."""

    cell: int = 30  # seconds
    total: int = 300  # seconds
    memory: float = 4.0  # GiB


LIMITS = Limits()


class Submission(NamedTuple):
    """One file that came back."""

    student: str
    page: str
    path: Path


# ---- what came back --------------------------------------------------------------------------------------------


def find(folder: Path, pages: Sequence[str]) -> tuple[list[Submission], list[str]]:
    """The submissions in a folder, and a sentence on each notebook that is none.

    Understood are ``STUDENT/10_02_2.ipynb``, ``STUDENT_10_02_2.ipynb``, ``STUDENT.ipynb`` (if one page was released),
    and what Moodle and Canvas give to download.

    Parameters
    ----------
    folder : what the learners have handed in.
    pages : those that were released.
    """
    found: dict[tuple[str, str], Submission] = {}
    says = []
    for path in sorted(folder.rglob("*.ipynb"), key=lambda path: (path.stat().st_mtime, path)):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):
            continue
        page = _page(path.stem, pages)
        student = _student(parts[0] if len(parts) > 1 else path.stem, page)
        if not page or not student:
            says.append(f"{path}: want a name that says the page, one of {', '.join(pages)}; it is left out.")
            continue
        if (student, page) in found:
            says.append(f"{path}: a newer file of {student} than {found[student, page].path.name}; this one counts.")
        found[student, page] = Submission(student, page, path)
    return sorted(found.values()), says


def _page(stem: str, pages: Sequence[str]) -> str:
    named = [page for page in pages if re.search(rf"(?<!\d){page}(?!_?\d)", stem)]
    return named[0] if named else pages[0] if len(pages) == 1 else ""


def _student(name: str, page: str) -> str:
    canvas = re.compile(CANVAS.format(page=page), re.IGNORECASE)
    if found := MOODLE.fullmatch(name) or (page and canvas.fullmatch(name)):
        return found["id"]
    name = re.sub(rf"[-_ ]*{page}.*", "", name) if page else name
    return re.sub(r"[^\w.@-]+", "-", name).strip("-")


def examine(course: Course, submission: Submission) -> Repaired:
    """What the doctor makes of a submission."""
    return repair(submission.path.read_bytes(), course.released(submission.page), course.code)


# ---- one submission, in its own process ------------------------------------------------------------------------


class Job(NamedTuple):
    """What a process needs to mark one submission, and where it leaves the result."""

    course: Course
    submission: Submission
    limits: Limits
    folder: Path


def _work(job: Job) -> None:
    """Mark one submission in a folder that looks like that of a class."""
    from nbgrader.converters import Autograde
    from nbgrader.preprocessors import Execute

    from .running import Run

    with (job.folder / "log.txt").open("w", encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    course, page, student = job.course, job.submission.page, job.submission.student
    here = course._replace(folder=job.folder)
    os.environ.update({GRADING: course.seed, "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"})
    os.environ.update({"JUPYTER_RUNTIME_DIR": str(job.folder / "run"), "IPYTHONDIR": str(job.folder / "ipython")})
    _limit(job.limits.memory)
    converter = convert(here, Autograde, page, student)
    if sys.platform == "linux":
        converter.config.KernelManager.transport = "ipc"  # needs no network, not even this machine's own
        converter.config.KernelManager.ip = str(job.folder / "socket")
    converter.config.Run.timeout = job.limits.cell
    converter.config.Run.total = float(job.limits.total)
    converter.config.Run.course = course.code
    converter.config.Run.seed = course.seed
    converter.config.Run.sections = _sections(course.released(page))
    converter.autograde_preprocessors = [Run if p is Execute else p for p in converter.autograde_preprocessors]
    if says := run(converter):
        (job.folder / "says.txt").write_text(says, "utf-8")


def _limit(gigabytes: float) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    most = int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))  # what is written to; libraries that are mapped do not count


def _sections(nb: NotebookNode) -> list[str]:
    return sorted({id.partition("-")[0] for id in items(nb)})


def _prepare(job: Job, notebook: NotebookNode, book: bytes) -> None:
    """The folder of a job: the gradebook as it was before anything was marked, and the one submission."""
    course, page = job.course, job.submission.page
    path = course._replace(folder=job.folder).path("submitted", page, job.submission.student)
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    (job.folder / "gradebook.db").write_bytes(book)


def _mark(
    course: Course, submission: Submission, limits: Limits, book: bytes, context: Any
) -> tuple[NotebookNode, list[str]]:
    """The notebook of a submission after marking, and what there is to say about it."""
    notebook, says = examine(course, submission)
    submitted = course.path("submitted", submission.page, submission.student)
    submitted.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook or course.released(submission.page), submitted)
    if notebook is None:
        return _unmarked(course.released(submission.page), says[-1]), says
    with tempfile.TemporaryDirectory(prefix="marking-") as name:
        job = Job(course, submission, limits, Path(name))
        _prepare(job, notebook, book)
        process = context.Process(target=_work, args=(job,))
        process.start()
        process.join(limits.total + GRACE)
        if process.is_alive():
            says.append(f"It was stopped after {limits.total + GRACE} seconds.")
            _kill(process.pid)
            process.join()
        done = course._replace(folder=job.folder).path("autograded", submission.page, submission.student)
        if done.exists() and process.exitcode == 0:
            return nbformat.read(done, as_version=4), says
        says.append(f"It could not be marked ({_reason(job, process.exitcode)}); a person has to look at it.")
        return _unmarked(notebook, says[-1]), says


def _reason(job: Job, status: int | None) -> str:
    """Why a process has failed: the last error that nbgrader tells of, but for its own."""
    path = job.folder / "says.txt"
    told = ERROR.findall(path.read_text("utf-8")) if path.exists() else []
    return next((line for line in reversed(told) if "NbGraderException" not in line), f"exit status {status}")


def _kill(pid: int) -> None:
    import psutil

    process = psutil.Process(pid)
    for one in (*process.children(recursive=True), process):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()


def _unmarked(notebook: NotebookNode, says: str) -> NotebookNode:
    """A notebook that was not run: every check says so, since nbgrader takes silence for success."""
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("error", ename="NotMarked", evalue=says, traceback=[f"✗ {says}"])]
    return notebook


# ---- the whole class -------------------------------------------------------------------------------------------


def grade(folder: Path, limits: Limits = LIMITS, jobs: int = 0) -> dict[str, dict]:
    """Mark every submission in a folder; the results by student and page, as `results` reads them again.

    Parameters
    ----------
    folder : what the learners have handed in, inside the folder of the class.
    limits : for each submission.
    jobs : how many at once; 0 for one on each processor.
    """
    course = open_course(folder)
    submissions, says = find(folder, course.pages)
    for sentence in says:
        print(f"! {sentence}")
    context, every = _context(), results(course)
    book = (course.folder / "gradebook.db").read_bytes()  # once: later ones would catch it while it is written
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        waiting = {pool.submit(_mark, course, one, limits, book, context): one for one in submissions}
        for done in tqdm(as_completed(waiting), total=len(waiting), unit="submission", disable=None):
            one = waiting[done]
            try:
                notebook, told = done.result()
            except Exception as error:
                told = [f"It could not be marked ({type(error).__name__}: {error}); a person has to look at it."]
                notebook = _unmarked(course.released(one.page), told[0])
            every = dict(sorted({**every, f"{one.student}/{one.page}": _record(course, one, notebook, told)}.items()))
            (course.folder / RESULTS).write_text(json.dumps(every, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return every


def results(course: Course) -> dict[str, dict]:
    """What `grade` has found so far, by student and page."""
    path = course.folder / RESULTS
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _context() -> Any:
    """How processes are started: from one that has imported nbgrader, where there can be such a one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["companion.classroom.running", "nbgrader.converters"])
    return context


def _record(course: Course, one: Submission, notebook: NotebookNode, told: list[str]) -> dict:
    """Put a marked notebook into the folder of the class and its marks into the gradebook; the result as data."""
    from nbgrader.api import Gradebook
    from nbgrader.preprocessors import SaveAutoGrades

    parts = list(_parts(notebook, course.released(one.page)))
    told = [*told, *_stopped(notebook)]
    score = sum(part["score"] or 0 for part in parts)
    of = sum(part["points"] for part in parts)
    waits = sum(part["points"] for part in parts if part["score"] is None)
    says = f"{score:g} of {of:g} points" + (f"; {waits:g} points wait for a person." if waits else ".")
    lines = [f"- `{part['id']}`: {part['says']}" for part in parts]
    summary = "\n".join([f"**{says}**", "", *(f"- {sentence}" for sentence in told), *lines])
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(summary, metadata={SUMMARY: True}))
    path = course.path("autograded", one.page, one.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    for name in (STAMP, SECRET):
        if one.path.with_name(name).exists():
            shutil.copy(one.path.with_name(name), path.parent)
    url = f"sqlite:///{course.folder / 'gradebook.db'}"
    with warnings.catch_warnings(), Gradebook(url, course.code) as book:
        warnings.simplefilter("ignore")  # nbgrader's ways with SQLAlchemy
        book.update_or_create_student(one.student)
        book.update_or_create_submission(one.page, one.student, timestamp=_came(one.path.with_name(STAMP)))
        names = {"notebook": one.page, "assignment": one.page, "student": one.student, "db_url": url}
        SaveAutoGrades().preprocess(notebook, {"nbgrader": names})
    file = str(one.path.resolve().relative_to(course.folder))
    return {"file": file, "score": score, "of": of, "waits": waits, "says": says, "doctor": told, "parts": parts}


def _came(stamp: Path) -> datetime | None:
    """When an exchange took a submission in; None if none did, or nobody can read what the stamp says."""
    from nbgrader.utils import parse_utc

    with contextlib.suppress(OSError, ValueError, OverflowError):
        return parse_utc(stamp.read_text("utf-8").strip())
    return None


def _stopped(notebook: NotebookNode) -> Iterator[str]:
    """A sentence on each cell of the learner's that ended the kernel or took too long."""
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and (error := failed(cell)) and error.ename in STOPPED and not is_check(cell):
            yield f"Cell {number} ({cell.source.strip().splitlines()[-1].strip()!r}): {error.evalue}"


def _parts(notebook: NotebookNode, released: NotebookNode) -> Iterator[dict]:
    """Each mark of a notebook: its exercise, points, score (None if a person gives it), and a sentence."""
    from nbgrader.utils import determine_grade

    stubs = {cell.metadata.nbgrader.grade_id: cell.source for cell in released.cells if is_open(cell)}
    tried, broken = False, ""
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown" and HEADING.match(cell.source):
            tried, broken = False, ""
        if about.get("grade"):
            score, points = determine_grade(cell)
            if cell.cell_type == "code":
                yield {**_verdict(cell, tried, broken), "points": points, "score": score}
            else:
                says = "nothing was written" if score == 0 else "a person marks it"
                id = about["grade_id"]
                yield {"id": id, "tried": score is None, "says": says, "points": points, "score": score}
        elif cell.cell_type == "code":
            own = not about or (about.get("solution") and cell.source != stubs.get(about["grade_id"]))
            tried = tried or bool(own)
            if own and (error := failed(cell)):
                broken = f"{error.ename}: {error.evalue}"


def _verdict(cell: NotebookNode, tried: bool, broken: str) -> dict:
    """What a check has found, and which misconception it named."""
    [(id, item)] = items(nbformat.v4.new_notebook(cells=[cell])).items()
    error = failed(cell)
    if error is None:
        lines = "".join(output.get("text", "") for output in cell.outputs).splitlines()
        won = next(line for line in lines if line.startswith(WON))
        return {"id": id, "tried": True, "says": won.replace(f"{WON}{id}: ", WON)}
    if not tried:
        return {"id": id, "tried": False, "says": "nothing was written"}
    if error.ename == "NotYet":
        named = [wrong.name for wrong in item.wrong if error.evalue.endswith(wrong.says)]
        return {
            "id": id,
            "tried": True,
            "says": error.evalue.removeprefix(f"{id}: "),
            **({"wrong": named[0]} if named else {}),
        }
    above = f"; the cell above it fails: {broken}" if broken else ""
    return {"id": id, "tried": True, "says": f"{error.ename}: {error.evalue}{above}"}
