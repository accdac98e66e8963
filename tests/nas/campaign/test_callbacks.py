"""Callbacks of a campaign in Optuna's form, its progress from Python, and names of own graphs."""

import csv
from pathlib import Path
from typing import Any

import networkx as nx
import optuna
import pytest
from optuna.study import MaxTrialsCallback

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


@pytest.mark.parametrize("options", [{}, {"threads": 3}, {"sampler": "random"}, {"objective": "pareto"}, {"batch": 5}])
def test_a_callback_ends_the_search(options: dict[str, Any], tmp_path: Path):
    """Four trials, as Optuna's own loop makes with this callback; then the campaign goes on as if nothing had been."""
    given: dict[str, Any] = {"evaluate": value_of, "trials": 10, **options}
    stop, later = MaxTrialsCallback(4), Logger()
    outcome = Campaign(tmp_path / "a", **given, callbacks=[stop]).run()
    assert outcome.complete == 4
    assert len(load(tmp_path / "a")) == 4
    callbacks = [] if "objective" in options else [later]
    assert Campaign(tmp_path / "a", **given, callbacks=callbacks).run().complete == 10
    assert [run["number"] for run in later.runs] == ([] if "objective" in options else list(range(4, 10)))
    Campaign(tmp_path / "whole", **given).run()
    parts, whole = load(tmp_path / "a"), load(tmp_path / "whole")
    assert [record.params for record in parts] == [record.params for record in whole]


def test_all_callbacks_hear_of_the_last_trial_and_the_end_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    logger = Logger()
    Campaign(tmp_path, evaluate=value_of, trials=10, callbacks=[MaxTrialsCallback(4), logger]).run(progress=True)
    assert [run["number"] for run in logger.runs] == [0, 1, 2, 3]
    shown = " ".join(capsys.readouterr().err.split())
    assert "callbacks: one of them ended the search after 4 of 10 trials; another run goes on from there" in shown


def test_finals_are_held_with_what_was_found_before_the_end(tmp_path: Path):
    given: dict[str, Any] = {"task": "digits", "trials": 30, "space": {"nodes": 8}, "recipe": {"epochs": 1}}
    given |= {"final_seeds": 1, "finalists": 1, "sampler": "random"}
    outcome = Campaign(tmp_path, **given, threads=4, callbacks=[MaxTrialsCallback(3)]).run()
    assert outcome.complete == 3
    assert outcome.test is not None
    assert outcome.best is not None
    assert outcome.best["trial"] < 3


def test_each_trial_is_told_of_before_the_next_is_stored(tmp_path: Path):
    lengths = []
    tell = [lambda study, _: lengths.append(len(study.trials))]
    Campaign(tmp_path, evaluate=value_of, sampler="random", trials=6, callbacks=tell).run()
    assert lengths == [1, 2, 3, 4, 5, 6]


def test_a_study_can_be_stopped_by_callbacks_alone(tmp_path: Path):
    """Outside of them Optuna's own error says so."""
    kept: list[optuna.Study] = []
    tell = [lambda study, _: kept.append(study)]
    Campaign(tmp_path, evaluate=value_of, sampler="random", trials=2, callbacks=tell).run()
    with pytest.raises(RuntimeError, match="inside an objective function or a callback"):
        kept[0].stop()
