"""From proposals to records, in threads and yet in the order of their numbers. Imports the search only."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from itertools import count

from nas.search.evaluation import Evaluation, attempt
from nas.search.guards import result_of
from nas.search.proposer import Candidate, Proposer
from nas.search.records import Record, Records
from nas.search.writer import Writer
from nas.training import StopFlag

__all__ = ["evaluated"]


def evaluated(
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
) -> Iterator[tuple[Candidate, Record]]:
    """Yield candidates and their records, until so many new ones are complete.

    A sampler that learns is asked for a batch when all of the last one is known, stored, and told by the caller; one
    that does not is asked whenever there is room, so that no thread has to wait.

    Parameters
    ----------
    first : int
        Number of the first candidate.
    ahead : int
        The size of a batch, and the most candidates that are in work.
    begun : Records
        Of the first batch; they are yielded and not evaluated again.
    wanted : int
        Never more candidates are being evaluated than are wanted still.
    """
    numbers = count(first)
    known = {record.number: record for record in begun}
    queue: deque[Candidate] = deque()
    running: deque[tuple[Candidate, Future[Record]]] = deque()

    def start() -> None:
        while queue and len(running) < wanted:
            candidate = queue.popleft()
            if candidate.number in known:
                running.append((candidate, _done(known[candidate.number])))
            else:
                running.append((candidate, executor.submit(attempt, candidate, evaluation, stop)))

    while wanted > 0:
        is_batch_over = not (queue or running)
        if proposer.learns and is_batch_over:
            writer.flush()
        if is_batch_over or not proposer.learns:
            while len(queue) + len(running) < ahead:
                queue.append(proposer.propose(next(numbers)))
                start()  # A thread is busy with it while the next one is drawn.
        start()
        candidate, future = running.popleft()
        record = result_of(future, meanwhile=writer.flush_if_due)  # Stores what came before it.
        if candidate.number not in known:
            wanted -= record.is_complete
        yield candidate, record


def _done(record: Record) -> Future[Record]:
    future: Future[Record] = Future()
    future.set_result(record)
    return future
