"""The study of steering: runs that are kept and never repeated, the command, and the results it writes."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from command_line import refused, wirenas
from steering_cases import TINY

from nas.errors import InputError
from nas.options.options import resolve_survey
from nas.studies.steering import study as steering
from nas.studies.steering.arms import ARMS, start_up
from nas.studies.steering.replay import START, Pool, replay
from nas.studies.steering.results import COMPARISONS, MEASURES

pytestmark = pytest.mark.usefixtures("drawn_figures")


class InThisProcess:
    """Stands in for a pool of processes, and makes them count what they do."""

    done: list[Any]

    def __init__(self, workers: int, context: Any, initialise: Callable[..., None], given: tuple[Any, ...]) -> None:
        assert (workers, context.get_start_method(), os.environ["OMP_NUM_THREADS"]) == (2, "spawn", "1")
        initialise(*given)

    def __enter__(self) -> "InThisProcess":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[Any]:
        for job in jobs:
            self.done.append(job)
            yield function(job)


QUICK = {"random": ARMS["random"], "structural": ARMS["structural"]}


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two arms in this process; the jobs that were done."""
    InThisProcess.done = []
    monkeypatch.setattr(steering, "ProcessPoolExecutor", InThisProcess)
    monkeypatch.setattr(steering, "ARMS", QUICK)
    return InThisProcess.done


# Runs that are kept


