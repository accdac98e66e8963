"""Asked: lets a study's sampler choose a trial's parameters without storing them one by one. Imports optuna."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

__all__ = ["Asked"]


class Asked:
    """Suggests like the trial itself, which would write to the database for every parameter.

    Parameters
    ----------
    trial : optuna.Trial
        Just asked for; a trial that was queued keeps the parameters that it was queued with.

    Attributes
    ----------
    distributions : dict
        Of the parameters that were suggested.
    """

    def __init__(self, trial: optuna.Trial) -> None:
        self._study = trial.study
        self._trial = trial.study.get_trials(deepcopy=False)[trial.number]
        self._fixed: dict[str, Any] = self._trial.system_attrs.get("fixed_params", {})
        self.distributions: dict[str, BaseDistribution] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Choose one of `choices`."""
        return self._suggested(name, CategoricalDistribution(choices), choices[0])

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Choose an integer, both ends included."""
        return int(self._suggested(name, IntDistribution(low, high), low))

    def suggest_float(self, name: str, low: float, high: float) -> float:
        """Choose a number, both ends included."""
        return float(self._suggested(name, FloatDistribution(low, high), low))

    def _suggested(self, name: str, distribution: BaseDistribution, only: Any) -> Any:
        self.distributions[name] = distribution
        if name in self._fixed:
            return self._fixed[name]
        if distribution.single():
            return only
        if name in self._together:
            return self._together[name]
        return self._study.sampler.sample_independent(self._study, self._trial, name, distribution)

    @cached_property
    def _together(self) -> dict[str, Any]:
        sampler = self._study.sampler
        space = sampler.infer_relative_search_space(self._study, self._trial)
        return sampler.sample_relative(self._study, self._trial, space)
