"""Surrogate: what a few trained wirings say of others, fitted in milliseconds, again and again while a search goes on.

Gaussian processes on normal scores of the values, one on each set of columns, and their mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.features.table import FEATURES
from predictors.members import Scaling
from predictors.members.gaussian_process import matern
from predictors.regressors.gaussian_process import best_parameters
from predictors.validation.metrics import kendall

__all__ = ["Surrogate", "Warp", "fit_surrogate", "scalings_of"]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_MOST_ROWS = 400
_MOST_ROWS_FOR_PARAMETERS = 100
_EXPECTED_LENGTH = 2.0


def scalings_of(population: Floats, names: Sequence[str]) -> tuple[Scaling, ...]:
    """Return the columns of each process of a surrogate: those of size alone, and all.

    Few trainings teach little but size, more of them the rest; the mean of both needs no choice between them.

    Parameters
    ----------
    population : (n, n_columns) float array
        Of wirings like those that a search proposes.
    names : sequence of str
        Of the columns.
    """
    size = [index for index, name in enumerate(names) if name in FEATURES and FEATURES[name].tier == "size"]
    sets = [np.arange(len(names))] if len(size) in (0, len(names)) else [np.array(size), np.arange(len(names))]
    return tuple(Scaling.fit(population, columns) for columns in sets)


@dataclass(frozen=True)
class Warp:
    """Values to normal scores and back: what matters to a search is which wiring is better, not by how much.

    A network that collapsed is far below all others; on normal scores it is one place below them.

    Parameters
    ----------
    values : (n,) float array
        Distinct, ascending.
    scores : (n,) float array
        Normal score of each, the mean of those of equal values.
    """

    values: Floats
    scores: Floats

    @classmethod
    def fit(cls, values: ArrayLike) -> Warp:
        """Learn from the values of a sample."""
        from scipy.special import ndtri

        given = np.sort(np.asarray(values, dtype=np.float64))
        scores = ndtri((np.arange(len(given)) + 0.5) / len(given))
        distinct, first, counts = np.unique(given, return_index=True, return_counts=True)
        return cls(distinct, np.add.reduceat(scores, first) / counts)

    def score(self, values: ArrayLike) -> Floats:
        """Return the normal scores of values, those beyond the sample at its ends."""
        found: Floats = np.interp(np.asarray(values, dtype=np.float64), self.values, self.scores)
        return found

    def value(self, scores: ArrayLike) -> Floats:
        """Return the values that scores stand for, straight on beyond the sample, with the slope of its outer half."""
        given = np.asarray(scores, dtype=np.float64)
        found = np.interp(given, self.scores, self.values)
        middle = float(np.interp(0.0, self.scores, self.values))
        for end, beyond in ((-1, given > self.scores[-1]), (0, given < self.scores[0])):
            if self.scores[end] != 0:
                slope = (self.values[end] - middle) / self.scores[end]
                found = np.where(beyond, self.values[end] + slope * (given - self.scores[end]), found)
        return found


@dataclass(frozen=True, eq=False)
class _Process:
    """One Gaussian process, given its training rows."""

    scaling: Scaling
    inputs: Floats
    length: float
    noise: Floats
    mean: float
    residual: Floats

    @cached_property
    def factor(self) -> Floats:
        """Lower Cholesky factor of the kernel with its noise, over the signal's variance."""
        kernel = matern(self.inputs, self.inputs, self.length)
        return np.asarray(np.linalg.cholesky(kernel + np.diag(self.noise)), dtype=np.float64)

    @cached_property
    def variance(self) -> float:
        """Of the signal: the most likely one."""
        from scipy.linalg import cho_solve

        return float(self.residual @ cho_solve((self.factor, True), self.residual)) / len(self.inputs)

    def posterior(self, X: Floats, pinned: Floats) -> tuple[Floats, Floats]:
        """Return mean and standard deviation at rows, as if pinned rows had been found to be what is expected."""
        from scipy.linalg import solve_triangular

        rows = self.scaling.apply(X)
        cross = solve_triangular(self.factor, matern(self.inputs, rows, self.length), lower=True)
        weights = solve_triangular(self.factor, self.residual, lower=True)
        left = 1.0 - np.square(cross).sum(axis=0)
        if len(pinned):
            others = self.scaling.apply(pinned)
            known = solve_triangular(self.factor, matern(self.inputs, others, self.length), lower=True)
            among = (
                matern(others, others, self.length)
                - known.T @ known
                + float(np.median(self.noise)) * np.eye(len(others))
            )
            between = matern(others, rows, self.length) - known.T @ cross
            left -= np.square(solve_triangular(np.linalg.cholesky(among), between, lower=True)).sum(axis=0)
        return self.mean + weights @ cross, np.sqrt(self.variance * np.maximum(left, 1e-9))

    def left_out(self) -> Floats:
        """Return what is expected of every training row from all others."""
        from scipy.linalg import cho_solve

        inverse = cho_solve((self.factor, True), np.eye(len(self.inputs)))
        expected: Floats = self.mean + self.residual - inverse @ self.residual / np.diag(inverse)
        return expected


