"""StudyFile: the Optuna study in a campaign's folder, the only record of what was done.

Finished trials are added in transactions, in the order of their numbers, so that a process that dies at any moment
leaves the first of them, all whole. One process writes at a time: SQLite hands one trial out twice to several.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import optuna
import sqlalchemy
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from nas.errors import InputError
from nas.options.options import Direction
from nas.store.records import Record, Records
from nas.store.trial_rows import append_trials
from priors.files import atomic_write

__all__ = ["STUDY_NAME", "StudyFile", "Writer", "load", "quiet_optuna", "record_of", "storing_of", "trial_of"]

STUDY_NAME = "wirenas"
_FILE_NAME = "study.db"
_STATES = {
    "complete": optuna.trial.TrialState.COMPLETE,
    "stopped": optuna.trial.TrialState.PRUNED,
    "failed": optuna.trial.TrialState.FAIL,
}
_STATE_NAMES = {state: name for name, state in _STATES.items()}


class StudyFile:
    """The study of one campaign.

    Parameters
    ----------
    out : path
        The campaign's folder.
    *directions : {"maximize", "minimize"}
        Of the value, and of the number of parameters where that is a second objective. They create the study where
        there is none yet; without them a missing study is an error.
    """

    def __init__(self, out: str | Path, *directions: Direction) -> None:
        self.path = Path(out) / _FILE_NAME
        self._records: list[Record] | None = None
        if not directions and not self.path.is_file():
            raise InputError(
                f"{out}: no campaign here ({_FILE_NAME} is missing); give the --out folder of `wirenas run`"
            )
        try:
            if directions and not self.path.is_file():
                _create(self.path, directions)
            self._storage = _storage(self.path)
            self.study = optuna.load_study(study_name=STUDY_NAME, storage=self._storage)
        except KeyError:
            raise InputError(f"{out}: no campaign here ({_FILE_NAME} is empty); `wirenas run` starts one") from None
        except (sqlalchemy.exc.DatabaseError, optuna.exceptions.StorageInternalError) as error:
            reason = str(error.__cause__ or error).splitlines()[0]
            raise InputError(f"{self.path}: not a study that can be opened: {reason}; give another folder") from None

    @property
    def by_size(self) -> bool:
        """Whether the number of parameters is a second objective."""
        return len(self.study.directions) > 1

    def get(self, name: str) -> Any:
        """Return a document stored with the study, or None."""
        text = self.study.user_attrs.get(name)
        return None if text is None else json.loads(text)

    def put(self, name: str, document: Mapping[str, Any]) -> None:
        """Store a document with the study."""
        self.study.set_user_attr(name, json.dumps(document))

    def add(self, record: Record, distributions: Mapping[str, BaseDistribution]) -> None:
        """Append a finished trial; all of it or nothing is stored, and its number is the study's next."""
        self.append([(record, trial_of(record, distributions, by_size=self.by_size))])

    def append(self, finished: Sequence[tuple[Record, FrozenTrial]]) -> None:
        """Append finished trials in one transaction, under the study's next numbers."""
        append_trials(self.study, self._storage, [trial for _, trial in finished])
        if self._records is not None:
            first = len(self._records)
            self._records += [_as_stored(record, first + offset) for offset, (record, _) in enumerate(finished)]

    def trials(self) -> list[FrozenTrial]:
        """Return the stored trials in the order of their numbers; they must not be changed."""
        return self.study.get_trials(deepcopy=False, states=tuple(_STATE_NAMES))

    def records(self) -> Records:
        """Return the stored trials as records; the file is read once, later trials are those appended here."""
        if self._records is None:
            self._records = [record_of(trial) for trial in self.trials()]
        return Records(tuple(self._records))


def storing_of(study: StudyFile) -> float:
    """Return the seconds that were spent on storing trials in this study, as far as runs came to their end."""
    return float((study.get("storing") or {"seconds": 0.0})["seconds"])


