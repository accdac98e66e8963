"""Proposer: asks an Optuna sampler for candidates, in memory.

What is proposed as trial `number` is a pure function of the options, the number and the trials known when its batch
was asked for. A campaign that was interrupted therefore asks again and gets the same candidates.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import FrozenTrial, TrialState, create_trial

from nas.errors import known
from nas.options.options import Direction
from nas.samplers.beside import ask_beside
from nas.samplers.blind import BLIND
from nas.samplers.genetic import GeneticSampler
from nas.samplers.plan import seconds_of
from nas.samplers.race import next_of_ways
from nas.samplers.rounds import Proposal
from nas.samplers.structural import StructuralSampler
from nas.seeds import stream, stream_seed
from nas.space.designs import WaySpace
from nas.space.draws import Turns
from nas.space.lineage import BRED, kept_of
from nas.space.space import SEED_NAMES, Space
from nas.space.way import PLAIN, Way
from nas.store.records import Record
from nas.store.study import quiet_optuna
from nas.training.session import sign_of
from priors import Wiring

__all__ = ["SAMPLERS", "Candidate", "Proposer"]


SAMPLERS = ("structural", "genetic", *BLIND)
"""Names of samplers."""

_MAX_DRAWS = 1000
# A sampler that learnt to like what is too large would propose it for ever; chance finds what is left.
_SAMPLER_DRAWS = 50


@dataclass(frozen=True)
class Candidate:
    """A wiring to be evaluated as trial `number`, with the parameters that it can be rebuilt from.

    `notes` are the fields of its Record that say how it was chosen. Where the structure is learned, the wiring is what
    training starts with, and the number of parameters what the network may have in the end.
    """

    number: int
    params: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    wiring: Wiring
    n_parameters: int
    notes: Mapping[str, Any] = field(default_factory=dict)
    way: Way = PLAIN

    @property
    def identity(self) -> str:
        """What no other candidate has, in hexadecimal: its wiring, or its parameters where more than that is chosen."""
        if self.way == PLAIN:
            return self.wiring.fingerprint
        return hashlib.sha256(json.dumps(dict(self.params), sort_keys=True).encode()).hexdigest()

    @property
    def replicate(self) -> int:
        """Which training of its wiring the trial is."""
        return int(self.params.get("replicate", 0))


class Proposer:
    """Asks for candidates and is told what became of them.

    Parameters
    ----------
    space : Space or WaySpace
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
    beside : mapping
        Distributions of parameters that no wiring follows from, by name; not for the genetic sampler.
    """

    def __init__(
        self,
        space: Space | WaySpace,
        *,
        sampler: str,
        seed: int,
        direction: Direction,
        n_inputs: int,
        n_outputs: int,
        size_of: Callable[[Wiring], int],
        by_size: bool = False,
        steering: Mapping[str, Any] | None = None,
        beside: Mapping[str, BaseDistribution] | None = None,
    ) -> None:
        self._space, self._sampler, self._seed = space, sampler, seed
        self._units = (n_inputs, n_outputs)
        self._size_of, self._beside = size_of, beside or {}
        self.learns = sampler != "random"
        """Whether what is proposed depends on what was told."""
        self._common = IntersectionSearchSpace(include_pruned=True)
        self._by_size = by_size
        given = {"size_of": size_of, "seed": seed, **(steering or {})}
        # One that knows of wirings; None for those of `BLIND`.
        self._guide: StructuralSampler | GeneticSampler | None = None
        if isinstance(space, WaySpace):
            known("sampler", sampler, BLIND)
        elif sampler == "genetic":
            self._guide = GeneticSampler(space, *self._units, direction=direction, **given)
        elif sampler not in BLIND:
            self._guide = StructuralSampler(space, *self._units, noting=False, **given)
        directions: list[Direction] = [direction, "minimize"] if by_size else [direction]
        with quiet_optuna():
            self._study = optuna.create_study(
                directions=directions, sampler=self._guide if isinstance(self._guide, StructuralSampler) else None
            )
        self._open: dict[int, optuna.Trial] = {}
        # The numbers of own graphs say nothing, and samplers that know nothing of wirings would learn from them.
        self._turns = None
        if isinstance(space, Space) and space.pool is not None:
            self._turns = Turns(space, seed, self._units, size_of)

    def propose(self, number: int) -> Candidate:
        """Return the candidate of trial `number`, which then counts as running until `tell`.

        An InputError says that no draw keeps to the limits of the space.
        """
        started = time.perf_counter()
        if self._guide is None:
            candidate = self._draw(number)
        elif isinstance(self._guide, GeneticSampler):
            candidate = self._breed(number, self._guide)
        else:
            candidate = self._steer(number, self._guide)
        return replace(candidate, notes={**candidate.notes, "choosing": time.perf_counter() - started})

    def _steer(self, number: int, sampler: StructuralSampler) -> Candidate:
        trial = self._study.ask()
        params = {**sampler.suggest_all(trial), **ask_beside(trial, self._beside)}
        self._open[number] = trial
        assert isinstance(self._space, Space)
        wiring = self._space.wiring(params, *self._units)
        # Where nothing varies Optuna asks for nothing.
        notes = sampler.proposals.get(trial.number, Proposal("start-up")).notes()
        return Candidate(number, params, trial.distributions, wiring, self._size_of(wiring), notes)

    def _breed(self, number: int, sampler: GeneticSampler) -> Candidate:
        child = sampler.propose(number, self._study.get_trials(deepcopy=False))
        params, kept = dict(child.params), kept_of(child.wiring, child.lineage)
        distributions = self._distributions(params)
        self._add_running(number, params=params, distributions=distributions, user_attrs=kept)
        notes = {**child.proposal.notes(), "lineage": kept["lineage"]}
        return Candidate(number, params, distributions, child.wiring, self._size_of(child.wiring), notes)

    def _draw(self, number: int) -> Candidate:
        extents = []
        for draw in range(_MAX_DRAWS):
            make = BLIND[self._sampler if draw < _SAMPLER_DRAWS else "random"]
            self._study.sampler = make(stream_seed(self._seed, "sampler", number, draw), self._common)
            if draw == 0 and self.learns and isinstance(self._space, WaySpace):
                sign, trials = sign_of(self._study.directions[0].name.lower()), self._study.get_trials(deepcopy=False)
                if given := next_of_ways(trials, self._space, number, sign):
                    self._study.enqueue_trial(dict(given))
            trial = self._study.ask()
            if self._turns is None:
                searched = self._space.suggest(trial)
            else:
                searched = self._space.suggest(_InTurn(trial, self._turns.graph(number)))
            seeds = self._space.seeds(stream(self._seed, "wiring", number, draw))
            params = {**searched, **seeds, **ask_beside(trial, self._beside)}
            wiring, way = self._space.wiring(params, *self._units), self._space.way(params)
            size = self._size_of(wiring) if way.limit is None else way.limit
            if self._space.allows(wiring, size):
                self._open[number] = trial
                return Candidate(number, params, self._distributions(params), wiring, size, way=way)
            assert isinstance(self._space, Space)
            extents.append(self._space.extent(wiring, size))
            self._study.tell(trial, state=TrialState.FAIL)
        assert isinstance(self._space, Space)
        raise self._space.impossible(extents)

    def _distributions(self, params: Mapping[str, Any]) -> dict[str, BaseDistribution]:
        known = {**self._space.distributions(), **self._beside}
        return {name: known[name] for name in params}

    def tell(self, record: Record) -> None:
        """Learn what became of a candidate that was proposed."""
        trial = self._open.pop(record.number)
        trial.set_user_attr("seconds", record.seconds if record.expected_seconds is None else record.expected_seconds)
        if record.is_complete:
            self._study.tell(trial, record.objectives if self._by_size else record.value)
        elif record.state == "stopped":
            for epoch, value in enumerate(record.curve, 1):
                trial.report(value, epoch)
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, state=TrialState.FAIL)

    def remember(self, trial: FrozenTrial) -> None:
        """Learn what became of a candidate of an earlier run."""
        curve = trial.intermediate_values if trial.state == TrialState.PRUNED else {}
        # As Optuna does where a trial is told to have been pruned.
        values = [curve[max(curve)]] if curve else trial.values
        self._study.add_trial(
            create_trial(state=trial.state, values=values, intermediate_values=dict(curve), **self._learnt_from(trial))
        )

    def reopen(self, trial: FrozenTrial) -> None:
        """Let a candidate of an earlier run count as running until `tell`, as it did when the next one was proposed."""
        self._add_running(trial.number, **self._learnt_from(trial))

    def best(self, n: int) -> list[int] | None:
        """Return trials of the wirings that the sampler thinks best, best first; None where it has no opinion."""
        return None if self._guide is None else self._guide.best(self._study, n)

    def _learnt_from(self, trial: FrozenTrial) -> dict[str, Any]:
        """Return what a sampler reads of a trial, beside what became of it."""
        names = [name for name in trial.params if self._guide is not None or name not in (*SEED_NAMES, "graph")]
        kept = {name: trial.user_attrs[name] for name in BRED} if isinstance(self._guide, GeneticSampler) else {}
        return {
            "params": {name: trial.params[name] for name in names},
            "distributions": {name: trial.distributions[name] for name in names},
            "user_attrs": {"seconds": seconds_of(trial), **kept},
        }

    def _add_running(self, number: int, **fields: Any) -> None:
        self._study.add_trial(create_trial(state=TrialState.RUNNING, **fields))
        added = self._study.get_trials(deepcopy=False)[-1]
        self._open[number] = optuna.Trial(self._study, added._trial_id)


@dataclass(frozen=True)
class _InTurn:
    """Suggests as a trial does, but for the graph, whose turn it is."""

    trial: optuna.Trial
    graph: int

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return self.trial.suggest_categorical(name, choices)

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return self.graph if name == "graph" else self.trial.suggest_int(name, low, high, log=log)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return self.trial.suggest_float(name, low, high, log=log)
