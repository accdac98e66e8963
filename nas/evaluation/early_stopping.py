"""Stopping: which trials end before their last epoch, by Optuna's pruners.

A trial is compared with trials of earlier batches only, never with those beside it: which ones end early then depends
neither on threads nor on interruptions. (Optuna says pruning; here that word is kept for weights.)
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner
from optuna.trial import FrozenTrial, TrialState

from nas.errors import CampaignError, InputError
from nas.evaluation.trainer import Evaluation, OwnEvaluation, OwnFunction, TrainedEvaluation, Trainer, replicates_of
from nas.options.options import CampaignOptions, Direction
from nas.samplers.proposer import Candidate
from nas.store.records import Record, Records
from nas.store.study import quiet_optuna, trial_of

__all__ = [
    "EARLY_STOPPING",
    "LockstepEvaluation",
    "Stopping",
    "check_any_complete",
    "check_stopping",
    "evaluation_with",
    "shared_evaluation",
    "stopping_of",
]

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
    """Refuse to stop trials early that have no curve of values, or two objectives, which Optuna does not judge."""
    if options.early_stopping is None:
        return
    if options.by_size:
        raise InputError(
            f"early_stopping={options.early_stopping}: with objective=pareto no trial can be stopped early, since a "
            "curve of values says nothing about size; give early_stopping=none, or objective=value"
        )
    if options.recipe.is_read_out:
        raise InputError(
            f"early_stopping={options.early_stopping}: the read-out of a reservoir is solved at once; give "
            "early_stopping=none"
        )
    if options.task is None:
        raise InputError(
            f"early_stopping={options.early_stopping}: an own evaluation has no epochs to stop after; give a task, or "
            "early_stopping=none"
        )


def check_any_complete(records: Records) -> None:
    """Raise a CampaignError if all trials of a search were stopped early or failed."""
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


class Judge(ABC):
    """Says after each epoch whether one trial is to end; every attempt at a trial has its own judge.

    Its `curve` is what was reported.
    """

    def __init__(self) -> None:
        self.curve: tuple[float, ...] = ()

    def report(self, value: float) -> None:
        """Take what the trial's value would be if it ended after this epoch."""
        self.curve = (*self.curve, value)

    @abstractmethod
    def stops(self) -> bool:
        """Return whether the trial is to end now."""

    @property
    def notes(self) -> Mapping[str, Any]:
        """What the pruner noted, by which later trials are judged, unless that is stored with the trial already."""
        return {}


class PastJudge(Judge):
    """Judges a trial by those of earlier batches, in the study `past`, in which the trial itself is not.

    `stored_notes` returns the system attributes that the pruner gave to the trial.
    """

    def __init__(
        self, pruner: BasePruner, past: optuna.Study, trial: FrozenTrial, stored_notes: Callable[[], dict[str, Any]]
    ) -> None:
        super().__init__()
        self._pruner, self._past, self._trial, self._stored_notes = pruner, past, trial, stored_notes

    def report(self, value: float) -> None:
        """Take what the trial's value would be if it ended after this epoch."""
        super().report(value)
        self._trial.intermediate_values[len(self.curve)] = value

    def stops(self) -> bool:
        """Return whether the trial is to end now."""
        decision = self._pruner.prune(self._past, self._trial)
        self._trial.system_attrs = self._stored_notes()
        return decision

    @property
    def notes(self) -> Mapping[str, Any]:
        """What the pruner noted, by which later trials are judged."""
        return dict(self._trial.system_attrs)


