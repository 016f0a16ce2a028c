"""Sequences of different lengths in one array: padding, and the masks that keep it out (Section P.3)."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from companion.bidirectional import BiRNN, BiRun, halves
from companion.cells.rnn import RNN
from companion.core.checks import array, checked
from companion.core.functions import nll, softmax

__all__ = ["last_states", "mask_of", "masked_birnn", "masked_loss", "masked_mean", "pad"]


def pad(sequences: Sequence[np.ndarray], value: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Sequences side by side, each followed by `value` up to the longest, and their mask (Section P.3).

    Parameters
    ----------
    sequences : B arrays (tau_i, n_x), tau_i ≥ 1. value : what stands where a sequence has ended.

    Returns
    -------
    x : (B, tau, n_x) with tau the largest tau_i. mask : (B, tau), 1 where a sequence has a step and 0 after its end.
    """
    if len(sequences) == 0:
        raise ValueError("sequences: want at least one, got none")
    width = np.shape(sequences[0])[-1] if np.ndim(sequences[0]) == 2 else "n_x"
    rows = [array(f"sequences[{i}]", s, ("tau", width)) for i, s in enumerate(sequences)]
    lengths = np.array([len(row) for row in rows])
    mask = mask_of(lengths, lengths.max())
    x = np.full((*mask.shape, rows[0].shape[1]), float(value))
    x[mask == 1] = np.concatenate(rows)
    return x, mask


def mask_of(lengths: Sequence[int], tau: int) -> np.ndarray:
    """The mask (B, tau) of B lengths: m⁽ᵗ⁾ is 1 for t ≤ length and 0 after it (Section P.3)."""
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not len(lengths) or (lengths < 1).any():
        raise ValueError(f"lengths: want integers of at least 1, shape (B,), got {lengths!r}")
    if (lengths > tau).any():
        raise ValueError(f"lengths: want at most tau = {tau}, got {lengths.max()}")
    return (np.arange(tau) < lengths[:, None]).astype(float)


def _mask(name: str, mask: Any) -> np.ndarray:
    """A mask of ones and, after the end of a sequence, zeros; each sequence has a step."""
    whole = ((mask == 0) | (mask == 1)).all()
    if not whole or (np.diff(mask, axis=1) > 0).any() or (mask[:, 0] == 0).any():
        raise ValueError(f"{name}: want rows of ones, at least one, then zeros")
    return mask


Batch = Annotated[np.ndarray, "B", "tau", "n_x"]
Mask = Annotated[np.ndarray, "B", "tau", _mask]
"""1 where a sequence has a step, 0 where it has ended, (B, tau)."""


def masked_states(p: RNN, x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The states of a batch; where the mask is 0, a state is copied."""
    h = [np.zeros((len(x), len(p.b)))]
    for x_t, m_t in zip(x.swapaxes(0, 1), mask.T[:, :, None], strict=True):
        # h⁽ᵗ⁾ = m⁽ᵗ⁾ tanh(b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾) + (1 − m⁽ᵗ⁾) h⁽ᵗ⁻¹⁾
        h.append(m_t * np.tanh(p.b + h[-1] @ p.W.T + x_t @ p.U.T) + (1 - m_t) * h[-1])
    return np.stack(h, axis=1)


@checked
def masked_birnn(p: BiRNN, x: Batch, mask: Mask) -> BiRun:
    """A bidirectional net over a padded batch: where a sequence has ended, both states stand still.

    Equations (Section P.3): h⁽ᵗ⁾ = m⁽ᵗ⁾ tanh(b_h + W_h h⁽ᵗ⁻¹⁾ + U_h x⁽ᵗ⁾) + (1 − m⁽ᵗ⁾) h⁽ᵗ⁻¹⁾, t = 1 … τ;
    g⁽ᵗ⁾ = m⁽ᵗ⁾ tanh(b_g + W_g g⁽ᵗ⁺¹⁾ + U_g x⁽ᵗ⁾) + (1 − m⁽ᵗ⁾) g⁽ᵗ⁺¹⁾, t = τ … 1. From g⁽τ⁺¹⁾ = 0 it is still zero
    when it meets the last real step, as if there were no padding.

    Returns
    -------
    As `birnn_forward`, with an axis for the batch in front. Outputs at padded steps mean nothing.
    """
    forward, reverse = halves(p)
    h = masked_states(forward, x, mask)
    g = masked_states(reverse, x[:, ::-1], mask[:, ::-1])[:, ::-1]
    o = forward.c + h[:, 1:] @ forward.V.T + g[:, :-1] @ reverse.V.T
    return BiRun(h, g, o, softmax(o))


@checked
def masked_loss(
    o: Annotated[np.ndarray, "B", "tau", "n_o"], y: np.ndarray, mask: Annotated[np.ndarray, "B", "tau"]
) -> float:
    """The mean loss of the steps that count, in nats.

    Equation (Section P.3): L = Σᵢ Σₜ mᵢ⁽ᵗ⁾ Lᵢ⁽ᵗ⁾ / Σᵢ Σₜ mᵢ⁽ᵗ⁾.

    Parameters
    ----------
    o : logits. y : classes, (B, tau), anything where the mask is 0. mask : 1 where a step counts, any pattern.
    """
    if (total := mask.sum()) == 0 or not ((mask == 0) | (mask == 1)).all():
        raise ValueError(f"mask: want zeros and ones, at least one of them 1, got a sum of {total:g}")
    y = np.asarray(y)
    if y.shape != mask.shape:
        raise ValueError(f"y: want shape {mask.shape}, got {y.shape}")
    counts = mask == 1
    return float(nll(o[counts], y[counts]).sum() / total)


@checked
def masked_mean(h: Annotated[np.ndarray, "B", "tau", "n_h"], mask: Mask) -> np.ndarray:
    """The mean state of each sequence over its own steps, (B, n_h).

    Equation (Section P.3): h̄ = Σₜ m⁽ᵗ⁾ h⁽ᵗ⁾ / Σₜ m⁽ᵗ⁾.
    """
    return (mask[:, :, None] * h).sum(1) / mask.sum(1, keepdims=True)


@checked
def last_states(h: Annotated[np.ndarray, "B", "tau", "n_h"], mask: Mask) -> np.ndarray:
    """The state of each sequence at its own last step, (B, n_h).

    It is h⁽ᵗ⁾ at t = Σₜ m⁽ᵗ⁾ (Section P.3).
    """
    return h[np.arange(len(h)), mask.sum(1).astype(int) - 1]
