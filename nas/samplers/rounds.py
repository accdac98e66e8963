"""Rounds: what was learnt from the trials that are over, and the candidates that are judged by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from nas.errors import InputError
from nas.samplers.acquisition import front_of, hypervolume_gain
from nas.samplers.beside import Beside
from nas.samplers.candidates import Floats, Point, Source, distinct
from nas.samplers.history import Examples, History
from nas.seeds import stream
from nas.training.session import sign_of
from predictors import FEATURES, Predictor
from predictors.members import Scaling
from predictors.surrogate import Belief, Surrogate, Tuned, Warp, fit_surrogate, scalings_of

__all__ = ["Forecast", "Learner", "Proposal", "Round", "Warm"]

_NOTHING = Beside({})
_COVERAGE = 1.6449
"""Quantile of the normal distribution for intervals of 90 %."""
_LEAST = 5
"""Fewer wirings teach nothing."""
_MOST_NAMED = 3
"""Features in a message."""
_BEST = 5
"""Good wirings whose neighbours are candidates."""
_SETTINGS = 4
"""Parameters beside the wiring that each candidate is tried with, and eight times as many of the best wirings."""
_RECENT = 10
"""Trials that say which parameters there are beside the wiring."""
_TUNED_EVERY = 0.1
"""Share of trials after which lengths and noise of the surrogate are fitted anew."""
_DRAWS_KEPT = 4
"""Times that draws of the space are candidates."""
_NEW_DRAWS = 64
"""Of the trials, the share after which others are drawn."""
_DRAWN = 256
"""Draws of parameters that tell how they vary."""
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
        start-up; prior or neighbour: where the candidate comes from that promised most; settings: a good wiring with
        other parameters beside it; random: chosen without looking, as a test of the predictions; replicate: the best
        one once more; crossover, mutation or redraw: how the genetic sampler bred it. Earlier versions had tpe and
        fallback: chosen by TPE, among others or since structure seemed to predict nothing.
    forecast : Forecast or None
        None where nothing was expected.
    tau : float or None
        Kendall's rank correlation between the values so far and predictions that leave each wiring out.
    """

    origin: str
    forecast: Forecast | None = None
    tau: float | None = None

    def attributes(self) -> dict[str, Any]:
        """Return what a trial of a study of one's own is noted with."""
        if self.forecast is None:
            return {"origin": self.origin}
        return {
            "origin": self.origin,
            "prediction": self.forecast.value,
            "prediction_std": self.forecast.std,
        }

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
    sign : {-1, 1}
        1 where more of the value is better.
    warm : Warm or None
        A predictor that counts too.
    """

    examples: Examples
    surrogate: Surrogate | None
    draw: Callable[[], list[Point]]
    sign: float
    warm: Warm | None
    beside: Beside = _NOTHING

    @cached_property
    def candidates(self) -> list[Point]:
        """What a proposal is chosen from."""
        return self.draw()

    @cached_property
    def _belief(self) -> Belief | None:
        return None if self.surrogate is None else Belief(self.surrogate, self.rows(self.candidates))

    @cached_property
    def _fingerprints(self) -> set[str]:
        return {point.fingerprint for point in self.examples.points}

    @cached_property
    def _smooth(self) -> tuple[Floats, Floats]:
        """Values that examples are thought to have, and their sizes."""
        assert self.surrogate is not None
        return _smooth_values(self.examples, self.surrogate), _sizes(self.examples.points)

    def rows(self, points: Sequence[Point]) -> Floats:
        """Return the columns of points, those of parameters beside the wiring last."""
        return _rows(points, self.beside)

    def posterior(self, X: Floats, pinned: Floats | None = None) -> tuple[Floats, Floats]:
        """Return expected scores of rows and how unsure they are; see `Surrogate.posterior`."""
        if self.surrogate is None:
            return (np.zeros(len(X)) if self.warm is None else self.warm.scores(X)), np.zeros(len(X))
        return self._warmed(X, *self.surrogate.posterior(X, pinned))

    def _warmed(self, X: Floats, mean: Floats, std: Floats) -> tuple[Floats, Floats]:
        if self.warm is not None:
            share = self.warm.trials / (self.warm.trials + len(self.examples))
            mean = share * self.warm.scores(X) + (1 - share) * mean
        return mean, std

    def unknown(self, trials: Sequence[FrozenTrial], points: Mapping[int, Point]) -> list[Point]:
        """Return the points of trials that run, or are complete, and are not among the examples."""
        states = (TrialState.RUNNING, TrialState.COMPLETE)
        found = [points[trial.number] for trial in trials if trial.state in states and trial.number in points]
        return found if self.beside else [point for point in found if point.fingerprint not in self._fingerprints]

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
        X = self.rows(among)
        pinned = self.rows(unknown).reshape(len(unknown), X.shape[1])
        return self._judged(among, self.posterior(X, pinned), unknown, pinned, optimism, by_size=by_size)

    def promises(self, unknown: Sequence[Point], optimism: float, *, by_size: bool) -> Floats:
        """Return the same of all candidates, found faster for one proposal after the other."""
        if self._belief is None:
            return self.gains(self.candidates, unknown, optimism, by_size=by_size)
        X = self._belief.X
        pinned = self.rows(unknown).reshape(len(unknown), X.shape[1])
        expected = self._warmed(X, *self._belief.posterior(pinned))
        return self._judged(self.candidates, expected, unknown, pinned, optimism, by_size=by_size)

    def _judged(
        self,
        among: Sequence[Point],
        expected: tuple[Floats, Floats],
        unknown: Sequence[Point],
        pinned: Floats,
        optimism: float,
        *,
        by_size: bool,
    ) -> Floats:
        mean, std = expected
        optimistic = mean + optimism * std
        if not by_size or self.surrogate is None:
            return optimistic
        warp = self.surrogate.warp
        known, known_sizes = self._smooth
        values = np.concatenate([known, warp.value(self.posterior(pinned)[0])])
        sizes = np.concatenate([known_sizes, _sizes(unknown)])
        reference = (float(self.examples.values.min()), 1.01 * max(point.size for point in self.candidates))
        outcomes = [warp.value(mean + step * optimism * std) for step in _STEPS]
        gains = np.mean([hypervolume_gain(own, _sizes(among), (values, sizes), reference) for own in outcomes], axis=0)
        # Where nothing seems to enlarge the front, the most promising ones come next.
        return gains if gains.max() > 0 else optimistic

    def proposal(self, origin: str, point: Point) -> Proposal:
        """Return how a point was chosen, and what is expected of its training."""
        if self.surrogate is None:
            return Proposal(origin)
        mean, std = (float(part[0]) for part in self.posterior(self.rows([point])))
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
        self._last: tuple[tuple[int, int], Round] | None = None
        self._tuned: tuple[int, Beside, Tuned | None] | None = None
        self._scalings: tuple[Beside, tuple[Scaling, ...]] | None = None
        self._drawn: dict[tuple[int, int, int], list[Point]] = {}

    def round(self, trials: Sequence[FrozenTrial], known: int, pool: int) -> Round:
        """Return what there is to know after the first `known` trials that are over, with so many candidates.

        The last one is kept. The history has looked at the trials.
        """
        key = pool, known
        if self.history.changed_at < known:
            self._last = self._tuned = None
        self.history.changed_at = math.inf
        if self._last is None or self._last[0] != key:
            self._last = key, self._learn(trials, known, pool)
        return self._last[1]

    def beside(self, trials: Sequence[FrozenTrial], known: int) -> Beside:
        """Return the parameters beside the wiring that the latest of the first `known` trials that are over have."""
        names = {*self._source.space.distributions(), "replicate"}
        latest = (trials[number] for number in reversed(self.history.over[:known]))
        complete = (trial for trial in latest if trial.state == TrialState.COMPLETE)
        return Beside.of(islice(complete, _RECENT), names)

    def best(self, trials: Sequence[FrozenTrial], n: int) -> list[int]:
        """Return the trials of the wirings that are thought to be best, best first; where nothing is, by value."""
        examples = self.history.examples(trials)
        surrogate = self._fit(examples, _NOTHING)
        by_value = np.argsort(-examples.values, kind="stable")[:n].tolist()
        order = by_value if surrogate is None else surrogate.best(n)
        return [examples.numbers[index] for index in order]

    def _learn(self, trials: Sequence[FrozenTrial], known: int, pool: int) -> Round:
        examples, beside = self.history.learnt(known), self.beside(trials, known)
        surrogate = self._fit(examples, beside, self._tuning(known, beside))
        draw = partial(self._candidates, known, examples, surrogate, pool, beside)
        warm = self._warm
        if warm is not None and warm.columns is None:
            # Not of the columns that come behind its own.
            warm = replace(warm, columns=tuple(range(len(self._source.described_by.names))))
        return Round(examples, surrogate, draw, self._sign, warm, beside)

    def _tuning(self, known: int, beside: Beside) -> Tuned | None:
        """Return lengths and noise, fitted to earlier ones of the trials: they change little, and fits take long."""
        place = _tuned_at(known)
        if self._tuned is None or self._tuned[:2] != (place, beside):
            surrogate = self._fit(self.history.learnt(place), beside)
            self._tuned = place, beside, None if surrogate is None else surrogate.tuned
        return self._tuned[2]

    def _fit(self, examples: Examples, beside: Beside, tuned: Tuned | None = None) -> Surrogate | None:
        """Return what examples teach; None where that is nothing."""
        if len(examples) < _LEAST or np.ptp(examples.values) == 0:
            return None
        scalings = self._scaled(beside)
        X = _rows(examples.points, beside)
        return fit_surrogate(X, examples.values, scalings, examples.counts, beside.groups, tuned)

    def _scaled(self, beside: Beside) -> tuple[Scaling, ...]:
        if self._scalings is None or self._scalings[0] != beside:
            population, rng = self._source.population, np.random.default_rng(self._seed)
            names = (*self._source.described_by.names, *beside.names)
            # Parameters vary as they would if they were drawn at will, however few wirings a pool has.
            repeated = [population[index % len(population)] for index in range(max(len(population), _DRAWN))]
            drawn = [replace(point, params=beside.draw(rng)) for point in repeated] if beside else population
            self._scalings = beside, scalings_of(_rows(drawn, beside), names, beside.groups)
        return self._scalings[1]

    def _candidates(
        self, known: int, examples: Examples, surrogate: Surrogate | None, pool: int, beside: Beside
    ) -> list[Point]:
        source, rng = self._source, stream(self._seed, "pool", known)
        if source.space.is_finite:
            return self._set(rng, source.population, examples, surrogate, beside)
        # Each of the user's own graphs is tried before any is tried again; some of them are being tried already.
        untried = source.untried(self.history.graphs_of(known)) if source.turns else []
        if len(untried) >= pool:
            chosen = sorted(rng.permutation(len(untried))[:pool].tolist())
            return self._set(rng, [untried[index] for index in chosen], examples, surrogate, beside)
        if surrogate is None:
            return self._set(rng, [*untried, *source.fresh(rng, pool)], examples, surrogate, beside)
        good = [examples.points[index].params for index in self._good(examples, surrogate)]
        near = source.neighbours(rng, good, pool // 4)
        made = [*untried, *distinct([*self._fresh(known, pool), *near])]
        return self._set(rng, made, examples, surrogate, beside)

    def _fresh(self, known: int, pool: int) -> list[Point]:
        """Return draws of the space: some that are new after `known` trials, and those of the rounds before."""
        n = max(1, pool // (2 * _DRAWS_KEPT))
        step = max(1, known // _NEW_DRAWS)
        last = known // step
        wanted = [(n, step, draw) for draw in range(max(0, last - _DRAWS_KEPT + 1), last + 1)]
        self._drawn = {
            key: self._drawn[key] if key in self._drawn else self._source.fresh(stream(self._seed, "pool", *key), n)
            for key in wanted
        }
        return [point for key in wanted for point in self._drawn[key]]

    def _set(
        self,
        rng: np.random.Generator,
        points: list[Point],
        examples: Examples,
        surrogate: Surrogate | None,
        beside: Beside,
    ) -> list[Point]:
        """Return points with parameters beside them, and good wirings with others than they had."""
        if not beside:
            return points
        best = [] if surrogate is None else [examples.points[index] for index in surrogate.best(_BEST)]
        near = [point.params for point in best]
        several = [(point, _SETTINGS, point.origin) for point in points]
        several += [(point, 8 * _SETTINGS, "settings") for point in best]
        return [
            replace(point, params={**point.params, **beside.draw(rng, near)}, origin=origin)
            for point, n, origin in several
            for _ in range(n)
        ]

    def _good(self, examples: Examples, surrogate: Surrogate) -> list[int]:
        """Return the examples whose neighbours are candidates: the best ones, or the front."""
        if not self.by_size:
            return surrogate.best(_BEST)
        found: list[int] = front_of(_smooth_values(examples, surrogate), _sizes(examples.points)).tolist()
        return found


def _rows(points: Sequence[Point], beside: Beside) -> Floats:
    rows = np.array([point.row for point in points])
    return np.hstack([rows, beside.rows([point.params for point in points])]) if beside and points else rows


def _tuned_at(known: int) -> int:
    """Return after how many trials lengths and noise were fitted that hold after `known` ones."""
    place = min(known, math.ceil(1 / _TUNED_EVERY))
    while (following := place + 1 + int(_TUNED_EVERY * place)) <= known:
        place = following
    return place


def _sizes(points: Sequence[Point]) -> Floats:
    return np.array([point.size for point in points], dtype=np.float64)


def _smooth_values(examples: Examples, surrogate: Surrogate) -> Floats:
    """Return the values that examples are thought to have, (n,) float; see `Surrogate.smoothed`."""
    values = examples.values.copy()
    values[surrogate.rows] = surrogate.warp.value(surrogate.smoothed)
    return values