@dataclass(frozen=True, eq=False)
class Surrogate:
    """Expects how good wirings are, on the scale of normal scores of the values that it learnt from.

    Parameters
    ----------
    processes : tuple of _Process
    warp : Warp
        Between values and scores.
    rows : (n,) int64 array
        Which of the given rows it learnt from, ascending.
    scores : (n,) float array
        Of these rows.
    counts : (n,) float array
        Trainings of each.
    """

    processes: tuple[_Process, ...]
    warp: Warp
    rows: Indices
    scores: Floats
    counts: Floats

    def posterior(self, X: Floats, pinned: Floats | None = None) -> tuple[Floats, Floats]:
        """Return expected scores of rows and how unsure they are, (n,) float both.

        Parameters
        ----------
        X : (n, n_columns) float array
        pinned : (m, n_columns) float array, optional
            Rows that are being trained: nothing like them need be tried until they are known.
        """
        pins = np.empty((0, X.shape[1])) if pinned is None else pinned
        found = [process.posterior(X, pins) for process in self.processes]
        return np.mean([mean for mean, _ in found], axis=0), np.mean([std for _, std in found], axis=0)

    @cached_property
    def left_out(self) -> Floats:
        """What is expected of every training row from all others, (n,) float scores."""
        found: Floats = np.mean([process.left_out() for process in self.processes], axis=0)
        return found

    @cached_property
    def smoothed(self) -> Floats:
        """How good each training wiring is thought to be, (n,) float scores, so that one lucky seed does not decide.

        What a wiring is better than expected is taken to be half its own and half that of its seed.
        """
        return self.left_out + self.counts / (self.counts + 1) * (self.scores - self.left_out)

    def best(self, n: int) -> list[int]:
        """Return the given rows whose wirings are thought to be best, best first; see `smoothed`."""
        found: list[int] = self.rows[np.argsort(-self.smoothed, kind="stable")[:n]].tolist()
        return found

    @cached_property
    def tau(self) -> float:
        """Kendall's rank correlation of `left_out` with the scores; 0 where either is constant."""
        found = kendall(self.scores, self.left_out)
        return found if math.isfinite(found) else 0.0

    @cached_property
    def gain(self) -> float:
        """Share of the squared error of leaving each wiring out that the mean makes, and `left_out` does not.

        Above 0 structure predicts. Rank correlation would not do: what a search has found is alike, and among likes the
        expectation without a wiring is always turned away from it.
        """
        constant = np.square(self.scores - self.scores.mean()).sum()
        return float(1 - np.square(self.scores - self.left_out).sum() / constant) if constant > 0 else 0.0

    @cached_property
    def noise(self) -> float:
        """Standard deviation of the scores about `left_out`, of one training."""
        return float(np.sqrt(np.mean(np.square(self.scores - self.left_out))))


def fit_surrogate(
    X: Floats, values: ArrayLike, scalings: Sequence[Scaling], counts: ArrayLike | None = None
) -> Surrogate:
    """Fit processes to trained wirings.

    Parameters
    ----------
    X : (n, n_columns) float array
        At least 2 rows, NaN where undefined.
    values : (n,) array_like
        The more the better; means over the trainings of a wiring.
    scalings : sequence of Scaling
        The columns of each process, on the scale of their variation where the search goes on; see `scalings_of`.
    counts : (n,) array_like, optional
        Trainings of each wiring; 1 by default.

    Raises
    ------
    ValueError
        For fewer than 2 rows, or values that are not finite.

    Notes
    -----
    Of many rows the best 200 and 200 others, evenly chosen, are kept, so that a fit stays below a tenth of a second.
    """
    given = np.asarray(values, dtype=np.float64)
    if len(given) < 2 or X.shape[0] != len(given) or not np.isfinite(given).all():
        raise ValueError(f"{len(given)} values for {X.shape[0]} rows: a surrogate needs finite ones of at least 2 rows")
    warp = Warp.fit(given)
    scores = warp.score(given)
    kept = _kept(scores)
    shares = np.ones(len(given)) if counts is None else np.asarray(counts, dtype=np.float64)
    processes = tuple(_fit_process(scaling, X[kept], scores[kept], shares[kept]) for scaling in scalings)
    return Surrogate(processes, warp, kept, scores[kept], shares[kept])


def _kept(scores: Floats) -> Indices:
    if len(scores) <= _MOST_ROWS:
        return np.arange(len(scores))
    best = np.argsort(-scores, kind="stable")[: _MOST_ROWS // 2]
    others = np.setdiff1d(np.arange(len(scores)), best)
    even = np.linspace(0, len(others) - 1, _MOST_ROWS - len(best)).round().astype(np.int64)
    return np.sort(np.concatenate([best, others[even]]))


def _fit_process(scaling: Scaling, X: Floats, scores: Floats, counts: Floats) -> _Process:
    inputs = scaling.apply(X)
    mean, unit = float(np.average(scores, weights=counts)), float(scores.std())
    residual = scores - mean
    if not len(scaling) or unit == 0:
        return _Process(scaling, inputs, 1.0, 1 / counts, mean, residual)
    few = np.linspace(0, len(X) - 1, min(len(X), _MOST_ROWS_FOR_PARAMETERS)).round().astype(np.int64)
    length, noise = best_parameters(inputs[few], residual[few] / unit, expected=_EXPECTED_LENGTH)
    return _Process(scaling, inputs, length, noise / counts, mean, residual)
