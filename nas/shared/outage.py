"""Outage: a database that does not answer is waited for, whoever asks."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import optuna
import sqlalchemy
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from nas.errors import CampaignError
from nas.shared.address import place_of, reason_of
from nas.training import Interrupted

__all__ = ["PATIENCE_S", "STORAGE_ERRORS", "Outage", "state_of"]

PATIENCE_S = 300.0
"""For how long a database that is away is waited for."""
STORAGE_ERRORS = (optuna.exceptions.StorageInternalError, SQLAlchemyError)
"""What goes wrong where a database is away."""

_PAUSES_S = (0.1, 5.0)
_LONGEST_WAIT_S = 30.0
"""What an attempt that failed counts as waiting at most."""
_LASTING = ("22", "25006", "28", "3D", "42")
_PASSING = ("42P05",)
"""Beginnings of the states of errors that waiting does not mend, such as a missing right, table or database; and one
that begins so and passes: a pool of connections mixed up prepared statements."""

T = TypeVar("T")


def state_of(error: BaseException | None) -> str:
    """Return the state that the server gave an error, see PostgreSQL's appendix on them; empty where it gave none."""
    while error is not None:
        if isinstance(error, DBAPIError):
            return getattr(error.orig, "sqlstate", None) or ""
        error = error.__cause__
    return ""


class Outage:
    """Waits for one database, which several threads may ask for something, for `PATIENCE_S` from when it went away.

    Parameters
    ----------
    url : sqlalchemy.URL
    stop : threading.Event
        Ends all waiting when it is set.

    Attributes
    ----------
    noticed : callable
        Told in a line that the database is away, once each time.
    """

    def __init__(self, url: sqlalchemy.URL, stop: threading.Event) -> None:
        self._url, self._stop = url, stop
        self._since: float | None = None
        self.noticed: Callable[[str], None] = lambda _: None

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
                state, place = state_of(error), place_of(self._url)
                if state.startswith(_LASTING) and state not in _PASSING:
                    raise CampaignError(f"{place} cannot be used: {reason_of(error, self._url)}") from None
                now = time.monotonic()
                # What took long was work, and had the database until it failed.
                waited += min(now - began, _LONGEST_WAIT_S)
                away = 0.0 if self._since is None else now - self._since
                if max(waited, away) > PATIENCE_S:
                    raise CampaignError(f"{place} stays away: {reason_of(error, self._url)}") from None
                pause = random.uniform(0.2, 1.0)
                if self._stop.wait(pause):
                    raise Interrupted("stopped while the database was away") from None
                waited += pause

    def connect(self, dialect: Any, _: Any, cargs: tuple[Any, ...], cparams: dict[str, Any]) -> Any:
        """Open a connection, again and again while the server is away; see SQLAlchemy's event ``do_connect``."""
        pause, longest = _PAUSES_S
        while True:
            try:
                connection = dialect.connect(*cargs, **cparams)
            except dialect.loaded_dbapi.OperationalError:
                # Many workers must not come back all at once.
                if self._is_over() or self._stop.wait(pause * random.uniform(0.5, 1.0)):
                    raise
                pause = min(2 * pause, longest)
            else:
                self._since = None
                return connection

    def _is_over(self) -> bool:
        if self._since is None:
            self._since = time.monotonic()
            self.noticed(f"{place_of(self._url)} is away; waiting for up to {PATIENCE_S:.0f} s")
        return time.monotonic() - self._since > PATIENCE_S
