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

__all__ = ["Belief", "Surrogate", "Tuned", "Warp", "fit_surrogate", "scalings_of"]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_MOST_ROWS = 256
_MOST_ROWS_FOR_PARAMETERS = 100
_EXPECTED_LENGTH = 2.0
_NOISES = np.logspace(-3, 2, 31)
_LENGTHS, _OWN_LENGTHS = np.logspace(-0.5, 1.5, 9), np.logspace(-0.75, 1.25, 9)
_SWEEPS = 2
_EXTENT = ("n_neurons", "n_edges", "all_edges")
_LEAST_SPREAD = 0.1
"""Standard deviation over the mean from which on sizes differ."""

Tuned = tuple[tuple[Floats, float], ...]
"""What is fitted of each process by marginal likelihood: one over the length of each column, and the noise over the
signal's variance."""


def scalings_of(population: Floats, names: Sequence[str], groups: Sequence[int] = ()) -> tuple[Scaling, ...]:
    """Return the columns of each process of a surrogate: those of size alone, and all.

    Few trainings teach little but size, more of them the rest; the mean of both needs no choice between them. Where
    sizes hardly differ they teach nothing, and there is one process.

    Parameters
    ----------
    population : (n, n_columns) float array
        Of wirings like those that a search proposes.
    names : sequence of str
        Of the columns.
    groups : sequence of int, optional
        Of the last columns; they belong to all processes.
    """
    first = len(names) - len(groups)
    size = [index for index, name in enumerate(names[:first]) if name in FEATURES and FEATURES[name].tier == "size"]
    extent = [index for index in size if names[index] in _EXTENT]
    if extent and _relative_spread(population[:, extent]) < _LEAST_SPREAD:
        size = []
    if groups and 0 < len(size) < first:
        own = list(range(first, len(names)))
        return tuple(Scaling.fit(population, np.array(columns)) for columns in (size + own, list(range(len(names)))))
    sets = [np.arange(len(names))] if len(size) in (0, len(names)) else [np.array(size), np.arange(len(names))]
    return tuple(Scaling.fit(population, columns) for columns in sets)


def _relative_spread(columns: Floats) -> float:
    """Return the largest standard deviation of some columns, over their means."""
    with np.errstate(all="ignore"):
        spread = np.nanstd(columns, axis=0) / np.abs(np.nanmean(columns, axis=0))
    return float(np.max(spread[np.isfinite(spread)], initial=0.0))


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
    closeness: Floats
    ratio: float
    noise: Floats
    mean: float
    residual: Floats

    def rows(self, X: Floats) -> Floats:
        """Return rows on the scale on which the kernel's length is 1."""
        return self.scaling.apply(X) * self.closeness

    @cached_property
    def factor(self) -> Floats:
        """Lower Cholesky factor of the kernel with its noise, over the signal's variance."""
        kernel = matern(self.inputs, self.inputs, 1.0)
        return np.asarray(np.linalg.cholesky(kernel + np.diag(self.noise)), dtype=np.float64)

    @cached_property
    def weights(self) -> Floats:
        """The residual, solved by the factor."""
        from scipy.linalg import solve_triangular

        return np.asarray(solve_triangular(self.factor, self.residual, lower=True, check_finite=False))

    @cached_property
    def typical_noise(self) -> float:
        """Of a training that is still going on."""
        return float(np.median(self.noise))

    @cached_property
    def variance(self) -> float:
        """Of the signal: the most likely one."""
        return float(self.weights @ self.weights) / len(self.inputs)

    def posterior(self, X: Floats, pinned: Floats) -> tuple[Floats, Floats]:
        """Return mean and standard deviation at rows, as if pinned rows had been found to be what is expected."""
        found = _Conditioned(self, X)
        for row in pinned:
            found.pin(row[None, :])
        return found.mean, found.std()

    def left_out(self) -> Floats:
        """Return what is expected of every training row from all others."""
        from scipy.linalg import cho_solve
        from scipy.linalg.lapack import dtrtri

        inverse, _ = dtrtri(self.factor, lower=1)
        solved = cho_solve((self.factor, True), self.residual)
        expected: Floats = self.mean + self.residual - solved / np.square(inverse).sum(axis=0)
        return expected


