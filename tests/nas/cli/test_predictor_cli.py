"""`wirenas predict` and `features`: one JSON object, and what people see."""

import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from command_line import (
    ROWS,
    WIRINGS,
    asked,
    dag_of,
    graph_of,
    wirenas,
    without_name,
)
from graph_mutations import exact_formats
from rich.console import Console

from nas.cli.display import show_features, show_predictions
from predictors import TIERS, Predictor, describe, names_of
from priors import Wiring, read_wiring, write_wiring

pytestmark = pytest.mark.usefixtures("small_forests")

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
PNG = b"\x89PNG\r\n\x1a\n"
IMPORTS = """
import sys
from nas.cli.app import app
try:
    app()
finally:
    print("IMPORTED", *sorted({name.split(".")[0] for name in sys.modules}))
"""


# Asking


def test_an_answer_is_what_the_predictor_says(fitted: tuple[Path, dict[str, Any]], graph: Path):
    (answer,) = asked(fitted[0], graph, "--explain")
    own = Predictor.load(fitted[0])
    wirings = [Wiring.from_networkx(graph_of(103))]
    mean, std = own.predict(wirings, return_std=True)
    low, high = own.interval(wirings)
    assert answer["graph"] == str(graph)
    assert [answer[name] for name in ("mean", "std", "low", "high")] == [mean[0], std[0], low[0], high[0]]
    assert low[0] < mean[0] < high[0]
    better = int((own.fitted_.out_of_fold > mean[0]).sum())
    assert (answer["rank"], answer["of"]) == (1 + better, ROWS + 1)
    assert (answer["in_domain"], answer["outside"], answer["coverage"], answer["trains"]) == (True, None, 0.9, 1.0)
    shares = list(answer["contributions"].values())
    assert list(map(abs, shares)) == sorted(map(abs, shares), reverse=True)
    assert any(shares)


def test_more_coverage_is_a_wider_interval(fitted: tuple[Path, dict[str, Any]], graph: Path):
    (narrow,), (wide,) = (asked(fitted[0], graph, "--coverage", level) for level in (0.5, 0.8))
    assert wide["low"] < narrow["low"] < narrow["mean"] == wide["mean"] < narrow["high"] < wide["high"]
    assert (narrow["coverage"], wide["coverage"]) == (0.5, 0.8)
    # Few wirings cannot promise much, and what they can is what is said.
    (most,) = asked(fitted[0], graph, "--coverage", 0.999)
    assert most["coverage"] == Predictor.load(fitted[0]).fitted_.calibration.reach < 0.999


def test_several_graphs_are_answered_in_their_order(fitted: tuple[Path, dict[str, Any]], graph: Path, table: Path):
    paths = [table.parent / "graphs" / f"{number}.graphml" for number in (5, 2)] + [graph]
    found = asked(fitted[0], *paths)
    assert [answer["graph"] for answer in found] == list(map(str, paths))
    assert found == [asked(fitted[0], path)[0] for path in paths]
    assert len({answer["mean"] for answer in found}) == 3


def test_every_format_of_file_is_the_same_graph(fitted: tuple[Path, dict[str, Any]], tmp_path: Path):
    paths = [tmp_path / f"graph{suffix}" for suffix in (*exact_formats(), ".graphml.gz")]
    for path in paths:
        write_wiring(dag_of(31), path)
    found = [without_name(answer) for answer in asked(fitted[0], *paths)]
    assert len(found) == len(paths)
    assert all(answer == found[0] for answer in found)


def test_graphs_of_networkx_are_prepared_like_those_of_the_survey(survey: tuple[Path, dict[str, Any]], tmp_path: Path):
    nx.write_graphml(nx.watts_strogatz_graph(14, 4, 0.2, seed=1), tmp_path / "undirected.graphml")
    write_wiring(dag_of(4), tmp_path / "dag.json")
    answers = asked(survey[0], tmp_path / "undirected.graphml", tmp_path / "dag.json")
    assert all(0 <= answer["low"] < answer["mean"] < answer["high"] <= 1 for answer in answers)
    assert all(answer["of"] == WIRINGS + 1 for answer in answers)
    assert answers[0]["in_domain"]
    # The folder of the survey, and that of the predictor inside it.
    assert asked(survey[0] / "predictor", tmp_path / "dag.json") == [answers[1]]


