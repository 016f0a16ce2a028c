"""The record of a study in a folder: its rows and their weights, each file written whole or not at all."""

import io
import json
import os
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from companion.data.store import LARGEST_WEIGHTS, flat, label
from companion.studies._identity import code_of, plain, row_hash, seen_by_a_row

__all__ = ["Record", "name_of"]


def name_of(study: ModuleType) -> str:
    """The name by which a study is called and its record stored."""
    return study.__name__.rpartition(".")[2]


class Record:
    """What is stored of a study under some settings; a row that does not belong there is stale and left out.

    Parameters
    ----------
    study : its module. settings : that the rows are to have. folder : of the files.
    command : that makes the record. fresh : whether to leave out all that is there.

    Attributes
    ----------
    rows : hash → row. stale : the label of each row left out, and why.
    """

    def __init__(self, study: ModuleType, settings: Any, folder: Path, command: str = "", fresh: bool = False) -> None:
        self.study, self.settings, self.command = study, settings, command
        self.path, self.weights = Path(folder) / f"{name_of(study)}.json", _Weights(Path(folder))
        self.rows: dict[str, dict] = {}
        self.stale: list[tuple[str, str]] = []
        self._seen = seen_by_a_row(study, settings)
        if self.path.exists():
            self._read(fresh)

    def hash(self, key: dict) -> str:
        """The hash of a row with this key under these settings."""
        return row_hash(self.study, self._seen, key)

    def planned(self) -> tuple[list[dict], list[dict]]:
        """The keys of all rows that can be told by now, and those rows that are done, both in the plan's order."""
        done: list[dict] = []
        while True:
            keys = [plain(key) for key in self.study.plan(self.settings, [flat(row) for row in done])]
            if len({label(key) for key in keys}) < len(keys):
                raise ValueError(f"plan: want each row once, got {', '.join(map(label, keys))}")
            rows = [self.rows[h] for h in map(self.hash, keys) if h in self.rows]
            if len(rows) <= len(done):
                return keys, done
            done = rows

    def missing(self) -> list[dict]:
        """The keys to be made: planned and not done, or done without the weights that are now to be kept."""
        keys, done = self.planned()
        if todo := [key for key in keys if self.hash(key) not in self.rows]:
            return todo
        kept = self._kept(done)
        return [row["key"] for row in done if "weights" not in row and row["key"] in kept]

    def add(self, row: dict, weights: dict[str, np.ndarray] | None) -> None:
        """Take in a row that was made, and write everything."""
        self.rows[row["hash"]] = row
        if weights:
            row["weights"] = self.study.WEIGHTS.format(**row["key"])
            self.weights.put(row, weights)
        elif hasattr(self.study, "keep"):
            raise ValueError(
                f"run: want weights of every row, as the study has `keep`, got none of {label(row['key'])}"
            )
        self._write(None)

    def finish(self) -> list[str]:
        """Judge the rows and write everything; the labels of rows that are no longer planned and so left out."""
        _, done = self.planned()
        wanted = {row["hash"] for row in done}
        others = [row for row in self.rows.values() if row["hash"] not in wanted]
        for row in others:
            self.weights.drop(row)
        self.rows = {row["hash"]: row for row in done}
        self._write(plain(self.study.judge(self.settings, [flat(row) for row in done])))
        return [label(row["key"]) for row in others]

    def _kept(self, done: list[dict]) -> list[dict]:
        return [plain(k) for k in self.study.keep(self.settings, [flat(r) for r in done])] if self._chooses else []

    @property
    def _chooses(self) -> bool:
        return hasattr(self.study, "keep")

    def _read(self, fresh: bool) -> None:
        stored = json.loads(self.path.read_text(encoding="utf-8"))
        if not isinstance(stored.get("rows"), list):
            if fresh:
                return
            raise ValueError(f"out: want a record with rows in {self.path}, got one with {', '.join(stored)}")
        why = self._what_changed(stored)
        for row in stored["rows"]:
            good = row["hash"] == self.hash(row["key"])
            if fresh or not (good and self.weights.take(row)):
                self.weights.drop(row)
                if not fresh:
                    self.stale.append((label(row["key"]), "its weights are missing" if good else why))
            else:
                self.rows[row["hash"]] = row

    def _what_changed(self, stored: dict) -> str:
        """Why rows are stale, from what the record says of its settings and code."""
        was, now = stored.get("settings", {}), plain(vars(self._seen))
        changed = [f"{k} was {was.get(k, 'not set')} and is {v}" for k, v in now.items() if was.get(k, now) != v]
        if stored.get("code") != code_of(self.study.__file__):
            changed.append("the code that makes a row changed")
        return "; ".join(changed) or "its key or its hash was changed by hand"

    def _write(self, metrics: Any) -> None:
        _, done = self.planned()
        if self._chooses:
            kept = self._kept(done)
            for row in done:
                if "weights" in row and row["key"] not in kept:
                    self.weights.drop(row)
                    del row["weights"]
        hashes = {row["hash"] for row in done}
        rows = done + [row for row in self.rows.values() if row["hash"] not in hashes]
        head = {
            "command": self.command,
            "settings": plain(self.settings),
            "code": code_of(self.study.__file__),
            "seconds": round(sum(row["seconds"] for row in rows), 1),
            "metrics": metrics,
        }
        self.weights.write()  # before the record: a row that is in the record has its weights
        _replace(self.path, _json(head | {"rows": rows}).encode())


