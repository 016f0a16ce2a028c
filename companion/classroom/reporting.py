"""After marking: tables of marks, statistics of the exercises, similar answers, and pages of feedback."""

import ast
import csv
import html
import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .course import Course, convert, open_course, run
from .doctor import parsed
from .gate import leaking
from .grading import SUMMARY, results

__all__ = ["marks", "report", "similar", "statistics"]

ALIKE = 95  # of 100: answers above it are listed
LONG = 80  # characters: shorter answers are alike by nature
BOOK = "(the book)"
TAG = re.compile(r"<[^>]+>")


def report(folder: Path) -> tuple[list[Path], list[str]]:
    """Write ``report/*.csv`` and ``feedback/`` into the folder of a class; the files, and what was withheld and why.

    Parameters
    ----------
    folder : of the class, or one inside it.

    Raises
    ------
    ValueError
        If nothing was marked yet.
    """
    course = open_course(folder)
    if not results(course):
        raise ValueError(f"report: want submissions that were marked: python -m companion.classroom grade {folder}/…")
    rows = marks(course)
    tables = {
        "marks": rows,
        "canvas": canvas(rows),
        "moodle": moodle(rows),
        "exercises": statistics(results(course)),
        "similar": similar(course),
    }
    written = [_table(course.folder / "report" / f"{name}.csv", table) for name, table in tables.items()]
    pages, withheld = feedback(course)
    return [*written, *pages], withheld


def _table(path: Path, rows: Sequence[dict]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["nothing"])
        writer.writeheader()
        writer.writerows(rows)
    return path


# ---- marks -----------------------------------------------------------------------------------------------------


def marks(course: Course) -> list[dict]:
    """A row for each learner and page, with what persons have given in the formgrader; "" where nothing came."""
    from nbgrader.api import Gradebook, MissingEntry

    found, rows = results(course), []
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}", course.code) as book:
        for student in sorted(one.id for one in book.students):
            for page in course.pages:
                row = {"student": student, "page": page, "score": "", "of": book.find_assignment(page).max_score}
                try:
                    done = book.find_submission(page, student)
                    row |= {"score": done.score, "waits": "yes" if done.needs_manual_grade else ""}
                except MissingEntry:
                    row |= {"waits": ""}
                says = found.get(f"{student}/{page}")
                rows.append({**row, "says": _says(says) if says else "nothing was handed in"})
    return rows


def _says(result: dict) -> str:
    return " ".join([*result["doctor"], *(f"{part['id']}: {part['says'].rstrip('.')}." for part in result["parts"])])


def _columns(rows: Sequence[dict]) -> dict[str, dict[str, dict]]:
    """The rows by student and page."""
    table: dict[str, dict[str, dict]] = {}
    for row in rows:
        table.setdefault(row["student"], {})[row["page"]] = row
    return table


def canvas(rows: Sequence[dict]) -> list[dict]:
    """The table that Canvas imports: an id of figures is Canvas's own, another a login."""
    empty = {"Student": "", "ID": "", "SIS User ID": "", "SIS Login ID": "", "Section": ""}
    points = {_title(row["page"]): row["of"] for row in rows}
    table = [{**empty, "Student": "Points Possible", **points}]
    for student, done in _columns(rows).items():
        who = {"Student": student, "ID" if student.isdigit() else "SIS Login ID": student}
        table.append({**empty, **who, **{_title(page): row["score"] for page, row in done.items()}})
    return table


def moodle(rows: Sequence[dict]) -> list[dict]:
    """The table that Moodle imports: a column of marks and one of feedback for each page."""
    return [
        {
            "Username": student,
            **{_title(page): row["score"] for page, row in done.items()},
            **{f"{_title(page)} (feedback)": row["says"] for page, row in done.items()},
        }
        for student, done in _columns(rows).items()
    ]


def _title(page: str) -> str:
    chapter, *rest = page.split("_")
    return "Exercises " + ".".join([chapter, *(str(int(part)) for part in rest)])


