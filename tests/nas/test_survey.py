"""Survey: every row is what its training gives, and nothing but `seconds` depends on how it came about."""

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nas import Survey, Task, load
from nas.errors import CampaignError, InputError
from nas.networks import NetworkSpec
from nas.search import evaluation, in_order, survey, survey_rows
from nas.search.options import SurveyOptions
from nas.search.records import describe
from nas.search.survey import Standing
from nas.seeds import stream
from nas.training import History, Recipe, train
from nas.training.train import engine_for

SPACE = {"nodes": (8, 16), "degree": (2, 4), "reads": 2, "readouts": 4}
RECIPE = {"epochs": 2, "learning_rates": (0.01, 0.1)}


def make_task(seed: int = 0) -> Task:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(80, 3)).astype(np.float32)
    return Task.from_arrays("signs", inputs, (inputs.sum(axis=1) > 0).astype(np.int64))


TASK = make_task()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_order, "_LOOK_UP_S", 0.005)


def make(out: Path, **options: Any) -> Survey:
    given = {"task": TASK, "wirings": 6, "seeds": 2, "threads": 1, "space": SPACE, "recipe": RECIPE, **options}
    return Survey(out, **given)


def rows(out: Path) -> pd.DataFrame:
    return load(out).to_frame().drop(columns="seconds")


def keys_of(frame: pd.DataFrame) -> set[Any]:
    return set(frame[["fingerprint", "replicate", "learning_rate"]].itertuples(index=False, name=None))


def same(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    return True


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed survey of 6 wirings with one thread."""
    out = tmp_path_factory.mktemp("calm") / "survey"
    make(out).run()
    return out


class Count:
    """Counts the trainings of the real engine, and does something before each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, before: Any = lambda _: None) -> None:
        self.keys: list[tuple[str, int, float]] = []
        original = evaluation.Trainer.train

        def counted(trainer: Any, wiring: Any, replicate: int, rate: float) -> Any:
            self.keys.append((wiring.fingerprint, replicate, rate))
            before(len(self.keys))
            return original(trainer, wiring, replicate, rate)

        monkeypatch.setattr(evaluation.Trainer, "train", counted)


# The rows


def test_every_row_is_what_its_training_gives(calm: Path):
    table = load(calm)
    frame = table.to_frame()
    assert len(frame) == len(table) == 6 * 2 * 2
    assert frame["seconds"].gt(0).all()
    for row in frame.to_dict("records"):
        wiring = table.wiring(row["number"])
        keys = (wiring.fingerprint, row["replicate"])
        network = NetworkSpec("mlp").build(wiring, stream(0, "weights", *keys))
        history = train(
            network, TASK, Recipe(**RECIPE), learning_rate=row["learning_rate"], rng=stream(0, "batches", *keys)
        )
        with torch.no_grad():
            hits = network(TASK.inputs[TASK.test]).argmax(dim=1) == TASK.targets[TASK.test]
        assert row["test"] == pytest.approx(float(hits.double().mean()), abs=1e-12)
        assert row["value"] == history.value
        assert row["validation_loss"] == history.epochs[-1].validation_loss
        assert (row["steps"], row["epochs"], row["diverged"]) == (history.steps, 2, False)
        assert row["engine"] == history.engine
        assert pd.isna(row["error"])


def test_rows_are_in_the_order_of_wirings_learning_rates_and_replicates(calm: Path):
    frame = rows(calm)
    keys = frame[["number", "learning_rate", "replicate"]].itertuples(index=False, name=None)
    assert list(keys) == [(number, rate, j) for number in range(6) for rate in (0.01, 0.1) for j in range(2)]


def test_a_row_describes_its_wiring(calm: Path):
    table = load(calm)
    for row in table.to_frame().to_dict("records"):
        wiring = table.wiring(row["number"])
        expected = describe(wiring, row["param_n"])
        del expected["hidden_edges"]
        assert {name: row[name] for name in expected} == expected
        assert row["n_parameters"] == NetworkSpec("mlp").n_parameters(wiring)["total"]
        assert row["n_hidden"] == row["param_n"]
        assert pd.isna(row["param_p"]) == (row["param_family"] != "watts-strogatz")
        assert pd.isna(row["param_initial"]) == (row["param_family"] != "barabasi-albert")
        assert "torch" in row["versions"]


