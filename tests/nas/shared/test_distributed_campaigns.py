"""Campaigns of many processes from beginning to end: the folder that follows the database, and what is refused."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from command_line import wirenas
from distributed_cases import claims, study_in
from optuna.trial import TrialState, create_trial
from postgres import PASSWORD, Postgres
from survey_cases import RECIPE, TASK

from nas import Campaign, InputError, Worker
from nas.campaign import campaign as campaign_module
from nas.campaign import worker as worker_module
from nas.samplers.proposer import Candidate
from nas.store.records import Record
from nas.store.study import StudyFile, load

SPACE = {"nodes": (8, 20), "degree": (2, 5)}


def value_of(wiring: Any, params: Any) -> float:
    return float(wiring.n_edges)


def campaign(out: Path, postgres: Postgres, trials: int, **options: Any) -> Campaign:
    given = {"evaluate": value_of, "space": SPACE, "sampler": "random", "seed": 1, **options}
    return Campaign(out, storage=postgres.url, trials=trials, **given)


@pytest.mark.slow
def test_a_folder_follows_and_resumes_and_is_made_anew_from_the_database(tmp_path: Path, postgres: Postgres) -> None:
    first = campaign(tmp_path / "a" / "twice", postgres, 6).run()
    assert (first.trials, first.complete) == (6, 6)
    before = load(tmp_path / "a" / "twice")
    assert campaign(tmp_path / "a" / "twice", postgres, 6).run() == first
    grown = campaign(tmp_path / "a" / "twice", postgres, 9).run()
    assert grown.complete == 9
    assert list(load(tmp_path / "a" / "twice"))[:6] == list(before)
    again = campaign(tmp_path / "b" / "twice", postgres, 9).run()
    assert list(load(tmp_path / "b" / "twice")) == list(load(tmp_path / "a" / "twice"))
    assert again.best == grown.best
    assert len(study_in(postgres.url, "twice").trials) == 9
    for folder in (tmp_path / "a" / "twice", tmp_path / "b" / "twice"):
        assert not any(PASSWORD.encode() in file.read_bytes() for file in folder.rglob("*") if file.is_file())
        assert "storage" not in (folder / "campaign.toml").read_text(encoding="utf-8")


def test_a_worker_waits_for_a_study_that_is_not_there_yet(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_TRY_AGAIN_S", 0.1)
    missing: list[str] = []
    waits = threading.Event()

    def waiting(what: str) -> None:
        missing.append(what)
        waits.set()

    def join() -> Worker:
        return Worker(postgres.url, "awaited", evaluate=value_of, wait=60, waiting=waiting)

    with ThreadPoolExecutor(1) as executor:
        joining = executor.submit(join)
        assert waits.wait(30)
        campaign(tmp_path / "awaited", postgres, 3).run()
        assert joining.result(60).run().trials == 0
    assert missing[0].startswith(("waiting for up to 60 s: storage: ", "waiting for up to 60 s: study=awaited: "))


def test_workers_read_files_where_these_lie_on_their_machine(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    rows = [f"{own},{own % 7},{'high' if own > 30 else 'low'}" for own in range(60)]
    (home / "own.csv").write_text("\n".join(["size,other,class", *rows]) + "\n", encoding="utf-8")
    short = {"finalists": 1, "final_seeds": 1, "recipe": {"epochs": 1, "learning_rates": 0.01}}
    given = {"task": "csv:own.csv", "files": {"target": "class"}, "sampler": "random", "space": SPACE, **short}
    monkeypatch.chdir(home)
    Campaign(home / "filed", storage=postgres.url, trials=2, **given).run()
    monkeypatch.chdir(away)
    with pytest.raises(InputError, match=r"^own.csv: no such file; .*, or data, the folder where own.csv lies on this"):
        Worker(postgres.url, "filed")
    assert Worker(postgres.url, "filed", data=home).run().trials == 0
    (away / "own.csv").write_text((home / "own.csv").read_text(encoding="utf-8").replace("50,", "55,"), "utf-8")
    with pytest.raises(InputError, match="task: its examples, their split or the metric are not those"):
        Worker(postgres.url, "filed")


def test_a_worker_of_reservoirs_trains_them_as_the_run_does(tmp_path: Path, postgres: Postgres) -> None:
    ridge = {"optimizer": "ridge", "radii": (0.9,), "leak": 0.5}
    given = {"task": "delayed-parity", "network": "rnn", "cell": "tanh", "recipe": ridge, "space": SPACE, "seed": 1}
    shared = Campaign(tmp_path / "ridge", storage=postgres.url, sampler="random", trials=2, finalists=1, final_seeds=1,
                      **given)  # fmt: skip
    shared.run()
    worker = Worker(postgres.url, "ridge")
    work = worker._work
    assert work.options.recipe == shared.options.recipe
    for record in load(tmp_path / "ridge"):
        wiring, way = shared.candidate(record)
        candidate = Candidate(record.number, record.params, {}, wiring, 0, way=way)
        assert work.evaluation_of(create_trial(value=0.0))(candidate)["value"] == record.value
    assert worker.run().trials == 0


def test_a_worker_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_TRY_AGAIN_S", 0.1)
    missing: list[str] = []
    begun = time.monotonic()
    with pytest.raises(InputError, match="cannot be opened"):
        Worker("postgresql://me@127.0.0.1:1/d", "x", evaluate=value_of, wait=0.3, waiting=missing.append)
    assert time.monotonic() - begun >= 0.3
    assert len(missing) == 1
    for wait in (-1, float("nan")):
        with pytest.raises(InputError, match=f"^wait={wait}: at least 0"):
            Worker("postgresql://me@127.0.0.1:1/d", "x", evaluate=value_of, wait=wait)


def test_other_options_another_study_and_a_local_campaign_are_refused(tmp_path: Path, postgres: Postgres) -> None:
    out = tmp_path / "firm"
    campaign(out, postgres, 3).run()
    with pytest.raises(InputError, match=r"^seed=2: the campaign in study firm was started with 1"):
        campaign(out, postgres, 3, seed=2).run()
    with pytest.raises(InputError, match=r"follows another study than other in .*, namely firm"):
        campaign(out, postgres, 3, study="other").run()
    with pytest.raises(InputError, match=r"come from the shared study firm; give its storage again"):
        Campaign(out, evaluate=value_of, space=SPACE, sampler="random", seed=1, trials=4).run()
    local = {"evaluate": value_of, "space": SPACE, "sampler": "random", "seed": 1}
    Campaign(tmp_path / "local", trials=2, **local).run()
    with pytest.raises(InputError, match=r"a campaign without storage lies there"):
        campaign(tmp_path / "local", postgres, 3).run()
    with pytest.raises(InputError, match=r"give Worker the same evaluate"):
        Worker(postgres.url, "firm")


def test_an_option_that_does_nothing_keeps_nobody_out_of_a_study_that_has_it(
    tmp_path: Path, postgres: Postgres
) -> None:
    ignored: dict[str, Any] = {"startup": 3, "batch": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(campaign_module, "ignored_option", lambda _: None)
        campaign(tmp_path / "a" / "begun", postgres, 3, **ignored).run()
    for folder in ("a", "b"):
        assert campaign(tmp_path / folder / "begun", postgres, 4, **ignored).run().complete == 4
    assert Worker(postgres.url, "begun", evaluate=value_of).run().trials == 0
    with pytest.raises(InputError, match=r"^startup=3: sampler=random ignores it; leave it out, or give"):
        campaign(tmp_path / "anew", postgres, 3, **ignored).run()
    with pytest.raises(InputError, match=r"^batch=2: processes that share a study ask for one trial at a time; leave"):
        campaign(tmp_path / "anew", postgres, 3, batch=2, sampler="tpe").run()
    away = Campaign(
        tmp_path / "away",
        evaluate=value_of,
        space=SPACE,
        sampler="random",
        storage="postgresql://127.0.0.1:1/d",
        startup=3,
    )
    with pytest.raises(InputError, match=r"^storage: 127\.0\.0\.1:1/d cannot be opened"):
        away.run()
    assert not (tmp_path / "anew").exists()
    with pytest.raises(InputError, match="holds no such study"):
        Worker(postgres.url, "anew", evaluate=value_of)


def test_a_worker_refuses_what_its_study_does_not_ask_for(tmp_path: Path, postgres: Postgres) -> None:
    campaign(tmp_path / "valued", postgres, 1).run()
    tiny = {"task": TASK, "recipe": RECIPE, "finalists": 1, "final_seeds": 1}
    campaign(tmp_path / "trained", postgres, 1, evaluate=None, **tiny).run()
    by_name = f"data={tmp_path}: only a task that is taken by its name reads files"
    for given, message in (
        ({"study": "valued", "evaluate": value_of, "task": TASK}, "task=signs: the candidates of study=valued get"),
        ({"study": "valued", "evaluate": value_of, "data": tmp_path}, by_name),
        ({"study": "trained", "task": TASK, "evaluate": value_of}, "evaluate: study=trained trains its candidates on"),
        ({"study": "trained", "task": TASK, "data": tmp_path}, by_name),
    ):
        with pytest.raises(InputError) as caught:
            Worker(postgres.url, **given)
        assert str(caught.value).startswith(message)
        assert str(caught.value).endswith("; leave it out")


@pytest.mark.slow
def test_threads_of_a_worker_and_a_run_share_the_trials(tmp_path: Path, postgres: Postgres) -> None:
    shared = campaign(tmp_path / "shared", postgres, 40, evaluate=_slow)
    found = []
    runner = threading.Thread(target=lambda: found.append(shared.run()))
    runner.start()
    while not (tmp_path / "shared" / "study.db").is_file():
        pass
    done = Worker(postgres.url, "shared", evaluate=_slow, threads=3).run()
    runner.join()
    assert found[0].complete == 40
    assert 0 < done.trials < 40
    complete = [own for own in study_in(postgres.url, "shared").trials if own.state == TrialState.COMPLETE]
    assert len(set(claims(complete))) == len(complete) >= 40


def _slow(wiring: Any, params: Any) -> float:
    threading.Event().wait(0.1)
    return float(wiring.n_edges)


def test_a_wiring_is_not_trained_twice(tmp_path: Path, postgres: Postgres) -> None:
    """Of a pool of four graphs four trials count, however often they are proposed."""
    import networkx as nx

    for number in range(4):
        nx.write_graphml(nx.gnm_random_graph(8, 12, seed=number), tmp_path / f"{number}.graphml")
    space = {"graphs": str(tmp_path), "structure": "recurrent"}
    options = {"space": space, "network": "rnn", "evaluate": value_of, "n_inputs": 0}
    found = campaign(tmp_path / "pool", postgres, 4, **options).run()
    assert found.complete == 4
    trials = study_in(postgres.url, "pool").trials
    complete = [own for own in trials if own.state == TrialState.COMPLETE]
    assert len(set(claims(complete))) == 4
    refusals = [own.user_attrs["uncounted"] for own in trials if own.state == TrialState.FAIL]
    assert all(reason.startswith("duplicate of trial ") for reason in refusals)


def test_what_is_too_large_is_not_counted_and_failures_are_recorded(tmp_path: Path, postgres: Postgres) -> None:
    def fails(wiring: Any, params: Any) -> float:
        if wiring.n_edges % 2:
            raise ValueError("odd")
        return 1.0

    campaign(tmp_path / "limits", postgres, 8, evaluate=fails, space={**SPACE, "max_edges": 25}).run()
    records = load(tmp_path / "limits")
    assert len(records.complete) == 8
    assert max(record.n_edges for record in records) <= 25
    failed = [record for record in records if not record.is_counted]
    assert {record.error for record in failed} == {"ValueError: odd"}
    assert {record.attempts for record in failed} == {3}
    reasons = [own.user_attrs.get("uncounted", "") for own in study_in(postgres.url, "limits").trials]
    assert any(reason.startswith("too large: ") for reason in reasons)


@pytest.mark.slow
def test_the_command_line_shares_a_task_and_stops_early(tmp_path: Path, postgres: Postgres) -> None:
    out = tmp_path / "digits"
    options = "--task digits --nodes 8:20 --degree 2:4 --epochs 6 --learning-rate 0.01 --finalists 1 --final-seeds 2"
    command = ["run", *options.split(), "--trials", 14, "--early-stopping", "median", "--sampler", "random"]
    code, text, err = wirenas(*command, "--out", out, "--json", "--storage", postgres.url)
    assert code == 0, err
    found = json.loads(text)
    assert found["complete"] + found["stopped"] == 14
    assert found["stopped"] > 0
    assert found["test"]["seeds"] == 2
    code, text, err = wirenas("worker", "--storage", postgres.url, "--study", "digits", "--json")
    assert (code, err) == (0, "")
    assert json.loads(text) == {
        "study": "digits", "trials": 0, "failed": 0, "duplicates": 0, "lost": 0, "seconds": 0.0
    }  # fmt: skip
    stopped = [record for record in load(out) if record.state == "stopped"]
    assert all(0 < len(record.curve) < 6 and record.value is None for record in stopped)
    assert {record.state for record in load(out)} <= {"complete", "stopped"}
    assert [len(record.curve) for record in load(out).complete] == [6] * found["complete"]
    code, text, _ = wirenas("status", out, "--json")
    assert json.loads(text) == found
    code, _, _ = wirenas("run", "--out", out, "--json", "--trials", 14)  # Nothing is left to search.
    assert code == 0


def test_records_are_equal_to_those_of_the_database(tmp_path: Path, postgres: Postgres) -> None:
    campaign(tmp_path / "equal", postgres, 3).run()
    trials = study_in(postgres.url, "equal").trials
    for record, own in zip(load(tmp_path / "equal"), StudyFile(tmp_path / "equal").trials(), strict=True):
        stored = trials[own.user_attrs["shared_number"]]
        expected = Record.from_attributes(record.number, "complete", stored.value, stored.params, stored.user_attrs)
        assert record == expected
        assert own.distributions == stored.distributions


def test_workers_share_a_campaign_with_a_budget(tmp_path: Path, postgres: Postgres) -> None:
    given: dict[str, Any] = {
        "task": TASK, "budget": "40", "sampler": "random", "seed": 1,
        "final_seeds": 2, "finalists": 1, "final_epochs": 8,
        "ways": {"ways": ("prior", "pruned", "rewired", "redrawn"), "pools": (1,)},
        "recipe": {**RECIPE, "epochs": 8},
    }  # fmt: skip
    out = tmp_path / "with-budget"
    with ThreadPoolExecutor(1) as executor:
        running = executor.submit(Campaign(out, storage=postgres.url, trials=8, **given).run)
        Worker(postgres.url, "with-budget", task=TASK, wait=60).run()
        outcome = running.result(120)
    records = load(out)
    assert outcome.complete == 8
    assert {record.params["way"] for record in records} > {"prior"}
    assert all(record.n_parameters is not None and record.n_parameters <= 40 for record in records)
    assert outcome.test is not None
    assert outcome.test["n_parameters"] <= 40
