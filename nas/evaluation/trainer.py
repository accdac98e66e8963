"""From a candidate to a value: by training its network, or by the user's own callable."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import TYPE_CHECKING, Any, Protocol, cast

from nas.errors import CampaignError
from nas.failures import failure_of
from nas.networks import NetworkSpec
from nas.networks.structure import n_parameters, wiring_of
from nas.samplers.proposer import Candidate
from nas.seeds import stream
from nas.space.way import PLAIN, Way
from nas.sparsity.compact import compact
from nas.sparsity.learning import learn
from nas.sparsity.shuffle import redraw
from nas.store.records import Record, describe, versions_of
from nas.tasks.pooling import pooled
from nas.tasks.statistics import inputs_of
from nas.training import Interrupted, Recipe, StopFlag, Training, begin_wiring
from nas.training.session import sign_of
from nas.training.train import engine_for, spec_for, trained
from priors import Wiring

if TYPE_CHECKING:
    from nas.networks.structure import Network
    from nas.tasks import Task

__all__ = [
    "FAILURES_IN_A_ROW",
    "Assessment",
    "Attempts",
    "Evaluation",
    "OwnEvaluation",
    "OwnFunction",
    "Times",
    "TrainedEvaluation",
    "Trainer",
    "attempt",
    "replicates_of",
]

_ATTEMPTS = 3
_LEARNED = 4.0
"""How many times as long a training takes that learns its structure, of MLPs of 1,000 parameters."""
_SECONDS_PER_NUMBER = {"native": 1.3e-10, "torch": 4e-9}
"""For each example, time step and parameter, by engine."""
_SECONDS_PER_TANH, _SECONDS_PER_EDGE = 5e-9, 5e-10
"""For each example and time step of a reservoir, and neuron or edge."""

FAILURES_IN_A_ROW = 10
"""Candidates that may fail one after another before a search gives up."""


class Evaluation(Protocol):
    """What gives candidates their values."""

    def __call__(self, candidate: Candidate) -> Mapping[str, Any]:
        """Return fields of the candidate's Record, `value` among them; its state is complete unless given."""


