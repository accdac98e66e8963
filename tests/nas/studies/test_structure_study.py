"""The study of structure: what is trained again, pruned further and looked at, and words that follow from numbers."""

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import refused, wirenas

from nas.errors import InputError
from nas.evaluation.estimates import mean_of
from nas.evaluation.trainings import CHOOSING
from nas.sparsity.layers import Places, stack
from nas.studies import lenet
from nas.studies.lenet import LeNet
from nas.studies.structure import gru
from nas.studies.structure import study as study_module
from nas.studies.structure.measures import Timeline, area, counts_of, decoded, distance, encoded, fan_in, overlap
from nas.studies.structure.pages import RECIPE, pages, recipe_of
from nas.studies.structure.runs import DENSE, LEARNED, LEVELS, VARIANTS, Structures, at_random
from nas.studies.structure.study import ENDS, structure_study
from nas.tasks import load_task, reber
from nas.training.recipe import changed

WIDTHS = (30, 20)
EVERYTHING = 64 * 30 + 30 * 20 + 20 * 10
DENSITY, EPOCHS = 0.2, 8
SHORT: dict[str, Any] = {"task": "digits", "density": DENSITY, "epochs": EPOCHS, "rates": [0.1], "seeds": 2}
Row = dict[str, Any]


class Never:
    def is_set(self) -> bool:
        return False


def rows_of(out: Path, what: str) -> list[Row]:
    lines = [json.loads(line) for line in (out / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{**line["key"], **line["row"]} for line in lines if line["key"]["what"] == what]


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A smaller network tells as much about the study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lenet, "WIDTHS", WIDTHS)
        yield


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("structure") / "out"
    return out, structure_study(out, **SHORT)


@pytest.fixture(scope="module")
def structures() -> Structures:
    recipe = changed(RECIPE, epochs=2)
    return Structures(LeNet(load_task("digits"), recipe), DENSITY, (0.0, 0.5, 1.0, 2.0))


# What the trainings return


def test_all_structures_hold_as_many_weights_in_each_layer(study: tuple[Path, dict[str, Any]], structures: Structures):
    out, found = study
    assert found["weights"] == sum(found["counts"]) == round(DENSITY * EVERYTHING)
    for row in rows_of(out, "learned"):
        assert row["weights"] == (EVERYTHING if row["method"] == DENSE else found["weights"])
        if row["method"] != DENSE:
            places = decoded(row["structure"], EVERYTHING)
            assert counts_of(structures.layers, places).tolist() == found["counts"]
        assert 0.5 < row["test"] <= 1


def test_a_structure_is_its_own_in_the_end_and_random_ones_overlap_by_chance(study: tuple[Path, dict[str, Any]]):
    out, _ = study
    rows = [row for row in rows_of(out, "learned") + rows_of(out, "at random") if row["method"] != DENSE]
    for row in rows:
        assert len(row["overlap"]) == len(row["distance"]) == 3 + EPOCHS
        assert row["overlap"][-1] == 1
        assert row["distance"][-1] == 0
        assert abs(row["random_overlap"]) < 0.06
        assert row["random_distance"] > 0.5
        assert max(row["overlap"]) <= 1
        if row["method"] == "static":
            assert set(row["overlap"]) == {1.0}
    # In the last quarter the structure stays, but with DNW.
    last = [row["overlap"][3 + round(0.75 * EPOCHS) :] for row in rows if row["method"] in ("gmp", "rigl", "set")]
    assert {value for values in last for value in values} == {1.0}


def test_the_schedule_at_random_keeps_less_and_does_not_see_weights(
    study: tuple[Path, dict[str, Any]], structures: Structures
):
    out, _ = study
    learned = {(row["method"], row["seed"]): row for row in rows_of(out, "learned")}
    drawn = rows_of(out, "at random")
    assert {row["method"] for row in drawn} == {"gmp", "rigl", "set"}
    for row in drawn:
        assert sum(row["overlap"]) < sum(learned[row["method"], row["seed"]]["overlap"])
        assert row["dense_gradients"] == 0
    for name in ("gmp", "rigl", "set"):
        one, other = (structures.learned(at_random(LEARNED[name]), rate, 3, False, Never()) for rate in (0.01, 0.2))
        assert one["structure"] == other["structure"]
        assert one["overlap"] == other["overlap"]
        assert one["test"] != other["test"]


