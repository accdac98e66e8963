"""Opens the PostgreSQL database that holds the trials of campaigns, and waits for it while it is away.

Any number of processes may open an empty one in the same instant. Only runs create Optuna's tables, one run after
another; to everybody else they are there from when the last thing that is written, the version of the schema, is.
"""

from __future__ import annotations

import random
import re
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import quote
from weakref import WeakSet

import optuna
import sqlalchemy
from alembic.util import CommandError
from optuna.trial import FrozenTrial
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from nas.errors import CampaignError, InputError
from nas.training import Interrupted

__all__ = [
    "GRACE_S",
    "PATIENCE_S",
    "STORAGE_ERRORS",
    "AbsentError",
    "AwayError",
    "Outage",
    "connect",
    "place_of",
    "url_of",
]

HEARTBEAT_S, GRACE_S = 10, 60
"""How often a worker says that it lives, and after how long a silence its trial is given to another one."""
_IDLE_S = 60
"""How long a transaction may stand still before the server gives up its locks, and the session with them."""
PATIENCE_S = 300.0
"""For how long a database that is away is waited for."""
STORAGE_ERRORS = (optuna.exceptions.StorageInternalError, SQLAlchemyError)
"""What goes wrong where a database is away."""

_EXAMPLE = "postgresql://USER:PASSWORD@HOST/DATABASE"
# A connection whose other end vanished is noticed within a minute, and not after hours.
_CONNECTION = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_PAUSES_S = (0.1, 5.0)
_LOOK_UP_S = 0.2
_LAST_WORDS_S = 5.0
"""For how long a server that says nothing may hold up whoever was told to stop."""
_LONGEST_WAIT_S = 30.0
"""What an attempt that failed counts as waiting at most."""
_MISSING_TABLE = "42P01"
_CREATING = int.from_bytes(b"wirenas")
"""Key of the server's lock that a run holds while it creates tables."""
_MOST_TRIES = 10
_RACES = ("23505", "25P03", "40001", "40P01", "42710", "42P07")
"""States of errors of whoever creates what another program creates too, or was paused and lost its session."""
_LASTING = ("22", "25006", "28", "3D", "42")
_PASSING = ("42P05",)
"""Beginnings of the states of errors that waiting does not mend, such as a missing right, table or database; and one
that begins so and passes: a pool of connections mixed up prepared statements."""

T = TypeVar("T")
_OnSilence = Callable[[optuna.Study, FrozenTrial], None]


class AbsentError(InputError):
    """A database or a study is not there, or not there yet."""


class AwayError(AbsentError):
    """A database cannot be reached, so that nobody knows what it holds."""


def url_of(storage: str) -> sqlalchemy.URL:
    """Return a storage's URL with the driver that is used.

    Raises
    ------
    InputError
        For what is no URL of a PostgreSQL database; nothing that may be a password is shown.
    """
    try:
        url = sqlalchemy.make_url(storage)
    except (ArgumentError, ValueError):
        raise InputError(f"storage: what was given is not the URL of a database; give {_EXAMPLE}") from None
    backend = url.get_backend_name()
    if backend == "sqlite":
        raise InputError(
            f"storage=sqlite: SQLite hands one trial out twice where several processes ask; give {_EXAMPLE}, or leave "
            "storage out: one process with --threads keeps its study in --out"
        )
    if backend not in ("postgresql", "postgres"):
        raise InputError(f"storage={backend}: campaigns of several processes need PostgreSQL; give {_EXAMPLE}")
    if not url.database:
        raise InputError(f"storage={backend}: the URL names no database; give {_EXAMPLE}")
    return url.set(drivername="postgresql+psycopg") if "+" not in url.drivername else url


def place_of(url: sqlalchemy.URL) -> str:
    """Return where a database is, without who uses it and by which password."""
    host = url.host or str(url.query.get("host", "localhost"))
    return f"{host}:{url.port or 5432}/{url.database}"


def connect(
    url: sqlalchemy.URL, outage: Outage, stop: threading.Event, on_silence: _OnSilence, *, creates: bool
) -> optuna.storages.RDBStorage:
    """Open the database of a URL; once it has been there, `outage` waits for it.

    The event `stop` ends attempts to say that a trial is alive. `on_silence` is called with the study and a trial whose
    worker has been silent for too long. `creates`: whether to create Optuna's tables where there are none.

    Raises
    ------
    AbsentError
        If the database cannot be reached, or nobody has created studies there.
    InputError
        If it cannot be opened for another reason.
    """
    try:
        opened = _opened(url, stop, on_silence, creates=creates)
    except ImportError:
        raise InputError(
            "storage: no driver for PostgreSQL is installed; it comes with: pip install 'wirenas[postgresql]'"
        ) from None
    except (*STORAGE_ERRORS, CommandError, RuntimeError) as error:
        raise _cannot_open(error, url) from None
    sqlalchemy.event.listen(opened.engine, "do_connect", outage.connect)
    opened.engine.dispose()  # Of connections from before it knows nothing.
    return opened


