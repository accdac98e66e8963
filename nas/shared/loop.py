"""Loop: one thread of a worker, from trial to trial until enough of them count.

Whatever goes wrong with the database costs at most the trial in work, which another worker then does.
"""

from __future__ import annotations

import random
import threading
from collections import Counter

import optuna
from optuna.trial import TrialState

from nas.errors import CampaignError, InputError
from nas.evaluation.trainer import FAILURES_IN_A_ROW
from nas.shared.counting import standing
from nas.shared.database import STORAGE_ERRORS
from nas.shared.objective import Objective, UncountedError, Work
from nas.shared.sampling import sampler_for, searched_space
from nas.shared.shared import SharedStudy
from nas.shared.stale import Silence, fail_stale, requeue, tell_once
from nas.training import Interrupted

__all__ = ["Loop", "Tally"]

_IDLE_S = 1.0
_REFUSALS_IN_A_ROW = 1000
_OVER = (optuna.exceptions.UpdateFinishedTrialError, ValueError)


class Tally:
    """What the threads of a worker have done so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endings: Counter[str] = Counter()
        self.seconds = 0.0

    def add(self, ending: str, seconds: float = 0.0) -> None:
        """Count a trial that ended."""
        with self._lock:
            self._endings[ending] += 1
            self.seconds += seconds

    def __getitem__(self, ending: str) -> int:
        return self._endings[ending]

    @property
    def trials(self) -> int:
        """Trials that have a value or were stopped early."""
        return self["complete"] + self["stopped"]


class Loop:
    """Works on a shared study.

    Parameters
    ----------
    work : Work
    shared : SharedStudy
    stop : threading.Event
        Ends the loop when it is set.
    tally : Tally
        Told of every trial.
    """

    def __init__(self, work: Work, shared: SharedStudy, stop: threading.Event, tally: Tally) -> None:
        self._work, self._shared, self._stop, self._tally = work, shared, stop, tally
        space = searched_space(work.options, work.space)
        sampler = sampler_for(work.options, space, work.units, work.spec, work.options.seed, work.steering)
        self._objective = Objective(work, shared, space, sampler)
        self._study = shared.open(sampler)
        self._silence = Silence()
        self._in_a_row: Counter[str] = Counter()

    def run(self) -> None:
        """Work until as many trials count as are wanted.

        Raises
        ------
        Interrupted
            If the stop event is set; the trial in work is given back.
        CampaignError
            If all evaluations fail, or the database stays away.
        InputError
            If no wiring is small enough.
        """
        while not self._shared.outage.patiently(self._step):
            pass

    def _step(self) -> bool:
        """Do what there is to do, and return whether nothing is left."""
        if self._stop.is_set():
            raise Interrupted("stopped between two trials")
        trials = self._shared.trials(self._study)
        now, wanted = standing(trials), self._shared.wanted()
        if now.counted >= wanted:
            return True
        for number in self._silence.broken(trials):
            tell_once(self._study, number, TrialState.FAIL)
        if now.counted + now.running < wanted:
            self._one_trial()
        else:
            # Others are at it; should one of them die, its trial is queued again.
            fail_stale(self._study)
            self._stop.wait(_IDLE_S * random.uniform(0.5, 1.0))
        return False

    def _one_trial(self) -> None:
        objective = self._objective
        objective.forget()
        try:
            self._study.optimize(objective, n_trials=1, catch=(UncountedError,))
        except Interrupted:
            self._give_back()
            raise
        except Exception as error:
            reason = _reason(error)
            if reason is None or objective.is_broken:
                raise
            if isinstance(reason, _OVER):  # A trial that another worker took over cannot be told anything.
                self._tally.add("lost")
                return
            if not self._tell_again():
                raise reason from None
        if objective.ending is not None:
            self._tally.add(objective.ending, objective.seconds)
            self._give_up_if_hopeless(objective.ending)

    def _tell_again(self) -> bool:
        """Tell a trial again that was evaluated while the database was there and ended when it was not."""
        objective = self._objective
        if objective.number is None or objective.ending not in ("complete", "stopped"):
            return False
        state = TrialState.COMPLETE if objective.ending == "complete" else TrialState.PRUNED
        if not tell_once(self._study, objective.number, state, objective.value):
            objective.ending = None
            self._tally.add("lost")
        return True

    def _give_back(self) -> None:
        """Queue the trial that was interrupted, for others; where the database is away, its silence will tell."""
        number = self._objective.number
        if number is None:
            return
        try:
            trial = self._shared.trials(self._study)[number]
            if trial.state == TrialState.FAIL:
                requeue(self._study, trial, is_retry=False)
        except STORAGE_ERRORS:
            return

    def _give_up_if_hopeless(self, ending: str) -> None:
        """Give up where nothing comes of one trial after another."""
        for kind in ("failed", "duplicate", "too large"):
            if kind != ending:
                self._in_a_row[kind] = 0
        if ending == "failed":
            number = self._objective.number
            self._count("failed", FAILURES_IN_A_ROW, f"the last one, trial {number}, with: {self._objective.error}")
        if ending in ("duplicate", "too large"):
            self._count(ending, _REFUSALS_IN_A_ROW, "")

    def _count(self, kind: str, most: int, why: str) -> None:
        self._in_a_row[kind] += 1
        if self._in_a_row[kind] < most:
            return
        if kind == "too large":
            raise InputError(
                f"space: none of {most} candidates keeps to max_parameters and max_edges; give larger ones"
            )
        if kind == "duplicate":
            raise CampaignError(f"{most} candidates one after another were trained already; give fewer trials")
        raise CampaignError(f"{most} trials failed one after another; {why}")


def _reason(error: BaseException | None) -> Exception | None:
    """Return why Optuna could not go on with a trial; None for what nobody expects.

    Where it cannot tell a trial how it ended, it stumbles over that once more, by an error that says nothing.
    """
    while error is not None:
        if isinstance(error, (*_OVER, *STORAGE_ERRORS)):
            return error
        error = error.__context__
    return None
