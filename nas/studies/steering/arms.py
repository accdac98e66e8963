"""Arms: ways to search a pool of trained wirings, from random picks to the structural sampler.

Each yields what to train next, and finds the value of its last choice in the run when it is asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import optuna
from numpy.typing import NDArray

from nas.samplers import StructuralSampler
from nas.samplers.blind import TPEDraws
from nas.seeds import stream_seed
from nas.space.space import Params
from nas.store.study import quiet_optuna
from nas.studies.steering.replay import START, Choice, Pool, Run
from predictors import Predictor, names_of
from priors import Wiring

__all__ = ["ARMS", "at_random", "start_up", "steered"]

_BEST, _NEAREST = 5, 10
_POPULATION, _TOURNAMENT, _CROSSOVER, _JITTER = 20, 5, 0.3, 0.1

Floats = NDArray[np.float64]


def at_random(run: Run) -> Iterator[Choice]:
    """Choose without looking."""
    while True:
        yield Choice(run.any())


def tpe(run: Run) -> Iterator[Choice]:
    """Let Optuna's TPE choose parameters of the prior, and take the nearest member."""
    pool, distributions = run.pool, run.pool.prior.distributions()
    draws = TPEDraws(pool.prior, ["maximize"])
    over: list[optuna.trial.FrozenTrial] = []
    while True:
        for choice, value in zip(run.choices[len(over) :], run.values[len(over) :], strict=True):
            params = dict(pool.params[choice.member])
            own = {name: distributions[name] for name in params}
            over.append(optuna.create_trial(value=value, params=params, distributions=own))
        (wanted,) = draws.draw(over, stream_seed(run.seed, "sampler", len(over)), 1)
        yield Choice(int(run.nearest(pool.place(wanted))[0]))


def neighbours(run: Run) -> Iterator[Choice]:
    """Choose without looking among all, or among those near good ones."""
    while True:
        if run.rng.random() < 0.5:
            yield Choice(run.any())
            continue
        members, values, _ = run.examples()
        best = members[np.argsort(-values, kind="stable")[:_BEST]]
        yield Choice(int(run.rng.choice(run.nearest(run.pool.points[run.rng.choice(best)], _NEAREST))))


def steered(
    run: Run, columns: str = "structure", replicates: int = 1, warm_start: Predictor | None = None
) -> Iterator[Choice]:
    """Let the structural sampler choose, by features of the wirings or by other columns."""
    pool = run.pool
    study, sampler = _sampling(pool, run.seed, columns, replicates, warm_start)
    distributions = {"graph": pool.space.distributions()["graph"]}
    for choice, value in zip(run.choices, run.values, strict=True):
        study.add_trial(optuna.create_trial(value=value, params={"graph": choice.member}, distributions=distributions))
    while True:
        trial = study.ask()
        member = int(pool.space.suggest_all(trial)["graph"])
        replicate = trial.suggest_int("replicate", 0, replicates - 1) if replicates > 1 else 0
        proposal = sampler.proposals[trial.number]
        yield Choice(member, proposal.origin, replicate, proposal.forecast)
        study.tell(trial, run.values[-1])


def genetic(run: Run, children: int = 1) -> Iterator[Choice]:
    """Let the latest trials have children; of several the one that the predictor expects most of is taken.

    References
    ----------
    Real et al. (2019), "Regularized evolution for image classifier architecture search", arXiv:1802.01548
    """
    while True:
        found = np.array([int(run.nearest(_child(run))[0]) for _ in range(children)])
        if children > 1:
            mean, _ = run.surrogate()[1].posterior(run.pool.X[found])
            found = found[[int(mean.argmax())]]
        yield Choice(int(found[0]))


ARMS: dict[str, partial[Iterator[Choice]]] = {
    "random": partial(at_random),
    "tpe": partial(tpe),
    "neighbours": partial(neighbours),
    "parameters": partial(steered, columns="parameters", replicates=3),
    "size": partial(steered, columns="size", replicates=3),
    "structural": partial(steered, replicates=3),
    "structural-once": partial(steered),
    "genetic": partial(genetic),
    "genetic-predicted": partial(genetic, children=16),
}
"""The ways to search, by name."""


def start_up(pool: Pool, seed: int) -> list[int]:
    """Return the members that the structural sampler trains before it predicts anything."""
    study, _ = _sampling(pool, seed)
    return [int(pool.space.suggest_all(study.ask())["graph"]) for _ in range(START)]


@dataclass(frozen=True, eq=False)
class _PoolColumns:
    """Columns of the wirings of a pool, which are looked up; see `nas.samplers.candidates.Columns`."""

    names: tuple[str, ...]
    X: Floats

    def __call__(self, wirings: Sequence[Wiring], params: Sequence[Params]) -> Floats:  # noqa: ARG002
        return self.X[[int(own["graph"]) for own in params]]


def _columns(pool: Pool, name: str) -> _PoolColumns:
    if name == "parameters":
        X, columns = pool.parameters
        return _PoolColumns(tuple(columns), X)
    if name == "size":
        sizes = names_of(("size",))
        return _PoolColumns(sizes, pool.X[:, [pool.names.index(column) for column in sizes]])
    return _PoolColumns(pool.names, pool.X)


def _sampling(
    pool: Pool, seed: int, columns: str = "structure", replicates: int = 1, warm_start: Predictor | None = None
) -> tuple[optuna.Study, StructuralSampler]:
    """Return an empty study of a pool and its sampler."""
    sampler = StructuralSampler(
        pool.space,
        size_of=pool.size_of,
        seed=seed,
        startup=START,
        replicates=replicates,
        warm_start=warm_start,
        columns=_columns(pool, columns),
    )
    with quiet_optuna():
        return optuna.create_study(direction="maximize", sampler=sampler), sampler


def _child(run: Run) -> Floats:
    """Return where a child lies: near its parent, or with some of its parameters from another one."""
    points, rng = run.pool.points, run.rng
    numbers = run.pool.are_numbers
    child: Floats = points[_parent(run)].copy()
    if rng.random() < _CROSSOVER:
        other = points[_parent(run)]
        taken = numbers & (rng.random(len(child)) < 0.5) & ~np.isnan(other)
        child[taken] = other[taken]
        return child
    steps = _JITTER * rng.uniform(-1.0, 1.0, int(numbers.sum()))
    child[numbers] = np.clip(child[numbers] + steps, 0.0, 1.0)
    return child


def _parent(run: Run) -> int:
    """Return the best of a few of the latest trials."""
    alive = np.arange(max(len(run.values) - _POPULATION, 0), len(run.values))
    drawn = run.rng.choice(alive, min(_TOURNAMENT, len(alive)), replace=False)
    best: int = max(drawn.tolist(), key=run.values.__getitem__)
    return run.members[best]