def test_a_graph_unlike_all_others_is_flagged(survey: tuple[Path, dict[str, Any]], tmp_path: Path):
    path = tmp_path / "large.graphml"
    nx.write_graphml(nx.watts_strogatz_graph(1000, 4, 0.1, seed=1), path)
    nx.write_graphml(nx.watts_strogatz_graph(14, 4, 0.1, seed=1), tmp_path / "usual.graphml")
    answer, usual = asked(survey[0], path, tmp_path / "usual.graphml")
    assert answer["in_domain"] is False
    assert "n_neurons 1000 is outside 8 to " in answer["outside"]
    assert answer["std"] > usual["std"]
    code, text, _ = wirenas("predict", survey[0], path)
    assert code == 0
    assert f"unlike what was trained, so this is a guess: {answer['outside']}" in text


def test_people_see_a_prediction_and_where_it_comes_from(fitted: tuple[Path, dict[str, Any]], graph: Path):
    (answer,) = asked(fitted[0], graph, "--explain")
    code, text, err = wirenas("predict", fitted[0], graph, "--explain")
    assert (code, err) == (0, "")
    expected, drives, last = text.splitlines()
    assert expected.startswith(
        f"{graph}: {answer['mean']:.4g} ± {answer['std']:.2g} expected, 90 % of trainings within "
    )
    assert expected.endswith(f"rank {answer['rank']} of {ROWS + 1}")
    first = next(iter(answer["contributions"]))
    assert drives.startswith(f"  against typical wirings: {first} ")
    assert last == "± is of a single training.", "so few wirings judge no predictor"


def test_a_folder_and_an_archive_of_graphs_are_answered_at_once(fitted: tuple[Path, dict[str, Any]], tmp_path: Path):
    folder = tmp_path / "graphs"
    folder.mkdir()
    for number in range(70):
        write_wiring(dag_of(number), folder / f"{number:02d}.json")
    found = asked(fitted[0], folder)
    assert [row["graph"] for row in found] == [f"{folder}/{number:02d}.json" for number in range(70)]
    assert without_name(found[66]) == pytest.approx(without_name(asked(fitted[0], folder / "66.json")[0]))
    assert all(row["contributions"] is None for row in found)
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    assert list(map(without_name, asked(fitted[0], archive))) == list(map(without_name, found))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder of two graphs that can be described, one with cycles, one that is damaged, and one that is too large."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number in (1, 5):
        nx.write_graphml(graph_of(number), folder / f"{number}.graphml")
    nx.write_graphml(nx.DiGraph([(0, 1), (1, 2), (2, 0)]), folder / "2.graphml")
    (folder / "3.gml").write_text("graph [", encoding="utf-8")
    nx.write_gml(nx.path_graph(5001), folder / "4.gml")
    return folder


@pytest.mark.parametrize("packed", ["files", "folder", "zip"])
def test_a_wrong_graph_among_several_has_a_line_and_the_others_an_answer(
    survey: tuple[Path, dict[str, Any]], mixed: Path, packed: str
):
    paths = sorted(mixed.iterdir()) if packed == "files" else [mixed]
    if packed == "zip":
        paths = [Path(shutil.make_archive(str(mixed), "zip", mixed))]
    code, text, err = wirenas("predict", survey[0], *paths, "--json")
    found = json.loads(text)
    assert code == 2
    assert [Path(row["graph"]).name for row in found["predictions"]] == ["1.graphml", "5.graphml"]
    lines = err.splitlines()
    assert len(lines) == len(found["failed"]) == 3
    assert {f"wirenas: {row['error']}" for row in found["failed"]} == set(lines)
    for name, why in (("2.graphml", "directed cycles"), ("3.gml", ""), ("4.gml", "5001 neurons")):
        assert any(name in line and why in line for line in lines)
    code, text, _ = wirenas("predict", survey[0], *paths)
    assert code == 2
    assert text.count(" expected, ") == 2
    alone = without_name(asked(survey[0], mixed / "5.graphml")[0])
    assert without_name(found["predictions"][1]) == pytest.approx(alone)


