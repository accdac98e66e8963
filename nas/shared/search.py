"""The search of a campaign whose trials lie in a database: the process works itself and follows all others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from nas.errors import CampaignError, InputError
from nas.evaluation.watcher import Watcher
from nas.options.options import Direction
from nas.shared.counting import next_to_copy, surplus
from nas.shared.database import AbsentError, AwayError, url_of
from nas.shared.loop import Loop, Tally
from nas.shared.objective import Work
from nas.shared.shared import SharedStudy
from nas.store.records import Record
from nas.store.study import StudyFile, quiet_optuna, record_of, trial_of

__all__ = ["ORIGIN", "LocalCopy", "SharedSearch", "refuse_copy", "shared_search", "silent_storage"]

_EVERY_S = 1.0


class SharedSearch:
    """Searches until enough trials of a shared study count, by whichever process.

    Parameters
    ----------
    storage : str
        URL of a PostgreSQL database.
    name : str
        Of the study.
    stop : threading.Event

    Raises
    ------
    InputError
        If the URL is not one of such a database.
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
            self._search(self._shared, file, work, executor, watcher)
        except BaseException:
            self._stop.set()  # The thread that works does not go on alone.
            raise
        finally:
            self._shared.close()

    def _search(self, shared: SharedStudy, file: StudyFile, work: Work, executor: Executor, watcher: Watcher) -> None:
        wanted = work.options.trials
        with silent_storage():
            copy = LocalCopy(file, shared)
            copy.update(wanted)
            records = file.records()
            watcher.search_started(len(records.counted), wanted, records)
            loop = executor.submit(Loop(work, shared, self._stop, Tally()).run)
            while not wait([loop], timeout=_EVERY_S).done:
                self._follow(copy, wanted, watcher)
            loop.result()
            self._follow(copy, wanted, watcher)
            counted = len(file.records().counted)
            if counted < wanted:
                raise CampaignError(
                    f"{shared.label}: {counted} trials count, and no more were wanted by another run of the same "
                    f"study; run again for {wanted}"
                )
            copy.close()

    def _follow(self, copy: LocalCopy, wanted: int, watcher: Watcher) -> None:
        for record in copy.update(wanted):
            watcher.recorded(record)


def shared_search(storage: str | None, study: str | None, out: Path, stop: threading.Event) -> SharedSearch | None:
    """Return the search in a storage; None where none is given.

    Raises
    ------
    InputError
        For a study without a storage, and for a storage that is not the URL of a PostgreSQL database.
    """
    if storage is None:
        if study is not None:
            raise InputError(
                f"study={study}: a name is for a campaign in a database; give storage too, or leave it out"
            )
        return None
    return SharedSearch(storage, study or out.resolve().name, stop)


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


ORIGIN = "shared_number"
"""Attribute of a copied trial: its number in the shared study."""
_SHARED = "shared"


class LocalCopy:
    """The trials of a shared study that count, and those that failed, under numbers of their own.

    Parameters
    ----------
    file : StudyFile
        Of the campaign's folder.
    shared : SharedStudy

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
        self._copied = {int(trial.user_attrs[ORIGIN]) for trial in trials}

    def update(self, wanted: int) -> list[Record]:
        """Append what the shared study has got since the last time, and return it."""
        trials = self._shared.outage.patiently(self._shared.trials)
        new = next_to_copy(trials, wanted, self._copied)
        if new:
            first = len(self._copied)
            self._file.append([_copy(trial) for trial in new])
            self._copied |= {trial.number for trial in new}
            return list(self._file.records()[first:])
        return []

    def close(self) -> None:
        """Note in the shared study which trials came too late to count."""
        shared = self._shared
        shared.outage.patiently(lambda: shared.mark_surplus(surplus(shared.trials(), self._copied)))


def refuse_copy(file: StudyFile) -> None:
    """Refuse to search in a folder that follows a shared study.

    Raises
    ------
    InputError
        If it does.
    """
    stored = file.get(_SHARED)
    if stored is not None:
        raise InputError(
            f"out={file.path.parent}: its trials come from the shared study {stored['study']}; give its storage again"
        )


def _copy(trial: FrozenTrial) -> tuple[Record, FrozenTrial]:
    record = record_of(trial)
    # Optuna's samplers and its queue have notes there as well.
    notes = {name: note for name, note in record.stopping.items() if name.startswith("completed_rung")}
    record = Record(**{**vars(record), "stopping": notes})
    copied = trial_of(record, trial.distributions)
    copied.user_attrs = {**copied.user_attrs, ORIGIN: trial.number}
    copied.datetime_start, copied.datetime_complete = trial.datetime_start, trial.datetime_complete
    return record, copied
