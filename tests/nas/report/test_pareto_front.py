"""A front: who is on it, which finalists stand for it, and how they compare when they are trained afresh."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pareto_cases import PNG, SPACE, numbers

from nas.campaign.campaign import Campaign
from nas.evaluation.finals import FRESH
from nas.evaluation.trainer import Trainer
from nas.networks import NetworkSpec
from nas.report.front import evenly_by_size, front_records
from nas.report.outcome import Outcome
from nas.report.verdict import front_verdict
from nas.store.records import Record, Records
from nas.tasks import Task
from nas.training import Recipe
from priors import read_wiring

pytestmark = pytest.mark.usefixtures("drawn_figures")


def records_of(points: list[tuple[float | None, int]], same: Mapping[int, int] | None = None) -> Records:
    """Make records of values and sizes; those in `same` are trials of the wiring of another one."""
    return Records(
        tuple(
            Record(
                number,
                "failed" if value is None else "complete",
                value,
                {},
                fingerprint=str((same or {}).get(number, number)),
                n_parameters=size,
            )
            for number, (value, size) in enumerate(points)
        )
    )


# The front


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=1, max_size=12),
    st.sampled_from(["maximize", "minimize"]),
)
def test_a_front_holds_one_of_each_point_that_none_dominates(points: list[tuple[int, int]], direction: str):
    found = front_records(records_of([(float(value), size) for value, size in points]), direction)
    sign = 1 if direction == "maximize" else -1
    best = {
        (value, size)
        for value, size in points
        if not any((sign * v >= sign * value and s <= size) and (v, s) != (value, size) for v, s in points)
    }
    assert [(record.value, record.n_parameters) for record in found] == sorted(best, key=lambda point: point[1])
    assert all(points.index((record.value, record.n_parameters)) == record.number for record in found)


def test_of_several_trials_of_a_wiring_the_mean_counts():
    points = [(0.9, 100), (0.7, 50), (0.5, 100), (None, 10), (0.8, 100)]
    assert numbers(front_records(records_of(points), "maximize")) == [1, 0]
    # Trial 2 is another training of the wiring of trial 0: together they are worth 0.7, which trial 1 has with less.
    assert numbers(front_records(records_of(points, same={2: 0}), "maximize")) == [1, 4]
    found = front_records(records_of([(0.9, 100), (0.6, 50), (0.5, 100)], same={2: 0}), "maximize")
    assert [(record.number, record.value) for record in found] == [(1, 0.6), (0, 0.7)]


def test_finalists_are_spread_over_the_logarithm_of_size():
    front = list(records_of([(i / 100, size) for i, size in enumerate((100, 101, 102, 1000, 9000, 9900, 10000))]))
    sizes = {n: [record.n_parameters for record in evenly_by_size(front, n)] for n in range(1, 9)}
    assert sizes[1] == [10000]
    assert sizes[2] == [100, 10000]
    assert sizes[3] == [100, 1000, 10000]
    assert all(len(found) == min(n, 7) and found == sorted(set(found)) for n, found in sizes.items())
    assert all(found[0] == 100 and found[-1] == 10000 for n, found in sizes.items() if n > 1)


# Finals


def tiny() -> Task:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(240, 4))
    return Task.from_arrays("tiny", inputs, (inputs @ rng.normal(size=(4, 3))).argmax(axis=1))


RECIPE = Recipe(epochs=2, learning_rates=(0.01, 0.1))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, bare_campaigns: None) -> Outcome:
    out = tmp_path_factory.mktemp("trained") / "out"
    return Campaign(
        out,
        task=tiny(),
        objective="pareto",
        trials=24,
        finalists=4,
        final_seeds=3,
        sampler="random",
        space=SPACE,
        recipe=RECIPE,
        threads=1,
    ).run()


def test_every_finalist_of_a_front_is_trained_afresh_and_tested(trained: Outcome):
    fresh = [entry for entry in trained.front if entry["test"] is not None]
    assert len(fresh) == min(4, len(trained.front)) > 2
    assert {trained.front[0]["trial"], trained.front[-1]["trial"]} <= {entry["trial"] for entry in fresh}
    trainer = Trainer(tiny(), NetworkSpec("mlp"), RECIPE, 0)
    for entry in fresh:
        wiring = read_wiring(Path(trained.out) / "front" / f"{entry['trial']}.json")
        found = [trainer.train(wiring, FRESH + seed, entry["learning_rate"]) for seed in range(3)]
        tests = [training.test() for training in found]
        values = [training.history.value for training in found]
        assert entry["test"] == {
            "mean": pytest.approx(np.mean(tests)),
            "std": pytest.approx(np.std(tests, ddof=1)),
            "seeds": 3,
        }
        assert entry["validation"]["mean"] == pytest.approx(np.mean(values))
    best = max(entry["validation"]["mean"] for entry in fresh)
    assert trained.test["validation"] == pytest.approx(best)
    (winner,) = (entry for entry in fresh if entry["trial"] == trained.best["trial"])
    assert (winner["test"]["mean"], winner["validation"]["mean"]) == (trained.test["mean"], pytest.approx(best))
    stays = {
        entry["trial"]
        for entry in fresh
        if not any(
            other["validation"]["mean"] >= entry["validation"]["mean"] and other["n_parameters"] < entry["n_parameters"]
            for other in fresh
        )
    }
    assert {entry["trial"] for entry in fresh if entry["stays"]} == stays


def test_a_front_is_held_against_linear_and_dense_networks(trained: Outcome):
    fresh = [entry for entry in trained.front if entry["test"] is not None]
    linear, *dense = sorted(trained.front_references, key=lambda row: row["trial"] is not None)
    assert (linear["name"], linear["trial"], linear["n_parameters"]) == ("linear", None, 15)
    expected = {fresh[0]["trial"], fresh[len(fresh) // 2]["trial"], fresh[-1]["trial"], trained.best["trial"]}
    assert {row["trial"] for row in dense} == expected
    by_trial = {entry["trial"]: entry for entry in fresh}
    for row in dense:
        assert row["name"] == "dense with equal parameters"
        assert row["n_parameters"] == pytest.approx(by_trial[row["trial"]]["n_parameters"], rel=0.25)
        assert row["test"]["seeds"] == row["validation"]["seeds"] == 3
    assert [row["n_parameters"] for row in dense] == sorted(row["n_parameters"] for row in dense)
    assert f"With {fresh[0]['n_parameters']} parameters (trial {fresh[0]['trial']}) the front" in trained.verdict
    assert (Path(trained.out) / "front.png").read_bytes().startswith(PNG)
    assert (Path(trained.out) / "best" / "network.safetensors").is_file()


def test_finals_are_held_once(trained: Outcome):
    again = Campaign(
        trained.out, task=tiny(), objective="pareto", trials=24, finalists=4, final_seeds=3, sampler="random",
        space=SPACE, recipe=RECIPE, threads=1,
    ).run()  # fmt: skip
    assert again.to_json() == trained.to_json()
    assert again.test_uses == 1


def test_where_a_front_loses_is_said():
    def summary(mean: float, std: float | None = 0.01) -> dict[str, Any]:
        return {"mean": mean, "std": std, "seeds": 4}

    def member(trial: int, size: int, test: dict[str, Any] | None, stays: bool | None = True) -> dict[str, Any]:
        return {"trial": trial, "n_parameters": size, "test": test, "stays": stays}

    def rival(trial: int | None, size: int, mean: float) -> dict[str, Any]:
        return {"trial": trial, "n_parameters": size, "test": summary(mean)}

    front = [
        member(1, 100, summary(0.5)),
        member(2, 200, summary(0.7), stays=False),
        member(3, 300, None, stays=None),
        member(4, 400, summary(0.9)),
    ]
    rivals = [rival(None, 150, 0.8), rival(1, 101, 0.4), rival(2, 202, 0.705), rival(4, 404, 0.95)]
    text = front_verdict(front, rivals, "accuracy", "maximize")
    assert text == (
        "With 100 parameters (trial 1) the front beats the dense network of equal size "
        "(+10.00 [+8.27, +11.73] points). "
        "With 200 parameters (trial 2) the front is undecided against the dense network of equal size "
        "(-0.50 [-2.23, +1.23] points). "
        "With 400 parameters (trial 4) the front LOSES to the dense network of equal size "
        "(-5.00 [-6.73, -3.27] points). "
        "1 of 2 members that are no smaller LOSE to the linear network. "
        "Trained afresh, 1 of 3 are no longer on the front: their values were partly luck."
    )
    reverse = front_verdict(front, rivals, "loss", "minimize")
    assert "trial 1) the front LOSES to" in reverse
    assert "1 of 2 members" in reverse
    assert front_verdict((), (), "accuracy", "maximize") == ""
