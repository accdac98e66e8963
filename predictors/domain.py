"""Whether a wiring is like those that a predictor was trained on: within their ranges, and near to some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Domain", "fit_domain"]

_MARGIN = 0.1
_NEIGHBOURS = 5
_MOST_POINTS = 512
_QUANTILE = 0.99
_SLACK = 1.5
_REASONS = 3
_BLOCK = 2048


@dataclass(frozen=True)
class Domain:
    """The region of the training wirings.

    Parameters
    ----------
    low, high : (n_columns,) float array
        Smallest and largest value of every column in training.
    is_bounded : (n_columns,) bool array
        Columns whose range must be kept, but for a tenth of its width.
    middle, scale : (n_columns,) float array
        What columns are standardised by; a scale of 0 marks a column that is left out of distances.
    points : (n_points, n_columns) float array
        Standardised training wirings.
    radius : float
        Distance to the fifth nearest of `points` up to which a wiring counts as near; infinite with few wirings.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    is_bounded: NDArray[np.bool_]
    middle: NDArray[np.float64]
    scale: NDArray[np.float64]
    points: NDArray[np.float64]
    radius: float

    def remoteness(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far wirings are from the training wirings, (n,) float: above 1 they are outside of the region.

        It is the larger of two numbers: the distance over `radius`, and how many times a column exceeds its range,
        margin included. Both grow without bound.
        """
        if not len(X):
            return np.zeros(0)
        near = _distances(self._standardised(X), self.points)
        with np.errstate(invalid="ignore"):
            excess = np.nanmax(np.where(self.is_bounded, self._excess(X), 0.0), axis=1, initial=0.0)
        return np.maximum(near / self.radius if np.isfinite(self.radius) else 0.0, np.where(excess > 0, 1 + excess, 0))

    def reasons(self, x: NDArray[np.float64], names: Sequence[str]) -> str:
        """Say why one wiring is outside: the ranges that it leaves, or that it is far in all of them together."""
        excess = np.where(self.is_bounded, self._excess(x[None])[0], 0.0)
        worst = [index for index in np.argsort(-excess)[:_REASONS].tolist() if excess[index] > 0]
        if worst:
            found = (f"{names[i]} {x[i]:.6g} is outside {self.low[i]:.6g} to {self.high[i]:.6g}" for i in worst)
            return "; ".join(found)
        z = self._standardised(x[None])[0]
        own = self.points[np.argmin(np.square(self.points - z).sum(axis=1))]
        farthest = np.argsort(-np.abs(z - own))[:_REASONS].tolist()
        found = (f"{names[i]} {x[i]:.4g}" for i in farthest)
        return f"far from every training wiring, most in {', '.join(found)}"

    def _excess(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        width = self.high - self.low
        margin = _MARGIN * np.where(width > 0, width, np.maximum(np.abs(self.high), 1.0))
        beyond = np.maximum(X - self.high, self.low - X) - margin
        return np.nan_to_num(np.maximum(beyond, 0.0) / margin, nan=0.0, posinf=1e300)

    def _standardised(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        known = np.where(np.isfinite(X), X, self.middle)
        return np.where(self.scale > 0, (known - self.middle) / np.where(self.scale > 0, self.scale, 1.0), 0.0)


def fit_domain(X: NDArray[np.float64], is_bounded: NDArray[np.bool_], seed: int) -> Domain:
    """Return the region of training wirings.

    Parameters
    ----------
    X : (n, n_columns) float array
        Their columns; NaN where undefined.
    is_bounded : (n_columns,) bool array
        Columns whose range must be kept.
    seed : int
        Of the choice of wirings that are remembered, where there are many.
    """
    known = np.isfinite(X)
    middle, low, high, scale = (np.zeros(X.shape[1]) for _ in range(4))
    for index in range(X.shape[1]):
        column = X[known[:, index], index]
        if len(column):
            middle[index], low[index], high[index] = np.median(column), column.min(), column.max()
            spread = column.std()
            scale[index] = spread if spread > 1e-12 * max(1.0, abs(middle[index])) else 0.0
    chosen = np.sort(np.random.default_rng(seed).permutation(len(X))[:_MOST_POINTS])
    domain = Domain(low, high, is_bounded & known.any(axis=0), middle, scale, X[chosen], np.inf)
    # Copies of a wiring are no neighbours of it.
    points = np.unique(domain._standardised(X[chosen]), axis=0)
    if len(points) <= _NEIGHBOURS + 1:
        return Domain(low, high, domain.is_bounded, middle, scale, points, np.inf)
    radius = _SLACK * float(np.quantile(_distances(points, points, skip_self=True), _QUANTILE))
    return Domain(low, high, domain.is_bounded, middle, scale, points, radius if radius > 1e-9 else np.inf)


def _distances(Z: NDArray[np.float64], points: NDArray[np.float64], *, skip_self: bool = False) -> NDArray[np.float64]:
    """Return the distance of every row to its fifth nearest point; itself is not one of them where it is skipped."""
    rank = min(_NEIGHBOURS - 1 + skip_self, len(points) - 1)
    found = np.empty(len(Z))
    lengths = np.square(points).sum(axis=1)
    for start in range(0, len(Z), _BLOCK):
        block = Z[start : start + _BLOCK]
        squares = np.square(block).sum(axis=1)[:, None] + lengths - 2 * block @ points.T
        found[start : start + _BLOCK] = np.partition(squares, rank, axis=1)[:, rank]
    distances: NDArray[np.float64] = np.sqrt(np.maximum(found, 0.0) / max(Z.shape[1], 1))
    return distances
