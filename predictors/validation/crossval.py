"""Repeated cross-validation, and its scores with intervals, paired where two fits are compared.

Every predictor is scored on rows that it was not fitted on. A fit is a callable: nothing here knows a regressor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.validation.fits import HERE, Fit, Fits, Job
from predictors.validation.folds import Folds
from predictors.validation.metrics import kendall, mae, r2, regret_at_k
from predictors.validation.resampling import codes_of, interval_of, resampled_rows

__all__ = [
    "Estimate",
    "Score",
    "checked_table",
    "difference",
    "estimate_r2",
    "fit_seed",
    "out_of_fold",
    "score",
    "single_splits",
]

_DRAWS = 1000
_RANK_DRAWS = 200


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty.

    Parameters
    ----------
    mean, sd : float
        Over repeats, that is over other splits of the same rows. They say nothing about other rows.
    low, high : float
        95 % interval, over wirings unless it is said to be of something else; see `score`.
    """

    mean: float
    sd: float
    low: float
    high: float

    @classmethod
    def over(cls, repeats: ArrayLike) -> Estimate:
        """Summarise repeats; the interval is the middle 95 % of them, of few little less than their range."""
        values = np.asarray(repeats, dtype=np.float64)
        return cls(float(values.mean()), _sd(values), *interval_of(values))


@dataclass(frozen=True)
class Score:
    """How good out-of-fold predictions are.

    Parameters
    ----------
    r2, tau, mae : Estimate
        Share of explained variance, Kendall's tau-b and mean absolute error, each of all rows of a repeat together.
    regret : float
        Mean regret at `k`, in units of the labels.
    k : int
    """

    r2: Estimate
    tau: Estimate
    mae: Estimate
    regret: float
    k: int


