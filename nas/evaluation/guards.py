"""What campaigns and surveys hold while they run: a folder for themselves, torch to one thread, Ctrl-C as a flag.

Imports torch.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TypeVar

import torch
from filelock import FileLock, Timeout

from nas.errors import InputError
from priors.files import remove_leftovers

__all__ = ["alone_in", "one_torch_thread", "result_of", "stop_on_signal"]

T = TypeVar("T")
_LOOK_UP_S = 0.2


@contextlib.contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """Create the folder `out`, and keep every other process from working on it.

    Raises
    ------
    InputError
        If the folder cannot be written, or another process works on it.
    """
    lock = FileLock(out / ".lock", timeout=0)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise InputError(f"out={out}: another process works on it; give another folder") from None
    except OSError as error:
        raise InputError(f"out={out}: {error.strerror}; give a folder that can be written") from None
    try:
        remove_leftovers(out)
        yield
    finally:
        lock.release()


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
    """Turn the first Ctrl-C into a flag that every training looks at, so that nothing ends half-written."""
    stop.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def result_of(future: Future[T], meanwhile: Callable[[], None] = lambda: None) -> T:
    """Return a future's result, looking up now and then while it is waited for, and doing something `meanwhile`.

    A signal that arrives just before a thread starts to wait is noticed only when the wait ends.
    """
    while not wait([future], timeout=_LOOK_UP_S).done:
        meanwhile()
    return future.result()
