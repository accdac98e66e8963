"""Finished trials as rows of Optuna's tables, many of them in one transaction.

`Study.add_trial` asks the database about every parameter and attribute and commits every trial, which takes longer than
a small network trains. The tables have been the same for years, but Optuna describes them in a private module: all use
of it is here, and where it is not as expected trials are added by `Study.add_trial`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import optuna
import sqlalchemy
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.trial import FrozenTrial

__all__ = ["append_trials", "has_known_tables", "set_trial_rows"]

Row = dict[str, Any]

_COLUMNS = {
    "studies": {"study_id", "study_name"},
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
    Optuna's tables are not as expected, every trial is stored in a transaction of its own.

    Parameters
    ----------
    study : optuna.Study
    storage : optuna.storages.RDBStorage
        Where the study lies, as an SQLite file.
    trials : sequence of optuna.trial.FrozenTrial
        Made by `optuna.create_trial`. That their distributions fit those of earlier trials is not checked.
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
    replaced, so that this can be called again.

    Parameters
    ----------
    study : optuna.Study
    storage : optuna.storages.RDBStorage
        Where the study lies; see `has_known_tables`.
    number : int
        Of the trial.
    attributes : mapping
        JSON types by name.
    params, distributions : mapping, optional
        By name.

    Raises
    ------
    optuna.exceptions.UpdateFinishedTrialError
        If the trial is over.
    """
    tables = _known_models().BaseModel.metadata.tables
    with storage.engine.begin() as connection:
        trial_id = _running(connection, tables, study.study_name, number)
        key = {"trial_id": trial_id}
        rows = [{**key, "key": name, "value_json": json.dumps(given)} for name, given in attributes.items()]
        _upsert(connection, tables["trial_user_attributes"], ["trial_id", "key"], rows)
        given = distributions or {}
        chosen = [
            {
                **key,
                "param_name": name,
                "param_value": given[name].to_internal_repr(setting),
                "distribution_json": distribution_to_json(given[name]),
            }
            for name, setting in (params or {}).items()
        ]
        _upsert(connection, tables["trial_params"], ["trial_id", "param_name"], chosen)


def _running(connection: sqlalchemy.Connection, tables: Any, study_name: str, number: int) -> int:
    """Lock the row of a running trial until the transaction ends, and return the trial's identifier."""
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
    return int(trial_id)


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
    for name, setting in trial.params.items():
        distribution = trial.distributions[name]
        stored = {"param_value": distribution.to_internal_repr(setting)}
        text = distribution_to_json(distribution)
        rows["trial_params"].append({**key, "param_name": name, **stored, "distribution_json": text})
    for whose, attributes in (("user", trial.user_attrs), ("system", trial.system_attrs)):
        table = rows[f"trial_{whose}_attributes"]
        table += [{**key, "key": name, "value_json": json.dumps(given)} for name, given in attributes.items()]
    for step, value in trial.intermediate_values.items():
        stored, kind = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(value)
        held = {"step": step, "intermediate_value": stored, "intermediate_value_type": kind}
        rows["trial_intermediate_values"].append({**key, **held})


def _utc(moment: datetime | None) -> datetime | None:
    """Turn naive local time, which trials hold, into naive UTC, which the tables hold."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _known_models() -> ModuleType:
    models = _models()
    assert models is not None
    return models


@cache
def _models() -> ModuleType | None:
    """Return Optuna's description of its tables, or None where it is not the one known here."""
    try:
        models = import_module("optuna.storages._rdb.models")
        tables = models.BaseModel.metadata.tables
        known = all(set(tables[name].c.keys()) == columns for name, columns in _COLUMNS.items())
        final = models.TrialValueModel.value_to_stored_repr
        intermediate = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr
        return models if known and callable(final) and callable(intermediate) else None
    except (ImportError, AttributeError, KeyError):
        return None
