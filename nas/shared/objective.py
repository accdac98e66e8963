"""Objective: draws, claims and evaluates the wiring of a trial, and stores its record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import optuna
from optuna.samplers import BaseSampler

from nas.evaluation.trainer import Evaluation, attempt
from nas.networks import NetworkSpec
from nas.options.options import CampaignOptions
from nas.samplers.proposer import Candidate
from nas.shared.counting import rival
from nas.shared.database import STORAGE_ERRORS
from nas.shared.sampling import choose, notes_on
from nas.shared.shared import UNCOUNTED, SharedStudy
from nas.space.space import Space
from nas.training import Interrupted, StopFlag

__all__ = ["Ending", "Objective", "UncountedError", "Work"]

Ending = Literal["complete", "stopped", "failed", "duplicate", "too large"]


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

    Parameters
    ----------
    options : CampaignOptions
    identity : mapping
        Options and data that decide about results, as JSON types.
    space : Space
    units : tuple of int
        Input and output units of wirings.
    spec : NetworkSpec
    evaluation_of : callable
        Gives the evaluation of a trial, which may tell the trial about its epochs.
    steering : mapping
        Arguments of the structural sampler.
    stop : StopFlag
        Interrupts evaluations when it is set.
    """

    options: CampaignOptions
    identity: Mapping[str, Any]
    space: Space
    units: tuple[int, int]
    spec: NetworkSpec
    evaluation_of: Callable[[optuna.Trial], Evaluation]
    steering: Mapping[str, Any]
    stop: StopFlag


class Objective:
    """Evaluates trials of a shared study, one after another.

    Attributes
    ----------
    number : int or None
        Of the last trial.
    ending : Ending or None
        How its evaluation ended; None while it goes on, and after it was cut short.
    value : float or None
    seconds : float
        Spent in its evaluation.
    error : str or None
        Why its evaluation failed.
    is_broken : bool
        Whether something was raised that no trial should raise.
    """

    def __init__(self, work: Work, shared: SharedStudy, space: Space, sampler: BaseSampler) -> None:
        self._work, self._shared, self._space, self._sampler = work, shared, space, sampler
        self.number: int | None = None
        self.ending: Ending | None = None
        self.value: float | None = None
        self.seconds = 0.0
        self.error: str | None = None
        self.is_broken = False

    def forget(self) -> None:
        """Forget the last trial."""
        self.number = self.ending = self.value = self.error = None
        self.seconds, self.is_broken = 0.0, False

    def __call__(self, trial: optuna.Trial) -> float:
        """Return a trial's value.

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
        self.forget()
        self.number = trial.number
        try:
            return self._evaluated(trial)
        except _EXPECTED:
            raise
        except Exception:
            self.is_broken = True
            raise

    def _evaluated(self, trial: optuna.Trial) -> float:
        candidate = self._candidate(trial)
        evaluation = self._work.evaluation_of(trial)
        record = attempt(candidate, evaluation, self._work.stop)
        self._shared.store(trial, record.attributes())
        self.seconds, self.error = record.seconds, record.error
        if record.value is not None:
            self.value, self.ending = record.value, "complete"
            return record.value
        if record.is_counted:
            self.ending = "stopped"
            raise optuna.TrialPruned
        self.ending = "failed"
        raise UncountedError(record.error)

    def _candidate(self, trial: optuna.Trial) -> Candidate:
        """Draw a trial's wiring and claim it; it is stored only once it is known whether it is allowed."""
        work, started = self._work, time.perf_counter()
        asked = self._shared.suggester(trial)
        params = choose(self._sampler, self._space, asked)
        notes = {**notes_on(self._sampler, trial.number), "choosing": time.perf_counter() - started}
        wiring = self._space.wiring(params, *work.units)
        size = work.spec.n_parameters(wiring)["total"]
        chosen = Candidate(trial.number, params, asked.distributions, wiring, size, notes)
        if not self._space.allows(wiring, size):
            reason = f"too large: {size} parameters, {wiring.hidden.n_edges} edges"
            self._refuse(trial, "too large", reason, chosen)
        self._claim(trial, chosen)
        return chosen

    def _claim(self, trial: optuna.Trial, candidate: Candidate) -> None:
        """Make sure that nobody else trains the same; see `rival`."""
        claim = (candidate.wiring.fingerprint, candidate.replicate)
        self._store(trial, {"fingerprint": claim[0], "replicate": claim[1]}, candidate)
        other = rival(self._shared.trials(trial.study), trial.number, claim)
        if other is not None:
            self._refuse(trial, "duplicate", f"duplicate of trial {other}")

    def _refuse(self, trial: optuna.Trial, ending: Ending, reason: str, candidate: Candidate | None = None) -> None:
        self._store(trial, {UNCOUNTED: reason}, candidate)
        self.ending = ending
        raise UncountedError(reason)

    def _store(self, trial: optuna.Trial, attributes: Mapping[str, Any], candidate: Candidate | None = None) -> None:
        chosen = None if candidate is None else {"params": candidate.params, "distributions": candidate.distributions}
        self._shared.store(trial, attributes, chosen)
