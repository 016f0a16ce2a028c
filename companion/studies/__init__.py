"""What is trained by a command: one module a study, and one runner for all of them.

    python -m companion.studies list
    python -m companion.studies run NAME [--quick] [--fresh] [--out FOLDER] [--jobs N] [--cluster ADDRESS]
                                         [--device cpu|cuda]

A study is a module of this folder whose name has no underscore in front; it is found by being there. It holds

- ``SECTION``, ``SHOWS``, ``MINUTES``: the section it belongs to, what it shows in one sentence, and the minutes that
  all of its rows take on one core;
- ``Settings``, a named tuple with every constant, and two of them: ``SETTINGS``, and ``QUICK``, which runs from end to
  end in a second or two. Settings named in ``UNSEEN`` say only which rows there are or how they are judged; `run` is
  not given them, so that changing one may add or drop rows and leaves the others good;
- ``plan(settings, rows)``: the keys of all rows, done ones too, in order. A key is a dict of plain JSON values (a
  seed, a length, a kind …). The runner asks again when rows have been made, so a second stage may follow from the
  results of the first; ``rows`` are the planned rows that are done, each one dict with its key, its result and its
  `seconds`;
- ``run(key, settings, device)``: make one row, whose randomness comes from its key and settings alone. The result is
  a dict of plain JSON values; an entry "weights", a dict of arrays, is stored beside the record. A study with
  ``CPU_ONLY = True`` is always given the device "cpu";
- ``judge(settings, rows)``: what all rows together show, the record's `metrics`;
- and, where it has weights: ``WEIGHTS``, the name of their file, such as ``"deep.npz"`` for all rows or
  ``"memory_{task}_{seed}.npz"`` for one file a key; and, where the weights of only some rows are kept,
  ``keep(settings, rows)``, which returns the keys of these.

It has no `main` and nothing that a chapter imports as a tool: loaders, measures, data and nets live with their section.

The runner writes ``NAME.json`` after each row: the command, all settings, the metrics and the rows. Each row has its
key, its result, its processor seconds, the versions it was made with, and a hash of everything that the study decides
for it: its key, the settings, and the code that `run` reaches within the module (comments, docstrings and
annotations apart). A row whose hash is no longer that of its key is stale: it is named, dropped and made again.
Versions of Python, NumPy and PyTorch and the device are told, not hashed; the rest of the package is neither. Made
again by the same versions on the same kind of processor, a row comes out the same to the last bit, wherever and
beside whatever it is made: it has one thread.

Chapters read what is stored through `companion.data.store`.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from companion.core.checks import choice

__all__ = ["load", "names"]


def names() -> list[str]:
    """The names of all studies."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def load(name: str) -> ModuleType:
    """The module of a study.

    Parameters
    ----------
    name : one of `names()`.
    """
    return import_module(f"{__name__}.{choice('name', name, tuple(names()))}")
