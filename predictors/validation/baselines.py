"""The ladder: what each further kind of structure explains beyond what size and inputs and outputs explain already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.features.table import FEATURES, names_of
from predictors.legacy import FIRST_NAMES
from predictors.validation.crossval import Estimate, difference, estimate_r2, out_of_fold
from predictors.validation.fits import HERE, Fit, Fits, Predict
from predictors.validation.folds import Folds

__all__ = [
    "EVERYTHING",
    "LADDER",
    "MEAN",
    "PRIOR",
    "SIZE_TIER",
    "Step",
    "ladder",
    "ladder_sets",
    "parameter_table",
    "predict_sets",
    "reference_sets",
    "references",
    "steps_of",
]

EVERYTHING = "everything"
MEAN, SIZE_TIER, PRIOR = "mean", "size tier", "prior's parameters only"
_FIRST = frozenset(name for names in FIRST_NAMES.values() for name in names)


def _family(name: str) -> tuple[str, ...]:
    return tuple(feature.name for feature in FEATURES.values() if feature.family == name)


_ADDED = {
    "parameters": ("all_edges", "n_neurons"),
    "+ I/O": (
        "n_sources",
        "n_sinks",
        "n_inputs",
        "n_outputs",
        "read_in_edges",
        "read_out_edges",
        "io_edges",
        "readout_neurons",
        "reading_neurons",
    ),
    "+ degrees": (*_family("degree"), "n_edges", "density", "n_isolated"),
    "+ layers": _family("layers"),
}

LADDER: dict[str, tuple[str, ...]] = dict(zip(_ADDED, accumulate(_ADDED.values()), strict=True))
"""Steps with their columns, each with those of the steps below it. The last step, `EVERYTHING`, is all columns."""


@dataclass(frozen=True)
class Step:
    """What one set of columns explains.

    Parameters
    ----------
    name : str
    n_features : int
    r2 : Estimate
        Of out-of-fold predictions.
    delta : Estimate or None
        R2 less that of the step below it, paired; None for the lowest step and for references.
    """

    name: str
    n_features: int
    r2: Estimate
    delta: Estimate | None = None


def ladder(
    fit: Fit,
    X: ArrayLike,
    names: Sequence[str],
    y: ArrayLike,
    folds: Folds,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
    fits: Fits = HERE,
) -> list[Step]:
    """Fit one and the same regressor to more and more columns, over the same folds.

    Parameters
    ----------
    fit : Fit
    X : (n, k) array
        Features, named by `names`.
    names : sequence of k str
    y : (n,) array
    folds : list of lists of int64 arrays
    groups : sequence of n labels, optional
    seed : int
    fits : Fits
        Runs them.

    Raises
    ------
    ValueError
        If a column of the ladder is missing.
    """
    sets = ladder_sets(X, names)
    return steps_of(y, sets, predict_sets(fit, sets, y, folds, groups, seed, fits), groups, seed, chained=True)


def references(
    fit: Fit,
    X: ArrayLike,
    names: Sequence[str],
    y: ArrayLike,
    folds: Folds,
    parameters: Sequence[Mapping[str, Any]] | None = None,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> list[Step]:
    """Score what every predictor must stand beside: the mean, the size tier, and the prior's parameters where given."""
    sets = reference_sets(X, names, parameters)
    return steps_of(y, sets, predict_sets(fit, sets, y, folds, groups, seed), groups, seed, chained=False)


def ladder_sets(X: ArrayLike, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return the columns of every step."""
    table = np.asarray(X, dtype=np.float64)
    sets = {step: _columns(table, names, columns) for step, columns in LADDER.items()}
    return {**sets, EVERYTHING: table}


def reference_sets(
    X: ArrayLike, names: Sequence[str], parameters: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return the columns of every reference; the mean has none."""
    table = np.asarray(X, dtype=np.float64)
    sets = {MEAN: table[:, :0], SIZE_TIER: _columns(table, names, names_of(("size",)))}
    if parameters is not None:
        if len(parameters) != len(table):
            raise ValueError(f"parameters of {len(parameters)} wirings: there must be one mapping for each row")
        sets[PRIOR] = parameter_table(parameters)[0]
    return sets


def parameter_table(parameters: Sequence[Mapping[str, Any]]) -> tuple[NDArray[np.float64], list[str]]:
    """Return the parameters of priors as columns with their names, (n, n_parameters) float64.

    A number is a column, NaN where a prior does not have it, such as "p". A text is a column for every value that
    occurs, such as "family=watts-strogatz": 1 for wirings of it and 0 for others.
    """
    n = len(parameters)
    columns: dict[str, NDArray[np.float64]] = {}
    for row, given in enumerate(parameters):
        for name, value in given.items():
            if isinstance(value, str):
                columns.setdefault(f"{name}={value}", np.zeros(n))[row] = 1.0
            elif value is not None:
                columns.setdefault(name, np.full(n, np.nan))[row] = float(value)
    names = sorted(columns)
    return np.array([columns[name] for name in names]).reshape(len(names), n).T, names


def predict_sets(
    fit: Fit,
    sets: Mapping[str, NDArray[np.float64]],
    y: ArrayLike,
    folds: Folds,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
    fits: Fits = HERE,
) -> dict[str, NDArray[np.float64]]:
    """Return out-of-fold predictions (repeats, n) from each set of columns; without columns, the training mean."""
    return {
        name: out_of_fold(fit if columns.shape[1] else _fit_mean, columns, y, folds, groups, seed, fits)
        for name, columns in sets.items()
    }


def steps_of(
    y: ArrayLike,
    sets: Mapping[str, NDArray[np.float64]],
    predictions: Mapping[str, NDArray[np.float64]],
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
    *,
    chained: bool,
) -> list[Step]:
    """Score the predictions from each set, and where `chained` the gain of each over the one before it."""
    steps = []
    before: NDArray[np.float64] | None = None
    for name, predicted in predictions.items():
        delta = None if before is None else difference(y, predicted, before, groups, seed)
        steps.append(Step(name, sets[name].shape[1], estimate_r2(y, predicted, groups, seed), delta))
        before = predicted if chained else None
    return steps


def _fit_mean(_X: NDArray[np.float64], y: NDArray[np.float64], _groups: NDArray[np.int64], _seed: int) -> Predict:
    mean = float(y.mean())
    return lambda rows: np.full(len(rows), mean)


def _columns(table: NDArray[np.float64], names: Sequence[str], wanted: Sequence[str]) -> NDArray[np.float64]:
    place = {name: index for index, name in enumerate(names)}
    if len(names) != table.shape[1]:
        raise ValueError(f"{len(names)} names of features: there must be one for each of the {table.shape[1]} columns")
    # What predictors learnt from may be older than some features of the table.
    missing = [name for name in wanted if name not in place and name in _FIRST]
    if missing:
        raise ValueError(
            f"no column {', '.join(missing)}: the baselines need all features of the tiers size and structure"
        )
    return table[:, [place[name] for name in wanted if name in place]]
