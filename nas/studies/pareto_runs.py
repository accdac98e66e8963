"""Searches for accurate and small networks on digits, with four samplers and equally many trainings.

Runs are written one by one, so that a study goes on where it was interrupted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean

import numpy as np
import optuna
from numpy.typing import NDArray

from nas.evaluation.finals import FRESH
from nas.evaluation.threads import one_torch_thread
from nas.evaluation.trainer import Assessment, Trainer
from nas.networks import NetworkSpec
from nas.options.options import CampaignOptions, resolve
from nas.options.resolve import plain_options
from nas.samplers.acquisition import front_of, hypervolume
from nas.samplers.proposer import Candidate, Proposer
from nas.space.space import without_draws
from nas.store.lines import added_to, kept_lines
from nas.store.records import Record
from nas.studies.tables import Watch
from nas.tasks import Task, load_task
from priors import Wiring

__all__ = ["ARMS", "CHANCE", "FRESH_SEEDS", "START", "Run", "Setting", "checkpoints", "pareto_runs"]

ARMS = ("structural", "nsga2", "tpe", "random")
"""Samplers that are compared."""
START = 10
"""Trainings that all arms of a seed have in common."""
CHANCE = 0.1
"""Accuracy of the reference point."""
FRESH_SEEDS = 3
"""Trainings at every learning rate, with fresh seeds, that tell the true value of a wiring: its mean test accuracy."""
TESTED_EVERY = 10
"""Trainings after which the front is measured by true values."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """What all runs have in common."""

    task: Task
    options: CampaignOptions

    @classmethod
    def of(cls, trainings: int) -> Setting:
        """Return the setting of a study: digits, natural attachment, sizes that vary."""
        task = load_task("digits")
        given = {"objective": "pareto", "trials": trainings, "space": {"attachment": ("natural",)}}
        return cls(task, resolve(plain_options(given, task)))

    @cached_property
    def spec(self) -> NetworkSpec:
        """How wirings become networks."""
        return NetworkSpec(self.options.network, activation=self.options.activation)

    @cached_property
    def largest(self) -> int:
        """No network of the space has more parameters: all neurons read all inputs, and all outputs read all of them.

        That is never so where there are edges between neurons as well.
        """
        space, task = self.options.space, self.task
        n = space.nodes[1]
        edges = (n * task.n_inputs, math.ceil(n * space.degree[1] / 2), n * task.n_outputs)
        return self.spec.count_parameters(edges, n, task.n_outputs)["total"]

    def trainer(self, seed: int) -> Trainer:
        """Return what trains all candidates of a seed: the same wiring gets the same value in every arm."""
        return Trainer(self.task, self.spec, self.options.recipe, seed)

    def proposer(self, arm: str, seed: int) -> Proposer:
        """Return what asks the sampler of an arm."""
        return Proposer(
            self.options.resolved_space,
            sampler=arm,
            seed=seed,
            direction="maximize",
            n_inputs=self.task.n_inputs,
            n_outputs=self.task.n_outputs,
            size_of=lambda wiring: self.spec.n_parameters(wiring)["total"],
            by_size=True,
            # The structural sampler learns from every trial, however long that takes.
            steering={"startup": START, "share": None},
        )


@dataclass(frozen=True)
class Run:
    """A search; everything but its arm and seed by training.

    Parameters
    ----------
    arm : str
    seed : int
    sizes : sequence of int
        Parameters.
    values : sequence of float
        Validation accuracies.
    truths : sequence of float or None
        Mean test accuracies with fresh seeds; None for what was on the front at no checkpoint.
    origins : sequence of str
        Where candidates came from.
    """

    arm: str
    seed: int
    sizes: Sequence[int]
    values: Sequence[float]
    truths: Sequence[float | None]
    origins: Sequence[str]

    def front(self, after: int | None = None) -> NDArray[np.int64]:
        """Return the trainings on the front after so many, by size."""
        return front_of(np.array(self.values[:after]), np.array(self.sizes[:after], dtype=np.float64))

    def observed(self, after: int, largest: int) -> float:
        """Return the hypervolume of validation accuracies after so many trainings."""
        sizes = np.array(self.sizes[:after], dtype=np.float64)
        return hypervolume(np.array(self.values[:after]), sizes, (CHANCE, largest))

    def true(self, after: int, largest: int) -> float:
        """Return the hypervolume of the true values of those that are on the front after so many trainings."""
        return hypervolume(*self.true_front(after), (CHANCE, largest))

    def true_front(self, after: int) -> tuple[Floats, Floats]:
        """Return true values and sizes of what is on the front at a checkpoint."""
        kept = self.front(after).tolist()
        truths = np.array([self.truths[index] for index in kept], dtype=np.float64)
        return truths, np.array([self.sizes[index] for index in kept], dtype=np.float64)


def checkpoints(trainings: int) -> tuple[int, ...]:
    """Return after how many trainings fronts are measured by true values."""
    return (*range(START, trainings, TESTED_EVERY), trainings)


def pareto_runs(path: Path, seeds: int, trainings: int, watch: Watch) -> tuple[dict[str, list[Run]], Setting]:
    """Search with every arm and seed, and return the runs by arm; those that are lines of a file are read from it."""
    setting = Setting.of(trainings)
    stored = [Run(**line) for line in kept_lines(path)]
    known = {(run.arm, run.seed): run for run in stored if len(run.sizes) == trainings}
    with one_torch_thread():
        for seed in range(seeds):
            missing = [arm for arm in ARMS if (arm, seed) not in known]
            if not missing:
                continue
            watch(f"seed {seed} of {seeds}")
            for run in _searched(setting, seed, missing):
                known[run.arm, run.seed] = run
                with added_to(path) as file:
                    file.write(json.dumps(asdict(run)) + "\n")
    return {arm: [known[arm, seed] for seed in range(seeds)] for arm in ARMS}, setting


@dataclass(frozen=True)
class _Trained:
    candidate: Candidate
    record: Record


def _searched(setting: Setting, seed: int, arms: Sequence[str]) -> Iterator[Run]:
    """Search with several arms that begin with the same trainings."""
    trainer = setting.trainer(seed)
    first = setting.proposer("structural", seed)
    begun = [_trained(trainer, first.propose(number)) for number in range(START)]
    for arm in arms:
        proposer = setting.proposer(arm, seed)
        for trained in begun:
            proposer.remember(_as_trial(trained, with_draws=arm == "structural"))
        done = list(begun)
        assert setting.options.trials is not None
        for number in range(START, setting.options.trials):
            done.append(_trained(trainer, proposer.propose(number)))
            proposer.tell(done[-1].record)
        yield _run(trainer, arm, seed, done)


def _trained(trainer: Trainer, candidate: Candidate) -> _Trained:
    """Train a candidate as a campaign does."""
    record = Record(
        candidate.number,
        "complete",
        _assess(trainer, candidate.wiring, range(1)).value,
        candidate.params,
        n_parameters=candidate.n_parameters,
        origin=str(candidate.notes.get("origin", "")),
    )
    return _Trained(candidate, record)


def _run(trainer: Trainer, arm: str, seed: int, done: Sequence[_Trained]) -> Run:
    """Return a search with the true values of all that were on its front at a checkpoint."""
    sizes = [trained.candidate.n_parameters for trained in done]
    values = [float(trained.record.value or 0.0) for trained in done]
    run = Run(arm, seed, sizes, values, [None] * len(done), [trained.record.origin for trained in done])
    needed = {index for after in checkpoints(len(done)) for index in run.front(after).tolist()}
    wirings = [trained.candidate.wiring for trained in done]
    truths = [_truth(trainer, wiring) if index in needed else None for index, wiring in enumerate(wirings)]
    return replace(run, truths=truths)


def _truth(trainer: Trainer, wiring: Wiring) -> float:
    """Train with fresh seeds at all rungs, as finals do, and test at the best rung on validation."""
    assessment = _assess(trainer, wiring, range(FRESH, FRESH + FRESH_SEEDS))
    return fmean(training.test() for training in assessment.trainings)


def _assess(trainer: Trainer, wiring: Wiring, replicates: range) -> Assessment:
    return trainer.assess([trainer.train(wiring, *step) for step in trainer.plan(replicates)])


def _as_trial(trained: _Trained, *, with_draws: bool) -> optuna.trial.FrozenTrial:
    """Return a training as a trial; samplers that know nothing of wirings get the parameters that they search alone."""
    params, distributions = (
        dict(given) if with_draws else without_draws(given)
        for given in (trained.candidate.params, trained.candidate.distributions)
    )
    trial = optuna.create_trial(values=trained.record.objectives, params=params, distributions=distributions)
    trial.number = trained.candidate.number
    return trial
