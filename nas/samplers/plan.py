"""Plan: how many candidates a proposal is chosen from, and how often a surrogate is fitted anew. Imports numpy.

Both follow from costs that are measured once and stored, not from a running clock, so that a search can be repeated.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from nas.samplers.candidates import Source
from predictors.surrogate import fit_surrogate, scalings_of

__all__ = ["FIRST_PLAN", "Costs", "Plan"]

_POOLS = (256, 128, 64)
_INTERVALS = (1, 2, 4, 8, 16, 32)
_ROWS = 64
_GROWTH = 128
"""Finished trials after which the interval is twice as long, and so on: fits take longer."""


@dataclass(frozen=True)
class Plan:
    """How a search goes on.

    Parameters
    ----------
    pool : int
        Candidates that are drawn in a round.
    refit : int
        Trials of a round, in the first rounds; rounds become longer in proportion to the trials that are over.
    """

    pool: int
    refit: int

    def known(self, n_over: int) -> int:
        """Return how many of the trials that are over the next proposal is based on."""
        start = 0
        while True:
            following = start + self.refit * max(1, start // _GROWTH)
            if following > n_over:
                return start
            start = following

    def to_json(self) -> dict[str, int]:
        """Return the plan as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, int]) -> Plan:
        """Return the plan of a document."""
        return cls(int(document["pool"]), int(document["refit"]))


FIRST_PLAN = Plan(pool=64, refit=4)
"""Until it is known how long trainings take."""


@dataclass(frozen=True)
class Costs:
    """What choosing takes, in seconds.

    Parameters
    ----------
    candidate : float
        To draw and describe one candidate.
    fit : float
        To fit a surrogate to 64 trials and to judge 64 candidates.
    """

    candidate: float
    fit: float

    @classmethod
    def measured(cls, source: Source) -> Costs:
        """Measure them, once."""
        population = source.population
        rng = np.random.default_rng(0)
        started = time.perf_counter()
        drawn = 0 if source.is_finite else len(source.fresh(rng, _ROWS))
        candidate = (time.perf_counter() - started) / max(drawn, 1)
        rows = population.X[np.arange(_ROWS) % len(population)]
        scalings = scalings_of(population.X, source.described_by.names)
        started = time.perf_counter()
        fit_surrogate(rows, rng.random(_ROWS), scalings).posterior(rows)
        return cls(candidate if drawn else 0.0, time.perf_counter() - started)

    def plan(self, trainings: Sequence[float], share: float) -> Plan:
        """Return the plan of most rounds, and then of most candidates, whose cost is a share of the training's at most.

        Parameters
        ----------
        trainings : sequence of float
            Seconds of some trials.
        share : float
        """
        allowed = share * statistics.median(trainings)
        for refit in _INTERVALS:
            for pool in _POOLS:
                if (pool * self.candidate + self.fit) / refit <= allowed:
                    return Plan(pool, refit)
        return Plan(_POOLS[-1], _INTERVALS[-1])
