"""Worth: which way to a structure promises most for the time that it takes.

Trials of one way may take twenty times as long as those of another. Where a search has so much time, and not so many
trials, the next trial is of the way whose values so far let expect the largest improvement on the best one a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from scipy import special

__all__ = ["Tried", "expected_improvement", "worthiest"]

_PRIOR = 2
"""Trials that the spread of all ways together counts for in that of each."""
_FEWEST = 5
"""Latest trials of a way that count for what the next one is worth, or the later half, if that are more: a sampler
learns meanwhile."""


@dataclass(frozen=True)
class Tried:
    """A trial that is over.

    Parameters
    ----------
    way : str
    gain : float or None
        Its value, of which more is better; None where it has none.
    seconds : float
    """

    way: str
    gain: float | None
    seconds: float


def worthiest(ways: Sequence[str], tried: Iterable[Tried], running: Sequence[str] = ()) -> str:
    """Return the way that the next trial should be of.

    A way that was never tried has its turn, in the given order. Before any trial has a value, ways take turns; from
    then on those without a value are left, and of equal promises the way of the cheaper trials is taken.

    Parameters
    ----------
    ways : sequence of str
        Distinct ones.
    tried : iterable of Tried
        In the order in which they were begun.
    running : sequence of str
        Ways of the trials in work.
    """
    of_way: dict[str, list[Tried]] = {way: [] for way in ways}
    for trial in tried:
        of_way[trial.way].append(trial)
    for way, own in of_way.items():
        if not own and way not in running:
            return way
    gains = {way: [trial.gain for trial in own if trial.gain is not None] for way, own in of_way.items()}
    known = [way for way in ways if gains[way]]
    if not known:
        return min(ways, key=lambda way: (len(of_way[way]) + running.count(way), ways.index(way)))
    best = max(max(gains[way]) for way in known)
    spread = _common_spread([gains[way] for way in known])

    def worth(way: str) -> tuple[float, float]:
        # What fails takes time as well.
        seconds = math.fsum(trial.seconds for trial in of_way[way]) / len(gains[way])
        return _improvement(gains[way], best, spread) / max(seconds, 1e-9), -seconds

    return max(known, key=worth)


def _common_spread(of_ways: Sequence[Sequence[float]]) -> float:
    """Return the standard deviation within ways, or where none has two values, between them."""
    squares = math.fsum((gain - fmean(gains)) ** 2 for gains in of_ways for gain in gains)
    freedom = sum(len(gains) - 1 for gains in of_ways)
    if freedom == 0:
        means = [fmean(gains) for gains in of_ways]
        return math.sqrt(fmean((mean - fmean(means)) ** 2 for mean in means))
    return math.sqrt(squares / freedom)


def _improvement(gains: Sequence[float], best: float, spread: float) -> float:
    """Return what the next gain of a way is expected to add to the best one."""
    latest = gains[-max(_FEWEST, len(gains) // 2) :]
    n, mean = len(latest), fmean(latest)
    freedom = _PRIOR + n - 1
    squares = _PRIOR * spread**2 + math.fsum((gain - mean) ** 2 for gain in latest)
    return expected_improvement(mean, math.sqrt(squares / freedom * (1 + 1 / n)), freedom, best)


def expected_improvement(mean: float, scale: float, freedom: int, best: float) -> float:
    """Return the mean of max(x - best, 0) where (x - mean) / scale is of Student's t distribution.

    Parameters
    ----------
    mean, best : float
    scale : float
        At least 0; with 0, x is the mean.
    freedom : int
        Degrees of freedom, at least 2.

    References
    ----------
    Jones, Schonlau and Welch (1998), Efficient global optimization of expensive black-box functions,
    doi:10.1023/A:1008306431147, with the predictive distribution of a normal sample.
    """
    if scale == 0.0:
        return max(mean - best, 0.0)
    z = (mean - best) / scale
    log_density = (
        math.lgamma((freedom + 1) / 2)
        - math.lgamma(freedom / 2)
        - 0.5 * math.log(freedom * math.pi)
        - (freedom + 1) / 2 * math.log1p(z * z / freedom)
    )
    tail = (freedom + z * z) / (freedom - 1) * math.exp(log_density)
    return scale * (z * float(special.stdtr(freedom, z)) + tail)