def test_pruning_shows_what_would_be_left(structures: Structures, monkeypatch: pytest.MonkeyPatch):
    seen: list[Places] = []

    def emerged(_: Structures, given: Sequence[Places], *__: Any) -> dict[str, Any]:
        seen.extend(given)
        return {}

    monkeypatch.setattr(Structures, "_emerged", emerged)
    structures.learned(LEARNED["gmp"], 0.1, 0, False, Never())
    assert len(seen) == len(structures.marks)
    assert {tuple(counts_of(structures.layers, places)) for places in seen} == {tuple(structures.counts)}
    begun = structures.weights(np.arange(EVERYTHING), 0, np.arange(EVERYTHING))
    first = structures.layers[0]
    order = np.argsort(-np.abs(begun[: first.size]), kind="stable")[: structures.counts[0]]
    assert np.array_equal(np.sort(order), seen[0][seen[0] < first.stop])


def test_a_structure_that_is_final_early_stays_from_then_on(study: tuple[Path, dict[str, Any]]):
    out, found = study
    rows = rows_of(out, "ended early")
    epochs = found["emergence"][0]["epochs"]
    ends = [end for end in ENDS if end < 0.75 * EPOCHS]
    assert [end["end"] for end in found["ends"]] == [*ends, None]
    learned = {(row["method"], row["seed"]): row for row in rows_of(out, "learned")}
    for row in rows:
        assert {value for epoch, value in zip(epochs, row["overlap"], strict=True) if epoch >= row["end"]} == {1.0}
        assert row["dense_gradients"] == row["updates"]
        if row["end"]:
            assert row["overlap"][0] < 1
        else:
            assert row["dense_gradients"] == 0
            assert row["structure"] == learned["static", row["seed"]]["structure"]
    full = learned["rigl", 0]["dense_gradients"]
    gradients = [end["dense_gradients"] for end in found["ends"]]
    assert gradients == sorted(gradients)
    assert gradients[0] == 0
    assert gradients[1] == 1
    assert gradients[-1] == full > gradients[-2]
    assert found["ends"][0]["saved"] == 1
    assert found["ends"][-1]["saved"] == 0


def test_what_is_trained_again_has_the_structure_or_a_null_of_it(study: tuple[Path, dict[str, Any]]):
    out, found = study
    tests = {(own["method"], own["variant"]): own for own in found["reinit"]}
    assert set(tests) == {(name, variant) for name in LEARNED for variant in VARIANTS if name != "static"} | {
        ("static", "fresh")
    }
    for (name, variant), own in tests.items():
        if variant == "shuffled":
            assert abs(own["overlap"]) < 0.06
        elif variant == "degrees":
            assert -0.06 < own["overlap"] < 0.5
        else:
            assert own["overlap"] == 1
        trained = next(method for method in found["methods"] if method["method"] == name)
        gaps = [again - before for again, before in zip(own["tests"], trained["tests"], strict=True)]
        assert own["less_trained"]["mean"] == pytest.approx(mean_of(gaps).mean, abs=2e-6)
    assert tests["static", "fresh"]["less_trained"]["sd"] > 0
    assert len(rows_of(out, "again")) == 2 * len(tests)


def test_a_structure_that_never_changed_is_trained_the_same_way_again(structures: Structures):
    static = LEARNED["static"]
    learned = structures.learned(static, 0.1, 2, False, Never())
    for variant in ("initial", "initial, scaled"):
        again = structures.again(learned["structure"], static, variant, 0.1, 2, Never())
        assert (again["test"], again["validation"]) == (learned["test"], learned["validation"])
    other = structures.again(learned["structure"], static, "fresh", 0.1, 2, Never())
    assert other["validation"] != learned["validation"]


