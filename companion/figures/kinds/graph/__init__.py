"""Circuits and unfolded graphs, stepped forward and backward with real numbers on nodes and edges."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from companion.core import checks as check
from companion.figures.base import Explorable, key, role
from companion.figures.controls import Choice, Range
from companion.figures.goals import Goal

__all__ = ["Edge", "Frame", "Graph", "Node", "Trace", "View"]


@dataclass(frozen=True)
class Node:
    """A node at column x and row y (0 at the bottom); `share` names the parameter that it copies, if any.

    shape is "circle", "box" (for longer labels) or "delay" (the black square of a one-step delay).
    """

    id: str
    x: float
    y: float
    label: str = ""
    role: str = "state"
    shape: str = "circle"
    share: str = ""


@dataclass(frozen=True)
class Edge:
    """An arrow from one node to another; from a node to itself it is a loop. `share` names its parameter.

    `delay` puts the black square on it; `curve` bends it, to the left of its direction for positive numbers;
    `role`, if given, decides its colour; `id` (by default "source>target") is how frames refer to it.
    """

    source: str
    target: str
    label: str = ""
    share: str = ""
    delay: bool = False
    curve: float = 0
    role: str = ""
    id: str = ""


@dataclass(frozen=True)
class Frame:
    """One step: a sentence, and what it puts on nodes and edges, which stays: values and gradients as texts.

    `fills` says how full a node is and `flows` how much an edge carries, from −1 to 1: a negative node is filled in
    grey, a negative edge is dashed. What is `hot` is lit at this step only.
    """

    say: str
    values: Mapping[str, str] = field(default_factory=dict)
    grads: Mapping[str, str] = field(default_factory=dict)
    hot: Sequence[str] = ()
    fills: Mapping[str, float] = field(default_factory=dict)
    flows: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """A number that belongs to each step, from 0 on, drawn as a curve under the graph with a dot at the step."""

    label: str
    values: Sequence[float]
    role: str = "state"
    logy: bool = False


@dataclass(frozen=True)
class View:
    """One graph: nodes, edges, the frames that step through it, counters shown beside it, and a curve under it."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    frames: Sequence[Frame] = ()
    counters: Mapping[str, Any] = field(default_factory=dict)
    trace: Trace | None = None


class Graph(Explorable):
    """Graphs to step through.

    Parameters
    ----------
    name : slug of the figure.
    views : tuple of the controls' values → `View`; without controls, the key is ``()``.
    controls : the choices and ranges that select the view.
    title, caption : words.
    step : the step at which the figure starts; by default the last, so that the first view is complete.
    light : the shared parameter that is lit at the start, if any.
    goals : small tasks, judged by the values of `controls`, ``step`` and ``light``.

    Besides `controls`, a figure with frames has the trait ``step`` and one with shared parameters the trait
    ``light``, which lights every copy.

    Raises
    ------
    ValueError
        If a combination of the controls has no view, an edge or frame names an unknown node, a trace has not one
        number a step, or the data exceed 100 KB.
    """

    def __init__(
        self,
        name: str,
        views: Mapping[tuple, View],
        controls: Sequence[Choice | Range] = (),
        *,
        title: str,
        caption: str,
        step: int | None = None,
        light: str = "none",
        goals: Sequence[Goal] = (),
    ) -> None:
        first = tuple(c.first for c in controls)
        if first not in views:
            raise ValueError(f"views: want a view for the start {first}, got views for {list(views)[:6]}")
        shares = sorted({e.share for v in views.values() for e in (*v.edges, *v.nodes) if e.share})
        most = max(len(v.frames) for v in views.values())
        begin = len(views[first].frames) if step is None else check.integer("step", step, 0, most)
        extra = [Range("step", 0, most, 1, "step", begin, play=900)] if most else []
        extra += [Choice("light", ["none", *shares], "light every copy of", light)] if shares else []
        super().__init__(
            name,
            [*controls, *extra],
            {
                "axes": [c.name for c in controls],
                "views": {key(at): _spec(at, view) for at, view in views.items()},
                "shares": shares,
                "stepped": most > 0,
            },
            title=title,
            caption=caption,
            goals=goals,
        )

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        from .picture import draw_graph

        data = self.spec["data"]
        view = data["views"][key([getattr(self, a) for a in data["axes"]])]
        step = min(self.step, len(view["frames"])) if data["stepped"] else 0
        return draw_graph(view, step, self.spec["title"])


def _spec(at: tuple, view: View) -> dict[str, Any]:
    ids = [n.id for n in view.nodes]
    edges = [{**asdict(e), "id": e.id or f"{e.source}>{e.target}"} for e in view.edges]
    known = {*ids, *(e["id"] for e in edges)}
    for e in edges:
        if not {e["source"], e["target"]} <= set(ids):
            raise ValueError(f"views{at}: want edges between nodes {ids}, got {e['source']} → {e['target']}")
    for i, f in enumerate(view.frames):
        if unknown := {*f.values, *f.grads, *f.hot, *f.fills, *f.flows} - known:
            raise ValueError(f"views{at}, frame {i}: want nodes or edges of the view, got {sorted(unknown)}")
    trace = view.trace
    if trace and len(trace.values) != len(view.frames) + 1:
        raise ValueError(f"views{at}, trace: want {len(view.frames) + 1} numbers, got {len(trace.values)}")
    return {
        "nodes": [
            _thin({**asdict(n), "role": role("role", n.role), "shape": _shape(n.shape)}, keep=("id", "x", "y", "label"))
            for n in view.nodes
        ],
        "edges": [
            _thin({**e, "role": e["role"] and role("role", e["role"])}, keep=("source", "target", "id")) for e in edges
        ],
        "frames": [_thin(asdict(f), keep=("say", "values", "grads", "hot")) for f in view.frames],
        "counters": dict(view.counters),
        **({"trace": {**asdict(trace), "role": role("role", trace.role)}} if trace else {}),
    }


def _shape(value: str) -> str:
    return check.choice("shape", value, ("circle", "box", "delay"))


def _thin(entry: dict[str, Any], keep: Sequence[str]) -> dict[str, Any]:
    return {k: v for k, v in entry.items() if k in keep or v}