class _Conditioned:
    """What a process expects of some rows while others, the pinned ones, are taken to become what is expected."""

    def __init__(self, process: _Process, X: Floats) -> None:
        from scipy.linalg import solve_triangular

        self._process, self._rows = process, process.rows(X)
        kernel = matern(process.inputs, self._rows, 1.0)
        self._cross = solve_triangular(process.factor, kernel, lower=True, check_finite=False)
        self.mean: Floats = process.mean + process.weights @ self._cross
        self._left = 1.0 - np.square(self._cross).sum(axis=0)
        # Of the pinned rows, and what they tell of all others: a Cholesky factor that grows by a row. Half is spare.
        self._n, n, k = 0, *process.inputs.shape
        self._pins, self._known = np.zeros((8, k)), np.zeros((8, n))
        self._factor, self._told = np.zeros((8, 8)), np.zeros((8, len(X)))

    def pin(self, X: Floats) -> None:
        """Pin one more row, (1, n_columns)."""
        from scipy.linalg import solve_triangular

        process = self._process
        row = process.rows(X)
        kernel = matern(process.inputs, row, 1.0)
        known = solve_triangular(process.factor, kernel, lower=True, check_finite=False)[:, 0]
        told = matern(row, self._rows, 1.0)[0] - known @ self._cross
        own = 1.0 + process.typical_noise - float(known @ known)
        n = self._n
        if n == len(self._pins):
            self._pins, self._known, self._told = (
                np.vstack([part, np.zeros_like(part)]) for part in (self._pins, self._known, self._told)
            )
            self._factor = np.pad(self._factor, (0, n))
        if n:
            among = matern(self._pins[:n], row, 1.0)[:, 0] - self._known[:n] @ known
            among = solve_triangular(self._factor[:n, :n], among, lower=True, check_finite=False)
            own -= float(among @ among)
            told -= among @ self._told[:n]
            self._factor[n, :n] = among
        root = math.sqrt(max(own, 1e-12))
        self._factor[n, n] = root
        told /= root
        self._left -= np.square(told)
        self._pins[n], self._known[n], self._told[n] = row[0], known, told
        self._n = n + 1

    def std(self) -> Floats:
        """Return the standard deviation at every row."""
        found: Floats = np.sqrt(self._process.variance * np.maximum(self._left, 1e-9))
        return found


