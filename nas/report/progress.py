"""What people see on stderr while a command works: bars on a terminal, and a line every few seconds elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from nas.evaluation.watcher import Standing, Watcher
from nas.report.lines import duration, number, say
from nas.report.outcome import is_by_chance, is_steered
from nas.store.records import Record, Records
from nas.training.session import sign_of

__all__ = ["CampaignDisplay", "Display", "counting", "slow_engine_notice", "stages", "survey_display"]

_SECONDS_BETWEEN_LINES = 5.0
_LONGEST_BAR, _BESIDE_BARS = 20, 70
"""Columns of a terminal: of a bar at most, and what is left for words before there is one."""


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
        self._first = 0
        self._total: int | None = 0
        self._started, self._last_line = 0.0, -math.inf

    def say(self, line: str) -> None:
        """Print a line, above the bars."""
        say(self._console, line)

    def begin(self, part: str, done: int, total: int | None, *, note: str = "", line: str = "") -> None:
        """Begin a part of the work: show its bar with a note, or print the line (if any); `total` may be open."""
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

    def seconds_left(self, done: int) -> float | None:
        """Return the time left, or None as long as nothing was done."""
        rate = self.per_minute(done)
        return 60 * (self._total - done) / rate if rate and self._total is not None else None

    def left(self, done: int) -> str | None:
        """Return the time left in words, or None as long as nothing was done."""
        seconds = self.seconds_left(done)
        return None if seconds is None else duration(seconds)

    def end(self) -> None:
        """Leave the last state of the bars on the screen."""
        if self.bars is not None:
            self.bars.stop()


class _Note(ProgressColumn):
    """What a task says of itself, on one line that ends where the terminal does."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["note"], no_wrap=True, overflow="ellipsis")


