"""Race: which way to a structure is tried next, in campaigns with a budget.

Trials of one way cost many times what those of another do, and say soon whether it suits a task. TPE takes the way for
one parameter among others, and spends half of a short search on ways that are behind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.plan import seconds_of
from nas.space.designs import WaySpace

__all__ = ["next_of_ways"]

_FIRST = 3
"""Trials of each way before any is left out; one of those that nothing is known to be worth a try of."""
_OPTIMISM = 1.0
"""Standard errors by which a way may be better than its trials were."""
_OF_NORMAL = 1.4826
"""Standard deviation of a normal distribution over the median distance from its middle."""
_LEFT_TO_SAMPLER = 8
"""One of so many trials is left to the sampler, since a way may get better the longer it is searched."""


def next_of_ways(trials: Sequence[FrozenTrial], space: WaySpace, number: int, sign: float) -> Mapping[str, Any]:
    """Return the parameters that trial `number` is given: its way, and what is worth a first try of it; or none.

    First each way has its turn. Then the cheapest is chosen of the ways that are not behind: the mean of the better
    half of a way's values, and a standard error more, is not below the best such mean.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        All others, running ones too.
    space : WaySpace
    number : int
    sign : float
        1 where larger values are better, and -1 where smaller ones are.
    """
    ways = space.options.ways
    presets = {way: [own for own in space.presets if own["way"] == way] for way in ways}
    if len(ways) == 1:
        return next(iter(presets[ways[0]][number:]), {})
    # By its number alone, so that workers that begin in the same instant do not all take the first turn.
    turns = [(way, turn) for turn in range(_FIRST) for way in ways if turn == 0 or presets[way]]
    if number < len(turns):
        way, turn = turns[number]
        return next(iter(presets[way][turn:]), {"way": way})
    of_way = {way: [trial for trial in trials if trial.params.get("way") == way] for way in ways}
    chosen = _ahead(of_way, number, sign)
    if chosen is None:
        return {}
    tried = [trial.params.items() for trial in of_way[chosen]]
    return next((own for own in presets[chosen] if not any(own.items() <= params for params in tried)), {"way": chosen})


def _ahead(of_way: Mapping[str, Sequence[FrozenTrial]], number: int, sign: float) -> str | None:
    """Return the cheapest way that is not behind; None where the sampler is to choose."""
    done = {way: [own for own in trials if own.state == TrialState.COMPLETE] for way, trials in of_way.items()}
    values = {way: np.sort([sign * own.values[0] for own in trials])[::-1] for way, trials in done.items() if trials}
    if all(len(own) < 2 for own in values.values()) or number % _LEFT_TO_SAMPLER == _LEFT_TO_SAMPLER - 1:
        return None
    spread = _spread(list(values.values()))
    means = {way: float(own[: (len(own) + 1) // 2].mean()) for way, own in values.items()}
    allowed = {way: _OPTIMISM * spread / math.sqrt(len(own)) for way, own in values.items()}
    best = max(means.values())
    level = [way for way in values if means[way] + allowed[way] >= best]
    return min(level, key=lambda way: fmean(map(seconds_of, done[way])))


def _spread(values: Sequence[NDArray[np.float64]]) -> float:
    """Return how much values of one way differ, as a standard deviation that trainings which diverged do not widen."""
    apart = np.concatenate([np.abs(own - np.median(own)) for own in values])
    apart = apart[apart > 0]
    return _OF_NORMAL * float(np.median(apart)) if len(apart) else 0.0
