"""Clock: how much of the time that a search may take is left, over all of its runs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from nas.store.records import Record
from nas.store.study import StudyFile

__all__ = ["Clock"]

_SEARCHED = "searched"
_EVERY_S = 30.0


class Clock:
    """Goes on where the clock of the last run stopped.

    Of a run that was killed half a minute at most is forgotten, and no trial: what all trials took, side by side, is
    the least that all runs have taken.

    Parameters
    ----------
    study : StudyFile
    limit : float, optional
        Seconds that all runs may take together; without, time does not count.
    records : iterable of Record
        The trials that are stored.
    threads : int
        Trials at a time.
    """

    def __init__(self, study: StudyFile, limit: float | None, records: Iterable[Record], threads: int) -> None:
        self._study, self.limit = study, limit
        self._before = 0.0
        if limit is not None:
            said = float((study.get(_SEARCHED) or {}).get("seconds", 0.0))
            self._before = max(said, math.fsum(record.seconds for record in records) / threads)
        self._started = self._kept = time.monotonic()

    @property
    def seconds(self) -> float:
        """What all runs have taken."""
        return self._before + time.monotonic() - self._started

    @property
    def left(self) -> float:
        """Seconds that are left; infinite where time does not count."""
        return math.inf if self.limit is None else max(self.limit - self.seconds, 0.0)

    def keep(self, *, at_once: bool = True) -> None:
        """Store what all runs have taken, where it counts; or only if that was not done for half a minute."""
        now = time.monotonic()
        if self.limit is not None and (at_once or now - self._kept >= _EVERY_S):
            self._study.put(_SEARCHED, {"seconds": self.seconds})
            self._kept = now
