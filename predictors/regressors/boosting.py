"""Gradient-boosted trees, by xgboost, flattened."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from predictors.members import Columns, Constant, Member, Trees
from predictors.regressors.flatten import Nodes, flat_trees
from predictors.regressors.rows import Floats, Indices, range_of

__all__ = ["fit_xgboost"]

_MANY_ROWS = 1000
_ROUNDS, _RATE = 200, 0.05


def fit_xgboost(
    X: Floats, y: Floats, columns: Indices | None = None, seed: int = 0, weight: Floats | None = None
) -> Member:
    """Fit gradient-boosted trees, strongly regularised: with a few hundred noisy rows the usual settings overfit.

    Parameters
    ----------
    X, y, columns, seed, weight
        See `predictors.regressors.rows.Fit`.

    References
    ----------
    Chen and Guestrin (2016), arXiv:1603.02754
    """
    import xgboost

    taken = Columns.fit(X, columns)
    middle = float(np.average(y, weights=weight))
    if not len(taken) or np.ptp(y) == 0:
        return Constant(middle)
    # In units of their spread, so that penalties mean the same for any values.
    unit = float(y.std())
    many = len(y) > _MANY_ROWS
    options = {
        "max_depth": 5 if many else 3,
        "eta": _RATE,
        "subsample": 0.6,
        "colsample_bytree": 0.3,
        "min_child_weight": float(np.clip(len(y) / 12, 1, 8)),
        "lambda": 10,
        "tree_method": "hist",
        "max_bin": 64,
        "base_score": 0.0,
        "nthread": 1,
        "seed": seed,
    }
    shares = None if weight is None else weight / weight.mean()
    matrix = xgboost.DMatrix(taken.take(X), (y - middle) / unit, weight=shares, nthread=1)
    booster = xgboost.train(options, matrix, num_boost_round=2 * _ROUNDS if many else _ROUNDS)
    feature, threshold, child, value, roots = flat_trees(_trees_of(booster))
    return Trees(taken, feature, threshold, child, value * unit, roots, np.zeros(0), "sum", middle, *range_of(y))


def _trees_of(booster: Any) -> list[Nodes]:
    learner = json.loads(booster.save_raw("json").decode())["learner"]
    return [_nodes_of(tree) for tree in learner["gradient_booster"]["model"]["trees"]]


def _nodes_of(tree: dict[str, Any]) -> Nodes:
    # Where there are no children, the split condition holds the value. Rows below the threshold go left, and equal ones
    # do not: those at most at the float32 number before it are the same.
    condition = np.array(tree["split_conditions"], dtype=np.float32)
    return Nodes(
        feature=tree["split_indices"],
        threshold=np.nextafter(condition, np.float32(-np.inf)),
        left=tree["left_children"],
        right=tree["right_children"],
        value=condition.astype(np.float64),
    )
