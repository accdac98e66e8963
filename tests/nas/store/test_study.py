"""StudyFile: whole trials or none, readable by plain Optuna, and one line where there is nothing to read."""

import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import optuna
import pytest
from sqlalchemy import Engine, event

from nas.errors import InputError
from nas.store.records import Record
from nas.store.study import STUDY_NAME, StudyFile, load, trial_of

DISTRIBUTIONS = {"n": optuna.distributions.IntDistribution(1, 100), "p": optuna.distributions.FloatDistribution(0, 1)}
TABLES = ("trials", "trial_params", "trial_values", "trial_user_attributes")


def record(number: int, **fields: Any) -> Record:
    return Record(**{"number": number, "state": "complete", "value": 0.5, "params": {"n": 3, "p": 0.25}, **fields})


def rows(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as connection:
        counts = {table: connection.execute(f"select count(*) from {table}").fetchone()[0] for table in TABLES}
    connection.close()
    return counts


def test_the_study_is_an_ordinary_optuna_study(tmp_path: Path):
    study = StudyFile(tmp_path, "minimize")
    study.add(record(0), DISTRIBUTIONS)
    study.add(record(1, state="failed", value=None, error="no"), DISTRIBUTIONS)
    plain = optuna.load_study(study_name=STUDY_NAME, storage=f"sqlite:///{tmp_path}/study.db")
    assert plain.direction == optuna.study.StudyDirection.MINIMIZE
    first, second = plain.trials
    assert first.state == optuna.trial.TrialState.COMPLETE
    assert second.state == optuna.trial.TrialState.FAIL
    assert first.params == {"n": 3, "p": 0.25}
    assert first.distributions == DISTRIBUTIONS
    assert first.user_attrs == record(0).attributes()
    assert second.user_attrs["error"] == "no"
    assert plain.best_trial.number == 0


@pytest.mark.parametrize("statement", range(1, 12))
def test_a_trial_is_stored_whole_or_not_at_all(tmp_path: Path, statement: int):
    study = StudyFile(tmp_path, "maximize")
    study.add(record(0), DISTRIBUTIONS)
    before = rows(study.path)
    engine = study.study._storage._backend.engine  # type: ignore[attr-defined]
    seen = []

    def fail(connection: Any, cursor: Any, text: str, *_: Any) -> None:
        if not text.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            seen.append(text)
            if len(seen) == statement:
                raise RuntimeError("the lights go out")

    event.listen(engine, "before_cursor_execute", fail)
    try:
        study.add(record(1), DISTRIBUTIONS)
    except RuntimeError:
        assert rows(study.path) == before
    else:
        assert len(seen) < statement, "the failure was swallowed"
    event.remove(engine, "before_cursor_execute", fail)
    again = StudyFile(tmp_path)
    if len(again.trials()) == 1:
        again.add(record(1), DISTRIBUTIONS)
    assert again.records() == load(tmp_path)
    assert [row.number for row in load(tmp_path)] == [0, 1]
    assert load(tmp_path)[1] == record(1)


def test_a_failure_is_met_while_a_trial_is_stored(tmp_path: Path):
    """The test above is worth something only if a trial takes several statements."""
    study = StudyFile(tmp_path, "maximize")
    seen = []
    engine = study.study._storage._backend.engine  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    study.add(record(0), DISTRIBUTIONS)
    assert sum(text.lstrip().upper().startswith("INSERT") for text in seen) >= 4


def test_records_are_those_of_the_file(tmp_path: Path):
    """Records that were appended are not read again, and yet are what others read."""
    study = StudyFile(tmp_path, "minimize")
    assert len(study.records()) == 0
    edges, ladder = (0, 2, 1, 2), {"0.1": 1 / 3, "0.01": -0.0}
    study.add(record(7, value=-0.0, hidden_edges=edges, values=(-0.0, 1e300), ladder=ladder), DISTRIBUTIONS)
    several = [record(1, state="failed", value=None, error="no"), record(2, prediction=0.1, n_parameters=3)]
    study.append([(row, trial_of(row, DISTRIBUTIONS)) for row in several])
    read = load(tmp_path)
    assert study.records() == read
    assert repr(study.records()) == repr(read)
    assert [row.number for row in read] == [0, 1, 2]


def test_a_study_is_created_whole_or_not_at_all(tmp_path: Path):
    """Wherever creation ends, those that come later find one study."""
    remaining = 0

    def fail(*_: Any) -> None:
        nonlocal remaining
        remaining -= 1
        if not remaining:
            raise KeyboardInterrupt("the lights go out")

    cut = 0
    event.listen(Engine, "before_cursor_execute", fail)
    try:
        for limit in (1, *range(12, 200, 12)):
            out = tmp_path / str(limit)
            out.mkdir()
            remaining = limit
            try:
                StudyFile(out, "maximize")
            except KeyboardInterrupt:
                cut += not (out / "study.db").exists()
            else:
                break
            remaining = 0
            for _ in range(2):
                assert len(StudyFile(out, "maximize").trials()) == 0
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
    assert cut > 3


def _append(out: str, ready: Any) -> None:
    study = StudyFile(out)
    ready.set()
    for number in range(len(study.trials()), 10_000):
        study.add(record(number), DISTRIBUTIONS)


def test_a_killed_process_leaves_whole_trials(tmp_path: Path):
    StudyFile(tmp_path, "maximize")
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_append, args=(str(tmp_path), ready))
    process.start()
    assert ready.wait(60)
    process.join(0.15)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    stored = load(tmp_path)
    assert [row.number for row in stored] == list(range(len(stored)))
    assert all(row == record(row.number) for row in stored)
    with sqlite3.connect(tmp_path / "study.db") as connection:
        states = {row[0] for row in connection.execute("select distinct state from trials")}
    connection.close()
    assert states <= {"COMPLETE", "FAIL"}


