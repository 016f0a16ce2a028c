"""The three ways to be deep as circuits, and the paths in the graphs that they unfold into. Section 10.5."""

from collections import Counter, deque
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np

from companion.core import tree
from companion.core.checks import Count, checked
from companion.deep.blocks import Blocks, Depths, fitting_blocks
from companion.deep.stacked import Stacked, fitting_stack
from companion.unfolding.graphs import Circuit, UnfoldedGraph, Wire, circuit

__all__ = [
    "blocks_circuit",
    "layers_on",
    "parameters",
    "path_lengths",
    "rebuilt",
    "shortest_path",
    "stacked_circuit",
    "stated_length",
]

Place = tuple[str, int]  # a node of an unfolded graph: its name and its step
MLPS = {"u": "inward", "z": "across", "v": "outward"}  # the letter of an MLP's values, and its field in `Blocks`


def _fitting(name: str, p: Stacked | Blocks) -> Stacked | Blocks:
    return fitting_stack(name, p) if isinstance(p, Stacked) else fitting_blocks(name, p)


Net = Annotated[Stacked | Blocks, _fitting]


@checked
def _checked(p: Net) -> Stacked | Blocks:
    return p


@checked
def stacked_circuit(k: Count) -> Circuit:
    """The circuit of k recurrent layers: nodes a1, h1, …, ak, hk, o; parameters as `parameters` names them.

    Section 10.5 (a).
    """
    nodes, below = {}, "x"
    for l in range(1, k + 1):
        nodes[f"a{l}"] = ("affine", [f"b{l}", f"W{l}", Wire(f"h{l}", delay=1), f"U{l}", below])
        nodes[f"h{l}"] = ("tanh", [f"a{l}"])
        below = f"h{l}"
    nodes["o"] = ("affine", ["c", "V", below])
    names = [f"{letter}{l}" for l in range(1, k + 1) for letter in "UWb"]
    return circuit(["x"], [*names, "V", "c"], nodes)


@checked
def blocks_circuit(layers: Depths = (2, 2, 2), skip: bool = False) -> Circuit:
    """The circuit of a net with an MLP inside each block: nodes u1, …, z1, …, a, h, v1, …, o (and a_u1 and so on).

    Section 10.5 (b), and (c) with `skip`.

    Parameters
    ----------
    layers : from x to h, from h to h and from h to o. skip : whether h⁽ᵗ⁻¹⁾ is also connected to h⁽ᵗ⁾ directly.
    """
    nodes, ends, names = {}, {"u": Wire("x"), "z": Wire("h", delay=1), "v": Wire("h")}, []
    for letter, depth in zip("uzv", layers, strict=True):
        for i in range(1, depth):
            names += [f"W_{letter}{i}", f"b_{letter}{i}"]
            nodes[f"a_{letter}{i}"] = ("affine", [names[-1], names[-2], ends[letter]])
            nodes[f"{letter}{i}"] = ("tanh", [f"a_{letter}{i}"])
            ends[letter] = Wire(f"{letter}{i}")
    past = ["S", Wire("h", delay=1)] if skip else []
    nodes["a"] = ("affine", ["b", "W", ends["z"], "U", ends["u"], *past])
    nodes |= {"h": ("tanh", ["a"]), "o": ("affine", ["c", "V", ends["v"]])}
    return circuit(["x"], [*names, *"UWbVc", *("S" * skip)], nodes)


def _names(p: Stacked | Blocks) -> list[str]:
    """The name of every array of a net in the net's circuit, in the order of the fields."""
    if isinstance(p, Stacked):
        return [f"{letter}{l}" for l in range(1, len(p.layers) + 1) for letter in "UWb"] + ["V", "c"]
    depths = {letter: len(getattr(p, field)) for letter, field in MLPS.items()}
    inner = [f"{name}_{letter}{i}" for letter, depth in depths.items() for i in range(1, depth + 1) for name in "Wb"]
    return [*inner, *"UWbVc", *("S" * (p.S is not None))]


