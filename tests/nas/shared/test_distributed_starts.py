"""Any number of runs and workers meet an empty database in the same instant, and all of them work.

WIRENAS_TEST_STARTS says how often 64 of them do; by default 8 do so once.
"""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy
from distributed_cases import GATED, STARTS, claims, engine_of, python, study_in
from optuna.trial import TrialState
from postgres import Postgres

from nas.options.options import CampaignOptions
from nas.shared import database
from nas.shared.shared import SharedStudy
from nas.store.study import load

TIMES = int(os.environ.get("WIRENAS_TEST_STARTS", "0"))
DIGITS = "--task digits --nodes 8:24 --degree 2:5 --epochs 1 --learning-rate 0.01 --finalists 1 --final-seeds 1"
RUNS, WORKERS, TRIALS = (3, 61, 24) if TIMES else (2, 6, 6)


@pytest.mark.timeout(60 + 120 * TIMES)
def test_runs_and_workers_that_start_in_the_same_instant_all_work(tmp_path: Path, postgres: Postgres) -> None:
    for number in range(max(TIMES, 1)):
        url, out = postgres.create(f"starts{number}"), tmp_path / str(number)
        parent = python(STARTS, postgres.url, url, out, TRIALS, RUNS, WORKERS)
        stdout, stderr = parent.communicate()
        assert parent.returncode == 0, stderr
        found = json.loads(stdout)
        assert found["codes"] == [0] * (RUNS + WORKERS), stderr
        assert found["within"] < 1
        copies = [[row.fingerprint for row in load(out / f"run{own}").complete] for own in range(RUNS)]
        assert all(len(set(copy)) == TRIALS and copy == copies[0] for copy in copies)


@pytest.mark.skipif(not TIMES, reason="64 processes take minutes, and gigabytes")
@pytest.mark.timeout(1200)
def test_commands_that_start_in_the_same_instant_all_work(tmp_path: Path, postgres: Postgres) -> None:
    url, gate = postgres.create("commands"), tmp_path / "gate"
    shared = ("--storage", url, "--study", "begun")
    runs = [
        python(GATED, gate, "run", *DIGITS.split(), "--trials", TRIALS, "--out", tmp_path / f"run{own}", *shared)
        for own in range(RUNS)
    ]
    workers = [python(GATED, gate, "worker", *shared, "--wait", 300) for _ in range(WORKERS)]
    time.sleep(120)  # Until all have imported what they need.
    gate.touch()
    for process in (*workers, *runs):
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr
        assert "Traceback" not in stderr
    check_counted_once(url, "begun", TRIALS)


def test_a_run_that_is_paused_while_it_creates_tables_holds_nobody_up_for_long(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_IDLE_S", 1)
    url = postgres.create("paused")
    with database._alone_in_creating(database.url_of(url)):
        SharedStudy(url, "there", threading.Event(), "maximize").close()
    assert study_in(url, "there").trials == []


def test_of_runs_that_begin_a_study_in_the_same_instant_the_first_is_heard(postgres: Postgres) -> None:
    url, before = postgres.create("first"), threading.Barrier(8)
    identity = CampaignOptions().model_dump(mode="json", exclude={"trials"})

    def enter(number: int) -> dict[str, str]:
        study = SharedStudy(url, "one", threading.Event(), "maximize")
        try:
            before.wait(30)
            study.enter(identity, 5)
            return study.identity()
        finally:
            study.close()

    with ThreadPoolExecutor(8) as executor:
        first, *others = executor.map(enter, range(8))
    assert all(other == first for other in others)


def check_counted_once(url: str, study: str, trials: int) -> None:
    """Check that the tables were created once, and every wiring counts once."""
    with engine_of(url).connect() as connection:
        assert len(connection.execute(sqlalchemy.text("SELECT * FROM alembic_version")).all()) == 1
        assert len(connection.execute(sqlalchemy.text("SELECT * FROM studies")).all()) == 1
    complete = [trial for trial in study_in(url, study).trials if trial.state == TrialState.COMPLETE]
    assert len(set(claims(complete))) == len(complete) >= trials
