"""Samplers of Optuna's, which know nothing of wirings, and draws of its TPE beside a study, without touching it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import FrozenTrial, TrialState

from nas.space.space import Params, Space, without_draws
from nas.store.study import quiet_optuna

__all__ = ["BLIND", "ByDistribution", "NSGA2Sampler", "TPEDraws"]


class TPEDraws:
    """Lets TPE choose the searched parameters of a space, in a study of these directions."""

    def __init__(self, space: Space, directions: Sequence[Any]) -> None:
        self._space, self._directions = space, list(directions)
        self._distributions = without_draws(space.distributions())
        self._study: optuna.Study | None = None
        self._learnt: list[int] = []

    def draw(self, over: Sequence[FrozenTrial], seed: int, n: int) -> list[Params]:
        """Return searched parameters, drawn by what some trials became.

        Nothing but these trials counts, whatever was drawn before: where they do not go on with those of the last
        call, as in parallel studies, all of them are learnt anew.
        """
        numbers = [trial.number for trial in over]
        with quiet_optuna():
            if self._study is None or numbers[: len(self._learnt)] != self._learnt:
                self._study, self._learnt = optuna.create_study(directions=self._directions), []
            for trial in over[len(self._learnt) :]:
                if trial.state == TrialState.COMPLETE:
                    self._learn(self._study, trial)
            self._learnt = numbers
            sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=0)
            return [self._space.suggest(_Asked(self._study, sampler)) for _ in range(n)]

    def _learn(self, study: optuna.Study, trial: FrozenTrial) -> None:
        names = [name for name in trial.params if name in self._distributions]
        try:
            searched = optuna.create_trial(
                values=trial.values,
                params={name: trial.params[name] for name in names},
                distributions={name: self._distributions[name] for name in names},
            )
        except ValueError:
            return  # It is not of this space: it was added by hand.
        study.add_trial(searched)


class ByDistribution(ABC):
    """Suggests by Optuna's distributions, without a trial that would store every parameter; see `Suggester`."""

    @abstractmethod
    def suggest(self, name: str, distribution: BaseDistribution, only: Any) -> Any:
        """Choose a value of a distribution; `only` is the one where there is a single one."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Choose one of `choices`."""
        return self.suggest(name, CategoricalDistribution(choices), choices[0])

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Choose an integer, both ends included."""
        return int(self.suggest(name, IntDistribution(low, high, log=log), low))

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Choose a number, both ends included."""
        return float(self.suggest(name, FloatDistribution(low, high, log=log), low))


class _Asked(ByDistribution):
    """A trial that is asked for but never made."""

    def __init__(self, study: optuna.Study, sampler: optuna.samplers.TPESampler) -> None:
        self._study, self._sampler = study, sampler
        self._trial = optuna.create_trial(state=TrialState.RUNNING)

    def suggest(self, name: str, distribution: BaseDistribution, only: Any) -> Any:
        """Let the sampler choose; see `ByDistribution`."""
        if distribution.single():
            return only
        return self._sampler.sample_independent(self._study, self._trial, name, distribution)


class _ByTheTrial(optuna.samplers.BaseSampler):
    """Part of a sampler of Optuna's, for a study whose every trial has a sampler of its own.

    What all trials have in common is kept in one place for all of them: finding it anew compares every parameter of
    every trial, which takes longer than the sampling.
    """

    _common: IntersectionSearchSpace

    def infer_relative_search_space(
        self,
        study: optuna.Study,
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that all trials have, without those of one value; see Optuna."""
        common = self._common.calculate(study, use_cache=True)
        return {name: distribution for name, distribution in common.items() if not distribution.single()}


class _TPESampler(_ByTheTrial, optuna.samplers.TPESampler):
    def __init__(self, seed: int, common: IntersectionSearchSpace) -> None:
        super().__init__(seed=seed)
        self._common = common


_POPULATION = 10
"""Trials of a generation, as many as the structural sampler draws before it predicts anything."""


class NSGA2Sampler(_ByTheTrial, optuna.samplers.NSGAIISampler):
    """Optuna's NSGA-II, for a study whose every trial has a sampler of its own.

    Optuna notes with each trial which generation it was bred for, and its study notes the parents. Here the complete
    trials, in the order of their numbers, are cut into generations: whoever has the trials breeds the same children,
    also after an interruption. A trial that was bred before a generation was full and ends afterwards counts in the
    next one, in place of nowhere.

    References
    ----------
    Deb et al. (2002), "A fast and elitist multiobjective genetic algorithm: NSGA-II", doi:10.1109/4235.996017
    """

    def __init__(self, seed: int, common: IntersectionSearchSpace | None = None, population: int = _POPULATION) -> None:
        super().__init__(seed=seed, population_size=population)
        self._size = population
        self._common = common or IntersectionSearchSpace(include_pruned=True)

    def get_trial_generation(self, study: optuna.Study, trial: FrozenTrial) -> int:  # noqa: ARG002
        """Return which generation a trial is bred for: the one that complete trials have not filled yet."""
        return len(_complete(study)) // self._size

    def get_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """Return the complete trials of a generation."""
        return _complete(study)[generation * self._size : (generation + 1) * self._size]

    def get_parent_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """Return the parents of a generation, in the order of their numbers also when they are chosen just now."""
        return sorted(super().get_parent_population(study, generation), key=lambda trial: trial.number)


def _complete(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


BLIND: dict[str, Callable[[int, IntersectionSearchSpace], optuna.samplers.BaseSampler]] = {
    "random": lambda seed, _: optuna.samplers.RandomSampler(seed=seed),
    "tpe": _TPESampler,
    "nsga2": NSGA2Sampler,
}
"""Samplers that know nothing of wirings: name to Optuna's sampler with a given seed, and what the trials of its study
have in common."""
