"""StudyFile: the Optuna study in a campaign's folder, the only record of what was done.

Finished trials are added in transactions, in the order of their numbers, so that a process that dies at any moment
leaves the first of them, all whole. One process writes at a time: SQLite hands one trial out twice to several.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import optuna
import sqlalchemy
from alembic.util import CommandError
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.trial import FrozenTrial

from nas.errors import CampaignError, InputError
from nas.failures import failure_of
from nas.options.options import Direction
from nas.store.reading import check_types, reading
from nas.store.records import Record, Records
from priors.files import atomic_write, naming

__all__ = [
    "STUDY_NAME",
    "StudyFile",
    "Writer",
    "append_trials",
    "extend_list",
    "has_known_tables",
    "load",
    "put_first",
    "quiet_optuna",
    "record_of",
    "set_trial_rows",
    "storing_of",
    "trial_of",
]

STUDY_NAME = "wirenas"
_FILE_NAME = "study.db"
_PATIENCE_S = 60.0
"""For how long another program may keep the file locked, such as a copy or a viewer of databases."""
_STATES = {
    "complete": optuna.trial.TrialState.COMPLETE,
    "stopped": optuna.trial.TrialState.PRUNED,
    "failed": optuna.trial.TrialState.FAIL,
}
_DATABASE_ERRORS = (sqlalchemy.exc.DatabaseError, optuna.exceptions.StorageInternalError)
_STATE_NAMES = {state: name for name, state in _STATES.items()}


class StudyFile:
    """The study of the campaign in the folder `out`.

    Directions, of the value and of the number of parameters where that is a second objective, create the study where
    there is none yet; without them a missing study is an error.
    """

    def __init__(self, out: str | Path, *directions: Direction) -> None:
        self.path = Path(out) / _FILE_NAME
        self._records: list[Record] | None = None
        if self.path.exists() and not self.path.is_file():
            raise InputError(f"{self.path}: not a file, so no study can be there; give another folder")
        if not directions and not self.path.is_file():
            raise InputError(
                f"{out}: no campaign here ({_FILE_NAME} is missing); give the --out folder of `wirenas run`"
            )
        try:
            if directions and not self.path.is_file():
                with self._writing():
                    _create(self.path, directions)
            with self._reading():
                self._storage = _storage(self.path)
                self.study = self._load(out)
                self._n_objectives = len(self.study.directions)
        except PermissionError:
            raise InputError(f"{self.path}: cannot be read (permission denied); give a folder that can be") from None

    def _load(self, out: str | Path) -> optuna.Study:
        try:
            return optuna.load_study(study_name=STUDY_NAME, storage=self._storage)
        except KeyError:
            raise InputError(
                f"{out}: no campaign here ({_FILE_NAME} is empty); remove {self.path}, and `wirenas run` starts one"
            ) from None

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Say in one line what is wrong with the file, whatever Optuna or the database stumble over."""
        try:
            with reading(self.path), naming(self.path):
                yield
        except (*_DATABASE_ERRORS, CommandError, RuntimeError) as error:
            if (failure := failure_of(error, self.path)) is not None:
                raise CampaignError(failure.line) from None
            raise InputError(
                f"{self.path}: not a study that can be opened: {_reason(error)}; give another folder"
            ) from None

    @property
    def by_size(self) -> bool:
        """Whether the number of parameters is a second objective."""
        return self._n_objectives > 1

    def get(self, name: str) -> Any:
        """Return a document stored with the study, or None."""
        with self._reading():
            text = self.study.user_attrs.get(name)
            document = None if text is None else json.loads(text)
            if not isinstance(document, dict | None):
                raise ValueError(f"what it holds as {name} is no JSON object")
            return document

    def put(self, name: str, document: Mapping[str, Any]) -> None:
        """Store a document with the study."""
        with self._writing():
            self.study.set_user_attr(name, json.dumps(document))

    def name_values(self, names: Sequence[str]) -> None:
        """Say what the values of trials are, for dashboards and plots of Optuna."""
        # A damaged study may have other directions than it was created with.
        with self._reading(), self._writing(), warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.set_metric_names(list(names))

    def tag_winner(self, number: int) -> None:
        """Say with the study which trial won; a finished trial itself cannot be changed."""
        with self._writing():
            self.study.set_user_attr("winner", f"trial {number}")

    def add(self, record: Record, distributions: Mapping[str, BaseDistribution]) -> None:
        """Append a finished trial; all of it or nothing is stored, and its number is the study's next."""
        self.append([(record, trial_of(record, distributions, by_size=self.by_size))])

    def append(self, finished: Sequence[tuple[Record, FrozenTrial]]) -> None:
        """Append finished trials in one transaction, under the study's next numbers."""
        with self._writing():
            append_trials(self.study, self._storage, [trial for _, trial in finished])
        if self._records is not None:
            first = len(self._records)
            self._records += [_as_stored(record, first + offset) for offset, (record, _) in enumerate(finished)]

    def trials(self) -> list[FrozenTrial]:
        """Return the stored trials in the order of their numbers; they must not be changed."""
        with self._reading():
            trials = self.study.get_trials(deepcopy=False, states=tuple(_STATE_NAMES))
            if [trial.number for trial in trials] != list(range(len(trials))):
                raise ValueError("trials are missing, or there twice")
            return trials

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except _DATABASE_ERRORS as error:
            if (failure := failure_of(error, self.path)) is not None:
                raise CampaignError(failure.line) from None
            reason = _reason(error)
            raise InputError(
                f"{self.path}: cannot be written: {reason}; what was stored before is whole, and the same command "
                "goes on from there"
            ) from None

    def records(self) -> Records:
        """Return the stored trials as records; the file is read once, later trials are those appended here."""
        if self._records is None:
            with self._reading():
                self._records = [record_of(trial) for trial in self.trials()]
        return Records(tuple(self._records))


