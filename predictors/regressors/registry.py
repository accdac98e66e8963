"""REGRESSORS: everything that fits a member, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from predictors.features.table import FEATURES
from predictors.regressors.boosting import fit_xgboost
from predictors.regressors.forests import fit_adaboost, fit_extra_trees, fit_random_forest
from predictors.regressors.gaussian_process import fit_gaussian_process
from predictors.regressors.linear import fit_bayesian_ridge, fit_ridge
from predictors.regressors.rows import Fit, Indices

__all__ = ["REGRESSORS", "Regressor", "columns_of"]


@dataclass(frozen=True)
class Regressor:
    """A way to fit a member.

    Parameters
    ----------
    name : str
    columns : {"size", "all"}
        The columns that it is given, see `columns_of`.
    fit : Fit
    """

    name: str
    columns: str
    fit: Fit


REGRESSORS: dict[str, Regressor] = {
    regressor.name: regressor
    for regressor in (
        Regressor("ridge-size", "size", fit_ridge),
        Regressor("gaussian-process-size", "size", fit_gaussian_process),
        Regressor("ridge", "all", fit_ridge),
        Regressor("bayesian-ridge", "all", fit_bayesian_ridge),
        Regressor("gaussian-process", "all", fit_gaussian_process),
        Regressor("random-forest", "all", fit_random_forest),
        Regressor("extra-trees", "all", fit_extra_trees),
        Regressor("adaboost", "all", fit_adaboost),
        Regressor("xgboost", "all", fit_xgboost),
    )
}
"""Every way by its name; those on the columns of size alone end in "-size"."""


def columns_of(names: Sequence[str], kind: str) -> Indices:
    """Return the indices of columns of a kind, int64 array.

    Parameters
    ----------
    names : sequence of str
        Of all columns.
    kind : {"size", "all"}
        "size" are the features of tier size; without a single one of them, as with columns of one's own, they are all.

    Raises
    ------
    ValueError
        For another kind.
    """
    if kind not in ("size", "all"):
        raise ValueError(f"kind={kind!r} of columns is not known; known are size, all")
    size = [index for index, name in enumerate(names) if name in FEATURES and FEATURES[name].tier == "size"]
    return np.array(size, dtype=np.int64) if kind == "size" and size else np.arange(len(names), dtype=np.int64)
