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
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.plan import seconds_of
from nas.space.designs import WaySpace

__all__ = ["next_of_ways"]

_FIRST = 3
"""Trials of each way before any is left out; one of those that nothing is known to be worth a try of."""
_OPTIMISM = 1.0
"""Standard errors by which a way may be better than its trials were."""
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
    of_way = {way: [trial for trial in trials if trial.params.get("way") == way] for way in ways}
    way = ways[0] if len(ways) == 1 else _in_turn(presets, of_way) or _ahead(of_way, number, sign)
    if way is None:
        return {}
    given = presets[way][len(of_way[way]) :]
    return given[0] if given else {"way": way} if len(ways) > 1 else {}


def _in_turn(presets: Mapping[str, Sequence[Any]], of_way: Mapping[str, Sequence[FrozenTrial]]) -> str | None:
    """Return the way whose turn it is; None where each had its first trials."""
    for turn in range(_FIRST):
        for way, own in of_way.items():
            if len(own) <= turn and (turn == 0 or presets[way]):
                return way
    return None


def _ahead(of_way: Mapping[str, Sequence[FrozenTrial]], number: int, sign: float) -> str | None:
    """Return the cheapest way that is not behind; None where the sampler is to choose."""
    done = {way: [own for own in trials if own.state == TrialState.COMPLETE] for way, trials in of_way.items()}
    values = {way: np.sort([sign * own.values[0] for own in trials])[::-1] for way, trials in done.items() if trials}
    spreads = [own.std(ddof=1) for own in values.values() if len(own) > 1]
    if not spreads or number % _LEFT_TO_SAMPLER == _LEFT_TO_SAMPLER - 1:
        return None
    means = {way: float(own[: (len(own) + 1) // 2].mean()) for way, own in values.items()}
    allowed = {way: _OPTIMISM * fmean(spreads) / math.sqrt(len(own)) for way, own in values.items()}
    best = max(means.values())
    level = [way for way in values if means[way] + allowed[way] >= best]
    return min(level, key=lambda way: fmean(map(seconds_of, done[way])))
