"""How campaigns and surveys report their progress."""

from __future__ import annotations

from dataclasses import dataclass

from nas.store.records import Record, Records

__all__ = ["Standing", "Watcher"]


class Watcher:
    """Follows the progress of a campaign. This one does nothing; override what is of interest."""

    def search_started(self, done: int, total: int | None, records: Records) -> None:
        """Hear that `done` of `total` trials are complete already, or of as many as there is time for."""

    def time_started(self, left: float) -> None:
        """Hear, before that, that the search ends after so many seconds."""

    def recorded(self, record: Record) -> None:
        """Hear of a trial that was stored."""

    def stage_started(self, stage: str, trainings: int) -> None:
        """Hear that "finalists", "references" or "predictor" begin, after the search, with so many trainings."""

    def trained(self) -> None:
        """Hear of a training of this stage that is done."""

    def noticed(self, line: str) -> None:
        """Hear what somebody who looks on should know now: that a database is away, say; from any thread."""

    def finished(self) -> None:
        """Hear that nothing more will happen, for whatever reason."""


@dataclass(frozen=True)
class Standing:
    """How far a survey is: wirings done, stored or not, out of all, and the trainings of each."""

    done: int
    total: int
    trainings: int
