"""A reader's function, run in a child process: it may fail, end the process, never end or swallow memory."""

import contextlib
import copy
import multiprocessing
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

MEMORY = 2 * 2**30  # bytes that the function may take beyond what is in use


class Ended(NamedTuple):
    """How it ended: what each call returned, or else a sentence."""

    values: list[Any] | None
    says: str = ""


def run(
    function: Callable[..., Any], calls: Sequence[tuple], seconds: float = 10, memory: int = MEMORY, fork: bool = True
) -> Ended:
    """Call a function with each of some arguments, copied, within a time and a memory of its own.

    Parameters
    ----------
    function : any callable; it need not be importable.
    calls : the arguments of each call.
    seconds : for all calls together.
    memory : bytes beyond what is in use now.
    fork : False runs it in a thread of this process, as where processes cannot fork: the time is kept, and that is all.
    """
    if fork and "fork" in multiprocessing.get_all_start_methods():
        return _in_a_process(function, calls, seconds, memory)
    return _in_a_thread(function, calls, seconds)


def _slow(seconds: float) -> Ended:
    return Ended(None, f"it did not end within {seconds:g} seconds. Is there a loop that never ends?")


def _in_a_process(function: Callable, calls: Sequence[tuple], seconds: float, memory: int) -> Ended:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(theirs, function, calls, memory), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a kernel has threads; the child uses none of them
        child.start()
    theirs.close()
    try:
        ended = ours.recv() if ours.poll(seconds) else _slow(seconds)
    except (EOFError, OSError):
        child.join(1)
        ended = Ended(
            None, f"it ended the whole process{_why(child.exitcode)}. A function gives its result by `return`."
        )
    finally:
        child.kill()
        child.join()
        ours.close()
    return ended


def _why(code: int | None) -> str:
    return f" (signal {-code})" if code and code < 0 else f" (status {code})" if code is not None else ""


def _work(pipe: Any, function: Callable, calls: Sequence[tuple], memory: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)  # the parent's threads are not here
    ended = _call(function, calls)
    try:
        pipe.send(ended)
    except Exception as error:
        pipe.send(Ended(None, f"what it returned cannot be handed over: {type(error).__name__}: {error}"))
    pipe.close()


def _in_a_thread(function: Callable, calls: Sequence[tuple], seconds: float) -> Ended:
    box = [_slow(seconds)]

    def work() -> None:
        box[0] = _call(function, calls)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return box[0]


def _call(function: Callable, calls: Sequence[tuple]) -> Ended:
    try:
        return Ended([function(*copy.deepcopy(arguments)) for arguments in calls])
    except MemoryError:
        return Ended(None, "it asked for more memory than there is. How large is the largest array that it needs?")
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        own = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
        place = f" in line {own[0].lineno} of it" if own else ""
        text = f": {error}" if str(error) else ""
        return Ended(None, f"it raised {type(error).__name__}{text}{place}.")
