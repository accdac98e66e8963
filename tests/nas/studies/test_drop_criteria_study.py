"""The study of drop criteria: its versions, differences by hand, words that follow from numbers, and going on."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import wirenas

from nas.errors import InputError
from nas.evaluation.estimates import mean_of
from nas.evaluation.trainings import Row
from nas.networks import SparseMLP
from nas.sparsity.learning import check_learning
from nas.sparsity.methods import nowak
from nas.store.lines import plain
from nas.studies import drop_criteria, lenet
from nas.studies.drop_criteria import CRITERIA, GROWTHS, drop_criteria_study, pages, version_of
from nas.studies.lenet import LeNet
from nas.tasks import load_task
from nas.training.recipe import Recipe
from priors import Layered

SHORT: dict[str, Any] = {
    "task": "digits",
    "epochs": 1,
    "examples": 256,
    "densities": [0.1],
    "rates": [0.1],
    "versions": ["described", "released"],
}


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A smaller network tells as much about the study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lenet, "WIDTHS", (30, 20))
        yield


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("drop-criteria") / "out"
    return out, drop_criteria_study(out, seeds=2, **SHORT)


def test_versions_are_the_published_ones_in_proportion():
    for criterion in CRITERIA:
        for growth in GROWTHS:
            own = version_of("described", criterion, growth, 42_200)
            assert own == nowak(criterion, growth).replace(every=800, begin=800)
            released = version_of("released", criterion, growth, 42_200)
            assert released == nowak(criterion, growth, released=True).replace(every=800, begin=800)
            sparse = version_of("released-sparse", criterion, growth, 42_200)
            assert sparse == released.replace(masked_slots="zero", new_slots="zero")
    assert str(version_of("described", "set", "random", 1250).every) == "24 steps"
    assert str(version_of("released", "set", "random", 10).begin) == "1 step"


def test_a_sparse_training_takes_what_was_released_but_for_hidden_momentum():
    network = SparseMLP(Layered((64, 5, 10), 1.0, inputs=True, outputs=True).sample(0), rng=0)
    given = (network, load_task("digits"), Recipe())
    check_learning(*given, version_of("released-sparse", "set", "random", 540), weights=20)
    with pytest.raises(InputError, match="masked_slots=dense"):
        check_learning(*given, version_of("released", "set", "random", 540), weights=20)


def test_the_page_tells_of_trainings_that_collapsed(study: tuple[Path, dict[str, Any]]):
    numbers = json.loads(json.dumps(study[1]))
    for arm in numbers["arms"]:
        arm["test"] |= {"sd": 0.02}
    assert "no training collapsed where others did not" in pages(numbers)["README.md"]
    numbers["arms"][3]["test"] |= {"sd": 0.318}
    arm = numbers["arms"][3]
    line = f"{arm['criterion']} with {arm['growth']} growth as described at density {arm['density']:g} (0.32)"
    assert "some trainings collapsed and the others did not" in pages(numbers)["README.md"]
    assert line in pages(numbers)["README.md"]
    numbers["arms"][4]["test"] |= {"sd": None, "low": None, "high": None, "n": 1}
    assert line in pages(numbers)["README.md"]


def test_everything_is_trained(study: tuple[Path, dict[str, Any]]):
    out, found = study
    arms = {(arm["version"], arm["criterion"], arm["growth"]) for arm in found["arms"]}
    pairs = {(criterion, growth) for criterion in CRITERIA for growth in GROWTHS}
    assert arms == {(version, *pair) for version in SHORT["versions"] for pair in pairs} | {("described", "static", "")}
    lines = [json.loads(line) for line in (out / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(arms) * 2
    described = [line["row"] for line in lines if line["key"]["version"] == "described"]
    assert {row["weights"] for row in described} == {272}
    # Numbers drift as released, with random growth.
    drifting = [line for line in lines if line["key"]["version"] == "released" and line["key"]["growth"] == "random"]
    assert {line["row"]["weights"] for line in drifting} != {272}
    masked = {line["key"]["version"] for line in lines if "seconds" not in line["row"]}
    assert masked == {"released"}


def test_files_and_numbers(study: tuple[Path, dict[str, Any]]):
    out, found = study
    kept = json.loads((out / "drop-criteria.json").read_text(encoding="utf-8"))
    assert kept == {name: value for name, value in found.items() if name != "out"}
    assert (out / "README.md").read_text(encoding="utf-8") == pages(kept)["README.md"]
    assert (out / "drop-criteria.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    with (out / "drop-criteria.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["test_mean"]) for row in rows] == [arm["test"]["mean"] for arm in found["arms"]]


def test_what_is_stored_is_not_trained_again(study: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch):
    out, found = study
    for name in ("train", "train_masked"):
        monkeypatch.setattr(LeNet, name, lambda *_: pytest.fail("trained again"))
    assert drop_criteria_study(out, seeds=2, **SHORT) == found
    with pytest.raises(InputError, match=r'data=".*": the study in .* was started with'):
        drop_criteria_study(out, **{**SHORT, "examples": 200})


def rows_of(tests: dict[tuple[str, str, str], list[float]], density: float = 0.05) -> list[Row]:
    return [
        {"version": version, "criterion": criterion, "growth": growth, "density": density, "rate": 0.1, "seed": seed,
         "test": test, "validation": test, "weights": 5, "explored": 0.5, "cpu": 1.0}
        for (version, criterion, growth), own in tests.items()
        for seed, test in enumerate(own)
    ]  # fmt: skip


def rows_with(gaps: dict[str, float], version: str = "described", noise: float = 0.001) -> dict[Any, list[float]]:
    """Return tests by arm; magnitude with gradient growth is four points better than with random growth."""
    return {
        (version, criterion, growth): [
            0.8 + 0.01 * seed - gaps.get(criterion, 0.0) + 0.04 * (growth == "gradient") + noise * (-1) ** seed * place
            for seed in range(4)
        ]
        for place, criterion in enumerate(CRITERIA)
        for growth in GROWTHS
    }


def test_differences_are_of_means_over_growths_in_pairs_of_seeds():
    tests = rows_with({"mest": 0.02})
    tests["described", "mest", "gradient"] = [value - 0.01 for value in tests["described", "mest", "gradient"]]
    tests["described", "static", ""] = [0.7] * 4
    found = {gain["other"]: gain for gain in drop_criteria._ahead(rows_of(tests))}
    assert list(found) == [*CRITERIA[1:], "static"]
    noise = [0.001 * (-1) ** seed * 2 for seed in range(4)]
    by_hand = mean_of([0.025 - each for each in noise])
    assert [found["mest"][name] for name in ("mean", "low", "high")] == pytest.approx(
        [by_hand.mean, by_hand.low, by_hand.high]
    )
    assert found["static"]["mean"] == pytest.approx(0.8 + 0.015 + 0.02 - 0.7)


def test_released_is_held_against_described_pair_by_pair():
    tests = rows_with({}) | rows_with({"set": 0.3}, "released")
    found = drop_criteria._released(rows_of(tests))
    assert len(found) == len(CRITERIA) * len(GROWTHS)
    means = {(gain["criterion"], gain["growth"]): gain["mean"] for gain in found}
    assert means.pop(("set", "random")) == pytest.approx(-0.3)
    assert means.pop(("set", "gradient")) == pytest.approx(-0.3)
    assert list(means.values()) == pytest.approx([0.0] * 8)


def page_of(tests: dict[Any, list[float]], versions: list[str]) -> str:
    rows = rows_of(tests)
    found = {
        "task": "digits", "seeds": 4, "examples": 9, "all_examples": 30, "n_steps": 1250, "machine": "one",
        "versions": versions,
        "recipe": drop_criteria.RECIPE.model_dump(mode="json"),
        "arms": [drop_criteria._numbers(own) for own in drop_criteria.grouped(
            rows, "version", "criterion", "growth", "density").values()],
        "ahead": drop_criteria._ahead(rows),
        "over_static": drop_criteria._over_static(rows),
        "released": drop_criteria._released(rows),
    }  # fmt: skip
    return pages(plain(found))["README.md"]


def test_words_follow_from_the_numbers():
    gaps = {"set": 0.1, "mest": -0.1, "snip": 0.1}
    text = page_of(rows_with(gaps) | rows_with({**gaps, "mest": 0.2}, "released"), ["described", "released"])
    described = "As described, at density 0.05, magnitude is ahead of set and snip, BEHIND mest, not told apart from"
    assert f"{described} reciprocal-sensitivity." in text
    assert "As released, at density 0.05, magnitude is ahead of set, mest and snip, not told apart from" in text
    assert "| described | set | +10.00 [" in text
    assert "`wirenas study drop-criteria --density 0.05 --examples 9`" in text
    assert "| mest | gradient | 0.1 | 0.9550 [" in text
    (line,) = [line for line in text.splitlines() if line.startswith("- As released, at density 0.05: ")]
    assert "mest with random growth (-30.00 [-30.00, -30.00]) and mest with gradient growth (-30.00" in line
    assert "set" not in line


def test_what_is_ahead_of_a_static_structure_is_counted():
    tests = rows_with({"set": 0.1, "snip": 0.1}, noise=0.0)
    tests["described", "static", ""] = [0.77 + 0.01 * seed for seed in range(4)]
    found = drop_criteria._over_static(rows_of(tests))
    assert len(found) == 10
    means = {(gain["criterion"], gain["growth"]): gain["mean"] for gain in found}
    assert means["set", "random"] == pytest.approx(-0.07)
    assert means["mest", "gradient"] == pytest.approx(0.07)
    text = page_of(tests, ["described"])
    line = (
        "- As described, at density 0.05, 6 of 10 criteria with a growth are ahead of a static structure, and 4 BEHIND"
    )
    assert line in text


def test_one_version_alone_is_compared_with_none():
    text = page_of(rows_with({}), ["described"])
    assert "Only one version was trained." in text
    assert "As released" not in text


def test_the_command(tmp_path: Path):
    given = ("--task", "digits", "--version", "described", "--density", 0.05, "--epochs", 1, "--examples", 512)
    rest = ("--seeds", 1, "--learning-rate", 0.1, "--threads", 1, "--out", tmp_path / "out", "--json")
    code, text, err = wirenas("study", "drop-criteria", *given, *rest)
    assert code == 0, err
    assert json.loads(text)["versions"] == ["described"]
    assert "trainings: 11 trainings" in err
