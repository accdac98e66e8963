"""How a predictor learns: the blend, its calibration, its domain, and what it must beat.

The fits of the validation are here too: the blend on columns with names, and a plain one on any columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.calibration import fit_calibration
from predictors.domain import fit_domain
from predictors.features.table import FEATURES
from predictors.fitted import Fitted, Training
from predictors.members import Mean
from predictors.regressors import Blend, fit_bayesian_ridge, fit_blend, fit_classifier, fit_extra_trees
from predictors.regressors.classifier import LEAST_OF_A_CLASS
from predictors.regressors.rows import range_of
from predictors.threads import one_thread
from predictors.validation.fits import HERE, Fits, Predict
from predictors.validation.folds import repeated_folds
from predictors.validation.metrics import r2

__all__ = ["Aim", "BlendFit", "coverages", "fit", "plain_fit"]

_NEAR_CHANCE = 0.1


@dataclass(frozen=True)
class Aim:
    """What is predicted: which values are good, which can be, and which one is that of having learnt nothing."""

    direction: str = "maximize"
    bounds: tuple[float, float] | None = None
    chance: float | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """The bounds; infinite where none are given."""
        return self.bounds or (-math.inf, math.inf)

    def trains(self, y: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Return which values are those of networks that train at all, where there are enough of both kinds.

        They are above a tenth of the way from chance to the best value.
        """
        if self.chance is None:
            return None
        gain = (y - self.chance) * (1 if self.direction == "maximize" else -1)
        trains = gain > _NEAR_CHANCE * gain.max()
        return trains if gain.max() > 0 and min(trains.sum(), (~trains).sum()) >= LEAST_OF_A_CLASS else None

    def blend(
        self, X: NDArray[np.float64], y: NDArray[np.float64], names: tuple[str, ...], groups: Any, seed: int
    ) -> Blend:
        """Fit the blend; where networks collapse to low values, with a member in two parts."""
        trains = self.trains(y)
        below = None if trains is None or self.direction != "maximize" else float(y[trains].min())
        return fit_blend(X, y, names, groups=groups, seed=seed, collapsed_below=below)

    def out_of_fold(self, blend: Blend) -> NDArray[np.float64]:
        """Return what a blend predicted of its training rows without having seen them, within the limits."""
        return np.clip(blend.out_of_fold, *self.limits)


def fit(training: Training, aim: Aim, seed: int, *, with_references: bool = True) -> Fitted:
    """Learn from training wirings.

    Parameters
    ----------
    training : Training
    aim : Aim
    seed : int
    with_references : bool
        Whether to score what the predictor must beat.
    """
    with one_thread():
        return _fit(training, aim, seed, with_references)


def _fit(training: Training, aim: Aim, seed: int, with_references: bool) -> Fitted:
    X, y, groups = training.X, training.means, training.groups.tolist()
    trains = aim.trains(y)
    blend = aim.blend(X, y, training.names, groups, seed)
    out_of_fold = aim.out_of_fold(blend)
    calibration = fit_calibration(X, training.labels - out_of_fold[:, None], groups, seed)
    is_bounded = np.array([name in FEATURES and FEATURES[name].tier == "size" for name in training.names])
    return Fitted(
        members=blend.members,
        weights=blend.weights,
        member_names=blend.names,
        classifier=None if trains is None else fit_classifier(X, trains, seed),
        domain=fit_domain(X, is_bounded, seed),
        calibration=calibration,
        out_of_fold=out_of_fold,
        bounds=aim.limits,
        spread_factor=blend.spread_factor,
        training=training,
        references={"predictor": _r2(y, out_of_fold), **(_references(training, aim, seed) if with_references else {})},
    )


def _references(training: Training, aim: Aim, seed: int) -> dict[str, float]:
    """Return R2 out of fold of the same blend on what a predictor must beat."""
    names, groups = list(training.names), training.groups.tolist()
    size = [name for name in names if name in FEATURES and FEATURES[name].tier == "size"]
    sets = {"edges alone": [name for name in names if name == "all_edges"], "size alone": size}
    tables = {name: (training.X[:, [names.index(column) for column in own]], own) for name, own in sets.items()}
    tables["prior's parameters alone"] = training.parameters, list(training.parameter_names)
    return {
        name: _r2(training.means, aim.out_of_fold(aim.blend(X, training.means, tuple(own), groups, seed)))
        for name, (X, own) in tables.items()
        if X.shape[1]
    }


def _r2(y: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    return r2(y, predicted) if np.ptp(y) > 0 else math.nan


# Fits of the validation


def plain_fit(X: NDArray[np.float64], y: NDArray[np.float64], groups: NDArray[np.int64], seed: int) -> Predict:  # noqa: ARG001
    """Fit the mean of a Bayesian ridge and extra trees on any columns; see `predictors.validation.Fit`."""
    with one_thread():
        return Mean(fit_bayesian_ridge(X, y), fit_extra_trees(X, y, seed=seed), *range_of(y)).predict


@dataclass(frozen=True)
class BlendFit:
    """The fit of a blend; see `predictors.validation.Fit`.

    Parameters
    ----------
    names : tuple of str, optional
        Of the columns; without them all members are fitted on all columns, however many there are.
    aim : Aim
    """

    names: tuple[str, ...] | None = None
    aim: Aim = Aim()

    def __call__(self, X: NDArray[np.float64], y: NDArray[np.float64], groups: NDArray[np.int64], seed: int) -> Predict:
        """Fit to rows."""
        names = ("",) * X.shape[1] if self.names is None else self.names
        with one_thread():
            blend = self.aim.blend(X, y, names, groups.tolist(), seed)
        return lambda rows: np.clip(blend.predict(rows), *self.aim.limits)


def coverages(
    training: Training, aim: Aim, levels: Sequence[float], folds: int, seed: int, fits: Fits = HERE
) -> dict[float, float]:
    """Return the share of single trainings inside of their intervals, on wirings that were not learnt from."""
    parts = repeated_folds(len(training.X), folds, 1, training.groups.tolist(), seed)[0]
    found = list(fits.map(_inside, ((training, aim, levels, held_out, seed) for held_out in parts)))
    return {level: float(np.concatenate([own[level] for own in found]).mean()) for level in levels}


def _inside(
    training: Training, aim: Aim, levels: Sequence[float], held_out: NDArray[np.int64], seed: int
) -> dict[float, NDArray[np.bool_]]:
    """Return which single trainings of some wirings lie inside of the intervals of a fit on the others, by level."""
    rest = np.setdiff1d(np.arange(len(training.X)), held_out)
    fitted = fit(training.rows(rest), aim, seed, with_references=False)
    X, labels = training.X[held_out], training.labels[held_out]
    mean, scale, known = fitted.predict(X), fitted.scale(X), np.isfinite(labels)
    ends = {level: fitted.interval(mean, scale, np.zeros(len(X)), level) for level in levels}
    return {level: ((labels >= low[:, None]) & (labels <= high[:, None]))[known] for level, (low, high) in ends.items()}
