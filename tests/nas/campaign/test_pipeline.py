"""The pipeline: what a sampler knows when it is asked, whichever thread is faster, and no more than is wanted."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nas.campaign.search import evaluate_candidates
from nas.evaluation.trainer import OwnEvaluation
from nas.samplers.proposer import Proposer
from nas.space.space import Space
from nas.store.records import Records
from nas.store.study import StudyFile, Writer, load
from priors import Wiring


def proposer(sampler: str) -> Proposer:
    space = Space(structure="dag", nodes=(8, 20), degree=(2, 4))
    return Proposer(space, sampler=sampler, seed=0, direction="maximize", n_inputs=0, n_outputs=0, size_of=lambda _: 1)


class Search:
    """Runs the pipeline and notes in which order things happen."""

    def __init__(self, out: Path, sampler: str) -> None:
        out.mkdir(exist_ok=True)
        self.study, self.proposer, self.events = StudyFile(out, "maximize"), proposer(sampler), list[tuple[str, int]]()
        propose = self.proposer.propose

        def noted(number: int) -> Any:
            self.events.append(("propose", number))
            return propose(number)

        self.proposer.propose = noted  # type: ignore[method-assign]

    def run(self, evaluate: Callable[[Wiring, Mapping[str, Any]], float], *, wanted: int, **options: Any) -> list[int]:
        given = {"first": 0, "ahead": 4, "begun": Records(()), "stop": threading.Event(), **options}
        numbers = []
        with (
            Writer(self.study, lambda record: self.events.append(("stored", record.number))) as writer,
            ThreadPoolExecutor(2) as executor,
        ):
            found = evaluate_candidates(
                self.proposer, OwnEvaluation(evaluate), executor, writer, wanted=wanted, **given
            )
            for candidate, record in found:
                numbers.append(record.number)
                if candidate is not None:
                    assert record.number == candidate.number
                    writer.add(record, candidate.distributions)
                self.proposer.tell(record)
                self.events.append(("told", record.number))
        return numbers


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_sampler_knows_what_was_told_so_many_trials_before(tmp_path: Path, sampler: str):
    search = Search(tmp_path, sampler)
    assert search.run(lambda wiring, _: wiring.n_edges, wanted=9) == list(range(9))
    for number in range(12):
        at = search.events.index(("propose", number))
        told = [earlier for event, earlier in search.events[:at] if event == "told"]
        assert told == list(range(max(0, number - 3)))
    assert [row.number for row in load(tmp_path)] == list(range(9))


def test_in_batches_all_of_the_last_one_is_told_and_stored(tmp_path: Path):
    search = Search(tmp_path, "tpe")
    assert search.run(lambda wiring, _: wiring.n_edges, wanted=9, in_batches=True) == list(range(9))
    for number in range(12):
        at = search.events.index(("propose", number))
        known = [(event, earlier) for earlier in range(number - number % 4) for event in ("told", "stored")]
        assert set(known) == {event for event in search.events[:at] if event[0] != "propose"}
    assert [row.number for row in load(tmp_path)] == list(range(9))


def test_what_learns_nothing_keeps_all_threads_busy(tmp_path: Path):
    """The first evaluation waits for the second candidate of what would be the next batch."""
    search, go_on, count = Search(tmp_path, "random"), threading.Event(), iter(range(100))

    def evaluate(wiring: Wiring, params: Mapping[str, Any]) -> float:
        number = next(count)
        if number == 3:
            assert go_on.wait(20)
        if number == 5:
            go_on.set()
        return float(wiring.n_edges)

    assert search.run(evaluate, wanted=8) == list(range(8))
    assert search.events.index(("propose", 5)) < search.events.index(("told", 3))


@pytest.mark.parametrize("sampler", ["random", "tpe", "structural"])
def test_what_is_proposed_does_not_depend_on_who_is_faster(tmp_path: Path, sampler: str):
    """What the threads did is repeated here one after another."""
    search = Search(tmp_path, sampler)
    search.run(lambda wiring, _: time.sleep(0.001 * (wiring.n_edges % 7)) or wiring.n_edges, wanted=20)
    source, stored = proposer(sampler), load(tmp_path)
    for number, record in enumerate(stored):
        if number >= 4:
            source.tell(stored[number - 4])
        assert dict(source.propose(number).params) == dict(record.params)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_never_more_are_evaluated_than_are_wanted(tmp_path: Path, sampler: str):
    calls: dict[str, int] = {}

    def evaluate(wiring: Wiring, params: Mapping[str, Any]) -> float:
        with lock:
            order = calls.setdefault(wiring.fingerprint, len(calls))
        if order in (1, 4):
            raise ValueError("no")
        return 1.0

    lock = threading.Lock()

    numbers = Search(tmp_path, sampler).run(evaluate, wanted=6)
    assert len(load(tmp_path).complete) == 6
    assert numbers == list(range(8))
    assert len(calls) == 8


@pytest.mark.parametrize("sampler", ["random", "tpe", "structural"])
def test_what_was_begun_is_not_evaluated_again(tmp_path: Path, sampler: str):
    whole = Search(tmp_path / "whole", sampler)
    whole.run(lambda wiring, _: wiring.n_edges, wanted=16)
    known, records = whole.study.trials()[:12], whole.study.records()
    search, calls = Search(tmp_path / "resumed", sampler), []
    for trial in known[:9]:
        search.proposer.remember(trial)
    for trial in known[9:]:
        search.proposer.reopen(trial)
    numbers = search.run(
        lambda wiring, _: calls.append(wiring) or wiring.n_edges, wanted=4, first=12, begun=records[9:12]
    )
    assert numbers == list(range(9, 16))
    assert [wiring.fingerprint for wiring in calls] == [record.fingerprint for record in records[12:]]


def test_what_is_finished_is_stored_while_a_long_evaluation_goes_on(tmp_path: Path):
    done, last = threading.Event(), proposer("random").propose(3)

    def evaluate(wiring: Wiring, params: Mapping[str, Any]) -> float:
        if wiring == last.wiring:
            assert done.wait(20), "the trials before the long one were not stored meanwhile"
        return 1.0

    search = Search(tmp_path, "random")
    append = search.study.append

    def noted(finished: Any) -> None:
        append(finished)
        if len(load(tmp_path)) == 3:
            done.set()

    search.study.append = noted  # type: ignore[method-assign]
    assert search.run(evaluate, wanted=4) == [0, 1, 2, 3]