def test_pruned_further(study: tuple[Path, dict[str, Any]]):
    out, found = study
    for row in rows_of(out, "learned"):
        for way in ("magnitude", "random"):
            curve = row["pruned"][way]
            assert len(curve) == len(LEVELS)
            assert curve[0] == pytest.approx(row["test"])
            assert curve[-1] < 0.4
        assert area(LEVELS, row["pruned"]["magnitude"]) > area(LEVELS, row["pruned"]["random"])
    curves = {(own["way"], own["method"]): own for own in found["robustness"]["curves"]}
    rigl = [row for row in rows_of(out, "learned") if row["method"] == "rigl"]
    areas = [np.trapezoid(row["pruned"]["random"], LEVELS) / 0.99 for row in rigl]
    assert curves["random", "rigl"]["areas"] == pytest.approx(areas, rel=1e-5)
    assert len(found["robustness"]["pairs"]) == 2 * 15


def test_initial_weights_have_the_variance_of_their_fan_in(structures: Structures):
    everything, start = np.arange(EVERYTHING), structures.start(LEARNED["rigl"], 4)
    assert np.array_equal(structures.start(LEARNED["gmp"], 4), everything)
    dense, sparse = (structures.weights(start, 4, by) for by in (everything, start))
    first = start < structures.layers[0].stop
    reads = fan_in(structures.layers, start)[0][structures.layers[0].entries(start[first])[0]]
    assert sparse[first] == pytest.approx(dense[first] * np.sqrt(64 / reads))
    wide = structures.weights(everything, 4, everything)[: structures.layers[0].size]
    assert np.var(wide) == pytest.approx(2 / 64, rel=0.1)
    assert np.corrcoef(sparse, structures.weights(start, 4, start, fresh=1))[0, 1] == pytest.approx(0, abs=0.15)


def test_nulls_keep_what_they_promise(structures: Structures):
    places = structures.start(LEARNED["rigl"], 5)
    for kind in ("degrees", "shuffled"):
        null = structures.null_of(places, kind, 5)
        assert counts_of(structures.layers, null).tolist() == structures.counts.tolist()
        assert not np.array_equal(null, places)
        same = [
            np.array_equal(*(np.bincount(layer.entries(own[(own >= layer.first) & (own < layer.stop)])[axis],
                                         minlength=layer.shape[axis]) for own in (places, null)))
            for layer in structures.layers
            for axis in (0, 1)
        ]  # fmt: skip
        assert all(same) == (kind == "degrees")


# A network that reads sequences


@pytest.fixture(scope="module")
def gates() -> Structures:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gru, "NEURONS", 10)
        found = Structures(gru.GRU(reber(200), changed(recipe_of(True), epochs=2)), 0.3, (0.0, 1.0, 2.0))
        assert found.layers  # While it is small.
        return found


@pytest.fixture
def small_gru(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gru, "NEURONS", 10)


@pytest.mark.usefixtures("small_gru")
def test_nulls_of_gates_keep_the_degrees_of_each(gates: Structures):
    places = gates.start(LEARNED["rigl"], 5)
    for kind in ("degrees", "shuffled"):
        null = gates.null_of(places, kind, 5)
        assert (
            counts_of(gates.layers, null).tolist() == gates.counts.tolist() == counts_of(gates.layers, places).tolist()
        )
        assert not np.array_equal(null, places)
        lives = [np.zeros(gates.size, bool) for _ in range(2)]
        for marks, own in zip(lives, (places, null), strict=True):
            marks[own] = True
        same = []
        for layer in gates.layers:
            matrices = [marks[layer.first : layer.stop].reshape(layer.gates, layer.n_targets, -1) for marks in lives]
            same += [np.array_equal(matrices[0].sum(axis), matrices[1].sum(axis)) for axis in (1, 2)]
        assert all(same) == (kind == "degrees")


