"""What searches of a pool found, in numbers: every arm by itself, and arms against each other."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nas.evaluation.estimates import holm
from nas.studies.steering.arms import ARMS
from nas.studies.steering.replay import START, TRIALS, Pool
from nas.studies.tables import expected_median, paired_difference
from predictors.validation.metrics import coverage, kendall

__all__ = ["COMPARISONS", "MEASURES", "OWN", "SHARES", "Line", "PoolResult"]

Line = dict[str, Any]
"""What is kept of one run, as JSON."""

OWN = "structural"
"""The arm that this is about."""

SHARES = {"1%": 0.01, "5%": 0.05}
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
        by_seed = sorted(lines, key=lambda line: line["seed"])
        return cls(pool, {arm: [line for line in by_seed if line["arm"] == arm] for arm in ARMS})

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
            return [float(count) for count in self.first(arm, SHARES["1%"])]
        if measure == "proposals":
            return [float(truth[line["members"][START:]].mean()) for line in self.runs[arm]]
        key = {"incumbent": "by_predictor", "incumbent by label": "by_label"}[measure]
        return [float(truth[line[key]]) for line in self.runs[arm]]

    @cached_property
    def numbers(self) -> dict[str, Any]:
        """Everything that is stored of the pool.

        truth, thresholds: of the wirings, and where the best of them begin. trainings_by_chance: median trainings to
        one of the best for random picks. arms: see `_arm`. comparisons: of two arms by one measure, with a p value that
        is corrected for all of them.
        """
        pool = self.pool
        quantiles = np.quantile(pool.truth, (0.0, 0.5, 1.0)).tolist()
        return {
            "wirings": len(pool),
            "replicates": pool.labels.shape[1],
            "fingerprint": pool.fingerprint,
            "seeds": len(self.runs[OWN]),
            "truth": dict(zip(("least", "median", "most"), quantiles, strict=True)),
            "thresholds": {name: self.threshold(share) for name, share in SHARES.items()},
            "trainings_by_chance": {name: self.by_chance(share) for name, share in SHARES.items()},
            "arms": {arm: self._arm(arm) for arm in self.runs},
            "comparisons": self._comparisons(),
        }

    def _comparisons(self) -> list[dict[str, Any]]:
        asked = [(arm, other, measure) for measure in MEASURES for arm, other in COMPARISONS]
        found = [paired_difference(self.paired(arm, name), self.paired(other, name)) for arm, other, name in asked]
        corrected = holm([difference.p for difference in found])
        return [
            {"arm": arm, "other": other, "measure": measure, "difference": difference, "p_holm": p}
            for (arm, other, measure), difference, p in zip(asked, found, corrected, strict=True)
        ]

    def _arm(self, arm: str) -> dict[str, Any]:
        """Return how an arm did, over seeds.

        Returns
        -------
        dict
            proposals: mean truth of what was trained after the start; steered: the same without what the structural
            sampler picked without looking; incumbent, incumbent_by_label: mean truth of the wiring that is best by the
            predictor, and by its own value; trainings: median trainings to one of the best, None where most runs found
            none; reached: share of runs that found one; seconds: median time of a proposal; origins: share of trials of
            each origin, after the start; forecasts: see `_forecasts`.
        """
        runs = self.runs[arm]
        means = {name: statistics.fmean(self.paired(arm, name)) for name in MEASURES}
        first = {name: self.first(arm, share) for name, share in SHARES.items()}
        chosen = [pair for line in runs for pair in zip(line["members"][START:], line["origins"][START:], strict=True)]
        steered = [member for member, origin in chosen if origin not in _BLIND]
        origins = Counter(origin for _, origin in chosen)
        return {
            "proposals": means["proposals"],
            "steered": float(self.pool.truth[steered].mean()) if steered else math.nan,
            "incumbent": means["incumbent"],
            "incumbent_by_label": means["incumbent by label"],
            "trainings": {
                name: median if (median := statistics.median(counts)) <= TRIALS else None
                for name, counts in first.items()
            },
            "reached": {name: float(np.mean(np.array(counts) <= TRIALS)) for name, counts in first.items()},
            "seconds": statistics.median(line["seconds"] for line in runs) / (TRIALS - START),
            "origins": {origin: origins[origin] / len(chosen) for origin in sorted(origins)},
            "forecasts": self._forecasts(arm),
        }

    def _forecasts(self, arm: str) -> dict[str, dict[str, Any]]:
        """Return what forecasts over all runs were worth, by origin.

        Returns
        -------
        dict of dict
            n; tau: Kendall's rank correlation with the values, None for fewer than 2; coverage: share of values within
            their intervals of 90 %.
        """
        by_origin: dict[str, list[tuple[float, ...]]] = {}
        for line in self.runs[arm]:
            for origin, value, forecast in zip(line["origins"], line["values"], line["forecasts"], strict=True):
                if forecast is not None:
                    by_origin.setdefault(origin, []).append((value, *forecast))
        found = {}
        for origin, trials in sorted(by_origin.items()):
            values, expected, low, high = np.array(trials).T
            tau = kendall(values, expected) if len(values) > 1 else None
            found[origin] = {"n": len(values), "tau": tau, "coverage": coverage(values, low, high)}
        return found
