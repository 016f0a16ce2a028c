"""The one check of gradients: against central differences at every index, and against torch's autograd."""

from collections.abc import Callable
from typing import Any

import numpy as np

from companion.core import tree

STEP = 1e-5  # of the differences
BLUR = 1e-9  # what such differences cannot see, as a share of the largest of 1, the loss and the slopes
ROUNDING = 64 * np.finfo(float).eps  # what exact derivatives may differ by, as a share of the same


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest disagreement, relative to the larger of the two arrays' largest entries."""
    ours, theirs = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    assert ours.shape == theirs.shape, f"shapes differ: {ours.shape} against {theirs.shape}"
    scale = max(np.abs(ours).max(initial=0.0), np.abs(theirs).max(initial=0.0))
    return float(np.abs(ours - theirs).max(initial=0.0) / scale) if scale > 0 else 0.0


def differences(f: Callable[[Any], Any], p: Any, step: float = STEP) -> Any:
    """The slopes of f at a tree p by central differences at every index.

    An array of shape s becomes one of shape s, followed by the shape of f(p): for a vector f, the Jacobian transposed.
    A smaller step sees less of the third derivative and more of the rounding.
    """
    at = tree.map(lambda v: np.array(v, dtype=np.float64), p)

    def slopes(v: np.ndarray) -> np.ndarray:
        found = np.empty(v.shape + np.shape(f(at)))
        for index in np.ndindex(v.shape):
            here, ends = v[index], []
            for v[index] in (here + step, here - step):
                ends.append(np.array(f(at)))
            found[index] = (ends[0] - ends[1]) / (2 * step)
            v[index] = here
        return found

    return tree.map(slopes, at)


def autograd(loss: Callable[[Any], Any], p: Any) -> tuple[float, Any]:
    """The value and the gradient of loss at p, by torch in double precision; zeros where p plays no part."""
    import torch

    q = tree.map(lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True), p)
    value = loss(q)
    grads = iter(torch.autograd.grad(value, list(tree.leaves(q).values()), allow_unused=True, materialize_grads=True))
    return value.item(), tree.map(lambda _: next(grads).detach().numpy(), q)


def assert_agree(
    ours: Any,
    theirs: Any,
    tolerance: float,
    of: Callable | str,
    oracle: str = "torch",
    name: str = "p",
    floor: float = 0.0,
) -> None:
    """Two trees agree at every index, relative to the largest entry of each array.

    A failure names the function, the argument's path, the index and both values.

    Parameters
    ----------
    ours, theirs : trees of one type. tolerance : largest relative error. of : the function that gave ours.
    oracle : what gave theirs. name : of the argument. floor : largest error that is always allowed.
    """
    who = of if isinstance(of, str) else of.__name__
    assert type(ours) is type(theirs), f"{who}: {name} is a {type(ours).__name__}, by {oracle} {type(theirs).__name__}"
    ours, theirs = tree.leaves(ours, name), tree.leaves(theirs, name)
    assert list(ours) == list(theirs), f"{who}: has {list(ours)}, by {oracle} {list(theirs)}"
    for path, g, d in zip(ours, ours.values(), theirs.values(), strict=True):
        assert g.shape == d.shape, f"{who}: {path} has shape {g.shape}, by {oracle} {d.shape}"
        if not g.size:
            continue
        error, scale = np.abs(g - d), max(np.abs(g).max(), np.abs(d).max())
        index = tuple(int(i) for i in np.unravel_index(np.nan_to_num(error, nan=np.inf).argmax(), g.shape))
        place = f"{path}[{', '.join(map(str, index))}]" if index else path
        assert error[index] <= tolerance * scale + floor, (
            f"{who}: {place} is {g[index]:.12g}, by {oracle} {d[index]:.12g}: off by {error[index]:.1e}, "
            f"want ≤ {tolerance:.0e} of {scale:.2g}"
        )


def assert_gradient(
    of: Callable | str,
    loss: Callable[[Any], float],
    p: Any,
    grad: Any,
    by_torch: Callable[[Any], Any] | None = None,
    name: str = "p",
) -> None:
    """A gradient by hand is that of central differences (≤ 1e-6) and, if given, of torch (≤ 1e-10), at every index.

    Parameters
    ----------
    of : the function that gave grad. loss : p → number. p : a parameter tree. grad : a tree of the same type.
    by_torch : the same loss written in torch: tree of float64 tensors → scalar tensor. name : of the argument.
    """
    value = float(loss(p))
    size = max(1.0, abs(value), *(float(np.abs(g).max(initial=0.0)) for g in tree.leaves(grad).values()))
    assert_agree(grad, differences(loss, p), 1e-6, of, "central differences", name, BLUR * size)
    if by_torch is not None:
        theirs, slopes = autograd(by_torch, p)
        assert abs(value - theirs) <= 1e-10 * max(1.0, abs(value)), f"loss is {value!r}, by torch {theirs!r}"
        assert_agree(grad, slopes, 1e-10, of, "torch", name, ROUNDING * size)
