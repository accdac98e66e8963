"""The study of rewiring: what it trains, which rate it takes, that it goes on, and words that follow from numbers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import refused, wirenas

from nas.errors import InputError
from nas.evaluation.estimates import mean_of
from nas.evaluation.trainings import CHOOSING
from nas.sparsity.methods import METHODS
from nas.store.lines import plain
from nas.studies import lenet, rewiring
from nas.studies.lenet import LeNet, fewer_examples
from nas.studies.rewiring import CHOSEN_AT, PUBLISHED, pages, rewiring_study
from nas.tasks import load_task
from nas.training.recipe import Recipe

WIDTHS = (30, 20)
EVERYTHING = 64 * 30 + 30 * 20 + 20 * 10
SHORT: dict[str, Any] = {"task": "digits", "epochs": 12, "densities": [0.2], "rates": [0.1]}


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "runs.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A smaller network tells as much about the study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lenet, "WIDTHS", WIDTHS)
        yield


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("rewiring") / "out"
    return out, rewiring_study(out, seeds=2, **SHORT)


def test_every_method_ends_with_the_weights_that_are_asked_for(study: tuple[Path, dict[str, Any]]):
    out, found = study
    weights = {arm["method"]: arm["weights"] for arm in found["arms"]}
    assert weights == {name: EVERYTHING if name == "dense" else round(0.2 * EVERYTHING) for name in rewiring.METHODS}
    rows = {line["key"]["method"]: line["row"] for line in lines_of(out)}
    assert {name for name, row in rows.items() if row["updates"]} == {"set", "rigl", "gmp"}
    assert {name: row["explored"] for name, row in rows.items() if name in ("static", "dense", "gmp")} == {
        "static": pytest.approx(0.2, abs=2e-4),
        "dense": 1.0,
        "gmp": 1.0,
    }
    assert rows["set"]["explored"] > 0.3
    assert all(0.5 < row["test"] <= 1 for row in rows.values())


def test_files_and_numbers(study: tuple[Path, dict[str, Any]]):
    out, found = study
    kept = json.loads((out / "rewiring.json").read_text(encoding="utf-8"))
    assert kept == {name: value for name, value in found.items() if name != "out"}
    assert (out / "README.md").read_text(encoding="utf-8") == pages(kept)["README.md"]
    assert (out / "rewiring.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    tests = [line["row"]["test"] for line in lines_of(out) if line["key"]["method"] == "rigl"]
    (arm,) = [arm for arm in found["arms"] if arm["method"] == "rigl"]
    assert arm["tests"] == pytest.approx(tests, rel=1e-5)
    assert arm["test"]["mean"] == pytest.approx(mean_of(tests).mean, rel=1e-5)


def test_what_is_stored_is_not_trained_again(study: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch):
    out, found = study
    monkeypatch.setattr(LeNet, "train", lambda *_: pytest.fail("trained again"))
    assert rewiring_study(out, seeds=2, **SHORT) == found
    with pytest.raises(InputError, match=r"epochs=13: the study in .* was started with 12"):
        rewiring_study(out, **{**SHORT, "epochs": 13})


def test_the_rate_of_a_method_is_chosen_at_one_density_and_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def train(_: LeNet, method: Any, density: float, rate: float, seed: int, __: Any) -> dict[str, Any]:
        best = 0.1 if method == rewiring.METHODS["rigl"] and density == CHOSEN_AT else 0.05
        value = 0.9 - abs(rate - best)
        return {"validation": value, "test": value, "weights": 1, "explored": 0.1, "seconds": 0.0, "updates": 0}

    monkeypatch.setattr(LeNet, "train", train)
    given = {**SHORT, "rates": [0.05, 0.1], "densities": [0.05, 0.1]}
    found = rewiring_study(tmp_path, methods=["rigl", "dense"], seeds=3, **given)
    assert [(arm["method"], arm["density"], arm["rate"]) for arm in found["arms"]] == [
        ("rigl", 0.05, 0.1),
        ("rigl", 0.1, 0.1),
        ("dense", 1.0, 0.05),
    ]
    chosen = [line["key"] for line in lines_of(tmp_path) if line["key"]["seed"] == CHOOSING]
    assert [(key["method"], key["density"]) for key in chosen] == [("rigl", CHOSEN_AT)] * 2 + [("dense", 1.0)] * 2
    assert all(arm["test"]["n"] == 3 for arm in found["arms"])


def numbers_of(tests: dict[tuple[str, float], list[float]], task: str = "mnist") -> Any:
    arms = [
        {"method": name, "density": density, "rate": 0.1, "test": mean_of(own), "tests": own, "validation": 0.9,
         "weights": 10, "explored": 0.5, "cpu": 1.0, "wall": 1.0}
        for (name, density), own in tests.items()
    ]  # fmt: skip
    recipe = rewiring.RECIPE.model_dump(mode="json")
    return plain({"task": task, "seeds": 2, "examples": 9, "recipe": recipe, "machine": "one", "arms": arms})


def test_words_follow_from_the_numbers():
    numbers = numbers_of(
        {
            ("set", 0.01): [PUBLISHED["SET"][0.01] - 0.002, PUBLISHED["SET"][0.01] - 0.003],
            ("set", 0.02): [PUBLISHED["SET"][0.02] - 0.004, PUBLISHED["SET"][0.02] - 0.006],
            ("rigl", 0.05): [0.99, 0.99],
            ("static", 0.01): [0.94, 0.95],
            ("static", 0.02): [0.96, 0.97],
        }
    )
    text = pages(numbers)["README.md"]
    near = (
        "- set is within 0.3 points of the published SET column, or above it, at 0.01, and BELOW it by more than that"
    )
    assert f"{near} elsewhere: by 0.50 at 0.02.\n" in text
    assert "- rigl is within 0.3 points of the published sparse momentum column, or above it, at 0.05.\n" in text
    assert "Over a static structure set gains, in points and pairs of seeds, +1.05 [" in text
    assert "| 0.01 | set | 0.9555 [" in text
    assert "0.9580 (SET) | -0.25 |" in text
    assert "gmp gains" not in text
    behind = pages(numbers_of({("rigl", 0.01): [0.9, 0.9], ("rigl", 0.02): [0.9, 0.9]}))["README.md"]
    assert "rigl is BELOW the published sparse momentum column by more than 0.3 points: by 7.53 at 0.01 and" in behind
    methods, densities = "--method set --method rigl --method static", "--density 0.01 --density 0.02 --density 0.05"
    assert f"`wirenas study rewiring {methods} {densities}`" in text
    assert "The learning rate of each method is the one of 0.05, 0.1 and 0.2 that does best on validation" in text
    assert (
        "The learning rate is 0.2."
        in pages({**numbers, "recipe": {**numbers["recipe"], "learning_rates": [0.2]}})["README.md"]
    )


def test_other_tasks_have_no_published_numbers():
    text = pages(numbers_of({("set", 0.01): [0.9, 0.91]}, "digits"))["README.md"]
    assert "(SET)" not in text
    assert "column, or above it" not in text


def test_bad_input_is_one_line(tmp_path: Path):
    for given, words in (
        ({"methods": ["sett"]}, r"method 'sett' is not known \(nearest: set\)"),
        ({"densities": [1.5]}, "density=1.5: it must be above 0, and 1 at most"),
        ({"rates": [0.0]}, "learning_rates"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            rewiring_study(tmp_path / "out", **{**SHORT, **given})
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path: Path):
    given = ("study", "rewiring", "--task", "digits", "--method", "static", "--density", 0.1, "--learning-rate", 0.1)
    out = ("--seeds", 1, "--threads", 1, "--out", tmp_path / "out", "--json")
    code, text, err = wirenas(*given, "--epochs", 1, *out)
    assert code == 0, err
    (arm,) = json.loads(text)["arms"]
    assert (arm["method"], arm["density"], arm["test"]["n"]) == ("static", 0.1, 1)
    assert "trainings: 1 trainings" in err
    assert "--epochs 2: the study in" in refused(*given, "--epochs", 2, *out)


# What studies of this network share


def test_fewer_examples_are_the_same_every_time():
    task = load_task("digits")
    few = fewer_examples(task, 100)
    assert len(few.train) == 100
    assert set(few.train.tolist()) < set(task.train.tolist())
    assert few.fingerprint == fewer_examples(task, 100).fingerprint
    assert few.validation is task.validation
    assert few.test is task.test
    assert fewer_examples(task, None) is task
    with pytest.raises(InputError, match=r"examples=2000: task digits has 1151 to train on"):
        fewer_examples(task, 2000)


def test_masks_in_torch_train_as_sparse_networks_do():
    """Same initial weights, structure, examples and updates: the two differ by roundings alone."""
    recipe = Recipe(optimizer="sgd", epochs=4, batch_size=64, nesterov=True, weight_decay=5e-4, schedule="step")
    of_digits = LeNet(load_task("digits"), recipe)
    method = METHODS["nowak"].replace(score="magnitude", every=5, begin=5)

    class Never:
        def is_set(self) -> bool:
            return False

    sparse = of_digits.train(method, 0.1, 0.05, 3, Never())
    masked = of_digits.train_masked(method, 0.1, 0.05, 3, Never())
    for name in ("weights", "parameters", "updates"):
        assert masked[name] == sparse[name]
    assert masked["updates"] == 4 * 18 // 5
    assert masked["explored"] == pytest.approx(sparse["explored"], abs=2e-3)
    for name in ("validation", "test"):
        assert masked[name] == pytest.approx(sparse[name], abs=0.02)
    other = of_digits.train_masked(method, 0.1, 0.05, 4, Never())
    assert other["explored"] != masked["explored"]
