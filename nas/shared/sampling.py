"""Which Optuna sampler a worker uses, and how it is asked.

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
from nas.samplers import Proposal, StructuralSampler
from nas.samplers.blind import BLIND, ByDistribution
from nas.samplers.race import next_of_ways
from nas.seeds import stream_seed
from nas.space.designs import WaySpace
from nas.space.draws import Turns
from nas.space.space import DRAW_NAMES, Space, Suggester, without_draws
from nas.training.session import sign_of
from priors import Wiring

__all__ = ["Asked", "WorkerSampler", "sampler_for"]


def sampler_for(
    options: CampaignOptions,
    space: Space | WaySpace,
    units: tuple[int, int],
    spec: NetworkSpec,
    steering: Mapping[str, Any],
) -> WorkerSampler:
    """Return the sampler of the options, for one thread of one worker; see `Work` for what is given."""

    def size_of(wiring: Wiring) -> int:
        return spec.n_parameters(wiring)["total"]

    if options.sampler in BLIND:
        return _ByNumber(BLIND[options.sampler], options.seed, space, units, size_of)
    assert isinstance(space, Space)
    return StructuralSampler(space, *units, size_of=size_of, seed=options.seed, noting=False, **steering)


class _ByNumber(BaseSampler):
    """Lets a sampler of its own choose each trial; seeds of wirings are drawn, since nothing is learnt from them."""

    def __init__(
        self,
        make: Callable[[int, IntersectionSearchSpace], BaseSampler],
        seed: int,
        space: Space | WaySpace,
        units: tuple[int, int],
        size_of: Callable[[Wiring], int],
    ) -> None:
        self._common = IntersectionSearchSpace(include_pruned=True)
        self._make, self._seed = make, seed
        self._sampler, self._draws = make(seed, self._common), RandomSampler(seed=seed)
        self._space, self._turns = space, None
        if isinstance(space, Space):
            # Edits lead to neighbours, which such a sampler does not look for.
            self._space = space.model_copy(update={"edits": 0})
            self._turns = None if space.pool is None else Turns(self._space, seed, units, size_of)
        self._given: Mapping[str, Any] = {}
        self.proposals: dict[int, Proposal] = {}

    def suggest_all(self, trial: Suggester) -> dict[str, Any]:
        """Choose all parameters of a trial."""
        return self._space.suggest_all(trial)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Seed the samplers of this trial; see Optuna."""
        self._sampler = self._make(stream_seed(self._seed, "sampler", trial.number), self._common)
        self._draws = RandomSampler(seed=stream_seed(self._seed, "wiring", trial.number))
        self._sampler.before_trial(study, trial)
        if isinstance(self._space, WaySpace) and not isinstance(self._sampler, RandomSampler):
            others = [own for own in study.get_trials(deepcopy=False) if own.number != trial.number]
            sign = sign_of(study.direction.name.lower())
            self._given = next_of_ways(others, self._space, trial.number, sign)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what is sampled together; see Optuna."""
        found = without_draws(self._sampler.infer_relative_search_space(study, trial))
        return {name: own for name, own in found.items() if name != "graph" and name not in self._given}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample together; see Optuna."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one parameter; see Optuna."""
        if param_name in self._given:
            return self._given[param_name]
        if param_name == "graph" and self._turns is not None:
            return self._turns.graph(trial.number)
        sampler = self._draws if param_name in DRAW_NAMES else self._sampler
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: optuna.Study, trial: FrozenTrial, state: Any, values: Any) -> None:
        """Learn how a trial ended; see Optuna."""
        self._sampler.after_trial(study, trial, state, values)


WorkerSampler = StructuralSampler | _ByNumber


class Asked(ByDistribution):
    """Suggests like the trial itself, which would write to the database for every parameter.

    The trial was just asked for; one that was queued keeps the parameters that it was queued with. `distributions` are
    those of the parameters that were suggested.
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