def checked_table(X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return features (n, k) and labels (n,) as float64 arrays.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a label is not finite.
    """
    table, labels = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if table.ndim != 2 or labels.shape != (len(table),):
        raise ValueError(f"X {table.shape} and y {labels.shape}: must be (n, k) and (n,)")
    if not np.isfinite(labels).all():
        raise ValueError(
            f"y holds {int((~np.isfinite(labels)).sum())} labels that are not finite: leave those rows out"
        )
    return table, labels


def fit_seed(*key: int) -> int:
    """Return the seed of one of many fits, the same for all fits that are compared."""
    return int(np.random.SeedSequence(key).generate_state(1)[0])


def out_of_fold(
    fit: Fit,
    X: ArrayLike,
    y: ArrayLike,
    folds: Folds,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
    fits: Fits = HERE,
) -> NDArray[np.float64]:
    """Predict every row by a fit on the folds that it is not in.

    Parameters
    ----------
    fit : Fit
    X : (n, k) array
        NaN where a feature is undefined.
    y : (n,) array
    folds : list of lists of int64 arrays
        From `repeated_folds` with the same groups.
    groups : sequence of n labels, optional
        Handed to `fit` as numbers, for folds of its own.
    seed : int
    fits : Fits
        Runs them.

    Returns
    -------
    (repeats, n) float64 array

    Raises
    ------
    ValueError
        If the folds of a repeat do not hold every row once.
    """
    table, labels = checked_table(X, y)
    codes = codes_of(groups, len(table))
    for repeat, parts in enumerate(folds):
        if not np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(table))):
            raise ValueError(f"the folds of repeat {repeat} must hold each of the {len(table)} rows once")
    places = [(repeat, fold, test) for repeat, parts in enumerate(folds) for fold, test in enumerate(parts)]

    def job(repeat: int, fold: int, test: NDArray[np.int64]) -> Job:
        train = np.setdiff1d(np.arange(len(table)), test)
        return Job(table[train], labels[train], codes[train], fit_seed(seed, repeat, fold), table[test])

    predictions = np.empty((len(folds), len(table)))
    found = fits.predictions(fit, (job(*place) for place in places))
    for (repeat, _, test), predicted in zip(places, found, strict=True):
        predictions[repeat, test] = predicted
    return predictions


def score(
    values: ArrayLike,
    predictions: NDArray[np.float64],
    groups: Sequence[Any] | NDArray[Any] | None = None,
    k: int = 5,
    maximise: bool = True,
    seed: int = 0,
) -> Score:
    """Score out-of-fold predictions (repeats, n) by values (n,), which need not be those of the fit.

    Notes
    -----
    Intervals say how far the scores of these fits would move with other wirings to predict: groups are drawn anew, with
    replacement, and in every draw one of the repeats is scored. No fit is made anew, so other wirings to learn from
    are in them only as far as repeats differ. The standard deviation over repeats, which says how much one split of the
    same wirings decides, is usually much smaller.
    """
    y = np.asarray(values, dtype=np.float64)
    codes = codes_of(groups, len(y))

    def absolute(repeat: int, rows: NDArray[np.int64]) -> float:
        return mae(y[rows], predictions[repeat, rows])

    def ordered(repeat: int, rows: NDArray[np.int64]) -> float:
        return kendall(y[rows], predictions[repeat, rows])

    k = min(k, len(y))
    return Score(
        r2=estimate_r2(y, predictions, groups, seed),
        tau=_estimate(ordered, len(predictions), codes, _RANK_DRAWS, seed),
        mae=_estimate(absolute, len(predictions), codes, _DRAWS, seed),
        regret=float(np.mean([regret_at_k(y, row, k, maximise) for row in predictions])),
        k=k,
    )


def estimate_r2(
    values: ArrayLike,
    predictions: NDArray[np.float64],
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Return R2 of predictions (repeats, n), with its interval over groups."""
    y = np.asarray(values, dtype=np.float64)

    def explained(repeat: int, rows: NDArray[np.int64]) -> float:
        return r2(y[rows], predictions[repeat, rows])

    return _estimate(explained, len(predictions), codes_of(groups, len(y)), _DRAWS, seed)


def difference(
    values: ArrayLike,
    predictions: NDArray[np.float64],
    others: NDArray[np.float64],
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Return R2 of predictions less that of others, both (repeats, n) over the same folds: paired by repeat and rows.

    Raises
    ------
    ValueError
        If the two were not predicted over equally many repeats and rows.
    """
    if predictions.shape != others.shape:
        raise ValueError(f"predictions {predictions.shape} and others {others.shape}: must come from the same folds")
    y = np.asarray(values, dtype=np.float64)

    def gain(repeat: int, rows: NDArray[np.int64]) -> float:
        return r2(y[rows], predictions[repeat, rows]) - r2(y[rows], others[repeat, rows])

    return _estimate(gain, len(predictions), codes_of(groups, len(y)), _DRAWS, seed)


def single_splits(
    fit: Fit, X: ArrayLike, y: ArrayLike, n_splits: int = 200, test_share: float = 0.1, seed: int = 0
) -> NDArray[np.float64]:
    """Return R2 of many single random splits, (n_splits,): what one of them would have said by chance.

    Groups are not looked at, as in the published protocol.

    It is NaN where the labels of a test part are all equal.

    References
    ----------
    .. [1] J. Stier, H. Darji, M. Granitzer, "Experiments on properties of hidden structures of sparse neural networks",
       arXiv:2107.12917, which rests on one such split.
    """
    table, labels = checked_table(X, y)
    n_test = int(np.ceil(test_share * len(table)))
    if not 2 <= n_test <= len(table) - 2:
        raise ValueError(f"test_share={test_share}: {n_test} of {len(table)} rows; both parts must hold 2 at least")
    results = np.empty(n_splits)
    for split in range(n_splits):
        order = np.random.default_rng((seed, split)).permutation(len(table))
        test, train = order[:n_test], order[n_test:]
        predict = fit(table[train], labels[train], np.arange(len(train)), fit_seed(seed, split))
        results[split] = r2(labels[test], predict(table[test]))
    return results


def _estimate(
    statistic: Callable[[int, NDArray[np.int64]], float],
    repeats: int,
    groups: NDArray[np.int64],
    draws: int,
    seed: int,
) -> Estimate:
    """Estimate a statistic of a repeat and rows; a draw counts by how far it is from its own repeat's value."""
    rows = np.arange(len(groups))
    values = np.array([statistic(repeat, rows) for repeat in range(repeats)])
    moved = np.array(
        [
            statistic(draw % repeats, drawn) - values[draw % repeats]
            for draw, drawn in enumerate(resampled_rows(groups, draws, seed))
        ]
    )
    low, high = interval_of(moved)
    mean = float(values.mean())
    return Estimate(mean, _sd(values), mean + low, mean + high)


def _sd(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else float("nan")
