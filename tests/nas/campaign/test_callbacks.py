"""Callbacks of a campaign in Optuna's form, its progress from Python, and names of own graphs."""

import csv
from pathlib import Path
from typing import Any

import networkx as nx
import optuna
import pytest

from nas import Campaign, InputError, load
from priors import Wiring


def value_of(wiring: Wiring, params: Any) -> float:
    return float(wiring.n_edges)


class Logger:
    """A stand-in of the form of MLflow's and W&B's callbacks."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []

    def __call__(self, study: optuna.study.Study, trial: optuna.trial.FrozenTrial) -> None:
        assert study.trials[trial.number] == trial
        distributions = {f"{name}_distribution": str(own) for name, own in trial.distributions.items()}
        best = study.best_value
        self.runs.append(
            {"number": trial.number, "values": trial.values, "best": best, **trial.params, **distributions}
        )


@pytest.mark.parametrize("sampler", ["structural", "random"])
def test_callbacks_hear_of_every_trial_in_order(sampler: str, tmp_path: Path):
    first, second = Logger(), Logger()
    options: dict[str, Any] = {"evaluate": value_of, "sampler": sampler, "threads": 2}
    Campaign(tmp_path, **options, trials=12, callbacks=[first, second]).run()
    assert [run["number"] for run in first.runs] == list(range(12))
    assert first.runs == second.runs
    assert [run["values"] for run in first.runs] == [[record.value] for record in load(tmp_path)]
    later = Logger()
    Campaign(tmp_path, **options, trials=15, callbacks=[later]).run()
    assert [run["number"] for run in later.runs] == [12, 13, 14]


def test_an_error_of_a_callback_ends_the_run_and_keeps_the_trials(tmp_path: Path):
    def fails(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        if trial.number == 3:
            raise RuntimeError("no server")

    with pytest.raises(RuntimeError, match="no server"):
        Campaign(tmp_path, evaluate=value_of, sampler="random", trials=6, callbacks=[fails]).run()
    assert len(load(tmp_path)) >= 4
    assert Campaign(tmp_path, evaluate=value_of, sampler="random", trials=6).run().complete == 6


def test_what_cannot_be_called_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="callbacks: 3 cannot be called"):
        Campaign(tmp_path, evaluate=value_of, callbacks=[3])  # type: ignore[list-item]


def test_progress_is_shown_from_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    campaign = Campaign(tmp_path, evaluate=value_of, sampler="random", trials=4)
    campaign.run(progress=True)
    captured = capsys.readouterr()
    assert "search: 4 of 4 trials" in captured.err
    assert captured.out == ""
    Campaign(tmp_path, evaluate=value_of, sampler="random", trials=5).run()
    assert capsys.readouterr().err == ""


def test_own_graphs_keep_their_names(tmp_path: Path):
    (tmp_path / "graphs").mkdir()
    for name, n in (("worm", 8), ("fly", 12)):
        nx.write_graphml(nx.cycle_graph(n), tmp_path / "graphs" / f"{name}.graphml")
    space = {"graphs": str(tmp_path / "graphs")}
    outcome = Campaign(tmp_path / "out", evaluate=value_of, sampler="random", trials=6, space=space).run()
    records = load(tmp_path / "out")
    names = ["fly.graphml", "worm.graphml"]
    assert [record.graph_name for record in records] == [names[record.params["graph"]] for record in records]
    with (tmp_path / "out" / "trials.csv").open(newline="") as file:
        assert [row["graph_name"] for row in csv.DictReader(file)] == [record.graph_name for record in records]
    assert outcome.best is not None
    assert outcome.best["graph_name"] == names[outcome.best["params"]["graph"]]
