"""The pipeline: batches of what learns, a steady stream of what does not, and no more than is wanted."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nas.search.evaluation import OwnEvaluation
from nas.search.pipeline import evaluated
from nas.search.proposer import Proposer
from nas.search.records import Record, Records
from nas.search.space import Space
from nas.search.study import StudyFile, load
from nas.search.writer import Writer
from priors import Wiring


def proposer(sampler: str) -> Proposer:
    space = Space(structure="dag", nodes=(8, 20), degree=(2, 4))
    return Proposer(space, sampler=sampler, seed=0, direction="maximize", n_inputs=0, n_outputs=0, size_of=lambda _: 1)


class Search:
    """Runs the pipeline and notes in which order things happen."""

    def __init__(self, out: Path, sampler: str) -> None:
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
            found = evaluated(self.proposer, OwnEvaluation(evaluate), executor, writer, wanted=wanted, **given)
            for candidate, record in found:
                assert record.number == candidate.number
                numbers.append(record.number)
                if record not in given["begun"]:
                    writer.add(record, candidate.distributions)
                self.proposer.tell(record)
                self.events.append(("told", record.number))
        return numbers


def test_what_learns_is_asked_when_the_last_batch_is_told_and_stored(tmp_path: Path):
    search = Search(tmp_path, "tpe")
    assert search.run(lambda wiring, _: wiring.n_edges, wanted=9) == list(range(9))
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


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_samplers_see_no_difference_between_fast_and_slow(tmp_path: Path, sampler: str):
    search = Search(tmp_path, sampler)
    search.run(lambda wiring, _: wiring.n_edges, wanted=10)
    source = proposer(sampler)
    stored = load(tmp_path)
    for first in (0, 4, 8):
        batch = [source.propose(number) for number in range(first, first + 4)]
        for candidate, record in zip(batch, stored[first:], strict=False):
            assert dict(record.params) == dict(candidate.params)
            source.tell(record)


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


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_what_was_begun_is_not_evaluated_again(tmp_path: Path, sampler: str):
    source = proposer(sampler)
    begun = Records(tuple(Record(number, "complete", 0.5, source.propose(number).params) for number in (4, 5)))
    calls = []
    search = Search(tmp_path, sampler)
    numbers = search.run(lambda wiring, _: calls.append(wiring) or 1.0, wanted=3, first=4, begun=begun)
    assert numbers == [4, 5, 6, 7, 8]
    assert len(calls) == 3


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
