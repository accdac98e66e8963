"""What people see of a survey while it goes on and when it is done; and bars, which searches have too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from nas.cli.console import say
from nas.cli.display_predictors import show_worth

if TYPE_CHECKING:
    from nas.store.survey_table import SurveyOutcome
    from nas.survey.survey import Standing

__all__ = ["PLAIN_EVERY_S", "bars", "duration", "show_survey", "survey_display"]

PLAIN_EVERY_S = 5.0
"""Between lines where there is no terminal."""


@contextmanager
def survey_display(console: Console, notice: str | None = None) -> Iterator[Callable[[Standing], None]]:
    """Give a function that shows how far a survey is: a live bar on a terminal, plain lines on anything else."""
    # Bars end with an empty line where there is no terminal, even if they never began.
    progress = bars(console) if console.is_terminal else None
    show = _PlainSurvey(console) if progress is None else _LiveSurvey(progress)
    notices = [notice] if notice is not None else []

    def watch(standing: Standing) -> None:
        while notices:
            say(console, notices.pop())
        show(standing)

    try:
        yield watch
    finally:
        if progress is not None:
            progress.stop()


class _LiveSurvey:
    """Keeps a bar with the rate and the time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._pace = progress, _Pace()
        self._bar: TaskID | None = None

    def __call__(self, standing: Standing) -> None:
        note = self._pace.describe(standing)
        if self._bar is None:
            self._bar = self._progress.add_task("wirings", completed=standing.done, total=standing.total, note=note)
            self._progress.start()
        self._progress.update(self._bar, completed=standing.done, note=note)


class _Pace:
    """Trainings per minute since the first standing that was seen."""

    def __init__(self) -> None:
        self._first: Standing | None = None
        self._started = 0.0

    def describe(self, standing: Standing) -> str:
        return f"{self.per_second(standing) * 60 * standing.trainings:,.0f} trainings/min"

    def per_second(self, standing: Standing) -> float:
        """Return wirings per second."""
        if self._first is None:
            self._first, self._started = standing, time.monotonic()
        return (standing.done - self._first.done) / max(time.monotonic() - self._started, 1e-9)


class _PlainSurvey:
    """Writes a line at the start, every few seconds, and at the end."""

    def __init__(self, console: Console) -> None:
        self._console, self._pace = console, _Pace()
        self._last = 0.0

    def __call__(self, standing: Standing) -> None:
        is_over = standing.done == standing.total
        if is_over or time.monotonic() - self._last >= PLAIN_EVERY_S:
            self._last = time.monotonic()
            pace = self._pace.per_second(standing)
            left = f", {duration((standing.total - standing.done) / pace)} left" if pace and not is_over else ""
            say(
                self._console,
                f"survey: {standing.done} of {standing.total} wirings, {self._pace.describe(standing)}{left}",
            )


def show_survey(console: Console, outcome: SurveyOutcome) -> None:
    """Print what a survey holds and how to read it."""
    is_over = outcome.wirings >= outcome.wanted
    wirings = f"{outcome.wirings}" if is_over else f"{outcome.wirings} of {outcome.wanted}"
    say(
        console,
        f"{wirings} wirings, {outcome.trainings} trainings "
        f"({outcome.diverged} diverged, {outcome.failed} failed), {duration(outcome.seconds)} of training.",
    )
    if not is_over:
        say(console, "Not over yet: the command that started it goes on.")
    say(console, f'Rows: {outcome.out}/parts/   as a table: nas.load("{outcome.out}").to_frame()')
    if outcome.predictor is not None:
        show_worth(console, {**outcome.predictor, "out": outcome.out})


def bars(console: Console) -> Progress:
    """Return a display of bars, each with a note."""
    return Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(compact=True),
        console=console,
        # A training may take minutes, and the rate needs several.
        speed_estimate_period=3600.0,
    )


def duration(seconds: float) -> str:
    """Return seconds in words."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
