"""Rounds: what was learnt from the trials that are over, and the candidates that are judged by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState
from threadpoolctl import ThreadpoolController

from nas.errors import InputError
from nas.samplers.acquisition import front_of, hypervolume_gain
from nas.samplers.blind import TPEDraws
from nas.samplers.candidates import Floats, Point, Source, distinct
from nas.samplers.history import Examples, History
from nas.seeds import stream, stream_seed
from nas.space.space import Params
from nas.training.session import sign_of
from predictors import FEATURES, Predictor
from predictors.members import Scaling
from predictors.surrogate import Surrogate, Warp, fit_surrogate, scalings_of

__all__ = ["Forecast", "Learner", "Proposal", "Round", "Warm", "one_thread"]

_COVERAGE = 1.6449
"""Quantile of the normal distribution for intervals of 90 %."""
_LEAST = 5
"""Fewer wirings teach nothing."""
_LEAST_FOR_A_VERDICT = 30
"""Fewer do not tell whether structure predicts anything."""
_MOST_NAMED = 3
"""Features in a message."""
_BEST = 5
"""Good wirings whose neighbours are candidates."""
_TPE_DRAWS = 4
_STEPS = (-1.2816, -0.5244, 0.0, 0.5244, 1.2816)
"""Standard normal quantiles in the middle of five equally likely parts."""


@dataclass(frozen=True)
class Forecast:
    """What is expected of a training: a value, its standard deviation, and the ends of an interval of 90 %."""

    value: float
    std: float
    low: float
    high: float


@dataclass(frozen=True)
class Proposal:
    """How a trial was chosen, and what was expected of it before it was trained.

    Parameters
    ----------
    origin : str
        start-up; prior, neighbour or tpe: where the candidate comes from that promised most; random: chosen without
        looking, as a test of the predictions; replicate: the best one once more; fallback: by TPE, since structure
        predicted nothing; crossover, mutation or redraw: how the genetic sampler bred it.
    forecast : Forecast or None
        None where nothing was expected.
    tau : float or None
        Kendall's rank correlation between the values so far and predictions that leave each wiring out.
    """

    origin: str
    forecast: Forecast | None = None
    tau: float | None = None

    def notes(self) -> dict[str, Any]:
        """Return the fields of a `Record` that say this."""
        notes: dict[str, Any] = {"origin": self.origin, "rank_correlation": self.tau}
        if (expected := self.forecast) is not None:
            notes |= {"prediction": expected.value, "prediction_std": expected.std}
            notes |= {"prediction_low": expected.low, "prediction_high": expected.high}
        return notes


@dataclass(frozen=True, eq=False)
class Warm:
    """A predictor from another campaign or survey, which counts as much as so many trials."""

    predictor: Predictor
    trials: float = 20.0
    columns: tuple[int, ...] | None = None
    """Of a search's rows, those that the predictor reads; None where they are all."""

    def reading(self, names: Sequence[str]) -> Warm:
        """Return the same for rows of these columns, of which it reads its own by name; none may be missing."""
        read = self.predictor.fitted_.names
        # A column of one's own is not the feature that has come to have its name.
        own = {name for name in read[len(self.predictor.features_) :] if name in FEATURES}
        place = {name: index for index, name in enumerate(names) if name not in own}
        missing = [name for name in read if name not in place]
        # Features may have come since, but not all of a tier: then its wirings are of another kind.
        tiers = {FEATURES[name].tier for name in read if name in FEATURES}
        missing = missing or [name for name in names if name in FEATURES and FEATURES[name].tier not in tiers]
        if missing:
            some = ", ".join(missing[:_MOST_NAMED]) + (", …" if len(missing) > _MOST_NAMED else "")
            raise InputError(
                f"warm_start: the predictor reads other features than this search has ({some}); give one of such "
                "wirings"
            )
        columns = tuple(place[name] for name in read)
        return replace(self, columns=None if read == tuple(names) else columns)

    def scores(self, X: Floats) -> Floats:
        """Return normal scores of what it expects of rows, among what it expects of its training wirings."""
        sign = sign_of(self.predictor.direction)
        fitted = self.predictor.fitted_
        rows = X if self.columns is None else X.take(self.columns, axis=1)
        return Warp.fit(sign * fitted.out_of_fold).score(sign * fitted.predict(rows))