@pytest.mark.usefixtures("small_gru")
def test_distances_of_gates_have_no_names_for_neurons(gates: Structures):
    rng, n = np.random.default_rng(0), 10
    places = gates.start(LEARNED["rigl"], 6)
    to = rng.permutation(n)
    moved = []
    for layer in gates.layers:
        row, column = layer.entries(places[(places >= layer.first) & (places < layer.stop)])
        is_output, is_recurrent = layer.name == "output", "recurrent" in layer.name
        rows = row if is_output else row // n * n + to[row % n]
        moved.append(layer.places(rows, to[column] if is_output or is_recurrent else column))
    other = np.sort(np.concatenate(moved))
    assert overlap(gates.layers, places, other) < 0.5
    assert gates.distance(places, other) == 0
    assert gates.distance(places, gates.start(LEARNED["rigl"], 7)) > 0.1


@pytest.mark.usefixtures("small_gru")
def test_initial_weights_of_gates_have_the_variance_of_their_fan_in(gates: Structures):
    everything = np.arange(gates.size)
    weights = gates.weights(everything, 1, everything)
    _, recurrent, _ = gates.layers
    assert np.var(weights[recurrent.first : recurrent.stop]) == pytest.approx(1 / 10, rel=0.25)


@pytest.mark.usefixtures("small_gru")
def test_the_study_of_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(study_module, "load_task", lambda *_: reber(400))
    given = {"task": "reber", "density": 0.3, "epochs": 3, "rates": [0.03], "seeds": 2}
    found = structure_study(tmp_path / "out", **given)
    assert [own["method"] for own in found["methods"]] == ["gmp", "rigl", "set", "static", DENSE]
    for row in rows_of(tmp_path / "out", "learned"):
        if row["method"] != DENSE:
            assert row["weights"] == found["weights"] == sum(found["counts"])
            assert row["overlap"][-1] == 1
            assert row["distance"][-1] == 0
            assert 0 < row["random_distance"] <= 1
    tests = {(own["method"], own["variant"]): own for own in found["reinit"]}
    for (_, variant), own in tests.items():
        assert (own["overlap"] == 1) == (variant not in ("degrees", "shuffled"))
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "a GRU of 10 neurons on reber, 2\nseeds." in text
    assert "batches of 32, Adam,\nschedule cosine." in text
    assert "A rate of 0.4" not in text
    assert "`wirenas study structure --task reber --density 0.3 --seeds 2 --epochs 3 --learning-rate 0.03`" in text
    with pytest.raises(
        InputError, match="method=dnw: it is for networks without recurrence; for reber give gmp, rigl, set and static"
    ):
        structure_study(tmp_path / "out", **{**given, "methods": ["dnw"]})


# Measures


def test_overlap_by_hand():
    layers = stack({"a": (2, 4), "b": (1, 2)})
    one, other = np.array([0, 1, 2, 8]), np.array([1, 2, 3, 9])
    # In a 3 and 3 of 8 share 2 of 4, by chance 9/8 of 39/8; in b 1 and 1 of 2 share 0 of 2, by chance 1/2 of 3/2.
    a, b = (1 / 2 - 9 / 39) / (1 - 9 / 39), (0 - 1 / 3) / (1 - 1 / 3)
    assert overlap(layers, one, other) == pytest.approx((3 * a + b) / 4)
    assert overlap(layers, one, one) == 1
    full = np.arange(10)
    assert overlap(layers, full, full) == 1


def test_overlap_of_random_structures_is_0_in_the_mean(structures: Structures):
    drawn = [structures.start(LEARNED["rigl"], seed) for seed in range(60)]
    values = [overlap(structures.layers, one, other) for one, other in zip(drawn[::2], drawn[1::2], strict=True)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values)) + 0.01


def test_distance_has_no_names_for_neurons():
    layers = stack({"a": (2, 3), "b": (1, 2)})
    one, swapped = np.array([0, 1, 5, 6]), np.array([2, 3, 4, 7])
    assert distance(layers, one, swapped) == 0
    assert overlap(layers, one, swapped) < 0
    assert distance(layers, one, np.array([0, 1, 4, 6])) > 0