class SharedJudge(Judge):
    """Judges a trial of a shared study by all that are known by then, of whichever process."""

    def __init__(self, trial: optuna.Trial, pruner: BasePruner) -> None:
        super().__init__()
        self._trial, self._pruner = trial, pruner

    def report(self, value: float) -> None:
        """Store what the trial's value would be if it ended after this epoch."""
        super().report(value)
        if len(self.curve) not in self._stored().intermediate_values:  # An earlier attempt may have got as far.
            self._trial.report(value, len(self.curve))

    def stops(self) -> bool:
        """Return whether the trial is to end now."""
        return self._pruner.prune(self._trial.study, self._stored())

    def _stored(self) -> FrozenTrial:
        return self._trial.study.get_trials(deepcopy=False)[self._trial.number]


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
        self._waiting: deque[Record] = deque()
        self._storage = optuna.storages.InMemoryStorage()
        with quiet_optuna():
            self._past = optuna.create_study(study_name=_STUDY_NAME, storage=self._storage, direction=direction)
            # Pruners write to the judged trial through the storage. In a study of their own, trials that run see
            # nothing of each other.
            self._running = self._storage.create_new_study(self._past.directions)

    def tell(self, *records: Record) -> None:
        """Learn how trials went, all of them from 0 on, in the order of their numbers."""
        with self._lock:
            self._waiting.extend(records)

    def judge(self, number: int) -> PastJudge:
        """Return the judge of a trial, which knows the trials of earlier batches."""
        with self._lock:
            while self._waiting and self._waiting[0].number // self._batch < number // self._batch:
                known = self._waiting.popleft()
                seen = Record(known.number, known.state, known.value, {}, curve=known.curve, stopping=known.stopping)
                self._past.add_trial(trial_of(seen, {}))
        trial_id = self._storage.create_new_trial(self._running)
        trial = FrozenTrial(number, TrialState.RUNNING, None, datetime.now(), None, {}, {}, {}, {}, {}, trial_id)
        return PastJudge(self._make(), self._past, trial, lambda: dict(self._storage.get_trial(trial_id).system_attrs))


@dataclass(frozen=True)
class LockstepEvaluation:
    """Trains all rungs and replicates of a candidate epoch by epoch, for as long as it is promising.

    What it would be worth if it ended now, the mean of its replicates at the best learning rate so far, is judged after
    each epoch but the last.
    """

    trainer: Trainer
    replicates: int
    judge_of: Callable[[int], Judge]

    def __call__(self, candidate: Candidate) -> Mapping[str, Any]:
        """Train the candidate; see `Evaluation`."""
        plan = self.trainer.plan(replicates_of(candidate, self.replicates))
        begun = [self.trainer.begin(candidate.wiring, *step) for step in plan]
        updates = self.trainer.recipe.updates_of_epoch(len(self.trainer.task.train))
        judge = self.judge_of(candidate.number)
        going, stopped = begun, False
        while going and not stopped:
            going = [one for one in going if not one.session.run(updates).finished]
            assessment = self.trainer.assess(begun)
            judge.report(assessment.value)
            stopped = bool(going) and judge.stops()
        effort = self.trainer.effort(assessment, candidate)
        found = {"state": "stopped", "value": None} if stopped else {"state": "complete", **assessment.merit}
        return {**found, **effort, "curve": judge.curve, "stopping": judge.notes}


def evaluation_with(
    trainer: Trainer | None, own: OwnFunction | None, options: CampaignOptions, judge_of: Callable[[int], Judge] | None
) -> Evaluation:
    """Return what gives a campaign's candidates their values: a trainer, or an evaluation of the user's own."""
    if trainer is None:
        assert own is not None
        return OwnEvaluation(own)
    if judge_of is None:
        return TrainedEvaluation(trainer, options.replicates)
    return LockstepEvaluation(trainer, options.replicates, judge_of)


def shared_evaluation(
    options: CampaignOptions, trainer: Trainer | None, own: OwnFunction | None
) -> Callable[[optuna.Trial], Evaluation]:
    """Return what gives the evaluation of a trial of a shared study; see `evaluation_with`."""

    def evaluation_of(trial: optuna.Trial) -> Evaluation:
        if options.early_stopping is None:
            return evaluation_with(trainer, own, options, None)
        pruner = EARLY_STOPPING[options.early_stopping](options.recipe.epochs)
        return evaluation_with(trainer, own, options, lambda _: SharedJudge(trial, pruner))

    return evaluation_of
