"""How far labels fall from predictions: a scale that depends on the wiring, and quantiles of errors in units of it.

Errors are those of predictions that were made without the wiring (split conformal prediction over folds), against the
label of a single training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.members import Constant, Member

__all__ = ["LEVELS", "Calibration", "fit_calibration"]

LEVELS = 2001
"""Quantiles that are kept."""
_LEAST_FOR_SCALE = 100
_FLOOR = 0.1


@dataclass(frozen=True)
class Calibration:
    """The distribution of errors.

    Parameters
    ----------
    scale : Member
        Typical absolute error of the label of one training, from a wiring's columns.
    floor : float
        Least scale.
    quantiles : (LEVELS,) float array
        Quantiles of (label - prediction) / scale at even levels from 0 to 1.
    rms : float
        Root mean square of (label - prediction) / scale.
    n_groups : int
        Independent groups of wirings that the quantiles are of.
    """

    scale: Member
    floor: float
    quantiles: NDArray[np.float64]
    rms: float
    n_groups: int

    def scales(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the typical absolute error of every wiring, (n,) float."""
        return np.maximum(self.scale.predict(X), self.floor)

    @property
    def reach(self) -> float:
        """The largest coverage that so many errors can promise: beyond it intervals grow no more."""
        return max(1 - 2 / (self.n_groups + 1), 0.0)

    def offsets(self, coverage: float) -> tuple[float, float]:
        """Return the quantiles between which a share `coverage` of the errors lies, in units of the scale.

        Both tails hold as many, and are widened for the finite number of errors.
        """
        tail = max((1 - coverage) / 2 - 1 / (self.n_groups + 1), 0.0)
        low, high = np.interp([tail, 1 - tail], np.linspace(0, 1, len(self.quantiles)), self.quantiles)
        return min(float(low), 0.0), max(float(high), 0.0)


def fit_calibration(X: NDArray[np.float64], errors: ArrayLike, groups: Sequence[object], seed: int) -> Calibration:
    """Learn the distribution of errors.

    Parameters
    ----------
    X : (n, n_columns) float array
    errors : (n, n_replicates) float array
        Label of every training less the prediction that was made without the wiring; NaN where there is none.
    groups : sequence
        Wirings of one group are never on both sides of a fold.
    seed : int

    Notes
    -----
    Quantiles are of errors over scales that were learnt without the wiring's group, as new wirings meet them.
    """
    from predictors.regressors import fit_scale
    from predictors.validation.folds import repeated_folds

    errors = np.asarray(errors, dtype=np.float64)
    size = np.nanmean(np.abs(errors), axis=1)
    typical = float(size.mean())
    floor = max(_FLOOR * typical, 1e-12)
    scale: Member = Constant(max(typical, floor))
    scales = np.full(len(X), max(typical, floor))
    n_groups = len(set(groups))
    if n_groups >= _LEAST_FOR_SCALE:
        for held_out in repeated_folds(len(X), 5, 1, groups, seed)[0]:
            rest = np.setdiff1d(np.arange(len(X)), held_out)
            scales[held_out] = np.maximum(fit_scale(X[rest], size[rest], seed).predict(X[held_out]), floor)
        scale = fit_scale(X, size, seed)
    normalised = (errors / scales[:, None])[~np.isnan(errors)]
    quantiles = np.quantile(normalised, np.linspace(0, 1, LEVELS))
    return Calibration(scale, floor, quantiles, float(np.sqrt(np.square(normalised).mean())), n_groups)
