"""Which trials of a shared study count: decided here alone, for workers and for the copy of a campaign's folder.

Pure functions of trials as Optuna stores them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial, TrialState

__all__ = ["as_ended", "following", "rival", "standing", "surplus"]

_Claim = tuple[str, int]
"""A wiring's fingerprint and the number of its training."""

_WITH_VALUE = (TrialState.COMPLETE, TrialState.PRUNED)
_HOLDS = (TrialState.RUNNING, *_WITH_VALUE)


def rival(trials: Iterable[FrozenTrial], number: int, claim: _Claim) -> int | None:
    """Return another trial, running or over, that has the same claim; None where there is none.

    Every worker writes its claim and reads those of all others before it trains. Of two that claim the same, at least
    one has written before the other one reads, so that they never both train it.
    """
    for trial in trials:
        if trial.number != number and trial.state in _HOLDS and _claim_of(trial) == claim:
            return trial.number
    return None


def standing(trials: Sequence[FrozenTrial]) -> tuple[int, int]:
    """Return how many trials of a study count, and how many are in work."""
    running = sum(trial.state == TrialState.RUNNING for trial in trials)
    return len({_claim_of(trial) for trial in trials if _is_candidate(trial)}), running


def as_ended(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Return trials in the order in which they ended, by the clocks of their workers."""
    return sorted(trials, key=lambda trial: (trial.datetime_complete or datetime.max, trial.number))


def following(trials: Sequence[FrozenTrial], wanted: int, chosen: Collection[int] = ()) -> list[FrozenTrial]:
    """Return the trials to take after those chosen before, in the order given.

    These are trials that count, of each claim the first one and not more than are wanted, those chosen before included,
    and trials whose evaluation failed. `chosen` are the numbers of those that stay chosen.
    """
    claims = {_claim_of(trial) for trial in trials if trial.number in chosen and _is_candidate(trial)}
    found = []
    for trial in trials:
        if len(claims) >= wanted:
            break
        if trial.number in chosen:
            continue
        if _is_candidate(trial) and _claim_of(trial) not in claims:
            claims.add(_claim_of(trial))
            found.append(trial)
        elif trial.state == TrialState.FAIL and trial.user_attrs.get("error") is not None:
            found.append(trial)  # Others that failed were given back, say: nobody's failure.
    return found


def surplus(trials: Sequence[FrozenTrial], chosen: Collection[int]) -> list[int]:
    """Return the numbers of trials that have a value and yet do not count, since enough others ended before."""
    return [trial.number for trial in trials if _is_candidate(trial) and trial.number not in chosen]


def _claim_of(trial: FrozenTrial) -> _Claim | None:
    """Return what a trial trains; None before that is known."""
    stored: dict[str, Any] = trial.user_attrs
    return (stored["fingerprint"], int(stored.get("replicate", 0))) if "fingerprint" in stored else None


def _is_candidate(trial: FrozenTrial) -> bool:
    return trial.state in _WITH_VALUE and _claim_of(trial) is not None
