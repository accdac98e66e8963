"""What searches of a pool found: every arm by itself, and arms against each other."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from nas.studies.steering.arms import ARMS
from nas.studies.steering.pools import Pool
from nas.studies.steering.replay import START, TRIALS
from nas.studies.tables import Difference, expected_median, holm, paired_difference
from predictors.validation.metrics import coverage, kendall

__all__ = ["COMPARISONS", "MEASURES", "OWN", "SHARES", "ArmResult", "Comparison", "Forecasts", "Line", "PoolResult"]

Line = dict[str, Any]
"""What is kept of one run, as JSON."""

OWN = "structural"
"""The arm that this is about."""

SHARES = (0.01, 0.05)
"""Shares of a pool that count as its best."""

COMPARISONS = (
    *((arm, "random") for arm in ARMS if arm != "random"),
    *((OWN, arm) for arm in ("tpe", "neighbours", "parameters", "size")),
    ("structural-once", OWN),
    ("genetic-predicted", "genetic"),
)
"""Which arm is compared with which other one."""

MEASURES = ("proposals", "incumbent", "incumbent by label", "trainings")
"""What is compared, see `PoolResult.paired`; of the last less is better."""

_BLIND = ("random", "fallback")
"""Origins of what the structural sampler picks without looking: in a pool TPE has no say where structure fails."""
_LEVEL = 0.05
"""Corrected p values below it count."""


@dataclass(frozen=True)
class Forecasts:
    """What the sampler expected of trainings before they were done, against what they gave, over all runs.

    Parameters
    ----------
    n : int
    tau : float or None
        Kendall's rank correlation; None for fewer than 2.
    coverage : float or None
        Share of values within their intervals of 90 %.
    """

    n: int
    tau: float | None
    coverage: float | None


@dataclass(frozen=True)
class ArmResult:
    """How an arm did, over seeds.

    Parameters
    ----------
    proposals : float
        Mean truth of what was trained after the start.
    steered : float
        The same without what the structural sampler picked without looking.
    incumbent, incumbent_by_label : float
        Mean truth of the wiring that is best by the predictor, and by its own value.
    trainings : mapping
        Median trainings to one of the best, by their share of the pool; None where most runs found none.
    reached : mapping
        Share of runs that found one.
    seconds : float
        Median time of a proposal.
    origins : mapping
        Share of trials of each origin, after the start.
    forecasts : mapping
        By origin, of those trials of which something was expected.
    """

    proposals: float
    steered: float
    incumbent: float
    incumbent_by_label: float
    trainings: Mapping[str, float | None]
    reached: Mapping[str, float]
    seconds: float
    origins: Mapping[str, float]
    forecasts: Mapping[str, Forecasts]


@dataclass(frozen=True)
class Comparison:
    """One arm against another by one measure, with a p value for all comparisons of the pool."""

    arm: str
    other: str
    measure: str
    difference: Difference
    p_holm: float

    @property
    def verdict(self) -> int:
        """1 where the arm is better, -1 where it is worse, and 0 where the two cannot be told apart."""
        found = self.difference
        if self.p_holm >= _LEVEL or found.low <= 0 <= found.high:
            return 0
        return (1 if found.mean > 0 else -1) * (-1 if self.measure == "trainings" else 1)


@dataclass(frozen=True, eq=False)
class PoolResult:
    """What was found on one pool.

    Parameters
    ----------
    pool : Pool
    runs : mapping
        Lines of each arm, one a seed, by ascending seed.
    """

    pool: Pool
    runs: Mapping[str, Sequence[Line]]

    @classmethod
    def of(cls, pool: Pool, lines: Sequence[Line]) -> PoolResult:
        """Return what the lines of all runs say."""
        by_arm = {arm: [line for line in lines if line["arm"] == arm] for arm in ARMS}
        return cls(pool, {arm: sorted(own, key=lambda line: line["seed"]) for arm, own in by_arm.items()})

    @property
    def seeds(self) -> int:
        """How often every arm searched."""
        return len(next(iter(self.runs.values())))

    @property
    def quantiles(self) -> list[float]:
        """Least, median and largest truth."""
        found: list[float] = np.quantile(self.pool.truth, (0.0, 0.5, 1.0)).tolist()
        return found

    def threshold(self, share: float) -> float:
        """Return the truth from which on a wiring is one of the best."""
        return float(np.sort(self.pool.truth)[-max(1, round(share * len(self.pool)))])

    def by_chance(self, share: float) -> int:
        """Return the median of trainings to one of the best, for wirings picked at random."""
        return expected_median(len(self.pool), int((self.pool.truth >= self.threshold(share)).sum()))

    def first(self, arm: str, share: float) -> list[int]:
        """Return the trainings to one of the best of every run; one more than there are where none was found."""
        good = self.pool.truth >= self.threshold(share)
        hits = np.array([[*good[line["members"]], True] for line in self.runs[arm]])
        first: list[int] = (hits.argmax(axis=1) + 1).tolist()
        return first

    def paired(self, arm: str, measure: str) -> list[float]:
        """Return one of `MEASURES` for every run."""
        truth = self.pool.truth
        if measure == "trainings":
            return [float(count) for count in self.first(arm, SHARES[0])]
        if measure == "proposals":
            return [float(truth[line["members"][START:]].mean()) for line in self.runs[arm]]
        key = {"incumbent": "by_predictor", "incumbent by label": "by_label"}[measure]
        return [float(truth[line[key]]) for line in self.runs[arm]]

    @cached_property
    def arms(self) -> dict[str, ArmResult]:
        """Every arm by itself."""
        return {arm: self._arm(arm) for arm in self.runs}

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """All comparisons."""
        asked = [(*pair, measure) for measure in MEASURES for pair in COMPARISONS]
        found = [paired_difference(self.paired(arm, name), self.paired(other, name)) for arm, other, name in asked]
        corrected = holm([difference.p for difference in found])
        return [Comparison(*ask, own, p) for ask, own, p in zip(asked, found, corrected, strict=True)]

    def _arm(self, arm: str) -> ArmResult:
        means = {name: statistics.fmean(self.paired(arm, name)) for name in MEASURES}
        medians = {f"{share:.0%}": statistics.median(self.first(arm, share)) for share in SHARES}
        return ArmResult(
            means["proposals"],
            self._steered(arm),
            means["incumbent"],
            means["incumbent by label"],
            {share: median if median <= TRIALS else None for share, median in medians.items()},
            {f"{share:.0%}": float(np.mean(np.array(self.first(arm, share)) <= TRIALS)) for share in SHARES},
            statistics.median(line["seconds"] for line in self.runs[arm]) / (TRIALS - START),
            self._origins(arm),
            self._forecasts(arm),
        )

    def _steered(self, arm: str) -> float:
        chosen = [
            member
            for line in self.runs[arm]
            for member, origin in zip(line["members"][START:], line["origins"][START:], strict=True)
            if origin not in _BLIND
        ]
        return float(self.pool.truth[chosen].mean()) if chosen else math.nan

    def _origins(self, arm: str) -> dict[str, float]:
        found = sorted(origin for line in self.runs[arm] for origin in line["origins"][START:])
        return {origin: len(list(own)) / len(found) for origin, own in groupby(found)}

    def _forecasts(self, arm: str) -> dict[str, Forecasts]:
        trials = [
            (origin, value, *forecast)
            for line in self.runs[arm]
            for origin, value, forecast in zip(line["origins"], line["values"], line["forecasts"], strict=True)
            if forecast is not None
        ]
        by_origin = {}
        for origin in sorted({trial[0] for trial in trials}):
            values, expected, low, high = np.array([trial[1:] for trial in trials if trial[0] == origin]).T
            tau = kendall(values, expected) if len(values) > 1 else None
            by_origin[origin] = Forecasts(len(values), tau, coverage(values, low, high))
        return by_origin
