"""Broken files: each gives a sound wiring or one clear line, never anything else, quickly and in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import graph_mutations as mutator
import pytest

ROOT = Path(__file__).resolve().parents[2]
NUMBER = int(os.environ.get("WIRENAS_TEST_MUTATIONS", "150"))

READ_ALL = """
import json, pathlib, sys, time
import graph_mutations as mutator
slowest, outcomes = 0, []
hostile = mutator.hostile()
for suffix, content in [*mutator.mutations(int(sys.argv[1])), *(case[:2] for case in hostile.values())]:
    started = time.process_time()
    try:
        outcomes.append(mutator.outcome(suffix, content))
    except BaseException:
        print(f"file {len(outcomes)}: {suffix} {content[:2000]!r}", file=sys.stderr)
        raise
    slowest = max(slowest, time.process_time() - started)
# Not ru_maxrss, which begins at the size of the process that started this one.
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.is_file() else []
memory = sum(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
of_hostile = dict(zip(hostile, outcomes[-len(hostile) :], strict=True))
print(json.dumps({"slowest": slowest, "memory": memory, "outcomes": outcomes, "hostile": of_hostile}))
"""


def test_mutations_are_the_same_every_time():
    assert list(mutator.mutations(20)) == list(mutator.mutations(20))
    assert list(mutator.mutations(20)) != list(mutator.mutations(20, seed=1))


def test_sound_files_are_read():
    for suffix, content in mutator.seeds():
        assert mutator.outcome(suffix, content) == "", suffix


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What a process of its own found in broken files: memory, the longest time, and the outcome of each."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READ_ALL, str(NUMBER)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_broken_files_give_a_wiring_or_one_line(found: dict[str, Any]):
    assert found["slowest"] < 10
    assert found["memory"] < 2**30
    outcomes = found["outcomes"]
    assert len(outcomes) == NUMBER + len(found["hostile"])
    assert 0 < outcomes.count("") < len(outcomes) / 2


def test_hostile_files_are_refused_for_the_right_reason(found: dict[str, Any]):
    hostile = mutator.hostile()
    assert list(found["hostile"]) == list(hostile)
    for name, line in found["hostile"].items():
        assert hostile[name][2] in line, name
        assert len(line) < 700, name
        assert line or name in ("deep name", "layer without end")
