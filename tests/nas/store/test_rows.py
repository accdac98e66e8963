"""Rows: what is appended in one transaction is what Study.add_trial writes, table by table, or nothing."""

import math
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event

from nas.store import study as rows
from nas.store.study import append_trials

DISTRIBUTIONS = {
    "family": CategoricalDistribution(("small", "world", None, 3, True)),
    "n": IntDistribution(1, 100, step=3),
    "size": IntDistribution(1, 1000, log=True),
    "p": FloatDistribution(0, 1),
    "rate": FloatDistribution(1e-9, 1e3, log=True),
}
ATTRIBUTES = {"text": 'ü "a"\n', "none": None, "edges": [0, 1, 2], "nested": {"0.1": 1 / 3}, "exact": 5e-324, "many": 2}


def trial(value: float | None = 0.5, **params: Any) -> FrozenTrial:
    return optuna.create_trial(
        state=TrialState.FAIL if value is None else TrialState.COMPLETE,
        value=value,
        params=params,
        distributions={name: DISTRIBUTIONS[name] for name in params},
        user_attrs=ATTRIBUTES if params else {},
    )


TRIALS = [
    trial(1 / 3, family="world", n=7, size=512, p=0.1 + 0.2, rate=1e-9),
    trial(None, family=None, n=100, p=1.0),
    trial(-math.inf, family=3, n=1, p=5e-324),
    trial(math.inf, family=True, n=4, rate=math.pi),
    trial(-1.7976931348623157e308),
    trial(0.0, family="small"),
]


@pytest.fixture
def create(tmp_path: Path) -> Iterator[Any]:
    storages = []

    def new(name: str) -> tuple[optuna.Study, optuna.storages.RDBStorage]:
        storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / name}.db")
        storages.append(storage)
        # The study under test is the second one of its file, so that its trials' numbers are not their identifiers.
        other = optuna.create_study(study_name="other", storage=storage)
        study = optuna.create_study(study_name="own", storage=storage)
        other.add_trial(trial(0.25, n=1))
        study.add_trial(trial(0.125, n=4, p=0.5))
        return study, storage

    yield new
    for storage in storages:
        storage.remove_session()
        storage.engine.dispose()


