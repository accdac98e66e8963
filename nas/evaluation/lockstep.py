"""From a candidate to a value with all its trainings side by side, so that it can be stopped early.

Imports torch. A candidate that is not stopped gets the value that it gets when one training follows another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nas.evaluation.evaluation import Evaluation, OwnEvaluation, TrainedEvaluation, Trainer, Training, replicates_of
from nas.options.options import CampaignOptions
from nas.samplers.proposer import Candidate
from priors import Wiring

__all__ = ["Judges", "LockstepEvaluation", "evaluation_with"]


class Judge(Protocol):
    """See `nas.evaluation.early_stopping.Judge`."""

    def report(self, value: float) -> None: ...

    def stops(self) -> bool: ...

    @property
    def curve(self) -> tuple[float, ...]: ...

    @property
    def notes(self) -> Mapping[str, Any]: ...


class Judges(Protocol):
    """See `nas.evaluation.early_stopping.Stopping`."""

    def judge(self, number: int, /) -> Judge:
        """Return the judge of a trial."""


@dataclass(frozen=True)
class LockstepEvaluation:
    """Trains all rungs and replicates of a candidate epoch by epoch, for as long as it is promising.

    What it would be worth if it ended now, the mean of its replicates at the best learning rate so far, is judged after
    each epoch but the last.
    """

    trainer: Trainer
    replicates: int
    stopping: Judges

    def __call__(self, candidate: Candidate) -> Mapping[str, Any]:
        """Train the candidate; see `Evaluation`."""
        plan = self.trainer.plan(replicates_of(candidate, self.replicates))
        begun = [self.trainer.begin(candidate.wiring, *step) for step in plan]
        updates = -(-len(self.trainer.task.train) // self.trainer.recipe.batch_size)
        judge = self.stopping.judge(candidate.number)
        going, stopped = begun, False
        while going and not stopped:
            going = [one for one in going if not one.session.run(updates).finished]
            trainings = [Training(one.trained(), *step) for one, step in zip(begun, plan, strict=True)]
            assessment = self.trainer.assess(trainings)
            judge.report(assessment.value)
            stopped = bool(going) and judge.stops()
        effort = assessment.effort
        effort["expected_seconds"] = self.trainer.expected_seconds(effort["steps"], candidate.n_parameters)
        found = effort if stopped else effort | assessment.merit
        state = "stopped" if stopped else "complete"
        return {"state": state, "value": None, "curve": judge.curve, "stopping": judge.notes, **found}


def evaluation_with(
    trainer: Trainer | None,
    own: Callable[[Wiring, Mapping[str, Any]], float] | None,
    options: CampaignOptions,
    stopping: Judges | None,
) -> Evaluation:
    """Return what gives a campaign's candidates their values: a trainer, or an evaluation of the user's own."""
    if trainer is None:
        assert own is not None
        return OwnEvaluation(own)
    if stopping is None:
        return TrainedEvaluation(trainer, options.replicates)
    return LockstepEvaluation(trainer, options.replicates, stopping)
