"""SharedJudge: stops trials of a shared study early, by the curves that all workers store. Imports optuna, torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.pruners import BasePruner

from nas.evaluation.early_stopping import EARLY_STOPPING
from nas.evaluation.evaluation import Evaluation, Trainer
from nas.evaluation.lockstep import evaluation_with
from nas.options.options import CampaignOptions
from priors import Wiring

__all__ = ["SharedJudge", "shared_evaluation"]


def shared_evaluation(
    options: CampaignOptions, trainer: Trainer | None, own: Callable[[Wiring, Mapping[str, Any]], float] | None
) -> Callable[[optuna.Trial], Evaluation]:
    """Return what gives the evaluation of a trial of a shared study; see `evaluation_with`."""

    def evaluation_of(trial: optuna.Trial) -> Evaluation:
        if options.early_stopping is None:
            return evaluation_with(trainer, own, options, None)
        pruner = EARLY_STOPPING[options.early_stopping](options.recipe.epochs)
        return evaluation_with(trainer, own, options, SharedJudge(trial, pruner))

    return evaluation_of


class SharedJudge:
    """Says after each epoch whether a trial is to end, by all trials that are known by then.

    Parameters
    ----------
    trial : optuna.Trial
    pruner : BasePruner
    """

    def __init__(self, trial: optuna.Trial, pruner: BasePruner) -> None:
        self._trial, self._pruner = trial, pruner
        self._curve: list[float] = []

    def judge(self, _: int) -> SharedJudge:
        """Return the judge of the next attempt at the trial."""
        return SharedJudge(self._trial, self._pruner)

    def report(self, value: float) -> None:
        """Store what the trial's value would be if it ended after this epoch."""
        self._curve.append(value)
        if len(self._curve) not in self._stored().intermediate_values:  # An earlier attempt may have got as far.
            self._trial.report(value, len(self._curve))

    def stops(self) -> bool:
        """Return whether the trial is to end now."""
        return self._pruner.prune(self._trial.study, self._stored())

    @property
    def curve(self) -> tuple[float, ...]:
        """What was reported."""
        return tuple(self._curve)

    @property
    def notes(self) -> Mapping[str, Any]:
        """Nothing: the pruner's notes are stored with the trial already."""
        return {}

    def _stored(self) -> optuna.trial.FrozenTrial:
        return self._trial.study.get_trials(deepcopy=False)[self._trial.number]
