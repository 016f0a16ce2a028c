"""One scan carries any cell through a sequence, and one reverse scan carries gradients back through it.

A *cell* is a NamedTuple of parameters with

- `state`, the names of what a step hands to the next one;
- `step(inputs, states)`, one step, which returns its *nodes*: a NamedTuple of everything that it computed;
- `back(now, before, d)`, the same step backward: from the nodes of step t, the states of step t − 1 and the gradients
  d that arrive at step t's nodes, the gradients on its nodes and what they send to the states of step t − 1.

A *run* is the nodes of all steps, stacked: a state has tau + 1 rows, of which row 0 is the initial one; every other
node has tau rows, and row t − 1 is step t.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from companion.core.checks import array

__all__ = ["initial", "last", "reverse_scan", "scan"]


def initial(n_h: int, **states: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """The states at time 0, by name: zeros of length n_h where None is given."""
    return tuple(np.zeros(n_h) if v is None else array(name, v, (n_h,)) for name, v in states.items())


def scan(p: Any, start: tuple[np.ndarray, ...], *inputs: Iterable) -> Any:
    """nodes⁽ᵗ⁾ = step(x⁽ᵗ⁾, state⁽ᵗ⁻¹⁾) for t = 1 … τ.

    Parameters
    ----------
    p : a cell.
    start : its states at time 0, in the order of `p.state`.
    inputs : one or more sequences of tau entries: what each step reads from outside.

    Returns
    -------
    The run, in the type of the cell's nodes.
    """
    state, run = start, None
    for t, row in enumerate(zip(*inputs, strict=True)):
        nodes = p.step(*row, *state)
        if run is None:
            run, steps = _room(nodes, p.state, len(inputs[0]))
            carried = [nodes._fields.index(k) for k in p.state]
        state = [nodes[i] for i in carried]
        for rows, value in zip(steps, nodes, strict=True):
            rows[t] = value
    for k, v in zip(p.state, start, strict=True):
        getattr(run, k)[0] = v
    return run


def last(p: Any, state: tuple[np.ndarray, ...], *inputs: Iterable) -> tuple[np.ndarray, ...]:
    """The states after the last step, with nothing kept on the way."""
    for row in zip(*inputs, strict=True):
        nodes = p.step(*row, *state)
        state = tuple([getattr(nodes, k) for k in p.state])
    return state


def reverse_scan(p: Any, run: Any, end: tuple[np.ndarray, ...] | None = None, **direct: np.ndarray) -> Any:
    """Back-propagation through time: gradients on all nodes, last step first.

    Parameters
    ----------
    p : a cell.
    run : what `scan` returned; nodes that `back` does not look at may be None.
    end : gradients that reach the last states from beyond the sequence; zeros if None.
    direct : by the name of a node, shape (tau, …): how the loss depends on it directly, such as through an output.

    Returns
    -------
    Gradients on all nodes, in the type and the shapes of the run.
    """
    kind, states = type(run), p.state
    tau = len(getattr(run, states[0])) - 1
    if end is None:
        end = tuple(np.zeros_like(getattr(run, k)[0]) for k in states)
    later, grads = kind(**dict(zip(states, end, strict=True))), None
    for t in reversed(range(tau)):
        now = kind(*(v if v is None else v[t + (k in states)] for k, v in zip(kind._fields, run, strict=True)))
        before = kind(**{k: getattr(run, k)[t] for k in states})
        d = {k: v[t] for k, v in direct.items()}
        d |= {k: getattr(later, k) + d[k] if k in d else getattr(later, k) for k in states}
        nodes, later = p.back(now, before, kind(**d))
        if grads is None:
            grads, steps = _room(nodes, states, tau)
        for rows, value in zip(steps, nodes, strict=True):
            rows[t] = value
    for k in states:
        getattr(grads, k)[0] = getattr(later, k)
    return grads


def _room(nodes: Any, states: tuple[str, ...], tau: int) -> tuple[Any, list[np.ndarray]]:
    """Empty arrays for the nodes of tau steps, and in each of them the rows of those steps: a state has one before."""
    run = type(nodes)(
        *(
            np.empty((tau + (k in states), *np.shape(v)), np.asarray(v).dtype)
            for k, v in zip(nodes._fields, nodes, strict=True)
        )
    )
    return run, [rows[k in states :] for k, rows in zip(nodes._fields, run, strict=True)]
