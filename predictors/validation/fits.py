"""Many fits, one after the other or in several processes at a time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["HERE", "Fit", "Fits", "Job", "Predict", "side_by_side"]

Predict = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From (n, k) features, NaN where undefined, to (n,) predictions."""

Fit = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], int], Predict]
"""From features (n, k), labels (n,), groups (n,) and a seed to a fitted `Predict`."""


class Job(NamedTuple):
    """What one fit learns from, and the (m, k) rows that it is then to predict."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    groups: NDArray[np.int64]
    seed: int
    rows: NDArray[np.float64]


@dataclass(frozen=True)
class Fits:
    """Runs fits; results are the same however many processes there are, and come in the order of the jobs.

    Parameters
    ----------
    done : callable
        Called after each fit.
    executor : Executor, optional
        Runs them; without one they run one after the other in this process. See `side_by_side`.
    """

    done: Callable[[], None] = lambda: None
    executor: Executor | None = None

    def predictions(self, fit: Fit, jobs: Iterable[Job]) -> Iterator[NDArray[np.float64]]:
        """Yield the (m,) predictions of every job."""
        return self.map(_predict, ((fit, job) for job in jobs))

    def map(self, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield what a function returns for each tuple of arguments; other processes get both pickled."""
        each = map if self.executor is None else self.executor.map
        for result in each(partial(_apply, function), arguments):
            self.done()
            yield result


HERE = Fits()
"""One fit after the other, in this process."""


@contextmanager
def side_by_side(processes: int, done: Callable[[], None]) -> Iterator[Fits]:
    """Return a context with fits that run in so many processes, or in this one for 1."""
    if processes == 1:
        yield Fits(done)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_end_with_parent) as executor:
        # Whatever else Ctrl-C does here, processes are ended in order first.
        in_main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGINT, signal.default_int_handler) if in_main else None
        try:
            yield Fits(done, executor)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            if in_main:
                signal.signal(signal.SIGINT, before)


def _end_with_parent() -> None:
    """Let this process end when the one that began it ends, however that comes about, and not by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _apply(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return function(*arguments)


def _predict(fit: Fit, job: Job) -> NDArray[np.float64]:
    return fit(job.X, job.y, job.groups, job.seed)(job.rows)
