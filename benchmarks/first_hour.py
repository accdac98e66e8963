"""The first hour of somebody new: what they type, what they see, and how long they wait, as a page.

Run from the repository's root: ``python -m benchmarks.first_hour`` (some minutes). Every command runs in one folder,
without a terminal and 80 columns wide; the page shows what it printed, its exit code and its seconds. Long outputs are
shortened, and progress lines of which the last says all are left out.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import cpu_name
from priors.files import atomic_write

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "build" / "benchmarks" / "first-hour"
COLUMNS = 80
_STAGE = re.compile(r"([a-z ]+): \d+( of \d+)?\b")
_MOST_LINES = 14
"""Of a command's output that the page shows whole: this many, or as many of its start and its end."""


@dataclass(frozen=True)
class Step:
    """One thing that is tried.

    Parameters
    ----------
    command : str
        What stands behind ``wirenas``.
    exit_code : int
        That it should end with; 130 after an interruption.
    interrupted_at : str
        Ctrl-C is pressed when a line begins with this; empty for never.
    """

    command: str
    exit_code: int = 0
    interrupted_at: str = ""


@dataclass(frozen=True)
class Chapter:
    """Several things that somebody tries because they want one thing."""

    wish: str
    steps: tuple[Step, ...]


_GRAPH = "from,to\n" + "".join(
    f"{source},{target}\n"
    for source, target in [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (4, 5), (5, 3), (5, 6), (6, 7), (7, 4)]
)

CHAPTERS = (
    Chapter("What is this?", (Step("--version"), Step("--help"))),
    Chapter(
        "The best network of 300 parameters that there is for digits.",
        (
            Step("run --task digits --budget 300 --out small"),
            Step("run --task digits --budget 300 --out small"),
            Step("best small"),
            Step("frontier --task digits --budgets 200,500 --trials 20 --out sizes"),
        ),
    ),
    Chapter(
        "Does the wiring of a network say how well it learns? A campaign of random graphs, stopped and gone on with.",
        (
            Step("run --task digits --trials 200 --out graphs", exit_code=130, interrupted_at="search: 1"),
            Step("run --task digits --trials 200 --out graphs"),
            Step("status graphs"),
        ),
    ),
    Chapter(
        "A graph of my own: what it looks like, and how well it would do.",
        (
            Step("features mine.csv"),
            Step("draw mine.csv"),
            Step("predict mine.csv graphs", exit_code=2),
            Step("predict graphs mine.csv", exit_code=2),
            Step("predict graphs mine.csv --undirected"),
            Step("survey --task digits --wirings 150 --out atlas"),
            Step("predict atlas mine.csv --undirected --explain"),
        ),
    ),
    Chapter(
        "A recurrent network whose hidden neurons are joined as my graph is, or a drawn one.",
        (
            Step("generate rnn --graph mine.csv --cell tanh --inputs 3 --outputs 2 --out worm"),
            Step("generate rnn --prior ws --nodes 64 --inputs 3 --outputs 2 --out drawn", exit_code=2),
            Step("generate rnn --prior watts-strogatz --nodes 64 --inputs 3 --outputs 2 --out drawn", exit_code=2),
            Step("generate rnn --prior watts-strogatz --nodes 64 --k 4 --p 0.1 --inputs 3 --outputs 2 --out drawn"),
        ),
    ),
    Chapter("A dense network, pruned.", (Step("prune --task digits --max-parameters 500 --epochs 20 --out pruned"),)),
    Chapter(
        "And what if I get it wrong?",
        (
            Step("run --task digts", exit_code=2),
            Step("run --task digits --budget 12", exit_code=2),
            Step("run --task digits --budget '3 apples'", exit_code=2),
            Step("run --task digits --trials 3 --trials 4", exit_code=2),
            Step("run --task digits --trials 300 --epochs 9 --out graphs", exit_code=2),
            Step("predict nowhere mine.csv", exit_code=2),
            Step("predict atlas missing.csv", exit_code=2),
        ),
    ),
)
"""What somebody new wants, in this order."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try everything, write the page, and return the exit code: 1 where a command ended with another than it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="folder of the page")
    out = parser.parse_args(arguments).out
    lines = [
        "# The first hour",
        "",
        "What somebody new types and sees, made by `python -m benchmarks.first_hour`: every command ran in one folder,",
        f"without a terminal and {COLUMNS} columns wide, on {os.cpu_count()} cores of {cpu_name()},",
        f"{datetime.now(UTC):%Y-%m-%d}. Of progress the last line of each stage is shown, of long outputs both ends.",
    ]
    wrong = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mine.csv").write_text(_GRAPH, encoding="utf-8")
        for chapter in CHAPTERS:
            lines += ["", f"## {chapter.wish}"]
            for step in chapter.steps:
                print(f"{time.monotonic() - began:5.0f} s  wirenas {step.command}", file=sys.stderr)
                code, seconds, printed = run(step, Path(folder))
                if code != step.exit_code:
                    wrong.append(f"wirenas {step.command}: exit code {code} in place of {step.exit_code}")
                after = ", after Ctrl-C" if step.interrupted_at else ""
                lines += ["", "```console", f"$ wirenas {step.command}", *shortened(printed), "```"]
                lines += ["", f"{seconds:.1f} s, exit code {code}{after}"]
    lines += ["", f"All of it took {(time.monotonic() - began) / 60:.0f} minutes."]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    with atomic_write(out / "README.md") as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"wrote {out / 'README.md'}", file=sys.stderr)
    return 0


def run(step: Step, folder: Path) -> tuple[int, float, str]:
    """Run a command, and return its exit code, its seconds, and what it printed to either stream."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "PATH": path}
    began = time.monotonic()
    lines, waits_for = [], step.interrupted_at
    with subprocess.Popen(
        ["/bin/sh", "-c", f"exec wirenas {step.command}"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if waits_for and line.startswith(waits_for):
                process.send_signal(signal.SIGINT)
                waits_for = ""
    return process.returncode, time.monotonic() - began, "".join(lines).replace(str(folder), ".")


def shortened(printed: str) -> list[str]:
    """Return the lines of an output, of progress the last of each stage, and without the middle of a long one."""
    lines = [line.rstrip() for line in printed.splitlines()]
    lines = [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if not _is_same_stage(line, after)]
    if len(lines) <= 2 * _MOST_LINES:
        return lines
    left_out = len(lines) - 2 * _MOST_LINES
    return [*lines[:_MOST_LINES], f"[{left_out} lines left out]", *lines[-_MOST_LINES:]]


def _is_same_stage(line: str, after: str) -> bool:
    """Whether a line is progress of a stage, such as "search: 3 of 9 trials", of which the next line tells more."""
    stage = _STAGE.match(line)
    following = _STAGE.match(after)
    return stage is not None and following is not None and stage[1] == following[1] and following[2] is not None


if __name__ == "__main__":
    raise SystemExit(main())