@dataclass(frozen=True)
class Assessment:
    """Trainings of one wiring: every rung of the ladder with every replicate.

    `trainings` are those of the best rung, one a replicate, and `everything` those of all rungs; `ladder` is the mean
    validation metric by learning rate.
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


@dataclass(frozen=True)
class Trainer:
    """Trains wirings on a task, all of them in the same way.

    Initial weights and the order of the examples are drawn by (seed, fingerprint, replicate), so that no result
    depends on what else is trained, when, or on which thread. What `train` returns has weights of `precision` bits.
    """

    task: Task
    spec: NetworkSpec
    recipe: Recipe
    seed: int
    engine: str = "auto"
    device: str = "cpu"
    stop: StopFlag | None = None
    precision: int = 32

    def train(
        self,
        wiring: Wiring,
        replicate: int,
        learning_rate: float,
        spec: NetworkSpec | None = None,
        way: Way = PLAIN,
    ) -> Training:
        """Train the network of one wiring, whose structure changes meanwhile where the way says so."""
        return self._train(wiring, replicate, learning_rate, spec, way).rounded(self.precision, self.engine)

    def _train(
        self, wiring: Wiring, replicate: int, learning_rate: float, spec: NetworkSpec | None, way: Way
    ) -> Training:
        if way.method is None:
            return self.begin(wiring, replicate, learning_rate, spec, way.pool).run()
        learned = self._learn(wiring, replicate, learning_rate, spec or self.spec, way)
        if way.keeps is None:
            return learned
        rng = stream(self.seed, "structure", learned.wiring.fingerprint, replicate)
        redrawn = redraw(learned.wiring, way.keeps, rng, inputs_of(learned.task).live)
        training = self._train(redrawn, replicate, learning_rate, spec, Way(pool=way.pool))
        return training.after(learned)

    def begin(
        self,
        wiring: Wiring,
        replicate: int,
        learning_rate: float,
        spec: NetworkSpec | None = None,
        pool: int = 1,
    ) -> Training:
        """Open the training that `train` runs to its end; without a method, a rate is a rung of the recipe's ladder."""
        keys = (wiring.fingerprint, replicate)
        if self.recipe.is_read_out:
            from nas.reservoirs import begin_read_out

            return begin_read_out(
                wiring,
                spec or self.spec,
                self.task,
                self.recipe,
                radius=learning_rate,
                rng=stream(self.seed, "weights", *keys),
                engine=self.engine,
                stop=self.stop,
                replicate=replicate,
            )
        return begin_wiring(
            wiring,
            spec or self.spec,
            pooled(self.task, pool),
            self.recipe,
            learning_rate=learning_rate,
            weights=stream(self.seed, "weights", *keys),
            batches=stream(self.seed, "batches", *keys),
            engine=self.engine,
            device=self.device,
            stop=self.stop,
            replicate=replicate,
        )

    def _learn(self, wiring: Wiring, replicate: int, learning_rate: float, spec: NetworkSpec, way: Way) -> Training:
        """Train a network while a method changes its structure."""
        keys, task = (wiring.fingerprint, replicate), pooled(self.task, way.pool)
        spec = spec_for(spec, task)
        network = spec.build(wiring, stream(self.seed, "weights", *keys)).to(self.device)
        assert way.method is not None
        assert way.limit is not None
        parts = n_parameters(cast("Network", network))
        # A network within the limit keeps all that it has.
        total = parts["total"] if way.counts_biases else parts["total"] - parts["biases"]
        learned = learn(
            network,
            task,
            self.recipe,
            way.method,
            parameters=min(way.limit, total),
            count_biases=way.counts_biases,
            learning_rate=learning_rate,
            rng=stream(self.seed, "batches", *keys),
            engine=self.engine,
            stop=self.stop,
            threads=1,
        )
        found = compact(cast("Network", network))
        return trained(
            found,
            wiring_of(found).replace(weights=None),
            spec,
            task,
            learned.history,
            learning_rate=learning_rate,
            replicate=replicate,
            engine=self.engine,
        )

    def effort(self, assessment: Assessment, candidate: Candidate) -> dict[str, Any]:
        """Return the fields of a Record that say how much was trained.

        The expected seconds are those of a common machine, by the arithmetic of all updates.
        """
        histories = [training.history for training in assessment.everything]
        steps = sum(history.steps for history in histories)
        lengths = self.task.lengths
        length = 1.0 if lengths is None else float(lengths.double().mean())
        engine = engine_for(self.engine, self.device, self.spec)
        if self.recipe.is_read_out:
            wiring = candidate.wiring
            a_time_step = _SECONDS_PER_TANH * wiring.n_hidden + _SECONDS_PER_EDGE * wiring.n_edges
            expected = steps * len(self.task.inputs) * length * a_time_step
        else:
            # A network that is pruned is as large as its parent at first.
            size = fmean((candidate.n_parameters, self.spec.n_parameters(candidate.wiring)["total"]))
            numbers = steps * self.recipe.batch_size * length * size
            times = 1.0 if candidate.way.method is None else _LEARNED
            expected = times * _SECONDS_PER_NUMBER[engine] * numbers
        return {
            "diverged": sum(history.diverged for history in histories),
            "steps": steps,
            "seconds": math.fsum(history.seconds for history in histories),
            "engine": histories[0].engine,
            "expected_seconds": expected,
        }

    def plan(self, replicates: Sequence[int], way: Way = PLAIN) -> list[tuple[int, float]]:
        """Return the (replicate, learning rate) pairs that an assessment trains."""
        rates = self.recipe.ladder if way.learning_rate is None else (way.learning_rate,)
        return [(replicate, rate) for rate in rates for replicate in replicates]

    def assess(self, trainings: Sequence[Training]) -> Assessment:
        """Find the best rung of the trainings of one wiring; ties go to the first rung."""
        ladder: dict[float, float] = {}
        for rate in dict.fromkeys(training.learning_rate for training in trainings):
            values = [training.history.value for training in trainings if training.learning_rate == rate]
            ladder[rate] = fmean(values)
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
        plan = self.trainer.plan(replicates_of(candidate, self.replicates), candidate.way)
        trainings, way = [], candidate.way
        for step in plan:
            if way.method is None:
                training = self.trainer.begin(candidate.wiring, *step, pool=way.pool)
                training.session.run()
                trainings.append(training.ended())
            else:
                trainings.append(self.trainer.train(candidate.wiring, *step, way=way))
        assessment = self.trainer.assess(trainings)
        found = {**assessment.merit, **self.trainer.effort(assessment, candidate)}
        if candidate.way.method is not None:
            found |= self._learned(assessment)
        return found

    def _learned(self, assessment: Assessment) -> dict[str, Any]:
        """Return the fields of a Record that say what the structure of the best training became."""
        sign = sign_of(self.trainer.task.direction)
        best = max(assessment.trainings, key=lambda training: sign * training.history.value)
        return {**describe(best.wiring), "n_parameters": best.spec.n_parameters(best.wiring)["total"]}


