"""What people see on stderr while a command works: bars on a terminal, and a line every few seconds elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from nas.evaluation.watcher import Standing, Watcher
from nas.report.card import number
from nas.report.lines import duration, say
from nas.report.outcome import is_by_chance, is_steered
from nas.store.records import Record, Records
from nas.training.session import sign_of

__all__ = ["CampaignDisplay", "Display", "counting", "slow_engine_notice", "survey_display"]

_SECONDS_BETWEEN_LINES = 5.0


def slow_engine_notice(engine: str | None) -> str | None:
    """Return what to print, once a command, where no engine was asked for and the fast one is missing."""
    from nas.training.extension import MISSING, has_native

    if engine not in (None, "auto") or has_native():
        return None
    return f"The compiled engine is missing ({MISSING}): using torch, which is slower."


class Display:
    """Shows how far work is, after a notice (if any): a bar for each part of it on a terminal, and lines elsewhere."""

    def __init__(self, console: Console, notice: str | None = None) -> None:
        self._console, self._notice = console, notice
        # Bars end with an empty line where there is no terminal, even if they never began.
        self.bars = _bars(console) if console.is_terminal else None
        self._bar = TaskID(0)
        self._first = self._total = 0
        self._started, self._last_line = 0.0, -math.inf

    def say(self, line: str) -> None:
        """Print a line, above the bars."""
        say(self._console, line)

    def begin(self, part: str, done: int, total: int, *, note: str = "", line: str = "") -> None:
        """Begin a part of the work: show its bar with a note, or print the line (if any)."""
        if self._notice is not None:
            self.say(self._notice)
            self._notice = None
        self._first, self._total, self._started = done, total, time.monotonic()
        if self.bars is not None:
            self.bars.start()
            self._bar = self.bars.add_task(part, completed=done, total=total, note=note)
        elif line:
            self.say(line)

    def update(self, done: int, *, note: str = "", line: str = "") -> None:
        """Move the bar, or print the line (if any) when the last one is some seconds old or the part is complete."""
        is_due = done == self._total or time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES
        if self.bars is not None:
            self.bars.update(self._bar, completed=done, note=note)
        elif line and is_due:
            self._last_line = time.monotonic()
            self.say(line)

    def per_minute(self, done: int) -> float:
        """Return how much was done per minute since the part began."""
        return 60 * (done - self._first) / max(time.monotonic() - self._started, 1e-9)

    def left(self, done: int) -> str | None:
        """Return the time left in words, or None as long as nothing was done."""
        rate = self.per_minute(done)
        return duration(60 * (self._total - done) / rate) if rate else None

    def end(self) -> None:
        """Leave the last state of the bars on the screen."""
        if self.bars is not None:
            self.bars.stop()


def _bars(console: Console, *, transient: bool = False) -> Progress:
    return Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=transient,
        # A training may take minutes, and the rate needs several.
        speed_estimate_period=3600.0,
    )


class CampaignDisplay(Watcher):
    """Shows how far a campaign is, its best value, and what predictions are worth; `by_size` on the way to a front."""

    def __init__(self, console: Console, direction: str, notice: str | None = None, *, by_size: bool = False) -> None:
        self.display = Display(console, notice)
        self._sign, self._by_size = sign_of(direction), by_size
        self._done = self._total = self._trained = 0
        self._stage = ""
        self._best: float | None = None
        self._values: dict[bool, list[float]] = {True: [], False: []}
        """Of steered trials, and of those that chance chose."""
        self._rank_correlation: float | None = None

    @classmethod
    def on_stderr(cls, direction: str, *, by_size: bool = False) -> CampaignDisplay:
        """Return a display on stderr, for a campaign that is run from Python."""
        return cls(Console(stderr=True), direction, by_size=by_size)

    def search_started(self, done: int, total: int, records: Records) -> None:
        """Show where the search stands."""
        for record in records:
            self._include(record)
        self._done, self._total = done, total
        line = f"search: {done} of {total} trials are done"
        self.display.begin("search", done, total, note=f"{self._found()}, 0/min", line=line)

    def recorded(self, record: Record) -> None:
        """Show how far the search is, and why a trial failed."""
        self._include(record)
        self._done += record.is_counted
        if record.error is not None:
            self.display.say(f"trial {record.number} failed: {record.error}")
        found, rate = self._found(), f"{self.display.per_minute(self._done):.0f}"
        left = self.display.left(self._done) or "?"
        line = f"search: {self._done} of {self._total} trials, {found}, {rate} per minute, {left} left"
        self.display.update(self._done, note=f"{found}, {rate}/min", line=line)

    def stage_started(self, stage: str, trainings: int) -> None:
        """Show what follows the search."""
        self._stage, self._trained, self._total = stage, 0, trainings
        is_predictor = stage == "predictor"
        line = "learning from all trials" if is_predictor else f"{trainings} trainings with fresh seeds"
        self.display.begin(stage, 0, trainings, line=f"{stage}: {line}")

    def trained(self) -> None:
        """Show how far the stage is."""
        self._trained += 1
        line = f"{self._stage}: {self._trained} of {self._total} trainings"
        self.display.update(self._trained, line="" if self._stage == "predictor" else line)

    def noticed(self, line: str) -> None:
        """Print it."""
        self.display.say(line)

    def finished(self) -> None:
        """Leave the last state on the screen."""
        self.display.end()

    def _include(self, record: Record) -> None:
        if record.rank_correlation is not None:
            self._rank_correlation = record.rank_correlation
        if record.value is None:
            return
        if self._best is None or self._sign * record.value > self._sign * self._best:
            self._best = record.value
        if is_steered(record) or is_by_chance(record):
            self._values[is_steered(record)].append(record.value)

    def _found(self) -> str:
        """Return the best value so far, and what predictions are worth.

        That is the mean of what they chose beside that of what chance did; on the way to a front, where means say
        nothing, how well they rank wirings that were not learnt from.
        """
        worth = ""
        if self._by_size:
            if self._rank_correlation is not None:
                worth = f", predictions' rank correlation {self._rank_correlation:.2f}"
        elif all(self._values.values()):
            steered, chance = (math.fsum(self._values[way]) / len(self._values[way]) for way in (True, False))
            worth = f", steered {number(steered)} against {number(chance)} by chance"
        return f"best {number(self._best)}{worth}"


@contextmanager
def survey_display(console: Console, notice: str | None = None) -> Iterator[Callable[[Standing], None]]:
    """Give a function that shows how far a survey is; see `Display` for the parameters."""
    display = Display(console, notice)
    has_begun = False

    def show(standing: Standing) -> None:
        nonlocal has_begun
        done, total = standing.done, standing.total
        if not has_begun:
            display.begin("wirings", done, total)
            has_begun = True
        note = f"{standing.trainings * display.per_minute(done):,.0f} trainings/min"
        left = display.left(done) if done < total else None
        line = f"survey: {done} of {total} wirings, {note}{f', {left} left' if left else ''}"
        display.update(done, note=note, line=line)

    try:
        yield show
    finally:
        display.end()


@contextmanager
def counting(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that takes how many of how many are done, and shows it: a bar, or a line every few seconds."""
    if not console.is_terminal:
        last = time.monotonic()

        def show(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                say(console, f"{done} of {total} {what}")

        yield show
        return
    with _bars(console, transient=True) as bars:
        bar = bars.add_task(what, total=None, note="")
        yield lambda done, total: bars.update(bar, completed=done, total=total)
