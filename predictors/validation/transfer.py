"""Scores within and across families of wirings, and by the number of training rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.validation.crossval import Estimate, checked_table, estimate_r2, fit_seed
from predictors.validation.fits import HERE, Fit, Fits, Job
from predictors.validation.metrics import kendall, mae, r2
from predictors.validation.resampling import codes_of

__all__ = [
    "CurvePoint",
    "Label",
    "PartScore",
    "bins_of",
    "label_of",
    "learning_curve",
    "leave_one_family_out",
    "within",
]

Label = Literal["one", "mean"]
"""One training of a wiring, or the mean over its replicates."""


@dataclass(frozen=True)
class PartScore:
    """Scores on one part of the rows, such as a family; R2 is against the part's own mean.

    Parameters
    ----------
    name : str
    n : int
        Rows of the part.
    r2, tau, mae : float
    low, high : float
        95 % interval of R2 over the part's wirings; NaN where it was not asked for.
    """

    name: str
    n: int
    r2: float
    tau: float
    mae: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class CurvePoint:
    """Scores after training on `size` rows, over choices of these rows; see `Estimate.over`."""

    size: int
    r2: Estimate
    tau: Estimate


def within(
    values: ArrayLike,
    predictions: NDArray[np.float64],
    parts: Sequence[str],
    groups: Sequence[Any] | NDArray[Any] | None = None,
) -> list[PartScore]:
    """Score out-of-fold predictions (repeats, n) within each part alone, as means over repeats.

    The fits were on all parts: what is scored is whether wirings are told apart that share family or size.
    """
    y, labels = np.asarray(values, dtype=np.float64), _part_labels(parts, predictions.shape[1])
    codes = codes_of(groups, len(y))
    own = [(str(name), labels == name) for name in np.unique(labels)]
    return [_part_score(name, y[rows], predictions[:, rows], codes[rows]) for name, rows in own]


def leave_one_family_out(
    fit: Fit,
    X: ArrayLike,
    y: ArrayLike,
    families: Sequence[str],
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
    fits: Fits = HERE,
) -> list[PartScore]:
    """Score each family by a fit on all other families, without rows that share a group with it.

    Raises
    ------
    ValueError
        If there is only one family, or no row is left to train on.
    """
    table, labels = checked_table(X, y)
    names, codes = _part_labels(families, len(table)), codes_of(groups, len(table))
    if len(np.unique(names)) < 2:
        raise ValueError(f"one family, {str(names[0])!r}: leaving it out needs at least 2")
    parts, jobs = [], []
    for index, name in enumerate(np.unique(names)):
        test = names == name
        train = ~test & ~np.isin(codes, codes[test])
        if train.sum() < 2:
            raise ValueError(
                f"family {str(name)!r}: {int(train.sum())} rows of other families and groups; 2 are needed"
            )
        parts.append((str(name), test))
        jobs.append(Job(table[train], labels[train], codes[train], fit_seed(seed, index), table[test]))
    return [
        _part_score(name, labels[test], predicted[None], codes[test])
        for (name, test), predicted in zip(parts, fits.predictions(fit, jobs), strict=True)
    ]


def bins_of(values: ArrayLike, count: int = 4) -> list[str]:
    """Name for every value the bin that it falls into; bins hold about equally many, and equal values share one.

    Examples
    --------
    >>> from predictors.validation.transfer import bins_of
    >>> bins_of([20, 30, 40, 50], count=2)
    ['20 to 30', '20 to 30', '40 to 50', '40 to 50']
    """
    array = np.asarray(values, dtype=np.float64)
    inner = np.quantile(array, np.linspace(0, 1, count + 1)[1:-1])
    number = np.searchsorted(inner, array, side="left")
    name = {}
    width = len(f"{array.max():g}")
    for index in np.unique(number):
        inside = array[number == index]
        name[index] = f"{inside.min():>{width}g} to {inside.max():g}"
    return [name[index] for index in number]


def label_of(labels: NDArray[np.float64], label: Label, rng: np.random.Generator | None = None) -> NDArray[np.float64]:
    """Return one label (n,) a row of replicates (n, r): their mean, or one of them that is measured.

    The one is the first, or where a generator is given a random one.
    """
    measured = ~np.isnan(labels)
    if label == "mean":
        counts = np.where(measured.any(axis=1), measured.sum(axis=1), np.nan)
        return np.asarray(np.where(measured, labels, 0.0).sum(axis=1) / counts)
    order = np.arange(labels.shape[1], dtype=np.float64) if rng is None else rng.random(labels.shape)
    chosen = np.argmin(np.where(measured, order, np.inf), axis=1)
    return np.asarray(labels[np.arange(len(labels)), chosen])


def learning_curve(
    fit: Fit,
    X: ArrayLike,
    labels: ArrayLike,
    sizes: Sequence[int],
    repeats: int = 20,
    seed: int = 0,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    train_label: Label = "mean",
    fits: Fits = HERE,
) -> list[CurvePoint]:
    """Score fits on more and more rows.

    Parameters
    ----------
    fit : Fit
    X : (n, k) array
    labels : (n,) or (n, replicates) array
        NaN where a replicate was not measured. Scores are always by the mean over replicates.
    sizes : sequence of int
        Numbers of training rows. In each repeat a training set holds the smaller ones, and all of them are scored on
        the same rows: those outside of the largest and of its groups.
    repeats, seed : int
    groups : sequence of n labels, optional
    train_label : {"mean", "one"}
        What is trained on: the mean, or one random replicate of each row.
    fits : Fits
        Runs them.

    Raises
    ------
    ValueError
        If a size is below 2 or leaves fewer than 2 rows to score.
    """
    replicates = np.asarray(labels, dtype=np.float64)
    replicates = replicates[:, None] if replicates.ndim == 1 else replicates
    table, means = checked_table(X, label_of(replicates, "mean"))
    codes = codes_of(groups, len(table))
    ordered = sorted(set(sizes))
    if not ordered or ordered[0] < 2 or ordered[-1] > len(table) - 2:
        raise ValueError(f"sizes={list(sizes)}: must be between 2 and n - 2 = {len(table) - 2}")
    tests, jobs = [], []
    for repeat in range(repeats):
        rng = np.random.default_rng((seed, repeat))
        order = np.argsort(rng.permutation(int(codes.max()) + 1)[codes], kind="stable")
        trained = label_of(replicates, train_label, rng)
        test = np.flatnonzero(~np.isin(codes, codes[order[: ordered[-1]]]))
        if len(test) < 2:
            raise ValueError(f"size {ordered[-1]} leaves {len(test)} rows in other groups; 2 must be left to score")
        for index, size in enumerate(ordered):
            train = order[:size]
            tests.append(test)
            jobs.append(Job(table[train], trained[train], codes[train], fit_seed(seed, repeat, index), table[test]))
    found = zip(tests, fits.predictions(fit, jobs), strict=True)
    scores = np.array([_scores(means[test], predicted)[:2] for test, predicted in found])
    scores = scores.reshape(repeats, len(ordered), 2)
    return [
        CurvePoint(size, Estimate.over(scores[:, index, 0]), Estimate.over(scores[:, index, 1]))
        for index, size in enumerate(ordered)
    ]


def _part_score(
    name: str, y: NDArray[np.float64], predictions: NDArray[np.float64], groups: NDArray[np.int64]
) -> PartScore:
    found = estimate_r2(y, predictions, groups.tolist())
    _, tau, error = np.mean([_scores(y, row) for row in predictions], axis=0)
    return PartScore(name, len(y), found.mean, float(tau), float(error), found.low, found.high)


def _scores(values: NDArray[np.float64], predictions: NDArray[np.float64]) -> tuple[float, float, float]:
    return r2(values, predictions), kendall(values, predictions), mae(values, predictions)


def _part_labels(parts: Sequence[str], n: int) -> NDArray[np.str_]:
    if len(parts) != n:
        raise ValueError(f"{len(parts)} names of parts: there must be one for each of the {n} rows")
    return np.asarray(parts, dtype=np.str_)
