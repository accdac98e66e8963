"""Replay: a search of a pool of wirings that are all trained, in which a training is looked up, not done."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nas.networks import NetworkSpec
from nas.samplers.rounds import Forecast
from nas.seeds import stream
from nas.space.space import Params, Space, without_draws
from nas.store.survey_table import SurveyTable
from nas.training.session import sign_of
from predictors import describe, names_of
from predictors.members import Scaling
from predictors.rows import chosen_tiers
from predictors.surrogate import Surrogate, fit_surrogate, scalings_of
from predictors.validation.baselines import parameter_table
from priors import GraphPool, Wiring

__all__ = ["START", "TRIALS", "Arm", "Choice", "Pool", "Run", "read_pool", "replay"]

TRIALS, START = 60, 10
"""Trainings of every arm and seed, and how many of them are start-up trials, which are the same for all arms."""

_APART = 10.0
"""Distance of wirings of different families: more than any parameters make."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pool:
    """The wirings of a survey, each of which a search may choose once.

    Parameters
    ----------
    name : str
    prior : Space
        The space that they were drawn from.
    wirings : tuple of n Wiring
        Distinct.
    params : tuple of n mappings
        What each was drawn from, its seeds left out.
    sizes : (n,) int64 array
        Parameters of the networks.
    labels : (n, n_replicates) float array
        What one training of a search gives: the validation metric at the best learning rate of this training.
    truth : (n,) float array
        How good they are: the mean test metric at the learning rate that is best on the validation part.
    names : tuple of str
    X : (n, n_columns) float array
        Features.
    """

    name: str
    prior: Space
    wirings: tuple[Wiring, ...]
    params: tuple[Params, ...]
    sizes: Indices
    labels: Floats
    truth: Floats
    names: tuple[str, ...]
    X: Floats

    def __len__(self) -> int:
        return len(self.wirings)

    @cached_property
    def space(self) -> Space:
        """The space that holds these wirings and no others."""
        return Space(graphs=GraphPool(self.wirings), structure=self.prior.structure)

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal sha256 of the wirings and all their values."""
        digest = hashlib.sha256(bytes.fromhex(GraphPool(self.wirings).fingerprint))
        for values in (self.labels, self.truth):
            digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
        return digest.hexdigest()

    @cached_property
    def scalings(self) -> tuple[Scaling, ...]:
        """The columns of a surrogate on features."""
        return scalings_of(self.X, self.names)

    @cached_property
    def parameters(self) -> tuple[Floats, list[str]]:
        """The prior's parameters as columns, and their names; see `parameter_table`."""
        return parameter_table(self.params)

    @cached_property
    def are_numbers(self) -> NDArray[np.bool_]:
        """Which of the prior's parameters are numbers; the others say whether a text is there."""
        return np.array(["=" not in name for name in self.parameters[1]], dtype=bool)

    @cached_property
    def points(self) -> Floats:
        """Where the wirings lie by the prior's parameters, see `place`; (n, n_parameters) float."""
        return np.array([self.place(params) for params in self.params])

    def place(self, params: Params) -> Floats:
        """Return where a wiring with these parameters would lie: numbers by their range, texts far apart."""
        low, span = self._ranges
        row = np.full(len(low), np.nan)
        for index, name in enumerate(self.parameters[1]):
            key, is_text, text = name.partition("=")
            if is_text:
                row[index] = _APART * (params.get(key) == text)
            elif key in params:
                row[index] = (float(params[key]) - low[index]) / span[index]
        return row

    @cached_property
    def _ranges(self) -> tuple[Floats, Floats]:
        table, _ = self.parameters
        low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
        return low, np.where(high > low, high - low, 1.0)

    def size_of(self, wiring: Wiring) -> int:
        """Return the parameters of the network of one of the wirings."""
        return self._sizes_of[wiring.fingerprint]

    @cached_property
    def _sizes_of(self) -> dict[str, int]:
        return {wiring.fingerprint: size for wiring, size in zip(self.wirings, self.sizes.tolist(), strict=True)}


def read_pool(name: str, table: SurveyTable) -> Pool:
    """Return the wirings of a survey of which every training has a value; of equal ones the first."""
    values, tests = table.trainings("value"), table.trainings("test")
    wirings = [table.wiring(number) for number in range(table.n_wirings)]
    first = {wiring.fingerprint: number for number, wiring in reversed(list(enumerate(wirings)))}
    sound = set(np.flatnonzero(np.isfinite(values + tests).all(axis=(1, 2))).tolist())
    kept = np.array([number for number in sorted(first.values()) if number in sound], dtype=np.int64)
    sign = sign_of(str(table.identity["direction"]))
    values, tests = sign * values[kept], sign * tests[kept]
    best = values.mean(axis=2).argmax(axis=1)
    chosen = tuple(wirings[number] for number in kept.tolist())
    tiers = chosen_tiers(None, chosen)
    spec = NetworkSpec(table.identity["network"], activation=table.identity["activation"], cell=table.identity["cell"])
    return Pool(
        name,
        table.space,
        chosen,
        tuple(without_draws(table.parameters(number)) for number in kept.tolist()),
        np.array([spec.n_parameters(wiring)["total"] for wiring in chosen], dtype=np.int64),
        values.max(axis=1),
        tests[np.arange(len(kept)), best].mean(axis=1),
        names_of(tiers),
        describe(chosen, tiers),
    )


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
        values: dict[int, list[float]] = {}
        for member, value in zip(self.members, self.values, strict=True):
            values.setdefault(member, []).append(value)
        means = np.array([np.mean(trainings) for trainings in values.values()])
        counts = np.array([len(trainings) for trainings in values.values()], dtype=np.int64)
        return np.array(list(values), dtype=np.int64), means, counts

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


def replay(pool: Pool, name: str, arm: Arm, seed: int, start: Sequence[int], trials: int = TRIALS) -> Run:
    """Search a pool that has more wirings than `trials`.

    The random choices of the arm follow from its name and the seed. The members in `start` are trained first.
    """
    run = Run(pool, name, seed)
    for member in start:
        run.train(Choice(member, "start-up"))
    choices, started = arm(run), time.perf_counter()
    while len(run.choices) < trials:
        run.train(next(choices))
    run.seconds = time.perf_counter() - started
    return run
