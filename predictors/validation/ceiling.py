"""The noise ceiling: how much of its labels' variance a perfect predictor could explain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.validation.crossval import Estimate
from predictors.validation.resampling import codes_of, interval_of, resampled_rows

__all__ = ["Ceiling", "noise_ceiling"]


@dataclass(frozen=True)
class Ceiling:
    """The largest R2 that a predictor of the expected value can reach, on the average.

    Parameters
    ----------
    one_seed, mean_label : float
        For labels of one training, and for means over the replicates.
    one_seed_interval, mean_label_interval : tuple of two float
        95 %, over wirings.
    n_wirings : int
        Wirings with at least two replicates; the others say nothing about noise.
    replicates : float
        Mean number of replicates of these.
    splits : int
        Evaluation sets. With one alone, what a wiring gains by the choice of that set counts as explainable.
    """

    one_seed: float
    mean_label: float
    one_seed_interval: tuple[float, float]
    mean_label_interval: tuple[float, float]
    n_wirings: int
    replicates: float
    splits: int

    def share_of(self, r2: Estimate, *, one_seed: bool = False) -> tuple[float, float, float]:
        """Return R2 over the ceiling of its labels, and the least and the most that the ends of both intervals allow.

        All three are cut at 0 and 1. The ends lie further apart, as a rule, than those of a 95 % interval of the share
        would. They are NaN where the ceiling is 0 or undefined.
        """
        limit = self.one_seed if one_seed else self.mean_label
        low, high = self.one_seed_interval if one_seed else self.mean_label_interval
        if not limit > 0:
            return math.nan, math.nan, math.nan
        least = r2.low / high if high > 0 else math.inf
        most = r2.high / low if low > 0 else math.inf
        return _cut(r2.mean / limit), _cut(least), _cut(most)


def _cut(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def noise_ceiling(
    labels: ArrayLike,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Ceiling | None:
    """Estimate the noise ceiling from trainings that were repeated with other seeds.

    Parameters
    ----------
    labels : (n, replicates) or (n, replicates, splits) array
        One training's values on each evaluation set; the first set is the one that labels come from. A replicate that
        is NaN on any set does not count, so that wirings may have different numbers of replicates.
    groups : sequence of n labels, optional
        Wirings that are drawn together for the intervals.
    draws, seed : int

    Returns
    -------
    Ceiling or None
        None where fewer than two wirings have two replicates.

    Raises
    ------
    ValueError
        If `labels` has another number of dimensions.

    Notes
    -----
    The variance that can be explained is the covariance over wirings of two different replicates, each measured on
    another set: noise of seeds and of finite sets is not shared by them. With one set it is the covariance of different
    replicates, and the ceiling of one seed the intraclass correlation. It is divided by the variance of the labels.
    Both are estimated without bias, and every wiring counts the same; for equal numbers of replicates this is the
    analysis of variance. A ceiling lies within 0 and 1 by definition and its estimates are cut there.

    References
    ----------
    .. [1] P. E. Shrout, J. L. Fleiss, "Intraclass correlations", doi:10.1037/0033-2909.86.2.420
    """
    values = np.asarray(labels, dtype=np.float64)
    values = values[:, :, None] if values.ndim == 2 else values
    if values.ndim != 3:
        raise ValueError(f"labels {values.shape}: must be (n, replicates) or (n, replicates, splits)")
    counts = (~np.isnan(values).any(axis=2)).sum(axis=1)
    kept = counts >= 2
    if kept.sum() < 2:
        return None
    moments = _moments(values[kept])
    codes = codes_of(codes_of(groups, len(values))[kept], int(kept.sum()))
    drawn = np.array([_shares(moments[rows]) for rows in resampled_rows(codes, draws, seed)])
    one, mean = _shares(moments)
    return Ceiling(
        one_seed=one,
        mean_label=mean,
        one_seed_interval=interval_of(drawn[:, 0]),
        mean_label_interval=interval_of(drawn[:, 1]),
        n_wirings=int(kept.sum()),
        replicates=float(counts[kept].mean()),
        splits=values.shape[2],
    )


def _moments(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a draw of wirings needs of each, (n, 2 + 3 x pairs of sets).

    The columns are its mean label, what one replicate varies beyond the mean of all, and for every pair of sets its
    means on both and its mean product of different replicates.
    """
    measured = np.asarray(~np.isnan(values).any(axis=2))
    counts = measured.sum(axis=1)
    # Products of values far from 0 would lose the digits that their differences are in.
    centred = np.where(measured[:, :, None], values - np.nanmean(values, axis=(0, 1), keepdims=True), 0.0)
    sums = centred.sum(axis=1)
    means = sums / counts[:, None]
    residuals = np.where(measured, centred[:, :, 0] - means[:, None, 0], 0.0)
    within = (residuals**2).sum(axis=1) / (counts - 1) * (1 - 1 / counts)
    columns = [means[:, 0], within]
    n_splits = values.shape[2]
    for first, second in combinations(range(n_splits), 2) if n_splits > 1 else [(0, 0)]:
        same = (centred[:, :, first] * centred[:, :, second]).sum(axis=1)
        different = (sums[:, first] * sums[:, second] - same) / (counts * (counts - 1))
        columns += [means[:, first], means[:, second], different]
    return np.stack(columns, axis=1)


def _shares(moments: NDArray[np.float64]) -> tuple[float, float]:
    """Return the explainable shares of the variance of one-seed and of mean labels; NaN where labels do not vary."""
    n = len(moments)
    averages = moments.mean(axis=0)
    variance = float(moments[:, 0].var(ddof=1))
    if variance == 0:
        return float("nan"), float("nan")
    explainable = []
    for column in range(2, moments.shape[1], 3):
        one, other = moments[:, column], moments[:, column + 1]
        spread = float(((one - averages[column]) * (other - averages[column + 1])).sum() / (n - 1))
        # Both replicates were centred by means that hold them, which takes the n-th part of the covariance away.
        explainable.append(averages[column + 2] - averages[column] * averages[column + 1] + spread / n)
    shared = float(np.mean(explainable))
    return min(1.0, max(0.0, shared / (variance + averages[1]))), min(1.0, max(0.0, shared / variance))
