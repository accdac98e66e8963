"""Stopping: which trials end before their last epoch, by Optuna's pruners. Imports optuna.

A trial is compared with trials of earlier batches only, never with those beside it: which ones end early then depends
neither on threads nor on interruptions. (Optuna says pruning; here that word is kept for weights.)
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner
from optuna.trial import FrozenTrial, TrialState

from nas.errors import CampaignError, InputError
from nas.options.options import CampaignOptions, Direction
from nas.store.quiet import quiet_optuna
from nas.store.records import Record, Records
from nas.store.study import trial_of

__all__ = ["EARLY_STOPPING", "Judge", "Stopping", "check_any_complete", "check_stopping", "stopping_of"]

_START_UP = 8
_REDUCTION = 3
# Hyperband draws a trial's bracket by the name of its study.
_STUDY_NAME = "wirenas"


def _share(epochs: int, part: int) -> int:
    """Return one `part`-th of the epochs, rounded up."""
    return -(-epochs // part)


EARLY_STOPPING: dict[str, Callable[[int], BasePruner]] = {
    "median": lambda epochs: MedianPruner(n_startup_trials=_START_UP, n_warmup_steps=_share(epochs, 5)),
    "hyperband": lambda epochs: HyperbandPruner(_share(epochs, 10), max_resource=epochs, reduction_factor=_REDUCTION),
    "halving": lambda epochs: SuccessiveHalvingPruner(_share(epochs, 10), reduction_factor=_REDUCTION),
}
"""Name to Optuna's pruner for trainings of so many epochs.

median: after 8 complete trials and a fifth of the epochs, a trial ends whose best value so far is worse than the median
of the values that complete trials had at the same epoch. halving: a trial goes on beyond a tenth of the epochs, and
again beyond three and nine times as many, if it is in the best third of those that got so far. hyperband: the same, for
trials in groups that are looked at the first time after one, three and nine tenths of the epochs.

References
----------
Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020, arXiv:1810.05934.
Li et al., "Hyperband", JMLR 18(185), 2018, arXiv:1603.06560.
"""


def check_stopping(options: CampaignOptions) -> None:
    """Check that trials can be stopped early where that is asked for.

    Raises
    ------
    InputError
        For an own evaluation, which gives one value and no curve, and for two objectives, which Optuna does not judge.
    """
    if options.early_stopping is not None and options.by_size:
        raise InputError(
            f"early_stopping={options.early_stopping}: with objective=pareto no trial can be stopped early, since a "
            "curve of values says nothing about size; give early_stopping=none, or objective=value"
        )
    if options.early_stopping is not None and options.task is None:
        raise InputError(
            f"early_stopping={options.early_stopping}: an own evaluation has no epochs to stop after; give a task, or "
            "early_stopping=none"
        )


def check_any_complete(records: Records) -> None:
    """Check that a search found anything.

    Raises
    ------
    CampaignError
        If all its trials were stopped early or failed.
    """
    if not records.complete:
        stopped = len(records.counted)
        raise CampaignError(
            f"no trial is complete: {stopped} were stopped early and {len(records) - stopped} failed; give more "
            "trials, or a new folder with early_stopping=none"
        )


def stopping_of(options: CampaignOptions) -> Stopping | None:
    """Return what stops the trials of a campaign, or None where nothing does."""
    if options.early_stopping is None:
        return None
    make, epochs = EARLY_STOPPING[options.early_stopping], options.recipe.epochs
    return Stopping(lambda: make(epochs), batch=options.batch, direction=options.direction)


class Judge:
    """Says after each epoch whether one trial is to end; every attempt at a trial has a judge of its own.

    Parameters
    ----------
    pruner : BasePruner
    past : optuna.Study
        The trials to compare with.
    trial : optuna.trial.FrozenTrial
        What is known of the judged one, which is not in the study; grows with what is reported.
    notes : callable
        Returns the system attributes that the pruner gave to the trial.
    """

    def __init__(
        self, pruner: BasePruner, past: optuna.Study, trial: FrozenTrial, notes: Callable[[], dict[str, Any]]
    ) -> None:
        self._pruner, self._past, self._trial, self._notes = pruner, past, trial, notes

    def report(self, value: float) -> None:
        """Take what the trial's value would be if it ended after this epoch."""
        self._trial.intermediate_values[len(self._trial.intermediate_values) + 1] = value

    def stops(self) -> bool:
        """Return whether the trial is to end now."""
        decision = self._pruner.prune(self._past, self._trial)
        self._trial.system_attrs = self._notes()
        return decision

    @property
    def curve(self) -> tuple[float, ...]:
        """What was reported."""
        return tuple(self._trial.intermediate_values.values())

    @property
    def notes(self) -> dict[str, Any]:
        """What the pruner noted, by which later trials are judged."""
        return dict(self._trial.system_attrs)


class Stopping:
    """Knows how earlier trials went, and gives each trial its judge.

    Parameters
    ----------
    make : callable
        Returns a new pruner: some keep state that threads must not share.
    batch : int
        Trials ``batch * i`` to ``batch * (i + 1) - 1`` run beside each other.
    direction : {"maximize", "minimize"}
    """

    def __init__(self, make: Callable[[], BasePruner], *, batch: int, direction: Direction) -> None:
        self._make, self._batch = make, batch
        self._lock = threading.Lock()
        self._told: deque[Record] = deque()
        self._storage = optuna.storages.InMemoryStorage()
        with quiet_optuna():
            self._past = optuna.create_study(study_name=_STUDY_NAME, storage=self._storage, direction=direction)
            # Pruners write to the judged trial through the storage. In a study of their own, trials that run see
            # nothing of each other.
            self._running = self._storage.create_new_study(self._past.directions)

    def tell(self, *records: Record) -> None:
        """Learn how trials went; told in the order of their numbers, all from 0 on."""
        with self._lock:
            self._told.extend(records)

    def judge(self, number: int) -> Judge:
        """Return the judge of a trial, who knows all that were told of earlier batches."""
        with self._lock:
            while self._told and self._told[0].number // self._batch < number // self._batch:
                self._past.add_trial(trial_of(_without_params(self._told.popleft()), {}))
        trial_id = self._storage.create_new_trial(self._running)
        trial = FrozenTrial(number, TrialState.RUNNING, None, datetime.now(), None, {}, {}, {}, {}, {}, trial_id)
        return Judge(self._make(), self._past, trial, lambda: dict(self._storage.get_trial(trial_id).system_attrs))


def _without_params(record: Record) -> Record:
    """Return what pruners look at."""
    return Record(record.number, record.state, record.value, {}, curve=record.curve, stopping=record.stopping)
