"""Work in threads, results in order: whatever a thread finishes first, nothing is seen before what precedes it.

Imports the standard library, and the exception by which a training says that it was stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import TypeVar

from nas.training import Interrupted

__all__ = ["in_order"]

T = TypeVar("T")
_LOOK_UP_S = 0.1


def in_order(
    make: Callable[[int], T], numbers: range, threads: int, stop: threading.Event
) -> Generator[list[T], None, None]:
    """Yield what `make` returns for every number, in the order of the numbers, several times a second.

    A list holds what has become known since the last one, and may be empty. Threads take one number after another by
    themselves, so that they never wait for the consumer.

    Parameters
    ----------
    make : callable
        Called in several threads.
    numbers : range
    threads : int
    stop : threading.Event
        Set when `make` raises or the consumer leaves, so that the other threads end too.

    Raises
    ------
    Exception
        What `make` raised; before that, everything that can still be yielded is yielded.
    """
    done: SimpleQueue[tuple[int, T]] = SimpleQueue()
    with ThreadPoolExecutor(threads, thread_name_prefix="wirenas") as executor:
        left, lock = iter(numbers), threading.Lock()

        def work() -> None:
            try:
                while (number := _next(left, lock)) is not None:
                    done.put((number, make(number)))
            except BaseException:
                stop.set()
                raise

        futures = [executor.submit(work) for _ in range(threads)]
        try:
            yield from _sorted(done, futures, iter(numbers))
        except BaseException:
            stop.set()
            raise
    _raise_first(futures)


def _next(left: Iterator[int], lock: threading.Lock) -> int | None:
    with lock:
        return next(left, None)


def _sorted(
    done: SimpleQueue[tuple[int, T]], futures: list[Future[None]], expected: Iterator[int]
) -> Iterator[list[T]]:
    early: dict[int, T] = {}
    number = next(expected, None)
    running = True
    while running:
        running = bool(wait(futures, timeout=_LOOK_UP_S).not_done)
        while not done.empty():
            early.update([done.get()])
        known = []
        while number in early:
            known.append(early.pop(number))
            number = next(expected, None)
        yield known


def _raise_first(futures: list[Future[None]]) -> None:
    """Raise what a thread died of, rather than that the others were stopped for it."""
    errors = [error for error in (future.exception() for future in futures) if error is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, Interrupted)):
        raise error
