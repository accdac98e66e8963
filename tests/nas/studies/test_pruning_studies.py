"""Miniatures of the studies of pruning: they run, go on where they were stopped, and say what their numbers say."""

import copy
import csv
import json
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from command_line import wirenas

from nas.evaluation.estimates import mean_of
from nas.evaluation.trainings import CHOOSING
from nas.networks import NetworkSpec, load_network
from nas.sparsity.iterative import IterativePruning
from nas.studies import pruning, rnn_pruning, rnn_structures
from nas.studies.pruning_runs import CONTROL, LEVELS, METHODS, ONE_SHOT, SCHEDULES, plan_of
from nas.studies.published_data import japanese_vowels
from nas.studies.rnn_structures import LEARNED, STATIC, Structures

SMALL = ("--task", "digits", "--width", 10, "--epochs", 3, "--learning-rate", 0.03, "--seeds", 2, "--threads", 1)
PACES = ("--pace", "75 %", "--pace", "at once, up to 25 epochs")
SMALL_RNN = (
    *("--cell", "tanh", "--cell", "gru", "--level", 50, "--level", 100, "--strings", 120, "--width", 5),
    *("--epochs", 2, "--retraining", 2, "--learning-rate", 0.01, "--structure-strings", 80, "--structure-epochs", 4),
    *("--neurons", 12, "--seeds", 2, "--threads", 1),
)


