"""The study of topologies: its trainings, the wirings that it keeps, its distances, and words that follow from them."""

import copy
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import refused, wirenas

from nas.errors import InputError
from nas.evaluation.estimates import mean_of
from nas.evaluation.trainings import CHOOSING
from nas.store.lines import plain
from nas.studies import topology
from nas.studies.topology import topology_study
from nas.studies.topology_nets import (
    AGAIN,
    LINKS,
    METHODS,
    SET,
    SLOW,
    STEP,
    Shape,
    Sizes,
    between_hidden,
    first_layer,
    mean_over_nets,
    packed,
    sample,
    train_wiring,
    unpacked,
    weighted,
)
from nas.studies.topology_report import PUBLISHED_DISTANCES, pages
from nas.tasks import load_task
from nas.training.recipe import Recipe
from predictors.distances import nnstd, nnstd_of_masks
from priors import Wiring

SMALL = Sizes(
    seeds=2, epochs=4, sparse_epochs=8, examples=300, width=24, nets=3, net_epochs=12, net_examples=300, net_width=30
)
GIVEN: dict[str, Any] = {"task": "digits", "sizes": SMALL, "rates": [0.05]}


class Never:
    def is_set(self) -> bool:
        return False


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "runs.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("topology") / "out"
    return out, topology_study(out, **GIVEN)


