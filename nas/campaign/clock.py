"""Clock: how much of the time that a search may take is left, over all of its runs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from nas.store.records import Record
from nas.store.study import StudyFile

__all__ = ["Clock"]

_SEARCHED = "searched"


class Clock:
    """Goes on where the clock of the last run stopped.

    A run that was killed could not say how long it was; what its trials took, side by side, stands in for that.

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
        said = float((study.get(_SEARCHED) or {}).get("seconds", 0.0))
        self._before = max(said, math.fsum(record.seconds for record in records) / threads)
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """What all runs have taken."""
        return self._before + time.monotonic() - self._started

    @property
    def left(self) -> float:
        """Seconds that are left; infinite where time does not count."""
        return math.inf if self.limit is None else max(self.limit - self.seconds, 0.0)

    def keep(self) -> None:
        """Store what all runs have taken, where it counts."""
        if self.limit is not None:
            self._study.put(_SEARCHED, {"seconds": self.seconds})
