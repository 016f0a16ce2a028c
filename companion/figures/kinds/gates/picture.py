"""The cell and its sequence on paper: the same panels as in the page."""

from typing import Any, NamedTuple

import numpy as np

from companion import gated
from companion.cells.gru import gru_bptt_nodes, gru_forward
from companion.cells.lstm import lstm_bptt_nodes, lstm_forward
from companion.figures import pictures

from .layout import CELLS, HEIGHT, RADIUS, Cell

WIDE = 380  # pixels of the page that the cell's drawing stands for


class Run(NamedTuple):
    """A cell of one unit, what it computed, and the gradient of the last step's h."""

    p: Any
    nodes: Any
    grads: Any


def compute(state: dict[str, Any]) -> Run:
    """Run the figure's cell, forward and back, with the companion's own."""
    x = gated.hand_input(np.array(gated.GATE_INPUTS[state["signal"]]))
    p = gated.hand_cell(*(state[k] for k in ("cell", "af", "ag", "aq", "w", "mode")))
    at_end = np.zeros((len(x), 1))
    at_end[-1] = 1.0
    forward, back = (gru_forward, gru_bptt_nodes) if state["cell"] == "GRU" else (lstm_forward, lstm_bptt_nodes)
    nodes = forward(p, x)
    return Run(p, nodes, back(p, x, nodes, at_end))


def flows(state: dict[str, Any], run: Run, t: int) -> dict[str, dict[str, float]]:
    """What flows along the lines of step t, by name, forward and back."""
    p, nodes, grads = run
    x = gated.GATE_INPUTS[state["signal"]][t - 1]
    now = {k: v[t if k in p.state else t - 1, 0] for k, v in nodes._asdict().items()}
    slopes = {f"a{k}": grads._asdict()[k][t - 1, 0] for k in nodes._fields if k not in p.state}
    h0, dh, dh0 = nodes.h[t - 1, 0], grads.h[t, 0], grads.h[t - 1, 0]
    if state["cell"] == "GRU":
        u, r, z = now["u"], now["r"], now["z"]
        inside = p.z.W[0, 0] * slopes["az"]
        more = {"kept": u * h0, "opposite": 1 - u, "reset": r * h0, "written": (1 - u) * z}
        back = {"dh": dh, "inside": inside, "through": r * inside, "belt": u * dh}
    else:
        s0, th, ds = nodes.s[t - 1, 0], np.tanh(now["s"]), grads.s[t, 0]
        shown = dh * now["q"] * (1 - th**2)
        more = {"s0": s0, "kept": now["f"] * s0, "written": now["g"] * now["z"], "tanh": th}
        back = {"dh": dh, "ds": ds, "shown": shown, "later": ds - shown, "opened": dh * now["q"]}
        back["belt"] = now["f"] * ds
    return {"forward": now | more | {"h0": h0, "x": x}, "back": slopes | back | {"dh0": dh0}}


def picture(state: dict[str, Any], title: str) -> Any:
    """One step of the cell on the left, all steps on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    figure.suptitle(title, fontsize=11)
    panels = figure.subplot_mosaic([["cell", "x"], ["cell", "gates"], ["cell", "state"]], width_ratios=[1.3, 1])
    run = compute(state)
    _cell(panels["cell"], CELLS[state["cell"]], flows(state, run, state["t"]), state)
    _sequence(panels, run, state)
    return figure


def _cell(ax: Any, cell: Cell, values: dict[str, dict[str, float]], state: dict[str, Any]) -> None:
    way, part = state["way"], state["part"]
    for line in cell.lines:
        flow = getattr(line, way)
        if flow is None:
            continue
        key, appears, *place = flow
        lit, color = appears <= part, pictures.COLORS["gradient" if way == "back" else line.role]
        xs, ys = np.array(line.path).T
        width = max(1.0, min(8.0, 6.5 * abs(values[way][key]))) if lit else 0.8
        ax.plot(xs * WIDE, ys, "-" if lit else ":", lw=width, color=color if lit else "0.6", zorder=1)
        if lit and place:
            x, y, anchor = place
            side, off = {"left": ("right", -9), "right": ("left", 9), "start": ("left", 0), "end": ("right", 0)}.get(
                anchor, ("center", 0)
            )
            ax.text(x * WIDE + off, y, f"{values[way][key]:.2g}", ha=side, fontsize=8, zorder=4)
    for wire in cell.wires:
        xs, ys = np.array(wire).T
        ax.plot(xs * WIDE, ys, color="0.6", lw=0.8, zorder=0)
    for (x, y), sign, _ in cell.circles:
        ax.plot(x * WIDE, y, "o", ms=RADIUS + 3, mfc="white", mec=pictures.INK, zorder=2)
        ax.text(x * WIDE, y, sign, ha="center", va="center", fontsize=11, zorder=3)
    for (x, y), word, inner, *_ in cell.boxes:
        words = f"{word}\n{inner}".strip()
        ax.text(
            x * WIDE, y, words, ha="center", va="center", fontsize=8, zorder=3,
            bbox={"boxstyle": "round,pad=0.3", "fc": "white", "ec": pictures.INK},
        )  # fmt: skip
    ax.set(xlim=(-4, WIDE + 4), ylim=(HEIGHT, 0), title=f"step {state['t']}, {way}")
    ax.axis("off")


def _sequence(panels: dict[str, Any], run: Run, state: dict[str, Any]) -> None:
    p, nodes, grads = run
    x = np.array(gated.GATE_INPUTS[state["signal"]])
    t, kept = np.arange(1, len(x) + 1), p.state[-1]
    panels["x"].bar(t, x, color=pictures.COLORS["input"])
    panels["x"].set(ylabel="input x", ylim=(-1.1, 1.1))
    gates = [k for k in nodes._fields if k not in (*p.state, "z")]
    for k, style in zip(gates, ("-", "--", ":"), strict=False):
        gate = getattr(nodes, k)[:, 0]
        panels["gates"].plot(t, gate, style, color=pictures.COLORS["parameter"])
        panels["gates"].text(t[-1] + 0.3, gate[-1], k, fontsize=8)
    panels["gates"].set(ylabel="gates", ylim=(0, 1.05))
    back = state["way"] == "back"
    values = getattr(grads if back else nodes, kept)[1:, 0]
    panels["state"].bar(t, values, color=pictures.COLORS["gradient" if back else "state"])
    panels["state"].set(xlabel="step t", ylabel=f"gradient on {kept}" if back else f"state {kept}")
    for ax in (panels[k] for k in ("x", "gates", "state")):
        ax.axvspan(state["t"] - 0.5, state["t"] + 0.5, color="0.85", zorder=0)
        ax.set_xlim(0.3, t[-1] + 1.2)