def _reason(error: BaseException) -> str:
    """Return what the database itself said, in one line."""
    while (cause := getattr(error, "orig", None) or error.__cause__) is not None:
        error = cause
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def storing_of(study: StudyFile) -> float:
    """Return the seconds that were spent on storing trials in this study, as far as runs came to their end."""
    with reading(study.path):
        return float((study.get("storing") or {"seconds": 0.0})["seconds"])


class _Durable(sqlite3.Connection):
    """What is committed outlasts a power cut, which SQLite calls EXTRA; its default may lose the last transaction."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA synchronous = EXTRA")


class _Temporary(sqlite3.Connection):
    """Nothing outlasts anything: the file gets its name, and is synchronised, when it is whole."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA synchronous = OFF")
        self.execute("PRAGMA journal_mode = MEMORY")


def _create(path: Path, directions: Sequence[Direction]) -> None:
    """Create an empty study, whole or not at all: Optuna makes tables and indices one by one.

    A process that died between them would leave a file in which the next one creates the study a second time.
    """
    with atomic_write(path) as temporary:
        storage = _storage(temporary, _Temporary)
        with quiet_optuna():
            optuna.create_study(study_name=STUDY_NAME, storage=storage, directions=directions)
        storage.remove_session()
        storage.engine.dispose()


def _storage(path: Path, connection: type[sqlite3.Connection] = _Durable) -> optuna.storages.RDBStorage:
    # SQLite's own quoting of what a name may hold: SQLAlchemy's began with 2.1.
    address = sqlalchemy.URL.create("sqlite", database=path.absolute().as_uri(), query={"uri": "true"})
    options = {"timeout": _PATIENCE_S, "factory": connection}
    return optuna.storages.RDBStorage(address.render_as_string(), engine_kwargs={"connect_args": options})


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
    """Return a stored trial as a record.

    Raises
    ------
    ValueError
        If something of it is not of its type.
    """
    value = trial.values[0] if trial.state == optuna.trial.TrialState.COMPLETE else None
    curve = [value for _, value in sorted(trial.intermediate_values.items())]
    stored = {**trial.user_attrs, "curve": curve, "stopping": dict(trial.system_attrs)}
    record = Record.from_attributes(trial.number, _STATE_NAMES[trial.state], value, trial.params, stored)
    try:
        check_types(record)
    except ValueError as error:
        raise ValueError(f"trial {trial.number}: {error}") from None
    return record


