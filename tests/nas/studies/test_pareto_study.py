"""The study of fronts: equal beginnings, hypervolumes by hand, words that follow from numbers, runs that are kept."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import wirenas

from nas.store.lines import plain
from nas.studies import pareto as pareto_report
from nas.studies import pareto_runs as pareto
from nas.studies.pareto import pages, pareto_study
from nas.studies.pareto_runs import ARMS, START, Run, Setting, checkpoints, pareto_runs

pytestmark = pytest.mark.usefixtures("drawn_figures")

TRAININGS, SEEDS = 13, 2


@pytest.fixture(scope="module", autouse=True)
def one_epoch() -> Any:
    """Trainings of one epoch at one rate tell as much about the study."""
    given = pareto.plain_options

    def short(options: dict[str, Any], task: Any) -> dict[str, Any]:
        return {**given(options, task), "recipe": {"epochs": 1, "learning_rates": (0.03,)}}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pareto, "plain_options", short)
        yield


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("pareto") / "out"
    return out, pareto_study(out, seeds=SEEDS, trainings=TRAININGS)


def runs_in(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "runs.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_all_arms_of_a_seed_begin_alike_and_then_differ(study: tuple[Path, dict[str, Any]]):
    runs = runs_in(study[0])
    assert [(run["arm"], run["seed"]) for run in runs] == [(arm, seed) for seed in range(SEEDS) for arm in ARMS]
    for seed in range(SEEDS):
        own = [run for run in runs if run["seed"] == seed]
        assert len({(*run["sizes"][:START], *run["values"][:START]) for run in own}) == 1
        assert len({tuple(run["sizes"][START:]) for run in own}) == len(ARMS)
    assert runs[0]["sizes"][:START] != runs[-1]["sizes"][:START]


def test_what_was_on_a_front_has_a_true_value(study: tuple[Path, dict[str, Any]]):
    for stored in runs_in(study[0]):
        run = Run(**stored)
        needed = {index for after in checkpoints(TRAININGS) for index in run.front(after).tolist()}
        assert {index for index, truth in enumerate(run.truths) if truth is not None} == needed
        assert run.true(TRAININGS, 8110) > 0


def test_files_and_numbers(study: tuple[Path, dict[str, Any]]):
    out, found = study
    assert json.loads((out / "pareto.json").read_text(encoding="utf-8")) == {
        k: v for k, v in found.items() if k != "out"
    }
    assert (out / "pareto.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    text = (out / "README.md").read_text(encoding="utf-8")
    assert f"{TRAININGS} trainings with each of four samplers, {SEEDS} seeds" in text
    assert "By true hypervolume the structural sampler cannot be told apart from nsga2" in text
    volumes = [Run(**run).true(TRAININGS, found["largest"]) for run in runs_in(out) if run["arm"] == "nsga2"]
    assert found["arms"]["nsga2"]["true"]["mean"] == pytest.approx(np.mean(volumes), rel=1e-5)
    assert set(found["ahead"]) == set(ARMS) - {"structural"}


def test_runs_are_kept_and_only_missing_ones_are_made(
    study: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lines = (study[0] / "runs.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(lines[:-1]) + lines[-1][:40], encoding="utf-8")
    asked = []
    searched = pareto._searched

    def noting(setting: Setting, seed: int, arms: list[str]) -> Any:
        asked.append((seed, list(arms)))
        return searched(setting, seed, arms)

    monkeypatch.setattr(pareto, "_searched", noting)
    runs, _ = pareto_runs(path, SEEDS, TRAININGS, lambda _: None)
    assert asked == [(SEEDS - 1, [ARMS[-1]])]
    assert [run for arm in ARMS for run in runs[arm]] == sorted(
        (Run(**json.loads(line)) for line in lines), key=lambda run: (ARMS.index(run.arm), run.seed)
    )
    assert len(runs_in(tmp_path)) == len(lines)
    pareto_runs(path, SEEDS, TRAININGS, lambda _: None)
    assert len(asked) == 1


def test_nothing_in_the_space_is_larger_than_its_bound():
    setting = Setting.of(START)
    assert setting.largest == 100 * 64 + 600 + 100 * 10 + 110
    proposer = setting.proposer("random", 0)
    assert max(proposer.propose(number).n_parameters for number in range(50)) < setting.largest


def run_of(arm: str, seed: int, points: list[tuple[int, float, float | None]]) -> Run:
    sizes, values, truths = zip(*points, strict=True)
    return Run(arm, seed, sizes, values, truths, ("",) * len(points))


def test_hypervolumes_by_hand():
    run = run_of("tpe", 0, [(100, 0.5, 0.4), (1000, 0.9, 0.3), (1000, 0.2, None), (200, 0.6, 0.7)])
    assert run.front(2).tolist() == [0, 1]
    assert run.front().tolist() == [0, 3, 1]
    assert run.observed(2, 10_000) == pytest.approx(0.4 * math.log(10) + 0.8 * math.log(10))
    assert run.true(2, 10_000) == pytest.approx(0.3 * math.log(100))
    assert run.true(4, 10_000) == pytest.approx(0.3 * math.log(2) + 0.6 * math.log(50))


@pytest.mark.slow
def test_words_follow_from_the_numbers():
    """The structural sampler is ahead of one arm, behind another, and level with the third."""
    gaps = {"structural": 0.0, "nsga2": -0.1, "tpe": 0.1, "random": 0.0}
    runs: dict[str, list[Run]] = {arm: [] for arm in gaps}
    for arm, gap in gaps.items():
        for seed in range(12):
            noise = 0.01 * (-1) ** seed if arm == "random" else 0.0
            first = (100, 0.5, 0.5 + gap + 0.002 * seed + noise)
            runs[arm].append(run_of(arm, seed, [first, (500, 0.8, 0.8 + gap)]))
    numbers = plain(pareto_report._numbers(runs, 1000, 2))
    text = pages(numbers)["README.md"]
    assert "is ahead of nsga2 (+0." in text
    assert "is BEHIND tpe (-0." in text
    assert "cannot be told apart from random (" in text
    # TPE's front is the highest at every size.
    assert "above those of all others" not in text
    assert "sizes it is BELOW the best of them, most by 10.0 points at " in text
    assert "is worth 0.8000 with it, LESS than with tpe, 0.9000 (-0.1000 [-0.1000, -0.1000]), the best" in text
    assert "compared by their means over seeds, size by size, without a test" in text
    assert "the task, its split and the space are one and the same" in " ".join(text.split())


def test_the_most_accurate_wirings_are_told_apart_by_an_interval_without_zero():
    """The other arms differ from the structural one by chance alone."""
    rng = np.random.default_rng(0)
    runs = {arm: [run_of(arm, seed, [(100, 0.5, 0.5 + 0.1 * rng.random())]) for seed in range(12)] for arm in ARMS}
    numbers = plain(pareto_report._numbers(runs, 1000, 1))
    assert "with it, not told apart from that with" in pages(numbers)["README.md"]


@pytest.mark.slow
def test_the_command(tmp_path: Path):
    code, text, err = wirenas("study", "pareto", "--seeds", 2, "--trainings", 12, "--out", tmp_path, "--json")
    assert code == 0, err
    assert json.loads(text)["trainings"] == 12