def test_the_outcome_sums_up_the_rows(tmp_path: Path, calm: Path):
    outcome = make(calm).run()
    found = outcome.to_json()
    assert found["seconds"] == pytest.approx(load(calm).to_frame()["seconds"].sum())
    del found["seconds"]
    assert found == {
        "out": str(calm),
        "task": "signs",
        "network": "mlp",
        "metric": "accuracy",
        "engines": list(load(calm).to_frame()["engine"].unique()),
        "wirings": 6,
        "trainings": 24,
        "diverged": 0,
        "failed": 0,
    }


def test_a_training_that_diverged_is_worth_the_constant_prediction(tmp_path: Path):
    recipe = {"epochs": 4, "learning_rates": (0.01, 1e30), "optimizer": "sgd", "schedule": "constant"}
    outcome = make(tmp_path, wirings=2, seeds=1, recipe=recipe).run()
    frame = load(tmp_path).to_frame()
    bad = frame[frame["learning_rate"] == 1e30]
    assert bad["diverged"].all()
    assert set(bad["value"]) == {TASK.constant_value}
    assert set(bad["test"]) == {TASK.constant_score(TASK.test)}
    assert bad["validation_loss"].isna().all()
    assert not frame[frame["learning_rate"] == 0.01]["diverged"].any()
    assert (outcome.diverged, outcome.failed) == (2, 0)


def test_under_early_stopping_the_loss_is_that_of_the_best_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    histories: list[History] = []

    original = evaluation.Trainer.train

    def kept(*arguments: Any) -> Any:
        training = original(*arguments)
        histories.append(training.history)
        return training

    monkeypatch.setattr(evaluation.Trainer, "train", kept)
    make(tmp_path, recipe={"epochs": 30, "learning_rates": 0.3, "patience": 2}).run()
    found = load(tmp_path).to_frame()["validation_loss"].tolist()
    best = [int(np.argmax([epoch.validation_metric for epoch in history.epochs])) for history in histories]
    assert found == [history.epochs[i].validation_loss for history, i in zip(histories, best, strict=True)]
    assert any(i < len(history.epochs) - 1 for history, i in zip(histories, best, strict=True))


def test_the_engine_that_is_asked_for_trains(tmp_path: Path, calm: Path):
    outcome = make(tmp_path, engine="torch").run()
    assert outcome.engines == ("torch",)
    for name in ("value", "test", "validation_loss"):
        assert rows(tmp_path)[name].to_numpy() == pytest.approx(rows(calm)[name].to_numpy(), abs=2 / len(TASK.test))


def test_an_engine_that_is_not_there_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.modules[engine_for.__module__], "has_native", lambda: False)
    with pytest.raises(InputError, match="engine=native: it was not built"):
        make(tmp_path / "out", engine="native")


def test_a_survey_of_an_rnn(tmp_path: Path):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 4, 2)).astype(np.float32)
    task = Task.from_arrays("sums", inputs, inputs.sum(axis=(1, 2)))
    outcome = make(tmp_path, task=task, network="rnn", wirings=2, space={**SPACE, "structure": "stack"}).run()
    assert (outcome.metric, outcome.trainings) == ("mean-squared-error", 8)
    assert load(tmp_path).wiring(1).n_outputs == 1


# Whatever happened in between


@pytest.mark.parametrize("threads", [2, 5])
def test_rows_do_not_depend_on_threads(tmp_path: Path, calm: Path, threads: int):
    make(tmp_path, threads=threads).run()
    assert same(rows(tmp_path), rows(calm))


def test_more_wirings_are_added_and_none_is_trained_again(tmp_path: Path, calm: Path, monkeypatch: pytest.MonkeyPatch):
    for wirings, trained in ((2, 8), (2, 0), (6, 16), (3, 0)):
        count = Count(monkeypatch)
        outcome = make(tmp_path, wirings=wirings, threads=2).run()
        assert len(count.keys) == trained
    assert outcome.wirings == 6
    assert same(rows(tmp_path), rows(calm))
    assert len(list((tmp_path / "parts").iterdir())) == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_a_survey_that_is_stopped_again_and_again(
    tmp_path: Path, calm: Path, monkeypatch: pytest.MonkeyPatch, threads: int
):
    monkeypatch.setattr(survey, "_WRITE_EVERY_S", 0.0)
    stored, stops, known = 0, 0, set()
    while True:
        making = make(tmp_path, threads=threads)

        def stop(count: int, making: Survey = making) -> None:
            if count == 4 * threads + 3:
                making.stop.set()

        with monkeypatch.context() as patch:
            count = Count(patch, stop)
            try:
                making.run()
                break
            except KeyboardInterrupt:
                stops += 1
                done = len(load(tmp_path))
                assert done >= stored
                assert not known & set(count.keys)
                known |= keys_of(rows(tmp_path))
                stored = done
    assert 1 <= stops < 50
    assert same(rows(tmp_path), rows(calm))