def _as_stored(record: Record, number: int) -> Record:
    """Return a record as it is read back: under its number, and without the sign of a zero, which SQLite drops."""
    value = None if record.value is None else record.value + 0.0
    return replace(record, number=number, value=value, curve=tuple(value + 0.0 for value in record.curve))


def load(out: str | Path) -> Records:
    """Return the records of the campaign in the folder `out`; a missing campaign is an error."""
    return StudyFile(out).records()


_EVERY_S = 0.25
_MOST = 64


class Writer(contextlib.AbstractContextManager["Writer"]):
    """Gathers the finished trials of one study, in the order of their numbers, and calls `stored` with what it stored.

    Where `each` is given no trial waits for others: `stored` is called before the next one is stored. When the block
    ends, in whatever way, it stores what waits.
    """

    def __init__(self, study: StudyFile, stored: Callable[[Record], None], *, each: bool = False) -> None:
        self._study, self._stored, self._most = study, stored, 1 if each else _MOST
        self._waiting: list[tuple[Record, FrozenTrial]] = []
        self._last = float("-inf")
        self.seconds = 0.0
        """Spent on storing."""

    def __exit__(self, *_: object) -> None:
        self.flush()

    def add(
        self,
        record: Record,
        distributions: Mapping[str, BaseDistribution],
        times: tuple[datetime, datetime] | None = None,
    ) -> None:
        """Take a finished trial, and store those that wait if there are many or the last ones were stored long ago.

        Times are those at which it began and ended, for whoever reads the study; nothing follows from them.
        """
        trial = trial_of(record, distributions, by_size=self._study.by_size)
        if times is not None:
            trial.datetime_start, trial.datetime_complete = times
        self._waiting.append((record, trial))
        if len(self._waiting) >= self._most:
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


Row = dict[str, Any]

_COLUMNS = {
    "studies": {"study_id", "study_name"},
    "study_user_attributes": {"study_user_attribute_id", "study_id", "key", "value_json"},
    "trials": {"trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete"},
    "trial_values": {"trial_value_id", "trial_id", "objective", "value", "value_type"},
    "trial_params": {"param_id", "trial_id", "param_name", "param_value", "distribution_json"},
    "trial_user_attributes": {"trial_user_attribute_id", "trial_id", "key", "value_json"},
    "trial_system_attributes": {"trial_system_attribute_id", "trial_id", "key", "value_json"},
    "trial_intermediate_values": {
        "trial_intermediate_value_id",
        "trial_id",
        "step",
        "intermediate_value",
        "intermediate_value_type",
    },
}


def append_trials(study: optuna.Study, storage: optuna.storages.RDBStorage, trials: Sequence[FrozenTrial]) -> None:
    """Append finished trials to a study, under its next numbers and in their order.

    The rows are those that `Study.add_trial` writes, but all trials are stored in one transaction or none is. Where
    Optuna's tables are not as expected, every trial is stored in a transaction of its own. The storage is an SQLite
    file. That distributions fit those of earlier trials is not checked.
    """
    models = _models()
    if models is None:
        study.add_trials(trials)
        return
    tables = models.BaseModel.metadata.tables
    with storage.engine.begin() as connection:
        # From here on nobody else writes, so that the numbers and identifiers read below stay free.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        study_id, number, trial_id = connection.execute(_next(tables, study.study_name)).one()
        rows: dict[str, list[Row]] = {name: [] for name in _COLUMNS if name != "studies"}
        for offset, trial in enumerate(trials):
            place = {"trial_id": trial_id + offset, "number": number + offset, "study_id": study_id}
            _add_rows(rows, trial, place, models)
        for name, several in rows.items():
            if several:
                connection.execute(tables[name].insert(), several)


