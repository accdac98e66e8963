"""Trainings of studies are stored one by one and never repeated; means over seeds have Student's intervals."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from nas.errors import InputError
from nas.evaluation.estimates import Mean, mean_of
from nas.evaluation.trainings import CHOOSING, Training, Trainings, grouped, write_rows
from nas.training import Interrupted
from nas.training.recipe import Recipe

SETTING = {"epochs": 2, "data": "abc"}


def counted(calls: list[Any], **key: Any) -> Training:
    def run(stop: Any) -> dict[str, Any]:
        assert not stop.is_set()
        calls.append(key)
        return {"validation": key["x"] ** 2 / 100, "seconds": 0.5}

    return Training(key, run)


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "runs.jsonl").read_text(encoding="utf-8").splitlines()]


def test_what_is_stored_is_not_trained_again(tmp_path: Path):
    calls: list[Any] = []
    seen: list[tuple[str, int, int]] = []
    jobs = [counted(calls, x=x, seed=0) for x in range(4)]
    first = Trainings(tmp_path, SETTING).run("first", jobs[:2])
    # The names of a key may come in any order.
    again = [counted(calls, seed=0, x=1), jobs[3]]
    rows = Trainings(tmp_path, SETTING, watch=lambda *told: seen.append(told)).run("again", again)
    assert calls == [{"x": 0, "seed": 0}, {"x": 1, "seed": 0}, {"x": 3, "seed": 0}]
    assert rows[0] == first[1]
    assert {"x": 3, "seed": 0, "validation": 0.09, "seconds": 0.5}.items() <= rows[1].items()
    assert rows[1]["wall"] >= 0
    assert rows[1]["cpu"] >= 0
    assert seen == [("again", 1, 2), ("again", 2, 2)]


def test_a_line_that_was_cut_off_is_trained_again(tmp_path: Path):
    calls: list[Any] = []
    jobs = [counted(calls, x=x) for x in range(3)]
    whole = Trainings(tmp_path, SETTING).run("all", jobs)
    file = tmp_path / "runs.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    calls.clear()
    rows = Trainings(tmp_path, SETTING).run("all", jobs)
    assert calls == [{"x": 2}]
    assert [row["validation"] for row in rows] == [row["validation"] for row in whole]
    assert [line["key"] for line in lines_of(tmp_path)] == [{"x": 0}, {"x": 1}, {"x": 2}]


def test_an_interrupted_study_goes_on(tmp_path: Path):
    calls: list[Any] = []

    def interrupted(_: Any) -> dict[str, Any]:
        raise Interrupted

    with pytest.raises(KeyboardInterrupt):
        Trainings(tmp_path, SETTING).run("all", [counted(calls, x=0), Training({"x": 1}, interrupted)])
    assert [line["key"] for line in lines_of(tmp_path)] == [{"x": 0}]
    rows = Trainings(tmp_path, SETTING).run("all", [counted(calls, x=0), counted(calls, x=1)])
    assert calls == [{"x": 0}, {"x": 1}]
    assert [row["x"] for row in rows] == [0, 1]


def test_so_many_at_a_time_in_any_order_of_ending(tmp_path: Path):
    both = threading.Barrier(2, timeout=20)

    def job(x: int) -> Training:
        def run(_: Any) -> dict[str, Any]:
            both.wait()
            return {}

        return Training({"x": x}, run)

    rows = Trainings(tmp_path, SETTING, threads=2).run("all", [job(x) for x in range(4)])
    assert [row["x"] for row in rows] == [0, 1, 2, 3]
    assert [line["key"]["x"] for line in lines_of(tmp_path)] == [0, 1, 2, 3]


def test_a_study_of_before_an_option_of_the_recipe_goes_on(tmp_path: Path):
    recipe = Recipe(epochs=2).model_dump(mode="json")
    before = {name: value for name, value in recipe.items() if name != "normalise"}
    for out, own, earlier in (("flat", recipe, before), ("nested", {"recipe": recipe}, {"recipe": before})):
        Trainings(tmp_path / out, own)
        (tmp_path / out / "setting.json").write_text(json.dumps(earlier), encoding="utf-8")
        Trainings(tmp_path / out, own)
        other = json.loads(json.dumps(own).replace('"normalise": false', '"normalise": true'))
        with pytest.raises(InputError, match="normalise"):
            Trainings(tmp_path / out, other)


def test_another_setting_is_refused_in_one_line(tmp_path: Path):
    Trainings(tmp_path, SETTING)
    Trainings(tmp_path, dict(reversed(SETTING.items())))
    with pytest.raises(InputError, match=r"epochs=3: the study in .* was started with 2; give the same, or another"):
        Trainings(tmp_path, {**SETTING, "epochs": 3})
    with pytest.raises(InputError, match=r'more="x": the study in .* was started with null'):
        Trainings(tmp_path, {**SETTING, "more": "x"})


def test_rates_are_chosen_by_validation_with_a_seed_that_does_not_count(tmp_path: Path):
    values = {("a", 0.1): 0.5, ("a", 0.3): 0.7, ("b", 0.1): 0.6, ("b", 0.3): 0.6}
    seeds = []

    def training(arm: str, rate: float, seed: int) -> Training:
        seeds.append(seed)
        return Training({"arm": arm, "rate": rate, "seed": seed}, lambda _: {"validation": values[arm, rate]})

    study = Trainings(tmp_path, SETTING)
    assert study.best_rates("rates", ["a", "b"], (0.1, 0.3), training) == {"a": 0.3, "b": 0.1}
    assert set(seeds) == {CHOOSING}
    assert study.best_rates("rates", ["c"], (0.2,), training) == {"c": 0.2}
    assert len(lines_of(tmp_path)) == 4


def test_a_mean_over_seeds_has_the_interval_of_students_t():
    values = [0.91, 0.93, 0.9, 0.95, 0.94]
    found = mean_of(values)
    low, high = stats.t.interval(0.95, 4, loc=stats.tmean(values), scale=stats.sem(values))
    assert (found.mean, found.sd, found.n) == pytest.approx((0.926, stats.tstd(values), 5))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert mean_of([0.5]).mean == 0.5
    assert str(mean_of([0.5]).low) == "nan"
    assert mean_of([1.0, 1.0]) == Mean(1.0, 0.0, 1.0, 1.0, 2)


def test_rows_are_grouped_and_written(tmp_path: Path):
    rows = [{"a": "x", "d": 0.1, "s": 0}, {"a": "y", "d": 0.1, "s": 0}, {"a": "x", "d": 0.1, "s": 1}]
    assert grouped(rows, "a", "d") == {("x", 0.1): [rows[0], rows[2]], ("y", 0.1): [rows[1]]}
    write_rows(tmp_path / "t.csv", [{"a": "x", "mean": 1 / 3, "sd": float("nan")}])
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == "a,mean,sd\nx,0.333333,\n"
