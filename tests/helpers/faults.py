"""Faults: commands of wirenas in which one call of the operating system fails, as in SQLite's tests of I/O errors."""

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fault_cases import Case

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

OPEN, CREATE, READ, WRITE, SYNC, RENAME, MKDIR, REMOVE, LOOK = (1 << place for place in range(9))
"""Kinds of calls, as in faults.c."""

_CHANGES = CREATE | WRITE | SYNC | RENAME | MKDIR
KINDS = {
    "ENOSPC": _CHANGES,
    "EIO": _CHANGES | OPEN | READ | REMOVE,
    "EACCES": OPEN | CREATE | RENAME | MKDIR | REMOVE,
    "ESTALE": _CHANGES | OPEN | READ | REMOVE | LOOK,
    "EMFILE": OPEN | CREATE,
}
"""Which calls can fail in which way."""


@dataclass(frozen=True)
class Done:
    """How a command ended: exit code, what it printed, how many calls were counted, and the first that failed."""

    code: int
    out: str
    err: str
    count: int
    hit: str


class Faults:
    """Commands of some cases in processes that share their imports; `folder` is where the library is built."""

    def __init__(self, folder: Path, *cases: str) -> None:
        compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")
        if compiler is None or not sys.platform.startswith("linux"):
            pytest.skip("calls of the operating system fail by a library that is compiled and preloaded, on Linux")
        library = folder / "faults.so"
        source = str(HERE / "faults.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), source, "-ldl"], check=True)
        environment = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, str(HERE / "fault_server.py"), *cases],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        assert line, "the server of faults is gone"
        found: dict[str, Any] = json.loads(line)
        return found

    def run(
        self,
        arguments: list[str],
        folder: Path,
        nth: int = 0,
        error: str = "EIO",
        *,
        lasting: bool = False,
        memory: int | None = None,
    ) -> Done:
        """Run a command; its n-th call on files below `folder` that can fail so fails, or none where n is 0.

        `memory` is how many bytes it may take beside those that it begins with.
        """
        job = {
            "arguments": arguments,
            "cwd": str(folder),
            "folder": str(folder),
            "nth": nth,
            "error": getattr(errno, error),
            "kinds": KINDS[error],
            "lasting": lasting,
            "memory": memory,
        }
        assert self._server.stdin is not None
        print(json.dumps(job), file=self._server.stdin, flush=True)
        return Done(**self._answer())

    def prepare(self, case: Case, folder: Path) -> None:
        """Make what a case is given, and let the commands before it run."""
        case.write_inputs(folder)
        for command in case.before:
            done = self.run(command.split(), folder)
            assert done.code == 0, done.err

    def close(self) -> None:
        with self._server:  # Which closes its pipes, and so ends it.
            pass
