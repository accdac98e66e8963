"""Benchmark of the compiled engine against torch and against the floor that arithmetic sets.

Run from the repository's root: ``make bench``, or ``python -m benchmarks.engine --only 'WS*' --quick``.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

import torch
from rich.console import Console

from nas.training.extension import MISSING, has_native

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "build" / "benchmarks" / "engine.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code: 0, or 2 where the compiled engine or a workload is missing."""
    options = _options(arguments)
    if not has_native():
        print(f"the compiled engine is missing: {MISSING}", file=sys.stderr)
        return 2
    from benchmarks import report
    from benchmarks.measure import Effort, measure
    from benchmarks.workloads import WORKLOADS

    chosen = [workload for name, workload in WORKLOADS.items() if fnmatch(name, options.only)]
    if not chosen:
        print(f"--only {options.only}: no such workload; there are {', '.join(WORKLOADS)}", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    effort = Effort(rounds=2, seconds=0.005) if options.quick else Effort(rounds=options.rounds)
    progress = Console(stderr=True)
    results = []
    for number, workload in enumerate(chosen, start=1):
        progress.print(f"[{number}/{len(chosen)}] {workload.name}", markup=False, highlight=False)
        results.append(measure(workload, effort))
    if options.markdown:
        print(report.as_markdown(results))
    else:
        report.show(results, Console(width=None if sys.stdout.isatty() else 200))
    command = shlex.join(["python", "-m", "benchmarks.engine", *(sys.argv[1:] if arguments is None else arguments)])
    report.write(options.out, report.document(results, effort, command))
    progress.print(f"wrote {options.out}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.engine", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", metavar="NAME", default="*", help="one workload, or several by a pattern such as WS*")
    parser.add_argument("--rounds", type=int, default=15, help="turns of every contender (default 15)")
    parser.add_argument("--quick", action="store_true", help="two short rounds: to try the benchmark, not to measure")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="JSON file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
