"""Measurement of a workload: a check that all contenders train the same network, then interleaved timings of them.

Times are process CPU time, so that other work on the machine counts as little as possible and helper threads count in
full. Contenders take turns, and ratios are taken within a turn, so that a change of the clock rate meets all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.inputs import BATCH
from benchmarks.workload import Target, Workload
from benchmarks.workloads import ONE_AT_A_TIME, POPULATIONS
from nas.training.extension import extension, instruction_set

__all__ = ["NATIVE", "Effort", "Quartiles", "Result", "Verdict", "measure"]

NATIVE = "native"
PEAK_ROUNDS = 500_000
N_WARM = 2
FIRST_LOSS, FIRST_EPOCH_LOSS, ACCURACY = 1e-5, 1e-3, 0.03
"""Largest differences from the compiled engine: of losses relative, of the mean accuracy over all rounds absolute."""


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds, and about how many seconds a contender's turn takes."""

    rounds: int = 15
    seconds: float = 0.05


@dataclass(frozen=True)
class Quartiles:
    """Median and quartiles over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Quartiles:
        """Return those of some values."""
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
        return cls(median, low, high)


@dataclass(frozen=True)
class Verdict:
    """A target and what was reached; `met` says whether that is enough."""

    what: str
    bound: float
    value: float
    met: bool


@dataclass(frozen=True)
class Result:
    """What was measured of a workload.

    Attributes
    ----------
    workload : Workload
    seconds : mapping
        A unit's CPU time by contender; of a population, each candidate's share.
    ratios : mapping
        How many times as long as the compiled engine a contender takes.
    peak : float
        Floating-point operations a second of one core, measured in the same rounds.
    differences : mapping
        From the compiled engine in the loss of the first batch and, where the parameters are the same ones, of the
        first four batches together; by contender, relative.
    accuracies : mapping
        On the test part, means over all candidates, where these were evaluated.
    """

    workload: Workload
    seconds: dict[str, Quartiles]
    ratios: dict[str, Quartiles]
    peak: float
    differences: dict[str, tuple[float, ...]]
    accuracies: dict[str, float]

    @property
    def floor(self) -> float:
        """Seconds that the arithmetic alone takes at the peak."""
        return self.workload.floor_operations() / self.peak

    @property
    def times_floor(self) -> float:
        """How many times its floor the compiled engine takes."""
        return self.seconds[NATIVE].median / self.floor

    def fastest(self, names: Sequence[str]) -> str | None:
        """Return the fastest contender among those of the names, None if there is none."""
        return min(set(names) & set(self.ratios), key=lambda name: self.ratios[name].median, default=None)

    @property
    def best(self) -> dict[str, str | None]:
        """The fastest one-at-a-time contender and the fastest population."""
        return {"one at a time": self.fastest(ONE_AT_A_TIME), "population": self.fastest(POPULATIONS)}

    def verdicts(self) -> list[Verdict]:
        """Return what became of the workload's targets."""
        edges = self.workload.wiring(0).n_edges
        return [self._verdict(target) for target in self.workload.targets if edges >= target.min_edges]

    def _verdict(self, target: Target) -> Verdict:
        if target.kind == "floor":
            return Verdict("x of floor", target.bound, self.times_floor, self.times_floor <= target.bound)
        if target.kind == "rate":
            rate = 60 / self.seconds[NATIVE].median
            return Verdict("candidates/min", target.bound, rate, rate >= target.bound)
        name = self.fastest(target.against)
        assert name is not None
        ratio = self.ratios[name].median
        return Verdict(f"x {target.label}", target.bound, ratio, ratio >= target.bound)


