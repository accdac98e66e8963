"""Ensembles of independent or reweighted trees, by scikit-learn, flattened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.members import Columns, Constant, Member, Trees
from predictors.regressors.flatten import Nodes, flat_trees, level_order, not_above
from predictors.regressors.rows import Floats, Indices, range_of

__all__ = ["fit_adaboost", "fit_extra_trees", "fit_random_forest", "fit_scale"]

_TREES = 150
_ROWS_A_LEAF = 1000
"""Leaves grow by a row for each so many rows: large samples need fewer and larger ones for the same smoothness."""


def fit_extra_trees(
    X: Floats, y: Floats, columns: Indices | None = None, seed: int = 0, weight: Floats | None = None
) -> Member:
    """Fit extremely randomised trees.

    Parameters
    ----------
    X, y, columns, seed, weight
        See `predictors.regressors.rows.Fit`.

    References
    ----------
    Geurts, Ernst and Wehenkel (2006), doi:10.1007/s10994-006-6226-1
    """
    from sklearn.ensemble import ExtraTreesRegressor

    leaf = 3 + len(y) // _ROWS_A_LEAF
    estimator = ExtraTreesRegressor(_TREES, min_samples_leaf=leaf, max_features=0.5, random_state=seed)
    return _fitted(estimator, X, y, columns, weight, "mean")


def fit_random_forest(
    X: Floats, y: Floats, columns: Indices | None = None, seed: int = 0, weight: Floats | None = None
) -> Member:
    """Fit a random forest.

    Parameters
    ----------
    X, y, columns, seed, weight
        See `predictors.regressors.rows.Fit`.

    References
    ----------
    Breiman (2001), doi:10.1023/A:1010933404324
    """
    from sklearn.ensemble import RandomForestRegressor

    leaf = 3 + len(y) // _ROWS_A_LEAF
    estimator = RandomForestRegressor(_TREES, min_samples_leaf=leaf, max_features=0.5, random_state=seed)
    return _fitted(estimator, X, y, columns, weight, "mean")


def fit_adaboost(
    X: Floats, y: Floats, columns: Indices | None = None, seed: int = 0, weight: Floats | None = None
) -> Member:
    """Fit AdaBoost.R2 with trees of depth 3.

    Parameters
    ----------
    X, y, columns, seed, weight
        See `predictors.regressors.rows.Fit`.

    References
    ----------
    Drucker (1997), Improving regressors using boosting techniques, ICML
    """
    from sklearn.ensemble import AdaBoostRegressor

    return _fitted(AdaBoostRegressor(random_state=seed), X, y, columns, weight, "median")


def fit_scale(X: Floats, size: Floats, seed: int = 0) -> Member:
    """Fit the typical size of errors, with trees of large leaves: sizes are noisy, and must stay positive.

    Parameters
    ----------
    X : (n, n_columns) float64 array
    size : (n,) float64 array
        Absolute errors of predictions that were made without the row.
    seed : int
    """
    from sklearn.ensemble import ExtraTreesRegressor

    leaf = max(5, len(size) // 20)
    estimator = ExtraTreesRegressor(_TREES // 2, min_samples_leaf=leaf, max_features=0.5, random_state=seed)
    return _fitted(estimator, X, size, None, None, "mean", (float(size.min()), float(size.max())))


def _fitted(
    estimator: Any,
    X: Floats,
    y: Floats,
    indices: Indices | None,
    weight: Floats | None,
    combination: str,
    bounds: tuple[float, float] | None = None,
) -> Member:
    columns = Columns.fit(X, indices)
    if not len(columns) or np.ptp(y) == 0:
        return Constant(float(np.average(y, weights=weight)))
    estimator.fit(columns.take(X), y, sample_weight=weight)
    trees = [_nodes_of(each.tree_) for each in estimator.estimators_]
    weights = _votes(estimator) if combination == "median" else np.zeros(0)
    return Trees(columns, *flat_trees(trees), weights, combination, 0.0, *(bounds or range_of(y)))


def _nodes_of(tree: Any) -> Nodes:
    return level_order(
        feature=tree.feature,
        threshold=not_above(tree.threshold),
        left=tree.children_left,
        right=tree.children_right,
        value=tree.value[:, 0, 0],
    )


def _votes(estimator: Any) -> NDArray[np.float64]:
    trees: Sequence[Any] = estimator.estimators_
    votes = np.asarray(estimator.estimator_weights_[: len(trees)], dtype=np.float64)
    # A single tree that is worse than chance is kept, without a vote.
    return votes if (votes > 0).all() else np.ones(len(trees))
