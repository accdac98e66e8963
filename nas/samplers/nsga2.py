"""NSGA-II for campaigns: Optuna's, with generations that follow from the complete trials alone."""

from __future__ import annotations

import optuna
from optuna.distributions import BaseDistribution
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import FrozenTrial, TrialState

__all__ = ["POPULATION", "NSGA2Sampler"]

POPULATION = 10
"""Trials of a generation, as many as the structural sampler draws before it predicts anything."""


class NSGA2Sampler(optuna.samplers.NSGAIISampler):
    """Optuna's NSGA-II, for a study whose every trial has a sampler of its own.

    Optuna notes with each trial which generation it was bred for, and its study notes the parents. Here the complete
    trials, in the order of their numbers, are cut into generations: whoever has the trials breeds the same children,
    also after an interruption. A trial that was bred before a generation was full and ends afterwards counts in the
    next one, in place of nowhere.

    Parameters
    ----------
    seed : int
    common : IntersectionSearchSpace, optional
        What all trials have in common, where it is kept for all samplers of a study.
    population : int

    References
    ----------
    Deb et al. (2002), "A fast and elitist multiobjective genetic algorithm: NSGA-II", doi:10.1109/4235.996017
    """

    def __init__(self, seed: int, common: IntersectionSearchSpace | None = None, population: int = POPULATION) -> None:
        super().__init__(seed=seed, population_size=population)
        self._size = population
        self._common = common or IntersectionSearchSpace(include_pruned=True)

    def infer_relative_search_space(
        self,
        study: optuna.Study,
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that all trials have, without those of one value; see Optuna."""
        common = self._common.calculate(study)
        return {name: distribution for name, distribution in common.items() if not distribution.single()}

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
