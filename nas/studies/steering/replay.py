"""Replay: one search of a pool of trained wirings; a training is looked up, not done."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.samplers.rounds import Forecast
from nas.seeds import stream
from nas.studies.steering.pools import Pool
from predictors.surrogate import Surrogate, fit_surrogate

__all__ = ["START", "TRIALS", "Arm", "Choice", "Run", "replay"]

TRIALS, START = 60, 10
"""Trainings of every arm and seed, and how many of them are start-up trials, which are the same for all arms."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """What is trained next, where the choice comes from, and what is expected of it."""

    member: int
    origin: str = "proposal"
    replicate: int = 0
    forecast: Forecast | None = None


class Run:
    """One replay of one arm: what was trained so far.

    Which training of a wiring has which label depends on the seed alone, so that arms of one seed are paired.

    Parameters
    ----------
    pool : Pool
    arm : str
    seed : int
    """

    def __init__(self, pool: Pool, arm: str, seed: int) -> None:
        self.pool, self.seed = pool, seed
        self.rng = stream(seed, "sampler", zlib.crc32(arm.encode()))
        self.choices: list[Choice] = []
        self.values: list[float] = []
        self.seconds = 0.0
        self._offsets = stream(seed, "weights").integers(pool.labels.shape[1], size=len(pool))
        self._is_free = np.ones(len(pool), dtype=bool)

    @property
    def members(self) -> list[int]:
        """What was trained, in this order."""
        return [choice.member for choice in self.choices]

    @property
    def free(self) -> Indices:
        """Members that were not trained yet."""
        return np.flatnonzero(self._is_free)

    def label(self, member: int, replicate: int) -> float:
        """Return the value of one training of a member."""
        column = (self._offsets[member] + replicate) % self.pool.labels.shape[1]
        return float(self.pool.labels[member, column])

    def train(self, choice: Choice) -> None:
        """Look the value of a choice up.

        Raises
        ------
        ValueError
            If the very same training was done before.
        """
        if any((choice.member, choice.replicate) == (done.member, done.replicate) for done in self.choices):
            raise ValueError(f"member {choice.member}, replicate {choice.replicate}: trained already")
        self.choices.append(choice)
        self.values.append(self.label(choice.member, choice.replicate))
        self._is_free[choice.member] = False

    def examples(self) -> tuple[Indices, Floats, Indices]:
        """Return the members trained, in order, the mean value of each, and how often each was trained."""
        distinct = list(dict.fromkeys(self.members))
        rows = np.searchsorted(np.sort(distinct), self.members)
        counts, sums = np.bincount(rows), np.bincount(rows, weights=self.values)
        order = np.argsort(np.argsort(distinct))
        return np.array(distinct, dtype=np.int64), (sums / counts)[order], counts[order].astype(np.int64)

    def surrogate(self) -> tuple[Indices, Surrogate]:
        """Return the members trained and what their features teach."""
        members, values, counts = self.examples()
        return members, fit_surrogate(self.pool.X[members], values, self.pool.scalings, counts)

    def incumbents(self) -> tuple[int, int]:
        """Return the member that the predictor thinks best of those trained, and the one with the best value."""
        members, surrogate = self.surrogate()
        return int(members[surrogate.best(1)[0]]), int(members[self.examples()[1].argmax()])

    def any(self) -> int:
        """Return some member that was not trained yet."""
        return int(self.rng.choice(self.free))

    def nearest(self, point: Floats, n: int = 1) -> Indices:
        """Return the members not trained yet that lie nearest to a point; among equally near ones, some."""
        free = self.rng.permutation(self.free)
        distances = np.nansum(np.square(self.pool.points[free] - point), axis=1)
        return free[np.argsort(distances, kind="stable")[:n]]


Arm = Callable[[Run], Iterator[Choice]]
"""Yields what to train next, and finds the value of the last choice in the run when it is asked again."""


def replay(pool: Pool, name: str, arm: Arm, seed: int, start: Sequence[int]) -> Run:
    """Search a pool.

    Parameters
    ----------
    pool : Pool
        Of more than `TRIALS` wirings.
    name : str
        Of the arm; its random choices follow from it and from the seed.
    arm : Arm
    seed : int
    start : sequence of int
        Members that are trained first.
    """
    run = Run(pool, name, seed)
    for member in start:
        run.train(Choice(member, "start-up"))
    choices, started = arm(run), time.perf_counter()
    while len(run.choices) < TRIALS:
        run.train(next(choices))
    run.seconds = time.perf_counter() - started
    return run
