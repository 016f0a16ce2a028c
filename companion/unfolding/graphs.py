"""10.1 Unfolding: circuits with one-step delays, the acyclic graphs they unfold into, and what sharing buys.

A circuit says how one step is computed. Its nodes are named operations; a wire reads its source at the
same step, or one step earlier if it passes through a delay. `unfold` makes one copy of every node for each
step, `evaluate` computes the copies in order. The experiments with shared maps stand in `sharing`.
"""

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, NamedTuple

import numpy as np

from companion.core.checks import Count, array, checked, choice

__all__ = [
    "OPERATIONS",
    "RECURRENT",
    "Circuit",
    "CircuitNode",
    "Copy",
    "UnfoldedGraph",
    "Wire",
    "circuit",
    "copies",
    "count_parameters",
    "dependence",
    "depth",
    "evaluate",
    "time_delay",
    "unfold",
]


class Wire(NamedTuple):
    """A wire into a node: the source read at the same step (delay 0) or one step earlier (delay 1)."""

    source: str
    delay: int = 0


class CircuitNode(NamedTuple):
    """A node of a circuit: the name of its operation and the wires it reads, in the operation's order."""

    operation: str
    wires: tuple[Wire, ...]


class Circuit(NamedTuple):
    """One step of a computation: names of inputs and parameters, and the nodes by name."""

    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    nodes: dict[str, CircuitNode]


class Copy(NamedTuple):
    """A node of an unfolded graph: what stands at (name, t), and the (name, t) it reads; parameters have t = None."""

    name: str
    t: int
    operation: str
    reads: tuple[tuple[str, int | None], ...]


class UnfoldedGraph(NamedTuple):
    """An unfolded graph: its copies in an order in which each stands after everything that it reads."""

    tau: int
    parameters: tuple[str, ...]
    nodes: tuple[Copy, ...]


def _affine(b: np.ndarray, *pairs: np.ndarray) -> np.ndarray:
    a = b
    for matrix, vector in zip(pairs[::2], pairs[1::2], strict=True):
        a = a + matrix @ vector
    return a


def _add(first: np.ndarray, *rest: np.ndarray) -> np.ndarray:
    for term in rest:
        first = first + term
    return first


#: What a node can do: `affine` of (b, W, h, U, x, …) is b + W h + U x + …, from left to right.
OPERATIONS: dict[str, Callable[..., np.ndarray]] = {
    "affine": _affine,
    "matmul": lambda W, h: W @ h,
    "add": _add,
    "multiply": lambda u, v: u * v,
    "tanh": np.tanh,
    "copy": lambda v: v,
}


def circuit(
    inputs: Iterable[str], parameters: Iterable[str], nodes: Mapping[str, tuple[str, Iterable[str | Wire]]]
) -> Circuit:
    """Make a circuit from {name: (operation, sources)}; a source is a name or `Wire(name, delay=1)` (Section 10.1).

    Parameters
    ----------
    inputs, parameters : names; parameters are the same at every step.
    nodes : for each node its operation (a key of `OPERATIONS`) and what it reads.

    Raises
    ------
    ValueError
        For a repeated or unknown name, an unknown operation, a delay other than 0 or 1, a delayed
        parameter, or a cycle without a delay (the message spells the cycle out).
    """
    inputs, parameters = tuple(inputs), tuple(parameters)
    names = [*inputs, *parameters, *nodes]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated or not nodes:
        raise ValueError(f"nodes: want at least one node and every name once, got {repeated or 'no node'}")
    made = {}
    for name, (operation, sources) in nodes.items():
        choice(f"operation of {name}", operation, list(OPERATIONS))
        wires = tuple(source if isinstance(source, Wire) else Wire(source) for source in sources)
        for source, delay in wires:
            choice(f"source of {name}", source, names)
            choice(f"delay from {source} to {name}", delay, (0,) if source in parameters else (0, 1))
        made[name] = CircuitNode(operation, wires)
    out = Circuit(inputs, parameters, made)
    _order(out)
    return out


def _order(c: Circuit) -> list[str]:
    """Names of the nodes, each after what it reads at the same step."""
    same_step = {
        name: [w.source for w in node.wires if w.delay == 0 and w.source in c.nodes] for name, node in c.nodes.items()
    }
    try:
        return list(TopologicalSorter(same_step).static_order())
    except CycleError as error:
        raise ValueError(f"nodes: cycle without a delay: {' → '.join(error.args[1])}") from None


@checked
def unfold(c: Circuit, tau: Count) -> UnfoldedGraph:
    """Unfold a circuit over τ steps: a copy of every node and input for each t, acyclic (Section 10.1).

    Copies at t = 0 stand for the values from before the first step (such as h⁽⁰⁾): one for each source of a
    delayed wire. Parameters are not copied.

    Returns
    -------
    UnfoldedGraph with its nodes in topological order.

    Raises
    ------
    ValueError
        If the circuit has a cycle without a delay.
    """
    order = _order(c)
    delayed = dict.fromkeys(w.source for node in c.nodes.values() for w in node.wires if w.delay)
    nodes = [Copy(name, 0, "initial", ()) for name in delayed]
    for t in range(1, tau + 1):
        nodes += [Copy(name, t, "input", ()) for name in c.inputs]
        for name in order:
            operation, wires = c.nodes[name]
            reads = tuple((w.source, None if w.source in c.parameters else t - w.delay) for w in wires)
            nodes.append(Copy(name, t, operation, reads))
    return UnfoldedGraph(tau, c.parameters, tuple(nodes))


