"""Regressors that know of wirings only how far apart they are: nearest neighbours, and a Gaussian process.

Both are fits of `predictors.validation` whose only column is the number of each wiring in a matrix of distances, such
as that of `predictors.pairs`. A wiring to be predicted needs its distances to all that were learnt from, so that these
fits are for judging distances, and are no members of a predictor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors.members.gaussian_process import matern_of_distances
from predictors.pairs import checked_matrix
from predictors.regressors.gaussian_process import likeliest
from predictors.regressors.rows import Floats, Indices, range_of
from predictors.threads import one_thread
from predictors.validation.fits import Predict
from predictors.validation.folds import repeated_folds

__all__ = ["NearestFit", "ProcessFit", "numbers_in", "numbers_of"]

_NEIGHBOURS = (1, 2, 3, 5, 8, 13, 21, 34, 55)
_INNER_FOLDS = 5


def numbers_of(n: int) -> Floats:
    """Return the (n, 1) column of a table of which every row is one of a matrix of distances."""
    return np.arange(n, dtype=np.float64)[:, None]


def numbers_in(X: Floats) -> Indices:
    """Return which rows of the matrix of distances the rows of such a table are, (m,)."""
    return X[:, 0].astype(np.int64)


@dataclass(frozen=True, eq=False)
class _OnDistance:
    """What fits on distances have in common.

    Parameters
    ----------
    distances : (n, n) array
        Between all wirings, those that are predicted among them.

    Raises
    ------
    ValueError
        If it is no matrix of distances.
    """

    distances: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "distances", checked_matrix(self.distances))

    def _between(self, X: Floats, known: Indices) -> Floats:
        """Return how far the wirings of some rows are from those that were learnt from."""
        return self.distances[np.ix_(numbers_in(X), known)]


class NearestFit(_OnDistance):
    """The mean of the nearest neighbours, weighted equally or by the inverse of their distance.

    Their number, 55 at most, and weights are those with the smallest squared error in folds of what is learnt from.
    """

    def __call__(self, X: Floats, y: Floats, groups: Indices, seed: int) -> Predict:
        """Fit to rows; see `predictors.validation.Fit`."""
        from sklearn.model_selection import GridSearchCV
        from sklearn.neighbors import KNeighborsRegressor

        known = numbers_in(X)
        n_groups = len(np.unique(groups))
        if n_groups < 2:
            mean = float(y.mean())
            return lambda rows: np.full(len(rows), mean)
        tests = repeated_folds(len(y), min(_INNER_FOLDS, n_groups), 1, groups, seed)[0]
        folds = [(np.setdiff1d(np.arange(len(y)), test), test) for test in tests]
        fewest = min(len(train) for train, _ in folds)
        grid = {"n_neighbors": [k for k in _NEIGHBOURS if k <= fewest], "weights": ["uniform", "distance"]}
        nearest = KNeighborsRegressor(metric="precomputed")
        with one_thread():
            search = GridSearchCV(nearest, grid, cv=folds, scoring="neg_mean_squared_error")
            search.fit(self._between(X, known), y)
        return lambda rows: search.predict(self._between(rows, known))


class ProcessFit(_OnDistance):
    """The mean of a Gaussian process with the Matern 5/2 kernel of the distances, bounded by the values learnt from.

    Length and noise are those with the largest marginal likelihood. Distances that are those of no points in a space
    have kernels with negative eigenvalues: these count as 0, and what is predicted is projected in the same way.

    References
    ----------
    Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, algorithm 2.1; Chen et al. (2009),
    "Similarity-based classification: concepts and algorithms", JMLR 10, section 4 (spectrum clip)
    """

    def __call__(self, X: Floats, y: Floats, groups: Indices, seed: int) -> Predict:  # noqa: ARG002
        """Fit to rows; see `predictors.validation.Fit`."""
        from scipy.linalg import eigh

        known = numbers_in(X)
        mean, unit = float(y.mean()), float(y.std())
        between = self._between(X, known)
        typical = float(np.median(between[np.triu_indices(len(known), 1)])) if len(known) > 1 else 0.0
        if not (unit and typical):
            return lambda rows: np.full(len(rows), mean)
        values = (y - mean) / unit
        with one_thread():
            length, noise = likeliest(lambda length: matern_of_distances(between, length), values, typical)
            eigenvalues, vectors = eigh(matern_of_distances(between, length))
            own = eigenvalues > 0
            dual = unit * vectors[:, own] @ (vectors[:, own].T @ values / (eigenvalues[own] + noise))
        low, high = range_of(y)
        return lambda rows: np.clip(mean + matern_of_distances(self._between(rows, known), length) @ dual, low, high)
