"""What studies stored: records as .json and weights as .npz, found inside the installed package.

A record is written by `companion.studies`, whose docstring says what stands in it. Chapters read it here.
"""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["LARGEST_WEIGHTS", "STORED", "find", "flat", "label", "nets", "record", "rows", "weights"]

STORED = Path(str(files("companion.data") / "stored"))
LARGEST_WEIGHTS = 300_000  # bytes a file: what the package stores of trained nets


def find(name: str) -> Path:
    """The path of a stored file, such as ``"gated.json"``.

    Raises
    ------
    ValueError
        If there is no such file; the message names what there is.
    """
    path = STORED / name
    if not path.is_file():
        raise ValueError(f"name: want one of {', '.join(sorted(p.name for p in STORED.iterdir()))}, got {name!r}")
    return path


def record(name: str) -> dict[str, Any]:
    """The record of a study: its command, its settings, its seconds, what its rows show together, and the rows.

    Parameters
    ----------
    name : of the study, such as ``"gated"``.
    """
    return json.loads(find(f"{name}.json").read_text(encoding="utf-8"))


def label(key: dict[str, Any]) -> str:
    """The key of a study's row in words: its values, one after the other."""
    return " ".join(str(value) for value in key.values())


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a record as one dict: its key, its result and its processor seconds."""
    return {**row["key"], **row["result"], "seconds": row["seconds"]}


def rows(name: str, **wanted: Any) -> list[dict[str, Any]]:
    """The rows of a study, each one dict with its key, its result and its processor seconds.

    Parameters
    ----------
    name : of the study. wanted : entries that a row must have, such as ``seed=0``; none for all rows.
    """
    return [row for row in map(flat, record(name)["rows"]) if wanted.items() <= row.items()]


def nets(name: str, **wanted: Any) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """The key and the weights of every row of a study whose weights are stored, in the order of its plan.

    Parameters
    ----------
    name : of the study. wanted : entries that the key must have; none for all rows.
    """
    opened: dict[str, dict[str, np.ndarray]] = {}
    for row in record(name)["rows"]:
        if "weights" in row and wanted.items() <= row["key"].items():
            if (path := row["weights"]) not in opened:
                with np.load(find(path)) as file:
                    opened[path] = {entry: file[entry] for entry in file.files}
            start = f"{label(row['key'])}/"
            yield row["key"], {k.removeprefix(start): v for k, v in opened[path].items() if k.startswith(start)}


def weights(name: str, **wanted: Any) -> dict[str, np.ndarray]:
    """The stored weights of one row of a study, by name.

    Parameters
    ----------
    name : of the study. wanted : entries of the row's key, enough to tell it from others that have weights.
    """
    found = list(nets(name, **wanted))
    if len(found) != 1:
        raise ValueError(f"wanted: want one row of {name} that has weights, got {len(found)} with {wanted}")
    return found[0][1]
