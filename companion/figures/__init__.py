"""Interactive figures: live widgets in a notebook, and the same figures, alive, in the published page.

An explorable is one Python class (an anywidget, hence an ipywidget) and one script that draws it, side by side in a
folder of `companion.figures.kinds`. Make it the last expression of a cell. In a notebook its traits are its state,
synced both ways: drag, then read ``fig.rho``; set ``fig.rho = 1.1`` and it moves. In the page, the cell's
``text/html`` output carries the specification as JSON and one small script brings it to life, with no kernel and no
network. A matplotlib picture goes along for print.

Five general kinds are fed with numbers that the Python reference computed:

- `Sweep`: curves over one to three sliders, computed on a grid;
- `Graph`: circuits and unfolded graphs, stepped forward and backward with values on the nodes;
- `Playback`: heat maps over time with a cursor;
- `Reading`: a text, coloured character by character by what a unit of a net holds there;
- `Melody`: a piano roll that the page plays.

A `Goal` gives a figure a small task that the page checks. Read-outs write numbers with `number`, as the figures
themselves do: 2.6×10⁻¹⁶.

Special kinds compute in the page, because dragging and typing must be immediate, and are held to the reference by
tests: `Unfold` (`companion.unfolding`), `Eigenvalues` (`companion.longterm`), `Gates` (`companion.cells`),
`ExpressionTree` (`companion.recursive`) and `Cliff` (`companion.optimization`).
"""

from .base import Explorable
from .controls import Choice, Range, Text, Toggle
from .goals import Goal
from .kinds import KINDS
from .numbers import number

_OF_KINDS = {name: getattr(kind, name) for kind in KINDS.values() for name in kind.__all__}
globals().update(_OF_KINDS)
__all__ = ["Choice", "Explorable", "Goal", "Range", "Text", "Toggle", "number", *_OF_KINDS]
