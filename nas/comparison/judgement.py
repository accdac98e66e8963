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

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nas.evaluation.estimates import holm
from predictors.validation.resampling import LEVEL

__all__ = ["Judgement", "correct", "half_width", "judge", "power_at"]

_POWER = 0.8


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
    rank : int
        1 if the mean of the wiring's trainings is better than the means of all nulls, n_nulls + 1 if it is worse; nulls
        that are level count as better, or as worse where the wiring is below the middle.
    p : float
        Two-sided p value of the rank, under the hypothesis that the wiring was drawn from the null model. The mean of
        the wiring is of more trainings than those of nulls, so that p is too large rather than too small.
    corrected : float
        The same by Holm's method, for all judgements of a comparison.
    detectable : float
        The smallest lead on average that would be found with a probability of 80 % at 5 % (corrected, as the first of
        all), if nulls are worth what these are; infinite where there are too few nulls for any.
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
    rank: int
    p: float
    corrected: float
    detectable: float

    @property
    def is_unusual(self) -> bool:
        """Whether a wiring like this is rare among nulls, by the corrected p value."""
        return self.corrected <= 1 - LEVEL

    @property
    def verdict(self) -> str:
        """One of better, worse, "not unusual" (the average is another, but so is that of many nulls) and undecided."""
        if self.is_unusual:
            return "better" if self.difference > 0 else "worse"
        return "undecided" if self.low <= 0 <= self.high else "not unusual"


def judge(own: Sequence[float], nulls: ArrayLike, sign: float = 1.0) -> Judgement:
    """Hold the trainings of a wiring against those of its nulls; `corrected` is p, for a single judgement.

    Parameters
    ----------
    own : sequence of float
        The metric of each training of the wiring, 2 at least.
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
    values = np.asarray(nulls, dtype=np.float64)
    mine = np.asarray(own, dtype=np.float64)
    if len(mine) < 2 or values.ndim != 2 or len(values) < 2 or not values.shape[1]:
        raise ValueError(f"{len(mine)} trainings and nulls of shape {values.shape}: 2 trainings and 2 nulls are needed")
    means = values.mean(axis=1)
    n_nulls, seeds = values.shape
    difference = sign * float(mine.mean() - means.mean())
    half = half_width(mine, means)
    within = math.sqrt(float(values.var(axis=1, ddof=1).mean())) if seeds > 1 else float(mine.std(ddof=1))
    between = math.sqrt(max(float(means.var(ddof=1)) - within**2 / seeds, 0.0))
    better = int(np.count_nonzero(sign * means >= sign * mine.mean()))
    worse = int(np.count_nonzero(sign * means <= sign * mine.mean()))
    p = min(2 * (min(better, worse) + 1) / (n_nulls + 1), 1.0)
    rank = better + 1 if better <= worse else n_nulls - worse + 1
    found = Judgement(
        n_nulls, seeds, len(mine), float(mine.mean()), float(means.mean()), difference, difference - half,
        difference + half, between, within, rank, p, p, 0.0,
    )  # fmt: skip
    return replace(found, detectable=_detectable(found, 1))


def correct(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return the judgements of one comparison with p values corrected for all of them, in the same order."""
    together = holm([own.p for own in judgements])
    return [
        replace(own, corrected=p, detectable=_detectable(own, len(judgements)))
        for own, p in zip(judgements, together, strict=True)
    ]


def _detectable(own: Judgement, n_judgements: int) -> float:
    """Return the lead that is found with a probability of 80 %, by normal distributions of nulls and of noise."""
    from scipy.special import ndtri

    needed, noise = _needed_lead(own, n_judgements)
    return needed + float(ndtri(_POWER)) * noise


def power_at(own: Judgement, lead: float, n_judgements: int = 1) -> float:
    """Return the probability with which a design finds a wiring whose true lead is this one; see `detectable`."""
    from scipy.special import ndtr

    needed, noise = _needed_lead(own, n_judgements)
    return float(ndtr((lead - needed) / noise)) if noise else float(lead > needed)


def _needed_lead(own: Judgement, n_judgements: int) -> tuple[float, float]:
    """Return the lead at which a wiring begins to count as unusual, and the standard error of the wiring's own mean."""
    from scipy.special import ndtri

    level = (1 - LEVEL) / n_judgements
    spread = math.hypot(own.between, own.within / math.sqrt(own.seeds))
    noise = own.within / math.sqrt(own.trainings)
    return (math.inf if 2 / (own.n_nulls + 1) > level else float(ndtri(1 - level / 2)) * spread), noise


def half_width(own: NDArray[np.float64], means: NDArray[np.float64]) -> float:
    """Return half the width of the 95 % interval of the difference of two means, by Welch's approximation."""
    from scipy.special import stdtrit

    parts = [float(own.var(ddof=1)) / len(own), float(means.var(ddof=1)) / len(means)]
    variance = math.fsum(parts)
    if variance == 0:
        return 0.0
    freedom = variance**2 / (parts[0] ** 2 / (len(own) - 1) + parts[1] ** 2 / (len(means) - 1))
    return float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(variance)
