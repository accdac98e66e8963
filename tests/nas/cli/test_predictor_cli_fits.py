"""`wirenas fit`, `validate`, `explain`, and the predictors of campaigns and surveys; one line for every wrong input."""

import io
import json
import math
import os
import re
import shutil
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from command_line import (
    HEADER,
    ROWS,
    TINY,
    WIRINGS,
    asked,
    dag_of,
    refused,
    rows_of,
    wirenas,
    write_graphs,
    write_table,
)
from rich.console import Console

from nas import Campaign
from nas.cli.display import show_validation, show_worth
from nas.prediction.answers import fit_table
from nas.report import output as output_module
from predictors import FEATURES, Predictor, Preparation, describe, names_of
from predictors.storage import FILE

pytestmark = pytest.mark.usefixtures("small_forests")

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
PNG = b"\x89PNG\r\n\x1a\n"


def test_fit_says_what_was_learnt(fitted: tuple[Path, dict[str, Any]], table: Path):
    out, found = fitted
    assert set(found) == {"out", "trained_on", "wirings", "r2"}
    assert (found["out"], found["wirings"]) == (str(out), ROWS)
    assert found["trained_on"].startswith(f"{ROWS} wirings, {ROWS} trainings, 8 to 15 neurons, 16 to 30 edges")
    assert set(found["r2"]) == {"predictor", "edges alone", "size alone"}
    assert found["r2"]["predictor"] > 0.3
    own = Predictor.load(out)
    assert own.preparation == Preparation(orientation=("index",))
    assert (own.metric, own.direction, own.bounds, own.chance, own.seed) == ("value", "maximize", (0.0, 1.0), None, 0)
    assert own.tiers_ == ("size", "structure")
    np.testing.assert_array_equal(own.fitted_.training.X, describe([dag_of(number) for number in range(ROWS)]))
    np.testing.assert_array_equal(own.fitted_.training.labels[:, 0], [row[1] for row in rows_of(ROWS)])
    assert len(set(own.fitted_.training.groups.tolist())) == ROWS


def test_fit_takes_groups_parameters_replicates_and_directions(table: Path, tmp_path: Path):
    rows = rows_of(ROWS)
    rows[3][2], rows[4][5], rows[5][5] = "", "", "inf"
    own_table = write_table(table.parent / "more.csv", rows)
    given = "--value again --value value --group lineage --parameter family --parameter n --tier size --minimize"
    options = f"{given} --orientation degree --chance 0.2 --bounds -1:2 --seed 3 --out {tmp_path}"
    code, text, err = wirenas("fit", own_table, *options.split())
    assert (code, err) == (0, "")
    assert f"learnt from {ROWS} wirings, {2 * ROWS - 1} trainings" in text
    assert f"wirenas predict {tmp_path} GRAPH" in text
    assert "prior's parameters alone" in text
    own = Predictor.load(tmp_path)
    training = own.fitted_.training
    assert own.preparation == Preparation(orientation=("degree",))
    assert (own.metric, own.direction, own.bounds, own.chance, own.seed) == ("again", "minimize", (-1, 2), 0.2, 3)
    assert own.tiers_ == ("size",)
    expected = np.array([[row[2] if row[2] != "" else math.nan, row[1]] for row in rows])
    np.testing.assert_array_equal(training.labels, expected)
    assert training.groups.tolist() == [number // 2 for number in range(ROWS)]
    assert set(training.parameter_names) == {"family=deep", "family=wide", "n"}
    n = training.parameters[:, training.parameter_names.index("n")]
    np.testing.assert_array_equal(n, [math.nan if number in (4, 5) else 8 + number for number in range(ROWS)])
    # The smallest value is the best one.
    (answer,) = asked(tmp_path, table.parent / "graphs" / "0.graphml")
    assert answer["rank"] == 1 + int((own.fitted_.out_of_fold < answer["mean"]).sum())


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("divider", "point"), [(",", "."), (", ", "."), (";", "."), (";", ","), ("\t", ",")])
def test_tables_of_other_programs_are_read(mark: str, ending: str, divider: str, point: str, tmp_path: Path):
    fields = [["graph", "value"], *([f"{number}.graphml", f"0{point}{number}5"] for number in range(6))]
    lines = ["", *(divider.join(row) for row in fields), ""]
    (tmp_path / "table.csv").write_bytes((mark + ending.join(lines)).encode())
    write_graphs(tmp_path, 6)
    own = fit_table(tmp_path / "table.csv", tmp_path / "out")
    np.testing.assert_array_equal(own.fitted_.training.labels[:, 0], [0.05, 0.15, 0.25, 0.35, 0.45, 0.55])


