"""Serve a campaign in optuna-dashboard until Ctrl-C."""

from __future__ import annotations

import contextlib
import copy
import errno
import ipaddress
import os
import signal
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from socketserver import ThreadingMixIn
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import optuna
from optuna.trial import FrozenTrial

from nas.errors import InputError
from nas.options.options import OPTIONS_FILE, read_options
from nas.report.chosen import explain_choice
from nas.report.notes import study_note, trial_note
from nas.space.space import DRAW_NAMES, without_draws
from nas.store.folders import holds_survey
from nas.store.reading import reading
from nas.store.records import Record
from nas.store.study import StudyFile, quiet_optuna, record_of
from nas.training.session import sign_of

__all__ = ["Mirror", "serve"]

_App = Callable[[dict[str, Any], Any], Any]

MOST_NOTES = 1000
"""Trials that all have a note: a dashboard searches all notes for each trial that it shows."""
_EVERY_S = 3.0
_FILE_NAME = "study.db"
_REMARK = (
    "New trials appear as the campaign goes on. This is a copy: nothing done here changes the campaign, and what is "
    "written here is gone when the dashboard ends."
)
_FEWER = f" From trial {MOST_NOTES} on, only trials that were the best so far have a note."


def serve(out: Path, host: str, port: int, ready: Callable[[str, str], None]) -> None:
    """Serve the campaign in a folder, and follow it, until Ctrl-C or SIGTERM; call it from the main thread.

    Nothing in the folder is written. Port 0 takes a free one. `ready` is called with the server's URL and that of the
    campaign's page, once both answer.

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
        server.set_app(_same_site(wsgi(mirror.storage), host))
        url = f"http://{host}:{server.server_port}/"
        with _signals_interrupt(), contextlib.suppress(KeyboardInterrupt), quiet_optuna(), _followed(mirror):
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


def _same_site(app: _App, host: str) -> _App:
    """Refuse requests by which a page from elsewhere, that the user has open too, would read or change studies.

    Under a name of its own that leads to this machine it would read (DNS rebinding), and forms of it may post anywhere.
    """
    own_names = {"localhost", host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}

    def guarded(environ: dict[str, Any], start_response: Any) -> Any:
        address = environ.get("HTTP_HOST", "")
        try:
            name = urlsplit(f"//{address}").hostname or ""
            origin = environ.get("HTTP_ORIGIN")
            is_own = name in own_names or _is_ip_address(name)
            is_ours = (
                environ["REQUEST_METHOD"] in ("GET", "HEAD") or origin is None or urlsplit(origin).netloc == address
            )
        except ValueError:
            is_own = is_ours = False
        if is_own and is_ours:
            return app(environ, start_response)
        unknown = "this is no name of this machine; use its address, or localhost"
        said = "a page of another site sent this" if is_own else unknown
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"refused: {said}\n".encode()]

    return guarded


def _is_ip_address(name: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    return False


def _listen(host: str, port: int) -> _Server:
    try:
        return _Server((host, port), _Handler)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise InputError(
                f"host={host}, port={port}: {error.strerror}; valid are an address of this machine and a port that "
                "it may listen at"
            ) from None
        with socket.socket() as probe:
            probe.bind((host, 0))
            free = probe.getsockname()[1]
        raise InputError(f"port={port}: another program listens there; free is, for one, --port {free}") from None


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

    def follow() -> None:
        while not stop.wait(_EVERY_S):
            # What is busy or away now may be there the next time.
            with contextlib.suppress(sqlite3.Error, InputError):
                mirror.refresh()

    follower = threading.Thread(target=follow, name="wirenas-mirror")
    follower.start()
    try:
        yield
    finally:
        stop.set()
        follower.join()


class Mirror:
    """A study in memory that follows the study of the campaign in the folder `out`.

    `folder` is an empty one, for a copy of the campaign's file. The study lies alone in `storage`, as `study_id`; where
    somebody deletes it there, it comes back under another one.

    Raises
    ------
    InputError
        If there is no campaign that can be read.
    """

    def __init__(self, out: Path, folder: Path) -> None:
        self._out, self._copy = out, folder / _FILE_NAME
        self._version: int | None = None
        self._best: float | None
        self._note: str
        self._counts: Counter[str]
        self._source = _open_to_read(out)
        try:
            self._copy_if_changed()
            self._file = StudyFile(folder)
        except sqlite3.Error as error:
            self.close()
            raise _unreadable(out, error) from None
        except InputError as error:
            self.close()
            raise InputError(str(error).replace(str(folder), str(out))) from None
        self.storage = optuna.storages.InMemoryStorage()
        try:
            self._begin()
            self._follow()
        except InputError:
            self.close()
            raise

    def _begin(self) -> None:
        self._best, self._note, self._counts = None, "", Counter()
        with quiet_optuna(), self._reading():
            self.study_id = self.storage.create_new_study(self._file.study.directions, self._out.resolve().name)
            self._name_values()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Say what is wrong with the campaign's file, of which a copy is read."""
        try:
            with reading(self._out / _FILE_NAME):
                yield
        except optuna.exceptions.StorageInternalError as error:
            reason = str(error.__cause__).partition("\n")[0]
            raise InputError(f"{self._out / _FILE_NAME}: damaged: {reason}; give another folder") from None

    def refresh(self) -> None:
        """Take in what the campaign has stored since the last time.

        Raises
        ------
        sqlite3.Error
            If the campaign's file cannot be read now.
        InputError
            If it is damaged.
        """
        has_changed = self._copy_if_changed()
        if all(study._study_id != self.study_id for study in self.storage.get_all_studies()):
            self._begin()
            has_changed = True
        if has_changed:
            self._follow()

    def close(self) -> None:
        """Let go of the campaign's file."""
        self._source.close()

    def _copy_if_changed(self) -> bool:
        (version,) = self._source.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return False
        with closing(sqlite3.connect(self._copy)) as target:
            self._source.backup(target)
        self._version = version
        return True

    def _follow(self) -> None:
        """Bring the study in memory to the state of the copy; finished trials never change."""
        with self._reading():
            self._take_over()

    def _take_over(self) -> None:
        options: dict[str, Any] = {}
        with contextlib.suppress(InputError):  # They say more than the study does: how many trials are wanted.
            options = read_options(self._out / OPTIONS_FILE)
        options |= self._file.get("options") or {}
        trials = self._file.study.get_trials(deepcopy=False)
        for trial in trials[self._counts.total() :]:
            if not trial.state.is_finished():
                break  # Those after it wait, so that every trial keeps its number.
            self._add(trial, options.get("metric", "value"))
        remark = _REMARK + (_FEWER if self._counts.total() > MOST_NOTES else "")
        if (winner := self._file.study.user_attrs.get("winner")) is not None:
            self.storage.set_study_user_attr(self.study_id, "winner", winner)
        outcome = self._file.get("outcome")
        note = study_note(self._out, options, self._counts, outcome, remark, self._explain(outcome))
        if note != self._note:
            self._note = note
            self._save_note(note)

    def _explain(self, outcome: Mapping[str, Any] | None) -> str:
        """Say why the winner, if there is one, is not the trial that has the best value."""
        best = (outcome or {}).get("best") or {}
        if outcome is None or "value" not in best:
            return ""
        direction = self._file.study.directions[0].name.lower()
        return explain_choice(self._file.records(), best, direction, outcome.get("test"))

    def _name_values(self) -> None:
        names = self._file.study.metric_names
        if names is not None:
            self.storage.set_study_system_attr(self.study_id, "study:metric_names", names)

    def _add(self, trial: FrozenTrial, metric: str) -> None:
        record = record_of(trial)
        shown = copy.copy(trial)
        # The edges are long lists of numbers, which are no use on a page.
        shown.user_attrs = {name: value for name, value in trial.user_attrs.items() if name != "hidden_edges"}
        # Nor are draws parameters that any importance could be told of.
        shown.user_attrs |= {name: trial.params[name] for name in DRAW_NAMES if name in trial.params}
        shown.params, shown.distributions = without_draws(trial.params), without_draws(trial.distributions)
        trial_id = self.storage.create_new_trial(self.study_id, shown)
        self._counts[record.state] += 1
        if self._is_best(record) or trial.number < MOST_NOTES:
            self._save_note(trial_note(record, self._out, metric, trial.values or ()), trial_id)

    def _is_best(self, record: Record) -> bool:
        """Whether a record is better than all before it; call it once a record."""
        sign = sign_of(self._file.study.directions[0].name.lower())
        if record.value is None or (self._best is not None and sign * (record.value - self._best) <= 0):
            return False
        self._best = record.value
        return True

    def _save_note(self, text: str, trial_id: int | None = None) -> None:
        """Store a note where `optuna_dashboard.save_note` does, which would look through all notes to write one."""
        prefix = "dashboard:" if trial_id is None else f"dashboard:{trial_id}:"
        version = self.storage.get_study_system_attrs(self.study_id).get(f"{prefix}note_ver", 0)
        self.storage.set_study_system_attr(self.study_id, f"{prefix}note_str:0", text)
        self.storage.set_study_system_attr(self.study_id, f"{prefix}note_ver", version + 1)


def _open_to_read(out: Path) -> sqlite3.Connection:
    if holds_survey(out):
        raise InputError(f"{out}: a survey lies there, which is no study of Optuna; see `wirenas status` instead")
    path = out / _FILE_NAME
    if not path.is_file():
        raise InputError(f"{out}: no campaign here ({_FILE_NAME} is missing); give the --out folder of `wirenas run`")
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)


def _unreadable(out: Path, error: sqlite3.Error) -> InputError:
    if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
        return InputError(f"{out}: the campaign was killed while it wrote; `wirenas status` with this folder clears up")
    return InputError(f"{out / _FILE_NAME}: not a study that can be read: {error}; give another folder")
