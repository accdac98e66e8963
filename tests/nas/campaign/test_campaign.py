"""Campaign with an own evaluation: counting, failures, threads, and trials that their parameters rebuild."""

import random
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from campaign_cases import SPACE, Flaky, edges, never, odd, run, sequence

from nas.campaign.campaign import Campaign
from nas.errors import CampaignError
from nas.evaluation.watcher import Watcher
from nas.networks import NetworkSpec
from nas.space.space import Space
from nas.store.records import Record, Records
from nas.store.study import StudyFile, load
from priors import Wiring, read_wiring

pytestmark = pytest.mark.usefixtures("no_plot")


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
        CampaignError, match=r"10 trials failed one after another.*; the last one with: RuntimeError: always"
    ):
        run(tmp_path, broken, trials=3)
    assert len(load(tmp_path)) == 10
    assert run(tmp_path, trials=3).complete == 3
    assert [row.number for row in load(tmp_path).complete] == [10, 11, 12]


def test_failures_between_successes_do_not_end_the_campaign(tmp_path: Path):
    outcome = run(tmp_path, Flaky(odd), trials=36, sampler="random")
    assert outcome.complete == 36
    assert outcome.failed > 10


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


@pytest.mark.parametrize("structure", ["dag", "recurrent", "stack"])
def test_trials_are_rebuilt_from_their_parameters(tmp_path: Path, structure: str):
    trials = 60 if structure == "dag" else 20
    oriented: dict[str, Any] = {"orientation": ("random", "index", "degree")} if structure != "recurrent" else {}
    space = Space(
        **oriented,
        structure=structure,  # type: ignore[arg-type]
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


def test_trials_say_when_they_began_and_ended(tmp_path: Path):
    """Whoever opens the study sees how long each trial took, and that no two of one thread overlap."""

    def slow(wiring: Wiring, params: Mapping[str, Any]) -> float:
        time.sleep(0.05)
        return edges(wiring, params)

    begun = datetime.now()
    run(tmp_path, slow, trials=4)
    times = [(trial.datetime_start, trial.datetime_complete) for trial in StudyFile(tmp_path).trials()]
    assert all(end - start >= timedelta(seconds=0.045) for start, end in times)
    assert begun - timedelta(seconds=0.1) <= times[0][0]
    assert times[-1][1] <= datetime.now()
    for (_, end), (start, _) in pairwise(times):
        assert end <= start + timedelta(seconds=0.01)
