"""Campaigns that stop trials early: what counts, is stored and is said, whatever the threads and interruptions."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from command_line import wirenas
from optuna.pruners import NopPruner
from optuna.trial import FrozenTrial, TrialState
from quick import quick
from stopping_cases import ByHand, classes

from nas.campaign.campaign import Campaign
from nas.errors import CampaignError, InputError
from nas.evaluation.early_stopping import EARLY_STOPPING, LockstepEvaluation
from nas.prediction.examples import campaign_examples
from nas.report.outcome import Outcome, counted_in
from nas.samplers.proposer import Candidate
from nas.store.records import Record
from nas.store.study import load

pytestmark = pytest.mark.usefixtures("bare_campaigns")


def make(out: Path, early_stopping: str = "halving", **options: Any) -> Campaign:
    given: dict[str, Any] = {
        "task": classes(),
        "space": {"nodes": (6, 16), "degree": (2, 4), "attachment": "natural"},
        "recipe": {"epochs": 8, "batch_size": 32, "learning_rates": (0.01, 0.03)},
        "batch": 5,
        "trials": 27,
        "finalists": 2,
        "final_seeds": 1,
        "early_stopping": early_stopping,
    }
    return Campaign(out, **{**given, **options})


def found(out: Path) -> list[Record]:
    return [replace(record, seconds=0.0, choosing=0.0) for record in load(out)]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, bare_campaigns: None) -> tuple[Campaign, Outcome]:
    """A campaign in which trials were stopped."""
    campaign = make(tmp_path_factory.mktemp("stopped") / "out", threads=1)
    return campaign, campaign.run()


def test_stopped_trials_count_and_are_no_results(ended: tuple[Campaign, Outcome]):
    campaign, outcome = ended
    records = load(campaign.out)
    stopped = [record for record in records if record.state == "stopped"]
    assert len(stopped) == outcome.stopped > 3
    assert (outcome.complete + outcome.stopped, outcome.failed, len(records)) == (27, 0, 27)
    assert outcome.to_json()["stopped"] == len(stopped)
    assert len(records.complete) == outcome.complete
    assert {record.value for record in stopped} == {None}
    assert {len(record.curve) for record in records.complete} == {8}
    assert all(0 < len(record.curve) < 8 for record in stopped)
    assert records[outcome.best["trial"]].is_complete if outcome.best else False
    examples = campaign_examples(records, campaign._rebuild, campaign.space, campaign._units, "accuracy", "maximize")
    assert len(examples) == outcome.complete
    frame = records.to_frame()
    assert frame["curve"][0].split()[-1] == repr(records[0].value)
    assert "stopping" not in frame


def test_plain_optuna_sees_what_was_stopped(ended: tuple[Campaign, Outcome]):
    campaign, _ = ended
    records = load(campaign.out)
    plain = optuna.load_study(study_name="wirenas", storage=f"sqlite:///{campaign.out}/study.db")
    states = {"complete": TrialState.COMPLETE, "stopped": TrialState.PRUNED}
    for record, trial in zip(records, plain.trials, strict=True):
        assert trial.state == states[record.state]
        assert trial.intermediate_values == dict(enumerate(record.curve, 1))
        assert (None if trial.values is None else trial.value) == record.value
    with sqlite3.connect(campaign.out / "study.db") as connection:
        (stored,) = connection.execute("select count(*) from trial_intermediate_values").fetchone()
    connection.close()
    assert stored == sum(len(record.curve) for record in records)


@pytest.mark.parametrize(
    ("sampler", "name"),
    quick(
        [*(("random", name) for name in EARLY_STOPPING), ("tpe", "halving"), ("structural", "median")],
        ("random", "hyperband"),
        ("structural", "median"),
    ),
)
def test_threads_change_nothing(tmp_path: Path, sampler: str, name: str):
    for threads in (1, 3):
        make(tmp_path / str(threads), name, sampler=sampler, threads=threads).run()
    assert found(tmp_path / "1") == found(tmp_path / "3")
    assert any(record.state == "stopped" for record in load(tmp_path / "1"))


def by_number(study: optuna.Study, trial: FrozenTrial) -> bool:
    """Every third trial ends early, with one more or less to compare with another one."""
    return (len(study.trials) + trial.number) % 3 == 0 and trial.last_step == 2


@pytest.mark.parametrize("name", quick([*EARLY_STOPPING, "by number"], "halving", "by number"))
def test_interruptions_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    """In the middle of a batch, at its end, and by a smaller number of trials at first."""
    if name == "by number":
        monkeypatch.setitem(EARLY_STOPPING, "median", lambda _: ByHand(by_number))
        name = "median"
    make(tmp_path / "whole", name, threads=1).run()
    evaluate = LockstepEvaluation.__call__
    for last in (13, 20):
        campaign = make(tmp_path / "parts", name, threads=1)

        def interrupted(self: Any, one: Candidate, last: int = last, campaign: Campaign = campaign) -> Any:
            if one.number == last:
                campaign.stop.set()
            return evaluate(self, one)

        monkeypatch.setattr(LockstepEvaluation, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            campaign.run()
        assert len(load(tmp_path / "parts")) == last
    monkeypatch.setattr(LockstepEvaluation, "__call__", evaluate)
    assert make(tmp_path / "parts", name, trials=23, threads=1).run().trials == 23
    make(tmp_path / "parts", name, threads=2).run()
    assert found(tmp_path / "parts") == found(tmp_path / "whole")
    assert any(record.state == "stopped" for record in load(tmp_path / "whole"))


def test_the_same_again_does_no_work(ended: tuple[Campaign, Outcome]):
    campaign, outcome = ended
    study = (campaign.out / "study.db").read_bytes()
    assert make(campaign.out).run() == outcome
    assert make(campaign.out, trials=9).run() == outcome
    assert (campaign.out / "study.db").read_bytes() == study
    with pytest.raises(
        InputError, match=r'^early_stopping=none: .* started with "halving", and only trials and timeout may'
    ):
        make(campaign.out, "none").run()


def test_an_outcome_of_a_version_that_stopped_nothing_is_read(ended: tuple[Campaign, Outcome]):
    stored = ended[1].to_json()
    assert counted_in(stored) == 27
    del stored["stopped"]
    assert counted_in(stored) == ended[1].complete
    assert Outcome.from_json(stored).stopped == 0


def test_where_everything_is_stopped_the_campaign_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(EARLY_STOPPING, "halving", lambda _: ByHand(lambda *_: True))
    with pytest.raises(CampaignError, match="no trial is complete: 6 were stopped early and 0 failed"):
        make(tmp_path, trials=6).run()
    assert [len(record.curve) for record in load(tmp_path)] == [1] * 6
    assert "no trial is complete yet (6 stopped early, 0 failed)" in wirenas("status", str(tmp_path))[1]
    monkeypatch.setitem(EARLY_STOPPING, "halving", lambda _: NopPruner())
    assert make(tmp_path, trials=8).run().stopped == 6


def test_the_command_line_says_what_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(EARLY_STOPPING, "median", lambda _: ByHand(lambda _, trial: trial.number % 4 == 1))
    flags = "--trials 5 --nodes 8:12 --epochs 2 --finalists 1 --final-seeds 1 --early-stopping median"
    code, text, err = wirenas("run", *flags.split(), "--out", str(tmp_path), "--json")
    assert code == 0, err
    assert "5 of 5 trials" in err
    found = json.loads(text)
    assert (found["complete"], found["stopped"], found["failed"]) == (4, 1, 0)
    assert json.loads(wirenas("status", str(tmp_path), "--json")[1]) == found
    assert "4 trials complete, 1 stopped early, 0 failed." in wirenas("status", str(tmp_path))[1]
    assert "a campaign of 5 trials" in (tmp_path / "best" / "card.md").read_text(encoding="utf-8")


def test_an_own_evaluation_cannot_be_stopped(tmp_path: Path):
    with pytest.raises(InputError, match=r"^early_stopping=median: an own evaluation has no epochs"):
        Campaign(tmp_path / "new", evaluate=lambda *_: 0.0, early_stopping="median")
    assert list(tmp_path.iterdir()) == []


def test_early_stopping_saves_updates_and_finds_as_good_a_network(tmp_path: Path):
    """Digits, the same 30 candidates by chance: those that are not stopped have the same values."""
    options: dict[str, Any] = {"task": "digits", "recipe": {}, "sampler": "random", "trials": 30, "batch": 8}
    for name in ("none", "median"):
        make(tmp_path / name, name, space={}, finalists=1, **options).run()
    whole, some = load(tmp_path / "none"), load(tmp_path / "median")
    assert [dict(record.params) for record in whole] == [dict(record.params) for record in some]
    complete = [record.number for record in some.complete]
    assert [whole[number].value for number in complete] == [some[number].value for number in complete]
    assert sum(record.steps for record in some) < 0.8 * sum(record.steps for record in whole)
    best = max(record.value or 0.0 for record in whole)
    assert max(record.value or 0.0 for record in some.complete) >= best - 0.01
