"""Teacher forcing: steps taken apart, the teacher let go, and what scheduled sampling aims at.

Section 10.2.1. The output-recurrent classifier itself is in `companion.recurrent` (`output_rnn_*`). Here stand

- the gradient of any set of its steps in one matrix product (`teacher_inputs`, `steps_gradient`);
- a memory task that separates the two kinds of recurrence (`hold`);
- a predictor of real values whose output is its only memory, driven by the teacher or by itself (`drive`), two
  series to predict (`cycle`, `chaos`), and its error with no teacher (`free_error`);
- scheduled sampling: the teacher's fading (`teacher_probability`) and the exact optimum of a two-step case
  (`scheduled_optimum`).
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.cells.output import OutputRNN
from companion.core.checks import Classes, Count, Probability, checked, integer, number, positive, probability, targets
from companion.core.functions import nll, nll_grad

__all__ = [
    "SERIES",
    "Predictor",
    "chaos",
    "cycle",
    "drive",
    "free_error",
    "hold",
    "predict",
    "scheduled_optimum",
    "steps_gradient",
    "teacher_inputs",
    "teacher_probability",
]


class Predictor(NamedTuple):
    """Parameters of a net that predicts the next value of a series from the value before."""

    W: Annotated[np.ndarray, "n_h", "n_y"]  # value before → hidden
    V: Annotated[np.ndarray, "n_y", "n_h"]  # hidden → prediction
    b: Annotated[np.ndarray, "n_h"]
    c: Annotated[np.ndarray, "n_y"]


@checked
def teacher_inputs(y: np.ndarray, n_o: Count) -> np.ndarray:
    """What the teacher feeds each step: the target of the step before, one-hot over n_o classes.

    Equation (Section 10.2.1): z⁽⁰⁾ = 0, z⁽ᵗ⁾ = onehot(y⁽ᵗ⁾); step t reads z⁽ᵗ⁻¹⁾, which is row t − 1 of what comes
    back, of shape (tau, n_o).
    """
    y = targets("y", y, integer("len(y)", np.size(y), 1), n_o)
    return np.vstack([np.zeros(n_o), np.eye(n_o)[y[:-1]]])


@checked
def steps_gradient(
    p: OutputRNN,
    x: Annotated[np.ndarray, "n", "n_x"],
    z: Annotated[np.ndarray, "n", "n_o"],
    y: Annotated[np.ndarray, "n", Classes("n_o")],
) -> tuple[np.ndarray, OutputRNN]:
    """Losses of n steps of an output-recurrent network and the gradient of their sum, all steps at once.

    Equations (Section 10.2.1): A = X Uᵀ + Z Wᵀ + 1 bᵀ, H = tanh A, O = H Vᵀ + 1 cᵀ; G_O = softmax(O) − onehot(y),
    G_A = (G_O V) ⊙ (1 − H²); ∇U = G_Aᵀ X, ∇W = G_Aᵀ Z, ∇V = G_Oᵀ H. Rows never meet, so they may be one step, all
    steps of a sequence, or steps of many sequences in any order.

    Parameters
    ----------
    x : inputs of the steps. z : what is fed back to each, see `teacher_inputs`. y : their targets.

    Returns
    -------
    loss : shape (n,), in nats.
    gradient : of the sum of the losses.

    Reference: williams1989, goodfellow2016
    """
    H = np.tanh(x @ p.U.T + z @ p.W.T + p.b)  # (n, n_h)
    O = H @ p.V.T + p.c  # (n, n_o)
    G_O = nll_grad(O, y)
    G_A = (G_O @ p.V) * (1.0 - H**2)
    return nll(O, y), OutputRNN(U=G_A.T @ x, W=G_A.T @ z, V=G_O.T @ H, b=G_A.sum(axis=0), c=G_O.sum(axis=0))


@checked
def hold(length: Annotated[int, (3, None)]) -> tuple[np.ndarray, np.ndarray]:
    """The two sequences of the holding task: see a bit first, say "wait", name the bit at the last step.

    Section 10.2.1.

    Returns
    -------
    x : shape (2, length, 2): the bit as −1 or +1 at the first step, a flag of 1 at the last, else 0.
    y : integers of shape (2, length): 2 ("wait") until the last step, there the bit, 0 or 1.
    """
    x, y = np.zeros((2, length, 2)), np.full((2, length), 2)
    x[:, 0, 0], x[:, -1, 1], y[:, -1] = (-1, 1), 1, (0, 1)
    return x, y


@checked
def predict(p: Predictor, z: Annotated[np.ndarray, "n", "n_y"]) -> np.ndarray:
    """Predict the next value for each of n values.

    Equation (Section 10.2.1): ŷ = c + V tanh(b + W z), for each row z on its own.
    """
    return _predict(p, z)


def _predict(p: Predictor, z: np.ndarray) -> np.ndarray:
    return np.tanh(z @ p.W.T + p.b) @ p.V.T + p.c


@checked
def drive(p: Predictor, y: Annotated[np.ndarray, "tau", "n_y"], own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Run a predictor along a series, fed at each step by the teacher or by itself.

    Equations (Section 10.2.1): ŷ⁽ᵗ⁺¹⁾ = c + V tanh(b + W z⁽ᵗ⁾), where z⁽ᵗ⁾ = ŷ⁽ᵗ⁾ if own⁽ᵗ⁾, else y⁽ᵗ⁾.

    Parameters
    ----------
    y : the series, at least two values.
    own : booleans, shape (tau − 1,): does step t feed back the net's own value? The first has none yet: False.

    Returns
    -------
    z : shape (tau − 1, n_y): row t − 1 is z⁽ᵗ⁾, what was fed.
    yhat : shape (tau − 1, n_y): row t − 1 is ŷ⁽ᵗ⁺¹⁾, the prediction of row t of `y`.

    Reference: bengio2015scheduled
    """
    own, n = np.asarray(own), integer("len(y)", len(y), 2) - 1
    if own.shape != (n,) or own.dtype != bool:
        raise ValueError(f"own: want {n} booleans, one a step, got shape {own.shape} of type {own.dtype}")
    if own[0]:
        raise ValueError("own: want False at the first step, where the net has said nothing yet, got True")
    z, yhat = np.empty((n, len(p.c))), np.empty((n, len(p.c)))
    for t in range(n):
        z[t] = yhat[t - 1] if own[t] else y[t]
        yhat[t] = _predict(p, z[t])
    return z, yhat


