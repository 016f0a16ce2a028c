"""The command ``python -m companion.classroom``: hand out exercises, repair and mark what comes back, report."""

import argparse
import sys
from pathlib import Path

from companion import classroom


def main(argv: list[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    args = parser().parse_args(argv)
    try:
        return args.do(args)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("nbgrader"):
            raise
        print('error: nbgrader is missing: pip install -e ".[classroom]"', file=sys.stderr)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m companion.classroom",
        description=classroom.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = made.add_subparsers(dest="what", required=True)
    release = what.add_parser("release", help="write what is handed out")
    release.add_argument("folder", type=Path, help="of the class; it is made if need be")
    release.add_argument("--course", required=True, metavar="CODE", help="varies the numbers and the cases")
    release.add_argument("--pages", nargs="+", default=(), metavar="PAGE", help="such as 10_02_2 (default: all)")
    release.set_defaults(do=_release)
    doctor = what.add_parser("doctor", help="say what would be repaired in what came back; write nothing")
    doctor.add_argument("folder", type=Path, help="of what came back, inside that of the class")
    doctor.set_defaults(do=_doctor)
    grade = what.add_parser("grade", help="mark what came back")
    grade.add_argument("folder", type=Path, help="of what came back, inside that of the class")
    grade.add_argument("--jobs", type=int, default=0, metavar="N", help="submissions at once (default: all processors)")
    grade.add_argument("--cell", type=int, default=30, metavar="SECONDS", help="for one cell (default: 30)")
    grade.add_argument("--total", type=int, default=300, metavar="SECONDS", help="for one notebook (default: 300)")
    grade.add_argument("--memory", type=float, default=4, metavar="GIB", help="for one notebook (default: 4)")
    grade.set_defaults(do=_grade)
    report = what.add_parser("report", help="write marks, statistics, similarities and feedback")
    report.add_argument("folder", type=Path, help="of the class")
    report.set_defaults(do=_report)
    hub = what.add_parser("hub", help="write the settings of a JupyterHub for a class")
    hub.add_argument("folder", type=Path, help="of the hub, which every account can read; it is made if need be")
    hub.add_argument("--course", required=True, metavar="CODE", help="as in `release`")
    hub.set_defaults(do=_hub)
    return made


def _release(args: argparse.Namespace) -> int:
    from .course import release

    course = release(args.folder, args.course, args.pages)
    print(*(f"✓ {course.path('release', page)}" for page in args.pages or course.pages), sep="\n")
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from .course import open_course
    from .grading import examine, find

    course = open_course(args.folder)
    submissions, says = find(args.folder, course.pages)
    print(*(f"! {sentence}" for sentence in says), sep="\n", end="\n" if says else "")
    for one in submissions:
        print(f"{one.student}, {one.page}: {' '.join(examine(course, one).says) or 'as it was handed out.'}")
    return 0


def _grade(args: argparse.Namespace) -> int:
    from .grading import Limits, grade

    for name, result in grade(args.folder, Limits(args.cell, args.total, args.memory), args.jobs).items():
        print(f"{name}: {result['says']}")
        print(*(f"    {sentence}" for sentence in result["doctor"]), sep="\n", end="\n" if result["doctor"] else "")
    return 0


def _report(args: argparse.Namespace) -> int:
    from .reporting import report

    written, withheld = report(args.folder)
    print(*(f"✓ {path}" for path in written), sep="\n")
    print(*(f"✗ {sentence}" for sentence in withheld), sep="\n", end="\n" if withheld else "", file=sys.stderr)
    return int(bool(withheld))


def _hub(args: argparse.Namespace) -> int:
    from .hub import hub

    print(*(f"✓ {path}" for path in hub(args.folder, args.course)), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
