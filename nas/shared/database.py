"""Database: opens the PostgreSQL database that holds the trials of campaigns."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable

import optuna
import sqlalchemy
from optuna.trial import FrozenTrial
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from nas.errors import InputError
from nas.shared.address import place_of, reason_of
from nas.shared.outage import STORAGE_ERRORS, Outage, state_of

__all__ = [
    "GRACE_S",
    "HEARTBEAT_S",
    "AbsentError",
    "AwayError",
    "Stale",
    "connect",
]

HEARTBEAT_S, GRACE_S = 10, 60
"""How often a worker says that it lives, and after how long a silence its trial is given to another one."""


class AbsentError(InputError):
    """A database or a study is not there, or not there yet."""


class AwayError(AbsentError):
    """A database cannot be reached, so that nobody knows what it holds."""


Stale = Callable[[optuna.Study, FrozenTrial], None]

_MISSING_TABLE = "42P01"
# A connection whose other end vanished is noticed within a minute, and not after hours.
_CONNECTION = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def connect(
    url: sqlalchemy.URL, outage: Outage, stop: threading.Event, stale: Stale | None = None, *, creates: bool = False
) -> optuna.storages.RDBStorage:
    """Open the database of a URL.

    Parameters
    ----------
    url : sqlalchemy.URL
    outage : Outage
        Waits for the database once it has been there.
    stop : threading.Event
        Ends attempts to say that a trial is alive.
    stale : callable, optional
        Called with the study and a trial whose worker has been silent for too long.
    creates : bool
        Whether to create Optuna's tables where there are none.

    Raises
    ------
    AbsentError
        If the database cannot be reached, or nobody has created studies there.
    InputError
        If it cannot be opened for another reason.
    """
    try:
        # Together with a worker that does the same, creating the tables may fail once.
        opened = _attempts(lambda: _Storage(url, stop, stale, creates=creates), 2 if creates else 1)
    except ImportError:
        raise InputError(
            "storage: no driver for PostgreSQL is installed; it comes with: pip install 'wirenas[postgresql]'"
        ) from None
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, RuntimeError) as error:
        raise _cannot_open(error, url) from None
    sqlalchemy.event.listen(opened.engine, "do_connect", outage.connect)
    return opened


class _Storage(optuna.storages.RDBStorage):
    """Optuna's, which goes on when a heartbeat is missed."""

    def __init__(self, url: sqlalchemy.URL, stop: threading.Event, stale: Stale | None, *, creates: bool) -> None:
        self._stop = stop
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                super().__init__(
                    # Optuna takes braces for names to be filled in.
                    url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}"),
                    {"pool_pre_ping": True, "connect_args": {**_CONNECTION, "options": _session(), **url.query}},
                    heartbeat_interval=HEARTBEAT_S,
                    grace_period=GRACE_S,
                    heartbeat_stale_trial_callback=stale,
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


def _session() -> str:
    """Return settings of a session: locks of a worker that is paused, or gone without a word, are given up."""
    return f"-c idle_in_transaction_session_timeout={1000 * GRACE_S} -c tcp_keepalives_idle={GRACE_S}"


def _attempts(work: Callable[[], _Storage], count: int) -> _Storage:
    for _ in range(count - 1):
        try:
            return work()
        except DBAPIError as error:
            if isinstance(error, OperationalError):
                raise
    return work()


def _cannot_open(error: Exception, url: sqlalchemy.URL) -> InputError:
    place, reason = place_of(url), reason_of(error, url)
    if isinstance(error, OperationalError) or isinstance(error.__cause__, OperationalError):
        # Where no connection comes about the driver gives no state.
        kind = InputError if "authentication failed" in reason else AwayError
        return kind(f"storage: {place} cannot be opened: {reason}; give a URL that `psql` gets in with")
    if state_of(error) == _MISSING_TABLE:
        return AbsentError(f"storage: {place} holds no studies yet; `wirenas run` with this storage creates them")
    return InputError(f"storage: {place} holds no studies that can be read: {reason}")