def _create(path: Path, directions: Sequence[Direction]) -> None:
    """Create an empty study, whole or not at all: Optuna makes tables and indices one by one.

    A process that died between them would leave a file in which the next one creates the study a second time.
    """
    with atomic_write(path) as temporary:
        storage = _storage(temporary)
        with quiet_optuna():
            optuna.create_study(study_name=STUDY_NAME, storage=storage, directions=directions)
        storage.remove_session()
        storage.engine.dispose()


def _storage(path: Path) -> optuna.storages.RDBStorage:
    # SQLite's own quoting of what a name may hold: SQLAlchemy's began with 2.1.
    address = sqlalchemy.URL.create("sqlite", database=path.absolute().as_uri(), query={"uri": "true"})
    return optuna.storages.RDBStorage(address.render_as_string(), engine_kwargs={"connect_args": {"timeout": 60}})


def trial_of(record: Record, distributions: Mapping[str, BaseDistribution], *, by_size: bool = False) -> FrozenTrial:
    """Return a record as a trial that ends now, with the number of parameters as a second value where that counts."""
    values: Sequence[float] | None = None
    if record.value is not None:
        values = record.objectives if by_size else (record.value,)
    return optuna.create_trial(
        state=_STATES[record.state],
        values=values,
        params=dict(record.params),
        distributions=dict(distributions),
        user_attrs=record.attributes(),
        system_attrs=dict(record.stopping),
        intermediate_values=dict(enumerate(record.curve, 1)),
    )


def record_of(trial: FrozenTrial) -> Record:
    """Return a stored trial as a record."""
    value = trial.values[0] if trial.state == optuna.trial.TrialState.COMPLETE else None
    curve = [value for _, value in sorted(trial.intermediate_values.items())]
    stored = {**trial.user_attrs, "curve": curve, "stopping": dict(trial.system_attrs)}
    return Record.from_attributes(trial.number, _STATE_NAMES[trial.state], value, trial.params, stored)


def _as_stored(record: Record, number: int) -> Record:
    """Return a record as it is read back: under its number, and without the sign of a zero, which SQLite drops."""
    value = None if record.value is None else record.value + 0.0
    return replace(record, number=number, value=value, curve=tuple(value + 0.0 for value in record.curve))


def load(out: str | Path) -> Records:
    """Return the records of the campaign in the folder `out`.

    Raises
    ------
    InputError
        If there is no campaign.
    """
    return StudyFile(out).records()


_EVERY_S = 0.25
_MOST = 64


class Writer:
    """Gathers the finished trials of one study, in the order of their numbers.

    Parameters
    ----------
    study : StudyFile
    stored : callable
        Told of every record once it is stored.
    """

    def __init__(self, study: StudyFile, stored: Callable[[Record], None]) -> None:
        self._study, self._stored = study, stored
        self._waiting: list[tuple[Record, FrozenTrial]] = []
        self._last = float("-inf")
        self.seconds = 0.0
        """Spent on storing."""

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()

    def add(self, record: Record, distributions: Mapping[str, BaseDistribution]) -> None:
        """Take a finished trial, and store those that wait if there are many or the last ones were stored long ago."""
        self._waiting.append((record, trial_of(record, distributions, by_size=self._study.by_size)))
        if len(self._waiting) >= _MOST:
            self.flush()
        else:
            self.flush_if_due()

    def flush_if_due(self) -> None:
        """Store what waits if nothing was stored for a quarter of a second."""
        if time.monotonic() - self._last >= _EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Store what waits, in one transaction."""
        # Given away first: a second Ctrl-C may come after the commit, and nothing may be stored twice.
        waiting, self._waiting = self._waiting, []
        if waiting:
            started = time.monotonic()
            self._study.append(waiting)
            self._last = time.monotonic()
            self.seconds += self._last - started
            for record, _ in waiting:
                self._stored(record)


@contextlib.contextmanager
def quiet_optuna(level: int = optuna.logging.WARNING) -> Iterator[None]:
    """Let only Optuna's warnings through inside the block; the user's own setting comes back afterwards.

    With a higher `level` not even those.
    """
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, level))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
