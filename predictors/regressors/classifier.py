"""Whether a network trains at all, and values in two parts: whether, and how well if so."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.members import Constant, Hurdle, Linear, Mean, Member, Scaling
from predictors.regressors.forests import fit_extra_trees
from predictors.regressors.linear import fit_ridge
from predictors.regressors.rows import Floats, Indices, range_of

__all__ = ["LEAST_OF_A_CLASS", "fit_classifier", "fit_hurdle"]

LEAST_OF_A_CLASS = 10
"""Fewer rows of a class say too little about where it lies."""
_LOW, _HIGH = 0.01, 0.99
_STRENGTH = 5.0


def fit_classifier(
    X: Floats,
    labels: ArrayLike,
    seed: int = 0,
    *,
    linear_columns: Indices | None = None,
    columns: Indices | None = None,
) -> Member:
    """Fit the probability of a label: the mean of a logistic regression and of extremely randomised trees.

    Parameters
    ----------
    X : (n, n_columns) float64 array
        NaN where undefined.
    labels : (n,) bool array_like
    seed : int
    linear_columns : (n_selected,) int64 array, optional
        What the logistic regression may use, such as the columns of size; by default what the trees may.
    columns : (n_selected,) int64 array, optional
        By default all.

    Returns
    -------
    Member
        Gives probabilities between 0.01 and 0.99. With fewer than 10 rows of a class it gives the shares for all.
    """
    outcomes = np.asarray(labels, dtype=bool)
    n_true = int(outcomes.sum())
    if min(n_true, len(outcomes) - n_true) < LEAST_OF_A_CLASS:
        return Constant(float(np.clip((n_true + 0.5) / (len(outcomes) + 1), _LOW, _HIGH)))
    linear = _fit_logistic(X, outcomes, columns if linear_columns is None else linear_columns)
    trees = fit_extra_trees(X, outcomes.astype(np.float64), columns, seed)
    return Mean(linear, trees, _LOW, _HIGH)


def _fit_logistic(X: Floats, outcomes: NDArray[np.bool_], columns: Indices | None) -> Member:
    from sklearn.linear_model import LogisticRegression

    scaling = Scaling.fit(X, columns)
    if not len(scaling):
        return Constant(float(outcomes.mean()))
    # Columns are many and correlated: the prior on their sum stays the same, however many they are.
    estimator = LogisticRegression(C=_STRENGTH / len(scaling), max_iter=1000).fit(scaling.apply(X), outcomes)
    return Linear(scaling, estimator.coef_[0].astype(np.float64), float(estimator.intercept_[0]), 0.0, 1.0, "logistic")


def fit_hurdle(
    X: Floats,
    y: Floats,
    columns: Indices | None = None,
    seed: int = 0,
    weight: Floats | None = None,
    *,
    collapsed_below: float,
) -> Member:
    """Fit values in two parts: whether a network trains at all, and how well if it does.

    Parameters
    ----------
    X, y, columns, seed, weight
        See `predictors.regressors.rows.Fit`; whether a network trains is learnt from all rows alike.
    collapsed_below : float
        Values below are those of networks that did not train. With fewer than 10 of them, or of the others, the values
        of all are fitted in one part.
    """
    trains = y >= collapsed_below
    shares = np.ones(len(y)) if weight is None else weight
    if min(int(trains.sum()), int((~trains).sum())) < LEAST_OF_A_CLASS:
        return _fit_values(X, y, columns, seed, shares)
    return Hurdle(
        fit_classifier(X, trains, seed, columns=columns),
        _fit_values(X[trains], y[trains], columns, seed, shares[trains]),
        float(np.average(y[~trains], weights=shares[~trains])),
    )


def _fit_values(X: Floats, y: Floats, columns: Indices | None, seed: int, weight: Floats) -> Member:
    linear = fit_ridge(X, y, columns, seed, weight)
    return Mean(linear, fit_extra_trees(X, y, columns, seed, weight), *range_of(y))
