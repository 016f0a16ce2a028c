"""Where the parts of one gated cell stand, and what flows along each of its lines: drawn in the page and in print.

A place is (x, y): x as a share of the width, y in pixels. A step is walked in six parts, forward and back; a line says
what flows along it in each direction, as (quantity, part in which it appears, where its number stands, anchor).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

Place = tuple[float, float]
Flow = tuple[str, int, float, float, str] | tuple[str, int] | None  # quantity, part, place of its number, anchor

HEIGHT, RADIUS, HALF = 238, 13, (27, 16)  # of the drawing; of a circle; of a box
BELT, MIX, SHOW, BOX, BUS, INPUT, BELOW = 38, 92, 128, 162, 200, 215, 233
F, G, Z, Q, OUT = 0.12, 0.3, 0.48, 0.66, 0.885  # the columns of the LSTM
TAP, U, R, MEET, NEWS = 0.05, 0.2, 0.4, 0.58, 0.78  # the columns of the GRU


class Line(NamedTuple):
    """One line of the drawing: its corners, its role, what flows forward and what flows back."""

    path: list[Place]
    role: str
    forward: Flow
    back: Flow


class Cell(NamedTuple):
    """The drawing of one cell: lines, circles (place, sign, gate), boxes (place, word, what stands inside, parts)."""

    lines: list[Line]
    circles: list[tuple[Place, str, str | None]]
    boxes: list[tuple[Place, str, str, int, int]]
    wires: list[list[Place]]


def _cell(
    lines: list[Line],
    circles: list[tuple[Place, str, str | None]],
    layers: list[tuple[float, str, str, int, int]],
    more: Sequence[tuple[Place, str, str, int, int]] = (),
) -> Cell:
    """A cell whose layers stand side by side, each over a wire that brings it x and the old h, and other boxes."""
    boxes = [((column, BOX), *words) for column, *words in layers]
    return Cell(lines, circles, [*boxes, *more], [[(column, INPUT), (column, BOX)] for column, *_ in layers])


LSTM = _cell(
    lines=[
        Line([(0, BELT), (F, BELT)], "state", ("s0", 1, 0.0, 20, "start"), ("belt", 6, 0.0, 20, "start")),
        Line([(F, BELT), (Z, BELT)], "state", ("kept", 2, 0.3, 27, "middle"), ("ds", 3)),
        Line([(Z, BELT), (OUT, BELT)], "state", ("s", 5), ("ds", 3, 0.48, 13, "middle")),
        Line([(OUT, BELT), (1, BELT)], "state", ("s", 5, 1.0, 20, "end"), ("later", 1, 1.0, 20, "end")),
        Line([(F, BOX), (F, BELT)], "parameter", ("f", 2, F, 84, "right"), ("af", 5, F, 84, "right")),
        Line([(G, BOX), (G, MIX), (Z, MIX)], "parameter", ("g", 4, G, 128, "left"), ("ag", 4, G, 128, "left")),
        Line([(Z, BOX), (Z, MIX)], "input", ("z", 3, Z, 130, "right"), ("az", 4, Z, 130, "right")),
        Line([(Z, MIX), (Z, BELT)], "input", ("written", 4, Z, 68, "right"), ("ds", 3)),
        Line([(OUT, BELT), (OUT, 80)], "state", ("s", 5), ("shown", 2, OUT, 58, "left")),
        Line([(OUT, 80), (OUT, SHOW)], "state", ("tanh", 6, OUT, 106, "left"), ("opened", 2)),
        Line([(Q, BOX), (Q, SHOW), (OUT, SHOW)], "parameter", ("q", 6, Q, 143, "right"), ("aq", 2, Q, 143, "right")),
        Line([(OUT, SHOW), (OUT, BUS), (1, BUS)], "output", ("h", 6, OUT, 190, "left"), ("dh", 1, OUT, 190, "left")),
        Line([(0, BUS), (Q, BUS)], "output", ("h0", 1, 0.0, BELOW, "start"), ("dh0", 6, 0.0, BELOW, "start")),
        Line([(0, INPUT), (Q, INPUT)], "input", ("x", 1, 0.36, BELOW, "start"), None),
    ],
    circles=[((F, BELT), "×", "f"), ((Z, BELT), "+", None), ((Z, MIX), "×", "g"), ((OUT, SHOW), "×", "q")],
    layers=[
        (F, "forget", "σ f", 2, 5),
        (G, "input", "σ g", 4, 4),
        (Z, "candidate", "tanh z", 3, 4),
        (Q, "output", "σ q", 6, 2),
    ],
    more=[((OUT, 80), "tanh", "", 6, 2)],
)

GRU = _cell(
    lines=[
        Line([(0, BELT), (TAP, BELT)], "state", ("h0", 1, 0.0, 20, "start"), ("dh0", 6, 0.0, 20, "start")),
        Line([(TAP, BELT), (U, BELT)], "state", ("h0", 1), ("belt", 5, U, 68, "right")),
        Line([(U, BELT), (NEWS, BELT)], "state", ("kept", 2, 0.48, 27, "middle"), ("dh", 1)),
        Line([(NEWS, BELT), (1, BELT)], "state", ("h", 6, 1.0, 20, "end"), ("dh", 1, 1.0, 20, "end")),
        Line([(U, BOX), (U, BELT)], "parameter", ("u", 2, U, 130, "right"), ("au", 2, U, 130, "right")),
        Line([(U, MIX), (NEWS, MIX)], "parameter", ("opposite", 5, 0.48, 84, "middle"), None),
        Line([(TAP, BELT), (TAP, BUS), (MEET, BUS)], "state", ("h0", 1), ("through", 4, 0.12, BELOW, "start")),
        Line(
            [(R, BOX), (MEET, BOX), (MEET, BUS)],
            "parameter",
            ("r", 3, 0.49, 153, "start"),
            ("ar", 4, 0.49, 153, "start"),
        ),
        Line(
            [(MEET, BUS), (NEWS, BUS), (NEWS, BOX)],
            "state",
            ("reset", 3, 0.68, BELOW, "middle"),
            ("inside", 3, 0.68, BELOW, "middle"),
        ),
        Line([(NEWS, BOX), (NEWS, MIX)], "input", ("z", 4, NEWS, 130, "right"), ("az", 3, NEWS, 130, "right")),
        Line([(NEWS, MIX), (NEWS, BELT)], "input", ("written", 5, NEWS, 68, "left"), ("dh", 1)),
        Line([(0, INPUT), (NEWS, INPUT)], "input", ("x", 1, 0.0, BELOW, "start"), None),
    ],
    circles=[((U, BELT), "×", "u"), ((NEWS, BELT), "+", None), ((NEWS, MIX), "×", "opposite"), ((MEET, BUS), "×", "r")],
    layers=[(U, "update", "σ u", 2, 2), (R, "reset", "σ r", 3, 4), (NEWS, "candidate", "tanh z", 4, 3)],
)

CELLS = {"LSTM": LSTM, "GRU": GRU}


def sizes() -> dict[str, Any]:
    """What the page needs to know beside the cells."""
    return {"height": HEIGHT, "radius": RADIUS, "half": HALF}
