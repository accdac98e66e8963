"""Plan: how many candidates a proposal is chosen from, and how often a surrogate is fitted anew.

Both follow from the time of the first trials and from what choosing takes, both on a common machine: no clock decides
what is proposed, but for own evaluations, whose time is measured once and stored.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from nas.samplers.candidates import Source

__all__ = ["FIRST_PLAN", "Plan", "plan_for", "seconds_of"]

_POOLS = (256, 128, 64)
_INTERVALS = (1, 2, 4, 8, 16, 32)
_CANDIDATE_S, _EDGE_S, _FIT_S = 150e-6, 6e-8, 0.015
"""Seconds to draw and describe a candidate, for each of its edges, and to fit a surrogate to a hundred trials."""
_NEW = 0.375
"""Share of the candidates that are drawn for a round; the others were drawn before."""
_FREE_S = 0.01
"""Seconds a trial that nobody minds, however short trainings are."""
_GROWTH = 64
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


FIRST_PLAN = Plan(pool=64, refit=4)
"""Until it is known how long trainings take."""


def plan_for(source: Source, trainings: Sequence[float], share: float) -> Plan:
    """Return the plan of shortest rounds, and then of most candidates, that costs a share of the trainings at most.

    `trainings` are the seconds of some trials. A hundredth of a second a trial is allowed in any case.
    """
    # Storing has its cost too, and choosing is done while a thread may wait.
    allowed = max(0.5 * share * statistics.median(trainings), _FREE_S)
    edges = statistics.fmean(point.n_edges for point in source.population)
    candidate = 0.0 if source.space.is_finite else _CANDIDATE_S + _EDGE_S * edges
    plans = (Plan(pool, refit) for refit in _INTERVALS for pool in _POOLS)
    affordable = (plan for plan in plans if (plan.pool * _NEW * candidate + _FIT_S) / plan.refit <= allowed)
    return next(affordable, Plan(_POOLS[-1], _INTERVALS[-1]))


def seconds_of(trial: FrozenTrial) -> float:
    """Return how long a trial takes: by its arithmetic where that is noted, else as it was measured."""
    taken = trial.duration.total_seconds() if trial.duration is not None else 0.0
    noted = trial.user_attrs
    return float(noted.get("expected_seconds") or noted.get("seconds", taken))