def _opened(url: sqlalchemy.URL, stop: threading.Event, on_silence: _OnSilence, *, creates: bool) -> _Storage:
    tries = 0
    while True:
        tries += 1
        try:
            if not creates:
                _check_created(url)
                return _Storage(url, stop, on_silence, creates=False)
            with _alone_in_creating(url):
                return _Storage(url, stop, on_silence, creates=True)
        except STORAGE_ERRORS as error:
            if _state_of(error) not in _RACES or tries == _MOST_TRIES:
                raise
        time.sleep(random.uniform(0.1, 0.5))


@contextmanager
def _alone_in_creating(url: sqlalchemy.URL) -> Iterator[None]:
    """Wait until no other run creates tables, and keep the others waiting.

    The lock ends with its transaction, and so does that of a run that is gone, or paused for longer than a transaction
    may stand still.
    """
    with _one_connection(url) as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATING})
        yield


def _check_created(url: sqlalchemy.URL) -> None:
    """Check that the tables are all there: Optuna would complete them, in the way of the run that creates them."""
    with _one_connection(url) as connection:
        if not connection.execute(sqlalchemy.text("SELECT 1 FROM alembic_version")).first():
            raise _not_created(url)


@contextmanager
def _one_connection(url: sqlalchemy.URL) -> Iterator[sqlalchemy.Connection]:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args=_connect_args(url))
    connection = engine.connect()
    try:
        yield connection
    finally:
        with suppress(SQLAlchemyError):  # It may be broken, and has done what it was for.
            connection.close()


def _connect_args(url: sqlalchemy.URL) -> dict[str, Any]:
    # Locks of a worker that is paused, or gone without a word, are given up.
    session = f"-c idle_in_transaction_session_timeout={1000 * _IDLE_S} -c tcp_keepalives_idle={_IDLE_S}"
    return {**_CONNECTION, "options": session, **url.query}


class _Storage(optuna.storages.RDBStorage):
    """Optuna's, which goes on when a heartbeat is missed."""

    def __init__(self, url: sqlalchemy.URL, stop: threading.Event, on_silence: _OnSilence, *, creates: bool) -> None:
        self._stop = stop
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                super().__init__(
                    # Optuna takes braces for names to be filled in.
                    url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}"),
                    {"pool_pre_ping": True, "connect_args": _connect_args(url)},
                    heartbeat_interval=HEARTBEAT_S,
                    grace_period=GRACE_S,
                    heartbeat_stale_trial_callback=on_silence,
                    skip_table_creation=not creates,
                )
        except BaseException:
            if (engine := getattr(self, "engine", None)) is not None:
                engine.dispose()
            raise

    def record_heartbeat(self, trial_id: int) -> None:
        """Say that a trial's worker lives; see Optuna.

        Optuna's thread would end with the first error, and the trial of a worker that lives be given away.
        """
        for _ in range(2):  # The first one may find that the connection broke.
            try:
                return super().record_heartbeat(trial_id)
            except STORAGE_ERRORS:
                if self._stop.is_set():
                    return None
        return None


def _cannot_open(error: Exception, url: sqlalchemy.URL) -> InputError:
    place, reason = place_of(url), _reason_of(error, url)
    if isinstance(error, OperationalError) or isinstance(error.__cause__, OperationalError):
        # Where no connection comes about the driver gives no state.
        kind: type[InputError] = AwayError
        remedy = "give a URL that `psql` gets in with"
        if "authentication failed" in reason:
            kind = InputError
        elif re.search("too many (clients|connections)|connection slots", reason):
            remedy = "each process needs two connections: start fewer, or raise the server's max_connections"
        return kind(f"storage: {place} cannot be opened: {reason}; {remedy}")
    if _state_of(error) == _MISSING_TABLE:
        return _not_created(url)
    return InputError(f"storage: {place} holds no studies that can be read: {reason}")


def _not_created(url: sqlalchemy.URL) -> AbsentError:
    return AbsentError(f"storage: {place_of(url)} holds no studies yet; `wirenas run` with this storage creates them")


