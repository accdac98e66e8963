"""Experiments: the published tables come out of their graphs again, and small studies write what they promise."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import refused, wirenas
from sklearn.linear_model import BayesianRidge, Ridge
from sklearn.metrics import r2_score
from sklearn.preprocessing import MinMaxScaler

from nas import survey as survey_module
from nas.options.options import resolve_survey
from nas.prediction import validation as validation_module
from nas.report.card import markdown_table
from nas.store.lines import plain
from nas.store.survey_table import load_survey
from nas.studies import prediction, published_rnns
from nas.studies.tables import format_estimate, write_text
from predictors import TIERS, names_of
from predictors.validation import repeated_folds
from predictors.validation.crossval import Estimate

pytestmark = pytest.mark.usefixtures("drawn_figures")

PNG = b"\x89PNG\r\n\x1a\n"
COLUMNS = [
    *("layers", "nodes", "edges", "source_nodes", "sink_nodes", "diameter", "density", "average_shortest_path_length"),
    *(
        f"{measure}_{summary}"
        for measure in ("eccentricity", "degree", "closeness", "nodes_betweenness", "edge_betweenness")
        for summary in ("mean", "var", "std")
    ),
]


class InThisProcess:
    """Stands in for a pool of processes, so that what a test replaced is replaced for all of them."""

    def __init__(self, workers: int) -> None:
        assert workers == 2

    def __enter__(self) -> "InThisProcess":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], given: Iterable[Any]) -> Iterator[Any]:
        return map(function, given)


def ridge(X: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Fit quickly: a ridge on standardised columns, with 0 for what is undefined."""
    known = np.nan_to_num(X)
    middle, scale = known.mean(axis=0), known.std(axis=0) + 1e-9
    fitted = Ridge().fit((known - middle) / scale, y)
    return lambda Z: fitted.predict((np.nan_to_num(Z) - middle) / scale)


