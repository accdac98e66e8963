"""Runs commands of wirenas in forked processes in which one call of the operating system fails.

Started by `faults.Faults` with the preloaded library of faults.c: everything is imported once, and each command costs a
fork. Reads one JSON object a line from stdin, and answers each with one on stdout.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path
from typing import Any

LONGEST_S = 120

library = ctypes.CDLL(None)
library.faults_arm.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.c_int, ctypes.c_int]
library.faults_count.restype = ctypes.c_long
library.faults_hit.restype = ctypes.c_char_p


def make_ready(cases: list[str]) -> None:
    """Let the commands of some cases run once, which imports what they need, and make cheap what writes nothing."""
    import matplotlib.figure
    import optuna.storages._rdb.storage as rdb
    from fault_cases import CASES, called

    from nas.samplers import candidates, plan, structural
    from predictors.regressors import boosting, forests

    forests._TREES, boosting._ROUNDS, boosting._RATE = 4, 4, 0.3
    candidates._POPULATION = 16
    structural.FIRST_PLAN = plan.Plan(pool=16, refit=4)
    plan._POOLS = (16, 16, 16)
    matplotlib.figure.Figure.savefig = lambda _, file, **__: Path(file).write_bytes(b"a figure")  # type: ignore
    rdb._VersionManager._create_alembic_script = cache(rdb._VersionManager._create_alembic_script)  # type: ignore
    for name in cases:
        with tempfile.TemporaryDirectory() as folder:
            case = CASES[name]
            case.write_inputs(Path(folder))
            for line in (*case.before, case.command):
                called(line.split(), Path(folder))


def command(job: dict[str, Any], stdout: int, stderr: int) -> int:
    """Run a command in this process, which ends with it; returns its exit code."""
    from nas.cli.app import main

    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.chdir(job["cwd"])
    sys.argv = ["wirenas", *job["arguments"]]
    if job["memory"] is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + job["memory"]
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    library.faults_arm(os.fsencode(job["folder"]), job["nth"], job["error"], job["kinds"], job["lasting"])
    signal.alarm(LONGEST_S)
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 1


def served(job: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = command(job, out.fileno(), err.fileno())
            finally:
                os._exit(code)
        status = os.waitpid(child, 0)[1]
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    code = os.waitstatus_to_exitcode(status)
    hit = library.faults_hit().decode()
    return {"code": code, "out": texts[0], "err": texts[1], "count": library.faults_count(), "hit": hit}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    make_ready(sys.argv[1:])
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(served(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
