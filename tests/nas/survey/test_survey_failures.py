"""Surveys in which trainings fail, and options and folders that a survey refuses."""

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from survey_cases import RECIPE, SPACE, TASK, make, make_task, rows, same

from nas import load, survey
from nas.errors import CampaignError, InputError
from nas.evaluation import trainer as evaluation
from nas.options.options import SurveyOptions
from nas.store import survey_parts as survey_parts_module
from nas.training import Recipe

pytestmark = pytest.mark.usefixtures("impatient_survey")

# Failures


def fail(monkeypatch: pytest.MonkeyPatch, is_bad: Any) -> list[int]:
    """Make trainings fail whose (fingerprint, replicate, rate, attempt) is bad; return a list that counts calls."""
    calls: list[Any] = []
    original = evaluation.Trainer.train

    def failing(trainer: Any, wiring: Any, replicate: int, rate: float) -> Any:
        key = (wiring.fingerprint, replicate, rate)
        calls.append(key)
        if is_bad(*key, calls.count(key)):
            raise ZeroDivisionError("no\nway")
        return original(trainer, wiring, replicate, rate)

    monkeypatch.setattr(evaluation.Trainer, "train", failing)
    return calls


def test_a_training_that_fails_is_tried_three_times_and_recorded(
    tmp_path: Path, calm_survey: Path, monkeypatch: pytest.MonkeyPatch
):
    calls = fail(monkeypatch, lambda _fingerprint, replicate, rate, _count: (replicate, rate) == (1, 0.1))
    outcome = make(tmp_path).run()
    assert len(calls) == 18 + 6 * 3
    assert (outcome.failed, outcome.trainings) == (6, 24)
    found, expected = rows(tmp_path), rows(calm_survey)
    bad = found["error"].notna()
    assert set(found.loc[bad, "error"]) == {"ZeroDivisionError: no way"}
    assert found.loc[bad, ["value", "test", "diverged", "steps", "engine"]].isna().all(axis=None)
    assert found.loc[bad, "fingerprint"].tolist() == expected.loc[bad, "fingerprint"].tolist()
    assert found.loc[~bad, "value"].tolist() == expected.loc[~bad, "value"].tolist()


def test_a_training_that_fails_twice_is_as_if_nothing_had_been(
    tmp_path: Path, calm_survey: Path, monkeypatch: pytest.MonkeyPatch
):
    fail(monkeypatch, lambda *key: key[-1] < 3)
    assert make(tmp_path).run().failed == 0
    assert same(rows(tmp_path), rows(calm_survey))


def test_a_survey_in_which_everything_fails_ends_and_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(survey, "_WRITE_EVERY_S", 0.0)
    fail(monkeypatch, lambda *_: True)
    with pytest.raises(CampaignError, match=r"wirings failed one after another.*ZeroDivisionError: no way"):
        make(tmp_path, wirings=1000, seeds=1).run()
    with pytest.raises(CampaignError, match="all 6 wirings failed; the last one with: ZeroDivisionError: no way"):
        make(tmp_path / "few").run()
    assert len(load(tmp_path)) == len(load(tmp_path / "few")) == 0


