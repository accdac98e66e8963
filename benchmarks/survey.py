"""How many networks a survey trains, and how much of the processor's time is spent on training them.

Run from the repository's root: ``python -m benchmarks.survey``; a hundred thousand trainings take some minutes.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.report import cpu_name, write
from nas import Survey
from nas.survey import Standing
from nas.training.extension import instruction_set

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "build" / "benchmarks" / "survey.json"


def measure(wirings: int, threads: int | None) -> dict[str, Any]:
    """Survey digits with the defaults, and return counts, times and the share of time inside trainings.

    The predictor that is fitted in the end is no part of the rate.
    """
    with tempfile.TemporaryDirectory() as folder:
        survey = Survey(Path(folder) / "survey", task="digits", wirings=wirings, threads=threads)
        started, cpu_before = time.perf_counter(), _cpu_seconds()
        told: list[tuple[float, float]] = []

        def watch(standing: Standing) -> None:
            if standing.done == standing.total and not told:
                told.append((time.perf_counter(), _cpu_seconds()))

        outcome = survey.run(watch)
    ((ended, cpu),) = told
    seconds = ended - started
    return {
        "wirings": wirings,
        "trainings": outcome.trainings,
        "epochs": survey.options.recipe.epochs,
        "threads": survey.threads,
        "seconds": seconds,
        "cpu_seconds": cpu - cpu_before,
        "seconds_inside_trainings": outcome.seconds,
        "share_inside": outcome.seconds / (seconds * survey.threads),
    }


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="benchmarks.survey", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wirings", type=int, default=33_334, help="each is trained at three learning rates")
    parser.add_argument("--threads", type=int, default=None, help="default: one a core")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="JSON file")
    options = parser.parse_args(arguments)
    found = measure(options.wirings, options.threads)
    command = shlex.join(["python", "-m", "benchmarks.survey", *(sys.argv[1:] if arguments is None else arguments)])
    machine = {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "instruction_set": instruction_set(),
    }
    date = datetime.now(UTC).isoformat(timespec="seconds")
    write(options.out, {"machine": machine, "date": date, "command": command, **found})
    print(
        f"{found['trainings']:,} trainings in {found['seconds']:.0f} s on {found['threads']} threads, "
        f"{found['share_inside']:.0%} of their time inside trainings"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