def measure(workload: Workload, effort: Effort) -> Result:
    """Check and time a workload.

    Raises
    ------
    ValueError
        If a contender does not train the network that the compiled engine trains.
    """
    contenders = {name: CONTENDERS[name] for name in (NATIVE, *workload.contenders)}
    differences = {name: _compare(workload, name) for name in workload.contenders}
    accuracies: dict[str, list[float]] = {}
    if workload.unit == "candidate":
        accuracies = {name: [] for name in contenders}
        turns = {
            name: _candidate_turn(workload, contender, effort.seconds, accuracies[name])
            for name, contender in contenders.items()
        }
    else:
        turns = {name: _step_turn(workload, contender, effort.seconds) for name, contender in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    peaks = []
    for _ in range(effort.rounds):
        peaks.append(_peak())
        for name, turn in turns.items():
            times[name].append(turn())
    ratios = {name: np.divide(times[name], times[NATIVE]).tolist() for name in workload.contenders}
    return Result(
        workload,
        {name: Quartiles.of(values) for name, values in times.items()},
        {name: Quartiles.of(values) for name, values in ratios.items()},
        Quartiles.of(peaks).median,
        differences,
        _checked({name: float(np.mean(values)) for name, values in accuracies.items()}),
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _peak() -> float:
    started = time.process_time()
    multiply_adds: float = extension().peak(instruction_set(), PEAK_ROUNDS)
    return 2 * multiply_adds / (time.process_time() - started)


# Timing


def _step_turn(workload: Workload, contender: Contender, seconds: float) -> Callable[[], float]:
    """Return a function that opens a training, makes updates, and says how long one takes."""
    task, recipe = workload.task(), workload.recipe
    most = recipe.epochs * len(task.train) // BATCH - N_WARM

    def turn(n_steps: int) -> float:
        # Always a fresh training: late in a long one, numbers become so small that they are slow to handle.
        trainer = contender.open(workload, task, recipe, 0)
        trainer.run(N_WARM)
        return _seconds(lambda: trainer.run(n_steps)) / n_steps

    n_steps = min(max(int(seconds / turn(N_WARM)), 2), most)
    return lambda: turn(n_steps) / contender.n_candidates


def _candidate_turn(
    workload: Workload, contender: Contender, seconds: float, accuracies: list[float]
) -> Callable[[], float]:
    """Return a function that makes candidates from start to end, and says how long one takes."""
    contender.candidate(workload, 0)
    calls = max(int(seconds / _seconds(lambda: contender.candidate(workload, 0))), 1)
    seeds = count(step=contender.n_candidates)

    def turn() -> None:
        accuracies.extend([contender.candidate(workload, next(seeds)) for _ in range(calls)])

    return lambda: _seconds(turn) / (calls * contender.n_candidates)


# Checks


def _compare(workload: Workload, name: str) -> tuple[float, ...]:
    contender = CONTENDERS[name]
    found = [_relative(workload, contender, n_batches) for n_batches in (1, 4)]
    if not contender.one_bias and workload.spec.kind == "rnn":
        found.pop()
    for difference, limit in zip(found, (FIRST_LOSS, FIRST_EPOCH_LOSS), strict=False):
        if not difference <= limit:
            raise ValueError(f"{workload.name}: the loss of {name} differs from native's by {difference:.1e} > {limit}")
    return tuple(found)


def _relative(workload: Workload, contender: Contender, n_batches: int) -> float:
    whole = workload.task()
    task = replace(whole, train=whole.train[: n_batches * BATCH])
    recipe = workload.recipe.model_copy(update={"epochs": 1})

    def loss(contender: Contender, seed: int) -> float:
        trainer = contender.open(workload, task, recipe, seed)
        trainer.run(n_batches)
        return trainer.train_loss()

    native = np.mean([loss(CONTENDERS[NATIVE], seed) for seed in range(contender.n_candidates)])
    return float(abs(loss(contender, 0) - native) / native)


def _checked(accuracies: dict[str, float]) -> dict[str, float]:
    for name, accuracy in accuracies.items():
        if abs(accuracy - accuracies[NATIVE]) > ACCURACY:
            raise ValueError(f"{name} reaches an accuracy of {accuracy:.3f}, native one of {accuracies[NATIVE]:.3f}")
    return accuracies
