"""Every assertion of the notebooks under other seeds: `python -m tests.draws 1 2 3`.

Outputs are not compared. With `--record`, what came out is kept in `book/draws.json` beside a fingerprint of the cells
that assert, for the table in the book; a page whose assertions have changed since begins anew.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from itertools import takewhile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "book" / "draws.json"
NBVAL = ["-q", "-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "600"]


def draw(
    seed: int, pages: list[Path], jobs: int, python: str | Path = sys.executable, cwd: Path = ROOT
) -> dict[str, list[str]]:
    """Run the notebooks under a seed, with this Python or that of another environment; return the cells that failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(python), "-m", "pytest", *NBVAL, "-n", str(jobs), "--dist", "loadfile", *map(str, pages)]
        environment = {**os.environ, "BOOK_SEED": str(seed), "MPLBACKEND": "agg"}  # nobody looks at the pictures
        ended = subprocess.run(
            [*command, f"--junitxml={report}"], cwd=cwd, env=environment, capture_output=True, text=True
        )
        if ended.returncode > 1:
            raise RuntimeError(f"pytest ended with {ended.returncode}:\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}")
        failed: dict[str, list[str]] = {page.stem: [] for page in pages}
        ran = set()
        for case in ElementTree.parse(report).iter("testcase"):
            name = case.get("classname", "").removesuffix(".ipynb").rpartition(".")[2]
            ran.add(name)
            if case.find("failure") is not None or case.find("error") is not None:
                failed[name].append(case.get("name", ""))
    if missing := failed.keys() - ran:
        raise RuntimeError(f"no cell ran of {sorted(missing)}:\n{ended.stdout[-3000:]}")
    if any(failed.values()):
        print(ended.stdout[-6000:])
    return failed


def assertions(page: Path) -> str:
    """A fingerprint of what a notebook asserts, without the questions at its end."""
    text = takewhile(lambda cell: not cell.source.startswith("## Self-test"), nbformat.read(page, 4).cells)
    cells = [c.source for c in text if c.cell_type == "code" and "assert" in c.source]
    return hashlib.sha256("\0".join(cells).encode()).hexdigest()[:16]


def keep(seed: int, failed: dict[str, list[str]], pages: list[Path]) -> None:
    """Add a draw of the chapters to the record."""
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    names = {page: page.resolve().relative_to(RECORD.parent).with_suffix("").as_posix() for page in pages}
    for page, name in ((page, name) for page, name in names.items() if not name.startswith("exercises/")):
        if record.get(name, {}).get("assertions") != (now := assertions(page)):
            record[name] = {"assertions": now, "seeds": {}}
        record[name]["seeds"][str(seed)] = failed[page.stem]
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", type=int, nargs="+", help="values of BOOK_SEED; 0 is what the book prints")
    parser.add_argument("--pages", type=Path, nargs="+", default=sorted((ROOT / "book").rglob("*.ipynb")))
    parser.add_argument("--jobs", type=int, default=2, help="notebooks side by side")
    parser.add_argument("--record", action="store_true", help="keep what came out in book/draws.json")
    settings = parser.parse_args()
    broken: dict[str, list[int]] = defaultdict(list)
    for seed in tqdm(settings.seeds, desc="draws", unit="seed"):
        failed = draw(seed, settings.pages, settings.jobs)
        if settings.record:
            keep(seed, failed, settings.pages)
        for page, cells in failed.items():
            if cells:
                broken[page].append(seed)
    for page in settings.pages:
        print(f"{page.stem:28} {len(settings.seeds) - len(broken[page.stem])} of {len(settings.seeds)} draws passed")
    sys.exit(any(broken.values()))


if __name__ == "__main__":
    main()
