"""Accuracy against size: fronts, studies of two objectives, campaigns that resume, finals of a front, NSGA-II."""

import csv
import json
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import FrozenTrial, TrialState

from nas.commands import read_best, read_status
from nas.console import make_console
from nas.errors import InputError
from nas.networks import NetworkSpec
from nas.report.outcome import Outcome
from nas.report.verdict import front_verdict
from nas.samplers.candidates import Candidates
from nas.samplers.history import Examples, Tried
from nas.samplers.nsga2 import NSGA2Sampler
from nas.samplers.rounds import Round
from nas.search.campaign import Campaign
from nas.search.evaluation import Trainer
from nas.search.finals import FRESH
from nas.search.front import evenly_by_size, front_records
from nas.search.options import resolve
from nas.search.records import Record, Records
from nas.search.rows import append_trials
from nas.search.study import STUDY_NAME, StudyFile, load
from nas.tasks import Task
from nas.terminal import show_best, show_outcome
from nas.training import Recipe
from priors import Wiring, read_wiring

optuna.logging.set_verbosity(optuna.logging.WARNING)
SPACE = {"nodes": (6, 16), "degree": (2, 4), "attachment": ("natural",)}
SAMPLERS = ["structural", "nsga2", "tpe", "random"]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True, scope="module")
def no_predictor() -> Iterator[None]:
    """Predictors and plots of progress take longer than all the rest of these campaigns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nas.search.campaign.fit_into", lambda *_, **__: None)
        patch.setattr("nas.report.output.plot_progress", lambda *_: None)
        yield


def records_of(points: list[tuple[float | None, int]], same: Mapping[int, int] | None = None) -> Records:
    """Make records of values and sizes; those in `same` are trials of the wiring of another one."""
    return Records(
        tuple(
            Record(
                number,
                "failed" if value is None else "complete",
                value,
                {},
                fingerprint=str((same or {}).get(number, number)),
                n_parameters=size,
            )
            for number, (value, size) in enumerate(points)
        )
    )


def numbers(records: list[Record]) -> list[int]:
    return [record.number for record in records]


# The front


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=1, max_size=12),
    st.sampled_from(["maximize", "minimize"]),
)
def test_a_front_holds_one_of_each_point_that_none_dominates(points: list[tuple[int, int]], direction: str):
    found = front_records(records_of([(float(value), size) for value, size in points]), direction)
    sign = 1 if direction == "maximize" else -1
    best = {
        (value, size)
        for value, size in points
        if not any((sign * v >= sign * value and s <= size) and (v, s) != (value, size) for v, s in points)
    }
    assert [(record.value, record.n_parameters) for record in found] == sorted(best, key=lambda point: point[1])
    assert all(points.index((record.value, record.n_parameters)) == record.number for record in found)


def test_of_several_trials_of_a_wiring_the_mean_counts():
    points = [(0.9, 100), (0.7, 50), (0.5, 100), (None, 10), (0.8, 100)]
    assert numbers(front_records(records_of(points), "maximize")) == [1, 0]
    # Trial 2 is another training of the wiring of trial 0: together they are worth 0.7, which trial 1 has with less.
    assert numbers(front_records(records_of(points, same={2: 0}), "maximize")) == [1, 4]
    found = front_records(records_of([(0.9, 100), (0.6, 50), (0.5, 100)], same={2: 0}), "maximize")
    assert [(record.number, record.value) for record in found] == [(1, 0.6), (0, 0.7)]


def test_finalists_are_spread_over_the_logarithm_of_size():
    front = list(records_of([(i / 100, size) for i, size in enumerate((100, 101, 102, 1000, 9000, 9900, 10000))]))
    sizes = {n: [record.n_parameters for record in evenly_by_size(front, n)] for n in range(1, 9)}
    assert sizes[1] == [10000]
    assert sizes[2] == [100, 10000]
    assert sizes[3] == [100, 1000, 10000]
    assert all(len(found) == min(n, 7) and found == sorted(set(found)) for n, found in sizes.items())
    assert all(found[0] == 100 and found[-1] == 10000 for n, found in sizes.items() if n > 1)


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


def edges(wiring: Wiring, params: Mapping[str, Any]) -> float:
    """More edges are better, and so is a higher degree than the number of neurons explains."""
    return wiring.hidden.n_edges + 5 * params["degree"] + np.sin(7 * wiring.n_hidden)


def run(out: Path, sampler: str = "structural", **options: Any) -> Outcome:
    own = {"space": SPACE, "objective": "pareto", "trials": 30, "batch": 4, "sampler": sampler}
    # What the structural sampler does must not depend on how long such an evaluation takes.
    unhurried = {"share": None} if sampler == "structural" else {}
    return Campaign(out, evaluate=edges, n_inputs=3, n_outputs=2, **{**own, **unhurried, **options}).run()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
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
@pytest.mark.parametrize("cuts", [(13,), (3, 21)])
def test_an_interrupted_campaign_goes_on_as_if_it_had_not_been(
    tmp_path: Path, whole: dict[str, Path], sampler: str, cuts: tuple[int, ...]
):
    for cut in cuts:
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


def test_the_front_is_shown(whole: dict[str, Path], capsys: pytest.CaptureFixture[str]):
    outcome = read_status(whole["random"])
    show_outcome(make_console(), outcome)
    show_best(make_console(), read_best(whole["random"]))
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


# Finals


def tiny() -> Task:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(240, 4))
    return Task.from_arrays("tiny", inputs, (inputs @ rng.normal(size=(4, 3))).argmax(axis=1))


RECIPE = Recipe(epochs=2, learning_rates=(0.01, 0.1))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    out = tmp_path_factory.mktemp("trained") / "out"
    return Campaign(
        out,
        task=tiny(),
        objective="pareto",
        trials=24,
        finalists=4,
        final_seeds=3,
        sampler="random",
        space=SPACE,
        recipe=RECIPE,
        threads=1,
    ).run()


def test_every_finalist_of_a_front_is_trained_afresh_and_tested(trained: Outcome):
    fresh = [entry for entry in trained.front if entry["test"] is not None]
    assert len(fresh) == min(4, len(trained.front)) > 2
    assert {trained.front[0]["trial"], trained.front[-1]["trial"]} <= {entry["trial"] for entry in fresh}
    trainer = Trainer(tiny(), NetworkSpec("mlp"), RECIPE, 0)
    for entry in fresh:
        wiring = read_wiring(Path(trained.out) / "front" / f"{entry['trial']}.json")
        found = [trainer.train(wiring, FRESH + seed, entry["learning_rate"]) for seed in range(3)]
        tests = [training.test() for training in found]
        values = [training.history.value for training in found]
        assert entry["test"] == {
            "mean": pytest.approx(np.mean(tests)),
            "std": pytest.approx(np.std(tests, ddof=1)),
            "seeds": 3,
        }
        assert entry["validation"]["mean"] == pytest.approx(np.mean(values))
    best = max(entry["validation"]["mean"] for entry in fresh)
    assert trained.test["validation"] == pytest.approx(best)
    (winner,) = (entry for entry in fresh if entry["trial"] == trained.best["trial"])
    assert (winner["test"]["mean"], winner["validation"]["mean"]) == (trained.test["mean"], pytest.approx(best))
    stays = {
        entry["trial"]
        for entry in fresh
        if not any(
            other["validation"]["mean"] >= entry["validation"]["mean"] and other["n_parameters"] < entry["n_parameters"]
            for other in fresh
        )
    }
    assert {entry["trial"] for entry in fresh if entry["stays"]} == stays


def test_a_front_is_held_against_linear_and_dense_networks(trained: Outcome):
    fresh = [entry for entry in trained.front if entry["test"] is not None]
    linear, *dense = sorted(trained.front_references, key=lambda row: row["trial"] is not None)
    assert (linear["name"], linear["trial"], linear["n_parameters"]) == ("linear", None, 15)
    expected = {fresh[0]["trial"], fresh[len(fresh) // 2]["trial"], fresh[-1]["trial"], trained.best["trial"]}
    assert {row["trial"] for row in dense} == expected
    by_trial = {entry["trial"]: entry for entry in fresh}
    for row in dense:
        assert row["name"] == "dense with equal parameters"
        assert row["n_parameters"] == pytest.approx(by_trial[row["trial"]]["n_parameters"], rel=0.25)
        assert row["test"]["seeds"] == row["validation"]["seeds"] == 3
    assert [row["n_parameters"] for row in dense] == sorted(row["n_parameters"] for row in dense)
    assert f"With {fresh[0]['n_parameters']} parameters (trial {fresh[0]['trial']}) the front" in trained.verdict
    assert (Path(trained.out) / "front.png").read_bytes().startswith(PNG)
    assert (Path(trained.out) / "best" / "network.safetensors").is_file()


def test_finals_are_held_once(trained: Outcome):
    again = Campaign(
        trained.out, task=tiny(), objective="pareto", trials=24, finalists=4, final_seeds=3, sampler="random",
        space=SPACE, recipe=RECIPE, threads=1,
    ).run()  # fmt: skip
    assert again.to_json() == trained.to_json()
    assert again.test_uses == 1


def test_where_a_front_loses_is_said():
    def summary(mean: float, std: float | None = 0.01) -> dict[str, Any]:
        return {"mean": mean, "std": std, "seeds": 4}

    def member(trial: int, size: int, test: dict[str, Any] | None, stays: bool | None = True) -> dict[str, Any]:
        return {"trial": trial, "n_parameters": size, "test": test, "stays": stays}

    def rival(trial: int | None, size: int, mean: float) -> dict[str, Any]:
        return {"trial": trial, "n_parameters": size, "test": summary(mean)}

    front = [
        member(1, 100, summary(0.5)),
        member(2, 200, summary(0.7), stays=False),
        member(3, 300, None, stays=None),
        member(4, 400, summary(0.9)),
    ]
    rivals = [rival(None, 150, 0.8), rival(1, 101, 0.4), rival(2, 202, 0.705), rival(4, 404, 0.95)]
    text = front_verdict(front, rivals, "accuracy", "maximize")
    assert text == (
        "With 100 parameters (trial 1) the front beats the dense network of equal size (+10.00 points). "
        "With 200 parameters (trial 2) the front is level with the dense network of equal size (-0.50 points). "
        "With 400 parameters (trial 4) the front LOSES to the dense network of equal size (-5.00 points). "
        "1 of 2 members that are no smaller LOSE to the linear network. "
        "Trained afresh, 1 of 3 are no longer on the front: their values were partly luck."
    )
    reverse = front_verdict(front, rivals, "loss", "minimize")
    assert "trial 1) the front LOSES to" in reverse
    assert "1 of 2 members" in reverse
    assert front_verdict((), (), "accuracy", "maximize") == ""


# What the structural sampler expects of candidates


class Believes:
    """Stands in for a surrogate on the scale of values: columns are the mean and the deviation of a wiring."""

    def __init__(self, smoothed: list[float]) -> None:
        self.rows, self.smoothed, self.warp = np.arange(len(smoothed)), np.array(smoothed), self

    def value(self, scores: np.ndarray) -> np.ndarray:
        return np.asarray(scores)

    def posterior(self, X: np.ndarray, _: Any = None) -> tuple[np.ndarray, np.ndarray]:
        return X[:, 0], X[:, 1]


def round_of(known: list[tuple[float, float, int]], candidates: list[tuple[float, float, int]]) -> Round:
    """Make a round of examples (value, what it is thought to be, size) and candidates (mean, deviation, size)."""
    values, smoothed, sizes = zip(*known, strict=True)
    tried = tuple(Tried({}, str(size), size, np.zeros(2)) for size in sizes)
    counts = np.ones(len(known), dtype=np.int64)
    examples = Examples(tried, tuple(range(len(known))), np.zeros((len(known), 2)), np.array(values), counts)
    X, wanted = np.array([own[:2] for own in candidates]), np.array([own[2] for own in candidates])
    made = Candidates(({},) * len(candidates), ("prior",) * len(candidates), (), wanted, X)
    return Round(examples, Believes(list(smoothed)), lambda: made, False, 1.0, None)


def gains(known: list[tuple[float, float, int]], candidates: list[tuple[float, float, int]]) -> np.ndarray:
    return round_of(known, candidates).gains(np.arange(len(candidates)), [], 1.0, by_size=True)


def test_what_a_candidate_promises_is_the_expected_area():
    known = [(0.2, 0.2, 100), (0.5, 0.5, 200), (0.8, 0.8, 800)]
    found = gains(known, [(0.5, 0.1, 150), (0.6, 0.2, 300), (0.7, 0.0, 400), (0.7, 0.0, 900), (0.1, 0.3, 1000)])
    # Expectations over the whole distribution, with the area that nobody has: sizes up to 1010, values from 0.2.
    front = [(0.2, 100), (0.5, 200), (0.8, 800)]
    logs, levels = np.log(np.linspace(50, 1010, 20_001)), np.full(20_001, 0.2)
    for value, size in front:
        levels = np.maximum(levels, np.where(logs >= np.log(size), value, 0.2))
    rng, widths = np.random.default_rng(0), np.append(np.diff(logs), 0.0)
    for gain, (mean, std, size) in zip(found, [(0.5, 0.1, 150), (0.6, 0.2, 300), (0.7, 0.0, 400)], strict=False):
        drawn = mean + std * rng.normal(size=400)
        above = np.maximum(drawn[:, None] - levels, 0.0) * (logs >= np.log(size))
        assert gain == pytest.approx((above @ widths).mean(), rel=0.12)
    assert found[3] == 0.0
    assert found[4] == 0.0


def test_a_lucky_seed_does_not_keep_others_of_its_size_away():
    candidates = [(0.6, 0.0, 101), (0.11, 0.0, 99), (0.0, 0.0, 1000)]
    honest = gains([(0.9, 0.9, 100), (0.1, 0.1, 50)], candidates)
    lucky = gains([(0.9, 0.5, 100), (0.1, 0.1, 50)], candidates)
    assert honest[0] == 0.0
    assert lucky[0] > lucky[1] > 0


def test_where_nothing_enlarges_the_front_the_best_come_first():
    found = gains([(0.9, 0.9, 10), (0.1, 0.1, 5)], [(0.4, 0.1, 20), (0.7, 0.1, 30), (0.5, 0.3, 40)])
    assert found.tolist() == pytest.approx([0.5, 0.8, 0.8])


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


# NSGA-II


def test_a_population_is_what_optuna_breeds_from():
    """Told of one trial after another, every trial is the one that Optuna's own sampler proposes."""

    def value(trial: optuna.Trial) -> tuple[float, float]:
        x, n = trial.suggest_float("x", -1, 1), trial.suggest_int("n", 1, 50)
        kind = trial.suggest_categorical("kind", ("a", "b", "c"))
        return x * x + (kind == "a"), n + x

    def study(own: bool) -> list[dict[str, Any]]:
        made = optuna.create_study(directions=["minimize", "minimize"])
        for number in range(40):
            sampler = (
                NSGA2Sampler(number, population=8)
                if own
                else optuna.samplers.NSGAIISampler(population_size=8, seed=number)
            )
            made.sampler = sampler
            # Optuna returns parents in another order when it has just chosen them.
            sampler.get_parent_population(made, number // 8)
            trial = made.ask()
            made.tell(trial, value(trial))
        return [trial.params for trial in made.trials]

    assert study(own=True) == study(own=False)


def test_generations_follow_from_the_complete_trials_alone():
    sampler = NSGA2Sampler(0, IntersectionSearchSpace(include_pruned=True), population=2)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    states = "CCFCRCC"
    for index, state in enumerate(states):
        kind = {"C": TrialState.COMPLETE, "F": TrialState.FAIL, "R": TrialState.RUNNING}[state]
        values = [float(index), 1.0] if state == "C" else None
        study.add_trial(optuna.create_trial(state=kind, values=values, params={}, distributions={}))
    populations = [[found.number for found in sampler.get_population(study, generation)] for generation in range(4)]
    assert populations == [[0, 1], [3, 5], [6], []]
    assert sampler.get_trial_generation(study, study.trials[-1]) == 2
    assert [found.number for found in sampler.get_parent_population(study, 2)] == [3, 5]


def test_nsga2_keeps_what_is_good(tmp_path: Path):
    """Later generations are bred from the front: their searched parameters are nearer to it than those of the first."""
    run(tmp_path, sampler="nsga2", trials=90, batch=1, direction="maximize")
    rows = list(load(tmp_path))
    first, last = ([edges_per_parameter(row) for row in part] for part in (rows[:30], rows[60:]))
    assert np.mean(last) > np.mean(first)


def edges_per_parameter(row: Record) -> float:
    return float(row.value or 0.0) / float(row.n_parameters or 1)
