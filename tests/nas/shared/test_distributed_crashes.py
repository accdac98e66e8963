"""Campaigns of many processes count every trial once, whatever is killed and restarted meanwhile.

WIRENAS_TEST_WORKERS=8 selects the big form: 400 trials, a kill every few seconds, two restarts of the database.
"""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from distributed_cases import COMMAND, PARENT, SLOW, claims, count_complete, engine_of, python, study_in
from optuna.trial import TrialState
from postgres import PASSWORD, Postgres

from nas.store.study import StudyFile, load
from priors import read_wiring

pytestmark = pytest.mark.crash

WORKERS = int(os.environ.get("WIRENAS_TEST_WORKERS", "4"))
BIG = WORKERS >= 8
TRIALS, KILLS, EVERY_S = (400, 25, 2.0) if BIG else (60, 5, 1.0)
HANGS_S = 60 if BIG else 8
RESTARTS = ("fast", "immediate") if BIG else ("immediate",)
DIGITS = "--task digits --nodes 8:24 --degree 2:5 --epochs 2 --learning-rate 0.01 --finalists 2 --final-seeds 2"


@pytest.mark.timeout(900 if BIG else 240)
def test_kills_and_restarts_of_the_database_lose_and_double_nothing(tmp_path: Path, postgres: Postgres) -> None:
    out, engine = tmp_path / "many", engine_of(postgres.url)
    parent = python(PARENT, postgres.url, out, TRIALS, WORKERS, KILLS, EVERY_S, "tpe")
    for part, mode in enumerate(RESTARTS, 1):
        while parent.poll() is None and count_complete(engine, "many") < part * TRIALS // (len(RESTARTS) + 1):
            time.sleep(0.2)
        postgres.stop(mode)
        time.sleep(2)
        postgres.start()
    stdout, stderr = parent.communicate()
    assert parent.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert PASSWORD not in stderr
    found = json.loads(stdout.splitlines()[-1])
    assert found["killed"] >= KILLS // 2
    assert found["ended"] == WORKERS

    records = load(out)
    assert [record.number for record in records] == list(range(len(records)))
    assert len(records.complete) == TRIALS
    study = study_in(postgres.url, "many")
    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    assert len(set(claims(complete))) == len(complete) >= TRIALS
    # What lies in the folder are trials of the database, each once.
    numbers = [trial.user_attrs["shared_number"] for trial in StudyFile(out).trials()]
    assert len(set(numbers)) == len(numbers)
    for record, number in zip(records, numbers, strict=True):
        trial = study.trials[number]
        assert (record.value, dict(record.params)) == (trial.value, dict(trial.params))
        assert record.fingerprint == trial.user_attrs["fingerprint"]
    late = [trial.number for trial in complete if trial.number not in numbers]
    assert study.user_attrs.get("surplus", []) == late
    assert read_wiring(out / "best" / "wiring.json").n_neurons >= 8


def test_a_worker_that_was_paused_for_too_long_counts_nothing(tmp_path: Path, postgres: Postgres) -> None:
    """Another one takes its trial over; what it says when it wakes up is too late."""
    out = tmp_path / "paused"
    run = python(SLOW, "run", postgres.url, out, 15)
    _wait_for(lambda: count_running(postgres, "paused") > 0)
    sleeper = python(SLOW, "worker", postgres.url, out, 15)
    _wait_for(lambda: count_running(postgres, "paused") > 1)
    sleeper.send_signal(signal.SIGSTOP)
    _wait_for(lambda: any("retries" in trial.user_attrs for trial in study_in(postgres.url, "paused").trials))
    sleeper.send_signal(signal.SIGCONT)
    outputs = [process.communicate(timeout=60) for process in (run, sleeper)]
    for process, (_, stderr) in zip((run, sleeper), outputs, strict=True):
        assert process.returncode == 0, stderr
        assert stderr == ""
    assert json.loads(outputs[1][0])["lost"] == 1
    complete = [trial for trial in study_in(postgres.url, "paused").trials if trial.state == TrialState.COMPLETE]
    assert len(set(claims(complete))) == len(complete) >= 15
    assert len(load(out).complete) == 15


