"""Searches that end when their time is over, and go on when they get more."""

import time
from pathlib import Path
from typing import Any

import pytest
from command_line import refused

from nas import Campaign, InputError, load
from nas.campaign.clock import Clock
from nas.evaluation.watcher import Watcher
from nas.store.records import Record, Records
from nas.store.study import StudyFile
from priors import Wiring

pytestmark = pytest.mark.usefixtures("no_plot")


def takes(seconds: float) -> Any:
    def evaluate(wiring: Wiring, _: Any) -> float:
        time.sleep(seconds)
        return float(wiring.n_edges)

    return evaluate


class Follows(Watcher):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.left: list[float] = []
        self.totals: list[int | None] = []

    def time_started(self, left: float) -> None:
        self.left.append(left)

    def search_started(self, done: int, total: int | None, records: Records) -> None:  # noqa: ARG002
        self.totals.append(total)

    def noticed(self, line: str) -> None:
        self.lines.append(line)


def test_a_search_ends_with_its_time_and_goes_on_with_more(tmp_path: Path):
    given: dict[str, Any] = {"evaluate": takes(0.02), "sampler": "random", "threads": 2}
    follows = Follows()
    first = Campaign(tmp_path, **given, timeout=0.6).run(follows)
    assert first.over
    assert 5 < first.trials == first.complete <= 60
    assert follows.totals == [None]
    assert follows.left == [pytest.approx(0.6, abs=0.1)]
    line, *_ = follows.lines  # Few trials may make no predictor, which is said, too.
    assert line == (
        f"timeout=0.6s: the time is over, which ends the search after {first.complete} trials; a longer one goes on "
        "from there"
    )
    before = load(tmp_path)
    # The same again has nothing to do.
    assert Campaign(tmp_path, **given, timeout=0.6).run().complete == first.complete
    more = Campaign(tmp_path, **given, timeout=1.2).run()
    assert more.complete > first.complete
    assert [one.fingerprint for one in load(tmp_path)[: len(before)]] == [one.fingerprint for one in before]


def test_a_number_of_trials_takes_the_place_of_the_time_and_both_go_together(tmp_path: Path):
    given: dict[str, Any] = {"evaluate": takes(0.0), "sampler": "random"}
    assert Campaign(tmp_path, **given, timeout="1h", trials=3).run().complete == 3
    assert Campaign(tmp_path, **given, trials=5).run().complete == 5
    assert Campaign(tmp_path, **given, trials=5).options.timeout is None


def test_one_trial_is_finished_in_any_case(tmp_path: Path):
    found = Campaign(tmp_path, evaluate=takes(0.3), sampler="random", threads=1, timeout=0.01).run()
    assert found.complete == 1


def test_a_trial_in_work_is_given_up_when_the_time_is_over(tmp_path: Path):
    begun: list[float] = []

    def evaluate(wiring: Wiring, params: Any) -> float:
        begun.append(time.monotonic())
        time.sleep(0.05 if len(begun) == 1 else 1.0)
        return 1.0

    found = Campaign(tmp_path, evaluate=evaluate, sampler="random", threads=1, timeout=0.4).run()
    assert found.complete == 1
    assert len(begun) == 2


def test_the_clock_of_a_run_that_was_killed_knows_its_trials(tmp_path: Path):
    study = StudyFile(tmp_path, "maximize")
    records = [Record(number=number, params={}, state="complete", value=1.0, seconds=3.0) for number in range(4)]
    assert Clock(study, 10.0, records, 2).left == pytest.approx(4.0, abs=0.5)
    clock = Clock(study, 10.0, [], 1)
    study.put("searched", {"seconds": 9.0})
    assert Clock(study, 10.0, records, 2).left == pytest.approx(1.0, abs=0.5)
    clock.keep()
    assert study.get("searched")["seconds"] < 1.0  # type: ignore[index]
    assert Clock(study, None, records, 2).left == float("inf")


def test_which_trials_there_are_does_not_depend_on_the_clock(tmp_path: Path):
    given: dict[str, Any] = {
        "task": "digits", "budget": "300", "recipe": {"epochs": 1, "batch_size": 128}, "finalists": 1,
        "final_seeds": 1, "final_epochs": 1, "threads": 2,
    }  # fmt: skip
    Campaign(tmp_path / "counted", **given, trials=12).run()
    Campaign(tmp_path / "timed", **given, timeout="1h", trials=5).run()
    Campaign(tmp_path / "timed", **given, timeout="1h", trials=12).run()
    counted, timed = load(tmp_path / "counted"), load(tmp_path / "timed")
    assert [record.params for record in counted] == [record.params for record in timed]
    assert [record.value for record in counted] == [record.value for record in timed]


def test_what_does_not_go_is_one_line(tmp_path: Path):
    with pytest.raises(
        InputError, match=r"timeout=10m: a study that several processes share ends with its trials; give trials"
    ):
        Campaign(tmp_path, task="digits", timeout="10m", storage="postgresql://nobody@localhost/none")
    with pytest.raises(InputError, match="give trials or timeout"):
        Campaign(tmp_path, task="digits", trials=None)
    line = refused("run", "--task", "digits", "--timeout", "5weeks", "--out", tmp_path / "out")
    assert line.startswith("wirenas: --timeout 5weeks: it must be a number and a unit, such as 90s")
    assert not (tmp_path / "out").exists()
