"""The folder of a class, and the release of its exercises by nbgrader."""

import json
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config

from companion.exercises.editions import SOURCES, YOUR_CODE, YOURS, dress, pages, source
from companion.publishing.opening import is_opening

from .gate import Leak, hidden, leaking, strings

__all__ = ["Course", "checked_code", "open_course", "prepared", "release"]

ROOT = Path(__file__).parents[2]
ABOUT = "class.json"
COURSE_CELL = 'from companion.exercises import course\n\ncourse("{code}")'
COURSE_ID = "course"  # of the cell that names the course
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*")
CONFIG = """\
# Read by nbgrader in this folder: `jupyter lab` here has the Formgrader in its menu Nbgrader.
c = get_config()
c.CourseDirectory.course_id = {code!r}
c.CourseDirectory.root = {root!r}
# What comes through an exchange:
c.CourseDirectory.submitted_directory = "handed-in"
c.ExchangeFactory.collect = "companion.classroom.exchange.Collect"
"""


class Course(NamedTuple):
    """A class: its folder, its code, and the seed of its hidden cases, which no learner sees."""

    folder: Path
    code: str
    seed: str

    @property
    def pages(self) -> list[str]:
        """The pages of exercises that were released."""
        return sorted(path.name for path in (self.folder / "release").glob("*"))

    def path(self, step: str, page: str, student: str = ".") -> Path:
        """The notebook of a page at one of nbgrader's steps, such as ``"source"``."""
        return self.folder / step / student / page / f"{page}.ipynb"

    def released(self, page: str) -> NotebookNode:
        """A page as it was handed out."""
        return nbformat.read(self.path("release", page), as_version=4)

    def hidden(self, page: str) -> list[str]:
        """What no learner of this class must find."""
        return hidden(source(page, ROOT / SOURCES), self.seed)


def open_course(inside: Path) -> Course:
    """The class to which a folder belongs: the folder itself, or the nearest one above it that `release` has made.

    Raises
    ------
    ValueError
        If there is none.
    """
    for folder in (inside.resolve(), *inside.resolve().parents):
        if (folder / ABOUT).exists():
            about = json.loads((folder / ABOUT).read_text("utf-8"))
            return Course(folder, about["course"], about["seed"])
    raise ValueError(f"folder: want one inside the folder of a class, which `release` makes; got {inside}")


def checked_code(code: str) -> str:
    """The code of a course, if it can be one.

    Raises
    ------
    ValueError
        If it cannot.
    """
    if not CODE.fullmatch(code):
        raise ValueError(f"course: want letters, figures, spaces, '.', '_' and '-', got {code!r}")
    return code


def prepared(nb: NotebookNode, code: str) -> NotebookNode:
    """A source of the book as nbgrader's: with the course, and nothing in the metadata but what nbgrader reads."""
    nb = dress(nb)
    first = nbformat.v4.new_code_cell(COURSE_CELL.format(code=code), id=COURSE_ID)
    given = {"solution": False, "grade": False, "task": False, "locked": True}
    first.metadata["nbgrader"] = {"schema_version": 3, "grade_id": COURSE_ID, **given}
    place = next(i for i, cell in enumerate(nb.cells) if cell.cell_type == "code" and not is_opening(cell))
    nb.cells.insert(place, first)
    nb.metadata.pop("companion", None)
    for cell in nb.cells:
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k == "nbgrader"})
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
        else:
            cell.source = re.sub(r"\[([^]]+)\]\(\.\./[^)]+\)", r"\1", cell.source)  # no way back to the book
    return nb


def release(folder: Path, code: str, chosen: Sequence[str] = ()) -> Course:
    """Write the release of some pages (all of them, if none is chosen) into the folder of a class; one page, one mark.

    Parameters
    ----------
    folder : of the class; it is made if need be, and keeps its hidden cases if it is there.
    code : of the course: letters, figures, spaces, ``.``, ``_`` and ``-``.
    chosen : pages such as ``"10_02_2"``.

    Raises
    ------
    ValueError
        If the code or a page is not one, or the folder is another course's.
    Leak
        If what nbgrader has made would give something away; then it is not written.
    """
    there = pages(ROOT / SOURCES)
    if not there:
        raise ValueError(f"release: want the book's sources in {ROOT / SOURCES}: run it from a copy of its repository")
    checked_code(code)
    if unknown := sorted({*chosen} - {*there}):
        raise ValueError(f"pages: want some of {', '.join(there)}, got {', '.join(unknown)}")
    course = _made(folder, code)
    for page in chosen or there:
        path = course.path("source", page)
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(prepared(source(page, ROOT / SOURCES), code), path)
        _generate(course, page)
    return course


def _made(folder: Path, code: str) -> Course:
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / ABOUT).exists():
        course = open_course(folder)
        if course.code != code:
            raise ValueError(f"course: {folder} is the class of {course.code!r}, got {code!r}; take another folder")
        return course
    course = Course(folder, code, secrets.token_hex(8))
    (folder / ABOUT).write_text(json.dumps({"course": code, "seed": course.seed}, indent=1) + "\n", "utf-8")
    (folder / "nbgrader_config.py").write_text(CONFIG.format(code=code, root=str(folder)), "utf-8")
    (folder / "handed-in").mkdir(exist_ok=True)
    return course


def _generate(course: Course, page: str) -> None:
    """nbgrader's `generate_assignment`, with a gate at the end of its chain."""
    from nbgrader.converters import GenerateAssignment

    found: list[str] = []

    def gate(nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        found.extend(leaking("\n".join(strings(nb)), course.hidden(page)))
        if found:
            raise Leak(found[0])
        return nb, resources

    converter = convert(course, GenerateAssignment, page)
    converter.preprocessors = [*converter.preprocessors, gate]
    says = run(converter)
    if found:
        raise Leak(f"{page} is not released: it would give away {len(found)} lines, the first is {found[0]!r}")
    if says:
        raise ValueError(f"{page} is not released: {says}")


def _settings() -> Config:
    settings = Config()
    settings.ClearSolutions.text_stub = YOURS
    settings.ClearSolutions.code_stub = YOUR_CODE
    return settings


def convert(course: Course, kind: type, page: str, student: str = "*", **options: Any) -> Any:
    """One of nbgrader's converters, for a page of a class."""
    from nbgrader.coursedir import CourseDirectory

    directory = CourseDirectory(root=str(course.folder), course_id=course.code, assignment_id=page, student_id=student)
    return kind(coursedir=directory, config=_settings(), force=True, **options)


def run(converter: Any) -> str:
    """Run a converter; what went wrong, "" if nothing did."""
    from nbgrader.utils import capture_log

    done = capture_log(converter)
    return "" if done["success"] else f"{done.get('log', '')}\n{done['error']}".strip()
