"""How campaigns end: finalists, a second Ctrl-C, wirings of another version, and fewer trials than there are."""

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.campaign.campaign import Campaign
from nas.campaign.search import finalists, inform
from nas.errors import CampaignError, InputError
from nas.evaluation.watcher import Watcher
from nas.store.records import Record, Records
from nas.store.study import StudyFile, load
from priors import Wiring

pytestmark = pytest.mark.usefixtures("no_plot")
SPACE = {"nodes": (8, 20), "degree": (2, 6)}


def edges(wiring: Wiring, params: Mapping[str, Any]) -> float:
    return -abs(wiring.n_edges - 40) - params["degree"] / 100


def finalists_of(campaign: Campaign, study: StudyFile, records: Records) -> list[Record]:
    return finalists(records, campaign.options, lambda: inform(campaign._proposer(), study.trials()))


def test_finalists_are_the_best_of_different_wirings(tmp_path: Path) -> None:
    values = [("a", 0.5), ("b", 0.9), ("b", 0.9), ("b", 0.8), ("c", 0.7), ("d", 0.1)]
    rows = tuple(Record(number, "complete", value, {}, fingerprint=name) for number, (name, value) in enumerate(values))
    campaign = Campaign(tmp_path / "most", evaluate=edges, finalists=3, sampler="random")
    study = StudyFile(tmp_path, "maximize")
    assert [record.number for record in finalists_of(campaign, study, Records(rows))] == [1, 4, 0]
    fewest = Campaign(tmp_path / "least", evaluate=edges, finalists=2, direction="minimize", sampler="tpe")
    assert [record.number for record in finalists_of(fewest, study, Records(rows))] == [5, 0]


def test_one_lucky_training_does_not_make_a_finalist(tmp_path: Path) -> None:
    """Values follow the edges but for one trial: structure expects little of it, and others come first."""
    lucky = 3

    def value(wiring: Wiring, params: Mapping[str, Any]) -> float:
        values.append(float(wiring.n_edges) if len(values) != lucky else 90.0)
        return values[-1]

    values: list[float] = []
    campaign = Campaign(tmp_path, evaluate=value, trials=40, space=SPACE, batch=1, threads=1, finalists=3)
    campaign.run()
    study = StudyFile(tmp_path)
    best = [record.number for record in finalists_of(campaign, study, study.records())]
    assert len(best) == 3
    assert lucky not in best
    assert study.records()[best[0]].n_edges > 0.9 * max(record.n_edges for record in study.records())


def test_a_second_ctrl_c_does_not_wait_for_a_long_evaluation(tmp_path: Path) -> None:
    evaluating, go_on = threading.Event(), threading.Event()

    def slow(wiring: Wiring, params: Mapping[str, Any]) -> float:
        evaluating.set()
        go_on.wait(60)
        return 0.0

    campaign = Campaign(tmp_path, evaluate=slow, space=SPACE, trials=4)

    def interrupt_twice() -> None:
        evaluating.wait(60)
        os.kill(os.getpid(), signal.SIGINT)
        campaign.stop.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=interrupt_twice)
    sender.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            campaign.run()
        assert not go_on.is_set()
    finally:
        go_on.set()
        sender.join()


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_ctrl_c_loses_nothing_that_was_finished(tmp_path: Path, sampler: str) -> None:
    """These evaluations take no time, so that many trials wait to be stored together."""
    calls = []

    def evaluate(wiring: Wiring, params: Mapping[str, Any]) -> float:
        calls.append(params["graph_seed"])
        if len(calls) == 21:
            os.kill(os.getpid(), signal.SIGINT)
            assert campaign.stop.wait(60)
        return edges(wiring, params)

    campaign = Campaign(tmp_path, evaluate=evaluate, space=SPACE, trials=40, sampler=sampler)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    assert [record.params["graph_seed"] for record in load(tmp_path)] == calls
    assert len(calls) == 21
    assert (tmp_path / "trials.csv").read_text(encoding="utf-8").count("\n") == 22


def test_records_are_told_once_and_once_stored(tmp_path: Path) -> None:
    class Looker(Watcher):
        def __init__(self) -> None:
            self.heard: list[Record] = []

        def recorded(self, record: Record) -> None:
            assert record == load(tmp_path)[record.number]
            self.heard.append(record)

    looker = Looker()
    Campaign(tmp_path, evaluate=edges, space=SPACE, trials=12, sampler="random").run(looker)
    assert [record.number for record in looker.heard] == list(range(12))


def test_a_wiring_that_is_drawn_otherwise_today_is_not_passed_off(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, evaluate=edges, space=SPACE, trials=2)
    campaign.run()
    record = load(tmp_path)[0]
    assert campaign._rebuild(record).fingerprint == record.fingerprint
    with pytest.raises(CampaignError, match=r"trial 0 in .* was drawn by another version"):
        campaign._rebuild(replace(record, fingerprint="0" * 64))


def test_what_failed_before_may_work_now(tmp_path: Path):
    """More failures than end a search count as running for the next trial, and do not end it once more."""
    broken = True

    def value(wiring: Wiring, params: Mapping[str, Any]) -> float:
        if broken:
            raise RuntimeError("no data yet")
        return edges(wiring, params)

    def campaign() -> Campaign:
        return Campaign(tmp_path, evaluate=value, trials=12, batch=16, space=SPACE)

    with pytest.raises(CampaignError, match="10 trials failed one after another"):
        campaign().run()
    broken = False
    outcome = campaign().run()
    assert (outcome.complete, outcome.failed) == (12, 10)


def test_fewer_trials_than_are_complete_change_nothing(tmp_path: Path) -> None:
    first = Campaign(tmp_path, evaluate=edges, space=SPACE, trials=5).run()
    before = (tmp_path / "campaign.toml").read_text(encoding="utf-8")
    assert Campaign(tmp_path, evaluate=edges, space=SPACE, trials=2).run() == first
    assert (tmp_path / "campaign.toml").read_text(encoding="utf-8") == before


def test_a_campaign_refuses_the_folder_of_a_survey(tmp_path: Path):
    (tmp_path / "survey.toml").touch()
    with pytest.raises(InputError, match="a survey lies there; give another folder"):
        Campaign(tmp_path, evaluate=lambda *_: 0.0, trials=1).run()
