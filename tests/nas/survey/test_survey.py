"""Survey: every row is what its training gives, and nothing but `seconds` depends on how it came about."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from survey_cases import RECIPE, SPACE, TASK, keys_of, make, rows, same

from nas import Survey, Task, load, survey
from nas.errors import CampaignError, InputError
from nas.evaluation import trainer as evaluation
from nas.networks import NetworkSpec
from nas.seeds import stream
from nas.space.draws import Draws
from nas.store import survey_parts as parts
from nas.store.records import describe
from nas.survey import Standing
from nas.training import History, Recipe, train
from nas.training.train import engine_for

pytestmark = pytest.mark.usefixtures("impatient_survey")


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


def test_every_row_is_what_its_training_gives(calm_survey: Path):
    table = load(calm_survey)
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


def test_the_surveys_seed_decides_about_wirings_trainings_and_its_predictor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seeds: list[int] = []
    monkeypatch.setattr(survey, "fit_into", lambda _, __, seed, **___: seeds.append(seed))
    made = make(tmp_path, seed=5, wirings=1, seeds=1, recipe={"epochs": 1, "learning_rates": 0.01})
    made.run()
    row = rows(tmp_path).iloc[0]
    draw = Draws(made.options.resolved_space, 5, NetworkSpec("mlp"), 3, 2).draw(0)
    assert row["fingerprint"] == draw.wiring.fingerprint
    keys = (row["fingerprint"], 0)
    network = NetworkSpec("mlp").build(draw.wiring, stream(5, "weights", *keys))
    history = train(network, TASK, made.options.recipe, rng=stream(5, "batches", *keys))
    assert row["validation_loss"] == history.epochs[-1].validation_loss
    assert seeds == [5]


def test_rows_are_in_the_order_of_wirings_learning_rates_and_replicates(calm_survey: Path):
    frame = rows(calm_survey)
    keys = frame[["number", "learning_rate", "replicate"]].itertuples(index=False, name=None)
    assert list(keys) == [(number, rate, j) for number in range(6) for rate in (0.01, 0.1) for j in range(2)]


def test_a_row_describes_its_wiring(calm_survey: Path):
    table = load(calm_survey)
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


def test_the_outcome_sums_up_the_rows(tmp_path: Path, calm_survey: Path):
    outcome = make(calm_survey).run()
    found = outcome.to_json()
    assert found["seconds"] == pytest.approx(load(calm_survey).to_frame()["seconds"].sum())
    del found["seconds"]
    assert found == {
        "out": str(calm_survey),
        "task": "signs",
        "network": "mlp",
        "metric": "accuracy",
        "engines": list(load(calm_survey).to_frame()["engine"].unique()),
        "wirings": 6,
        "trainings": 24,
        "diverged": 0,
        "failed": 0,
        "wanted": 6,
        "predictor": None,
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


def test_the_engine_that_is_asked_for_trains(tmp_path: Path, calm_survey: Path):
    outcome = make(tmp_path, engine="torch").run()
    assert outcome.engines == ("torch",)
    for name in ("value", "test", "validation_loss"):
        assert rows(tmp_path)[name].to_numpy() == pytest.approx(
            rows(calm_survey)[name].to_numpy(), abs=2 / len(TASK.test)
        )


def test_an_engine_that_is_not_there_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.modules[engine_for.__module__], "has_native", lambda: False)
    with pytest.raises(InputError, match="engine=native: it could not be built"):
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
def test_rows_do_not_depend_on_threads(tmp_path: Path, calm_survey: Path, threads: int):
    make(tmp_path, threads=threads).run()
    assert same(rows(tmp_path), rows(calm_survey))


def test_more_wirings_are_added_and_none_is_trained_again(
    tmp_path: Path, calm_survey: Path, monkeypatch: pytest.MonkeyPatch
):
    for wirings, trained in ((2, 8), (2, 0), (6, 16), (3, 0)):
        count = Count(monkeypatch)
        outcome = make(tmp_path, wirings=wirings, threads=2).run()
        assert len(count.keys) == trained
    assert outcome.wirings == 6
    assert same(rows(tmp_path), rows(calm_survey))
    assert len(list((tmp_path / "parts").iterdir())) == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_a_survey_that_is_stopped_again_and_again(
    tmp_path: Path, calm_survey: Path, monkeypatch: pytest.MonkeyPatch, threads: int
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
    assert same(rows(tmp_path), rows(calm_survey))


def test_what_is_finished_when_it_is_stopped_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    making = make(tmp_path)
    Count(monkeypatch, lambda count: making.stop.set() if count == 11 else None)
    with pytest.raises(KeyboardInterrupt):
        making.run()
    assert rows(tmp_path)["number"].unique().tolist() == [0, 1]


@pytest.mark.parametrize("moment", ["listed", "written"])
def test_a_second_ctrl_c_while_rows_are_stored_stores_nothing_twice(
    tmp_path: Path, calm_survey: Path, monkeypatch: pytest.MonkeyPatch, moment: str
):
    def interrupting(original: Any) -> Any:
        def run(*arguments: Any) -> Any:
            result = original(*arguments)
            if not interrupted:
                interrupted.append(True)
                raise KeyboardInterrupt
            return result

        return run

    interrupted: list[bool] = []
    name = {"listed": "append", "written": "_write"}[moment]
    with monkeypatch.context() as patch:
        patch.setattr(survey, "_WRITE_EVERY_S", 0.0)
        patch.setattr(parts.Parts, name, interrupting(getattr(parts.Parts, name)))
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path).run()
    count = len(load(tmp_path))
    assert 0 < count <= 24
    assert same(rows(tmp_path), rows(calm_survey).head(count).astype(rows(tmp_path).dtypes))
    make(tmp_path).run()
    assert same(rows(tmp_path), rows(calm_survey))


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


def test_reading_again_where_parts_were_merged_meanwhile(calm_survey: Path, monkeypatch: pytest.MonkeyPatch):
    from nas.store import survey_table

    missing = [FileNotFoundError()] * 2
    original = survey_table.read_rows

    def read(*arguments: Any) -> Any:
        if missing:
            raise missing.pop()
        return original(*arguments)

    monkeypatch.setattr(survey_table, "read_rows", read)
    assert len(load(calm_survey)) == 24


def test_the_watcher_hears_of_every_wiring(tmp_path: Path):
    make(tmp_path, wirings=2).run()
    heard: list[Standing] = []
    make(tmp_path).run(heard.append)
    assert {(standing.total, standing.trainings) for standing in heard} == {(6, 4)}
    done = [standing.done for standing in heard]
    assert done == sorted(done)
    assert done[0] == 2
    assert done[-1] == 6


# Loading


def test_a_wiring_that_is_not_there_is_refused(calm_survey: Path, tmp_path: Path):
    for number in (-1, 6):
        with pytest.raises(InputError, match="the survey has wirings 0 to 5"):
            load(calm_survey).wiring(number)


def test_a_wiring_of_another_version_of_its_prior_is_refused(calm_survey: Path):
    table = load(calm_survey)
    column = table.table.schema.get_field_index("fingerprint")
    other = table.table.set_column(column, "fingerprint", [["0" * 64] * len(table)])
    with pytest.raises(CampaignError, match="wiring 2 was drawn by another version of its prior"):
        type(table)(other, table.identity).wiring(2)


def test_a_wiring_of_parameters_that_nobody_drew_is_damage(calm_survey: Path):
    table = load(calm_survey)
    column = table.table.schema.get_field_index("param_n")
    other = table.table.set_column(column, "param_n", [[10**9] * len(table)])
    with pytest.raises(InputError, match="wiring 2: damaged, or not ours: n=1000000000 is outside of its space"):
        type(table)(other, table.identity).wiring(2)


def test_a_folder_without_either_is_one_line(tmp_path: Path):
    with pytest.raises(InputError, match="no campaign here"):
        load(tmp_path)
