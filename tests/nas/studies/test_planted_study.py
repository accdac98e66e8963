"""Planted wirings are what they are said to be, and a comparison is held against trainings that it has not seen."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.errors import InputError
from nas.studies.planted import _planted, pages, planted_study
from nas.tasks import digits, inputs_of
from nas.training.recipe import Recipe

TINY: dict[str, Any] = {
    "design": {"n_nulls": 6, "seeds": 1, "repeats": 3},
    "truth": {"n_nulls": 6, "seeds": 1, "repeats": 3},
    "recipe": Recipe(learning_rates=(0.03,), epochs=1),
}


def test_half_of_the_wirings_read_what_lies_together():
    task = digits()
    places = inputs_of(task).positions
    assert places is not None
    spread = []
    for number in range(20):
        wiring = _planted(task, number, is_better=number % 2 == 1)
        assert (wiring.sizes, wiring.n_edges) == ((64, 24, 10), 24 * 6 + 240)
        reads = [places[wiring.edges[wiring.edges[:, 1] == 64 + neuron, 0]] for neuron in range(24)]
        spread.append(np.mean([own.std(axis=0).mean() for own in reads if len(own) > 1]))
    assert max(spread[1::2]) < min(spread[::2])


@pytest.mark.usefixtures("drawn_figures")
def test_a_miniature_goes_on_and_ends_the_same(tmp_path: Path):
    seen: list[tuple[str, int, int]] = []
    found = planted_study(tmp_path, lambda *told: seen.append(told), cases=2, **TINY)
    assert seen == [("planted wirings", done, 2) for done in range(3)]
    assert [row["is_better"] for row in found["cases"]] == [False, True]
    for row in found["cases"]:
        assert row["judged"]["n_nulls"] == 6
        assert row["judged"]["difference"] != row["truth"]
    assert found["summary"]["local read-ins"]["n"] == 1
    stored = json.loads((tmp_path / "planted.json").read_text(encoding="utf-8"))
    assert pages(stored)["README.md"] == (tmp_path / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "planted.png").stat().st_size > 5_000
    # What is trained is trained once.
    runs = {path: path.read_bytes() for path in tmp_path.rglob("runs.jsonl")}
    assert len(runs) == 4
    assert planted_study(tmp_path, cases=2, **TINY) == found
    assert {path: path.read_bytes() for path in tmp_path.rglob("runs.jsonl")} == runs


def test_another_study_is_left_alone(tmp_path: Path):
    (tmp_path / "pareto.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="the study pareto lies there"):
        planted_study(tmp_path, cases=2, **TINY)
