"""How well predictions agree with measured values, in errors, in order and in what one would choose by them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["coverage", "kendall", "mae", "r2", "regret_at_k", "spearman", "top_k_share"]


def r2(values: ArrayLike, predictions: ArrayLike) -> float:
    """Return the share of the variance of `values` that predictions explain; NaN where all values are equal.

    Raises
    ------
    ValueError
        For other than two finite arrays of one and the same length, like all functions here.
    """
    y, p = _pair(values, predictions)
    total = float(((y - y.mean()) ** 2).sum())
    if np.ptp(y) == 0:
        return float("nan")
    return 1.0 - float(((y - p) ** 2).sum()) / total


def mae(values: ArrayLike, predictions: ArrayLike) -> float:
    """Return the mean absolute error."""
    y, p = _pair(values, predictions)
    return float(np.abs(y - p).mean())


def kendall(values: ArrayLike, predictions: ArrayLike) -> float:
    """Return Kendall's tau-b: pairs in the same order less pairs in opposite order, over the root of untied pairs.

    It is 0 where all values or all predictions are equal. Takes O(n (log n)^2) operations.

    References
    ----------
    .. [1] M. G. Kendall, "The treatment of ties in ranking problems", doi:10.1093/biomet/33.3.239
    """
    y, p = _pair(values, predictions)
    x_codes, x_ties = _codes_and_ties(y)
    y_codes, y_ties = _codes_and_ties(p)
    total = y.size * (y.size - 1) // 2
    if total in (x_ties, y_ties):
        return 0.0
    joint = x_codes * y.size + y_codes
    both = _codes_and_ties(joint)[1]
    opposite = _inversions(y_codes[np.argsort(joint, kind="stable")])
    difference = total - x_ties - y_ties + both - 2 * opposite
    return difference / math.sqrt((total - x_ties) * (total - y_ties))


def spearman(values: ArrayLike, predictions: ArrayLike) -> float:
    """Return the correlation of ranks, those of ties averaged; 0 where all values or all predictions are equal."""
    y, p = _pair(values, predictions)
    if np.ptp(y) == 0 or np.ptp(p) == 0:
        return 0.0
    return float(np.corrcoef(_ranks(y), _ranks(p))[0, 1])


def regret_at_k(values: ArrayLike, predictions: ArrayLike, k: int, maximise: bool = True) -> float:
    """Return how far the best of the k predicted best stays behind the best of all; of equal predictions, rows decide.

    Raises
    ------
    ValueError
        If k is not between 1 and the number of values.
    """
    y, p = _turned(values, predictions, k, maximise)
    return float(y.max() - y[_best(p, k)].max())


def top_k_share(values: ArrayLike, predictions: ArrayLike, k: int, maximise: bool = True) -> float:
    """Return the share of the k best that are among the k predicted best.

    Raises
    ------
    ValueError
        If k is not between 1 and the number of values.
    """
    y, p = _turned(values, predictions, k, maximise)
    return len(np.intersect1d(_best(y, k), _best(p, k))) / k


def coverage(values: ArrayLike, low: ArrayLike, high: ArrayLike) -> float:
    """Return the share of values within their intervals, both ends included."""
    y, bottom = _pair(values, low)
    y, top = _pair(values, high)
    return float(((bottom <= y) & (y <= top)).mean())


def _pair(values: ArrayLike, predictions: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, p = np.asarray(values, dtype=np.float64), np.asarray(predictions, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape or y.size == 0:
        raise ValueError(f"values {y.shape} and predictions {p.shape}: both must have one and the same length, (n,)")
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise ValueError("values and predictions must be finite: leave out rows without a measured value")
    return y, p


def _turned(
    values: ArrayLike, predictions: ArrayLike, k: int, maximise: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, p = _pair(values, predictions)
    if not 1 <= k <= y.size:
        raise ValueError(f"k={k}: must be between 1 and the number of values, {y.size}")
    return (y, p) if maximise else (-y, -p)


def _best(values: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    return np.argsort(-values, kind="stable")[:k]


def _codes_and_ties(values: NDArray[np.float64] | NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return the place of each value among the distinct ones, and the number of pairs of equal ones."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    return codes.reshape(-1).astype(np.int64), int((counts * (counts - 1) // 2).sum())


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[codes.reshape(-1)]
    return ranks


def _inversions(codes: NDArray[np.int64]) -> int:
    """Count the pairs of which the first is larger than the second, by merging sorted blocks of doubling width."""
    n = codes.size
    size = 1 << (n - 1).bit_length()
    # What fills up the last block is larger than all others and behind them, and so in no inversion.
    blocks = np.concatenate([codes, np.full(size - n, n)])
    count, width = 0, 1
    while width < size:
        halves = blocks.reshape(-1, 2, width)
        number = np.arange(len(halves))[:, None]
        # Moved apart by block, all left halves make one sorted array, and one search serves all blocks.
        left, right = ((halves[:, side] + number * (n + 1)).ravel() for side in (0, 1))
        not_larger = np.searchsorted(left, right, side="right")
        count += int((np.repeat(number.ravel() + 1, width) * width - not_larger).sum())
        width *= 2
        blocks = np.sort(blocks.reshape(-1, width), axis=1).ravel()
    return count
