"""Reads damaged files of some kinds in a process of its own: what became of each, how long it took, and memory.

A kind is a module with ``seeds()``, sound files with their suffixes; ``mutations(number, seed)``, damaged ones, always
the same; and ``outcome(suffix, content)``, which reads one, and returns "" or the one line that refuses it.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS, MOST_BYTES = 10.0, 2**30
_AT_ONCE = 250
"""Files that one process reads: what it keeps of all of them is none of one file's memory."""

READ_ALL = """
import faulthandler, importlib, json, pathlib, resource, sys, time, traceback
kinds = [importlib.import_module(name) for name in sys.argv[3:]]
number, seed = map(int, sys.argv[1:3])
for kind in kinds:
    for sound in kind.seeds():
        line = kind.outcome(*sound)
        assert not line, line

def kilobytes(field):
    status = pathlib.Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return sum(int(line.split()[1]) for line in lines if line.startswith(field))

peak, before = pathlib.Path("/proc/self/clear_refs"), kilobytes("VmRSS")
if peak.exists():
    peak.write_text("5")  # Begins anew.
slowest, outcomes, failures = 0, [], []
for kind, suffix, content in ((kind, *file) for kind in kinds for file in kind.mutations(number, seed)):
    faulthandler.dump_traceback_later(60, exit=True)
    started = time.process_time()
    try:
        outcomes.append(kind.outcome(suffix, content))
    except BaseException:
        failures.append(f"file {len(outcomes)}: {suffix} {content[:500]!r}\\n{traceback.format_exc()}")
        outcomes.append(None)
    slowest = max(slowest, time.process_time() - started)
faulthandler.cancel_dump_traceback_later()
more = 1024 * (kilobytes("VmHWM") - before)
print(json.dumps({"outcomes": outcomes, "failures": failures, "slowest": slowest, "memory": more}))
"""


@dataclass(frozen=True)
class Read:
    """What became of damaged files."""

    outcomes: list[str]
    failures: list[str]
    """Of those that gave neither something sound nor one line: which, and the traceback."""
    slowest: float
    """Seconds of the processor that the slowest one took."""
    memory: int
    """Bytes that reading took beyond what sound files take."""


def read_damaged(number: int, *kinds: str, seed: int = 0) -> Read:
    """Read so many damaged files of each of some kinds."""
    parts = [_read(kinds, min(_AT_ONCE, number - first), seed + 1000 * first) for first in range(0, number, _AT_ONCE)]
    return Read(
        [line for part in parts for line in part.outcomes],
        [line for part in parts for line in part.failures],
        max(part.slowest for part in parts),
        max(part.memory for part in parts),
    )


def _read(kinds: tuple[str, ...], number: int, seed: int) -> Read:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READ_ALL, str(number), str(seed), *kinds],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Read(**json.loads(done.stdout.splitlines()[-1]))
