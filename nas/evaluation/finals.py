"""The end of a campaign: finalists trained afresh, the winner and its references tested once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from nas.evaluation.references import Contender, dense_of_equal_size, references
from nas.evaluation.threads import result_of
from nas.evaluation.trainer import Assessment, Trainer
from nas.evaluation.watcher import Watcher
from nas.networks import NetworkSpec
from nas.seeds import stream
from nas.store.records import summary_of
from nas.training import Training
from nas.training.session import sign_of
from priors import Wiring

__all__ = ["FRESH", "Finals", "Standing", "run_finals"]

FRESH = 1_000_000
"""First replicate number of the finals, beyond every replicate that a search uses."""


@dataclass(frozen=True)
class Standing:
    """A network's result over fresh seeds.

    Parameters
    ----------
    name : str
    trial : int or None
        The trial that it comes from; None for a reference.
    n_parameters : int
    n_edges : int
        Between hidden neurons.
    learning_rate : float
        The best rung by mean validation metric.
    validation, test : tuple of float
        Metrics by seed. Finalists that did not win have no test, unless they are of a front.
    """

    name: str
    trial: int | None
    n_parameters: int
    n_edges: int
    learning_rate: float
    validation: tuple[float, ...]
    test: tuple[float, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return mean, standard deviation (n - 1) and seeds of the test, mean validation, size and learning rate."""
        return {
            "name": self.name,
            **summary_of(self.test),
            "validation": fmean(self.validation),
            "n_parameters": self.n_parameters,
            "n_edges": self.n_edges,
            "learning_rate": self.learning_rate,
        }


@dataclass(frozen=True)
class Finals:
    """What the finals found.

    Parameters
    ----------
    winner : Standing
    wiring : Wiring
        The winner's.
    training : Training
        The winner's training that did best on validation, the first of them under ties.
    finalists : tuple of Standing
        All of them, best first; tested where they are of a front.
    references : tuple of Standing
        Of the winner.
    dense : mapping
        Of a front, dense networks with as many parameters as the smallest, the middle and the largest finalist, by the
        trial of that one.
    """

    winner: Standing
    wiring: Wiring
    training: Training
    finalists: tuple[Standing, ...]
    references: tuple[Standing, ...]
    dense: Mapping[int, Standing] = field(default_factory=dict)


def run_finals(
    trainer: Trainer,
    candidates: Sequence[tuple[int, Wiring]],
    *,
    n_seeds: int,
    executor: Executor,
    watcher: Watcher,
    on_front: bool = False,
) -> Finals:
    """Train the finalists with fresh seeds, choose the winner by mean validation, and test it beside its references.

    Parameters
    ----------
    trainer : Trainer
    candidates : sequence of (trial number, Wiring)
        The best candidates of the search, best first; those of a front by ascending size.
    n_seeds : int
        Trainings per network and rung of the ladder.
    executor : Executor
        Runs the trainings.
    watcher : Watcher
        Hears of both stages, finalists and references, and of every training.
    on_front : bool
        Whether the finalists are a front: then all of them are tested, once, and three dense networks beside them.
    """
    finalists = [Contender(f"trial {number}", wiring, trainer.spec) for number, wiring in candidates]
    assessed = _assess_all(trainer, "finalists", finalists, n_seeds, executor, watcher)
    sign = sign_of(trainer.task.direction)
    order = sorted(range(len(candidates)), key=lambda index: -sign * assessed[index].value)
    best = order[0]
    trial, wiring = candidates[best]
    rivals = references(wiring, trainer.spec, stream(trainer.seed, "wiring", wiring.fingerprint))
    dense = _dense_beside(candidates, trial, trainer.spec) if on_front else {}
    others = [*rivals, *dense.values()]
    assessed_others = _assess_all(trainer, "references", others, n_seeds, executor, watcher)
    tested = [_standing(*pair, tested=True) for pair in zip(others, assessed_others, strict=True)]
    standings = [_standing(finalists[i], assessed[i], candidates[i][0], tested=on_front) for i in order]
    return Finals(
        winner=standings[0] if on_front else _standing(finalists[best], assessed[best], trial, tested=True),
        wiring=wiring,
        training=max(assessed[best].trainings, key=lambda training: sign * training.history.value),
        finalists=tuple(standings),
        references=tuple(tested[: len(rivals)]),
        dense=dict(zip(dense, tested[len(rivals) :], strict=True)),
    )


def _dense_beside(candidates: Sequence[tuple[int, Wiring]], winner: int, spec: NetworkSpec) -> dict[int, Contender]:
    """Return dense networks beside the smallest, the middle and the largest of a front, by trial.

    The winner's is among its references already.
    """
    chosen = dict((candidates[0], candidates[len(candidates) // 2], candidates[-1]))
    found = {trial: dense_of_equal_size(wiring, spec) for trial, wiring in chosen.items() if trial != winner}
    return {trial: dense for trial, dense in found.items() if dense is not None}


def _assess_all(
    trainer: Trainer, stage: str, networks: Sequence[Contender], n_seeds: int, executor: Executor, watcher: Watcher
) -> list[Assessment]:
    plan = trainer.plan(range(FRESH, FRESH + n_seeds))
    watcher.stage_started(stage, len(plan) * len(networks))
    waiting = [[executor.submit(trainer.train, own.wiring, *step, spec=own.spec) for step in plan] for own in networks]
    assessed = []
    for futures in waiting:
        trainings = []
        for future in futures:
            trainings.append(result_of(future))
            watcher.trained()
        assessed.append(trainer.assess(trainings))
    return assessed


def _standing(network: Contender, assessment: Assessment, trial: int | None = None, *, tested: bool) -> Standing:
    return Standing(
        name=network.name,
        trial=trial,
        n_parameters=network.spec.n_parameters(network.wiring)["total"],
        n_edges=network.wiring.hidden.n_edges,
        learning_rate=assessment.learning_rate,
        validation=tuple(training.history.value for training in assessment.trainings),
        test=tuple(training.test() for training in assessment.trainings) if tested else (),
    )
