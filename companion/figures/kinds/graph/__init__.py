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

    shape is "circle", "box" (for longer labels) or "delay" (the black square of a one-step delay). Its values stand
    beside it; inside, if it has no label. `image`, rows of grey values in [0, 1], is drawn in the place of a shape.
    Pressing the node sets the controls that `press` names.
    """

    id: str
    x: float
    y: float
    label: str = ""
    role: str = "state"
    shape: str = "circle"
    share: str = ""
    image: Sequence[Sequence[float]] = ()
    press: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Edge:
    """An arrow from one node to another; from a node to itself it is a loop. `share` names its parameter.

    `delay` puts the black square on it; `curve` bends it, to the right of its direction for positive numbers;
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
    grey, a negative edge is dashed. `marks` gives nodes and edges the colour of a role: the way of something that is
    followed, such as a gradient. What is `hot` is lit at this step only.
    """

    say: str
    values: Mapping[str, str] = field(default_factory=dict)
    grads: Mapping[str, str] = field(default_factory=dict)
    hot: Sequence[str] = ()
    fills: Mapping[str, float] = field(default_factory=dict)
    flows: Mapping[str, float] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """A number that belongs to each step, from 0 on, drawn as a curve beside or under the graph."""

    label: str
    values: Sequence[float]
    role: str = "state"
    logy: bool = False


@dataclass(frozen=True)
class View:
    """One graph: nodes, edges, the frames that step through it, counters shown beside it, and a curve.

    Views that hold the very same lists of nodes and edges are stored as one drawing.
    """

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
    between : two nodes of acyclic graphs. Then the frames are not given but walk the shortest path between two nodes
        that the reader picks by pressing them, or by the traits ``source`` and ``target``; these two are the first.

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
        between: tuple[str, str] | None = None,
    ) -> None:
        first = tuple(c.first for c in controls)
        if first not in views:
            raise ValueError(f"views: want a view for the start {first}, got views for {list(views)[:6]}")
        shares = sorted({e.share for v in views.values() for e in (*v.edges, *v.nodes) if e.share})
        picks = []
        if between:
            nodes = list(dict.fromkeys(n.id for v in views.values() for n in v.nodes))
            names = {"source": "from node", "target": "to node"}
            picks = [Choice(k, nodes, names[k], at) for k, at in zip(names, between, strict=True)]
            frames, most = walk(views[first], *between), max(len(v.nodes) for v in views.values())
        else:
            frames, most = views[first].frames, max(len(v.frames) for v in views.values())
        begin = len(frames) if step is None else check.integer("step", step, 0, most)
        extra = [*picks, Range("step", 0, most, 1, "step", begin, play=900)] if most else []
        extra += [Choice("light", ["none", *shares], "light every copy of", light)] if shares else []
        super().__init__(
            name,
            [*controls, *extra],
            {
                "axes": [c.name for c in controls],
                "views": _stored(views),
                "shares": shares,
                "stepped": most > 0,
                **({"between": True} if between else {}),
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
        view = data["views"].get(view.get("like"), {}) | view
        if "between" in data:
            graph = View([Node(**n) for n in view["nodes"]], [Edge(**e) for e in view["edges"]])
            view = view | {"frames": [asdict(f) for f in walk(graph, self.source, self.target)]}
        step = min(self.step, len(view["frames"])) if data["stepped"] else 0
        return draw_graph(view, step, self.spec["title"])


def walk(view: View, source: str, target: str) -> list[Frame]:
    """The shortest path between two nodes as frames: where it starts, then an arrow each; none without a path."""
    arrows, came = {e.id or f"{e.source}>{e.target}": e for e in view.edges}, {source: ""}
    for at in (todo := [source]):
        for name, e in arrows.items():
            if e.source == at and e.target not in came:
                came[e.target] = name
                todo.append(e.target)
    path, at = [], target
    while came.get(at):
        path.insert(0, came[at])
        at = arrows[came[at]].source
    if at != source or source not in {n.id for n in view.nodes}:
        return []
    frames = [Frame(f"Start at {source}.", {source: "0"}, hot=[source], marks={source: "gradient"})]
    for i, name in enumerate(path, 1):
        to = arrows[name].target
        marks = {name: "gradient", to: "gradient"}
        frames.append(Frame(f"Arrow {i} leads to {to}.", {to: str(i)}, hot=[to], marks=marks))
    return frames


def _stored(views: Mapping[tuple, View]) -> dict[str, dict[str, Any]]:
    drawn, out = {}, {}
    for at, view in views.items():
        made, name = _spec(at, view), key(at)
        first = drawn.setdefault((id(view.nodes), id(view.edges)), name)
        own = {k: v for k, v in made.items() if k not in ("nodes", "edges")}
        out[name] = made if first == name else {"like": first, **own}
    return out


def _spec(at: tuple, view: View) -> dict[str, Any]:
    ids = [n.id for n in view.nodes]
    edges = [{**asdict(e), "id": e.id or f"{e.source}>{e.target}"} for e in view.edges]
    known = {*ids, *(e["id"] for e in edges)}
    for e in edges:
        if not {e["source"], e["target"]} <= set(ids):
            raise ValueError(f"views{at}: want edges between nodes {ids}, got {e['source']} → {e['target']}")
    for i, f in enumerate(view.frames):
        if unknown := {*f.values, *f.grads, *f.hot, *f.fills, *f.flows, *f.marks} - known:
            raise ValueError(f"views{at}, frame {i}: want nodes or edges of the view, got {sorted(unknown)}")
        for name in f.marks.values():
            role("marks", name)
    trace = view.trace
    if trace and len(trace.values) != len(view.frames) + 1:
        raise ValueError(f"views{at}, trace: want {len(view.frames) + 1} numbers, got {len(trace.values)}")
    return {
        "nodes": [
            _thin(
                {**asdict(n), "role": role("role", n.role), "shape": _shape(n.shape), "image": _grey(n.image)},
                keep=("id", "x", "y", "label"),
            )
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


def _grey(image: Sequence[Sequence[float]]) -> list[str]:
    """Rows of grey values as strings of digits, 9 for the darkest."""
    return ["".join(str(round(9 * min(max(v, 0.0), 1.0))) for v in row) for row in image]


def _thin(entry: dict[str, Any], keep: Sequence[str]) -> dict[str, Any]:
    return {k: v for k, v in entry.items() if k in keep or v}
