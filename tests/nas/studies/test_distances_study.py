"""The study of distances: a small survey, every regressor beside the blend, a page that follows from its numbers."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import refused, wirenas

from nas import Survey
from nas.errors import InputError
from nas.store.survey_table import load_survey
from nas.studies import distances
from nas.studies.distances import DISTANCES, distances_study, in_one_layer, pages
from predictors.distances import nnstd, spectral_distance
from priors import Wiring

pytestmark = pytest.mark.usefixtures("drawn_figures", "small_forests")

TINY = {
    "task": "digits",
    "network": "mlp",
    "seeds": 2,
    "wirings": 24,
    "recipe": {"learning_rates": 0.1, "epochs": 2},
}
FIXED, VARYING = "digits-natural-fixed", "digits-natural-varying"
GIVEN = {"populations": (FIXED, VARYING), "wirings": 60}
"""More than there are: all of them."""


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("atlas")
    for name, nodes in ((FIXED, (14, 14)), (VARYING, (8, 16))):
        space = {"nodes": nodes, "degree": (3.0, 3.0), "attachment": ("natural",)}
        Survey(folder / name, **TINY, space=space).run()
    return folder


@pytest.fixture(scope="module")
def small_study() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "_REPEATS", 1)
        patch.setattr(distances, "_FOLDS", 3)
        yield


@pytest.fixture(scope="module")
def study(
    atlas: Path, tmp_path_factory: pytest.TempPathFactory, small_study: None, small_forests: None
) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("results") / "distances"
    return out, distances_study(out, atlas=atlas, **GIVEN)


def test_files_and_numbers(study: tuple[Path, dict[str, Any]]):
    out, found = study
    kept = json.loads((out / "distances.json").read_text(encoding="utf-8"))
    assert kept == {name: value for name, value in found.items() if name != "out"}
    assert (out / "README.md").read_text(encoding="utf-8") == pages(kept)["README.md"]
    assert (out / "distances.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    for own in found["populations"]:
        names = [measured["name"] for measured in own["distances"]]
        assert names == [name for name in DISTANCES if own["name"] == FIXED or name != "edge Jaccard"]
        regressors = [f"{kind}, {name}" for name in names for kind in ("nearest neighbours", "Gaussian process")]
        fits = {fit["name"]: fit for fit in own["fits"]}
        assert list(fits) == ["mean", "size alone", "features", *regressors, "features and NNSTD"]
        for name, fit in fits.items():
            assert (fit["over_size"] is None) == (name == "size alone")
            assert (fit["over_features"] is None) == (name == "features")
            if fit["over_size"] is not None:
                gain = fit["r2"]["mean"] - fits["size alone"]["r2"]["mean"]
                assert fit["over_size"]["mean"] == pytest.approx(gain, abs=1e-5)


def test_distances_are_those_of_the_survey(study: tuple[Path, dict[str, Any]], atlas: Path):
    out, found = study
    lines = [json.loads(line) for line in (out / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    pairs = {(line["key"]["population"], line["key"]["what"]): line["row"].get("pairs") for line in lines}
    table = load_survey(atlas / FIXED)
    one, other, last = (in_one_layer(table.wiring(number)) for number in (0, 1, 23))
    assert pairs[FIXED, "NNSTD"][0] == pytest.approx(nnstd(one, other).value, abs=1e-6)
    assert pairs[FIXED, "spectral"][0] == pytest.approx(spectral_distance(one, other), abs=1e-6)
    assert pairs[FIXED, "NNSTD"][22] == pytest.approx(nnstd(one, last).value, abs=1e-6)
    measured = {own["name"]: own for own in found["populations"][0]["distances"]}
    assert measured["NNSTD"]["mean"] == pytest.approx(np.mean(pairs[FIXED, "NNSTD"]), abs=1e-6)
    assert measured["NNSTD"]["pairs"] == 24 * 23 / 2
    assert measured["NNSTD"]["seconds"] > 0


def test_hidden_neurons_become_one_layer():
    wiring = Wiring((2, 2, 1, 1), [(0, 2), (1, 3), (2, 4), (3, 4), (4, 5)], inputs=True, outputs=True)
    found = in_one_layer(wiring)
    assert found.sizes == (2, 3, 1)
    assert found.edges.tolist() == wiring.edges.tolist()
    assert found.forward.tolist() == [True, True, False, False, True]


def test_words_follow_from_the_numbers(study: tuple[Path, dict[str, Any]]):
    numbers = copy.deepcopy({name: value for name, value in study[1].items() if name != "out"})

    def estimate(mean: float, half: float) -> dict[str, float]:
        return {"mean": mean, "sd": 0.0, "low": mean - half, "high": mean + half}

    for own, mean in zip(numbers["populations"], (0.3, 0.1), strict=True):
        for fit in own["fits"]:
            if fit["name"] == "Gaussian process, NNSTD":
                fit["r2"], fit["over_size"], fit["over_features"] = (
                    estimate(mean, 0.2), estimate(mean - 0.3, 0.1), estimate(-0.4, 0.1)
                )  # fmt: skip
            elif fit["name"] == "nearest neighbours, spectral":
                fit["r2"], fit["over_size"] = estimate(0.5, 0.1), estimate(0.2, 0.1)
            elif fit["name"] == "features and NNSTD":
                fit["over_features"] = estimate(0.02, 0.01)
            else:
                fit["r2"] = estimate(0.0, 0.1)
    text = pages(numbers)["README.md"]
    assert (
        f"**Gaussian process on NNSTD.** R2 is 0.300 [0.100, 0.500] ({FIXED}) and 0.100 [-0.100, 0.300] ({VARYING}); "
        f"that it predicts anything is NOT shown on {VARYING}. Against sizes alone it is BEHIND on {VARYING}, not told "
        f"apart on {FIXED}. Against the blend on all features it is BEHIND on {FIXED} and {VARYING}."
    ) in text
    assert f"**The best of 8 on {FIXED}**, found afterwards: nearest neighbours, spectral, R2 0.500" in text
    assert f"**The best of 6 on {VARYING}**" in text
    assert f"against the blend alone, ahead on {FIXED} and {VARYING}: +0.020 [+0.010, +0.030]" in text


def test_bad_input_is_one_line(tmp_path: Path):
    with pytest.raises(InputError, match=r"digits-natural-fixed: no survey here; `wirenas study prediction` makes"):
        distances_study(tmp_path / "out", atlas=tmp_path)
    with pytest.raises(InputError, match="population 'digit' is not known"):
        distances_study(tmp_path / "out", atlas=tmp_path, populations=("digit",))
    assert list(tmp_path.iterdir()) == []


def test_the_command_measures_nothing_again(
    study: tuple[Path, dict[str, Any]], atlas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out, found = study
    for name in ("distance_matrix", "_judged"):
        monkeypatch.setattr(distances, name, lambda *_, **__: pytest.fail("measured again"))
    given = ("study", "distances", "--population", FIXED, "--wirings", 60, "--threads", 1, "--out", out, "--json")
    code, text, err = wirenas(*given, "--atlas", atlas)
    assert code == 0, err
    assert json.loads(text)["populations"] == found["populations"][:1]
    assert "NNSTD: 1 of 1" in err
    assert "no survey here" in refused(*given, "--atlas", tmp_path)