def timeless(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.mark.slow
def test_resumed_runs_equal_those_without_a_stop(pool: Pool, tmp_path: Path, done: list[Any]):
    calm, torn = tmp_path / "calm.jsonl", tmp_path / "torn.jsonl"
    whole = steering.runs_of(pool, calm, range(3))
    assert [(line["arm"], line["seed"]) for line in whole] == [(arm, seed) for arm in QUICK for seed in range(3)]
    content = calm.read_bytes()
    assert content.count(b"\n") == 6
    assert done == [(seed, ["random", "structural"]) for seed in range(3)]
    assert steering.runs_of(pool, calm, range(3)) == whole
    assert calm.read_bytes() == content
    assert len(done) == 3
    # Killed while the fourth line was written: seed 1 lacks one arm, seed 2 both.
    lines = content.splitlines(keepends=True)
    torn.write_bytes(b"".join(lines[:3]) + lines[3][:-9])
    said: list[str] = []
    assert timeless(steering.runs_of(pool, torn, range(3), said.append)) == timeless(whole)
    assert done[3:] == [(1, ["structural"]), (2, ["random", "structural"])]
    assert [json.loads(line)["seed"] for line in torn.read_text().splitlines()] == [0, 0, 1, 1, 2, 2]
    assert said == ["oracle: 1 of 3 seeds", "oracle: 2 of 3 seeds", "oracle: 3 of 3 seeds"]
    # A trial with fewer seeds takes what is there.
    assert steering.runs_of(pool, torn, range(1)) == [
        line for line in map(json.loads, torn.read_text().splitlines()) if line["seed"] == 0
    ]
    assert len(done) == 5


def test_a_line_says_what_was_done(pool: Pool, tmp_path: Path, done: list[Any]):
    line = steering.runs_of(pool, tmp_path / "a.jsonl", range(1))[1]
    run = replay(pool, "structural", ARMS["structural"], 0, start_up(pool, 0))
    assert (line["members"], line["values"]) == (run.members, run.values)
    assert line["origins"] == [choice.origin for choice in run.choices]
    assert (line["by_predictor"], line["by_label"]) == run.incumbents()
    assert line["forecasts"][:START] == [None] * START
    for said, choice in zip(line["forecasts"][START:], run.choices[START:], strict=True):
        assert choice.forecast is not None
        assert said == pytest.approx([choice.forecast.value, choice.forecast.low, choice.forecast.high], abs=1e-6)


@pytest.mark.parametrize("changed", ["pool", "version", "options"])
def test_runs_of_anything_else_are_not_taken(
    changed: str, pool: Pool, tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "a.jsonl"
    steering.runs_of(pool, file, range(1))
    if changed == "pool":
        pool = replace(pool, truth=pool.truth + 1)
    elif changed == "version":
        monkeypatch.setattr(steering, "_VERSION", steering._VERSION + 1)
    else:
        monkeypatch.setattr(steering, "ARMS", {**QUICK, "random": partial(QUICK["random"].func, rng=1)})
        monkeypatch.setattr(steering, "_line", lambda pool, arm, seed, _: {**known(pool, arm), "seed": seed})
    steering.runs_of(pool, file, range(1))
    assert done[1:] == [(0, ["random"] if changed == "options" else ["random", "structural"])]


def known(pool: Pool, arm: str) -> dict[str, Any]:
    return {"arm": arm, "of": steering._identity(pool, arm)}


def test_a_damaged_line_is_named(pool: Pool, tmp_path: Path, done: list[Any]):
    file = tmp_path / "a.jsonl"
    steering.runs_of(pool, file, range(1))
    file.write_bytes(file.read_bytes().replace(b"}\n", b"\n", 1))
    with pytest.raises(InputError, match=r"a\.jsonl: line 1 is damaged; remove it, and its run is done again"):
        steering.runs_of(pool, file, range(1))


# The command


def test_pools_are_valid_surveys():
    assert set(steering.POOLS) == set(steering.SEEDS)
    assert all(seeds >= 20 for seeds in steering.SEEDS.values())
    for options in steering.POOLS.values():
        assert resolve_survey(options).resolved_space.attachment in (("natural",), ("controlled",))


@pytest.mark.slow
def test_the_study_writes_its_results(atlas: Path, tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(steering, "ARMS", ARMS)
    monkeypatch.setattr(steering, "POOLS", {"tiny": TINY})
    monkeypatch.setattr(steering, "SEEDS", {"tiny": 3})
    out = tmp_path / "results"
    code, text, err = wirenas("study", "steering", "--out", out, "--atlas", atlas, "--seeds", 2, "--json")
    assert code == 0, err
    assert err.splitlines() == [f"tiny: {count} of 2 seeds" for count in range(3)]
    found = json.loads(text)
    written = json.loads((out / "steering.json").read_text(encoding="utf-8"))["pools"]["tiny"]
    assert set(found["pools"]["tiny"]["trainings"]) == set(written["arms"]) == set(ARMS)
    assert (written["wirings"], written["replicates"], written["seeds"]) == (70, 2, 2)
    assert len(written["comparisons"]) == len(COMPARISONS) * len(MEASURES)
    assert found["pools"]["tiny"]["proposals"]["size"] == written["arms"]["size"]["proposals"]
    assert (out / "tiny.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    rows = {name: (out / f"{name}.csv").read_text(encoding="utf-8").splitlines() for name in ("arms", "comparisons")}
    assert (len(rows["arms"]), len(rows["comparisons"])) == (10, 57)
    assert rows["arms"][1].startswith("tiny,random,2,")
    text = (out / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Does steering by structure help?\n")
    assert f"| structural-once | {written['arms']['structural-once']['proposals']:.4f} |" in text
    assert "a trial that shows nothing" in text
    # Another call, with more seeds, does what is missing alone.
    code, text, err = wirenas("study", "steering", "--out", out, "--atlas", atlas, "--pool", "tiny")
    assert (code, text) == (0, f"{out}/README.md\n"), err
    assert [seed for seed, _ in done] == [0, 1, 2]


def test_missing_images_leave_their_pool_out(
    atlas: Path, tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch
):
    images = {**TINY, "task": "mnist"}
    monkeypatch.setattr(steering, "POOLS", {"images": images, "tiny": TINY})
    monkeypatch.setattr(steering, "write_report", lambda _, found: {"pools": found})
    monkeypatch.setattr(steering, "summary", len)
    common = ("--out", tmp_path / "out", "--atlas", atlas, "--seeds", 2, "--data", tmp_path)
    code, text, err = wirenas("study", "steering", *common, "--json")
    assert code == 0, err
    assert json.loads(text)["pools"] == 1
    assert err.startswith("images: left out, ")
    assert len(done) <= 2
    code, text, err = wirenas("study", "steering", *common, "--pool", "images")
    assert (code, text) == (2, "")
    assert "images: no pool is left; give --data, or other pools" in err


def test_surveys_of_other_options_and_wrong_options_are_one_line(
    atlas: Path, tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch
):
    message = refused("study", "steering", "--pool", "reber-gur", "--out", tmp_path / "out", "--atlas", tmp_path)
    assert "pool 'reber-gur' is not known (nearest: reber-gru)" in message
    other = {**TINY, "recipe": {"learning_rates": (0.01, 0.1), "epochs": 2}}
    monkeypatch.setattr(steering, "POOLS", {"tiny": other})
    message = refused("study", "steering", "--out", tmp_path / "out", "--atlas", atlas)
    assert "recipe.epochs=2: the survey in" in message
    assert "--seeds" in refused("study", "steering", "--seeds", 1)
    assert done == []
    assert not (tmp_path / "out").exists()


def test_help_has_an_example():
    code, text, _ = wirenas("study", "steering", "--help")
    assert code == 0
    assert "Example: wirenas study steering " in " ".join(text.split())
