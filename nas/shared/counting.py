"""Which trials of a shared study count: decided here alone, for workers and for the copy of a campaign's folder.

Pure functions of trials as Optuna stores them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial, TrialState

__all__ = ["Claim", "Standing", "claim_of", "next_to_copy", "rival", "standing", "surplus"]

Claim = tuple[str, int]
"""A wiring's fingerprint and the number of its training."""

_WITH_VALUE = (TrialState.COMPLETE, TrialState.PRUNED)
_HOLDS = (TrialState.RUNNING, *_WITH_VALUE)


@dataclass(frozen=True)
class Standing:
    """How many trials of a study count, and how many are in work."""

    counted: int
    running: int


def claim_of(trial: FrozenTrial) -> Claim | None:
    """Return what a trial trains; None before that is known."""
    stored: dict[str, Any] = trial.user_attrs
    return (stored["fingerprint"], int(stored.get("replicate", 0))) if "fingerprint" in stored else None


def rival(trials: Iterable[FrozenTrial], number: int, claim: Claim) -> int | None:
    """Return another trial, running or over, that has the same claim; None where there is none.

    Every worker writes its claim and reads those of all others before it trains. Of two that claim the same, at least
    one has written before the other one reads, so that they never both train it.
    """
    for trial in trials:
        if trial.number != number and trial.state in _HOLDS and claim_of(trial) == claim:
            return trial.number
    return None


def standing(trials: Sequence[FrozenTrial]) -> Standing:
    """Return how far a study is."""
    running = sum(trial.state == TrialState.RUNNING for trial in trials)
    return Standing(len({claim_of(trial) for trial in trials if _is_candidate(trial)}), running)


def next_to_copy(trials: Sequence[FrozenTrial], wanted: int, copied: Collection[int] = ()) -> list[FrozenTrial]:
    """Return the trials that follow those copied, in the order in which they ended.

    These are trials that count, of each claim the first one and not more than are wanted, and those whose evaluation
    failed.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        Of the whole study.
    wanted : int
        Trials that may count, those copied included.
    copied : collection of int
        Numbers of trials that were chosen before, which therefore stay chosen.
    """
    claims = {claim_of(trial) for trial in trials if trial.number in copied and _is_candidate(trial)}
    chosen = []
    for trial in sorted(trials, key=_by_end):
        if len(claims) >= wanted:
            break
        if trial.number in copied:
            continue
        if _is_candidate(trial) and claim_of(trial) not in claims:
            claims.add(claim_of(trial))
            chosen.append(trial)
        elif _is_failure(trial):
            chosen.append(trial)
    return chosen


def surplus(trials: Sequence[FrozenTrial], copied: Collection[int]) -> list[int]:
    """Return the numbers of trials that have a value and yet do not count, since enough others ended before."""
    return [trial.number for trial in trials if _is_candidate(trial) and trial.number not in copied]


def _is_candidate(trial: FrozenTrial) -> bool:
    return trial.state in _WITH_VALUE and claim_of(trial) is not None


def _is_failure(trial: FrozenTrial) -> bool:
    """Whether a trial was evaluated and failed; those that were given back, say, are nobody's failure."""
    return trial.state == TrialState.FAIL and trial.user_attrs.get("error") is not None


def _by_end(trial: FrozenTrial) -> tuple[datetime, int]:
    return (trial.datetime_complete or datetime.max, trial.number)
