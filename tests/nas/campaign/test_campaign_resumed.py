"""Campaigns that are resumed: extended ones equal long ones, and nothing is done twice."""

from pathlib import Path
from typing import Any

import pytest
from campaign_cases import SPACE, Evaluate, Flaky, always, edges, odd, run, sequence
from survey_cases import TASK

from nas.campaign.campaign import Campaign
from nas.store.study import load

pytestmark = pytest.mark.usefixtures("no_plot")


@pytest.mark.parametrize(
    ("sampler", "evaluate", "stops"),
    [("tpe", edges, (8, 15)), ("tpe", Flaky(odd), (1, 4, 13, 15)), ("random", Flaky(odd), (3, 15))],
)
def test_an_extended_campaign_equals_a_long_one(
    tmp_path: Path, sampler: str, evaluate: Evaluate, stops: tuple[int, ...]
):
    options: dict[str, Any] = {"sampler": sampler} | ({"batch": 6} if sampler == "tpe" else {})
    run(tmp_path / "once", evaluate, trials=15, **options)
    for trials in stops:
        outcome = run(tmp_path / "parts", evaluate, trials=trials, **options)
        assert outcome.complete == trials
    assert sequence(tmp_path / "parts") == sequence(tmp_path / "once")


def test_a_limit_on_size_holds_in_parts_too(tmp_path: Path):
    options: dict[str, Any] = {"space": {**SPACE, "max_parameters": 200}, "n_inputs": 4, "n_outputs": 2}
    run(tmp_path / "once", trials=12, **options)
    for trials in (5, 12):
        run(tmp_path / "parts", trials=trials, **options)
    assert sequence(tmp_path / "parts") == sequence(tmp_path / "once")


def test_the_same_again_does_no_work(tmp_path: Path):
    first = run(tmp_path, trials=9)
    best, study = (tmp_path / "best").stat().st_mtime_ns, (tmp_path / "study.db").read_bytes()
    evaluate = Flaky(always)
    again = run(tmp_path, evaluate, trials=9)
    fewer = run(tmp_path, evaluate, trials=5)
    assert evaluate.calls == []
    for outcome in (again, fewer):
        assert outcome == first
    assert (tmp_path / "best").stat().st_mtime_ns == best
    assert (tmp_path / "study.db").read_bytes() == study


def test_missing_results_are_written_again(tmp_path: Path):
    first = run(tmp_path, trials=4)
    (tmp_path / "best" / "wiring.json").unlink()
    evaluate = Flaky(always)
    again = run(tmp_path, evaluate, trials=4)
    assert evaluate.calls == []
    assert again.best == first.best
    assert (tmp_path / "best" / "wiring.json").is_file()


def test_a_moved_folder_is_where_it_is(tmp_path: Path):
    run(tmp_path / "old", trials=3)
    (tmp_path / "old").rename(tmp_path / "new")
    outcome = run(tmp_path / "new", trials=3)
    assert outcome.out == str(tmp_path / "new")
    assert outcome.study == str(tmp_path / "new" / "study.db")


def test_another_evaluation_of_the_same_candidates_changes_values_only(tmp_path: Path):
    run(tmp_path, trials=4, sampler="random")
    run(tmp_path, lambda *_: 7.0, trials=6, sampler="random")
    assert [row.value == 7.0 for row in load(tmp_path)] == [False] * 4 + [True] * 2


def test_every_look_at_the_test_part_is_counted(tmp_path: Path):
    options: dict[str, Any] = {"sampler": "random", "space": SPACE, "finalists": 1, "final_seeds": 1, "threads": 1}
    recipe = {"epochs": 1, "learning_rates": 0.01}
    for trials, uses in ((1, 1), (2, 2), (2, 2), (3, 3)):
        outcome = Campaign(tmp_path / "task", task=TASK, trials=trials, recipe=recipe, **options).run()
        assert outcome.test_uses == uses
    assert "was looked at 3 times" in (tmp_path / "task" / "best" / "card.md").read_text(encoding="utf-8")
    assert run(tmp_path / "own", trials=1).test_uses == 0
