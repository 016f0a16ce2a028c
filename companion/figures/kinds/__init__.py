"""The kinds of figures, one folder each, found by looking.

A folder NAME holds ``__init__.py`` with one subclass of `Explorable` (and what else it lists in ``__all__``),
``NAME.js`` that draws it, and what else is its own: ``NAME.css``, its picture for print. Nothing else names a kind:
`companion.figures` exports what each lists, a widget is sent its script, the book's pages load all of them, and the
tests move its example, which stands in ``tests/browser/kinds/test_NAME.py``.
"""

import pkgutil
from importlib import import_module

KINDS = {
    found.name: import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__) if found.ispkg
}