def test_wirings_that_fail_at_the_end_of_an_interrupted_run_are_trained_again(
    tmp_path: Path, calm_survey: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(survey, "_WRITE_EVERY_S", 0.0)
    good = set(rows(calm_survey)["fingerprint"].unique()[:2])
    making = make(tmp_path)
    with monkeypatch.context() as patch:
        calls = fail(patch, lambda fingerprint, *_: fingerprint not in good)
        original = survey.RowMaker.rows

        def stopping(maker: Any, number: int) -> Any:
            if number == 4:
                making.stop.set()
            return original(maker, number)

        patch.setattr(survey.RowMaker, "rows", stopping)
        with pytest.raises(KeyboardInterrupt):
            making.run()
    assert len(set(calls)) == 16
    assert rows(tmp_path)["number"].unique().tolist() == [0, 1]
    make(tmp_path).run()
    assert same(rows(tmp_path), rows(calm_survey))


def test_wirings_that_fail_at_the_end_are_rows_too(tmp_path: Path, calm_survey: Path, monkeypatch: pytest.MonkeyPatch):
    good = set(rows(calm_survey)["fingerprint"].unique()[:2])
    fail(monkeypatch, lambda fingerprint, *_: fingerprint not in good)
    assert make(tmp_path).run().failed == 16
    assert rows(tmp_path)["error"].isna().tolist() == [True] * 8 + [False] * 16


def test_an_error_while_storing_ends_the_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(survey, "_WRITE_EVERY_S", 0.0)
    monkeypatch.setattr(survey_parts_module.pq, "write_table", lambda *_, **__: full())
    with pytest.raises(OSError, match="No space left"):
        make(tmp_path, wirings=10**6, threads=2).run()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wirenas")]
    assert list((tmp_path / "parts").iterdir()) == []


# What is refused

OTHER = {
    "network": "rnn",
    "activation": "tanh",
    "cell": "lstm",
    "initial_state": "learned",
    "seed": 1,
    "seeds": 3,
    "engine": "torch",
    "device": "cpu:0",
    "space.nodes": (8, 17),
    "space.max_parameters": 1000,
    "recipe.epochs": 3,
    "recipe.learning_rates": (0.01,),
    "recipe.patience": 2,
}


@pytest.mark.parametrize("name", sorted(set(OTHER) - {"network"}))
def test_every_other_option_is_refused_by_its_name(calm_survey: Path, name: str):
    section, _, field = name.rpartition(".")
    base = {"space": SPACE, "recipe": RECIPE}
    options = {section: {**base[section], field: OTHER[name]}} if section else {field: OTHER[name]}
    before = (calm_survey / "survey.toml").read_bytes()
    with pytest.raises(InputError, match=f"^{name}=.*the survey in .* and only wirings may change") as caught:
        make(calm_survey, wirings=9, **options).run()
    assert "\n" not in str(caught.value)
    assert (calm_survey / "survey.toml").read_bytes() == before
    assert len(load(calm_survey)) == 24


def test_the_options_that_are_tested_are_all(calm_survey: Path):
    assert {name for name in OTHER if "." not in name} == set(SurveyOptions.model_fields) - {
        "wirings",
        "task",
        "files",
        "space",
        "recipe",
    }


def test_other_data_of_the_same_name_are_refused(calm_survey: Path):
    with pytest.raises(InputError, match=r"^task: its examples, their split or the metric"):
        make(calm_survey, task=make_task(1)).run()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wirings": 0}, "wirings=0"),
        ({"seeds": 0}, "seeds=0"),
        ({"threads": 0}, "threads=0: at least 1 is needed"),
        ({"network": "rnn"}, "network=rnn: task signs needs network=mlp"),
        ({"trials": 3}, "trials is not a known key"),
        ({"space": 3}, "space=3"),
        ({"space": {"structure": "stack"}}, "space.structure=stack does not fit"),
        ({"task": "digit"}, "nearest: digits"),
        ({"device": "abacus"}, "device='abacus'"),
    ],
)
def test_a_wrong_option_is_one_line(tmp_path: Path, options: dict[str, Any], message: str):
    with pytest.raises(InputError) as caught:
        make(tmp_path / "out", **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_limit_is_refused_before_anything_is_written(tmp_path: Path):
    with pytest.raises(InputError, match=r"^space\.max_parameters=3: none of 1000 draws"):
        make(tmp_path / "out", space={**SPACE, "max_parameters": 3}).run()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_campaign_is_refused(tmp_path: Path):
    (tmp_path / "campaign.toml").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="a campaign lies there"):
        make(tmp_path).run()
    assert [path.name for path in tmp_path.iterdir()] == ["campaign.toml"]


@pytest.mark.parametrize("native", [True, False])
def test_by_default_a_thread_works_on_every_core_but_with_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool
):
    monkeypatch.setattr(sys.modules["nas.training.train"], "has_native", lambda: native)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    assert make(tmp_path, threads=None).threads == (3 if native else 1)
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    assert make(tmp_path, threads=None).threads == (7 if native else 1)


def test_the_recipe_of_a_task_holds_where_none_is_given(tmp_path: Path):
    task = replace(TASK, recipe={"epochs": 7, "batch_size": 16})
    assert make(tmp_path, task=task, recipe={}).options.recipe == Recipe(epochs=7, batch_size=16)
    assert make(tmp_path, task=task, recipe={"epochs": 2}).options.recipe == Recipe(epochs=2, batch_size=16)
    assert make(tmp_path, task=task, recipe=Recipe(epochs=2)).options.recipe == Recipe(epochs=2, batch_size=16)
