"""From a candidate to a value: by training its network, or by the user's own callable. Imports nas.training."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from nas.networks import NetworkSpec
from nas.samplers.proposer import Candidate
from nas.seeds import stream
from nas.store.records import Record, describe, versions_of
from nas.training import Begun, History, Interrupted, Recipe, StopFlag, Trained, begin_wiring
from nas.training.train import engine_for
from priors import Wiring

if TYPE_CHECKING:
    from torch import nn

    from nas.tasks import Task

__all__ = [
    "FAILURES_IN_A_ROW",
    "Assessment",
    "Evaluation",
    "OwnEvaluation",
    "TrainedEvaluation",
    "Trainer",
    "Training",
    "attempt",
    "replicates_of",
    "tried",
]

T = TypeVar("T")
_ATTEMPTS = 3
_SECONDS_A_NUMBER = {"native": 1.3e-10, "torch": 4e-9}
"""For each example, time step and parameter, by engine."""

FAILURES_IN_A_ROW = 10
"""Candidates that may fail one after another before a search gives up."""


class Evaluation(Protocol):
    """What gives candidates their values."""

    def __call__(self, candidate: Candidate) -> Mapping[str, Any]:
        """Return fields of the candidate's Record, `value` among them; its state is complete unless given."""


@dataclass(frozen=True)
class Training:
    """One trained network: its seeds' number, its rung of the ladder, and what came of it."""

    trained: Trained
    replicate: int
    learning_rate: float

    @property
    def history(self) -> History:
        """What happened."""
        return self.trained.history

    @property
    def network(self) -> nn.Module:
        """The trained network."""
        return self.trained.network

    def test(self) -> float:
        """Return the test metric; of a training that diverged the constant prediction's, as in validation."""
        task = self.trained.task
        if self.history.diverged:
            return task.constant_score(task.test)
        return self.trained.score(task.test).metric


@dataclass(frozen=True)
class Assessment:
    """Trainings of one wiring: every rung of the ladder with every replicate.

    Parameters
    ----------
    trainings : tuple of Training
        Those of the best rung, one a replicate.
    ladder : mapping
        Mean validation metric by learning rate.
    everything : tuple of Training
        Those of all rungs.
    """

    trainings: tuple[Training, ...]
    ladder: Mapping[float, float]
    everything: tuple[Training, ...]

    @property
    def learning_rate(self) -> float:
        """The best rung."""
        return self.trainings[0].learning_rate

    @property
    def value(self) -> float:
        """Mean validation metric at the best rung."""
        return self.ladder[self.learning_rate]

    @property
    def merit(self) -> dict[str, Any]:
        """The fields of a Record that say how good the wiring is."""
        return {
            "value": self.value,
            "values": tuple(training.history.value for training in self.trainings),
            "learning_rate": self.learning_rate,
            "ladder": {str(rate): value for rate, value in self.ladder.items()},
        }

    @property
    def effort(self) -> dict[str, Any]:
        """The fields of a Record that say how much was trained."""
        histories = [training.history for training in self.everything]
        return {
            "diverged": sum(history.diverged for history in histories),
            "steps": sum(history.steps for history in histories),
            "seconds": math.fsum(history.seconds for history in histories),
            "engine": histories[0].engine,
        }


@dataclass(frozen=True)
class Trainer:
    """Trains wirings on a task, all of them in the same way.

    Initial weights and the order of the examples are drawn by (seed, fingerprint, replicate), so that no result
    depends on what else is trained, when, or on which thread.
    """

    task: Task
    spec: NetworkSpec
    recipe: Recipe
    seed: int
    engine: str = "auto"
    device: str = "cpu"
    stop: StopFlag | None = None

    def train(self, wiring: Wiring, replicate: int, learning_rate: float, spec: NetworkSpec | None = None) -> Training:
        """Train the network of one wiring."""
        return Training(self.begin(wiring, replicate, learning_rate, spec).run(), replicate, learning_rate)

    def begin(self, wiring: Wiring, replicate: int, learning_rate: float, spec: NetworkSpec | None = None) -> Begun:
        """Open the training that `train` runs to its end."""
        keys = (wiring.fingerprint, replicate)
        return begin_wiring(
            wiring,
            spec or self.spec,
            self.task,
            self.recipe,
            learning_rate=learning_rate,
            weights=stream(self.seed, "weights", *keys),
            batches=stream(self.seed, "batches", *keys),
            engine=self.engine,
            device=self.device,
            stop=self.stop,
        )

    def expected_seconds(self, steps: int, n_parameters: int) -> float:
        """Return how long updates of a network of this size take on a common machine, by their arithmetic."""
        lengths = self.task.lengths
        length = 1.0 if lengths is None else float(lengths.double().mean())
        numbers = steps * self.recipe.batch_size * length * n_parameters
        return _SECONDS_A_NUMBER[engine_for(self.engine, self.device, self.spec)] * numbers

    def plan(self, replicates: Sequence[int]) -> list[tuple[int, float]]:
        """Return the (replicate, learning rate) pairs that an assessment trains."""
        return [(replicate, rate) for rate in self.recipe.learning_rates for replicate in replicates]

    def assess(self, trainings: Sequence[Training]) -> Assessment:
        """Find the best rung of the trainings of one wiring; ties go to the first rung."""
        ladder: dict[float, float] = {}
        for rate in self.recipe.learning_rates:
            values = [training.history.value for training in trainings if training.learning_rate == rate]
            ladder[rate] = math.fsum(values) / len(values)
        best = (max if self.task.direction == "maximize" else min)(ladder, key=ladder.__getitem__)
        at_best = tuple(training for training in trainings if training.learning_rate == best)
        return Assessment(at_best, ladder, tuple(trainings))


