"""Broken files: each gives a sound wiring or one clear line, never anything else, quickly and in little memory."""

import os
import subprocess
import sys
from pathlib import Path

import graph_mutations as mutator
import pytest

ROOT = Path(__file__).resolve().parents[2]
NUMBER = int(os.environ.get("WIRENAS_TEST_MUTATIONS", "150"))
HOSTILE = mutator.hostile()

READ_ALL = """
import pathlib, sys, time
import graph_mutations as mutator
slowest = wirings = 0
files = list(mutator.mutations(int(sys.argv[1]))) + [case[:2] for case in mutator.hostile().values()]
for index, (suffix, content) in enumerate(files):
    started = time.process_time()
    try:
        wirings += mutator.outcome(suffix, content) == ""
    except BaseException:
        print(f"file {index}: {suffix} {content[:2000]!r}", file=sys.stderr)
        raise
    slowest = max(slowest, time.process_time() - started)
# Not ru_maxrss, which begins at the size of the process that started this one.
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.is_file() else []
print(slowest, sum(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), wirings, len(files))
"""


def test_mutations_are_the_same_every_time():
    assert list(mutator.mutations(20)) == list(mutator.mutations(20))
    assert list(mutator.mutations(20)) != list(mutator.mutations(20, seed=1))


def test_sound_files_are_read():
    for suffix, content in mutator.seeds():
        assert mutator.outcome(suffix, content) == "", suffix


def test_broken_files_give_a_wiring_or_one_line():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READ_ALL, str(NUMBER)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    slowest, memory, wirings, files = map(float, done.stdout.split())
    assert slowest < 10
    assert memory < 2**30
    assert 0 < wirings < files / 2


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_for_the_right_reason(name: str):
    suffix, content, reason = HOSTILE[name]
    line = mutator.outcome(suffix, content)
    assert reason in line
    assert len(line) < 700
    assert line or name in ("deep name", "layer without end")
