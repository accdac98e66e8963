"""Loop: one thread of a worker, from trial to trial until enough of them count.

Whatever goes wrong with the database costs at most the trial in work, which another worker then does.
"""

from __future__ import annotations

import random
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterable

import optuna
from optuna.trial import FrozenTrial, TrialState

from nas.errors import CampaignError, InputError
from nas.evaluation.trainer import FAILURES_IN_A_ROW
from nas.shared import database
from nas.shared.counting import standing
from nas.shared.database import STORAGE_ERRORS
from nas.shared.objective import Objective, UncountedError, Work
from nas.shared.sampling import sampler_for
from nas.shared.shared import SharedStudy, requeue
from nas.training import Interrupted

__all__ = ["Loop", "Silence", "tell_once"]

_IDLE_S = 1.0
_REFUSALS_IN_A_ROW = 1000
_OVER = (optuna.exceptions.UpdateFinishedTrialError, ValueError)


class Loop:
    """Works on a shared study until the stop event is set.

    `endings` counts trials by how they ended, see `Objective`, or as lost; `seconds` were spent in their evaluations.
    """

    def __init__(self, work: Work, shared: SharedStudy, stop: threading.Event) -> None:
        self._work, self._shared, self._stop = work, shared, stop
        self.endings: Counter[str] = Counter()
        self.seconds = 0.0
        self._sampler = sampler_for(work.options, work.space, work.units, work.spec, work.steering)
        self._study = shared.open(self._sampler)
        self._silence = Silence()
        self._last_ending, self._in_a_row = "", 0

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
        (counted, running), wanted = standing(trials), self._shared.wanted()
        if counted >= wanted:
            return True
        for number in self._silence.broken(trials):
            tell_once(self._study, number, TrialState.FAIL)
        if counted + running < wanted:
            self._do_trial()
        else:
            # Others are at it; the trial of one who died is queued again, as Optuna does before every trial.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                optuna.storages.fail_stale_trials(self._study)
            self._stop.wait(_IDLE_S * random.uniform(0.5, 1.0))
        return False

    def _do_trial(self) -> None:
        objective = Objective(self._work, self._shared, self._sampler)
        try:
            self._study.optimize(objective, n_trials=1, catch=(UncountedError,))
        except (CampaignError, Interrupted):  # What this machine cannot do, another one may.
            self._give_back(objective.number)
            raise
        except Exception as error:
            reason = _reason(error)
            if reason is None or objective.is_broken:
                raise
            if isinstance(reason, _OVER):  # A trial that another worker took over cannot be told anything.
                self.endings["lost"] += 1
                return
            if not self._tell_again(objective):
                raise reason from None
        if objective.ending is not None:
            self.endings[objective.ending] += 1
            self.seconds += 0.0 if objective.record is None else objective.record.seconds
            self._give_up_if_hopeless(objective)

    def _tell_again(self, objective: Objective) -> bool:
        """Tell a trial again that was evaluated while the database was there and ended when it was not."""
        record = objective.record
        if record is None or not record.is_counted:
            return False
        state = TrialState.COMPLETE if record.is_complete else TrialState.PRUNED
        if not tell_once(self._study, record.number, state, record.value):
            objective.ending = None
            self.endings["lost"] += 1
        return True

    def _give_back(self, number: int | None) -> None:
        """Queue the trial that was interrupted, for others; where the database is away, its silence will tell."""
        if number is None:
            return
        try:
            trial = self._shared.trials(self._study)[number]
            if trial.state == TrialState.FAIL:
                requeue(self._study, trial, is_retry=False)
        except STORAGE_ERRORS:
            return

    def _give_up_if_hopeless(self, objective: Objective) -> None:
        """Give up where nothing comes of one trial after another."""
        ending = objective.ending or ""
        self._in_a_row = self._in_a_row + 1 if ending == self._last_ending else 1
        self._last_ending, n = ending, self._in_a_row
        if ending == "failed" and n >= FAILURES_IN_A_ROW:
            assert objective.record is not None
            raise CampaignError(
                f"{n} trials failed one after another; the last one, trial {objective.number}, with: "
                f"{objective.record.error}"
            )
        if ending == "too large" and n >= _REFUSALS_IN_A_ROW:
            raise InputError(f"space: none of {n} candidates keeps to max_parameters and max_edges; give larger ones")
        if ending == "duplicate" and n >= _REFUSALS_IN_A_ROW:
            raise CampaignError(f"{n} candidates one after another were trained already; give fewer trials")


def _reason(error: BaseException | None) -> Exception | None:
    """Return why Optuna could not go on with a trial; None for what nobody expects.

    Where it cannot tell a trial how it ended, it stumbles over that once more, by an error that says nothing.
    """
    while error is not None:
        if isinstance(error, (*_OVER, *STORAGE_ERRORS)):
            return error
        error = error.__context__
    return None


def tell_once(study: optuna.Study, number: int, state: TrialState, value: float | None = None) -> bool:
    """Tell how a trial ended, and return whether it ended so: somebody else may have told something before."""
    try:
        return study.tell(number, value, state=state, skip_if_finished=True).state == state
    except optuna.exceptions.UpdateFinishedTrialError:  # It was told between Optuna's look and its words.
        return study.get_trials(deepcopy=False)[number].state == state


class Silence:
    """Watches running trials that never claimed a wiring.

    Optuna takes only those for dead that had a heartbeat once. A worker that died between the two is noticed here, by
    the clock of one machine, since those of several differ.
    """

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def broken(self, trials: Iterable[FrozenTrial]) -> list[int]:
        """Return the numbers of those that have been seen so for longer than the grace period."""
        now = time.monotonic()
        begun = [
            trial.number
            for trial in trials
            if trial.state == TrialState.RUNNING and "fingerprint" not in trial.user_attrs
        ]
        self._since = {number: self._since.get(number, now) for number in begun}
        return [number for number, since in self._since.items() if now - since > database.GRACE_S]
