"""What a figure shows, read off its drawing as an eye reads it: axes by their labels, curves by their paths."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
AXES = """root => [...root.querySelectorAll(".ex-axis")].map(axis => {
    const read = (mark, at) => [...axis.querySelectorAll(mark)].map(
        text => [text.textContent, +text.previousElementSibling.getAttribute(at)]);
    return { x: read(".ex-xtick", "x1"), y: read(".ex-ytick", "y1") };
})"""
PATHS = """root => [...root.querySelectorAll("path.ex-curve:not(.ex-way)")].map(p => ({
    d: p.getAttribute("d"), dash: p.getAttribute("stroke-dasharray"), classes: [...p.classList],
    name: p.classList.contains("ex-key") ? p.nextElementSibling.textContent : null }))"""

DOTS = """(root, look) => [...root.querySelectorAll(`path.ex-dot${look}`)]
    .flatMap(path => path.getAttribute("d").split("M").slice(1))
    .map(disc => disc.match(/^(\\S+) (\\S+?)a(\\S+) /).slice(1).map(Number)).map(([x, y, r]) => [x + r, y])"""


def number(text: str) -> float:
    """The number that a text shows: 0.5, −3, 10⁻³, 2.6×10⁻¹⁶."""
    if not (found := re.fullmatch(r"([-−]?)(?:([\d.]+)×)?10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", text)):
        return float(text.replace("−", "-"))
    sign, factor, power = found.groups()
    return (-1 if sign else 1) * float(factor or 1) * 10.0 ** int(power.translate(DIGITS))


@dataclass(frozen=True)
class Axis:
    """One axis: pixels to values, by the straight line through its labels (of their logarithms, if `log`)."""

    slope: float
    start: float
    log: bool

    @classmethod
    def through(cls, marks: list[tuple[str, float]], log: bool = False) -> "Axis":
        values = np.array([number(text) for text, _ in marks])
        pixels = np.array([pixel for _, pixel in marks])
        values = np.log10(values) if log else values
        slope, start = np.polyfit(pixels, values, 1)
        off = np.abs(slope * pixels + start - values).max()
        assert off < 0.02 * np.ptp(values), f"labels do not stand where their values are: {marks}"
        return cls(slope, start, log)

    def value(self, pixel: np.ndarray | float) -> np.ndarray | float:
        linear = self.slope * np.asarray(pixel) + self.start
        return 10**linear if self.log else linear

    def pixel(self, value: np.ndarray | float) -> np.ndarray | float:
        return ((np.log10(value) if self.log else np.asarray(value)) - self.start) / self.slope


def axes(root, log: Sequence[bool] = (False,)) -> list[tuple[Axis, Axis]]:
    """The horizontal and the vertical axis of every plot of a figure; `log` tells which vertical ones are."""
    drawn = root.evaluate(AXES)
    return [(Axis.through(a["x"]), Axis.through(a["y"], is_log)) for a, is_log in zip(drawn, log, strict=True)]


@dataclass(frozen=True)
class Curve:
    """A curve of the drawing, in pixels."""

    points: np.ndarray
    classes: frozenset[str]
    dash: str | None


def points(d: str) -> np.ndarray:
    """The corners of a path of straight lines."""
    return np.array([[float(x), float(y)] for x, y in re.findall(r"[ML](-?[\d.]+)[ ,](-?[\d.]+)", d)]).reshape(-1, 2)


def curves(root) -> tuple[dict[str, Curve], list[Curve]]:
    """The curves that the key names (one with the dashes and the colour of each name), and the faint ones."""
    paths = root.evaluate(PATHS)
    drawn = [Curve(points(p["d"]), frozenset(p["classes"]), p["dash"]) for p in paths if p["name"] is None]
    plain = [c for c in drawn if "ex-ghost" not in c.classes]
    named = {}
    for p in paths:
        if p["name"] is not None:
            look = {*p["classes"]} - {"ex-key"}
            (named[p["name"]],) = [c for c in plain if c.dash == p["dash"] and look <= c.classes]
    return named, [c for c in drawn if "ex-ghost" in c.classes]


def dots(root, look: str) -> np.ndarray:
    """The middles of the small discs of a look, such as `.ex-state`, in pixels."""
    return np.array(root.evaluate(DOTS, look)).reshape(-1, 2)


def assert_drawn(curve: Curve, xs: np.ndarray, ys: np.ndarray, x: Axis, y: Axis, span: tuple[float, float]) -> None:
    """A curve passes, point by point, through those of (xs, ys) that lie in the span of the vertical axis."""
    seen = np.isfinite(ys) & (ys >= span[0]) & (ys <= span[1])
    wanted = np.stack([x.pixel(xs[seen]), y.pixel(ys[seen])], axis=1)
    assert curve.points.shape == wanted.shape
    np.testing.assert_allclose(curve.points, wanted, atol=0.8)  # a pixel, and rounded data