def test_documents_are_kept(tmp_path: Path):
    study = StudyFile(tmp_path, "maximize")
    assert study.get("outcome") is None
    study.put("outcome", {"value": 0.1 + 0.2, "text": "ü", "none": None, "list": [1, {"a": 2}]})
    assert StudyFile(tmp_path).get("outcome") == {"value": 0.1 + 0.2, "text": "ü", "none": None, "list": [1, {"a": 2}]}


@pytest.mark.parametrize("name", ["a b", "ü", "x?y", "x#y", "x%20y", "{x}", "[bold]", "a'b", "a&b=c"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str):
    out = tmp_path / name
    out.mkdir()
    StudyFile(out, "maximize").add(record(0), DISTRIBUTIONS)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert [path.name for path in out.iterdir()] == ["study.db"]
    assert len(load(out)) == 1


def test_a_study_that_is_not_there_is_one_line(tmp_path: Path):
    with pytest.raises(InputError, match=r"no campaign here \(study\.db is missing\)"):
        load(tmp_path)
    (tmp_path / "study.db").touch()
    with pytest.raises(InputError, match=r"no campaign here \(study\.db is empty\)"):
        load(tmp_path)


def test_an_empty_study_says_what_to_do(tmp_path: Path):
    (tmp_path / "study.db").touch()
    for directions in ((), ("maximize",)):
        with pytest.raises(InputError, match=r"is empty\); remove .*study.db, and `wirenas run` starts one"):
            StudyFile(tmp_path, *directions)  # type: ignore[arg-type]
    (tmp_path / "study.db").unlink()
    assert StudyFile(tmp_path, "maximize").trials() == []


def test_a_file_that_is_no_study_is_one_line(tmp_path: Path):
    (tmp_path / "study.db").write_bytes(b"garbage" * 100)
    for direction in (None, "maximize"):
        with pytest.raises(InputError, match=r"study\.db: not a study that can be opened") as caught:
            StudyFile(tmp_path, direction)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
