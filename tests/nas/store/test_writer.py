"""Writer: stored in order, soon, told once stored, and nothing is lost or stored twice."""

from pathlib import Path
from typing import Any

import pytest

from nas.store import study as writer
from nas.store.records import Record
from nas.store.study import StudyFile, Writer, load


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(writer, "time", clock)
    return clock


def record(number: int) -> Record:
    return Record(number, "complete", number / 7, {})


def stored(out: Path) -> list[int]:
    return [row.number for row in load(out)]


def test_slow_trials_are_stored_at_once(tmp_path: Path, clock: Clock):
    heard: list[Record] = []
    with Writer(StudyFile(tmp_path, "maximize"), heard.append) as file:
        for number in range(3):
            file.add(record(number), {})
            assert stored(tmp_path) == list(range(number + 1))
            assert heard == [record(known) for known in range(number + 1)]
            clock.now += 0.3


def test_fast_trials_are_stored_together(tmp_path: Path, clock: Clock):
    heard: list[Record] = []
    with Writer(StudyFile(tmp_path, "maximize"), heard.append) as file:
        file.add(record(0), {})
        for number in (1, 2, 3):
            clock.now += 0.05
            file.add(record(number), {})
        assert stored(tmp_path) == [0]
        assert heard == [record(0)]
        file.flush_if_due()
        assert stored(tmp_path) == [0]
        clock.now += 0.11
        file.flush_if_due()
        assert stored(tmp_path) == [0, 1, 2, 3]
        assert [row.number for row in heard] == [0, 1, 2, 3]
        file.flush()
        assert stored(tmp_path) == [0, 1, 2, 3]


def test_not_too_many_wait(tmp_path: Path, clock: Clock):
    with Writer(StudyFile(tmp_path, "maximize"), lambda _: None) as file:
        for number in range(1 + 63):
            file.add(record(number), {})
        assert stored(tmp_path) == [0]
        file.add(record(64), {})
        assert stored(tmp_path) == list(range(65))


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_waits_is_stored_when_the_block_ends(tmp_path: Path, clock: Clock, error: type[BaseException]):
    heard: list[Record] = []

    def end_early() -> None:
        with Writer(StudyFile(tmp_path, "maximize"), heard.append) as file:
            for number in range(3):
                file.add(record(number), {})
            assert stored(tmp_path) == [0]
            raise error

    with pytest.raises(error):
        end_early()
    assert stored(tmp_path) == [0, 1, 2]
    assert len(heard) == 3


def test_an_interrupt_after_the_commit_stores_nothing_twice(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    study = StudyFile(tmp_path, "maximize")
    append = study.append

    def interrupted(*args: Any) -> None:
        append(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "append", interrupted)
    with pytest.raises(KeyboardInterrupt), Writer(study, lambda _: None) as file:
        file.add(record(0), {})
    assert stored(tmp_path) == [0]