def study(*arguments: Any) -> dict[str, Any]:
    code, text, err = wirenas("study", *arguments, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(text)
    return found


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def in_one_line(text: str) -> str:
    return " ".join(text.split())


# Pruning with retraining


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("studies") / "pruning"
    return out, study("pruning", *SMALL, *PACES, "--out", out)


def test_every_method_goes_through_every_level(pruned: tuple[Path, dict[str, Any]]) -> None:
    out, found = pruned
    assert {"README.md", "pruning.json", "pruning.png", "curves.csv"} <= {file.name for file in out.iterdir()}
    arms = {(arm["part"], arm["name"]): arm for arm in found["arms"]}
    assert [name for part, name in arms if part == "method"] == [CONTROL, *METHODS]
    rows = rows_of(out / "curves.csv")
    for name in ("class-blinded", "class-uniform", "OBS"):
        points = {point["weights"]: point for point in arms["method", name]["points"]}
        for level in LEVELS[:2]:
            weights = round((1 - level) * 740)
            own = [row for row in rows if (row["name"], row["weights"]) == (name, str(weights))]
            assert sorted(row["seed"] for row in own) == ["0", "1"]
            assert points[weights]["test"]["mean"] == pytest.approx(fmean(float(row["test"]) for row in own), abs=1e-6)
    plan = plan_of(METHODS["class-blinded"], 740)
    control = arms["method", CONTROL]["points"]
    assert [point["epochs"] for point in control] == [2 * (step + 1) for step in range(len(plan))]
    at_once = arms["schedule", "at once, up to 25 epochs"]["points"]
    assert [point["weights"] for point in at_once][:3] == [round((1 - level) * 740) for level in ONE_SHOT[:3]]


def test_what_is_compared_was_trained_as_long(pruned: tuple[Path, dict[str, Any]]) -> None:
    out, found = pruned
    rows = rows_of(out / "curves.csv")
    arm = next(arm for arm in found["arms"] if arm["name"] == "class-blinded")
    point = next(point for point in arm["points"] if point["weights"] == 148)
    differences = []
    for seed in ("0", "1"):
        own = next(row for row in rows if (row["name"], row["seed"], row["weights"]) == ("class-blinded", seed, "148"))
        control = [row for row in rows if (row["name"], row["seed"]) == (CONTROL, seed)]
        equal = next(row for row in control if row["epochs"] == own["epochs"])
        differences.append(float(own["test"]) - float(equal["test"]))
    assert point["less_control"]["mean"] == pytest.approx(fmean(differences), abs=1e-6)


def test_a_study_of_pruning_goes_on(pruned: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, found = pruned
    lines = (out / "runs.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    # Networks that were lost are trained again.
    kept = [line for line in lines if '"name": "OBS"' not in line]
    assert len(kept) < len(lines)
    other = tmp_path / "pruning"
    other.mkdir()
    (other / "setting.json").write_bytes((out / "setting.json").read_bytes())
    (other / "runs.jsonl").write_text("".join([*kept, lines[-1][:30]]), encoding="utf-8")
    again = study("pruning", *SMALL, *PACES, "--out", other)
    for one, own in zip(again["arms"], found["arms"], strict=True):
        assert one["points"] == own["points"]


def test_the_page_says_what_the_numbers_say(pruned: tuple[Path, dict[str, Any]]) -> None:
    out, _ = pruned
    numbers = json.loads((out / "pruning.json").read_text(encoding="utf-8"))
    page = (out / "README.md").read_text(encoding="utf-8")
    assert pruning.pages(numbers)["README.md"] == page
    told = in_one_line(page)
    assert (
        "`wirenas study pruning --task digits --width 10 --epochs 3 --seeds 2 --learning-rate 0.03 --pace '75 %'"
        in told
    )
    ahead = copy.deepcopy(numbers)
    arm = next(arm for arm in ahead["arms"] if arm["name"] == "class-blinded")
    point = next(point for point in arm["points"] if point["weights"] == 148)
    point["test"], point["less_control"] = vars(mean_of([0.975, 0.977])), vars(mean_of([0.0045, 0.0046]))
    for order in ahead["order"]:
        order.update({name: vars(mean_of([0.01, 0.011])) for name in order if " - " in name})
    told = in_one_line(pruning.pages(ahead)["README.md"])
    assert "reaches 0.9760 [" in told
    assert "It is ahead of the same network when that is not pruned" in told
    assert "From 95 % on, class-blinded is ahead of class-distributed, and that of class-uniform." in told
    point["less_control"] = vars(mean_of([-0.0045, -0.0046]))
    ahead["order"][3]["class-distributed - class-uniform"] = vars(mean_of([-0.01, 0.01]))
    told = in_one_line(pruning.pages(ahead)["README.md"])
    assert "It is BEHIND the same network" in told
    assert "from 95 % on, these intervals do not show: class-distributed - class-uniform at 98%." in told
    assert '"Up to" so many epochs: until one epoch gains less than 0.001' in told
    for gain, words in (([0.006, 0.0061], "as here"), ([0.001, 0.0011], "which is NOT seen here")):
        ahead["gain"] = vars(mean_of(gain))
        assert f"the paper has 0.005, {words}." in in_one_line(pruning.pages(ahead)["README.md"])


def test_paces_are_those_of_their_names() -> None:
    assert SCHEDULES["50 %"].rate == 0.5
    assert SCHEDULES["10,000 weights"].number == 10_000
    assert SCHEDULES["25 %, from initial weights"].restart
    assert METHODS["class-uniform"] == IterativePruning(allocation="class-uniform", rate=0.25, epochs=2)
    plan = plan_of(METHODS["class-blinded"], 79_400)
    assert {15_880, 7_940, 3_970, 1_588, 794} < set(plan)
    assert plan[-1] == 500


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (("pruning", "--task", "digits", "--pace", "30 %"), "pace"),
        (("pruning", "--task", "reber"), "--task reber: its examples are sequences"),
        (("pruning", "--task", "digits", "--learning-rate", -1), "learning_rates"),
        (("rnn-pruning", "--cell", "rnn"), "cell"),
        (("rnn-pruning", "--level", 0), "--level 0: it must be a percentage from 1 to 100"),
        (("rnn-pruning", "--strings", 21), "n_strings=21"),
        (("rnn-pruning", "--strings", 40, "--structure-strings", 40, "--data", "nowhere"), "japanese-vowels.npz"),
    ],
)
def test_what_cannot_be_is_one_line(given: tuple[Any, ...], line: str, tmp_path: Path) -> None:
    code, text, err = wirenas("study", *given, "--out", tmp_path / "out")
    assert (code, text) == (2, "")
    assert line in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


# Recurrent networks


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("studies")
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, n in (("train", 27), ("test", 18)):
        lengths = rng.integers(7, 12, size=n)
        inputs = rng.normal(size=(n, 12, 12)).astype(np.float32)
        inputs[np.arange(12) >= lengths[:, None]] = 0
        arrays |= {f"X_{part}": inputs, f"lengths_{part}": lengths, f"y_{part}": np.arange(n) % 3}
    (folder / "sequences" / "japanese-vowels").mkdir(parents=True)
    np.savez(folder / "sequences" / "japanese-vowels" / "japanese-vowels.npz", **arrays)
    return folder / "rnns", study("rnn-pruning", *SMALL_RNN, "--data", folder, "--out", folder / "rnns")


def test_each_kind_of_weights_is_pruned_alone(recurrent: tuple[Path, dict[str, Any]]) -> None:
    out, _ = recurrent
    names = {"README.md", "rnn-pruning.json", "rnn-pruning.png", "pruned.csv", "structures.csv"}
    assert names <= {file.name for file in out.iterdir()}
    rows = rows_of(out / "pruned.csv")
    assert len(rows) == 2 * 3 * 2 * 2
    # Three layers of 5 that read 26 letters, 5 and 5 neurons, and themselves.
    sizes = {"input-to-hidden": 180, "hidden-to-hidden": 75, "both": 255}
    for row in rows:
        gates = 3 if row["cell"] == "gru" else 1
        kept = gates * sizes[row["kind"]] * (100 - int(row["level"])) / 100
        assert int(row["weights"]) == round(kept)
        assert 0 <= float(row["epoch 2"]) <= 1


def test_levels_are_safe_where_accuracy_comes_back() -> None:
    def row(level: int, seed: int, *tests: float) -> dict[str, Any]:
        return {"kind": "both", "level": level, "seed": seed, "tests": list(tests)}

    rows = [
        *(row(50, seed, 0.99, 1.0) for seed in (0, 1)),
        row(70, 0, 0.96, 0.99),
        row(70, 1, 0.95, 0.98),
        row(90, 0, 0.7, 0.8),
        row(90, 1, 0.99, 0.99),
    ]
    groups = {("both", level): [own for own in rows if own["level"] == level] for level in (50, 70, 90)}
    bases = {0: 0.962, 1: 0.98}
    assert rnn_pruning._safe_levels(bases, groups, "both", [90, 50, 70], 0) == [70, 50]
    assert rnn_pruning._safe_levels(bases, groups, "both", [90, 50, 70], -1) == [70, 90]
    assert rnn_pruning._safe_levels({0: 0.999}, groups, "both", [50], 0) == [0]


def test_structures_of_all_kinds_have_one_size(recurrent: tuple[Path, dict[str, Any]]) -> None:
    out, found = recurrent
    rows = rows_of(out / "structures.csv")
    for task, budget in found["structures"]["parameters"].items():
        own = [row for row in rows if row["task"] == task]
        assert {row["structure"] for row in own} == {*LEARNED, *STATIC}
        for row in own:
            total = int(row["parameters"])
            if row["structure"] in LEARNED:
                assert 0.8 * budget <= total <= budget
            elif row["structure"] != "dense":
                assert total == budget
            else:
                assert abs(total - budget) < 0.15 * budget
    assert set(found["structures"]["parameters"]) == {"reber-embedded", "japanese-vowels"}


@pytest.mark.parametrize("name", STATIC[:3])
def test_drawn_structures_are_drawn_anew_for_each_seed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WIRENAS_DATA", raising=False)
    bench = Structures.of(None, 80, 1, 24, "auto")
    (task,) = bench.tasks
    drawn = [bench.wiring(name, task, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0].n_edges == 24 * 4 + 7 * 24 + 24 * 2
    NetworkSpec("rnn").build(drawn[0], 0)


def test_a_study_of_recurrent_networks_goes_on(recurrent: tuple[Path, dict[str, Any]]) -> None:
    out, found = recurrent
    lines = (out / "runs.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (out / "runs.jsonl").write_text("".join([*lines[:-3], lines[-3][:40]]), encoding="utf-8")
    again = study("rnn-pruning", *SMALL_RNN, "--data", out.parent, "--out", out)
    assert again["cells"] == found["cells"]
    assert again["learned"] == found["learned"]
    assert {json.loads(line)["key"]["part"] for line in lines} == {"dense", "structure", "pruned"}
    bases = [json.loads(line) for line in lines if '"part": "dense"' in line]
    assert {base["key"]["seed"] for base in bases} == {0, 1}
    assert CHOOSING not in {base["key"]["seed"] for base in bases}
    assert load_network(out / "networks" / "gru-0.01-1.safetensors")


def test_the_page_of_recurrent_networks_follows_from_its_numbers(recurrent: tuple[Path, dict[str, Any]]) -> None:
    out, _ = recurrent
    numbers = json.loads((out / "rnn-pruning.json").read_text(encoding="utf-8"))
    told = (out / "README.md").read_text(encoding="utf-8")
    assert rnn_pruning.pages(numbers)["README.md"] == told
    assert "`wirenas study rnn-pruning --cell tanh --cell gru --level 50 --level 100 --strings 120" in told
    for own in numbers["cells"]:
        for kind, value in own["kinds"].items():
            value["safe"]["first"] = [rnn_pruning.PUBLISHED[own["cell"]][kind]] * 2
    numbers["cells"][0]["kinds"]["both"]["safe"]["first"] = [50, 60]
    for own in numbers["learned"]:
        if own["structure"] == "RigL":
            own["less_rival"] = vars(mean_of([0.02, 0.021]))
    told = in_one_line(rnn_pruning.pages(numbers)["README.md"])
    assert "After one epoch, 3 updates here and 586 in the paper, median safe levels are BELOW" in told
    assert "are BELOW the published ones for tanh both; equal to them for tanh input-to-hidden, tanh hidden" in told
    assert "55 % (50 to 60)" in told
    assert "RigL ahead of it" in told


def test_speakers_are_read_from_a_folder_or_not_at_all(
    recurrent: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recurrent[0].parent
    task = japanese_vowels(folder)
    assert task is not None
    assert (task.n_inputs, task.n_outputs, len(task.test)) == (12, 3, 18)
    assert sorted(task.test.tolist()) == list(range(27, 45))
    monkeypatch.setenv("WIRENAS_DATA", str(tmp_path))
    assert japanese_vowels(None) is None
    monkeypatch.setenv("WIRENAS_DATA", str(folder))
    assert japanese_vowels(None) is not None


def test_rivals_are_chosen_by_validation() -> None:
    rows = [
        {"task": "t", "structure": name, "seed": seed, "learning_rate": 0.01, "parameters": 9}
        | {"validation": validation + seed / 100, "test": test}
        for name, validation, test in (
            ("RigL", 0.5, 0.9),
            ("Watts-Strogatz", 0.7, 0.6),
            ("Barabasi-Albert", 0.6, 0.8),
            ("dense", 0.9, 0.95),
        )
        for seed in (0, 1)
    ]
    found = {own["structure"]: own for own in rnn_structures.numbers_of(rows)}
    assert {own["rival"] for own in found.values()} == {"Watts-Strogatz"}
    assert found["RigL"]["less_rival"].mean == pytest.approx(0.3)
    assert found["Watts-Strogatz"]["less_rival"] is None
