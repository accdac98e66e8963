"""Campaigns of accuracy against size: what they store, resume, leave behind and refuse."""

import csv
import json
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from pareto_cases import PNG, edges, numbers, run

from nas.campaign.campaign import Campaign
from nas.campaign.folder import read_best, read_records, read_status
from nas.cli.console import make_console
from nas.cli.display import show_best, show_outcome
from nas.errors import InputError
from nas.options.options import resolve
from nas.report.front import front_records
from nas.report.outcome import Outcome
from nas.store.records import Records
from nas.store.study import STUDY_NAME, StudyFile, append_trials, load
from priors import read_wiring

SAMPLERS = ["structural", "nsga2", "tpe", "random"]
pytestmark = pytest.mark.usefixtures("bare_campaigns")


# Storage


def trial(values: list[float] | None, **params: Any) -> FrozenTrial:
    known = {
        "family": CategoricalDistribution(("small", "world")),
        "n": IntDistribution(1, 9),
        "p": FloatDistribution(0, 1),
    }
    return optuna.create_trial(
        state=TrialState.FAIL if values is None else TrialState.COMPLETE,
        values=values,
        params=params,
        distributions={name: known[name] for name in params},
        user_attrs={"edges": [0, 1]},
    )


def test_rows_of_two_objectives_are_those_that_optuna_writes(tmp_path: Path):
    trials = [trial([1 / 3, 77.0], family="world", n=7), trial(None, p=0.5), trial([0.0, 1e9], n=1, p=0.1 + 0.2)]
    tables = []
    for name in ("optuna", "own"):
        storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / name}.db")
        study = optuna.create_study(study_name="s", storage=storage, directions=["maximize", "minimize"])
        study.add_trials(trials) if name == "optuna" else append_trials(study, storage, trials)
        storage.remove_session()
        storage.engine.dispose()
        with sqlite3.connect(tmp_path / f"{name}.db") as connection:
            names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
            tables.append({name: connection.execute(f"select * from {name} order by 1").fetchall() for name in names})
        connection.close()
    assert tables[0]["trial_values"] == tables[1]["trial_values"]
    assert [row[1:4] for row in tables[1]["trial_values"]] == [(1, 0, 1 / 3), (1, 1, 77.0), (3, 0, 0.0), (3, 1, 1e9)]
    assert tables[0] == tables[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, bare_campaigns: None) -> dict[str, Path]:
    """An undisturbed campaign with each sampler."""
    folders = {sampler: tmp_path_factory.mktemp("whole") / sampler for sampler in SAMPLERS}
    for sampler, folder in folders.items():
        run(folder, sampler=sampler)
    return folders


def sequence(out: Path) -> list[tuple[Any, ...]]:
    return [(row.number, row.state, dict(row.params), row.value, row.n_parameters, row.origin) for row in load(out)]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_optuna_reads_the_study_and_finds_the_same_front(tmp_path: Path, direction: str):
    outcome = run(tmp_path, sampler="random", direction=direction)
    study = optuna.load_study(study_name=STUDY_NAME, storage=f"sqlite:///{tmp_path / 'study.db'}")
    assert [way.name.lower() for way in study.directions] == [direction, "minimize"]
    assert len(study.trials) == 30
    best = {(found.values[0], found.values[1]) for found in study.best_trials}
    assert {(entry["value"], entry["n_parameters"]) for entry in outcome.front} == best
    assert all(row.value == found.values[0] for row, found in zip(load(tmp_path), study.trials, strict=True))
    assert all(row.n_parameters == found.values[1] for row, found in zip(load(tmp_path), study.trials, strict=True))
    mpl.use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optuna.visualization.matplotlib.plot_pareto_front(study)


def test_a_study_of_one_objective_stays_one(tmp_path: Path):
    outcome = run(tmp_path, objective="value", sampler="nsga2")
    assert outcome.front == outcome.front_references == ()
    assert len(StudyFile(tmp_path).study.directions) == 1
    assert not (tmp_path / "front.csv").exists()
    assert outcome.best["value"] == max(row.value for row in load(tmp_path))


