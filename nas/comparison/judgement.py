"""What the trainings of a wiring and of its nulls say: a difference with its interval, a rank, and what was visible.

Two questions are kept apart. By how much is the wiring ahead of its nulls *on average*? The interval of the difference
answers that. Is it unusual *among* them? Nulls differ as well, so that a wiring drawn from the null model itself is
ahead of their average half of the time; the rank answers that, and it alone decides whether a wiring counts as better
than chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nas.evaluation.estimates import holm
from predictors.validation.resampling import LEVEL

__all__ = ["Judgement", "correct", "half_width", "judge", "nulls_needed", "power_at"]

_POWER = 0.8
_NODES = 60
"""Of the quadrature over what a wiring's own trainings may show."""
_ROUNDING = 1e-12
"""By how much means differ that are the same, as a share of the largest."""


@dataclass(frozen=True)
class Judgement:
    """A wiring beside the nulls of one model.

    Attributes
    ----------
    n_nulls, seeds : int
        Nulls, and trainings of each.
    trainings : int
        Of the wiring itself.
    own, null : float
        Means of the metric, of the wiring and of its nulls.
    difference, low, high : float
        By how much the wiring is ahead of its nulls on average, and the 95 % interval (Welch); above 0 it is better,
        whatever the direction of the metric.
    between, within : float
        Standard deviations: of what nulls are worth, apart from the noise of trainings, and of this noise.
    better, worse : int
        Nulls whose mean is at least, and at most, as good as that of as many trainings of the wiring, the first ones.
    p : float
        Two-sided p value of that, under the hypothesis that the wiring was drawn from the null model: then it is
        trained as they are, and all ranks are equally likely, however trainings are distributed.
    corrected : float
        The same by Holm's method, for all judgements of a comparison.
    n_judgements : int
        How many these are.
    """

    n_nulls: int
    seeds: int
    trainings: int
    own: float
    null: float
    difference: float
    low: float
    high: float
    between: float
    within: float
    better: int
    worse: int
    p: float
    corrected: float
    n_judgements: int = 1

    @property
    def rank(self) -> int:
        """1 if the wiring is better than all nulls, n_nulls + 1 if it is worse; what is level counts against it."""
        return self.better + 1 if self.better <= self.worse else self.n_nulls - self.worse + 1

    @cached_property
    def detectable(self) -> float:
        """The smallest lead that would be found with a probability of 80 %.

        At 5 %, corrected as the first of all, if nulls are worth what these are and everything is normally distributed;
        infinite where there are too few nulls for any.
        """
        from scipy.optimize import brentq

        if self.n_nulls < nulls_needed(self.n_judgements):
            return math.inf
        spread = math.hypot(self.between, self.within / math.sqrt(self.seeds))
        if spread == 0:
            return 0.0
        return float(brentq(lambda lead: power_at(self, lead) - _POWER, 0.0, 50 * spread, xtol=1e-6 * spread))

    @property
    def is_constant(self) -> bool:
        """Whether all trainings reached the same, so that nothing can be told."""
        return self.between == self.within == self.difference == 0

    @property
    def verdict(self) -> str:
        """One of better, worse, "not unusual" (the average is another, but so is that of many nulls) and undecided."""
        if self.corrected <= 1 - LEVEL:
            return "better" if self.better < self.worse else "worse"
        is_told = math.isfinite(self.detectable) and not self.low <= 0 <= self.high
        return "not unusual" if is_told else "undecided"


def judge(own: Sequence[float], nulls: ArrayLike, sign: float = 1.0) -> Judgement:
    """Hold the trainings of a wiring against those of its nulls; `corrected` is p, for a single judgement.

    Parameters
    ----------
    own : sequence of float
        The metric of each training of the wiring, at least 2 and as many as of a null.
    nulls : (n_nulls, seeds) array
        The metric of each training of each null; 2 nulls at least.
    sign : float
        1 where the metric is to be large, -1 where it is to be small.

    Raises
    ------
    ValueError
        For fewer trainings or nulls.

    References
    ----------
    Welch (1947), doi:10.1093/biomet/34.1-2.28; Davison and Hinkley (1997), Bootstrap Methods and their Application,
    section 4.2, for the p value; Phipson and Smyth (2010), doi:10.2202/1544-6115.1585
    """
    values, mine = np.asarray(nulls, dtype=np.float64), np.asarray(own, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2 or not values.shape[1] or len(mine) < max(2, values.shape[1]):
        raise ValueError(
            f"{len(mine)} trainings and nulls of shape {values.shape}: 2 nulls are needed, and 2 trainings or as many "
            "as of a null"
        )
    n_nulls, seeds = values.shape
    means = _means(values)
    first, mean, middle = (float(_means(part[None])[0]) for part in (mine[:seeds], mine, means))
    small = _ROUNDING * float(np.abs(np.concatenate([mine, values.ravel()])).max())
    difference = _unless_small(sign * (mean - middle), small)
    half = _unless_small(half_width(mine, means), small)
    noise = float(values.var(axis=1, ddof=1).mean()) if seeds > 1 else float(mine.var(ddof=1))
    within = _unless_small(math.sqrt(noise), small)
    between = _unless_small(math.sqrt(max(float(means.var(ddof=1)) - noise / seeds, 0.0)), small)
    better = int(np.count_nonzero(sign * means >= sign * first - small))
    worse = int(np.count_nonzero(sign * means <= sign * first + small))
    p = min(2 * (min(better, worse) + 1) / (n_nulls + 1), 1.0)
    return Judgement(
        n_nulls, seeds, len(mine), mean, middle, difference, difference - half, difference + half, between, within,
        better, worse, p, p,
    )  # fmt: skip


def correct(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return the judgements of one comparison with p values corrected for all of them, in the same order."""
    together = holm([own.p for own in judgements])
    n = len(judgements)
    return [replace(own, corrected=p, n_judgements=n) for own, p in zip(judgements, together, strict=True)]


def nulls_needed(n_judgements: int) -> int:
    """Return the nulls with which the first of some judgements can have a corrected p value of 5 %."""
    return math.ceil(2 * n_judgements / (1 - LEVEL) - _ROUNDING) - 1


def power_at(own: Judgement, lead: float) -> float:
    """Return the probability with which a design finds a wiring whose true lead is this one; see `detectable`."""
    from scipy.special import bdtr, ndtr

    most = math.floor((1 - LEVEL) / own.n_judgements * (own.n_nulls + 1) / 2 + _ROUNDING) - 1
    if most < 0:
        return 0.0
    noise = own.within / math.sqrt(own.seeds)
    spread = math.hypot(own.between, noise)
    if spread == 0:
        return float(lead > 0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    # Whatever the wiring shows, each null is better with the same probability, and few enough of them may be.
    chances = bdtr(most, own.n_nulls, ndtr(-(lead + noise * nodes) / spread))
    return float(chances @ weights / weights.sum())


def half_width(own: NDArray[np.float64], means: NDArray[np.float64]) -> float:
    """Return half the width of the 95 % interval of the difference of two means, by Welch's approximation."""
    from scipy.special import stdtrit

    parts = [float(own.var(ddof=1)) / len(own), float(means.var(ddof=1)) / len(means)]
    variance = math.fsum(parts)
    if variance == 0:
        return 0.0
    freedom = variance**2 / (parts[0] ** 2 / (len(own) - 1) + parts[1] ** 2 / (len(means) - 1))
    return float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(variance)


def _means(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each row, whose sum is rounded once."""
    return np.array([math.fsum(row) / rows.shape[1] for row in rows])


def _unless_small(value: float, small: float) -> float:
    return 0.0 if abs(value) <= small else value
