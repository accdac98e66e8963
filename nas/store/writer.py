"""Writer: stores finished trials a few at a time, since each commit has a price. Imports optuna.

What was added is stored within about a quarter of a second, and in any case before the block ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from nas.store.records import Record
from nas.store.study import StudyFile, trial_of

__all__ = ["Writer"]

_EVERY_S = 0.25
_MOST = 64


class Writer:
    """Gathers the finished trials of one study, in the order of their numbers.

    Parameters
    ----------
    study : StudyFile
    stored : callable
        Told of every record once it is stored.
    """

    def __init__(self, study: StudyFile, stored: Callable[[Record], None]) -> None:
        self._study, self._stored = study, stored
        self._waiting: list[tuple[Record, FrozenTrial]] = []
        self._last = float("-inf")
        self.seconds = 0.0
        """Spent on storing."""

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()

    def add(self, record: Record, distributions: Mapping[str, BaseDistribution]) -> None:
        """Take a finished trial, and store those that wait if there are many or the last ones were stored long ago."""
        self._waiting.append((record, trial_of(record, distributions, by_size=self._study.by_size)))
        if len(self._waiting) >= _MOST:
            self.flush()
        else:
            self.flush_if_due()

    def flush_if_due(self) -> None:
        """Store what waits if nothing was stored for a quarter of a second."""
        if time.monotonic() - self._last >= _EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Store what waits, in one transaction."""
        # Given away first: a second Ctrl-C may come after the commit, and nothing may be stored twice.
        waiting, self._waiting = self._waiting, []
        if waiting:
            started = time.monotonic()
            self._study.append(waiting)
            self._last = time.monotonic()
            self.seconds += self._last - started
            for record, _ in waiting:
                self._stored(record)
