"""The search of a campaign whose trials lie in a database: the process works itself and follows all others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from nas.errors import CampaignError, InputError
from nas.evaluation.watcher import Watcher
from nas.options.options import Direction
from nas.shared.counting import as_ended, following, surplus
from nas.shared.database import AbsentError, AwayError, url_of
from nas.shared.loop import Loop
from nas.shared.objective import Work
from nas.shared.shared import SharedStudy
from nas.store.records import Record
from nas.store.study import StudyFile, quiet_optuna, record_of, trial_of

__all__ = ["SharedSearch", "refuse_copy", "silent_storage"]

_EVERY_S = 1.0
_ORIGIN = "shared_number"
"""Attribute of a copied trial: its number in the shared study."""
_SHARED = "shared"


class SharedSearch:
    """Searches until enough trials of the study `name` count, by whichever process.

    Raises
    ------
    InputError
        If `storage` is not the URL of a PostgreSQL database.
    """

    def __init__(self, storage: str, name: str, stop: threading.Event) -> None:
        url_of(storage)
        self._storage, self._name, self._stop = storage, name, stop
        self._shared: SharedStudy | None = None

    def is_begun(self) -> bool:
        """Whether the database holds the study already.

        Raises
        ------
        InputError
            If the database cannot be reached.
        """
        try:
            SharedStudy(self._storage, self._name, self._stop).close()
        except AwayError:
            raise
        except AbsentError:
            return False
        return True

    def enter(self, identity: Mapping[str, Any], direction: Direction, wanted: int) -> None:
        """Create the study, or check that it is of the same campaign.

        Raises
        ------
        InputError
            If the database cannot be opened, or the campaign is another one.
        """
        self._shared = SharedStudy(self._storage, self._name, self._stop, direction)
        try:
            self._shared.enter(identity, wanted)
        except BaseException:
            self._shared.close()
            raise

    def run(self, file: StudyFile, work: Work, executor: Executor, watcher: Watcher) -> None:
        """Work on the study with one thread, and copy what everybody does into the folder's study.

        Raises
        ------
        Interrupted
            If the stop event is set.
        """
        assert self._shared is not None
        self._shared.outage.noticed = watcher.noticed
        try:
            with silent_storage(), self._shared.outage.ends_when_stopped():
                self._search(self._shared, file, work, executor, watcher)
        except BaseException:
            self._stop.set()  # The thread that works does not go on alone.
            raise
        finally:
            self._shared.close()

    def _search(self, shared: SharedStudy, file: StudyFile, work: Work, executor: Executor, watcher: Watcher) -> None:
        wanted = work.options.trials
        assert wanted is not None  # A timeout is refused.
        copy = _LocalCopy(file, shared)
        copy.update(wanted)
        records = file.records()
        watcher.search_started(len(records.counted), wanted, records)
        loop = executor.submit(Loop(work, shared, self._stop).run)

        def follow() -> None:
            for record in copy.update(wanted):
                watcher.recorded(record)

        try:
            while not wait([loop], timeout=_EVERY_S).done:
                follow()
        except Exception:
            self._stop.set()
            wait([loop])  # While Optuna keeps silent about the trial that is given up.
            raise
        loop.result()
        follow()
        counted = len(file.records().counted)
        if counted < wanted:
            raise CampaignError(
                f"{shared.label}: {counted} trials count, and no more were wanted by another run of the same "
                f"study; run again for {wanted}"
            )
        copy.close()


@contextmanager
def silent_storage() -> Iterator[None]:
    """Keep Optuna from writing about trials that do not count, and the driver about connections that broke.

    Records say why evaluations failed, and a database that is away is waited for.
    """
    driver = logging.getLogger("psycopg")
    before = driver.level
    driver.setLevel(logging.ERROR)
    try:
        with quiet_optuna(optuna.logging.ERROR):
            yield
    finally:
        driver.setLevel(before)


class _LocalCopy:
    """The trials of a shared study that count, and those that failed, under numbers of their own in a folder's study.

    Raises
    ------
    InputError
        If the folder holds another campaign.
    """

    def __init__(self, file: StudyFile, shared: SharedStudy) -> None:
        self._file, self._shared = file, shared
        mine, stored = shared.outage.patiently(shared.identity), file.get(_SHARED)
        trials = file.trials()
        if stored is None and trials:
            raise InputError(
                f"out={file.path.parent}: a campaign without storage lies there; give another out, or no storage"
            )
        if stored is not None and stored != mine:
            raise InputError(
                f"out={file.path.parent}: it follows another study than {shared.name} in {shared.place}, namely "
                f"{stored['study']} as it was when the folder was made; give another out"
            )
        if stored is None:
            file.put(_SHARED, mine)
        self._copied = [int(trial.user_attrs[_ORIGIN]) for trial in trials]

    def update(self, wanted: int) -> list[Record]:
        """Append what the shared study has got since the last time, and return it.

        Workers' clocks differ, and a trial may be seen later than one that ended after it, so that the order is decided
        once for all copies.
        """
        shared = self._shared
        ended = as_ended(shared.outage.patiently(shared.trials))
        if not following(ended, wanted, self._copied):
            return []
        order = shared.outage.patiently(lambda: shared.decide(ended, wanted, self._copied))
        trials = {trial.number: trial for trial in shared.outage.patiently(shared.trials)}
        first, new = len(self._copied), following([trials[number] for number in order], wanted, self._copied)
        self._file.append([_copy(trial) for trial in new])
        self._copied += [trial.number for trial in new]
        return list(self._file.records()[first:])

    def close(self) -> None:
        """Note in the shared study which trials came too late to count."""
        shared = self._shared
        shared.outage.patiently(lambda: shared.mark_surplus(surplus(shared.trials(), self._copied)))


def refuse_copy(file: StudyFile) -> None:
    """Refuse, by an InputError, to search in a folder that follows a shared study."""
    stored = file.get(_SHARED)
    if stored is not None:
        raise InputError(
            f"out={file.path.parent}: its trials come from the shared study {stored['study']}; give its storage again"
        )


def _copy(trial: FrozenTrial) -> tuple[Record, FrozenTrial]:
    record = record_of(trial)
    # Optuna's samplers and its queue have notes there as well.
    notes = {name: note for name, note in record.stopping.items() if name.startswith("completed_rung")}
    record = replace(record, stopping=notes)
    copied = trial_of(record, trial.distributions)
    copied.user_attrs = {**copied.user_attrs, _ORIGIN: trial.number}
    copied.datetime_start, copied.datetime_complete = trial.datetime_start, trial.datetime_complete
    return record, copied
