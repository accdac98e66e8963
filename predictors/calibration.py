"""How far labels fall from predictions: a scale that depends on the wiring, and quantiles of errors in units of it.

Errors are those of predictions that were made without the wiring (split conformal prediction over folds), against the
label of a single training. Imports numpy only, scikit-learn to fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.members import Constant, Member

__all__ = ["Calibration", "fit_calibration"]

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
    n_errors : int
        Wirings that the quantiles are of.
    """

    scale: Member
    floor: float
    quantiles: NDArray[np.float64]
    rms: float
    n_errors: int

    def scales(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the typical absolute error of every wiring, (n,) float."""
        return np.maximum(self.scale.predict(X), self.floor)

    def std(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the standard deviation of the label of one training about the prediction, (n,) float."""
        return self.rms * self.scales(X)

    def offsets(self, coverage: float) -> tuple[float, float]:
        """Return the quantiles between which a share `coverage` of the errors lies, in units of the scale.

        Both tails hold as many, and are widened for the finite number of errors.
        """
        tail = max((1 - coverage) / 2 - 1 / (self.n_errors + 1), 0.0)
        low, high = np.interp([tail, 1 - tail], np.linspace(0, 1, len(self.quantiles)), self.quantiles)
        return min(float(low), 0.0), max(float(high), 0.0)


def fit_calibration(
    X: NDArray[np.float64], errors: ArrayLike, groups: Sequence[object], seed: int
) -> tuple[Calibration, NDArray[np.float64]]:
    """Learn the distribution of errors.

    Parameters
    ----------
    X : (n, n_columns) float array
    errors : (n, n_replicates) float array
        Label of every training less the prediction that was made without the wiring; NaN where there is none.
    groups : sequence
        Wirings of one group are never on both sides of a fold.
    seed : int

    Returns
    -------
    Calibration
    (n,) float array
        The scales of the wirings, each learnt without its group, which the quantiles are made with.
    """
    from predictors.regressors import fit_scale
    from predictors.validation.folds import repeated_folds

    errors = np.asarray(errors, dtype=np.float64)
    size = np.nanmean(np.abs(errors), axis=1)
    typical = float(size.mean())
    floor = max(_FLOOR * typical, 1e-12)
    scale: Member = Constant(max(typical, floor))
    scales = np.full(len(X), max(typical, floor))
    if len(X) >= _LEAST_FOR_SCALE:
        for held_out in repeated_folds(len(X), 5, 1, groups, seed)[0]:
            rest = np.setdiff1d(np.arange(len(X)), held_out)
            scales[held_out] = np.maximum(fit_scale(X[rest], size[rest], seed).predict(X[held_out]), floor)
        scale = fit_scale(X, size, seed)
    normalised = (errors / scales[:, None])[~np.isnan(errors)]
    quantiles = np.quantile(normalised, np.linspace(0, 1, LEVELS))
    return Calibration(scale, floor, quantiles, float(np.sqrt(np.square(normalised).mean())), len(X)), scales