def test_features_of_the_sound_ones_of_several_graphs(mixed: Path):
    code, text, _ = wirenas("features", mixed, "--tier", "size", "--json")
    found = json.loads(text)
    assert code == 2
    assert [Path(row["graph"]).name for row in found["graphs"]] == ["1.graphml", "2.graphml", "5.graphml"]
    assert [Path(row["graph"]).name for row in found["failed"]] == ["3.gml", "4.gml"]
    code, text, _ = wirenas("features", mixed, "--tier", "size", "--csv")
    assert (code, text.count("\n")) == (2, 4)
    code, text, err = wirenas("features", mixed / "3.gml", mixed / "4.gml", "--json")
    assert (code, text) == (2, "")
    assert err.count("3.gml") == 1


def test_edges_over_possible_ones_are_networkx_density(tmp_path: Path):
    graphs = {"directed": nx.gnp_random_graph(30, 0.1, seed=1, directed=True), "undirected": nx.karate_club_graph()}
    for name, graph in graphs.items():
        nx.write_graphml(graph, tmp_path / f"{name}.graphml")
    _, text, _ = wirenas("features", *sorted(tmp_path.iterdir()), "--tier", "size", "--json")
    for row, graph in zip(json.loads(text)["graphs"], graphs.values(), strict=True):
        assert row["counts"]["edge_density"] == pytest.approx(nx.density(graph))
        assert row["features"]["density"] == pytest.approx(nx.density(graph.to_undirected()))
    _, text, _ = wirenas("features", *sorted(tmp_path.iterdir()), "--tier", "size")
    assert "edges / possible" in text
    assert "n_edges counts an undirected edge twice, once in each direction." in text
    assert "density is of pairs that are joined, whatever their directions" in " ".join(text.split())


def test_tables_of_many_graphs_say_which_they_hold(tmp_path: Path):
    for number in range(5):
        nx.write_graphml(graph_of(number), tmp_path / f"{number}.graphml")
    _, text, _ = wirenas("features", tmp_path, "--tier", "size")
    first = [int(number) for number in re.findall(r"graphs (\d) to \d of 5", text)]
    last = [int(number) for number in re.findall(r"graphs \d to (\d) of 5", text)]
    assert (first[0], last[-1]) == (1, 5)
    assert first[1:] == [number + 1 for number in last[:-1]]
    assert all(f"{number}.graphml" in text for number in range(5))
    assert max(map(len, text.splitlines())) <= 80


def test_people_are_told_of_a_wiring_that_may_not_train():
    row = {"mean": 0.2, "std": 0.1, "low": 0.1, "high": 0.3, "coverage": 0.8, "rank": 1, "of": 2, "contributions": {}}
    console = Console(record=True, width=200, file=io.StringIO())
    worth = {"r2": {"predictor": 0.4}}
    row |= {"graph": "[b]", "in_domain": True, "outside": None, "trains": 0.31}
    show_predictions(console, Path("x"), [row], worth)
    text = console.export_text()
    assert "[b]: 0.2 ± 0.1 expected, 80 % of trainings within 0.1 to 0.3, rank 1 of 2\n" in text
    assert "no difference" in text
    assert "trains at all with a probability of 31 %" in text
    assert "do not choose by it" not in text
    for r2, why in ((-0.2, "The predictor predicts no better than the mean"), (None, "All values are equal")):
        show_predictions(console, Path("x"), [row], {"r2": {"predictor": r2}})
        assert f"{why}" in (text := console.export_text())
        assert "do not choose by it; train more wirings." in text


