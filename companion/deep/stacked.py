"""Depth (a): the state in a hierarchy, recurrent layers on top of each other. Section 10.5."""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np

from companion.cells.rnn import RNN, Inputs, Layer, Targets, backward, gaussian, sum_over_copies
from companion.core.checks import Count, array, checked, integer, parameters, sequence
from companion.core.functions import nll_grad, softmax
from companion.core.scan import scan

if TYPE_CHECKING:
    import torch

__all__ = [
    "Stacked",
    "StackedRun",
    "stacked_bptt",
    "stacked_forward",
    "stacked_from_torch",
    "stacked_init",
    "stacked_to_torch",
]


class Stacked(NamedTuple):
    """Parameters of k recurrent layers and the output layer (or gradients of the same shapes)."""

    layers: tuple[Layer, ...]
    V: Annotated[np.ndarray, "n_o", "n_k"]
    c: Annotated[np.ndarray, "n_o"]


class StackedRun(NamedTuple):
    """What one forward pass computed."""

    h: tuple[np.ndarray, ...]  # one array (tau + 1, n_l) a layer; row 0 is the initial state
    o: np.ndarray  # (tau, n_o) logits
    yhat: np.ndarray  # (tau, n_o) probabilities


def chained(name: str, layers: Any, kind: type, n: int | None = None) -> tuple[tuple, int | None]:
    """The layers, of which the first reads n values (None: any number), and each what the one below it gives.

    With them comes how many values the last one gives.
    """
    if not isinstance(layers, tuple):
        raise ValueError(f"{name}: want a tuple of {kind.__name__}, got {layers!r:.60}")
    made = []
    for l, layer in enumerate(layers):
        made.append(parameters(f"{name}[{l}]", layer, kind, n_x=n))
        n = len(layer.b)
    return tuple(made), n


def fitting_stack(name: str, p: Stacked) -> Stacked:
    """The same net, if each layer fits the one below it, and V the last."""
    if not p.layers:
        raise ValueError(f"{name}: want at least one Layer, got none")
    layers, n = chained(f"{name}.layers", p.layers, Layer)
    array(f"{name}.V", p.V, (None, n))
    return p._replace(layers=layers)


Net = Annotated[Stacked, fitting_stack]


@checked
def _checked(p: Net) -> Stacked:
    return p


def _widths(name: str, value: tuple[int, ...]) -> tuple[int, ...]:
    if not isinstance(value, tuple | list) or not value:
        raise ValueError(f"{name}: want the units of at least one layer, got {value!r}")
    return tuple(integer(name, n, 1) for n in value)


@checked
def stacked_init(
    n_x: Count, widths: Annotated[tuple[int, ...], _widths], n_o: Count, rng: np.random.Generator
) -> Stacked:
    """Random parameters for layers of the given widths: Gaussian weights of variance 1/fan-in, zero biases.

    Section 10.5 (a). The widths are the units of each layer, from the lowest up.
    """
    layers, below = [], n_x
    for n in widths:
        layers.append(Layer(gaussian((n, below), rng), gaussian((n, n), rng), np.zeros(n)))
        below = n
    return Stacked(tuple(layers), gaussian((n_o, below), rng), np.zeros(n_o))


def _starts(p: Stacked, h0: Any) -> list[np.ndarray]:
    if h0 is None:
        return [np.zeros(len(layer.b)) for layer in p.layers]
    if len(h0) != len(p.layers):
        raise ValueError(f"h0: want one initial state for each of {len(p.layers)} layers, got {len(h0)}")
    return [array("h0", start, (len(layer.b),)) for start, layer in zip(h0, p.layers, strict=True)]


@checked
def stacked_forward(p: Net, x: Inputs, h0: tuple[np.ndarray, ...] | None = None) -> StackedRun:
    """Run k recurrent layers over a sequence: each reads the states of the one below as its inputs.

    Equations (Section 10.5): h_l⁽ᵗ⁾ = tanh(b_l + W_l h_l⁽ᵗ⁻¹⁾ + U_l h_{l−1}⁽ᵗ⁾) with h_0⁽ᵗ⁾ = x⁽ᵗ⁾,
    o⁽ᵗ⁾ = c + V h_k⁽ᵗ⁾, ŷ⁽ᵗ⁾ = softmax(o⁽ᵗ⁾).

    Parameters
    ----------
    h0 : one initial state (n_l,) for each layer; zeros if None.

    Reference: elhihi1996, hermans2013
    """
    below, h = sequence("x", x, p.layers[0].U.shape[1]), []
    for layer, start in zip(p.layers, _starts(p, h0), strict=True):
        h.append(scan(layer, (start,), below).h)  # (tau + 1, n_l)
        below = h[-1][1:]
    o = p.c + below @ p.V.T
    return StackedRun(tuple(h), o, softmax(o))