def has_known_tables(storage: optuna.storages.RDBStorage) -> bool:
    """Whether `set_trial_rows` can write to a storage: Optuna's tables are as expected, on PostgreSQL."""
    return storage.engine.name == "postgresql" and _models() is not None


def set_trial_rows(
    study: optuna.Study,
    storage: optuna.storages.RDBStorage,
    number: int,
    attributes: Mapping[str, Any],
    params: Mapping[str, Any] | None = None,
    distributions: Mapping[str, BaseDistribution] | None = None,
) -> None:
    """Store user attributes and parameters of a running trial in one transaction, in place of one transaction each.

    The rows are those that `Trial.set_user_attr` and `Trial.suggest_float` and its like write. What is there already is
    replaced, so that this can be called again. For the storage see `has_known_tables`.

    Raises
    ------
    optuna.exceptions.UpdateFinishedTrialError
        If the trial is over.
    """
    models = _models()
    assert models is not None
    tables = models.BaseModel.metadata.tables
    with storage.engine.begin() as connection:
        key = _lock_running(connection, tables, study.study_name, number)
        rows = _attribute_rows(key, attributes)
        _upsert(connection, tables["trial_user_attributes"], ["trial_id", "key"], rows)
        rows = _param_rows(key, params or {}, distributions or {})
        _upsert(connection, tables["trial_params"], ["trial_id", "param_name"], rows)


def put_first(study: optuna.Study, storage: optuna.storages.RDBStorage, attributes: Mapping[str, Any]) -> None:
    """Store user attributes of a study, all in one transaction; of those that it has already nothing is changed.

    So of several processes that store theirs in the same instant one is heard, and the others find what it stored.
    Where Optuna's tables are not as expected, the attributes are stored one by one. For the storage see
    `has_known_tables`.
    """
    from sqlalchemy.dialects.postgresql import insert

    models = _models()
    if models is None:
        for name, given in attributes.items():
            study.set_user_attr(name, given)
        return
    table = models.BaseModel.metadata.tables["study_user_attributes"]
    study_id = storage.get_study_id_from_name(study.study_name)
    statement = insert(table).on_conflict_do_nothing(index_elements=["study_id", "key"])
    with storage.engine.begin() as connection:
        connection.execute(statement, _attribute_rows({"study_id": study_id}, attributes))


def extend_list(
    study: optuna.Study, storage: optuna.storages.RDBStorage, name: str, more: Callable[[list[int]], list[int]]
) -> list[int]:
    """Extend a list that is a user attribute of a study, one process at a time, and return it.

    `more` returns what is appended to the list that is given to it. Where Optuna's tables are not as expected, two
    processes may overwrite what the other one appended. For the storage see `has_known_tables`.
    """
    models = _models()
    if models is None:
        known: list[int] = list(study.user_attrs.get(name, []))
        extended = known + more(known)
        study.set_user_attr(name, extended)
        return extended
    tables = models.BaseModel.metadata.tables
    studies, attributes = tables["studies"].c, tables["study_user_attributes"]
    with storage.engine.begin() as connection:
        # What refers to the study goes on meanwhile.
        found = sqlalchemy.select(studies.study_id).where(studies.study_name == study.study_name)
        study_id = connection.execute(found.with_for_update(key_share=True)).scalar_one()
        column = attributes.c
        stored = sqlalchemy.select(column.value_json).where(column.study_id == study_id, column.key == name)
        known = json.loads(connection.execute(stored).scalar() or "[]")
        extended = known + more(known)
        rows = _attribute_rows({"study_id": study_id}, {name: extended})
        _upsert(connection, attributes, ["study_id", "key"], rows if extended != known else [])
    return extended


