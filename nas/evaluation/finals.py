"""The end of a campaign: finalists trained afresh, the winner and its references tested once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from nas.evaluation.references import RETRAINED, Contender, dense_of_equal_size, references
from nas.evaluation.rivals import Rival, structures_of
from nas.evaluation.threads import result_of
from nas.evaluation.trainer import Assessment, Trainer
from nas.evaluation.watcher import Watcher
from nas.networks import NetworkSpec
from nas.seeds import stream
from nas.space.way import PLAIN, Way
from nas.store.records import summary_of
from nas.training import Training
from nas.training.session import sign_of
from priors import Wiring

__all__ = ["FRESH", "Finals", "Standing", "run_finals"]

FRESH = 1_000_000
"""First replicate number of the finals, beyond every replicate that a search uses."""

REDRAWN = 20
"""Networks that are drawn anew with the degrees of a winner, and as many with its counts."""

_CHOOSING = 2_000_000
"""Replicate of the trainings that choose references; none of them counts."""


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
    tried : int
        Of a reference, from how many networks and learning rates it was chosen.
    unrounded : tuple of float
        The validation metrics before weights were rounded, where they were.
    """

    name: str
    trial: int | None
    n_parameters: int
    n_edges: int
    learning_rate: float
    validation: tuple[float, ...]
    test: tuple[float, ...] = ()
    tried: int = 1
    unrounded: tuple[float, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return mean, standard deviation (n - 1) and seeds of the test, mean validation, size and learning rate.

        Where they say something, also of how many networks it was chosen, and mean validation before weights were
        rounded.
        """
        return {
            "name": self.name,
            **summary_of(self.test),
            "validation": fmean(self.validation),
            "n_parameters": self.n_parameters,
            "n_edges": self.n_edges,
            "learning_rate": self.learning_rate,
            **({"tried": self.tried} if self.tried > 1 else {}),
            **({"unrounded": fmean(self.unrounded)} if self.unrounded else {}),
        }


@dataclass(frozen=True)
class Finals:
    """What the finals found.

    Parameters
    ----------
    winner : Standing
    training : Training
        The winner's training that did best on validation, the first of them under ties.
    finalists : tuple of Standing
        All of them, best first; tested where they are of a front.
    references : tuple of Standing
        Of the winner.
    dense : mapping
        Of a front, dense networks with as many parameters as the smallest, the middle and the largest finalist, by the
        trial of that one.
    pool : int
        Side of the squares of pixels whose means the winner reads, 1 for pixels.
    """

    winner: Standing
    training: Training
    finalists: tuple[Standing, ...]
    references: tuple[Standing, ...]
    dense: Mapping[int, Standing] = field(default_factory=dict)
    pool: int = 1

    @property
    def wiring(self) -> Wiring:
        """The winner's, as it is after the training that did best."""
        return self.training.wiring


def run_finals(
    trainer: Trainer,
    candidates: Sequence[tuple[int, Wiring]],
    *,
    n_seeds: int,
    executor: Executor,
    watcher: Watcher,
    on_front: bool = False,
    ways: Mapping[int, Way] | None = None,
    others: Sequence[Rival] | None = None,
    choosing: Trainer | None = None,
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
    ways : mapping, optional
        How candidates come by their structure, by the number of the trial, where they have not got it from the start.
    others : sequence of Rival, optional
        What stands beside the winner, in place of its references; networks that share with it what its structure is
        then stand there too.
    choosing : Trainer, optional
        Trains what these are chosen from, in place of `trainer`: for as long as the candidates of the search.
    """
    own_way = ways or {}
    finalists = [
        Contender(f"trial {number}", wiring, trainer.spec, own_way.get(number, PLAIN)) for number, wiring in candidates
    ]
    assessed = _assess_all(trainer, "finalists", finalists, n_seeds, executor, watcher)
    sign = sign_of(trainer.task.direction)
    order = sorted(range(len(candidates)), key=lambda index: -sign * assessed[index].value)
    best = order[0]
    training = max(assessed[best].trainings, key=lambda training: sign * training.history.value)
    standings = [_standing(finalists[i], assessed[i], candidates[i][0], tested=on_front) for i in order]
    winner = standings[0] if on_front else _standing(finalists[best], assessed[best], candidates[best][0], tested=True)
    dense: Mapping[int, Standing] = {}
    if others is not None:
        beside = _test_rivals(choosing or trainer, trainer, others, n_seeds, executor, watcher)
        beside += _test_structures(trainer, training, finalists[best].way, n_seeds, executor, watcher)
    else:
        beside, dense = _test_references(trainer, candidates, best, n_seeds, executor, watcher, on_front=on_front)
    pool = finalists[best].way.pool
    return Finals(winner, training, tuple(standings), tuple(beside), dense, pool)


def _test_references(
    trainer: Trainer,
    candidates: Sequence[tuple[int, Wiring]],
    best: int,
    n_seeds: int,
    executor: Executor,
    watcher: Watcher,
    *,
    on_front: bool,
) -> tuple[list[Standing], Mapping[int, Standing]]:
    """Return the references of the best candidate, and dense networks beside those of a front, by trial."""
    trial, wiring = candidates[best]
    rivals = references(wiring, trainer.spec, stream(trainer.seed, "wiring", wiring.fingerprint))
    dense = _dense_beside(candidates, trial, trainer.spec) if on_front else {}
    tested = _test_all(trainer, [*rivals, *dense.values()], n_seeds, executor, watcher)
    return tested[: len(rivals)], dict(zip(dense, tested[len(rivals) :], strict=True))


def _test_rivals(
    choosing: Trainer, trainer: Trainer, rivals: Sequence[Rival], n_seeds: int, executor: Executor, watcher: Watcher
) -> list[Standing]:
    """Return the best of each rival's variants."""
    chosen = _choose(choosing, rivals, executor, watcher)
    return [
        replace(own, tried=sum(len(choosing.plan((0,), variant.way)) for variant in rival.variants))
        for own, rival in zip(_test_all(trainer, chosen, n_seeds, executor, watcher), rivals, strict=True)
    ]


def _test_structures(
    trainer: Trainer, found: Training, way: Way, n_seeds: int, executor: Executor, watcher: Watcher
) -> list[Standing]:
    """Return what shares its structure with the winner."""
    rng = stream(trainer.seed, "structure", found.wiring.fingerprint)
    shares = structures_of(found, way, REDRAWN, rng)
    return _of_one_name(_test_shares(trainer, shares, n_seeds, executor, watcher))


def _test_all(
    trainer: Trainer, networks: Sequence[Contender], n_seeds: int, executor: Executor, watcher: Watcher
) -> list[Standing]:
    assessed = _assess_all(trainer, "references", networks, n_seeds, executor, watcher)
    return [_standing(*pair, tested=True) for pair in zip(networks, assessed, strict=True)]


def _choose(trainer: Trainer, rivals: Sequence[Rival], executor: Executor, watcher: Watcher) -> list[Contender]:
    """Return of each rival the variant, with the learning rate, that does best on validation by one training."""
    variants = [variant for rival in rivals for variant in rival.variants]
    assessed = iter(_assess_all(trainer, "choice of references", variants, 1, executor, watcher, first=_CHOOSING))
    sign, found = sign_of(trainer.task.direction), []
    for rival in rivals:
        tried = [(sign * own.value, own.learning_rate) for own in (next(assessed) for _ in rival.variants)]
        best = max(range(len(tried)), key=lambda index: tried[index][0])
        variant = rival.variants[best]
        found.append(replace(variant, way=replace(variant.way, learning_rate=tried[best][1])))
    return found


def _test_shares(
    trainer: Trainer, networks: Sequence[Contender], n_seeds: int, executor: Executor, watcher: Watcher
) -> list[Standing]:
    """Train what shares its structure with the winner: what was drawn anew once each, the structure itself as often.

    What was drawn several times is trained with as many seeds: one training must not count twice.
    """
    times = Counter((own.name, own.wiring.fingerprint) for own in networks)
    distinct = list({(own.name, own.wiring.fingerprint): own for own in networks}.values())
    seeds = [n_seeds if own.name == RETRAINED else times[own.name, own.wiring.fingerprint] for own in distinct]
    found: dict[int, Standing] = {}
    for n in sorted(set(seeds), reverse=True):
        places = [place for place, own in enumerate(seeds) if own == n]
        tested = _test_all(trainer, [distinct[place] for place in places], n, executor, watcher)
        found |= dict(zip(places, tested, strict=True))
    return [found[place] for place in range(len(distinct))]


def _of_one_name(standings: Sequence[Standing]) -> list[Standing]:
    """Return one standing a name: each of those that were drawn anew counts like a seed."""
    found: dict[str, Standing] = {}
    for own in standings:
        before = found.setdefault(own.name, own)
        if before is not own:
            several = ("validation", "test", "unrounded")
            together = {name: getattr(before, name) + getattr(own, name) for name in several}
            found[own.name] = replace(before, **together)
    return list(found.values())


def _dense_beside(candidates: Sequence[tuple[int, Wiring]], winner: int, spec: NetworkSpec) -> dict[int, Contender]:
    """Return dense networks beside the smallest, the middle and the largest of a front, by trial.

    The winner's is among its references already.
    """
    chosen = dict((candidates[0], candidates[len(candidates) // 2], candidates[-1]))
    found = {trial: dense_of_equal_size(wiring, spec) for trial, wiring in chosen.items() if trial != winner}
    return {trial: dense for trial, dense in found.items() if dense is not None}


def _assess_all(
    trainer: Trainer,
    stage: str,
    networks: Sequence[Contender],
    n_seeds: int,
    executor: Executor,
    watcher: Watcher,
    *,
    first: int = FRESH,
) -> list[Assessment]:
    plans = [trainer.plan(range(first, first + n_seeds), own.way) for own in networks]
    if plans:
        watcher.stage_started(stage, sum(map(len, plans)))
    waiting = [
        [executor.submit(trainer.train, own.wiring, *step, spec=own.spec, way=own.way) for step in plan]
        for own, plan in zip(networks, plans, strict=True)
    ]
    assessed = []
    for futures in waiting:
        trainings = []
        for future in futures:
            trainings.append(result_of(future))
            watcher.trained()
        assessed.append(trainer.assess(trainings))
    return assessed


def _standing(network: Contender, assessment: Assessment, trial: int | None = None, *, tested: bool) -> Standing:
    # Where structures are learned, those of the largest one.
    wiring = max((training.wiring for training in assessment.trainings), key=lambda wiring: wiring.n_edges)
    return Standing(
        name=network.name,
        trial=trial,
        n_parameters=network.spec.n_parameters(wiring)["total"],
        n_edges=wiring.hidden.n_edges,
        learning_rate=assessment.learning_rate,
        validation=tuple(training.history.value for training in assessment.trainings),
        test=tuple(training.test() for training in assessment.trainings) if tested else (),
        unrounded=_before_rounding(assessment),
    )


def _before_rounding(assessment: Assessment) -> tuple[float, ...]:
    """Return the validation metrics before weights were rounded; nothing where none were."""
    if all(training.unrounded is None for training in assessment.trainings):
        return ()
    # A training that diverged has nothing to round.
    return tuple(
        training.history.value if training.unrounded is None else training.unrounded
        for training in assessment.trainings
    )
