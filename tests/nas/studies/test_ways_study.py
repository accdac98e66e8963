"""The study of ways: searches of equal cost, compared in pairs, and what is told of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.errors import InputError
from nas.space.ways import WAY_NAMES, Ways
from nas.store.lines import plain
from nas.studies.ways import ALL, ARMS, CHANCE, DEFAULT, PLAIN, Bench, _without_presets, pages, smaller, ways_study
from nas.tasks import load_task
from nas.training import Recipe

SHORT: dict[str, Any] = {"tasks": ["digits"], "budget": "200", "epochs": 1, "examples": 300, "test": 200}
DIGITS = load_task("digits")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    out = tmp_path_factory.mktemp("ways") / "out"
    found = ways_study(out, seeds=2, seconds=0.06, threads=2, **SHORT)
    return out, found, [json.loads(line) for line in (out / "runs.jsonl").read_text().splitlines()]


Found = tuple[Path, dict[str, Any], list[dict[str, Any]]]


def test_every_arm_searches_for_as_long(study: Found):
    _, found, lines = study
    assert [line["key"]["arm"] for line in lines] == [*ARMS, *ARMS]
    assert list(found["tasks"]["digits"]["arms"]) == list(ARMS)
    for line in lines:
        spent = [trial[0] for trial in line["row"]["trials"]]
        assert spent == sorted(spent)
        assert len(spent) == 1 or spent[-1] <= 0.06
        assert line["row"]["n"] == len(spent)


def test_what_counts_is_the_test_of_the_best_by_validation(study: Found):
    _, found, lines = study
    own = found["tasks"]["digits"]
    tests: dict[str, list[float]] = {}
    for line in lines:
        best = max(line["row"]["trials"], key=lambda trial: trial[1])
        assert line["row"]["test"] == best[2]
        tests.setdefault(line["key"]["arm"], []).append(best[2])
    for arm, values in tests.items():
        assert own["arms"][arm]["test"]["mean"] == pytest.approx(np.mean(values), rel=1e-5)
        if arm != ALL:
            assert own["ahead_of"][arm]["mean"] == pytest.approx(np.mean(tests[ALL]) - np.mean(values), abs=1e-5)


def test_it_goes_on_without_work_and_tells_what_it_found(study: Found):
    out, found, _ = study
    before = (out / "runs.jsonl").read_bytes()
    assert ways_study(out, seeds=2, seconds=0.06, threads=1, **SHORT) == found
    assert (out / "runs.jsonl").read_bytes() == before
    text = pages(found)["README.md"]
    assert (out / "README.md").read_text(encoding="utf-8") == text
    assert (out / "ways.png").is_file()
    for arm in ARMS:
        assert f"| {arm} |" in text


def test_the_page_says_which_way_is_best_and_what_all_ways_beat():
    def ahead(mean: float, half: float) -> dict[str, float]:
        return {"mean": mean, "low": mean - half, "high": mean + half, "p": 0.1}

    own = {
        "budget": "9",
        "metric": "accuracy",
        "parts": [1, 1, 1],
        "arms": {arm: {"test": {"mean": 0.5, "sd": 0.01}, "trials": 9.0} for arm in ARMS},
        "ahead_of": {
            "prior": ahead(0.03, 0.01),
            "pruned": ahead(-0.001, 0.002),
            "rewired": ahead(0.02, 0.03),
            "redrawn": ahead(0.01, 0.005),
            CHANCE: ahead(0.02, 0.01),
            PLAIN: ahead(-0.02, 0.01),
        },
    }
    numbers = {"machine": "m", "seeds": 2, "seconds": 1.0, "epochs": 1, "tasks": {"t": own}}
    text = " ".join(pages(plain(numbers))["README.md"].split())
    assert "The best single way is pruned; all ways are ahead of it by -0.10 [-0.30, +0.10] points." in text
    assert "All ways are ahead of prior, redrawn and all ways, by chance by an interval that does not hold 0." in text
    assert "All ways are behind all ways, no presets by an interval that does not hold 0." in text


def test_tasks_become_smaller_by_chance_alone():
    own = smaller(DIGITS, 300, 200)
    assert [len(part) for part in (own.train, own.validation, own.test)] == [240, 60, 200]
    assert own.shape == DIGITS.shape
    assert own.recipe == DIGITS.recipe
    assert smaller(DIGITS, 300, 200).fingerprint == own.fingerprint
    rows = {row.tobytes() for row in DIGITS.inputs.numpy()}
    assert all(row.tobytes() in rows for row in own.inputs.numpy())


def test_arms_search_what_their_names_say():
    bench = Bench(smaller(DIGITS, 300, 200), "200", Recipe(epochs=1, learning_rates=(0.01, 0.1)), 0.01)
    assert {arm: space.options.ways for arm, space in bench.spaces.items() if arm in WAY_NAMES} == {
        arm: (arm,) for arm in WAY_NAMES
    }
    others = {arm: space.options.ways for arm, space in bench.spaces.items() if arm not in WAY_NAMES}
    assert others == {**dict.fromkeys(others, WAY_NAMES), DEFAULT: Ways().ways}
    assert {space.budget.amount for space in bench.spaces.values()} == {200}
    assert _without_presets(bench.spaces[ALL]).presets == ()
    assert bench.spaces[ALL].presets


def test_tasks_without_a_budget_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"^task 'digits' is not known"):
        ways_study(tmp_path / "out", tasks=["digits"])
    assert not (tmp_path / "out").exists()
