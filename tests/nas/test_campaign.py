"""Campaign with an own evaluation: counting, failures, extending, threads, and that nothing is done twice."""

import random
import threading
import time
from ast import literal_eval
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from nas.errors import CampaignError, InputError
from nas.networks import NetworkSpec
from nas.search.campaign import Campaign
from nas.search.records import Record, Records
from nas.search.space import Space
from nas.search.study import StudyFile, load
from nas.search.watcher import Watcher
from priors import Wiring, read_wiring

optuna.logging.set_verbosity(optuna.logging.WARNING)
Evaluate = Callable[[Wiring, Mapping[str, Any]], float]
SPACE = {"nodes": (8, 20), "degree": (2, 6)}


@pytest.fixture(autouse=True)
def no_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than all the rest of these campaigns."""
    monkeypatch.setattr("nas.report.output.plot_progress", lambda *_: None)


def edges(wiring: Wiring, params: Mapping[str, Any]) -> float:
    """Best at 40 edges; the fraction makes values distinct."""
    return -abs(wiring.n_edges - 40) - params["degree"] / 100


def run(out: Path, evaluate: Evaluate = edges, **options: Any) -> Any:
    return Campaign(out, evaluate=evaluate, **{"space": SPACE, **options}).run()


def sequence(out: Path) -> list[tuple[int, str, dict[str, Any], float | None]]:
    return [(row.number, row.state, dict(row.params), row.value) for row in load(out)]


class Flaky:
    """Fails for the candidates whose (deterministic) number of nodes is in `bad`, so many times each."""

    def __init__(self, is_bad: Callable[[Wiring], bool], times: int = 99) -> None:
        self.is_bad, self.times = is_bad, times
        self.calls: list[str] = []

    def __call__(self, wiring: Wiring, params: Mapping[str, Any]) -> float:
        self.calls.append(wiring.fingerprint)
        if self.is_bad(wiring) and self.calls.count(wiring.fingerprint) <= self.times:
            raise ZeroDivisionError("no\nway")
        return edges(wiring, params)


def always(_: Wiring) -> bool:
    return True


def never(_: Wiring) -> bool:
    return False


def odd(wiring: Wiring) -> bool:
    return wiring.n_hidden % 3 == 1


class Listener(Watcher):
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def search_started(self, done: int, total: int, records: Records) -> None:
        self.heard.append(("started", done, total, len(records)))

    def recorded(self, record: Record) -> None:
        self.heard.append(record.number)

    def finished(self) -> None:
        self.heard.append("finished")


def test_trials_are_counted_and_described(tmp_path: Path):
    listener = Listener()
    outcome = Campaign(tmp_path, evaluate=edges, space=SPACE, trials=11).run(listener)
    records = load(tmp_path)
    assert [row.number for row in records] == list(range(11))
    assert (outcome.trials, outcome.complete, outcome.failed) == (11, 11, 0)
    assert outcome.best["value"] == max(row.value for row in records)
    assert records[outcome.best["trial"]].value == outcome.best["value"]
    assert read_wiring(tmp_path / "best" / "wiring.json").fingerprint == outcome.best["fingerprint"]
    assert listener.heard == [("started", 0, 11, 0), *range(11), "finished"]
    assert (tmp_path / "trials.csv").read_text(encoding="utf-8").count("\n") == 12


def test_the_best_is_the_least_where_less_is_better(tmp_path: Path):
    outcome = run(tmp_path, lambda wiring, _: wiring.n_edges, trials=9, direction="minimize")
    assert outcome.best["value"] == min(row.value for row in load(tmp_path))


def test_a_failed_trial_is_tried_three_times_recorded_and_not_counted(tmp_path: Path):
    evaluate = Flaky(odd)
    outcome = run(tmp_path, evaluate, trials=12, sampler="random")
    records = load(tmp_path)
    failed = [row for row in records if not row.is_complete]
    assert len(records.complete) == 12 == outcome.complete
    assert len(failed) == outcome.failed > 0
    assert [row.number for row in records] == list(range(12 + len(failed)))
    for row in records:
        assert row.attempts == evaluate.calls.count(row.fingerprint) == (1 if row.is_complete else 3)
        assert row.error == (None if row.is_complete else "ZeroDivisionError: no way")
        assert row.is_complete == (row.n_hidden % 3 != 1)
        assert row.hidden_edges


def test_a_retry_that_works_is_complete(tmp_path: Path):
    run(tmp_path, Flaky(odd, times=2), trials=12, sampler="random")
    records = load(tmp_path)
    assert len(records) == 12
    assert {row.attempts for row in records} == {1, 3}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "text", None])
def test_a_value_that_is_no_finite_number_is_a_failure(tmp_path: Path, value: Any):
    with pytest.raises(CampaignError, match="10 trials failed one after another"):
        run(tmp_path, lambda *_: value, trials=3)
    assert {row.state for row in load(tmp_path)} == {"failed"}


def test_ten_failures_in_a_row_end_the_campaign_and_it_can_go_on(tmp_path: Path):
    def broken(wiring: Wiring, params: Mapping[str, Any]) -> float:
        raise RuntimeError("always")

    with pytest.raises(
        CampaignError, match=r"10 trials failed one after another; the last one with: RuntimeError: always"
    ):
        run(tmp_path, broken, trials=3)
    assert len(load(tmp_path)) == 10
    assert run(tmp_path, trials=3).complete == 3
    assert [row.number for row in load(tmp_path).complete] == [10, 11, 12]


def test_failures_between_successes_do_not_end_the_campaign(tmp_path: Path):
    outcome = run(tmp_path, Flaky(odd), trials=36, sampler="random")
    assert outcome.complete == 36
    assert outcome.failed > 10


@pytest.mark.parametrize(
    ("sampler", "evaluate", "stops"),
    [("tpe", edges, (8, 15)), ("tpe", Flaky(odd), (1, 4, 13, 15)), ("random", Flaky(odd), (3, 15))],
)
def test_an_extended_campaign_equals_a_long_one(
    tmp_path: Path, sampler: str, evaluate: Evaluate, stops: tuple[int, ...]
):
    options: dict[str, Any] = {"sampler": sampler, "batch": 6}
    run(tmp_path / "once", evaluate, trials=15, **options)
    for trials in stops:
        outcome = run(tmp_path / "parts", evaluate, trials=trials, **options)
        assert outcome.complete == trials
    assert sequence(tmp_path / "parts") == sequence(tmp_path / "once")


def test_a_limit_on_size_holds_in_parts_too(tmp_path: Path):
    options: dict[str, Any] = {"space": {**SPACE, "max_parameters": 200}, "n_inputs": 4, "n_outputs": 2}
    run(tmp_path / "once", trials=12, **options)
    for trials in (5, 12):
        run(tmp_path / "parts", trials=trials, **options)
    assert sequence(tmp_path / "parts") == sequence(tmp_path / "once")


def test_threads_change_nothing(tmp_path: Path):
    delays = random.Random(0)

    def slowly(wiring: Wiring, params: Mapping[str, Any]) -> float:
        time.sleep(delays.random() / 100)
        return Flaky(odd)(wiring, params)

    for threads in (1, 2, 5):
        run(tmp_path / str(threads), slowly, trials=15, threads=threads)
    assert sequence(tmp_path / "1") == sequence(tmp_path / "2") == sequence(tmp_path / "5")


def test_threads_work_at_the_same_time(tmp_path: Path):
    meeting = threading.Barrier(2, timeout=20)

    def together(wiring: Wiring, params: Mapping[str, Any]) -> float:
        meeting.wait()
        return edges(wiring, params)

    assert run(tmp_path, together, trials=4, threads=2).complete == 4


def test_no_more_is_evaluated_than_asked_for(tmp_path: Path):
    evaluate = Flaky(never)
    run(tmp_path, evaluate, trials=3, threads=4)
    assert len(evaluate.calls) == 3


def test_the_same_again_does_no_work(tmp_path: Path):
    first = run(tmp_path, trials=9)
    best, study = (tmp_path / "best").stat().st_mtime_ns, (tmp_path / "study.db").read_bytes()
    evaluate = Flaky(always)
    again = run(tmp_path, evaluate, trials=9)
    fewer = run(tmp_path, evaluate, trials=5)
    assert evaluate.calls == []
    for outcome in (again, fewer):
        assert outcome == first
    assert (tmp_path / "best").stat().st_mtime_ns == best
    assert (tmp_path / "study.db").read_bytes() == study


def test_missing_results_are_written_again(tmp_path: Path):
    first = run(tmp_path, trials=4)
    (tmp_path / "best" / "wiring.json").unlink()
    evaluate = Flaky(always)
    again = run(tmp_path, evaluate, trials=4)
    assert evaluate.calls == []
    assert again.best == first.best
    assert (tmp_path / "best" / "wiring.json").is_file()


def test_a_moved_folder_is_where_it_is(tmp_path: Path):
    run(tmp_path / "old", trials=3)
    (tmp_path / "old").rename(tmp_path / "new")
    outcome = run(tmp_path / "new", trials=3)
    assert outcome.out == str(tmp_path / "new")
    assert outcome.study == str(tmp_path / "new" / "study.db")


@pytest.mark.parametrize(
    ("option", "sampler", "heeded_by"),
    [
        ("startup=3", "tpe", "structural or genetic"),
        ("screened=False", "structural", "genetic"),
        ("share=None", "genetic", "structural"),
        ("repeats=1", "random", "structural"),
        ("space.edits=0", "nsga2", "structural or genetic"),
    ],
)
def test_options_that_the_sampler_would_ignore_are_refused(tmp_path: Path, option: str, sampler: str, heeded_by: str):
    name, value = option.split("=")
    plain = literal_eval(value)
    given = {"space": {"edits": plain}} if name == "space.edits" else {name: plain}
    with pytest.raises(InputError) as caught:
        Campaign(tmp_path / "out", evaluate=edges, sampler=sampler, **given)
    ignored = f"sampler={sampler} ignores it; leave it out, or give sampler={heeded_by}"
    assert str(caught.value) == f"{option}: {ignored}"
    for heeding in heeded_by.split(" or "):
        Campaign(tmp_path / "out", evaluate=edges, sampler=heeding, **given)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("seed", {"seed": 1}),
        ("sampler", {"sampler": "random"}),
        ("space.nodes", {"space": {**SPACE, "nodes": (8, 21)}}),
        ("space.reads", {"space": {**SPACE, "reads": 2}}),
        ("recipe.epochs", {"recipe": {"epochs": 2}}),
        ("n_inputs", {"n_inputs": 3}),
        ("n_outputs", {"n_inputs": 2, "n_outputs": 3}),
        ("direction", {"direction": "minimize"}),
    ],
)
def test_other_options_are_refused_by_name(tmp_path: Path, name: str, changed: dict[str, Any]):
    start = {"n_inputs": 2} if name == "n_outputs" else {}
    run(tmp_path, trials=3, **start)
    before = sequence(tmp_path), (tmp_path / "campaign.toml").read_bytes()
    with pytest.raises(InputError, match=f"^{name}=.*only trials may change"):
        run(tmp_path, trials=5, **changed)
    assert (sequence(tmp_path), (tmp_path / "campaign.toml").read_bytes()) == before


def test_another_evaluation_of_the_same_candidates_changes_values_only(tmp_path: Path):
    run(tmp_path, trials=4, sampler="random")
    run(tmp_path, lambda *_: 7.0, trials=6, sampler="random")
    assert [row.value == 7.0 for row in load(tmp_path)] == [False] * 4 + [True] * 2


def test_a_history_of_another_search_is_refused(tmp_path: Path):
    run(tmp_path, trials=3)
    study = StudyFile(tmp_path)
    stored = study.trials()[0]
    study.add(Record(3, "complete", 0.5, {**stored.params, "graph_seed": 1}), dict(stored.distributions))
    with pytest.raises(CampaignError, match=r"trial 3 .* was drawn by another version of its prior"):
        run(tmp_path, trials=6)


def test_a_second_run_on_a_folder_is_refused_while_the_first_works(tmp_path: Path):
    refused: list[str] = []

    def greedy(wiring: Wiring, params: Mapping[str, Any]) -> float:
        if not refused:
            with pytest.raises(InputError) as caught:
                run(tmp_path, trials=3)
            refused.append(str(caught.value))
        return edges(wiring, params)

    assert run(tmp_path, greedy, trials=3).complete == 3
    assert refused == [f"out={tmp_path}: another process works on it; give another folder"]
    assert len(load(tmp_path)) == 3


@pytest.mark.parametrize("structure", ["dag", "recurrent", "stack"])
def test_two_hundred_trials_are_rebuilt_from_their_parameters(tmp_path: Path, structure: str):
    trials = 200 if structure == "dag" else 20
    space = Space(
        structure=structure,  # type: ignore[arg-type]
        orientation=("random", "index", "degree"),
        attachment=("controlled", "natural", "projected", "published"),
        initial=("isolated", "star", "complete"),
        nodes=(20, 60),
    )
    network: Any = "mlp" if structure == "dag" else "rnn"
    options: dict[str, Any] = {"space": space, "network": network, "sampler": "random"}
    run(tmp_path, trials=trials, n_inputs=64, n_outputs=10, **options)
    plain = optuna.load_study(study_name="wirenas", storage=f"sqlite:///{tmp_path}/study.db")
    stored = plain.get_trials(deepcopy=False)
    assert [trial.number for trial in stored] == list(range(trials))
    for trial in stored:
        wiring = space.wiring(trial.params, 64, 10)
        assert wiring.fingerprint == trial.user_attrs["fingerprint"]
        kind = NetworkSpec(network)
        assert kind.n_parameters(wiring)["total"] == trial.user_attrs["n_parameters"]
        assert np.array_equal(wiring.hidden.edges.ravel(), trial.user_attrs["hidden_edges"])
        assert wiring.hidden.n_edges == trial.user_attrs["n_edges"]
        graph = space.prior(trial.params).sample(trial.params["graph_seed"])
        assert trial.user_attrs["degree"] == pytest.approx(graph.n_edges / graph.n_neurons)
    assert {trial.params["attachment"] for trial in stored} == set(space.attachment)
    assert len({trial.user_attrs["fingerprint"] for trial in stored}) == trials


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "threads=0"),
        ({"task": "digits"}, "evaluate and task are both given"),
        ({"n_outputs": 3}, "n_inputs=0, n_outputs=3"),
        ({"n_inputs": -1}, "n_inputs=-1"),
        ({"trials": 0}, "trials=0"),
        ({"trails": 5}, r"trails is not a known key \(nearest: trials\)"),
        ({"space": {"node": 5}}, r"space\.node is not a known key \(nearest: nodes\)"),
        ({"space": {"structure": "stack"}}, r"space\.structure=stack does not fit network=mlp"),
        ({"space": {**SPACE, "max_parameters": 1}}, r"space\.max_parameters=1: "),
        ({"device": "abacus"}, "device='abacus'"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(tmp_path: Path, options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message) as caught:
        Campaign(tmp_path / "new", evaluate=edges, **options).run()
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "digit"}, r"task 'digit' is not known \(nearest: digits\)"),
        ({"task": "digits", "network": "rnn"}, "task digits needs network=mlp"),
        ({"task": "digits", "direction": "minimize"}, "direction=minimize"),
    ],
)
def test_a_wrong_task_is_one_line(tmp_path: Path, options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        Campaign(tmp_path / "new", **options)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"^out=.*give a folder that can be written$"):
            run(out, trials=1)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with pytest.raises(InputError, match=r"^out=.*Permission denied; give a folder that can be written$"):
        run(tmp_path, trials=1)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
