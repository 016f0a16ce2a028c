"""Attention: a context of its own for every step, looked up among the states of the reader (Section 10.4)."""

import numpy as np

from companion.core.checks import array
from companion.core.functions import softmax

__all__ = ["additive_attention", "attention"]


def attention(A: np.ndarray, h: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Look back at what was read: weights over the source, and the mean under them.

    Equations (Section 10.4): e_k = hᵀ A g⁽ᵏ⁾, α = softmax(e), m = Σₖ αₖ g⁽ᵏ⁾.

    Parameters
    ----------
    A : (n_h, n_g). h : state of the writer, (n_h,). g : states of the reader, (tau_x, n_g).

    Returns
    -------
    alpha : (tau_x,), positive, sums to one.
    m : (n_g,).

    Reference: bahdanau2015, luong2015
    """
    A = array("A", A, ("n_h", "n_g"))
    h, g = array("h", h, (len(A),)), array("g", g, ("tau_x", A.shape[1]))
    alpha = softmax(g @ A.T @ h)
    return alpha, alpha @ g


def additive_attention(
    v: np.ndarray, A: np.ndarray, B: np.ndarray, h: np.ndarray, g: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Attention whose score is a small network: e_k = vᵀ tanh(A h + B g⁽ᵏ⁾) (Section 10.4).

    Parameters
    ----------
    v : (n,). A : (n, n_h). B : (n, n_g). h : (n_h,). g : (tau_x, n_g).

    Returns
    -------
    As `attention`.

    Reference: bahdanau2015
    """
    A, B = array("A", A, ("n", "n_h")), array("B", B, ("n", "n_g"))
    v, h, g = array("v", v, (len(A),)), array("h", h, (A.shape[1],)), array("g", g, ("tau_x", B.shape[1]))
    if len(A) != len(B):
        raise ValueError(f"B: want {len(A)} rows, as many as A, got {len(B)}")
    alpha = softmax(np.tanh(A @ h + g @ B.T) @ v)
    return alpha, alpha @ g