@checked
def free_error(p: Predictor, y: Annotated[np.ndarray, "n", "tau", "n_y"]) -> np.ndarray:
    """Distance of the free-running predictor from n series, each step after the first value.

    Equation (Section 10.2.1): e⁽ᵗ⁾ = |ŷ⁽ᵗ⁾ − y⁽ᵗ⁾| with z⁽¹⁾ = y⁽¹⁾ and z⁽ᵗ⁾ = ŷ⁽ᵗ⁾ from then on.

    Returns
    -------
    Shape (n, tau − 1): column t − 1 is the distance after t steps on its own.
    """
    integer("tau", y.shape[1], 2)
    z, e = y[:, 0], np.empty((len(y), y.shape[1] - 1))
    for t in range(1, y.shape[1]):
        z = _predict(p, z)
        e[:, t - 1] = np.sqrt(((z - y[:, t]) ** 2).sum(axis=1))
    return e


def _speed(y: np.ndarray) -> np.ndarray:
    return np.stack([y[:, 1], (1.0 - y[:, 0] ** 2) * y[:, 1] - y[:, 0]], axis=1)


@checked
def cycle(tau: Count, n: Count, rng: np.random.Generator) -> np.ndarray:
    """Draw n series from van der Pol's oscillator, which settles on one closed curve: shape (n, tau, 2).

    Equations (Section 10.2.1): u' = v, v' = (1 − u²) v − u, a value every 0.3 units of time (twelve Runge–Kutta
    steps), from random starts and after 40 values have been dropped.
    """
    step = 0.3 / 12
    y, out = 1.5 * rng.normal(size=(n, 2)), np.empty((n, tau + 40, 2))
    for t in range(tau + 40):
        for _ in range(12):
            k1 = _speed(y)
            k2 = _speed(y + step / 2 * k1)
            k3 = _speed(y + step / 2 * k2)
            y = y + step / 6 * (k1 + 2 * k2 + 2 * k3 + _speed(y + step * k3))
        out[:, t] = y
    return out[:, 40:]


@checked
def chaos(tau: Count, n: Count, rng: np.random.Generator) -> np.ndarray:
    """Draw n series from the chaotic map on [−1, 1], in which small differences double every step: (n, tau, 1).

    Equation (Section 10.2.1): y⁽ᵗ⁺¹⁾ = 1 − 2 (y⁽ᵗ⁾)², the logistic map in other units; log 2 is its exponent.
    """
    out = np.empty((n, tau, 1))
    out[:, 0, 0] = np.cos(np.pi * rng.random(n))  # the map's own density
    for t in range(1, tau):
        out[:, t] = 1.0 - 2.0 * out[:, t - 1] ** 2
    return out


SERIES = {"cycle": cycle, "chaos": chaos}


@checked
def teacher_probability(
    i: Annotated[int, (0, None)],
    decay: Literal["linear", "exponential", "inverse sigmoid"],
    k: float,
    floor: Probability = 0.0,
) -> float:
    """Probability ε that step i of training feeds the teacher's value: three ways to fade.

    Equations (Section 10.2.1): linear ε = 1 − i/k; exponential ε = kⁱ with k < 1; inverse sigmoid
    ε = k / (k + e^{i/k}) with k ≥ 1; never below `floor`.

    Parameters
    ----------
    i : steps of training done. k : the pace, as above; above 0 for "linear". floor : the least ε.

    Reference: bengio2015scheduled
    """
    if decay == "linear":
        epsilon = 1.0 - i / positive("k", k)
    elif decay == "exponential":
        epsilon = probability("k", k) ** i
    else:
        fading = number("k", k, 1) * np.exp(-i / k)
        epsilon = fading / (fading + 1.0)
    return float(max(epsilon, floor))


@checked
def scheduled_optimum(P: Annotated[np.ndarray, "k", "k", (0, None)], teacher: Probability) -> np.ndarray:
    """The second step that scheduled sampling aims at, for sequences of two symbols.

    Equation (Section 10.2.1): Q(y⁽²⁾ | z) = ε P(y⁽²⁾ | y⁽¹⁾ = z) + (1 − ε) P(y⁽²⁾). With ε = 1, teacher forcing,
    it is the data's own conditional; with ε = 0 the symbol that was fed no longer matters.

    Parameters
    ----------
    P : joint distribution of the data, rows y⁽¹⁾; every row has some mass.
    teacher : ε, the probability that the second step is fed the data's first symbol; otherwise a draw from the
        model's first step, which is P(y⁽¹⁾) at its optimum.

    Returns
    -------
    Shape (k, k): row z is Q(· | z).

    Reference: bengio2015scheduled, huszar2015
    """
    if abs(P.sum() - 1.0) > 1e-9 or (P.sum(axis=1) == 0).any():
        raise ValueError(f"P: want probabilities that sum to 1, with no empty row, got {P.tolist()}")
    return teacher * P / P.sum(axis=1, keepdims=True) + (1.0 - teacher) * P.sum(axis=0)
