"""A graph for print."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from companion.figures.colors import COLORS
from companion.figures.pictures import INK, canvas, colormap


def draw_graph(view: Mapping[str, Any], step: int, title: str) -> Any:
    """Nodes and arrows of one view of a `Graph`, with what its first frames have put there, and its trace below."""
    shown = {kind: {} for kind in ("values", "grads", "fills", "flows", "marks")}
    for frame, kind in product(view["frames"][:step], shown):
        shown[kind] |= frame.get(kind, {})
    height = 1.0 + 1.1 * (max(n["y"] for n in view["nodes"]) + 1)
    if "trace" not in view:
        figure, ax = canvas(title=title, height=height)
    else:
        figure, (ax, below) = canvas(rows=2, title=title)
        figure.set_size_inches(7, height + 1.6)
        ax.get_gridspec().set_height_ratios([height, 1.6])
        _draw_trace(below, view["trace"], step)
    _draw(ax, view["nodes"], view["edges"], **shown)
    return figure


def _draw_trace(ax: Any, trace: Mapping[str, Any], step: int) -> None:
    values, color = trace["values"], COLORS[trace["role"]]
    ax.plot(values, color=color)
    ax.plot(step, values[step], "o", color=color)
    ax.set(xlabel="step", ylabel=trace["label"], yscale="log" if trace["logy"] else "linear")


def _draw(ax: Any, nodes: Any, edges: Any, values: Any, grads: Any, fills: Any, flows: Any, marks: Any) -> None:
    rows = max(n["y"] for n in nodes) + 1
    at = {n["id"]: np.array([n["x"], n["y"]], float) for n in nodes}
    for e in edges:
        loop = e["source"] == e["target"]
        start, end = at[e["source"]], at[e["target"]]
        if loop:
            start, end = start + np.array([0.12, 0.2]), end + np.array([0.12, -0.2])
        bend = -2.2 if loop else 0.5 * e.get("curve", 0)
        arrow = {"arrowstyle": "->", "color": COLORS[e["role"]] if e.get("role") else INK, "shrinkA": 13, "shrinkB": 14}
        arrow["connectionstyle"] = f"arc3,rad={bend}"
        if (flow := flows.get(e["id"])) is not None:
            arrow |= {"lw": 0.4 + 4 * min(1, abs(flow)), "ls": "--" if flow < 0 else "-"}
            arrow["alpha"] = 0.25 + 0.75 * min(1, 2 * abs(flow))
        if e["id"] in marks:
            arrow |= {"lw": 2.5, "color": COLORS[marks[e["id"]]]}
        ax.annotate("", end, start, arrowprops=arrow)
        words = [e.get("label", ""), f"∇ {grads[e['id']]}" if grads.get(e["id"]) else ""]
        steep = abs(end[1] - start[1]) > abs(end[0] - start[0]) and not loop
        offset = np.array([-0.06 if steep else 0.06 + 0.35 * loop, 0.06])
        where = {"fontsize": 8, "ha": "right" if steep else "left"}
        ax.text(*((start + end) / 2 + offset), "\n".join(filter(None, words)), **where)
    for n in nodes:
        x, y = at[n["id"]]
        if n.get("shape") == "delay":
            ax.plot(x, y, "s", ms=9, color=INK)
            continue
        edge = COLORS[marks.get(n["id"], n["role"])]
        if n.get("image"):
            grey = np.array([[int(v) for v in row] for row in n["image"]])
            ax.imshow(grey, cmap="gray_r", extent=(x - 0.3, x + 0.3, y - 0.3, y + 0.3), aspect="auto", zorder=0)
            continue
        style = "round,pad=0.4" if n.get("shape") == "box" else "circle,pad=0.35"
        value = values.get(n["id"], "")
        full = 0.7 * np.clip(fills.get(n["id"], 0), -1, 1)
        ground = colormap(n["role"], True)((1 + full) / 2)
        box = {"boxstyle": style, "fc": ground, "ec": edge, "lw": 3.5 if n["id"] in marks else 2}
        ax.text(x, y, n["label"] or value or "    ", ha="center", va="center", fontsize=9, bbox=box)
        ax.text(x + 0.12, y - 0.33, value if n["label"] else "", va="center", fontsize=8)
        ax.text(x + 0.12, y + 0.33, f"∇ {grads[n['id']]}" if grads.get(n["id"]) else "", va="center", fontsize=8)
    ax.set(xlim=(min(x for x, _ in at.values()) - 0.6, max(x for x, _ in at.values()) + 0.9), ylim=(-0.6, rows - 0.4))
    ax.axis("off")