def test_ctrl_c_gives_the_trial_back_at_once(tmp_path: Path, postgres: Postgres) -> None:
    run = python(COMMAND, *_run(postgres, tmp_path / "given", 3, "--epochs", 400_000))
    _wait_for(lambda: count_running(postgres, "given") > 0)
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 130, stderr
    assert stderr.splitlines()[-1] == "wirenas: interrupted; the same command resumes"
    trials = study_in(postgres.url, "given").trials
    assert [trial.state for trial in trials].count(TrialState.RUNNING) == 0
    (waiting,) = (trial for trial in trials if trial.state == TrialState.WAITING)
    given = trials[waiting.user_attrs["retry_of"]]
    assert given.state == TrialState.FAIL
    assert waiting.system_attrs["fixed_params"] == given.params

    worker = python(COMMAND, "worker", "--storage", postgres.url, "--study", "given", "--json")
    _wait_for(lambda: count_running(postgres, "given") > 0)
    worker.send_signal(signal.SIGINT)
    stdout, stderr = worker.communicate(timeout=60)
    assert (worker.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1].startswith("wirenas: interrupted; ")
    assert "Traceback" not in stderr
    again = study_in(postgres.url, "given").trials[-1]
    assert again.system_attrs["fixed_params"] == given.params


@pytest.mark.parametrize("role", ["run", "worker"])
def test_ctrl_c_ends_at_once_while_the_server_hangs(tmp_path: Path, postgres: Postgres, role: str) -> None:
    study = f"hung-{role}"
    run = python(COMMAND, *_run(postgres, tmp_path / study, 4, "--epochs", 400_000))
    _wait_for(lambda: count_running(postgres, study) > 0)
    process = run
    if role == "worker":
        process = python(COMMAND, "worker", "--storage", postgres.url, "--study", study)
        _wait_for(lambda: count_running(postgres, study) > 1)
    with postgres.hung():
        time.sleep(3)  # Somebody asks, and waits for an answer.
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr.splitlines()[-1]
    assert "Traceback" not in stderr
    if process is not run:
        run.send_signal(signal.SIGINT)
        _, stderr = run.communicate(timeout=60)
        assert run.returncode == 130, stderr


def test_all_go_on_when_a_server_that_hung_is_back(tmp_path: Path, postgres: Postgres) -> None:
    out = tmp_path / "back"
    run = python(SLOW, "run", postgres.url, out, 12)
    _wait_for(lambda: count_running(postgres, "back") > 0)
    worker = python(SLOW, "worker", postgres.url, out, 12)
    _wait_for(lambda: count_running(postgres, "back") > 1)
    with postgres.hung():
        time.sleep(HANGS_S)
    for process in (run, worker):
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
        assert "Traceback" not in stderr
    complete = [trial for trial in study_in(postgres.url, "back").trials if trial.state == TrialState.COMPLETE]
    assert len(set(claims(complete))) == len(complete) >= 12
    assert len(load(out).complete) == 12


def _run(postgres: Postgres, out: Path, trials: int, *more: object) -> list[object]:
    digits = DIGITS.replace("--epochs 2 ", "") if "--epochs" in more else DIGITS
    command = ["run", *digits.split(), "--trials", trials, "--threads", 1, "--out", out, "--json"]
    return [*command, "--storage", postgres.url, *more]


def count_running(postgres: Postgres, name: str) -> int:
    try:
        trials = study_in(postgres.url, name).trials
    except Exception:
        return 0  # Nobody has created it yet.
    return sum(trial.state == TrialState.RUNNING and "fingerprint" in trial.user_attrs for trial in trials)


def _wait_for(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