class _Bar(BarColumn):
    """A bar that takes what words leave of the terminal, whose width may change, and nothing of a narrow one."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def __call__(self, task: Task) -> Any:
        width = min(_LONGEST_BAR, self._console.width - _BESIDE_BARS)
        if width <= 0:
            return Text("")
        self.bar_width = width
        return super().__call__(task)


def _bars(console: Console, *, transient: bool = False) -> Progress:
    # Where room is short, the words on the right give way.
    whole = [Column(no_wrap=True) for _ in range(3)]
    return Progress(
        TextColumn("{task.description}", table_column=whole[0]),
        MofNCompleteColumn(table_column=whole[1]),
        TimeRemainingColumn(compact=True, table_column=whole[2]),
        _Bar(console),
        _Note(),
        console=console,
        transient=transient,
        # A training may take minutes, and the rate needs several.
        speed_estimate_period=3600.0,
    )


class CampaignDisplay(Watcher):
    """Shows how far a campaign is, its best value, and what predictions are worth; `by_size` on the way to a front.

    `words` turns what is noticed into words for who looks on.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Campaign, CampaignDisplay
    >>> from rich.console import Console
    >>> with TemporaryDirectory() as folder:
    ...     campaign = Campaign(f"{folder}/own", evaluate=lambda wiring, params: wiring.n_edges, trials=3)
    ...     outcome = campaign.run(CampaignDisplay(Console(), campaign.options.direction))
    search: 3 trials
    ...
    search: 3 of 3 trials, 0 s left, best ...
    no predictor: 3 wirings are trained, and 20 are needed
    """

    def __init__(
        self,
        console: Console,
        direction: str,
        notice: str | None = None,
        *,
        by_size: bool = False,
        words: Callable[[str], str] = str,
    ) -> None:
        self.display, self._words = Display(console, notice), words
        self._sign, self._by_size = sign_of(direction), by_size
        self._done = self._trained = self._trainings = 0
        self._total: int | None = 0
        self._ends = math.inf
        self._stage = ""
        self._best: Record | None = None
        self._values: dict[bool, list[float]] = {True: [], False: []}
        """Of steered trials, and of those that chance chose."""
        self._rank_correlation: float | None = None

    @classmethod
    def on_stderr(cls, direction: str, *, by_size: bool = False) -> CampaignDisplay:
        """Return a display on stderr, for a campaign that is run from Python."""
        return cls(Console(stderr=True), direction, by_size=by_size)

    def time_started(self, left: float) -> None:
        """Remember when the search ends."""
        self._ends = time.monotonic() + left

    def search_started(self, done: int, total: int | None, records: Records) -> None:
        """Show where the search stands."""
        for record in records:
            self._include(record)
        self._done, self._total = done, total
        of_all = "" if total is None else f" of {total}"
        wanted = duration(self._ends - time.monotonic()) if total is None else f"{total} trials"
        line = f"search: {done}{of_all} trials are done" if done else f"search: {wanted}"
        self.display.begin("search", done, total, note=f"{self._found()}{self._worth()}", line=line)

    def recorded(self, record: Record) -> None:
        """Show how far the search is, and why a trial failed."""
        self._include(record)
        self._done += record.is_counted
        if record.error is not None:
            self.display.say(f"trial {record.number} failed: {record.error}")
        found, worth, rate = self._found(), self._worth(), f"{self.display.per_minute(self._done):.0f}"
        of_all = "" if self._total is None else f" of {self._total}"
        line = f"search: {self._done}{of_all} trials, {self._left()} left, {found}, {rate} per minute{worth}"
        left = f"{self._left()} left, " if math.isfinite(self._ends) else ""
        self.display.update(self._done, note=f"{left}{found}, {rate}/min{worth}", line=line)

    def _left(self) -> str:
        """Return the time that is left, in words: until time or trials are over, whichever is first."""
        by_time = max(self._ends - time.monotonic(), 0.0)
        by_trials = None if self._total is None else self.display.seconds_left(self._done)
        left = by_time if by_trials is None else min(by_time, by_trials)
        return duration(left) if math.isfinite(left) else "?"

    def stage_started(self, stage: str, trainings: int) -> None:
        """Show what follows the search."""
        self._stage, self._trained, self._trainings = stage, 0, trainings
        is_predictor = stage == "predictor"
        line = "learning from all trials" if is_predictor else f"{trainings} trainings with fresh seeds"
        self.display.begin(stage, 0, trainings, line=f"{stage}: {line}")

    def trained(self) -> None:
        """Show how far the stage is."""
        self._trained += 1
        left = f", {self.display.left(self._trained)} left" if self._trained < self._trainings else ""
        line = f"{self._stage}: {self._trained} of {self._trainings} trainings{left}"
        self.display.update(self._trained, line="" if self._stage == "predictor" else line)

    def noticed(self, line: str) -> None:
        """Print it."""
        self.display.say(self._words(line))

    def finished(self) -> None:
        """Leave the last state on the screen."""
        self.display.end()

    def _include(self, record: Record) -> None:
        if record.rank_correlation is not None:
            self._rank_correlation = record.rank_correlation
        if record.value is None:
            return
        # As everywhere, a trial that was stopped early is not the best, and of equal ones the first is.
        best = None if self._best is None else self._best.value
        if record.is_complete and (best is None or self._sign * record.value > self._sign * best):
            self._best = record
        if is_steered(record) or is_by_chance(record):
            self._values[is_steered(record)].append(record.value)

    def _found(self) -> str:
        """Return the best value so far, and whose it is."""
        return "best –" if self._best is None else f"best {number(self._best.value)} (trial {self._best.number})"

    def _worth(self) -> str:
        """Return what predictions are worth, where that is known.

        That is the mean of what they chose beside that of what chance did; on the way to a front, where means say
        nothing, how well they rank wirings that were not learnt from.
        """
        if self._by_size:
            worth = self._rank_correlation
            return "" if worth is None else f", predictions' rank correlation {worth:.2f}"
        if not all(self._values.values()):
            return ""
        steered, chance = (math.fsum(self._values[way]) / len(self._values[way]) for way in (True, False))
        return f", steered {number(steered)} against {number(chance)} by chance"


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
        line = f"survey: {done} of {total} wirings, {f'{left} left, ' if left else ''}{note}"
        display.update(done, note=note, line=line)

    try:
        yield show
    finally:
        display.end()


@contextmanager
def counting(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that takes how many of how many are done, and shows it: a bar, or a line every few seconds."""
    if not console.is_terminal:
        first = last = time.monotonic()

        def show(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _SECONDS_BETWEEN_LINES:
                last = now
                left = f", {duration((now - first) * (total - done) / done)} left" if 0 < done < total else ""
                say(console, f"{done} of {total} {what}{left}")

        yield show
        return
    with _bars(console, transient=True) as bars:
        bar = bars.add_task(what, total=None, note="")
        yield lambda done, total: bars.update(bar, completed=done, total=total)


@contextmanager
def stages(console: Console, what: str = "trainings") -> Iterator[Callable[[str, int, int], None]]:
    """Return a context that shows parts of a work, one after the other: name, number that is done, and all of them."""
    display, current, last = Display(console), "", 0

    def watch(part: str, done: int, total: int) -> None:
        nonlocal current, last
        if part != current:
            current, last = part, done
            have = f"{done} of {total} are trained already" if done else f"{total} {what}"
            display.begin(part, done, total, line=f"{part}: {have}")
            return
        if done == last:
            return  # A round in which nothing was finished has nothing to say.
        last = done
        left = display.left(done)
        note = "" if left is None else f"{left} left"
        display.update(done, note=note, line=f"{part}: {done} of {total}{f', {note}' if note else ''}")

    try:
        yield watch
    finally:
        display.end()
