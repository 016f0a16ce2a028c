"""``python -m companion.exercises learner FOLDER`` (or ``instructor``) writes the notebooks of an edition.

``dress`` alone gives the cells of ``book/exercises`` the metadata that nbgrader needs; run it before ``make execute``.
"""

import argparse
import sys
from pathlib import Path

import nbformat

from companion.notebooks import store

from .editions import SOURCES, dress, learner, pages, source


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m companion.exercises", description=__doc__)
    parser.add_argument("edition", choices=("learner", "instructor", "dress"))
    parser.add_argument("folder", nargs="?", type=Path, help="where an edition is written")
    args = parser.parse_args(argv)
    if (args.edition == "dress") != (args.folder is None):
        parser.error("learner and instructor want a folder, dress none")
    folder = args.folder or SOURCES
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages():
        nb = learner(source(page)) if args.edition == "learner" else dress(source(page))
        if args.edition == "dress":
            store(nb, SOURCES / f"{page}.ipynb")
        else:
            nbformat.write(nb, folder / f"{page}.ipynb")
        print(f"✓ {folder / page}.ipynb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
