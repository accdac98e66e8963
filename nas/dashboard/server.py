"""Serve a campaign in optuna-dashboard until Ctrl-C."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from socketserver import ThreadingMixIn
from tempfile import TemporaryDirectory
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from nas.dashboard.mirror import Mirror
from nas.errors import InputError

__all__ = ["serve"]

_EVERY_S = 3.0


def serve(out: Path, host: str, port: int, ready: Callable[[str, str], None]) -> None:
    """Serve a campaign, and follow it, until Ctrl-C or SIGTERM; call it from the main thread.

    Parameters
    ----------
    out : Path
        The campaign's folder; nothing in it is written.
    host : str
        Address to listen at.
    port : int
        0 takes a free one.
    ready : callable
        Told the server's URL and that of the campaign's page, once both answer.

    Raises
    ------
    InputError
        If optuna-dashboard is not installed, the port is not free, or there is no campaign.
    """
    try:
        from optuna_dashboard import wsgi
    except ImportError:
        raise InputError("optuna-dashboard is not installed; it comes with: pip install 'wirenas[dashboard]'") from None
    with (
        _listen(host, port) as server,
        # Optuna keeps the copy open, and an open file cannot be removed everywhere.
        TemporaryDirectory(prefix="wirenas-", ignore_cleanup_errors=True) as folder,
        closing(Mirror(out, Path(folder))) as mirror,
    ):
        server.set_app(wsgi(mirror.storage))
        url = f"http://{host}:{server.server_port}/"
        with _signals_interrupt(), contextlib.suppress(KeyboardInterrupt), _followed(mirror):
            ready(url, f"{url}dashboard/studies/{mirror.study_id}")
            server.serve_forever()


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread; those that are open when it ends are dropped."""

    daemon_threads = True
    # On Windows it would let several programs listen at one port.
    allow_reuse_address = os.name == "posix"


class _Handler(WSGIRequestHandler):
    """Answers without a line about every request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _listen(host: str, port: int) -> _Server:
    try:
        return _Server((host, port), _Handler)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise InputError(
                f"host={host}, port={port}: {error.strerror}; valid are an address of this machine and a port that "
                "it may listen at"
            ) from None
        free = _free_port(host)
        raise InputError(f"port={port}: another program listens there; free is, for one, --port {free}") from None


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, and Ctrl-C also where the shell had it ignored."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _followed(mirror: Mirror) -> Iterator[None]:
    """Refresh a mirror every few seconds in a thread."""
    stop = threading.Event()
    follower = threading.Thread(target=_follow, args=(mirror, stop), name="wirenas-mirror")
    follower.start()
    try:
        yield
    finally:
        stop.set()
        follower.join()


def _follow(mirror: Mirror, stop: threading.Event) -> None:
    while not stop.wait(_EVERY_S):
        try:
            mirror.refresh()
        except sqlite3.Error:
            continue  # What is busy or away now may be there the next time.
        except KeyError:
            return  # Somebody deleted the study on the page.
