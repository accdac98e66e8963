"""Proposer: asks an Optuna sampler for candidates, in memory.

What is proposed as trial `number` is a pure function of the options, the number and the trials known when its batch
was asked for. A campaign that was interrupted therefore asks again and gets the same candidates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.search_space import IntersectionSearchSpace

from nas.options.options import Direction
from nas.samplers.blind import NSGA2Sampler
from nas.samplers.genetic import GeneticSampler
from nas.samplers.plan import seconds_of
from nas.samplers.structural import Proposal, StructuralSampler
from nas.seeds import stream, stream_seed
from nas.space.lineage import BRED, kept_of
from nas.space.space import SEED_NAMES, Space
from nas.store.records import Record
from nas.store.study import quiet_optuna
from priors import Wiring

__all__ = ["BLIND", "SAMPLERS", "Candidate", "Proposer", "notes_of"]


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


BLIND: dict[str, Callable[[int, IntersectionSearchSpace], optuna.samplers.BaseSampler]] = {
    "random": lambda seed, _: optuna.samplers.RandomSampler(seed=seed),
    "tpe": _TPESampler,
    "nsga2": NSGA2Sampler,
}
"""Samplers that know nothing of wirings: name to Optuna's sampler with a given seed, and what the trials of its study
have in common."""

SAMPLERS = ("structural", "genetic", *BLIND)
"""Names of samplers."""

_MAX_DRAWS = 1000
# A sampler that learnt to like what is too large would propose it for ever; chance finds what is left.
_SAMPLER_DRAWS = 50
_SEED_RANGE = IntDistribution(0, 2**31 - 1)


@dataclass(frozen=True)
class Candidate:
    """A wiring to be evaluated as trial `number`, with the parameters that it can be rebuilt from.

    `notes` are the fields of its Record that say how it was chosen.
    """

    number: int
    params: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    wiring: Wiring
    n_parameters: int
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def replicate(self) -> int:
        """Which training of its wiring the trial is."""
        return int(self.params.get("replicate", 0))


class Proposer:
    """Asks for candidates and is told what became of them.

    Parameters
    ----------
    space : Space
    sampler : str
        One of `SAMPLERS`.
    seed : int
    direction : {"maximize", "minimize"}
        Of the value.
    n_inputs, n_outputs : int
        Units to attach to every wiring.
    size_of : callable
        Number of parameters of the network of a wiring, for `Space.max_parameters`.
    by_size : bool
        Whether fewer parameters are a second objective.
    steering : mapping
        Arguments of the structural or of the genetic sampler.
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
        by_size: bool = False,
        steering: Mapping[str, Any] | None = None,
    ) -> None:
        self._space, self._sampler, self._seed = space, sampler, seed
        self._units = (n_inputs, n_outputs)
        self._size_of = size_of
        self.learns = sampler != "random"
        """Whether what is proposed depends on what was told."""
        self._common = IntersectionSearchSpace(include_pruned=True)
        self._structural: StructuralSampler | None = None
        self._genetic: GeneticSampler | None = None
        given = {"size_of": size_of, "seed": seed, **(steering or {})}
        if sampler == "genetic":
            self._genetic = GeneticSampler(space, *self._units, direction=direction, **given)
        elif sampler not in BLIND:
            self._structural = StructuralSampler(space, *self._units, **given)
        self._by_size = by_size
        directions: list[Direction] = [direction, "minimize"] if by_size else [direction]
        with quiet_optuna():
            self._study = optuna.create_study(directions=directions, sampler=self._structural)
        self._open: dict[int, optuna.Trial] = {}

    def propose(self, number: int) -> Candidate:
        """Return the candidate of trial `number`, which then counts as running until `tell`.

        Raises
        ------
        InputError
            If no draw fits the limits of the space.
        """
        started = time.perf_counter()
        if self._genetic is not None:
            candidate = self._breed(number, self._genetic)
        else:
            candidate = self._draw(number) if self._structural is None else self._steer(number, self._structural)
        return replace(candidate, notes={**candidate.notes, "choosing": time.perf_counter() - started})

    def _steer(self, number: int, sampler: StructuralSampler) -> Candidate:
        trial = self._study.ask()
        params = sampler.suggest_all(trial)
        self._open[number] = trial
        wiring = self._space.wiring(params, *self._units)
        notes = notes_of(sampler.proposals[trial.number])
        return Candidate(number, params, trial.distributions, wiring, self._size_of(wiring), notes)

    def _breed(self, number: int, sampler: GeneticSampler) -> Candidate:
        child = sampler.propose(number, self._study.get_trials(deepcopy=False))
        params, kept = dict(child.params), kept_of(child.wiring, child.lineage)
        known = self._space.distributions()
        distributions = {name: known[name] for name in params}
        self._study.add_trial(
            optuna.create_trial(
                state=optuna.trial.TrialState.RUNNING, params=params, distributions=distributions, user_attrs=kept
            )
        )
        self._open_last(number)
        notes = {**notes_of(child.proposal), "lineage": kept["lineage"]}
        return Candidate(number, params, distributions, child.wiring, self._size_of(child.wiring), notes)

    def _draw(self, number: int) -> Candidate:
        extents = []
        for draw in range(_MAX_DRAWS):
            make = BLIND[self._sampler if draw < _SAMPLER_DRAWS else "random"]
            self._study.sampler = make(stream_seed(self._seed, "sampler", number, draw), self._common)
            trial = self._study.ask()
            searched = self._space.suggest(trial)
            seeds = self._space.seeds(stream(self._seed, "wiring", number, draw))
            params = {**searched, **seeds}
            wiring = self._space.wiring(params, *self._units)
            size = self._size_of(wiring)
            if self._space.allows(wiring, size):
                self._open[number] = trial
                distributions = {**trial.distributions, **dict.fromkeys(seeds, _SEED_RANGE)}
                return Candidate(number, params, distributions, wiring, size)
            extents.append(self._space.extent(wiring, size))
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        raise self._space.impossible(extents)

    def tell(self, record: Record) -> None:
        """Learn what became of a candidate that was proposed."""
        trial = self._open.pop(record.number)
        trial.set_user_attr("seconds", record.seconds if record.expected_seconds is None else record.expected_seconds)
        if record.is_complete:
            self._study.tell(trial, record.objectives if self._by_size else record.value)
        elif record.state == "stopped":
            for epoch, value in enumerate(record.curve, 1):
                trial.report(value, epoch)
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)

    def remember(self, trial: optuna.trial.FrozenTrial) -> None:
        """Learn what became of a candidate of an earlier run."""
        curve = trial.intermediate_values if trial.state == optuna.trial.TrialState.PRUNED else {}
        self._add(
            trial,
            state=trial.state,
            # As Optuna does where a trial is told to have been pruned.
            values=[curve[max(curve)]] if curve else trial.values,
            intermediate_values=dict(curve),
        )

    def reopen(self, trial: optuna.trial.FrozenTrial) -> None:
        """Let a candidate of an earlier run count as running until `tell`, as it did when the next one was proposed."""
        self._add(trial, state=optuna.trial.TrialState.RUNNING)
        self._open_last(trial.number)

    def best(self, n: int) -> list[int] | None:
        """Return trials of the wirings that the sampler thinks best, best first; None where it has no opinion."""
        if self._genetic is not None:
            return self._genetic.best(self._study.get_trials(deepcopy=False), n)
        return None if self._structural is None else self._structural.best(self._study, n)

    def _open_last(self, number: int) -> None:
        added = self._study.get_trials(deepcopy=False)[-1]
        self._open[number] = optuna.Trial(self._study, added._trial_id)

    def _add(self, trial: optuna.trial.FrozenTrial, **fields: Any) -> None:
        names = [name for name in trial.params if self._sampler not in BLIND or name not in SEED_NAMES]
        kept = {name: trial.user_attrs[name] for name in BRED} if self._genetic is not None else {}
        self._study.add_trial(
            optuna.create_trial(
                params={name: trial.params[name] for name in names},
                distributions={name: trial.distributions[name] for name in names},
                user_attrs={"seconds": seconds_of(trial), **kept},
                **fields,
            )
        )


def notes_of(proposal: Proposal) -> dict[str, Any]:
    """Return the fields of a Record that say how a sampler that predicts chose a candidate."""
    notes: dict[str, Any] = {"origin": proposal.origin, "rank_correlation": proposal.tau}
    if (expected := proposal.forecast) is not None:
        notes |= {"prediction": expected.value, "prediction_std": expected.std}
        notes |= {"prediction_low": expected.low, "prediction_high": expected.high}
    return notes