def _reason_of(error: Exception, url: sqlalchemy.URL) -> str:
    """Return the message of a driver, in one line and without any password."""
    text = " ".join(str(error.__cause__ or error).split())
    text = text.rpartition("FATAL: ")[2].split("(Background on this error")[0]
    text = text.split("[SQL: ")[0].strip()
    text = re.sub(r"^\(psycopg\.[\w.]+\) ", "", text)
    secrets = [url.password, *(value for name, value in url.query.items() if "password" in name)]
    for secret in filter(None, map(str, secrets)):
        for written in (secret, quote(secret, safe="")):
            text = text.replace(written, "***")
    return text[:300].rstrip(". ")


def _state_of(error: BaseException | None) -> str:
    """Return the state that the server gave an error, see PostgreSQL's appendix on them; empty where it gave none."""
    while error is not None:
        if isinstance(error, DBAPIError):
            return getattr(error.orig, "sqlstate", None) or ""
        error = error.__cause__
    return ""


class Outage:
    """Waits for one database, which several threads may ask for something, for `PATIENCE_S` from when it went away.

    The event `stop` ends all waiting. `noticed` is told in a line that the database is away, once each time.
    """

    def __init__(self, url: sqlalchemy.URL, stop: threading.Event) -> None:
        self._url, self._stop = url, stop
        self._since: float | None = None
        self._connections = WeakSet[Any]()
        self._is_over = False
        self.noticed: Callable[[str], None] = lambda _: None

    @contextmanager
    def ends_when_stopped(self) -> Iterator[None]:
        """Break all connections some seconds after the stop event, if that is set inside the block.

        A server that hangs keeps its connections and says nothing, so that nobody would notice the event.
        """
        has_ended, self._is_over = threading.Event(), False

        def watch() -> None:
            while not self._stop.wait(_LOOK_UP_S):
                if has_ended.is_set():
                    return
            time.sleep(_LAST_WORDS_S)  # Threads that the block left alone have as long to give back their trials.
            if self._stop.is_set():
                self._break()

        threading.Thread(target=watch, name="wirenas-outage", daemon=True).start()
        try:
            yield
        finally:
            has_ended.set()

    def _break(self) -> None:
        self._is_over = True
        for connection in list(self._connections):
            with (
                suppress(Exception),  # Some are closed.
                socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as line,
            ):
                line.shutdown(socket.SHUT_RDWR)

    def patiently(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, which is called again and again while the database is away.

        Raises
        ------
        CampaignError
            If it stays away, or waiting does not mend what is wrong.
        Interrupted
            If the stop event is set meanwhile.
        """
        waited = 0.0
        while True:
            began = time.monotonic()
            try:
                return work()
            except STORAGE_ERRORS as error:
                state, place = _state_of(error), place_of(self._url)
                if state.startswith(_LASTING) and state not in _PASSING:
                    raise CampaignError(f"{place} cannot be used: {_reason_of(error, self._url)}") from None
                now = time.monotonic()
                # What took long was work, and had the database until it failed.
                waited += min(now - began, _LONGEST_WAIT_S)
                away = 0.0 if self._since is None else now - self._since
                if max(waited, away) > PATIENCE_S:
                    raise CampaignError(f"{place} stays away: {_reason_of(error, self._url)}") from None
                pause = random.uniform(0.2, 1.0)
                if self._stop.wait(pause):
                    raise Interrupted("stopped while the database was away") from None
                waited += pause

    def connect(self, dialect: Any, _: Any, cargs: tuple[Any, ...], cparams: dict[str, Any]) -> Any:
        """Open a connection, again and again while the server is away; see SQLAlchemy's event ``do_connect``."""
        pause, longest = _PAUSES_S
        while True:
            try:
                if self._is_over:
                    raise dialect.loaded_dbapi.OperationalError("stopped")
                connection = dialect.connect(*cargs, **cparams)
            except dialect.loaded_dbapi.OperationalError:
                # Many workers must not come back all at once.
                if self._is_over or self._stays_away() or self._stop.wait(pause * random.uniform(0.5, 1.0)):
                    raise
                pause = min(2 * pause, longest)
            else:
                self._since = None
                self._connections.add(connection)
                return connection

    def _stays_away(self) -> bool:
        if self._since is None:
            self._since = time.monotonic()
            self.noticed(f"{place_of(self._url)} is away; waiting for up to {PATIENCE_S:.0f} s")
        return time.monotonic() - self._since > PATIENCE_S
