"""How campaigns and surveys work in threads: torch on one each, Ctrl-C as a flag, results in order."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import TypeVar

import torch

from nas.training import Interrupted

__all__ = ["in_order", "one_torch_thread", "result_of", "stop_on_signal"]

T = TypeVar("T")
_LOOK_UP_S = 0.2


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Give every training one thread: at these sizes several are slower, and sums would depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def stop_on_signal(stop: threading.Event) -> Iterator[None]:
    """Turn the first Ctrl-C into a flag that every training looks at, so that nothing ends half-written.

    So do SIGTERM and SIGHUP, by which batch systems and closed terminals end a process, unless the program around this
    ignores them, as nohup lets it, or has a way of its own.
    """
    stop.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    others = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [signal.SIGINT, *(number for number in others if signal.getsignal(number) is signal.SIG_DFL)]
    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def result_of(future: Future[T], meanwhile: Callable[[], None] = lambda: None) -> T:
    """Return a future's result, looking up now and then while it is waited for, and doing something `meanwhile`.

    A signal that arrives just before a thread starts to wait is noticed only when the wait ends.
    """
    while not wait([future], timeout=_LOOK_UP_S).done:
        meanwhile()
    return future.result()


_YIELD_EVERY_S = 0.1


def in_order(
    make: Callable[[int], T], numbers: range, threads: int, stop: threading.Event
) -> Generator[list[T], None, None]:
    """Yield what `make` returns for every number, in the order of the numbers, several times a second.

    A list holds what has become known since the last one, and may be empty. Threads take one number after another by
    themselves, so that they never wait for the consumer.

    When `make` raises or the consumer leaves, `stop` is set, so that the other threads end too.

    Raises
    ------
    Exception
        What `make` raised; before that, everything that can still be yielded is yielded.
    """
    done: SimpleQueue[tuple[int, T]] = SimpleQueue()
    with ThreadPoolExecutor(threads, thread_name_prefix="wirenas") as executor:
        left, lock = iter(numbers), threading.Lock()

        def next_number() -> int | None:
            with lock:
                return next(left, None)

        def work() -> None:
            try:
                while (number := next_number()) is not None:
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
    # What a thread died of, rather than that the others were stopped for it.
    errors = [error for error in (future.exception() for future in futures) if error is not None]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, Interrupted))


def _sorted(
    done: SimpleQueue[tuple[int, T]], futures: list[Future[None]], expected: Iterator[int]
) -> Iterator[list[T]]:
    early: dict[int, T] = {}
    number = next(expected, None)
    running = True
    while running:
        running = bool(wait(futures, timeout=_YIELD_EVERY_S).not_done)
        while not done.empty():
            early.update([done.get()])
        known = []
        while number in early:
            known.append(early.pop(number))
            number = next(expected, None)
        yield known