@dataclass(frozen=True, eq=False)
class Round:
    """What several proposals have in common.

    Parameters
    ----------
    examples : Examples
        What was learnt from.
    surrogate : Surrogate or None
        None where there is too little to learn from.
    draw : callable
        Makes the candidates: what a proposal is chosen from, which not all proposals need.
    falls_back : bool
        Whether structure predicts the examples no better than their mean does.
    sign : {-1, 1}
        1 where more of the value is better.
    warm : Warm or None
        A predictor that counts too.
    """

    examples: Examples
    surrogate: Surrogate | None
    draw: Callable[[], list[Point]]
    falls_back: bool
    sign: float
    warm: Warm | None

    @cached_property
    def candidates(self) -> list[Point]:
        """What a proposal is chosen from."""
        return self.draw()

    def posterior(self, X: Floats, pinned: Floats | None = None) -> tuple[Floats, Floats]:
        """Return expected scores of rows and how unsure they are; see `Surrogate.posterior`."""
        if self.surrogate is None:
            return (np.zeros(len(X)) if self.warm is None else self.warm.scores(X)), np.zeros(len(X))
        mean, std = self.surrogate.posterior(X, pinned)
        if self.warm is not None:
            share = self.warm.trials / (self.warm.trials + len(self.examples))
            mean = share * self.warm.scores(X) + (1 - share) * mean
        return mean, std

    def unknown(self, trials: Sequence[FrozenTrial], points: Mapping[int, Point]) -> list[Point]:
        """Return the points of trials that run, or are complete, and are not among the examples."""
        learnt = {point.fingerprint for point in self.examples.points}
        states = (TrialState.RUNNING, TrialState.COMPLETE)
        found = [points[trial.number] for trial in trials if trial.state in states and trial.number in points]
        return [point for point in found if point.fingerprint not in learnt]

    def gains(self, among: Sequence[Point], unknown: Sequence[Point], optimism: float, *, by_size: bool) -> Floats:
        """Return what some points promise, (n,) float.

        Parameters
        ----------
        among : sequence of Point
            At least one.
        unknown : sequence of Point
            Of trials whose values are not known yet; they are taken to become what is expected of them.
        optimism : float
            Standard deviations by which points are taken to be better than expected.
        by_size : bool
            Whether they count by how much they are expected to enlarge the front of value and size; standard deviations
            are then multiplied by `optimism`.

        Notes
        -----
        The front is that of what the examples are thought to be: where one lucky seed stood for a size, nothing of that
        size would be tried again. Its reference point is the worst example, and more than any size.

        References
        ----------
        Emmerich, Giannakoglou and Naujoks (2006), "Single- and multiobjective evolutionary optimization assisted by
        Gaussian random field metamodels", doi:10.1109/TEVC.2005.859463
        """
        X = _rows(among)
        pinned = _rows(unknown).reshape(len(unknown), X.shape[1])
        mean, std = self.posterior(X, pinned)
        optimistic = mean + optimism * std
        if not by_size or self.surrogate is None:
            return optimistic
        warp = self.surrogate.warp
        values = np.concatenate([_smooth_values(self.examples, self.surrogate), warp.value(self.posterior(pinned)[0])])
        sizes = _sizes([*self.examples.points, *unknown])
        reference = (float(self.examples.values.min()), 1.01 * max(point.size for point in self.candidates))
        outcomes = [warp.value(mean + step * optimism * std) for step in _STEPS]
        gains = np.mean([hypervolume_gain(own, _sizes(among), (values, sizes), reference) for own in outcomes], axis=0)
        # Where nothing seems to enlarge the front, the most promising ones come next.
        return gains if gains.max() > 0 else optimistic

    def proposal(self, origin: str, point: Point) -> Proposal:
        """Return how a point was chosen, and what is expected of its training."""
        if self.surrogate is None:
            return Proposal(origin)
        mean, std = (float(part[0]) for part in self.posterior(point.row[None, :]))
        wide = math.hypot(std, self.surrogate.noise)
        scores = [mean - _COVERAGE * wide, mean, mean + _COVERAGE * wide]
        low, value, high = sorted((self.sign * self.surrogate.warp.value(scores)).tolist())
        return Proposal(origin, Forecast(value, (high - low) / (2 * _COVERAGE), low, high), self.surrogate.tau)


