"""Proposer: asks an Optuna sampler for candidates, in memory. Imports optuna.

What is proposed as trial `number` is a pure function of the options, the number and the trials known when its batch
was asked for. A campaign that was interrupted therefore asks again and gets the same candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.search_space import IntersectionSearchSpace

from nas.errors import InputError
from nas.search.options import Direction
from nas.search.quiet import quiet_optuna
from nas.search.records import Record
from nas.search.space import SEED_NAMES, Space
from nas.seeds import stream, stream_seed
from priors import Wiring

__all__ = ["SAMPLERS", "Candidate", "Proposer"]


class _TPESampler(optuna.samplers.TPESampler):
    """Optuna's, for a study whose every trial has a sampler of its own.

    What all trials have in common is kept in one place for all of them: finding it anew compares every
    parameter of every trial, which takes longer than the sampling.
    """

    def __init__(self, seed: int, common: IntersectionSearchSpace) -> None:
        super().__init__(seed=seed)
        self._common = common

    def infer_relative_search_space(
        self, study: optuna.Study, _: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that all trials have, without those of one value; see Optuna."""
        common = self._common.calculate(study, use_cache=True)
        return {name: distribution for name, distribution in common.items() if not distribution.single()}


SAMPLERS: dict[str, Callable[[int, IntersectionSearchSpace], optuna.samplers.BaseSampler]] = {
    "random": lambda seed, _: optuna.samplers.RandomSampler(seed=seed),
    "tpe": _TPESampler,
}
"""Sampler name to Optuna's sampler with a given seed, and what the trials of its study have in common."""

_MAX_DRAWS = 1000
# A sampler that learnt to like what is too large would propose it for ever; chance finds what is left.
_SAMPLER_DRAWS = 50
_SEED_RANGE = IntDistribution(0, 2**31 - 1)


@dataclass(frozen=True)
class Candidate:
    """A wiring to be evaluated as trial `number`, with the parameters that it can be rebuilt from."""

    number: int
    params: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    wiring: Wiring
    n_parameters: int


class Proposer:
    """Asks for candidates and is told what became of them.

    Parameters
    ----------
    space : Space
    sampler : str
        A key of `SAMPLERS`.
    seed : int
    direction : {"maximize", "minimize"}
    n_inputs, n_outputs : int
        Units to attach to every wiring.
    size_of : callable
        Number of parameters of the network of a wiring, for `Space.max_parameters`.
    """

    def __init__(
        self,
        space: Space,
        *,
        sampler: str,
        seed: int,
        direction: Direction,
        n_inputs: int,
        n_outputs: int,
        size_of: Callable[[Wiring], int],
    ) -> None:
        self._space, self._sampler, self._seed = space, SAMPLERS[sampler], seed
        self._units = (n_inputs, n_outputs)
        self._size_of = size_of
        self.learns = sampler != "random"
        """Whether what is proposed depends on what was told."""
        self._common = IntersectionSearchSpace(include_pruned=True)
        with quiet_optuna():
            self._study = optuna.create_study(direction=direction, sampler=self._sampler(0, self._common))
        self._open: dict[int, optuna.Trial] = {}

    def propose(self, number: int) -> Candidate:
        """Return the candidate of trial `number`, which then counts as running until `tell`.

        Raises
        ------
        InputError
            If no draw fits `Space.max_parameters`.
        """
        smallest: int | None = None
        for draw in range(_MAX_DRAWS):
            sampler = self._sampler if draw < _SAMPLER_DRAWS else SAMPLERS["random"]
            self._study.sampler = sampler(stream_seed(self._seed, "sampler", number, draw), self._common)
            trial = self._study.ask()
            searched = self._space.suggest(trial)
            seeds = self._space.seeds(stream(self._seed, "wiring", number, draw))
            params = {**searched, **seeds}
            wiring = self._space.wiring(params, *self._units)
            size = self._size_of(wiring)
            if self._space.max_parameters is None or size <= self._space.max_parameters:
                self._open[number] = trial
                distributions = {**trial.distributions, **dict.fromkeys(seeds, _SEED_RANGE)}
                return Candidate(number, params, distributions, wiring, size)
            smallest = size if smallest is None else min(smallest, size)
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        raise InputError(
            f"space.max_parameters={self._space.max_parameters}: none of {_MAX_DRAWS} candidates is so small; "
            f"the smallest has {smallest} parameters"
        )

    def tell(self, record: Record) -> None:
        """Learn what became of a candidate that was proposed."""
        trial = self._open.pop(record.number)
        if record.is_complete:
            self._study.tell(trial, record.value)
        else:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)

    def remember(self, trial: optuna.trial.FrozenTrial) -> None:
        """Learn what became of a candidate of an earlier run."""
        searched = [name for name in trial.params if name not in SEED_NAMES]
        self._study.add_trial(
            optuna.create_trial(
                state=trial.state,
                value=trial.value,
                params={name: trial.params[name] for name in searched},
                distributions={name: trial.distributions[name] for name in searched},
            )
        )