class _Weights:
    """The arrays of rows, as they stand in files: file → label/name → array."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, dict[str, np.ndarray]] = {}
        self.changed: set[str] = set()

    def take(self, row: dict) -> bool:
        """Read the arrays of a row; whether they are there, if it has any."""
        if "weights" not in row:
            return True
        path, start = self.folder / row["weights"], f"{label(row['key'])}/"
        if not path.is_file():
            return False
        with np.load(path) as file:
            found = {name: file[name] for name in file.files if name.startswith(start)}
        self.files.setdefault(row["weights"], {}).update(found)
        return bool(found)

    def put(self, row: dict, weights: dict[str, np.ndarray]) -> None:
        """Keep the arrays of a row."""
        for name, value in weights.items():
            if not np.isfinite(value).all():
                raise ValueError(f"weights: want finite numbers, got NaN or infinity in {name} of {label(row['key'])}")
        self.drop(row)
        start = label(row["key"])
        self.files.setdefault(row["weights"], {}).update({f"{start}/{k}": np.asarray(v) for k, v in weights.items()})

    def drop(self, row: dict) -> None:
        """Forget the arrays of a row, if it has any."""
        if name := row.get("weights"):
            arrays, start = self.files.get(name, {}), f"{label(row['key'])}/"
            self.files[name] = {k: v for k, v in arrays.items() if not k.startswith(start)}
            self.changed.add(name)

    def write(self) -> None:
        """Write the files that changed; one without arrays is removed."""
        for name in self.changed:
            if arrays := self.files[name]:
                buffer = io.BytesIO()
                np.savez_compressed(buffer, **dict(sorted(arrays.items())))
                if (size := buffer.getbuffer().nbytes) > LARGEST_WEIGHTS:
                    raise ValueError(f"weights: want at most {LARGEST_WEIGHTS} bytes a file, got {size} for {name}")
                _replace(self.folder / name, buffer.getvalue())
            else:
                (self.folder / name).unlink(missing_ok=True)
        self.changed.clear()


def _json(record: dict) -> str:
    """JSON with one row, one setting and one metric a line, so that a change of one is a change of one line."""
    one_line = partial(json.dumps, ensure_ascii=False, allow_nan=False)
    parts = []
    for name, value in record.items():
        if isinstance(value, dict):
            inside = ",\n    ".join(f"{one_line(k)}: {one_line(v)}" for k, v in value.items())
            parts.append(f"{one_line(name)}: {{\n    {inside}\n  }}")
        elif isinstance(value, list):
            inside = ",\n    ".join(map(one_line, value))
            parts.append(f"{one_line(name)}: [\n    {inside}\n  ]")
        else:
            parts.append(f"{one_line(name)}: {one_line(value)}")
    return "{\n  " + ",\n  ".join(parts) + "\n}\n"


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)