def finite_json(text: str) -> Any:
    """Read JSON that holds no NaN and no infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def pngs(folder: Path) -> set[str]:
    found = list(folder.glob("*.png"))
    assert all(path.read_bytes()[:8] == PNG for path in found)
    return {path.name for path in found}


# Published networks


@pytest.mark.parametrize("cell", published_rnns.CELLS)
def test_all_published_columns_follow_from_the_graphs(shared_data: Path, cell: str):
    found = published_rnns.read_cell(shared_data, cell)
    with (shared_data / "stier2021" / f"structure_{cell}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = names_of(TIERS)
    own = found.X[:, [names.index(f"published_{column}") for column in COLUMNS]]
    published = np.array([[float(row[column]) for column in COLUMNS] for row in rows])
    assert own.shape == (200, 23)
    np.testing.assert_allclose(own, published, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.published, published)
    assert found.y.tolist() == [float(row["test_acc"]) for row in rows]
    assert set(found.r2) == set(published_rnns.REGRESSORS)


@pytest.fixture
def short_study(monkeypatch: pytest.MonkeyPatch) -> None:
    """One cell, few folds, and quick fits in place of the blend."""
    for name, value in {
        "CELLS": {"rnn_tanh": "RNN_TANH"},
        "FOLDS": 2,
        "REPEATS": 2,
        "SPLITS": 4,
        "ProcessPoolExecutor": InThisProcess,
        "BlendFit": lambda *_, **__: ridge,
        "plain_fit": ridge,
    }.items():
        monkeypatch.setattr(published_rnns, name, value)


@pytest.mark.slow
@pytest.mark.usefixtures("short_study")
def test_the_study_of_published_networks_writes_its_results(shared_data: Path, tmp_path: Path):
    out = tmp_path / "results"
    code, text, err = wirenas("study", "published-rnns", "--data", shared_data, "--out", out, "--json")
    assert (code, text.count("\n")) == (0, 1)
    # Where it takes long, how far it is.
    assert err in ("", "1 of 1 cells\n")
    found = finite_json(text)
    assert found["out"] == str(out)
    assert finite_json((out / "published-rnns.json").read_text(encoding="utf-8")) == found["cells"]
    assert pngs(out) == {"ladder-rnn_tanh.png", "single-splits.png"}
    assert {path.suffix for path in out.iterdir()} == {".json", ".md", ".png"}
    cell = found["cells"]["rnn_tanh"]
    own = published_rnns.read_cell(shared_data, "rnn_tanh")
    assert (cell["n"], cell["collapsed"]) == (200, int(sum(own.y < 0.55)))
    assert set(cell["r2"]) == {*published_rnns.REGRESSORS, "source nodes alone", "blend"}
    assert cell["best"] == max(published_rnns.REGRESSORS, key=lambda name: cell["r2"][name]["mean"])
    assert [len(splits) for splits in cell["single_splits"].values()] == [4, 4, 4]
    assert cell["r2"]["BayesianRidge"]["mean"] == pytest.approx(ridge_r2(own.published, own.y), abs=1e-6)
    assert (cell["folds"], cell["repeats"]) == (2, 2)
    for rival, stored in cell["blend_less"].items():
        gain = cell["r2"]["blend"]["mean"] - cell["r2"][rival]["mean"]
        assert stored["mean"] == pytest.approx(gain, abs=1e-5)
    assert cell["blend_less"][cell["best"]] == cell["blend_less_best"]
    report = (out / "README.md").read_text(encoding="utf-8")
    assert report.startswith("# What structure says about 800 published recurrent networks\n")
    low, high = (cell["blend_less_best"][end] for end in ("low", "high"))
    assert f"| rnn_tanh | {cell['blend_less_best']['mean']:+.3f} [{low:+.3f}, {high:+.3f}] | " in report
    assert f"| {cell['r2']['blend']['mean']:.3f} | " in report
    assert "over 2 repeats of 2 folds" in " ".join(report.split())
    assert f"| {cell['published']['BayesianRidge']:.3f} | " in report


def ridge_r2(X: np.ndarray, y: np.ndarray) -> float:
    """Return R2 of pooled predictions out of fold, mean over repeats, with columns scaled inside of each fold."""
    found = []
    for parts in repeated_folds(len(y), 2, 2, seed=0):
        predicted = np.empty(len(y))
        for test in parts:
            rest = np.setdiff1d(np.arange(len(y)), test)
            scaler = MinMaxScaler().fit(X[rest])
            fitted = BayesianRidge().fit(scaler.transform(X[rest]), y[rest])
            predicted[test] = fitted.predict(scaler.transform(X[test]))
        found.append(r2_score(y, predicted))
    return float(np.mean(found))


def test_missing_published_tables_are_one_line(tmp_path: Path):
    message = refused("study", "published-rnns", "--data", tmp_path, "--out", tmp_path / "out")
    assert "structure_gru.csv: the published tables are needed here: No such file or directory" in message
    assert "--data" in refused("study", "published-rnns")
    assert list(tmp_path.iterdir()) == []


# Surveys of one's own

TINY = {
    "task": "digits",
    "network": "mlp",
    "seeds": 2,
    "space": {"nodes": (8, 16), "degree": (2, 4), "attachment": ("natural",)},
    "recipe": {"learning_rates": (0.01, 0.1), "epochs": 1},
}


def test_the_populations_are_valid_surveys():
    assert len(prediction.POPULATIONS) == 6
    for options in prediction.POPULATIONS.values():
        space = resolve_survey(options).resolved_space
        assert space.structure == ("dag" if options["network"] == "mlp" else "recurrent")


@pytest.mark.parametrize("name", ["digits-controlled-varying", "reber-gru"])
def test_the_nested_design_varies_one_level_after_the_other(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prediction, "_NESTED", {"parameters": 3, "graph": 2, "orientation": 2, "seed": 4})
    options = resolve_survey(prediction.POPULATIONS[name])
    cells = prediction._cells(options)
    oriented = name.startswith("digits")
    assert len(cells) == (48 if oriented else 24)
    assert [replicate for _, _, replicate in cells] == [0, 1, 2, 3] * (len(cells) // 4)
    seeds = ("graph_seed", "order_seed", "attach_seed")
    levels = {
        "parameters": lambda params: tuple(sorted((k, v) for k, v in params.items() if k not in seeds)),
        "graph": lambda params: params["graph_seed"],
        "orientation": lambda params: (params["order_seed"], params["attach_seed"]),
    }
    for depth, (level, of) in enumerate(list(levels.items())[: 3 if oriented else 2], start=1):
        places: dict[Any, set[Any]] = {}
        for params, labels, _ in cells:
            place = tuple(labels[name] for name in list(levels)[:depth])
            places.setdefault(place, set()).add(of(params))
        # One value in each place, and another one in every other place.
        assert all(len(values) == 1 for values in places.values()), level
        assert len(set.union(*places.values())) == len(places) == (3, 6, 12)[depth - 1]
    assert all(("orientation" in labels) == oriented for _, labels, _ in cells)
    assert all(labels["family"] == params["family"] for params, labels, _ in cells)


@pytest.fixture
def short_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    """One tiny population, a tiny nested design, few folds, and quick fits in place of the blend."""
    for name, value in {
        "POPULATIONS": {"tiny": {**TINY, "wirings": 2500}},
        "_NESTED": {"parameters": 12, "graph": 2, "orientation": 2, "seed": 2},
        "_REPEATS": 1,
        "_FOLDS": 2,
        "ProcessPoolExecutor": InThisProcess,
        "BlendFit": lambda *_, **__: ridge,
    }.items():
        monkeypatch.setattr(prediction, name, value)
    monkeypatch.setattr(validation_module, "BlendFit", lambda *_, **__: ridge)
    monkeypatch.setattr(validation_module, "plain_fit", ridge)
    # The survey's own predictor is not asked for here.
    monkeypatch.setattr(survey_module, "fit_into", lambda *_, **__: None)


@pytest.mark.slow
@pytest.mark.usefixtures("short_prediction")
def test_the_study_of_own_surveys_writes_its_results(tmp_path: Path):
    out, atlas = tmp_path / "results", tmp_path / "atlas"
    arguments = ("--population", "tiny", "--wirings", 60, "--out", out, "--atlas", atlas)
    code, text, err = wirenas("study", "prediction", *arguments, "--json")
    assert code == 0, err
    assert text.count("\n") == 1
    found = finite_json(text)
    assert err.splitlines()[:3] == ["tiny: survey", "tiny: nested design", "judging"]
    assert load_survey(atlas / "tiny").n_wirings == 60
    assert pngs(out) == {"tiny-ladder.png", "learning-curves.png", "variance-components.png"}
    written = finite_json((out / "prediction.json").read_text(encoding="utf-8"))
    judged, summary = written["tiny"]["mean_label"], found["populations"]["tiny"]
    assert (judged["n"], judged["folds"], judged["repeats"], judged["label"]) == (60, 2, 1, "mean")
    own = written["tiny"]
    assert summary["r2"] == judged["score"]["r2"]["mean"]
    assert summary["ceiling"] == judged["ceiling"]["mean_label"]
    assert summary["r2_one_seed"] == own["one_seed"]["r2"]["mean"]
    assert summary["ceiling_on_other_examples"] == own["ceiling_on_other_examples"]["mean_label"]
    assert set(summary["left_out"]) == {"watts-strogatz", "barabasi-albert", "erdos-renyi"}
    levels = [part["name"] for part in judged["components"]]
    assert levels == ["family", "parameters", "graph", "orientation", "seed"]
    report = (out / "README.md").read_text(encoding="utf-8")
    assert report.startswith("# What structure predicts on surveys of one's own\n")
    assert f"| tiny | {summary['r2']:.3f} [" in report
    assert "1 repeats of 2 folds" in report
    assert (out / "tiny.md").read_text(encoding="utf-8").startswith("# tiny\n")


def test_wrong_options_of_a_study_are_one_line(tmp_path: Path):
    out = ("--out", tmp_path / "out", "--atlas", tmp_path / "atlas")
    message = refused("study", "prediction", "--population", "digits-natural-fixd", *out)
    assert "population 'digits-natural-fixd' is not known (nearest: digits-natural-fixed)" in message
    assert "--wirings" in refused("study", "prediction", "--wirings", 59, *out)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("study", ["prediction", "zero-cost", "steering", "warm-start", "pareto"])
def test_a_file_in_place_of_the_folder_of_a_study_is_one_line(study: str, tmp_path: Path):
    file = tmp_path / "notes.txt"
    file.touch()
    assert "notes.txt" in refused("study", study, "--out", file)


def test_help_of_studies_has_examples():
    for study in ("published-rnns", "prediction"):
        code, text, _ = wirenas("study", study, "--help")
        assert code == 0
        assert f"Example: wirenas study {study} " in " ".join(text.split())


# Words and tables


def test_tables_and_estimates_are_written_in_markdown(tmp_path: Path):
    assert markdown_table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert format_estimate(Estimate(0.1234, 0.0, -0.05, 0.2)) == "0.123 [-0.050, 0.200]"
    assert format_estimate(Estimate(0.1234, 0.0, -0.05, 0.2), "+") == "+0.123 [-0.050, +0.200]"
    given = {"a": (Estimate(1 / 3, float("nan"), -0.0, 2e-9), "x"), 5: [float("inf"), True, None, 7]}
    estimate = {"mean": 0.333333, "sd": None, "low": 0.0, "high": 2e-9}
    assert plain(given) == {"a": [estimate, "x"], "5": [None, True, None, 7]}
    write_text(tmp_path / "ü.md", "old")
    write_text(tmp_path / "ü.md", "ä\n")
    assert (tmp_path / "ü.md").read_text(encoding="utf-8") == "ä\n"
    assert [path.name for path in tmp_path.iterdir()] == ["ü.md"]