def test_what_is_finished_when_it_is_stopped_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    making = make(tmp_path)
    Count(monkeypatch, lambda count: making.stop.set() if count == 11 else None)
    with pytest.raises(KeyboardInterrupt):
        making.run()
    assert rows(tmp_path)["number"].unique().tolist() == [0, 1]


def test_rows_can_be_read_while_a_survey_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(survey, "_WRITE_EVERY_S", 0.0)
    lengths: list[int] = []

    def read(count: int) -> None:
        lengths.append(len(load(tmp_path)))
        while count == 24 and lengths[-1] == 0:
            lengths.append(len(load(tmp_path)))

    Count(monkeypatch, read)
    make(tmp_path).run()
    assert lengths == sorted(lengths)
    assert 0 < lengths[-1] < 24


def test_reading_again_where_parts_were_merged_meanwhile(calm: Path, monkeypatch: pytest.MonkeyPatch):
    from nas.search import survey_table

    missing = [FileNotFoundError()] * 2
    original = survey_table.read_rows

    def read(*arguments: Any) -> Any:
        if missing:
            raise missing.pop()
        return original(*arguments)

    monkeypatch.setattr(survey_table, "read_rows", read)
    assert len(load(calm)) == 24


def test_the_watcher_hears_of_every_wiring(tmp_path: Path):
    make(tmp_path, wirings=2).run()
    heard: list[Standing] = []
    make(tmp_path).run(heard.append)
    assert {(standing.total, standing.trainings) for standing in heard} == {(6, 4)}
    done = [standing.done for standing in heard]
    assert done == sorted(done)
    assert done[0] == 2
    assert done[-1] == 6


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
    tmp_path: Path, calm: Path, monkeypatch: pytest.MonkeyPatch
):
    calls = fail(monkeypatch, lambda _fingerprint, replicate, rate, _count: (replicate, rate) == (1, 0.1))
    outcome = make(tmp_path).run()
    assert len(calls) == 18 + 6 * 3
    assert (outcome.failed, outcome.trainings) == (6, 24)
    found, expected = rows(tmp_path), rows(calm)
    bad = found["error"].notna()
    assert set(found.loc[bad, "error"]) == {"ZeroDivisionError: no way"}
    assert found.loc[bad, ["value", "test", "diverged", "steps", "engine"]].isna().all(axis=None)
    assert found.loc[bad, "fingerprint"].tolist() == expected.loc[bad, "fingerprint"].tolist()
    assert found.loc[~bad, "value"].tolist() == expected.loc[~bad, "value"].tolist()


def test_a_training_that_fails_twice_is_as_if_nothing_had_been(
    tmp_path: Path, calm: Path, monkeypatch: pytest.MonkeyPatch
):
    fail(monkeypatch, lambda *key: key[-1] < 3)
    assert make(tmp_path).run().failed == 0
    assert same(rows(tmp_path), rows(calm))


def test_a_survey_in_which_everything_fails_ends_and_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(survey, "_WRITE_EVERY_S", 0.0)
    fail(monkeypatch, lambda *_: True)
    with pytest.raises(CampaignError, match=r"wirings failed one after another.*ZeroDivisionError: no way"):
        make(tmp_path, wirings=1000, seeds=1).run()
    with pytest.raises(CampaignError, match="all 6 wirings failed; the last one with: ZeroDivisionError: no way"):
        make(tmp_path / "few").run()
    assert len(load(tmp_path)) == len(load(tmp_path / "few")) == 0