@checked
def parameters(p: Net) -> dict[str, np.ndarray]:
    """Every array of a net of either kind by the name that it has in the net's circuit (Section 10.5)."""
    return dict(zip(_names(p), tree.leaves(p).values(), strict=True))


@checked
def rebuilt(p: Net, named: dict[str, np.ndarray]) -> Stacked | Blocks:
    """The opposite of `parameters`: a net of the make of p with these arrays, by their names (Section 10.5)."""
    wanted = parameters(p)
    if set(named) != set(wanted):
        raise ValueError(f"named: want arrays for {sorted(wanted)}, got {sorted(named)}")
    new = iter([named[name] for name in wanted])
    return _checked(tree.map(lambda _: next(new), p))


def _readers(graph: UnfoldedGraph, source: Place, target: Place) -> dict[Place, list[Place]]:
    """For each node those that read it, once for each edge."""
    readers = {(n.name, n.t): [] for n in graph.nodes}
    for name, place in (("source", source), ("target", target)):
        if place not in readers:
            raise ValueError(f"{name}: want a node (name, step) of the graph, got {place!r}")
    for n in graph.nodes:
        for read in n.reads:
            if read in readers:
                readers[read].append((n.name, n.t))
    return readers


def shortest_path(graph: UnfoldedGraph, source: Place, target: Place) -> list[Place]:
    """A path with the fewest nodes from one node of an unfolded graph to another, by breadth-first search.

    Section 10.5, in an unfolded graph (Section 10.1); nodes are (name, step).

    Returns
    -------
    The nodes from source to target, both included; empty if target does not depend on source.
    """
    readers, came_from, waiting = _readers(graph, source, target), {source: None}, deque([source])
    while waiting and target not in came_from:
        here = waiting.popleft()
        for there in readers[here]:
            if there not in came_from:
                came_from[there] = here
                waiting.append(there)
    path, here = [], target if target in came_from else None
    while here is not None:
        path.append(here)
        here = came_from[here]
    return path[::-1]


def layers_on(graph: UnfoldedGraph, path: list[Place]) -> int:
    """Length of a path of nodes (name, step) in layers: how many affine maps stand on it after its first node.

    Section 10.5. An affine map and the tanh that may follow it are one layer.
    """
    known = {(n.name, n.t): n for n in graph.nodes}
    if not path or path[0] not in known:
        raise ValueError(f"path: want at least one node, each of the graph, got {path!r:.80}")
    for here, there in pairwise(path):
        if there not in known or here not in known[there].reads:
            raise ValueError(f"path: want nodes that each read the one before, got {here} → {there}")
    return sum(known[place].operation == "affine" for place in path[1:])


def path_lengths(graph: UnfoldedGraph, source: Place, target: Place) -> dict[int, int]:
    """How many paths of each length in layers lead from one node to another.

    Section 10.5. The number of paths to a node is the sum of those to the nodes it reads. Nodes are (name, step).

    Returns
    -------
    dict from length to number of paths, shortest first; empty if target does not depend on source.
    """
    _readers(graph, source, target)
    found: dict[Place, Counter] = {}
    for n in graph.nodes:  # each stands after everything that it reads
        place, own = (n.name, n.t), int(n.operation == "affine")
        found[place] = Counter({0: 1} if place == source else {})
        for read in n.reads:
            for length, number in found.get(read, {}).items():
                found[place][length + own] += number
    return dict(sorted(found[target].items()))


@checked
def stated_length(
    way: Literal["a", "b", "c"], lag: Annotated[int, (0, None)], layers: Count, longest: bool = False
) -> int:
    """Length in layers of the shortest (or longest) path from h⁽ᵗ⁻ˡᵃᵍ⁾ to h⁽ᵗ⁾, by the formulas of Section 10.5.

    (a) from the lowest of k stacked layers to the highest: lag + k − 1; (b) with an m-layer MLP from state to
    state: m · lag; (c) with a skip connection besides: lag, and m · lag for the longest. `layers` is k or m.
    """
    if way == "a":
        return lag + layers - 1
    return lag if way == "c" and not longest else layers * lag