class Belief:
    """What a surrogate expects of some rows, kept while more and more others are being trained."""

    def __init__(self, surrogate: Surrogate, X: Floats) -> None:
        self._surrogate, self.X = surrogate, X
        self._begin()

    def _begin(self) -> None:
        self._parts = [_Conditioned(process, self.X) for process in self._surrogate.processes]
        self._pinned = np.empty((0, self.X.shape[1]))

    def posterior(self, pinned: Floats) -> tuple[Floats, Floats]:
        """Return expected scores and how unsure they are; see `Surrogate.posterior`."""
        n = len(self._pinned)
        if not np.array_equal(self._pinned, pinned[:n], equal_nan=True):
            self._begin()
            n = 0
        for row in pinned[n:]:
            for part in self._parts:
                part.pin(row[None, :])
        self._pinned = pinned
        means, stds = [part.mean for part in self._parts], [part.std() for part in self._parts]
        return np.mean(means, axis=0), np.mean(stds, axis=0)


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
        return Belief(self, X).posterior(np.empty((0, X.shape[1])) if pinned is None else pinned)

    @property
    def tuned(self) -> Tuned:
        """What was fitted by marginal likelihood, for surrogates on almost the same rows."""
        return tuple((process.closeness, process.ratio) for process in self.processes)

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
    X: Floats,
    values: ArrayLike,
    scalings: Sequence[Scaling],
    counts: ArrayLike | None = None,
    groups: Sequence[int] = (),
    tuned: Tuned | None = None,
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
    groups : sequence of int, optional
        Of the last columns, from 1: those of one group have a length of their own, which all others share.
    tuned : optional
        Lengths and noises of an earlier surrogate, see `Surrogate.tuned`; fitted by default.

    Raises
    ------
    ValueError
        For fewer than 2 rows, or values that are not finite.

    Notes
    -----
    Of many rows the best 128 and 128 others, evenly chosen, are kept, so that a fit takes some milliseconds.
    """
    given = np.asarray(values, dtype=np.float64)
    if len(given) < 2 or X.shape[0] != len(given) or not np.isfinite(given).all():
        raise ValueError(f"{len(given)} values for {X.shape[0]} rows: a surrogate needs finite ones of at least 2 rows")
    warp = Warp.fit(given)
    scores = warp.score(given)
    kept = _kept(scores)
    shares = np.ones(len(given)) if counts is None else np.asarray(counts, dtype=np.float64)
    own = np.array([0] * (X.shape[1] - len(groups)) + list(groups), dtype=np.int64)
    parts = tuned or (None,) * len(scalings)
    processes = tuple(
        _fit_process(scaling, X[kept], scores[kept], shares[kept], own[scaling.columns.indices], part)
        for scaling, part in zip(scalings, parts, strict=True)
    )
    return Surrogate(processes, warp, kept, scores[kept], shares[kept])


def _kept(scores: Floats) -> Indices:
    if len(scores) <= _MOST_ROWS:
        return np.arange(len(scores))
    best = np.argsort(-scores, kind="stable")[: _MOST_ROWS // 2]
    others = np.setdiff1d(np.arange(len(scores)), best)
    even = np.linspace(0, len(others) - 1, _MOST_ROWS - len(best)).round().astype(np.int64)
    return np.sort(np.concatenate([best, others[even]]))


def _fit_process(
    scaling: Scaling, X: Floats, scores: Floats, counts: Floats, groups: Indices, tuned: tuple[Floats, float] | None
) -> _Process:
    rows = scaling.apply(X)
    mean, unit = float(np.average(scores, weights=counts)), float(scores.std())
    residual = scores - mean
    if not len(scaling) or unit == 0:
        return _Process(scaling, rows, np.ones(len(scaling)), 1.0, 1 / counts, mean, residual)
    if tuned is None:
        few = np.linspace(0, len(X) - 1, min(len(X), _MOST_ROWS_FOR_PARAMETERS)).round().astype(np.int64)
        tuned = _tune(rows[few], residual[few] / unit, groups)
    closeness, ratio = tuned
    return _Process(scaling, rows * closeness, closeness, ratio, ratio / counts, mean, residual)


def _tune(rows: Floats, values: Floats, groups: Indices) -> tuple[Floats, float]:
    """Return the most likely closeness of each column, one for all of a group, and the noise."""
    if not groups.any():
        length, noise = best_parameters(rows, values, expected=_EXPECTED_LENGTH)
        return np.full(rows.shape[1], 1 / length), noise
    # Lengths of the features are over the root of their number; a parameter has one of its own from the start.
    typical = {group: math.sqrt((groups == group).sum()) if group == 0 else 1.0 for group in np.unique(groups).tolist()}
    expected = {group: _EXPECTED_LENGTH if group == 0 else 1.0 for group in typical}
    lengths = dict(expected)
    found, noise = -math.inf, 1.0
    for _ in range(_SWEEPS):
        for group in sorted(typical, reverse=True):
            for length in (_LENGTHS if group == 0 else _OWN_LENGTHS).tolist():
                tried = {**lengths, group: length}
                closeness = np.array([1 / (typical[own] * tried[own]) for own in groups.tolist()])
                likelihood, ratio = _likelihood(rows * closeness, values)
                likelihood -= 0.5 * sum(math.log(tried[own] / expected[own]) ** 2 for own in tried)
                if likelihood > found:
                    found, noise, lengths = likelihood, ratio, tried
    return np.array([1 / (typical[own] * lengths[own]) for own in groups.tolist()]), noise


def _likelihood(rows: Floats, values: Floats) -> tuple[float, float]:
    """Return the largest log marginal likelihood over noises, the signal's variance being the best, and its noise."""
    from scipy.linalg import eigh

    eigenvalues, vectors = eigh(matern(rows, rows, 1.0))
    squares = np.square(vectors.T @ values)
    spectrum = np.maximum(eigenvalues, 0.0)[:, None] + _NOISES
    variance = (squares[:, None] / spectrum).mean(axis=0)
    likelihood = -0.5 * (len(values) * np.log(variance) + np.log(spectrum).sum(axis=0))
    best = int(likelihood.argmax())
    return float(likelihood[best]), float(_NOISES[best])
