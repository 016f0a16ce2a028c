"""The unit for print: circuit, graph, or what lies between, and the parts of the gradient."""

from math import ceil
from typing import Any

import numpy as np

from companion.figures.colors import COLORS
from companion.figures.pictures import INK, canvas
from companion.unfolding.unit import UnitRun

OUT, STATE, SUM, INPUT = 3.1, 2.0, 1.0, 0.25  # heights of the rows


def column(t: int, opened: float) -> float:
    """Where step t stands when `opened` steps have been taken out of the loop: those stay behind, the rest moves on."""
    return 1 + min(max(opened - 1, 0), t - 1)


def draw_unit(
    x: np.ndarray, signs: list[str], run: UnitRun, opened: float, step: int, light: str | None, title: str
) -> Any:
    """Nodes with their values as far as `step` has come, and below them what each copy of `light` adds."""
    tau, first = len(x), max(1, ceil(opened))
    back = min(tau + 1, 2 * tau + 2 - step)
    shown = max(first, min(step if step <= tau else back, tau))
    at = {0: 0.0, **{t: column(t, opened) for t in range(1, tau + 1)}}
    figure, (top, bottom) = canvas(rows=2, title=title)
    top.get_gridspec().set_height_ratios([4, 1])
    if light:
        draw_parts(bottom, getattr(run.parts, light), at, back, light)
    words = {"ha": "center", "va": "center", "fontsize": 8, "zorder": 3}
    arrow = {"arrowstyle": "->", "color": INK, "shrinkA": 0, "shrinkB": 2}

    def wire(name: str, start: tuple, end: tuple, bend: float = 0.0) -> None:
        look = {"color": COLORS["parameter"], "lw": 2.4} if name == light else {}
        top.annotate("", end, start, arrowprops={**arrow, **look, "connectionstyle": f"arc3,rad={bend}"})
        middle = (np.add(start, end) / 2) + (np.array([0.3, 0]) if bend else 0)
        top.text(*middle, name, **words, bbox={"boxstyle": "round", "fc": "white", "ec": COLORS["parameter"]})

    steps = [*range(1, first), shown]
    if opened >= 1:
        tank(top, 0, 0.0, "h⁽⁰⁾", words)
    for t in steps:
        c, on = at[t], step >= t
        tank(top, c, run.h[t] if on else None, "h", words)
        top.plot(c, SUM, "o", ms=19, mfc="white", mec=COLORS["state"])
        top.text(c, SUM, f"{run.a[t - 1]:.2f}" if on else "a", **words)
        top.text(c, INPUT, f"{x[t - 1]:g}", **words, bbox={"fc": "white", "ec": COLORS["input"]})
        top.text(c, INPUT - 0.5, signs[t - 1] or f"x, t = {t}", **words)
        top.annotate("", (c, STATE - 0.45), (c, SUM + 0.25), arrowprops=arrow)
        wire("u", (c, INPUT + 0.15), (c, SUM - 0.22))
        if t < first or (t == first and opened >= 1 and at[t] > at[t - 1]):
            wire("w", (at[t - 1] + 0.19, STATE), (c - 0.17, SUM + 0.1))
    if opened < tau:
        wire("w", (at[tau] + 0.19, STATE), (at[tau] + 0.17, SUM), -0.9)
    if light:
        end = at[tau]
        top.annotate("", (end, OUT - 0.15), (end, STATE + 0.45), arrowprops=arrow)
        told = f"o = {run.o:.2f}, y = {x[0]:g}: L = {run.loss:.2f}" if step > tau else f"o, y = {x[0]:g}: L"
        top.text(end + 0.2, OUT, told, **{**words, "ha": "right"})
    room = max(0, 6 - at[tau]) / 2  # a tank is as wide in the circuit as in the graph
    top.set(ylim=(-0.6, OUT + 0.3 if light else STATE + 0.6))
    for ax in (top, bottom):
        ax.set(xlim=(-0.6 - room, at[tau] + 0.9 + room))
        ax.axis("off")
    return figure


def tank(ax: Any, c: float, h: float | None, name: str, words: dict) -> None:
    """A state, filled from its middle line; empty while h is None."""
    edge = COLORS["state"]
    ax.bar(c, 0.8, 0.36, STATE - 0.4, fc="white", ec=edge, ls="-" if h is not None else ":", lw=1.5)
    if h is not None:
        ax.bar(c, 0.4 * h, 0.36, STATE, color=edge, alpha=0.4)
    ax.text(c, STATE, name if h is None else f"{h:.2f}", **words)
    ax.text(c - 0.22, STATE + 0.3, name, **{**words, "ha": "right"})


def draw_parts(ax: Any, part: np.ndarray, at: dict[int, float], back: int, light: str) -> None:
    """What each copy adds, from the last step back to step `back`, and their sum on the left."""
    reached = np.cumsum(part[::-1])[::-1]  # reached[t − 1]: the parts of steps t … τ
    tau = len(part)
    for t in range(back, tau + 1):
        ax.bar(at[t], part[t - 1], 0.5, reached[t - 1] - part[t - 1], color=COLORS["gradient"], alpha=0.6)
    total = reached[back - 1] if back <= tau else 0.0
    ax.bar(0, total, 0.5, color=COLORS["gradient"])
    ax.axhline(0, color=INK, lw=0.6)
    said = f"∂L/∂{light} = Σ = {total:.2f}" if back <= tau else f"∂L/∂{light}: not sent back yet"
    ax.set_title(said, fontsize=8, loc="left")
