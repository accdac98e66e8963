"""Progress at any width: how much is done and how long the rest takes are always there, on one line."""

import io
import os
import pty
import re
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from fcntl import ioctl
from itertools import product
from pathlib import Path
from termios import TIOCSWINSZ

import pytest
from cli_cases import ENVIRONMENT
from quick import quick
from rich.cells import cell_len
from rich.console import Console

from nas.evaluation.watcher import Standing
from nas.report.progress import CampaignDisplay, counting, survey_display
from nas.store.records import Record, Records

WIDTHS = [40, 80, 120]


class Terminal:
    """A terminal of some width in memory, or with none: what it shows last, and a clock for what is on it."""

    def __init__(self, width: int, *, is_terminal: bool, now: list[float]) -> None:
        self.text = io.StringIO()
        self.console = Console(
            file=self.text, width=width, force_terminal=is_terminal, color_system=None, get_time=lambda: now[0]
        )
        self.width, self.is_terminal = width, is_terminal

    def last_line(self) -> str:
        lines = re.sub(r"\x1b\[[0-9?;]*[a-zA-Z]", "", self.text.getvalue()).replace("\r", "\n").split("\n")
        return [line for line in lines if line.strip()][-1]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    return clock


def search(terminal: Terminal, now: list[float]) -> None:
    watcher = CampaignDisplay(terminal.console, "maximize")
    watcher.search_started(100, 10000, Records(()))
    for number, origin in enumerate(("random", "neighbour", "start-up", "neighbour")):
        now[0] += 10
        watcher.recorded(Record(100 + number, "complete", 0.5 + number / 10, {}, origin=origin, prediction=0.5))
    watcher.finished()


def finals(terminal: Terminal, now: list[float]) -> None:
    watcher = CampaignDisplay(terminal.console, "maximize")
    watcher.stage_started("references", 2000)
    for _ in range(104):
        now[0] += 10
        watcher.trained()
    watcher.finished()


def survey(terminal: Terminal, now: list[float]) -> None:
    with survey_display(terminal.console) as show:
        for done in (100, 102, 104):
            now[0] += 10
            show(Standing(done, 10000, 3))


def validation(terminal: Terminal, now: list[float]) -> None:
    with counting(terminal.console, "fits") as show:
        for done in range(1, 105):
            now[0] += 10
            show(done, 10000)
        if terminal.is_terminal:
            terminal.text.write("\n")


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("work", "total"), [(search, 10000), (finals, 2000), (survey, 10000), (validation, 10000)])
def test_counts_and_time_left_are_seen(
    work: Callable[[Terminal, list[float]], None], total: int, width: int, now: list[float], is_terminal: bool
):
    terminal = Terminal(width, is_terminal=is_terminal, now=now)
    work(terminal, now)
    line = terminal.last_line()
    if is_terminal:
        assert cell_len(line) <= width
        assert re.search(rf"\b104/{total}\b", line), line
        assert re.search(r" (\d+:)?\d\d:\d\d\b", line), line
    else:
        # Where a plain line is cut, its beginning is what is left.
        assert re.search(rf"\b104 of {total}\b.*, \d+ (s|min) left", line[: width + 8]), line


def test_the_best_is_seen_as_far_as_there_is_room(now: list[float]):
    seen = {}
    for width in WIDTHS:
        terminal = Terminal(width, is_terminal=True, now=now)
        search(terminal, now)
        seen[width] = terminal.last_line()
    assert "best " in seen[40]
    assert "best 0.8000 (trial 103)" in seen[80]
    assert "/min, steered 0.7000 against 0.6000 by chance" in seen[120]


def run_in_terminal(width: int, *arguments: str) -> tuple[int, str]:
    """Run the command line on a real terminal of some width: exit code, and what it shows."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in ENVIRONMENT.items() if name not in ("COLUMNS", "LINES", "CI")}
    command = [sys.executable, "-m", "wirenas", *arguments]
    with subprocess.Popen(
        command, env={**environment, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        found: list[bytes] = []

        def read() -> None:
            try:
                while part := os.read(ours, 65536):
                    found.append(part)
            except OSError:
                pass  # The other end is closed.

        reader = threading.Thread(target=read)
        reader.start()
        process.wait(timeout=120)
        reader.join(timeout=30)
    os.close(ours)
    return process.returncode, b"".join(found).decode()


# Of twelve trials a predictor is fitted.
@pytest.mark.parametrize(("width", "trials"), quick(product(WIDTHS[:2], (4, 12)), (WIDTHS[0], 4)))
def test_a_run_on_a_real_terminal_shows_them(tmp_path: Path, width: int, trials: int):
    tiny = f"--task digits --trials {trials} --nodes 8:9 --degree 2:3 --epochs 1 --learning-rate 0.01 --finalists 1"
    code, text = run_in_terminal(
        width, "run", *tiny.split(), "--final-seeds", "2", "--threads", "1", "--out", str(tmp_path / "out")
    )
    assert code == 0, text
    plain = re.sub(r"\x1b\[[0-9?;]*[a-zA-Z]", "", text).replace("\r", "\n")
    (done, *_) = [line for line in plain.split("\n") if re.match(rf"search +{trials}/{trials} ", line)]
    assert re.match(rf"search +{trials}/{trials} +\d?\d:\d\d\b", done), done
    bars = [line for line in plain.split("\n") if re.match(r"(search|finalists|references|predictor) ", line)]
    assert max(map(cell_len, bars)) <= width
    assert "wirenas status" in plain