def _same_names(what: str, given: Mapping[str, Any], wanted: Iterable[str]) -> None:
    if set(given) != set(wanted):
        raise ValueError(f"{what}: want values for {sorted(set(wanted))}, got {sorted(given)}")


def evaluate(
    graph: UnfoldedGraph,
    inputs: Mapping[str, np.ndarray],
    parameters: Mapping[str, np.ndarray],
    initial: Mapping[str, np.ndarray],
) -> dict[tuple[str, int], np.ndarray]:
    """Compute an unfolded graph node by node (Section 10.1).

    Parameters
    ----------
    inputs : for each input its sequence, shape (tau, width).
    parameters : for each parameter its one value.
    initial : for each delayed name its value before the first step.

    Returns
    -------
    dict from (name, t) to that copy's value.
    """
    _same_names("inputs", inputs, {n.name for n in graph.nodes if n.operation == "input"})
    _same_names("parameters", parameters, graph.parameters)
    _same_names("initial", initial, {n.name for n in graph.nodes if n.operation == "initial"})
    xs = {name: array(name, x, (graph.tau, "width")) for name, x in inputs.items()}
    values = {(k, None): array(k, v, ("any",) * np.ndim(v)) for k, v in parameters.items()}
    for name, t, operation, reads in graph.nodes:
        if operation == "initial":
            values[name, t] = array(name, initial[name], ("width",))
        elif operation == "input":
            values[name, t] = xs[name][t - 1]
        else:
            arguments = [values[source] for source in reads]
            try:
                values[name, t] = OPERATIONS[operation](*arguments)
            except (ValueError, TypeError) as error:
                shapes = ", ".join(f"{source} {np.shape(v)}" for (source, _), v in zip(reads, arguments, strict=True))
                raise ValueError(f"{name} at step {t}: {operation} cannot join {shapes} ({error})") from None
    return {key: value for key, value in values.items() if key[1] is not None}


def copies(graph: UnfoldedGraph, parameter: str) -> list[tuple[str, int]]:
    """The copies (name, t) that read a parameter: the places where one θ acts."""
    choice("parameter", parameter, graph.parameters)
    return [(n.name, n.t) for n in graph.nodes if (parameter, None) in n.reads]


def count_parameters(parameters: Mapping[str, np.ndarray]) -> int:
    """How many numbers θ holds, however often they are used."""
    return sum(array(name, v, ("any",) * np.ndim(v)).size for name, v in parameters.items())


def depth(graph: UnfoldedGraph) -> int:
    """Number of operations on the longest path through the graph."""
    longest: dict[tuple[str, int | None], int] = {}
    for n in graph.nodes:
        own = 0 if n.operation in ("initial", "input") else 1
        longest[n.name, n.t] = own + max((longest.get(source, 0) for source in n.reads), default=0)
    return max(longest.values())


#: h⁽ᵗ⁾ = tanh(b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾), with its pre-activation a⁽ᵗ⁾ as a node of its own.
RECURRENT = circuit(
    ["x"],
    ["b", "W", "U"],
    {"a": ("affine", ["b", "W", Wire("h", delay=1), "U", "x"]), "h": ("tanh", ["a"])},
)


@checked
def time_delay(width: Count) -> Circuit:
    """The circuit of a causal 1-D convolution, out⁽ᵗ⁾ = tanh(b + Σⱼ Kⱼ x⁽ᵗ⁻ʲ⁾), j = 0 … width − 1 (Section 10).

    Its delays lie in a row and close no cycle; parameters are b, K0, K1, …, output is node "out".
    """
    taps = ["x", *(f"x{j}" for j in range(1, width))]  # x1 is x one step ago, x2 two steps ago, …
    nodes = {taps[j]: ("copy", [Wire(taps[j - 1], delay=1)]) for j in range(1, width)}
    kernel = [f"K{j}" for j in range(width)]
    nodes["a"] = ("affine", ["b", *(name for pair in zip(kernel, taps, strict=True) for name in pair)])
    nodes["out"] = ("tanh", ["a"])
    return circuit(["x"], ["b", *kernel], nodes)


@checked
def dependence(
    f: Callable[[np.ndarray], np.ndarray],
    x: Annotated[np.ndarray, "tau", "n_x"],
    eps: Annotated[float, (1e-12, None)] = 1e-5,
) -> np.ndarray:
    """Size of the Jacobian block ∂out⁽ᵗ⁾/∂x⁽ᵏ⁾ for every pair of steps, by central differences.

    Parameters
    ----------
    f : maps a sequence (tau, n_x) to a sequence (tau_out, n_out). x : the sequence at which to differentiate.
    eps : half-width of the difference.

    Returns
    -------
    array of shape (tau_out, tau): Frobenius norms; exactly 0 where out⁽ᵗ⁾ never reads x⁽ᵏ⁾.
    """
    squares = np.zeros((len(array("f(x)", f(x), ("tau_out", "n_out"))), len(x)))
    for k, i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[k, i] = eps
        column = (f(x + step) - f(x - step)) / (2 * eps)  # (tau_out, n_out)
        squares[:, k] += (column**2).sum(axis=1)
    return np.sqrt(squares)
