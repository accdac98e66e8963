"""StructuralSampler: an Optuna sampler that proposes wirings whose structure promises much.

What it proposes as a trial is a function of its seed, the trial's number and the study's trials, never of time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any
from zlib import crc32

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from nas.networks import NetworkSpec
from nas.samplers.candidates import Columns, Point, Source, stratum
from nas.samplers.plan import FIRST_PLAN, Plan, plan_for, seconds_of
from nas.samplers.rounds import Learner, Proposal, Round, Warm
from nas.seeds import stream, stream_seed
from nas.space.names import claimed, same_name
from nas.space.space import Space, Suggester
from predictors import Predictor
from predictors.threads import one_thread
from priors import Wiring

__all__ = ["StructuralSampler"]

Taken = dict[str, list[int]]
"""Fingerprints of tried wirings, and the replicates of each."""

_PLAN = "steering"
"""The study's attribute that says how many candidates are drawn, and how often."""

_REPLICATE_EVERY = 10
_FRESH = 4
"""Draws of which one is taken that was not tried: in small spaces some were."""
_EDITED = 64
"""Neighbours of which one is taken where all draws were tried."""
_TIMED = 8
"""Trials whose time tells how long trials take."""


@dataclass
class _State:
    """What a sampler keeps of the study whose storage and number these are; there may be several objects of one."""

    study: tuple[Any, int]
    learner: Learner
    plan: Plan | None = None