def test_wirings_that_fail_at_the_end_of_an_interrupted_run_are_trained_again(
    tmp_path: Path, calm: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(survey, "_WRITE_EVERY_S", 0.0)
    good = set(rows(calm)["fingerprint"].unique()[:2])
    making = make(tmp_path)
    with monkeypatch.context() as patch:
        calls = fail(patch, lambda fingerprint, *_: fingerprint not in good)
        original = survey_rows.RowMaker.rows

        def stopping(maker: Any, number: int) -> Any:
            if number == 4:
                making.stop.set()
            return original(maker, number)

        patch.setattr(survey_rows.RowMaker, "rows", stopping)
        with pytest.raises(KeyboardInterrupt):
            making.run()
    assert len(set(calls)) == 16
    assert rows(tmp_path)["number"].unique().tolist() == [0, 1]
    make(tmp_path).run()
    assert same(rows(tmp_path), rows(calm))


def test_wirings_that_fail_at_the_end_are_rows_too(tmp_path: Path, calm: Path, monkeypatch: pytest.MonkeyPatch):
    good = set(rows(calm)["fingerprint"].unique()[:2])
    fail(monkeypatch, lambda fingerprint, *_: fingerprint not in good)
    assert make(tmp_path).run().failed == 16
    assert rows(tmp_path)["error"].isna().tolist() == [True] * 8 + [False] * 16


def test_an_error_while_storing_ends_the_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(survey, "_WRITE_EVERY_S", 0.0)
    monkeypatch.setattr("nas.search.parts.pq.write_table", lambda *_, **__: full())
    with pytest.raises(OSError, match="No space left"):
        make(tmp_path, wirings=10**6, threads=2).run()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wirenas")]
    assert list((tmp_path / "parts").iterdir()) == []


# What is refused

OTHER = {
    "network": "rnn",
    "activation": "tanh",
    "cell": "lstm",
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
def test_every_other_option_is_refused_by_its_name(calm: Path, name: str):
    section, _, field = name.rpartition(".")
    base = {"space": SPACE, "recipe": RECIPE}
    options = {section: {**base[section], field: OTHER[name]}} if section else {field: OTHER[name]}
    before = (calm / "survey.toml").read_bytes()
    with pytest.raises(InputError, match=f"^{name}=.*the survey in .* and only wirings may change") as caught:
        make(calm, wirings=9, **options).run()
    assert "\n" not in str(caught.value)
    assert (calm / "survey.toml").read_bytes() == before
    assert len(load(calm)) == 24


def test_the_options_that_are_tested_are_all(calm: Path):
    assert {name for name in OTHER if "." not in name} == set(SurveyOptions.model_fields) - {
        "wirings",
        "task",
        "space",
        "recipe",
    }


def test_other_data_of_the_same_name_are_refused(calm: Path):
    with pytest.raises(InputError, match=r"^data="):
        make(calm, task=make_task(1)).run()


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


def test_by_default_a_thread_works_on_every_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    assert make(tmp_path, threads=None).threads == 3
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    assert make(tmp_path, threads=None).threads == 7


def test_the_recipe_of_a_task_holds_where_none_is_given(tmp_path: Path):
    task = replace(TASK, recipe={"epochs": 7, "batch_size": 16})
    assert make(tmp_path, task=task, recipe={}).options.recipe == Recipe(epochs=7, batch_size=16)
    assert make(tmp_path, task=task, recipe={"epochs": 2}).options.recipe == Recipe(epochs=2, batch_size=16)
    assert make(tmp_path, task=task, recipe=Recipe(epochs=2)).options.recipe == Recipe(epochs=2, batch_size=16)


# Loading


def test_a_wiring_that_is_not_there_is_refused(calm: Path, tmp_path: Path):
    for number in (-1, 6):
        with pytest.raises(InputError, match="the survey has wirings 0 to 5"):
            load(calm).wiring(number)


def test_a_wiring_of_another_version_of_its_prior_is_refused(calm: Path):
    table = load(calm)
    column = table.table.schema.get_field_index("fingerprint")
    other = table.table.set_column(column, "fingerprint", [["0" * 64] * len(table)])
    with pytest.raises(CampaignError, match="wiring 2 was drawn by another version of its prior"):
        type(table)(other, table.identity).wiring(2)


def test_a_folder_without_either_is_one_line(tmp_path: Path):
    with pytest.raises(InputError, match="no campaign here"):
        load(tmp_path)
