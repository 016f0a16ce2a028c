"""Attention: a context of its own for every step, looked up among the states of the reader (Section 10.4)."""

from typing import Annotated

import numpy as np

from companion.core.checks import checked
from companion.core.functions import softmax

__all__ = ["additive_attention", "attention"]


State = Annotated[np.ndarray, "n_h"]
"""The writer's."""

States = Annotated[np.ndarray, "tau_x", "n_g"]
"""The reader's."""


@checked
def attention(A: Annotated[np.ndarray, "n_h", "n_g"], h: State, g: States) -> tuple[np.ndarray, np.ndarray]:
    """Look back at what was read: weights over the source, and the mean under them.

    Equations (Section 10.4): e_k = hᵀ A g⁽ᵏ⁾, α = softmax(e), m = Σₖ αₖ g⁽ᵏ⁾.

    h is the state of the writer, g holds the states of the reader.

    Reference: bahdanau2015, luong2015
    """
    alpha = softmax(g @ A.T @ h)
    return alpha, alpha @ g


@checked
def additive_attention(
    v: Annotated[np.ndarray, "n"],
    A: Annotated[np.ndarray, "n", "n_h"],
    B: Annotated[np.ndarray, "n", "n_g"],
    h: State,
    g: States,
) -> tuple[np.ndarray, np.ndarray]:
    """Attention whose score is a small network: e_k = vᵀ tanh(A h + B g⁽ᵏ⁾); α and m as in `attention` (Section 10.4).

    Reference: bahdanau2015
    """
    alpha = softmax(np.tanh(A @ h + g @ B.T) @ v)
    return alpha, alpha @ g
