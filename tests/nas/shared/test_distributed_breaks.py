"""Whichever statement the connection to the database breaks at, a campaign of many processes goes on.

WIRENAS_TEST_WORKERS=8 tries every statement, and not some.
"""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from distributed_cases import claims, study_in
from optuna.trial import TrialState
from postgres import Postgres

from nas import Campaign, CampaignError, InputError, Worker
from nas.evaluation.watcher import Watcher
from nas.shared import database, shared
from nas.store.study import load

pytestmark = pytest.mark.crash

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
EVERY = 1 if int(os.environ.get("WIRENAS_TEST_WORKERS", "4")) >= 8 else 12
TRIALS = 2


class Breaks:
    """Counts the statements that are sent to the database, and ends the session of one of them just before."""

    def __init__(self, url: str) -> None:
        self._url, self._broken = url, -1
        self.sent = 0

    def at(self, number: int) -> None:
        self._broken, self.sent = number, 0

    def __call__(self, connection: sqlalchemy.Connection, *_: Any) -> None:
        if self.sent == self._broken:
            session = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
            with psycopg.connect(self._url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (session,))
        self.sent += 1


@pytest.fixture
def breaks(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Breaks:
    found, connect = Breaks(postgres.url), database.connect

    def connect_and_listen(*arguments: Any, **options: Any) -> Any:
        storage = connect(*arguments, **options)
        sqlalchemy.event.listen(storage.engine, "before_cursor_execute", found)
        return storage

    monkeypatch.setattr(shared, "connect", connect_and_listen)
    # A trial whose claim is lost is silent; it is noticed after seconds, so that the test need not wait for a minute.
    for module, name, seconds in ((database, "HEARTBEAT_S", 1), (database, "GRACE_S", 2), (database, "PATIENCE_S", 30)):
        monkeypatch.setattr(module, name, seconds)
    return found


def campaign(out: Path, postgres: Postgres) -> Campaign:
    space = {"nodes": (8, 20), "degree": (2, 5)}
    return Campaign(out, evaluate=n_edges, storage=postgres.url, space=space, trials=TRIALS, sampler="random")


def n_edges(wiring: Any, _: Any) -> float:
    return float(wiring.n_edges)


@contextmanager
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.clear()
    yield
    assert caplog.records == []


@pytest.mark.timeout(900 if EVERY == 1 else 240)
def test_a_run_goes_on_wherever_its_connection_breaks(
    tmp_path: Path, postgres: Postgres, breaks: Breaks, caplog: pytest.LogCaptureFixture
) -> None:
    for number in itertools.count(0, EVERY):
        breaks.at(number)
        out = tmp_path / f"broken{number}"
        with quiet(caplog):
            campaign(out, postgres).run()
        assert len(load(out).complete) == TRIALS
        complete = [trial for trial in study_in(postgres.url, out.name).trials if trial.state == TrialState.COMPLETE]
        assert len(set(claims(complete))) == len(complete) == TRIALS
        if breaks.sent <= number:
            break
    assert number > 100


def test_a_worker_joins_wherever_its_connection_breaks(tmp_path: Path, postgres: Postgres, breaks: Breaks) -> None:
    campaign(tmp_path / "joined", postgres).run()
    for number in itertools.count():
        breaks.at(number)
        assert Worker(postgres.url, "joined", evaluate=n_edges).run().trials == 0
        if breaks.sent <= number:
            break
    assert number > 5


@pytest.mark.parametrize("study", ["missing", "foreign"])
def test_what_is_no_campaign_is_said_wherever_the_connection_breaks(
    postgres: Postgres, breaks: Breaks, monkeypatch: pytest.MonkeyPatch, study: str
) -> None:
    monkeypatch.setattr(shared, "_LOOKS", 2)
    shared.SharedStudy(postgres.url, "foreign", threading.Event(), "maximize").close()
    for number in itertools.count():
        breaks.at(number)
        with pytest.raises(InputError, match=f"^study={study}: .*studies there: .*foreign"):
            Worker(postgres.url, study, evaluate=n_edges)
        if breaks.sent <= number:
            break
    assert number > 3


@pytest.mark.timeout(120)
def test_a_database_that_stays_away_is_waited_for_once(
    tmp_path: Path, breaks: Breaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ask for it, one after another, in the trial, when it ends, and in the folder's copy."""
    monkeypatch.setattr(database, "PATIENCE_S", 3)
    server, gone, noticed = Postgres(), [], []

    class Notes(Watcher):
        def noticed(self, line: str) -> None:
            noticed.append(line)

    def stopping(wiring: Any, _: Any) -> float:
        server.stop("immediate")
        gone.append(time.monotonic())
        limit.start()
        return n_edges(wiring, _)

    own = Campaign(tmp_path / "gone", evaluate=stopping, storage=server.url, trials=3, sampler="random")
    # Whoever would wait for ever is interrupted, which says nothing of the database.
    limit = threading.Timer(15, own.stop.set)
    try:
        with pytest.raises((CampaignError, KeyboardInterrupt), match=f"^{server.place} stays away: connection failed"):
            own.run(Notes())
        assert 3 <= time.monotonic() - gone[0] < 15
        assert noticed == [f"{server.place} is away; waiting for up to 3 s"]
    finally:
        limit.cancel()
        server.start()
        server.remove()


def test_what_waiting_does_not_mend_is_said_at_once(tmp_path: Path, postgres: Postgres) -> None:
    """A table that is gone is no database that is away."""

    def rename(old: str, new: str) -> None:
        with psycopg.connect(postgres.url, autocommit=True) as other:
            other.execute(f"ALTER TABLE {old} RENAME TO {new}")

    def dropping(_: Any, __: Any) -> float:
        rename("trial_values", "gone")
        return 1.0

    try:
        with pytest.raises(CampaignError, match=r"cannot be used: relation \"trial_values\" does not exist"):
            Campaign(tmp_path / "dropped", evaluate=dropping, storage=postgres.url, trials=3).run()
    finally:
        rename("gone", "trial_values")
