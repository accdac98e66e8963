"""How a predictor learns: the blend, its calibration, its domain, and what it must beat. Imports scikit-learn.

The fits of the validation are here too: the blend on columns with names, and a plain one on any columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors.calibration import fit_calibration
from predictors.domain import fit_domain
from predictors.features.table import FEATURES
from predictors.fitted import Fitted, Training
from predictors.members import Mean
from predictors.regressors import fit_bayesian_ridge, fit_blend, fit_classifier, fit_extra_trees
from predictors.regressors.rows import range_of
from predictors.validation.crossval import Predict
from predictors.validation.folds import repeated_folds
from predictors.validation.metrics import r2

__all__ = ["BlendFit", "coverages", "fit", "plain_fit"]

_FOLDS = 5
_LEAST_FOR_CLASSES = 10
_NEAR_CHANCE = 0.1


def fit(training: Training, bounds: tuple[float, float] | None, chance: float | None, seed: int) -> Fitted:
    """Learn from training wirings.

    Parameters
    ----------
    training : Training
    bounds : (float, float) or None
        What values can be.
    chance : float or None
        Value of a network that learnt nothing.
    seed : int
    """
    limits = bounds or (-math.inf, math.inf)
    X, y, groups = training.X, training.means, training.groups.tolist()
    trains, collapsed_below = _trains(y, chance)
    blend = fit_blend(X, y, training.names, groups=groups, seed=seed, collapsed_below=collapsed_below)
    out_of_fold = np.clip(blend.out_of_fold, *limits)
    calibration, _ = fit_calibration(X, training.labels - out_of_fold[:, None], groups, seed)
    is_bounded = np.array([name in FEATURES and FEATURES[name].tier == "size" for name in training.names])
    return Fitted(
        members=blend.members,
        weights=blend.weights,
        member_names=blend.names,
        classifier=None if trains is None else fit_classifier(X, trains, seed),
        domain=fit_domain(X, is_bounded, seed),
        calibration=calibration,
        out_of_fold=out_of_fold,
        bounds=limits,
        training=training,
        references={"predictor": _r2(y, out_of_fold), **_references(training, seed)},
    )


def _trains(y: NDArray[np.float64], chance: float | None) -> tuple[NDArray[np.bool_] | None, float | None]:
    """Return which wirings train at all, where there are enough of both kinds, and the value below which none does.

    Those within a tenth of the way from chance to the best value do not.
    """
    if chance is None:
        return None, None
    best = float(y[np.argmax(np.abs(y - chance))])
    near = _NEAR_CHANCE * (best - chance)
    trains = np.abs(y - chance) > abs(near)
    if min(trains.sum(), (~trains).sum()) < _LEAST_FOR_CLASSES:
        return None, None
    return trains, chance + near if near > 0 else None


def _references(training: Training, seed: int) -> dict[str, float]:
    """Return R2 out of fold of a plain fit on what a predictor must beat."""
    names = list(training.names)
    size = [name for name in names if name in FEATURES and FEATURES[name].tier == "size"]
    sets = {"edges alone": ["all_edges"] if "all_edges" in names else [], "size alone": size}
    columns = {name: training.X[:, [names.index(column) for column in own]] for name, own in sets.items()}
    columns["prior's parameters alone"] = training.parameters
    y, groups = training.means, training.groups
    parts = repeated_folds(len(y), min(_FOLDS, len(np.unique(groups))), 1, groups.tolist(), seed)[0]
    found = {}
    for name, X in columns.items():
        if X.shape[1]:
            predicted = np.empty(len(y))
            for held_out in parts:
                rest = np.setdiff1d(np.arange(len(y)), held_out)
                predicted[held_out] = plain_fit(X[rest], y[rest], groups[rest], seed)(X[held_out])
            found[name] = _r2(y, predicted)
    return found


def _r2(y: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    return r2(y, predicted) if np.ptp(y) > 0 else math.nan


# Fits of the validation


def plain_fit(X: NDArray[np.float64], y: NDArray[np.float64], groups: NDArray[np.int64], seed: int) -> Predict:  # noqa: ARG001
    """Fit the mean of a Bayesian ridge and extra trees on any columns; see `predictors.validation.Fit`."""
    return Mean(fit_bayesian_ridge(X, y), fit_extra_trees(X, y, seed=seed), *range_of(y)).predict


@dataclass(frozen=True)
class BlendFit:
    """The fit of a blend on columns with names; see `predictors.validation.Fit`."""

    names: tuple[str, ...]

    def __call__(self, X: NDArray[np.float64], y: NDArray[np.float64], groups: NDArray[np.int64], seed: int) -> Predict:
        """Fit to rows."""
        return fit_blend(X, y, self.names, groups=groups.tolist(), seed=seed).predict


def coverages(
    training: Training, bounds: tuple[float, float] | None, levels: Sequence[float], folds: int, seed: int
) -> dict[float, float]:
    """Return the share of single trainings inside of their intervals, on wirings that were not learnt from."""
    inside: dict[float, list[float]] = {level: [] for level in levels}
    for held_out in repeated_folds(len(training.X), folds, 1, training.groups.tolist(), seed)[0]:
        rest = np.setdiff1d(np.arange(len(training.X)), held_out)
        fitted = fit(training.rows(rest), bounds, None, seed)
        X, labels = training.X[held_out], training.labels[held_out]
        mean, scale = fitted.predict(X), fitted.scale(X)
        for level in levels:
            low, high = fitted.interval(mean, scale, np.zeros(len(X)), level)
            known = np.isfinite(labels)
            hit = (labels >= low[:, None]) & (labels <= high[:, None])
            inside[level] += hit[known].tolist()
    return {level: float(np.mean(hits)) for level, hits in inside.items()}
