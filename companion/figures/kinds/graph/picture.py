"""A graph for print."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from companion.figures.colors import COLORS
from companion.figures.pictures import INK, canvas


def draw_graph(
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]],
    values: Mapping[str, str],
    grads: Mapping[str, str],
    title: str,
) -> Any:
    """Nodes and arrows of one view of a `Graph`, with the values and gradients that have been reached."""
    rows = max(n["y"] for n in nodes) + 1
    figure, ax = canvas(title=title, height=1.0 + 1.1 * rows)
    at = {n["id"]: np.array([n["x"], n["y"]], float) for n in nodes}
    for e in edges:
        loop = e["source"] == e["target"]
        start, end = at[e["source"]], at[e["target"]]
        if loop:
            start, end = start + np.array([0.12, 0.2]), end + np.array([0.12, -0.2])
        bend = -2.2 if loop else -e.get("curve", 0)
        arrow = {"arrowstyle": "->", "color": INK, "shrinkA": 13, "shrinkB": 14, "connectionstyle": f"arc3,rad={bend}"}
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
        style = "round,pad=0.4" if n.get("shape") == "box" else "circle,pad=0.35"
        box = {"boxstyle": style, "fc": "white", "ec": COLORS[n["role"]], "lw": 2}
        ax.text(x, y, n["label"], ha="center", va="center", fontsize=9, bbox=box)
        ax.text(x + 0.12, y - 0.33, values.get(n["id"], ""), va="center", fontsize=8)
        ax.text(x + 0.12, y + 0.33, f"∇ {grads[n['id']]}" if grads.get(n["id"]) else "", va="center", fontsize=8)
    ax.set(xlim=(min(x for x, _ in at.values()) - 0.6, max(x for x, _ in at.values()) + 0.9), ylim=(-0.6, rows - 0.4))
    ax.axis("off")
    return figure
