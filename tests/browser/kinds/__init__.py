"""The tests of each kind of figure, and the example of it that the tests of all kinds move."""

from importlib import import_module

from companion.figures.kinds import KINDS

EXAMPLES = {kind: import_module(f"{__name__}.test_{kind}").example for kind in KINDS}
