"""A campaign survives being killed at any moment and ends as if it had never been.

WIRENAS_TEST_KILLS sets how often the campaigns of the command line are killed, and interrupted a quarter as often.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from nas.store.records import Records
from nas.store.study import load
from priors import read_wiring

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("WIRENAS_TEST_KILLS", "2"))
TRIALS = 4 + 2 * KILLS
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

# Forks campaigns that the parent kills, so that the imports are paid for once.
FORKS = """
import os, random, signal, sys, time
from nas.campaign.campaign import Campaign

out, threads, kills, seed = sys.argv[1], *map(int, sys.argv[2:])

def evaluate(wiring, params):
    time.sleep(0.001 * (params["graph_seed"] % 11))
    if wiring.n_hidden % 3 == 0:
        raise ValueError("failed")
    return -abs(wiring.n_edges - 40) - params["degree"] / 100

def start():
    child = os.fork()
    if not child:
        space = {"nodes": (8, 20), "degree": (2, 6)}
        Campaign(out, evaluate=evaluate, space=space, trials=15, batch=6, threads=threads).run()
        os._exit(0)
    return child

moments, hits = random.Random(seed), 0
for kill in range(kills):
    child = start()
    time.sleep(moments.uniform(0, 0.1 if kill % 3 == 0 else 0.5))
    os.kill(child, signal.SIGKILL)
    hits += os.WIFSIGNALED(os.waitpid(child, 0)[1])