# Campaigns


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_interrupted_campaign_goes_on_as_if_it_had_not_been(tmp_path: Path, whole: dict[str, Path], sampler: str):
    for cut in (3, 17):
        run(tmp_path, sampler=sampler, trials=cut)
    outcome = run(tmp_path, sampler=sampler)
    assert sequence(tmp_path) == sequence(whole[sampler])
    assert outcome.front == read_status(whole[sampler]).front


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_threads_do_not_matter(tmp_path: Path, whole: dict[str, Path], sampler: str):
    run(tmp_path, sampler, threads=3)
    assert sequence(tmp_path) == sequence(whole[sampler])


def test_what_a_campaign_of_own_values_leaves(whole: dict[str, Path]):
    out = whole["tpe"]
    outcome = read_status(out)
    assert (out / "front.png").read_bytes().startswith(PNG)
    with (out / "front.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in rows] == [entry["trial"] for entry in outcome.front]
    assert {row["test_mean"] for row in rows} == {""}
    written = {path.name: read_wiring(path).fingerprint for path in (out / "front").iterdir()}
    assert written == {f"{entry['trial']}.json": entry["fingerprint"] for entry in outcome.front}
    assert outcome.best["trial"] == outcome.front[-1]["trial"]
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json(), allow_nan=False))) == outcome


def test_the_study_names_both_of_its_values(whole: dict[str, Path]):
    study = StudyFile(whole["random"])
    assert study.study.metric_names == ["value", "parameters"]
    assert study.study.user_attrs["winner"] == f"trial {read_status(whole['random']).front[-1]['trial']}"


def test_the_front_is_shown(whole: dict[str, Path], capsys: pytest.CaptureFixture[str]):
    outcome, records = read_status(whole["random"]), read_records(whole["random"])
    show_outcome(make_console(), outcome, records)
    show_best(make_console(), read_best(whole["random"]), records, outcome.direction)
    text = capsys.readouterr().out
    assert text.count(f"The front: {len(outcome.front)} wirings") == 2
    for entry in outcome.front:
        assert text.count(f" {entry['n_parameters']} ") >= 2
    assert text.count(f"{whole['random']}/front.csv") == 2


def test_a_running_campaign_has_a_front_already(tmp_path: Path, whole: dict[str, Path]):
    study = StudyFile(whole["random"])
    (tmp_path / "campaign.toml").write_text((whole["random"] / "campaign.toml").read_text(encoding="utf-8"))
    StudyFile(tmp_path, "maximize", "minimize").append(
        [(record, found) for record, found in zip(study.records(), study.trials(), strict=True)][:12]
    )
    found = read_best(tmp_path)
    records = Records(study.records().rows[:12])
    assert [entry["trial"] for entry in found["front"]] == numbers(front_records(records, "maximize"))
    assert not found["over"]


def test_structural_finds_more_than_chance(whole: dict[str, Path]):
    """What is asked of a front here depends on structure in a way that features tell."""
    chosen = [row for row in load(whole["structural"]) if row.origin in ("prior", "neighbour", "tpe")]
    assert len(chosen) > 10
    assert all(row.prediction is not None for row in chosen)


# Refusals and options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"early_stopping": "median", "task": "digits"}, "early_stopping=median: with objective=pareto"),
        ({"sampler": "genetic"}, "sampler=genetic: it breeds by one objective"),
        ({"storage": "postgresql://nobody@localhost/none", "study": "s"}, "objective=pareto: a study that several"),
        ({"objective": "size"}, "objective="),
    ],
)
def test_what_a_front_cannot_have_is_refused_in_one_line(tmp_path: Path, options: dict[str, Any], message: str):
    evaluate = None if "task" in options else edges
    with pytest.raises(InputError, match=message) as caught:
        Campaign(tmp_path / "out", evaluate=evaluate, **{"objective": "pareto", "trials": 3, **options})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_front_has_more_finalists_unless_their_number_is_given():
    assert resolve({}).finalists == resolve({"objective": "value"}).finalists == 3
    assert resolve({"objective": "pareto"}).finalists == 8
    assert resolve({"objective": "pareto", "finalists": 2}).finalists == 2
    assert resolve({"objective": "pareto", "direction": "minimize"}).directions == ("minimize", "minimize")


def test_the_objective_of_a_campaign_stays(tmp_path: Path):
    run(tmp_path, trials=3, sampler="random")
    with pytest.raises(InputError, match=r'objective="value": the campaign in .* was started with "pareto"'):
        run(tmp_path, trials=6, sampler="random", objective="value")
