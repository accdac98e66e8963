"""Search: from the first trial that is missing to the last one, and the best of them.

What is proposed as trial t follows from the trials up to t less a batch, so that a search that was interrupted goes on
as if it had not been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from nas.campaign.pipeline import evaluate_candidates
from nas.errors import CampaignError
from nas.evaluation.early_stopping import Stopping
from nas.evaluation.trainer import FAILURES_IN_A_ROW, Evaluation
from nas.evaluation.watcher import Watcher
from nas.options.options import CampaignOptions
from nas.report.front import evenly_by_size, front_records
from nas.samplers.proposer import Proposer
from nas.shared.copying import refuse_copy
from nas.store.records import Record, Records
from nas.store.study import StudyFile, Writer, storing_of
from nas.training import StopFlag
from nas.training.history import sign_of

__all__ = ["Search", "finalists", "inform"]


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

    Parameters
    ----------
    study : StudyFile
    options : CampaignOptions
    proposer : callable
        Makes a proposer that knows no trial: what it is to know follows from those that are stored.
    evaluation : Evaluation
    stopping : Stopping or None
        What ends trials early.
    watcher : Watcher
    stop : StopFlag
    """

    study: StudyFile
    options: CampaignOptions
    proposer: Callable[[], Proposer]
    evaluation: Evaluation
    stopping: Stopping | None
    watcher: Watcher
    stop: StopFlag

    def run(self, executor: ThreadPoolExecutor, threads: int) -> None:
        """Add trials until as many count as the options want.

        Raises
        ------
        CampaignError
            If many fail one after another.
        """
        known, records = self.study.trials(), self.study.records()
        counted = len(records.counted)
        self.watcher.search_started(counted, self.options.trials, records)
        if counted >= self.options.trials:
            return
        refuse_copy(self.study)
        batch, in_batches = self.options.batch, self.stopping is not None
        # What was known when the first of the trials that are missing was asked for; the others ran beside it.
        settled = len(known) - len(known) % batch if in_batches else max(0, len(known) - batch + 1)
        proposer = inform(self.proposer(), known, settled)
        if self.stopping is not None:
            self.stopping.tell(*records[:settled])
        # A sampler that learns nothing may be asked as far ahead as keeps all threads busy.
        ahead = batch if proposer.learns or in_batches else max(batch, 4 * threads)
        before, writer = storing_of(self.study), Writer(self.study, self.watcher.recorded)
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
                    wanted=self.options.trials - counted,
                    in_batches=in_batches,
                ):
                    if candidate is not None:
                        writer.add(record, candidate.distributions)
                        # What failed in an earlier run may work now.
                        failures = 0 if record.is_counted else failures + 1
                        _check_failures(failures, record)
                    self._tell(proposer, record)
        finally:
            self.study.put("storing", {"seconds": before + writer.seconds})

    def _tell(self, proposer: Proposer, record: Record) -> None:
        proposer.tell(record)
        if self.stopping is not None:
            self.stopping.tell(record)


def _check_failures(n: int, last: Record) -> None:
    if n == FAILURES_IN_A_ROW:
        raise CampaignError(f"{n} trials failed one after another; the last one with: {last.error}")


def finalists(records: Records, options: CampaignOptions, proposer: Callable[[], Proposer]) -> list[Record]:
    """Return the best of different wirings, by what the sampler thinks of them: one lucky seed must not decide.

    Where size is a second objective, return wirings of the front instead.

    Parameters
    ----------
    records : Records
    options : CampaignOptions
    proposer : callable
        Makes one that knows all trials.
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
