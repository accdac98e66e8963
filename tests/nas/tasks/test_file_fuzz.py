"""Damaged data files: each is a sound task or one clear line, never anything else, quickly and in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import table_mutations as mutator
from command_line import wirenas

ROOT = Path(__file__).resolve().parents[3]
NUMBER = int(os.environ.get("WIRENAS_TEST_MUTATIONS", "60"))
MOST_SECONDS, MOST_BYTES = 10.0, 2**30

READ_ALL = """
import json, pathlib, sys, time
import table_mutations as mutator
[mutator.outcome(*sound) for sound in mutator.seeds()]
slowest, outcomes = 0, []
for suffix, content in mutator.mutations(int(sys.argv[1])):
    started = time.process_time()
    try:
        outcomes.append(mutator.outcome(suffix, content))
    except BaseException:
        print(f"file {len(outcomes)}: {suffix} {content[:2000]!r}", file=sys.stderr)
        raise
    slowest = max(slowest, time.process_time() - started)
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.is_file() else []
memory = sum(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
print(json.dumps({"slowest": slowest, "memory": memory, "outcomes": outcomes}))
"""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    pytest.importorskip("pyarrow")
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


def test_every_damaged_file_is_a_task_or_one_line(found: dict[str, Any]):
    outcomes = found["outcomes"]
    assert len(outcomes) == NUMBER
    refused = [line for line in outcomes if line]
    # Many a changed cell is a missing value, and the file still a table.
    assert 0.1 * NUMBER < len(refused) < 0.95 * NUMBER
    assert all(len(line) < 500 for line in refused)


def test_reading_is_bounded(found: dict[str, Any]):
    assert found["slowest"] < MOST_SECONDS
    assert found["memory"] < MOST_BYTES


def test_the_command_line_refuses_with_exit_code_2(tmp_path: Path):
    pytest.importorskip("pyarrow")
    codes = []
    for number, (suffix, content) in enumerate(mutator.mutations(24, seed=7)):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content)
        code, out, err = wirenas("data", path, "--json")
        assert (code == 0 and out.count("\n") == 1 and err == "") or (code == 2 and out == "" and err.count("\n") == 1)
        codes.append(code)
    assert set(codes) == {0, 2}