def net_rows(out: Path, method: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [
        (line["key"], line["row"])
        for line in lines_of(out)
        if line["key"].get("part") == "nets" and line["key"]["method"] == method
    ]


@pytest.fixture(scope="module")
def shape() -> Shape:
    return Shape.of(load_task("digits"), [30] * 3, LINKS, dense_output=True)


# What is trained


def test_set_keeps_the_number_of_links_of_every_layer(study: tuple[Path, dict[str, Any]], shape: Shape) -> None:
    rows = net_rows(study[0], "set")
    # The first start is the first independent one too.
    assert len(rows) == SMALL.nets + AGAIN + SMALL.nets - 1 + 4 * SMALL.nets
    for key, row in rows:
        starts = shape.steps(SMALL.nets, STEP) if not key["start"] else [shape.start(key["start"])]
        kept = {int(epoch): unpacked(text, shape.sizes) for epoch, text in row["wirings"].items()}
        assert [*kept] == [0, 10, 12]
        assert kept[0] == starts[key["step"]]
        for wiring in kept.values():
            assert [int(mask.sum()) for mask in wiring.masks()] == list(shape.counts)
        # 30 % of the links, or 10 %, move in each of ten epochs; the output units read all neurons before and after.
        assert (0.3 if "dropped" not in key else 0.1) < first_layer(kept[0], kept[10]) < 1
        assert (kept[12].masks()[-1] == 1).all()
        assert row["weights"] == sum(shape.counts)


def test_starts_are_steps_apart(shape: Shape) -> None:
    steps = shape.steps(5, 0.1)
    for before, after in pairwise(steps):
        for one, other in list(zip(before.masks(), after.masks(), strict=True))[:-1]:
            assert int((one & ~other).sum()) == int((other & ~one).sum()) == round(0.1 * int(one.sum()))
        assert (after.masks()[-1] == 1).all()
    near, far = (first_layer(steps[0], steps[step]) for step in (1, 4))
    assert 0 < near < far
    assert shape.steps(3, 0.1) == steps[:3]
    assert shape.start(0) == steps[0] != shape.start(1)


def test_counts_are_those_of_set() -> None:
    task = load_task("digits")
    assert Shape.of(task, [1000, 1000], 13).counts == (13 * 1064, 13 * 2000, 10_000)
    assert Shape.of(task, [20], 13).counts == (13 * 84, 20 * 10)
    published = Shape((784, 784, 784, 784, 10), (3772, 3772, 3772, 7840))
    assert published.counts[0] / 784**2 == pytest.approx(0.006137, rel=1e-3)
    assert round(LINKS * (784 + 784)) == 3772


def test_all_kinds_of_networks_share_start_and_images(study: tuple[Path, dict[str, Any]]) -> None:
    out, found = study
    arms = {arm["method"]: arm for arm in found["parts"]["set-vs-dense"]["arms"]}
    sparse = sum(found["parts"]["set-vs-dense"]["links"])
    dense = 64 * 24 + 24 * 24 * 2 + 24 * 10
    assert {name: (arm["weights"], arm["epochs"], arm["schedule"]) for name, arm in arms.items()} == {
        "dense": (dense, 4, "cosine"),
        "static": (sparse, 8, "cosine"),
        "set": (sparse, 8, "cosine"),
        "set-published": (sparse, 8, "constant"),
    }
    tests = {
        (line["key"]["method"], line["key"]["seed"]): line["row"]["test"]
        for line in lines_of(out)
        if line["key"].get("part") == "set-vs-dense"
    }
    assert len(tests) == 2 * len(METHODS)
    for own in found["parts"]["set-vs-dense"]["differences"]:
        gaps = [tests[own["of"], seed] - tests[own["over"], seed] for seed in range(2)]
        assert own["mean"]["mean"] == pytest.approx(np.mean(gaps), abs=1e-5)


def test_each_kind_has_as_many_rates_to_choose_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    best = {None: 0.1, METHODS["set"][0]: 0.05, METHODS["set-published"][0]: 0.02}

    def train(_: Any, __: Any, ___: Any, rate: float, seed: int, ____: Any, *, method: Any) -> dict[str, Any]:
        value = 0.9 - abs(rate - best[method])
        return {"validation": value, "test": value + seed / 1e4, "weights": 1}

    monkeypatch.setattr(topology, "train_wiring", train)
    given = {**GIVEN, "rates": [0.02, 0.05, 0.1], "parts": ["set-vs-dense"]}
    numbers = topology_study(tmp_path, **given)
    found = numbers["parts"]["set-vs-dense"]
    text = " ".join(pages(numbers)["README.md"].split())
    assert "The lowest is the best for SET as published. The highest is the best for dense and static." in text
    assert {arm["method"]: arm["rate"] for arm in found["arms"]} == {
        "dense": 0.1, "static": 0.1, "set": 0.05, "set-published": 0.02,
    }  # fmt: skip
    chosen = [line["key"]["method"] for line in lines_of(tmp_path) if line["key"]["seed"] == CHOOSING]
    assert chosen == [name for name in METHODS for _ in range(3)]
    assert all(arm["test"]["n"] == 2 for arm in found["arms"])


def test_a_seed_draws_its_images() -> None:
    task = load_task("digits")
    one, again, other = sample(task, 1, 200, 50), sample(task, 1, 200, 50), sample(task, 2, 200, 50)
    assert one.fingerprint == again.fingerprint != other.fingerprint
    assert (len(one.train), len(one.validation), len(one.test)) == (200, 50, len(task.test))
    assert (one.inputs[one.test] == task.inputs[task.test]).all()
    rows = {tuple(row) for row in task.inputs[task.train].tolist()}
    assert all(tuple(row) in rows for row in one.inputs[one.train].tolist())
    with pytest.raises(InputError, match="examples=2000: task digits has 1151"):
        sample(task, 1, 2000, 50)


def test_a_network_that_is_not_rewired_keeps_its_wiring(shape: Shape) -> None:
    task = sample(load_task("digits"), 0, 200, 50)
    recipe = Recipe(optimizer="sgd", epochs=4, batch_size=40)
    static = train_wiring(shape.start(1), task, recipe, 0.05, 0, Never(), keep=(0, 4))
    assert static["wirings"]["0"] == static["wirings"]["4"] == packed(shape.start(1))
    moved = train_wiring(shape.start(1), task, recipe, 0.05, 0, Never(), method=SET, keep=(0, 2, 4))
    assert moved["wirings"]["2"] != moved["wirings"]["0"] == static["wirings"]["0"]


def test_links_in_common_begin_with_equal_weights(shape: Shape) -> None:
    near = shape.steps(2, 0.1)
    given = [weighted(wiring, np.random.default_rng(0)) for wiring in near]
    values = [dict(zip(map(tuple, own.edges.tolist()), own.weights, strict=True)) for own in given]
    raw = [
        {edge: value * np.sqrt(own.in_degree[edge[1]]) for edge, value in each.items()}
        for own, each in zip(given, values, strict=True)
    ]
    common = set(raw[0]) & set(raw[1])
    assert 0.85 < len(common) / len(raw[0]) < 1
    assert [raw[0][edge] for edge in common] == pytest.approx([raw[1][edge] for edge in common], rel=1e-5)
    hidden = [value for edge, value in raw[0].items() if edge[1] < sum(shape.sizes[:-1])]
    assert np.var(hidden) == pytest.approx(2, rel=0.15)
    task = sample(load_task("digits"), 0, 200, 50)
    recipe = Recipe(optimizer="sgd", epochs=4, batch_size=40)
    given = {"method": SET, "by_place": True, "keep": (0, 4)}
    again = [train_wiring(near[0], task, recipe, 0.05, 0, Never(), **given) for _ in range(2)]
    assert again[0] == again[1]


def test_wirings_are_packed_without_loss(shape: Shape) -> None:
    for wiring in (shape.start(3), Wiring((4, 3, 2), [(0, 4), (3, 6), (6, 8)], inputs=True, outputs=True)):
        assert unpacked(packed(wiring), wiring.sizes) == wiring


# What is measured


def test_distances_are_those_of_the_kept_wirings(study: tuple[Path, dict[str, Any]], shape: Shape) -> None:
    out, found = study
    evolution, n = found["parts"]["evolution"], SMALL.nets
    rows = {
        (key["step"], key["seed"]): row
        for key, row in net_rows(out, "set")
        if key["start"] == 0 and key["rate"] == 0.05 and "dropped" not in key
    }
    assert evolution["at"] == [0, 10, 12]
    assert evolution["steps"] == [0, 1, 2, 0, 0]
    last = [unpacked(rows[step, step]["wirings"]["12"], shape.sizes) for step in range(n)]
    matrix = np.array(evolution["last"])
    assert matrix.shape == (n + AGAIN, n + AGAIN)
    for a in range(n):
        for b in range(a + 1, n):
            masks = [[mask.T for mask in last[at].masks()] for at in (a, b)]
            assert matrix[a, b] == pytest.approx(nnstd_of_masks(*masks)[1][0], abs=1e-5)
    begin, _, end = evolution["by_gap"]
    assert begin["0"]["mean"] == 0 == evolution["drift"][0]["mean"]
    assert 0 < begin["1"]["mean"] < begin["2"]["mean"] < end["1"]["mean"]
    assert end["0"]["n"] == 3
    assert end["2"]["n"] == 1 + AGAIN
    assert end["0"]["mean"] > 0.1  # Other seeds move networks apart that begin alike.
    for at, chance in zip(evolution["at"], evolution["chance"], strict=True):
        assert 0.6 < chance["random"]["mean"] < 1
        assert not at or 0.5 < chance["degrees"]["mean"] < 1


def test_what_networks_have_in_common_keeps_them_near(study: tuple[Path, dict[str, Any]]) -> None:
    evolution = study[1]["parts"]["evolution"]
    ways = {(own["rate"], own["dropped"], own["by_place"]): own for own in evolution["ways"]}
    assert list(ways) == [
        (0.05, 0.3, False),
        (0.05, 0.3, True),
        (0.05, 0.1, False),
        (SLOW, 0.3, False),
        (SLOW, 0.3, True),
    ]
    own = ways[0.05, 0.3, False]
    assert own["from_first"][-1]["1"] == pytest.approx(evolution["last"][0][1], abs=1e-6)
    for rate in (0.05, SLOW):
        assert ways[rate, 0.3, True]["from_first"][-1]["1"] < ways[rate, 0.3, False]["from_first"][-1]["1"]
    for way in ways.values():
        assert [*way["from_first"][0]] == ["1", "2"]
        assert way["from_first"][0] == own["from_first"][0]
        same, apart = way["one_update"]
        # Of links that move, as many are gone as are new: 2 z / (1 + z) without a match.
        assert 0.7 * 2 * way["dropped"] / (1 + way["dropped"]) < same <= 2 * way["dropped"] / (1 + way["dropped"])
        assert same < apart


def test_networks_with_other_starts_are_compared(study: tuple[Path, dict[str, Any]], shape: Shape) -> None:
    out, found = study
    kinds = found["parts"]["plenitude"]["kinds"]
    starts = [shape.start(seed) for seed in range(SMALL.nets)]
    matrix = np.array(kinds["static"]["matrix"])
    assert matrix[0, 1] == pytest.approx(between_hidden(starts[0], starts[1]), abs=1e-5)
    assert between_hidden(starts[0], starts[1]) == pytest.approx(np.mean(nnstd(starts[0], starts[1]).layers[:3]))
    tests = {key["seed"]: row["test"] for key, row in net_rows(out, "static") if key["seed"] < CHOOSING}
    assert kinds["static"]["tests"] == pytest.approx([tests[seed] for seed in range(SMALL.nets)], rel=1e-5)
    pairs = matrix[np.triu_indices(SMALL.nets, 1)]
    assert kinds["static"]["distance"]["mean"] == pytest.approx(pairs.mean(), rel=1e-5)


def test_the_interval_of_a_mean_distance_is_over_networks() -> None:
    """One odd network among many is one observation, whatever the number of its pairs."""
    assert mean_over_nets(0.5 * (1 - np.eye(6)))["low"] == pytest.approx(0.5)
    values = np.random.default_rng(0).normal(size=8)
    found = mean_over_nets(np.where(np.eye(8, dtype=bool), 0, np.add.outer(values, values) / 2))
    own = mean_of(list(values))
    # The mean over pairs of sums is the mean of the summands, and so is its error.
    assert found["mean"] == pytest.approx(own.mean)
    assert found["high"] - found["low"] == pytest.approx(own.high - own.low)


# What is kept and said


def test_files_and_numbers(study: tuple[Path, dict[str, Any]]) -> None:
    out, found = study
    kept = json.loads((out / "topology.json").read_text(encoding="utf-8"))
    assert kept == {name: value for name, value in found.items() if name != "out"}
    assert (out / "README.md").read_text(encoding="utf-8") == pages(kept)["README.md"]
    for name in ("topology.png", "topology-pairs.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_what_is_stored_is_not_done_again(study: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    out, found = study
    for name in ("train_wiring", "distance_matrix"):
        monkeypatch.setattr(topology, name, lambda *_, **__: pytest.fail("done again"))
    part = topology_study(out, parts=["evolution"], **GIVEN)
    assert part["parts"] == {"evolution": found["parts"]["evolution"]}
    assert topology_study(out, **GIVEN) == found
    with pytest.raises(InputError, match=r"width=25: the study in .* was started with 24"):
        topology_study(out, **{**GIVEN, "sizes": Sizes(**{**vars(SMALL), "width": 25})})


def test_a_stop_between_distances_is_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**GIVEN, "parts": ["evolution"], "sizes": Sizes(**{**vars(SMALL), "net_epochs": 4, "net_examples": 100})}
    measure, calls = first_layer, []

    def fails(one: Wiring, other: Wiring) -> float:
        calls.append(1)
        if len(calls) > 25:
            raise KeyboardInterrupt
        return measure(one, other)

    monkeypatch.setattr(topology, "first_layer", fails)
    with pytest.raises(KeyboardInterrupt):
        topology_study(tmp_path / "stopped", **given)
    monkeypatch.setattr(topology, "first_layer", measure)
    stopped = topology_study(tmp_path / "stopped", **given)
    whole = topology_study(tmp_path / "whole", **given)
    assert stopped["parts"] == whole["parts"]


@pytest.fixture
def numbers(study: tuple[Path, dict[str, Any]]) -> Any:
    found = copy.deepcopy({name: value for name, value in study[1].items() if name != "out"})
    found["task"] = "fashion-mnist"
    return found


def set_difference(numbers: Any, of: str, over: str, values: list[float]) -> None:
    for own in numbers["parts"]["set-vs-dense"]["differences"]:
        if (own["of"], own["over"]) == (of, over):
            own["mean"] = plain(mean_of(values))


def test_words_on_dense_networks_follow_from_the_numbers(numbers: Any) -> None:
    set_difference(numbers, "set", "dense", [0.01, 0.02, 0.015])
    set_difference(numbers, "set-published", "dense", [0.01, 0.02, 0.015])
    set_difference(numbers, "static", "dense", [0.01, -0.01, 0.0])
    set_difference(numbers, "set", "static", [-0.01, -0.02, -0.015])
    set_difference(numbers, "set-published", "static", [0.01, 0.02, 0.015])
    text = pages(numbers)["README.md"]
    assert "- SET is above dense, +1.50 [" in text
    assert "points; SET as published is above dense, +1.50 [" in text
    assert "that SET is above dense is found here." in text
    assert "- Static is not told apart from dense, +0.00 [" in text
    assert "that static is below dense is NOT found here." in text
    assert "- SET is BELOW static, -1.50 [" in text
    assert "that SET is above static is found here in part." in text
    # 5 networks each: .8256 ± .0091 and .8198 ± .0026.
    assert "The published difference is +0.58 [-0.5" in text
    assert "| 0.8256 ± 0.0091 |" in text
    other = pages({**numbers, "task": "digits"})["README.md"]
    assert "ublished difference" not in other
    assert "0.8256" not in other


def test_words_on_distances_follow_from_the_numbers(numbers: Any) -> None:
    evolution, plenitude = numbers["parts"]["evolution"], numbers["parts"]["plenitude"]
    evolution["by_gap"][-1]["0"]["mean"], evolution["by_gap"][-1]["2"]["mean"] = 0.4, 0.5
    evolution["chance"][-1]["degrees"]["mean"] = 0.75
    plenitude["degrees"]["mean"] = 0.8
    plenitude["kinds"]["set"]["distance"]["mean"] = 0.6
    plenitude["kinds"]["set"]["test"] |= {"sd": 0.004}
    text = " ".join(pages(numbers)["README.md"].split())
    assert "67% of what chance gives at these degrees" in text
    assert "80% is there without any difference of starts" in text
    assert "at 75% of chance from each other" in text
    assert "they are far apart, though nearer than by chance and about equally accurate" in text
    plenitude["kinds"]["set"]["test"] |= {"sd": 0.04}
    plenitude["kinds"]["set"]["distance"]["mean"] = 0.3
    text = " ".join(pages(numbers)["README.md"].split())
    assert "they are NEAR each other and NOT equally accurate" in text


def test_the_nearest_networks_to_the_published_ones_are_named(numbers: Any) -> None:
    numbers["sizes"]["net_width"] = 784
    for own in numbers["parts"]["evolution"]["ways"]:
        near = (own["rate"], own["by_place"]) == (SLOW, True)
        own["from_first"][1] = {"1": 0.345 if near else 0.7, "2": 0.9}
    text = " ".join(pages(numbers)["README.md"].split())
    assert "Nearest to the published distances come networks with equal seeds at rate 0.01 that drop 0.3;" in text
    assert "they miss them by 0.010 on average, from -0.010 to -0.010, those of the first row by 0.345." in text


def test_published_distances_stand_beside_networks_of_their_size(numbers: Any) -> None:
    assert f"({PUBLISHED_DISTANCES[10][1]:.3f})" not in pages(numbers)["README.md"]
    numbers["sizes"]["net_width"] = 784
    text = pages(numbers)["README.md"]
    assert f"({PUBLISHED_DISTANCES[10][1]:.3f})" in text
    assert "times those measured on the published networks" in " ".join(text.split())


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    for given, words in (
        ({"parts": ["evolutoin"]}, r"part 'evolutoin' is not known \(nearest: evolution\)"),
        ({"rates": [0.0]}, "learning_rates"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            topology_study(tmp_path / "out", **{**GIVEN, **given})
        assert "\n" not in str(caught.value)
    for name, value in (("nets", 2), ("seeds", 0), ("sparse_epochs", 0)):
        with pytest.raises(InputError, match=f"{name}={value}: it must be at least"):
            Sizes(**{**vars(SMALL), name: value})
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path: Path) -> None:
    given = ("study", "topology", "--task", "digits", "--part", "plenitude", "--nets", 3, "--net-width", 20)
    more = (
        "--net-epochs",
        4,
        "--net-examples",
        100,
        "--learning-rate",
        0.05,
        "--threads",
        1,
        "--out",
        tmp_path / "out",
    )
    code, text, err = wirenas(*given, *more, "--json")
    assert code == 0, err
    found = json.loads(text)
    assert list(found["parts"]) == ["plenitude"]
    assert found["sizes"]["net_width"] == 20
    assert "plenitude: 6 trainings" in err
    page = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    options = "--task digits --part plenitude --nets 3 --net-epochs 4 --net-examples 100 --net-width 20"
    assert f"`wirenas study topology {options} --learning-rate 0.05`" in page
    assert "--net-width 21: the study in" in refused(*given[:-1], 21, *more)
    assert "--nets" in refused(*given[:-3], 2, *more)
