"""SharedStudy: the Optuna study of a campaign of many processes, in a database."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from nas.options.options import Direction, refuse_changes, with_defaults
from nas.samplers.proposer import Candidate
from nas.shared.counting import following
from nas.shared.database import STORAGE_ERRORS, AbsentError, Outage, connect, place_of, url_of
from nas.shared.sampling import Asked
from nas.store.study import extend_list, has_known_tables, put_first, quiet_optuna, set_trial_rows

__all__ = ["SharedStudy", "requeue", "requeue_silent"]

_OPTIONS, _WANTED, _TOKEN, _ORDER, _SURPLUS = "options", "trials", "token", "order", "surplus"
_LOOKS = 50
_MOST_RETRIES = 3


class SharedStudy:
    """A study that several processes work on, in the database that `storage` is the URL of.

    The event `stop` ends all waiting when it is set. A `direction` creates the study where there is none; without it a
    missing study is an error.

    Raises
    ------
    AbsentError
        If the database cannot be reached, or holds no such study.
    InputError
        If it cannot be opened for another reason.
    """

    def __init__(self, storage: str, name: str, stop: threading.Event, direction: Direction | None = None) -> None:
        self.name, self._url = name, url_of(storage)
        self.outage = Outage(self._url, stop)
        self._storage = connect(self._url, self.outage, stop, requeue_silent, creates=direction is not None)
        try:
            with quiet_optuna():
                if direction is not None:
                    self.outage.patiently(
                        lambda: optuna.create_study(
                            study_name=name, storage=self._storage, direction=direction, load_if_exists=True
                        )
                    )
                self._study = self._open_study()
        except BaseException:
            self.close()
            raise

    @property
    def label(self) -> str:
        """The study in messages."""
        return f"study {self.name}"

    @property
    def place(self) -> str:
        """Where the database is."""
        return place_of(self._url)

    def open(self, sampler: optuna.samplers.BaseSampler | None = None, pruner: Any = None) -> optuna.Study:
        """Return the study for one thread, which no other one may use."""
        return self.outage.patiently(
            lambda: optuna.load_study(study_name=self.name, storage=self._storage, sampler=sampler, pruner=pruner)
        )

    def _open_study(self) -> optuna.Study:
        try:
            return self.open()
        except KeyError:
            raise AbsentError(f"study={self.name}: {self.place} holds no such study; {self._others()}") from None

    def close(self) -> None:
        """Close all connections; what is used later opens new ones."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    # The campaign

    def enter(self, identity: Mapping[str, Any], wanted: int) -> None:
        """Store what decides about the campaign, or check that it is the same as stored; see `refuse_changes`."""
        self.outage.patiently(lambda: self._enter(identity, wanted))

    def _enter(self, identity: Mapping[str, Any], wanted: int) -> None:
        if _OPTIONS not in self._study.user_attrs:
            mine = {_TOKEN: uuid.uuid4().hex, _WANTED: wanted, _OPTIONS: dict(identity)}
            put_first(self._study, self._storage, mine)
        refuse_changes(self.label, with_defaults(self.options()), identity)
        if wanted != self.wanted():
            self._study.set_user_attr(_WANTED, wanted)

    def options(self) -> dict[str, Any]:
        """Return what decides about the campaign.

        Raises
        ------
        AbsentError
            If the study is no campaign's, or the run that creates it has not come so far.
        """
        for _ in range(_LOOKS):
            stored = self.outage.patiently(lambda: self._study.user_attrs)
            if _OPTIONS in stored:
                options: dict[str, Any] = stored[_OPTIONS]
                return options
            time.sleep(0.2)  # Somebody is creating it.
        raise AbsentError(f"study={self.name}: `wirenas run` did not create it; {self._others()}")

    def wanted(self) -> int:
        """Return how many trials are to count."""
        return int(self._study.user_attrs[_WANTED])

    def identity(self) -> dict[str, str]:
        """Return what tells this study from all others; a study that is deleted and made anew is another one."""
        return {"study": self.name, "token": self._study.user_attrs[_TOKEN]}

    def decide(self, ended: Sequence[FrozenTrial], wanted: int, begun: Sequence[int]) -> list[int]:
        """Return the numbers of the trials that are taken, in the order that holds for all copies of the study.

        Of trials that ended since, those that `following` takes come last. `begun` is the order where none is stored:
        that of a copy which an older version made.
        """

        def more(stored: list[int]) -> list[int]:
            known = stored or list(begun)
            return known[len(stored) :] + [trial.number for trial in following(ended, wanted, known)]

        return extend_list(self._study, self._storage, _ORDER, more)

    def mark_surplus(self, numbers: list[int]) -> None:
        """Store which trials have a value and yet do not count."""
        if self._study.user_attrs.get(_SURPLUS, []) != numbers:
            self._study.set_user_attr(_SURPLUS, numbers)

    # Trials

    def trials(self, study: optuna.Study | None = None) -> list[FrozenTrial]:
        """Return all trials, which must not be changed."""
        return (study or self._study).get_trials(deepcopy=False)

    def suggester(self, trial: optuna.Trial) -> Asked | optuna.Trial:
        """Return what parameters of a trial are to be asked from; `store` writes those that the trial does not."""
        return Asked(trial) if has_known_tables(self._storage) else trial

    def store(self, trial: optuna.Trial, attributes: Mapping[str, Any], candidate: Candidate | None = None) -> None:
        """Store attributes of a running trial, as JSON types, and the parameters of its candidate if it is given.

        All is stored in one transaction, and once more should the connection break.

        Raises
        ------
        optuna.exceptions.UpdateFinishedTrialError
            If the trial is over.
        """
        if not has_known_tables(self._storage):
            for name, given in attributes.items():
                trial.set_user_attr(name, given)
            return
        chosen = () if candidate is None else (candidate.params, candidate.distributions)
        try:
            set_trial_rows(trial.study, self._storage, trial.number, attributes, *chosen)
        except STORAGE_ERRORS:
            set_trial_rows(trial.study, self._storage, trial.number, attributes, *chosen)

    def _others(self) -> str:
        names = self.outage.patiently(lambda: optuna.get_all_study_names(self._storage))
        return f"studies there: {', '.join(names)}" if names else "there are none yet: `wirenas run` creates them"


def requeue_silent(study: optuna.Study, trial: FrozenTrial) -> None:
    """Queue a trial whose worker has been silent for too long; Optuna calls this once a trial."""
    requeue(study, trial, is_retry=True)


def requeue(study: optuna.Study, trial: FrozenTrial, *, is_retry: bool) -> None:
    """Queue what a trial was evaluating, unless it had not begun or was tried often enough.

    A wiring that brings down every worker must not go round for ever.
    """
    retries = int(trial.user_attrs.get("retries", 0)) + is_retry
    if "fingerprint" in trial.user_attrs and retries <= _MOST_RETRIES:
        study.enqueue_trial(dict(trial.params), user_attrs={"retries": retries, "retry_of": trial.number})
