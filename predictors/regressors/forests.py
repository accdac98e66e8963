"""Ensembles of independent or reweighted trees, by scikit-learn, flattened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.members import Columns, Constant, Member, Trees
from predictors.regressors.flatten import Nodes, flat_trees, not_above
from predictors.regressors.rows import Floats, Indices, range_of

__all__ = ["fit_adaboost", "fit_extra_trees", "fit_random_forest", "fit_scale"]

_TREES = 150
_LARGEST_SEED = int(np.iinfo(np.int32).max)
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
    return _fitted(_ExtraTrees(_TREES, 3 + len(y) // _ROWS_A_LEAF, seed), X, y, columns, weight, "mean")


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
    forest = _ExtraTrees(_TREES // 2, max(5, len(size) // 20), seed)
    return _fitted(forest, X, size, None, None, "mean", (float(size.min()), float(size.max())))


class _ExtraTrees:
    """scikit-learn's ``ExtraTreesRegressor``, tree after tree: the same trees in less than half of the time.

    An ensemble of scikit-learn's copies and checks the parameters of each of its trees, which takes longer than to grow
    trees on a few hundred rows.
    """

    def __init__(self, n_trees: int, min_samples_leaf: int, seed: int) -> None:
        self.n_trees, self.min_samples_leaf, self.seed = n_trees, min_samples_leaf, seed

    def fit(self, X: Floats, y: Floats, sample_weight: Floats | None) -> None:
        """Grow the trees on (n, k) rows, (n,) values and (n,) weights."""
        from sklearn import config_context
        from sklearn.tree import ExtraTreeRegressor

        rows, values = np.asarray(X, dtype=np.float32), y[:, None]
        seeds = np.random.RandomState(self.seed).randint(_LARGEST_SEED, size=self.n_trees).tolist()
        # To seed a generator anew is faster than to make another.
        rng = np.random.RandomState(0)
        tree = ExtraTreeRegressor(min_samples_leaf=self.min_samples_leaf, max_features=0.5, random_state=rng)
        self.trees: list[Any] = []
        with config_context(skip_parameter_validation=True):
            for seed in seeds:
                rng.seed(seed)
                self.trees.append(tree.fit(rows, values, sample_weight, check_input=False).tree_)


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
    grown = estimator.trees if isinstance(estimator, _ExtraTrees) else [each.tree_ for each in estimator.estimators_]
    trees = [_nodes_of(tree) for tree in grown]
    weights = _votes(estimator) if combination == "median" else np.zeros(0)
    return Trees(columns, *flat_trees(trees), weights, combination, 0.0, *(bounds or range_of(y)))


def _nodes_of(tree: Any) -> Nodes:
    return Nodes(
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
