"""Blend: several members whose shares follow from predictions out of fold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.members import Member, Trees
from predictors.regressors.classifier import LEAST_OF_A_CLASS, fit_hurdle
from predictors.regressors.registry import REGRESSORS, Regressor, columns_of
from predictors.regressors.rows import Fit, Floats, range_of
from predictors.validation.folds import repeated_folds
from predictors.validation.resampling import codes_of

__all__ = ["DEFAULT_MEMBERS", "FEW_ROWS", "Blend", "fit_blend", "shares_of"]

DEFAULT_MEMBERS = (
    "ridge-size",
    "gaussian-process-size",
    "ridge",
    "bayesian-ridge",
    "gaussian-process",
    "extra-trees",
    "xgboost",
)
FEW_ROWS = 30
"""Below, a ridge regression on the columns of size is all that the rows can carry."""
_PRIOR_ROWS = 50.0
"""Equal shares count as much as so many rows."""


@dataclass(frozen=True, eq=False)
class Blend:
    """Members with their shares, and what they predicted of training rows without having seen them.

    Parameters
    ----------
    names : tuple of str
    members : tuple of Member
        Fitted on all rows.
    weights : (n_members,) float64 array
        Shares, at least 0 and in sum 1.
    low, high : float
        Bounds of predictions.
    spread_factor : float
        From the trees' standard deviation to that of labels about predictions; without trees, the latter itself.
    out_of_fold : (n,) float64 array
        Predictions of training rows by members that were fitted without them, with shares from the rows of other folds.
    out_of_fold_members : (n, n_members) float64 array
        Those of every member.
    scores : (n_members,) float64 array
        R2 of every member out of fold.
    """

    names: tuple[str, ...]
    members: tuple[Member, ...]
    weights: Floats
    low: float
    high: float
    spread_factor: float
    out_of_fold: Floats
    out_of_fold_members: Floats
    scores: Floats

    def predict(self, X: Floats) -> Floats:
        """Return the expected values of (n, n_columns) rows, (n,) float64."""
        total = np.zeros(len(X))
        for member, share in zip(self.members, self.weights.tolist(), strict=True):
            if share > 0:
                total += share * member.predict(X)
        return np.clip(total, self.low, self.high)

    def spread(self, X: Floats) -> Floats:
        """Return the standard deviation of labels about the predictions of (n, n_columns) rows, (n,) float64.

        Trees that disagree tell where errors are large; the level is that of the errors out of fold.
        """
        return self.spread_factor * _disagreement(self.members, X)


def fit_blend(
    X: Floats,
    y: ArrayLike,
    names: Sequence[str],
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
    members: Sequence[str | Regressor] = DEFAULT_MEMBERS,
    folds: int = 5,
    weight: Floats | None = None,
    collapsed_below: float | None = None,
) -> Blend:
    """Fit members and their shares.

    Shares are those of least squared error out of fold, at least 0 and in sum 1, shrunk towards equal ones. They stand
    for the members fitted on all rows. Fewer than 30 rows get a ridge regression on the columns of size alone.

    Parameters
    ----------
    X : (n, n_columns) float64 array
        NaN where undefined.
    y : (n,) array_like
    names : sequence of str
        Of the columns; those that are no features of tier size are used by members on all columns only.
    groups : sequence of n labels, optional
        Rows of one label are never on both sides of a fold.
    seed : int
    members : sequence of str or Regressor
        Names are those of `REGRESSORS`.
    folds : int
        Fewer where there are fewer groups.
    weight : (n,) float64 array, optional
        Of the rows, such as how many labels each is the mean of.
    collapsed_below : float, optional
        Values below are those of networks that did not train. With at least 10 of them and of others, a further member
        predicts in two parts.

    Raises
    ------
    ValueError
        For shapes that do not fit together, values that are not finite, an unknown member, or a single group.

    References
    ----------
    Breiman (1996), Stacked regressions, doi:10.1007/BF00117832
    """
    values = np.asarray(y, dtype=np.float64)
    _check(X, values, names, weight)
    chosen = _regressors(members, values, collapsed_below)
    held_out = _folds(len(values), folds, groups, seed)
    out, disagreement = _out_of_fold(X, values, names, chosen, held_out, seed, weight)
    nested = np.empty(len(values))
    for test in held_out:
        rest = np.setdiff1d(np.arange(len(values)), test)
        nested[test] = out[test] @ shares_of(out[rest], values[rest], None if weight is None else weight[rest])
    errors = np.square(values - nested)
    apart = float(np.square(disagreement).mean())
    return Blend(
        names=tuple(regressor.name for regressor in chosen),
        members=tuple(_fit(chosen, X, values, names, seed, weight)),
        weights=shares_of(out, values, weight),
        low=range_of(values)[0],
        high=range_of(values)[1],
        # Trees that never disagree in training say nothing where they do later.
        spread_factor=math.sqrt(errors.mean() / apart) if apart > 0 else 0.0,
        out_of_fold=nested,
        out_of_fold_members=out,
        scores=_scores(out, values),
    )


def shares_of(predictions: Floats, y: Floats, weight: Floats | None = None) -> Floats:
    """Return the shares of members, at least 0 and in sum 1: those of least squared error, shrunk towards equal ones.

    Parameters
    ----------
    predictions : (n, n_members) float64 array
        Made without the rows.
    y : (n,) float64 array
    weight : (n,) float64 array, optional
    """
    from scipy.optimize import nnls

    n, n_members = predictions.shape
    scale = np.sqrt(np.ones(n) if weight is None else weight / weight.mean())
    errors = scale[:, None] * (predictions - y[:, None])
    size = float(np.abs(errors).max())
    equal = np.full(n_members, 1 / n_members)
    if n_members == 1 or size == 0:
        return equal
    # A row that only shares in sum 1 fit, heavier than all others, stands for the condition.
    system = np.vstack([errors / size, np.full(n_members, 1e3 * math.sqrt(n))])
    found, _ = nnls(system, np.append(np.zeros(n), 1e3 * math.sqrt(n)))
    trust = n / (n + _PRIOR_ROWS)
    shares: Floats = trust * found / found.sum() + (1 - trust) * equal
    return shares


def _check(X: Floats, y: Floats, names: Sequence[str], weight: Floats | None) -> None:
    if X.ndim != 2 or y.shape != X.shape[:1] or len(names) != X.shape[1]:
        raise ValueError(f"X {X.shape}, y {y.shape}, {len(names)} names: they must be (n, k), (n,) and k names")
    if not np.isfinite(y).all():
        raise ValueError("y holds a value that is not finite; leave such rows out")
    if weight is not None and (weight.shape != y.shape or not (weight > 0).all()):
        raise ValueError(f"weight {weight.shape}: there must be a positive one for each of the {len(y)} rows")


def _regressors(members: Sequence[str | Regressor], y: Floats, collapsed_below: float | None) -> tuple[Regressor, ...]:
    unknown = [member for member in members if isinstance(member, str) and member not in REGRESSORS]
    if unknown or not members:
        what = f"member {unknown[0]!r} is not known" if unknown else "there are no members"
        raise ValueError(f"{what}; known are {', '.join(REGRESSORS)}")
    if len(y) < FEW_ROWS:
        return (REGRESSORS["ridge-size"],)
    chosen = [REGRESSORS[member] if isinstance(member, str) else member for member in members]
    if collapsed_below is not None:
        n_collapsed = int((y < collapsed_below).sum())
        if min(n_collapsed, len(y) - n_collapsed) >= LEAST_OF_A_CLASS:
            chosen.append(Regressor("hurdle", "all", partial(fit_hurdle, collapsed_below=collapsed_below)))
    return tuple(chosen)


def _folds(n: int, folds: int, groups: Sequence[Any] | NDArray[Any] | None, seed: int) -> list[NDArray[np.int64]]:
    n_groups = len(np.unique(codes_of(groups, n)))
    if n_groups < 2:
        raise ValueError(f"{n_groups} groups of rows: predictions out of fold need at least 2")
    return repeated_folds(n, min(folds, n_groups), 1, groups, seed)[0]


def _fit(
    regressors: Sequence[Regressor], X: Floats, y: Floats, names: Sequence[str], seed: int, weight: Floats | None
) -> list[Member]:
    """Fit members; those that are fitted alike on equal columns, as where all columns are of size, are fitted once."""
    known: dict[tuple[Fit, bytes], Member] = {}
    found = []
    for regressor in regressors:
        columns = columns_of(names, regressor.columns)
        key = (regressor.fit, columns.tobytes())
        if key not in known:
            known[key] = regressor.fit(X, y, columns=columns, seed=seed, weight=weight)
        found.append(known[key])
    return found


def _out_of_fold(
    X: Floats,
    y: Floats,
    names: Sequence[str],
    regressors: Sequence[Regressor],
    held_out: Sequence[NDArray[np.int64]],
    seed: int,
    weight: Floats | None,
) -> tuple[Floats, Floats]:
    """Return the members' predictions of rows that they did not see, and the disagreement of their trees there."""
    predictions = np.empty((len(y), len(regressors)))
    disagreement = np.empty(len(y))
    for test in held_out:
        rest = np.setdiff1d(np.arange(len(y)), test)
        shares = None if weight is None else weight[rest]
        fitted = _fit(regressors, X[rest], y[rest], names, seed, shares)
        predictions[test] = np.stack([member.predict(X[test]) for member in fitted], axis=1)
        disagreement[test] = _disagreement(fitted, X[test])
    return predictions, disagreement


def _disagreement(members: Sequence[Member], X: Floats) -> Floats:
    """Return the trees' standard deviation, the mean over forests; ones without a forest."""
    found = [member.spread(X) for member in members if isinstance(member, Trees) and member.is_forest]
    return np.mean(found, axis=0) if found else np.ones(len(X))


def _scores(predictions: Floats, y: Floats) -> Floats:
    total = np.square(y - y.mean()).sum()
    if total == 0:
        return np.zeros(predictions.shape[1])
    scores: Floats = 1 - np.square(predictions - y[:, None]).sum(axis=0) / total
    return scores
