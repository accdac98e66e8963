"""Which Optuna sampler a worker uses, and what it says about its choices.

Workers share the campaign's seed and still differ: what is proposed as a trial is a function of the seed, the trial's
number, which no two workers have in common, and the trials that are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import FrozenTrial

from nas.networks import NetworkSpec
from nas.options.options import CampaignOptions
from nas.samplers import StructuralSampler
from nas.samplers.blind import BLIND, ByDistribution
from nas.seeds import stream_seed
from nas.space.space import DRAW_NAMES, Space, Suggester, without_draws

__all__ = ["Asked", "choose", "notes_on", "sampler_for", "searched_space"]


def searched_space(options: CampaignOptions, space: Space) -> Space:
    """Return the space that the sampler of the options searches: edits lead to neighbours, which not all look for."""
    return space.model_copy(update={"edits": 0}) if options.sampler in BLIND else space


def sampler_for(
    options: CampaignOptions,
    space: Space,
    units: tuple[int, int],
    spec: NetworkSpec,
    seed: int,
    steering: Mapping[str, Any],
) -> BaseSampler:
    """Return the sampler of the options, for one thread of one worker.

    Parameters
    ----------
    options : CampaignOptions
    space : Space
        As returned by `searched_space`.
    units : tuple of int
        Input and output units of wirings.
    spec : NetworkSpec
        What wirings become.
    seed : int
        The campaign's.
    steering : mapping
        Further arguments of the structural sampler.
    """
    if options.sampler in BLIND:
        return _ByNumber(BLIND[options.sampler], seed)
    return StructuralSampler(
        space, *units, size_of=lambda wiring: spec.n_parameters(wiring)["total"], seed=seed, **steering
    )


def choose(sampler: BaseSampler, space: Space, asked: Suggester) -> dict[str, Any]:
    """Let a sampler choose all parameters of a trial."""
    return (sampler if isinstance(sampler, StructuralSampler) else space).suggest_all(asked)


def notes_on(sampler: BaseSampler, number: int) -> dict[str, Any]:
    """Return the fields of a Record that say how a trial was chosen; none for one that was queued again."""
    if not isinstance(sampler, StructuralSampler) or number not in sampler.proposals:
        return {}
    return sampler.proposals[number].notes()


class _ByNumber(BaseSampler):
    """Lets a sampler of its own choose each trial; seeds of wirings are drawn, since nothing is learnt from them."""

    def __init__(self, make: Callable[[int, IntersectionSearchSpace], BaseSampler], seed: int) -> None:
        self._common = IntersectionSearchSpace(include_pruned=True)
        self._make, self._seed = make, seed
        self._sampler, self._draws = make(seed, self._common), RandomSampler(seed=seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Seed the samplers of this trial; see Optuna."""
        self._sampler = self._make(stream_seed(self._seed, "sampler", trial.number), self._common)
        self._draws = RandomSampler(seed=stream_seed(self._seed, "wiring", trial.number))
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what is sampled together; see Optuna."""
        return without_draws(self._sampler.infer_relative_search_space(study, trial))

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample together; see Optuna."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one parameter; see Optuna."""
        sampler = self._draws if param_name in DRAW_NAMES else self._sampler
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: optuna.Study, trial: FrozenTrial, state: Any, values: Any) -> None:
        """Hear how a trial ended; see Optuna."""
        self._sampler.after_trial(study, trial, state, values)


class Asked(ByDistribution):
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

    def suggest(self, name: str, distribution: BaseDistribution, only: Any) -> Any:
        """Take what is fixed, or let the sampler choose; see `ByDistribution`."""
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