def replicates_of(candidate: Candidate, n: int) -> range:
    """Return the replicates that a trial trains: its own n."""
    return range(candidate.replicate * n, (candidate.replicate + 1) * n)


@dataclass(frozen=True)
class TrainedEvaluation:
    """A candidate is worth the mean validation metric of its replicates at the best learning rate."""

    trainer: Trainer
    replicates: int

    def __call__(self, candidate: Candidate) -> Mapping[str, Any]:
        """Train the candidate; see `Evaluation`."""
        plan = self.trainer.plan(replicates_of(candidate, self.replicates))
        assessment = self.trainer.assess([self.trainer.train(candidate.wiring, *step) for step in plan])
        effort = assessment.effort
        expected = self.trainer.expected_seconds(effort["steps"], candidate.n_parameters)
        return assessment.merit | effort | {"expected_seconds": expected}


@dataclass(frozen=True)
class OwnEvaluation:
    """A candidate is worth what the user's callable says."""

    function: Callable[[Wiring, Mapping[str, Any]], float]

    def __call__(self, candidate: Candidate) -> Mapping[str, Any]:
        """Call the function; see `Evaluation`."""
        started = time.perf_counter()
        value = float(self.function(candidate.wiring, dict(candidate.params)))
        if not math.isfinite(value):
            raise ValueError(f"the evaluation returned {value}: a finite number is needed")
        return {"value": value, "values": (value,), "engine": "own", "seconds": time.perf_counter() - started}


def attempt(candidate: Candidate, evaluation: Evaluation, stop: StopFlag) -> Record:
    """Evaluate a candidate, at most three times, and return its record; a failure is recorded, not raised.

    Raises
    ------
    Interrupted
        If the stop flag is set.
    """
    outcome, attempts, error = tried(
        lambda: dict(evaluation(candidate)), stop, f"trial {candidate.number} was evaluated"
    )
    if outcome is None:
        return _record(candidate, state="failed", value=None, attempts=attempts, error=error)
    return _record(candidate, **{"state": "complete", **outcome}, attempts=attempts)


def tried(work: Callable[[], T], stop: StopFlag | None, aim: str) -> tuple[T | None, int, str | None]:
    """Call `work` until it does not raise, at most three times.

    Parameters
    ----------
    work : callable
    stop : StopFlag, optional
        Looked at before every call.
    aim : str
        What is done once `work` returns, for the message of an interruption.

    Returns
    -------
    result : object or None
        What `work` returned; None if it always raised.
    attempts : int
        How often it was called.
    error : str or None
        What it raised last, in one line, if it always did.

    Raises
    ------
    Interrupted
        If the stop flag is set.
    """
    error = None
    for count in range(1, _ATTEMPTS + 1):
        if stop is not None and stop.is_set():
            raise Interrupted(f"stopped before {aim}")
        try:
            return work(), count, None
        except Interrupted:
            raise
        except Exception as failure:
            error = " ".join("".join(traceback.format_exception_only(failure)).split())
    return None, _ATTEMPTS, error


def _record(candidate: Candidate, **fields: Any) -> Record:
    return Record(
        number=candidate.number,
        params=candidate.params,
        n_parameters=candidate.n_parameters,
        versions=versions_of("torch", "numpy", "optuna"),
        **candidate.notes,
        **describe(candidate.wiring, candidate.params.get("attachment")),
        **fields,
    )
