"""Japanese vowels: who spoke? Real speech of different lengths, and classifiers that need no net (Section P.3)."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np

from companion.core.checks import Count, array, checked

__all__ = [
    "Spoken",
    "dtw_distances",
    "dtw_path",
    "folds",
    "japanese_vowels",
    "nearest",
    "resampled",
    "standardised",
    "statistics",
]


class Spoken(NamedTuple):
    """Utterances: one array (tau_i, 12) each, and who spoke, 0 … 8."""

    x: list[np.ndarray]
    y: np.ndarray


def japanese_vowels(part: Literal["train", "test"]) -> Spoken:
    """Utterances of two vowels by nine men, as 12 coefficients of linear prediction a frame, 7 to 29 frames each.

    They come with the package sktime, so nothing is downloaded: 270 to learn from (30 of each speaker) and 370 to
    judge by (Section P.3).

    Reference: kudo1999
    """
    if part not in ("train", "test"):
        raise ValueError(f"part: want 'train' or 'test', got {part!r}")
    from sktime.datasets import load_japanese_vowels

    frame, speaker = load_japanese_vowels(split=part, return_type="nested_univ")
    x = [np.stack([np.asarray(series, float) for series in row], axis=1) for row in frame.to_numpy()]
    return Spoken(x, speaker.astype(int) - 1)


def standardised(learn: Sequence[np.ndarray], *others: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """All sequences with the mean and deviation of the ones to learn from taken out, coefficient by coefficient."""
    frames = np.concatenate([array("learn", x, ("tau", "n_x")) for x in learn])
    mean, deviation = frames.mean(0), frames.std(0)
    return [[(x - mean) / deviation for x in part] for part in (learn, *others)]


@checked
def resampled(x: Annotated[np.ndarray, "tau", "n_x"], steps: Count) -> np.ndarray:
    """A sequence stretched to `steps` steps by linear interpolation, (steps, n_x)."""
    at = np.linspace(0, len(x) - 1, steps)
    return np.stack([np.interp(at, np.arange(len(x)), column) for column in x.T], axis=1)


@checked
def statistics(x: Annotated[np.ndarray, "tau", "n_x"]) -> np.ndarray:
    """Mean and standard deviation of each coefficient, (2 n_x,): all that is left when the order is forgotten."""
    return np.concatenate([x.mean(0), x.std(0)])


def dtw_distances(x: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """The cost of the cheapest alignment of a sequence with each of several others: dynamic time warping.

    Equation (Section P.3): D(i, j) = ‖xᵢ − zⱼ‖² + min(D(i−1, j), D(i, j−1), D(i−1, j−1)), D(0, 0) = 0 and ∞ elsewhere
    on the edge; the distance is the square root of D at the two ends.

    Parameters
    ----------
    x : (tau, n_x). others : N arrays (tau_k, n_x).

    Returns
    -------
    Shape (N,).

    Reference: sakoe1978
    """
    x = array("x", x, ("tau", "n_x"))
    if len(others) == 0:
        raise ValueError("others: want at least one sequence, got none")
    zs = [array(f"others[{k}]", z, ("tau", x.shape[1])) for k, z in enumerate(others)]
    lengths = np.array([len(z) for z in zs])
    z = np.zeros((len(zs), lengths.max(), x.shape[1]))
    for row, own in zip(z, zs, strict=True):
        row[: len(own)] = own
    D = warped_costs(x, z)
    return np.sqrt(D[np.arange(len(zs)), len(x), lengths])


def warped_costs(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The costs D of one sequence and each of a padded batch."""
    D = np.full((len(z), len(x) + 1, z.shape[1] + 1), np.inf)
    D[:, 0, 0] = 0
    d = ((x[:, None] - z[:, None]) ** 2).sum(-1)
    for i in range(1, len(x) + 1):
        for j in range(1, z.shape[1] + 1):
            # D(i, j) = ‖xᵢ − zⱼ‖² + min(D(i−1, j), D(i, j−1), D(i−1, j−1))
            ways = D[:, i - 1, j], D[:, i, j - 1], D[:, i - 1, j - 1]
            D[:, i, j] = d[:, i - 1, j - 1] + np.min(ways, axis=0)
    return D


@checked
def dtw_path(x: Annotated[np.ndarray, "tau", "n_x"], z: Annotated[np.ndarray, "tau_z", "n_x"]) -> np.ndarray:
    """The cheapest alignment itself: pairs (i, j) from (0, 0) to both ends, (pairs, 2) (Section P.3)."""
    D = warped_costs(x, z[None])[0]
    i, j = len(x), len(z)
    path = [(i, j)]
    while (i, j) != (1, 1):
        i, j = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda at: D[at])
        path.append((i, j))
    return np.array(path[::-1]) - 1


@checked
def nearest(distances: Annotated[np.ndarray, "asked", "known"], y: np.ndarray) -> np.ndarray:
    """The class of the nearest known sequence, for each that is asked, (asked,)."""
    y = np.asarray(y)
    if y.shape != (distances.shape[1],):
        raise ValueError(f"y: want shape ({distances.shape[1]},), one class a known sequence, got {y.shape}")
    return y[distances.argmin(1)]


@checked
def folds(y: np.ndarray, n: Annotated[int, (2, None)]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places to learn from and places to choose by, n times, with each class shared out evenly (Section P.3)."""
    own = np.zeros(len(y), int)
    for c in np.unique(y):
        at = np.flatnonzero(y == c)
        own[at] = np.arange(len(at)) % n
    return [(np.flatnonzero(own != k), np.flatnonzero(own == k)) for k in range(n)]
