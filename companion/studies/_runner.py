"""The runner: rows of any study, one after another, on several cores, or on a cluster."""

import math
import os
import platform
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits

from companion.core.checks import choice, integer
from companion.data.store import label
from companion.studies._identity import plain, row_hash, seen_by_a_row
from companion.studies._record import Record, name_of

__all__ = ["DEVICES", "make", "run_study"]

DEVICES = ("cpu", "cuda")
_ONE_ROW = threading.Lock()  # PyTorch's generator belongs to the process, so a process makes one row at a time


def run_study(
    study: ModuleType,
    folder: str | Path,
    *,
    quick: bool = False,
    fresh: bool = False,
    jobs: int = 1,
    cluster: str | None = None,
    device: str = "cpu",
) -> Record:
    """Make the rows that a study lacks and store each as soon as it is made; say beforehand what will be done.

    Parameters
    ----------
    study : its module. folder : for the record and the weights. quick : whether to take `QUICK`.
    fresh : whether to make every row again. jobs : processes on this machine.
    cluster : address of a dask scheduler, whose workers make the rows instead. device : "cpu" or "cuda".

    Raises
    ------
    KeyboardInterrupt
        At Ctrl-C or a kill; the rows made so far are stored.
    """
    from tqdm import tqdm  # not above: in a worker it is to find that bars are disabled

    jobs, settings = integer("jobs", jobs, 1), study.QUICK if quick else study.SETTINGS
    device = "cpu" if getattr(study, "CPU_ONLY", False) else choice("device", device, DEVICES)
    if cluster is None:
        _check_device(device)
    command = f"python -m companion.studies run {name_of(study)}{' --quick' if quick else ''}"
    record = Record(study, settings, Path(folder), command, fresh)
    _say_beforehand(record, quick, jobs)
    with _interruptible():
        while todo := record.missing():
            tasks = [(study.__name__, key, seen_by_a_row(study, settings), device, record.hash(key)) for key in todo]
            with tqdm(total=len(tasks), desc=name_of(study), unit="row") as bar:
                for row, weights in _made(tasks, jobs, cluster):
                    record.add(row, weights)
                    bar.update()
                    bar.set_postfix_str(label(row["key"]))
        for gone in record.finish():
            print(f"  no longer planned and left out: {gone}")
    print(f"{name_of(study)}: {len(record.rows)} rows in {record.path}", flush=True)
    return record


def make(module: str, key: dict, seen: SimpleNamespace, device: str, wanted: str) -> tuple[dict, dict | None]:
    """Make one row on one thread: what goes into the record, and the weights.

    Parameters
    ----------
    module : of the study. key : of the row. seen : the settings that it sees. device : where to compute.
    wanted : the hash of the row; a worker whose copy of the study differs is refused.
    """
    import torch

    study = import_module(module)
    if (got := row_hash(study, seen, key)) != wanted:
        raise ValueError(f"cluster: want the same {module} everywhere, got a worker whose row has hash {got}")
    _check_device(device)
    with _ONE_ROW, _one_thread():
        torch.manual_seed(0)  # so that a row which forgets its seed does not depend on the row before
        began = time.thread_time()
        try:
            result = dict(study.run(key, seen, device))
        except Exception as error:
            raise RuntimeError(f"row {label(key)} of {module}: {error}") from error
        seconds = time.thread_time() - began
    weights = result.pop("weights", None)
    if clash := {"seconds", *key} & result.keys():
        raise ValueError(f"run: want results with names of their own, got {', '.join(sorted(clash))}")
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__}
    instructions = torch.backends.cpu.get_cpu_capability()  # another set takes sums in another order
    versions["device"] = f"cpu, {instructions}" if device == "cpu" else torch.cuda.get_device_name()
    row = {"key": key, "hash": wanted, "seconds": round(seconds, 2), "versions": versions, "result": plain(result)}
    return row, weights


def _made(tasks: list[tuple], jobs: int, cluster: str | None) -> Iterator[tuple[dict, dict | None]]:
    """The rows of tasks, as they come."""
    if cluster is None and jobs == 1:
        yield from (make(*task) for task in tasks)
        return
    with _backend(jobs, cluster) as backend, parallel_config(**backend):
        # One row a batch: a worker that dies takes one row with it, and dask gives that row to another.
        yield from Parallel(batch_size=1, return_as="generator_unordered")(delayed(_apart)(*t) for t in tasks)


@contextmanager
def _backend(jobs: int, cluster: str | None) -> Iterator[dict[str, Any]]:
    """What joblib is to be told: processes here, or the workers of a cluster."""
    if cluster is None:
        yield {"backend": "loky", "n_jobs": jobs, "inner_max_num_threads": 1}
        return
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("cluster: want dask.distributed installed (the extra `cluster`), got none") from None
    try:
        client = Client(cluster, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"cluster: want the address of a dask scheduler, got {cluster!r}: {error}") from None
    with client:
        yield {"backend": "dask", "client": client}


def _apart(*task: Any) -> tuple[dict, dict | None]:
    """`make` in a process of its own, which has no bar and leaves Ctrl-C to the process that collects the rows."""
    os.environ["TQDM_DISABLE"] = "1"
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return make(*task)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for everything, so that sums are taken in the same order wherever a row is made."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


class _Stopped(BaseException):
    """Ctrl-C while rows are made. The training loop takes a KeyboardInterrupt for an early end, so it is not one."""


@contextmanager
def _interruptible() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stopped

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Stopped:
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_device(device: str) -> None:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: want cpu, as PyTorch finds no CUDA device here, got cuda")


def _say_beforehand(record: Record, quick: bool, jobs: int) -> None:
    study, todo, (keys, _) = record.study, len(record.missing()), record.planned()
    print(f"{name_of(study)} (Section {study.SECTION}): {study.SHOWS}")
    print(f"  writes {record.path}" + (f", and {study.WEIGHTS} beside it" if hasattr(study, "WEIGHTS") else ""))
    for name, why in record.stale[:10]:
        print(f"  stale, to be made again: {name} ({why})")
    if len(record.stale) > 10:
        print(f"  … and {len(record.stale) - 10} more that are stale")
    minutes = "some seconds" if quick else f"about {math.ceil(study.MINUTES * todo / len(keys) / jobs)} min"
    cores = f" ({jobs} at once)" if jobs > 1 else ""
    print(f"  {len(keys)} rows planned, {len(keys) - todo} stored, {todo} to make: {minutes}{cores}", flush=True)