# Judging


@pytest.fixture(scope="module")
def validation(survey: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    """What `wirenas validate` printed for the survey."""
    code, text, err = wirenas("validate", survey[0], "--repeats", 1, "--folds", 2, "--json")
    assert (code, text.count("\n")) == (0, 1)
    # Of what takes more than some seconds, it is said how far it is.
    assert re.fullmatch(r"(\d+ of \d+ fits(, .* left)?\n)*", err)
    return json.loads(text)


def test_validate_prints_and_writes_the_same(survey: tuple[Path, dict[str, Any]], validation: dict[str, Any]):
    folder = survey[0] / "validation"
    assert set(validation["files"]) == {str(path) for path in folder.iterdir()}
    names = {path.name for path in folder.iterdir()}
    assert names >= {"validation.json", "validation.md", "predictions.png", "ladder.png"}
    assert all(path.read_bytes()[:8] == PNG for path in folder.glob("*.png"))
    written = json.loads((folder / "validation.json").read_text(encoding="utf-8"))
    assert written == {name: value for name, value in validation.items() if name not in ("out", "rows", "files")}
    assert (written["n"], written["folds"], written["repeats"], written["label"]) == (WIRINGS, 2, 1, "mean")
    assert [step["name"] for step in written["references"]] == ["mean", "size tier", "prior's parameters only"]
    assert written["ceiling"] is not None
    assert {part["name"] for part in written["left_out"]} == {"watts-strogatz", "barabasi-albert", "erdos-renyi"}
    text = (folder / "validation.md").read_text(encoding="utf-8")
    assert text.startswith("# How good is this predictor?\n\n| what | value |")
    assert "noise ceiling" in text


def test_people_see_a_validation(validation: dict[str, Any]):
    console = Console(record=True, width=160, file=io.StringIO())
    undefined = {"mean": None, "sd": None, "low": None, "high": None}
    steps = [{"name": "none", "n_features": 0, "r2": undefined, "delta": undefined}, *validation["ladder"]]
    show_validation(console, {**validation, "ladder": steps})
    text = console.export_text()
    assert "Kendall tau" in text
    assert f"{validation['references'][1]['r2']['mean']:.3f}" in text
    assert "– to –" in text
    assert all(file in text for file in validation["files"])


@pytest.mark.parametrize(("r2", "said"), [(-0.1, "no better than the mean"), (None, "All values are equal")])
def test_a_predictor_that_is_worth_nothing_is_not_advertised(r2: float | None, said: str):
    console = Console(record=True, width=160, file=io.StringIO())
    show_worth(console, {"trained_on": "20 wirings", "r2": {"predictor": r2}, "out": "here"})
    text = console.export_text()
    assert said in text
    assert "wirenas predict" not in text


def test_too_few_wirings_are_not_judged(fitted: tuple[Path, dict[str, Any]]):
    assert f"{ROWS} wirings are too few to judge a predictor by: at least 30 are needed" in refused(
        "validate", fitted[0]
    )
    assert not (fitted[0] / "validation").exists()


def test_explain_names_what_the_predictor_rests_on(fitted: tuple[Path, dict[str, Any]]):
    code, text, err = wirenas("explain", fitted[0], "--json")
    assert (code, err, text.count("\n")) == (0, "", 1)
    found = json.loads(text)
    lost = [row["r2_lost"] for row in found["families"]]
    assert lost == sorted(lost, reverse=True)
    assert found["families"][0]["family"] == "size"  # Its n_sources is what the values were made of.
    features = [name for row in found["families"] for name in row["features"]]
    assert len(features) == len(set(features))
    assert set(features) <= set(names_of(("size", "structure")))
    # What is equal or undefined for all wirings says nothing, and is not listed as a loss of 0.
    columns = Predictor.load(fitted[0]).fitted_.training.X.T
    varying = {
        FEATURES[name].family
        for name, column in zip(names_of(("size", "structure")), columns, strict=True)
        if len(set(column[np.isfinite(column)].tolist())) > 1
    }
    assert {row["family"] for row in found["families"]} == varying
    assert "units" not in varying
    assert {name: found[name] for name in fitted[1]} == fitted[1]
    code, text, err = wirenas("explain", fitted[0])
    assert (code, err) == (0, "")
    assert "n_sources" in text
    assert f"{lost[0]:.3f}" in text


def test_too_few_groups_are_not_explained(tmp_path: Path):
    wirings = [dag_of(number) for number in range(8)]
    Predictor(tiers=("size",)).fit(wirings, np.arange(8.0), groups=[0, 0, 0, 0, 1, 1, 1, 1]).save(tmp_path)
    assert "2 groups of rows allow 2 folds at most" in refused("explain", tmp_path)


# Campaigns and surveys


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A tiny campaign of as many trials as a predictor needs: its folder, and its JSON."""
    out = tmp_path_factory.mktemp("campaign")
    options = f"{TINY} --sampler random --trials 20 --finalists 1 --final-seeds 2 --out {out} --json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output_module, "plot_progress", lambda *_: None)
        code, text, err = wirenas("run", *options.split())
    assert code == 0, err
    return out, json.loads(text)


def test_a_campaign_leaves_a_predictor(campaign: tuple[Path, dict[str, Any]], graph: Path):
    out, found = campaign
    own = Predictor.load(out / "predictor")
    assert found["predictor"] == own.worth()
    assert found["predictor"]["wirings"] == 20
    assert (own.metric, own.direction, own.bounds) == ("accuracy", "maximize", (0.0, 1.0))
    assert json.loads(wirenas("status", out, "--json")[1]) == found
    assert asked(out, graph)[0]["of"] == 21
    # So small a campaign teaches nothing, and nobody is sent to ask what it taught.
    text = wirenas("status", out)[1]
    assert (own.worth()["r2"]["predictor"] > 0) == (f"wirenas predict {out} GRAPH" in text)
    assert (own.worth()["r2"]["predictor"] <= 0) == ("predicts no better than the mean" in text)


def test_a_finished_campaign_keeps_its_predictor_and_fits_a_missing_one(campaign: tuple[Path, dict[str, Any]]):
    out, found = campaign
    path = out / "predictor" / FILE
    before, content = path.stat().st_mtime_ns, path.read_bytes()
    code, text, _ = wirenas("run", "--out", out, "--json")
    assert (code, json.loads(text)) == (0, found)
    assert path.stat().st_mtime_ns == before
    shutil.rmtree(out / "predictor")
    code, text, _ = wirenas("run", "--out", out, "--json")
    assert (code, json.loads(text)) == (0, found)
    assert path.read_bytes() == content


def test_a_survey_leaves_a_predictor_and_keeps_it(survey: tuple[Path, dict[str, Any]]):
    out, found = survey
    own = Predictor.load(out / "predictor")
    assert found["predictor"] == own.worth()
    assert own.fitted_.training.labels.shape == (WIRINGS, 2)
    before = (out / "predictor" / FILE).stat().st_mtime_ns
    assert json.loads(wirenas("survey", "--out", out, "--json")[1]) == found
    assert json.loads(wirenas("status", out, "--json")[1]) == found
    assert (out / "predictor" / FILE).stat().st_mtime_ns == before


@pytest.mark.parametrize(("trials", "value"), [(19, None), (20, 0.5)])
def test_what_teaches_nothing_leaves_no_predictor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trials: int, value: float | None
):
    monkeypatch.setattr(output_module, "plot_progress", lambda *_: None)
    space = {"nodes": (8, 12), "degree": (2, 4)}
    outcome = Campaign(
        tmp_path,
        evaluate=lambda wiring, _: wiring.n_edges if value is None else value,
        trials=trials,
        sampler="random",
        space=space,
    ).run()
    assert outcome.predictor is None
    assert not (tmp_path / "predictor").exists()
    assert json.loads(wirenas("status", tmp_path, "--json")[1])["predictor"] is None
    assert "no predictor here" in refused("predict", tmp_path, tmp_path / "best" / "wiring.json")


# What is wrong


@pytest.fixture(scope="module")
def place(table: Path, fitted: tuple[Path, dict[str, Any]], survey: tuple[Path, dict[str, Any]]) -> Path:
    """A folder of what is right and what is wrong, by short names."""
    folder = table.parent
    (folder / "empty").mkdir()
    (folder / "file").write_text("mine", encoding="utf-8")
    shutil.copytree(survey[0] / "predictor", folder / "mlp")
    shutil.copytree(survey[0], folder / "survey")
    nx.write_graphml(nx.DiGraph([(0, 1), (1, 2), (2, 0)]), folder / "cycle.graphml")
    nx.write_graphml(nx.Graph(), folder / "nothing.graphml")
    rows = rows_of(ROWS)
    write_table(folder / "few.csv", rows[:4])
    write_table(folder / "none.csv", [])
    write_table(folder / "text.csv", [[row[0], "good", *row[2:]] for row in rows])
    write_table(folder / "infinite.csv", [[row[0], "-inf", *row[2:]] for row in rows])
    write_table(folder / "hole.csv", [[rows[0][0], "", *rows[0][2:]], *rows[1:]])
    write_table(folder / "lost.csv", [["graphs/99.graphml", *row[1:]] for row in rows])
    write_table(folder / "together.csv", [[*row[:3], "all", *row[4:]] for row in rows])
    write_table(folder / "other.csv", rows, [name.upper() for name in HEADER])
    write_table(folder / "twice.csv", [[*row, row[1]] for row in rows], [*HEADER, "value"])
    write_table(folder / "wide.csv", [*rows[:3], [*rows[3], "1"], *rows[4:]])
    write_table(folder / "unnamed.csv", [["", *rows[0][1:]], *rows[1:]])
    (folder / "quote.csv").write_text('graph,value\n"graphs/1.graphml,1\n', encoding="utf-8")
    (folder / "binary.csv").write_bytes(b"graph,value\n\xff\xfe,1\n")
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("predict missing graphs/1.graphml", "missing: no predictor here; give the --out folder of"),
        ("predict empty graphs/1.graphml", "empty: no predictor here"),
        ("predict file graphs/1.graphml", "file: no predictor here"),
        (
            "predict graphs/1.graphml mlp",
            "graphs/1.graphml: no predictor here, but in mlp; the folder of the predictor comes first",
        ),
        (
            "predict graphs cycle.graphml survey",
            "graphs: no predictor here, but in survey; the folder of the predictor",
        ),
        ("predict predictor", "Missing argument 'GRAPH...'"),
        ("predict predictor missing.graphml", "missing.graphml: cannot be read: No such file or directory"),
        ("predict predictor nothing", "suffix '' names no format of wirings; known are .json"),
        (
            "predict mlp cycle.graphml",
            "cycle.graphml: the graph has directed cycles, and the training wirings have none: give a DAG, or have the "
            "graph read as undirected (--undirected)",
        ),
        ("predict mlp nothing.graphml", "nothing.graphml: "),
        ("predict predictor graphs/1.graphml --coverage 0", "--coverage 0.0: it must be above 0 and below 1"),
        ("predict predictor graphs/1.graphml --coverage 1", "--coverage 1.0: "),
        ("predict predictor graphs/1.graphml --coverage nan", "--coverage nan: "),
        ("predict predictor graphs/1.graphml --coverage most", "--coverage"),
        ("features missing.json", "missing.json: cannot be read"),
        ("features graphs/1.graphml --tier sice", "tier 'sice' is not known; known are size, structure"),
        ("fit missing.csv", "missing.csv: No such file or directory; give a table that can be read"),
        ("fit graphs", "graphs: Is a directory; give a table that can be read"),
        ("fit binary.csv", "binary.csv: is no csv file"),
        ("fit none.csv", "none.csv: holds no rows"),
        ("fit twice.csv", "twice.csv: column 'value' is there 2 times; it has graph, value"),
        ("fit wide.csv", "wide.csv, line 5: 7 fields; the heading names 6"),
        ("fit unnamed.csv", "unnamed.csv, line 2: no graph: name a file, or leave the row out"),
        ("fit quote.csv", "quote.csv: is no csv file: unexpected end of data"),
        ("fit other.csv", "column 'value' is missing; it has GRAPH, VALUE, AGAIN, LINEAGE, FAMILY, N"),
        (
            "fit trained.csv --value accuracy",
            "column 'accuracy' is missing; it has graph, value, again, lineage, family, n; --value",
        ),
        ("fit trained.csv --group kin", "column 'kin' is missing"),
        ("fit trained.csv --parameter kin", "column 'kin' is missing"),
        ("fit trained.csv --graph kin", "column 'kin' is missing"),
        ("fit few.csv", "4 wirings: a predictor learns from at least 5"),
        ("fit text.csv", "text.csv, line 2: value is 'good': a finite number is needed, or an empty field"),
        ("fit infinite.csv", "infinite.csv, line 2: value is '-inf': a finite number is needed"),
        ("fit hole.csv", "hole.csv, line 2: no value: give one, or leave the row out"),
        ("fit lost.csv", "lost.csv, line 2: graphs/99.graphml: cannot be read"),
        ("fit together.csv --group lineage", "1 groups of rows: predictions out of fold need at least 2"),
        ("fit trained.csv --tier sice", "tier 'sice' is not known"),
        ("fit trained.csv --bounds 1:0", "--bounds 1:0: two finite numbers are needed, the first below the second"),
        ("fit trained.csv --bounds 0:inf", "--bounds 0:inf: two finite numbers"),
        ("fit trained.csv --bounds nan:1", "--bounds nan:1: two finite numbers"),
        ("fit trained.csv --bounds 1", "--bounds 1: two numbers are needed, such as 0:1"),
        ("fit trained.csv --bounds low:high", "--bounds low:high: two numbers are needed"),
        ("fit trained.csv --chance nan", "--chance nan: a finite number is needed"),
        ("fit trained.csv --chance low", "--chance"),
        ("fit trained.csv --seed -1", "--seed"),
        ("fit trained.csv --orientation random", "--orientation random: valid are index and degree"),
        ("validate empty", "no predictor here"),
        ("validate predictor --folds 1", "--folds"),
        ("validate predictor --repeats 0", "--repeats"),
        ("explain missing", "no predictor here"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
):
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    out = ["--out", "new folder"] if arguments.startswith("fit") else []
    assert message in refused(*arguments.split(), *out)
    assert message in refused(*arguments.split(), *out, "--json")
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_one_line(
    place: Path, fitted: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, out: str
):
    monkeypatch.chdir(place)
    known = Predictor.load(fitted[0])
    monkeypatch.setattr(Predictor, "fit", lambda own, *_, **__: vars(own).update(vars(known)))
    message = refused("fit", "trained.csv", "--out", out)
    assert message.startswith(f"wirenas: --out {out}: ")
    assert message.endswith("; give a folder that can be written\n")
    assert Path("file").read_text(encoding="utf-8") == "mine"
