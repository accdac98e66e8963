"""Campaigns of many processes: what counts, who is gone, how workers differ, what is said where something is wrong."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pytest
from command_line import refused
from optuna.trial import FrozenTrial, TrialState
from postgres import DATABASE, PASSWORD, USER, Postgres

from nas.networks import NetworkSpec
from nas.options.options import resolve
from nas.samplers.proposer import Candidate
from nas.shared import database
from nas.shared.counting import as_ended, following, rival, standing, surplus
from nas.shared.loop import Silence, tell_once
from nas.shared.sampling import sampler_for
from nas.shared.shared import SharedStudy, requeue, requeue_silent

SPACE = {"nodes": (8, 20), "degree": (2, 5)}
BEGUN = datetime(2026, 1, 1)


def value_of(wiring: Any, params: Any) -> float:
    return float(wiring.n_edges)


def trial(
    number: int, state: str = "COMPLETE", claim: str | None = None, end: int | None = None, **attributes: object
) -> FrozenTrial:
    """A trial that ends after `end` seconds and claims a wiring, by default one of its own."""
    claimed = {"fingerprint": f"w{number}" if claim is None else claim, "replicate": 0} if claim != "" else {}
    made = optuna.create_trial(
        state=TrialState[state], value=0.5 if state == "COMPLETE" else None, user_attrs={**claimed, **attributes}
    )
    made.number = number
    made.datetime_complete = BEGUN + timedelta(seconds=number if end is None else end)
    return made


def numbers(trials: Sequence[FrozenTrial]) -> list[int]:
    return [trial.number for trial in trials]


# What counts


def test_trials_are_taken_in_the_order_in_which_they_ended() -> None:
    trials = [trial(0, end=9), trial(1, end=3), trial(2, "RUNNING"), trial(3, end=3), trial(4, "WAITING", claim="")]
    assert numbers(following(as_ended(trials), 5)) == [1, 3, 0]


def test_no_more_are_copied_than_are_wanted_and_the_rest_is_surplus() -> None:
    trials = [trial(number) for number in range(5)]
    assert numbers(following(as_ended(trials), 3)) == [0, 1, 2]
    assert numbers(following(as_ended(trials), 3, {0, 4})) == [1]
    assert following(as_ended(trials), 3, {0, 1, 4}) == []
    assert surplus(trials, {0, 1, 4}) == [2, 3]
    # A campaign that grows takes what came too late before.
    assert numbers(following(as_ended(trials), 5, {0, 1, 4})) == [2, 3]


def test_of_trials_of_one_wiring_the_first_to_end_counts() -> None:
    trials = [trial(0, claim="a", end=5), trial(1, claim="a", end=2), trial(2, claim="a", replicate=1, end=7)]
    assert numbers(following(as_ended(trials), 5)) == [1, 2]
    assert following(as_ended(trials[:2]), 5, {0}) == []
    assert standing(trials) == standing([trial(0), trial(1)])


def test_failed_evaluations_are_copied_and_do_not_count_others_that_failed_are_not() -> None:
    trials = [
        trial(0, "FAIL", error="ValueError: no"),
        trial(1, "FAIL", error=None),
        trial(2, "FAIL", uncounted="duplicate of trial 0"),
        trial(3, "PRUNED"),
        trial(4),
        trial(5, "FAIL", error="ValueError: late"),
        trial(6, claim=""),
    ]
    assert numbers(following(as_ended(trials), 2)) == [0, 3, 4]
    assert numbers(following(as_ended(trials), 9)) == [0, 3, 4, 5]
    assert standing(trials) == (2, 0)


def test_copies_that_see_trials_in_different_orders_agree(postgres: Postgres) -> None:
    url = postgres.create("orders")
    first, second = (SharedStudy(url, "one", threading.Event(), "maximize") for _ in range(2))
    late, others = trial(2, end=1), [trial(number) for number in (0, 1, 3)]
    try:
        assert first.decide(as_ended(others), 3, []) == [0, 1, 3]
        assert second.decide(as_ended([*others, late]), 3, []) == [0, 1, 3]
        assert second.decide(as_ended([*others, late]), 4, []) == [0, 1, 3, 2]
        assert first.decide(as_ended(others), 3, []) == [0, 1, 3, 2]
    finally:
        first.close()
        second.close()


def test_many_that_decide_in_the_same_instant_agree(postgres: Postgres) -> None:
    url, n = postgres.create("instant"), 6
    SharedStudy(url, "one", threading.Event(), "maximize").close()
    before, orders = threading.Barrier(n), []

    def decide(own: int) -> None:
        shared = SharedStudy(url, "one", threading.Event())
        before.wait(30)
        # Each sees some trials, and those of an instant in an order of its own.
        seen = [trial(number, end=(number * (own + 2)) % 7) for number in range(12)]
        for upto in (4, 8, 12):
            order = shared.decide(as_ended(seen[:upto]), 9, [])
            orders.append(order)
        shared.close()

    threads = [threading.Thread(target=decide, args=(own,)) for own in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    longest = max(orders, key=len)
    assert len(longest) == len(set(longest)) == 9
    assert all(order == longest[: len(order)] for order in orders)
    assert len(orders) == 3 * n


def test_a_copy_that_an_older_version_began_says_the_order(postgres: Postgres) -> None:
    shared = SharedStudy(postgres.create("older"), "one", threading.Event(), "maximize")
    trials = as_ended(trial(number) for number in range(4))
    assert shared.decide(trials, 3, [2, 0]) == [2, 0, 1]
    assert shared.decide(trials, 3, []) == [2, 0, 1]
    shared.close()


@pytest.mark.parametrize("state", ["RUNNING", "COMPLETE", "PRUNED"])
def test_a_claim_gives_way_to_any_other_of_a_trial_that_runs_or_is_over(state: str) -> None:
    assert rival([trial(0, state, claim="a"), trial(1, "RUNNING", claim="a")], 1, ("a", 0)) == 0
    assert rival([trial(0, "RUNNING", claim="a"), trial(1, state, claim="a")], 0, ("a", 0)) == 1


def test_a_claim_gives_way_to_nothing_else() -> None:
    others = [
        trial(0, "FAIL", claim="a"),
        trial(1, "RUNNING", claim="b"),
        trial(2, claim="a", replicate=1),
        trial(3, "RUNNING", claim=""),
        trial(4, "RUNNING", claim="a"),
    ]
    assert rival(others, 4, ("a", 0)) is None


# Those that die


def study_of(*trials: FrozenTrial) -> optuna.Study:
    study = optuna.create_study()
    study.add_trials(trials)
    return study


def test_a_trial_is_queued_again_three_times_and_only_if_it_was_begun() -> None:
    study = study_of()
    requeue_silent(study, trial(0, "FAIL", claim=""))
    assert study.trials == []
    lost = optuna.create_trial(
        state=TrialState.FAIL,
        params={"n": 3},
        distributions={"n": optuna.distributions.IntDistribution(1, 9)},
        user_attrs={"fingerprint": "a"},
    )
    for retries in range(3):
        requeue_silent(study, lost)
        again = study.trials[-1]
        assert (again.state, again.system_attrs["fixed_params"]) == (TrialState.WAITING, {"n": 3})
        assert again.user_attrs["retries"] == retries + 1
        assert "fingerprint" not in again.user_attrs
        lost.user_attrs = {**lost.user_attrs, **again.user_attrs}
    requeue_silent(study, lost)
    assert len(study.trials) == 3
    requeue(study, lost, is_retry=False)  # Given back, which is nobody's fault.
    assert study.trials[-1].user_attrs["retries"] == 3


def test_a_trial_without_a_claim_is_broken_after_the_grace_period(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    silence = Silence()
    trials = [trial(0, "RUNNING", claim=""), trial(1, "RUNNING"), trial(2), trial(3, "WAITING", claim="")]
    assert silence.broken(trials) == []
    now[0] += database.GRACE_S
    assert silence.broken([*trials, trial(4, "RUNNING", claim="")]) == []
    now[0] += 1
    assert silence.broken([*trials, trial(4, "RUNNING", claim="")]) == [0]
    assert silence.broken(trials[1:]) == []
    assert silence.broken(trials) == []  # Seen anew.


def test_what_was_told_is_told_once() -> None:
    study = study_of()
    first, second = study.ask(), study.ask()
    assert tell_once(study, first.number, TrialState.COMPLETE, 1.0)
    assert tell_once(study, first.number, TrialState.COMPLETE, 1.0)
    assert not tell_once(study, first.number, TrialState.FAIL)
    study.tell(second, state=TrialState.FAIL)
    assert not tell_once(study, second.number, TrialState.COMPLETE, 1.0)


# Sampling


@pytest.mark.parametrize("sampler", ["random", "tpe", "structural"])
def test_workers_of_one_seed_choose_different_wirings_for_different_trials(sampler: str) -> None:
    options = resolve({"sampler": sampler, "space": SPACE, "startup": 4})
    space = options.resolved_space
    study = study_of()
    chosen = []
    for _ in range(6):
        own = sampler_for(options, space, (4, 2), NetworkSpec("mlp"), _steering(options))
        study.sampler = own
        asked = study.ask()
        chosen.append(space.wiring(own.suggest_all(asked), 4, 2).fingerprint)
        assert set(own.proposals) == ({asked.number} if sampler == "structural" else set())
    assert len(set(chosen)) == 6
    assert ("n_moves" in study.trials[0].params) == (sampler == "structural")


def _steering(options: Any) -> dict[str, Any]:
    return {"startup": options.startup} if options.sampler == "structural" else {}


# What is wrong


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///study.db", "SQLite hands one trial out twice"),
        ("journal.log", "not the URL of a database"),
        ("journal:///folder/x.log", "--storage journal: campaigns of several processes need PostgreSQL"),
        ("mysql://u:hidden@h/d", "--storage mysql: campaigns of several processes need PostgreSQL"),
        ("postgresql://u:hidden@h", "names no database"),
        ("postgresql://u:hid/den@h:x/d", "storage"),
    ],
)
def test_storages_that_several_processes_cannot_share_are_refused(tmp_path: Path, url: str, said: str) -> None:
    for command in (["run", "--out", tmp_path / "x"], ["worker", "--study", "x"]):
        line = refused(*command, "--storage", url)
        assert said in line
        assert "postgresql://USER:PASSWORD@HOST/DATABASE" in line
        assert "hid" not in line
    assert list(tmp_path.iterdir()) == []


def test_a_study_without_a_storage_is_refused(tmp_path: Path) -> None:
    assert "give --storage too" in refused("run", "--out", tmp_path / "x", "--study", "x")


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    line = refused("worker", "--storage", "postgresql://u:hidden@127.0.0.1/d", "--study", "x")
    assert "pip install 'wirenas[postgresql]'" in line
    assert "hidden" not in line


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    pytest.importorskip("psycopg")
    line = refused("worker", "--storage", "postgresql://u:hidden@127.0.0.1:1/d", "--study", "x")
    assert "storage: 127.0.0.1:1/d cannot be opened: " in line
    assert "refused" in line
    assert "hidden" not in line


def test_messages_of_drivers_are_shown_without_passwords() -> None:
    url = database.url_of("postgresql://me:p%40ss@h:1/d?sslpassword=other")
    error = RuntimeError("no: p@ss p%40ss other\n(Background on this error at: https://x)")
    assert database._reason_of(error, url) == "no: *** *** ***"
    assert database.place_of(url) == "h:1/d"


def test_wrong_passwords_and_unknown_names_are_refused(tmp_path: Path, postgres: Postgres) -> None:
    wrong = postgres.url.replace(postgres.url.split(":")[2].split("@")[0], "wr0ng")
    line = refused("run", "--out", tmp_path / "x", "--storage", wrong)
    assert f'password authentication failed for user "{USER}"' in line
    assert "wr0ng" not in line
    line = refused("worker", "--study", "x", "--storage", postgres.url.replace(f"/{DATABASE}", "/nowhere"))
    assert 'database "nowhere" does not exist' in line
    assert PASSWORD not in line
    SharedStudy(postgres.url, "there", threading.Event(), "maximize").close()
    line = refused("worker", "--study", "elsewhere", "--storage", postgres.url)
    assert "--study elsewhere: " in line
    assert "there" in line.split("studies there: ")[1]


def test_a_missing_right_is_no_missing_study(tmp_path: Path, postgres: Postgres) -> None:
    """Neither `run` nor waiting helps somebody who may create nothing."""
    import psycopg

    with psycopg.connect(postgres.url, autocommit=True) as owner:
        owner.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        owner.execute("CREATE DATABASE empty")
    with psycopg.connect(postgres.url.replace(f"/{DATABASE}", "/empty"), autocommit=True) as owner:
        owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    url = f"postgresql://guest:guest@{postgres.place}".replace(f"/{DATABASE}", "/empty")
    line = refused("run", "--out", tmp_path / "x", "--storage", url)
    assert "permission denied for schema public" in line
    assert "creates them" not in line


def test_a_server_with_too_few_connections_is_one_line(tmp_path: Path, postgres: Postgres) -> None:
    import psycopg

    with psycopg.connect(postgres.url, autocommit=True) as owner:
        owner.execute("CREATE ROLE crowd LOGIN PASSWORD 'crowd' CONNECTION LIMIT 0")
    url = f"postgresql://crowd:crowd@{postgres.place}"
    for command in (("run", "--out", tmp_path / "x"), ("worker", "--study", "x")):
        line = refused(*command, "--storage", url)
        assert "too many connections for role" in line
        assert "start fewer, or raise the server's max_connections" in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE alembic_version SET version_num = 'v99.0.0'", "no longer compatible with the table schema"),
        ("INSERT INTO alembic_version VALUES ('v99.0.0')", "more than one head"),
        ("DROP TABLE version_info", "holds no studies yet"),
        ("ALTER TABLE version_info DROP COLUMN schema_version", "schema_version does not exist"),
    ],
)
def test_tables_of_another_version_are_one_line(tmp_path: Path, postgres: Postgres, change: str, said: str) -> None:
    import psycopg

    url = postgres.create(f"version{abs(hash(change))}")
    SharedStudy(url, "there", threading.Event(), "maximize").close()
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(change)
    assert said in refused("worker", "--study", "there", "--storage", url)
    if said != "holds no studies yet":
        assert said in refused("run", "--out", tmp_path / "there", "--storage", url)


def test_a_role_that_may_not_read_is_one_line(tmp_path: Path, postgres: Postgres) -> None:
    import psycopg

    url = postgres.create("unread")
    SharedStudy(url, "there", threading.Event(), "maximize").close()
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
    own = url.replace(url.split("//")[1].split("@")[0], "stranger:stranger")
    assert "permission denied for table alembic_version" in refused("worker", "--study", "there", "--storage", own)
    assert "permission denied" in refused("run", "--out", tmp_path / "there", "--storage", own)


# Storing


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
@pytest.mark.parametrize("structure", ["dag", "recurrent"])
def test_parameters_are_stored_at_once_as_optuna_stores_them_one_by_one(structure: str, postgres: Postgres) -> None:
    from nas.space.space import Space

    space = Space(structure=structure)
    shared = SharedStudy(postgres.url, f"rows-{structure}", threading.Event(), "maximize")
    study = shared.open(optuna.samplers.RandomSampler(seed=3))
    for _ in range(4):
        plain = study.ask()
        params = space.suggest_all(plain)
        study.enqueue_trial(params)
        queued = study.ask()
        asked = shared.suggester(queued)
        assert space.suggest_all(asked) == params
        candidate = Candidate(queued.number, params, asked.distributions, space.wiring(params), 0)
        for _ in range(2):  # Again, as where the connection broke.
            shared.store(queued, {"fingerprint": "a", "n": [1, 2]}, candidate)
        shared.store(queued, {"n": 3})
        first, second = (study.trials[own.number] for own in (plain, queued))
        assert (second.params, second.distributions) == (first.params, first.distributions)
        assert second.user_attrs == {"fingerprint": "a", "n": 3}
    study.tell(queued, 1.0)
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        shared.store(queued, {"n": 4})
    shared.close()
