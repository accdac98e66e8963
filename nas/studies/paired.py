"""Statistics of searches that are repeated with seeds: paired differences, and what chance alone would reach.

Imports numpy, and scipy inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from predictors.validation.resampling import interval_of

__all__ = ["Difference", "expected_median", "holm", "paired_difference"]

_DRAWS, _SEED = 10_000, 0


@dataclass(frozen=True)
class Difference:
    """By how much one arm is ahead of another.

    Parameters
    ----------
    mean : float
        Over seeds.
    low, high : float
        95 % bootstrap interval of the mean, over seeds.
    p : float
        Of Wilcoxon's signed-rank test, two-sided.
    """

    mean: float
    low: float
    high: float
    p: float


def paired_difference(own: ArrayLike, other: ArrayLike) -> Difference:
    """Compare two arms seed by seed.

    Parameters
    ----------
    own, other : (n,) array_like
        One value a seed, in the same order.

    Raises
    ------
    ValueError
        For other than two arrays of the same length.

    References
    ----------
    Wilcoxon (1945), doi:10.2307/3001968; Demsar (2006), "Statistical comparisons of classifiers over multiple data
    sets", JMLR 7.
    """
    from scipy.stats import wilcoxon

    first, second = np.asarray(own, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or not first.size:
        raise ValueError(f"values {first.shape} and {second.shape}: a paired difference needs one pair a seed, (n,)")
    gains = first - second
    drawn = np.random.default_rng(_SEED).integers(len(gains), size=(_DRAWS, len(gains)))
    low, high = interval_of(gains[drawn].mean(axis=1))
    # Without any difference the test is not defined, and there is nothing to tell apart.
    p = float(wilcoxon(gains).pvalue) if gains.any() else 1.0
    return Difference(float(gains.mean()), low, high, p)


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
    found: list[float] = corrected.tolist()
    return found


def expected_median(n: int, good: int) -> int:
    """Return how many of `n` wirings must be drawn to meet one of `good` ones with a probability of at least one half.

    Raises
    ------
    ValueError
        If `good` is not between 1 and `n`.
    """
    if not 1 <= good <= n:
        raise ValueError(f"good={good}: must be between 1 and n={n}")
    # In whole numbers: a probability of exactly one half is common.
    return next(drawn for drawn in range(1, n + 1) if 2 * comb(n - good, drawn) <= comb(n, drawn))
