"""Frontiers: a campaign for each budget, one table and one curve."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from command_line import wirenas

from nas.campaign.frontier import open_frontier, run_frontier
from nas.errors import InputError
from nas.evaluation.references import EQUAL_PARAMETERS
from nas.networks import PooledMLP, SparseMLP, load_network
from nas.report.frontier import FOUND

QUICK: dict[str, Any] = {
    "task": "digits", "trials": 3, "finalists": 1, "final_seeds": 2, "final_epochs": 1, "ways": {"pools": [2]},
    "recipe": {"epochs": 1, "learning_rates": [0.03]},
}  # fmt: skip

FRONTIER = {"out": "x", "task": "digits", "metric": "accuracy", "direction": "maximize", "budgets": [], "networks": []}


@pytest.mark.usefixtures("no_plot")
def test_a_frontier_is_a_campaign_for_each_budget(tmp_path: Path):
    out = tmp_path / "frontier"
    seen: list[str] = []
    campaigns = open_frontier(out, ["300", "1k"], QUICK, threads=1)
    found = run_frontier(out, campaigns, lambda budget, _: seen.append(budget))
    assert seen == ["300", "1000"]
    assert found.budgets == ("300", "1000")
    assert json.loads((out / "frontier.json").read_text()) == json.loads(json.dumps(found.to_json()))
    with (out / "frontier.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["budget"], row["name"]) for row in rows] == [(row["budget"], row["name"]) for row in found.networks]
    for budget, limit in (("300", 300), ("1000", 1000)):
        outcome = json.loads((out / budget / "best" / "outcome.json").read_text())
        own = next(row for row in found.networks if row["budget"] == budget and row["name"] == FOUND)
        assert own["mean"] == outcome["test"]["mean"]
        assert 0 < own["n_parameters"] <= limit
        dense = next(row for row in found.networks if row["budget"] == budget and row["name"] == EQUAL_PARAMETERS)
        assert dense["n_parameters"] <= limit
        network = load_network(out / budget / "best" / "network.safetensors")
        assert isinstance(network, PooledMLP)
        assert network.in_features == 64
        assert isinstance(network.mlp, SparseMLP)
    code, printed, errors = wirenas("status", out, "--json")
    assert (code, errors) == (0, "")
    assert json.loads(printed) == json.loads(json.dumps(found.to_json()))
    assert "budget 1000" in wirenas("status", out)[1]
    header, table = found.table()
    assert header[:2] == ["budget", FOUND]
    assert [row[0] for row in table] == ["300", "1000"]
    # Done once, it does no work again; what is asked for alone joins what is there.
    one = run_frontier(out, open_frontier(out, ["300"], QUICK, threads=1), lambda *_: None)
    assert one.to_json() == found.to_json()
    again = run_frontier(out, open_frontier(out, ["300", "1000"], QUICK, threads=1), lambda *_: None)
    assert again.to_json() == found.to_json()


@pytest.mark.parametrize(
    ("budgets", "message"),
    [
        ((), "budgets is missing: give several, such as 300,1000,3000"),
        (("300", "1000", "300"), "budgets=300,1000,300: one is given twice"),
        (("1k", "1000"), "budgets=1k,1000: one is given twice"),
        (("300", "many"), "budget=many: it must be a number and a unit"),
        (("300", "5"), "budget"),
        (("300", "12kMAC"), "budgets=300,12kMAC: 300 counts parameters and 12kMAC MAC, and a frontier counts one"),
    ],
)
def test_wrong_budgets_are_told_before_anything_is_written(tmp_path: Path, budgets: tuple[str, ...], message: str):
    with pytest.raises(InputError) as caught:
        open_frontier(tmp_path / "out", budgets, QUICK)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_holds_the_frontier_of_one_task(tmp_path: Path):
    (tmp_path / "frontier.json").write_text(json.dumps(FRONTIER | {"task": "mnist"}))
    with pytest.raises(
        InputError, match=r"out=.*: a frontier of task mnist by accuracy lies there, and this is digits by"
    ):
        open_frontier(tmp_path, ["300"], QUICK, threads=1)
    (tmp_path / "frontier.json").write_text(json.dumps(FRONTIER | {"metric": "balanced-accuracy"}))
    with pytest.raises(InputError, match=r"digits by balanced-accuracy lies there, and this is digits by accuracy"):
        open_frontier(tmp_path, ["300"], QUICK, threads=1)
    row = {"budget": "300", "name": FOUND, "mean": 0.5, "std": 0.1, "seeds": 2, "n_parameters": 9, "learning_rate": 0.1}
    for damage in (
        {"budgets": 3},
        {"budgets": ["300"]},
        {"budgets": ["300"], "networks": [{**row, "name": "linear"}]},
        {"budgets": ["300"], "networks": [row, {"budget": "300", "name": "linear"}]},
    ):
        (tmp_path / "frontier.json").write_text(json.dumps(FRONTIER | damage))
        with pytest.raises(InputError, match=r"frontier.json: damaged, or not ours"):
            open_frontier(tmp_path, ["300"], QUICK, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["frontier.json"]


def test_a_folder_of_something_else_is_told_before_anything_is_trained(tmp_path: Path):
    (tmp_path / "1000").mkdir()
    (tmp_path / "1000" / "structure.json").touch()
    with pytest.raises(InputError, match=r"1000: an experiment of `wirenas prune` or `rewire` lies there"):
        open_frontier(tmp_path, ["300", "1000"], QUICK, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["1000"]


def test_the_command_says_what_is_wrong_in_its_own_words(tmp_path: Path):
    code, printed, errors = wirenas("frontier", "--budgets", "300,nothing", "--out", str(tmp_path / "out"))
    assert (code, printed) == (2, "")
    assert len(errors.splitlines()) == 1
    assert "nothing" in errors
    assert not (tmp_path / "out").exists()
