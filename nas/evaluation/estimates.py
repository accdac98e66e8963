"""What values of several seeds say: means with intervals, and p values for several questions at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np

from predictors.validation.resampling import LEVEL

__all__ = ["Mean", "holm", "mean_of"]

_NUMBERS = ("mean", "sd", "low", "high")


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, with standard deviation (n - 1) and 95 % interval of Student's t; NaN for a single seed."""

    mean: float
    sd: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Mean:
        """Return one that was written as JSON, where numbers that are not finite are None."""
        mean, sd, low, high = (math.nan if stored[name] is None else stored[name] for name in _NUMBERS)
        return cls(mean, sd, low, high, stored["n"])

    @property
    def in_points(self) -> Mean:
        """A hundred times as much: accuracies in percent, and their differences in points."""
        return Mean(100 * self.mean, 100 * self.sd, 100 * self.low, 100 * self.high, self.n)


def mean_of(values: Sequence[float]) -> Mean:
    """Return the mean of the values of several seeds, or of their differences in pairs.

    Intervals are those of Student's t: resampling five values gives ones that are too narrow.
    """
    from scipy.special import stdtrit

    mean, n = fmean(values), len(values)
    if n == 1:
        return Mean(mean, math.nan, math.nan, math.nan, 1)
    sd = stdev(values)
    half = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * sd / math.sqrt(n)
    return Mean(mean, sd, mean - half, mean + half, n)


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for all of them by Holm's method, in the same order.

    References
    ----------
    Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6.
    """
    given = np.asarray(p, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    steps = given[order] * np.arange(len(given), 0, -1)
    corrected = np.empty(len(given))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in corrected]
