"""The command ``python -m companion.studies``: list the studies, or run one."""

import argparse
import sys
import tempfile
from pathlib import Path

from companion import studies
from companion.data.store import STORED

IN_CHECKOUT = (STORED.parents[2] / "pyproject.toml").is_file()


def main(argv: list[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    args = _parser().parse_args(argv)
    return _list() if args.what == "list" else _run(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m companion.studies", description=__doc__.splitlines()[0])
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("list", help="name, section, minutes, rows and purpose of every study")
    run = what.add_parser("run", help="make the rows that a study lacks; an interrupted study goes on")
    run.add_argument("name", choices=studies.names(), metavar="NAME", help=", ".join(studies.names()))
    run.add_argument("--quick", action="store_true", help="few and short rows, in seconds, in a folder of their own")
    run.add_argument("--fresh", action="store_true", help="make every row again")
    run.add_argument("--out", type=Path, metavar="FOLDER", help=f"folder to write to (default: {_default()})")
    run.add_argument("--jobs", type=int, default=1, metavar="N", help="rows at once on this machine (default: 1)")
    run.add_argument("--cluster", metavar="ADDRESS", help="of a dask scheduler, whose workers make the rows")
    run.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="for rows that PyTorch makes")
    return parser


def _default() -> Path:
    """In a checkout the folder that the package ships; elsewhere one that is the user's own."""
    return STORED if IN_CHECKOUT else Path.cwd() / "studies"


def _list() -> int:
    from companion.studies._record import Record

    print(f"{'name':14}{'section':9}{'minutes':>7}  {'rows stored':16}what it shows")
    for name in studies.names():
        study = studies.load(name)
        record = Record(study, study.SETTINGS, STORED)
        keys, done = record.planned()
        rows = f"{len(done)} of {len(keys)}" + (f", {len(record.stale)} stale" if record.stale else "")
        print(f"{name:14}{study.SECTION:9}{study.MINUTES:>7}  {rows:16}{study.SHOWS}")
    return 0


def _run(args: argparse.Namespace) -> int:
    from companion.studies._runner import run_study

    try:
        if args.quick and args.out and args.out.resolve() == STORED.resolve():
            raise ValueError(f"out: want another folder for quick rows than that of the stored ones, got {args.out}")
        folder = args.out or (Path(tempfile.mkdtemp(prefix="companion-")) if args.quick else _default())
        options = {k: getattr(args, k) for k in ("quick", "fresh", "jobs", "cluster", "device")}
        run_study(studies.load(args.name), folder, **options)
    except KeyboardInterrupt:
        print("interrupted: the rows made so far are stored, and the same command goes on from there", file=sys.stderr)
        return 130
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