def test_a_fresh_process_answers_without_what_trains(survey: tuple[Path, dict[str, Any]], graph: Path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORTS, "predict", str(survey[0]), str(graph), "--json"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text, imported = done.stdout.split("IMPORTED")
    assert json.loads(text)["predictions"] == asked(survey[0], graph)
    heavy = {"torch", "sklearn", "optuna", "xgboost", "pandas", "matplotlib", "sqlalchemy", "shap", "pyarrow"}
    assert not heavy & set(imported.split())
    assert "numpy" in imported.split()


@pytest.mark.parametrize("command", ["predict", "features", "fit", "validate", "explain"])
def test_help_imports_nothing_heavy_and_has_an_example(command: str):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, command, "--help"], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    text, imported = done.stdout.split("IMPORTED")
    heavy = {"numpy", "torch", "optuna", "sklearn", "xgboost", "pandas", "matplotlib", "scipy", "networkx"}
    assert not heavy & set(imported.split())
    assert f"Example: wirenas {command} " in " ".join(text.split())


def test_a_predictor_may_be_moved(fitted: tuple[Path, dict[str, Any]], graph: Path, tmp_path: Path):
    before = asked(fitted[0], graph)
    shutil.copytree(fitted[0], tmp_path / "first")
    shutil.move(tmp_path / "first", tmp_path / "then here")
    assert asked(tmp_path / "then here", graph) == before


# Features


def test_features_are_those_of_the_wiring_with_null_for_undefined(tmp_path: Path):
    paths = [tmp_path / "dag.json", tmp_path / "apart.edgelist"]
    write_wiring(dag_of(7), paths[0])
    write_wiring(Wiring((4,), [(0, 1)]), paths[1])
    code, text, err = wirenas("features", *paths, "--json")
    assert (code, err, text.count("\n")) == (0, "", 1)
    found = json.loads(text)["graphs"]
    assert [row["graph"] for row in found] == list(map(str, paths))
    expected = describe([read_wiring(path) for path in paths], TIERS)
    for row, values in zip(found, expected.tolist(), strict=True):
        own = [math.nan if value is None else value for value in row["features"].values()]
        assert tuple(row["features"]) == names_of(TIERS)
        np.testing.assert_array_equal(own, values)
    assert found[1]["features"]["published_diameter"] is None
    assert found[1]["features"]["n_neurons"] == 4


def test_tiers_of_features_can_be_chosen(graph: Path):
    code, text, _ = wirenas("features", graph, "--tier", "structure", "--tier", "size", "--json")
    assert code == 0
    assert set(json.loads(text)["graphs"][0]["features"]) == set(names_of(("size", "structure")))
    code, text, err = wirenas("features", graph, "--tier", "size")
    assert (code, err) == (0, "")
    assert "n_neurons" in text
    assert "degree_mean" not in text


def test_people_see_undefined_features_as_a_dash():
    console = Console(record=True, width=120, file=io.StringIO())
    rows = [
        {
            "graph": f"{name}.json",
            "counts": {"nodes": 5, "edges": 4, "directed": value is None, "edge_density": 0.2},
            "features": {"n_neurons": 12345678.0, "diameter": value},
        }
        for name, value in (("a", None), ("b", 3.0))
    ]
    show_features(console, rows)
    lines = console.export_text().splitlines()
    assert any("a.json" in line and "b.json" in line for line in lines)
    (line,) = [line for line in lines if "diameter" in line]
    assert [cell.strip() for cell in line.split("│")[1:4]] == ["diameter", "–", "3"]
    (line, _) = [line for line in lines if "edges" in line]
    assert [cell.strip() for cell in line.split("│")[1:4]] == ["edges", "4", "4 undirected"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_features_of_many_graphs_fit_every_width(width: int):
    console = Console(record=True, width=width, file=io.StringIO())
    counts = {"nodes": 64, "edges": 256, "directed": False, "edge_density": 0.127}
    features = dict.fromkeys(names_of(("size", "structure")), 0.123456)
    show_features(
        console, [{"graph": f"a/long/path/graph_{i}.graphml", "counts": counts, "features": features} for i in range(9)]
    )
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    assert text.replace("\n", "").count("0.123456") == 9 * len(features)
    assert "…" not in text