# ---- exercises and answers -------------------------------------------------------------------------------------


def statistics(found: dict[str, dict]) -> list[dict]:
    """For each exercise how many tried it, their mean share of its points, and how often which misconception came."""
    parts: dict[str, list[dict]] = {}
    for result in found.values():
        for part in result["parts"]:
            parts.setdefault(part["id"], []).append(part)
    return [_statistic(id, some) for id, some in parts.items()]


def _statistic(id: str, parts: Sequence[dict]) -> dict:
    tried = [part for part in parts if part["tried"]]
    marked = [part["score"] / part["points"] for part in tried if part["score"] is not None]
    named = Counter(part["wrong"] for part in parts if "wrong" in part)
    return {
        "exercise": id,
        "handed in": len(parts),
        "tried": len(tried),
        "right": sum(share == 1 for share in marked),
        "mean": f"{sum(marked) / len(marked):.2f}" if marked else "",
        "misconceptions": "; ".join(f"{name}: {n}" for name, n in named.most_common()),
    }


def similar(course: Course) -> list[dict]:
    """Pairs of answers that are alike, layout and comments left out; one of them may be the book's."""
    from rapidfuzz import fuzz

    rows = []
    for page in course.pages:
        for cell, texts in _answers(course, page).items():
            for one, other in combinations(sorted(texts), 2):
                alike = fuzz.ratio(texts[one], texts[other])
                if alike >= ALIKE:
                    rows.append({"page": page, "cell": cell, "one": one, "other": other, "alike": f"{alike:.0f}"})
    return rows


def _answers(course: Course, page: str) -> dict[str, dict[str, str]]:
    """For each cell to be filled in, the answers of some length by their writers."""
    notebooks = {path.parts[-3]: path for path in course.folder.glob(f"autograded/*/{page}/{page}.ipynb")}
    notebooks[BOOK] = course.path("source", page)
    stubs = {cell.source for cell in course.released(page).cells}
    answers: dict[str, dict[str, str]] = {}
    for name, path in notebooks.items():
        for cell in nbformat.read(path, as_version=4).cells:
            text = _bare(cell) if cell.source not in stubs and "nbgrader" in cell.metadata else ""
            if len(text) >= LONG:
                answers.setdefault(cell.metadata.nbgrader.grade_id, {})[name] = text
    return answers


def _bare(cell: NotebookNode) -> str:
    """A text without layout; code without comments."""
    tree = parsed(cell.source) if cell.cell_type == "code" else None
    return " ".join((ast.unparse(tree) if tree else cell.source).split())


def _own(nb: NotebookNode, released: NotebookNode) -> str:
    """What a learner has written into a notebook, or added to it; `SUMMARY` is ours."""
    given = {cell.source for cell in released.cells}
    return "\n".join(c.source for c in nb.cells if c.source not in given and not c.metadata.get(SUMMARY))


# ---- feedback --------------------------------------------------------------------------------------------------


def feedback(course: Course) -> tuple[list[Path], list[str]]:
    """Write nbgrader's pages of feedback; those written, and a sentence on each that is withheld, and why."""
    from nbgrader.converters import GenerateFeedback

    pages, withheld = [], []
    for page in course.pages:
        if not list(course.folder.glob(f"autograded/*/{page}")):
            continue
        if says := run(convert(course, GenerateFeedback, page)):
            raise ValueError(f"feedback on {page} was not written: {says}")
        kept, released = course.hidden(page), course.released(page)
        for path in sorted(course.folder.glob(f"feedback/*/{page}/{page}.html")):
            marked = nbformat.read(course.path("autograded", page, path.parts[-3]), as_version=4)
            text = path.read_text("utf-8")
            found = leaking(html.unescape(f"{text}\n{TAG.sub('', text)}"), kept, _own(marked, released))
            if found:
                path.unlink()
                withheld.append(f"{path} is withheld: it would give away {found[0]!r}")
            else:
                pages.append(path)
    return pages, withheld