def dump(storage: optuna.storages.RDBStorage) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, with the types that SQLite gave its cells."""
    with sqlite3.connect(storage.engine.url.database or "") as connection:
        names = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        found = {}
        for name in names:
            columns = [row[1] for row in connection.execute(f"pragma table_info({name})")]
            cells = ", ".join(f"{column}, typeof({column})" for column in columns)
            found[name] = connection.execute(f"select {cells} from {name} order by 1").fetchall()
    connection.close()
    # The trials that `create` adds to each file were made at different moments.
    found["trials"] = [row[:-4] if row[0] <= 2 else row for row in found["trials"]]
    return found


@pytest.mark.parametrize("sizes", [[6], [1, 1, 4], [0, 2, 4]])
def test_the_rows_are_those_that_optuna_writes(create: Any, sizes: list[int]):
    by_optuna, own = create("optuna"), create("own")
    by_optuna[0].add_trials(TRIALS)
    waiting = list(TRIALS)
    for size in sizes:
        append_trials(*own, [waiting.pop(0) for _ in range(size)])
    expected = dump(by_optuna[1])
    assert len(expected["trials"]) == 2 + 6
    assert len(expected["trial_values"]) == 2 + 5
    assert dump(own[1]) == expected


def test_curves_and_notes_of_trials_are_rows_too(create: Any):
    def with_curve(state: TrialState, *curve: float) -> FrozenTrial:
        return optuna.create_trial(
            state=state,
            value=curve[-1] if state == TrialState.COMPLETE else None,
            user_attrs={"who": "user"},
            system_attrs={"completed_rung_0": curve[0], "completed_rung_1": 1 / 3},
            intermediate_values=dict(enumerate(curve, 1)),
        )

    inf, nan = math.inf, math.nan
    trials = [
        trial(0.5, n=4),
        with_curve(TrialState.PRUNED, 0.1, 1 / 3),
        with_curve(TrialState.COMPLETE, 1e-300, inf, -inf, 0.25),
        optuna.create_trial(state=TrialState.PRUNED, intermediate_values={7: nan, 3: 0.5}),
    ]
    by_optuna, own = create("optuna"), create("own")
    by_optuna[0].add_trials(trials)
    append_trials(*own, trials)
    expected = dump(by_optuna[1])
    assert len(expected["trial_intermediate_values"]) == 2 + 4 + 2
    assert len(expected["trial_system_attributes"]) == 2 * 2
    assert dump(own[1]) == expected
    read = own[0].get_trials(deepcopy=False)[1:]
    assert [row.intermediate_values for row in read[1:3]] == [row.intermediate_values for row in trials[1:3]]
    assert [row.system_attrs for row in read] == [row.system_attrs for row in trials]
    assert [row.state for row in read] == [row.state for row in trials]


@pytest.fixture(params=["UTC", "Asia/Kolkata"])
def time_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trials hold local time and the tables hold UTC."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("time_zone")
def test_the_study_reads_what_was_appended(create: Any):
    study, storage = create("own")
    append_trials(study, storage, TRIALS[:2])
    study.add_trial(TRIALS[2])
    append_trials(study, storage, TRIALS[3:])
    found = study.get_trials(deepcopy=False)
    assert [(row.number, row.state, row.value) for row in found[1:]] == [
        (number, row.state, row.value) for number, row in enumerate(TRIALS, 1)
    ]
    for row, expected in zip(found[1:], TRIALS, strict=True):
        assert (row.params, row.distributions) == (expected.params, expected.distributions)
        assert (row.user_attrs, row.system_attrs) == (expected.user_attrs, {})
        assert (row.datetime_start, row.datetime_complete) == (expected.datetime_start, expected.datetime_complete)
    assert study.best_trial.number == 3
    assert study.ask().number == 7


@pytest.mark.parametrize("statement", range(1, 7))
def test_all_trials_are_stored_or_none(create: Any, statement: int):
    study, storage = create("own")
    before = dump(storage)
    seen = []

    def fail(connection: Any, cursor: Any, text: str, *_: Any) -> None:
        seen.append(text.split(maxsplit=1)[0])
        if len(seen) == statement:
            raise RuntimeError("the lights go out")

    event.listen(storage.engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError, match="the lights go out"):
        append_trials(study, storage, TRIALS)
    event.remove(storage.engine, "before_cursor_execute", fail)
    assert seen == ["BEGIN", "SELECT", "INSERT", "INSERT", "INSERT", "INSERT"][:statement]
    assert dump(storage) == before
    append_trials(study, storage, TRIALS)
    assert [row.number for row in study.get_trials(deepcopy=False)] == list(range(7))


def test_nobody_writes_between_the_numbers_and_the_rows(create: Any):
    study, storage = create("own")
    refused = []

    def intrude(connection: Any, cursor: Any, text: str, *_: Any) -> None:
        if text.startswith("INSERT INTO trials"):
            other = sqlite3.connect(storage.engine.url.database or "", timeout=0)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("insert into trials (number, study_id, state) values (1, 2, 'COMPLETE')")
            other.close()
            refused.append(text)

    event.listen(storage.engine, "before_cursor_execute", intrude)
    append_trials(study, storage, TRIALS)
    assert len(refused) == 1


@pytest.mark.parametrize("change", ["module", "table", "column", "function", "function of curves"])
def test_where_the_tables_are_not_as_expected_optuna_writes_them(
    create: Any, monkeypatch: pytest.MonkeyPatch, change: str
):
    from optuna.storages._rdb import models

    by_optuna, own = create("optuna"), create("own")
    by_optuna[0].add_trials(TRIALS)
    if change == "module":
        monkeypatch.setattr(rows, "import_module", lambda name: __import__(name + "_moved"))
    elif change == "function":
        monkeypatch.delattr(models.TrialValueModel, "value_to_stored_repr")
    elif change == "function of curves":
        monkeypatch.delattr(models.TrialIntermediateValueModel, "intermediate_value_to_stored_repr")
    else:
        known = {"trials": {*rows._COLUMNS["trials"], "colour"}} if change == "column" else {"attempts": {"trial_id"}}
        monkeypatch.setattr(rows, "_COLUMNS", {**rows._COLUMNS, **known})
    rows._models.cache_clear()
    try:
        assert rows._models() is None
        monkeypatch.undo()
        append_trials(*own, TRIALS)
    finally:
        rows._models.cache_clear()
    assert dump(own[1]) == dump(by_optuna[1])


def test_the_tables_of_this_optuna_are_known():
    assert rows._models() is not None
