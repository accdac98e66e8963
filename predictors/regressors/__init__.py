"""Fitting: from rows of columns and values to members and to their blend."""

from predictors.regressors.blend import DEFAULT_MEMBERS, Blend, fit_blend
from predictors.regressors.boosting import fit_xgboost
from predictors.regressors.classifier import fit_classifier, fit_hurdle
from predictors.regressors.forests import fit_adaboost, fit_extra_trees, fit_random_forest, fit_scale
from predictors.regressors.gaussian_process import fit_gaussian_process
from predictors.regressors.linear import fit_bayesian_ridge, fit_ridge
from predictors.regressors.registry import REGRESSORS, Regressor, columns_of

__all__ = [
    "DEFAULT_MEMBERS",
    "REGRESSORS",
    "Blend",
    "Regressor",
    "columns_of",
    "fit_adaboost",
    "fit_bayesian_ridge",
    "fit_blend",
    "fit_classifier",
    "fit_extra_trees",
    "fit_gaussian_process",
    "fit_hurdle",
    "fit_random_forest",
    "fit_ridge",
    "fit_scale",
    "fit_xgboost",
]
