"""What training stored: weights as .npz and records as .json, found inside the installed package.

Chapters read them through `find`, `record` and `arrays`, wherever the package is installed; studies write them.
"""

import json
import platform
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from companion.core import checks

if TYPE_CHECKING:
    import torch

__all__ = [
    "LARGEST_WEIGHTS",
    "STORED",
    "arrays",
    "find",
    "flat",
    "label",
    "load_weights",
    "record",
    "rows",
    "save_weights",
    "weights",
    "write_record",
]

STORED = Path(str(files("companion.data") / "stored"))
LARGEST_WEIGHTS = 300_000  # bytes a file: what the package stores of a trained net


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
    """The record of a study: what was run, with what, for how long and with what result.

    Parameters
    ----------
    name : of the study, such as ``"gated"``.
    """
    return json.loads(find(f"{name}.json").read_text(encoding="utf-8"))


def arrays(name: str) -> dict[str, np.ndarray]:
    """The arrays that a study stored, by name, such as the weights of its nets.

    Parameters
    ----------
    name : of the file without its ending, such as ``"charlstm"``.
    """
    with np.load(find(f"{name}.npz")) as file:
        return {key: file[key] for key in file.files}


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


def weights(name: str, **wanted: Any) -> dict[str, np.ndarray]:
    """The stored weights of one row of a study, by name.

    Parameters
    ----------
    name : of the study. wanted : entries of the row's key, enough to tell it from others that have weights.
    """
    found = [row for row in record(name)["rows"] if "weights" in row and wanted.items() <= row["key"].items()]
    if len(found) != 1:
        raise ValueError(f"wanted: want one row of {name} that has weights, got {len(found)} with {wanted}")
    start = f"{label(found[0]['key'])}/"
    with np.load(find(found[0]["weights"])) as file:
        return {key.removeprefix(start): file[key] for key in file.files if key.startswith(start)}


def save_weights(path: str | Path, model: "torch.nn.Module", dtype: str = "float16") -> int:
    """Store a model's weights as one compressed .npz file and return its size in bytes.

    Parameters
    ----------
    path : file to write, ending in .npz.
    model : the net.
    dtype : "float16" (half the bytes, three digits) or "float32".

    Raises
    ------
    ValueError
        If the name does not end in .npz, dtype is another one, a weight is not finite in that dtype, or the
        file would exceed 300 KB.
    """
    path, dtype = _npz(path), checks.choice("dtype", dtype, ("float16", "float32"))
    with np.errstate(over="ignore"):
        weights = {k: v.detach().cpu().numpy().astype(dtype) for k, v in model.state_dict().items()}
    for name, value in weights.items():
        if not np.isfinite(value).all():
            raise ValueError(f"model: want weights that are finite as {dtype}, got NaN or infinity in {name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **weights)
    size = path.stat().st_size
    if size > LARGEST_WEIGHTS:
        path.unlink()
        raise ValueError(f"model: want a file of at most {LARGEST_WEIGHTS} bytes, got {size}")
    return size


def load_weights(path: str | Path, model: "torch.nn.Module") -> None:
    """Load weights that `save_weights` stored into a model of the same make.

    Parameters
    ----------
    path : the .npz file.
    model : the net; its weights are replaced, its dtype stays.

    Raises
    ------
    ValueError
        If the file is missing, or its names or shapes are not the model's.
    """
    import torch

    path = _npz(path)
    if not path.is_file():
        raise ValueError(f"path: want a file of weights, got {str(path)!r}, which does not exist")
    with np.load(path) as file:
        stored = {k: torch.from_numpy(file[k].astype(np.float64)) for k in file.files}
    wanted, got = ({k: tuple(v.shape) for k, v in d.items()} for d in (model.state_dict(), stored))
    if wanted != got:
        raise ValueError(f"model: want the weights of {path.name}, {got}, got {wanted}")
    model.load_state_dict(stored)


def _npz(path: str | Path) -> Path:
    if Path(path).suffix != ".npz":
        raise ValueError(f"path: want a name that ends in .npz, got {str(path)!r}")
    return Path(path)


def write_record(
    path: str | Path, *, command: str, seed: int, seconds: float, metrics: dict[str, Any], **more: Any
) -> None:
    """Write the record of a training run as JSON: what was run, with what, for how long and with what result.

    Parameters
    ----------
    path : file to write.
    command : the command that repeats the run.
    seed : its seed.
    seconds : how long it took.
    metrics : its results, which a test can compute again from the stored weights.
    more : anything else worth keeping, such as sizes.
    """
    import torch

    written = {
        "command": str(command),
        "seed": checks.integer("seed", seed),
        "seconds": round(checks.number("seconds", seconds, 0), 1),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "metrics": metrics,
        **more,
    }
    try:
        text = json.dumps(written, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"metrics: want finite numbers and plain JSON values, got {metrics!r}: {error}") from None
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text + "\n", encoding="utf-8")
