"""Callbacks in Optuna's form, told of every trial that a campaign stores."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import optuna
from optuna.trial import FrozenTrial

from nas.evaluation.watcher import Watcher
from nas.store.records import Record, Records
from nas.store.study import StudyFile

__all__ = ["SearchEnded", "TellingWatcher"]


class SearchEnded(Exception):  # noqa: N818
    """Something other than the number of trials ended the search; its text says what, and `further` how it goes on."""

    def __init__(self, text: str, further: str) -> None:
        super().__init__(text)
        self.further = further


class TellingWatcher(Watcher):
    """Hands everything on to another watcher, and trials to callbacks as well."""

    def __init__(
        self, watcher: Watcher, study: StudyFile, callbacks: Sequence[Callable[[optuna.Study, FrozenTrial], None]]
    ) -> None:
        self._watcher, self._study, self._callbacks = watcher, study, callbacks

    def search_started(self, done: int, total: int | None, records: Records) -> None:
        """Hand it on."""
        self._watcher.search_started(done, total, records)

    def time_started(self, left: float) -> None:
        """Hand it on."""
        self._watcher.time_started(left)

    def recorded(self, record: Record) -> None:
        """Hand it on, and call the callbacks with a copy of the trial as it is stored.

        Raises
        ------
        SearchEnded
            If one of them called ``study.stop()``, when all of them were called.
        """
        self._watcher.recorded(record)
        study, asked = self._study.study, list[bool]()
        # Optuna's own refuses to be called outside of `Study.optimize`.
        vars(study)["stop"] = lambda: asked.append(True)
        try:
            for callback in self._callbacks:
                callback(study, copy.deepcopy(study.get_trials(deepcopy=False)[record.number]))
        finally:
            del vars(study)["stop"]
        if asked:
            raise SearchEnded("callbacks: one of them ended", "another run goes on from there")

    def stage_started(self, stage: str, trainings: int) -> None:
        """Hand it on."""
        self._watcher.stage_started(stage, trainings)

    def trained(self) -> None:
        """Hand it on."""
        self._watcher.trained()

    def noticed(self, line: str) -> None:
        """Hand it on."""
        self._watcher.noticed(line)

    def finished(self) -> None:
        """Hand it on."""
        self._watcher.finished()