@checked
def stacked_bptt(p: Net, x: Inputs, y: Targets, h0: tuple[np.ndarray, ...] | None = None) -> Stacked:
    """Gradient of the total loss, layer by layer from the top: to a layer, the one above is its output layer.

    Equations (Section 10.5): ∇_{h_l⁽ᵗ⁾}L = U_{l+1}ᵀ ∇_{a_{l+1}⁽ᵗ⁾}L + W_lᵀ ∇_{a_l⁽ᵗ⁺¹⁾}L, where Vᵀ ∇_{o⁽ᵗ⁾}L stands
    for the first term in the top layer; ∇_{a_l⁽ᵗ⁾}L = diag(1 − (h_l⁽ᵗ⁾)²) ∇_{h_l⁽ᵗ⁾}L.

    Parameters
    ----------
    h0 : one initial state (n_l,) for each layer; zeros if None.

    Reference: werbos1990
    """
    run = stacked_forward(p, x, h0)
    above, g, layers = p.V, nll_grad(run.o, y), []
    for l in range(len(p.layers), 0, -1):
        U, W, b = p.layers[l - 1]
        inputs, h = x if l == 1 else run.h[l - 2][1:], run.h[l - 1]
        net = RNN(U, W, above, b, b[:0])
        nodes = backward(net, h, g)
        grad = sum_over_copies(nodes, inputs, h)
        if l == len(p.layers):
            V, c = grad.V, grad.c
        layers.append(Layer(grad.U, grad.W, grad.b))
        above, g = U, nodes.a
    return Stacked(tuple(reversed(layers)), V, c)


def stacked_to_torch(p: Stacked) -> "tuple[torch.nn.RNN, torch.nn.Linear]":
    """The same network as `torch.nn.RNN(num_layers=k)` and a linear layer, in double precision.

    Section 10.5: U_l, W_l, b_l become weight_ih, weight_hh, bias_ih of layer l − 1; PyTorch's second bias is zero.

    Parameters
    ----------
    p : parameters; PyTorch wants all layers of one width.

    Returns
    -------
    rnn : torch.nn.RNN that takes (tau, n_x) or (batch, tau, n_x).
    linear : torch.nn.Linear from the top state to logits.
    """
    import torch

    p = _checked(p)
    widths = {len(layer.b) for layer in p.layers}
    if len(widths) > 1:
        raise ValueError(f"p: want layers of one width, got widths {sorted(widths)}")
    (n, n_x), n_o = p.layers[0].U.shape, len(p.c)
    rnn = torch.nn.RNN(n_x, n, num_layers=len(p.layers), batch_first=True, dtype=torch.float64)
    linear = torch.nn.Linear(n, n_o, dtype=torch.float64)
    with torch.no_grad():
        for l, layer in enumerate(p.layers):
            for name, values in zip(("weight_ih", "weight_hh", "bias_ih"), layer, strict=True):
                getattr(rnn, f"{name}_l{l}").copy_(torch.tensor(values))
            getattr(rnn, f"bias_hh_l{l}").zero_()
        linear.weight.copy_(torch.tensor(p.V))
        linear.bias.copy_(torch.tensor(p.c))
    return rnn, linear


def stacked_from_torch(rnn: "torch.nn.RNN", linear: "torch.nn.Linear") -> Stacked:
    """The parameters of a PyTorch RNN of one or more layers and its output layer in the book's letters.

    Section 10.5: b_l is the sum of PyTorch's two biases.

    Parameters
    ----------
    rnn : torch.nn.RNN, one direction, tanh, with biases. linear : from its top state, with a bias.
    """
    import torch

    if not isinstance(rnn, torch.nn.RNN) or rnn.bidirectional or rnn.nonlinearity != "tanh" or not rnn.bias:
        raise ValueError(f"rnn: want a torch.nn.RNN of tanh units with biases and one direction, got {rnn!r}")
    if not isinstance(linear, torch.nn.Linear) or linear.bias is None or linear.in_features != rnn.hidden_size:
        raise ValueError(f"linear: want a torch.nn.Linear with a bias from {rnn.hidden_size} units, got {linear!r}")
    weights = {k: v.detach().double().cpu().numpy().copy() for k, v in rnn.named_parameters()}
    names = [
        [f"{name}_l{l}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")] for l in range(rnn.num_layers)
    ]
    layers = tuple(Layer(weights[U], weights[W], weights[b] + weights[e]) for U, W, b, e in names)
    V, c = (w.detach().double().cpu().numpy().copy() for w in (linear.weight, linear.bias))
    return _checked(Stacked(layers, V, c))
