"""Search: from the first trial that is missing to the last one, and the best of them.

What is proposed as trial t follows from the trials up to t less a batch, so that a search that was interrupted goes on
as if it had not been.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from nas.campaign.callbacks import SearchEnded
from nas.campaign.clock import Clock
from nas.errors import CampaignError, InputError
from nas.evaluation.early_stopping import Stopping
from nas.evaluation.threads import result_of
from nas.evaluation.trainer import FAILURES_IN_A_ROW, Evaluation, Times, attempt
from nas.evaluation.watcher import Watcher
from nas.options.options import CampaignOptions
from nas.prediction.answers import load_predictor
from nas.report.front import evenly_by_size, front_records
from nas.samplers.proposer import Candidate, Proposer
from nas.shared.search import refuse_copy
from nas.store.reading import reading
from nas.store.records import Record, Records
from nas.store.study import StudyFile, Writer, storing_of
from nas.training import StopFlag
from nas.training.session import sign_of
from predictors import Predictor
from predictors.storage import FILE

__all__ = ["Search", "evaluate_candidates", "finalists", "inform", "keep_warm_start", "steering_of"]


def inform(proposer: Proposer, known: Sequence[FrozenTrial], settled: int | None = None) -> Proposer:
    """Tell a proposer of earlier trials, of which those from `settled` on count as running, and return it."""
    end = len(known) if settled is None else settled
    for trial in known[:end]:
        proposer.remember(trial)
    for trial in known[end:]:
        proposer.reopen(trial)
    return proposer


@dataclass(frozen=True)
class Search:
    """The search of one campaign.

    `proposer` makes a proposer that knows no trial: what it is to know follows from those that are stored. `stopping`
    ends trials early. Where `each` is given the watcher is told of each trial before the next one is stored.
    """

    study: StudyFile
    options: CampaignOptions
    proposer: Callable[[], Proposer]
    evaluation: Evaluation
    stopping: Stopping | None
    watcher: Watcher
    stop: StopFlag
    each: bool = False

    def run(self, executor: ThreadPoolExecutor, threads: int) -> None:
        """Add trials until as many count as the options want.

        Raises
        ------
        CampaignError
            If many fail one after another.
        SearchEnded
            When the time is over, and one trial counts at least; others that run have to be stopped.
        """
        known, records = self.study.trials(), self.study.records()
        counted, wanted = len(records.counted), self.options.trials
        clock = Clock(self.study, self.options.seconds, records, threads)
        if clock.limit is not None:
            self.watcher.time_started(clock.left)
        self.watcher.search_started(counted, wanted, records)
        if (wanted is not None and counted >= wanted) or (counted and not clock.left):
            return

        def look() -> None:
            if counted and not clock.left:
                ends = f"timeout={self.options.timeout}: the time is over, which ends"
                raise SearchEnded(ends, "a longer one goes on from there")

        refuse_copy(self.study)
        batch, in_batches = self.options.batch, self.stopping is not None
        # What was known when the first of the trials that are missing was asked for; the others ran beside it.
        settled = len(known) - len(known) % batch if in_batches else max(0, len(known) - batch + 1)
        proposer = self.proposer()
        with reading(self.study.path):
            inform(proposer, known, settled)
            if self.stopping is not None:
                self.stopping.tell(*records[:settled])
        # A sampler that learns nothing may be asked as far ahead as keeps all threads busy.
        ahead = batch if proposer.learns or in_batches else max(batch, 4 * threads)
        before, writer = storing_of(self.study), Writer(self.study, self.watcher.recorded, each=self.each)
        times: dict[int, Times] = {}
        failures = 0
        try:
            with writer:
                for candidate, record in evaluate_candidates(
                    proposer,
                    self.evaluation,
                    executor,
                    writer,
                    self.stop,
                    first=len(known),
                    ahead=ahead,
                    begun=records[settled:],
                    wanted=math.inf if wanted is None else wanted - counted,
                    in_batches=in_batches,
                    times=times,
                    look=look,
                ):
                    if candidate is not None:
                        name = self.options.space.graph_name(record.params)
                        own_times = times.pop(record.number, None)
                        writer.add(replace(record, graph_name=name), candidate.distributions, own_times)
                        # What failed in an earlier run may work now.
                        failures = 0 if record.is_counted else failures + 1
                        if failures == FAILURES_IN_A_ROW:
                            raise CampaignError(self._told_failures(record))
                    proposer.tell(record)
                    if self.stopping is not None:
                        self.stopping.tell(record)
                    counted += candidate is not None and record.is_counted
                    look()
                    clock.keep(at_once=False)
        finally:
            clock.keep()
            self.study.put("storing", {"seconds": before + writer.seconds})

    def _told_failures(self, last: Record) -> str:
        wanted = self.options.trials
        is_less = wanted is not None and wanted < FAILURES_IN_A_ROW
        count = f" (what fails does not count as one of trials={wanted})" if is_less else ""
        return f"{FAILURES_IN_A_ROW} trials failed one after another{count}; the last one with: {last.error}"


def finalists(records: Records, options: CampaignOptions, proposer: Callable[[], Proposer]) -> list[Record]:
    """Return the best of different wirings, by what the sampler thinks of them: one lucky seed must not decide.

    Where size is a second objective, return wirings of the front instead. `proposer` makes one that knows all trials.
    """
    if options.by_size:
        return evenly_by_size(front_records(records, options.direction), options.finalists)
    chosen = proposer().best(options.finalists)
    if chosen is not None:
        by_number = {record.number: record for record in records}
        return [by_number[number] for number in chosen]
    sign = sign_of(options.direction)
    distinct: dict[str, Record] = {}
    for record in sorted(records.complete, key=lambda record: -sign * (record.value or 0.0)):
        distinct.setdefault(record.fingerprint, record)
    return list(distinct.values())[: options.finalists]


_WARM_FOLDER = "warm-start"
"""Where a campaign keeps the predictor that it started from."""


def steering_of(out: Path, options: CampaignOptions) -> dict[str, Any]:
    """Return the arguments of the structural or genetic sampler that follow from a campaign's folder and options.

    Raises
    ------
    InputError
        If there is no predictor where one is to start from.
    """
    warm_start = _warm_predictor(out, options)
    if options.sampler == "genetic":
        return {"startup": options.startup, "screened": options.screened}
    return {"startup": options.startup, "share": options.share, "replicates": options.repeats, "warm_start": warm_start}


def keep_warm_start(out: Path, options: CampaignOptions) -> None:
    """Copy the predictor that a campaign starts from into its folder, where it stays as it was."""
    if not _has_copy(out) and (predictor := _warm_predictor(out, options)) is not None:
        predictor.save(out / _WARM_FOLDER)


def _warm_predictor(out: Path, options: CampaignOptions) -> Predictor | None:
    if options.warm_start is None:
        return None
    try:
        return _without_reads(out / _WARM_FOLDER if _has_copy(out) else Path(options.warm_start))
    except InputError as error:
        raise InputError(f"warm_start: {error}") from None


def _without_reads(folder: Path) -> Predictor:
    """Return a predictor that a search can ask, whose rows do not say what is read: fitted again without that."""
    predictor = load_predictor(folder)
    if predictor.inputs is None:
        return predictor
    fitted = predictor.fitted_.training
    key = hashlib.sha256(fitted.X.tobytes() + fitted.labels.tobytes()).hexdigest()
    if key not in _refitted:
        _refitted.clear()
        _refitted[key] = predictor.without_reads()
    return _refitted[key]


_refitted: dict[str, Predictor] = {}
"""The last one, which is asked for several times before the search begins."""


def _has_copy(out: Path) -> bool:
    """Whether a whole copy is there: the file that is looked for is the last one to be written."""
    return (out / _WARM_FOLDER / FILE).is_file()


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
    wanted: float,
    in_batches: bool = False,
    times: dict[int, Times] | None = None,
    look: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Candidate | None, Record]]:
    """Yield candidates and their records, until so many new ones count.

    The next candidate is asked for when the caller has told the proposer of a record, so that no thread has to wait;
    what a sampler knows when it is asked for trial t are the trials up to t - `ahead`, whichever thread was faster.

    `first` is the number of the first candidate, `ahead` the most candidates that are in work. Records in `begun`, of
    the trials before the first one that count as running for the proposer, are yielded without candidates. Never more
    candidates are evaluated at a time than are still `wanted`. `in_batches`: candidates are asked for `ahead` at a
    time, when all of the last ones are known and stored. When a candidate began and ended comes to stand in `times`, by
    its number. `look` is called now and then while a candidate is waited for; what it raises ends all.
    """
    clock = {} if times is None else times
    numbers = count(first)
    queue: deque[Candidate] = deque()
    running: deque[tuple[Candidate | None, Future[Record]]] = deque((None, _done(record)) for record in begun)

    def wait() -> None:
        writer.flush_if_due()  # Stores what came before.
        look()

    is_due = True
    while wanted > 0:
        # A thread is busy with one candidate while the next one is drawn.
        while True:
            while queue and sum(candidate is not None for candidate, _ in running) < wanted:
                running.append((queue[0], executor.submit(attempt, queue.popleft(), evaluation, stop, clock)))
            if not is_due or len(queue) + len(running) >= ahead:
                break
            queue.append(proposer.propose(next(numbers)))
        candidate, future = running.popleft()
        record = result_of(future, meanwhile=wait)
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
