"""A database that is away is waited for, but not for ever. Here time passes only where somebody waits or works."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
import sqlalchemy

from nas.errors import CampaignError
from nas.shared import database
from nas.shared.database import PATIENCE_S, Outage
from nas.training import Interrupted

pytestmark = pytest.mark.timeout(20)
URL = sqlalchemy.make_url("postgresql+psycopg://me:hidden@h:1/d")
PLACE = "h:1/d"


class Time:
    """Stands in for the clock and for the event that stops; whoever waits far too long is found out at once."""

    def __init__(self) -> None:
        self.now, self.stops_at = 1000.0, math.inf
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.now += seconds
        assert self.waited < 10 * PATIENCE_S, "it waits for ever"
        return self.now >= self.stops_at

    @property
    def waited(self) -> float:
        return sum(self.pauses)


class LostError(Exception):
    """What the driver raises where the database is away."""

    sqlstate = ""


class Answer(str):
    """What can be referred to weakly, as connections can."""


class Away:
    """Fails as often as it is told to, and then answers: as work, or as a driver that opens connections."""

    def __init__(self, times: float = math.inf, error: Exception | None = None) -> None:
        self.times, self.error = times, error or storage_error()
        self.calls: list[tuple[Any, ...]] = []
        self.loaded_dbapi = SimpleNamespace(OperationalError=LostError)

    def __call__(self, *given: Any, **named: Any) -> str:
        self.calls.append((*given, named))
        assert len(self.calls) < 10_000, "it asks without a pause"
        if len(self.calls) <= self.times:
            raise self.error
        return Answer("answer")

    connect = __call__


def storage_error(state: str = "", *, by_optuna: bool = False) -> Exception:
    lost = LostError("server closed the connection, hidden")
    lost.sqlstate = state
    error = sqlalchemy.exc.OperationalError("SELECT 1", None, lost)
    if not by_optuna:
        return error
    wrapped = optuna.exceptions.StorageInternalError("an error of the storage")
    wrapped.__cause__ = error
    return wrapped


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(database, "time", made)
    return made


@pytest.fixture
def noticed() -> list[str]:
    return []


@pytest.fixture
def own(time: Time, noticed: list[str]) -> Outage:
    made = Outage(URL, time)  # type: ignore[arg-type]
    made.noticed = noticed.append
    return made


def connecting(own: Outage, driver: Away) -> Callable[[], str]:
    """Return work that opens a connection, whose errors SQLAlchemy wraps."""

    def work() -> str:
        try:
            return str(own.connect(driver, None, ("dsn",), {"port": 1}))
        except LostError:
            raise storage_error() from None

    return work


# Work


def test_work_that_succeeds_is_not_waited_for(own: Outage, time: Time):
    work = Away(0)
    assert own.patiently(work) == "answer"
    assert (len(work.calls), time.pauses) == (1, [])


@pytest.mark.parametrize("by_optuna", [False, True])
def test_work_is_repeated_until_the_database_is_back(own: Outage, time: Time, by_optuna: bool):
    work = Away(40, storage_error(by_optuna=by_optuna))
    assert own.patiently(work) == "answer"
    assert (len(work.calls), len(time.pauses)) == (41, 40)
    assert all(0.2 <= pause <= 1.0 for pause in time.pauses)


def test_work_ends_where_the_database_stays_away(own: Outage, time: Time):
    with pytest.raises(CampaignError, match=rf"^{PLACE} stays away: .* closed the connection, \*\*\*$"):
        own.patiently(Away())
    assert PATIENCE_S < time.waited <= PATIENCE_S + 1


@pytest.mark.parametrize("by_optuna", [False, True])
@pytest.mark.parametrize("state", ["22P02", "25006", "28P01", "3D000", "42P01", "42501"])
def test_what_waiting_does_not_mend_ends_the_work_at_once(own: Outage, time: Time, state: str, by_optuna: bool):
    work = Away(1, storage_error(state, by_optuna=by_optuna))
    with pytest.raises(CampaignError, match=rf"^{PLACE} cannot be used: "):
        own.patiently(work)
    assert (len(work.calls), time.pauses) == (1, [])


@pytest.mark.parametrize("state", ["08006", "25P03", "40001", "42P05", "57P01"])
def test_what_passes_is_waited_for(own: Outage, state: str):
    assert own.patiently(Away(1, storage_error(state))) == "answer"


def test_work_that_fails_for_other_reasons_is_not_repeated(own: Outage, time: Time):
    with pytest.raises(ZeroDivisionError):
        own.patiently(Away(1, ZeroDivisionError()))
    assert time.pauses == []


def test_waiting_ends_when_work_is_stopped(own: Outage, time: Time):
    time.stops_at = time.now
    work = Away()
    with pytest.raises(Interrupted, match="stopped while the database was away"):
        own.patiently(work)
    assert (len(work.calls), len(time.pauses)) == (1, 1)


def test_hours_of_work_between_two_breaks_are_no_hours_away(own: Outage, time: Time):
    calls: list[float] = []

    def work() -> str:
        calls.append(time.now)
        if len(calls) == 2:
            time.now += 3600
        if len(calls) <= 2:
            raise storage_error()
        return Answer("answer")

    assert own.patiently(work) == "answer"
    assert len(calls) == 3


def test_work_that_takes_long_and_always_fails_ends(own: Outage, time: Time):
    calls: list[float] = []

    def work() -> str:
        calls.append(time.now)
        assert len(calls) < 100, "it goes on for ever"
        time.now += 3600
        raise storage_error()

    with pytest.raises(CampaignError, match="stays away"):
        own.patiently(work)
    assert len(calls) == 10


def test_minutes_of_work_between_breaks_are_no_minutes_away(own: Outage, time: Time):
    calls: list[float] = []

    def work() -> str:
        calls.append(time.now)
        if len(calls) <= 4:
            time.now += PATIENCE_S - 50
            raise storage_error()
        return Answer("answer")

    assert own.patiently(work) == "answer"


# Connections


def test_a_connection_is_opened_with_what_is_given(own: Outage, time: Time, noticed: list[str]):
    driver = Away(0)
    assert own.connect(driver, None, ("dsn", 2), {"port": 1}) == "answer"
    assert driver.calls == [("dsn", 2, {"port": 1})]
    assert (time.pauses, noticed) == ([], [])


def test_a_connection_is_tried_ever_more_rarely_until_the_server_is_back(own: Outage, time: Time, noticed: list[str]):
    driver = Away(9, LostError())
    assert own.connect(driver, None, ("dsn",), {"port": 1}) == "answer"
    assert driver.calls == [("dsn", {"port": 1})] * 10
    longest = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert all(most / 2 <= pause <= most for pause, most in zip(time.pauses, longest, strict=True))
    assert noticed == [f"{PLACE} is away; waiting for up to 300 s"]


def test_a_connection_is_given_up_where_the_server_stays_away(own: Outage, time: Time, noticed: list[str]):
    with pytest.raises(LostError):
        own.connect(Away(error=LostError()), None, (), {})
    assert PATIENCE_S < time.waited <= PATIENCE_S + 5
    assert len(noticed) == 1


def test_a_connection_is_given_up_when_work_is_stopped(own: Outage, time: Time):
    time.stops_at = time.now
    driver = Away(error=LostError())
    with pytest.raises(LostError):
        own.connect(driver, None, (), {})
    assert len(driver.calls) == 1


def test_a_connection_that_is_refused_for_other_reasons_is_not_tried_again(own: Outage, time: Time):
    with pytest.raises(ZeroDivisionError):
        own.connect(Away(1, ZeroDivisionError()), None, (), {})
    assert time.pauses == []


# One outage


def test_whoever_comes_later_waits_no_longer_than_the_first(own: Outage, time: Time, noticed: list[str]):
    work = connecting(own, Away(error=LostError()))
    for _ in range(3):
        with pytest.raises(CampaignError, match="stays away"):
            own.patiently(work)
        assert PATIENCE_S < time.waited <= PATIENCE_S + 5
    assert len(noticed) == 1


def test_what_fails_while_others_wait_waits_as_long_as_they(own: Outage, time: Time):
    began, time.stops_at = time.now, time.now
    with pytest.raises(LostError):
        own.connect(Away(error=LostError()), None, (), {})
    time.now, time.stops_at = began + PATIENCE_S - 5, math.inf
    with pytest.raises(CampaignError, match="stays away"):
        own.patiently(Away())
    assert PATIENCE_S < time.now - began <= PATIENCE_S + 1


def test_a_database_that_came_back_is_waited_for_anew(own: Outage, time: Time, noticed: list[str]):
    for times in (1, 2):
        time.now += PATIENCE_S
        assert own.patiently(connecting(own, Away(60, LostError()))) == "answer"
        assert len(noticed) == times
    assert time.waited > PATIENCE_S