OwnFunction = Callable[[Wiring, Mapping[str, Any]], float]
"""From a wiring and the parameters that it was drawn from to its value."""


@dataclass(frozen=True)
class OwnEvaluation:
    """A candidate is worth what the user's callable says."""

    function: OwnFunction

    def __call__(self, candidate: Candidate) -> Mapping[str, Any]:
        """Call the function; see `Evaluation`."""
        started = time.perf_counter()
        value = float(self.function(candidate.wiring, dict(candidate.params)))
        if not math.isfinite(value):
            raise ValueError(f"the evaluation returned {value}: a finite number is needed")
        return {"value": value, "values": (value,), "engine": "own", "seconds": time.perf_counter() - started}


Times = tuple[datetime, datetime]
"""When a trial began and ended."""


def attempt(
    candidate: Candidate, evaluation: Evaluation, stop: StopFlag, times: dict[int, Times] | None = None
) -> Record:
    """Evaluate a candidate, at most three times, and return its record; a failure is recorded, not raised.

    When it began and ended, by the clock on the wall, comes to stand in `times`, by its number.

    Raises
    ------
    Interrupted
        If the stop flag is set.
    CampaignError
        If the system refuses what a training needs, see `Attempts`.
    """
    began = time.monotonic()
    outcome: dict[str, Any] = {}
    attempts = Attempts(stop, f"trial {candidate.number}", is_own=isinstance(evaluation, OwnEvaluation))
    for once in attempts:
        with once:
            outcome = dict(evaluation(candidate))
    if times is not None:
        ended = datetime.now()  # Optuna's trials hold local time.
        times[candidate.number] = (ended - timedelta(seconds=time.monotonic() - began), ended)
    if attempts.error is not None:
        return _record(candidate, state="failed", value=None, attempts=attempts.count, error=attempts.error)
    return _record(candidate, **{"state": "complete", **outcome}, attempts=attempts.count)


class Attempts:
    """Up to three attempts: ``for once in attempts: with once: ...`` ends after the first that raises nothing.

    Parameters
    ----------
    stop : StopFlag, optional
        Looked at before every attempt, which then raises `Interrupted`.
    what : str
        What is attempted, for messages.
    is_own : bool
        Whether the user's function is called, whose failures are all its own. Else an attempt for which there is no
        memory, or no file, says nothing of what was attempted: the last one raises `CampaignError`, so that no result
        depends on what else the machine did.

    Attributes
    ----------
    count : int
        Attempts so far.
    error : str or None
        Why the last one failed, in one line.
    """

    def __init__(self, stop: StopFlag | None, what: str, *, is_own: bool = False) -> None:
        self._stop, self._what, self._is_own = stop, what, is_own
        self.count = 0
        self.error: str | None = None

    def __iter__(self) -> Iterator[Attempts]:
        while self.count == 0 or (self.error is not None and self.count < _ATTEMPTS):
            if self._stop is not None and self._stop.is_set():
                raise Interrupted(f"stopped before {self._what} was done")
            self.count, self.error = self.count + 1, None
            yield self

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception) or isinstance(error, Interrupted):
            return False
        if self.count == _ATTEMPTS and not self._is_own and (failure := failure_of(error)) is not None:
            raise CampaignError(f"{self._what}: {failure.line}") from error
        self.error = " ".join("".join(traceback.format_exception_only(error)).split())
        return True


def _record(candidate: Candidate, **fields: Any) -> Record:
    known = {
        "n_parameters": candidate.n_parameters,
        "versions": versions_of("torch", "numpy", "optuna"),
        **candidate.notes,
        **describe(candidate.wiring, candidate.params.get("attachment")),
        **fields,
    }
    return Record(number=candidate.number, params=candidate.params, **known)
