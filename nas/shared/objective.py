"""Objective: draws, claims and evaluates the wiring of a trial, and stores its record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import optuna

from nas.evaluation.trainer import Evaluation, attempt
from nas.networks import NetworkSpec
from nas.options.options import CampaignOptions
from nas.samplers.proposer import Candidate
from nas.shared.counting import rival
from nas.shared.database import STORAGE_ERRORS
from nas.shared.sampling import WorkerSampler
from nas.shared.shared import SharedStudy
from nas.space.designs import WaySpace
from nas.space.space import Space
from nas.store.records import Record
from nas.training import Interrupted, StopFlag

__all__ = ["Objective", "UncountedError", "Work"]

_UNCOUNTED = "uncounted"
"""Attribute of a trial that failed without an evaluation that failed: why it does not count."""


class UncountedError(Exception):
    """Ends a trial that does not count."""


_EXPECTED = (
    UncountedError,
    Interrupted,
    optuna.TrialPruned,
    optuna.exceptions.UpdateFinishedTrialError,
    *STORAGE_ERRORS,
)


@dataclass(frozen=True)
class Work:
    """What all workers of a campaign do.

    `identity` are the options and data that decide about results, as JSON types; `units` the numbers of input and
    output units of wirings; `evaluation_of` gives the evaluation of a trial, which may tell the trial about its epochs;
    `steering` are further arguments of the structural sampler; `stop` interrupts evaluations when it is set.
    """

    options: CampaignOptions
    identity: Mapping[str, Any]
    space: Space | WaySpace
    units: tuple[int, int]
    spec: NetworkSpec
    evaluation_of: Callable[[optuna.Trial], Evaluation]
    steering: Mapping[str, Any]
    stop: StopFlag


class Objective:
    """Evaluates one trial of a shared study.

    Attributes
    ----------
    number : int or None
        The trial's, once it has begun.
    ending : str or None
        How it ended: complete, stopped, failed, duplicate or too large; None while it goes on, and after it was cut
        short.
    record : Record or None
        What its evaluation gave, once that is stored.
    is_broken : bool
        Whether something was raised that no trial should raise.
    """

    def __init__(self, work: Work, shared: SharedStudy, sampler: WorkerSampler) -> None:
        self._work, self._shared, self._sampler = work, shared, sampler
        self.number: int | None = None
        self.ending: str | None = None
        self.record: Record | None = None
        self.is_broken = False

    def __call__(self, trial: optuna.Trial) -> float:
        """Return the trial's value.

        Raises
        ------
        UncountedError
            If the trial does not count.
        optuna.TrialPruned
            If it was stopped early.
        optuna.exceptions.UpdateFinishedTrialError
            If it was given to another worker.
        Interrupted
            If the stop flag is set.
        """
        self.number = trial.number
        try:
            return self._evaluate(trial)
        except _EXPECTED:
            raise
        except Exception:
            self.is_broken = True
            raise

    def _evaluate(self, trial: optuna.Trial) -> float:
        candidate = self._draw(trial)
        self._claim(trial, candidate)
        record = attempt(candidate, self._work.evaluation_of(trial), self._work.stop)
        self._shared.store(trial, record.attributes())
        self.record, self.ending = record, record.state
        if record.value is not None:
            return record.value
        if record.is_counted:
            raise optuna.TrialPruned
        raise UncountedError(record.error)

    def _draw(self, trial: optuna.Trial) -> Candidate:
        """Draw the trial's wiring; it is stored only once it is known whether it is allowed."""
        work, started = self._work, time.perf_counter()
        asked = self._shared.suggester(trial)
        params = self._sampler.suggest_all(asked)
        proposal = self._sampler.proposals.get(trial.number)  # None for a trial that was queued again.
        notes = {} if proposal is None else proposal.notes()
        if name := work.space.graph_name(params):
            notes["graph_name"] = name
        notes["choosing"] = time.perf_counter() - started
        wiring, way = work.space.wiring(params, *work.units), work.space.way(params)
        size = work.spec.n_parameters(wiring)["total"] if way.limit is None else way.limit
        candidate = Candidate(trial.number, params, asked.distributions, wiring, size, notes, way)
        if not work.space.allows(wiring, size):
            reason = f"too large: {size} parameters, {wiring.hidden.n_edges} edges"
            self._refuse(trial, "too large", reason, candidate)
        return candidate

    def _claim(self, trial: optuna.Trial, candidate: Candidate) -> None:
        """Make sure that nobody else trains the same; see `rival`."""
        claim = (candidate.identity, candidate.replicate)
        self._shared.store(trial, {"fingerprint": claim[0], "replicate": claim[1]}, candidate)
        other = rival(self._shared.trials(trial.study), trial.number, claim)
        if other is not None:
            self._refuse(trial, "duplicate", f"duplicate of trial {other}")

    def _refuse(self, trial: optuna.Trial, ending: str, reason: str, candidate: Candidate | None = None) -> None:
        self._shared.store(trial, {_UNCOUNTED: reason}, candidate)
        self.ending = ending
        raise UncountedError(reason)
