"""What people see while a command works and when it is done: progress on stderr, a summary on stdout."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from nas.cli.console import say
from nas.cli.display_predictors import show_steering, show_worth
from nas.evaluation.watcher import Watcher
from nas.report.card import comparison, number, spread
from nas.report.outcome import Outcome, best_record, is_by_chance, is_steered
from nas.store.records import Record, Records
from nas.training.session import sign_of

if TYPE_CHECKING:
    from nas.store.survey_table import SurveyOutcome
    from nas.survey import Standing

__all__ = [
    "PLAIN_EVERY_S",
    "LiveWatcher",
    "PlainWatcher",
    "bars",
    "duration",
    "show_best",
    "show_front",
    "show_outcome",
    "show_survey",
    "show_written",
    "slow_engine_notice",
    "survey_display",
    "watcher_for",
]

_BEGINNING = {"predictor": "predictor: learning from all trials"}
"""What is said of stages that train no networks."""


def slow_engine_notice(engine: str | None) -> str | None:
    """Return what is to be said, once a command, where no engine was asked for and the fast one is missing."""
    from nas.training.extension import MISSING, has_native

    if engine not in (None, "auto") or has_native():
        return None
    return f"The compiled engine is missing ({MISSING}): using torch, which is slower."


def watcher_for(console: Console, direction: str, notice: str | None = None, *, by_size: bool = False) -> Watcher:
    """Return a live display for a terminal, plain lines for anything else; it gives notice when the search starts."""
    kind = LiveWatcher if console.is_terminal else PlainWatcher
    return kind(console, direction, notice, by_size=by_size)


class _Tally:
    """Counts what was recorded: trials done, best so far, trials per minute, time left."""

    def __init__(self, direction: str, by_size: bool) -> None:
        self.direction, self.by_size = direction, by_size
        self.sign = sign_of(direction)
        self.done = self.total = self.new = 0
        self.best: float | None = None
        self.values: dict[bool, list[float]] = {True: [], False: []}
        """Of steered trials, and of those that chance chose."""
        self.rank_correlation: float | None = None
        self.started = time.monotonic()

    def start(self, done: int, total: int, records: Records) -> None:
        self.done, self.total = done, total
        best = best_record(records, self.direction)
        self.best = None if best is None else best.value
        for record in records:
            self._compare(record)
        self.started = time.monotonic()

    def add(self, record: Record) -> None:
        if record.is_counted:
            self.done, self.new = self.done + 1, self.new + 1
        if record.value is not None and (self.best is None or self.sign * record.value > self.sign * self.best):
            self.best = record.value
        self._compare(record)

    def _compare(self, record: Record) -> None:
        if record.rank_correlation is not None:
            self.rank_correlation = record.rank_correlation
        if record.value is not None and (is_steered(record) or is_by_chance(record)):
            self.values[is_steered(record)].append(record.value)

    @property
    def worth(self) -> str:
        """What the predictor is worth so far: the mean of what it chose beside that of what chance did.

        On the way to a front, where means say nothing, how well it ranks wirings that it has not learnt from.
        """
        if self.by_size:
            tau = self.rank_correlation
            return "" if tau is None else f", predictions' rank correlation {tau:.2f}"
        if not all(self.values.values()):
            return ""
        steered, chance = (math.fsum(self.values[way]) / len(self.values[way]) for way in (True, False))
        return f", steered {number(steered)} against {number(chance)} by chance"

    @property
    def per_minute(self) -> float:
        return 60 * self.new / max(time.monotonic() - self.started, 1e-9)

    @property
    def left(self) -> str:
        if not self.new:
            return "?"
        seconds = (self.total - self.done) * (time.monotonic() - self.started) / self.new
        return duration(seconds)


class PlainWatcher(Watcher):
    """Writes a line every few seconds."""

    def __init__(self, console: Console, direction: str, notice: str | None = None, *, by_size: bool = False) -> None:
        self._notice = notice
        self._console, self._tally = console, _Tally(direction, by_size)
        self._last = 0.0
        self._stage = ""
        self._trained = self._trainings = 0

    def search_started(self, done: int, total: int, records: Records) -> None:
        """Say where the search stands."""
        if self._notice is not None:
            self._say(self._notice)
        self._tally.start(done, total, records)
        self._say(f"search: {done} of {total} trials are done")

    def recorded(self, record: Record) -> None:
        """Say how far the search is, now and then; a failed trial always."""
        tally = self._tally
        tally.add(record)
        if record.error is not None:
            self._say(f"trial {record.number} failed: {record.error}")
        if tally.done == tally.total or time.monotonic() - self._last >= PLAIN_EVERY_S:
            self._last = time.monotonic()
            self._say(
                f"search: {tally.done} of {tally.total} trials, best {number(tally.best)}{tally.worth}, "
                f"{tally.per_minute:.0f} per minute, {tally.left} left"
            )

    def stage_started(self, stage: str, trainings: int) -> None:
        """Say what follows."""
        self._stage, self._trained, self._trainings = stage, 0, trainings
        self._say(_BEGINNING.get(stage, f"{stage}: {trainings} trainings with fresh seeds"))

    def trained(self) -> None:
        """Say how far the finals are, now and then."""
        self._trained += 1
        if self._stage in _BEGINNING:
            return
        if self._trained == self._trainings or time.monotonic() - self._last >= PLAIN_EVERY_S:
            self._last = time.monotonic()
            self._say(f"{self._stage}: {self._trained} of {self._trainings} trainings")

    def noticed(self, line: str) -> None:
        """Say it."""
        self._say(line)

    def _say(self, line: str) -> None:
        say(self._console, line)


class LiveWatcher(Watcher):
    """Keeps a bar with the best so far, the rate and the time left."""

    def __init__(self, console: Console, direction: str, notice: str | None = None, *, by_size: bool = False) -> None:
        self._notice = notice
        self._tally = _Tally(direction, by_size)
        self.progress = bars(console)
        self._search = self.progress.add_task("search", total=None, note="")
        self._stage = self._search

    def search_started(self, done: int, total: int, records: Records) -> None:
        """Show where the search stands."""
        if self._notice is not None:
            say(self.progress.console, self._notice)
        self._tally.start(done, total, records)
        self.progress.start()
        self.progress.update(self._search, total=total, completed=done, note=self._note())

    def recorded(self, record: Record) -> None:
        """Move the bar; write a line about a failed trial."""
        self._tally.add(record)
        if record.error is not None:
            say(self.progress.console, f"trial {record.number} failed: {record.error}")
        self.progress.update(self._search, completed=self._tally.done, note=self._note())

    def stage_started(self, stage: str, trainings: int) -> None:
        """Show another bar."""
        self._stage = self.progress.add_task(stage, total=trainings, note="")

    def trained(self) -> None:
        """Move the bar of the stage."""
        self.progress.advance(self._stage)

    def noticed(self, line: str) -> None:
        """Write it above the bars."""
        say(self.progress.console, line)

    def finished(self) -> None:
        """Leave the last state on the screen."""
        self.progress.stop()

    def _note(self) -> str:
        return f"best {number(self._tally.best)}{self._tally.worth}, {self._tally.per_minute:.0f}/min"


def show_outcome(console: Console, outcome: Outcome) -> None:
    """Print what a campaign found and where it lies."""
    if outcome.best is None:
        say(console, f"{outcome.out}: no trial is complete yet ({_incomplete(outcome)})")
        return
    best = outcome.best
    params = ", ".join(f"{name} {_short(value)}" for name, value in best["params"].items() if "seed" not in name)
    say(
        console,
        f"{outcome.complete} trials complete, {_incomplete(outcome)}. "
        f"Best: trial {best['trial']}, {outcome.metric} {number(best['value'])} on validation ({params}).",
    )
    rows = comparison(outcome)
    if rows:
        table = Table("network", f"test {outcome.metric}", "parameters", "learning rate")
        for row in rows:
            table.add_row(*row)
        table.add_section()
        for name, plateau in (outcome.plateaus or {}).items():
            table.add_row(f"plateau of a rule: {name}", number(plateau), "–", "–")
        console.print(table)
        say(console, outcome.verdict)
        say(
            console,
            f"Test: mean ± standard deviation over {outcome.test['seeds'] if outcome.test else 0} fresh seeds.",
        )
    show_front(console, outcome.to_json())
    show_steering(console, outcome)
    if outcome.predictor is not None:
        show_worth(console, {**outcome.predictor, "out": outcome.out})
    if outcome.over:
        say(console, f"Best network and card: {outcome.out}/best/   plot: {outcome.out}/progress.png")
    else:
        say(console, f"Not over yet: the command that started it goes on; all trials: {outcome.out}/trials.csv")


def _incomplete(outcome: Outcome) -> str:
    stopped = f"{outcome.stopped} stopped early, " if outcome.stopped else ""
    return f"{stopped}{outcome.failed} failed"


def show_best(console: Console, found: Mapping[str, Any]) -> None:
    """Print the best candidate, its files, and the front that it is of."""
    best = found["best"]
    say(console, f"trial {best['trial']}, {number(best['value'])} on validation")
    for name, value in best["params"].items():
        say(console, f"  {name}: {_short(value)}")
    if best.get("chosen"):
        say(console, f"chosen: {best['chosen']}")
    if best.get("prediction") is not None:
        expected = {"mean": best["prediction"], "std": best["prediction_std"]}
        say(console, f"predicted before training: {spread(expected)}")
    if found["test"] is not None:
        say(console, f"test: {spread(found['test'])} over {found['test']['seeds']} seeds")
        say(console, found["verdict"])
    for file in found["files"]:
        say(console, file)
    show_front(console, found)


def show_written(console: Console, written: Mapping[str, Any]) -> None:
    """Print what a network that was written consists of, and how to load it."""
    kind = written.get("cell") or written.get("activation")
    say(
        console,
        f"{written['out']}: {written['nodes']} {kind} neurons, {written['edges']} edges, "
        f"{written['n_parameters']} parameters, {written['fingerprint'][:12]}",
    )
    say(console, f'load: nas.networks.load_network("{written["out"]}/network.safetensors")')


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def show_front(console: Console, found: Mapping[str, Any]) -> None:
    """Print the members of a front by size, each with the dense network of equal parameters where there is one.

    Parameters
    ----------
    console : Console
    found : mapping
        What a campaign found, as JSON types; nothing is printed where there is no front.
    """
    if not found.get("front"):
        return
    front, rivals = found["front"], found["front_references"]
    say(console, f"The front: {len(front)} wirings that no other one is as good as with no more parameters.")
    table = Table("parameters", "trial", "search", "validation", "test", "dense: test")
    dense = {row["trial"]: row for row in rivals}
    for entry in front:
        table.add_row(
            str(entry["n_parameters"]),
            str(entry["trial"]),
            number(entry["value"]),
            _format_summary(entry["validation"]),
            _format_summary(entry["test"]),
            _format_summary(dense[entry["trial"]]["test"]) if entry["trial"] in dense else "",
        )
    for linear in (row for row in rivals if row["trial"] is None):
        told = [_format_summary(linear[part]) for part in ("validation", "test")]
        table.add_row(str(linear["n_parameters"]), "linear", "", *told)
    console.print(table)
    if rivals:
        say(console, "Validation and test: with fresh seeds; dense: of as many parameters as comes nearest.")
    if found["over"]:
        say(console, "Front: {out}/front.csv   plot: {out}/front.png   wirings: {out}/front/".format(**found))


def _format_summary(summary: Mapping[str, Any] | None) -> str:
    return "" if summary is None else spread(summary)


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
