"""The study of read-ins: wirings of one cost, drawn without a choice, and what is told of how they are predicted."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.errors import InputError
from nas.studies import read_ins
from nas.studies.read_ins import KINDS, WITH, WITHOUT, Bench, pages, read_ins_study
from nas.tasks import inputs_of, load_task
from nas.training import Recipe
from predictors import READ_FEATURES, read_names

SHORT: dict[str, Any] = {"task": "digits", "budget": "300", "wirings": 60, "epochs": 1, "rate": 0.03}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    out = tmp_path_factory.mktemp("read-ins") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_ins, "_REPEATS", 1)
        patch.setattr(read_ins, "_FOLDS", 2)
        found = read_ins_study(out, threads=2, **SHORT)
    return out, found, [json.loads(line) for line in (out / "runs.jsonl").read_text().splitlines()]


Found = tuple[Path, dict[str, Any], list[dict[str, Any]]]


def test_kinds_alternate_and_all_cost_the_same(study: Found):
    _, found, lines = study
    assert [line["key"]["kind"] for line in lines] == [KINDS[number % 5] for number in range(60)]
    assert {name: own["n"] for name, own in found["kinds"].items()} == dict.fromkeys(KINDS, 12)
    sizes = [line["row"]["parameters"] for line in lines]
    assert max(sizes) <= 300
    assert np.mean(sizes) > 295
    assert len({line["row"]["features"]["reads_distance"] for line in lines}) > 50


def test_numbers_are_those_of_the_trainings(study: Found):
    _, found, lines = study
    for kind, own in found["kinds"].items():
        means = [np.mean(line["row"]["values"]) for line in lines if line["key"]["kind"] == kind]
        assert own["mean"] == pytest.approx(np.mean(means), rel=1e-5)
        assert own["best"] == pytest.approx(max(means), rel=1e-5)
    assert [name for name in lines[0]["row"]["features"] if name in READ_FEATURES] == list(
        read_names(inputs_of(load_task("digits")))
    )


def test_a_training_follows_from_its_number(study: Found):
    _, _, lines = study
    task = load_task("digits")
    recipe = Recipe(
        optimizer="adamw", weight_decay=0.1, normalise=True, epochs=1, learning_rates=(0.03,), batch_size=64
    )
    bench = Bench(task, "300", recipe, 2)
    for number in (2, 4):  # One that is drawn, and one that is pruned first.
        again = bench.training(number)
        assert again.key == lines[number]["key"]
        row = dict(again.run(bench.trainer.stop))  # type: ignore[arg-type]
        assert row["values"] == lines[number]["row"]["values"]
        assert row["features"] == lines[number]["row"]["features"]


def test_it_goes_on_and_tells_what_it_found(study: Found):
    out, found, _ = study
    before = (out / "runs.jsonl").read_bytes()
    text = pages(found)["README.md"]
    assert (out / "README.md").read_text(encoding="utf-8") == text
    assert (out / "runs.jsonl").read_bytes() == before
    assert (out / "read-ins.png").is_file()
    for kind in KINDS:
        assert f"| {kind} | 12 |" in text
    for name in (WITH, WITHOUT):
        assert f"| {name} | {found['scores'][name]['r2']['mean']:.3f} [" in text
    gain = found["scores"][WITH]["r2"]["mean"] - found["scores"][WITHOUT]["r2"]["mean"]
    assert found["gain"]["mean"] == pytest.approx(gain, abs=1e-4)
    assert f"What is read explains {gain:+.3f} [" in text


def test_sequences_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"^task=reber: its examples are sequences; give one of rows"):
        read_ins_study(tmp_path / "out", task="reber")
    assert not (tmp_path / "out").exists()