class Learner:
    """Makes rounds of the trials of a study, and keeps what all of them share."""

    def __init__(self, source: Source, directions: Sequence[str], seed: int, warm: Warm | None = None) -> None:
        self._source, self._seed = source, seed
        self._warm = None if warm is None else warm.reading(source.described_by.names)
        self._sign, self.by_size = sign_of(directions[0]), len(directions) > 1
        self.history = History(source, directions[0])
        self._tpe = TPEDraws(source.space, directions)
        self._last: tuple[tuple[int, list[int]], Round] | None = None

    def round(self, over: Sequence[FrozenTrial], pool: int) -> Round:
        """Return what there is to know after some trials are over, with so many candidates; the last one is kept."""
        key = pool, [trial.number for trial in over]
        if self._last is None or self._last[0] != key:
            self._last = key, self._learn(over, self.history.examples(over), pool)
        return self._last[1]

    def best(self, trials: Sequence[FrozenTrial], n: int) -> list[int]:
        """Return the trials of the wirings that are thought to be best, best first; where nothing is, by value."""
        examples = self.history.examples(trials)
        surrogate = self._fit(examples)
        by_value = np.argsort(-examples.values, kind="stable")[:n].tolist()
        order = by_value if surrogate is None else surrogate.best(n)
        return [examples.numbers[index] for index in order]

    def tpe_draws(self, over: Sequence[FrozenTrial], number: int) -> list[Params]:
        """Return searched parameters that TPE chooses for a trial."""
        return self._tpe.draw(over, stream_seed(self._seed, "sampler", number), _TPE_DRAWS)

    def _learn(self, over: Sequence[FrozenTrial], examples: Examples, pool: int) -> Round:
        surrogate = self._fit(examples)
        draw = partial(self._candidates, over, examples, surrogate, pool)
        falls_back = surrogate is not None and len(examples) >= _LEAST_FOR_A_VERDICT and surrogate.gain <= 0
        return Round(examples, surrogate, draw, falls_back, self._sign, self._warm)

    def _fit(self, examples: Examples) -> Surrogate | None:
        """Return what examples teach; None where that is nothing."""
        if len(examples) < _LEAST or np.ptp(examples.values) == 0:
            return None
        return fit_surrogate(_rows(examples.points), examples.values, self._scalings, examples.counts)

    @cached_property
    def _scalings(self) -> tuple[Scaling, ...]:
        return scalings_of(_rows(self._source.population), self._source.described_by.names)

    def _candidates(
        self, over: Sequence[FrozenTrial], examples: Examples, surrogate: Surrogate | None, pool: int
    ) -> list[Point]:
        source, rng = self._source, stream(self._seed, "pool", len(over))
        if source.space.is_finite:
            return source.population
        if surrogate is None:
            return source.fresh(rng, pool)
        drawn = [{**own, **source.space.seeds(rng)} for own in self.tpe_draws(over, len(over))]
        good = [examples.points[index].params for index in self._good(examples, surrogate)]
        near = source.neighbours(rng, good, pool // 2)
        return distinct([*source.fresh(rng, pool - pool // 2 - len(drawn)), *source.of(drawn, "tpe"), *near])

    def _good(self, examples: Examples, surrogate: Surrogate) -> list[int]:
        """Return the examples whose neighbours are candidates: the best ones, or the front."""
        if not self.by_size:
            return surrogate.best(_BEST)
        found: list[int] = front_of(_smooth_values(examples, surrogate), _sizes(examples.points)).tolist()
        return found


def _rows(points: Sequence[Point]) -> Floats:
    return np.array([point.row for point in points])


def _sizes(points: Sequence[Point]) -> Floats:
    return np.array([point.size for point in points], dtype=np.float64)


def _smooth_values(examples: Examples, surrogate: Surrogate) -> Floats:
    """Return the values that examples are thought to have, (n,) float; see `Surrogate.smoothed`."""
    values = examples.values.copy()
    values[surrogate.rows] = surrogate.warp.value(surrogate.smoothed)
    return values


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which numpy and scipy compute on one thread.

    Matrices are small here, and trainings need the other cores: threads that wait for each other make a choice many
    times slower on a busy machine. On one thread the same numbers come out on all machines of a kind, however many
    cores they have.
    """
    limits: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limits


@cache
def _controller() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  Only loaded libraries are found.

    return ThreadpoolController()