assert os.waitpid(start(), 0)[1] == 0
print(hits)
"""


def sequence(records: Records) -> list[tuple[int, str, dict[str, Any], float | None]]:
    assert [row.number for row in records] == list(range(len(records)))
    return [(row.number, row.state, dict(row.params), row.value) for row in records]


def forks(out: Path, threads: int, kills: int, seed: int) -> int:
    arguments = [sys.executable, "-c", FORKS, str(out), str(threads), str(kills), str(seed)]
    done = subprocess.run(arguments, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_campaign_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path: Path):
    for threads in (1, 2):
        assert forks(tmp_path / str(threads), threads, 5, seed=threads) >= 3
    forks(tmp_path / "calm", 1, 0, seed=0)
    calm = sequence(load(tmp_path / "calm"))
    assert len(load(tmp_path / "calm").complete) == 15 < len(calm)
    for threads in ("1", "2"):
        assert sequence(load(tmp_path / threads)) == calm
        best = [read_wiring(tmp_path / name / "best" / "wiring.json") for name in (threads, "calm")]
        assert best[0] == best[1]
        assert leftovers(tmp_path / threads) == []


def leftovers(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir() if path.name.startswith(".") and path.name != ".lock")


SEARCHED = {
    "graphs": "--nodes 8:24 --degree 2:5 --learning-rate 0.01",
    "ways": "--budget 150 --ways prior,pruned,rewired,redrawn --final-epochs 2",
}
"""What a campaign chooses among: random graphs, or ways to a structure within a budget."""


def command(out: Path, threads: int) -> list[str]:
    options = f"--task digits --trials {TRIALS} {SEARCHED[out.name]} --batch 3 --epochs 2"
    options += f" --finalists 2 --final-seeds 6 --seed 5 --threads {threads} --json"
    return [sys.executable, "-m", "nas", "run", *options.split(), "--out", str(out)]


def start(out: Path, threads: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(out, threads), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(out: Path, threads: int) -> dict[str, Any]:
    done = subprocess.run(command(out, threads), env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


Calm = tuple[Path, dict[str, Any], float]


def undisturbed_campaign(out: Path) -> Calm:
    started = time.monotonic()
    return out, finish(out, 1), time.monotonic() - started


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """An undisturbed campaign over graphs: its folder, its outcome, and how long it takes."""
    return undisturbed_campaign(tmp_path_factory.mktemp("calm") / "graphs")


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    place = {"out": "", "study": "", "seconds": 0, "overhead": None}
    return {**found, **place} == {**expected, **place}


@pytest.mark.timeout(60 + 60 * KILLS)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_command_survives_kills_at_random_moments(tmp_path: Path, threads: int, calm: Calm):
    survive_kills(tmp_path / "graphs", threads, *calm)


@pytest.mark.timeout(60 + 60 * KILLS)
def test_a_campaign_with_a_budget_survives_them(tmp_path: Path):
    survive_kills(tmp_path / "ways", 2, *undisturbed_campaign(tmp_path / "calm" / "ways"))


def survive_kills(out: Path, threads: int, undisturbed: Path, outcome: dict[str, Any], seconds: float) -> None:
    moments = random.Random(threads + 2)
    killed, known = 0, 0
    for kill in range(KILLS):
        process = start(out, threads)
        # Some fall into the imports and the creation of the study.
        time.sleep(moments.uniform(0, 1.5 if kill % 3 == 2 else min(0.7 * seconds, 6.0)))
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        if (out / "campaign.toml").is_file():
            stored = sequence(load(out))
            assert stored == sequence(load(undisturbed))[: len(stored)]
            assert len(stored) >= known
            known = len(stored)
    assert killed > 0
    assert same(finish(out, threads), outcome)
    assert sequence(load(out)) == sequence(load(undisturbed))
    assert leftovers(out) == []
    # The order of a safetensors file's metadata varies, so tensors are compared and not bytes.
    found, expected = (load_file(folder / "best" / "network.safetensors") for folder in (out, undisturbed))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def interrupt_at(process: subprocess.Popen[str], line: str) -> str:
    """Send Ctrl-C when `line` has come, and return what came after it."""
    assert process.stderr is not None
    for text in process.stderr:
        if re.match(line, text):
            break
    else:
        raise AssertionError(f"{line} never came")
    process.send_signal(signal.SIGINT)
    return process.stderr.read()


def test_ctrl_c_in_the_search_and_in_the_finals_resumes(tmp_path: Path, calm: Calm):
    undisturbed, outcome, _ = calm
    out = tmp_path / "graphs"
    stored = []
    for line in (f"search: {TRIALS} trials", "finalists: "):
        with start(out, 2) as process:
            rest = interrupt_at(process, line)
            assert process.wait(60) == 130
            assert process.stdout is not None
            assert process.stdout.read() == ""
        assert rest.splitlines()[-1] == "wirenas: interrupted; the same command resumes"
        assert "Traceback" not in rest
        stored.append(sequence(load(out)))
        assert (out / "trials.csv").read_text(encoding="utf-8").count("\n") == len(stored[-1]) + 1
        assert not (out / "best").exists()
    assert len(stored[0]) < TRIALS == len(stored[1])
    assert same(finish(out, 1), outcome)
    assert sequence(load(out)) == sequence(load(undisturbed))


@pytest.mark.timeout(60 + 60 * KILLS)
@pytest.mark.skipif(KILLS < 4, reason="WIRENAS_TEST_KILLS is below 4")
@pytest.mark.parametrize("threads", [1, 2])
def test_the_command_survives_ctrl_c_at_random_moments(tmp_path: Path, threads: int, calm: Calm):
    undisturbed, outcome, seconds = calm
    moments = random.Random(threads + 2)
    codes = []
    for _ in range(KILLS // 4):
        process = start(tmp_path / "graphs", threads)
        time.sleep(moments.uniform(0.8, min(0.7 * seconds, 6.0)))
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
        codes.append(process.returncode)
        if not stdout:  # Otherwise all was done, and Python itself was about to end.
            assert process.returncode == 130, stderr
            assert "Traceback" not in stderr
    assert 130 in codes
    assert same(finish(tmp_path / "graphs", threads), outcome)
    assert sequence(load(tmp_path / "graphs")) == sequence(load(undisturbed))