class StructuralSampler(optuna.samplers.BaseSampler):
    """Proposes wirings by what the structure of those already trained tells about others.

    The first trials are drawn from the space, evenly over families and sizes. Then a surrogate on graph features is
    fitted to all complete trials. Of a pool of candidates (draws of the space, neighbours of the best) the
    one with the highest optimistic expectation is proposed. A share of the trials is drawn without looking, as an
    unbiased test. In studies of two objectives, value and number of parameters, candidates count by the area that they
    may add to the front. Trials that run are taken to become what is expected of them, so that parallel ones differ.

    Parameters
    ----------
    space : Space
        What varies. An objective asks for it by ``space.suggest_all(trial)``.
    n_inputs, n_outputs : int
        Units to attach to wirings.
    size_of : callable, optional
        Number of parameters of the network of a wiring; by default that of an MLP.
    seed : int
    startup : int
        Trials before anything is predicted, for which there must be five complete ones, and values that differ.
    pool : int
        Candidates that a proposal is chosen from.
    refit : int
        Trials after which the surrogate is fitted anew, and new candidates are drawn.
    share : float, optional
        What choosing may cost as a share of the time of a trial: `pool` and `refit` then follow from the time of the
        first trials, and are stored as the study's attribute ``steering``. A trial's time is its user attribute
        ``expected_seconds``, else ``seconds``, else what it took.
    epsilon : float
        Share of trials after the first ones that are drawn without looking.
    optimism : float
        Standard deviations by which candidates are taken to be better than expected.
    replicates : int
        Trainings of one wiring at most. With more than 1 every tenth trial trains the best one again, as long as it was
        trained less often, and every trial has a parameter ``replicate``: one lucky seed must not decide.
    warm_start : Predictor, optional
        Fitted on another campaign or survey of such wirings. It counts as much as 20 trials, and there are no first
        trials without predictions.
    columns : Columns, optional
        What wirings are described by; by default the features that make sense for them.
    noting : bool
        Whether how a trial was chosen is stored with it.

    Attributes
    ----------
    proposals : dict
        The `nas.samplers.Proposal` of every trial by its number.

    Notes
    -----
    Each of the user's own graphs (`Space.graphs`) that keeps to the limits of the space is tried once before any is
    tried again, whatever its orientation or attachment; the surrogate says which comes next, and nothing is replicated.
    After that they are searched as a space is: other orientations and attachments of those that promise most, edits of
    them where the space has some, and replicates; where nothing new is left, those trained least often come again. With
    parameters beside the wiring a good graph may come again earlier, with others of these.

    Parameters of a study of one's own that no wiring follows from, such as a learning rate, are columns of the
    surrogate as soon as trials have them, and proposed with the wirings. Their names must be others than those of the
    space. Those that only some trials have are left to TPE. How a trial was chosen and what was expected of it are its
    user attributes ``origin``, ``prediction`` and ``prediction_std``.

    Examples
    --------
    >>> import optuna
    >>> from nas import Space, StructuralSampler
    >>> space = Space(nodes=(10, 20))
    >>> def objective(trial):
    ...     return space.wiring(space.suggest_all(trial)).n_edges
    >>> sampler = StructuralSampler(space, startup=5, seed=0)
    >>> study = optuna.create_study(direction="maximize", sampler=sampler)
    >>> study.optimize(objective, n_trials=8)
    >>> len(study.trials), sampler.proposals[0].origin
    (8, 'start-up')
    """

    def __init__(
        self,
        space: Space,
        n_inputs: int = 0,
        n_outputs: int = 0,
        *,
        size_of: Callable[[Wiring], int] | None = None,
        seed: int = 0,
        startup: int = 10,
        pool: int = 256,
        refit: int = 1,
        share: float | None = None,
        epsilon: float = 0.05,
        optimism: float = 1.0,
        replicates: int = 1,
        warm_start: Predictor | None = None,
        columns: Columns | None = None,
        noting: bool = True,
    ) -> None:
        self._noting = noting
        self.proposals: dict[int, Proposal] = {}
        self._source = Source(space, (n_inputs, n_outputs), size_of or _size_of_mlp, seed, columns)
        self._warm = None if warm_start is None else Warm(warm_start.without_reads())
        self._seed, self._plan, self._share = seed, Plan(pool, refit), share
        self._startup = startup if warm_start is None else 0
        self._epsilon, self._optimism, self.replicates = epsilon, optimism, replicates
        self._state: _State | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        # All that is kept of a study can be found again from its trials.
        return {**vars(self), "_state": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())

    # Optuna's interface

    def infer_relative_search_space(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
    ) -> dict[str, BaseDistribution]:
        """Return all parameters that a wiring may follow from, and those beside it that are learnt from."""
        found = self._source.space.distributions()
        if self.replicates > 1:
            found["replicate"] = IntDistribution(0, self.replicates - 1)
        with self._lock:
            learner, trials = self._state_of(study).learner, study.get_trials(deepcopy=False)
            learner.history.look(trials, but=trial.number)
            return {**learner.beside(trials, len(learner.history.over)).distributions, **found}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the parameters of the wiring to train next; how it was chosen is kept in `proposals`."""
        with self._lock, one_thread():
            state = self._state_of(study)
            point, proposal = self._choose(state, study, trial.number)
            state.learner.history.note(trial.number, point)
            self.proposals[trial.number] = proposal
        if self._noting:
            for name, value in proposal.attributes().items():
                # There is no other way to a trial from here; samplers of Optuna's own go it too.
                study._storage.set_trial_user_attr(trial._trial_id, name, value)
        params = {"n_moves": 0, "move_seed": 0, "replicate": 0, **point.params}
        return {name: value for name, value in params.items() if name in search_space}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw a parameter that is not proposed with the wiring: at first at random, then by TPE.

        An InputError says that the space has one of its name.
        """
        own = self._source.space.distributions().get(param_name, param_distribution)
        if own != param_distribution:
            raise same_name(param_name, own)
        # A sampler of one seed for all trials would begin anew where a study is resumed.
        seed = stream_seed(self._seed, "sampler", trial.number, crc32(param_name.encode()))
        others: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=seed)
        if trial.number >= self._startup:
            others = optuna.samplers.TPESampler(seed=seed, n_startup_trials=self._startup)
        return others.sample_independent(study, trial, param_name, param_distribution)

    def suggest_all(self, trial: Suggester) -> dict[str, Any]:
        """Return all parameters of a trial: those of its wiring, and the replicate where there are several."""
        params = self._source.space.suggest_all(trial)
        if self.replicates > 1:
            replicates = IntDistribution(0, self.replicates - 1)
            asked = claimed(trial, {"replicate": replicates})
            params["replicate"] = asked.suggest_int("replicate", replicates.low, replicates.high)
        return params

    def best(self, study: optuna.Study, n: int) -> list[int]:
        """Return the trials of the wirings that are thought to be best, best first.

        What one training told counts half where structure expected something else.
        """
        with self._lock, one_thread():
            return self._state_of(study).learner.best(study.get_trials(deepcopy=False), n)

    # Proposing

    def _state_of(self, study: optuna.Study) -> _State:
        key = study._storage, study._study_id
        if self._state is None or self._state.study != key:
            names = [direction.name.lower() for direction in study.directions]
            self._state = _State(key, Learner(self._source, names, self._seed, self._warm))
        return self._state

    def _choose(self, state: _State, study: optuna.Study, number: int) -> tuple[Point, Proposal]:
        learner, history = state.learner, state.learner.history
        trials = study.get_trials(deepcopy=False)
        history.look(trials, but=number)
        taken = history.taken
        untried = self._source.untried(history.graphs)
        rng = stream(self._seed, "proposal", number)
        if number < self._startup:
            return self._draw_evenly(number, taken, untried, rng), Proposal("start-up")
        plan = self._plan_of(state, study, trials)
        known = plan.known(len(history.over))
        now = learner.round(trials, known, plan.pool)
        if now.surrogate is None and now.warm is None:
            return self._draw(taken, untried, rng), Proposal("start-up")
        is_due = number % _REPLICATE_EVERY == _REPLICATE_EVERY - 1 and not untried
        again = self._again(now, taken) if is_due else None
        if again is not None:
            origin, chosen = "replicate", again
        elif rng.random() < self._epsilon:
            origin, chosen = "random", self._draw(taken, untried, rng, now)
        elif free := _free(now.candidates, taken, untried):
            later = sorted([*history.over[known:], *(history.running - {number})])
            points = {other: point for other in later if (point := history.point(other)) is not None}
            unknown = now.unknown([trials[other] for other in later], points)
            gains = now.promises(unknown, self._optimism, by_size=learner.by_size)[free]
            # Other processes may not have noted yet what they train: each takes the next best, by the trials' numbers.
            silent = sum(other < number and other not in points for other in history.running)
            chosen = now.candidates[free[int(np.argsort(-gains, kind="stable")[min(silent, len(free) - 1)])]]
            origin = chosen.origin
        else:
            origin, chosen = "random", self._draw(taken, untried, rng, now)
        return chosen, now.proposal(origin, chosen)

    def _plan_of(self, state: _State, study: optuna.Study, trials: Sequence[FrozenTrial]) -> Plan:
        """Return how to go on after some trials are over, whatever is known of others by now."""
        if self._share is None:
            return self._plan
        if state.plan is None:
            over = (trials[number] for number in state.learner.history.over)
            first = list(islice((trial for trial in over if trial.state == TrialState.COMPLETE), _TIMED))
            if len(first) < _TIMED:
                return FIRST_PLAN
            stored = study.user_attrs.get(_PLAN)
            if stored is None:
                stored = asdict(plan_for(self._source, [seconds_of(trial) for trial in first], self._share))
                study.set_user_attr(_PLAN, stored)
            state.plan = Plan(**stored)
        return state.plan

    def _draw_evenly(self, number: int, taken: Taken, untried: Sequence[Point], rng: np.random.Generator) -> Point:
        """Choose within one part of the population, or of own graphs whose turn has not come; see `stratum`."""
        population = self._source.turns if untried else self._source.population
        part = [population[index] for index in sorted(stratum(population, self._startup, number, self._seed))]
        free = [part[index] for index in _free(part, taken, untried)]
        return free[int(rng.random() * len(free))] if free else self._draw(taken, untried, rng)

    def _draw(
        self, taken: Taken, untried: Sequence[Point], rng: np.random.Generator, now: Round | None = None
    ) -> Point:
        """Draw without looking, parameters beside the wiring too.

        Where all wirings are taken, one of those that were trained least often is trained again.
        """
        point = untried[int(rng.random() * len(untried))] if untried else self._drawn(taken, rng)
        if now is None or not now.beside:
            return point
        return replace(point, params={**point.params, **now.beside.draw(rng)})

    def _drawn(self, taken: Taken, rng: np.random.Generator) -> Point:
        for pool in self._make_unseen(rng):
            if free := _free(pool, taken, ()):
                return pool[free[int(rng.random() * len(free))]]
        again = [(point, self._following(taken[point.fingerprint])) for point in self._source.population]
        left = [(point, replicate) for point, replicate in again if replicate is not None] or again
        least = min(len(taken[point.fingerprint]) for point, _ in left)
        left = [(point, replicate) for point, replicate in left if len(taken[point.fingerprint]) == least]
        point, replicate = left[int(rng.random() * len(left))]
        return point.again(replicate or 0)

    def _make_unseen(self, rng: np.random.Generator) -> Iterator[list[Point]]:
        """Make points that nothing is known of; in small spaces all draws and then edits of them may be taken."""
        if self._source.space.is_finite:
            yield self._source.population
        else:
            yield self._source.fresh(rng, _FRESH)
            yield self._source.population
            yield self._source.neighbours(rng, [point.params for point in self._source.population], _EDITED)

    def _again(self, now: Round, taken: Taken) -> Point | None:
        """Return the best wiring once more, unless it was trained as often as it may be."""
        if self.replicates == 1 or now.surrogate is None:
            return None
        best = now.examples.points[now.surrogate.best(1)[0]]
        replicate = self._following(taken[best.fingerprint])
        return None if replicate is None else best.again(replicate)

    def _following(self, made: Sequence[int]) -> int | None:
        """Return the next replicate of a wiring; None where it was trained as often as it may be."""
        if len(made) >= self.replicates:
            return None
        return next(replicate for replicate in range(self.replicates) if replicate not in made)


def _size_of_mlp(wiring: Wiring) -> int:
    return NetworkSpec("mlp").n_parameters(wiring)["total"]


def _free(points: Sequence[Point], taken: Taken, untried: Sequence[Point]) -> list[int]:
    """Return which points are not taken; a good wiring with other parameters beside it never is.

    While some of the user's own graphs are untried, all others are taken.
    """
    graphs = {point.graph for point in untried}

    def is_free(point: Point) -> bool:
        return point.graph in graphs if graphs else point.fingerprint not in taken

    return [index for index, point in enumerate(points) if point.origin == "settings" or is_free(point)]
