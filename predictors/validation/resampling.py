"""Groups of rows, and drawing them anew: what intervals over wirings are made of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEVEL", "codes_of", "interval_of", "resampled_rows", "share_interval"]

LEVEL = 0.95
"""Share of the draws that lies within every interval of this package."""


def codes_of(labels: Sequence[Any] | NDArray[Any] | None, n: int) -> NDArray[np.int64]:
    """Return the labels of rows as numbers from 0; without labels every row has one of its own.

    Raises
    ------
    ValueError
        If there is not one label a row, or labels are not texts or numbers.
    """
    if labels is None:
        return np.arange(n)
    if len(labels) != n:
        raise ValueError(f"{len(labels)} labels of rows: there must be one for each of the {n} rows")
    plain = np.asarray(labels)
    if plain.ndim != 1:
        raise ValueError(f"labels of rows {plain.shape}: each must be one text or number")
    return np.unique(plain, return_inverse=True)[1].reshape(-1).astype(np.int64)


def resampled_rows(groups: NDArray[np.int64], draws: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Draw as many groups as there are, with replacement, again and again, and yield the rows of each draw."""
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        drawn = rng.integers(len(sizes), size=len(sizes))
        lengths = sizes[drawn]
        ends = np.cumsum(lengths)
        within = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
        yield order[np.repeat(starts[drawn], lengths) + within]


def interval_of(draws: ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """Return the middle `level` of some draws; draws that are NaN do not count, and without any it is NaN."""
    values = np.asarray(draws, dtype=np.float64)
    values = values[~np.isnan(values)]
    if values.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def share_interval(share: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of a share of `n` independent cases (Wilson's); NaN without any case.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference", doi:10.2307/2276774
    """
    if n == 0 or math.isnan(share):
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = share + z**2 / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, (middle - half) / (1 + z**2 / n)), min(1.0, (middle + half) / (1 + z**2 / n))
