"""Draws of Optuna's TPE from trials that are over, beside a study and without touching it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from nas.space.space import Params, Space, without_draws
from nas.store.study import quiet_optuna

__all__ = ["ByDistribution", "TPEDraws"]


class TPEDraws:
    """Lets TPE choose the searched parameters of a space.

    Parameters
    ----------
    space : Space
    directions : sequence of str or StudyDirection
    """

    def __init__(self, space: Space, directions: Sequence[Any]) -> None:
        self._space, self._directions = space, list(directions)
        self._distributions = without_draws(space.distributions())
        self._study, self._learnt = self._nothing(), list[int]()

    def draw(self, over: Sequence[FrozenTrial], seed: int, n: int) -> list[Params]:
        """Return searched parameters, drawn by what some trials became.

        Nothing but these trials counts, whatever was drawn before: where they do not go on with those of the last
        call, as in parallel studies, all of them are learnt anew.
        """
        numbers = [trial.number for trial in over]
        with quiet_optuna():
            if numbers[: len(self._learnt)] != self._learnt:
                self._study, self._learnt = self._nothing(), []
            for trial in over[len(self._learnt) :]:
                if trial.state == TrialState.COMPLETE:
                    self._learn(trial)
            self._learnt = numbers
            sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=0)
            return [self._space.suggest(_Asked(self._study, sampler)) for _ in range(n)]

    def _nothing(self) -> optuna.Study:
        with quiet_optuna():
            return optuna.create_study(directions=self._directions)

    def _learn(self, trial: FrozenTrial) -> None:
        names = [name for name in trial.params if name in self._distributions]
        try:
            searched = optuna.create_trial(
                values=trial.values,
                params={name: trial.params[name] for name in names},
                distributions={name: self._distributions[name] for name in names},
            )
        except ValueError:
            return  # It is not of this space: it was added by hand.
        self._study.add_trial(searched)


class ByDistribution(ABC):
    """Suggests by Optuna's distributions, without a trial that would store every parameter; see `Suggester`."""

    @abstractmethod
    def suggest(self, name: str, distribution: BaseDistribution, only: Any) -> Any:
        """Choose a value of a distribution; `only` is the one where there is a single one."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Choose one of `choices`."""
        return self.suggest(name, CategoricalDistribution(choices), choices[0])

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Choose an integer, both ends included."""
        return int(self.suggest(name, IntDistribution(low, high), low))

    def suggest_float(self, name: str, low: float, high: float) -> float:
        """Choose a number, both ends included."""
        return float(self.suggest(name, FloatDistribution(low, high), low))


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
