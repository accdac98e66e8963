"""Trials whose workers are gone, and what becomes of them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable

import optuna
from optuna.trial import FrozenTrial, TrialState

from nas.shared import database

__all__ = ["Silence", "fail_stale", "requeue", "taken_over", "tell_once"]

_MOST_RETRIES = 3


def fail_stale(study: optuna.Study) -> None:
    """Fail trials without a heartbeat for too long, as Optuna does before every trial, and queue them for others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)


def taken_over(study: optuna.Study, trial: FrozenTrial) -> None:
    """Queue a trial whose worker has been silent for too long; Optuna calls this once a trial."""
    requeue(study, trial, is_retry=True)


def requeue(study: optuna.Study, trial: FrozenTrial, *, is_retry: bool) -> None:
    """Queue what a trial was evaluating, unless it had not begun or was tried often enough.

    A wiring that brings down every worker must not go round for ever.
    """
    retries = int(trial.user_attrs.get("retries", 0)) + is_retry
    if "fingerprint" in trial.user_attrs and retries <= _MOST_RETRIES:
        study.enqueue_trial(dict(trial.params), user_attrs={"retries": retries, "retry_of": trial.number})


def tell_once(study: optuna.Study, number: int, state: TrialState, value: float | None = None) -> bool:
    """Tell how a trial ended, and return whether it ended so: somebody else may have told something before."""
    try:
        return study.tell(number, value, state=state, skip_if_finished=True).state == state
    except optuna.exceptions.UpdateFinishedTrialError:  # It was told between Optuna's look and its words.
        return study.get_trials(deepcopy=False)[number].state == state


class Silence:
    """Watches running trials that never claimed a wiring.

    Optuna takes only those for dead that had a heartbeat once. A worker that died between the two is noticed here, by
    the clock of one machine, since those of several differ.
    """

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def broken(self, trials: Iterable[FrozenTrial]) -> list[int]:
        """Return the numbers of those that have been seen so for longer than the grace period."""
        now = time.monotonic()
        begun = [
            trial.number
            for trial in trials
            if trial.state == TrialState.RUNNING and "fingerprint" not in trial.user_attrs
        ]
        self._since = {number: self._since.get(number, now) for number in begun}
        return [number for number, since in self._since.items() if now - since > database.GRACE_S]