def test_structures_as_text():
    rng = np.random.default_rng(0)
    for n in (1, 8, 1001):
        places = np.flatnonzero(rng.random(n) < 0.3)
        assert np.array_equal(decoded(encoded(places, n), n), places)


def test_timeline_keeps_what_there_was():
    timeline = Timeline([0, 4, 5, 9, 12])
    for step in (0, 3, 5, 6, 7):
        timeline.see(step, np.array([step]))
    assert [int(places[0]) for places in timeline.ended()] == [0, 3, 5, 7, 7]


def test_area_is_a_mean_height():
    assert area([0.0, 0.5, 1.0], [1.0, 1.0, 0.0]) == pytest.approx(0.75)
    assert area([0.0, 0.5], [0.3, 0.3]) == pytest.approx(0.3)


# The study


def test_files_and_numbers(study: tuple[Path, dict[str, Any]]):
    out, found = study
    kept = json.loads((out / "learned-structure.json").read_text(encoding="utf-8"))
    assert kept == {name: value for name, value in found.items() if name != "out"}
    assert (out / "README.md").read_text(encoding="utf-8") == pages(kept)["README.md"]
    for figure in ("reinit", "robustness", "emergence", "ends"):
        assert (out / f"{figure}.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_what_is_stored_is_not_trained_again(study: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch):
    out, found = study
    for name in ("learned", "again"):
        monkeypatch.setattr(Structures, name, lambda *_: pytest.fail("trained again"))
    assert structure_study(out, **SHORT) == found
    with pytest.raises(InputError, match=r"density=0.3: the study in .* was started with 0.2"):
        structure_study(out, **{**SHORT, "density": 0.3})


def test_a_part_trains_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    trained: list[Any] = []

    def learned(_: Structures, method: Any, rate: float, seed: int, further: bool, __: Any) -> dict[str, Any]:
        trained.append((method, rate, seed, further))
        value = 0.9 - abs(rate - (0.2 if method == LEARNED["rigl"] else 0.1))
        curves = {way: [value] * len(LEVELS) for way in ("magnitude", "random")}
        return {"validation": value, "test": value, "weights": 1, "updates": 0, "dense_gradients": 0, "pruned": curves}

    monkeypatch.setattr(Structures, "learned", learned)
    given = {**SHORT, "rates": [0.1, 0.2], "parts": ["robustness"], "methods": ["rigl", "static"]}
    found = structure_study(tmp_path, **given)
    assert {own["method"]: own["rate"] for own in found["methods"]} == {"rigl": 0.2, "static": 0.1, DENSE: 0.1}
    assert [(seed == CHOOSING, further) for _, _, seed, further in trained] == [(True, False)] * 6 + [(False, True)] * 6
    assert {"reinit", "emergence", "ends"}.isdisjoint(found)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["robustness.png"]
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "## Pruned further" in text
    assert "## Trained again" not in text
    options = "--task digits --density 0.2 --seeds 2 --epochs 8 --part robustness"
    assert f"`wirenas study structure {options} --method rigl --method static`" in text


def test_words_follow_from_the_numbers(study: tuple[Path, dict[str, Any]]):
    numbers = copy.deepcopy({name: value for name, value in study[1].items() if name != "out"})

    def estimate(mean: float, half: float) -> dict[str, Any]:
        return {"mean": mean, "sd": half, "low": mean - half, "high": mean + half, "n": 5}

    fresh = {"gmp": estimate(-0.02, 0.01), "rigl": estimate(-0.001, 0.001), "set": estimate(-0.003, 0.01),
             "dnw": estimate(0.01, 0.001), "static": estimate(-0.5, 0.01)}  # fmt: skip
    over = {"gmp": estimate(0.01, 0.001), "rigl": estimate(0.02, 0.001), "set": estimate(-0.01, 0.001),
            "dnw": estimate(0.0, 0.001), "static": estimate(0, 0.01)}  # fmt: skip
    for own in numbers["reinit"]:
        if own["variant"] == "fresh":
            own["less_trained"], own["less_shuffled"] = fresh[own["method"]], over[own["method"]]
            own["less_degrees"] = estimate(0.005, 0.001)
    for own, mean in zip(numbers["emergence"], (0.4, 0.6, 0.52, 0.5), strict=True):
        own["overlap"][own["epochs"].index(1)] = estimate(mean, 0.05)
    for own in numbers["ends"]:
        own["less_full"] = None if own["end"] is None else estimate(-0.01 if own["end"] < 1 else -0.001, 0.001)
        own["dense_gradients"], own["saved"] = (3, 0.75) if own["end"] == 1 else (12, 0.0)
    for place, own in enumerate(numbers["robustness"]["curves"]):
        own["area"] = estimate(0.1 * (place % (len(fresh) + 1)), 0.01)
    for own in numbers["robustness"]["pairs"]:
        own["difference"] = estimate(-0.3, 0.1 if own["way"] == "magnitude" else 0.4)
    text = pages(numbers)["README.md"]
    assert "The first is ahead of the last by 0.300 [0.200, 0.400], as the paper has it." in text
    assert "by 0.300 [-0.100, 0.700], so that the paper's difference between methods is NOT seen." in text
    assert (
        "from fresh weights, to 0.3 points, is seen here for rigl and dnw, is NOT seen here for gmp, is not decided by "
        "these intervals for set."
    ) in text
    assert "ahead for gmp and rigl, BEHIND for set, not told apart for dnw: +1.00 [+0.90, +1.10] (gmp)" in text
    assert "the degrees alone bring 50% (gmp) and 75% (rigl)." in text
    assert (
        "where 0 is chance, is seen here for rigl, is NOT seen here for gmp, is not decided by these intervals for set "
        "and dnw."
    ) in text
    assert (
        "after one epoch computes dense gradients 3 times rather than 12, 75% fewer, and is not told apart from full "
        "RigL: -0.10 [-0.20, +0.00] points, where a structure that never changes has -1.00 [-1.10, -0.90]. That is 90% "
        "of what learning the structure brings. From an end after 1 epoch on, the whole interval lies above -0.3 points"
    ) in text
    for own in numbers["ends"]:
        own["less_full"] = None if own["end"] is None else estimate(-0.01, 0.001)
    text = pages(numbers)["README.md"]
    assert "is BEHIND full RigL: -1.00" in text
    assert "No earlier end is shown to cost less than 0.3 points." in text


def test_one_seed_has_no_intervals(tmp_path: Path):
    given = {**SHORT, "seeds": 1, "epochs": 2, "methods": ["rigl", "static"]}
    found = structure_study(tmp_path, **given)
    assert [end["end"] for end in found["ends"]] == [0, 0.25, 0.5, 1, None]
    text = pages(found)["README.md"]
    assert "is not decided by these intervals for rigl" in text
    assert "nan" not in text


def test_bad_input_is_one_line(tmp_path: Path):
    for given, words in (
        ({"parts": ["reinitt"]}, r"part 'reinitt' is not known \(nearest: reinit\)"),
        ({"methods": ["ste"]}, r"method 'ste' is not known \(nearest: set\)"),
        ({"density": 1.5}, "density=1.5: it must be above 0, and 1 at most"),
        ({"rates": [0.0]}, "learning_rates"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            structure_study(tmp_path / "out", **{**SHORT, **given})
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path: Path):
    given = ("study", "structure", "--task", "digits", "--density", 0.2, "--part", "reinit", "--method", "static")
    out = ("--learning-rate", 0.1, "--seeds", 1, "--threads", 1, "--out", tmp_path / "out", "--json")
    code, text, err = wirenas(*given, "--epochs", 1, *out)
    assert code == 0, err
    found = json.loads(text)
    assert [own["method"] for own in found["methods"]] == ["static", "dense"]
    assert len(found["reinit"]) == 1
    assert "trained again: 1 trainings" in err
    assert "--epochs 2: the study in" in refused(*given, "--epochs", 2, *out)
