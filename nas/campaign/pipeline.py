"""From proposals to records, in threads and yet in the order of their numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from itertools import count

from nas.evaluation.threads import result_of
from nas.evaluation.trainer import Evaluation, attempt
from nas.samplers.proposer import Candidate, Proposer
from nas.store.records import Record, Records
from nas.store.study import Writer
from nas.training import StopFlag

__all__ = ["evaluate_candidates"]


def evaluate_candidates(
    proposer: Proposer,
    evaluation: Evaluation,
    executor: Executor,
    writer: Writer,
    stop: StopFlag,
    *,
    first: int,
    ahead: int,
    begun: Records,
    wanted: int,
    in_batches: bool = False,
) -> Iterator[tuple[Candidate | None, Record]]:
    """Yield candidates and their records, until so many new ones count.

    The next candidate is asked for when a record was told by the caller, so that no thread has to wait; what a sampler
    knows when it is asked for trial t are the trials up to t - `ahead`, whichever thread was faster.

    Parameters
    ----------
    first : int
        Number of the first candidate.
    ahead : int
        The most candidates that are in work.
    begun : Records
        Of the trials before the first one that count as running for the proposer; they are yielded without candidates.
    wanted : int
        Never more candidates are being evaluated than are wanted still.
    in_batches : bool
        Whether candidates are asked for `ahead` at a time, when all of the last ones are known and stored.
    """
    numbers = count(first)
    queue: deque[Candidate] = deque()
    running: deque[tuple[Candidate | None, Future[Record]]] = deque((None, _done(record)) for record in begun)

    is_due = True
    while wanted > 0:
        # A thread is busy with one candidate while the next one is drawn.
        while True:
            while queue and sum(candidate is not None for candidate, _ in running) < wanted:
                running.append((queue[0], executor.submit(attempt, queue.popleft(), evaluation, stop)))
            if not is_due or len(queue) + len(running) >= ahead:
                break
            queue.append(proposer.propose(next(numbers)))
        candidate, future = running.popleft()
        record = result_of(future, meanwhile=writer.flush_if_due)  # Stores what came before it.
        if candidate is not None:
            wanted -= record.is_counted
        yield candidate, record
        is_due = not in_batches or not (queue or running)
        if in_batches and is_due:
            writer.flush()


def _done(record: Record) -> Future[Record]:
    future: Future[Record] = Future()
    future.set_result(record)
    return future
