"""A survey survives being killed at any moment: it ends as if it had never been, and repeats nothing that was stored.

WIRENAS_TEST_KILLS sets how often the surveys of the command line are killed, and interrupted a quarter as often.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nas.store.survey_table import load_survey

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("WIRENAS_TEST_KILLS", "2"))
WIRINGS = 20 + 10 * KILLS
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

# Forks surveys that the parent kills, so that the imports are paid for once. Every training is logged before it begins,
# and parts are written and merged all the time.
FORKS = """
import os, random, signal, sys, time
import numpy as np
from nas import Survey, Task
from nas.evaluation import trainer as evaluation
from nas.evaluation import threads as in_order
from nas.store import survey_parts as parts
from nas import survey
from nas.store.survey_table import load_survey

out, threads, kills, seed = sys.argv[1], *map(int, sys.argv[2:])
parts._MOST_SMALL, survey._WRITE_EVERY_S, in_order._YIELD_EVERY_S = 4, 0.01, 0.005
inputs = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
task = Task.from_arrays("signs", inputs, (inputs.sum(axis=1) > 0).astype(np.int64))
train = evaluation.Trainer.train

def survey_of(wirings, out):
    space = {"nodes": (8, 16), "degree": (2, 4), "reads": 2, "readouts": 4}
    recipe = {"epochs": 1, "learning_rates": (0.01, 0.1)}
    Survey(out, task=task, wirings=wirings, seeds=2, threads=threads, space=space, recipe=recipe).run()

survey_of(1, out + ".first")

def start(log):
    child = os.fork()
    if not child:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        def logged(trainer, wiring, replicate, rate):
            os.write(file, f"{wiring.fingerprint} {replicate} {rate}\\n".encode())
            return train(trainer, wiring, replicate, rate)
        evaluation.Trainer.train = logged
        survey_of(150, out)
        os._exit(0)
    return child

def lines(log):
    return open(log).read().splitlines() if os.path.exists(log) else []

def killed(child, log, trainings):
    while len(lines(log)) < trainings and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        time.sleep(0.0005)
    time.sleep(moments.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])

def stored():
    rows = load_survey(out).table.select(["fingerprint", "replicate", "learning_rate"]).to_pylist()
    return {"{fingerprint} {replicate} {learning_rate}".format(**row) for row in rows}

moments, hits, known = random.Random(seed), 0, set()
for kill in range(kills + 1):
    log = f"{out}.log{kill}"
    child = start(log)
    if kill < kills:
        hits += killed(child, log, moments.randrange(800 // kills))
    else:
        assert os.waitpid(child, 0)[1] == 0
    trained = set(lines(log))
    assert not trained & known, "a stored row was trained again"
    now = stored()
    assert now >= known, "a stored row was lost"
    known = now
print(hits)
"""


def forks(out: Path, threads: int, kills: int, seed: int) -> int:
    arguments = [sys.executable, "-c", FORKS, str(out), str(threads), str(kills), str(seed)]
    done = subprocess.run(arguments, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def rows(out: Path) -> pd.DataFrame:
    return load_survey(out).to_frame().drop(columns="seconds")


def same(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    return True


def files(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_a_survey_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path: Path):
    forks(tmp_path / "calm", 1, 0, seed=0)
    calm = rows(tmp_path / "calm")
    assert calm["number"].tolist() == [number for number in range(150) for _ in range(4)]
    for threads in (1, 2):
        assert forks(tmp_path / str(threads), threads, 10 + KILLS, seed=threads) >= 5
        assert same(rows(tmp_path / str(threads)), calm)
        assert files(tmp_path / str(threads)) == files(tmp_path / "calm")


def command(out: Path, threads: int) -> list[str]:
    options = f"--task digits --wirings {WIRINGS} --seeds 2 --nodes 8:24 --degree 2:5 --epochs 1 --seed 5"
    options += f" --learning-rate 0.01 --learning-rate 0.1 --threads {threads} --json"
    return [sys.executable, "-m", "nas", "survey", *options.split(), "--out", str(out)]


def start(out: Path, threads: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(out, threads), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(out: Path, threads: int) -> dict[str, Any]:
    done = subprocess.run(command(out, threads), env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], float]:
    """An undisturbed survey: its folder, its outcome, and how long it takes."""
    out = tmp_path_factory.mktemp("calm") / "digits"
    started = time.monotonic()
    return out, finish(out, 1), time.monotonic() - started


def alike(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    place = {"out": "", "seconds": 0}
    return {**found, **place} == {**expected, **place}


@pytest.mark.timeout(60 + 60 * KILLS)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_command_survives_kills_at_random_moments(
    tmp_path: Path, threads: int, calm: tuple[Path, dict[str, Any], float]
):
    undisturbed, outcome, seconds = calm
    moments = random.Random(threads + 2)
    killed, known = 0, 0
    for kill in range(KILLS):
        process = start(tmp_path / "digits", threads)
        # Some fall into the imports.
        time.sleep(moments.uniform(0.5, 0.95) * (1.5 if kill % 3 == 2 else min(seconds, 8.0)))
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        if (tmp_path / "digits" / "survey.toml").is_file():
            stored = rows(tmp_path / "digits")
            assert len(stored) >= known
            known = len(stored)
            if known:
                assert same(stored, rows(undisturbed).head(known).astype(stored.dtypes))
    assert killed > 0
    assert alike(finish(tmp_path / "digits", threads), outcome)
    assert same(rows(tmp_path / "digits"), rows(undisturbed))
    assert files(tmp_path / "digits") == files(undisturbed)


@pytest.mark.timeout(60 + 60 * KILLS)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_command_survives_ctrl_c_at_random_moments(
    tmp_path: Path, threads: int, calm: tuple[Path, dict[str, Any], float]
):
    undisturbed, outcome, seconds = calm
    moments = random.Random(threads)
    codes: list[int] = []
    # A machine that has become faster since the undisturbed survey is done too early: then it is tried again, earlier.
    while len(codes) < 1 + KILLS // 4 or (130 not in codes and len(codes) < 6 + KILLS):
        if 130 not in codes:
            shutil.rmtree(tmp_path / "digits", ignore_errors=True)
        process = start(tmp_path / "digits", threads)
        time.sleep(moments.uniform(0.4, 0.9) * min(seconds, 8.0) * 0.8 ** codes.count(0))
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
        codes.append(process.returncode)
        if not stdout:
            assert process.returncode == 130, stderr
            assert stderr.splitlines()[-1] in (
                "wirenas: interrupted; the same command resumes",
                "wirenas: interrupted before anything was stored; the same command begins anew",
            )
            assert "Traceback" not in stderr
    assert 130 in codes
    assert alike(finish(tmp_path / "digits", threads), outcome)
    assert same(rows(tmp_path / "digits"), rows(undisturbed))
