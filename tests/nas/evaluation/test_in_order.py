"""Work in threads: results come in the order of their numbers, and errors come out."""

import threading
import time
from contextlib import closing

import pytest

from nas.evaluation import threads as module
from nas.evaluation.threads import in_order
from nas.training import Interrupted


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_YIELD_EVERY_S", 0.005)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_their_numbers(threads: int):
    def make(number: int) -> int:
        time.sleep(0.001 * ((number * 7) % 5))
        return -number

    lists = list(in_order(make, range(3, 40), threads, threading.Event()))
    assert [item for known in lists for item in known] == [-number for number in range(3, 40)]


def test_work_is_shared_and_nothing_is_done_twice():
    seen: list[tuple[int, str]] = []
    both = threading.Barrier(2, timeout=10)

    def make(number: int) -> None:
        both.wait()
        seen.append((number, threading.current_thread().name))

    list(in_order(make, range(8), 2, threading.Event()))
    assert sorted(number for number, _ in seen) == list(range(8))
    assert len({name for _, name in seen}) == 2


def test_nothing_is_seen_before_what_precedes_it():
    first = threading.Event()

    def make(number: int) -> int:
        if number == 0:
            assert first.wait(10)
        return number

    empty = 0
    found: list[int] = []
    for known in in_order(make, range(6), 2, threading.Event()):
        found += known
        empty += not known
        if empty == 20 and not first.is_set():
            assert found == []
            first.set()
    assert found == list(range(6))


def test_an_error_comes_out_after_what_is_known_and_stops_the_others():
    stop = threading.Event()

    def make(number: int) -> int:
        if number == 5:
            raise ZeroDivisionError("five")
        if number > 5:
            assert stop.wait(10)
            raise Interrupted("stopped")
        return number

    found: list[int] = []

    def consume() -> None:
        for known in in_order(make, range(100), 3, stop):
            found.extend(known)

    with pytest.raises(ZeroDivisionError, match="five"):
        consume()
    assert found == [0, 1, 2, 3, 4]
    assert stop.is_set()


def test_a_consumer_that_leaves_stops_the_threads():
    stop = threading.Event()

    def make(number: int) -> int:
        if stop.is_set():
            raise Interrupted("stopped")
        return number

    with closing(in_order(make, range(10**9), 2, stop)) as arriving:
        assert next(arriving)[:3] == [0, 1, 2]
    assert stop.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wirenas")]


def test_the_stop_flag_is_left_alone_where_all_goes_well():
    stop = threading.Event()
    assert [x for known in in_order(str, range(3), 2, stop) for x in known] == ["0", "1", "2"]
    assert not stop.is_set()