def _lock_running(connection: sqlalchemy.Connection, tables: Any, study_name: str, number: int) -> Row:
    """Lock the row of a running trial until the transaction ends, and return the trial's key."""
    studies, trials = tables["studies"].c, tables["trials"].c
    found = (
        sqlalchemy.select(trials.trial_id, trials.state)
        .join(tables["studies"], studies.study_id == trials.study_id)
        .where(studies.study_name == study_name, trials.number == number)
        .with_for_update(of=tables["trials"])
    )
    trial_id, state = connection.execute(found).one()
    if state.is_finished():
        raise optuna.exceptions.UpdateFinishedTrialError(f"Trial {number} is over.")
    return {"trial_id": int(trial_id)}


def _upsert(connection: sqlalchemy.Connection, table: Any, keys: list[str], rows: list[Row]) -> None:
    from sqlalchemy.dialects.postgresql import insert

    if rows:
        statement = insert(table)
        others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), rows)


def _next(tables: Any, study_name: str) -> sqlalchemy.Select[Any]:
    """Ask for a study's identifier, its next trial number, and the next trial identifier."""
    studies, trials = tables["studies"].c, tables["trials"].c
    count, last = sqlalchemy.func.count, sqlalchemy.func.max
    number = sqlalchemy.select(count()).where(trials.study_id == studies.study_id).scalar_subquery()
    highest = sqlalchemy.select(last(trials.trial_id)).scalar_subquery()
    following = sqlalchemy.func.coalesce(highest, 0) + 1
    return sqlalchemy.select(studies.study_id, number, following).where(studies.study_name == study_name)


def _add_rows(rows: dict[str, list[Row]], trial: FrozenTrial, place: Row, models: Any) -> None:
    """Append the rows of one trial to those of each table; `place` holds the keys of its row in ``trials``."""
    key = {"trial_id": place["trial_id"]}
    times = {"datetime_start": _utc(trial.datetime_start), "datetime_complete": _utc(trial.datetime_complete)}
    rows["trials"].append({**place, "state": trial.state, **times})
    for objective, given in enumerate(trial.values or ()):
        value, kind = models.TrialValueModel.value_to_stored_repr(given)
        rows["trial_values"].append({**key, "objective": objective, "value": value, "value_type": kind})
    rows["trial_params"] += _param_rows(key, trial.params, trial.distributions)
    rows["trial_user_attributes"] += _attribute_rows(key, trial.user_attrs)
    rows["trial_system_attributes"] += _attribute_rows(key, trial.system_attrs)
    for step, value in trial.intermediate_values.items():
        stored, kind = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(value)
        held = {"step": step, "intermediate_value": stored, "intermediate_value_type": kind}
        rows["trial_intermediate_values"].append({**key, **held})


def _param_rows(key: Row, params: Mapping[str, Any], distributions: Mapping[str, BaseDistribution]) -> list[Row]:
    return [
        {
            **key,
            "param_name": name,
            "param_value": distributions[name].to_internal_repr(setting),
            "distribution_json": distribution_to_json(distributions[name]),
        }
        for name, setting in params.items()
    ]


def _attribute_rows(key: Row, attributes: Mapping[str, Any]) -> list[Row]:
    return [{**key, "key": name, "value_json": json.dumps(given)} for name, given in attributes.items()]


def _utc(moment: datetime | None) -> datetime | None:
    """Turn naive local time, which trials hold, into naive UTC, which the tables hold."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


@cache
def _models() -> ModuleType | None:
    """Return Optuna's description of its tables, or None where it is not the one known here."""
    try:
        models = import_module("optuna.storages._rdb.models")
        tables = models.BaseModel.metadata.tables
        known = all(set(tables[name].c.keys()) == columns for name, columns in _COLUMNS.items())
        known &= hasattr(models.TrialValueModel, "value_to_stored_repr")
        known &= hasattr(models.TrialIntermediateValueModel, "intermediate_value_to_stored_repr")
    except (ImportError, AttributeError, KeyError):
        return None
    return models if known else None
